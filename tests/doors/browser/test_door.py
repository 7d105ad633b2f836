"""The browser door at work: its process, real sockets, pages in Python."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator, Mapping

import pytest
from tests.doors.browser.pages import PagePhone
from tests.doors.lines_contract import LEG, OUTSIDER, PHONE, VDN, Manner, RingingContract, Town
from tests.doors.sip.network import eventually
from tests.kit.media import local_media
from tests.media.tone_phones import TonePhone, speak

from sottovoce.config import BrowserSettings
from sottovoce.domain.legs import LegAddress, LegId, ReleaseCause, Routing
from sottovoce.domain.lines import Destination, LegAnswered, LegGone, LegRinging, LineEvent, LineKind
from sottovoce.doors.browser.control import Attach
from sottovoce.doors.browser.door import BrowserDoor, PageFree, PageLost, PageRung
from sottovoce.errors import Code, Refused
from sottovoce.media.engine import Apply, MediaEngine
from sottovoce.media.workers import WorkerEngine
from sottovoce.tasks import Tasks

LOCAL = BrowserSettings(host="127.0.0.1", port=0, addresses=("127.0.0.1",), pages=4)
OTHER = LegId("other")


def door_of(engine: MediaEngine, tasks: Tasks) -> BrowserDoor:
    return BrowserDoor(engine, LOCAL, tasks)


class BrowserTown(Town):
    """A door whose phones are pages."""

    def __init__(self) -> None:
        super().__init__()
        self.tasks = Tasks()
        self._door = door_of(self.engine, self.tasks)
        self._door.subscribe(self.heard)
        self.pages: list[PagePhone] = []

    @property
    def lines(self) -> BrowserDoor:
        return self._door

    async def phone(self, manner: Manner) -> PagePhone:
        made = PagePhone("agent", self._door)
        self.pages.append(made)
        await made.be_phone(VDN, PHONE, answers=manner is not Manner.RINGS)
        if manner is Manner.BUSY:
            self._door.ring(OTHER, VDN, Destination(LineKind.PHONE, PHONE), OUTSIDER)
            await self.until(LegAnswered)
        return made

    async def outsider(self) -> PagePhone:
        raise NotImplementedError("no page calls in")

    async def recovered(self, dialogs: Mapping[LegId, Mapping[str, object]]) -> list[LineEvent]:
        later, said = door_of(self.engine, self.tasks), list[LineEvent]()
        later.subscribe(said.append)
        later.recover(dialogs)
        return said

    async def end(self) -> None:
        for leg in (LEG, OTHER, LegId("again")):
            self._door.hang_up(leg)
        await eventually(lambda: not any(map(self._door.has, (LEG, OTHER, LegId("again")))))

    async def close(self) -> None:
        await self.end()
        for page in self.pages:
            page.transport.close()
        await self._door.stop()
        await self.tasks.close()


@pytest.fixture
async def town() -> AsyncIterator[BrowserTown]:
    town = BrowserTown()
    await town.lines.start()
    yield town
    await town.close()


class TestBrowserDoor(RingingContract):
    """The contract of all doors."""


async def test_the_page_hears_that_it_rings_and_that_it_is_over(town: BrowserTown) -> None:
    phone = await town.phone(Manner.RINGS)
    town.ring()
    await town.until(LegRinging)
    assert phone.told == [PageRung(OUTSIDER)]
    phone.hang_up()
    assert await town.until(LegGone) == LegGone(LEG, ReleaseCause.REJECTED)
    assert phone.told == [PageRung(OUTSIDER), PageFree()]


async def test_a_page_that_rings_is_had_to_answer(town: BrowserTown) -> None:
    assert not await town.lines.ask_to_lift(LEG)
    await town.phone(Manner.RINGS)
    town.ring()
    await town.until(LegRinging)
    assert await town.lines.ask_to_lift(LEG)
    await town.until(LegAnswered)
    assert not await town.lines.ask_to_lift(LEG)


async def test_a_second_page_of_a_number_takes_the_first_one_s_place(town: BrowserTown) -> None:
    first = await town.talk()
    second = await town.phone(Manner.ANSWERS)
    assert await town.until(LegGone) == LegGone(LEG, ReleaseCause.MEDIA_TIMEOUT)
    assert isinstance(first, PagePhone)
    await eventually(lambda: first.told[-1:] == [PageLost("closed")])
    town.ring(leg=OTHER)
    await eventually(lambda: LegAnswered(OTHER) in town.said)
    assert PageRung(OUTSIDER) in second.told


async def test_a_page_that_closes_ends_its_call(town: BrowserTown) -> None:
    phone = await town.talk()
    assert isinstance(phone, PagePhone)
    phone.close()
    assert await town.until(LegGone) == LegGone(LEG, ReleaseCause.MEDIA_TIMEOUT)
    assert not town.lines.is_phone(VDN, PHONE)


async def test_an_offer_that_is_none_is_refused_and_leaves_nothing(town: BrowserTown) -> None:
    with pytest.raises(Refused) as refused:
        await town.lines.connect(VDN, PHONE, "v=1", lambda event: None, answers=True)
    assert refused.value.code is Code.BAD_PARAMETER
    assert (await town.lines.figures()).paths == 0


async def test_a_killed_door_ends_its_calls_and_the_next_one_serves(town: BrowserTown) -> None:
    await town.talk()
    os.kill(town.lines.pid, signal.SIGKILL)
    assert await town.until(LegGone) == LegGone(LEG, ReleaseCause.MEDIA_TIMEOUT)
    await eventually(lambda: town.lines.is_up)
    town.said.clear()
    await town.talk()


async def test_a_door_that_hangs_keeps_no_media(town: BrowserTown) -> None:
    await town.talk()
    assert town.engine.mixer.slot_of(LEG) is not None
    os.kill(town.lines.pid, signal.SIGSTOP)
    try:
        town.lines.hang_up(LEG)
        await town.until(LegGone)
        assert town.engine.mixer.slot_of(LEG) is None
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(town.lines.pid, signal.SIGCONT)


async def test_a_leg_without_a_socket_is_the_only_one_that_ends(town: BrowserTown) -> None:
    phone = await town.phone(Manner.RINGS)
    assert isinstance(phone, PagePhone)
    with pytest.raises(Refused) as refused:
        await town.lines._process.call(Attach(phone.path, LegAddress("192.0.2.1", 4000)))
    assert refused.value.code is Code.MEDIA_EXHAUSTED
    assert (await town.lines.figures()).connected == 1


async def test_audio_passes_both_ways_to_exactly_whom_the_table_says() -> None:
    tasks = Tasks()
    engine = WorkerEngine(local_media(), tasks)
    await engine.start()
    door = door_of(engine, tasks)
    await door.start()
    try:
        async with asyncio.timeout(60):
            customer = await (await TonePhone("customer").listen()).connect(engine, str(VDN))
            agent = await PagePhone("agent", door).be_phone(VDN, "101", answers=True)
            inspector = await PagePhone("inspector", door).be_phone(VDN, "300", answers=True)
            answered: list[LineEvent] = []
            door.subscribe(answered.append)
            for leg, number in (("agent", "101"), ("inspector", "300")):
                door.ring(LegId(leg), VDN, Destination(LineKind.PHONE, number), OUTSIDER)
            await eventually(lambda: sum(isinstance(event, LegAnswered) for event in answered) == 2)
            tasks.spawn(speak([customer, agent, inspector]), name="phones")
            c, a, i = (LegId(name) for name in ("customer", "agent", "inspector"))
            whisper = {c: frozenset({a}), a: frozenset({c, i}), i: frozenset({c, a})}
            await engine.ask(Apply(Routing(whisper, frozenset({i}))))
            await asyncio.gather(
                customer.hears("agent"),
                agent.hears("customer", "inspector"),
                inspector.hears("customer", "agent"),
            )
            await engine.ask(Apply(Routing({**whisper, a: frozenset({c})}, frozenset({i}))))
            agent.forget()
            await agent.hears("customer")
            assert customer.loudest["inspector"] < 0.02
            figures = await door.figures()
            assert (figures.connected, figures.legs) == (2, 2)
            assert figures.received > 0
            assert figures.sent > 0
            for phone in (customer, agent, inspector):
                phone.transport.close()
    finally:
        await door.stop()
        await engine.close()
        await tasks.close()
