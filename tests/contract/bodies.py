"""Bodies made from the ledgers' forms: right ones, and every field with what it does not take."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from sottovoce.contracts import Row, Schema
from sottovoce.contracts.judge import Judge

BY_FORMAT: dict[str, Any] = {
    "agent-id": "102",
    "id": "1600226476732482572",
    "s": 1772442000,
    "ms": 1772442000000,
    "s or ms": 1772442000000,
}
BY_TYPE: dict[str, Any] = {"integer": 1, "number": 1, "string": "x", "boolean": False}
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
_ODD: tuple[Any, ...] = (
    *("abc", "1x", "-1", "１６", "x", "1.5", "1e3", "nan", "yes", "true", "boss", "none of them", "9" * 21),
    *("a\x00b", "\ud800", True, 0, 1, -1, 99, 1.5, 1.6239241148860783e19),
    *(10**15, 10**18, 10**21, 10**30, 10**400, [], {}, ["1"], [[]], [{}], [None]),
)


def body(row: Row, filled: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """A body that `row` takes as it is written; `filled` has values by a field's last name."""
    return _object(row.body or {}, {**BY_NAME, **(filled or {})})


def _object(schema: Schema, values: Mapping[str, Any]) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for name, inner in schema.get("properties", {}).items():
        if name not in values or (name == "status" and inner.get("type") == "array"):
            made[name] = sample(inner, values)
        elif values[name] is not None:
            made[name] = copy.deepcopy(values[name])
    return made


def sample(schema: Schema, values: Mapping[str, Any]) -> Any:
    """A value that a schema allows; `values` has those of an object's fields by name."""
    kind = schema["type"][0] if isinstance(schema["type"], list) else schema["type"]
    if kind == "object":
        return _object(schema, values)
    if kind == "array":
        needed = schema.get("minItems") or schema["items"].get("type") == "object"
        return [sample(schema["items"], values)] if needed else []
    if "enum" in schema:
        return schema["enum"][0]
    found = BY_FORMAT.get(schema.get("format", ""), BY_TYPE[kind])
    return min(found, schema["maximum"]) if "maximum" in schema else found


def fields(schema: Schema, prefix: str = "") -> Iterator[tuple[str, Schema, bool]]:
    """Every field of a body, dotted, with its schema and whether it is needed."""
    for name, inner in schema.get("properties", {}).items():
        yield prefix + name, inner, name in schema.get("required", ())
        yield from fields(inner.get("items", inner), f"{prefix}{name}.")


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


def takes(schema: Schema, value: Any) -> bool:
    """Whether the quality family takes `value` there: as the schema says, or a text for a number."""
    if isinstance(value, str) and (any("\ud800" <= sign <= "\udfff" for sign in value) or "\x00" in value):
        return False
    if isinstance(value, list) and schema["type"] == "array":
        return all(takes(schema["items"], item) for item in value) and Judge(
            {key: limit for key, limit in schema.items() if key != "items"}
        ).is_valid(value)
    if isinstance(value, str) and schema["type"] == "integer" and re.fullmatch(r"-?[0-9]{1,20}", value):
        value = int(value)
    if isinstance(value, str) and schema["type"] == "number":
        value = _decimal(value)
    if isinstance(value, int) and not isinstance(value, bool) and "string" in schema["type"]:
        value = str(value) if schema.get("format") == "id" or isinstance(schema["type"], list) else value
    return Judge(schema).is_valid(value)


def _decimal(text: str) -> float | str:
    try:
        return float(text) if float(text) == float(text) else text
    except ValueError:
        return text


def said_otherwise(schema: Schema, value: Any) -> Any:
    """The same as the quality family takes it, too: 1 as "1" or 1.0, ids as numbers, null for absent."""
    if isinstance(value, dict):
        inner = schema.get("properties", {})
        told = {name: said_otherwise(inner.get(name, {}), item) for name, item in value.items()}
        absent = {name: None for name in inner if name not in value}
        return {**told, **absent}
    if isinstance(value, list):
        return [said_otherwise(schema.get("items", {}), item) for item in value]
    if schema.get("format") == "id":
        return int(value)
    if schema.get("type") == "integer" and value % 2 and abs(value) <= 2**53:
        return float(value)
    if schema.get("type") == "integer" or (schema.get("type") == "number" and isinstance(value, int)):
        return str(value)
    return value


def wrong_values(schema: Schema, takes: Callable[[Schema, Any], bool] = takes) -> Iterator[Any]:
    """What a field does not take: other types, and values just outside of its range."""
    ranged: list[Any] = list(_ODD)
    if "minimum" in schema:
        ranged.append(schema["minimum"] - 1)
    if "maximum" in schema:
        ranged.append(schema["maximum"] + 1)
    if "maxLength" in schema:
        ranged.append("x" * (schema["maxLength"] + 1))
    if schema["type"] == "array":
        ranged += [[value] for value in wrong_values(schema["items"], takes)]
        ranged.append([sample(schema["items"], BY_NAME)] * (schema.get("maxItems", 0) + 1))
    return (value for value in ranged if not takes(schema, value))


def allowed(schema: Schema) -> st.SearchStrategy[Any]:
    """Values that a form's schema allows."""
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    match schema.get("type"):
        case list() as kinds:
            return st.one_of(allowed({**schema, "type": kind}) for kind in kinds)
        case "object":
            inner = {name: allowed(value) for name, value in schema.get("properties", {}).items()}
            needed = {name: inner.pop(name) for name in schema.get("required", ())}
            return st.fixed_dictionaries(needed, optional=inner)
        case "array":
            least = schema.get("minItems", 0)
            return st.lists(allowed(schema["items"]), min_size=least, max_size=least + 3)
        case "string" if "pattern" in schema:
            return st.from_regex(re.compile(schema["pattern"], re.ASCII), fullmatch=True)
        case "string":
            return st.text(min_size=schema.get("minLength", 0), max_size=schema.get("maxLength", 40))
        case "integer":
            return st.integers(schema.get("minimum"), schema.get("maximum"))
        case "number":
            return st.floats(schema.get("minimum"), schema.get("maximum"), allow_nan=False)
        case "boolean":
            return st.booleans()
    return st.none() | st.booleans() | st.integers() | st.text()


def generated(schema: Schema, many: int) -> list[Any]:
    """Values that a schema allows, the same in every run."""
    found: list[Any] = []

    @settings(
        max_examples=many,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(allowed(schema))
    def collect(value: Any) -> None:
        found.append(value)

    collect()
    return [value for value in found if Judge(schema).is_valid(value)]


def names(path: str, told: str) -> bool:
    """Whether a complaint begins with that field, whatever the places in lists."""
    dotted = r"(\.\d+)?\.".join(map(re.escape, path.split("."))) + r"(\.\d+)?"
    return re.match(dotted + r"(\.\w+)*: .", told) is not None
