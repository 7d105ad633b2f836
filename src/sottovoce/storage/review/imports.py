"""What an import of foreign calls must know of a tenant, and which of them it has already."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import sqlalchemy as sa

from sottovoce.domain.directory import AgentId, SkillId, VdnId
from sottovoce.storage.tables import agents, contact_sources, skills, users, vdns
from sottovoce.storage.work import Work


@dataclass(frozen=True, slots=True)
class Tenant:
    """A VDN as an import needs it."""

    vdn: VdnId
    zone: str
    """Its time zone's IANA name."""
    agents: Mapping[AgentId, frozenset[str]]
    """Work numbers, each with what the agent is called: name, the user's name, phone; lower case."""
    skills: frozenset[SkillId]


async def tenant(work: Work) -> Tenant | None:
    """That VDN; None: there is none."""
    zone = (
        await work.connection.execute(sa.select(vdns.c.time_zone).where(vdns.c.vdn == work.vdn))
    ).scalar_one_or_none()
    if zone is None:
        return None
    query = (
        sa.select(agents.c.agent, agents.c.name, agents.c.phone, users.c.name.label("user_name"))
        .outerjoin(users, (users.c.agent == agents.c.agent) & (users.c.vdn == agents.c.vdn))
        .where(agents.c.vdn == work.vdn)
    )
    called = {
        AgentId(row.agent): frozenset(name.lower() for name in (row.name, row.phone, row.user_name) if name)
        for row in await work.connection.execute(query)
    }
    queues = await work.connection.execute(sa.select(skills.c.skill).where(skills.c.vdn == work.vdn))
    return Tenant(work.vdn, zone, called, frozenset(map(SkillId, queues.scalars())))


async def already(work: Work, references: Collection[str]) -> frozenset[str]:
    """Those of these references that have their contact."""
    wanted = sa.any_(sa.literal(list(references), sa.ARRAY(sa.Text)))
    query = sa.select(contact_sources.c.reference).where(
        contact_sources.c.vdn == work.vdn, contact_sources.c.reference == wanted
    )
    return frozenset((await work.connection.execute(query)).scalars())
