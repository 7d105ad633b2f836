"""Timers of the SIP core: one heap, advanced from outside. All times are seconds on one monotonic clock."""

from __future__ import annotations

import heapq
from collections.abc import Callable

T1 = 0.5
"""Round-trip estimate (RFC 3261 17.1.1.1)."""
T2 = 4.0
"""Longest interval between retransmissions of a non-INVITE request or an INVITE's response."""
T4 = 5.0
"""Longest time that a message stays in the network."""
TIMEOUT = 64 * T1
"""Timers B, F, H, J, L, M: how long a transaction waits for the far side."""


class Timer:
    """One timer that was started. Cancelling twice, or after it fired, does nothing."""

    __slots__ = ("_action", "_timers", "at")

    def __init__(self, timers: Timers, at: float, action: Callable[[], None]) -> None:
        self._timers = timers
        self._action: Callable[[], None] | None = action
        self.at = at

    @property
    def running(self) -> bool:
        return self._action is not None

    def cancel(self) -> None:
        if self._action is not None:
            self._action = None
            self._timers._cancelled()

    def _fire(self) -> None:
        action, self._action = self._action, None
        if action is not None:
            action()


class Timers:
    """What is due when. `now` is what the last `advance` said."""

    def __init__(self, now: float = 0.0) -> None:
        self.now = now
        self._heap: list[tuple[float, int, Timer]] = []
        self._started = 0
        self._dead = 0

    def __len__(self) -> int:
        return len(self._heap) - self._dead

    def after(self, delay: float, action: Callable[[], None]) -> Timer:
        """Call `action` in the first `advance` that is at least `delay` seconds from now."""
        timer = Timer(self, self.now + max(0.0, delay), action)
        self._started += 1
        heapq.heappush(self._heap, (timer.at, self._started, timer))
        return timer

    @property
    def deadline(self) -> float | None:
        """When `advance` is needed next, None never."""
        while self._heap and not self._heap[0][2].running:
            heapq.heappop(self._heap)
            self._dead -= 1
        return self._heap[0][0] if self._heap else None

    def advance(self, now: float) -> None:
        """Fire all that is due up to `now`, each at its own time, in order."""
        while (due := self.deadline) is not None and due <= now:
            _, _, timer = heapq.heappop(self._heap)
            self.now = max(self.now, due)
            timer._fire()
        self.now = max(self.now, now)

    def _cancelled(self) -> None:
        self._dead += 1
        if self._dead > 512 and self._dead * 2 > len(self._heap):
            self._heap = [entry for entry in self._heap if entry[2].running]
            heapq.heapify(self._heap)
            self._dead = 0
