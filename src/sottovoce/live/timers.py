"""Timers by a clock that is handed in: a heap with lazy deletion, so that arming anew costs nothing."""

from __future__ import annotations

import heapq
from collections.abc import Iterator

from sottovoce.live.effects import Timer

SLACK = 64
"""Dead entries that the heap may hold beside as many as there are timers."""


class Timers:
    """What is due when. Times are seconds of a monotonic clock."""

    def __init__(self) -> None:
        self._deadlines: dict[Timer, float] = {}
        self._queued: dict[Timer, float] = {}
        self._heap: list[tuple[float, int, Timer]] = []
        self._count = 0

    def arm(self, timer: Timer, deadline: float) -> None:
        """Let `timer` run out at `deadline`, whatever was said before."""
        self._deadlines[timer] = deadline
        queued = self._queued.get(timer)
        if queued is None or deadline < queued:
            self._push(timer, deadline)

    def disarm(self, timer: Timer) -> None:
        """Let it never run out."""
        self._deadlines.pop(timer, None)

    def armed(self, timer: Timer) -> bool:
        """Whether it runs."""
        return timer in self._deadlines

    @property
    def next(self) -> float | None:
        """When to look again; never later than the first deadline."""
        return self._heap[0][0] if self._heap else None

    def due(self, now: float) -> Iterator[Timer]:
        """Take those that have run out, first deadline first."""
        while self._heap and self._heap[0][0] <= now:
            at, _, timer = heapq.heappop(self._heap)
            if self._queued.get(timer) != at:
                continue
            del self._queued[timer]
            deadline = self._deadlines.get(timer)
            if deadline is None:
                continue
            if deadline > now:
                self._push(timer, deadline)
                continue
            del self._deadlines[timer]
            yield timer

    def _push(self, timer: Timer, at: float) -> None:
        self._count += 1
        self._queued[timer] = at
        heapq.heappush(self._heap, (at, self._count, timer))
        if len(self._heap) > SLACK + 2 * len(self._queued):
            self._heap = [entry for entry in self._heap if self._queued.get(entry[2]) == entry[0]]
            heapq.heapify(self._heap)
