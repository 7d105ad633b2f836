"""Many users of a tenant at once: who can be appointed, and whose calls can be asked for."""

from __future__ import annotations

from collections.abc import Collection

import sqlalchemy as sa

from sottovoce.domain.directory import AgentId, VdnId
from sottovoce.domain.people import Role, UserId
from sottovoce.storage.tables import users
from sottovoce.storage.work import Work


async def roles_of(work: Work, wanted: Collection[UserId]) -> dict[UserId, frozenset[Role]]:
    """The roles of those of `wanted` that are users of the tenant and not disabled."""
    query = sa.select(users.c.user, users.c.roles).where(_enabled(work.vdn, wanted))
    return {
        UserId(user): frozenset(Role(role) for role in roles)
        for user, roles in await work.connection.execute(query)
    }


async def agents_of(work: Work, wanted: Collection[UserId]) -> dict[UserId, AgentId]:
    """The work numbers of those of `wanted` that are agents of the tenant."""
    query = sa.select(users.c.user, users.c.agent).where(
        _enabled(work.vdn, wanted), users.c.agent.is_not(None)
    )
    return {UserId(user): AgentId(agent) for user, agent in await work.connection.execute(query)}


def _enabled(vdn: VdnId, wanted: Collection[UserId]) -> sa.ColumnElement[bool]:
    return (users.c.vdn == int(vdn)) & users.c.user.in_(sorted(set(wanted))) & users.c.disabled_at.is_(None)
