"""What is wrong with somebody's input, in this program's words: a library's own name its types, not ours.

And how a number of things is told.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic_core import ErrorDetails

_KINDS = {
    "int": "must be a whole number",
    "float": "must be a number",
    "decimal": "must be a number",
    "finite": "must be a number",
    "string": "must be a text",
    "bool": "must be true or false",
    "tuple": "must be a list",
    "list": "must be a list",
    "set": "must be a list",
    "frozen": "must be a list",
    "dict": "must be an object with named fields",
    "model": "must be an object with named fields",
    "mapping": "must be an object with named fields",
    "path": "must be the path of a file or folder",
    "datetime": "must be a time",
    "timezone": "must be a time with its offset",
}
"""By the first word of the kind of mistake, where nothing more exact is said."""
_WORDS = {
    "greater_than_equal": "must be {ge} or more",
    "greater_than": "must be more than {gt}",
    "less_than_equal": "must be {le} or less",
    "less_than": "must be less than {lt}",
    "enum": "must be {expected}",
    "literal_error": "must be {expected}",
}
_BOUNDS = {"min_length": "must have {} or more", "max_length": "must have at most {}"}


def counted(number: int, one: str, more: str = "") -> str:
    """A number of things in words: `1 block`, `2 blocks`; `more` where an s alone does not do."""
    return f"{number} {one if number == 1 else more or one + 's'}"


def told(error: ErrorDetails, *, missing: str = "is missing", unknown: str = "there is no such key") -> str:
    """One mistake that pydantic found, without its place and never with the value that was given.

    `missing` and `unknown` are said of a field that must be there and is not, and of one that nobody knows.
    """
    kind, bounds = error["type"], error.get("ctx", {})
    if kind == "missing":
        return missing
    if kind == "extra_forbidden":
        return unknown
    if kind.endswith(("too_short", "too_long")):
        return _length(bounds)
    if kind in _WORDS:
        return _WORDS[kind].format(**{name: _shown(bound) for name, bound in bounds.items()})
    own = str(error["msg"]).removeprefix("Value error, ")
    return _KINDS.get(kind.partition("_")[0], own)


def _shown(bound: object) -> object:
    return int(bound) if isinstance(bound, float) and bound.is_integer() else bound


def _length(bounds: Mapping[str, Any]) -> str:
    """What is said of a list or text of a wrong length; a secret text is a "Value" to the library."""
    bound = next(bound for bound in _BOUNDS if bound in bounds)
    number = bounds[bound]
    if number == 1 and bound == "min_length":
        return "must not be empty"
    nouns = ("sign",) if bounds.get("field_type", "Value") == "Value" else ("entry", "entries")
    return _BOUNDS[bound].format(counted(number, *nouns))
