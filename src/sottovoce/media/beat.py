"""The 20 ms beat of a worker: absolute deadlines, and how they were kept."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator

import numpy as np

from sottovoce.domain.audio import FRAME_S

MOST_CATCHING_UP = 10
"""A stall of more ticks than this is skipped over: nobody wants to hear it late."""
_KEPT = 8192
STAGES = ("receive", "attribute", "take_in", "mix", "send")
TICK_BOUNDS_S = (0.0005, 0.001, 0.002, 0.004, 0.007, 0.01, 0.015, FRAME_S, 2 * FRAME_S, 5 * FRAME_S)
"""Upper bounds of the classes that ticks are counted in, by the time of their work."""


class Beat:
    """Deadlines 20 ms apart, and the figures of the ticks since the last `reset`."""

    def __init__(self, now: float) -> None:
        self.deadline = now + FRAME_S
        self.classes = [0] * (len(TICK_BOUNDS_S) + 1)
        """All ticks of the process by the time of their work; the last class is above all bounds."""
        self.work_s = 0.0
        """The work of all of them together."""
        self.reset()

    def reset(self) -> None:
        """Begin the figures anew."""
        self._work = np.zeros(_KEPT, np.float32)
        self._late = np.zeros(_KEPT, np.float32)
        self.ticks = self.overruns = self.skipped = 0
        self._most = 0.0
        self._stages = dict.fromkeys(STAGES, 0.0)

    def due(self, now: float) -> Iterator[float]:
        """The deadlines to serve now, each moved on when the next is asked for."""
        behind = int((now - self.deadline) / FRAME_S)
        if behind > MOST_CATCHING_UP:
            self.skipped += behind
            self.deadline += behind * FRAME_S
        while self.deadline <= now:
            yield self.deadline
            self.deadline += FRAME_S

    def served(self, deadline: float, begun: float, stages: tuple[float, ...]) -> None:
        """Count a tick: when it began, and when each of its stages ended (seconds)."""
        at = self.ticks % _KEPT
        ended = stages[-1]
        self._work[at], self._late[at] = ended - begun, ended - deadline
        self.classes[bisect_left(TICK_BOUNDS_S, ended - begun)] += 1
        self.work_s += ended - begun
        self.ticks += 1
        self.overruns += ended > deadline + FRAME_S
        self._most = max(self._most, ended - begun)
        for stage, start, end in zip(STAGES, (begun, *stages), stages, strict=False):
            self._stages[stage] += end - start

    def work_ms(self, percent: float) -> float:
        """A percentile of the time between a tick's begin and its last packet."""
        return self._percentile(self._work, percent)

    def late_ms(self, percent: float) -> float:
        """A percentile of the time between a tick's deadline and its last packet."""
        return self._percentile(self._late, percent)

    def _percentile(self, values: np.ndarray, percent: float) -> float:
        kept = values[: min(self.ticks, _KEPT)]
        return float(np.percentile(kept, percent)) * 1000 if len(kept) else 0.0

    @property
    def most_ms(self) -> float:
        """The longest tick."""
        return self._most * 1000

    def stage_ms(self, stage: str) -> float:
        """The mean time of one stage per tick."""
        return self._stages[stage] / max(1, self.ticks) * 1000
