"""The ledger of an interface family, and what it allows an answer to be."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import yaml

CONTRACTS = Path(__file__).parents[2] / "contracts"
ALWAYS = {"000-002", "000-003", "000-005"}
"""Codes that any interface of the gateway may answer."""


@dataclass(frozen=True)
class Row:
    """One interface."""

    path: str
    verbs: tuple[str, ...]
    name: str
    title: str
    status: str
    source: tuple[str, ...]
    fields: tuple[dict[str, Any], ...] = ()
    answer: dict[str, Any] = field(default_factory=dict)
    errors: tuple[str, ...] = ()
    inferred: dict[str, str] = field(default_factory=dict)
    events: tuple[str, ...] = ()
    events_inferred: tuple[str, ...] = ()
    note: str = ""
    reason: str = ""
    verbs_unknown: bool = False

    @property
    def codes(self) -> set[str]:
        """Every retcode that it may answer, besides success."""
        return {*self.errors, *self.inferred, *ALWAYS}

    def matches(self, path: str) -> bool:
        """Whether a request's path is this row's, in any case."""
        pattern = re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(self.path))
        return re.fullmatch(pattern, path, re.IGNORECASE) is not None

    @property
    def variables(self) -> int:
        return self.path.count("{")


def _row(raw: dict[str, Any]) -> Row:
    lists = ("verbs", "source", "fields", "errors", "events", "events_inferred")
    return Row(**{name: tuple(value) if name in lists else value for name, value in raw.items()})


@cache
def load(family: str) -> tuple[Row, ...]:
    """The rows of ``contracts/<family>.yaml``; an unknown key is an error."""
    raw = yaml.safe_load((CONTRACTS / f"{family}.yaml").read_text())
    return tuple(_row(row) for row in raw)


def find(rows: tuple[Row, ...], verb: str, path: str) -> Row | None:
    """The row of a request: literal segments before variables, then the verb."""
    matching = [row for row in rows if row.matches(path)]
    fewest = min((row.variables for row in matching), default=0)
    return next((row for row in matching if row.variables == fewest and verb in row.verbs), None)


def path_known(rows: tuple[Row, ...], path: str) -> bool:
    return any(row.matches(path) for row in rows)


def complaints(value: Any, shape: Any, where: str = "result") -> list[str]:
    """What is wrong with `value`, against the ledger's words for shapes."""
    if isinstance(shape, dict):
        return _object_complaints(value, shape, where)
    if isinstance(shape, list):
        if not isinstance(value, list):
            return [f"{where} is no list"]
        return [
            text
            for index, item in enumerate(value)
            for text in complaints(item, shape[0], f"{where}[{index}]")
        ]
    return [] if _WORDS[shape](value) else [f"{where} is {value!r}, not {shape}"]


def _object_complaints(value: Any, shape: dict[str, Any], where: str) -> list[str]:
    if not isinstance(value, dict):
        return [f"{where} is no object"]
    wanted = {name.removesuffix("?"): (inner, name.endswith("?")) for name, inner in shape.items()}
    found = [f"{where} has {name}" for name in value.keys() - wanted.keys()]
    found += [f"{where} lacks {name}" for name in wanted.keys() - value.keys()]
    for name in wanted.keys() & value.keys():
        inner, may_be_empty = wanted[name]
        if not (may_be_empty and value[name] == {}):
            found += complaints(value[name], inner, f"{where}.{name}")
    return found


def _number(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _milliseconds(value: Any) -> bool:
    return _number(value) and (value == 0 or value > 10**12)


_WORDS = {
    "text": lambda value: isinstance(value, str),
    "int": _number,
    "bool": lambda value: isinstance(value, bool),
    "digits": lambda value: isinstance(value, str) and value.isdigit(),
    "ms": _milliseconds,
    "ms as digits": lambda value: isinstance(value, str) and value.isdigit() and _milliseconds(int(value)),
    "s": lambda value: _number(value) and 0 <= value < 10**9,
}
