"""From command to ear: how long after `apply` the first packet at the agent's phone differs."""

from __future__ import annotations

import asyncio
import struct
from dataclasses import dataclass, field
from typing import cast

import numpy as np
from tests.bench.load import TONES_HZ, tone
from tests.bench.tables import Say, Table
from tests.kit.media import local_media

from sottovoce.domain.legs import Codec, LegAddress, LegId, RemoteMedia, Routing
from sottovoce.media.codecs import decode
from sottovoce.media.engine import Apply, OpenLeg, SetRemote
from sottovoce.media.workers import WorkerEngine
from sottovoce.tasks import Tasks

ROUNDS = 60
FRAME_S = 0.02
AUDIBLE = 0.05
"""Of the tone's full strength in its bin."""


@dataclass
class Phone(asyncio.DatagramProtocol):
    """Sends a tone, notes when it hears the inspector's."""

    leg: LegId
    hertz: int
    hears_whisper: bool = False
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    transport: asyncio.DatagramTransport | None = None
    sequence: int = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        samples = decode(np.frombuffer(data[12:], np.uint8), Codec.PCMU)
        strength = np.abs(np.fft.rfft(samples)[TONES_HZ[2] // 50]) / (80 * 8000)
        heard = bool(strength > AUDIBLE)
        if heard != self.hears_whisper:
            self.hears_whisper = heard
            self.changed.set()

    def send(self, address: LegAddress) -> None:
        assert self.transport is not None
        self.sequence += 1
        head = struct.pack(">BBHII", 0x80, 0, self.sequence, self.sequence * 160, self.hertz)
        self.transport.sendto(head + tone(self.hertz).tobytes(), (address.host, address.port))


async def measure(say: Say, rounds: int = ROUNDS) -> list[Table]:
    """The table of both changes."""
    tasks = Tasks()
    engine = WorkerEngine(local_media(workers=1, legs_per_worker=16), tasks)
    await engine.start()
    try:
        phones = [Phone(LegId(name), hertz) for name, hertz in zip("cai", TONES_HZ, strict=True)]
        addresses = [await _connect(engine, phone) for phone in phones]
        tasks.spawn(_speak(phones, addresses), name="phones")
        await asyncio.sleep(1.0)
        times: dict[bool, list[float]] = {True: [], False: []}
        for number in range(rounds):
            say(f"command to ear: {number} of {rounds}")
            for whisper in (True, False):
                await asyncio.sleep(0.05 + FRAME_S * (number * 0.37 % 1))
                times[whisper].append(await _change(engine, phones[1], whisper))
    finally:
        await engine.close()
        await tasks.close()
    return [
        Table(
            "From command to ear",
            ["change", "p50, ms", "p99, ms", "longest, ms"],
            [
                [
                    name,
                    *(
                        f"{value * 1000:.1f}"
                        for value in (*np.percentile(times[on], [50, 99]), max(times[on]))
                    ),
                ]
                for name, on in (("whisper begins", True), ("whisper stops", False))
            ],
            [
                "From the engine's `apply` to the first packet at the agent's phone that differs;"
                f" {rounds} times each. Bar: 40 ms at p99, there from the HTTP request.",
            ],
        )
    ]


async def _connect(engine: WorkerEngine, phone: Phone) -> LegAddress:
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(lambda: phone, ("127.0.0.1", 0))
    address = await engine.ask(OpenLeg(phone.leg, "bench"))
    host, port = transport.get_extra_info("sockname")
    await engine.ask(SetRemote(phone.leg, RemoteMedia(host, port, Codec.PCMU)))
    return address


async def _speak(phones: list[Phone], addresses: list[LegAddress]) -> None:
    loop = asyncio.get_running_loop()
    deadline = loop.time()
    while True:
        for phone, address in zip(phones, addresses, strict=True):
            phone.send(address)
        deadline += FRAME_S
        await asyncio.sleep(max(0.0, deadline - loop.time()))


async def _change(engine: WorkerEngine, agent: Phone, whisper: bool) -> float:
    """Switch the whisper and wait until the agent's phone hears that; seconds."""
    c, a, i = LegId("c"), LegId("a"), LegId("i")
    loop = asyncio.get_running_loop()
    agent.changed.clear()
    begun = loop.time()
    await engine.ask(
        Apply(
            Routing(
                {c: frozenset({a}), a: frozenset({c, i} if whisper else {c}), i: frozenset({a, c})},
                frozenset({i}),
            )
        )
    )
    while agent.hears_whisper != whisper:
        await agent.changed.wait()
        agent.changed.clear()
    return loop.time() - begun
