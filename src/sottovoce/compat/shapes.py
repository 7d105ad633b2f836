"""Documented forms of answers, and what of an answer is not so.

A shape is a type, a one-element list of shapes, or a mapping from field to shape; a field whose name ends
with `!` is documented as mandatory. Fields that no page names are no fault; null is absent.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import Enum
from typing import Any

Shape = Any
"""A `Kind`, a list of one shape, or a mapping."""
LONGEST_ID = 20


class Kind(Enum):
    """The types of the pages' tables."""

    TEXT = "String"
    NUMBER = "Number"
    FLAG = "Boolean"
    ID = "an id: a number, or a text of digits"
    """Ids are typed Number and printed as strings; both occur in the examples (3.4, Part 6.1)."""
    NUMBER_OR_TEXT = "Number or String"
    """Where the pages' editions contradict each other (Part 6.7)."""
    ANY = "anything"


TEXT, NUMBER, FLAG, ID = Kind.TEXT, Kind.NUMBER, Kind.FLAG, Kind.ID
NUMBER_OR_TEXT, ANY = Kind.NUMBER_OR_TEXT, Kind.ANY


def unlike(shape: Shape, value: Any, where: str = "") -> str | None:
    """What of `value` is not as documented, the first of it; None: nothing."""
    if isinstance(shape, Kind):
        return None if _is(shape, value) else f"{where or 'the answer'} is {_short(value)}, not {shape.value}"
    if isinstance(shape, list):
        if not isinstance(value, list):
            return f"{where or 'the answer'} is {_short(value)}, not Array"
        for number, member in enumerate(value):
            if wrong := unlike(shape[0], member, f"{where}[{number}]"):
                return wrong
        return None
    if not isinstance(value, Mapping):
        return f"{where or 'the answer'} is {_short(value)}, not Object"
    for name, inner in shape.items():
        field, mandatory = name.rstrip("!"), name.endswith("!")
        at = f"{where}.{field}" if where else field
        if value.get(field) is None:
            if mandatory:
                return f"{at} is missing"
        elif wrong := unlike(inner, value[field], at):
            return wrong
    return None


def is_id(value: Any) -> bool:
    """Digits, as a number or a text."""
    if isinstance(value, bool):
        return False
    return re.fullmatch(rf"[0-9]{{1,{LONGEST_ID}}}", str(value)) is not None and isinstance(value, str | int)


def _is(kind: Kind, value: Any) -> bool:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    match kind:
        case Kind.TEXT:
            return isinstance(value, str)
        case Kind.NUMBER:
            return number
        case Kind.FLAG:
            return isinstance(value, bool)
        case Kind.ID:
            return is_id(value)
        case Kind.NUMBER_OR_TEXT:
            return number or isinstance(value, str)
        case Kind.ANY:
            return True


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:60]} ..."
