"""One RTP stream towards a browser, made of one leg's after another's.

A browser keeps one receiver for one SSRC. Each leg of the mixer is a stream of its own, so its packets
get the browser's SSRC and numbers that go on where the last leg's ended (RFC 3550 5.1).
"""

from __future__ import annotations

import struct

from sottovoce.domain.audio import RATE

_HEADER = struct.Struct("!BBHII")
_MARKER = 0x80
_SENDER_REPORT = 200


class Continuous:
    """The rewriting of what a leg sends, and of what is reported about it."""

    def __init__(self, ssrc: int, sequence: int, timestamp: int) -> None:
        """The three are of the first packet, and have to be random (RFC 3550 5.1)."""
        self.ssrc = ssrc
        self._next, self._timestamp = sequence, timestamp
        self._leg: int | None = None
        """SSRC of the leg that is passed on."""
        self._by_sequence = self._by_timestamp = 0
        self._sent_at: float | None = None

    def begin(self) -> None:
        """What comes next is another leg's."""
        self._leg = None

    def rtp(self, packet: bytes, now: float) -> bytes | None:
        """The browser's form of a leg's packet at `now` (s); None for what is no RTP."""
        if len(packet) < _HEADER.size:
            return None
        first, kind, sequence, timestamp, ssrc = _HEADER.unpack_from(packet)
        if ssrc != self._leg:
            passed = int((now - self._sent_at) * RATE) if self._sent_at is not None else 0
            self._by_sequence = self._next - sequence
            self._by_timestamp = self._timestamp + passed - timestamp
            self._leg = ssrc
            kind |= _MARKER
        sequence = (sequence + self._by_sequence) & 0xFFFF
        self._next, self._sent_at = (sequence + 1) & 0xFFFF, now
        self._timestamp = (timestamp + self._by_timestamp) & 0xFFFF_FFFF
        return _HEADER.pack(first, kind, sequence, self._timestamp, self.ssrc) + packet[_HEADER.size :]

    def rtcp_out(self, packet: bytes) -> bytes | None:
        """A leg's report under the browser's SSRC; None before its first packet."""
        if self._leg is None or len(packet) < 8 or len(packet) % 4:
            return None
        changed = _renamed(packet, self._leg, self.ssrc)
        if packet[1] == _SENDER_REPORT and len(packet) >= 28:
            timestamp = int.from_bytes(packet[16:20], "big") + self._by_timestamp & 0xFFFF_FFFF
            changed = changed[:16] + timestamp.to_bytes(4, "big") + changed[20:]
        return changed

    def rtcp_in(self, packet: bytes) -> bytes | None:
        """A browser's report about the stream, under the leg's SSRC."""
        if len(packet) < 8 or len(packet) % 4:
            return None
        return packet if self._leg is None else _renamed(packet, self.ssrc, self._leg)


def _renamed(packet: bytes, name: int, other: int) -> bytes:
    """All words of a compound that are one SSRC, as another. No other word is likely to be the same."""
    words = struct.unpack(f"!{len(packet) // 4}I", packet)
    return struct.pack(f"!{len(words)}I", *(other if word == name else word for word in words))
