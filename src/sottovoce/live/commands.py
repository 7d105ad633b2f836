"""What agents and inspectors ask of the floor, and what other rooms tell it: its only input."""

from __future__ import annotations

from dataclasses import dataclass

from sottovoce.domain.agents import Trigger
from sottovoce.domain.directory import AgentId, SkillId, VdnProfile
from sottovoce.domain.legs import RecordingId, RecordingResult
from sottovoce.domain.lines import LineEvent
from sottovoce.domain.supervision import Mode
from sottovoce.live.effects import Timer
from sottovoce.live.views import SignIn
from sottovoce.media.engine import EngineEvent


@dataclass(frozen=True, slots=True)
class SignInAgent:
    """Credentials are checked already; `guid` is new."""

    agent: AgentId
    wish: SignIn
    guid: str
    force: bool = False


@dataclass(frozen=True, slots=True)
class SignOutAgent:
    """`by` is the inspector who forces it; `told` whether the agent gets ServiceShutdown."""

    agent: AgentId
    force: bool = False
    reason: str = "signed out"
    by: AgentId | None = None
    told: bool = False


@dataclass(frozen=True, slots=True)
class RenewGuid:
    """The session's Guid changed."""

    agent: AgentId
    guid: str


@dataclass(frozen=True, slots=True)
class ChooseSkills:
    """Sign in to these queues, of those configured for the agent; `by` may choose any of the VDN."""

    agent: AgentId
    skills: tuple[SkillId, ...]
    every: bool = False
    by: AgentId | None = None


@dataclass(frozen=True, slots=True)
class SetHabit:
    """Change auto-idle or auto-answer; None leaves as it is."""

    agent: AgentId
    auto_idle: bool | None = None
    auto_answer: bool | None = None


@dataclass(frozen=True, slots=True)
class ChangeState:
    """Busy, idle, rest, wrap-up and their ends. `by` is the inspector who forces it."""

    agent: AgentId
    trigger: Trigger
    reason: int = 0
    seconds: int = 0
    prolong: bool = False
    by: AgentId | None = None


@dataclass(frozen=True, slots=True)
class CallOut:
    """Place a call."""

    agent: AgentId
    called: str
    caller: str = ""
    skill: SkillId | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """Take the ringing call."""

    agent: AgentId
    call: str | None = None


@dataclass(frozen=True, slots=True)
class Hold:
    """Put the customer on hold."""

    agent: AgentId


@dataclass(frozen=True, slots=True)
class TakeBack:
    """End the hold."""

    agent: AgentId
    call: str | None = None


@dataclass(frozen=True, slots=True)
class Release:
    """End the call."""

    agent: AgentId


@dataclass(frozen=True, slots=True)
class Mute:
    """Mute or unmute the agent."""

    agent: AgentId
    on: bool


@dataclass(frozen=True, slots=True)
class DialOn:
    """Send digits to the customer."""

    agent: AgentId
    digits: str


@dataclass(frozen=True, slots=True)
class Supervise:
    """Begin a supervision."""

    inspector: AgentId
    target: AgentId
    mode: Mode


@dataclass(frozen=True, slots=True)
class ChangeMode:
    """Change the mode of the running supervision; mode None toggles listen and insert."""

    inspector: AgentId
    target: AgentId | None
    mode: Mode | None


@dataclass(frozen=True, slots=True)
class StopSupervision:
    """End it; with `whisper` only one that whispers."""

    inspector: AgentId
    target: AgentId | None
    whisper: bool = False


@dataclass(frozen=True, slots=True)
class Intercept:
    """Take the call over."""

    inspector: AgentId
    target: AgentId
    call: str | None = None


@dataclass(frozen=True, slots=True)
class DropCall:
    """End a call of the VDN."""

    inspector: AgentId
    call: str


Command = (
    SignInAgent
    | SignOutAgent
    | RenewGuid
    | ChooseSkills
    | SetHabit
    | ChangeState
    | CallOut
    | Answer
    | Hold
    | TakeBack
    | Release
    | Mute
    | DialOn
    | Supervise
    | ChangeMode
    | StopSupervision
    | Intercept
    | DropCall
)


@dataclass(frozen=True, slots=True)
class RecordingClosed:
    """A recording that the floor stopped is closed, or could not be."""

    recording: RecordingId
    result: RecordingResult | None
    failure: str | None = None


@dataclass(frozen=True, slots=True)
class RecordingRefused:
    """A recording could not begin."""

    recording: RecordingId
    failure: str


@dataclass(frozen=True, slots=True)
class CloseFloor:
    """The process ends in order: calls and supervisions end, sign-ins stay for the next start."""

    reason: str = "shutdown"


@dataclass(frozen=True, slots=True)
class ProfileRead:
    """The VDN's configuration as it is now."""

    profile: VdnProfile


@dataclass(frozen=True, slots=True)
class TimerRan:
    """A timer ran out."""

    timer: Timer


Input = (
    Command
    | LineEvent
    | EngineEvent
    | RecordingClosed
    | RecordingRefused
    | ProfileRead
    | TimerRan
    | CloseFloor
)
