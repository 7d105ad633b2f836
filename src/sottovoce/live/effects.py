"""What the floor wants done: its only output. The driver performs them in this order.

What media is asked for are the engine's own requests.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sottovoce.domain.directory import AgentId
from sottovoce.domain.events import AgentEvent
from sottovoce.domain.journal import Change
from sottovoce.domain.legs import LegId, ReleaseCause
from sottovoce.domain.lines import Destination
from sottovoce.media.engine import (
    Apply,
    HaltSound,
    MoveSound,
    Play,
    SendDigits,
    StartRecording,
    StopRecording,
)


@dataclass(frozen=True, slots=True)
class CallUnanswered:
    """An agent let a call ring too long, or a called number did."""

    call: str


@dataclass(frozen=True, slots=True)
class ChatUnanswered:
    """An agent let a chat ring too long."""

    chat: str


@dataclass(frozen=True, slots=True)
class InspectorUnreached:
    """An inspector never picked up."""

    inspector: AgentId


@dataclass(frozen=True, slots=True)
class LeaseEnds:
    """An inspector gave no sign of life."""

    inspector: AgentId


@dataclass(frozen=True, slots=True)
class RestEnds:
    """A rest lasted as long as asked for."""

    agent: AgentId


@dataclass(frozen=True, slots=True)
class WrapUpEnds:
    """Wrap-up lasted as long as it may."""

    agent: AgentId


@dataclass(frozen=True, slots=True)
class PhoneAway:
    """An agent's phone that could not be reached is tried again, or has had its chance."""

    agent: AgentId


@dataclass(frozen=True, slots=True)
class ListenerUnreached:
    """An agent who wants to hear a recording never picked up."""

    agent: AgentId


@dataclass(frozen=True, slots=True)
class SessionSilent:
    """No poll and no handshake for too long."""

    agent: AgentId


@dataclass(frozen=True, slots=True)
class WaitGoesOn:
    """Something is due for a call that waits in a queue."""

    call: str


Timer = (
    CallUnanswered
    | ChatUnanswered
    | InspectorUnreached
    | LeaseEnds
    | ListenerUnreached
    | PhoneAway
    | RestEnds
    | SessionSilent
    | WaitGoesOn
    | WrapUpEnds
)


@dataclass(frozen=True, slots=True)
class Emit:
    """Put an event into its agent's queue."""

    event: AgentEvent


@dataclass(frozen=True, slots=True)
class Ring:
    """Call a phone or an outside number."""

    leg: LegId
    to: Destination
    caller: str


@dataclass(frozen=True, slots=True)
class PlayBack:
    """Play a recording to a leg. Nothing waits for its file: `PlaybackBegan`, or SoundEnded, follows."""

    leg: LegId
    path: Path
    at_ms: int


@dataclass(frozen=True, slots=True)
class Announce:
    """Answer an offer provisionally."""

    leg: LegId
    early_media: bool


@dataclass(frozen=True, slots=True)
class Accept:
    """Answer an offer."""

    leg: LegId


@dataclass(frozen=True, slots=True)
class HangUp:
    """Refuse, cancel or end a leg."""

    leg: LegId
    cause: ReleaseCause = ReleaseCause.NORMAL


@dataclass(frozen=True, slots=True)
class Append:
    """Journal these changes; never waited for."""

    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class Arm:
    """Start a timer, or start it anew."""

    timer: Timer
    seconds: float


@dataclass(frozen=True, slots=True)
class Disarm:
    """Stop a timer."""

    timer: Timer


@dataclass(frozen=True, slots=True)
class OpenFeed:
    """The agent signed in: an empty queue, polled or pushed."""

    agent: AgentId
    push: str = ""
    """Where to, sealed (`SignIn.push`)."""


@dataclass(frozen=True, slots=True)
class RedirectFeed:
    """Events are pushed to somewhere else from now on."""

    agent: AgentId
    push: str


@dataclass(frozen=True, slots=True)
class CloseFeed:
    """The agent signed out: what hangs is given what is there, then nothing."""

    agent: AgentId


Effect = (
    Emit
    | Apply
    | Play
    | PlayBack
    | MoveSound
    | HaltSound
    | SendDigits
    | StartRecording
    | StopRecording
    | Ring
    | Announce
    | Accept
    | HangUp
    | Append
    | Arm
    | Disarm
    | OpenFeed
    | RedirectFeed
    | CloseFeed
)
