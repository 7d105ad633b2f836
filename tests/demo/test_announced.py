"""What callers are told is there in every language, whole, and fit for a telephone."""

from __future__ import annotations

import pytest

from sottovoce.demo.announced import VOICES, lines
from sottovoce.domain.audio import RATE
from sottovoce.domain.directory import Announcing
from sottovoce.domain.queueing import NUMBERS, words
from sottovoce.media import wav
from sottovoce.media.engine import SPOKEN
from sottovoce.phones import tones


@pytest.mark.parametrize("language", VOICES)
def test_every_word_is_recorded(language: str) -> None:
    files = {path.stem: path for path in (SPOKEN / language).glob("*.wav")}
    assert set(files) == set(lines(language))
    told = Announcing(wait=True)
    for position in range(1, len(NUMBERS) + 2):
        for wait_s in (None, 60.0 * position):
            assert files.keys() >= set(words(told, position, wait_s))
    for path in files.values():
        samples = wav.read(path)
        assert 0.1 * RATE < samples.size < 5 * RATE, path
        assert -35.0 < tones.rms_level(samples) < -15.0, path
    assert sum(path.stat().st_size for path in files.values()) < 300_000
