from __future__ import annotations

import numpy as np
import pytest

from sottovoce.media import concealment


def wave(hz: float, count: int, start: int = 0) -> np.ndarray:
    return np.rint(8000 * np.sin(2 * np.pi * hz * np.arange(start, start + count) / 8000)).astype(np.int16)


@pytest.mark.parametrize("period", [41, 50, 64, 80, 100, 119])
def test_the_period_of_a_voice_is_found(period: int) -> None:
    pulses = np.zeros(320, np.int16)
    pulses[::period] = 9000
    smooth = np.convolve(pulses, np.hanning(15), "same").astype(np.int16)
    lag = int(concealment.pitch(smooth[None, :])[0])
    assert lag % period <= 1 or period - lag % period <= 1


def test_rows_do_not_touch_each_other() -> None:
    rows = np.stack([wave(hz, 320) for hz in (100, 150, 333, 0)])
    together = concealment.pitch(rows)
    assert together.tolist() == [int(concealment.pitch(row[None, :])[0]) for row in rows]


def test_an_extension_goes_on_in_step() -> None:
    history = wave(100, 320)[None, :]
    lags = concealment.pitch(history)
    assert np.abs(concealment.extension(history, lags, 160)[0].astype(int) - wave(100, 160, 320)).max() <= 2


def test_an_extension_is_silent_after_sixty_milliseconds() -> None:
    frames = np.full((4, 160), 10000, np.int16)
    ends = concealment.faded(frames, np.arange(4))
    assert ends[0, 0] == 10000
    assert (np.diff(ends[:3].astype(int), axis=1) <= 0).all()
    assert ends[2, -1] < 100
    assert not ends[3].any()


def test_joins_and_crossfades_begin_with_the_one_and_end_with_the_other() -> None:
    one, other = np.full((1, 160), 1000, np.int16), np.full((1, 160), -1000, np.int16)
    assert concealment.joined(other, one)[0, [0, 40, 159]].tolist() == [1000, -1000, -1000]
    faded = concealment.crossfaded(one, other)[0]
    assert faded[0] == 1000
    assert faded[-1] < -980
