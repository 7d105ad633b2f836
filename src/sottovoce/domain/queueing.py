"""What becomes of a call while it waits in a skill queue, by the seconds that it waited. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from sottovoce.domain.directory import Announcing, QueueRules, SkillId


class Outcome(StrEnum):
    """How a wait ended."""

    ANSWERED = "answered"
    """By an agent."""
    ABANDONED = "abandoned"
    """The caller hung up."""
    TIMED_OUT = "timed_out"
    NO_ROOM = "no_room"
    """The queue was as long as it may be."""
    MOVED = "moved"
    """To another queue, by an agent; or a transfer to the queue came to nothing."""
    ENDED = "ended"
    """The server or an inspector ended the call."""
    INTERRUPTED = "interrupted"
    """The server fell."""


@dataclass(frozen=True, slots=True)
class Overflows:
    """Agents of this queue take the call from now on, too."""

    skill: SkillId


@dataclass(frozen=True, slots=True)
class Announces:
    """The caller is told where they stand."""


@dataclass(frozen=True, slots=True)
class TimesOut:
    """The call waited long enough."""


Step = Overflows | Announces | TimesOut


def due(rules: QueueRules, before_s: float, now_s: float) -> list[Step]:
    """What is due after more than `before_s` and at most `now_s` of waiting, in order; of announcements that
    were missed, one."""
    steps: list[tuple[float, Step]] = [
        (one.after_s, Overflows(one.skill)) for one in rules.overflow if before_s < one.after_s <= now_s
    ]
    if rules.announcing is not None and (first := _announced(rules, before_s)) <= now_s:
        steps.append((first, Announces()))
    steps.sort(key=lambda step: step[0])
    told: list[Step] = [step for _, step in steps]
    timed_out = rules.time_out_s is not None and before_s < rules.time_out_s <= now_s
    return [*told, TimesOut()] if timed_out else told


def next_due(rules: QueueRules, now_s: float) -> float | None:
    """After how many seconds of waiting something is due next."""
    return min((at for at in _moments(rules, now_s) if now_s < at < math.inf), default=None)


def _moments(rules: QueueRules, now_s: float) -> Iterator[float]:
    yield from (one.after_s for one in rules.overflow)
    if rules.announcing is not None:
        yield _announced(rules, now_s)
    if rules.time_out_s is not None:
        yield rules.time_out_s


def _announced(rules: QueueRules, after_s: float) -> float:
    """When an announcement comes next after that; infinite: never again."""
    wanted = rules.announcing
    assert wanted is not None
    if after_s < wanted.first_s:
        return wanted.first_s
    if wanted.every_s <= 0:
        return math.inf
    return wanted.first_s + (math.floor((after_s - wanted.first_s) / wanted.every_s) + 1) * wanted.every_s


NUMBERS = range(1, 21)
"""That can be spoken."""


def words(wanted: Announcing, position: int, wait_s: float | None) -> list[str]:
    """The recordings that tell the caller's position and the expected wait, None where nobody knows it."""
    told: list[str] = []
    if wanted.position:
        told += ["position", str(position), "in-queue"] if position in NUMBERS else ["many"]
    if wanted.wait and wait_s is not None:
        minutes = max(1, math.ceil(wait_s / 60))
        if minutes == 1:
            told += ["wait", "one-minute"]
        elif minutes in NUMBERS:
            told += ["wait", str(minutes), "minutes"]
        else:
            told += ["wait", "more-than", str(NUMBERS[-1]), "minutes"]
    return told


def circle(queues: Mapping[SkillId, QueueRules]) -> SkillId | None:
    """A queue whose way out leads back to it, over whatever others."""
    for first in queues:
        at, seen = first, {first}
        while (rules := queues.get(at)) is not None and rules.way_out.skill is not None:
            at = rules.way_out.skill
            if at in seen:
                return at
            seen.add(at)
    return None
