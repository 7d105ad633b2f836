"""A proxy between the compatibility kit and a server that lies: on a real socket, the server behind it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send
from tests.compat.served import listening

Change = Callable[[Any], Any]
_PASSED_ON = ("content-type", "authorization", "x-app-key", "x-userid", "x-token-expire")


@dataclass(frozen=True)
class Lie:
    """What one interface says or does otherwise than its page; the rest is the server's."""

    name: str
    path: str
    """How the path of the interface ends."""
    only: str
    """The part of the kit that has to see it."""
    seen: str | None = None
    """What the check that sees it says (a pattern); then it can be told beside others. None: told alone."""
    beside: str = ""
    """Those of the same part beside which it is told."""
    asked: Callable[[dict[str, Any]], None] | None = None
    """Changes what the server is asked."""
    told: Callable[[Any], Any] | None = None
    """Changes the document that it answers."""
    instead: Callable[[Mapping[str, Any]], Any] | None = None
    """Answers a request that the server never sees; None: that one goes on."""
    headers: Callable[[dict[str, str], str], None] | None = None
    """Changes the headers, with a token that is good in any case."""
    status: Callable[[int], int] | None = None
    """Changes the HTTP status."""


class Proxy:
    """Passes everything on, but for its lies."""

    def __init__(self, upstream: ASGIApp) -> None:
        self.lies: Sequence[Lie] = ()
        self._http = httpx.AsyncClient(transport=httpx.ASGITransport(upstream), base_url="http://upstream")
        self._token = ""

    async def close(self) -> None:
        await self._http.aclose()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        path, content = request.url.path, await request.body()
        lies = [lie for lie in self.lies if path.endswith(lie.path)]
        headers = {name: value for name, value in request.headers.items() if name in _PASSED_ON}
        body = _read(content)
        for lie in lies:
            if isinstance(body, dict) and lie.instead is not None:
                return await _json(lie.instead(body))(scope, receive, send)
            if isinstance(body, dict) and lie.asked is not None:
                lie.asked(body)
                content = json.dumps(body).encode()
            if lie.headers is not None:
                lie.headers(headers, self._token)
        answer = await self._http.request(request.method, path, content=content, headers=headers)
        document, status = _read(answer.content), answer.status_code
        if path.endswith("oauth/tokenByAkSk") and isinstance(document, dict):
            self._token = document.get("AccessToken") or self._token
        for lie in lies:
            document = document if lie.told is None else lie.told(document)
            status = status if lie.status is None else lie.status(status)
        await _json(document, status)(scope, receive, send)


@asynccontextmanager
async def proxied(upstream: ASGIApp) -> AsyncIterator[tuple[Proxy, str]]:
    """A proxy before that application, and its URL."""
    proxy = Proxy(upstream)
    async with listening(proxy) as url:
        try:
            yield proxy, url
        finally:
            await proxy.close()


def _read(content: bytes) -> Any:
    try:
        return json.loads(content)
    except ValueError:
        return None


def _json(document: Any, status: int = 200) -> Response:
    return Response(json.dumps(document), status, media_type="application/json")


def changed(document: Any, where: str, change: Change) -> Any:
    """The document with another value wherever `where` leads: names with dots, `[]` for each of a list."""
    part, _, rest = where.partition(".")
    name, each = part.removesuffix("[]"), part.endswith("[]")
    if not name:
        return [changed(one, rest, change) if rest else change(one) for one in document]
    if not isinstance(document, dict) or name not in document:
        return document
    value = document[name]
    if each:
        value = [changed(one, rest, change) if rest else change(one) for one in value or ()]
    else:
        value = changed(value, rest, change) if rest else change(value)
    return {**document, name: value}
