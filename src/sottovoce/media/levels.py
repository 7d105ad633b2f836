"""Levels in dBov (ITU-T G.100.1): 0 is a full-scale square wave, a full-scale sine -3.01, silence -127."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from sottovoce.domain.audio import Samples

SILENCE_DBOV = -127.0
EVERY = 4
"""A slot is measured in one of this many calls."""


def powers(frames: Samples) -> npt.NDArray[np.float64]:
    """Mean square of each frame [m, n], relative to full scale."""
    wave = frames.astype(np.float32)
    mean: npt.NDArray[np.float64] = np.einsum("ij,ij->i", wave, wave) / (frames.shape[1] * 32768.0**2)
    return mean


def dbov(power: float) -> float:
    """The level of a power relative to full scale."""
    return SILENCE_DBOV if power <= 0.0 else max(SILENCE_DBOV, float(10.0 * np.log10(power)))


class Meters:
    """The level of every slot, over its last few hundred ms."""

    def __init__(self, capacity: int) -> None:
        self._power = np.zeros(capacity)
        self._turn = 0

    def reset(self, slot: int) -> None:
        """Zero a slot."""
        self._power[slot] = 0.0

    def measure(self, frames: Samples) -> None:
        """Measure some of the slots 0..n-1, each in its turn."""
        part = slice(self._turn, len(frames), EVERY)
        self._turn = (self._turn + 1) % EVERY
        self._power[part] += 0.5 * (powers(frames[part]) - self._power[part])

    def level(self, slot: int) -> float:
        """dBov; after some seconds of silence -127."""
        return dbov(float(self._power[slot]))
