"""The ledgers as a judge: which row a request belongs to, and what of an answer is not as its row says."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from sottovoce.contracts import Row, rows
from sottovoce.contracts.judge import Judge


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
