"""The quality family's ledgers, and what they allow an answer to be."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import yaml
from tests.contract.ledger import CONTRACTS

ALWAYS = ("001", "002", "003", "011", "012")
"""Suffixes that any interface may answer: parameter, no operator, no right, unavailable, internal."""
ALWAYS_SPEECH = ("400", "401", "403", "503", "500")
"""The same of CC-iSQM."""
FAULTS = {404: "004", 405: "001", 408: "001", 413: "001", 431: "001", 500: "012", 503: "011"}
SPEECH_FAULTS = {404: "404", 405: "400", 408: "400", 413: "400", 431: "400", 500: "500", 503: "503"}


@dataclass(frozen=True)
class Row:
    """One interface."""

    path: str
    verbs: tuple[str, ...]
    name: str
    title: str
    status: str
    source: tuple[str, ...]
    success: str
    user: str
    operation: str = ""
    headers: tuple[dict[str, Any], ...] = ()
    fields: tuple[dict[str, Any], ...] = ()
    coded: bool = True
    paging: str = ""
    answer: Any = None
    failures: tuple[str, ...] = ()
    inferred: dict[str, str] = field(default_factory=dict)
    note: str = ""
    reason: str = ""

    @property
    def module(self) -> str:
        """The first four digits of its codes."""
        return self.success[:4]

    @property
    def codes(self) -> set[str]:
        """Every failure that it may answer."""
        always = ALWAYS_SPEECH if self.module == "1010" else ALWAYS
        return {self.module + suffix for suffix in (*self.failures, *always)}


def _row(raw: dict[str, Any]) -> Row:
    lists = ("verbs", "source", "headers", "fields", "failures")
    return Row(**{name: tuple(value) if name in lists else value for name, value in raw.items()})


@cache
def load(family: str) -> tuple[Row, ...]:
    """The rows of ``contracts/<family>.yaml``; an unknown key is an error."""
    raw = yaml.safe_load((CONTRACTS / f"{family}.yaml").read_text())
    return tuple(_row(row) for row in raw)


@cache
def rows() -> dict[str, Row]:
    """Both ledgers' rows by path in lower case."""
    return {row.path.lower(): row for family in ("cc-sqm", "cc-isqm") for row in load(family)}


def find(path: str) -> Row | None:
    """The row of a request's path."""
    plain = re.sub("/{2,}", "/", path.partition("?")[0]).rstrip("/")
    return rows().get(plain.lower())


def check(
    path: str,
    status: int,
    content_type: str,
    raw: bytes,
    *,
    verb: str = "POST",
    numeric_ids: bool = False,
) -> Any:
    """The answer's body, if the ledgers allow it. Raises AssertionError, naming the interface."""
    assert content_type == "application/json", path
    body = json.loads(raw)
    compact = json.dumps(body, separators=(",", ":")).encode()
    assert raw == compact, f"{path}: blanks, line breaks or no ASCII in {raw[:200]!r}"
    row = find(path)
    if status != 200:
        _check_refusal(path, row if verb == "POST" else None, status, body)
    elif row is None:
        raise AssertionError(f"{path} is in no ledger and answers {raw[:200]!r}")
    elif _is_failure(row, body):
        assert list(body) == ["resultCode", "resultDesc"], f"{row.path}: a failure with more: {body}"
        assert body["resultCode"] in row.codes, f"{row.path} may not answer {body['resultCode']}: {body}"
        assert body["resultDesc"], f"{row.path}: a failure without a word"
    else:
        assert row.status == "done", f"{row.path} is not served and answers {body}"
        found = _success_complaints(row, body, numeric_ids)
        assert not found, f"{row.path} answers otherwise than its ledger says:\n" + "\n".join(found[:12])
    return body


def _is_failure(row: Row, body: Any) -> bool:
    if not isinstance(body, dict) or "resultCode" not in body:
        return False
    codes = {body["resultCode"], body.get("returnCode")}
    return row.success not in codes


def _check_refusal(path: str, row: Row | None, status: int, body: Any) -> None:
    assert list(body) == ["resultCode", "resultDesc"], f"{path}: {body}"
    speech = path.lower().startswith("/apiaccess/ccisqm")
    faults = {400: "400", 401: "401", **SPEECH_FAULTS} if speech else {400: "001", 401: "002", **FAULTS}
    module = row.module if row is not None and row.success != "none" else "1010" if speech else "0400"
    fault = "1010" if speech else "0400"
    if status == 500 and body["resultCode"] == module + ("503" if speech else "011"):
        return
    assert status in faults, f"{path} answers HTTP {status}"
    assert body["resultCode"] in {module + faults[status], fault + faults[status]}, f"{path}: {status} {body}"


def _success_complaints(row: Row, body: Any, numeric_ids: bool) -> list[str]:
    shape = row.answer if row.answer is not None else {}
    if row.coded:
        if not isinstance(body, dict):
            return ["it is no object"]
        desc = body.get("resultDesc")
        found = [] if desc == "Operation successful." else [f"resultDesc is {desc!r}"]
        rest = {name: value for name, value in body.items() if name not in ("resultCode", "resultDesc")}
        return found + complaints(rest, shape, "answer", numeric_ids)
    return complaints(body, shape, "answer", numeric_ids)


def complaints(value: Any, shape: Any, where: str, numeric_ids: bool = False) -> list[str]:
    """What is wrong with `value`, against the ledgers' words for shapes. `name?` may be null or absent."""
    if isinstance(shape, dict):
        if not isinstance(value, dict):
            return [f"{where} is {value!r}, no object"]
        return _object_complaints(value, shape, where, numeric_ids)
    if isinstance(shape, list):
        if not isinstance(value, list):
            return [f"{where} is {value!r}, no list"]
        if not shape:
            return []
        return [
            text
            for index, item in enumerate(value)
            for text in complaints(item, shape[0], f"{where}[{index}]", numeric_ids)
        ]
    if shape == "id" and numeric_ids:
        shape = "int"
    return [] if _WORDS[shape](value) else [f"{where} is {value!r}, not {shape}"]


def _object_complaints(
    value: dict[str, Any], shape: dict[str, Any], where: str, numeric_ids: bool
) -> list[str]:
    wanted = {name.removesuffix("?"): (inner, name.endswith("?")) for name, inner in shape.items()}
    found = [f"{where} has {name}" for name in value.keys() - wanted.keys()]
    for name, (inner, optional) in wanted.items():
        if optional and value.get(name) is None:
            continue
        if name not in value:
            found.append(f"{where} lacks {name}")
        else:
            found += complaints(value[name], inner, f"{where}.{name}", numeric_ids)
    return found


def _int(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _matching(pattern: str) -> Any:
    return lambda value: isinstance(value, str) and re.fullmatch(pattern, value) is not None


_WORDS: dict[str, Any] = {
    "text": lambda value: isinstance(value, str),
    "int": _int,
    "number": _number,
    "bool": lambda value: isinstance(value, bool),
    "object": lambda value: isinstance(value, dict),
    "digits": _matching(r"[0-9]{1,20}"),
    "id": _matching(r"[0-9]{1,20}"),
    "uuid": _matching(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"),
    "s": lambda value: _int(value) and 0 <= value < 10**11,
    "ms": lambda value: _int(value) and (value == 0 or value >= 10**11),
    "s as digits": _matching(r"[0-9]{1,10}"),
    "ms as digits": _matching(r"[0-9]{12,14}"),
    "date": _matching(r"[0-9]{4}-[0-9]{2}-[0-9]{2}"),
}


def words_of(schema: dict[str, Any]) -> list[dict[str, Any]]:
    """The ledger's fields of a form, from its JSON schema: names of inner objects' fields are dotted."""
    return list(_fields(schema, schema.get("$defs", {}), ""))


def _fields(schema: dict[str, Any], inner: dict[str, Any], prefix: str) -> Iterable[dict[str, Any]]:
    required = schema.get("required", [])
    for name, given in schema.get("properties", {}).items():
        resolved = _resolved(given, inner)
        found: dict[str, Any] = {"name": prefix + name, "type": _type(resolved, inner)}
        item = _resolved(resolved.get("items", {}), inner)
        for key, word in (
            ("minimum", "min"),
            ("maximum", "max"),
            ("ge", "min"),
            ("le", "max"),
            ("minLength", "min_length"),
            ("maxLength", "max_length"),
            ("minItems", "min_items"),
            ("maxItems", "max_items"),
        ):
            if key in resolved and abs(resolved[key]) < _NO_BOUND and found["type"] not in _TIMES:
                found[word] = resolved[key]
        for source, word in ((resolved, "values"), (item, "values")):
            if "enum" in source and not found["type"].endswith("role"):
                found[word] = source["enum"]
        if resolved.get("pattern") and "id" not in found["type"].split():
            found["pattern"] = resolved["pattern"]
        if name not in required:
            found["required"] = False
            default = given.get("default")
            if default is not None and not isinstance(default, list | dict):
                found["default"] = default
        yield found
        for part in (resolved, item):
            if "properties" in part:
                yield from _fields(part, inner, f"{prefix}{name}.")


_TYPES = {"string": "text", "integer": "number", "number": "decimal", "boolean": "bool", "object": "object"}
_NO_BOUND = 2**62
_TIMES = ("s", "ms", "s or ms")


def _resolved(schema: dict[str, Any], inner: dict[str, Any]) -> dict[str, Any]:
    for many in ("anyOf", "allOf"):
        if many in schema:
            one = next(part for part in schema[many] if part.get("type") != "null")
            schema = {**{key: value for key, value in schema.items() if key != many}, **_resolved(one, inner)}
    if "$ref" in schema:
        schema = {**schema, **inner[schema["$ref"].rpartition("/")[2]]}
        schema.pop("$ref")
    return schema


def _type(schema: dict[str, Any], inner: dict[str, Any]) -> str:
    if schema.get("format") in ("id", "uuid", *_TIMES):
        return str(schema["format"])
    if schema.get("enum") and "qualityDirector" in schema["enum"]:
        return "role"
    if schema.get("type") == "array":
        return f"list of {_type(_resolved(schema['items'], inner), inner)}"
    words = {
        "string": "text",
        "integer": "number",
        "number": "decimal",
        "boolean": "bool",
        "object": "object",
    }
    return words.get(schema.get("type", ""), "any")
