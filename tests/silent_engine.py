"""A media engine that moves no packet: it keeps the books of legs and remembers what was asked of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from sottovoce.domain.legs import (
    LegAddress,
    LegFigures,
    LegId,
    Recording,
    RecordingId,
    RecordingResult,
    RemoteMedia,
    Routing,
)
from sottovoce.errors import Code, Refused
from sottovoce.media.engine import (
    Apply,
    CloseLeg,
    EngineEvent,
    HaltSound,
    LegsLost,
    MoveSound,
    OpenLeg,
    Play,
    ReadFigures,
    Request,
    ResultT,
    SendDigits,
    SetRemote,
    StartRecording,
    StopRecording,
)


class SilentEngine:
    """Implements `media.engine.MediaEngine`."""

    def __init__(self, capacity: int = 1000, first_port: int = 30000) -> None:
        self.capacity = capacity
        self.open: dict[LegId, RemoteMedia | None] = {}
        self.groups: dict[LegId, str] = {}
        self.opened: list[LegId] = []
        self.closed: list[LegId] = []
        self.hears: dict[LegId, frozenset[LegId]] = {}
        self.playing: dict[LegId, str] = {}
        self.digits: list[tuple[LegId, str]] = []
        self.recordings: dict[RecordingId, Recording] = {}
        self.tracks: dict[LegId, Path] = {}
        """What closed recordings hold of inspectors."""
        self.recorded: frozenset[LegId] = frozenset()
        self.tables: list[Routing] = []
        self.steered: list[MoveSound | HaltSound] = []
        """What sounds were told since."""
        self.refuse_recordings = False
        self.fault: Callable[[Request[Any]], None] = lambda request: None
        """Asked before every request; what it raises becomes of that."""
        self._listeners: list[Callable[[EngineEvent], None]] = []
        self._port = first_port

    async def ask(self, request: Request[ResultT]) -> ResultT:
        self.fault(request)
        match request:
            case OpenLeg(leg, group):
                return self._open(leg, group)
            case SetRemote(leg, remote):
                if leg not in self.open:
                    raise Refused(Code.NOT_FOUND)
                self.open[leg] = remote
            case CloseLeg(leg):
                assert leg in self.open, "closed twice"
                del self.open[leg]
                self.closed.append(leg)
                self.playing.pop(leg, None)
                self.hears = {k: v - {leg} for k, v in self.hears.items() if k != leg}
                return LegFigures()
            case Apply(routing):
                self.tables.append(routing)
                for leg, voices in routing.hears.items():
                    if leg in self.open:
                        self.hears[leg] = frozenset(voice for voice in voices if voice in self.open)
                self.recorded = routing.recorded
            case Play(leg, None):
                self.playing.pop(leg, None)
            case Play(leg, sound):
                if leg in self.open:
                    self.playing[leg] = sound.name
            case MoveSound() | HaltSound():
                self.steered.append(request)
            case SendDigits(leg, digits):
                self.digits.append((leg, digits))
            case StartRecording(recording):
                if self.refuse_recordings:
                    raise Refused(Code.MEDIA_EXHAUSTED, "disk full")
                self.recordings[recording.recording] = recording
            case StopRecording(recording):
                made = self.recordings.pop(recording, None)
                if made is None:
                    raise Refused(Code.NOT_FOUND, "no such recording")
                return RecordingResult(recording, made.path, 8000, tracks=dict(self.tracks))
            case ReadFigures():
                return LegFigures()
        return None

    def _open(self, leg: LegId, group: str) -> LegAddress:
        assert leg not in self.open
        if len(self.open) >= self.capacity:
            raise Refused(Code.MEDIA_EXHAUSTED)
        self.open[leg] = None
        self.groups[leg] = group
        self.opened.append(leg)
        self._port += 2
        return LegAddress("127.0.0.1", self._port)

    def subscribe(self, listener: Callable[[EngineEvent], None]) -> None:
        self._listeners.append(listener)

    def tell(self, event: EngineEvent) -> None:
        """Something happened to media."""
        for listener in self._listeners:
            listener(event)

    def lose(self, *legs: LegId) -> None:
        """A worker died."""
        for leg in legs:
            self.open.pop(leg, None)
        self.tell(LegsLost(frozenset(legs)))
