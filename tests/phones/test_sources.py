from __future__ import annotations

import numpy as np

from sottovoce.domain.audio import FRAME
from sottovoce.phones import tones
from sottovoce.phones.sources import Babble, Mixed, Quiet, Source, Speech, Tone


def said(source: Source, frames: int) -> np.ndarray:
    return np.concatenate([source.frame() for _ in range(frames)])


def test_a_tone_never_steps() -> None:
    assert np.array_equal(said(Tone(983), 120), tones.tone(983, 120 * FRAME))


def test_quiet_is_digital_silence() -> None:
    assert not said(Quiet(), 3).any()


def test_speech_comes_again_after_its_pause() -> None:
    words = np.arange(1, 401, dtype=np.int16)
    speech = Speech(words, pause_s=0.05, begin_s=0.04)
    first = said(speech, 2)
    assert not first.any()
    once, again = said(speech, 5), said(speech, 5)
    assert np.array_equal(once[:400], words)
    assert not once[400:].any()
    assert np.array_equal(once, again)


def test_no_speech_is_silence() -> None:
    assert not said(Speech(np.zeros(0, dtype=np.int16), pause_s=0.0), 3).any()


def test_babble_is_the_same_for_the_same_seed_and_has_its_level() -> None:
    whole = said(Babble(7), 400)
    assert np.array_equal(whole, said(Babble(7), 400))
    assert not np.array_equal(whole, said(Babble(8), 400))
    assert abs(tones.rms_level(whole) + 20.0) < 0.5


def test_a_mixture_is_clipped() -> None:
    loud = Mixed(Tone(983, level_dbov=-4.0), Tone(983, level_dbov=-4.0))
    assert said(loud, 50).max() == 32767
