"""What OpenAPI says of declared interfaces, drawn from the declarations that decode their requests."""

from __future__ import annotations

import re
from typing import Any

from pydantic.json_schema import models_json_schema

from sottovoce.http.family.routes import Places


def described(family: Places) -> dict[str, Any]:
    """`paths` of a family, and in `components` the schemas that they refer to."""
    interfaces = [
        (place.path, verb, one) for place in family.places for verb, one in place.interfaces.items()
    ]
    forms = list(dict.fromkeys((one.form, "validation") for _, _, one in interfaces))
    schemas, definitions = models_json_schema(forms, ref_template="#/components/schemas/{model}")  # type: ignore[arg-type]
    paths: dict[str, Any] = {}
    for path, verb, one in interfaces:
        body = {"content": {"application/json": {"schema": schemas[one.form, "validation"]}}}
        paths.setdefault(path, {})[verb.lower()] = {
            "operationId": "_".join([verb.lower(), *re.findall(r"\w+", path)]),
            "tags": [path.rsplit("/", 2)[1]],
            "summary": (one.serve.__doc__ or one.name).strip().partition("\n")[0],
            "requestBody": body,
            "responses": {
                "200": {"description": "One of the codes " + ", ".join(sorted(one.codes)) + "."},
            },
        }
    return {"paths": paths, "components": {"schemas": definitions.get("$defs", {})}}
