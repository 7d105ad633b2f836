"""Agents' own changes of their passwords: what a new one must be, and the change itself."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, field, replace

from sottovoce.config import AgentSettings
from sottovoce.domain.directory import AgentId, AgentProfile
from sottovoce.domain.journal import PasswordChanged
from sottovoce.errors import Code, Refused
from sottovoce.live.inputs import Command, Permitted, command
from sottovoce.live.state import FloorState

_KINDS = {"Lu": "capitals", "Ll": "small letters", "Nd": "digits"}


def check_new(password: str, agent: AgentId, settings: AgentSettings) -> None:
    """Raise CREDENTIALS_REFUSED, with what is to be better, unless the agent may take this password."""
    if len(password) < settings.password_length:
        raise _refused(f"must have at least {settings.password_length} signs")
    kinds = {_KINDS.get(unicodedata.category(sign), "others") for sign in password}
    if len(kinds) < settings.password_kinds:
        raise _refused(
            f"must have {settings.password_kinds} of these: capitals, small letters, digits, other signs"
        )
    if str(agent) in password:
        raise _refused("must not have the work number in it")


def refuse_former() -> Refused:
    """The refusal of a password that the agent has, or had lately."""
    return _refused("must be another than the last ones")


def _refused(why: str) -> Refused:
    return Refused(Code.CREDENTIALS_REFUSED, why, field="new")


@dataclass(frozen=True, slots=True)
class ChangePassword(Command):
    """Another password for the agent who asks, signed in or not: the one of which `hashed` is the hash. The
    old one, kept as `instead_of`, and the rules are checked already. WRONG_CREDENTIALS (it is another one
    meanwhile, or the agent is configured no more), UNAVAILABLE."""

    hashed: str = field(repr=False)
    instead_of: str = field(repr=False)


def _check_change(floor: FloorState, asked: ChangePassword) -> Permitted[AgentProfile]:
    profile = floor.profile.agents.get(asked.by)
    if profile is None or profile.password_hash != asked.instead_of:
        raise Refused(Code.WRONG_CREDENTIALS, "the password was changed meanwhile, or the agent is gone")
    changed = PasswordChanged(asked.by, floor.profile.vdn, asked.hashed, floor.now)
    return Permitted(profile, (changed, floor.audit(asked.by, "password.change", asked.by)))


@command(ChangePassword, _check_change)
def change_password(floor: FloorState, asked: ChangePassword, profile: AgentProfile) -> None:
    """From now on the new one counts. A running session goes on with its Guid, and its call with it."""
    profile = profile.with_password(asked.hashed, floor.now)
    floor.profile = replace(floor.profile, agents={**floor.profile.agents, asked.by: profile})
    seat = floor.seats.get(asked.by)
    if seat is not None:
        seat.profile = profile
