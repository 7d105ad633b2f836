"""What the live half shows: read-only pictures of agents, calls and supervisions.

Times are UTC. The wire's numbers for states are given in `http`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sottovoce.domain.agents import AgentState
from sottovoce.domain.calls import CallDirection, CallState, InnerKind
from sottovoce.domain.directory import AgentId, Skill, SkillId, VdnId
from sottovoce.domain.events import AgentEvent
from sottovoce.domain.figures import Figures
from sottovoce.domain.supervision import Mode


@dataclass(frozen=True, slots=True)
class SignIn:
    """What sign-in asks for."""

    password: str
    phone: str
    """Number of a phone of the VDN; empty takes the profile's."""
    phone_optional: bool = False
    """Begin without a phone where none is named or configured (`presence.BindPhone` gives one)."""
    phoneless: bool = False
    """Begin without a phone, whatever is named or configured."""
    auto_answer: bool = True
    auto_idle: bool = True
    """Idle after a call; otherwise wrap-up."""
    release_phone: bool = True
    """Release the phone after a call; otherwise its leg stands and later calls need no ringing."""
    status: AgentState = AgentState.IDLE
    """The state to begin in: IDLE, BUSY or WRAP_UP."""
    listen_status: bool = False
    """An inspector who wants to be told of others' sign-ins and sign-outs."""
    source: str = ""
    """Where the request comes from (`limits.source_of`)."""
    push: str = field(default="", repr=False)
    """Where events are pushed to, sealed (`pushing.seals`); empty: the client polls."""


@dataclass(frozen=True, slots=True)
class SignedIn:
    """What a sign-in gives."""

    agent: AgentId
    vdn: VdnId
    guid: str
    signed_in_at: datetime
    name: str
    password_lasts: timedelta | None = None
    """How much longer the password does; None for ever."""


@dataclass(frozen=True, slots=True)
class QueuedEvent:
    """An event at the head of an agent's queue. `id` increases by one from event to event."""

    id: int
    event: AgentEvent
    at: datetime


@dataclass(frozen=True, slots=True)
class AgentStatus:
    """An agent's state in short."""

    state: AgentState
    pending: AgentState | None
    """What the agent will be after the call, if asked for during it (pre-busy, pre-rest)."""


@dataclass(frozen=True, slots=True)
class AgentView:
    """An agent as others see them."""

    agent: AgentId
    vdn: VdnId
    name: str
    group: int
    state: AgentState
    pending: AgentState | None
    since: datetime | None
    """Since when in this state; None when signed out."""
    skills: tuple[Skill, ...]
    """Signed in to now; when signed out, the configured ones."""
    phone: str
    signed_in_at: datetime | None
    calls: tuple[str, ...]
    takes_calls: bool = True
    """Whether calls of queues are given to the agent."""


@dataclass(frozen=True, slots=True)
class RestView:
    """An agent who rests."""

    agent: AgentId
    name: str
    since: datetime
    seconds: int
    """Asked for; 0 when that is not known any more, after a restart."""


@dataclass(frozen=True, slots=True)
class CallView:
    """A call as its agent sees it."""

    call: str
    direction: CallDirection | InnerKind
    state: CallState
    caller: str
    called: str
    skill: SkillId | None
    skill_name: str
    began_at: datetime
    talked_at: datetime | None
    held_at: datetime | None
    ended_at: datetime | None
    muted: bool
    recording: str | None
    """Below the recordings' folder."""
    data: str = field(default="", repr=False)
    others: tuple[str, ...] = ()
    """Numbers of those whom the agent talks with or holds; before, of whom the call is for."""


@dataclass(frozen=True, slots=True)
class SupervisionView:
    """One supervision."""

    inspector: AgentId
    target: AgentId
    mode: Mode
    reaching: bool
    """The inspector's phone still rings."""
    since: datetime


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All that an agent's screen needs after events were lost (syncagentinfo)."""

    at: datetime
    agent: AgentView
    reason: int
    call: CallView | None
    inspecting: SupervisionView | None
    """The supervision that this agent leads."""
    inspected_by: tuple[SupervisionView, ...]
    last_event: int
    """Id of the last event that this picture includes."""
    playing: bool = False
    """Whether the agent hears a recording."""


@dataclass(frozen=True, slots=True)
class FloorCallView:
    """A call in the picture of the whole floor."""

    call: str
    direction: CallDirection | InnerKind
    state: CallState
    caller: str
    called: str
    agent: AgentId | None
    since: datetime
    muted: bool


@dataclass(frozen=True, slots=True)
class QueueView:
    """The calls that wait for one skill."""

    skill: SkillId
    name: str
    waiting: int
    since: datetime | None
    """When the one that waits longest began; None when nobody waits."""
    agents: int
    """Who are signed in to it."""
    free: int
    """Those of them to whom a call could be given now."""
    today: Figures = field(default_factory=Figures)
    """Of those who came since the VDN's day began and wait no more."""


@dataclass(frozen=True, slots=True)
class FloorView:
    """A VDN at one moment, for the console and the demo."""

    vdn: VdnId
    name: str
    at: datetime
    agents: tuple[AgentView, ...]
    """Signed-in agents only, by work number."""
    calls: tuple[FloorCallView, ...]
    supervisions: tuple[SupervisionView, ...]
    queues: tuple[QueueView, ...]
    """Of all skills, by number."""
    hears: Mapping[str, frozenset[str]]
    """Listener to the parties heard, by name: `agent 101`, `customer 555`, `inspector 300`."""
