"""The recorder: threads that write what the mixer recorded, so that no disk delays a tick.

The tick only appends to a queue (`TrackSink`); `flush`, after the tick's packets are out, wakes the
writing thread, which empties the whole queue at once while the tick fills the next: two buffers.
Closing, with its fsync, has a thread of its own. What waits is bounded: beyond `MOST_BYTES` a
recording fails, as it does on a full disk; its call goes on.

Reports come back by `reports`, polled by the media loop: `Failed` once per recording, upon which
the loop stops it in the mixer; `Closed` when its files are on the disk.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt
import structlog

from sottovoce.domain.legs import LegId, Recording, RecordingId
from sottovoce.media.lane import Lane
from sottovoce.media.wav import (
    HEADER_BYTES,
    MOST_FRAMES,
    SAMPLE_BYTES,
    discard,
    finish,
    header,
    part_of,
    publish,
)

log = structlog.get_logger(__name__)

MOST_BYTES = 64 << 20
"""Audio that may wait for the disk: six seconds of 300 recordings."""


@dataclass(frozen=True, slots=True)
class Failed:
    """A recording cannot be written any further."""

    recording: RecordingId
    reason: str


@dataclass(frozen=True, slots=True)
class Closed:
    """A recording's files are closed. `frames` of each are on the disk."""

    recording: RecordingId
    frames: int
    failure: str | None


RecordingReport = Failed | Closed


@dataclass(slots=True)
class _File:
    """One WAV on its way."""

    path: Path
    channels: int
    descriptor: int
    frames: int = 0


@dataclass(slots=True)
class _Written:
    """One recording on its way."""

    files: dict[LegId | None, _File] = field(default_factory=dict)
    failure: str | None = None


class RecordingWriter:
    """`tracks.TrackSink` onto files. Its methods belong to the media loop and never block or raise."""

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most_bytes = most_bytes
        self._queued = 0
        self._done = 0
        self._reports: deque[RecordingReport] = deque()
        self._recordings: dict[RecordingId, _Written] = {}  # the writing thread's
        self._overrun: set[RecordingId] = set()  # the media loop's
        self._begun: set[RecordingId] = set()  # the media loop's
        self._writing = Lane("recording writer")
        self._closing = Lane("recording closer")

    # TrackSink, called within the tick

    def begin(self, recording: Recording) -> None:
        self._begun.add(recording.recording)
        self._writing.put(lambda: self._begin(recording))

    def begin_track(self, recording: RecordingId, leg: LegId, path: Path, silent_frames: int) -> None:
        self._writing.put(lambda: self._open(recording, leg, path, 1, silent_frames))

    def write(self, recording: RecordingId, leg: LegId | None, block: npt.NDArray[np.int16]) -> None:
        if recording in self._overrun:
            return
        if self._queued - self._done > self._most_bytes:
            self._overrun.add(recording)
            self._writing.put(lambda: self._fail(recording, "the disk is too slow"))
            return
        self._queued += block.nbytes
        self._writing.put(lambda: self._write(recording, leg, block))

    def end(self, recording: RecordingId, frames: int) -> None:
        self._overrun.discard(recording)
        self._begun.discard(recording)
        self._writing.put(lambda: self._end(recording, frames))

    # The media loop

    def has_begun(self, recording: RecordingId) -> bool:
        """Whether there is anything to close: else `end` is not called and no report comes."""
        return recording in self._begun

    def flush(self) -> None:
        """Wake the writing thread; to be called when the tick's packets are out."""
        self._writing.wake()

    def reports(self) -> Iterator[RecordingReport]:
        """What became of recordings since the last call."""
        while self._reports:
            yield self._reports.popleft()

    def close(self, timeout_s: float = 10.0) -> bool:
        """Write and close all that is left; False if the disk does not keep up."""
        return self._writing.join(timeout_s) and self._closing.join(timeout_s)

    # The writing thread

    def _begin(self, recording: Recording) -> None:
        self._recordings[recording.recording] = _Written()
        try:
            recording.path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as failure:
            self._fail(recording.recording, _reason(failure))
            return
        self._open(recording.recording, None, recording.path, 2, recording.silent_frames)

    def _open(
        self, recording: RecordingId, leg: LegId | None, path: Path, channels: int, silent_frames: int
    ) -> None:
        written = self._recordings.get(recording)
        if written is None or written.failure is not None:
            return
        flags = os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
        try:
            descriptor = os.open(part_of(path), flags, 0o600)
            file = written.files[leg] = _File(path, channels, descriptor)
            _write_all(descriptor, header(channels, 0))
            if silent_frames:
                os.lseek(descriptor, HEADER_BYTES + silent_frames * channels * SAMPLE_BYTES, os.SEEK_SET)
                file.frames = silent_frames
        except OSError as failure:
            self._fail(recording, _reason(failure))

    def _write(self, recording: RecordingId, leg: LegId | None, block: npt.NDArray[np.int16]) -> None:
        self._done += block.nbytes
        written = self._recordings.get(recording)
        file = written.files.get(leg) if written is not None else None
        if written is None or file is None or written.failure is not None:
            return
        frames = len(block)
        if file.frames + frames > MOST_FRAMES:
            self._fail(recording, "the recording is too long for a WAV")
            return
        try:
            _write_all(file.descriptor, np.ascontiguousarray(block, "<i2").data.cast("B"))
            file.frames += frames
        except OSError as failure:
            file.frames = _whole_frames(file)
            self._fail(recording, _reason(failure))

    def _fail(self, recording: RecordingId, reason: str) -> None:
        written = self._recordings.get(recording)
        if written is None or written.failure is not None:
            return
        written.failure = reason
        log.error("recording failed", recording=recording, reason=reason)
        self._reports.append(Failed(recording, reason))

    def _end(self, recording: RecordingId, frames: int) -> None:
        written = self._recordings.pop(recording)
        self._closing.put(lambda: self._close(recording, written, frames))
        self._closing.wake()

    # The closing thread

    def _close(self, recording: RecordingId, written: _Written, frames: int) -> None:
        stereo = written.files.get(None)
        if written.failure is not None:
            frames = stereo.frames if stereo is not None else 0
        failure = written.failure
        for file in written.files.values():
            try:
                finish(file.descriptor, file.channels, frames)
                publish(file.path)
            except OSError as reason:
                failure = failure or _reason(reason)
                if not file.frames:
                    discard(file.path)
            finally:
                os.close(file.descriptor)
        self._reports.append(Closed(recording, frames, failure))


def _write_all(descriptor: int, data: bytes | memoryview) -> None:
    """Write all of it; OSError when the disk takes no more."""
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def _whole_frames(file: _File) -> int:
    size = os.fstat(file.descriptor).st_size - HEADER_BYTES
    return max(0, size // (file.channels * SAMPLE_BYTES))


def _reason(failure: OSError) -> str:
    return failure.strerror or str(failure)
