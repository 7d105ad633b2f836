from __future__ import annotations

import numpy as np
import pytest

from sottovoce.phones.sources import Speech
from sottovoce.phones.tones import RATE, Samples


def babble(seed: int, seconds: float = 3.0) -> Samples:
    """Something as unsteady as speech: noise bursts of changing loudness."""
    rng = np.random.default_rng(seed)
    loudness = np.repeat(rng.uniform(500, 6000, round(seconds * 10)), RATE // 10)
    noise = rng.standard_normal(loudness.size)
    return np.clip(noise * loudness, -30000, 30000).astype(np.int16)


@pytest.fixture
def speech() -> tuple[Speech, Speech]:
    """Two voices that have nothing to do with each other."""
    return Speech(babble(1), pause_s=0.1), Speech(babble(2), pause_s=0.1)
