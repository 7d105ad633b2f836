"""What is configured of a VDN (tenant): its agents, skill queues, access codes and phones.

Agent ids, access codes and SIP accounts are unique over the whole installation.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import NewType

VdnId = NewType("VdnId", int)
AgentId = NewType("AgentId", int)
SkillId = NewType("SkillId", int)


NO_PASSWORD = ""
LONGEST_PASSWORD = 32
"""Signs of an agent's password: sign-in takes no more [1202]."""
FORMER_PASSWORDS_KEPT = 10
"""Hashes of them, for each agent; a setting says how many of them count."""
PHONE_AT_SIGN_IN = re.compile(r"[0-9*#]{1,24}")
"""The number of a phone that an agent can sign in with."""
"""What an agent without a password has in the place of its hash."""


class Right(StrEnum):
    """What an agent may do besides talking."""

    INSPECT = "inspect"
    """Supervise and force other agents of the VDN (iscensor)."""
    CALL_OUT = "call_out"
    # The others open nothing here; clients ask for them (`http/ccgateway/agentgroup.py`).
    MONITOR = "monitor"
    REPORT = "report"
    ADMINISTER = "administer"
    PICK_UP = "pick_up"


@dataclass(frozen=True, slots=True)
class WayOut:
    """Where a call goes that may wait no longer: to one of these. To none: it ends."""

    skill: SkillId | None = None
    """Another queue, in which it has the place that its arrival gives it."""
    number: str = ""
    """Outside."""
    announcement: str = ""
    """A WAV file's path; then the call ends."""


@dataclass(frozen=True, slots=True)
class Overflow:
    """After so long agents of another queue take the call, too."""

    after_s: float
    skill: SkillId


@dataclass(frozen=True, slots=True)
class Announcing:
    """What callers are told while they wait: by `first_s`, then `every_s` (0: once)."""

    first_s: float = 0.0
    every_s: float = 60.0
    position: bool = True
    wait: bool = False
    """How long it will take, as far as that is known."""
    language: str = "en"
    """A folder of `media.announcements`."""


@dataclass(frozen=True, slots=True)
class QueueRules:
    """How a queue treats those who wait in it."""

    longest: int | None = None
    """Calls that wait at most; for one more the way out is open at once."""
    overflow: tuple[Overflow, ...] = ()
    time_out_s: float | None = None
    way_out: WayOut = WayOut()
    """For calls that waited until `time_out_s`, and for those for which there is no room."""
    music: str = ""
    """A WAV file's path; empty: `media.music`."""
    announcing: Announcing | None = None
    answer_within_s: float = 20.0
    """By which the service level is measured."""
    short_s: float = 5.0
    """Who hung up within this is no abandoned call in the service level."""


@dataclass(frozen=True, slots=True)
class Skill:
    """A skill queue."""

    skill: SkillId
    name: str
    rules: QueueRules = QueueRules()


BEST_LEVEL, LOWEST_LEVEL = 1, 9


@dataclass(frozen=True, slots=True)
class SkillLevel:
    """How well an agent has a skill: 1 is best. Calls go to the best who is free, whoever is idle longer."""

    skill: SkillId
    level: int


@dataclass(frozen=True, slots=True)
class AgentProfile:
    """An agent as configured. `agent` is the work number."""

    agent: AgentId
    vdn: VdnId
    name: str
    password_hash: str = field(repr=False)
    """argon2id, or NO_PASSWORD; never shown, never logged."""
    phone: str | None = None
    """The phone used when sign-in names none; sign-in may name another of the VDN."""
    skills: tuple[SkillId, ...] = ()
    rights: frozenset[Right] = frozenset()
    group: int = 0
    password_set_at: datetime | None = None
    """None: so long ago that it is not known."""
    former_passwords: tuple[str, ...] = field(default=(), repr=False)
    """The hashes of those before, the latest first."""
    levels: tuple[SkillLevel, ...] = ()
    """Of skills that are not had at the best level."""

    def with_password(self, hashed: str, at: datetime) -> AgentProfile:
        """The same agent with another password."""
        former = (self.password_hash, *self.former_passwords)[:FORMER_PASSWORDS_KEPT]
        return replace(self, password_hash=hashed, password_set_at=at, former_passwords=former)

    def level(self, skill: SkillId) -> int:
        """How well the agent has that skill."""
        return next((one.level for one in self.levels if one.skill == skill), BEST_LEVEL)


@dataclass(frozen=True, slots=True)
class RestCause:
    """Why agents may rest (0-255), in words."""

    cause: int
    name: str


@dataclass(frozen=True, slots=True)
class AgentGroup:
    """A group that agents name as theirs, and who leads it."""

    group: int
    name: str
    leader: AgentId | None = None


@dataclass(frozen=True, slots=True)
class AccessCode:
    """A number that callers dial, and the skill queue it leads to."""

    number: str
    skill: SkillId
    early_media: bool = False
    """Queue music on 183 instead of answering the trunk on entering the queue."""
    head_start_s: float = 0.0
    """Its calls are dealt with as if they had come so much earlier."""


@dataclass(frozen=True, slots=True)
class PhoneAccount:
    """A SIP account that a phone registers with. `number` is what it is called by."""

    number: str
    username: str
    ha1: Mapping[str, str]
    """Digest algorithm (`MD5`, `SHA-256`) to H(user:realm:password), RFC 7616 3.4.2."""


@dataclass(frozen=True, slots=True)
class VdnProfile:
    """A whole VDN as configured."""

    vdn: VdnId
    name: str
    agents: Mapping[AgentId, AgentProfile] = field(default_factory=dict)
    skills: Mapping[SkillId, Skill] = field(default_factory=dict)
    access_codes: Mapping[str, AccessCode] = field(default_factory=dict)
    phones: Mapping[str, PhoneAccount] = field(default_factory=dict)
    outbound_allowed: tuple[str, ...] = ()
    """Prefixes that outbound numbers may begin with (toll fraud); none allows none."""
    inspect_inspectors: bool = False
    """Whether an inspector may be inspected ("Support QC on QC Inspectors")."""
    rest_causes: Sequence[RestCause] = ()
    agent_groups: Sequence[AgentGroup] = ()
    time_zone: str = "UTC"
    """IANA name: when its days begin."""
