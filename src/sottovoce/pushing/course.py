"""How pushing to one agent goes: what failed since when, and what follows. Pure: the time is handed in."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Turn(Enum):
    """What an attempt changed."""

    NONE = "none"
    """Nothing, for the agent."""
    LOST = "lost"
    """It failed for too long: the agent counts as not reached."""
    BACK = "back"
    """Who was not reached is again."""


@dataclass(slots=True)
class Course:
    """Attempts in a row. Times are seconds of a clock that never jumps."""

    give_up_s: float
    """How long attempts may fail until the agent counts as not reached."""
    failing_since: float | None = None
    """When the first attempt began of those that failed in a row."""
    lost: bool = False

    def failed(self, began: float, now: float) -> Turn:
        """An attempt that began then has failed."""
        if self.failing_since is None:
            self.failing_since = began
        if self.lost or now - self.failing_since < self.give_up_s:
            return Turn.NONE
        self.lost = True
        return Turn.LOST

    def succeeded(self) -> Turn:
        """An attempt arrived: what failed before counts no more."""
        turn = Turn.BACK if self.lost else Turn.NONE
        self.failing_since, self.lost = None, False
        return turn
