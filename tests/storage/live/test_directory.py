"""What is configured: read back as imported, changed by a second import, refused with its line."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa
from argon2 import PasswordHasher
from sqlalchemy.ext.asyncio import AsyncEngine

from sottovoce.domain.directory import (
    FORMER_PASSWORDS_KEPT,
    NO_PASSWORD,
    AccessCode,
    AgentGroup,
    AgentId,
    AgentProfile,
    Announcing,
    Overflow,
    QueueRules,
    RestCause,
    Right,
    Skill,
    SkillId,
    VdnId,
    VdnProfile,
    WayOut,
)
from sottovoce.errors import Code, Refused
from sottovoce.storage.live import directory, seed
from sottovoce.storage.live.passwords import Passwords
from sottovoce.storage.live.seed import SeedMistakes
from sottovoce.storage.tables import agents

REALM = "test.example"


@pytest.fixture
def passwords() -> Passwords:
    return Passwords(hasher=PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))


async def test_a_profile_is_what_was_imported(two_vdns: AsyncEngine, passwords: Passwords) -> None:
    assert await directory.vdn_ids(two_vdns) == [1, 2]
    found = await directory.profile(two_vdns, VdnId(1))
    assert (found.vdn, found.name, found.outbound_allowed, found.inspect_inspectors) == (
        VdnId(1),
        "Hotline",
        ("+49", "0"),
        False,
    )
    assert set(found.agents) == {101, 102}
    ann, ida = found.agents[AgentId(101)], found.agents[AgentId(102)]
    assert (ann.name, ann.phone, ann.skills, ann.rights, ann.group) == ("Ann", "8001", (1, 2), frozenset(), 0)
    assert (ida.phone, ida.rights, ida.group) == (None, {Right.INSPECT, Right.CALL_OUT}, 3)
    assert await passwords.verify(ann.password_hash, "secret-101")
    assert not await passwords.verify(ann.password_hash, "secret-102")
    assert found.skills == {1: Skill(SkillId(1), "Sales"), 2: Skill(SkillId(2), "Help")}
    assert found.access_codes == {"4000": AccessCode("4000", SkillId(1), False)}
    assert found.phones["8001"].username == "8001"
    assert found.phones["8001"].ha1["MD5"] == "ace2d8d7404595794e8933e0baf0a25a"
    other = await directory.profile(two_vdns, VdnId(2))
    assert other.phones["8001"].username == "other-8001"
    assert other.access_codes["5000"].early_media


async def test_no_such_vdn(two_vdns: AsyncEngine) -> None:
    with pytest.raises(Refused) as refused:
        await directory.profile(two_vdns, VdnId(3))
    assert refused.value.code is Code.NOT_FOUND


async def test_a_second_import_changes_nothing(
    two_vdns: AsyncEngine, passwords: Passwords, two_vdns_yaml: str
) -> None:
    before = await directory.agent_list(two_vdns)
    report = await directory.import_seed(two_vdns, seed.parse(two_vdns_yaml), passwords, REALM)
    assert report.changes == []
    assert report.unchanged == 12
    assert await directory.agent_list(two_vdns) == before


async def test_an_import_says_what_changed_and_keeps_what_it_does_not_name(
    two_vdns: AsyncEngine, passwords: Passwords
) -> None:
    text = """
vdns:
- vdn: 1
  name: Hotline
  outbound_allowed: ["+49", "0"]
  skills: [{skill: 3, name: New}]
  phones: [{number: "8001", password: "another password"}]
  agents:
  - {agent: 101, name: Anne, skills: [3, 1]}
  - {agent: 102, name: Ida, password: "another", rights: [call_out, inspect], group: 3}
"""
    report = await directory.import_seed(two_vdns, seed.parse(text), passwords, REALM)
    assert report.changes == [
        "skill 3 added",
        "phone 8001 changed: password",
        "agent 101 changed: name, phone, skills",
        "agent 102 changed: password",
    ]
    found = await directory.profile(two_vdns, VdnId(1))
    assert set(found.skills) == {1, 2, 3}
    assert set(found.access_codes) == {"4000"}
    assert await passwords.verify(found.agents[AgentId(101)].password_hash, "secret-101"), "kept"
    assert await passwords.verify(found.agents[AgentId(102)].password_hash, "another")


MISTAKEN = {
    "dangling skill": (
        "vdns:\n- vdn: 1\n  name: A\n  agents:\n"
        "  - agent: 103\n    name: B\n    password: secret-103\n    skills: [1, 9]\n",
        ["seed:8: agent 103: VDN 1 has no skill 9"],
    ),
    "queues that lead nowhere": (
        "vdns:\n- vdn: 1\n  name: A\n  skills:\n  - skill: 1\n    name: A\n    time_out: 60\n"
        "    way_out: {skill: 9}\n  - skill: 2\n    name: B\n    overflow: [{after: 5, skill: 8}]\n",
        ["seed:8: skill 1: VDN 1 has no skill 9", "seed:11: skill 2: VDN 1 has no skill 8"],
    ),
    "queues that lead in a circle": (
        "vdns:\n- vdn: 1\n  name: A\n  skills:\n"
        "  - {skill: 1, name: A, time_out: 60, way_out: {skill: 2}}\n"
        "  - {skill: 2, name: B, longest: 3, way_out: {skill: 1}}\n",
        ["seed:4: the way out of skill 1 leads back to it"],
    ),
    "dangling phone and access code": (
        'vdns:\n- vdn: 1\n  name: A\n  access_codes: [{number: "1", skill: 9}]\n  agents:\n'
        '  - {agent: 103, name: B, password: secret-103,\n     phone: "77"}\n',
        ["seed:4: access code 1: VDN 1 has no skill 9", "seed:7: agent 103: VDN 1 has no phone 77"],
    ),
    "a leader who is nobody here": (
        "vdns:\n- vdn: 1\n  name: A\n  agent_groups:\n  - {group: 3, name: Day, leader: 101}\n"
        "  - group: 4\n    name: Night\n    leader: 201\n",
        ["seed:8: group 4: VDN 1 has no agent 201"],
    ),
    "another tenant's": (
        "vdns:\n- vdn: 1\n  name: A\n  agents:\n  - {agent: 201, name: B, password: secret-1}\n"
        '  phones:\n  - {number: "9", username: other-8001, password: eight-eight}\n'
        '  access_codes:\n  - {number: "5000", skill: 1}\n',
        [
            "seed:5: agent 201 belongs to VDN 2",
            "seed:9: access code 5000 belongs to VDN 2",
            "seed:7: SIP account other-8001 belongs to VDN 2",
        ],
    ),
    "a phone's number under another account": (
        'vdns:\n- vdn: 1\n  name: A\n  phones:\n  - {number: "8001", username: x, password: eight-eight}\n',
        ["seed:5: phone number 8001 belongs to SIP account 8001"],
    ),
    "a new agent without a password": (
        "vdns:\n- vdn: 1\n  name: A\n  agents:\n  - {agent: 101, name: Ann}\n  - {agent: 103, name: B}\n",
        ["seed:6: agent 103 wants a password"],
    ),
}


@pytest.mark.parametrize(("text", "mistakes"), MISTAKEN.values(), ids=list(MISTAKEN))
async def test_mistakes_are_told_with_their_line_and_nothing_is_imported(
    two_vdns: AsyncEngine, passwords: Passwords, text: str, mistakes: list[str]
) -> None:
    before = [await directory.profile(two_vdns, vdn) for vdn in (VdnId(1), VdnId(2))]
    with pytest.raises(SeedMistakes) as refused:
        await directory.import_seed(two_vdns, seed.parse(text), passwords, REALM)
    assert refused.value.mistakes == mistakes
    assert [await directory.profile(two_vdns, vdn) for vdn in (VdnId(1), VdnId(2))] == before


async def test_causes_of_rest_and_groups_are_given_whole_or_stay(
    two_vdns: AsyncEngine, passwords: Passwords
) -> None:
    async def brought(lines: str) -> tuple[list[str], VdnProfile]:
        text = f"vdns:\n- vdn: 1\n  name: Hotline\n  outbound_allowed: ['+49', '0']\n{lines}"
        report = await directory.import_seed(two_vdns, seed.parse(text), passwords, REALM)
        return report.changes, await directory.profile(two_vdns, VdnId(1))

    lists = (
        "  rest_causes: [{cause: 2, name: Training}, {cause: 1, name: Lunch}]\n"
        "  agent_groups: [{group: 3, name: Day, leader: 101}, {group: 0, name: Others}]\n"
    )
    changes, found = await brought(lists)
    assert changes == ["VDN 1 changed: agent_groups, rest_causes"]
    assert list(found.rest_causes) == [RestCause(1, "Lunch"), RestCause(2, "Training")]
    assert list(found.agent_groups) == [AgentGroup(0, "Others"), AgentGroup(3, "Day", AgentId(101))]
    for same in (lists, ""):
        assert await brought(same) == ([], found)
    assert (await brought("  rest_causes: []\n"))[1].rest_causes == ()
    assert list((await directory.profile(two_vdns, VdnId(1))).agent_groups) == list(found.agent_groups)


async def test_how_queues_treat_those_who_wait_is_kept(two_vdns: AsyncEngine, passwords: Passwords) -> None:
    text = """vdns:
- vdn: 1
  name: Hotline
  outbound_allowed: ['+49', '0']
  skills:
  - skill: 1
    name: Sales
    longest: 50
    overflow: [{after: 30, skill: 2}]
    time_out: 300
    way_out: {number: '0777'}
    music: /srv/waltz.wav
    announce: {first: 20, wait: true, language: de}
    answer_within: 15
    short: 3
  access_codes: [{number: '4000', skill: 1, head_start: 60}]
  agents: [{agent: 101, name: Ann, phone: '8001', skills: [1, 2], levels: {1: 1, 2: 3}}]
"""
    report = await directory.import_seed(two_vdns, seed.parse(text), passwords, REALM)
    assert report.changes == [
        "skill 1 changed: rules",
        "access code 4000 changed: head_start_s",
        "agent 101 changed: levels",
    ]
    found = await directory.profile(two_vdns, VdnId(1))
    sales, support = SkillId(1), SkillId(2)
    assert found.skills[sales].rules == QueueRules(
        50,
        (Overflow(30, support),),
        300,
        WayOut(number="0777"),
        "/srv/waltz.wav",
        Announcing(20, 60, True, True, "de"),
        15,
        3,
    )
    assert found.skills[support].rules == QueueRules()
    assert found.access_codes["4000"].head_start_s == 60
    ann = found.agents[AgentId(101)]
    assert (ann.level(sales), ann.level(support)) == (1, 3)
    assert (await directory.import_seed(two_vdns, seed.parse(text), passwords, REALM)).changes == []


async def test_a_password_is_taken_away_and_given_again(two_vdns: AsyncEngine, passwords: Passwords) -> None:
    for password in ("''", "a long one"):
        text = f"vdns:\n- vdn: 1\n  name: A\n  agents: [{{agent: 101, name: Ann, password: {password}}}]\n"
        await directory.import_seed(two_vdns, seed.parse(text, empty_passwords=True), passwords, REALM)
        kept = (await directory.profile(two_vdns, VdnId(1))).agents[AgentId(101)].password_hash
        assert (kept == NO_PASSWORD) is (password == "''")


async def test_one_agent_is_added(two_vdns: AsyncEngine) -> None:
    new = seed.AgentSeed.model_validate({"agent": 103, "name": "Eve", "skills": [2], "rights": ["inspect"]})
    await directory.add_agent(two_vdns, VdnId(1), new, "hash")
    assert (await directory.profile(two_vdns, VdnId(1))).agents[AgentId(103)].rights == {Right.INSPECT}
    for changed, code in (({}, Code.BAD_PARAMETER), ({"agent": 104, "skills": (9,)}, Code.BAD_PARAMETER)):
        with pytest.raises(Refused) as refused:
            await directory.add_agent(two_vdns, VdnId(1), new.model_copy(update=changed), "hash")
        assert refused.value.code is code
    with pytest.raises(Refused) as refused:
        await directory.add_agent(two_vdns, VdnId(9), new, "hash")
    assert refused.value.code is Code.NOT_FOUND


async def test_a_password_is_changed(two_vdns: AsyncEngine) -> None:
    await directory.set_password(two_vdns, AgentId(101), "new-hash")
    async with two_vdns.connect() as connection:
        found = await connection.execute(sa.select(agents.c.password_hash).where(agents.c.agent == 101))
        assert found.scalar_one() == "new-hash"
    with pytest.raises(Refused):
        await directory.set_password(two_vdns, AgentId(999), "new-hash")


async def test_when_a_password_was_given_and_those_before(
    two_vdns: AsyncEngine, passwords: Passwords
) -> None:
    async def ann() -> AgentProfile:
        return (await directory.profile(two_vdns, VdnId(1))).agents[AgentId(101)]

    async def brought(password: str) -> None:
        text = f"vdns:\n- vdn: 1\n  name: A\n  agents: [{{agent: 101, name: Ann, password: {password}}}]\n"
        await directory.import_seed(two_vdns, seed.parse(text), passwords, REALM)

    first = await ann()
    assert first.password_set_at is not None
    for number in range(FORMER_PASSWORDS_KEPT + 1):
        await directory.set_password(two_vdns, AgentId(101), f"hash {number}")
    changed = await ann()
    assert changed.password_hash == f"hash {FORMER_PASSWORDS_KEPT}"
    assert changed.former_passwords == tuple(f"hash {number}" for number in reversed(range(10)))
    assert changed.password_set_at is not None
    assert changed.password_set_at > first.password_set_at
    await brought("a long one")
    given = await ann()
    assert given.password_set_at is not None
    assert given.password_set_at > changed.password_set_at
    await brought("a long one")
    assert await ann() == given


async def test_agents_are_listed_by_tenant(two_vdns: AsyncEngine) -> None:
    assert [agent.agent for agent in await directory.agent_list(two_vdns)] == [101, 102, 201]
    assert [agent.agent for agent in await directory.agent_list(two_vdns, VdnId(2))] == [201]


def test_the_example_in_the_documentation_is_right(tmp_path: Path) -> None:
    example = (seed.__doc__ or "").split("\n\n")[1]
    assert seed.parse(example).seed.vdns[0].agents[0].phone == "8001"
