"""Whether an agent's microphone carries an inspector's whisper back, where the customer hears it.

The last second of the agent's voice is correlated with the whisper before it, at every delay up
to 0.6 s, both thinned out to 2 kHz. Talk of others at the same time lowers the likeness but does
not hide an echo 12 dB below it; voices that are merely alike stay under the threshold.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from sottovoce.domain.audio import FRAME, RATE, Samples
from sottovoce.media.spans import items

THIN = 4
"""Of so many samples one mean is kept."""
THIN_RATE = RATE // THIN
HEARD = THIN_RATE
"""Samples (thinned) of the agent's voice that are looked at: 1 s."""
DELAY = THIN_RATE * 6 // 10
"""The longest echo."""
FRAMES = (HEARD + DELAY) * THIN // FRAME
"""Frames of history that a test needs: 80, 1.6 s."""
LIKENESS = 0.3
"""Correlation from which on it is an echo."""
LEAST_POWER = 10.0 ** (-50.0 / 10.0) * 32768.0**2
"""A whisper, or a voice, below -50 dBov proves nothing."""
EVERY_TICKS, LEAST_TURNS = 4, 10
"""Up to ten pairs are tested every 0.8 s each, more in turn."""
AGAIN_S = 10.0
"""The same echo is told once in this time."""
_SIZE = 1 << (HEARD + DELAY - 1).bit_length()

Wave = npt.NDArray[np.float32]


def thinned(samples: Samples) -> Wave:
    """Means of four samples each: 2 kHz."""
    wave = samples.astype(np.float32)
    means: Wave = (wave[0::4] + wave[1::4] + wave[2::4] + wave[3::4]) * np.float32(1 / THIN)
    return means


def likeness(voice: Wave, whisper: Wave) -> float:
    """How much of the last second of `voice` [3200] is `whisper` [3200] up to 0.6 s before, 0-1."""
    recent = voice[-HEARD:] - voice[-HEARD:].mean()
    past = whisper - whisper.mean()
    energy = float(np.dot(recent, recent))
    if energy < LEAST_POWER * HEARD or float(np.dot(past, past)) < LEAST_POWER * past.size:
        return 0.0
    product = np.fft.irfft(np.fft.rfft(past, _SIZE) * np.conj(np.fft.rfft(recent, _SIZE)), _SIZE)
    sums = np.concatenate([[0.0], np.cumsum(np.square(past, dtype=np.float64))])
    windows = sums[HEARD:] - sums[:-HEARD]
    found = np.abs(product[: DELAY + 1]) / np.sqrt(np.maximum(windows, LEAST_POWER) * energy)
    return float(found.max())


class EchoWatch:
    """The pairs (agent, inspector) in which a whisper must not come back, one tested in every fourth tick."""

    def __init__(self) -> None:
        self._pairs: list[tuple[int, int]] = []
        self._place: dict[int, int] = {}
        self._rows: npt.NDArray[np.intp] = np.zeros(0, np.intp)
        self._places: npt.NDArray[np.intp] = np.zeros(0, np.intp)
        # A tick's frames side by side: they are written at once in every tick, and read seldom.
        self._history = np.zeros((FRAMES, 8, FRAME), np.int16)
        self._free = list(range(8))
        self._since: dict[int, int] = {}
        self._at = 0
        self._ticks = 0
        self._turn = 0
        self._told: dict[tuple[int, int], float] = {}

    def watch(self, pairs: set[tuple[int, int]]) -> None:
        """Watch exactly these (agent, inspector) slots; what is known of the others is forgotten."""
        if pairs == set(self._pairs):
            return
        slots = {slot for pair in pairs for slot in pair}
        for slot in self._place.keys() - slots:
            self._free.append(self._place.pop(slot))
            del self._since[slot]
        for slot in slots - self._place.keys():
            if not self._free:
                places = self._history.shape[1]
                self._free = list(range(places, 2 * places))
                self._history = np.concatenate([self._history, np.zeros_like(self._history)], axis=1)
            place = self._place[slot] = self._free.pop()
            self._history[:, place] = 0
            self._since[slot] = self._ticks
        self._pairs = sorted(pairs)
        self._rows = np.array(list(self._place), np.intp)
        self._places = np.array(list(self._place.values()), np.intp)
        self._told = {pair: at for pair, at in self._told.items() if pair in pairs}

    def forget(self, slot: int) -> None:
        """A slot was closed: nothing of its voice is kept."""
        self.watch({pair for pair in self._pairs if slot not in pair})

    def tick(self, frames: Samples, now: float) -> tuple[int, int] | None:
        """Remember this tick's frames and test one pair; returns it if its echo is new."""
        if not self._pairs:
            return None
        self._ticks += 1
        self._at = (self._at + 1) % FRAMES
        items(self._history[self._at])[self._places] = items(frames).take(self._rows)
        if self._ticks % EVERY_TICKS:
            return None
        self._turn = (self._turn + 1) % max(len(self._pairs), LEAST_TURNS)
        if self._turn >= len(self._pairs):
            return None
        pair = self._pairs[self._turn]
        if now - self._told.get(pair, -np.inf) < AGAIN_S:
            return None
        if self._ticks - max(self._since[slot] for slot in pair) < FRAMES // 2:
            return None
        voice, whisper = (thinned(self._past(slot)) for slot in pair)
        if likeness(voice, whisper) < LIKENESS:
            return None
        self._told[pair] = now
        return pair

    def _past(self, slot: int) -> Samples:
        history = self._history[:, self._place[slot]]
        return np.concatenate([history[self._at + 1 :], history[: self._at + 1]]).reshape(-1)
