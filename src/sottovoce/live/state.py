"""The live state of one VDN: seats, calls, supervisions; and the effects that a transition leaves.

Only the floor's modules change it. A *seat* is an agent who is signed in.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sottovoce.clock import Moment
from sottovoce.config import AgentSettings, MediaSettings, RecordingSettings
from sottovoce.domain.agents import AgentState, Standing
from sottovoce.domain.calls import CallDirection, CallState, InnerKind
from sottovoce.domain.contacts import RecordingPause, SupervisionSpan
from sottovoce.domain.directory import AgentId, AgentProfile, SkillId, VdnProfile, WayOut
from sottovoce.domain.events import AgentEvent
from sottovoce.domain.figures import QueueHistory
from sottovoce.domain.journal import AuditEntry, Change
from sottovoce.domain.legs import LegId, RecordingId, RecordingResult, Routing
from sottovoce.domain.supervision import Footing, Mode
from sottovoce.errors import Code, Refused
from sottovoce.limits import Buckets
from sottovoce.live.acd import Free, Place, SkillQueues, Wait
from sottovoce.live.chats import Chat
from sottovoce.live.effects import Append, Effect, Emit

PUSH_LEASE_S = 90.0
"""The least of a supervision's lease where events are pushed: those clients speak every 30 s, or every 60 s
[1204, AgentServerDemo], and hang at no poll."""
TEXTS_AT_ONCE, TEXTS_A_SECOND = 30, 1.0
"""Notes and bulletins of one agent: far fewer than the events that may wait for whoever gets them."""
_NEVER = Moment(datetime.min.replace(tzinfo=UTC), 0.0)


@dataclass(frozen=True, slots=True)
class LiveSettings:
    """The sections of the settings that the live half reads; all VDNs share them."""

    folder: Path
    """Where recordings go."""
    agents: AgentSettings = field(default_factory=AgentSettings)
    recordings: RecordingSettings = field(default_factory=RecordingSettings)
    media: MediaSettings = field(default_factory=MediaSettings)


@dataclass(slots=True, eq=False)
class TalkSegment:
    """One agent's talk in a call, recorded."""

    recording: RecordingId
    path: Path
    call: Call
    agent: AgentId
    customer: LegId
    """The one on the customer's channel."""
    began_at: datetime
    ended_at: datetime | None = None
    inspectors: dict[LegId, AgentId] = field(default_factory=dict)
    supervised: dict[AgentId, tuple[Mode, datetime]] = field(default_factory=dict)
    """The inspectors who take part now: how, and since when."""
    spans: list[SupervisionSpan] = field(default_factory=list)
    """How inspectors took part until they left or changed their mode."""
    parties: dict[LegId, str] = field(default_factory=dict)
    """Others outside who were in the talk, by number, in the order in which they came."""
    failure: str | None = None
    begun: bool = True
    """False when the recording could not begin at all."""
    stopped: RecordingResult | None = None
    """What a recording that ended by itself holds."""
    allowed: frozenset[LegId] | None = None
    """Whose voice goes onto it, as it was last applied."""
    wanted: bool = True
    """False where the agent has not asked for a recording, or for its end."""
    recorded_from: datetime | None = None
    """Since when an agent who asked is recorded; None: from the begin."""
    pauses: list[RecordingPause] = field(default_factory=list)

    @property
    def silent_by(self) -> AgentId | None:
        """Who keeps all voices off the recording now; None: nobody does."""
        return self.call.paused_by or (None if self.wanted else self.agent)

    @property
    def recorded(self) -> bool:
        """Whether it is recorded now, or paused and not stopped."""
        return self.failure is None and self.wanted

    @property
    def tracks(self) -> dict[LegId, str]:
        """Whose track is whose: an inspector's by work number, of who else is outside by their place."""
        named = {leg: f"party {place}" for place, leg in enumerate(self.parties, 1)}
        return named | {leg: str(agent) for leg, agent in self.inspectors.items()}


@dataclass(slots=True, eq=False)
class OutsideParty:
    """A party outside: who called in, or was called."""

    leg: LegId
    number: str
    up: bool = False
    alerted: bool = False
    early: bool = False
    """Sends sound before it answers: the agent hears that instead of our ringing."""


@dataclass(slots=True, eq=False)
class AgentPart:
    """An agent's part in a call."""

    seat: Seat
    alerting: bool = False
    """Rung for the call, or awaited to `answer`: the agent does not talk in it yet."""
    presented: bool = False
    """Whether the agent was told of the call (CallRinging, CallTalking)."""
    held_at: datetime | None = None
    muted: bool = False
    segment: TalkSegment | None = None


@dataclass(slots=True, eq=False)
class Transfer:
    """Somebody is being asked to take a call over, or into it."""

    by: Seat | None
    """Who asked; None: a queue that gives the call away."""
    joins: bool = False
    """Whoever answers comes in addition; otherwise in place of who asked."""
    held: bool = False
    """The customer was held for it, and is taken back if it comes to nothing."""
    queued: bool = False
    """Whoever is free first in a queue is asked."""
    skill: SkillId | None = None
    """The queue that the call had before."""
    consult: bool = False
    """Asked for as a consult."""


@dataclass(slots=True, eq=False)
class Call:
    """A call on the floor, and who takes part in it (`docs/decisions/0037-calls-with-parties.md`)."""

    call: str
    direction: CallDirection | InnerKind
    caller: str
    called: str
    """In a call between agents both are work numbers."""
    skill: SkillId | None
    state: CallState
    began: Moment
    """All times of a call are of the wall clock by which it began, so that its lengths are right."""
    early_media: bool = False
    customers: list[OutsideParty] = field(default_factory=list)
    parts: list[AgentPart] = field(default_factory=list)
    hands_over: bool = False
    """When the agent who talks in it releases it, the customer who is held meanwhile is connected with it."""
    transfer: Transfer | None = None
    """Under way; its agent may have left already."""
    music: set[LegId] = field(default_factory=set)
    """Its legs that music is played to now."""
    routing: Routing | None = None
    """The table applied last for its customers."""
    place: Place | None = None
    """In queues, from the first one on."""
    head_start_s: float = 0.0
    wait: Wait | None = None
    ways_out: int = 0
    """How often it left a queue by its way out."""
    closing: WayOut | None = None
    """By which it leaves its queue: what is left to do is to answer the line, or to say good-bye."""
    talked_at: datetime | None = None
    ended_at: datetime | None = None
    reason: str = ""
    finished: bool = False
    """Its end is journaled."""
    segments: int = 0
    paused_by: AgentId | None = None
    """The agent in it who paused all of its recordings."""
    data: str = field(default="", repr=False)
    """What its agents' clients keep with it (`live/call_data.py`)."""

    @property
    def customer(self) -> LegId | None:
        """The leg of the first party outside."""
        return self.customers[0].leg if self.customers else None

    @property
    def seat(self) -> Seat | None:
        """Who has it: the agent who is in it longest."""
        return self.parts[0].seat if self.parts else None

    def part(self, seat: Seat) -> AgentPart:
        """That agent's part; StopIteration where there is none."""
        return next(part for part in self.parts if part.seat is seat)

    def held_by_other(self, seat: Seat) -> bool:
        """Whether another agent than this one holds it."""
        return any(part.held_at is not None and part.seat is not seat for part in self.parts)

    def outside(self, leg: LegId) -> OutsideParty:
        """The customer on that leg; StopIteration where there is none."""
        return next(customer for customer in self.customers if customer.leg == leg)

    @property
    def began_at(self) -> datetime:
        """When it came, or was made."""
        return self.began.at

    @property
    def number(self) -> str:
        """The customer's number."""
        return self.caller if self.direction is CallDirection.INBOUND else self.called

    @property
    def asked(self) -> AgentPart | None:
        """The part of the agent who is rung, or awaited to `answer`."""
        return next((part for part in self.parts if part.alerting), None)

    @property
    def dialled(self) -> OutsideParty | None:
        """The party outside that joins or takes over once it answers."""
        return next((one for one in self.customers if self.transfer is not None and not one.up), None)

    def number_for(self, agent: AgentId) -> str:
        """Whom that agent has at the other end, before others joined."""
        if isinstance(self.direction, CallDirection):
            return self.number
        return self.called if str(agent) == self.caller else self.caller

    def others(self, agent: AgentId) -> tuple[str, ...]:
        """Who else is in it, by number: customers first; before anybody is, whom it is for."""
        there = [customer.number for customer in self.customers if customer.up]
        there += [
            str(part.seat.agent) for part in self.parts if not part.alerting and part.seat.agent != agent
        ]
        return tuple(there) or (self.number_for(agent),)

    @property
    def talking(self) -> bool:
        """Whether agent and customer are joined (a hold included)."""
        return self.state in (CallState.TALKING, CallState.HELD)


@dataclass(slots=True, eq=False)
class Supervision:
    """One inspector on one agent."""

    inspector: Seat
    target: Seat
    mode: Mode
    began: Moment
    reaching: bool = True

    @property
    def footing(self) -> Footing:
        """Where the inspector stands."""
        return Footing.REACHING if self.reaching else Footing(self.mode.value)


@dataclass(slots=True, eq=False)
class Playback:
    """A recording that an agent hears on their phone."""

    path: Path
    at_ms: int
    """Where in it hearing begins."""
    begun: bool = False
    halted: bool = False


@dataclass(slots=True)
class Absence:
    """An agent's phone that could not be reached and may come back."""

    since: Moment
    shunned: bool = True
    """No call is given to the agent until the phone is seen, or a while is over."""
    seen: bool = False
    """It registered since the last try."""


@dataclass(slots=True, eq=False)
class Seat:
    """An agent who is signed in."""

    profile: AgentProfile
    phone: str
    """Empty: none; calls reach the agent once there is one."""
    guid: str
    """Its digest (`journal.kept_guid`)."""
    signed_in_at: datetime
    standing: Standing
    since: datetime
    idle_order: int
    auto_answer: bool = True
    auto_idle: bool = True
    release_phone: bool = True
    listen_status: bool = False
    skills: tuple[SkillId, ...] = ()
    push: str = field(default="", repr=False)
    """Where events are pushed to, sealed; empty: the client polls."""
    takes_calls: bool = True
    """Whether calls of queues are given to the agent."""
    watches: frozenset[AgentId] = frozenset()
    """The agents whose states this inspector is told."""
    records: bool = False
    """The agent, or an inspector, asked for every talk to be recorded."""
    leg: LegId | None = None
    leg_phone: str = ""
    """The number that `leg` rang: after a forced sign-in from elsewhere not `phone`, until the call ends."""
    leg_up: bool = False
    leg_alerted: bool = False
    leg_held: bool = False
    """The phone put us on hold by its own re-INVITE."""
    absence: Absence | None = None
    call: Call | None = None
    """The call that the agent acts in; `waiting` are others that the agent holds."""
    waiting: list[Call] = field(default_factory=list)
    last_call: Call | None = None
    playing: Playback | None = None
    inspecting: Supervision | None = None
    inspectors: list[Supervision] = field(default_factory=list)
    leaving: bool = False
    """Signing out: no call finds this agent any more."""
    lapsed: str = ""
    """Why the agent is signed out when no call holds them any more; no new one finds them."""
    routing: Routing | None = None
    """The table applied last for this seat, and all who were in conversation with it."""

    @property
    def agent(self) -> AgentId:
        """The work number."""
        return self.profile.agent

    @property
    def state(self) -> AgentState:
        """The agent's state."""
        return self.standing.state

    @property
    def calls(self) -> list[Call]:
        """All calls of the agent, the one that the agent acts in first."""
        return [self.call, *self.waiting] if self.call is not None else []

    @property
    def part(self) -> AgentPart | None:
        """The agent's part in `call`."""
        return self.call.part(self) if self.call is not None else None

    def enter(self, call: Call, part: AgentPart) -> None:
        """The agent takes part in a call and acts in it; another waits meanwhile."""
        call.parts.append(part)
        if self.call is not None:
            self.waiting.insert(0, self.call)
        self.call = call

    def leave(self, call: Call) -> AgentPart:
        """The agent takes no part any more; the call that waits comes to the front, held as it is. A pause of
        recordings that they asked for is over."""
        part = call.part(self)
        call.parts.remove(part)
        if call.paused_by == self.agent:
            call.paused_by = None
        self.last_call = call
        if call in self.waiting:
            self.waiting.remove(call)
        else:
            self.call = self.waiting.pop(0) if self.waiting else None
        return part

    def acts_in(self, call: Call) -> None:
        """Bring one of the agent's calls to the front."""
        if call in self.waiting:
            self.waiting.remove(call)
            if self.call is not None:
                self.waiting.insert(0, self.call)
            self.call = call

    @property
    def free(self) -> bool:
        """Whether a call or a supervision may take this agent."""
        return (
            self.state is AgentState.IDLE
            and bool(self.phone)
            and self.call is None
            and self.inspecting is None
            and not self.leaving
            and not self.lapsed
        )

    @property
    def reachable(self) -> bool:
        """Whether a call of a queue may be given to this agent."""
        return self.free and self.takes_calls and not (self.absence is not None and self.absence.shunned)


Owner = Seat | Call


@dataclass(slots=True)
class FloorState:
    """Everything alive in one VDN."""

    profile: VdnProfile
    settings: LiveSettings
    numbers: Iterator[int]
    """Numbers that are never given twice in this process."""
    moment: Moment = _NEVER
    seats: dict[AgentId, Seat] = field(default_factory=dict)
    calls: dict[str, Call] = field(default_factory=dict)
    chats: dict[str, Chat] = field(default_factory=dict)
    legs: dict[LegId, Owner] = field(default_factory=dict)
    """Legs that still matter; a leg that was hung up is forgotten at once."""
    lapsing: set[AgentId] = field(default_factory=set)
    """Whose sign-out waits for the end of a call."""
    queues: SkillQueues = field(default_factory=SkillQueues)
    history: QueueHistory = field(default_factory=QueueHistory)
    texts_left: Buckets[AgentId] = field(default_factory=lambda: Buckets(TEXTS_A_SECOND, TEXTS_AT_ONCE))
    """How many more notes and bulletins each agent may send now."""
    keeps: bool = True
    """Whether what becomes of a call that begins now can be kept."""
    closing: dict[RecordingId, TalkSegment] = field(default_factory=dict)
    """Segments whose recording is being closed."""
    effects: list[Effect] = field(default_factory=list)

    @property
    def now(self) -> datetime:
        """By the wall clock, which may have been set meanwhile."""
        return self.moment.at

    def since(self, before: Moment) -> timedelta:
        """How long that is ago, whatever became of the wall clock."""
        return timedelta(seconds=self.moment.steady_s - before.steady_s)

    def now_in(self, call: Call) -> datetime:
        """By the clock of the call: the wall clock of its begin, never set since."""
        return call.began.at + self.since(call.began)

    def do(self, *effects: Effect) -> None:
        """Have these done, after what the transition has wanted so far, in this order."""
        self.effects.extend(effects)

    def emit(self, *events: AgentEvent) -> None:
        """Tell agents; those who are not signed in are told nothing."""
        self.effects.extend(Emit(event) for event in events)

    def journal(self, *changes: Change) -> None:
        """Have changes written soon."""
        self.effects.append(Append(changes))

    def audit(self, actor: AgentId, action: str, target: object, **detail: str | int | bool) -> AuditEntry:
        """An audit entry of now, not yet written."""
        return AuditEntry(self.profile.vdn, self.now, actor, action, str(target), detail)

    def seat(self, agent: AgentId) -> Seat:
        """The seat of an agent who asks; raises NOT_SIGNED_IN."""
        seat = self.seats.get(agent)
        if seat is None:
            raise Refused(Code.NOT_SIGNED_IN, f"agent {agent} is not signed in")
        return seat

    def lease_s(self, inspector: AgentId) -> float:
        """How long a supervision outlives its inspector's last word."""
        seat, lease_s = self.seats.get(inspector), self.settings.agents.supervision_lease
        return max(lease_s, PUSH_LEASE_S) if seat is not None and seat.push else lease_s

    def new_leg(self) -> LegId:
        """A leg id that no leg had before."""
        return LegId(f"{self.profile.vdn}-{int(self.now.timestamp())}-{next(self.numbers)}")

    def new_call(self) -> str:
        """A call id `<epoch seconds>-<n>`."""
        return f"{int(self.now.timestamp())}-{next(self.numbers)}"

    def is_free(self, agent: AgentId) -> bool:
        """Whether a call of a queue may be given to that agent now."""
        seat = self.seats.get(agent)
        return seat is not None and seat.reachable

    def free(self) -> Iterator[Free]:
        """Agents who could take a call now."""
        for seat in self.seats.values():
            if seat.skills and seat.reachable:
                yield Free(seat.agent, {one: seat.profile.level(one) for one in seat.skills}, seat.idle_order)
