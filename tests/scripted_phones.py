"""Scripted phones in this process: an implementation of `live.ports.Lines` over any media engine.

For tests and fast floors. There is no signalling: a phone rings, is lifted, holds and hangs up because a
test says so. A phone or outside number that is `ready` lifts by itself. Nothing here waits; the media of
legs is opened and closed in order by one task.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any

from sottovoce.domain.directory import VdnId
from sottovoce.domain.legs import Codec, LegId, ReleaseCause, RemoteMedia
from sottovoce.domain.lines import (
    Destination,
    LegAnswered,
    LegGone,
    LegHeld,
    LegOffered,
    LegPressed,
    LegResumed,
    LegRinging,
    LineEvent,
)
from sottovoce.errors import Code, Refused
from sottovoce.media.engine import CloseLeg, MediaEngine, OpenLeg, SetRemote
from sottovoce.tasks import Tasks


@dataclass(slots=True)
class ScriptedPhone:
    """One phone or outside number. `leg` is the leg that rings or talks at it now."""

    lines: InProcessLines
    number: str
    ready: bool = False
    """Lifts as soon as it rings."""
    rejects: ReleaseCause | None = None
    """Refuses as soon as it rings."""
    dead: bool = False
    """Says nothing when it is rung."""
    lifts: bool = False
    """Lifts when it is asked to while it rings."""
    leg: LegId | None = None
    up: bool = False

    def lift(self) -> None:
        """Answer what rings."""
        if self.leg is not None and not self.up:
            self.up = True
            self.lines.did(LegAnswered(self.leg))

    def hang_up(self, cause: ReleaseCause = ReleaseCause.NORMAL) -> None:
        """Reject, end the talk, or give a call of its own up before it is answered."""
        if self.leg is not None:
            given_up = not self.up and self.leg in self.lines.offers and cause is ReleaseCause.NORMAL
            self.lines.end(self.leg, ReleaseCause.CANCELLED if given_up else cause)

    def hold(self) -> None:
        """Put the far side on hold."""
        if self.leg is not None:
            self.lines.did(LegHeld(self.leg))

    def resume(self) -> None:
        """Take the far side back."""
        if self.leg is not None:
            self.lines.did(LegResumed(self.leg))

    def press(self, key: str) -> None:
        """Press a key that the signalling carries."""
        if self.leg is not None:
            self.lines.did(LegPressed(self.leg, key))


class InProcessLines:
    """All scripted phones of all VDNs."""

    def __init__(self, engine: MediaEngine, tasks: Tasks) -> None:
        self._engine, self._tasks = engine, tasks
        self._listeners: list[Callable[[LineEvent], None]] = []
        self._numbers = itertools.count(1)
        self._work: asyncio.Queue[Coroutine[Any, Any, None]] = asyncio.Queue()
        self._runner: asyncio.Task[None] | None = None
        self.phones: dict[str, ScriptedPhone] = {}
        self.legs: dict[LegId, ScriptedPhone] = {}
        """Legs that are not gone yet."""
        self.offers: set[LegId] = set()
        """Those of them that called in."""
        self.opened: list[LegId] = []
        self.ends: dict[LegId, ReleaseCause] = {}
        """Why the floor gave legs up."""
        self.recovered: dict[LegId, Mapping[str, object]] = {}

    def phone(
        self, number: str, *, ready: bool = False, rejects: ReleaseCause | None = None
    ) -> ScriptedPhone:
        """A phone (or outside number) that can be rung, and that can call in."""
        made = ScriptedPhone(self, number, ready, rejects)
        self.phones[number] = made
        return made

    def call_in(self, vdn: VdnId, caller: ScriptedPhone, called: str) -> LegId:
        """A caller dials `called`; the floor accepts or refuses."""
        leg = LegId(f"in-{next(self._numbers)}")
        caller.leg, caller.up = leg, False
        self._enqueue(self._offer(leg, vdn, caller, called))
        return leg

    async def settled(self) -> None:
        """Wait until every leg asked for so far is open or closed, and said."""
        await self._work.join()

    # live.ports.Lines

    def ring(self, leg: LegId, vdn: VdnId, to: Destination, caller: str) -> None:
        self._enqueue(self._ring(leg, vdn, to))

    def announce(self, leg: LegId, *, early_media: bool) -> None:
        pass

    def accept(self, leg: LegId) -> None:
        self._enqueue(self._accept(leg))

    def hang_up(self, leg: LegId, cause: ReleaseCause = ReleaseCause.NORMAL) -> None:
        self.ends[leg] = cause
        self._enqueue(self._hang_up(leg, cause))

    async def ask_to_lift(self, leg: LegId) -> bool:
        phone = self.legs.get(leg)
        if phone is None or phone.up or leg in self.offers or not phone.lifts:
            return False
        phone.lift()
        return True

    def recover(self, dialogs: Mapping[LegId, Mapping[str, object]]) -> None:
        self.recovered.update(dialogs)

    def subscribe(self, listener: Callable[[LineEvent], None]) -> None:
        self._listeners.append(listener)

    # What phones do

    def say(self, event: LineEvent) -> None:
        """Say this next, whatever it is."""
        self._enqueue(self._tell(event))

    def did(self, event: LineEvent) -> None:
        """A phone did something; it is not said of a leg that is over by then."""
        self._enqueue(self._say(event))

    def end(self, leg: LegId, cause: ReleaseCause) -> None:
        """A phone ended its leg."""
        self._enqueue(self._end(leg, cause))

    # Inside

    def _enqueue(self, work: Coroutine[Any, Any, None]) -> None:
        self._work.put_nowait(work)
        if self._runner is None or self._runner.done():
            self._runner = self._tasks.spawn(self._run(), name="scripted phones")

    async def _run(self) -> None:
        while not self._work.empty():
            work = self._work.get_nowait()
            try:
                await work
            finally:
                self._work.task_done()

    async def _tell(self, event: LineEvent) -> None:
        for listener in self._listeners:
            listener(event)

    async def _say(self, event: LineEvent) -> None:
        if event.leg in self.legs:
            await self._tell(event)

    async def _accept(self, leg: LegId) -> None:
        phone = self.legs.get(leg)
        if phone is not None and not phone.up:
            phone.up = True
            await self._tell(LegAnswered(leg))

    async def _open(self, leg: LegId, vdn: VdnId, phone: ScriptedPhone) -> ReleaseCause | None:
        """Open a leg's media, or say why there is none."""
        try:
            address = await self._engine.ask(OpenLeg(leg, str(vdn)))
            remote = RemoteMedia("127.0.0.1", 20000 + 2 * next(self._numbers), Codec.PCMU)
            await self._engine.ask(SetRemote(leg, remote))
        except Refused as refused:
            exhausted = refused.code is Code.MEDIA_EXHAUSTED
            return ReleaseCause.OVERLOAD if exhausted else ReleaseCause.WORKER_LOST
        assert address is not None
        self.legs[leg] = phone
        self.opened.append(leg)
        return None

    async def _offer(self, leg: LegId, vdn: VdnId, caller: ScriptedPhone, called: str) -> None:
        self.offers.add(leg)
        if await self._open(leg, vdn, caller) is None:
            await self._tell(LegOffered(leg, vdn, caller.number, called))
        else:
            self.offers.discard(leg)
            caller.leg = None

    async def _ring(self, leg: LegId, vdn: VdnId, to: Destination) -> None:
        phone = self.phones.get(to.number)
        if phone is None or phone.leg is not None:
            cause = ReleaseCause.UNREACHABLE if phone is None else ReleaseCause.BUSY
            await self._tell(LegGone(leg, cause))
            return
        if (why := await self._open(leg, vdn, phone)) is not None:
            await self._tell(LegGone(leg, why))
            return
        phone.leg, phone.up = leg, False
        if phone.dead:
            return
        await self._tell(LegRinging(leg))
        if phone.rejects is not None:
            await self._end(leg, phone.rejects)
        elif phone.ready:
            phone.up = True
            await self._tell(LegAnswered(leg))

    async def _hang_up(self, leg: LegId, cause: ReleaseCause) -> None:
        phone = self.legs.get(leg)
        rings = phone is not None and not phone.up and leg not in self.offers
        await self._end(leg, ReleaseCause.CANCELLED if rings and cause is ReleaseCause.NORMAL else cause)

    async def _end(self, leg: LegId, cause: ReleaseCause) -> None:
        phone = self.legs.pop(leg, None)
        if phone is None:
            return
        self.offers.discard(leg)
        if phone.leg == leg:
            phone.leg, phone.up = None, False
        await self._engine.ask(CloseLeg(leg))
        await self._tell(LegGone(leg, cause))
