"""WAV files at 8 kHz: written block by block, repaired after a crash, read to be played.

Written files are 16-bit PCM with a 44-byte header whose sizes are set when the file is closed;
until then they say 0, and `repair` sets them from the file's length.
"""

from __future__ import annotations

import os
import struct
from pathlib import Path

import numpy as np

from sottovoce.domain.legs import Codec
from sottovoce.media import g711
from sottovoce.media.g711 import Samples

RATE = 8000
HEADER = 44
LARGEST_READ = 64 << 20
"""Bytes of a file to be played: over an hour of PCM."""
_MOST_DATA = 0xFFFFFFFF - 36
_CODECS = {6: Codec.PCMA, 7: Codec.PCMU}


class WavError(ValueError):
    """Not a WAV file of the wanted kind."""


def header(channels: int, data_bytes: int) -> bytes:
    """The 44 bytes before the samples."""
    size = min(data_bytes, _MOST_DATA)
    frame = 2 * channels
    return struct.pack(
        "<4sI4s4sIHHIIHH4sI",
        b"RIFF", 36 + size, b"WAVE",
        b"fmt ", 16, 1, channels, RATE, RATE * frame, frame, 16,
        b"data", size,
    )  # fmt: skip


class WavWriter:
    """A WAV file being written; OSError from any method when the disk is full or gone."""

    def __init__(self, path: Path, channels: int) -> None:
        self.path = path
        self.frames = 0
        """Samples per channel written so far."""
        self._channels = channels
        self._file = path.open("xb", buffering=0)
        self._write(header(channels, 0))

    def write(self, block: Samples) -> None:
        """Append samples, [n] or [n, channels]."""
        self._write(block.astype("<i2", copy=False).tobytes())
        self.frames += len(block)

    def write_silence(self, frames: int) -> None:
        """Append silence."""
        while frames > 0:
            piece = min(frames, RATE)
            self.write(np.zeros((piece, self._channels), np.int16))
            frames -= piece

    def close(self) -> None:
        """Set the sizes and close."""
        try:
            self._file.seek(0)
            self._write(header(self._channels, self.frames * 2 * self._channels))
        finally:
            self._file.close()

    def abandon(self) -> None:
        """Close as it is, for a disk that failed; `repair` may mend the file later."""
        self._file.close()

    def _write(self, data: bytes) -> None:
        left = memoryview(data)
        while left:
            left = left[self._file.write(left) :]


def repair(path: Path) -> int:
    """Set the sizes of a file that a crash left open, from its length, and cut off half a frame.

    Returns samples per channel. WavError if it does not begin like one of ours."""
    with path.open("r+b") as file:
        begin = file.read(HEADER)
        if len(begin) < HEADER or begin[:4] != b"RIFF" or begin[8:16] != b"WAVEfmt ":
            raise WavError(f"{path.name} is not a WAV file of ours")
        channels = int.from_bytes(begin[22:24], "little")
        if channels not in (1, 2) or begin != header(channels, int.from_bytes(begin[40:44], "little")):
            raise WavError(f"{path.name} is not a WAV file of ours")
        frames = (os.fstat(file.fileno()).st_size - HEADER) // (2 * channels)
        size = frames * 2 * channels
        file.truncate(HEADER + size)
        file.seek(0)
        file.write(header(channels, size))
    return frames


def read(path: Path) -> Samples:
    """The samples of an 8 kHz mono WAV: 16-bit PCM, A-law or µ-law. WavError, OSError."""
    with path.open("rb") as file:
        data = file.read(LARGEST_READ + 1)
    if len(data) > LARGEST_READ:
        raise WavError(f"{path.name} is longer than {LARGEST_READ >> 20} MB")
    return parse(data)


def parse(data: bytes) -> Samples:
    """The samples of an 8 kHz mono WAV in memory. WavError."""
    if len(data) < 12 or data[:4] != b"RIFF" or data[8:12] != b"WAVE":
        raise WavError("not a WAV file")
    at, form = 12, None
    while at + 8 <= len(data):
        name, size = data[at : at + 4], int.from_bytes(data[at + 4 : at + 8], "little")
        body = data[at + 8 : at + 8 + size]
        if name == b"fmt " and len(body) >= 16:
            form = struct.unpack_from("<HHIIHH", body)
        elif name == b"data":
            if form is None:
                raise WavError("no format before the samples")
            return _samples(form, body)
        at += 8 + size + size % 2
    raise WavError("no samples")


def _samples(form: tuple[int, ...], body: bytes) -> Samples:
    kind, channels, rate, _, _, bits = form
    if rate != RATE or channels != 1:
        raise WavError(f"{rate} Hz with {channels} channels; wanted: {RATE} Hz, mono")
    if kind == 1 and bits == 16:
        return np.frombuffer(body[: len(body) // 2 * 2], "<i2").astype(np.int16)
    if kind in _CODECS and bits == 8:
        return g711.decode(np.frombuffer(body, np.uint8), _CODECS[kind])
    raise WavError(f"format {kind} with {bits} bits; wanted: 16-bit PCM or G.711")
