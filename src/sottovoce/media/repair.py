"""What a dead worker or a crash left of recordings, made whole.

The stereo WAV's length is a recording's length: mono tracks beside it are cut to it, or lengthened
by a hole in the file, which reads as silence and takes no room on a full disk.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import structlog

from sottovoce.domain.legs import UNFINISHED, LegId, Recording, RecordingResult
from sottovoce.media.wav import finish, measure, part_of, publish

log = structlog.get_logger(__name__)


def repair_recording(recording: Recording) -> RecordingResult:
    """Make whole what a dead worker left of a recording; 0 frames if nothing. Blocks; run it in a thread."""
    main = recording.path
    stem = f"{main.stem}."
    beside = [
        _whole(part) for part in main.parent.glob(f"*.wav{UNFINISHED}") if _is_track_of(_whole(part), main)
    ]
    frames = _repair(main, beside)
    tracks = {
        LegId(path.stem.removeprefix(stem)): path
        for path in main.parent.glob("*.wav")
        if _is_track_of(path, main)
    }
    return RecordingResult(recording.recording, main, frames, tracks)


def repair_folder(folder: Path) -> list[Path]:
    """Make whole every unfinished recording below a folder; their stereo WAVs. Blocks.

    For the start of a server, when nothing writes there.
    """
    mains: dict[Path, list[Path]] = {}
    parts = [_whole(part) for part in folder.rglob(f"*.wav{UNFINISHED}")]
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


def _whole(part: Path) -> Path:
    return part.with_name(part.name.removesuffix(UNFINISHED))


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
