"""Users of a tenant, their roles and groups."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from sottovoce.domain.directory import AgentId, VdnId
from sottovoce.domain.people import Role, User, UserId
from sottovoce.storage.tables import group_members, users


async def find(connection: AsyncConnection, vdn: VdnId, user: UserId) -> User | None:
    """The tenant's user, with all whom he leads; None: unknown, another tenant's, or disabled."""
    query = sa.select(users).where(
        users.c.vdn == int(vdn), users.c.user == user, users.c.disabled_at.is_(None)
    )
    row = (await connection.execute(query)).mappings().first()
    if row is None:
        return None
    led, agents = await _led(connection, vdn, user)
    return User(
        user=UserId(row["user"]),
        vdn=vdn,
        name=row["name"],
        roles=frozenset(Role(role) for role in row["roles"]),
        agent=AgentId(row["agent"]) if row["agent"] is not None else None,
        leads=led,
        leads_agents=agents,
    )


async def _led(
    connection: AsyncConnection, vdn: VdnId, leader: UserId
) -> tuple[frozenset[UserId], frozenset[AgentId]]:
    led = group_members.alias()
    query = (
        sa.select(users.c.user, users.c.agent)
        .join(led, led.c.user == users.c.user)
        .join(group_members, (group_members.c.vdn == led.c.vdn) & (group_members.c.name == led.c.name))
        .where(
            led.c.vdn == int(vdn),
            group_members.c.user == leader,
            group_members.c.leads,
            users.c.disabled_at.is_(None),
        )
    )
    rows = (await connection.execute(query)).all()
    return (
        frozenset(UserId(row.user) for row in rows),
        frozenset(AgentId(row.agent) for row in rows if row.agent is not None),
    )
