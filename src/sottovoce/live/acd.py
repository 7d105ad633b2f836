"""Who gets the call: skill queues, oldest call first, to the best agent who is free, idle longest.

A call is as old as its *place*: when it came, less the head start that its access code gives it. So a call
with a head start passes others, and none waits for ever: after as long as the head start is, whatever comes
later stands behind it.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from heapq import heapify, heappop

from sottovoce.clock import Moment
from sottovoce.domain.directory import AgentId, SkillId

MAX_QUEUED = 1000
"""Calls that wait in one VDN: a flood of calls must not fill the process."""

Place = tuple[float, int]
"""Seconds of a clock that never jumps, and the order of arrival among equals."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A call in a queue; agents of the `skills` may take it, those of its own queue first."""

    call: str
    skills: tuple[SkillId, ...]
    place: Place

    @property
    def skill(self) -> SkillId:
        """Its own queue."""
        return self.skills[0]


@dataclass(slots=True, eq=False)
class Wait:
    """A call waits in a queue, until an agent talks with it: also while one is rung for it."""

    skill: SkillId
    began: Moment
    at: datetime
    """The same by the clock of the call."""
    looked_s: float = -1.0
    """Up to which second of the wait what was due is done."""
    no_room: bool = False
    """The queue is too long for it."""
    armed: bool = False
    """A timer runs for what is due next."""


@dataclass(frozen=True, slots=True)
class Free:
    """An agent who could take a call; the smallest `idle_order` has been idle longest."""

    agent: AgentId
    levels: Mapping[SkillId, int]
    """The skills that the agent is signed in to, 1 the best level."""
    idle_order: int


@dataclass(slots=True)
class SkillQueues:
    """All skill queues of a VDN, at most `capacity` calls."""

    capacity: int = MAX_QUEUED
    _waiting: dict[str, Waiting] = field(default_factory=dict)
    _lines: dict[SkillId, list[tuple[Place, str]]] = field(default_factory=dict)
    """Whom agents of that skill may take, by place."""
    _lengths: dict[SkillId, int] = field(default_factory=dict)
    _arrived: int = 0

    @property
    def full(self) -> bool:
        """Whether no further call can wait."""
        return len(self._waiting) >= self.capacity

    def length(self, skill: SkillId) -> int:
        """How many calls wait in that queue of their own."""
        return self._lengths.get(skill, 0)

    def enter(self, call: str, skill: SkillId, came_s: float, place: Place | None = None) -> Place:
        """Queue a call and say its place; a call that comes back keeps its old `place`."""
        self.leave(call)
        if place is None:
            self._arrived += 1
            place = came_s, self._arrived
        self._put(Waiting(call, (skill,), place), skill)
        self._lengths[skill] = self.length(skill) + 1
        return place

    def overflow(self, call: str, skill: SkillId) -> None:
        """Agents of that skill may take the call, too."""
        waiting = self._waiting.get(call)
        if waiting is not None and skill not in waiting.skills:
            self._put(Waiting(call, (*waiting.skills, skill), waiting.place), skill)

    def _put(self, waiting: Waiting, skill: SkillId) -> None:
        self._waiting[waiting.call] = waiting
        insort(self._lines.setdefault(skill, []), (waiting.place, waiting.call))

    def leave(self, call: str) -> None:
        """The call waits no more."""
        waiting = self._waiting.pop(call, None)
        if waiting is None:
            return
        self._lengths[waiting.skill] -= 1
        for skill in waiting.skills:
            line = self._lines[skill]
            del line[bisect_left(line, (waiting.place, call))]
            if not line:
                del self._lines[skill]

    def waits(self, call: str) -> bool:
        """Whether the call waits."""
        return call in self._waiting

    def waiting(self, skill: SkillId | None = None) -> Sequence[Waiting]:
        """The calls of one queue, or of all, oldest first."""
        calls = (one for one in self._waiting.values() if skill is None or one.skill == skill)
        return sorted(calls, key=lambda one: one.place)

    def position(self, call: str) -> int:
        """The call's place in its own queue, counted from 1."""
        own = self._waiting[call]
        line = self._lines[own.skill]
        before = line[: bisect_left(line, (own.place, call))]
        return 1 + sum(self._waiting[other].skill == own.skill for _, other in before)

    def pairs(
        self, free: Iterable[Free], still: Callable[[AgentId], bool] = lambda agent: True
    ) -> Iterator[tuple[str, AgentId]]:
        """Who gets which call: the oldest for which somebody is free, then the next.

        Whoever asks has the call leave before they ask for the next pair. An agent is named once; `still`
        says whether what became of earlier pairs left an agent free.
        """
        if not self._waiting:
            return
        pools: dict[SkillId, list[tuple[int, int, AgentId]]] = {}
        for one in free:
            for skill, level in one.levels.items():
                if skill in self._lines:
                    pools.setdefault(skill, []).append((level, one.idle_order, one.agent))
        for pool in pools.values():
            heapify(pool)
        named: set[AgentId] = set()
        while True:
            heads = []
            for skill, pool in pools.items():
                while pool and (pool[0][2] in named or not still(pool[0][2])):
                    heappop(pool)
                if pool and (line := self._lines.get(skill)):
                    heads.append((line[0], self._waiting[line[0][1]].skill != skill, skill))
            if not heads:
                return
            (_, call), _, skill = min(heads)
            agent = heappop(pools[skill])[2]
            named.add(agent)
            yield call, agent
