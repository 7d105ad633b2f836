"""The peaks of a recording, from which a waveform is drawn: computed once and kept beside the WAV.

`<name>.wav.peaks` is a waveform file of audiowaveform, version 2, as its viewers read it: six little-endian
32-bit numbers (version 2, flags 1 for 8 bit, samples per second, samples per step, steps, channels), then
for each step and channel the least and the greatest sample as signed bytes. A step is STEP_MS, or a multiple
where there would be more than MOST_STEPS. The file has its WAV's time of change: another is not its own.
"""

from __future__ import annotations

import contextlib
import os
import struct
import tempfile
from pathlib import Path

import numpy as np
import numpy.typing as npt

from sottovoce.quality.recordings import Reader, Samples, reading

STEP_MS = 20
MOST_STEPS = 90_000
"""Half an hour of single steps: 360 kB of a stereo recording, however long it is."""
SUFFIX = ".peaks"
_HEAD = struct.Struct("<iIiiIi")
_VERSION, _EIGHT_BIT = 2, 1


def kept(wav: Path) -> Path:
    """The file with a recording's peaks, made now if it is not there. Blocks.

    BadRecording, StillRecording, OSError (disk full …).
    """
    path = wav.with_name(wav.name + SUFFIX)
    changed = wav.stat().st_mtime_ns
    with contextlib.suppress(FileNotFoundError):
        if path.stat().st_mtime_ns == changed:
            return path
    with reading(wav) as reader:
        content = of(reader)
    descriptor, name = tempfile.mkstemp(SUFFIX, ".", wav.parent)
    try:
        with os.fdopen(descriptor, "wb") as made:
            made.write(content)
        os.utime(name, ns=(changed, changed))
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    return path


def of(reader: Reader, most_steps: int = MOST_STEPS) -> bytes:
    """The content of the file, of a recording that was just opened."""
    sound = reader.sound
    step = max(1, sound.rate * STEP_MS // 1000)
    step *= max(1, -(-sound.frames // (step * most_steps)))
    left = np.zeros((0, sound.channels), np.float32)
    found: list[npt.NDArray[np.int8]] = []
    for block in reader.blocks():
        samples = np.concatenate((left, block))
        whole = len(samples) // step * step
        found.append(_peaks(samples[:whole].reshape(-1, step, sound.channels)))
        left = samples[whole:]
    if len(left):
        found.append(_peaks(left[np.newaxis]))
    peaks = np.concatenate(found) if found else np.zeros((0, sound.channels, 2), np.int8)
    head = _HEAD.pack(_VERSION, _EIGHT_BIT, sound.rate, step, len(peaks), sound.channels)
    return head + peaks.tobytes()


def _peaks(steps: Samples) -> npt.NDArray[np.int8]:
    """[steps, samples, channels] -> [steps, channels, least and greatest]."""
    both = np.stack((steps.min(axis=1), steps.max(axis=1)), axis=-1)
    peaks: npt.NDArray[np.int8] = np.clip(np.rint(both * 128), -128, 127).astype(np.int8)
    return peaks
