"""Recordings as tracks: who is on which, from which tick on, and the blocks handed to a writer.

A recording is armed, and begins (frame 0) in the tick in which its customer and agent first hear
each other; one of a talk that runs already begins at once, behind as much silence as that talk
has lasted. From then on each of its tracks takes a frame in every tick: the voice of its leg
while the routing says that it is recorded, silence otherwise. Frames gather for 400 ms before
they are handed on; recordings begin at different times, so a tick hands on a few at most.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol
from urllib.parse import quote

import numpy as np
import numpy.typing as npt

from sottovoce.domain.audio import FRAME, Samples
from sottovoce.domain.legs import LegId, Recording, RecordingId, RecordingResult
from sottovoce.errors import Code, Refused
from sottovoce.media.spans import items

TICKS_PER_BLOCK = 20
"""What a crash of the worker can lose of a recording: 400 ms."""
MOST_EARLY = 1024
"""Gates kept for recordings that are not armed yet."""


class TrackSink(Protocol):
    """Where recorded audio goes. No method may block or raise: they are called within the tick.

    A failing writer remembers its failure, drops what follows, and has the recording stopped
    with `Mixer.stop_recording(recording, failure=...)`.
    """

    def begin(self, recording: Recording) -> None:
        """The first frame is here. Open the stereo WAV, with `silent_frames` of silence."""
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
        self.frames = recording.silent_frames
        """Handed to the sink, in samples."""
        self.since = 0
        """The tick before its block's first one."""
        self.tracks: dict[LegId, int] = {}
        """Track number by leg; customer and agent first."""


class Tracks:
    """All recordings of a worker. `slot_of` finds a leg's row among the frames, `silence` is one of zeros."""

    def __init__(
        self, capacity: int, sink: TrackSink, slot_of: Callable[[LegId], int | None], silence: int
    ) -> None:
        self._capacity = capacity
        self._sink = sink
        self._slot_of = slot_of
        self._silence = silence
        self._running: dict[RecordingId, _Running] = {}
        self._early: dict[RecordingId, frozenset[LegId]] = {}
        tracks = 2 * capacity
        self._free = list(range(tracks - 1, -1, -1))
        self._block = np.zeros((tracks, TICKS_PER_BLOCK, FRAME), np.int16)
        self._row = np.full(tracks, silence, np.intp)
        self._since = np.zeros(tracks, np.intp)
        self._active: npt.NDArray[np.intp] = np.zeros(0, np.intp)
        self._plan: tuple[npt.NDArray[np.intp], npt.NDArray[np.intp], npt.NDArray[np.intp]] | None = None
        """Of the active tracks: the row, the tick modulo a block with which it begins, the block's place."""
        self._due: list[dict[RecordingId, _Running]] = [{} for _ in range(TICKS_PER_BLOCK)]
        self._stale: set[RecordingId] = set()
        self._armed: dict[RecordingId, _Running] = {}
        self._look = False
        self._ticks = 0

    def start(self, recording: Recording) -> None:
        """Arm. BAD_PARAMETER when the id is taken, MEDIA_EXHAUSTED when there is no room."""
        name = recording.recording
        if name in self._running:
            raise Refused(Code.BAD_PARAMETER, f"recording {name} is running")
        if len(self._running) >= self._capacity:
            raise Refused(Code.MEDIA_EXHAUSTED, "too many recordings")
        running = _Running(recording, self._early.pop(name, frozenset()))
        self._running[name] = self._armed[name] = running
        self._look = True

    def allow(self, recording: RecordingId, legs: frozenset[LegId]) -> None:
        """From the next tick on, exactly these legs are heard on their tracks."""
        running = self._running.get(recording)
        if running is not None:
            running.allowed = legs
            self._stale.add(recording)
            return
        self._early.pop(recording, None)
        self._early[recording] = legs
        while len(self._early) > MOST_EARLY:
            del self._early[next(iter(self._early))]

    def forbid(self, legs: frozenset[LegId]) -> None:
        """None of these legs is heard on any track until the next `allow`."""
        for running in self._running.values():
            running.allowed -= legs
        for recording in self._early:
            self._early[recording] -= legs
        self._stale |= self._running.keys()

    def rows_changed(self) -> None:
        """Who hears whom changed: an armed recording may begin."""
        self._look = True

    def leg_changed(self, leg: LegId) -> None:
        """A leg was opened or closed."""
        self._look = True
        self._stale |= {name for name, running in self._running.items() if leg in running.tracks}

    def stop(self, recording: RecordingId, failure: str | None = None) -> RecordingResult:
        """Hand the rest on and forget the recording. NOT_FOUND."""
        running = self._running.pop(recording, None)
        self._early.pop(recording, None)
        began = self._armed.pop(recording, None) is None
        self._stale.discard(recording)
        if running is None:
            raise Refused(Code.NOT_FOUND, f"no recording {recording}")
        if began:
            del self._due[running.since % TICKS_PER_BLOCK][recording]
            self._hand_on(running)
            self._sink.end(recording, running.frames)
        gone = list(running.tracks.values())
        self._free += gone
        self._active = np.setdiff1d(self._active, gone)
        self._plan = None
        what = running.recording
        inspectors = {leg: track_path(what, leg) for leg in list(running.tracks)[2:]}
        return RecordingResult(recording, what.path, running.frames, inspectors, failure)

    def tick(self, frames: Samples, hear_each_other: Callable[[int, int], bool]) -> None:
        """Take the frames of this tick."""
        if self._look:
            self._look = False
            for running in list(self._armed.values()):
                self._try_to_begin(running, hear_each_other)
        if self._stale:
            for name in self._stale:
                if name not in self._armed:
                    self._refresh(self._running[name])
            self._stale.clear()
        if not self._active.size:
            return
        if self._plan is None:
            active = self._active
            self._plan = self._row[active], self._since[active] % TICKS_PER_BLOCK, active * TICKS_PER_BLOCK
        row, begin, block = self._plan
        place = block + (self._ticks - begin) % TICKS_PER_BLOCK
        items(self._block.reshape(-1, FRAME))[place] = items(frames).take(row)
        self._ticks += 1
        for running in self._due[self._ticks % TICKS_PER_BLOCK].values():
            self._hand_on(running)

    def _try_to_begin(self, running: _Running, hear_each_other: Callable[[int, int], bool]) -> None:
        what = running.recording
        customer, agent = self._slot_of(what.customer), self._slot_of(what.agent)
        if customer is None or agent is None:
            return
        if not what.silent_frames and not hear_each_other(customer, agent):
            return
        if len(self._free) < 2:
            return
        del self._armed[what.recording]
        running.since = self._ticks
        self._due[running.since % TICKS_PER_BLOCK][what.recording] = running
        self._sink.begin(what)
        for leg in (what.customer, what.agent):
            self._add_track(running, leg)
        self._stale.add(what.recording)

    def _refresh(self, running: _Running) -> None:
        """Find the row of each track anew; an inspector's first word begins a track."""
        self._plan = None
        what = running.recording
        for leg in sorted(running.allowed - running.tracks.keys()):
            if self._free:
                self._add_track(running, leg)
                self._sink.begin_track(what.recording, leg, track_path(what, leg), running.frames)
        for leg, track in running.tracks.items():
            slot = self._slot_of(leg) if leg in running.allowed else None
            self._row[track] = self._silence if slot is None else slot

    def _add_track(self, running: _Running, leg: LegId) -> None:
        track = running.tracks[leg] = self._free.pop()
        self._block[track] = 0
        self._since[track] = running.since
        self._row[track] = self._silence
        self._active = np.append(self._active, track)

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
