"""What an interface's page tells, and requests like those that pages print."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

NOBODYS_ID = "10000000007351962841"
"""20 digits that begin with a second of 2001 (3.4): no server of this family has given it out."""
NOBODYS_UUID = "c6a31191-6c69-486b-b8f9-c3412ef44bfd"
"""Of the page's example [2495]."""
PLANS, TASKS, ITEMS, SCORES, SCENARIOS = "0408000", "0409000", "0410000", "0412000", "0406000"
FROM, UNTIL = 1_600_000_000, 4_000_000_000
"""A time window in seconds that holds every call."""


@dataclass(frozen=True, slots=True)
class Interface:
    """One page. `mandatory` are fields, dotted, members of lists by number."""

    path: str
    page: str
    example: Mapping[str, Any]
    mandatory: Sequence[str] = ()
    code: str | None = None
    """`resultCode` of a success; None where no code is documented."""
    user: bool = False
    """Whether x-UserId is mandatory in all copies read (2.0)."""
    for_agents: bool = False
    """Whether it is an agent who asks for it."""

    @property
    def name(self) -> str:
        """As tables show it: the last two parts of the path."""
        return "/".join(self.path.rsplit("/", 2)[1:])

    def without(self, field: str) -> dict[str, Any]:
        """The example without a field."""
        return _changed(self.example, field.split("."), remove=True)

    def mistyped(self, field: str) -> dict[str, Any]:
        """The example with a value of another type in a field: an object, or a text for an object or list."""
        return _changed(self.example, field.split("."), remove=False)


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
