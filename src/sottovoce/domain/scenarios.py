"""Business scenarios: named sets of rules, with the calls they are meant for [2487].

A rule's result on a call always belongs to a scenario; a call has one score per scenario.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sottovoce.domain.contacts import Interaction
from sottovoce.errors import Code, Refused

LONGEST_NAME = 128
LONGEST_DESCRIPTION = 1024
MOST_RULES = 1000
"""Of one kind in one scenario."""
LONGEST_RULE = 128
_MINUTE = "%Y-%m-%d %H:%M %Z"


@dataclass(frozen=True, slots=True)
class CallRange:
    """Which calls a scenario is meant for, by when they began; None: open."""

    calls_from: datetime | None = None
    calls_until: datetime | None = None
    other: Mapping[str, str | int | bool] = field(default_factory=dict)
    """What else a client keeps with it."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """A scenario of a tenant."""

    scenario: str
    """`groupid_` and a UUID."""
    name: str
    enabled: bool
    """Whether it takes new results."""
    created_at: datetime
    description: str = ""
    ignore_sensitive: bool = False
    """Whether sensitive words deduct nothing."""
    interaction: Interaction = Interaction.VOICE
    calls: CallRange = CallRange()
    rules: tuple[str, ...] = ()
    """Ids of dialog rules; of the other kinds below."""
    silence_rules: tuple[str, ...] = ()
    speed_rules: tuple[str, ...] = ()
    interposal_rules: tuple[str, ...] = ()
    deleted: bool = False
    """Its results and scores stay."""

    @property
    def every_rule(self) -> tuple[str, ...]:
        """The ids of its rules of all kinds."""
        return (*self.rules, *self.silence_rules, *self.speed_rules, *self.interposal_rules)

    @property
    def rule_count(self) -> int:
        """How many rules it has of all kinds."""
        return len(self.every_rule)

    def declines(self, began_at: datetime, interaction: Interaction) -> str:
        """Why it takes no new result on a call that began then; empty: it does. Its range has both ends."""
        if not self.enabled:
            return f"{self.name} is switched off"
        if interaction is not self.interaction:
            return f"{self.name} is not for calls of {interaction.name.lower()}"
        calls = self.calls
        if calls.calls_from is not None and began_at < calls.calls_from:
            return f"{self.name} is for calls from {calls.calls_from:{_MINUTE}} on"
        if calls.calls_until is not None and began_at > calls.calls_until:
            return f"{self.name} is for calls until {calls.calls_until:{_MINUTE}}"
        return ""


@dataclass(frozen=True, slots=True)
class ScenarioOrder:
    """What somebody wants a scenario to be; None: as it was, or as usual."""

    name: str
    enabled: bool | None = None
    description: str | None = None
    ignore_sensitive: bool | None = None
    interaction: int | None = None
    """An Interaction, if it is one."""
    calls: CallRange | None = None
    rules: tuple[str, ...] | None = None
    silence_rules: tuple[str, ...] | None = None
    speed_rules: tuple[str, ...] | None = None
    interposal_rules: tuple[str, ...] | None = None

    def of(self, scenario: Scenario) -> Scenario:
        """`scenario` so changed. Refused(BAD_PARAMETER)."""
        wanted = {name: getattr(self, name) for name in self.__slots__ if getattr(self, name) is not None}
        changed = dataclasses.replace(scenario, **wanted)
        _check(changed)
        return dataclasses.replace(changed, interaction=Interaction(changed.interaction))


@dataclass(frozen=True, slots=True)
class WantedScenarios:
    """Which scenarios are asked for; None: any."""

    name: str | None = None
    """A part of it, in any case."""
    enabled: bool | None = None
    made_from: datetime | None = None
    made_until: datetime | None = None
    """The last moment, included."""


def _check(scenario: Scenario) -> None:
    if not 1 <= len(scenario.name.strip()) <= LONGEST_NAME:
        raise _bad("name", f"must have 1 to {LONGEST_NAME} characters")
    if len(scenario.description) > LONGEST_DESCRIPTION:
        raise _bad("description", f"must have at most {LONGEST_DESCRIPTION} characters")
    if scenario.interaction not in set(Interaction):
        raise _bad("interaction", f"must be {Interaction.VOICE:d} or {Interaction.TEXT:d}")
    calls = scenario.calls
    if calls.calls_from and calls.calls_until and calls.calls_from > calls.calls_until:
        raise _bad("calls.calls_until", "must not be before `calls_from`")
    for kind in ("rules", "silence_rules", "speed_rules", "interposal_rules"):
        ids = getattr(scenario, kind)
        if len(ids) > MOST_RULES or any(not 1 <= len(rule) <= LONGEST_RULE for rule in ids):
            raise _bad(kind, f"must be at most {MOST_RULES} ids of 1 to {LONGEST_RULE} characters")
        if len(set(ids)) < len(ids):
            raise _bad(kind, "has an id twice")


def _bad(field: str, why: str) -> Refused:
    return Refused(Code.BAD_PARAMETER, why, field=field)
