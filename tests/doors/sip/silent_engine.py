"""A media engine that keeps the books of legs and moves no packet: signalling is what is tested here."""

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
        self.opened: list[LegId] = []
        self.closed: list[LegId] = []
        self.remotes: list[tuple[LegId, RemoteMedia]] = []
        self._listeners: list[Callable[[EngineEvent], None]] = []
        self._port = first_port

    async def open_leg(self, leg: LegId, group: str) -> LegAddress:
        assert leg not in self.open
        if len(self.open) >= self.capacity:
            raise Refused(Code.MEDIA_EXHAUSTED)
        self.open[leg] = None
        self.opened.append(leg)
        self._port += 2
        return LegAddress("127.0.0.1", self._port)

    async def set_remote(self, leg: LegId, remote: RemoteMedia) -> None:
        if leg not in self.open:
            raise Refused(Code.NOT_FOUND)
        self.open[leg] = remote
        self.remotes.append((leg, remote))

    async def close_leg(self, leg: LegId) -> LegFigures:
        assert leg in self.open, "closed twice"
        del self.open[leg]
        self.closed.append(leg)
        return LegFigures()

    async def apply(self, routing: Routing) -> None: ...

    async def play(self, leg: LegId, sound: Sound | None) -> None: ...

    async def send_digits(self, leg: LegId, digits: str) -> None: ...

    async def start_recording(self, recording: Recording) -> None: ...

    async def stop_recording(self, recording: RecordingId) -> RecordingResult:
        raise Refused(Code.NOT_FOUND)

    async def figures(self, leg: LegId) -> LegFigures:
        return LegFigures()

    def subscribe(self, listener: Callable[[EngineEvent], None]) -> None:
        self._listeners.append(listener)

    def lose(self, *legs: LegId) -> None:
        """A worker died."""
        for leg in legs:
            self.open.pop(leg, None)
        for listener in self._listeners:
            listener(LegsLost(frozenset(legs)))
