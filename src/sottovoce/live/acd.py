"""Who gets the call: skill queues, oldest call first, to the agent idle longest."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from sottovoce.domain.directory import AgentId, SkillId

MAX_QUEUED = 1000
"""Calls that wait in one VDN: a flood of calls must not fill the process."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A call in a queue; `order` is its place in the order of arrival."""

    call: str
    skill: SkillId
    order: int


@dataclass(frozen=True, slots=True)
class Free:
    """An agent who could take a call; the smallest `idle_order` has been idle longest."""

    agent: AgentId
    skills: frozenset[SkillId]
    idle_order: int


@dataclass(slots=True)
class SkillQueues:
    """All skill queues of a VDN, at most `capacity` calls."""

    capacity: int = MAX_QUEUED
    _waiting: dict[str, Waiting] = field(default_factory=dict)
    _arrived: int = 0

    @property
    def full(self) -> bool:
        """Whether no further call can wait."""
        return len(self._waiting) >= self.capacity

    def enter(self, call: str, skill: SkillId, order: int | None = None) -> int:
        """Queue a call and say its place; a call that comes back keeps its old place by `order`."""
        if order is None:
            self._arrived += 1
            order = self._arrived
        self._waiting[call] = Waiting(call, skill, order)
        return order

    def leave(self, call: str) -> None:
        """The call waits no more."""
        self._waiting.pop(call, None)

    def waiting(self, skill: SkillId | None = None) -> Sequence[Waiting]:
        """The calls of one queue, or of all, oldest first."""
        calls = (w for w in self._waiting.values() if skill is None or w.skill == skill)
        return sorted(calls, key=lambda w: w.order)

    def match(self, free: Iterable[Free]) -> tuple[str, AgentId] | None:
        """The next pair: the oldest call for which somebody is free, and whoever is idle longest."""
        if not self._waiting:
            return None
        agents = sorted(free, key=lambda f: f.idle_order)
        if not agents:
            return None
        for waiting in self.waiting():
            for candidate in agents:
                if waiting.skill in candidate.skills:
                    return waiting.call, candidate.agent
        return None
