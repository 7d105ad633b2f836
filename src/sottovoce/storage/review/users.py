"""Users of a tenant, their roles and groups.

Changes of people take turns with one another and with imports, and each leaves its row in the audit.
A user is never removed: what they did stays on record under their id; a disabled one can do nothing.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from sottovoce.domain.directory import AgentId, VdnId
from sottovoce.domain.people import QUALITY_LEADS, TABLE_LEADS, GroupSide, Role, User, UserId
from sottovoce.errors import Code, Refused
from sottovoce.storage import audit
from sottovoce.storage.review import ids
from sottovoce.storage.rows import value_of
from sottovoce.storage.tables import agents, group_members, user_groups, users, vdns
from sottovoce.storage.work import Work

TURN = 7_310_202
"""The advisory lock by which imports and changes of people take turns."""


@dataclass(frozen=True, slots=True)
class Listed:
    """A user as the command line shows them."""

    user: User
    """Without whom they lead."""
    groups: tuple[str, ...]
    """The names of their groups, by name; those that they lead end with ` (leads)`, or ` (inspects)`."""
    disabled_at: datetime | None


@dataclass(frozen=True, slots=True)
class Led:
    """Whom somebody leads; disabled ones are left out."""

    users: frozenset[UserId]
    agents: frozenset[AgentId]
    """For whom they answer."""
    inspected: frozenset[AgentId]
    """Whom they have inspected."""


async def find(work: Work, user: UserId) -> User | None:
    """The tenant's user, with all whom they lead; None: unknown, another tenant's, or disabled."""
    query = sa.select(users).where(
        users.c.vdn == work.vdn, users.c.user == user, users.c.disabled_at.is_(None)
    )
    row = (await work.connection.execute(query)).mappings().first()
    if row is None:
        return None
    whom = await led(work, user)
    return value_of(User, row, leads=whom.users, leads_agents=whom.agents, inspects_agents=whom.inspected)


async def of_agent(work: Work, agent: AgentId) -> User | None:
    """The tenant's user who is that agent, as `find` has them."""
    query = sa.select(users.c.user).where(users.c.vdn == work.vdn, users.c.agent == agent)
    user = (await work.connection.execute(query)).scalar_one_or_none()
    return None if user is None else await find(work, UserId(user))


async def names(work: Work) -> dict[UserId, str]:
    """What the tenant's users are called, disabled ones included."""
    query = sa.select(users.c.user, users.c.name).where(users.c.vdn == work.vdn)
    return {UserId(row.user): row.name for row in await work.connection.execute(query)}


async def listed(connection: AsyncConnection, vdn: VdnId | None = None) -> list[Listed]:
    """The users of a tenant, or (the command line) of all, by name; disabled ones included."""
    query = sa.select(users).order_by(users.c.vdn, users.c.name, users.c.user)
    membership = sa.select(group_members).order_by(group_members.c.name)
    if vdn is not None:
        query = query.where(users.c.vdn == int(vdn))
        membership = membership.where(group_members.c.vdn == int(vdn))
    groups: dict[str, list[str]] = {}
    for row in (await connection.execute(membership)).mappings():
        does = " (inspects)" if row["inspects"] else " (leads)" if row["leads"] else ""
        groups.setdefault(row["user"], []).append(row["name"] + does)
    rows = (await connection.execute(query)).mappings().all()
    return [
        Listed(value_of(User, row), tuple(groups.get(row["user"], ())), row["disabled_at"]) for row in rows
    ]


async def add(
    work: Work,
    name: str,
    roles: Collection[Role],
    *,
    agent: AgentId | None = None,
    user: UserId | None = None,
) -> UserId:
    """Add a user to a tenant; `user` is made unless given. Refused(NOT_FOUND): no such tenant.

    Refused(BAD_PARAMETER): the id or the agent is somebody's already, or the agent is not of the tenant.
    """
    await turn(work.connection)
    if (await work.connection.execute(sa.select(vdns.c.vdn).where(vdns.c.vdn == work.vdn))).first() is None:
        raise Refused(Code.NOT_FOUND, f"there is no VDN {work.vdn}")
    if user is not None and (found := await _vdn_of(work.connection, user)) is not None:
        raise Refused(Code.BAD_PARAMETER, f"user {user} is there already, in VDN {found}")
    if agent is not None:
        await _free_agent(work, agent)
    if user is None:
        user = UserId((await ids.fresh(work.connection, work.at))[0])
    row = {"user": user, "vdn": work.vdn, "name": name, "agent": agent, "roles": in_order(roles)}
    await work.connection.execute(sa.insert(users).values(row))
    await audit.by_command_line(
        work.connection, work.vdn, work.at, "directory.user", user, {"name": name, "roles": joined(roles)}
    )
    return user


async def disable(connection: AsyncConnection, user: UserId, at: datetime) -> None:
    """Let a user do nothing from now on. Refused(NOT_FOUND); a disabled one stays as they are."""
    await _set_disabled(connection, user, at, at, "directory.user_disabled")


async def enable(connection: AsyncConnection, user: UserId, at: datetime) -> None:
    """Let a disabled user work again. Refused(NOT_FOUND)."""
    await _set_disabled(connection, user, None, at, "directory.user_enabled")


async def set_roles(
    connection: AsyncConnection, user: UserId, roles: Collection[Role], at: datetime
) -> frozenset[Role]:
    """Give a user these roles and no others; those that they had. Refused(NOT_FOUND)."""
    await turn(connection)
    row = await _row(connection, user)
    before = frozenset(Role(role) for role in row["roles"])
    if before != frozenset(roles):
        await connection.execute(sa.update(users).where(users.c.user == user).values(roles=in_order(roles)))
        detail = {"before": joined(before), "roles": joined(roles)}
        await audit.by_command_line(connection, VdnId(row["vdn"]), at, "directory.user_roles", user, detail)
    return before


async def tenant_of(connection: AsyncConnection, user: UserId) -> VdnId:
    """Whose user that is, a disabled one too. Refused(NOT_FOUND)."""
    return VdnId((await _row(connection, user))["vdn"])


async def turn(connection: AsyncConnection) -> None:
    """Wait until nobody else changes people; until the end of the transaction nobody will."""
    await connection.execute(sa.text("SELECT pg_advisory_xact_lock(:turn)"), {"turn": TURN})


def in_order(roles: Collection[Role]) -> list[str]:
    """Roles as they are kept: each once, in the order of `Role`."""
    return [role.value for role in Role if role in roles]


def joined(roles: Collection[Role]) -> str:
    """Roles as the audit has them."""
    return ", ".join(in_order(roles)) or "none"


async def _set_disabled(
    connection: AsyncConnection, user: UserId, disabled_at: datetime | None, at: datetime, action: str
) -> None:
    await turn(connection)
    row = await _row(connection, user)
    if (row["disabled_at"] is None) == (disabled_at is None):
        return
    await connection.execute(sa.update(users).where(users.c.user == user).values(disabled_at=disabled_at))
    await audit.by_command_line(connection, VdnId(row["vdn"]), at, action, user, {})


async def _row(connection: AsyncConnection, user: UserId) -> sa.RowMapping:
    row = (await connection.execute(sa.select(users).where(users.c.user == user))).mappings().first()
    if row is None:
        raise Refused(Code.NOT_FOUND, f"there is no user {user}")
    return row


async def _vdn_of(connection: AsyncConnection, user: UserId) -> int | None:
    found = await connection.execute(sa.select(users.c.vdn).where(users.c.user == user))
    return found.scalar_one_or_none()


async def _free_agent(work: Work, agent: AgentId) -> None:
    of = sa.select(agents.c.agent).where(agents.c.agent == agent, agents.c.vdn == work.vdn)
    if (await work.connection.execute(of)).first() is None:
        raise Refused(Code.BAD_PARAMETER, f"VDN {work.vdn} has no agent {agent}")
    held = (await work.connection.execute(sa.select(users.c.user).where(users.c.agent == agent))).scalar()
    if held is not None:
        raise Refused(Code.BAD_PARAMETER, f"agent {agent} is user {held} already")


async def led(work: Work, leader: UserId) -> Led:
    """Whom somebody leads by their groups.

    A leader of a group of agents who has a role of the table side answers for its agents, unless they lead it
    for inspection alone; those who lead it with them are none of theirs. All other leaders, and whoever has a
    role of the quality side, have the agents inspected.
    """
    led, leading = group_members.alias(), users.alias()
    table = user_groups.c.side == GroupSide.TABLE.value
    answers = table & ~group_members.c.inspects & leading.c.roles.overlap(_values(TABLE_LEADS))
    inspects = ~answers | leading.c.roles.overlap(_values(QUALITY_LEADS))
    query = (
        sa.select(
            users.c.user,
            users.c.agent,
            (~table | answers & ~led.c.leads).label("led"),
            answers.label("answers"),
            inspects.label("inspects"),
        )
        .join(led, led.c.user == users.c.user)
        .join(user_groups, (user_groups.c.vdn == led.c.vdn) & (user_groups.c.name == led.c.name))
        .join(group_members, (group_members.c.vdn == led.c.vdn) & (group_members.c.name == led.c.name))
        .join(leading, leading.c.user == group_members.c.user)
        .where(
            led.c.vdn == work.vdn,
            group_members.c.user == leader,
            group_members.c.leads,
            users.c.disabled_at.is_(None),
        )
    )
    rows = (await work.connection.execute(query)).all()
    agents = [(AgentId(row.agent), row) for row in rows if row.agent is not None]
    return Led(
        frozenset(UserId(row.user) for row in rows if row.led),
        frozenset(agent for agent, row in agents if row.answers),
        frozenset(agent for agent, row in agents if row.inspects),
    )


def _values(roles: Collection[Role]) -> list[str]:
    return [role.value for role in roles]
