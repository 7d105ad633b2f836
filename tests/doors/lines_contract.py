"""What every door must do. A test module makes it true for its door:

    class TestMyDoor(LinesContract):
        @pytest.fixture
        async def town(self): ...

A town is a door with phones on the other side of its legs. Phones ring in it and are lifted, held and
put down; outsiders call in.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Mapping
from enum import Enum, auto
from typing import Protocol, TypeVar

import pytest

from sottovoce.domain.directory import VdnId
from sottovoce.domain.legs import LegId, ReleaseCause
from sottovoce.domain.lines import (
    Destination,
    LegAnswered,
    LegGone,
    LegHeld,
    LegOffered,
    LegPressed,
    LegResumed,
    LegRinging,
    LegSaved,
    LineEvent,
    LineKind,
    PhoneSeen,
)
from sottovoce.live.ports import Lines
from sottovoce.media.engine import OpenLeg
from sottovoce.media.inprocess import InProcessEngine

VDN, LEG = VdnId(1), LegId("leg")
PHONE, NOBODY, OUTSIDER, ACCESS_CODE = "501", "502", "555", "900"
CAPACITY = 3
"""Legs that a town's engine carries."""
T = TypeVar("T", bound=LineEvent)


class Manner(Enum):
    """What a phone does when it rings."""

    ANSWERS = auto()
    RINGS = auto()
    BUSY = auto()


class FarPhone(Protocol):
    """The other side of a leg."""

    def lift(self) -> None:
        """Answer what rings."""
        ...

    def hang_up(self) -> None:
        """End the talk, or give up a call of its own that is not answered."""
        ...

    def hold(self) -> None: ...

    def resume(self) -> None: ...

    def press(self, key: str) -> None:
        """Press a key that the signalling carries."""
        ...

    async def free(self) -> None:
        """Wait until it is in no call."""
        ...


class Town(ABC):
    """A door, what it said, and the phones around it."""

    def __init__(self) -> None:
        self.engine = InProcessEngine(CAPACITY)
        self.said: list[LineEvent] = []
        self.media: list[bool] = []
        """Whether the leg had media, at each of `said`."""
        self._changed = asyncio.Event()

    @property
    @abstractmethod
    def lines(self) -> Lines: ...

    @abstractmethod
    async def phone(self, manner: Manner) -> FarPhone:
        """The phone of number PHONE."""

    @abstractmethod
    async def outsider(self) -> FarPhone:
        """OUTSIDER, who dials ACCESS_CODE."""

    @abstractmethod
    async def recovered(self, dialogs: Mapping[LegId, Mapping[str, object]]) -> list[LineEvent]:
        """Start a door as after a crash and hand it the dialogs; what it said of its own."""

    @abstractmethod
    async def end(self) -> None:
        """Hang everything up; nothing is under way afterwards. May be called again."""

    def heard(self, event: LineEvent) -> None:
        if isinstance(event, PhoneSeen):
            return
        self.said.append(event)
        self.media.append(self.engine.mixer.slot_of(event.leg) is not None)
        self._changed.set()

    def of(self, leg: LegId) -> list[LineEvent]:
        """What was said of a leg, without its bookkeeping."""
        return [event for event in self.said if event.leg == leg and not isinstance(event, LegSaved)]

    async def until(self, kind: type[T]) -> T:
        async with asyncio.timeout(10):
            while not (found := [event for event in self.said if isinstance(event, kind)]):
                self._changed.clear()
                await self._changed.wait()
        return found[-1]

    def ring(self, number: str = PHONE, leg: LegId = LEG) -> None:
        self.lines.ring(leg, VDN, Destination(LineKind.PHONE, number), OUTSIDER)

    async def talk(self) -> FarPhone:
        """LEG talks with a phone."""
        phone = await self.phone(Manner.ANSWERS)
        self.ring()
        await self.until(LegAnswered)
        return phone

    async def offered(self) -> tuple[FarPhone, LegId]:
        """An outsider has called."""
        caller = await self.outsider()
        return caller, (await self.until(LegOffered)).leg


class RingingContract:
    """Of any door."""

    async def test_a_phone_is_rung_lifted_and_hung_up(self, town: Town) -> None:
        phone = await town.phone(Manner.RINGS)
        town.ring()
        await town.until(LegRinging)
        assert town.of(LEG) == [LegRinging(LEG)]
        phone.lift()
        await town.until(LegAnswered)
        town.lines.hang_up(LEG)
        town.lines.hang_up(LEG)
        await phone.free()
        await town.end()
        assert town.of(LEG) == [LegRinging(LEG), LegAnswered(LEG), LegGone(LEG, ReleaseCause.NORMAL)]

    async def test_a_busy_phone(self, town: Town) -> None:
        await town.phone(Manner.BUSY)
        town.ring()
        await town.until(LegGone)
        await town.end()
        assert [event for event in town.of(LEG) if not isinstance(event, LegRinging)] == [
            LegGone(LEG, ReleaseCause.BUSY)
        ]

    async def test_a_number_without_a_phone(self, town: Town) -> None:
        town.ring(NOBODY)
        await town.until(LegGone)
        await town.end()
        assert town.of(LEG) == [LegGone(LEG, ReleaseCause.UNREACHABLE)]

    @pytest.mark.parametrize(
        ("cause", "said"),
        [
            (ReleaseCause.NO_ANSWER, ReleaseCause.NO_ANSWER),
            (ReleaseCause.NORMAL, ReleaseCause.CANCELLED),
        ],
    )
    async def test_a_phone_that_nobody_lifts_stops_ringing_once(
        self, town: Town, cause: ReleaseCause, said: ReleaseCause
    ) -> None:
        phone = await town.phone(Manner.RINGS)
        town.ring()
        await town.until(LegRinging)
        town.lines.hang_up(LEG, cause)
        town.lines.hang_up(LEG)
        await phone.free()
        await town.end()
        assert town.of(LEG) == [LegRinging(LEG), LegGone(LEG, said)]

    async def test_hanging_up_at_once_ends_it_once(self, town: Town) -> None:
        phone = await town.phone(Manner.RINGS)
        town.ring()
        town.lines.hang_up(LEG, ReleaseCause.NO_ANSWER)
        town.lines.hang_up(LEG)
        await town.until(LegGone)
        await phone.free()
        await town.end()
        gone = LegGone(LEG, ReleaseCause.NO_ANSWER)
        assert town.of(LEG) in ([gone], [LegRinging(LEG), gone])

    async def test_the_phone_hangs_up(self, town: Town) -> None:
        phone = await town.talk()
        phone.hang_up()
        assert await town.until(LegGone) == LegGone(LEG, ReleaseCause.NORMAL)
        town.lines.hang_up(LEG)
        await town.end()
        assert town.of(LEG)[2:] == [LegGone(LEG, ReleaseCause.NORMAL)]

    async def test_the_phone_is_free_for_the_next_call(self, town: Town) -> None:
        phone = await town.talk()
        town.lines.hang_up(LEG, ReleaseCause.MEDIA_TIMEOUT)
        assert await town.until(LegGone) == LegGone(LEG, ReleaseCause.MEDIA_TIMEOUT)
        await phone.free()
        again = LegId("again")
        town.ring(leg=again)
        while town.of(again)[-1:] != [LegAnswered(again)]:  # noqa: ASYNC110 - the second of its kind
            await asyncio.sleep(0.001)
        await town.end()
        assert town.of(again) == [LegRinging(again), LegAnswered(again), LegGone(again, ReleaseCause.NORMAL)]

    async def test_what_a_crash_left_is_ended_and_not_spoken_of(self, town: Town) -> None:
        phone = await town.talk()
        saved = {event.leg: event.dialog for event in town.said if isinstance(event, LegSaved)}
        assert await town.recovered({**saved, LegId("nonsense"): {"nonsense": True}}) == []
        if saved:
            await phone.free()
        assert town.of(LEG) == [LegRinging(LEG), LegAnswered(LEG)]


class LinesContract(RingingContract):
    """Of one whose phones call in, hold and have keys, too."""

    async def test_media_is_there_while_a_leg_talks_and_gone_before_it_is_said(self, town: Town) -> None:
        phone = await town.talk()
        town.lines.hang_up(LEG)
        await phone.free()
        caller, offer = await town.offered()
        town.lines.hang_up(offer)
        await caller.free()
        await town.end()
        had = [
            (type(event), media)
            for event, media in zip(town.said, town.media, strict=True)
            if not isinstance(event, LegSaved)
        ]
        assert had == [
            (LegRinging, True),
            (LegAnswered, True),
            (LegGone, False),
            (LegOffered, True),
            (LegGone, False),
        ]

    async def test_the_phone_holds_and_takes_back(self, town: Town) -> None:
        phone = await town.talk()
        phone.hold()
        await town.until(LegHeld)
        phone.resume()
        await town.until(LegResumed)
        phone.hang_up()
        await town.until(LegGone)
        assert town.of(LEG)[2:] == [LegHeld(LEG), LegResumed(LEG), LegGone(LEG, ReleaseCause.NORMAL)]

    @pytest.mark.parametrize("key", ["5", "#"])
    async def test_a_key_that_comes_by_signalling_is_told(self, town: Town, key: str) -> None:
        phone = await town.talk()
        phone.press(key)
        assert await town.until(LegPressed) == LegPressed(LEG, key)
        phone.hang_up()
        await town.until(LegGone)
        assert town.of(LEG)[2:] == [LegPressed(LEG, key), LegGone(LEG, ReleaseCause.NORMAL)]

    @pytest.mark.parametrize("early_media", [False, True])
    async def test_an_offer_is_announced_and_accepted_once(self, town: Town, early_media: bool) -> None:
        caller, leg = await town.offered()
        offer = LegOffered(leg, VDN, OUTSIDER, ACCESS_CODE, account=None)
        town.lines.announce(leg, early_media=early_media)
        town.lines.accept(leg)
        town.lines.accept(leg)
        await town.until(LegAnswered)
        assert town.of(leg) == [offer, LegAnswered(leg)]
        caller.hang_up()
        await town.until(LegGone)
        town.lines.accept(leg)
        await town.end()
        assert town.of(leg)[2:] == [LegGone(leg, ReleaseCause.NORMAL)]

    @pytest.mark.parametrize(
        "cause", [ReleaseCause.NORMAL, ReleaseCause.BUSY, ReleaseCause.REJECTED, ReleaseCause.OVERLOAD]
    )
    async def test_an_offer_is_refused(self, town: Town, cause: ReleaseCause) -> None:
        caller, leg = await town.offered()
        town.lines.hang_up(leg, cause)
        town.lines.hang_up(leg)
        town.lines.accept(leg)
        await caller.free()
        await town.end()
        assert town.of(leg)[1:] == [LegGone(leg, cause)]

    async def test_a_listener_may_act_at_once_and_is_not_alone(self, town: Town) -> None:
        def refuse(event: LineEvent) -> None:
            if isinstance(event, LegOffered):
                town.lines.hang_up(event.leg, ReleaseCause.REJECTED)

        town.lines.subscribe(refuse)
        caller, leg = await town.offered()
        await caller.free()
        await town.end()
        assert town.of(leg)[1:] == [LegGone(leg, ReleaseCause.REJECTED)]

    async def test_a_caller_gives_up(self, town: Town) -> None:
        caller, leg = await town.offered()
        town.lines.announce(leg, early_media=False)
        caller.hang_up()
        await town.until(LegGone)
        town.lines.accept(leg)
        await town.end()
        assert town.of(leg)[1:] == [LegGone(leg, ReleaseCause.CANCELLED)]

    async def test_without_room_for_media_nobody_rings_and_nobody_is_offered(self, town: Town) -> None:
        for number in range(CAPACITY):
            await town.engine.ask(OpenLeg(LegId(f"other-{number}"), "1"))
        phone = await town.phone(Manner.ANSWERS)
        town.ring()
        await town.until(LegGone)
        caller = await town.outsider()
        await caller.free()
        await phone.free()
        await town.end()
        assert town.said == [LegGone(LEG, ReleaseCause.OVERLOAD)]

    async def test_legs_that_are_none_are_let_be(self, town: Town) -> None:
        town.lines.announce(LEG, early_media=True)
        town.lines.accept(LEG)
        town.lines.hang_up(LEG)
        await town.end()
        assert town.said == []
