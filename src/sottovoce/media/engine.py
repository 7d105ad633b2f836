"""The engine port: what live and the doors ask of media, and what media tells them.

Two implementations: `workers.WorkerEngine` (processes of their own, real sockets) and
`inprocess.InProcessEngine` (the same mixer on a manual clock). One contract suite holds both.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

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


EngineEvent = LegProven | LegTimedOut | DigitPressed | RecordingStopped | EchoHeard | LegsLost


class MediaEngine(Protocol):
    """Legs, one routing verb, sounds and recordings.

    Every method raises `Refused(Code.MEDIA_EXHAUSTED)` if there is no room (503 at the SIP door),
    `Refused(Code.UNAVAILABLE)` while the worker is away. Unknown legs are ignored by
    `apply`, `play`, `send_digits` and `close_leg` (they may just have ended), and refused with
    `NOT_FOUND` by `set_remote` and `figures`.
    """

    async def open_leg(self, leg: LegId, group: str) -> LegAddress:
        """Open a leg and say where it receives. Legs of one `group` (a VDN) can hear each other."""
        ...

    async def set_remote(self, leg: LegId, remote: RemoteMedia) -> None:
        """Set or change the far side (again after a re-INVITE). Before it the leg sends nothing."""
        ...

    async def close_leg(self, leg: LegId) -> LegFigures:
        """End a leg; it is removed from every listener's row at once."""
        ...

    async def apply(self, routing: Routing) -> None:
        """Make the table true from the next tick on."""
        ...

    async def play(self, leg: LegId, sound: Sound | None) -> None:
        """Mix a sound into what this leg hears, or stop it with None."""
        ...

    async def send_digits(self, leg: LegId, digits: str) -> None:
        """Send RFC 4733 events (0-9 * # A-D), 100 ms each."""
        ...

    async def start_recording(self, recording: Recording) -> None:
        """Arm a recording; its frame 0 is the tick in which customer and agent first hear each other."""
        ...

    async def stop_recording(self, recording: RecordingId) -> RecordingResult:
        """Close its files and say what they hold."""
        ...

    async def figures(self, leg: LegId) -> LegFigures:
        """What the leg's transport went through so far."""
        ...

    def subscribe(self, listener: Callable[[EngineEvent], None]) -> None:
        """Call `listener` in the event loop for every event from now on."""
        ...
