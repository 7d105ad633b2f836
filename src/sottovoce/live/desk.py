"""The use cases of the live half: what the wire, the console and the demo may ask.

One per process; it finds the floor by the agent. Every method may raise `Refused`; those that name an
agent who is not signed in raise NOT_SIGNED_IN (TARGET_NOT_SIGNED_IN when another agent is meant).
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sottovoce.clock import Clock
from sottovoce.domain import access
from sottovoce.domain.agents import Trigger
from sottovoce.domain.directory import AgentId, Skill, SkillId, VdnId
from sottovoce.domain.supervision import Mode
from sottovoce.errors import Code, Refused
from sottovoce.live import pictures, presence
from sottovoce.live.building import Building
from sottovoce.live.commands import (
    Answer,
    CallOut,
    ChangeMode,
    ChangeState,
    ChooseSkills,
    Command,
    DialOn,
    DropCall,
    Hold,
    Intercept,
    Mute,
    Release,
    RenewGuid,
    SetHabit,
    SignInAgent,
    SignOutAgent,
    StopSupervision,
    Supervise,
    TakeBack,
)
from sottovoce.live.feed import Feed
from sottovoce.live.ports import Lines, Passwords, Store
from sottovoce.live.sessions import Sessions, new_guid
from sottovoce.live.state import FloorSettings, FloorState, Seat
from sottovoce.live.views import (
    AgentStatus,
    AgentView,
    CallView,
    FloorView,
    QueuedEvent,
    SignedIn,
    SignIn,
    Snapshot,
)
from sottovoce.media.engine import MediaEngine
from sottovoce.tasks import Tasks

OWN_REASONS = range(200, 251)
"""An agent's own reasons to be busy (CC-Gateway page 1211)."""


@dataclass(frozen=True, slots=True)
class DeskSettings:
    """What is set for sessions and sign-in. Times in seconds."""

    dynamic_guid: bool = False
    """AUTHMODE 2: polls and handshakes carry new Guids."""
    guid_renew_s: float = 300.0
    guid_grace_s: float = 60.0
    lock_after: int = 10
    """Wrong passwords in a row that lock an agent's sign-in for `lock_s`; 0 never locks."""
    lock_s: float = 300.0
    queue_capacity: int = 1000
    """Events that wait for one agent."""


class Desk:
    """The live half's front."""

    def __init__(
        self,
        *,
        store: Store,
        engine: MediaEngine,
        lines: Lines,
        passwords: Passwords,
        clock: Clock,
        tasks: Tasks,
        floor: FloorSettings | None = None,
        settings: DeskSettings | None = None,
    ) -> None:
        self._settings = settings or DeskSettings()
        self._passwords, self._clock = passwords, clock
        self._feed = Feed(self._settings.queue_capacity)
        self._sessions = Sessions(
            dynamic=self._settings.dynamic_guid,
            renew_s=self._settings.guid_renew_s,
            grace_s=self._settings.guid_grace_s,
        )
        self._building = Building(
            store=store,
            engine=engine,
            lines=lines,
            clock=clock,
            tasks=tasks,
            feed=self._feed,
            settings=floor or FloorSettings(),
        )
        self._signing: set[AgentId] = set()
        self._failures: dict[AgentId, tuple[int, float]] = {}
        self._starting: dict[AgentId, tuple[AgentId, Mode]] = {}
        self._turn = itertools.count(1)
        self._last_turn: dict[AgentId, int] = {}
        """The latest supervision command of an inspector that took effect."""

    async def open(self, vdns: Iterable[VdnId]) -> None:
        """Open these VDNs' floors, with what a crash left. Engine and lines must run already."""
        for session in await self._building.start(vdns):
            self._sessions.open(session.agent, session.guid, self._clock.monotonic())

    async def close(self) -> None:
        """End all calls, close their recordings, end. Sign-ins stay for the next start.

        Close the desk before the door and the engine."""
        await self._building.stop()

    async def reload(self, vdn: VdnId) -> None:
        """Read a VDN's configuration anew."""
        await self._building.reload(vdn)

    async def settled(self) -> None:
        """Wait until everything that the floors wanted so far is done (tests, bench)."""
        for driver in self._building.floors.values():
            await driver.settled()

    async def run_due(self) -> None:
        """Run the timers that are due by the clock, and wait for what follows (tests on a manual clock)."""
        for driver in self._building.floors.values():
            await driver.settled()
            driver.run_due()
            await driver.settled()

    # Sign-in and session

    async def sign_in(self, agent: AgentId, wish: SignIn, *, force: bool = False) -> SignedIn:
        """Sign in. WRONG_CREDENTIALS, ALREADY_SIGNED_IN, SIGN_IN_RUNNING, ACCOUNT_LOCKED, BAD_PHONE,
        PHONE_NOT_ALLOWED, BAD_SIGN_IN, UNAVAILABLE. `force` takes over a running session."""
        if agent in self._signing:
            raise Refused(Code.SIGN_IN_RUNNING, "an earlier sign-in is not answered yet")
        self._signing.add(agent)
        try:
            await self._check_password(agent, wish.password)
            driver, guid = self._building.of(agent), new_guid()
            await driver.ask(
                SignInAgent(agent, wish, guid, force),
                then=lambda: self._sessions.open(agent, guid, self._clock.monotonic()),
            )
        finally:
            self._signing.discard(agent)
        seat = driver.floor.state.seat(agent)
        return SignedIn(agent, driver.vdn, guid, seat.signed_in_at, seat.profile.name)

    def authenticate(self, agent: AgentId, guid: str) -> None:
        """Raise NOT_SIGNED_IN unless `guid` is the agent's. Counts as a sign of life for his supervision."""
        driver = self._building.of(agent)
        driver.floor.state.seat(agent)
        if self._sessions.check(agent, guid, self._clock.monotonic()):
            driver.tell(RenewGuid(agent, guid))
        driver.alive(agent, session=False)

    async def sign_out(self, agent: AgentId, *, force: bool = False, reason: str = "signed out") -> None:
        """Sign out. AGENT_BUSY_IN_CALL while in a call, unless `force`, which releases the call."""
        await self._ask(agent, SignOutAgent(agent, force, reason))

    async def reset_skills(self, agent: AgentId, *, every: bool, skills: Sequence[SkillId] = ()) -> None:
        """Sign in to all configured queues, or to the configured ones among `skills`."""
        await self._ask(agent, ChooseSkills(agent, tuple(skills), every))

    async def set_auto_idle(self, agent: AgentId, on: bool) -> None:
        """Idle after a call, or wrap-up."""
        await self._ask(agent, SetHabit(agent, auto_idle=on))

    async def set_auto_answer(self, agent: AgentId, on: bool) -> None:
        """Talk as soon as the phone is lifted, or wait for `answer`."""
        await self._ask(agent, SetHabit(agent, auto_answer=on))

    def heartbeat(self, agent: AgentId) -> str | None:
        """A sign of life; a new Guid to hand out when authentication is dynamic and one is due."""
        self._building.of(agent).alive(agent, session=True)
        return self.fresh_guid(agent)

    def fresh_guid(self, agent: AgentId) -> str | None:
        """What a poll's answer carries as its new Guid, if any (dynamic authentication only)."""
        return self._sessions.due(agent, self._clock.monotonic())

    async def renew_guid(self, agent: AgentId) -> str:
        """A new Guid at once; the old one stays valid until the new is first used, and 60 s more."""
        self._seat(agent)
        return self._sessions.renew(agent, self._clock.monotonic())

    # Events

    async def next_event(self, agent: AgentId, wait_s: float) -> QueuedEvent | None:
        """The event at the head of the queue, waiting for one up to `wait_s`; it is not removed.

        A second poll of the same agent ends this one at once with None. Cancelling takes nothing.
        """
        driver = self._building.of(agent)
        driver.alive(agent, session=True)
        try:
            return await self._feed.next(agent, wait_s)
        finally:
            driver.alive(agent, session=True)

    def event_delivered(self, agent: AgentId, event_id: int) -> None:
        """The answer with that event is written: it leaves the queue."""
        self._feed.delivered(agent, event_id)

    def event_returned(self, agent: AgentId, event_id: int) -> None:
        """The answer could not be written: the event stays at the head for the next poll."""
        self._feed.returned(agent, event_id)

    async def snapshot(self, agent: AgentId) -> Snapshot:
        """The picture of now; empties the event queue (syncagentinfo)."""
        driver = self._building.of(agent)
        await driver.settled()
        floor = driver.floor.state
        seat = floor.seat(agent)
        floor.now = self._clock.now()
        return pictures.snapshot(floor, seat, self._feed.empty(agent))

    # Agent states

    async def set_busy(self, agent: AgentId, reason: int = 0, *, prolong: bool = False) -> None:
        """Busy now, or after the call. WRONG_AGENT_STATE when busy already without `prolong`."""
        if reason not in (0, *OWN_REASONS):
            raise Refused(Code.BAD_PARAMETER, "a busy reason is 0 or 200-250")
        await self._ask(agent, ChangeState(agent, Trigger.SAY_BUSY, reason, prolong=prolong))

    async def cancel_busy(self, agent: AgentId) -> None:
        """From busy to idle. WRONG_AGENT_STATE."""
        await self._ask(agent, ChangeState(agent, Trigger.CANCEL_BUSY))

    async def set_idle(self, agent: AgentId) -> None:
        """Idle from busy, rest or wrap-up; during a call, forget what was pending."""
        await self._ask(agent, ChangeState(agent, Trigger.SAY_IDLE))

    async def start_rest(
        self, agent: AgentId, seconds: int, cause: int = 0, *, prolong: bool = False
    ) -> None:
        """Rest now, or after the call. WRONG_AGENT_STATE when resting already without `prolong`."""
        _check_rest(seconds, cause)
        await self._ask(agent, ChangeState(agent, Trigger.REST, cause, seconds, prolong))

    async def cancel_rest(self, agent: AgentId) -> None:
        """From rest to idle. WRONG_AGENT_STATE."""
        await self._ask(agent, ChangeState(agent, Trigger.CANCEL_REST))

    async def start_work(self, agent: AgentId) -> None:
        """Wrap-up now, or after the call."""
        await self._ask(agent, ChangeState(agent, Trigger.WORK))

    async def cancel_work(self, agent: AgentId) -> None:
        """From wrap-up to idle. WRONG_AGENT_STATE."""
        await self._ask(agent, ChangeState(agent, Trigger.CANCEL_WORK))

    def status(self, agent: AgentId) -> AgentStatus:
        """The agent's state in short."""
        return pictures.status(self._seat(agent))

    def skills(self, agent: AgentId) -> tuple[Skill, ...]:
        """The queues that the agent is signed in to."""
        floor = self._floor(agent)
        return pictures.skills(floor, floor.seat(agent).skills)

    # Calls

    async def call_out(
        self, agent: AgentId, called: str, caller: str = "", skill: SkillId | None = None
    ) -> str:
        """Place a call; its id. BAD_NUMBER, NUMBER_NOT_ALLOWED, NO_RIGHT, WRONG_AGENT_STATE."""
        await self._ask(agent, CallOut(agent, called, caller, skill))
        call = self._seat(agent).call
        if call is None:
            raise Refused(Code.UNAVAILABLE, "the call failed at once")
        return call.call

    async def answer(self, agent: AgentId, call: str | None = None) -> None:
        """Take the ringing call. NOTHING_TO_ANSWER (also before the phone is lifted)."""
        await self._ask(agent, Answer(agent, call))

    async def hold(self, agent: AgentId) -> None:
        """The customer hears music and nobody else. NO_CALL, WRONG_CALL_STATE."""
        await self._ask(agent, Hold(agent))

    async def take_back(self, agent: AgentId, call: str | None = None) -> None:
        """End the hold. NO_HELD_CALL."""
        await self._ask(agent, TakeBack(agent, call))

    async def release(self, agent: AgentId) -> None:
        """End the call. NO_CALL."""
        await self._ask(agent, Release(agent))

    async def mute(self, agent: AgentId) -> None:
        """The agent is heard by nobody. NO_CALL, WRONG_CALL_STATE when muted already."""
        await self._ask(agent, Mute(agent, True))

    async def unmute(self, agent: AgentId) -> None:
        """Heard again. NO_CALL, WRONG_CALL_STATE when not muted."""
        await self._ask(agent, Mute(agent, False))

    async def send_digits(self, agent: AgentId, digits: str) -> None:
        """RFC 4733 digits to the customer: 1-24 of 0-9 * #. BAD_PARAMETER, NO_CALL."""
        await self._ask(agent, DialOn(agent, digits))

    # Supervision

    async def supervise(self, inspector: AgentId, target: AgentId, mode: Mode) -> None:
        """Begin. NO_RIGHT, TARGET_IS_SELF, TARGET_UNKNOWN, TARGET_NOT_SIGNED_IN, WRONG_AGENT_STATE
        (the inspector is not idle), WRONG_SUPERVISION_STATE (supervises already), UNAVAILABLE."""
        if inspector in self._starting:
            raise Refused(Code.WRONG_SUPERVISION_STATE, "one supervision at a time")
        self._starting[inspector] = (target, mode)
        try:
            await self._ask_in_turn(inspector, Supervise(inspector, target, mode))
        finally:
            del self._starting[inspector]

    async def toggle(self, inspector: AgentId, target: AgentId) -> None:
        """Listen to insert and back. NOT_SUPERVISED, WRONG_SUPERVISION_STATE, NO_RIGHT, UNAVAILABLE."""
        await self._ask_in_turn(inspector, ChangeMode(inspector, target, None))

    async def change_mode(self, inspector: AgentId, target: AgentId | None, mode: Mode) -> None:
        """Change to `mode`; None is the agent supervised now. NOT_SUPERVISED, NO_RIGHT, UNAVAILABLE."""
        await self._ask_in_turn(inspector, ChangeMode(inspector, target, mode))

    async def stop(self, inspector: AgentId, target: AgentId | None, *, whisper: bool = False) -> None:
        """End the supervision; with `whisper` only one that whispers. NOT_SUPERVISED,
        WRONG_SUPERVISION_STATE, NO_RIGHT. Never waits for the store."""
        starting = self._starting.get(inspector)
        floor = self._floor(inspector)
        if starting is not None and floor.seat(inspector).inspecting is None:
            presence.require_inspector(floor, inspector)
            if target not in (None, starting[0]):
                raise Refused(Code.NOT_SUPERVISED, f"agent {target} is not supervised")
            self._last_turn[inspector] = next(self._turn)
            return
        await self._ask_in_turn(inspector, StopSupervision(inspector, target, whisper))

    async def intercept(self, inspector: AgentId, target: AgentId, call: str | None = None) -> None:
        """Take the call over. NOT_SUPERVISED, WRONG_SUPERVISION_STATE, NO_CALL, NO_RIGHT, UNAVAILABLE."""
        await self._ask_in_turn(inspector, Intercept(inspector, target, call))

    async def force_busy(self, inspector: AgentId, target: AgentId) -> None:
        """Busy now or after the call, reason 3. NO_RIGHT, TARGET_IS_SELF, TARGET_UNKNOWN,
        TARGET_NOT_SIGNED_IN, UNAVAILABLE."""
        await self._ask(inspector, ChangeState(target, Trigger.FORCE_BUSY, by=inspector))

    async def force_idle(self, inspector: AgentId, target: AgentId) -> None:
        """Idle; during a call, what was pending is forgotten. Refusals as `force_busy`."""
        await self._ask(inspector, ChangeState(target, Trigger.FORCE_IDLE, by=inspector))

    async def force_rest(self, inspector: AgentId, target: AgentId, seconds: int, cause: int) -> None:
        """Rest now or after the call. Refusals as `force_busy`."""
        _check_rest(seconds, cause)
        await self._ask(inspector, ChangeState(target, Trigger.FORCE_REST, cause, seconds, by=inspector))

    async def force_sign_out(self, inspector: AgentId, target: AgentId) -> None:
        """Sign the target out, whatever he does; his call is released. Refusals as `force_busy`."""
        reason = f"forced by {inspector}"
        await self._ask(inspector, SignOutAgent(target, True, reason, by=inspector, told=True))

    async def drop_call(self, inspector: AgentId, call: str) -> None:
        """End a call of the inspector's VDN. NO_RIGHT, NO_CALL, UNAVAILABLE."""
        await self._ask(inspector, DropCall(inspector, call))

    async def adjust_skills(self, inspector: AgentId, target: AgentId, skills: Sequence[SkillId]) -> None:
        """Sign the target in to exactly these queues of the VDN. BAD_PARAMETER for an unknown queue,
        else refusals as `force_busy`."""
        await self._ask(inspector, ChooseSkills(target, tuple(skills), by=inspector))

    # Looking

    def agent(self, caller: AgentId, target: AgentId) -> AgentView:
        """One agent of the caller's VDN. TARGET_UNKNOWN."""
        floor = self._floor(caller)
        profile = floor.profile.agents.get(target)
        if profile is None:
            raise Refused(Code.TARGET_UNKNOWN, f"no agent {target} in this VDN")
        return pictures.agent(floor, profile)

    def online_agents(self, caller: AgentId) -> tuple[AgentView, ...]:
        """The signed-in agents of the caller's VDN, by work number."""
        floor = self._floor(caller)
        seats = sorted(floor.seats.items())
        return tuple(pictures.agent(floor, seat.profile) for _, seat in seats)

    def all_agents(self, caller: AgentId) -> tuple[AgentView, ...]:
        """All agents of the caller's VDN, by work number."""
        floor = self._floor(caller)
        return tuple(pictures.agent(floor, one) for _, one in sorted(floor.profile.agents.items()))

    def is_inspector(self, caller: AgentId) -> bool:
        """Whether the caller has the inspection right."""
        return access.is_inspector(self._seat(caller).profile)

    def call_info(self, agent: AgentId, *, include_last: bool = True) -> CallView | None:
        """The agent's call, or (with `include_last`) the last one."""
        floor = self._floor(agent)
        seat = floor.seat(agent)
        shown = seat.call or (seat.last_call if include_last else None)
        return pictures.call(floor, shown) if shown is not None else None

    def call_ids(self, agent: AgentId) -> tuple[str, ...]:
        """The ids of the agent's calls."""
        return pictures.call_ids(self._seat(agent))

    def floor_view(self, vdn: VdnId) -> FloorView:
        """The whole floor now. NOT_FOUND for an unknown VDN."""
        driver = self._building.floors.get(vdn)
        if driver is None:
            raise Refused(Code.NOT_FOUND, f"no VDN {vdn} here")
        driver.floor.state.now = self._clock.now()
        return pictures.view(driver.floor.state)

    # Inside

    def _floor(self, agent: AgentId) -> FloorState:
        floor = self._building.of(agent).floor.state
        floor.seat(agent)
        return floor

    def _seat(self, agent: AgentId) -> Seat:
        return self._building.of(agent).floor.state.seat(agent)

    async def _ask(self, agent: AgentId, command: Command) -> None:
        driver = self._building.of(agent)
        driver.floor.state.seat(agent)
        await driver.ask(command)

    async def _ask_in_turn(self, inspector: AgentId, command: Command) -> None:
        """Ask, unless a later supervision command of this inspector takes effect before."""
        driver = self._building.of(inspector)
        driver.floor.state.seat(inspector)
        turn = next(self._turn)
        await driver.ask(
            command,
            still=lambda: self._last_turn.get(inspector, 0) < turn,
            then=lambda: self._last_turn.__setitem__(inspector, turn),
        )

    async def _check_password(self, agent: AgentId, password: str) -> None:
        failures, until = self._failures.get(agent, (0, 0.0))
        now = self._clock.monotonic()
        if self._settings.lock_after and failures >= self._settings.lock_after and now < until:
            raise Refused(Code.ACCOUNT_LOCKED, "too many wrong passwords")
        stored = None
        if self._building.knows(agent):
            profile = self._building.of(agent).floor.state.profile.agents.get(agent)
            stored = profile.password_hash if profile is not None else None
        if await self._passwords.verify(stored, password):
            self._failures.pop(agent, None)
            return
        if stored is not None:
            count = failures + 1 if now < until or not failures else 1
            self._failures[agent] = (count, now + self._settings.lock_s)
        raise Refused(Code.WRONG_CREDENTIALS, "wrong agent or password")


def _check_rest(seconds: int, cause: int) -> None:
    if not 1 <= seconds <= 86399 or not 0 <= cause <= 255:
        raise Refused(Code.BAD_PARAMETER, "a rest lasts 1-86399 s, its cause is 0-255")
