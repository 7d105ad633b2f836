"""Phones for tests of the media worker: real sockets on loopback, a tone each, ears for all tones."""

from __future__ import annotations

import asyncio
import struct
from collections import deque
from collections.abc import Iterable
from typing import cast

import numpy as np

from sottovoce.domain.legs import Codec, LegAddress, LegId, RemoteMedia
from sottovoce.media.codecs import decode, encode
from sottovoce.media.engine import MediaEngine, OpenLeg, SetRemote

TONES = {"customer": 400, "agent": 650, "inspector": 1100, "second": 1550, "stranger": 2050}
"""Bin centres of a 20 ms frame (50 Hz apart), harmonically unrelated."""
PEAK = 8000
PRESENT = 0.25
ABSENT = 0.02
WINDOW = 8
"""Frames in a row that must agree."""


def strengths(samples: np.ndarray) -> dict[str, float]:
    """How strong each tone is in a frame of 160 samples; 1.0 is what a phone sends."""
    spectrum = np.abs(np.fft.rfft(samples.astype(np.float64))) / (80 * PEAK)
    return {name: float(spectrum[hertz // 50]) for name, hertz in TONES.items()}


def names_heard(samples: np.ndarray) -> set[str] | None:
    """Exactly whose tones are in a frame, or None if that is not clear."""
    found = strengths(samples)
    if any(ABSENT < strength < PRESENT for strength in found.values()):
        return None
    return {name for name, strength in found.items() if strength >= PRESENT}


class TonePhone(asyncio.DatagramProtocol):
    """One phone. It sends its tone every 20 ms while `talks`."""

    def __init__(self, name: str, tone: str | None = None, codec: Codec = Codec.PCMU, ssrc: int = 0) -> None:
        self.name = name
        self.leg = LegId(name)
        self.codec = codec
        self.ssrc = ssrc or sum(name.encode()) * 7919
        angles = 2 * np.pi * TONES[tone or name] * np.arange(160) / 8000
        self.frame = encode((PEAK * np.sin(angles)).astype(np.int16), codec).tobytes()
        self.talks = True
        self.target: LegAddress | None = None
        self.sequence = 1000
        self.ears: deque[set[str] | None] = deque(maxlen=WINDOW)
        self.loudest: dict[str, float] = dict.fromkeys(TONES, 0.0)
        self.sources: set[tuple[str, int]] = set()
        self._changed = asyncio.Event()
        self._transport: asyncio.DatagramTransport | None = None

    async def listen(self, host: str = "127.0.0.1", port: int = 0) -> TonePhone:
        """Open its socket."""
        await asyncio.get_running_loop().create_datagram_endpoint(lambda: self, (host, port))
        return self

    async def connect(self, engine: MediaEngine, group: str = "vdn") -> TonePhone:
        """Get a leg and set its remote."""
        self.target = await engine.ask(OpenLeg(self.leg, group))
        await engine.ask(SetRemote(self.leg, self.remote()))
        return self

    def remote(self) -> RemoteMedia:
        host, port = self.transport.get_extra_info("sockname")
        return RemoteMedia(host, port, self.codec)

    @property
    def transport(self) -> asyncio.DatagramTransport:
        assert self._transport is not None
        return self._transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self.sources.add(addr)
        if len(data) != 172 or data[1] & 0x7F != self.codec.value:
            return
        samples = decode(np.frombuffer(data[12:], np.uint8), self.codec)
        for name, strength in strengths(samples).items():
            self.loudest[name] = max(self.loudest[name], strength)
        self.ears.append(names_heard(samples))
        self._changed.set()

    def packet(self) -> bytes:
        """The next packet of its tone."""
        self.sequence += 1
        head = struct.pack(
            ">BBHII", 0x80, self.codec.value, self.sequence & 0xFFFF, self.sequence * 160, self.ssrc
        )
        return head + self.frame

    def speak(self) -> None:
        """Send one packet."""
        if self.talks and self.target is not None and not self.transport.is_closing():
            self.transport.sendto(self.packet(), (self.target.host, self.target.port))

    async def hears(self, *names: str) -> None:
        """Wait until it hears exactly these tones, frame after frame."""
        while not (len(self.ears) == WINDOW and all(heard == set(names) for heard in self.ears)):
            self._changed.clear()
            await self._changed.wait()

    def forget(self) -> None:
        """Begin `loudest` and the ears anew."""
        self.loudest = dict.fromkeys(TONES, 0.0)
        self.ears.clear()

    def hang_up(self) -> None:
        self.transport.close()


async def speak(phones: Iterable[TonePhone]) -> None:
    """Have phones speak every 20 ms until cancelled; `phones` may grow."""
    loop = asyncio.get_running_loop()
    deadline = loop.time()
    while True:
        for phone in list(phones):
            phone.speak()
        deadline = max(deadline + 0.02, loop.time() - 0.1)
        await asyncio.sleep(max(0.0, deadline - loop.time()))
