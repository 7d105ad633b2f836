"""How often agents may ask: CC-Gateway's overload control of queries (page 0584)."""

from __future__ import annotations

from typing import Any

from sottovoce.config import AgentSettings
from sottovoce.domain.directory import AgentId
from sottovoce.errors import Code, Refused
from sottovoce.limits import Buckets

PER_S = 2.0
"""Seconds in which the limits count."""
FAMILIES = frozenset({"queuedevice", "agentgroup", "calldata"})
OTHERS = frozenset({"agentskills", "agentskillsbyworkno", "agentstatus", "syncagentinfo", "updateGuid"})
"""Of `onlineagent`."""
_ALL = 0


def is_query(path: str) -> bool:
    """Whether an interface, by its path below the base, is one of those that are limited."""
    word, *rest = path.strip("/").split("/")
    return word in FAMILIES or (word == "onlineagent" and not OTHERS.isdisjoint(rest[1:2]))


class QueryLimits:
    """Who asked how often lately; each agent by itself first, so that one of them takes little from all."""

    def __init__(self, settings: AgentSettings) -> None:
        self._agents: Buckets[AgentId] | None = _buckets(settings.queries_per_agent)
        self._all: Buckets[int] | None = _buckets(settings.queries)

    def admit(self, agent: AgentId, now: float) -> None:
        """Count a query. Raises Refused(TOO_OFTEN)."""
        if self._agents is not None and not self._agents.take(agent, now):
            raise Refused(Code.TOO_OFTEN, "this agent asks too often")
        if self._all is not None and not self._all.take(_ALL, now):
            raise Refused(Code.TOO_OFTEN, "too much is asked of the server")


def _buckets(most: int) -> Buckets[Any] | None:
    return Buckets(most / PER_S, most) if most else None
