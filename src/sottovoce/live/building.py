"""The floors of this process: which one an agent or a leg belongs to, and what happens at start and end."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import replace

import structlog

from sottovoce.clock import Clock, moment
from sottovoce.domain.directory import AgentId, VdnId
from sottovoce.domain.journal import ContactEnded, DialogEnded, Restored
from sottovoce.domain.legs import LegId
from sottovoce.domain.lines import LegGone, LegOffered, LineEvent, PhoneSeen
from sottovoce.errors import Code, Refused
from sottovoce.live.driver import Driver
from sottovoce.live.feed import Feed
from sottovoce.live.floor import Floor
from sottovoce.live.ports import Lines, Store
from sottovoce.live.presence import KeepingChanged, ProfileRead
from sottovoce.live.state import LiveSettings
from sottovoce.media.engine import (
    DigitPressed,
    EchoHeard,
    EngineEvent,
    LegProven,
    LegsLost,
    LegTimedOut,
    MediaEngine,
    RecordingStopped,
    SoundEnded,
)
from sottovoce.tasks import Tasks

log = structlog.get_logger(__name__)


class Building:
    """All floors, and the one ear for lines and media that sends each event to its floor."""

    def __init__(
        self,
        *,
        store: Store,
        engine: MediaEngine,
        lines: Lines,
        clock: Clock,
        tasks: Tasks,
        feed: Feed,
        settings: LiveSettings,
    ) -> None:
        self._store, self._engine, self._lines = store, engine, lines
        self._clock, self._tasks, self._feed, self._settings = clock, tasks, feed, settings
        self._numbers = itertools.count(1)
        self._legs: dict[LegId, Driver] = {}
        self._agents: dict[AgentId, Driver] = {}
        self._listening = False
        self.floors: dict[VdnId, Driver] = {}

    async def start(self, vdns: Iterable[VdnId]) -> list[Restored]:
        """Open floors, say BYE to what a crash left, seat whom it left: what comes back of each VDN."""
        if not self._listening:
            self._listening = True
            self._lines.subscribe(self._line)
            self._engine.subscribe(self._media)
        return [await self._open(vdn) for vdn in vdns]

    async def _open(self, vdn: VdnId) -> Restored:
        profile, left = await self._store.profile(vdn), await self._store.restore(vdn)
        floor = Floor(profile, self._settings, self._numbers)
        driver = Driver(
            floor,
            engine=self._engine,
            lines=self._lines,
            store=self._store,
            feed=self._feed,
            clock=self._clock,
            tasks=self._tasks,
            rings=lambda leg: self._legs.__setitem__(leg, driver),
        )
        self.floors[vdn] = driver
        for agent in profile.agents:
            self._agents[agent] = driver
        driver.start()
        now = moment(self._clock)
        if left.dialogs:
            self._lines.recover(left.dialogs)
            self._store.append(vdn, [DialogEnded(leg, vdn) for leg in left.dialogs])
        if left.open_contacts:
            ends = [ContactEnded(call, vdn, now.at, "interrupted") for call in left.open_contacts]
            self._store.append(vdn, ends)
        await driver.perform(floor.restore(left.sessions, now, left.waits))
        log.info(
            "floor opened", vdn=vdn, signed_in=sorted(floor.state.seats), cut_off=list(left.open_contacts)
        )
        seated = [session for session in left.sessions if session.agent in floor.state.seats]
        return replace(left, sessions=seated)

    async def stop(self) -> None:
        """End all calls and all floors' work. The door must still run, so that it can hang up."""
        for driver in self.floors.values():
            await driver.stop()

    def keeping(self, vdn: VdnId, keeps: bool) -> None:
        """What begins in a VDN can be kept no longer, or again."""
        driver = self.floors.get(vdn)
        if driver is not None:
            driver.tell(KeepingChanged(keeps))

    async def reload(self, vdn: VdnId) -> list[AgentId]:
        """Read the VDN's configuration anew: agents who are gone from it are signed out, supervisions that
        it no longer permits end. Returns the agents who are gone."""
        driver = self.floors[vdn]
        profile = await self._store.profile(vdn)
        gone = [a for a, d in self._agents.items() if d is driver and a not in profile.agents]
        for agent in gone:
            del self._agents[agent]
        for agent in profile.agents:
            self._agents[agent] = driver
        driver.tell(ProfileRead(profile))
        await driver.settled()
        return gone

    def of(self, agent: AgentId) -> Driver:
        """The floor of an agent; raises NOT_SIGNED_IN for one that no floor here knows."""
        driver = self._agents.get(agent)
        if driver is None:
            raise Refused(Code.NOT_SIGNED_IN, f"agent {agent} is not signed in")
        return driver

    def knows(self, agent: AgentId) -> bool:
        """Whether the agent is configured on a floor here."""
        return agent in self._agents

    def _line(self, event: LineEvent) -> None:
        if isinstance(event, PhoneSeen):
            if (seen_by := self.floors.get(event.vdn)) is not None:
                seen_by.tell(event)
            return
        if isinstance(event, LegOffered):
            driver = self.floors.get(event.vdn)
            if driver is None:
                log.warning("call for a VDN that is not here", vdn=event.vdn, leg=event.leg)
                self._lines.hang_up(event.leg)
                return
            self._legs[event.leg] = driver
        found = self._legs.get(event.leg)
        if found is None:
            log.info("word of an unknown leg", leg=event.leg, kind=type(event).__name__)
            return
        if isinstance(event, LegGone):
            del self._legs[event.leg]
        found.tell(event)

    def _media(self, event: EngineEvent) -> None:
        match event:
            case LegTimedOut(leg) | DigitPressed(leg, _) | LegProven(leg) | SoundEnded(leg, _):
                self._tell_owner(leg, event)
            case EchoHeard(agent, _):
                self._tell_owner(agent, event)
            case LegsLost(legs):
                for driver in self.floors.values():
                    own = frozenset(leg for leg in legs if self._legs.get(leg) is driver)
                    if own:
                        driver.tell(LegsLost(own))
            case RecordingStopped():
                for driver in self.floors.values():
                    driver.tell(event)

    def _tell_owner(self, leg: LegId, event: EngineEvent) -> None:
        driver = self._legs.get(leg)
        if driver is not None:
            driver.tell(event)
