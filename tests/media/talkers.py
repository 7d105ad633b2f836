"""What phones send, as bytes: streams of RTP with a voice, for tests that have no sockets."""

from __future__ import annotations

import numpy as np

from sottovoce.domain.audio import Samples
from sottovoce.domain.legs import Codec
from sottovoce.media import codecs, rtp
from sottovoce.media.dtmf import DIGITS
from sottovoce.phones.tones import TONES, tone


class Talker:
    """One stream. Its voice is a tone, or noise of its own where `hz` is 0."""

    def __init__(
        self,
        hz: int = TONES[0],
        *,
        codec: Codec = Codec.PCMU,
        ptime_ms: int = 20,
        ssrc: int = 0x1234,
        sequence: int = 65530,
        timestamp: int = 0xFFFFF000,
        level_dbov: float = -15.0,
    ) -> None:
        self.hz = hz
        self.codec = codec
        self.size = 8 * ptime_ms
        self.ssrc = ssrc
        self.sequence = sequence
        self.timestamp = timestamp
        self.at = 0
        self._level = level_dbov
        self._noise = np.random.default_rng(ssrc)

    def voice(self) -> Samples:
        """The samples of the next packet."""
        if self.hz:
            return tone(self.hz, self.size, start=self.at, level_dbov=self._level)
        return self._noise.integers(-6000, 6000, self.size).astype(np.int16)

    def packet(self, *, marker: bool = False) -> bytes:
        """The next packet."""
        codes = codecs.encode(self.voice(), self.codec)
        data = rtp.packet(
            self.codec.value, self.sequence, self.timestamp, self.ssrc, codes.tobytes(), marker=marker
        )
        self.skip()
        return data

    def skip(self) -> None:
        """Send nothing for a packet's time, counting it."""
        self.sequence += 1
        self.pause()

    def pause(self) -> None:
        """Be silent for a packet's time, as with silence suppression: time goes on, the sequence does not."""
        self.timestamp += self.size
        self.at += self.size

    def key(self, digit: str, tick: int, start: int, *, end: bool = False) -> bytes:
        """An event packet (payload type 101) of a key that began at timestamp `start`."""
        duration = (160 * (tick + 1)).to_bytes(2, "big")
        payload = bytes((DIGITS.index(digit), (0x80 if end else 0) | 10)) + duration
        data = rtp.packet(101, self.sequence, start, self.ssrc, payload, marker=tick == 0)
        self.sequence += 1
        return data


def samples_of(packet: bytes) -> Samples:
    """The audio of an RTP packet that we sent, by its payload type."""
    return codecs.decode(np.frombuffer(packet[12:], np.uint8), Codec(packet[1] & 0x7F))
