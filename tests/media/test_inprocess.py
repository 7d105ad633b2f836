from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.media.engine_contract import CUSTOMER, VOICE, EngineContract
from tests.media.talkers import Talker, samples_of

from sottovoce.domain.audio import Samples
from sottovoce.domain.legs import Codec, LegDirection, LegId, RemoteMedia, Routing
from sottovoce.errors import Code, Refused
from sottovoce.media.dtmf import KeyReader
from sottovoce.media.engine import Apply, CloseLeg, EngineEvent, OpenLeg, ReadFigures, SetRemote
from sottovoce.media.inprocess import InProcessEngine


class Phone:
    """A phone on a manual clock: says a tone, remembers what it got."""

    def __init__(self, talker: Talker, remote: RemoteMedia) -> None:
        self.talker = talker
        self.remote = remote
        self.talks = True
        self.keys_to_press: list[tuple[str, int]] = []
        self.got: list[bytes] = []
        self._key_start = 0

    def packets(self) -> list[bytes]:
        if not self.talks:
            return []
        if not self.keys_to_press:
            return [self.talker.packet()]
        digit, tick = self.keys_to_press.pop(0)
        if tick == 0:
            self._key_start = self.talker.timestamp
        data = self.talker.key(digit, min(tick, 4), self._key_start & 0xFFFFFFFF, end=tick >= 4)
        self.talker.pause()
        return [data]


class InProcessStudio:
    """`engine_contract.Studio` with the in-process engine."""

    def __init__(self, folder: Path) -> None:
        self.engine = InProcessEngine(capacity=8)
        self.events: list[EngineEvent] = []
        self.engine.subscribe(self.events.append)
        self.folder = folder
        self.phones: dict[LegId, Phone] = {}

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
        address = await self.engine.ask(OpenLeg(leg, "vdn"))
        remote = RemoteMedia("127.0.0.1", address.port + 1, codec, ptime_ms, dtmf_payload_type, direction)
        await self.engine.ask(SetRemote(leg, remote))
        ssrc = 1000 + len(self.phones)
        self.phones[leg] = Phone(Talker(tone or VOICE[leg], codec=codec, ssrc=ssrc), remote)

    async def redirect(self, leg: LegId, direction: LegDirection) -> None:
        phone = self.phones[leg]
        phone.remote = replace(phone.remote, direction=direction)
        await self.engine.ask(SetRemote(leg, phone.remote))

    def press(self, leg: LegId, digits: str) -> None:
        self.phones[leg].keys_to_press += [(digit, tick) for digit in digits for tick in range(7)]

    def quiet(self, leg: LegId) -> None:
        self.phones[leg].talks = False

    async def listen(self, seconds: float) -> None:
        for _ in range(round(seconds * 50)):
            for leg, phone in self.phones.items():
                if self.engine.mixer.slot_of(leg) is not None:
                    for packet in phone.packets():
                        self.engine.feed(leg, packet)
            self.engine.step()
            for leg, phone in self.phones.items():
                phone.got += self.engine.sent(leg)

    def heard(self, leg: LegId) -> Samples:
        audio = [samples_of(data) for data in self.phones[leg].got if data[1] & 0x7F in (0, 8)]
        return np.concatenate([np.zeros(0, np.int16), *audio])

    def keys(self, leg: LegId) -> str:
        reader, digits = KeyReader(), ""
        for number, data in enumerate(self.phones[leg].got):
            if data[1] & 0x7F == 101:
                digits += "".join(reader.read(data[12:], int.from_bytes(data[4:8], "big"), number * 0.02))
        return digits


class TestInProcessEngine(EngineContract):
    @pytest.fixture
    def studio(self, tmp_path: Path) -> InProcessStudio:
        return InProcessStudio(tmp_path)


async def test_time_passes_only_in_steps() -> None:
    engine = InProcessEngine()
    await engine.ask(OpenLeg(CUSTOMER, "vdn"))
    await engine.ask(SetRemote(CUSTOMER, RemoteMedia("h", 1, Codec.PCMU)))
    assert engine.sent(CUSTOMER) == []
    engine.step(5)
    assert len(engine.sent(CUSTOMER)) == 5
    assert engine.sent(CUSTOMER) == []
    assert engine.now == pytest.approx(0.1)


async def test_a_full_engine_says_so() -> None:
    engine = InProcessEngine(capacity=2)
    for name in "ab":
        await engine.ask(OpenLeg(LegId(name), "vdn"))
    with pytest.raises(Refused) as refusal:
        await engine.ask(OpenLeg(LegId("c"), "vdn"))
    assert refusal.value.code is Code.MEDIA_EXHAUSTED
    await engine.ask(CloseLeg(LegId("a")))
    await engine.ask(OpenLeg(LegId("c"), "vdn"))


async def test_what_arrives_after_the_end_reaches_nobody() -> None:
    engine = InProcessEngine(capacity=1)
    await engine.ask(OpenLeg(LegId("a"), "vdn"))
    await engine.ask(SetRemote(LegId("a"), RemoteMedia("h", 1, Codec.PCMU)))
    engine.feed(LegId("a"), Talker().packet())
    await engine.ask(CloseLeg(LegId("a")))
    await engine.ask(OpenLeg(LegId("b"), "vdn"))
    await engine.ask(SetRemote(LegId("b"), RemoteMedia("h", 1, Codec.PCMU)))
    await engine.ask(Apply(Routing({LegId("b"): frozenset({LegId("b")})})))
    engine.step(5)
    assert not any(samples_of(data).any() for data in engine.sent(LegId("b")))
    assert (await engine.ask(ReadFigures(LegId("b")))).received == 0
