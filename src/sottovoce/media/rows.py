"""Who hears whom, as arrays: a sparse row of sources for each listener, and the sum over it.

Sources are rows of a frame array [2 * capacity + 1, 160]: a slot's voice at `slot`, the sound
that is played to a slot at `capacity + slot`, silence at the end.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

from sottovoce.domain.audio import Samples
from sottovoce.errors import Code, Refused
from sottovoce.media.spans import items

MOST_SOURCES = 32
"""Voices that one listener can hear at once."""

Slots = npt.NDArray[np.intp]


class Rows:
    """The rows of all listeners, and the plan by which a tick sums them."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._sources = np.zeros((capacity, MOST_SOURCES + 1), np.intp)
        self._count = np.zeros(capacity, np.intp)
        self._sound = np.zeros(capacity, np.bool_)
        self._plan: list[tuple[Slots, Slots]] | None = None

    def hears(self, listener: int) -> list[int]:
        """The slots that a listener hears."""
        found: list[int] = self._sources[listener, : self._count[listener]].tolist()
        return found

    def pairs(self) -> tuple[Slots, Slots]:
        """Who hears whom: listeners [n] and the sources [n] they hear."""
        listeners = np.repeat(np.arange(self._capacity), self._count)
        columns = np.arange(len(listeners)) - np.repeat(np.cumsum(self._count) - self._count, self._count)
        return listeners, self._sources[listeners, columns]

    def set(self, listener: int, sources: Iterable[int]) -> None:
        """Exactly these slots are heard. BAD_PARAMETER beyond 32."""
        row = sorted(set(sources))
        if len(row) > MOST_SOURCES:
            raise Refused(Code.BAD_PARAMETER, f"a leg hears {MOST_SOURCES} others at most")
        self._sources[listener, : len(row)] = row
        self._count[listener] = len(row)
        self._plan = None

    def set_sound(self, listener: int, sounding: bool) -> None:
        """Whether the listener's own sound is mixed in."""
        if self._sound[listener] != sounding:
            self._sound[listener] = sounding
            self._plan = None

    def without(self, slots: Sequence[int]) -> None:
        """Take these slots out of every row and empty their own."""
        inside = np.arange(MOST_SOURCES + 1) < self._count[:, None]
        for slot in slots:
            for listener in np.flatnonzero(((self._sources == slot) & inside).any(axis=1)).tolist():
                self.set(listener, set(self.hears(listener)) - {slot})
                inside[listener] = np.arange(MOST_SOURCES + 1) < self._count[listener]
            self.set(slot, ())
            inside[slot] = False

    def sum(self, frames: Samples, mixed: Samples) -> None:
        """Sum each listener's sources into `mixed` [capacity, 160], clipped to 16 bits."""
        if self._plan is None:
            self._plan = self._make_plan(mixed)
        for listeners, sources in self._plan:
            voices = [frames.take(row, axis=0) for row in sources]
            if len(voices) == 1:
                total = voices[0]
            elif len(voices) == 2:
                total = _sum_of_two(*voices)
            else:
                total = _sum(voices)
            items(mixed)[listeners] = items(total)

    def _make_plan(self, mixed: Samples) -> list[tuple[Slots, Slots]]:
        sounding = np.flatnonzero(self._sound)
        sources = self._sources.copy()
        sources[sounding, self._count[sounding]] = self._capacity + sounding
        counts = self._count + self._sound
        mixed[counts == 0] = 0
        plan = []
        for count in np.unique(counts):
            if count:
                listeners = np.flatnonzero(counts == count)
                plan.append((listeners, np.ascontiguousarray(sources[listeners, :count].T)))
        return plan


def _sum(voices: Sequence[Samples]) -> Samples:
    total: Samples = np.clip(np.sum(voices, axis=0, dtype=np.int32), -32768, 32767).astype(np.int16)
    return total


def _sum_of_two(one: Samples, other: Samples) -> Samples:
    """The clipped sum of two frames each: added in 16 bits, and the few rows that overflow once more."""
    total = one + other
    signs = (one ^ total) & (other ^ total)
    if signs.size and signs.min() < 0:
        over = signs.min(axis=1) < 0
        total[over] = _sum((one[over], other[over]))
    return total
