"""The users and groups of a seed file, brought in.

An entry describes its user or group whole; what the file does not name stays. A user whose id is not
in the file is found again by their agent, else by their name, so that importing twice changes nothing.
A disabled user stays disabled.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from sottovoce.domain.directory import VdnId
from sottovoce.domain.people import QUALITY_LEADS, TABLE_LEADS, GroupSide, Role, UserId
from sottovoce.storage import audit
from sottovoce.storage.live.seed import USER_ID, GroupSeed, SeedFile, SeedReport, UserSeed, VdnSeed
from sottovoce.storage.review import ids
from sottovoce.storage.review.users import in_order, joined
from sottovoce.storage.tables import agents, group_members, user_groups, users


class Part(NamedTuple):
    """In what way somebody is in a group."""

    leads: bool
    inspects: bool = False


LEADERS, INSPECTED_BY, MEMBERS = Part(True), Part(True, True), Part(False)
FITTING: Mapping[tuple[GroupSide, Part], frozenset[Role]] = {
    (GroupSide.QUALITY, LEADERS): QUALITY_LEADS,
    (GroupSide.QUALITY, INSPECTED_BY): frozenset(),
    (GroupSide.QUALITY, MEMBERS): QUALITY_LEADS | {Role.INSPECTOR},
    (GroupSide.TABLE, LEADERS): TABLE_LEADS | QUALITY_LEADS,
    (GroupSide.TABLE, INSPECTED_BY): QUALITY_LEADS,
    (GroupSide.TABLE, MEMBERS): TABLE_LEADS | {Role.STAFF},
}
"""Who can be what in a group of that side; who leads agents from the quality side has them inspected."""


@dataclass(frozen=True, slots=True)
class SeedPlace:
    """What every step of one VDN's import needs."""

    connection: AsyncConnection
    file: SeedFile
    place: int
    vdn: VdnSeed
    at: datetime
    report: SeedReport

    def where(self, *path: int | str) -> str:
        """Where in the file that stands, for the begin of a mistake."""
        return self.file.at("vdns", self.place, *path)

    async def record(self, action: str, target: str, **detail: str) -> None:
        """Put it into the audit."""
        await audit.by_command_line(self.connection, VdnId(self.vdn.vdn), self.at, action, target, detail)


async def bring_in(here: SeedPlace) -> list[str]:
    """The users and groups of one VDN, whose agents must be there. Mistakes, with their lines."""
    if not here.vdn.users and not here.vdn.groups:
        return []
    there = await _there(here)
    found, mistakes = await _matched(here, there)
    if mistakes:
        return mistakes
    await _put_users(here, found, there)
    return await _put_groups(here)


async def _there(here: SeedPlace) -> dict[str, sa.RowMapping]:
    query = sa.select(users).where(users.c.vdn == here.vdn.vdn)
    return {row["user"]: row for row in (await here.connection.execute(query)).mappings()}


async def _matched(here: SeedPlace, there: Mapping[str, sa.RowMapping]) -> tuple[list[str | None], list[str]]:
    """For each user of the file their id if they are there or given; and mistakes."""
    mistakes: list[str] = []
    entries = here.vdn.users
    found: list[str | None] = [entry.user for entry in entries]
    by_agent = {row["agent"]: user for user, row in there.items() if row["agent"] is not None}
    for index, entry in enumerate(entries):
        if entry.user is None and entry.agent is not None:
            found[index] = by_agent.get(entry.agent)
    for index, entry in enumerate(entries):
        if found[index] is None:
            taken = {user for user in found if user is not None}
            same = [
                user
                for user, row in there.items()
                if row["name"] == entry.name
                and user not in taken
                and (entry.agent is None or row["agent"] is None)
            ]
            enabled = [user for user in same if there[user]["disabled_at"] is None]
            same = enabled or same
            if len(same) > 1:
                where = here.where("users", index)
                mistakes.append(f"{where}VDN {here.vdn.vdn} has {len(same)} users {entry.name}: give user")
            elif same:
                found[index] = same[0]
    mistakes += await _foreign(here, found)
    mistakes += await _wrong_agents(here, found, by_agent)
    return found, mistakes


async def _foreign(here: SeedPlace, found: Iterable[str | None]) -> list[str]:
    named = {user: index for index, user in enumerate(found) if user is not None}
    query = sa.select(users.c.user, users.c.vdn).where(
        users.c.user.in_(list(named)), users.c.vdn != here.vdn.vdn
    )
    return [
        f"{here.where('users', named[user])}user {user} belongs to VDN {vdn}"
        for user, vdn in (await here.connection.execute(query)).all()
    ]


async def _wrong_agents(here: SeedPlace, found: list[str | None], by_agent: Mapping[int, str]) -> list[str]:
    query = sa.select(agents.c.agent).where(agents.c.vdn == here.vdn.vdn)
    known = set((await here.connection.execute(query)).scalars())
    mistakes = []
    for index, entry in enumerate(here.vdn.users):
        if entry.agent is None:
            continue
        where = here.where("users", index, "agent")
        holder = by_agent.get(entry.agent)
        if entry.agent not in known:
            mistakes.append(f"{where}user {entry.name}: VDN {here.vdn.vdn} has no agent {entry.agent}")
        elif holder is not None and holder not in found:
            mistakes.append(f"{where}agent {entry.agent} is user {holder} already")
    return mistakes


async def _put_users(here: SeedPlace, found: list[str | None], there: Mapping[str, sa.RowMapping]) -> None:
    moving = [
        user
        for user, entry in zip(found, here.vdn.users, strict=True)
        if user is not None and user in there and there[user]["agent"] != entry.agent
    ]
    await here.connection.execute(sa.update(users).where(users.c.user.in_(moving)).values(agent=None))
    made = iter(await ids.fresh(here.connection, here.at, found.count(None)) if None in found else ())
    for user, entry in zip(found, here.vdn.users, strict=True):
        known = there.get(user) if user is not None else None
        await _put_user(here, UserId(user if user is not None else next(made)), entry, known)


async def _put_user(here: SeedPlace, user: UserId, entry: UserSeed, known: sa.RowMapping | None) -> None:
    row: dict[str, Any] = {"name": entry.name, "agent": entry.agent, "roles": in_order(entry.roles)}
    what = f"user {user} ({entry.name})"
    if known is None:
        await here.connection.execute(sa.insert(users).values(user=user, vdn=here.vdn.vdn, **row))
        here.report.changes.append(f"{what} added")
        await here.record("directory.user", user, name=entry.name, roles=joined(entry.roles))
        return
    before = frozenset(Role(role) for role in known["roles"])
    changed = [name for name in ("agent", "name") if known[name] != row[name]]
    changed += ["roles"] if before != entry.roles else []
    if not changed:
        here.report.unchanged += 1
        return
    await here.connection.execute(sa.update(users).where(users.c.user == user).values(**row))
    here.report.changes.append(f"{what} changed: {', '.join(changed)}")
    if before != entry.roles:
        await here.record("directory.user_roles", user, before=joined(before), roles=joined(entry.roles))


async def _put_groups(here: SeedPlace) -> list[str]:
    there = await _there(here)
    mistakes: list[str] = []
    for index, group in enumerate(here.vdn.groups):
        wanted: dict[str, Part] = {}
        for part in (LEADERS, INSPECTED_BY, MEMBERS):
            key, named, what = {
                LEADERS: ("leaders", group.leaders, "lead"),
                INSPECTED_BY: ("inspected_by", group.inspected_by, "have inspected"),
                MEMBERS: ("members", group.members, "be in"),
            }[part]
            for number, person in enumerate(named):
                where = here.where("groups", index, key, number)
                user = _person(here, there, person, where, mistakes)
                if user is None:
                    continue
                fitting = FITTING[group.side, part]
                if not fitting & {Role(role) for role in there[user]["roles"]}:
                    lacking = f" without one of the roles {', '.join(in_order(fitting))}" if fitting else ""
                    cannot = f"{person} cannot {what} a group of the {group.side} side"
                    mistakes.append(f"{where}{cannot}{lacking}")
                elif user in wanted:
                    mistakes.append(f"{where}group {group.name}: {person} is there twice")
                wanted[user] = part
        if not mistakes:
            await _put_group(here, group, wanted)
    return mistakes


def _person(
    here: SeedPlace, there: Mapping[str, sa.RowMapping], person: str, where: str, mistakes: list[str]
) -> str | None:
    """Whom a group names: by id, else by name; enabled ones before disabled ones."""
    if USER_ID.fullmatch(person) and person in there:
        return person
    same = [user for user, row in there.items() if row["name"] == person]
    same = [user for user in same if there[user]["disabled_at"] is None] or same
    if len(same) == 1:
        return same[0]
    if same:
        mistakes.append(f"{where}VDN {here.vdn.vdn} has {len(same)} users {person}: write the user id")
    else:
        mistakes.append(f"{where}VDN {here.vdn.vdn} has no user {person}")
    return None


async def _put_group(here: SeedPlace, group: GroupSeed, wanted: Mapping[str, Part]) -> None:
    key = {"vdn": here.vdn.vdn, "name": group.name}
    this = (user_groups.c.vdn == here.vdn.vdn) & (user_groups.c.name == group.name)
    kept = sa.select(user_groups.c.side).where(this)
    side = (await here.connection.execute(kept)).scalar_one_or_none()
    of_group = (group_members.c.vdn == here.vdn.vdn) & (group_members.c.name == group.name)
    row = group_members.c
    members = sa.select(row.user, row.leads, row.inspects).where(of_group)
    before = {user: Part(*part) for user, *part in (await here.connection.execute(members)).all()}
    changed = [] if side == group.side else ["side"]
    changed += [] if before == wanted else ["people"]
    if not changed:
        here.report.unchanged += 1
        return
    if side is None:
        await here.connection.execute(sa.insert(user_groups).values(**key, side=group.side.value))
    else:
        await here.connection.execute(sa.update(user_groups).where(this).values(side=group.side.value))
    await here.connection.execute(sa.delete(group_members).where(of_group))
    if wanted:
        rows = [{**key, "user": user, **part._asdict()} for user, part in wanted.items()]
        await here.connection.execute(sa.insert(group_members), rows)
    what = f"group {group.name}"
    here.report.changes.append(f"{what} added" if side is None else f"{what} changed: {', '.join(changed)}")
    await here.record(
        "directory.group",
        group.name,
        side=group.side.value,
        leaders=", ".join(user for user, part in wanted.items() if part is LEADERS),
        members=", ".join(user for user, part in wanted.items() if part is MEMBERS),
        inspected_by=", ".join(user for user, part in wanted.items() if part is INSPECTED_BY),
    )
