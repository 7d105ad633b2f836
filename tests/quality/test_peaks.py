"""The peaks of recordings: what they say of the sound, where they end, and that they are made once."""

from __future__ import annotations

import os
import struct
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from tests.quality.sounds import RATE, silence, stereo, tone, write

from sottovoce.quality import peaks
from sottovoce.quality.recordings import BadRecording, reading


def parts(content: bytes) -> tuple[tuple[int, ...], npt.NDArray[np.int8]]:
    """The head without version and flags, and [steps, channels, least and greatest]."""
    version, flags, *head = struct.unpack("<iIiiIi", content[:24])
    assert (version, flags) == (2, 1)
    return tuple(head), np.frombuffer(content[24:], np.int8).reshape(head[2], head[3], 2)


def test_each_channel_s_least_and_greatest_in_steps_of_20_ms(tmp_path: Path) -> None:
    customer = np.concatenate((silence(1), np.full(80, 0.5, np.float32), np.full(80, -1.0, np.float32)))
    wav = write(tmp_path / "a.wav", stereo(customer, tone(2.005)))
    head, found = parts(peaks.kept(wav).read_bytes())
    assert head == (RATE, 160, 101, 2), "the last step is short"
    assert not found[:50, 0].any()
    assert found[50, 0].tolist() == [-128, 64]
    assert not found[51:, 0].any()
    assert np.abs(found[:100, 1].astype(int) - [-38, 38]).max() <= 1, "0.3 of 128"


@pytest.mark.parametrize("rate", [11_025, 44_100, 48_000])
def test_any_rate(tmp_path: Path, rate: int) -> None:
    wav = write(tmp_path / "a.wav", np.full(rate * 3, 0.25, np.float32), rate=rate)
    head, found = parts(peaks.kept(wav).read_bytes())
    step = rate * 20 // 1000
    assert head == (rate, step, -(-rate * 3 // step), 1)
    assert (found == 32).all()


def test_a_long_recording_has_longer_steps_and_no_more_of_them(tmp_path: Path) -> None:
    samples = silence(1.5)
    samples[-1] = 1.0
    with reading(write(tmp_path / "a.wav", samples)) as reader:
        head, found = parts(peaks.of(reader, most_steps=30))
    assert head == (RATE, 480, 25, 1)
    assert found[:, 0, 1].tolist() == [0] * 24 + [127]


def test_they_are_made_once_and_anew_for_another_recording(tmp_path: Path) -> None:
    wav = write(tmp_path / "a.wav", tone(1))
    path = peaks.kept(wav)
    assert path == tmp_path / "a.wav.peaks"
    path.write_bytes(b"kept")
    os.utime(path, ns=(wav.stat().st_mtime_ns,) * 2)
    assert peaks.kept(wav).read_bytes() == b"kept"
    write(wav, tone(2))
    os.utime(wav, ns=(1, 1))
    assert parts(peaks.kept(wav).read_bytes())[0][2] == 100
    assert sorted(one.name for one in tmp_path.iterdir()) == ["a.wav", "a.wav.peaks"]


def test_what_is_no_sound_has_none_and_leaves_nothing(tmp_path: Path) -> None:
    wav = tmp_path / "a.wav"
    wav.write_bytes(b"no sound")
    with pytest.raises(BadRecording):
        peaks.kept(wav)
    assert [one.name for one in tmp_path.iterdir()] == ["a.wav"]
