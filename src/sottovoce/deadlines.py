"""What is due when, by a clock that is handed in.

A heap with lazy deletion, so that arming anew costs nothing.
"""

from __future__ import annotations

import heapq
from collections.abc import Hashable, Iterator
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)

SLACK = 64
"""Dead entries that the heap may hold beside as many as there are deadlines."""


class Deadlines(Generic[K]):
    """Keys, each with one deadline: seconds of a monotonic clock."""

    def __init__(self) -> None:
        self._deadlines: dict[K, float] = {}
        self._queued: dict[K, float] = {}
        self._heap: list[tuple[float, int, K]] = []
        self._count = 0

    def __len__(self) -> int:
        return len(self._deadlines)

    def arm(self, key: K, deadline: float) -> None:
        """Let `key` run out at `deadline`, whatever was said before."""
        self._deadlines[key] = deadline
        queued = self._queued.get(key)
        if queued is None or deadline < queued:
            self._push(key, deadline)

    def disarm(self, key: K) -> None:
        """Let it never run out."""
        if self._deadlines.pop(key, None) is not None:
            self._tidy()

    def armed(self, key: K) -> bool:
        """Whether it runs."""
        return key in self._deadlines

    @property
    def next(self) -> float | None:
        """When to look again, None never: the first deadline, or before it where a key was armed anew."""
        while self._heap:
            at, _, key = self._heap[0]
            if self._counts(at, key):
                return at
            self._pop()
        return None

    def due(self, now: float) -> Iterator[K]:
        """Take those that have run out, first deadline first; those armed meanwhile as well."""
        while self._heap and self._heap[0][0] <= now:
            at, _, key = self._heap[0]
            counts = self._counts(at, key)
            self._pop()
            if not counts:
                continue
            deadline = self._deadlines[key]
            if deadline > now:
                self._push(key, deadline)
            else:
                del self._deadlines[key]
                yield key

    def _counts(self, at: float, key: K) -> bool:
        """Whether an entry is its key's newest, and the key still armed."""
        return self._queued.get(key) == at and key in self._deadlines

    def _pop(self) -> None:
        at, _, key = heapq.heappop(self._heap)
        if self._queued.get(key) == at:
            del self._queued[key]

    def _push(self, key: K, at: float) -> None:
        self._count += 1
        self._queued[key] = at
        heapq.heappush(self._heap, (at, self._count, key))
        self._tidy()

    def _tidy(self) -> None:
        if len(self._heap) > SLACK + 2 * len(self._deadlines):
            self._heap = [entry for entry in self._heap if self._counts(entry[0], entry[2])]
            self._queued = {key: at for at, _, key in self._heap}
            heapq.heapify(self._heap)
