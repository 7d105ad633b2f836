"""The one way between dataclasses and rows: a field stands in the column of its name.

An enum stands as its value, a dataclass (or several in a tuple) as plain data in jsonb; whatever else the
driver gives and takes as it is. What no column holds, or one of another name, the caller names.
"""

from __future__ import annotations

import typing
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from enum import Enum
from functools import cache
from typing import Any, TypeVar, cast

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from sottovoce.plain import from_plain, to_plain

Value = TypeVar("Value")
Row = Mapping[str, Any] | sa.RowMapping
Where = sa.ColumnElement[bool]


def columns_of(value: Any, *without: str, **other: Any) -> dict[str, Any]:
    """The columns of a dataclass but for the fields in `without`, and `other` columns beside or instead."""
    leave = {*without, *other}
    kept = {field.name: getattr(value, field.name) for field in fields(value) if field.name not in leave}
    return {name: _kept(item) for name, item in kept.items()} | other


def value_of(kind: type[Value], row: Row, begin: str = "", /, **other: Any) -> Value:
    """The dataclass whose fields stand in `row`, in columns that begin with `begin`; `other` do not.

    A field that has a default and neither a column nor a word in `other` keeps its default.
    """
    found = {
        name: read(row[begin + name])
        for name, read in _readers(cast(Any, kind))
        if name not in other and begin + name in row
    }
    return kind(**found, **other)


def _kept(item: Any) -> Any:
    if isinstance(item, Enum):
        return item.value
    if is_dataclass(item) or (isinstance(item, tuple) and item and is_dataclass(item[0])):
        return to_plain(item)
    return item


@cache
def _readers(kind: Any) -> list[tuple[str, Callable[[Any], Any]]]:
    hints = typing.get_type_hints(kind)
    return [(field.name, _reader(hints[field.name])) for field in fields(kind)]


def _reader(hint: Any) -> Callable[[Any], Any]:
    members = [part for part in typing.get_args(hint) if part is not type(None)]
    if type(None) in typing.get_args(hint) and len(members) == 1:
        inner = _reader(members[0])
        return lambda item: None if item is None else inner(item)
    if isinstance(hint, type) and issubclass(hint, Enum):
        return hint
    if typing.get_origin(hint) is Sequence and is_dataclass(members[0]):
        return lambda items: tuple(from_plain(members[0], item) for item in items)
    if is_dataclass(hint) or (typing.get_origin(hint) is tuple and any(map(is_dataclass, members))):
        return lambda item: from_plain(hint, item)
    if typing.get_origin(hint) is tuple:
        return tuple
    if typing.get_origin(hint) is frozenset:
        return lambda item: from_plain(hint, item)
    return lambda item: item


def milliseconds(seconds: float | None) -> int | None:
    """A bound of durations as columns have them; None stays open."""
    return None if seconds is None else round(seconds * 1000)


def all_of(kind: type[Value], rows: Iterable[Row], **other: Any) -> list[Value]:
    """One value for each row."""
    return [value_of(kind, row, **other) for row in rows]


async def put(connection: AsyncConnection, table: sa.Table, row: Mapping[str, Any], *key: str) -> None:
    """Write a row, over the one that has the same `key` if there is one."""
    content = {name: value for name, value in row.items() if name not in key}
    statement = insert(table).values(**row)
    await connection.execute(statement.on_conflict_do_update(index_elements=list(key), set_=content))


def given(value: Value | None, condition: Callable[[Value], Where]) -> list[Where]:
    """The condition for a value that a search may leave open."""
    return [] if value is None else [condition(value)]


def between(column: sa.ColumnElement[Any], least: object, most: object) -> list[Where]:
    """The conditions for a column's bounds, both included; each may be None, open."""
    return [*given(least, lambda value: column >= value), *given(most, lambda value: column <= value)]
