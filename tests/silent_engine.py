"""A media engine that moves no packet: it keeps the books of legs and remembers what was asked of it."""

from __future__ import annotations

from collections.abc import Callable

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
from sottovoce.errors import Code, Refused
from sottovoce.media.engine import EngineEvent, LegsLost


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
        self.recorded: frozenset[LegId] = frozenset()
        self.tables: list[Routing] = []
        self.refuse_recordings = False
        self._listeners: list[Callable[[EngineEvent], None]] = []
        self._port = first_port

    async def open_leg(self, leg: LegId, group: str) -> LegAddress:
        assert leg not in self.open
        if len(self.open) >= self.capacity:
            raise Refused(Code.MEDIA_EXHAUSTED)
        self.open[leg] = None
        self.groups[leg] = group
        self.opened.append(leg)
        self._port += 2
        return LegAddress("127.0.0.1", self._port)

    async def set_remote(self, leg: LegId, remote: RemoteMedia) -> None:
        if leg not in self.open:
            raise Refused(Code.NOT_FOUND)
        self.open[leg] = remote

    async def close_leg(self, leg: LegId) -> LegFigures:
        assert leg in self.open, "closed twice"
        del self.open[leg]
        self.closed.append(leg)
        self.playing.pop(leg, None)
        self.hears = {k: v - {leg} for k, v in self.hears.items() if k != leg}
        return LegFigures()

    async def apply(self, routing: Routing) -> None:
        self.tables.append(routing)
        for leg, voices in routing.hears.items():
            if leg in self.open:
                self.hears[leg] = frozenset(voice for voice in voices if voice in self.open)
        self.recorded = routing.recorded

    async def play(self, leg: LegId, sound: Sound | None) -> None:
        if sound is None:
            self.playing.pop(leg, None)
        elif leg in self.open:
            self.playing[leg] = sound.name

    async def send_digits(self, leg: LegId, digits: str) -> None:
        self.digits.append((leg, digits))

    async def start_recording(self, recording: Recording) -> None:
        if self.refuse_recordings:
            raise Refused(Code.MEDIA_EXHAUSTED, "disk full")
        self.recordings[recording.recording] = recording

    async def stop_recording(self, recording: RecordingId) -> RecordingResult:
        made = self.recordings.pop(recording, None)
        if made is None:
            raise Refused(Code.NOT_FOUND, "no such recording")
        return RecordingResult(recording, made.path, 8000)

    async def figures(self, leg: LegId) -> LegFigures:
        return LegFigures()

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
