"""The one codec between values of this program and plain data: what JSON and msgpack can hold.

A dataclass is a mapping by field name, a named tuple a list, an enum its value, a moment RFC 3339 in UTC
with microseconds, a decimal number a text, a path its text; a set is a sorted list. Of a union of
dataclasses the class's name stands beside the fields, under `kind`.

Reading is strict: a key that the class lacks, a missing field that has no default, and a value of another
type raise `Unreadable`; a whole number is read from a whole number alone, never from a float or a text.
A field with a default may be missing: what an earlier version kept stays readable.
"""

from __future__ import annotations

import contextlib
import json
import types
import typing
from collections.abc import Callable, Iterable, Set
from dataclasses import is_dataclass
from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Any, NoReturn, TypeVar, overload

from cattrs import Converter, transform_error
from cattrs.cols import is_any_set, is_namedtuple, is_sequence, list_structure_factory
from cattrs.errors import ForbiddenExtraKeysError
from cattrs.v import format_exception

Value = TypeVar("Value")
Read = Callable[[Any, Any], Any]
"""Makes a value of plain data and of the type that it should have."""
DEEPEST = 100
"""Levels of lists and objects in a JSON text; what the families and vCon ask for has some ten."""
_TOO_DEEP = f"it has more than {DEEPEST} levels"
MOST_DIGITS = 20
"""Of a whole number, where nothing else is said: the longest ids have as many."""
_FAULTS = (ValueError, TypeError, KeyError, AttributeError, ArithmeticError, ForbiddenExtraKeysError)
"""What content that does not fit makes cattrs and constructors raise."""
_SCALARS = frozenset({str, int, bool})
_ALONE = _SCALARS | {float, type(None)}


def read_json(text: str) -> Any:
    """The content of a JSON text: no NaN, no Infinity, and at most `DEEPEST` levels. ValueError.

    How deep Python itself reads depends on its version: some hundred levels or some thousand.
    """
    try:
        content = json.loads(text, parse_constant=_no_constant)
    except RecursionError:
        raise ValueError(_TOO_DEEP) from None
    if text.count("[") + text.count("{") > DEEPEST:
        level = [content]
        for _ in range(DEEPEST):
            level = [inner for outer in level for inner in _within(outer) if isinstance(inner, list | dict)]
        if level:
            raise ValueError(_TOO_DEEP)
    return content


def _within(content: Any) -> Iterable[Any]:
    return content.values() if isinstance(content, dict) else content if isinstance(content, list) else ()


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)


def natural(text: str, most_digits: int = MOST_DIGITS) -> int | None:
    """The number that a text of ASCII digits writes, leading zeros allowed; None of any other text."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= most_digits else None


def is_text(text: str) -> bool:
    """Whether a text can be stored and sent: no NUL, no half of a surrogate pair."""
    return "\x00" not in text and (text.isascii() or not any("\ud800" <= sign <= "\udfff" for sign in text))


class Unreadable(ValueError):
    """Plain data that is not the value it should be; the text says what is wrong and where."""


def to_plain(value: Any, union: Any = None) -> Any:
    """`value` as plain data; as a member of `union`, a union of dataclasses, where one is given."""
    return _QUICK.unstructure(value, union)


@overload
def from_plain(kind: type[Value], content: Any) -> Value: ...
@overload
def from_plain(kind: Any, content: Any) -> Any: ...
def from_plain(kind: Any, content: Any) -> Any:
    """The value of type `kind` that `to_plain` made `content` of. Raises Unreadable."""
    try:
        return _QUICK.structure(content, kind)
    except _FAULTS as failure:
        raise Unreadable(_why(kind, content, failure)) from None


def _why(kind: Any, content: Any, failure: Exception) -> str:
    """What is wrong and at which field: read once more, by the converter that is slow and knows."""
    found = str(failure)
    try:
        _THOROUGH.structure(content, kind)
    except Exception as told:
        found = "; ".join(transform_error(told, format_exception=_told))
    return f"no {getattr(kind, '__name__', 'value')}: {found}"


def _told(failure: BaseException, kind: type | None) -> str:
    own = str(failure) if type(failure) is ValueError else ""
    return own or format_exception(failure, kind)


def _exactly(content: Any, kind: Any) -> Any:
    """A text or a whole number, or a member of an enum of them."""
    if type(content) is kind:
        return content
    if type(content) is bool or type(content) not in kind.__mro__:
        raise ValueError(f"expected {kind.__name__}, not {type(content).__name__}")
    return kind(content)


def _member(content: Any, kind: type[Enum]) -> Enum:
    found = kind(content)
    if type(content) is not type(found.value):
        raise ValueError(f"expected {kind.__name__}, not {type(content).__name__}")
    return found


def _float(content: Any, _: Any) -> float:
    if type(content) is not float and type(content) is not int:
        raise ValueError(f"expected a number, not {type(content).__name__}")
    return float(content)


def _moment(content: Any, _: Any) -> datetime:
    return _with_offset(datetime.fromisoformat(_exactly(content, str)))


def _with_offset(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise ValueError("a moment lacks its offset from UTC")
    return moment


def _from_list(into: Callable[[list[Any]], Any]) -> Callable[[Any, Converter], Read]:
    """For lists alone: a text and a mapping have items, too, but are none."""

    def make(kind: Any, made: Converter) -> Read:
        read = list_structure_factory(kind, made)
        item = typing.get_args(kind)[0]
        right = {getattr(item, "__supertype__", item)} & {str, int}

        def read_list(content: Any, _: Any) -> Any:
            if type(content) is not list:
                raise ValueError(f"expected a list, not {type(content).__name__}")
            return into(content if set(map(type, content)) == right else read(content, kind))

        return read_list

    return make


def _is_sequence(kind: Any) -> bool:
    origin: Any = typing.get_origin(kind)
    return is_sequence(kind) or origin is tuple


def _named_tuple(kind: Any, made: Converter) -> Read:
    hints = typing.get_type_hints(kind)
    reads = [(made.get_structure_hook(hint), hint) for hint in hints.values()]

    def read(content: Any, _: Any) -> Any:
        if type(content) is not list or len(content) != len(reads):
            raise ValueError(f"expected a list of {', '.join(hints)}")
        return kind(*(read(item, hint) for item, (read, hint) in zip(content, reads, strict=True)))

    return read


def _is_union_of_scalars(kind: Any) -> bool:
    members = set(typing.get_args(kind))
    return isinstance(kind, types.UnionType) and members <= _ALONE and len(members - {type(None)}) > 1


def _one_of_scalars(kind: Any, _: Converter) -> Read:
    members = typing.get_args(kind)

    def read(content: Any, _: Any) -> Any:
        if type(content) not in members:
            raise ValueError(f"expected {kind}, not {type(content).__name__}")
        return content

    return read


def _is_union_of_enums(kind: Any) -> bool:
    members = typing.get_args(kind)
    return isinstance(kind, types.UnionType) and all(
        isinstance(one, type) and issubclass(one, Enum) for one in members
    )


def _one_of_enums(kind: Any, _: Converter) -> Read:
    """Of the first that has such a value: which one it was is not written down."""
    members = typing.get_args(kind)

    def read(content: Any, _: Any) -> Any:
        for member in members:
            with contextlib.suppress(ValueError):
                return _member(content, member)
        raise ValueError(f"no value of {kind}")

    return read


def _is_union_of_classes(kind: Any) -> bool:
    return isinstance(kind, types.UnionType) and all(map(is_dataclass, typing.get_args(kind)))


def _tagged(kind: Any, made: Converter) -> Read:
    members = {member.__name__: member for member in typing.get_args(kind)}

    def read(content: Any, _: Any) -> Any:
        fields = dict(content)
        return made.structure(fields, members[fields.pop("kind")])

    return read


def _made(detailed: bool) -> Converter:
    made = Converter(
        detailed_validation=detailed,
        forbid_extra_keys=True,
        unstruct_collection_overrides={Set: sorted, tuple: list},
    )
    for scalar in _SCALARS:
        made.register_structure_hook(scalar, _exactly)
    made.register_structure_hook(Enum, _member)
    made.register_structure_hook(float, _float)
    made.register_structure_hook(datetime, _moment)
    made.register_unstructure_hook(
        datetime, lambda moment: _with_offset(moment).astimezone(UTC).isoformat(timespec="microseconds")
    )
    for written in (Decimal, Path):
        made.register_structure_hook(written, lambda content, kind: kind(_exactly(content, str)))
        made.register_unstructure_hook(written, str)
    made.register_structure_hook_func(lambda kind: kind is object, lambda content, _: content)
    made.register_structure_hook_factory(is_any_set, _from_list(frozenset))
    made.register_structure_hook_factory(_is_sequence, _from_list(tuple))
    made.register_structure_hook_factory(is_namedtuple, _named_tuple)
    made.register_unstructure_hook_func(is_namedtuple, lambda value: list(map(made.unstructure, value)))
    made.register_structure_hook_factory(_is_union_of_scalars, _one_of_scalars)
    made.register_structure_hook_factory(_is_union_of_enums, _one_of_enums)
    made.register_structure_hook_factory(_is_union_of_classes, _tagged)
    made.register_unstructure_hook_func(
        _is_union_of_classes, lambda value: {"kind": type(value).__name__, **made.unstructure(value)}
    )
    return made


_QUICK, _THOROUGH = _made(False), _made(True)
