"""WAV files at 8 kHz: begun, made whole and measured as the recorder needs it, and read to be played.

A recording is 16-bit PCM, written under `<name>.part`. It begins with a header whose lengths are zero;
its samples count as far as the file reaches, so that a crash costs none that are on the disk. Reading is
libsndfile's (by `soundfile`).
"""

from __future__ import annotations

import contextlib
import io
import os
import struct
import time
from pathlib import Path
from typing import BinaryIO

import numpy as np
import soundfile

from sottovoce.domain.audio import RATE, Samples
from sottovoce.domain.legs import UNFINISHED

SAMPLE_BYTES = 2
HEADER_BYTES = 44
MOST_FRAMES = (0xFFFF_FFFF - HEADER_BYTES) // 4
"""A WAV's lengths have 32 bits: 37 hours of stereo."""
LONGEST_S = 3600
"""Of a file to be played; 58 MB of memory while it is."""
_PLAYED = ("PCM_16", "ALAW", "ULAW")


class WavError(ValueError):
    """Not a WAV file of the wanted kind."""


def header(channels: int, frames: int) -> bytes:
    """The 44 bytes before the samples of a 16-bit PCM WAV."""
    block = channels * SAMPLE_BYTES
    data = frames * block
    return struct.pack(
        "<4sI4s4sIHHIIHH4sI",
        b"RIFF", data + HEADER_BYTES - 8, b"WAVE",
        b"fmt ", 16, 1, channels, RATE, RATE * block, block, SAMPLE_BYTES * 8,
        b"data", data,
    )  # fmt: skip


def part_of(path: Path) -> Path:
    """Where a WAV is while it is written."""
    return path.with_name(path.name + UNFINISHED)


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


def discard(path: Path) -> None:
    """Remove a `.part` that came to nothing."""
    with contextlib.suppress(OSError):
        part_of(path).unlink(missing_ok=True)


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


def read(path: Path, rest_s: float = 0.0) -> Samples:
    """The samples of an 8 kHz WAV, both channels of a stereo one in one: 16-bit PCM, A-law or µ-law.

    It rests so long after each second of sound: for others in this process. WavError, OSError."""
    with path.open("rb") as file:
        return _samples(file, rest_s)


def parse(data: bytes) -> Samples:
    """The same of a WAV in memory. WavError."""
    return _samples(io.BytesIO(data))


def _samples(opened: BinaryIO, rest_s: float = 0.0) -> Samples:
    """A second at a time, so that a stereo file never stands in memory whole."""
    try:
        with soundfile.SoundFile(opened) as file:
            if file.format not in ("WAV", "WAVEX") or file.subtype not in _PLAYED:
                raise WavError(f"{file.format} with {file.subtype}; wanted: WAV with 16-bit PCM or G.711")
            if file.samplerate != RATE or file.channels not in (1, 2):
                raise WavError(f"{file.samplerate} Hz, {file.channels} channels; wanted: {RATE} Hz, 1 or 2")
            if file.frames > LONGEST_S * RATE:
                raise WavError(f"it is longer than {LONGEST_S} s")
            samples, filled = np.zeros(max(0, file.frames), np.int16), 0
            while filled < len(samples) and len(block := file.read(RATE, dtype="int16", always_2d=True)):
                mixed = block[:, 0] if file.channels == 1 else _both(block)
                samples[filled : filled + len(block)] = mixed
                filled += len(block)
                time.sleep(rest_s)
            return samples[:filled]
    except (soundfile.SoundFileError, RuntimeError, TypeError) as failure:
        raise WavError(f"not a WAV file: {failure}") from failure


def _both(block: Samples) -> Samples:
    """Two channels as they are heard together."""
    both: Samples = np.clip(block.sum(axis=1, dtype=np.int32), -32768, 32767).astype(np.int16)
    return both
