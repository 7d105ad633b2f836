"""Recordings as files: 8 kHz 16-bit WAVs, written under `<name>.part`, made whole when closed or found.

A `.part` begins with a header whose lengths are zero; its samples count as far as the file reaches.
The stereo WAV's length is a recording's length: mono tracks beside it are cut to it, or lengthened
by a hole in the file, which reads as silence and takes no room on a full disk.
"""

from __future__ import annotations

import contextlib
import os
import struct
from collections.abc import Sequence
from pathlib import Path

import structlog

from sottovoce.domain.legs import LegId, Recording, RecordingResult

log = structlog.get_logger(__name__)

RATE = 8000
SAMPLE_BYTES = 2
HEADER_BYTES = 44
SUFFIX = ".part"
MOST_FRAMES = (0xFFFF_FFFF - HEADER_BYTES) // 4
"""A WAV's lengths have 32 bits: 37 hours of stereo."""


def header(channels: int, frames: int) -> bytes:
    """The 44 bytes before the samples of a 16-bit PCM WAV."""
    data = frames * channels * SAMPLE_BYTES
    block = channels * SAMPLE_BYTES
    return (
        struct.pack("<4sI4s", b"RIFF", data + HEADER_BYTES - 8, b"WAVE")
        + struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, channels, RATE, RATE * block, block, SAMPLE_BYTES * 8)
        + struct.pack("<4sI", b"data", data)
    )


def part_of(path: Path) -> Path:
    """Where a WAV is while it is written."""
    return path.with_name(path.name + SUFFIX)


def finish(descriptor: int, channels: int, frames: int) -> None:
    """Give an open file its header and length, and have it on the disk. OSError."""
    os.ftruncate(descriptor, HEADER_BYTES + frames * channels * SAMPLE_BYTES)
    os.pwrite(descriptor, header(channels, frames), 0)
    os.fsync(descriptor)


def publish(path: Path) -> None:
    """Give a finished `.part` its name, and have that on the disk. OSError."""
    os.replace(part_of(path), path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def measure(path: Path) -> tuple[int, int] | None:
    """Channels and whole frames that a file of ours holds by its size, or None if it has no header."""
    try:
        with path.open("rb") as file:
            start = file.read(HEADER_BYTES)
            size = os.fstat(file.fileno()).st_size
    except OSError:
        return None
    if len(start) < HEADER_BYTES or start[:4] != b"RIFF" or start[36:40] != b"data":
        return None
    channels = int.from_bytes(start[22:24], "little")
    if channels not in (1, 2):
        return None
    return channels, (size - HEADER_BYTES) // (channels * SAMPLE_BYTES)


def repair_recording(recording: Recording) -> RecordingResult:
    """Make whole what a dead worker left of a recording; 0 frames if nothing. Blocks; run it in a thread."""
    main = recording.path
    stem = f"{main.stem}."
    beside = [
        part.with_name(part.name.removesuffix(SUFFIX))
        for part in main.parent.glob(f"*.wav{SUFFIX}")
        if part.name.startswith(stem) and part != part_of(main)
    ]
    frames = _repair(main, beside)
    tracks = {
        LegId(path.stem.removeprefix(stem)): path
        for path in main.parent.glob("*.wav")
        if path.name.startswith(stem) and path != main
    }
    return RecordingResult(recording.recording, main, frames, tracks)


def repair_folder(folder: Path) -> list[Path]:
    """Make whole every unfinished recording below a folder; their stereo WAVs. Blocks.

    For the start of a server, when nothing writes there.
    """
    mains: dict[Path, list[Path]] = {}
    parts = [part.with_name(part.name.removesuffix(SUFFIX)) for part in folder.rglob(f"*.wav{SUFFIX}")]
    # The shortest name first: a track's name is its recording's with `.<leg>` put in.
    for path in sorted(parts, key=lambda path: (len(path.name), path)):
        main = next((main for main in mains if _is_track_of(path, main)), None) or next(
            (main for main in path.parent.glob("*.wav") if _is_track_of(path, main)), None
        )
        if main is None:
            mains[path] = []
        else:
            mains.setdefault(main, []).append(path)
    for main, tracks in mains.items():
        _repair(main, tracks)
    return list(mains)


def _is_track_of(path: Path, main: Path) -> bool:
    return path.parent == main.parent and path.name.startswith(f"{main.stem}.") and path != main


def _repair(main: Path, tracks: Sequence[Path]) -> int:
    """Finish a recording's files by their sizes; the frames of its stereo WAV."""
    unfinished = part_of(main)
    measured = measure(unfinished if unfinished.exists() else main)
    frames = measured[1] if measured is not None else 0
    for path in (main, *tracks):
        part = part_of(path)
        found = measure(part)
        try:
            if found is None:
                part.unlink(missing_ok=True)  # a file without its header holds nothing
                continue
            descriptor = os.open(part, os.O_RDWR)
            try:
                finish(descriptor, found[0], frames)
            finally:
                os.close(descriptor)
            publish(path)
            log.info("recording repaired", path=str(path), frames=frames)
        except OSError as failure:
            log.error("recording not repaired", path=str(path), failure=str(failure))
    return frames


def discard(path: Path) -> None:
    """Remove a `.part` that came to nothing."""
    with contextlib.suppress(OSError):
        part_of(path).unlink(missing_ok=True)
