"""The document of what is served and what is not yet: the ledgers of several families as one, OpenAPI 3.1."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sottovoce.contracts import raw, rows


def document(families: Sequence[str]) -> dict[str, Any]:
    """One document of the ledgers named. Components and operations are called `<family>.<name>`."""
    paths: dict[str, Any] = {}
    components: dict[str, dict[str, Any]] = {}
    for family in families:
        ledger = _renamed(family, raw(family))
        codes = {
            (row.path, verb.lower()): sorted({row.success, *row.codes})
            for row in rows(family)
            for verb in row.verbs
        }
        for path, item in ledger["paths"].items():
            paths[path] = {
                verb: {
                    "tags": [family],
                    "security": ledger["security"],
                    "description": "Codes: " + ", ".join(codes[path, verb]),
                    **operation,
                    "operationId": f"{family}.{operation['operationId']}",
                }
                for verb, operation in item.items()
            }
        for kind, named in ledger["components"].items():
            components.setdefault(kind, {}).update({f"{family}.{name}": one for name, one in named.items()})
    info = {"title": "Sottovoce", "version": "1"}
    return {"openapi": "3.1.0", "info": info, "paths": paths, "components": components}


def _renamed(family: str, value: Any) -> Any:
    """The same, with the components and security schemes that it refers to called as in `document`."""
    if isinstance(value, list):
        return [_renamed(family, item) for item in value]
    if not isinstance(value, dict):
        return value
    found = {key: _renamed(family, item) for key, item in value.items()}
    if isinstance(value.get("$ref"), str):
        kind, _, name = value["$ref"].rpartition("/")
        found["$ref"] = f"{kind}/{family}.{name}"
    if isinstance(value.get("security"), list):
        found["security"] = [
            {f"{family}.{scheme}": scopes for scheme, scopes in one.items()} for one in value["security"]
        ]
    return found
