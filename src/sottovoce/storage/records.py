"""The journal's changes as JSON for the spool, and what PostgreSQL takes of texts from the wire.

PostgreSQL's text takes neither NUL nor lone surrogates; what comes from the wire may hold both,
so they become U+FFFD here and nowhere else.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sottovoce.domain.journal import Change
from sottovoce.plain import from_plain, to_plain
from sottovoce.storage.rows import columns_of


def encode(change: Change) -> dict[str, Any]:
    """`change` as what `json.dumps` takes; its kind under `kind`."""
    content: dict[str, Any] = fit(to_plain(change, Change))
    return content


def decode(content: Mapping[str, Any]) -> Change:
    """The change that `encode` was given. Raises plain.Unreadable."""
    change: Change = from_plain(Change, content)
    return change


def fitted(value: Any, *without: str, **other: Any) -> dict[str, Any]:
    """`rows.columns_of`, with texts such that PostgreSQL takes them."""
    columns = columns_of(value, *without, **other)
    return {
        name: fit(item) if isinstance(item, str | Mapping | list | tuple) else item
        for name, item in columns.items()
    }


def fit(value: Any) -> Any:
    """`value` made of JSON's types only, its texts such that PostgreSQL takes them."""
    if value is None or isinstance(value, bool | float):
        return value
    if isinstance(value, int):
        return int(value)
    if isinstance(value, str):
        if value.isascii() and "\0" not in value:
            return str(value)
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace").replace("\0", "\ufffd")
    if isinstance(value, Mapping):
        return {fit(str(key)): fit(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [fit(item) for item in value]
    return fit(str(value))
