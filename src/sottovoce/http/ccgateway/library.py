"""The gateway's interfaces as a JavaScript library, which pages of any origin load from the gateway itself.

Objects, methods and parameters are the ledger's; how they are called is fixed by the pages that exist
(`resource.js` says it). A method of what is not served gets the family's refusal, like any other client.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from functools import cache
from importlib import resources

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from sottovoce.contracts import Row, raw, rows
from sottovoce.http.ccgateway.gateway import BASE

LEDGER = "cc-gateway"
PATH: str = raw(LEDGER)["x-library"]["path"]
_KEPT_S = 300


@cache
def library() -> bytes:
    """The script, ASCII."""
    text = (resources.files(__package__) / "resource.js").read_text(encoding="ascii")
    return f"{text}REST._define({json.dumps(_methods(), separators=(',', ':'))});\n".encode()


def _methods() -> Mapping[str, Mapping[str, list[list[object]]]]:
    """Object and method to verb, path and names of the query of each interface that the method may mean, the
    one with the most variables first."""
    objects = raw(LEDGER)["x-library"]["objects"]
    found: dict[str, dict[str, list[Row]]] = {name: {} for name in objects.values()}
    for row in rows(LEDGER):
        found[objects[row.part]].setdefault(_method(row), []).append(row)
    return {
        part: {name: [_route(row) for row in sorted(meant, key=_variables)] for name, meant in named.items()}
        for part, named in found.items()
    }


def _method(row: Row) -> str:
    operation = raw(LEDGER)["paths"][row.path][row.verbs[0].lower()]
    return str(operation.get("x-method", row.name))


def _variables(row: Row) -> int:
    return -row.path.count("{")


def _route(row: Row) -> list[object]:
    query = [one.name for one in row.parameters if one.where == "query"]
    return [row.verbs[0], row.path.removeprefix(BASE), query]


class Library:
    """Serves it, to whoever asks: it holds nothing of anybody."""

    def __init__(self) -> None:
        self._tag = f'"{hashlib.sha256(library()).hexdigest()[:32]}"'

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = {
            "ETag": self._tag,
            "Cache-Control": f"public, max-age={_KEPT_S}",
            "Cross-Origin-Resource-Policy": "cross-origin",
            "X-Content-Type-Options": "nosniff",
        }
        if self._tag in Headers(scope=scope).get("if-none-match", ""):
            answer = Response(status_code=304, headers=headers)
        else:
            answer = Response(library(), media_type="text/javascript", headers=headers)
        await answer(scope, receive, send)
