"""Users and groups of a seed file: found again without their ids, refused with their line."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.storage.conftest import cheap_passwords
from tests.storage.works import work_of

from sottovoce.domain.directory import AgentId, VdnId
from sottovoce.domain.people import Role, UserId
from sottovoce.storage import audit
from sottovoce.storage.live import directory, seed
from sottovoce.storage.live.seed import SeedMistakes, SeedReport
from sottovoce.storage.review import quality_items, users

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
ONE = VdnId(1)
HEAD = "vdns:\n- vdn: 1\n  name: Hotline\n  outbound_allowed: ['+49', '0']\n"
DORA = "1611917095665261978"
PEOPLE = (
    HEAD
    + f"""
  time_zone: Europe/Berlin
  users:
  - {{name: Dora, user: {DORA}, roles: [quality_director]}}
  - {{name: Lea, roles: [table_leader, staff]}}
  - {{name: Ann, agent: 101, roles: [staff]}}
  - {{name: Ann, roles: [inspector]}}
  groups:
  - {{name: Sales, side: table, leaders: [Lea], members: []}}
  - {{name: Quality, side: quality, leaders: ["{DORA}"]}}
"""
)


async def imported(engine: AsyncEngine, text: str) -> SeedReport:
    return await directory.import_seed(engine, seed.parse(text, "s.yaml"), cheap_passwords(), "test.example")


async def everybody(engine: AsyncEngine) -> dict[UserId, users.Listed]:
    async with engine.begin() as connection:
        return {one.user.user: one for one in await users.listed(connection, ONE)}


async def refused(engine: AsyncEngine, text: str) -> list[str]:
    before = await everybody(engine)
    with pytest.raises(SeedMistakes) as failure:
        await imported(engine, text)
    assert await everybody(engine) == before
    return failure.value.mistakes


async def test_importing_twice_changes_nothing(two_vdns: AsyncEngine) -> None:
    first = await imported(two_vdns, PEOPLE)
    before = await everybody(two_vdns)
    ids = {one.user.name: user for user, one in before.items() if one.user.agent is None}
    ann = next(user for user, one in before.items() if one.user.agent == 101)
    assert first.changes == [
        "VDN 1 changed: time_zone",
        f"user {DORA} (Dora) added",
        f"user {ids['Lea']} (Lea) added",
        f"user {ann} (Ann) added",
        f"user {ids['Ann']} (Ann) added",
        "group Sales added",
        "group Quality added",
    ]
    second = await imported(two_vdns, PEOPLE)
    assert (second.changes, second.unchanged) == ([], 7)
    assert await everybody(two_vdns) == before
    assert before[UserId(DORA)].groups == ("Quality (leads)",)
    entries = await audit.read(two_vdns, ONE, after=2)
    assert [entry.action for entry in entries] == [
        *["directory.user"] * 4,
        *["directory.group"] * 2,
        "directory.import",
    ]
    assert entries[1].detail == {"name": "Lea", "roles": "table_leader, staff"}


async def test_an_import_changes_whom_it_names_and_nobody_else(two_vdns: AsyncEngine) -> None:
    await imported(two_vdns, PEOPLE)
    before = await everybody(two_vdns)
    ann = next(user for user, one in before.items() if one.user.agent == 101)
    lea = next(user for user, one in before.items() if one.user.name == "Lea")
    async with two_vdns.begin() as connection:
        await users.disable(connection, lea, NOW)
    revision = await directory.revision(two_vdns)
    report = await imported(
        two_vdns,
        HEAD
        + f"""
  users:
  - {{name: Anne, agent: 101, roles: [staff, table_leader]}}
  - {{name: Lea, agent: 102, roles: [table_leader, staff]}}
  groups:
  - {{name: Sales, side: table, leaders: [Anne], members: [{lea}]}}
""",
    )
    assert report.changes == [
        f"user {ann} (Anne) changed: name, roles",
        f"user {lea} (Lea) changed: agent",
        "group Sales changed: people",
    ]
    after = await everybody(two_vdns)
    assert after.keys() == before.keys()
    assert after[UserId(DORA)] == before[UserId(DORA)]
    assert after[ann].groups == ("Sales (leads)",)
    assert (after[lea].user.agent, after[lea].groups) == (AgentId(102), ("Sales",))
    assert after[lea].disabled_at == NOW, "an import gives nobody their rights back"
    assert after[ann].user.roles == {Role.STAFF, Role.TABLE_LEADER}
    assert await directory.revision(two_vdns) > revision


async def test_an_agent_goes_from_one_user_to_another(two_vdns: AsyncEngine) -> None:
    await imported(two_vdns, PEOPLE)
    ann = next(user for user, one in (await everybody(two_vdns)).items() if one.user.agent == 101)
    text = HEAD + f"  users:\n  - {{name: New, user: {DORA}9, agent: 101}}\n"
    assert await refused(two_vdns, text) == [f"s.yaml:6: agent 101 is user {ann} already"]
    await imported(two_vdns, text + f"  - {{name: Ann, user: {ann}, agent: 102}}\n")
    after = await everybody(two_vdns)
    assert (after[ann].user.agent, after[UserId(DORA + "9")].user.agent) == (102, 101)


async def test_mistakes_have_their_line_and_nothing_comes_in(two_vdns: AsyncEngine) -> None:
    foreign = "1611917095665261999"
    await imported(
        two_vdns, f"vdns:\n- vdn: 2\n  name: Elsewhere\n  users: [{{name: Fay, user: {foreign}}}]\n"
    )
    await imported(two_vdns, PEOPLE)
    async with two_vdns.begin() as connection:
        await users.add(work_of(connection, ONE, NOW), "Lea", ())
    users_of = HEAD + "  users:\n"
    groups = HEAD + "  groups:\n"
    lacking = "without one of the roles"
    for text, told in (
        (users_of + f"  - {{name: Fay, user: {foreign}}}\n", f"user {foreign} belongs to VDN 2"),
        (users_of + "  - {name: Bob, agent: 201}\n", "user Bob: VDN 1 has no agent 201"),
        (users_of + "  - {name: Lea}\n", "VDN 1 has 2 users Lea: give user"),
        (groups + "  - {name: G, side: table, members: [Lea]}\n", "VDN 1 has 2 users Lea: write the user id"),
        (groups + "  - {name: G, side: table, members: [Fay]}\n", "VDN 1 has no user Fay"),
        (groups + f"  - {{name: G, side: quality, leaders: [{foreign}]}}\n", f"VDN 1 has no user {foreign}"),
        (
            groups + "  - {name: G, side: table, members: [Dora]}\n",
            f"Dora cannot be in a group of the table side {lacking} table_director, table_leader, staff",
        ),
        (
            groups + "  - {name: G, side: quality, leaders: [Ann]}\n",
            "VDN 1 has 2 users Ann: write the user id",
        ),
        (
            groups + f"  - {{name: G, side: quality, leaders: [Dora], members: [{DORA}]}}\n",
            f"group G: {DORA} is there twice",
        ),
    ):
        (mistake,) = await refused(two_vdns, text)
        line = 6
        assert mistake == f"s.yaml:{line}: {told}"


async def test_a_group_of_agents_is_led_by_who_answers_for_it_and_by_who_has_it_inspected(
    two_vdns: AsyncEngine,
) -> None:
    """Both have its agents, one to lead them and one to draw from their calls; neither has the other one."""
    text = PEOPLE.replace("leaders: [Lea], members: []", f'leaders: [Lea, "{DORA}"], members: [ANN]')
    ann = "1600226476732482581"
    text = text.replace("{name: Ann, agent", f"{{name: Ann, user: {ann}, agent").replace("ANN", f'"{ann}"')
    await imported(two_vdns, text)
    lea = next(user for user, one in (await everybody(two_vdns)).items() if one.user.name == "Lea")
    async with two_vdns.begin() as connection:
        for leader, leads in ((lea, {UserId(ann)}), (UserId(DORA), {UserId(DORA)})):
            found = await users.find(work_of(connection, ONE), leader)
            assert found is not None
            answers = leader == lea
            assert found.leads_agents == ({AgentId(101)} if answers else frozenset())
            assert found.inspects_agents == (frozenset() if answers else {AgentId(101)})
            assert found.leads == leads


async def test_who_only_has_a_group_inspected_answers_for_none_of_it(two_vdns: AsyncEngine) -> None:
    """Whatever their roles: `inspected_by`, or that the group is of the quality side, counts."""
    lina, ann = "1600226359041729509", "1600226476732482581"
    text = (
        HEAD
        + f"""
  users:
  - {{name: Lina, user: {lina}, roles: [table_leader, quality_leader]}}
  - {{name: Ann, user: {ann}, agent: 101, roles: [staff, inspector]}}
  groups:
  - {{name: Sales, side: table, PART: ["{lina}"], members: ["{ann}"]}}
"""
    )
    agents, nobody = {AgentId(101)}, frozenset[AgentId]()
    for changed, answers, leads in (
        (text.replace("PART", "inspected_by"), nobody, set()),
        (text.replace("PART", "leaders"), agents, {ann}),
        (text.replace("side: table, PART", "side: quality, leaders"), nobody, {lina, ann}),
    ):
        await imported(two_vdns, changed)
        async with two_vdns.begin() as connection:
            work = work_of(connection, ONE)
            found = await users.find(work, UserId(lina))
            leader = await quality_items.leader_of(work, AgentId(101))
        assert found is not None
        assert (found.leads_agents, found.inspects_agents, found.leads) == (answers, agents, leads)
        assert leader == (lina if answers else None)
    await imported(two_vdns, text.replace("PART", "inspected_by"))
    assert (await everybody(two_vdns))[UserId(lina)].groups == ("Sales (inspects)",)
    [mistake] = await refused(two_vdns, text.replace("side: table, PART", "side: quality, inspected_by"))
    assert mistake.endswith(f"{lina} cannot have inspected a group of the quality side")
