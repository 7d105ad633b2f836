"""The ledgers as a judge: which row a request belongs to, and what of an answer is not as its row says."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError
from jsonschema.validators import extend

from sottovoce.contracts import Row, Schema, rows


def _whole(checker: object, value: object) -> bool:
    """A number written without a fraction; JSON Schema takes 1.0 for one, too."""
    return isinstance(value, int) and not isinstance(value, bool)


def _pattern(judge: Any, pattern: str, value: object, schema: Schema) -> Iterator[ValidationError]:
    """As ECMA 262 has it: `$` is the end, not also the place before a line break; `\\w` is ASCII."""
    inner = pattern.removeprefix("^").removesuffix("$")
    assert pattern == f"^{inner}$", "a pattern of the ledgers is for the whole text"
    if isinstance(value, str) and re.fullmatch(inner, value, re.ASCII) is None:
        yield ValidationError(f"{value!r} does not match {pattern}")


Judge = extend(
    Draft202012Validator,
    {"pattern": _pattern},
    type_checker=Draft202012Validator.TYPE_CHECKER.redefine("integer", _whole),
)


@cache
def _judge(family: str, path: str, name: str, numeric_ids: bool) -> Any:
    row = next(row for row in rows(family) if (row.path, row.name) == (path, name))
    schema = _numeric(row.answer) if numeric_ids else row.answer
    return Judge(schema)


def _numeric(schema: Any) -> Any:
    """The same with numbers for ids, as a setting has them."""
    if isinstance(schema, list):
        return [_numeric(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    if schema.get("format") == "id":
        return {"type": "integer"}
    return {key: _numeric(item) for key, item in schema.items()}


def complaints(row: Row, answer: Any, *, numeric_ids: bool = False) -> list[str]:
    """What of a success is not as its row says; nothing if all is."""
    judge = _judge(row.family, row.path, row.name, numeric_ids)
    return [f"{error.json_path}: {error.message}" for error in judge.iter_errors(answer)]


def plain(path: str) -> str:
    """A request's path without its query, with doubled slashes folded."""
    return re.sub("/{2,}", "/", path.partition("?")[0]).rstrip("/")


@cache
def _patterns() -> tuple[tuple[re.Pattern[str], Row], ...]:
    return tuple(
        (re.compile(re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(row.path)), re.IGNORECASE), row)
        for row in rows()
    )


def matching(path: str) -> list[Row]:
    """The rows of a path in any case; a literal part before a variable."""
    found = [row for pattern, row in _patterns() if pattern.fullmatch(plain(path))]
    fewest = min((row.path.count("{") for row in found), default=0)
    return [row for row in found if row.path.count("{") == fewest]


def find(verb: str, path: str) -> Row | None:
    """The row of a request."""
    return next((row for row in matching(path) if verb in row.verbs), None)
