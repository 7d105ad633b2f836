"""What became of those who waited in a queue, by the quarter of an hour in which they came. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from datetime import datetime, timedelta

from sottovoce.domain.directory import QueueRules, SkillId
from sottovoce.domain.queueing import Outcome

INTERVAL = timedelta(minutes=15)
KEPT = timedelta(hours=25)
"""In memory: a day and its daylight saving."""


@dataclass(slots=True)
class Figures:
    """Of waits that are over."""

    offered: int = 0
    answered: int = 0
    answered_in_time: int = 0
    abandoned: int = 0
    """After `short_s` or longer."""
    abandoned_short: int = 0
    timed_out: int = 0
    no_room: int = 0
    waited_s: float = 0.0
    """All waits that were answered, together."""
    longest_s: float = 0.0
    """Of all waits."""

    def count(self, waited_s: float, outcome: Outcome, rules: QueueRules) -> None:
        """One wait more is over."""
        self.offered += 1
        self.longest_s = max(self.longest_s, waited_s)
        match outcome:
            case Outcome.ANSWERED:
                self.answered += 1
                self.answered_in_time += waited_s <= rules.answer_within_s
                self.waited_s += waited_s
            case Outcome.ABANDONED if waited_s < rules.short_s:
                self.abandoned_short += 1
            case Outcome.ABANDONED:
                self.abandoned += 1
            case Outcome.TIMED_OUT:
                self.timed_out += 1
            case Outcome.NO_ROOM:
                self.no_room += 1

    def add(self, other: Figures) -> None:
        """Take another's waits in."""
        longest_s = max(self.longest_s, other.longest_s)
        for one in fields(self):
            setattr(self, one.name, getattr(self, one.name) + getattr(other, one.name))
        self.longest_s = longest_s

    @property
    def service_level(self) -> float | None:
        """Which part was answered in time, of all but those who hung up at once; None of nobody."""
        counted = self.offered - self.abandoned_short
        return self.answered_in_time / counted if counted else None

    @property
    def average_s(self) -> float | None:
        """How long those who were answered waited."""
        return self.waited_s / self.answered if self.answered else None


def quarter(at: datetime) -> datetime:
    """The begin of the quarter of an hour."""
    return at - (at - at.replace(minute=0, second=0, microsecond=0)) % INTERVAL


@dataclass(slots=True)
class QueueHistory:
    """The figures of the last day, by queue and quarter of an hour."""

    _quarters: dict[datetime, dict[SkillId, Figures]] = field(default_factory=dict)

    def count(
        self, skill: SkillId, began_at: datetime, ended_at: datetime, outcome: Outcome, rules: QueueRules
    ) -> None:
        """A wait is over."""
        begin = quarter(began_at)
        if begin not in self._quarters:
            for old in [one for one in self._quarters if one < ended_at - KEPT]:
                del self._quarters[old]
        of = self._quarters.setdefault(begin, {}).setdefault(skill, Figures())
        of.count((ended_at - began_at).total_seconds(), outcome, rules)

    def since(self, begin: datetime) -> dict[SkillId, Figures]:
        """Of those who came since then, from the begin of its quarter on, by queue."""
        found: dict[SkillId, Figures] = {}
        first = quarter(begin)
        for at, queues in self._quarters.items():
            if at >= first:
                for skill, figures in queues.items():
                    found.setdefault(skill, Figures()).add(figures)
        return found

    def quarters(self, skill: SkillId) -> list[tuple[datetime, Figures]]:
        """A queue's quarters of an hour in which somebody came, the first one first."""
        return [(at, queues[skill]) for at, queues in sorted(self._quarters.items()) if skill in queues]
