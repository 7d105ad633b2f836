"""What FastAPI's OpenAPI says of an interface, drawn from the same declaration that decodes its requests."""

from __future__ import annotations

from functools import cache
from typing import Any

from sottovoce.http.ccgateway.decode import Form
from sottovoce.http.ccgateway.interface import Interface
from sottovoce.http.ccgateway.retcodes import ALWAYS, SUCCESS


@cache
def _schema(form: type[Form]) -> dict[str, Any]:
    return form.model_json_schema(by_alias=True)


def described(interface: Interface) -> dict[str, Any]:
    """The additions to an operation: parameters, body, and the answer's envelope with its retcodes."""
    schema = _schema(interface.form)
    fields: dict[str, Any] = schema.get("properties", {})
    required = set(schema.get("required", []))
    variables = path_variables(interface.path)
    operation: dict[str, Any] = {
        "parameters": [
            {
                "name": name,
                "in": "path",
                "required": True,
                "schema": fields.get(name, {"type": "string"}),
            }
            for name in variables
        ],
        "responses": {
            "200": {"description": "Success or refusal, told by `retcode`.", **_envelope(interface)}
        },
    }
    if not interface.open:
        operation["parameters"].append(
            {"name": "Guid", "in": "header", "required": True, "schema": {"type": "string"}}
        )
    others = {name: field for name, field in fields.items() if name not in variables}
    if interface.form.in_body:
        body = {"type": "object", "properties": others, "required": sorted(required & others.keys())}
        operation["requestBody"] = {"content": {"application/json": {"schema": body}}}
    else:
        operation["parameters"] += [
            {"name": name, "in": "query", "required": name in required, "schema": field}
            for name, field in others.items()
        ]
    return operation


def path_variables(path: str) -> list[str]:
    """The variables of a path, in order."""
    segments = (segment.strip("{}").partition(":")[0] for segment in path.split("/") if segment[:1] == "{")
    return list(segments)


def _envelope(interface: Interface) -> dict[str, Any]:
    codes = [SUCCESS, *sorted(interface.listed | ALWAYS)]
    schema = {
        "type": "object",
        "properties": {
            "message": {"type": "string"},
            "retcode": {"type": "string", "enum": codes},
            "result": {},
        },
        "required": ["message", "retcode"],
    }
    return {"content": {"application/json": {"schema": schema}}}
