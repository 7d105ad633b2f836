"""What is configured, read and written: VDNs, skills, access codes, phones, agents; people through `people`.

A floor reads one `profile`; `import_seed` brings a checked seed file in, wholly or not at all.
An import adds and changes and removes nothing: what the file does not name stays.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Mapping, Sequence, Set
from datetime import UTC, datetime
from operator import itemgetter
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from sottovoce.domain.directory import (
    BEST_LEVEL,
    FORMER_PASSWORDS_KEPT,
    NO_PASSWORD,
    AccessCode,
    AgentId,
    AgentProfile,
    PhoneAccount,
    Skill,
    SkillId,
    SkillLevel,
    VdnId,
    VdnProfile,
)
from sottovoce.domain.journal import PasswordChanged
from sottovoce.domain.people import SERVER
from sottovoce.domain.queueing import circle
from sottovoce.errors import Code, Refused
from sottovoce.plain import to_plain
from sottovoce.storage import audit
from sottovoce.storage.database import transaction
from sottovoce.storage.live import people, seed_queues
from sottovoce.storage.live.passwords import Passwords
from sottovoce.storage.live.people import SeedPlace
from sottovoce.storage.live.seed import AgentSeed, SeedFile, SeedMistakes, SeedReport, VdnSeed
from sottovoce.storage.review import lots, users
from sottovoce.storage.rows import all_of, value_of
from sottovoce.storage.tables import access_codes, agents, phones, skills, vdns
from sottovoce.storage.work import working


async def vdn_ids(engine: AsyncEngine) -> list[VdnId]:
    """All VDNs of the installation, by number."""
    async with transaction(engine) as connection:
        found = await connection.execute(sa.select(vdns.c.vdn).order_by(vdns.c.vdn))
        return [VdnId(vdn) for vdn in found.scalars()]


async def time_zones(engine: AsyncEngine) -> dict[VdnId, ZoneInfo]:
    """All VDNs of the installation with their clocks."""
    async with transaction(engine) as connection:
        found = await connection.execute(sa.select(vdns.c.vdn, vdns.c.time_zone))
        return {VdnId(vdn): ZoneInfo(zone) for vdn, zone in found}


async def has_vdn(connection: AsyncConnection, vdn: VdnId) -> bool:
    """Whether there is such a VDN."""
    return (await connection.execute(sa.select(vdns.c.vdn).where(vdns.c.vdn == int(vdn)))).first() is not None


async def revision(engine: AsyncEngine) -> int:
    """A number that rises with every change of what is configured. Raises DatabaseAway."""
    async with transaction(engine) as connection:
        risen = await connection.execute(sa.select(sa.func.coalesce(sa.func.sum(vdns.c.revision), 0)))
        return int(risen.scalar_one())


async def profile(engine: AsyncEngine, vdn: VdnId) -> VdnProfile:
    """The whole VDN. Raises Refused(NOT_FOUND), DatabaseAway."""
    async with transaction(engine, snapshot=True) as connection:
        row = (await connection.execute(sa.select(vdns).where(vdns.c.vdn == vdn))).mappings().first()
        if row is None:
            raise Refused(Code.NOT_FOUND, f"there is no VDN {vdn}")
        found: dict[sa.Table, Sequence[sa.RowMapping]] = {
            table: (await connection.execute(sa.select(table).where(table.c.vdn == vdn))).mappings().all()
            for table in (skills, access_codes, phones, agents)
        }
    return value_of(
        VdnProfile,
        row,
        agents={one.agent: one for one in all_of(AgentProfile, found[agents])},
        skills={one.skill: one for one in all_of(Skill, found[skills])},
        access_codes={one.number: one for one in all_of(AccessCode, found[access_codes])},
        phones={one.number: one for one in all_of(PhoneAccount, found[phones])},
    )


async def agent_list(engine: AsyncEngine, vdn: VdnId | None = None) -> list[AgentProfile]:
    """The agents of one VDN or of all, by number."""
    query = sa.select(agents).order_by(agents.c.agent)
    if vdn is not None:
        query = query.where(agents.c.vdn == vdn)
    async with transaction(engine) as connection:
        return all_of(AgentProfile, (await connection.execute(query)).mappings())


async def add_agent(engine: AsyncEngine, vdn: VdnId, agent: AgentSeed, password_hash: str) -> None:
    """Add one agent to a VDN. Raises Refused(NOT_FOUND), Refused(BAD_PARAMETER), DatabaseAway."""
    there = await profile(engine, vdn)
    if agent.phone is not None and agent.phone not in there.phones:
        raise Refused(Code.BAD_PARAMETER, f"VDN {vdn} has no phone {agent.phone}")
    for skill in agent.skills:
        if skill not in there.skills:
            raise Refused(Code.BAD_PARAMETER, f"VDN {vdn} has no skill {skill}")
    row = {"agent": agent.agent, "vdn": int(vdn), "password_hash": password_hash, **_agent_row(agent)}
    async with transaction(engine) as connection:
        added = insert(agents).values(row).on_conflict_do_nothing().returning(agents.c.agent)
        if (await connection.execute(added)).first() is None:
            raise Refused(Code.BAD_PARAMETER, f"agent {agent.agent} is there already")
        await _record(connection, vdn, "directory.agent", {}, target=str(agent.agent))


async def set_password(engine: AsyncEngine, agent: AgentId, password_hash: str) -> None:
    """Give an agent another password. Raises Refused(NOT_FOUND), DatabaseAway."""
    async with transaction(engine) as connection:
        vdn = await _put_password(connection, agent, password_hash, datetime.now(UTC))
        if vdn is None:
            raise Refused(Code.NOT_FOUND, f"there is no agent {agent}")
        await _record(connection, VdnId(vdn), "directory.password", {}, target=str(agent))


async def password_changed(connection: AsyncConnection, change: PasswordChanged) -> None:
    """Keep the password that an agent took."""
    await _put_password(connection, change.agent, change.hashed, change.at, agents.c.vdn == int(change.vdn))
    await _rise(connection, change.vdn)


async def _put_password(
    connection: AsyncConnection, agent: AgentId, hashed: str, at: datetime, *only: sa.ColumnElement[bool]
) -> int | None:
    """The agent's VDN; None where there is no such agent."""
    former = sa.func.array_prepend(
        agents.c.password_hash, agents.c.former_passwords, type_=agents.c.former_passwords.type
    )
    changed = await connection.execute(
        sa.update(agents)
        .where(agents.c.agent == agent, *only)
        .values(password_hash=hashed, password_set_at=at, former_passwords=former[1:FORMER_PASSWORDS_KEPT])
        .returning(agents.c.vdn)
    )
    vdn: int | None = changed.scalar_one_or_none()
    return vdn


async def import_seed(engine: AsyncEngine, file: SeedFile, passwords: Passwords, realm: str) -> SeedReport:
    """Bring a seed file in, in one transaction. Phones' digests are made for `realm`.

    Raises SeedMistakes (nothing was changed), DatabaseAway.
    """
    hashes = await _password_hashes(engine, file, passwords)
    report = SeedReport()
    async with transaction(engine) as connection:
        await users.turn(connection)
        mistakes: list[str] = []
        for place, vdn in enumerate(file.seed.vdns):
            before = len(report.changes)
            here = SeedPlace(connection, file, place, vdn, datetime.now(UTC), report)
            mistakes += await _foreign(here)
            if not mistakes:
                await _import_vdn(here, hashes, realm)
                mistakes += await _dangling(here)
            if not mistakes:
                mistakes += await people.bring_in(here)
            if not mistakes and len(report.changes) > before:
                changed = {"changes": len(report.changes) - before}
                await _record(connection, VdnId(vdn.vdn), "directory.import", changed)
            if not mistakes:
                # A new tenant's chain is on record before its first contact can be.
                async with working(connection, VdnId(vdn.vdn), datetime.now(UTC), SERVER) as work:
                    await lots.commit(work)
        if mistakes:
            raise SeedMistakes(mistakes)
    return report


def digests(username: str, realm: str, password: str) -> dict[str, str]:
    """H(user:realm:password) for each digest algorithm (RFC 7616 3.4.2)."""
    secret = f"{username}:{realm}:{password}".encode()
    return {
        "MD5": hashlib.md5(secret, usedforsecurity=False).hexdigest(),
        "SHA-256": hashlib.sha256(secret).hexdigest(),
    }


async def _password_hashes(engine: AsyncEngine, file: SeedFile, passwords: Passwords) -> dict[int, str]:
    """Agent to hash: the one there is if the file's password fits it or there is none in the file."""
    async with transaction(engine) as connection:
        found = await connection.execute(sa.select(agents.c.agent, agents.c.password_hash))
        hashes: dict[int, str] = {row.agent: row.password_hash for row in found}
    mistakes = []
    given: list[tuple[int, str]] = []
    for place, vdn in enumerate(file.seed.vdns):
        for index, agent in enumerate(vdn.agents):
            if agent.password is not None:
                given.append((agent.agent, agent.password.get_secret_value()))
            elif agent.agent not in hashes:
                mistakes.append(
                    f"{file.at('vdns', place, 'agents', index)}agent {agent.agent} wants a password"
                )
    if mistakes:
        raise SeedMistakes(mistakes)

    async def fitting(agent: int, password: str) -> tuple[int, str]:
        if not password:
            return agent, NO_PASSWORD
        there = hashes.get(agent)
        if there is not None and await passwords.verify(there, password):
            return agent, there
        return agent, await passwords.hash(password)

    return hashes | dict(await asyncio.gather(*(fitting(agent, password) for agent, password in given)))


async def _import_vdn(here: SeedPlace, hashes: Mapping[int, str], realm: str) -> None:
    vdn = here.vdn
    key = {"vdn": vdn.vdn}
    own = {
        "name": vdn.name,
        "outbound_allowed": list(vdn.outbound_allowed),
        "inspect_inspectors": vdn.inspect_inspectors,
        **({"time_zone": vdn.time_zone} if vdn.time_zone is not None else {}),
        **_all_of(vdn, "rest_causes", by="cause"),
        **_all_of(vdn, "agent_groups", by="group"),
        **({f"keep_{kind}_days": days for kind, days in vdn.keep or ()}),
    }
    await _put(here, vdns, key, own, f"VDN {vdn.vdn}")
    for skill in vdn.skills:
        queue = {"name": skill.name, "rules": to_plain(skill.rules())}
        await _put(here, skills, {**key, "skill": skill.skill}, queue, f"skill {skill.skill}")
    for code in vdn.access_codes:
        content: dict[str, Any] = {
            **key,
            "skill": code.skill,
            "early_media": code.early_media,
            "head_start_s": code.head_start,
        }
        has_skill = sa.select(skills.c.skill).where(skills.c.vdn == vdn.vdn, skills.c.skill == code.skill)
        if (await here.connection.execute(has_skill)).first() is not None:
            await _put(here, access_codes, {"number": code.number}, content, f"access code {code.number}")
    for phone in vdn.phones:
        secret = digests(phone.account, realm, phone.password.get_secret_value())
        content = {**key, "number": phone.number, "ha1": secret}
        await _put(here, phones, {"username": phone.account}, content, f"phone {phone.number}")
    for agent in vdn.agents:
        content = {**key, **_agent_row(agent), "password_hash": hashes[agent.agent]}
        changed = await _put(here, agents, {"agent": agent.agent}, content, f"agent {agent.agent}")
        if "password_hash" in changed:
            this = sa.update(agents).where(agents.c.agent == agent.agent)
            await here.connection.execute(this.values(password_set_at=sa.func.now()))


def _all_of(vdn: VdnSeed, name: str, *, by: str) -> dict[str, Any]:
    """A list that the file gives whole, in order; nothing where it does not."""
    given = getattr(vdn, name)
    return {} if given is None else {name: sorted((one.model_dump() for one in given), key=itemgetter(by))}


def _agent_row(agent: AgentSeed) -> dict[str, Any]:
    return {
        "name": agent.name,
        "phone": agent.phone,
        "skills": list(agent.skills),
        "rights": sorted(right.value for right in agent.rights),
        "group": agent.group,
        "levels": [
            to_plain(SkillLevel(SkillId(skill), level))
            for skill, level in sorted(agent.levels.items())
            if level != BEST_LEVEL
        ],
    }


async def _put(
    here: SeedPlace, table: sa.Table, key: Mapping[str, Any], content: Mapping[str, Any], what: str
) -> Sequence[str]:
    """Insert or change one row, and report which; the columns that changed."""
    fits = [table.c[name] == value for name, value in key.items()]
    row = (await here.connection.execute(sa.select(table).where(*fits))).mappings().first()
    if row is None:
        await here.connection.execute(insert(table).values(**key, **content))
        here.report.changes.append(f"{what} added")
        return ()
    changed = sorted(name for name, value in content.items() if row[name] != value)
    if not changed:
        here.report.unchanged += 1
        return ()
    await here.connection.execute(sa.update(table).where(*fits).values(**content))
    names = ", ".join("password" if name in ("password_hash", "ha1") else name for name in changed)
    here.report.changes.append(f"{what} changed: {names}")
    return changed


async def _foreign(here: SeedPlace) -> list[str]:
    """What belongs to another VDN already: agents, access codes and accounts are unique over all."""
    vdn = here.vdn
    mistakes = []
    for column, part, what, values in (
        (agents.c.agent, "agents", "agent", [agent.agent for agent in vdn.agents]),
        (access_codes.c.number, "access_codes", "access code", [code.number for code in vdn.access_codes]),
        (phones.c.username, "phones", "SIP account", [phone.account for phone in vdn.phones]),
    ):
        owner = column.table.c.vdn
        query = sa.select(column, owner).where(column.in_(values), owner != vdn.vdn)
        for value, other in (await here.connection.execute(query)).all():
            where = here.where(part, values.index(value))
            mistakes.append(f"{where}{what} {value} belongs to VDN {other}")
    numbers = {phone.number: phone.account for phone in vdn.phones}
    same = sa.select(phones.c.number, phones.c.username).where(
        phones.c.vdn == vdn.vdn, phones.c.number.in_(numbers)
    )
    for number, username in (await here.connection.execute(same)).all():
        if numbers[number] != username:
            where = here.where("phones", list(numbers).index(number))
            mistakes.append(f"{where}phone number {number} belongs to SIP account {username}")
    return mistakes


async def _dangling(here: SeedPlace) -> list[str]:
    """References to skills and phones that the VDN has neither in the file nor from before."""
    vdn = here.vdn
    known, numbers = [
        set((await here.connection.execute(sa.select(column).where(column.table.c.vdn == vdn.vdn))).scalars())
        for column in (skills.c.skill, phones.c.number)
    ]
    mistakes = await _dangling_queues(here, known)
    for index, code in enumerate(vdn.access_codes):
        if code.skill not in known:
            where = here.where("access_codes", index, "skill")
            mistakes.append(f"{where}access code {code.number}: VDN {vdn.vdn} has no skill {code.skill}")
    for index, agent in enumerate(vdn.agents):
        for skill in agent.skills:
            if skill not in known:
                where = here.where("agents", index, "skills")
                mistakes.append(f"{where}agent {agent.agent}: VDN {vdn.vdn} has no skill {skill}")
        if agent.phone is not None and agent.phone not in numbers:
            where = here.where("agents", index, "phone")
            mistakes.append(f"{where}agent {agent.agent}: VDN {vdn.vdn} has no phone {agent.phone}")
    found = await here.connection.execute(sa.select(agents.c.agent).where(agents.c.vdn == vdn.vdn))
    there = set(found.scalars())
    for index, group in enumerate(vdn.agent_groups or ()):
        if group.leader is not None and group.leader not in there:
            where = here.where("agent_groups", index, "leader")
            mistakes.append(f"{where}group {group.group}: VDN {vdn.vdn} has no agent {group.leader}")
    return mistakes


async def _dangling_queues(here: SeedPlace, known: Set[int]) -> list[str]:
    """Queues that name others which the VDN does not have, or whose ways out lead in a circle."""
    vdn, mistakes = here.vdn, []
    for index, skill in enumerate(vdn.skills):
        for path, other in seed_queues.named(skill):
            if other not in known:
                where = here.where("skills", index, *path)
                mistakes.append(f"{where}skill {skill.skill}: VDN {vdn.vdn} has no skill {other}")
    query = sa.select(skills).where(skills.c.vdn == vdn.vdn)
    there = all_of(Skill, (await here.connection.execute(query)).mappings())
    if (again := circle({one.skill: one.rules for one in there})) is not None:
        mistakes.append(f"{here.where('skills')}the way out of skill {again} leads back to it")
    return mistakes


async def _record(
    connection: AsyncConnection, vdn: VdnId, action: str, detail: Mapping[str, int], target: str = ""
) -> None:
    await audit.by_command_line(connection, vdn, datetime.now(UTC), action, target, detail)
    await _rise(connection, vdn)


async def _rise(connection: AsyncConnection, vdn: VdnId) -> None:
    """What is configured of the VDN changed: its floor reads it anew."""
    risen = sa.update(vdns).where(vdns.c.vdn == vdn).values(revision=vdns.c.revision + 1)
    await connection.execute(risen)
