"""Documented forms of answers, read from the ledgers, and what of an answer is not so.

The ledgers say what this server answers; pages say less. Here is what they say: the types of their tables,
the fields that they mark as mandatory, and `x-documented` where it is something else than ours. Fields that
no page names are no fault; null is absent.
"""

from __future__ import annotations

import re
from typing import Any

from jsonschema.exceptions import ValidationError

from sottovoce.contracts import Schema
from sottovoce.contracts.judge import Judge

_LONGEST_ID = 20
_WORDS = {
    "string": "String",
    "number": "Number",
    "integer": "Number",
    "boolean": "Boolean",
    "array": "Array",
    "object": "Object",
}
"""The types as the pages' tables print them."""
_ID: Schema = {
    "type": ["integer", "string"],
    "minimum": 0,
    "maximum": 10**_LONGEST_ID - 1,
    "pattern": f"^[0-9]{{1,{_LONGEST_ID}}}$",
    "title": "an id: a number, or a text of digits",
}
"""Ids are typed Number and printed as strings; both occur in the examples (3.4, Part 6.1)."""


def documented(schema: Schema, *, mandatory: bool = True) -> Schema:
    """What pages say of a form; `schema` is our ledger's. Titles are the types in the pages' words."""
    if "anyOf" in schema:
        schema = next(one for one in schema["anyOf"] if one.get("type") != "null")
    kinds = schema.get("type", "string" if "const" in schema else [])
    kinds = [kind for kind in ([kinds] if isinstance(kinds, str) else kinds) if kind != "null"]
    if not kinds:
        return {}
    found: Schema = {"title": " or ".join(_WORDS[kind] for kind in kinds)}
    found["type"] = ["number" if kind == "integer" else kind for kind in kinds]
    if schema.get("format") == "id":
        found = {**_ID, "type": [*_ID["type"]]}
    if "items" in schema:
        found["items"] = documented(schema["items"])
    if kinds == ["object"]:
        needed = schema.get("x-mandatory", [])
        fields = {**schema.get("properties", {}), **schema.get("x-documented", {})}
        found["required"] = needed
        found["properties"] = {
            name: documented(inner, mandatory=name in needed) for name, inner in fields.items()
        }
    if not mandatory:
        found["type"].append("null")
    return found


def unlike(shape: Schema, value: Any) -> str | None:
    """What of `value` is not as documented, the first of it; None: nothing."""
    first = next(Judge(shape).iter_errors(value), None)
    return None if first is None else _told(first)


def one_or_many(shape: Schema, value: Any) -> Schema:
    """The form of a list, or of one of its members where `value` is one: where table and example differ."""
    found = shape if isinstance(value, list) else shape["items"]
    assert isinstance(found, dict)
    return found


def is_id(value: Any) -> bool:
    """Digits, as a number or a text."""
    return bool(Judge(_ID).is_valid(value))


def _told(error: ValidationError) -> str:
    at = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in error.absolute_path)
    at = at.removeprefix(".")
    if error.validator == "required":
        absent = re.match("'(.*)' is", error.message)
        return f"{at}.{absent[1]} is missing".removeprefix(".") if absent else error.message
    if error.instance is None and not at.endswith("]") and at:
        return f"{at} is missing"
    text = repr(error.instance)
    shown = text if len(text) <= 60 else f"{text[:60]} ..."
    titled: Any = error.schema
    return f"{at or 'the answer'} is {shown}, not {titled['title']}"
