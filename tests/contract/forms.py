"""Forms of the code and of the ledgers, brought to one spelling, so that they can be compared."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from sottovoce.contracts import Schema, inline

_KEPT = ("minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems", "pattern")
_BEHIND = {"ge": "minimum", "le": "maximum"}
"""As pydantic writes the bounds of a number that is read by a function of ours."""
_NO_BOUND = 2**62
_BY_FORMAT = ("id", "s", "ms", "s or ms")
"""Formats that say all about a value: its type and its bounds."""


def of_form(form: type[BaseModel]) -> Schema:
    """What a form takes, by its fields' wire names."""
    schema = form.model_json_schema(by_alias=True)
    found = spelled(inline(schema, schema))
    assert isinstance(found, dict)
    return found


def spelled(schema: Any) -> Schema:
    """A schema with what both sides say: no remarks, no null of what may be absent, no values but roles."""
    for many in ("anyOf", "allOf"):
        if many in schema:
            one = next(part for part in schema[many] if part.get("type") != "null")
            schema = {**one, **{key: value for key, value in schema.items() if key != many}}
    schema = {**schema, **{word: schema[key] for key, word in _BEHIND.items() if key in schema}}
    kind = schema.get("type")
    if kind == "array" and "maxLength" in schema:  # of a tuple
        schema = {**schema, "maxItems": schema["maxLength"]}
        del schema["maxLength"]
    found: Schema = {"type": kind[0] if isinstance(kind, list) else kind}
    if schema.get("format") in _BY_FORMAT:
        found = {"format": schema["format"]}
    elif schema.get("format") != "decimal":
        kept = {key: schema[key] for key in _KEPT if key in schema}
        found |= {k: v for k, v in kept.items() if not (isinstance(v, int | float) and abs(v) >= _NO_BOUND)}
    if "qualityDirector" in schema.get("enum", ()):
        found["enum"] = schema["enum"]
    if schema.get("default") is not None and kind != "object":
        found["default"] = schema["default"]
    if "items" in schema:
        found["items"] = spelled(schema["items"])
    if kind == "object":
        found["properties"] = {name: spelled(inner) for name, inner in schema.get("properties", {}).items()}
        found["required"] = sorted(schema.get("required", ()))
    return found
