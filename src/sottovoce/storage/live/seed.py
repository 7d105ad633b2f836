"""Seed files: a YAML description of VDNs, checked whole, each mistake with its line.

    vdns:
      - vdn: 1
        name: Hotline
        time_zone: Europe/Berlin
        keep: {recordings: 90, transcripts: 90, contacts: 365}
        outbound_allowed: ["+49", "0"]
        skills:
          - {skill: 1, name: Sales}
        access_codes:
          - {number: "4000", skill: 1}
          - {number: "4001", skill: 1, head_start: 60}
        phones:
          - {number: "8001", password: "a long one"}
        agents:
          - {agent: 101, name: Ann, password: "a long one", phone: "8001", skills: [1], rights: [inspect]}
          - {agent: 102, name: Bob, password: "a long one", skills: [1], levels: {1: 2}}
        rest_causes:
          - {cause: 1, name: Lunch}
        agent_groups:
          - {group: 3, name: Day shift, leader: 101}
        users:
          - {name: Ann, agent: 101, roles: [staff]}
          - {name: Lea, roles: [table_leader]}
        groups:
          - {name: Sales, side: table, leaders: [Lea], members: [Ann]}

Queues have more keys: `seed_queues`. Numbers that are dialled and passwords are texts, in quotes: YAML reads
0700 as 448.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import available_timezones

import yaml
from pydantic import (
    BeforeValidator,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
)
from pydantic_core import ErrorDetails

from sottovoce.domain.directory import (
    BEST_LEVEL,
    LONGEST_PASSWORD,
    LOWEST_LEVEL,
    PHONE_AT_SIGN_IN,
    Right,
)
from sottovoce.domain.people import GroupSide, Role
from sottovoce.domain.retention import LONGEST_DAYS
from sottovoce.plain import is_text
from sottovoce.storage.live import seed_queues
from sottovoce.storage.live.seed_queues import Dialled, Name, SkillSeed
from sottovoce.storage.live.seed_queues import Entry as _Entry
from sottovoce.wording import told

LARGEST = 16 << 20
"""Bytes of a seed file at most."""
LOWEST_AGENT = 101
SHORTEST_PASSWORD = 6
_DEEPEST = 8
_LONGEST = 1024
"""Characters of a text or number."""
_MOST_IN_ONE = 100_000
"""Entries of a list; keys and values of an object."""
_MOST_POOR = 2_000
"""Objects with one field or none."""
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # ten times as fast, where it was built
MOST_MISTAKES = 200
"""That are told; a file that has more is another thing than a seed."""

_Path = tuple[int | str, ...]
USER_ID = re.compile(r"[1-9][0-9]{17,19}")


def _as_text(value: object) -> object:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _user_id(value: object) -> object:
    value = _as_text(value)
    if not isinstance(value, str) or not USER_ID.fullmatch(value):
        raise ValueError("must be a user id of 18 to 20 digits that does not begin with 0")
    return value


def _person(value: object) -> object:
    value = _as_text(value)
    if not isinstance(value, str) or not value:
        raise ValueError("must be a user's name or id")
    return value


def _time_zone(value: object) -> object:
    known = available_timezones()
    if not isinstance(value, str) or value not in known:
        near = difflib.get_close_matches(str(value), known, 1)
        like = near[0] if near else "Europe/Berlin"
        raise ValueError(f"must be a time zone of the IANA data base, like {like}")
    return value


Person = Annotated[str, BeforeValidator(_person)]


class SeedMistakes(Exception):
    """A seed file that cannot be imported; nothing of it was. A sentence for each mistake, with its line."""

    def __init__(self, mistakes: list[str]) -> None:
        super().__init__("; ".join(mistakes))
        self.mistakes = mistakes


class AccessCodeSeed(_Entry):
    """A number that callers dial."""

    number: Dialled
    skill: int
    early_media: bool = False
    head_start: float = Field(default=0, ge=0, le=3600)
    """Seconds by which its calls go before others."""


class PhoneSeed(_Entry):
    """A SIP account; `username` is `number` unless given."""

    number: Dialled
    username: Dialled | None = None
    password: SecretStr = Field(min_length=8, max_length=256)

    @property
    def account(self) -> str:
        """The SIP user name."""
        return self.username if self.username is not None else self.number


class AgentSeed(_Entry):
    """An agent; one who is there already keeps the password if none is given."""

    agent: int = Field(ge=LOWEST_AGENT, le=999_999)
    name: Name
    password: SecretStr | None = Field(default=None, max_length=LONGEST_PASSWORD)
    """Empty: the agent has none, where `agents.empty_passwords` lets that be."""
    phone: Dialled | None = None
    skills: tuple[int, ...] = Field(default=(), max_length=1000)
    rights: frozenset[Right] = frozenset()
    group: int = Field(default=0, ge=0, le=1_000_000)
    levels: dict[int, int] = Field(default_factory=dict, max_length=1000)
    """How well the agent has a skill, where that is not 1."""

    @field_validator("password")
    @classmethod
    def _long_enough(cls, password: SecretStr | None) -> SecretStr | None:
        if password is not None and 0 < len(password) < SHORTEST_PASSWORD:
            raise ValueError(f"must have {SHORTEST_PASSWORD} signs or more")
        if password is not None and not is_text(password.get_secret_value()):
            raise ValueError("has signs that are no text")
        return password

    @field_validator("levels")
    @classmethod
    def _are_levels(cls, levels: dict[int, int]) -> dict[int, int]:
        if any(not BEST_LEVEL <= level <= LOWEST_LEVEL for level in levels.values()):
            raise ValueError(f"must be {BEST_LEVEL} (the best) to {LOWEST_LEVEL} for each skill")
        return levels

    @field_validator("phone")
    @classmethod
    def _may_sign_in_with(cls, phone: str | None) -> str | None:
        if phone is not None and not PHONE_AT_SIGN_IN.fullmatch(phone):
            raise ValueError("must be 1 to 24 digits, * and #: sign-in takes nothing else")
        return phone


class RestCauseSeed(_Entry):
    """Why agents may rest, in words."""

    cause: int = Field(ge=0, le=255)
    name: Name


class AgentGroupSeed(_Entry):
    """The name of a group that agents have as theirs, and the agent who leads it."""

    group: int = Field(ge=0, le=1_000_000)
    name: Name
    leader: int | None = None


class UserSeed(_Entry):
    """A user of the after-call half.

    Without `user` it is whoever has that agent, else who has that name in the VDN, else somebody new.
    """

    name: Name
    user: Annotated[str, BeforeValidator(_user_id)] | None = None
    roles: frozenset[Role] = frozenset()
    agent: int | None = None


class GroupSeed(_Entry):
    """Who leads whom; the entry names all of the group. People are named by name or user id."""

    name: Name
    side: GroupSide
    leaders: tuple[Person, ...] = Field(default=(), max_length=1000)
    inspected_by: tuple[Person, ...] = Field(default=(), max_length=1000)
    """Of a group of agents: who has them inspected, and leads them in nothing else, whatever their roles."""
    members: tuple[Person, ...] = Field(default=(), max_length=10_000)


class KeepSeed(_Entry):
    """For how many days from a contact's begin each kind is kept; None: for ever."""

    recordings: int | None = Field(default=None, ge=1, le=LONGEST_DAYS)
    transcripts: int | None = Field(default=None, ge=1, le=LONGEST_DAYS)
    contacts: int | None = Field(default=None, ge=1, le=LONGEST_DAYS)


class VdnSeed(_Entry):
    """A VDN with what belongs to it."""

    vdn: int = Field(ge=1, le=1_000_000)
    name: Name
    time_zone: Annotated[str, BeforeValidator(_time_zone)] | None = None
    """By whose clock plans run; None: as it is, at first UTC."""
    outbound_allowed: tuple[Dialled, ...] = Field(default=(), max_length=1000)
    inspect_inspectors: bool = False
    keep: KeepSeed | None = None
    """When what is erased; None: as it is, at first never."""
    skills: tuple[SkillSeed, ...] = ()
    access_codes: tuple[AccessCodeSeed, ...] = ()
    phones: tuple[PhoneSeed, ...] = ()
    agents: tuple[AgentSeed, ...] = ()
    rest_causes: tuple[RestCauseSeed, ...] | None = None
    """All of them; None: as they are."""
    agent_groups: tuple[AgentGroupSeed, ...] | None = None
    """All of them; None: as they are."""
    users: tuple[UserSeed, ...] = ()
    groups: tuple[GroupSeed, ...] = ()


class Seed(_Entry):
    """A whole seed file."""

    vdns: tuple[VdnSeed, ...]


@dataclass(slots=True)
class SeedReport:
    """What an import did: sentences such as `agent 101 added`, `agent 102 changed: name, skills`."""

    changes: list[str] = field(default_factory=list)
    unchanged: int = 0


class SeedFile:
    """A seed that was read, and where in the file each part of it stands."""

    def __init__(self, seed: Seed, name: str, lines: dict[_Path, int]) -> None:
        self.seed = seed
        self._name = name
        self._lines = lines

    def at(self, *path: int | str) -> str:
        """`file:line: ` of a part, for example `at("vdns", 0, "agents", 3, "phone")`."""
        return f"{self._name}:{_line(self._lines, path)}: "


def read(path: Path, *, agent_maximum: int = 59_999, empty_passwords: bool = False) -> SeedFile:
    """Read and check a seed file. Raises SeedMistakes with all that can be said without the database."""
    try:
        if path.stat().st_size > LARGEST:
            raise SeedMistakes([f"{path}: is larger than {LARGEST >> 20} MB"])
        text = path.read_text(encoding="utf-8-sig")
    except OSError as failure:
        raise SeedMistakes([f"{path}: cannot be read: {failure.strerror}"]) from failure
    except UnicodeDecodeError as failure:
        raise SeedMistakes([f"{path}: is not UTF-8 (byte {failure.start})"]) from failure
    return parse(text, str(path), agent_maximum=agent_maximum, empty_passwords=empty_passwords)


def parse(
    text: str, name: str = "seed", *, agent_maximum: int = 59_999, empty_passwords: bool = False
) -> SeedFile:
    """`read` of a text; `name` is what mistakes call the file."""
    content, lines = _load(text, name)
    try:
        seed = Seed.model_validate(content)
    except ValidationError as failure:
        raise SeedMistakes(
            [_sentence(error, name, lines) for error in failure.errors(include_url=False)[:MOST_MISTAKES]]
        ) from None
    file = SeedFile(seed, name, lines)
    mistakes = list(_contradictions(file, agent_maximum, empty_passwords))
    if mistakes:
        raise SeedMistakes(mistakes)
    return file


def _load(text: str, name: str) -> tuple[Any, dict[_Path, int]]:
    """The YAML as plain values, and the line of each path. Raises SeedMistakes."""
    lines: dict[_Path, int] = {}
    try:
        _look_over(text, name)
        loader = _Loader(text)
        node = loader.get_single_node()
        if node is None:
            raise SeedMistakes([f"{name}: is empty"])
        mistakes = list(islice(_walk(node, (), name, lines), MOST_MISTAKES))
        content = loader.construct_document(node)
    except yaml.YAMLError as failure:
        mark = getattr(failure, "problem_mark", None)
        where = f"{name}:{mark.line + 1}" if mark is not None else name
        problem = getattr(failure, "problem", None) or "is not YAML"
        raise SeedMistakes([f"{where}: {problem}"]) from None
    except (RecursionError, ValueError) as failure:
        raise SeedMistakes([f"{name}: is not YAML that can be read: {failure}"]) from None
    if mistakes:
        raise SeedMistakes(mistakes)
    return content, lines


def _look_over(text: str, name: str) -> None:
    """Refuse what no seed has and what can be made to grow, before anything is built of it."""
    within: list[int] = []
    """Of each collection around: how many nodes are in it so far."""
    poor = 0
    event: Any
    for event in yaml.parse(text, Loader=_Loader):
        mistake = ""
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None) is not None:
            mistake = "anchors and aliases are not taken"
        elif getattr(event, "tag", None) is not None or getattr(event, "tags", None) or _is_versioned(event):
            mistake = "tags are not taken"
        elif isinstance(event, yaml.CollectionEndEvent):
            poor += within.pop() <= 2 and isinstance(event, yaml.MappingEndEvent)
            mistake = "has endless entries with nothing in them" if poor > _MOST_POOR else ""
        elif isinstance(event, yaml.NodeEvent):
            if within:
                within[-1] += 1
                mistake = "is a list without an end" if within[-1] > _MOST_IN_ONE else ""
            if isinstance(event, yaml.CollectionStartEvent):
                within.append(0)
                mistake = "is nested too deeply" if len(within) > _DEEPEST else mistake
            elif isinstance(event, yaml.ScalarEvent) and len(event.value) > _LONGEST:
                mistake = "is longer than anything in a seed"
        if mistake:
            raise SeedMistakes([f"{name}:{event.start_mark.line + 1}: {mistake}"])


def _is_versioned(event: yaml.Event) -> bool:
    return isinstance(event, yaml.DocumentStartEvent) and event.version is not None


def _walk(node: yaml.Node, path: _Path, name: str, lines: dict[_Path, int]) -> Iterator[str]:
    """Note the lines of a node and of all in it; what is given twice."""
    lines[path] = node.start_mark.line + 1
    if isinstance(node, yaml.SequenceNode):
        for place, item in enumerate(node.value):
            yield from _walk(item, (*path, place), name, lines)
    elif isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            word = str(key.value)
            if word in seen:
                yield f"{name}:{key.start_mark.line + 1}: {word} is given twice"
            seen.add(word)
            yield from _walk(value, (*path, word), name, lines)
            lines[(*path, word)] = key.start_mark.line + 1


def _contradictions(file: SeedFile, agent_maximum: int, empty_passwords: bool) -> Iterator[str]:
    """What is wrong between the parts."""
    vdns = dict(enumerate(file.seed.vdns))
    if not vdns:
        yield f"{file.at('vdns')}there is no VDN in it"
    yield from _twice(file, [((place,), vdn.vdn) for place, vdn in vdns.items()], "VDN")
    for place, vdn in vdns.items():
        yield from _twice(file, _given({place: vdn}, "skills", "skill"), "skill")
        yield from _twice(file, _given({place: vdn}, "phones", "number"), "phone number")
        yield from _twice(file, _given({place: vdn}, "rest_causes", "cause"), "rest cause")
        yield from _twice(file, _given({place: vdn}, "agent_groups", "group"), "group of agents")
        for index, agent in enumerate(vdn.agents):
            if agent.agent > agent_maximum:
                where = file.at("vdns", place, "agents", index, "agent")
                yield f"{where}agent {agent.agent} is above agents.agent_maximum ({agent_maximum})"
            if agent.password is not None and not len(agent.password) and not empty_passwords:
                where = file.at("vdns", place, "agents", index, "password")
                yield f"{where}agent {agent.agent} is without a password, and agents.empty_passwords is off"
            for skill in agent.levels:
                if skill not in agent.skills:
                    where = file.at("vdns", place, "agents", index, "levels")
                    yield f"{where}agent {agent.agent} has a level of skill {skill} and not the skill"
        for path, mistake in seed_queues.contradictions(vdn.skills, vdn.outbound_allowed):
            yield file.at("vdns", place, "skills", *path) + mistake
        yield from _unclear_people(file, place, vdn)
    for part, name, what in (
        ("users", "user", "user"),
        ("users", "agent", "a user with agent"),
        ("agents", "agent", "agent"),
        ("access_codes", "number", "access code"),
        ("phones", "account", "SIP account"),
    ):
        yield from _twice(file, _given(vdns, part, name), what)


def _given(vdns: Mapping[int, VdnSeed], part: str, name: str) -> list[tuple[_Path, object]]:
    """What the entries of one part of these VDNs give as `name`, if they do, and where they stand."""
    return [
        ((place, part, index), value)
        for place, vdn in vdns.items()
        for index, entry in enumerate(getattr(vdn, part) or ())
        if (value := getattr(entry, name)) is not None
    ]


def _unclear_people(file: SeedFile, place: int, vdn: VdnSeed) -> Iterator[str]:
    names: set[str] = set()
    for index, user in enumerate(vdn.users):
        if user.user is None and user.agent is None:
            if user.name in names:
                where = file.at("vdns", place, "users", index)
                yield f"{where}{user.name} is there twice: tell them apart by user or agent"
            names.add(user.name)
    yield from _twice(file, _given({place: vdn}, "groups", "name"), "group")
    for index, group in enumerate(vdn.groups):
        persons = [
            ((place, "groups", index, part, number), person)
            for part, named in (
                ("leaders", group.leaders),
                ("inspected_by", group.inspected_by),
                ("members", group.members),
            )
            for number, person in enumerate(named)
        ]
        yield from _twice(file, persons, f"group {group.name}:")


def _twice(file: SeedFile, found: Iterable[tuple[_Path, object]], what: str) -> Iterator[str]:
    seen: set[object] = set()
    for path, value in found:
        if value in seen:
            yield f"{file.at('vdns', *path)}{what} {value} is there twice"
        seen.add(value)


def _sentence(error: ErrorDetails, name: str, lines: dict[_Path, int]) -> str:
    """One of pydantic's errors as a sentence with its line. Never shows a password."""
    path: _Path = tuple(error["loc"])
    message = told(error)
    if error["type"] in ("string_type", "string_pattern_mismatch"):
        message = 'must be a text of digits, letters, * # + . _ -: write it in quotes, like "0700"'
        if path and path[-1] in ("name", "password"):
            message = "must be a text in one line: write it in quotes"
    shown = ".".join(str(part + 1) if isinstance(part, int) else part for part in path)
    return f"{name}:{_line(lines, path)}: {shown or 'the file'}: {message}"


def _line(lines: dict[_Path, int], path: tuple[int | str, ...]) -> int:
    while path and path not in lines:
        path = path[:-1]
    return lines.get(path, 1)
