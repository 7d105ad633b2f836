"""The family's numbers and names, by their meaning, where the domain has no enum of the same values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import Any

from sottovoce.domain.contacts import Interaction
from sottovoce.domain.people import Role

ROLES = {
    Role.QUALITY_DIRECTOR: "qualityDirector",
    Role.QUALITY_LEADER: "qualityGroupLeader",
    Role.INSPECTOR: "qualityInspector",
    Role.TABLE_DIRECTOR: "tableDirector",
    Role.TABLE_LEADER: "tableGroupLeader",
    Role.STAFF: "tableStaff",
}
"""E2514, E2516."""


class Earlier(IntEnum):
    """Whether a call was in a task before (`qualityCondition`; the meaning is inferred, 3.2)."""

    UNSAMPLED = 0
    SAMPLED = 1
    ALL = 2


class Per(IntEnum):
    """What a sample's quantity counts [2499]."""

    RANGE = 1
    AGENT = 2
    PERCENT_OF_AGENT = 3


class ItemKind(IntEnum):
    """What a quality item is: a problem that inspection found, or an agent's appeal [2519]."""

    PROBLEM = 1
    APPEAL = 2


class ItemStatus(IntEnum):
    """How far a quality item is on its way [2519]."""

    REVIEWING = 21
    COMPLETED = 22
    HANDLING = 24
    VERIFYING = 27


class Cycle(StrEnum):
    """How often a plan runs [2497]."""

    DAILY = "1"
    WEEKLY = "2"
    MONTHLY = "3"


class Judgement(StrEnum):
    """What a handler says of a quality item [2518]."""

    BACK = "back"
    PASS = "pass"  # noqa: S105 - no password
    ASSIGN = "assign"


@dataclass(frozen=True, slots=True)
class Sample:
    """Which calls to sample, and how many."""

    quantity: int
    per: Per = Per.RANGE
    earlier: Earlier = Earlier.ALL
    interaction: Interaction = Interaction.VOICE
    at_most: int | None = None
    score_from: int | None = None
    score_until: int | None = None
    """Bounds of the machine score."""
    shortest_s: int | None = None
    longest_s: int | None = None
    agents: Sequence[str] = ()
    """User ids; none: all."""

    def for_task(self) -> dict[str, Any]:
        """`fixedColumns` of a task: numbers, durations in seconds [2510]."""
        return {
            "maxNum": self.at_most,
            "qualityCondition": int(self.earlier),
            "qualityNum": self.quantity,
            "qualityType": int(self.per),
            "scoreStart": self.score_from,
            "scoreEnd": self.score_until,
            "durationStart": self.shortest_s,
            "durationEnd": self.longest_s,
            "staffIds": list(self.agents),
            "interactionType": int(self.interaction),
        }

    def for_plan(self) -> dict[str, Any]:
        """`fixedColumns` of a plan: quantities as texts, durations in milliseconds [2499]."""

        def text(value: int | None) -> str | None:
            return None if value is None else str(value)

        return self.for_task() | {
            "maxNum": text(self.at_most),
            "qualityNum": text(self.quantity),
            "scoreStart": text(self.score_from),
            "scoreEnd": text(self.score_until),
            "durationStart": None if self.shortest_s is None else self.shortest_s * 1000,
            "durationEnd": None if self.longest_s is None else self.longest_s * 1000,
        }
