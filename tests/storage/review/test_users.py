"""Users: added, changed, disabled; each change with its row in the audit."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.storage.works import work_of

from sottovoce.domain.directory import AgentId, VdnId
from sottovoce.domain.people import Role, User, UserId
from sottovoce.errors import Code, Refused
from sottovoce.storage import audit
from sottovoce.storage.review import users
from sottovoce.storage.tables import group_members, user_groups

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
ONE, TWO = VdnId(1), VdnId(2)
GIVEN = UserId("16119170956652619780")


async def test_a_user_is_found_as_added_and_by_their_tenant_alone(two_vdns: AsyncEngine) -> None:
    async with two_vdns.begin() as connection:
        made = await users.add(work_of(connection, ONE, NOW), "Ann", {Role.STAFF}, agent=AgentId(101))
        given = await users.add(
            work_of(connection, ONE, NOW), "Ida", [Role.INSPECTOR, Role.QUALITY_LEADER], user=GIVEN
        )
        found = await users.find(work_of(connection, ONE), made)
        assert await users.find(work_of(connection, TWO), made) is None
    assert given == GIVEN
    assert (len(made), made[:10]) == (19, str(int(NOW.timestamp())))
    assert found == User(made, ONE, "Ann", frozenset({Role.STAFF}), AgentId(101))
    entries = await audit.read(two_vdns, ONE, after=2)
    assert [(entry.at, entry.actor, entry.action, entry.target, entry.detail) for entry in entries] == [
        (NOW, 0, "directory.user", made, {"name": "Ann", "roles": "staff"}),
        (NOW, 0, "directory.user", GIVEN, {"name": "Ida", "roles": "quality_leader, inspector"}),
    ]


async def test_who_cannot_be_added(two_vdns: AsyncEngine) -> None:
    async with two_vdns.begin() as connection:
        await users.add(work_of(connection, ONE, NOW), "Ann", (), agent=AgentId(101), user=GIVEN)
    for vdn, agent, user, code, told in (
        (VdnId(3), None, None, Code.NOT_FOUND, "there is no VDN 3"),
        (TWO, None, GIVEN, Code.BAD_PARAMETER, f"user {GIVEN} is there already, in VDN 1"),
        (ONE, AgentId(101), None, Code.BAD_PARAMETER, f"agent 101 is user {GIVEN} already"),
        (TWO, AgentId(102), None, Code.BAD_PARAMETER, "VDN 2 has no agent 102"),
    ):
        with pytest.raises(Refused) as refused:
            async with two_vdns.begin() as connection:
                await users.add(work_of(connection, vdn, NOW), "X", (), agent=agent, user=user)
        assert (refused.value.code, refused.value.why) == (code, told)
    async with two_vdns.begin() as connection:
        assert [one.user.name for one in await users.listed(connection)] == ["Ann"]


async def test_roles_and_disabling_take_effect_at_once(two_vdns: AsyncEngine) -> None:
    async with two_vdns.begin() as connection:
        await users.add(work_of(connection, ONE, NOW), "Ida", {Role.INSPECTOR}, user=GIVEN)
        assert await users.set_roles(connection, GIVEN, {Role.TABLE_LEADER}, NOW) == {Role.INSPECTOR}
        assert await users.set_roles(connection, GIVEN, {Role.TABLE_LEADER}, NOW) == {Role.TABLE_LEADER}
        found = await users.find(work_of(connection, ONE), GIVEN)
        assert found is not None
        assert found.roles == {Role.TABLE_LEADER}
        await users.disable(connection, GIVEN, NOW)
        await users.disable(connection, GIVEN, NOW)
        assert await users.find(work_of(connection, ONE), GIVEN) is None
        (listed,) = await users.listed(connection, ONE)
        assert listed.disabled_at == NOW
        await users.enable(connection, GIVEN, NOW)
        assert await users.find(work_of(connection, ONE), GIVEN) == found
        for change in (users.disable, users.enable):
            with pytest.raises(Refused, match="there is no user 9"):
                await change(connection, UserId("9"), NOW)
    entries = await audit.read(two_vdns, ONE, after=3)
    assert [(entry.action, dict(entry.detail)) for entry in entries] == [
        ("directory.user_roles", {"before": "inspector", "roles": "table_leader"}),
        ("directory.user_disabled", {}),
        ("directory.user_enabled", {}),
    ]


async def test_a_leader_leads_the_groups_members_but_no_disabled_one(two_vdns: AsyncEngine) -> None:
    async with two_vdns.begin() as connection:
        leader = await users.add(work_of(connection, ONE, NOW), "Lea", {Role.TABLE_LEADER})
        ann = await users.add(work_of(connection, ONE, NOW), "Ann", {Role.STAFF}, agent=AgentId(101))
        ben = await users.add(work_of(connection, ONE, NOW), "Ben", {Role.STAFF})
        await connection.execute(sa.insert(user_groups).values(vdn=1, name="G", side="table"))
        rows = [{"vdn": 1, "name": "G", "user": user, "leads": user == leader} for user in (leader, ann, ben)]
        await connection.execute(sa.insert(group_members), rows)
        found = await users.find(work_of(connection, ONE), leader)
        assert found is not None
        assert {ann, ben} <= found.leads
        assert found.leads_agents == {AgentId(101)}
        await users.disable(connection, ann, NOW)
        found = await users.find(work_of(connection, ONE), leader)
        assert found is not None
        assert ann not in found.leads
        assert found.leads_agents == frozenset()
        assert {one.user.name: one.groups for one in await users.listed(connection, ONE)} == {
            "Ann": ("G",),
            "Ben": ("G",),
            "Lea": ("G (leads)",),
        }
