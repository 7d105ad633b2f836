"""How often a sign-in may be tried: counted by source first, then by agent. Pure: the time is handed in.

Of agents that do not exist the same is counted, so that no refusal tells who does. A source from which an
agent signed in before is known for that agent: there neither the wrong passwords of others nor those for
other agents count, so that nobody keeps an agent out of work from elsewhere. Who guesses at that very address
(an office's NAT) uses its count up, but not what is kept for tries that name the phone the agent named there.
"""

from __future__ import annotations

from typing import NamedTuple, TypeVar

from sottovoce.domain.directory import AgentId
from sottovoce.errors import Code, Refused
from sottovoce.limits import Buckets, Latest

K = TypeVar("K", str, AgentId, tuple[AgentId, str], tuple[AgentId, str, str])

SOURCES_KEPT = 16
"""Of an agent; the oldest give way."""


class Allowance(NamedTuple):
    """So many wrong passwords, and one more after each so many seconds."""

    tries: int
    another_after_s: float


KNOWN_PAIR = Allowance(20, 30.0)
"""For one agent from a source known for that agent: too few to guess, enough beside somebody who tries."""
KNOWN_DESK = Allowance(5, 60.0)
"""Beyond that, for tries that name a phone with which the agent signed in from there."""
STRANGE_PAIR = Allowance(5, 60.0)
"""For one agent from another source."""
STRANGE_SOURCE = Allowance(20, 20.0)
"""For all agents from a source that is known for none of those."""
AGENT = Allowance(40, 30.0)
"""For one agent from all sources that are not known for that agent."""


class Attempts:
    """What was tried lately, and which sources are known. Right passwords cost nothing."""

    def __init__(self) -> None:
        self._known_pairs: Buckets[tuple[AgentId, str]] = _buckets(KNOWN_PAIR)
        self._strange_pairs: Buckets[tuple[AgentId, str]] = _buckets(STRANGE_PAIR)
        self._sources: Buckets[str] = _buckets(STRANGE_SOURCE)
        self._agents: Buckets[AgentId] = _buckets(AGENT)
        self._known_desks: Buckets[tuple[AgentId, str, str]] = _buckets(KNOWN_DESK)
        self._known: dict[AgentId, Latest[str]] = {}
        self._desks: dict[AgentId, Latest[tuple[str, str]]] = {}

    def know(self, agent: AgentId, source: str, phone: str = "") -> None:
        """The agent signed in from there, and named that phone."""
        self._known.setdefault(agent, Latest(SOURCES_KEPT)).add(source)
        if phone:
            self._desks.setdefault(agent, Latest(SOURCES_KEPT)).add((source, phone))

    def forget(self, agent: AgentId) -> None:
        """The agent is configured no more."""
        self._known.pop(agent, None)
        self._desks.pop(agent, None)

    def knows(self, agent: AgentId, source: str) -> bool:
        """Whether the agent signed in from there before."""
        return source in self._known.get(agent, ())

    def desk(self, agent: AgentId, source: str, phone: str) -> bool:
        """Whether the agent named that phone there before."""
        return (source, phone) in self._desks.get(agent, ())

    def check(self, agent: AgentId, source: str, now: float, phone: str = "") -> None:
        """Refused(ACCOUNT_LOCKED) where there were too many wrong passwords: then none is looked at."""
        pair = (agent, source)
        if self.knows(agent, source):
            desk = (
                self.desk(agent, source, phone) and self._known_desks.left((agent, source, phone), now) >= 1
            )
            if self._known_pairs.left(pair, now) < 1 and not desk:
                raise Refused(Code.ACCOUNT_LOCKED, "too many wrong passwords from here for this agent")
        elif self._sources.left(source, now) < 1 or self._strange_pairs.left(pair, now) < 1:
            raise Refused(Code.ACCOUNT_LOCKED, "too many wrong passwords from here")
        elif self._agents.left(agent, now) < 1:
            raise Refused(Code.ACCOUNT_LOCKED, "too many wrong passwords for this agent")

    def wrong(self, agent: AgentId, source: str, now: float, phone: str = "") -> None:
        """Count a wrong password, at a known source for the desk alone once the pair's count is used up."""
        pair = (agent, source)
        if self.knows(agent, source):
            if not self._known_pairs.take(pair, now) and self.desk(agent, source, phone):
                self._known_desks.owe((agent, source, phone), now, 1)
        else:
            self._sources.owe(source, now, 1)
            self._strange_pairs.owe(pair, now, 1)
            self._agents.owe(agent, now, 1)


def _buckets(allowance: Allowance) -> Buckets[K]:
    return Buckets(1 / allowance.another_after_s, allowance.tries)
