"""The people of the after-call half: users with their roles, and who leads whom.

A user may be an agent as well (`agent` is then the work number); calls belong to agents, everything
else to users. Source of the roles: E2514, E2516.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NewType

from sottovoce.domain.directory import AgentId, VdnId

UserId = NewType("UserId", str)
"""18 to 20 decimal digits."""
ReviewId = NewType("ReviewId", str)
"""Of a review task, its item, a plan, a quality item or a score profile: 18 to 20 decimal digits."""
SERVER = UserId("0")
"""Who acts when the server does: a plan that came due, a reserved time."""


class Role(StrEnum):
    """What somebody is in inspection. The quality side inspects, the table side is inspected."""

    QUALITY_DIRECTOR = "quality_director"
    QUALITY_LEADER = "quality_leader"
    INSPECTOR = "inspector"
    TABLE_DIRECTOR = "table_director"
    TABLE_LEADER = "table_leader"
    STAFF = "staff"


QUALITY_LEADS = frozenset({Role.QUALITY_DIRECTOR, Role.QUALITY_LEADER})
TABLE_LEADS = frozenset({Role.TABLE_DIRECTOR, Role.TABLE_LEADER})
"""Who leads on either side."""


class GroupSide(StrEnum):
    """Whom a group has in it."""

    QUALITY = "quality"
    TABLE = "table"


@dataclass(frozen=True, slots=True)
class User:
    """Somebody of a tenant. `leads` are the users of the groups that this one leads."""

    user: UserId
    vdn: VdnId
    name: str
    roles: frozenset[Role] = frozenset()
    agent: AgentId | None = None
    leads: frozenset[UserId] = field(default=frozenset())
    leads_agents: frozenset[AgentId] = field(default=frozenset())
    """The work numbers of the agents for whom this one answers, as a leader of the table side."""
    inspects_agents: frozenset[AgentId] = field(default=frozenset())
    """Those of the agents whom this one has inspected, as a leader of the quality side."""


@dataclass(frozen=True, slots=True)
class AppKey:
    """An app that may call for a tenant."""

    app_key: str
    vdn: VdnId
    name: str
    user: UserId | None
    """Who acts where a request names nobody."""
    made_at: datetime
    revoked_at: datetime | None


@dataclass(frozen=True, slots=True)
class Token:
    """A token just given out; its text is nowhere else."""

    text: str
    app_key: str
    vdn: VdnId
    made_at: datetime
    expires_s: int
