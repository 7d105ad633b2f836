from __future__ import annotations

import contextlib
import struct
import wave
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sottovoce.domain.legs import Codec, LegId, Recording, RecordingId
from sottovoce.media import codecs, wav
from sottovoce.media.inprocess import FileSink
from sottovoce.media.repair import repair_recording
from sottovoce.media.wav import WavError


def written(path: Path, channels: int, frames: int) -> np.ndarray:
    samples = np.arange(frames * channels, dtype=np.int16).reshape(frames, channels)
    path.write_bytes(wav.header(channels, 0) + samples.astype("<i2").tobytes())
    return samples


def read_by_another(path: Path) -> np.ndarray:
    with wave.open(str(path)) as file:
        assert (file.getframerate(), file.getsampwidth()) == (8000, 2)
        data = file.readframes(file.getnframes())
        return np.frombuffer(data, "<i2").reshape(-1, file.getnchannels())


@pytest.mark.parametrize("channels", [1, 2])
def test_a_finished_file_is_read_by_another(tmp_path: Path, channels: int) -> None:
    path = tmp_path / "a.wav"
    samples = written(path, channels, 1001)
    assert wav.measure(path) == (channels, 1001)
    with path.open("r+b") as file:
        wav.finish(file.fileno(), channels, 1001)
    assert np.array_equal(read_by_another(path), samples)
    assert wav.measure(path) == (channels, 1001)


def test_the_engine_without_processes_never_writes_over_a_file(tmp_path: Path) -> None:
    call = Recording(RecordingId("r"), tmp_path / "a.wav", LegId("c"), LegId("a"))
    sink = FileSink()
    sink.begin(call)
    sink.end(call.recording, 0)
    with pytest.raises(OSError, match="exists"):
        FileSink().begin(call)


def test_the_engine_without_processes_pads_a_track(tmp_path: Path) -> None:
    sink = FileSink()
    sink.begin_track(RecordingId("r"), LegId("i"), tmp_path / "a.wav", 20_001)
    sink.write(RecordingId("r"), LegId("i"), np.ones(3, np.int16))
    sink.end(RecordingId("r"), 20_004)
    track = read_by_another(tmp_path / "a.wav")
    assert track.shape == (20_004, 1)
    assert not track[:-3].any()
    assert track[-3:].all()


@pytest.mark.parametrize("cut", [0, 1, 3])
def test_a_file_left_open_by_a_crash_is_repaired(tmp_path: Path, cut: int) -> None:
    call = Recording(RecordingId("r"), tmp_path / "a.wav", LegId("c"), LegId("a"))
    part = wav.part_of(call.path)
    samples = written(part, 2, 1000)
    with part.open("r+b") as file:
        file.truncate(part.stat().st_size - cut)
    whole = 1000 if cut == 0 else 999
    assert repair_recording(call).frames == whole
    assert np.array_equal(read_by_another(call.path), samples[:whole])
    assert repair_recording(call).frames == whole


@pytest.mark.parametrize("data", [b"", b"RIFF", b"x" * 100, b"RIFF\0\0\0\0WAVEfmt " + bytes(100)])
def test_what_is_not_ours_is_not_measured(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(data)
    assert wav.measure(path) is None
    assert path.read_bytes() == data


def riff(kind: int, bits: int, body: bytes, *, rate: int = 8000, channels: int = 1) -> bytes:
    form = struct.pack("<HHIIHH", kind, channels, rate, rate, channels * bits // 8, bits)
    chunks = b"LIST\x03\0\0\0abc\0" + b"fmt " + struct.pack("<I", 16) + form
    chunks += b"data" + struct.pack("<I", len(body)) + body
    return b"RIFF" + struct.pack("<I", 4 + len(chunks)) + b"WAVE" + chunks


def test_pcm_and_both_laws_are_read(tmp_path: Path) -> None:
    samples = np.arange(-300, 300, dtype=np.int16)
    path = tmp_path / "a.wav"
    path.write_bytes(riff(1, 16, samples.tobytes()))
    assert np.array_equal(wav.read(path), samples)
    for kind, codec in ((7, Codec.PCMU), (6, Codec.PCMA)):
        codes = codecs.encode(samples, codec)
        assert np.array_equal(wav.parse(riff(kind, 8, codes.tobytes())), codecs.decode(codes, codec))


def test_both_channels_are_heard_together() -> None:
    two = np.array([[1, 2], [30_000, 30_000], [-30_000, -30_000], [7, -7]], np.int16)
    assert wav.parse(riff(1, 16, two.tobytes(), channels=2)).tolist() == [3, 32_767, -32_768, 0]
    long = np.arange(16_000, dtype=np.int16)
    assert np.array_equal(wav.parse(riff(1, 16, np.repeat(long, 2).tobytes(), channels=2)), 2 * long)


def test_what_is_too_long_to_be_played_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wav, "LONGEST_S", 1)
    assert len(wav.parse(riff(1, 16, bytes(16_000)))) == 8000
    with pytest.raises(WavError, match="longer than"):
        wav.parse(riff(1, 16, bytes(16_002)))


@pytest.mark.parametrize(
    "data",
    [
        riff(1, 8, b"abc"),
        riff(1, 16, b"abcd", rate=16000),
        riff(1, 16, b"abcdef", channels=3),
        riff(3, 32, b"abcd"),
        riff(1, 16, b"")[:40],
        b"RIFF\0\0\0\0WAVEdata\x04\0\0\0abcd",
    ],
)
def test_other_kinds_are_refused(data: bytes) -> None:
    with pytest.raises(WavError):
        wav.parse(data)


@given(st.binary(max_size=80), st.booleans())
def test_hostile_files_raise_nothing_else(data: bytes, begin: bool) -> None:
    with contextlib.suppress(WavError):
        wav.parse((b"RIFF\0\0\0\0WAVEfmt " if begin else b"RIFF\0\0\0\0WAVE") + data)
