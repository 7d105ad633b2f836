"""The engine contract on worker processes, with phones on real sockets in real time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import cast

import numpy as np
import pytest
from tests.kit.media import local_media
from tests.media.engine_contract import VOICE, EngineContract
from tests.media.talkers import Talker, samples_of

from sottovoce.domain.audio import Samples
from sottovoce.domain.legs import Codec, LegAddress, LegDirection, LegId, RemoteMedia
from sottovoce.media.dtmf import KeyReader
from sottovoce.media.engine import EngineEvent, OpenLeg, SetRemote
from sottovoce.media.workers import WorkerEngine
from sottovoce.tasks import Tasks

TICK_S = 0.02
KEY_TICKS = 7


class Phone(asyncio.DatagramProtocol):
    """A phone with a socket: says a tone, remembers what it got."""

    def __init__(self, talker: Talker) -> None:
        self.talker = talker
        self.talks = True
        self.keys_to_press: list[tuple[str, int]] = []
        self.got: list[bytes] = []
        self.target: LegAddress | None = None
        self.remote: RemoteMedia | None = None
        self._key_start = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self.got.append(data)

    def speak(self) -> None:
        if self.talks and self.target is not None:
            self.transport.sendto(self._packet(), (self.target.host, self.target.port))

    def _packet(self) -> bytes:
        if not self.keys_to_press:
            return self.talker.packet()
        digit, tick = self.keys_to_press.pop(0)
        if tick == 0:
            self._key_start = self.talker.timestamp
        data = self.talker.key(digit, min(tick, 4), self._key_start & 0xFFFFFFFF, end=tick >= 4)
        self.talker.pause()
        return data


class WorkerStudio:
    """`engine_contract.Studio` with a worker."""

    def __init__(self, engine: WorkerEngine, folder: Path) -> None:
        self.engine = engine
        self.events: list[EngineEvent] = []
        self.engine.subscribe(self.events.append)
        self.folder = folder
        self.phones: dict[LegId, Phone] = {}
        self._until = asyncio.get_running_loop().time()

    async def speak(self) -> None:
        loop = asyncio.get_running_loop()
        deadline = loop.time()
        while True:
            for phone in self.phones.values():
                phone.speak()
            deadline += TICK_S
            await asyncio.sleep(max(0.0, deadline - loop.time()))

    async def phone(
        self,
        leg: LegId,
        *,
        codec: Codec = Codec.PCMU,
        ptime_ms: int = 20,
        dtmf_payload_type: int | None = 101,
        direction: LegDirection = LegDirection.SENDRECV,
        tone: int | None = None,
    ) -> None:
        phone = Phone(Talker(tone or VOICE[leg], codec=codec, ssrc=1000 + len(self.phones)))
        await asyncio.get_running_loop().create_datagram_endpoint(lambda: phone, ("127.0.0.1", 0))
        self.phones[leg] = phone
        host, port = phone.transport.get_extra_info("sockname")
        phone.target = await self.engine.ask(OpenLeg(leg, "vdn"))
        phone.remote = RemoteMedia(host, port, codec, ptime_ms, dtmf_payload_type, direction)
        await self.engine.ask(SetRemote(leg, phone.remote))

    async def redirect(self, leg: LegId, direction: LegDirection) -> None:
        phone = self.phones[leg]
        assert phone.remote is not None
        phone.remote = replace(phone.remote, direction=direction)
        await self.engine.ask(SetRemote(leg, phone.remote))

    def press(self, leg: LegId, digits: str) -> None:
        self.phones[leg].keys_to_press += [(digit, tick) for digit in digits for tick in range(KEY_TICKS)]

    def quiet(self, leg: LegId) -> None:
        self.phones[leg].talks = False

    async def listen(self, seconds: float) -> None:
        """Counted from where the last listening ended, so that commands between take no time of their own."""
        loop = asyncio.get_running_loop()
        if loop.time() - self._until > seconds:
            self._until = loop.time()
        self._until += seconds
        await asyncio.sleep(self._until - loop.time())

    def heard(self, leg: LegId) -> Samples:
        audio = [samples_of(data) for data in self.phones[leg].got if data[1] & 0x7F in (0, 8)]
        return np.concatenate([np.zeros(0, np.int16), *audio])

    def keys(self, leg: LegId) -> str:
        reader, digits = KeyReader(), ""
        for number, data in enumerate(self.phones[leg].got):
            if data[1] & 0x7F == 101:
                digits += "".join(reader.read(data[12:], int.from_bytes(data[4:8], "big"), number * TICK_S))
        return digits


class TestWorkerEngine(EngineContract):
    settings = local_media(workers=1, legs_per_worker=16)

    @pytest.fixture
    async def studio(self, tmp_path: Path) -> AsyncIterator[WorkerStudio]:
        tasks = Tasks()
        engine = WorkerEngine(self.settings, tasks)
        await engine.start()
        studio = WorkerStudio(engine, tmp_path)
        tasks.spawn(studio.speak(), name="phones")
        yield studio
        await engine.close()
        await tasks.close()
        for phone in studio.phones.values():
            phone.transport.close()


class TestWorkersJoined(TestWorkerEngine):
    """Two legs fill a worker: inspectors meet customer and agent through joins."""

    settings = local_media(workers=2, legs_per_worker=2)
