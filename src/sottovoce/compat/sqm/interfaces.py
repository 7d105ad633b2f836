"""What the ledger tells of an interface's page, and requests like those that pages print."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass
from functools import cache
from typing import Any

from sottovoce.compat.shapes import documented
from sottovoce.contracts import Row, Schema, rows

NOBODYS_ID = "10000000007351962841"
"""20 digits that begin with a second of 2001 (3.4): no server of this family has given it out."""
NOBODYS_UUID = "c6a31191-6c69-486b-b8f9-c3412ef44bfd"
"""Of the page's example [2495]."""
FROM, UNTIL = 1_600_000_000, 4_000_000_000
"""A time window in seconds that holds every call."""


@dataclass(frozen=True, slots=True)
class Interface:
    """One page, with a request like its own."""

    row: Row
    example: Mapping[str, Any]
    for_agents: bool = False
    """Whether it is an agent who asks for it."""

    @property
    def path(self) -> str:
        """The whole one."""
        return self.row.path

    @property
    def page(self) -> str:
        """Where it is documented."""
        return self.row.source[0]

    @property
    def name(self) -> str:
        """As tables show it: the last two parts of the path."""
        return "/".join(self.path.rsplit("/", 2)[1:])

    @property
    def mandatory(self) -> tuple[str, ...]:
        """Fields that the page marks as mandatory, dotted, members of lists by number."""
        return self.row.mandatory

    @property
    def user(self) -> bool:
        """Whether x-UserId is mandatory in all copies read (2.0)."""
        return self.row.user == "required"

    @property
    def code(self) -> str | None:
        """`resultCode` of a success; None where no code is documented."""
        answer = self.row.answer or {}
        told = answer.get("properties", {}).get("resultCode", {})
        return None if "resultCode" in answer.get("x-documented", {}) else told.get("const")

    @property
    def answer(self) -> Schema:
        """The documented form of a success."""
        return documented(self.row.answer or {})

    def without(self, field: str) -> dict[str, Any]:
        """The example without a field."""
        return _changed(self.example, field.split("."), remove=True)

    def mistyped(self, field: str) -> dict[str, Any]:
        """The example with a value of another type in a field: an object, or a text for an object or list."""
        return _changed(self.example, field.split("."), remove=False)


@cache
def row_of(path: str) -> Row:
    """The ledger's row of that path."""
    return next(row for row in rows("cc-sqm", "cc-isqm") if row.path == path)


def _changed(example: Mapping[str, Any], where: list[str], *, remove: bool) -> dict[str, Any]:
    whole = deepcopy(dict(example))
    holder: Any = whole
    for part in where[:-1]:
        holder = holder[int(part) if part.isdigit() else part]
    last = where[-1]
    if remove:
        del holder[last]
    else:
        holder[last] = "x" if isinstance(holder[last], dict | list) else {"x": 1}
    return whole


def sample(**changed: Any) -> dict[str, Any]:
    """`fixedColumns` as the plan's example has them, without bounds [2499]."""
    return {"interactionType": 0, "qualityCondition": 2, "qualityNum": 2, "qualityType": 1} | changed


def task_body(name: str, **columns: Any) -> dict[str, Any]:
    """A request of createQualityTask [2510]."""
    return {
        "currentRole": "qualityDirector",
        "fixedColumns": sample(**columns),
        "qualityTask": {"planName": name},
    }


def plan_body(name: str, inspector: str, **changed: Any) -> dict[str, Any]:
    """A request of addQualityTask, after the example of [2499]; its first run is in the year 2096."""
    columns = {
        "durationEnd": "36000000",
        "durationStart": 1,
        "maxNum": "10",
        "qualityNum": "100",
        "staffIds": [],
        "scoreStart": "0",
        "scoreEnd": "100",
    }
    body = {
        "extractionRange": {
            "customColumns": None,
            "fixedColumns": sample(**columns),
            "currentRole": "qualityDirector",
        },
        "appointQuality": {"setCounts": [{"personID": inspector, "count": 0}], "setCountsType": 0},
        "cronStructure": {
            "qiqtCycleType": "1",
            "qiqtStartTime": 3_999_999_000,
            "qiqtEndType": "1",
            "qiqtTotalTimes": 1,
        },
        "qiqtName": name,
        "currentRole": "qualityDirector",
    }
    return body | changed
