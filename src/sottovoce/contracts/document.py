"""The ledgers as one OpenAPI document to be served: every interface, what is not served marked as such.

The ledgers say the form of a success and list the codes of refusals beside it. Here each operation's answer
becomes one of both, with the codes that it may really have; what many documents name must be the same in all.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sottovoce import __version__
from sottovoce.contracts import FAMILIES, Row, raw, rows

_CODE_OF = {"GatewayRefusal": "retcode", "QualityRefusal": "resultCode"}
_SHORT = {"cc-gateway": "gateway", "cc-sqm": "sqm", "cc-isqm": "isqm"}
_MARK = {"done": "", "pending": " (not served yet)", "wont": " (not served)"}


def document(*families: str) -> dict[str, Any]:
    """Those families (none: all) as one OpenAPI 3.1 document, each operation with its `x-status`.

    Operation ids begin with the family's short name. Raises ValueError where two families mean different
    things by one component's name.
    """
    found: dict[str, Any] = {
        "openapi": "3.1.0",
        "info": {"title": "Sottovoce", "version": __version__},
        "paths": {},
        "components": {"responses": {}},
    }
    components = found["components"]
    for family in families or FAMILIES:
        for kind, named in raw(family)["components"].items():
            if kind != "responses":  # they are written anew
                _add(components.setdefault(kind, {}), named)
        fault = _answer("What is wrong with the request itself.", _refusal(family))
        components["responses"][f"{_SHORT[family]}Fault"] = fault
        refusals: dict[tuple[str, ...], str] = {}
        for row in rows(family):
            item = found["paths"].setdefault(row.path, {})
            for verb, operation in _operations(row):
                item[verb] = _operation(row, operation, components["schemas"], refusals)
    return found


def _add(known: dict[str, Any], named: Mapping[str, Any]) -> None:
    for name, value in named.items():
        if known.setdefault(name, value) != value:
            raise ValueError(f"{name} means two things")


def _operations(row: Row) -> Iterator[tuple[str, Mapping[str, Any]]]:
    item = raw(row.family)["paths"][row.path]
    for verb in row.verbs:
        yield verb.lower(), item[verb.lower()]


def _operation(
    row: Row, operation: Mapping[str, Any], schemas: dict[str, Any], refusals: dict[tuple[str, ...], str]
) -> dict[str, Any]:
    document, short = raw(row.family), _SHORT[row.family]
    answers = []
    files: dict[str, Any] = {}
    if row.status == "done":
        files = dict(operation["responses"]["200"]["content"])
        if (said := files.pop("application/json", None)) is not None:
            answers.append(said["schema"])
    if codes := tuple(sorted(row.codes)):
        form = _refusal(row.family)["$ref"].rpartition("/")[2]
        name = refusals.setdefault(codes, f"{short}_{operation['operationId']}_refusal")
        _add(schemas, {name: _with_codes(schemas[form], _CODE_OF[form], codes)})
        answers.append({"$ref": f"#/components/schemas/{name}"})
    body = operation.get("requestBody")
    if body is not None and "$ref" not in body:
        operation = {**operation, "requestBody": {**body, "required": "required" in (row.body or {})}}
    return {
        **operation,
        "operationId": f"{short}_{operation['operationId']}",
        "tags": [row.part],
        "summary": row.title + _MARK[row.status],
        "security": operation.get("security", document["security"]),
        "responses": {
            "200": _answer("Success or refusal, told by its code.", {"oneOf": answers}, files),
            "default": {"$ref": f"#/components/responses/{short}Fault"},
        },
    }


def _refusal(family: str) -> dict[str, Any]:
    return {
        "$ref": "#/components/schemas/" + ("Gateway" if family == "cc-gateway" else "Quality") + "Refusal"
    }


def _answer(
    description: str, schema: Mapping[str, Any], files: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """`files`: what else it may be, by type."""
    return {"description": description, "content": {"application/json": {"schema": schema}, **(files or {})}}


def _with_codes(form: Mapping[str, Any], field: str, codes: tuple[str, ...]) -> dict[str, Any]:
    return {**form, "properties": {**form["properties"], field: {"type": "string", "enum": list(codes)}}}
