"""Seed files: every mistake with its line, and nothing hostile gets further."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from sottovoce.http.ccgateway.onlineagent import SignInForm
from sottovoce.http.ccgateway.words import AgentIds
from sottovoce.storage.live import seed
from sottovoce.storage.live.seed import SeedMistakes

USERS = "vdns:\n- vdn: 1\n  name: A\n  users:\n"
QUEUE = "vdns:\n- vdn: 1\n  name: A\n  skills:\n  - skill: 1\n    name: Sales\n"
AGENT = "vdns:\n- vdn: 1\n  name: A\n  agents:\n"
TEXT = 'must be a text of digits, letters, * # + . _ -: write it in quotes, like "0700"'

CASES = {
    "empty": ("", ["s.yaml: is empty"]),
    "a list": ("- 1\n", ["s.yaml:1: the file: must be an object with named fields"]),
    "no VDN": ("vdns: []\n", ["s.yaml:1: there is no VDN in it"]),
    "not YAML": ("vdns:\n- vdn: 1\n  name: [A\n", ["s.yaml:4: did not find expected ',' or ']'"]),
    "tab": ("vdns:\n\t- vdn: 1\n", ["s.yaml:2: found character that cannot start any token"]),
    "unknown key": (
        AGENT + "  - {agent: 101, name: A, skils: [1]}\n",
        ["s.yaml:5: vdns.1.agents.1.skils: there is no such key"],
    ),
    "missing": (
        AGENT + "  - agent: 101\n  - name: B\n",
        ["s.yaml:5: vdns.1.agents.1.name: is missing", "s.yaml:6: vdns.1.agents.2.agent: is missing"],
    ),
    "octal": (
        AGENT + "  - {agent: 101, name: A,\n     phone: 0700}\n",
        [f"s.yaml:6: vdns.1.agents.1.phone: {TEXT}"],
    ),
    "name of a number": (
        AGENT + "  - {agent: 101, name: 7}\n",
        ["s.yaml:5: vdns.1.agents.1.name: must be a text in one line: write it in quotes"],
    ),
    "range": (
        AGENT + "  - {agent: 100, name: A}\n",
        ["s.yaml:5: vdns.1.agents.1.agent: must be 101 or more"],
    ),
    "above the setting": (
        AGENT + "  - {agent: 60000, name: A}\n",
        ["s.yaml:5: agent 60000 is above agents.agent_maximum (59999)"],
    ),
    "right": (
        AGENT + "  - agent: 101\n    name: A\n    rights: [inspct]\n",
        [
            "s.yaml:7: vdns.1.agents.1.rights.1: must be"
            " 'inspect', 'call_out', 'monitor', 'report', 'administer' or 'pick_up'"
        ],
    ),
    "longer than sign-in takes": (
        AGENT + f"  - {{agent: 101, name: A, password: '{'x' * 33}'}}\n",
        ["s.yaml:5: vdns.1.agents.1.password: must have at most 32 signs"],
    ),
    "a password that cannot be sent": (
        AGENT + '  - {agent: 101, name: A, password: "secret\\0"}\n',
        ["s.yaml:5: vdns.1.agents.1.password: has signs that are no text"],
    ),
    "a phone that cannot be signed in with": (
        AGENT + "  - {agent: 101, name: A, phone: '+49171'}\n",
        ["s.yaml:5: vdns.1.agents.1.phone: must be 1 to 24 digits, * and #: sign-in takes nothing else"],
    ),
    "short": (
        AGENT + "  - {agent: 101, name: A, password: 'short'}\n",
        ["s.yaml:5: vdns.1.agents.1.password: must have 6 signs or more"],
    ),
    "twice": (
        AGENT + "  - {agent: 101, name: A}\n  - {agent: 101, name: B}\n",
        ["s.yaml:6: agent 101 is there twice"],
    ),
    "causes and groups twice": (
        "vdns:\n- vdn: 1\n  name: A\n  rest_causes:\n  - {cause: 1, name: A}\n  - {cause: 1, name: B}\n"
        "  agent_groups:\n  - {group: 3, name: A}\n  - {group: 3, name: B}\n",
        ["s.yaml:6: rest cause 1 is there twice", "s.yaml:9: group of agents 3 is there twice"],
    ),
    "a cause beyond the last": (
        "vdns:\n- vdn: 1\n  name: A\n  rest_causes: [{cause: 256, name: A}]\n",
        ["s.yaml:4: vdns.1.rest_causes.1.cause: must be 255 or less"],
    ),
    "a queue": (
        QUEUE + "    longest: -1\n    music: waltz.wav\n    way_out: {skill: 2, number: '0777'}\n"
        "    announce: {position: false}\n",
        [
            "s.yaml:7: vdns.1.skills.1.longest: must be 0 or more",
            "s.yaml:9: vdns.1.skills.1.way_out: must name one of skill, number and announcement",
            "s.yaml:8: vdns.1.skills.1.music: must be the whole path of a WAV file, like /srv/waltz.wav",
            "s.yaml:10: vdns.1.skills.1.announce: says nothing: set position or wait",
        ],
    ),
    "a queue that says too much in languages": (
        QUEUE + "    announce: {every: 5}\n  - skill: 2\n    name: B\n    announce: {language: ../x}\n",
        [
            "s.yaml:7: vdns.1.skills.1.announce: comes too often: every must be 10 or more, or 0 for once",
            "s.yaml:10: vdns.1.skills.2.announce: has a language that is none, like en or de",
        ],
    ),
    "a queue that contradicts itself": (
        QUEUE + "    overflow: [{after: 5, skill: 1}]\n    way_out: {number: '0777'}\n",
        [
            "s.yaml:8: skill 1 has a way out that nobody takes: set time_out or longest",
            "s.yaml:8: skill 1: outbound_allowed does not admit 0777",
            "s.yaml:7: skill 1 overflows to itself",
        ],
    ),
    "levels": (
        AGENT + "  - {agent: 101, name: A, skills: [1], levels: {1: 10}}\n",
        ["s.yaml:5: vdns.1.agents.1.levels: must be 1 (the best) to 9 for each skill"],
    ),
    "a level without its skill": (
        AGENT + "  - agent: 101\n    name: A\n    skills: [1]\n    levels: {1: 2, 3: 2}\n",
        ["s.yaml:8: agent 101 has a level of skill 3 and not the skill"],
    ),
    "key twice": (AGENT + "  - agent: 101\n    name: A\n    name: B\n", ["s.yaml:7: name is given twice"]),
    "a role": (
        USERS + "  - {name: A, roles: [boss]}\n",
        [
            "s.yaml:5: vdns.1.users.1.roles.1: must be 'quality_director', 'quality_leader',"
            " 'inspector', 'table_director', 'table_leader' or 'staff'"
        ],
    ),
    "a user's id": (
        USERS + "  - {name: A, user: 12}\n  - {name: B, user: 0123456789012345678}\n",
        [
            f"s.yaml:{line}: vdns.1.users.{line - 4}.user:"
            " must be a user id of 18 to 20 digits that does not begin with 0"
            for line in (5, 6)
        ],
    ),
    "users twice": (
        USERS
        + "  - {name: A, user: 1611917095665261978}\n  - {name: B, user: '1611917095665261978'}\n"
        + "  - {name: C, agent: 101}\n  - {name: D, agent: 101}\n  - {name: E}\n  - {name: E}\n",
        [
            "s.yaml:10: E is there twice: tell them apart by user or agent",
            "s.yaml:6: user 1611917095665261978 is there twice",
            "s.yaml:8: a user with agent 101 is there twice",
        ],
    ),
    "groups": (
        "vdns:\n- vdn: 1\n  name: A\n  groups:\n  - {name: G, side: quality, leaders: [L, 1.5]}\n"
        "  - {name: H, side: left}\n",
        [
            "s.yaml:5: vdns.1.groups.1.leaders.2: must be a user's name or id",
            "s.yaml:6: vdns.1.groups.2.side: must be 'quality' or 'table'",
        ],
    ),
    "groups twice": (
        "vdns:\n- vdn: 1\n  name: A\n  groups:\n  - {name: G, side: quality, leaders: [L], members: [M, L]}\n"
        "  - {name: G, side: quality}\n",
        ["s.yaml:6: group G is there twice", "s.yaml:5: group G: L is there twice"],
    ),
    "time zone": (
        "vdns:\n- vdn: 1\n  name: A\n  time_zone: Europe/Berln\n- vdn: 2\n  name: B\n  time_zone: 5\n",
        [
            f"s.yaml:{line}: vdns.{number}.time_zone: must be a time zone of the IANA data base,"
            " like Europe/Berlin"
            for line, number in ((4, 1), (7, 2))
        ],
    ),
    "alias": ("vdns: &a [*a]\n", ["s.yaml:1: anchors and aliases are not taken"]),
    "nesting": ("vdns: " + "[" * 50_000, ["s.yaml:1: is nested too deeply"]),
    "python": (
        "vdns: !!python/object/apply:os.system ['true']\n",
        ["s.yaml:1: tags are not taken"],
    ),
}


@pytest.mark.parametrize(("text", "mistakes"), CASES.values(), ids=list(CASES))
def test_mistakes_have_their_line(text: str, mistakes: list[str]) -> None:
    with pytest.raises(SeedMistakes) as refused:
        seed.parse(text, "s.yaml")
    assert refused.value.mistakes == mistakes


def test_no_password_is_told() -> None:
    with pytest.raises(SeedMistakes) as refused:
        seed.parse(
            AGENT + "  - {agent: 101, name: A, password: [hunter2]}\n  - {agent: x, password: hunter2}\n"
        )
    assert "hunter2" not in str(refused.value)
    file = seed.parse(AGENT + "  - {agent: 101, name: A, password: hunter2}\n")
    assert "hunter2" not in repr(file.seed)


def test_an_agent_without_a_password_where_that_may_be() -> None:
    text = AGENT + "  - {agent: 101, name: A, password: ''}\n  - {agent: 102, name: B, password: short}\n"
    with pytest.raises(SeedMistakes) as refused:
        seed.parse(text, "s.yaml", empty_passwords=True)
    assert [mistake.partition(": ")[2] for mistake in refused.value.mistakes] == [
        "vdns.1.agents.2.password: must have 6 signs or more"
    ]
    text = text.replace("short", "longer")
    with pytest.raises(SeedMistakes) as refused:
        seed.parse(text, "s.yaml")
    assert [mistake.partition(": ")[2] for mistake in refused.value.mistakes] == [
        "agent 101 is without a password, and agents.empty_passwords is off"
    ]
    password = seed.parse(text, empty_passwords=True).seed.vdns[0].agents[0].password
    assert password is not None
    assert password.get_secret_value() == ""


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(SeedMistakes, match="cannot be read: No such file"):
        seed.read(tmp_path / "none.yaml")
    (tmp_path / "latin.yaml").write_bytes(b"vdns: \xff")
    with pytest.raises(SeedMistakes, match="is not UTF-8"):
        seed.read(tmp_path / "latin.yaml")
    with (tmp_path / "large.yaml").open("wb") as file:
        file.truncate(seed.LARGEST + 1)
    with pytest.raises(SeedMistakes, match="larger than 16 MB"):
        seed.read(tmp_path / "large.yaml")


@given(st.text(alphabet="vdns:- {}[]&*!|>'\"\n\t01agent\x00é", max_size=200))
def test_nothing_but_its_own_error(text: str) -> None:
    with contextlib.suppress(SeedMistakes):
        seed.parse(text)


SIZE = 400_000
ENDLESS = {
    "list": "[" + "a," * (SIZE // 2) + "]",
    "keys": "{" + "a: 1," * (SIZE // 5) + "}",
    "numbered keys": "{" + "".join(f"k{n}: 1," for n in range(SIZE // 9)) + "}",
    "pairs": "[" + "? a," * (SIZE // 4) + "]",
    "empty objects": "vdns: [" + "{}," * (SIZE // 3) + "]",
    "poor objects": "vdns: [{vdn: 1, name: A, agents: [" + "{agent: 1}," * (SIZE // 11) + "]}]",
    "lists in a list": "[" + "[]," * (SIZE // 3) + "]",
    "skills": "vdns: [{vdn: 1, name: A, agents: [{agent: 101, skills: [" + "1," * (SIZE // 2) + "]}]}]",
    "numbers": "vdns: [{vdn: 1, name: A, outbound_allowed: [" + "1," * (SIZE // 2) + "]}]",
    "to the base of 60": "vdns: " + "1:" * (SIZE // 2) + "1",
    "digits": "vdns: " + "9" * SIZE,
    "laughs": "a: &a [x,x]\nb: &b [*a,*a]\nc: [*b,*b]",
    "anchors": "&a " * (SIZE // 3),
    "a merge": "<<: {a: 1}\n" * (SIZE // 11),
    "dashes": "- " * (SIZE // 2),
    "questions": "? " * (SIZE // 2),
    "documents": "---\n" * (SIZE // 4),
    "a text": '"' + "x" * SIZE + '"',
}


@pytest.mark.parametrize("text", ENDLESS.values(), ids=ENDLESS.keys())
def test_of_a_bomb_little_is_read_and_little_told(text: str) -> None:
    """Its work is bounded by what is looked at: how many events of YAML, before anything is built."""
    with pytest.raises(seed.SeedMistakes) as refused:
        seed.parse(text, "s.yaml")
    assert 1 <= len(refused.value.mistakes) <= seed.MOST_MISTAKES
    assert all(len(mistake) < 300 for mistake in refused.value.mistakes)


def test_a_large_seed_of_flow_style_is_taken() -> None:
    agents = ",".join(f"{{agent: {n}, name: A, skills: [1, 2]}}" for n in range(101, 3101))
    skills = "[{skill: 1, name: A}, {skill: 2, name: B}]"
    read = seed.parse(f"{{vdns: [{{vdn: 1, name: A, skills: {skills}, agents: [{agents}]}}]}}", "s.yaml")
    assert len(read.seed.vdns[0].agents) == 3000
    assert read.at("vdns", 0, "agents", 2999) == "s.yaml:1: "


@given(st.text(max_size=40))
def test_every_password_that_can_be_set_can_be_sent(password: str) -> None:
    """What the seed takes, sign-in reads as it is."""
    try:
        seed.AgentSeed.model_validate({"agent": 101, "name": "A", "password": password})
    except ValidationError:
        return
    body = json.dumps({"password": password}).encode()
    form = SignInForm.decode({}, b"", body, "application/json", AgentIds(59_999))
    assert form.password == password
