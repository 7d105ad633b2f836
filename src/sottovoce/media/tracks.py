"""Recordings as tracks: who is on which, from which tick on, and the blocks handed to a writer.

A recording is armed, and begins (frame 0) in the tick in which its customer and agent first hear
each other. From then on each of its tracks takes a frame in every tick: the voice of its leg
while the routing says that it is recorded, silence otherwise. Frames gather for 200 ms before
they are handed on; recordings begin at different times, so a tick hands on a few at most.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol
from urllib.parse import quote

import numpy as np
import numpy.typing as npt

from sottovoce.domain.legs import LegId, Recording, RecordingId, RecordingResult
from sottovoce.errors import Code, Refused
from sottovoce.media.g711 import Samples

FRAME = 160
TICKS_PER_BLOCK = 10
"""What a crash of the worker can lose of a recording: 200 ms."""
MOST_WAITING = 1024
"""Gates kept for recordings that are not armed yet."""


class TrackSink(Protocol):
    """Where recorded audio goes. No method may block or raise: they are called within the tick.

    A failing writer remembers its failure, drops what follows, and has the recording stopped
    with `Mixer.stop_recording(recording, failure=...)`.
    """

    def begin(self, recording: Recording) -> None:
        """Frame 0 is here: customer and agent hear each other. Open the stereo WAV."""
        ...

    def begin_track(self, recording: RecordingId, leg: LegId, path: Path, silent_frames: int) -> None:
        """An inspector's mono WAV begins, after this many samples of silence."""
        ...

    def write(self, recording: RecordingId, leg: LegId | None, block: Samples) -> None:
        """Samples of the stereo WAV (`leg` None, shape [n, 2]: customer, agent) or of a leg's mono one
        (shape [n]). The block belongs to the sink."""
        ...

    def end(self, recording: RecordingId, frames: int) -> None:
        """Close all files; every track has had `frames` samples per channel. Not called without `begin`."""
        ...


def track_path(recording: Recording, leg: LegId) -> Path:
    """The file of an inspector's track: `<stem>.<leg>.wav` beside the stereo WAV, the leg percent-encoded."""
    return recording.path.with_name(f"{recording.path.stem}.{quote(leg, safe='')}.wav")


class _Running:
    """A recording, armed or begun."""

    def __init__(self, recording: Recording, allowed: frozenset[LegId]) -> None:
        self.recording = recording
        self.allowed = allowed
        self.began = False
        self.frames = 0
        """Handed to the sink, in samples."""
        self.since = 0
        """The tick before its block's first one."""
        self.tracks: dict[LegId, int] = {}
        """Track number by leg; customer and agent first."""


class Tracks:
    """All recordings of a worker. `slot_of` finds a leg's row among the frames."""

    def __init__(self, capacity: int, sink: TrackSink, slot_of: Callable[[LegId], int | None]) -> None:
        self._capacity = capacity
        self._sink = sink
        self._slot_of = slot_of
        self._running: dict[RecordingId, _Running] = {}
        self._waiting: dict[RecordingId, frozenset[LegId]] = {}
        tracks = 2 * capacity
        self._free = list(range(tracks - 1, -1, -1))
        self._block = np.zeros((tracks, TICKS_PER_BLOCK, FRAME), np.int16)
        self._active: npt.NDArray[np.intp] = np.zeros(0, np.intp)
        self._rows: npt.NDArray[np.intp] = np.zeros(0, np.intp)
        self._since: npt.NDArray[np.intp] = np.zeros(0, np.intp)
        self._due: list[list[_Running]] = [[] for _ in range(TICKS_PER_BLOCK)]
        self._stale = False
        self._ticks = 0

    def start(self, recording: Recording) -> None:
        """Arm. BAD_PARAMETER when the id is taken, MEDIA_EXHAUSTED when there is no room."""
        if recording.recording in self._running:
            raise Refused(Code.BAD_PARAMETER, f"recording {recording.recording} is running")
        if len(self._running) >= self._capacity:
            raise Refused(Code.MEDIA_EXHAUSTED, "too many recordings")
        allowed = self._waiting.pop(recording.recording, frozenset())
        self._running[recording.recording] = _Running(recording, allowed)
        self._stale = True

    def allow(self, recording: RecordingId, legs: frozenset[LegId]) -> None:
        """From the next tick on, exactly these legs are heard on their tracks."""
        running = self._running.get(recording)
        if running is not None:
            running.allowed = legs
            self._stale = True
            return
        self._waiting.pop(recording, None)
        self._waiting[recording] = legs
        while len(self._waiting) > MOST_WAITING:
            del self._waiting[next(iter(self._waiting))]

    def forbid(self, legs: frozenset[LegId]) -> None:
        """None of these legs is heard on any track until the next `allow`."""
        for running in self._running.values():
            running.allowed -= legs
        for recording in self._waiting:
            self._waiting[recording] -= legs
        self._stale = True

    def changed(self) -> None:
        """Legs or rows changed: look again in the next tick."""
        self._stale = True

    def stop(self, recording: RecordingId, failure: str | None = None) -> RecordingResult:
        """Hand the rest on and forget the recording. NOT_FOUND."""
        running = self._running.pop(recording, None)
        self._waiting.pop(recording, None)
        if running is None:
            raise Refused(Code.NOT_FOUND, f"no recording {recording}")
        if running.began:
            self._hand_on(running)
            self._sink.end(recording, running.frames)
        self._free += running.tracks.values()
        self._stale = True
        what = running.recording
        inspectors = {leg: track_path(what, leg) for leg in list(running.tracks)[2:]}
        return RecordingResult(recording, what.path, running.frames, inspectors, failure)

    def tick(self, frames: Samples, silence: int, hear_each_other: Callable[[int, int], bool]) -> None:
        """Take the frames of this tick; `silence` is a row of zeros in `frames`."""
        if self._stale:
            self._stale = False
            self._look_again(silence, hear_each_other)
        if not self._active.size:
            return
        place = (self._ticks - self._since) % TICKS_PER_BLOCK
        self._block[self._active, place] = frames[self._rows]
        self._ticks += 1
        for running in self._due[self._ticks % TICKS_PER_BLOCK]:
            self._hand_on(running)

    def _look_again(self, silence: int, hear_each_other: Callable[[int, int], bool]) -> None:
        """Begin what may begin, and find each track's row."""
        active: list[int] = []
        rows: list[int] = []
        since: list[int] = []
        self._due = [[] for _ in range(TICKS_PER_BLOCK)]
        for running in self._running.values():
            if not running.began and not self._begins(running, hear_each_other):
                continue
            self._due[running.since % TICKS_PER_BLOCK].append(running)
            self._add_tracks(running)
            for leg, track in running.tracks.items():
                slot = self._slot_of(leg) if leg in running.allowed else None
                active.append(track)
                rows.append(silence if slot is None else slot)
                since.append(running.since)
        self._active, self._rows = np.array(active, np.intp), np.array(rows, np.intp)
        self._since = np.array(since, np.intp)

    def _begins(self, running: _Running, hear_each_other: Callable[[int, int], bool]) -> bool:
        customer = self._slot_of(running.recording.customer)
        agent = self._slot_of(running.recording.agent)
        if customer is None or agent is None or not hear_each_other(customer, agent):
            return False
        if len(self._free) < 2:
            return False
        running.began = True
        running.since = self._ticks
        for leg in (running.recording.customer, running.recording.agent):
            running.tracks[leg] = self._free.pop()
        self._sink.begin(running.recording)
        return True

    def _add_tracks(self, running: _Running) -> None:
        what = running.recording
        for leg in sorted(running.allowed - running.tracks.keys()):
            if not self._free:
                return
            track = running.tracks[leg] = self._free.pop()
            self._block[track] = 0
            self._sink.begin_track(what.recording, leg, track_path(what, leg), running.frames)

    def _hand_on(self, running: _Running) -> None:
        filled = self._ticks - running.since
        if not filled:
            return
        name = running.recording.recording
        customer, agent, *inspectors = running.tracks.items()
        both = np.empty((filled * FRAME, 2), np.int16)
        for channel, (_, track) in enumerate((customer, agent)):
            both[:, channel] = self._block[track, :filled].reshape(-1)
        self._sink.write(name, None, both)
        for leg, track in inspectors:
            self._sink.write(name, leg, self._block[track, :filled].reshape(-1).copy())
        running.frames += filled * FRAME
        running.since = self._ticks
