"""Clocks: the only place that asks what time it is.

Pure code is handed a number or a ``datetime``; code that waits is handed a ``Clock``.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import NamedTuple, Protocol


class Moment(NamedTuple):
    """A moment on both clocks at once."""

    at: datetime
    """By the wall clock, in UTC."""
    steady_s: float
    """By the one that never jumps."""


class Clock(Protocol):
    """Where the time comes from."""

    def monotonic(self) -> float:
        """Seconds on a clock that never jumps; only differences mean anything."""
        ...

    def now(self) -> datetime:
        """The wall clock, in UTC."""
        ...


class SystemClock:
    """The clock of the machine."""

    def monotonic(self) -> float:
        """Seconds on the machine's clock that never jumps."""
        return time.monotonic()

    def now(self) -> datetime:
        """The wall clock, in UTC."""
        return datetime.now(UTC)


class ManualClock:
    """A clock that moves only when told to."""

    def __init__(self, start: datetime = datetime(2026, 1, 1, tzinfo=UTC)) -> None:
        self._start = start
        self._elapsed = 0.0

    def monotonic(self) -> float:
        """The seconds that it was advanced by."""
        return self._elapsed

    def now(self) -> datetime:
        """The start, and the seconds that it was advanced by."""
        return self._start + timedelta(seconds=self._elapsed)

    def advance(self, seconds: float) -> None:
        """Move on by `seconds` (not negative)."""
        if seconds < 0:
            raise ValueError("time does not run backwards")
        self._elapsed += seconds

    def step(self, seconds: float) -> None:
        """Set the wall clock on by `seconds`, or back; the one that never jumps goes on as it was."""
        self._start += timedelta(seconds=seconds)


def moment(clock: Clock) -> Moment:
    """The moment that it is."""
    return Moment(clock.now(), clock.monotonic())
