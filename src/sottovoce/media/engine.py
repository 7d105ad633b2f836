"""The engine port: what live and the doors ask of media, and what media tells them.

Two implementations: `workers.WorkerEngine` (processes of their own, real sockets) and
`inprocess.InProcessEngine` (the same mixer on a manual clock). One contract suite holds both.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from sottovoce.domain.legs import (
    LegAddress,
    LegFigures,
    LegId,
    Recording,
    RecordingId,
    RecordingResult,
    RemoteMedia,
    Routing,
    Sound,
)
from sottovoce.processes.protocol import Request as Request  # whoever asks the engine knows it from here
from sottovoce.processes.protocol import ResultT as ResultT

SPOKEN = Path(__file__).parent / "announcements"
"""What is shipped for callers to hear: a folder for each language (`demo/announced.py` has the words)."""


@dataclass(frozen=True, slots=True)
class LegProven:
    """A leg's RTP source proved itself: it has sent several packets that are surely its own."""

    leg: LegId


@dataclass(frozen=True, slots=True)
class LegTimedOut:
    """A leg that is obliged to send was silent (no RTP, no RTCP) for the media time-out."""

    leg: LegId


@dataclass(frozen=True, slots=True)
class DigitPressed:
    """An RFC 4733 event ended. `digit` is one of 0-9 * # A-D."""

    leg: LegId
    digit: str


@dataclass(frozen=True, slots=True)
class RecordingStopped:
    """A recording ended by itself: the disk is full or gone. The call goes on."""

    result: RecordingResult


@dataclass(frozen=True, slots=True)
class EchoHeard:
    """The agent's microphone carries an inspector's whisper back: the customer may hear it."""

    agent: LegId
    inspector: LegId


@dataclass(frozen=True, slots=True)
class LegsLost:
    """A worker died; these legs are gone, nothing else is. It is restarted by itself."""

    legs: frozenset[LegId]


@dataclass(frozen=True, slots=True)
class SoundEnded:
    """A sound that was to be played once is over; not told of one that was stopped."""

    leg: LegId
    name: str


EngineEvent = LegProven | LegTimedOut | DigitPressed | RecordingStopped | EchoHeard | LegsLost | SoundEnded


@dataclass(frozen=True, slots=True)
class OpenLeg(Request[LegAddress]):
    """Open a leg and say where it receives. Legs of one `group` (a VDN) can hear each other."""

    leg: LegId
    group: str


@dataclass(frozen=True, slots=True)
class SetRemote(Request[None]):
    """Set or change the far side (again after a re-INVITE). Before it the leg sends nothing."""

    leg: LegId
    remote: RemoteMedia


@dataclass(frozen=True, slots=True)
class CloseLeg(Request[LegFigures]):
    """End a leg; it is removed from every listener's row at once. Figures of zero for an unknown one."""

    leg: LegId


@dataclass(frozen=True, slots=True)
class Apply(Request[None]):
    """Make the table true from the next tick on."""

    routing: Routing


@dataclass(frozen=True, slots=True)
class Play(Request[None]):
    """Mix a sound into what this leg hears, from `at_ms` on, or stop it with None. SoundEnded follows where
    it ends."""

    leg: LegId
    sound: Sound | None
    at_ms: int = 0


@dataclass(frozen=True, slots=True)
class MoveSound(Request[None]):
    """Go on later in what is played to this leg, or earlier, within its ends."""

    leg: LegId
    by_ms: int


@dataclass(frozen=True, slots=True)
class HaltSound(Request[None]):
    """Let what is played to this leg stand still, or go on from there."""

    leg: LegId
    on: bool


@dataclass(frozen=True, slots=True)
class SendDigits(Request[None]):
    """Send RFC 4733 events (0-9 * # A-D) to a leg's far side, 100 ms each."""

    leg: LegId
    digits: str


@dataclass(frozen=True, slots=True)
class StartRecording(Request[None]):
    """Arm a recording; its frame 0 is the tick in which customer and agent first hear each other."""

    recording: Recording


@dataclass(frozen=True, slots=True)
class StopRecording(Request[RecordingResult]):
    """Close a recording's files and say what they hold."""

    recording: RecordingId


@dataclass(frozen=True, slots=True)
class ReadFigures(Request[LegFigures]):
    """What a leg's transport went through so far."""

    leg: LegId


REQUESTS: tuple[type[Request[Any]], ...] = (
    OpenLeg,
    SetRemote,
    CloseLeg,
    Apply,
    Play,
    MoveSound,
    HaltSound,
    SendDigits,
    StartRecording,
    StopRecording,
    ReadFigures,
)


class MediaEngine(Protocol):
    """Legs, one routing verb, sounds and recordings."""

    async def ask(self, request: Request[ResultT]) -> ResultT:
        """Do it, and say what became of it.

        Raises `Refused(Code.MEDIA_EXHAUSTED)` if there is no room (503 at the SIP door) and
        `Refused(Code.UNAVAILABLE)` while the worker is away. Unknown legs are ignored by `Apply`, `Play`,
        `MoveSound`, `HaltSound`, `SendDigits` and `CloseLeg` (they may just have ended), and refused with
        `NOT_FOUND` by `SetRemote` and `ReadFigures`.
        """
        ...

    def subscribe(self, listener: Callable[[EngineEvent], None]) -> None:
        """Call `listener` in the event loop for every event from now on."""
        ...
