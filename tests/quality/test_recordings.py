"""Files that claim to be recordings: read, or refused with a reason, whatever their bytes."""

from __future__ import annotations

import hashlib
import os
import struct
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.quality.sounds import silence, stereo, tone, write

from sottovoce.quality import recordings, voices
from sottovoce.quality.recordings import BadRecording, RecordedSound, StillRecording


def riff(*chunks: tuple[bytes, bytes]) -> bytes:
    body = b"WAVE" + b"".join(name + struct.pack("<I", len(data)) + data for name, data in chunks)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def form(kind: int = 1, channels: int = 1, rate: int = 8000, bits: int = 16) -> tuple[bytes, bytes]:
    frame = channels * bits // 8
    return b"fmt ", struct.pack("<HHIIHH", kind, channels, rate, rate * frame & 0xFFFFFFFF, frame, bits)


DATA = (b"data", b"\0\1" * 400)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "no WAV"),
        (b"RIFF", "no WAV"),
        (riff(form()), "no"),
        (riff(form(), (b"data", b"")), "holds no sound"),
        (riff(form(channels=3), (b"data", bytes(600))), "3 channels"),
        (riff(form(rate=4000), DATA), "4000 samples"),
        (riff(form(rate=96000), DATA), "96000 samples"),
        (riff(form(kind=3, bits=32), DATA), "FLOAT"),
        (b"\x7fELF" + bytes(500), "no WAV"),
    ],
)
def test_what_is_no_recording(tmp_path: Path, data: bytes, why: str) -> None:
    path = tmp_path / "x.wav"
    path.write_bytes(data)
    with pytest.raises(BadRecording, match=why):
        recordings.measured(path)


def test_another_format_under_the_name(tmp_path: Path) -> None:
    path = tmp_path / "x.wav"
    soundfile.write(path, silence(1), 8000, format="FLAC")
    with pytest.raises(BadRecording, match="FLAC"):
        recordings.measured(path)


def test_what_is_not_there_or_no_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.wav")
    for path in (tmp_path / "none.wav", tmp_path, tmp_path / "pipe.wav", tmp_path / "a\0b.wav"):
        with pytest.raises(BadRecording):
            recordings.measured(path)


def test_what_is_still_recorded_is_for_later_but_not_for_ever(tmp_path: Path) -> None:
    part = tmp_path / "x.wav.part"
    part.touch()
    with pytest.raises(StillRecording):
        recordings.measured(tmp_path / "x.wav")
    long_ago = time.time() - 2 * recordings.OPEN_AT_MOST_S
    os.utime(part, (long_ago, long_ago))
    with pytest.raises(BadRecording):
        recordings.measured(tmp_path / "x.wav")


def test_a_recording_cut_off_counts_as_far_as_it_goes(tmp_path: Path) -> None:
    path = write(tmp_path / "x.wav", tone(4))
    with path.open("r+b") as file:
        file.truncate(44 + 2 * 8000)
    assert recordings.measured(path) == RecordedSound(1, 8000, 8000, "PCM_16")


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.one_of(
        st.binary(max_size=200),
        st.builds(
            lambda kind, channels, rate, bits, data, cut, at, junk: _harmed(
                riff(form(kind, channels, rate, bits), (b"data", data))[: cut or None], at, junk
            ),
            st.sampled_from([1, 2, 3, 6, 7, 17, 0xFFFE]),
            st.integers(0, 3),
            st.sampled_from([0, 1, 8000, 16000, 44100, 2**32 - 1]),
            st.sampled_from([0, 4, 8, 16, 24, 32]),
            st.binary(max_size=3000),
            st.integers(0, 60),
            st.integers(0, 60),
            st.binary(max_size=4),
        ),
    )
)
def test_no_bytes_are_more_than_a_mistake(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "x.wav"
    path.write_bytes(data)
    try:
        found = voices.listen(path)
    except BadRecording:
        return
    assert found.duration_s > 0


def _harmed(data: bytes, at: int, junk: bytes) -> bytes:
    return data[:at] + junk + data[at + len(junk) :]


@pytest.mark.parametrize("coding", recordings.CODINGS)
def test_kept_whole_with_channels_exchanged(tmp_path: Path, coding: str) -> None:
    source = write(tmp_path / "s.wav", stereo(tone(1.5, 300), tone(1.2, 500)), coding)
    target = tmp_path / "deep" / "er" / "t.wav"
    kept = recordings.store(source, target)
    assert (kept.channels, kept.rate, kept.frames, kept.coding) == (2, 8000, 12000, coding)
    assert kept.sha256 == hashlib.sha256(source.read_bytes()).hexdigest()
    assert target.read_bytes() == source.read_bytes()
    kept = recordings.store(source, target, swapped=True)
    assert kept.sha256 == hashlib.sha256(target.read_bytes()).hexdigest()
    before, _ = soundfile.read(source, dtype="int32")
    after, _ = soundfile.read(target, dtype="int32")
    assert np.array_equal(before[:, ::-1], after)
    assert [path.name for path in target.parent.iterdir()] == ["t.wav"]


def test_what_is_bad_leaves_nothing_behind(tmp_path: Path) -> None:
    target = tmp_path / "kept" / "t.wav"
    for source in (b"nothing", tmp_path / "none.wav"):
        with pytest.raises(BadRecording):
            recordings.store(source, target)
    assert list(target.parent.iterdir()) == []


@pytest.mark.parametrize("recording", ["../x.wav", "/etc/passwd", "a/../../x", "a\0b"])
def test_a_path_that_leads_elsewhere(tmp_path: Path, recording: str) -> None:
    with pytest.raises(BadRecording):
        recordings.inside(tmp_path, recording)


def test_a_path_inside_is_followed(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "kept", target_is_directory=True)
    inside = tmp_path.resolve() / "kept" / "a.wav"
    for recording in ("kept/a.wav", str(tmp_path / "kept/a.wav"), "link/a.wav", "kept/../kept/a.wav"):
        assert recordings.inside(tmp_path, recording) == inside
