"""The journal's changes as JSON, for the spool and for jsonb columns.

PostgreSQL's text takes neither NUL nor lone surrogates; what comes from the wire may hold both,
so they become U+FFFD here and nowhere else.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sottovoce.domain.contacts import SupervisionSpan
from sottovoce.domain.journal import (
    AuditEntry,
    Change,
    ContactBegan,
    ContactEnded,
    DialogEnded,
    DialogSaved,
    SegmentBegan,
    SegmentEnded,
    SessionEnded,
    SessionSaved,
)

_KINDS: dict[str, type[Change]] = {
    kind.__name__: kind
    for kind in (
        SessionSaved,
        SessionEnded,
        DialogSaved,
        DialogEnded,
        ContactBegan,
        SegmentBegan,
        SegmentEnded,
        ContactEnded,
        AuditEntry,
    )
}
_TIMES = frozenset({"at", "signed_in_at", "began_at", "ended_at"})


class BadRecord(ValueError):
    """Not a change that this program wrote."""


def encode(change: Change) -> dict[str, Any]:
    """`change` as what `json.dumps` takes; its kind under `kind`."""
    content = {field.name: plain(getattr(change, field.name)) for field in dataclasses.fields(change)}
    return {"kind": type(change).__name__, **content}


def decode(content: Mapping[str, Any]) -> Change:
    """The change that `encode` was given. Raises BadRecord."""
    try:
        kind = _KINDS[content["kind"]]
        values = {name: value for name, value in content.items() if name != "kind"}
        for name in _TIMES & values.keys():
            values[name] = datetime.fromisoformat(values[name])
        if "skills" in values:
            values["skills"] = tuple(values["skills"])
        if "supervisions" in values:
            values["supervisions"] = tuple(map(SupervisionSpan.from_json, values["supervisions"]))
        return kind(**values)
    except (KeyError, TypeError, ValueError) as failure:
        raise BadRecord(f"{type(failure).__name__}: {failure}") from failure


def clean(change: Change) -> Change:
    """`change` as PostgreSQL can hold it."""
    return decode(encode(change))


def plain(value: Any) -> Any:
    """`value` made of JSON's types only, its texts such that PostgreSQL takes them."""
    if value is None or isinstance(value, bool | float):
        return value
    if isinstance(value, str):
        if value.isascii() and "\0" not in value:
            return str(value)
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace").replace("\0", "\ufffd")
    if isinstance(value, int):
        return int(value)
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, SupervisionSpan):
        return value.to_json()
    if isinstance(value, Mapping):
        return {str(plain(str(key))): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(item) for item in value]
    return plain(str(value))
