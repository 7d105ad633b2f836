from __future__ import annotations

import numpy as np
import pytest

from sottovoce.media import levels
from sottovoce.media.levels import EVERY, Meters
from sottovoce.phones.tones import rms_level, tone


def test_levels_are_dbov() -> None:
    square = np.where(np.arange(160) % 2, 32767, -32767).astype(np.int16)
    assert levels.dbov(float(levels.powers(square[None, :])[0])) == pytest.approx(0.0, abs=0.01)
    assert levels.dbov(0.0) == -127.0
    wave = tone(1000, 160, level_dbov=-20.0)
    assert levels.dbov(float(levels.powers(wave[None, :])[0])) == pytest.approx(rms_level(wave), abs=0.01)


def test_a_meter_follows_and_falls_back_to_silence() -> None:
    meters = Meters(11)
    frames = np.zeros((11, 160), np.int16)
    frames[10] = tone(1000, 160, level_dbov=-15.0)
    for _ in range(EVERY * 12):
        meters.measure(frames)
    assert meters.level(10) == pytest.approx(-15.0, abs=0.1)
    assert meters.level(3) == -127.0
    meters.reset(10)
    assert meters.level(10) == -127.0
