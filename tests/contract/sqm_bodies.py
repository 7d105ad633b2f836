"""Bodies for the quality family's interfaces, made from the ledgers' fields."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator, Mapping
from typing import Any

from tests.contract.sqm_ledger import Row

BY_TYPE: dict[str, Any] = {
    "id": "1600226476732482572",
    "number": 1,
    "decimal": 1,
    "text": "x",
    "bool": False,
    "role": "qualityDirector",
    "s": 1772442000,
    "ms": 1772442000000,
    "s or ms": 1772442000000,
}
"""A value that its type allows."""
BY_NAME: dict[str, Any] = {
    "qualityType": 1,
    "qualityNum": "2",
    "interactionType": 0,
    "interaction_type": 0,
    "setCountsType": 1,
    "isTakeEffect": 0,
    "count": None,
    "type": "1",
    "reserveTime": None,
    "auditOperation": "pass",
    "inspectStatus": None,
    "reviewingStates": None,
    "showReviewingOfficer": None,
    "taskStatus": 21,
    "taskType": 2,
    "qualityItemType": 2,
    "ruleType": 11,
    "revise": 0,
    "upper_bound": 100,
    "base": 100,
    "lower_bound": 0,
    "call_types": [0],
    "status": None,
    "keyword": None,
    "qiqtCycleType": "1",
    "qiqtEndType": "1",
    "qiqtTotalTimes": 3,
    "qiqtEndTime": None,
    "startTimeMillis": 1740000000,
    "endTimeMillis": 1790000000,
    "callStartTimeMillis": None,
    "callEndTimeMillis": None,
    "upload_from": 1740000000,
    "upload_to": 1790000000,
    "call_from": None,
    "call_to": None,
    "call_end": None,
    "callId": "x",
    "role": "qualityDirector",
}
"""Where a type alone is not enough; None: left out."""
WRONG: dict[str, list[Any]] = {
    "id": ["abc", "1x", "-1", 1.5, 1.6239241148860783e19, True, [], {}, ["1"], "9" * 21, 10**21, "１６"],
    "number": ["x", 1.5, "1.5", True, [], {}, 10**30, "1e3"],
    "decimal": ["x", True, [], {}, 10**400, "nan"],
    "text": [True, 1.5, [], {}, "a\x00b", "\ud800"],
    "bool": ["yes", 1, 0, "true", [], {}],
    "role": ["boss", 1, True, [], {}],
    "object": ["x", 1, True, []],
    "s": ["x", 1.5, True, [], {}, -1, 10**15],
    "ms": ["x", 1.5, True, [], {}, -1, 10**18],
    "s or ms": ["x", 1.5, True, [], {}, -1, 10**18],
}
"""What no field of that type takes."""


def body(row: Row, filled: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """A body that `row` takes as it is written; `filled` has values by a field's last name."""
    values = {**BY_NAME, **(filled or {})}
    made: dict[str, Any] = {}
    for field in row.fields:
        *outer, name = field["name"].split(".")
        holder: Any = made
        for part in outer:
            holder = holder[part]
            holder = holder[0] if isinstance(holder, list) else holder
        if name in values and not (name == "status" and field["type"].startswith("list")):
            if values[name] is not None:
                holder[name] = copy.deepcopy(values[name])
            continue
        kind = field["type"]
        if kind == "object":
            holder[name] = {}
        elif kind == "list of object":
            holder[name] = [{}]
        elif kind.startswith("list of "):
            holder[name] = [] if not field.get("min_items") else [BY_TYPE[kind.removeprefix("list of ")]]
        else:
            holder[name] = field.get("values", [BY_TYPE[kind]])[0]
    return made


def changed(made: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    """The same body with one field set; `...` takes it away."""
    found = copy.deepcopy(made)
    *outer, name = path.split(".")
    holder: Any = found
    for part in outer:
        holder = holder[part]
        holder = holder[0] if isinstance(holder, list) else holder
    if value is ...:
        holder.pop(name, None)
    else:
        holder[name] = value
    return found


def wrong_values(field: Mapping[str, Any]) -> Iterator[Any]:
    """Values of other types, and those just outside of the field's range."""
    kind = field["type"]
    if kind.startswith("list of "):
        yield from ("x", 1, True, {})
        yield from ([item] for item in WRONG[kind.removeprefix("list of ")])
        return
    yield from WRONG[kind]
    if "min" in field:
        yield field["min"] - 1
    if "max" in field:
        yield field["max"] + 1
    if "max_length" in field:
        yield "x" * (field["max_length"] + 1)
    if "values" in field:
        yield 99 if kind == "number" else "none of them"


def names(path: str, told: str) -> bool:
    """Whether a complaint begins with that field, whatever the places in lists."""
    dotted = r"(\.\d+)?\.".join(map(re.escape, path.split("."))) + r"(\.\d+)?"
    return re.match(dotted + r"(\.\w+)*: .", told) is not None
