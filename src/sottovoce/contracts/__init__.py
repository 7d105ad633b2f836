"""The ledgers: every interface of every family, as OpenAPI 3.1 documents in this package, and their reader.

* ``cc-gateway.yaml``  the agent gateway
* ``cc-sqm.yaml``      quality inspection and its token
* ``cc-isqm.yaml``     machine inspection

* ``row``              what a ledger says of one interface
* ``document``         all of them as the one document that the server shows
* ``judge``            what of a value is not as a schema says

The head of each ledger says how to read it. ``rows(family)`` gives its interfaces, ``raw(family)`` what is
written. Read by `http` (what is not served, what is described), `compat` and tests; imports no other room.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any, cast

import yaml

from sottovoce.contracts.row import Parameter, Row, Schema, part_of

__all__ = ["FAMILIES", "Parameter", "Row", "Schema", "inline", "raw", "rows"]

FAMILIES = ("cc-gateway", "cc-sqm", "cc-isqm")


@cache
def raw(family: str) -> Mapping[str, Any]:
    """The document as it is written. Not to be changed."""
    text = (resources.files(__name__) / f"{family}.yaml").read_text(encoding="utf-8")
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return cast(Mapping[str, Any], yaml.load(text, loader))  # noqa: S506 - both are safe loaders


@cache
def rows(*families: str) -> tuple[Row, ...]:
    """The interfaces of those families (none: of all), in their documents' order."""
    return tuple(row for family in families or FAMILIES for row in _rows(family))


def _rows(family: str) -> list[Row]:
    document = raw(family)
    found = []
    for path, item in document["paths"].items():
        by_name: dict[str, list[str]] = {}
        for verb, operation in item.items():
            by_name.setdefault(_name(operation), []).append(verb)
        for verbs in by_name.values():
            found.append(_row(family, path, tuple(sorted(verb.upper() for verb in verbs)), item[verbs[0]]))
    return found


def _row(family: str, path: str, verbs: tuple[str, ...], operation: Mapping[str, Any]) -> Row:
    document = raw(family)
    success = _success(document, path)
    parameters = tuple(_parameter(document, one) for one in operation.get("parameters", ()))
    users = [one.required for one in parameters if one.name == "x-UserId"]
    answer = None if operation["x-status"] != "done" else _content(document, operation["responses"]["200"])
    failures = (success[:4] + suffix for suffix in operation.get("x-failures", ()))
    return Row(
        family=family,
        path=path,
        verbs=verbs,
        name=_name(operation),
        title=operation["summary"],
        status=operation["x-status"],
        reason=operation.get("x-reason", ""),
        source=tuple(operation["x-source"]),
        open=operation.get("security") == [],
        success=success,
        listed=(*operation.get("x-codes", ()), *failures),
        inferred=operation.get("x-inferred", {}),
        always=_always(document, success),
        parameters=parameters,
        body=_content(document, operation["requestBody"]) if "requestBody" in operation else None,
        answer=answer,
        user="none" if not users else "required" if users[0] else "optional",
        operation=operation.get("x-operation", ""),
        mandatory=tuple(operation.get("x-mandatory", ())),
        events=tuple(operation.get("x-events", ())),
        events_inferred=tuple(operation.get("x-events-inferred", ())),
    )


def _name(operation: Mapping[str, Any]) -> str:
    return str(operation.get("x-name", operation["operationId"]))


def _success(document: Mapping[str, Any], path: str) -> str:
    """The gateway's is one; the quality family has one for each part of the path."""
    if "tags" not in document:
        return "0"
    return next(str(tag.get("x-success", "")) for tag in document["tags"] if tag["name"] == part_of(path))


def _always(document: Mapping[str, Any], success: str) -> tuple[str, ...]:
    """Whole ones of the gateway; of the quality family last digits, of what has codes."""
    if not success:
        return ()
    whole = "tags" not in document
    return tuple(code if whole else success[:4] + code for code in document["x-always"])


def _parameter(document: Mapping[str, Any], one: Mapping[str, Any]) -> Parameter:
    found = inline(document, dict(one))
    return Parameter(
        found["name"],
        found["in"],
        found.get("required", False),
        found["schema"],
        found.get("x-caller", False),
        found.get("x-slashes", False),
    )


def _content(document: Mapping[str, Any], holder: Mapping[str, Any]) -> Schema:
    """Of its one content: JSON, or of an answer that is a file, bytes."""
    [content] = inline(document, dict(holder))["content"].values()
    return cast(Schema, content["schema"])


def inline(document: Mapping[str, Any], value: Any) -> Any:
    """The same with what its references (`#/…`) name in their place; keys beside a reference win."""
    if isinstance(value, list):
        return [inline(document, item) for item in value]
    if not isinstance(value, Mapping):
        return value
    beside = {key: inline(document, item) for key, item in value.items() if key != "$ref"}
    if "$ref" not in value:
        return beside
    named: Any = document
    for part in value["$ref"].removeprefix("#/").split("/"):
        named = named[part]
    return {**inline(document, named), **beside}
