"""The live half's one front: what the wire, the console and the demo may ask.

One per process; it finds the floor by the agent. Every method may raise `Refused`: NOT_SIGNED_IN for an
asking agent who is not signed in, else what the command's own docstring lists.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Iterable

from sottovoce.clock import Clock, moment
from sottovoce.config import AuthMode
from sottovoce.domain import access
from sottovoce.domain.directory import AgentId, AgentProfile, Right, Skill, SkillId, VdnId, VdnProfile
from sottovoce.domain.supervision import Mode
from sottovoce.errors import Code, Refused
from sottovoce.live import bonds, linkage, pictures, playing, requesting
from sottovoce.live.building import Building
from sottovoce.live.consulting import CallInner, Consult
from sottovoce.live.feed import Feed
from sottovoce.live.guids import Guids
from sottovoce.live.handling import CallOut
from sottovoce.live.inputs import COMMANDS, Command
from sottovoce.live.passwords import ChangePassword
from sottovoce.live.ports import Lines, Passwords, Store
from sottovoce.live.presence import PushChanged, RenewGuid, SignInAgent
from sottovoce.live.requesting import SayNumber
from sottovoce.live.sessions import Sessions
from sottovoce.live.state import FloorState, LiveSettings, Seat
from sottovoce.live.supervising import StopSupervision, Supervise
from sottovoce.live.views import (
    AgentStatus,
    AgentView,
    CallView,
    FloorView,
    QueuedEvent,
    QueueView,
    RestView,
    Snapshot,
)
from sottovoce.media.engine import MediaEngine
from sottovoce.tasks import Tasks


class Desk:
    """All floors of this process, its sessions and its event queues."""

    def __init__(
        self,
        *,
        store: Store,
        engine: MediaEngine,
        lines: Lines,
        passwords: Passwords,
        clock: Clock,
        tasks: Tasks,
        settings: LiveSettings,
    ) -> None:
        self._clock, self._lines = clock, lines
        self._numbers = settings.media.agent_numbers
        self.feed = Feed(settings.agents.events_limit)
        """Each agent's events."""
        self._building = Building(
            store=store,
            engine=engine,
            lines=lines,
            clock=clock,
            tasks=tasks,
            feed=self.feed,
            settings=settings,
        )
        guids = Guids(dynamic=settings.agents.auth_mode is AuthMode.DYNAMIC)
        self.sessions = Sessions(
            self._building,
            guids,
            passwords=passwords,
            clock=clock,
            settings=settings.agents,
        )
        """Sign-in and Guids."""
        self._starting: dict[AgentId, AgentId] = {}
        """Inspectors whose supervision is being begun, and of whom."""
        self._turn = itertools.count(1)
        self._last_turn: dict[AgentId, int] = {}
        """The latest supervision command of an inspector that took effect."""

    # Begin and end

    async def open(self, vdns: Iterable[VdnId]) -> None:
        """Open these VDNs' floors, with what a crash left. Engine and lines must run already."""
        for left in await self._building.start(vdns):
            for session in left.sessions:
                self.sessions.restore(session.agent, session.guid)
            for one in left.sources:
                self.sessions.know(one.agent, one.source, one.phone)

    async def close(self) -> None:
        """End all calls, close their recordings, end. Sign-ins stay for the next start.

        Close the desk before the door and the engine."""
        await self._building.stop()

    async def reload(self, vdn: VdnId) -> None:
        """Read a VDN's configuration anew. Rights that were withdrawn end supervisions, agents who are gone
        are signed out, the others stay signed in. Raises as the store does."""
        for agent in await self._building.reload(vdn):
            self.sessions.forget(agent)
            self._last_turn.pop(agent, None)

    def keeping(self, vdn: VdnId, keeps: bool) -> None:
        """The store can keep what begins in a VDN no longer, or again: new calls are refused, or taken."""
        self._building.keeping(vdn, keeps)

    async def settled(self) -> None:
        """Wait until everything that the floors wanted so far is done (tests, bench)."""
        for driver in self._building.floors.values():
            await driver.closed()

    async def run_due(self) -> None:
        """Run the timers that are due by the clock, and wait for what follows (tests on a manual clock)."""
        for driver in self._building.floors.values():
            await driver.settled()
            driver.run_due()
            await driver.settled()

    # Asking

    async def ask(self, asked: Command) -> None:
        """Have a command done; back when its effects are performed. Refused as its class says.

        A later supervision command of an inspector overtakes an earlier one that waits for the store: that
        is refused with WRONG_SUPERVISION_STATE. Not for what has a method of its own, here or in `sessions`.
        """
        own = Supervise | StopSupervision | CallOut | CallInner | Consult
        of_sessions = SignInAgent | ChangePassword | RenewGuid
        assert not isinstance(asked, own | of_sessions), f"{type(asked).__name__} has a method of its own"
        await self._ask(asked)

    async def _ask(self, asked: Command, then: Callable[[], None] = lambda: None) -> None:
        driver = self._building.of(asked.by)
        driver.floor.state.seat(asked.by)
        if not COMMANDS[type(asked)].in_turn:
            await driver.ask(asked, then=then)
            return
        turn = next(self._turn)
        await driver.ask(
            asked,
            still=lambda: self._last_turn.get(asked.by, 0) < turn,
            then=lambda: self._last_turn.__setitem__(asked.by, turn),
        )

    async def supervise(self, inspector: AgentId, target: AgentId, mode: Mode) -> None:
        """Begin, one at a time; refused as `supervising.Supervise`."""
        if inspector in self._starting:
            raise Refused(Code.WRONG_SUPERVISION_STATE, "one supervision at a time")
        self._starting[inspector] = target
        try:
            await self._ask(Supervise(inspector, target, mode))
        finally:
            del self._starting[inspector]

    async def stop(self, inspector: AgentId, target: AgentId | None, *, whisper: bool = False) -> None:
        """End the supervision, also one whose start still waits for the store: that start is refused then.
        Refused as `supervising.StopSupervision`."""
        starting = self._starting.get(inspector)
        if starting is not None and self._seat(inspector).inspecting is None:
            if target not in (None, starting):
                raise Refused(Code.NOT_SUPERVISED, f"agent {target} is not supervised")
            self._last_turn[inspector] = next(self._turn)
            return
        await self._ask(StopSupervision(inspector, target, whisper))

    async def call_out(self, asked: CallOut | CallInner | Consult) -> str:
        """Place a call; its id, or that of the call which another is asked into. Refused as the command."""
        seat = self._seat(asked.by)
        before = [] if isinstance(asked, Consult) and asked.joins else seat.calls
        made: list[str] = []
        await self._ask(asked, lambda: made.extend(one.call for one in seat.calls if one not in before))
        if not made:
            raise Refused(Code.UNAVAILABLE, "the call failed at once")
        return made[0]

    async def lift_phone(self, agent: AgentId) -> None:
        """Have the agent's phone lifted, which rings. NOTHING_TO_ANSWER; NOT_SERVED by a phone that cannot
        be had to, and rings on."""
        if not await self._lines.ask_to_lift(linkage.ringing(self._seat(agent))):
            raise Refused(Code.NOT_SERVED, "the phone does not lift by itself")

    async def say_number(self, agent: AgentId) -> None:
        """Say the agent's number to the customer. NOT_SERVED where there is no sound for it; else as
        `requesting.SayNumber`."""
        sound = await asyncio.to_thread(requesting.sound_of, self._numbers, agent)
        if sound is None:
            raise Refused(Code.NOT_SERVED, f"no sound says the number of agent {agent}")
        await self.ask(SayNumber(agent, sound))

    # Events

    async def next_event(self, agent: AgentId, wait_s: float) -> QueuedEvent | None:
        """The event at the head of the queue, waiting for one up to `wait_s`; it is not removed.

        A second poll of the same agent ends this one at once with None. Cancelling takes nothing.
        `feed` is to be told whether it was delivered.
        """
        driver = self._building.of(agent)
        driver.alive(agent, session=True)
        try:
            return await self.feed.next(agent, wait_s)
        finally:
            driver.alive(agent, session=True)

    def pushed_to(self, agent: AgentId) -> str:
        """Where events are pushed to, sealed; empty: the client polls."""
        return self._seat(agent).push

    def push_changed(self, agent: AgentId, *, arrives: bool) -> None:
        """Events could not be pushed for too long: the agent is signed out, no customer is cut off by it; or
        they arrive again."""
        self._building.of(agent).tell(PushChanged(agent, arrives))

    async def snapshot(self, agent: AgentId) -> Snapshot:
        """The picture of now; empties the event queue (syncagentinfo)."""
        driver = self._building.of(agent)
        await driver.settled()
        floor = driver.floor.state
        seat = floor.seat(agent)
        floor.moment = moment(self._clock)
        return pictures.snapshot(floor, seat, self.feed.empty(agent))

    # Looking

    def status(self, agent: AgentId) -> AgentStatus:
        """The agent's state in short."""
        return pictures.status(self._seat(agent))

    def configured_skills(self, caller: AgentId, target: AgentId) -> tuple[Skill, ...]:
        """The queues that an agent of the caller's VDN may sign in to. TARGET_UNKNOWN."""
        floor, profile = self._known(caller, target)
        return pictures.skills(floor, profile.skills)

    def call_info(self, agent: AgentId, *, include_last: bool = True) -> CallView | None:
        """The agent's call, or (with `include_last`) the last one."""
        floor = self._floor(agent)
        seat = floor.seat(agent)
        shown = seat.call or (seat.last_call if include_last else None)
        return pictures.call(floor, shown, seat) if shown is not None else None

    def call_ids(self, agent: AgentId) -> tuple[str, ...]:
        """The ids of the agent's calls."""
        return pictures.call_ids(self._seat(agent))

    def calls(self, caller: AgentId, target: AgentId | None = None) -> tuple[CallView, ...]:
        """The caller's calls, the one that the caller acts in first; for inspectors also another agent's.

        NO_RIGHT, TARGET_UNKNOWN, TARGET_NOT_SIGNED_IN.
        """
        floor = self._floor(caller)
        seat = floor.seat(caller)
        if target not in (None, caller):
            _, seat = bonds.may_inspect(floor, caller, target)
        return pictures.calls(floor, seat)

    def call(self, caller: AgentId, call: str) -> CallView:
        """One of the caller's calls, the last one included; for inspectors any of the VDN. NOT_FOUND."""
        floor = self._floor(caller)
        seat = floor.seat(caller)
        own = [*seat.calls, *([seat.last_call] if seat.last_call is not None else [])]
        among = [*floor.calls.values(), *own] if access.is_inspector(seat.profile) else own
        found = next((one for one in among if one.call == call), None)
        if found is None:
            raise Refused(Code.NOT_FOUND, f"no call {call} of agent {caller}")
        return pictures.call(floor, found, seat if found in own else found.seat)

    def all_calls(self, caller: AgentId) -> tuple[CallView, ...]:
        """All calls of an inspector's VDN, the oldest first. NO_RIGHT."""
        floor = self._floor(caller)
        access.require(floor.seat(caller).profile, Right.INSPECT)
        return tuple(pictures.call(floor, call, call.seat) for call in floor.calls.values())

    def waiting_calls(self, caller: AgentId, skill: SkillId) -> tuple[CallView, ...]:
        """The calls that wait in a queue of the caller's VDN, the oldest first. NOT_FOUND."""
        floor = self._floor(caller)
        if skill not in floor.profile.skills:
            raise Refused(Code.NOT_FOUND, f"no skill queue {skill} in this VDN")
        waiting = floor.queues.waiting(skill)
        return tuple(pictures.call(floor, floor.calls[one.call], None) for one in waiting)

    def queues(self, caller: AgentId) -> tuple[QueueView, ...]:
        """How the queues of the caller's VDN stand, by number."""
        return pictures.queues(self._floor(caller))

    def profile(self, caller: AgentId) -> VdnProfile:
        """What is configured of the caller's VDN."""
        return self._floor(caller).profile

    def may_play(self, agent: AgentId) -> None:
        """Raise WRONG_CALL_STATE unless the agent may hear a recording now."""
        playing.may_play(self._seat(agent))

    def rights(self, caller: AgentId) -> frozenset[Right]:
        """What the caller may do besides talking."""
        return self._seat(caller).profile.rights

    def agent(self, caller: AgentId, target: AgentId) -> AgentView:
        """One agent of the caller's VDN. TARGET_UNKNOWN."""
        return pictures.agent(*self._known(caller, target))

    def online_agents(self, caller: AgentId) -> tuple[AgentView, ...]:
        """The signed-in agents of the caller's VDN, by work number."""
        floor = self._floor(caller)
        return tuple(pictures.agent(floor, seat.profile) for _, seat in sorted(floor.seats.items()))

    def all_agents(self, caller: AgentId) -> tuple[AgentView, ...]:
        """All agents of the caller's VDN, by work number."""
        floor = self._floor(caller)
        return tuple(pictures.agent(floor, one) for _, one in sorted(floor.profile.agents.items()))

    def watched(self, caller: AgentId) -> tuple[AgentView, ...]:
        """The agents whose states an inspector is told, by work number. NO_RIGHT."""
        floor = self._floor(caller)
        seat = floor.seat(caller)
        access.require(seat.profile, Right.INSPECT)
        known = floor.profile.agents
        return tuple(pictures.agent(floor, known[agent]) for agent in sorted(seat.watches) if agent in known)

    def resting(self, caller: AgentId) -> tuple[RestView, ...]:
        """The agents of the caller's VDN who rest, by work number."""
        return pictures.resting(self._floor(caller))

    def floor_view(self, vdn: VdnId) -> FloorView:
        """The whole floor now. NOT_FOUND for an unknown VDN."""
        driver = self._building.floors.get(vdn)
        if driver is None:
            raise Refused(Code.NOT_FOUND, f"no VDN {vdn} here")
        driver.floor.state.moment = moment(self._clock)
        return pictures.view(driver.floor.state)

    def floor_views(self) -> tuple[FloorView, ...]:
        """All floors of this process, by VDN."""
        return tuple(self.floor_view(vdn) for vdn in sorted(self._building.floors))

    def _floor(self, agent: AgentId) -> FloorState:
        floor = self._building.of(agent).floor.state
        floor.seat(agent)
        return floor

    def _known(self, caller: AgentId, target: AgentId) -> tuple[FloorState, AgentProfile]:
        floor = self._floor(caller)
        profile = floor.profile.agents.get(target)
        if profile is None:
            raise Refused(Code.TARGET_UNKNOWN, f"no agent {target} in this VDN")
        return floor, profile

    def _seat(self, agent: AgentId) -> Seat:
        return self._building.of(agent).floor.state.seat(agent)
