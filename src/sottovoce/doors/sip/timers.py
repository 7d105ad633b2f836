"""Timers of the SIP core, advanced from outside. All times are seconds on one monotonic clock."""

from __future__ import annotations

from collections.abc import Callable

from sottovoce.deadlines import Deadlines

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

    def __init__(self, timers: Timers, at: float, action: Callable[[], object]) -> None:
        self._timers = timers
        self._action: Callable[[], object] | None = action
        self.at = at

    @property
    def running(self) -> bool:
        """Whether it will fire."""
        return self._action is not None

    def cancel(self) -> None:
        """Let it never fire."""
        self._action = None
        self._timers._deadlines.disarm(self)

    def _fire(self) -> None:
        action, self._action = self._action, None
        if action is not None:
            action()


class Timers:
    """What is due when. `now` is what the last `advance` said."""

    def __init__(self, now: float = 0.0) -> None:
        self.now = now
        self._deadlines: Deadlines[Timer] = Deadlines()

    def __len__(self) -> int:
        return len(self._deadlines)

    def after(self, delay: float, action: Callable[[], object]) -> Timer:
        """Call `action` in the first `advance` that is at least `delay` seconds from now."""
        timer = Timer(self, self.now + max(0.0, delay), action)
        self._deadlines.arm(timer, timer.at)
        return timer

    @property
    def deadline(self) -> float | None:
        """When `advance` is needed next, None never."""
        return self._deadlines.next

    def advance(self, now: float) -> None:
        """Fire all that is due up to `now`, each at its own time, in order."""
        for timer in self._deadlines.due(now):
            self.now = max(self.now, timer.at)
            timer._fire()
        self.now = max(self.now, now)
