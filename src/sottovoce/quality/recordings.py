"""Recordings as files: WAV of one or two channels, read block by block, whoever wrote them.

libsndfile reads them (by `soundfile`): it knows the shapes that other recorders give the format, and
damaged headers. What is no sound that this half can use is told by `BadRecording`, never by a crash.
"""

from __future__ import annotations

import os
import shutil
import stat
import struct
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
import numpy.typing as npt
import soundfile

from sottovoce.digests import file_sha256
from sottovoce.domain.legs import UNFINISHED

OPEN_AT_MOST_S = 3600.0
"""A recording to which nobody has written for so long is not open but lost."""
LARGEST_FILE = 2 << 30
"""Bytes of an imported one."""
CODINGS = {
    "PCM_U8": "8-bit PCM",
    "PCM_16": "16-bit PCM",
    "PCM_24": "24-bit PCM",
    "ALAW": "A-law",
    "ULAW": "µ-law",
}
RATES = range(8000, 48001)
"""Samples per second."""

_ENDLESS = 0xFFFFFFFF
"""The length that a recorder writes which cannot go back to its file's begin."""
_WANTED_TAGS = (1, 6, 7, 0xFFFE)
_FOREIGN_TAGS = {
    0x02: "ADPCM",
    0x03: "floating point",
    0x11: "IMA ADPCM",
    0x31: "GSM 6.10",
    0x42: "G.723.1",
    0x45: "G.726",
    0x50: "MPEG",
    0x55: "MP3",
    0x83: "G.729",
    0xFF: "AAC",
}
"""What other recorders put into a WAV, by the number in its `fmt ` chunk."""

Samples = npt.NDArray[np.float32]


class BadRecording(Exception):
    """No recording that can be used; the text says why, without its folder."""


class StillRecording(Exception):
    """Not closed yet: to be tried again."""


@dataclass(frozen=True, slots=True)
class RecordedSound:
    """What a file holds."""

    channels: int
    rate: int
    """Samples per second and channel."""
    frames: int
    """Samples per channel, as the file says."""
    coding: str
    """One of CODINGS."""

    @property
    def duration_s(self) -> float:
        """The length of the recording in seconds."""
        return self.frames / self.rate


class Reader:
    """An open recording."""

    def __init__(self, file: soundfile.SoundFile, sound: RecordedSound) -> None:
        self._file, self.sound = file, sound

    def blocks(self) -> Iterator[Samples]:
        """Its samples from -1 to 1, [frames, channels], a second at a time. BadRecording."""
        while True:
            try:
                block = self._file.read(self.sound.rate, dtype="float32", always_2d=True)
            except (soundfile.SoundFileError, RuntimeError, ValueError) as failure:
                raise BadRecording(_why(failure)) from failure
            if not len(block):
                return
            yield block


def inside(folder: Path, recording: str) -> Path:
    """The path of a recording, with nothing left in it that leads elsewhere. Blocks.

    BadRecording where it leads out of `folder`, by itself or by a link.
    """
    try:
        path = (folder / recording).resolve()
        if path.is_relative_to(folder.resolve()):
            return path
    except (OSError, ValueError, RuntimeError) as failure:
        raise BadRecording("its path cannot be followed") from failure
    raise BadRecording("its path leads out of the folder of recordings")


def state(path: Path) -> os.stat_result:
    """What the system says of a recording's file. BadRecording, StillRecording. Blocks."""
    try:
        found = path.stat()
    except (OSError, ValueError) as failure:
        if _open(path):
            raise StillRecording(f"{path.name} is still being recorded") from failure
        reason = failure.strerror if isinstance(failure, OSError) else None
        raise BadRecording(f"the file cannot be read: {reason or failure}") from failure
    if not stat.S_ISREG(found.st_mode):
        raise BadRecording("it is no file")
    return found


@contextmanager
def reading(path: Path) -> Iterator[Reader]:
    """Open a WAV: mono or stereo, CODINGS, RATES. BadRecording, StillRecording. Blocks."""
    state(path)
    try:
        file = soundfile.SoundFile(path)
    except (soundfile.SoundFileError, OSError, RuntimeError, ValueError, TypeError) as failure:
        raise BadRecording(_coding(path) or _why(failure)) from failure
    with file:
        yield Reader(file, _sound(file))


def measured(path: Path) -> RecordedSound:
    """What a WAV holds. BadRecording, StillRecording. Blocks."""
    with reading(path) as reader:
        return reader.sound


def _coding(path: Path) -> str:
    """Why the samples cannot be read, where that is their coding."""
    try:
        with path.open("rb") as file:
            form = next((body for name, body in _chunks(file) if name == b"fmt "), b"")
    except OSError:
        return ""
    tag = int.from_bytes(form[:2], "little") if len(form) >= 2 else _WANTED_TAGS[0]
    if tag in _WANTED_TAGS:
        return ""
    name = _FOREIGN_TAGS.get(tag, f"of the format 0x{tag:04X}")
    return f"its samples are {name}; wanted: {', '.join(CODINGS.values())}"


def _chunks(file: BinaryIO) -> Iterator[tuple[bytes, bytes]]:
    """The chunks of a RIFF file: name and the first bytes; the file stands behind the chunk's head then."""
    if (head := file.read(12))[:4] != b"RIFF" or head[8:] != b"WAVE":
        return
    at, size = 12, os.fstat(file.fileno()).st_size
    while at + 8 <= size:
        file.seek(at)
        name, length = struct.unpack("<4sI", file.read(8))
        yield name, struct.pack("<I", length) if name == b"data" else file.read(min(length, 64))
        if name == b"data" and (length in (0, _ENDLESS) or at + 8 + length > size):
            return
        at += 8 + length + length % 2


def _sound(file: soundfile.SoundFile) -> RecordedSound:
    if file.format not in ("WAV", "WAVEX"):
        raise BadRecording(f"it is {file.format}, not WAV")
    if file.subtype not in CODINGS:
        raise BadRecording(f"its samples are {file.subtype}; wanted: {', '.join(CODINGS.values())}")
    if file.channels not in (1, 2):
        raise BadRecording(f"it has {file.channels} channels; wanted: 1 or 2")
    if file.samplerate not in RATES:
        raise BadRecording(f"it has {file.samplerate} samples a second; wanted: {RATES[0]} to {RATES[-1]}")
    if file.frames <= 0:
        raise BadRecording("it holds no sound")
    return RecordedSound(file.channels, file.samplerate, file.frames, file.subtype)


def _open(path: Path) -> bool:
    """Whether the recorder still writes that file."""
    try:
        written = os.stat(path.with_name(path.name + UNFINISHED)).st_mtime
    except (OSError, ValueError):
        return False
    return time.time() - written < OPEN_AT_MOST_S


def _why(failure: Exception) -> str:
    text = getattr(failure, "error_string", None) or str(failure)
    return f"it is no WAV that can be read: {text.strip().rstrip('.')}"


@dataclass(frozen=True, slots=True)
class StoredSound(RecordedSound):
    """A recording that was kept, and the SHA-256 of its file."""

    sha256: str
    """Hexadecimal."""
    fault: str = ""
    """What was wrong with the file, and is mended."""


def store(source: Path | bytes, target: Path, *, swapped: bool = False) -> StoredSound:
    """Keep a WAV under `target`, wholly or not at all; `swapped` exchanges its channels. What it holds.

    Doing it again replaces the file by the same. BadRecording, OSError (disk full …). Blocks.
    """
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        size = len(source) if isinstance(source, bytes) else source.stat().st_size
    except OSError as failure:
        raise BadRecording(f"the file cannot be read: {failure.strerror}") from failure
    if size > LARGEST_FILE:
        raise BadRecording(f"it is larger than {LARGEST_FILE >> 20} MB")
    descriptor, name = tempfile.mkstemp(".import", ".", target.parent)
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as made:
            if isinstance(source, bytes):
                made.write(source)
            else:
                with source.open("rb") as file:
                    shutil.copyfileobj(file, made, 1 << 20)
            made.flush()
            fault = _mend(temporary)
            sound = measured(temporary)
            if swapped and sound.channels == 2:
                _swap(temporary, sound)
            os.fsync(made.fileno())
        digest = file_sha256(temporary)
        os.replace(temporary, target)
        return StoredSound(sound.channels, sound.rate, sound.frames, sound.coding, digest, fault)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _mend(path: Path) -> str:
    """Make one piece of all sound, whatever its recorder left; what was wrong with the file, if anything.

    A recorder that died wrote no lengths, or lengths of what it never wrote, or began a second piece.
    """
    pieces, form = list[tuple[int, int]](), b""
    with path.open("rb") as file:
        size, said = os.fstat(file.fileno()).st_size, 0
        for name, body in _chunks(file):
            if name == b"fmt ":
                form = body
            elif name == b"data":
                said = int.from_bytes(body, "little")
                begin = file.tell()
                open_end = said in (0, _ENDLESS) or begin + said > size
                pieces.append((begin, size - begin if open_end else said))
        length = sum(there for _, there in pieces)
        if not form or not length or (len(pieces) == 1 and pieces[0][1] == said):
            return ""
        whole = path.with_suffix(".whole")
        try:
            with whole.open("xb") as made:
                made.write(
                    struct.pack("<4sI4s4sI", b"RIFF", 20 + len(form) + length, b"WAVE", b"fmt ", len(form))
                )
                made.write(form + struct.pack("<4sI", b"data", length))
                for begin, there in pieces:
                    file.seek(begin)
                    while there and (some := file.read(min(there, 1 << 20))):
                        made.write(some)
                        there -= len(some)
            with whole.open("rb") as source, path.open("r+b") as target:
                target.truncate()
                shutil.copyfileobj(source, target, 1 << 20)
        finally:
            whole.unlink(missing_ok=True)
    if len(pieces) > 1:
        return f"the WAV has its sound in {len(pieces)} pieces, which are joined"
    if said == _ENDLESS:
        return ""
    if said == 0:
        return "the WAV was never closed; it is read to its end"
    return f"the WAV is cut off: {length} of {said} bytes of sound are there"


def _swap(path: Path, sound: RecordedSound) -> None:
    """Exchange both channels of a WAV; the coding stays, no sample changes."""
    swapped = path.with_suffix(".swapped")
    try:
        with (
            soundfile.SoundFile(path) as old,
            soundfile.SoundFile(swapped, "x", sound.rate, 2, sound.coding, format="WAV") as new,
        ):
            while len(block := old.read(sound.rate, dtype="int32", always_2d=True)):
                new.write(np.ascontiguousarray(block[:, ::-1]))
        with swapped.open("rb") as source, path.open("r+b") as file:
            file.truncate()
            shutil.copyfileobj(source, file, 1 << 20)
    except (soundfile.SoundFileError, RuntimeError, ValueError) as failure:
        raise BadRecording(_why(failure)) from failure
    finally:
        swapped.unlink(missing_ok=True)
