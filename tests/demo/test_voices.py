"""The recordings are there, small, and fit for a telephone."""

from __future__ import annotations

import pytest

from sottovoce.demo.voices import LINES, SPEECH, recording
from sottovoce.domain.audio import RATE
from sottovoce.media import wav
from sottovoce.phones import tones


@pytest.mark.parametrize("name", LINES)
def test_a_recording_is_telephone_speech(name: str) -> None:
    samples = wav.read(recording(name))
    assert 4 * RATE < samples.size < 15 * RATE
    assert -30.0 < tones.rms_level(samples) < -17.0


def test_all_of_them_are_small() -> None:
    files = list(SPEECH.glob("*.wav"))
    assert {file.stem for file in files} == set(LINES)
    assert sum(file.stat().st_size for file in files) < 1_000_000
