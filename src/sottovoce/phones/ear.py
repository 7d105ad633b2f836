"""What a phone heard: RTP packets in, a timeline of samples with arrival times and losses out.

Sans-IO: packets and the time are handed in. The timeline is laid out by RTP timestamps (a new
SSRC is appended where the old one ended), so that a window is what the far side sent, samples that
never came being silence; a playout buffer would only move it. The last 30 s are kept.
"""

from __future__ import annotations

import struct
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sottovoce.domain.audio import FRAME, RATE
from sottovoce.domain.legs import Codec
from sottovoce.media import codecs
from sottovoce.media.dtmf import DIGITS
from sottovoce.phones import tones
from sottovoce.phones.tones import Samples

KEPT_S = 30
_KEPT = KEPT_S * RATE
_LARGEST = 2048


@dataclass(frozen=True, slots=True)
class Arrival:
    """One audio packet: when it came (s), where its first sample stands on the timeline, how many it has."""

    at: float
    position: int
    samples: int


@dataclass(frozen=True, slots=True)
class EarFigures:
    """Packets since the ear was made. `lost` is what the sequence numbers say is still missing."""

    received: int
    lost: int
    reordered: int
    duplicated: int
    refused: int


class Ear:
    """The receiving side of one RTP stream (RFC 3550), G.711 and RFC 4733 digits."""

    def __init__(self, *, dtmf_payload_type: int | None = 101) -> None:
        self.dtmf_payload_type = dtmf_payload_type
        self.digits: deque[str] = deque(maxlen=256)
        self._ring = np.zeros(_KEPT, dtype=np.int16)
        self._arrivals: deque[Arrival] = deque(maxlen=KEPT_S * 100)
        self._end = 0
        self._ssrc: int | None = None
        self._base = 0
        """Timeline position of RTP timestamp 0 of the present SSRC, modulo 2^32."""
        self._highest = 0
        """Highest extended sequence number of the present SSRC."""
        self._seen: deque[int] = deque(maxlen=512)
        self._last_event: tuple[int, int] | None = None
        self._received = self._missing = self._reordered = self._duplicated = self._refused = 0

    @property
    def end(self) -> int:
        """Timeline position (samples) after the last sample that came."""
        return self._end

    @property
    def arrivals(self) -> Sequence[Arrival]:
        """The audio packets still kept, oldest first."""
        return tuple(self._arrivals)

    @property
    def figures(self) -> EarFigures:
        """Packets received, lost and refused so far."""
        return EarFigures(
            self._received,
            max(0, self._missing),
            self._reordered,
            self._duplicated,
            self._refused,
        )

    def accept(self, packet: bytes, now: float) -> None:
        """Take in one datagram that came at `now` (s); what is not our RTP is counted and dropped."""
        parsed = _parse(packet)
        if parsed is None:
            self._refused += 1
            return
        payload_type, sequence, timestamp, ssrc, payload = parsed
        if payload_type == self.dtmf_payload_type:
            if self._follow(ssrc, sequence, timestamp):
                self._digit(timestamp, payload)
            return
        if payload_type not in codecs.PAYLOAD_TYPES or not payload:
            self._refused += 1
            return
        if not self._follow(ssrc, sequence, timestamp):
            return
        samples = codecs.decode(np.frombuffer(payload, dtype=np.uint8), Codec(payload_type))
        position = self._position(timestamp)
        self._lay(position, samples)
        self._arrivals.append(Arrival(now, position, samples.size))

    def window(self, start: int, samples: int = tones.WINDOW) -> Samples:
        """`samples` samples from timeline position `start`; what never came, or is forgotten, is silence."""
        found = np.zeros(samples, dtype=np.int16)
        first = max(start, self._end - _KEPT, 0)
        last = min(start + samples, self._end)
        if last > first:
            found[first - start : last - start] = self._ring[np.arange(first, last) % _KEPT]
        return found

    def last(self, samples: int = tones.WINDOW) -> Samples:
        """The newest `samples` samples, a second if not told."""
        return self.window(self._end - samples, samples)

    def changed_at(self, hz: int, *, on: bool, since: float, among: Sequence[int]) -> float | None:
        """Arrival time (s) of the first packet after `since` in which a tone is there (or is not), or None.

        A packet's own length decides its resolution: 20 ms. `among` are the tones that may sound.
        """
        asked = (hz, *(other for other in among if other != hz))
        packets = [entry for entry in self._arrivals if entry.at >= since]
        usable = [entry for entry in packets if entry.samples == FRAME]
        if not usable:
            return None
        blocks = np.stack([self.window(entry.position, FRAME) for entry in usable])
        found = tones.block_levels(blocks, asked)[:, 0] >= tones.HEARD_FROM_DBOV
        hits = np.flatnonzero(found if on else ~found)
        return usable[int(hits[0])].at if hits.size else None

    def _follow(self, ssrc: int, sequence: int, timestamp: int) -> bool:
        """Count by sequence number; False for a packet that was here before."""
        self._received += 1
        if ssrc != self._ssrc:
            self._ssrc = ssrc
            self._base = (self._end - timestamp) % 2**32
            self._highest = sequence
            self._seen.clear()
            self._seen.append(sequence)
            return True
        step = (sequence - self._highest + 2**15) % 2**16 - 2**15
        extended = self._highest + step
        if extended in self._seen:
            self._duplicated += 1
            return False
        self._seen.append(extended)
        if step > 0:
            self._missing += step - 1
            self._highest = extended
        else:
            self._missing -= 1
            self._reordered += 1
        return True

    def _position(self, timestamp: int) -> int:
        """Where that timestamp stands, next to the end; a jump of more than 10 s is taken as a new start."""
        offset = (timestamp + self._base - self._end) % 2**32
        if offset >= 2**31:
            offset -= 2**32
        if abs(offset) > 10 * RATE:
            self._base = (self._end - timestamp) % 2**32
            return self._end
        return self._end + offset

    def _lay(self, position: int, samples: Samples) -> None:
        if position + samples.size <= max(0, self._end - _KEPT) or position < 0:
            return
        stop = position + samples.size
        if stop > self._end:
            fresh = np.arange(max(self._end, stop - _KEPT), stop)
            self._ring[fresh % _KEPT] = 0
            self._end = stop
        self._ring[np.arange(position, stop) % _KEPT] = samples

    def _digit(self, timestamp: int, payload: bytes) -> None:
        if len(payload) < 4:
            self._refused += 1
            return
        event, flags = payload[0], payload[1]
        if flags & 0x80 and event < len(DIGITS) and self._last_event != (timestamp, event):
            self._last_event = (timestamp, event)
            self.digits.append(DIGITS[event])


def _parse(packet: bytes) -> tuple[int, int, int, int, bytes] | None:
    """Payload type, sequence, timestamp, SSRC and payload of an RTP packet (RFC 3550 5.1), or None."""
    if not 12 <= len(packet) <= _LARGEST or packet[0] >> 6 != 2:
        return None
    first, second, sequence, timestamp, ssrc = struct.unpack_from("!BBHII", packet)
    start = 12 + 4 * (first & 0x0F)
    if first & 0x10:
        if len(packet) < start + 4:
            return None
        start += 4 + 4 * struct.unpack_from("!H", packet, start + 2)[0]
    end = len(packet)
    if first & 0x20:
        end -= packet[-1]
    if start > end:
        return None
    return second & 0x7F, sequence, timestamp, ssrc, packet[start:end]
