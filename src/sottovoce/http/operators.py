"""What operators and their programs ask: /health, /ready, /metrics, and /status on the machine itself.

On the HTTP port the caller is who shows the token of `operators.token`; without that setting there are no
such paths. On the socket in the data folder the caller is whoever the file system lets connect.
`docs/decisions/0032-what-operators-see.md` says why an address alone is no caller.
"""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable, Mapping

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from sottovoce.config import OperatorSettings
from sottovoce.http.family.answer import ELSEWHERE, Fault, respond
from sottovoce.observing.exposition import CONTENT_TYPE
from sottovoce.observing.observer import Observer
from sottovoce.plain import to_plain

_STRANGER = (b"WWW-Authenticate", b'Bearer realm="operators"')


class Operators:
    """ASGI: these paths for callers, `otherwise` for every other path. `settings` None: all who connect."""

    def __init__(
        self, observer: Observer, settings: OperatorSettings | None = None, otherwise: ASGIApp | None = None
    ) -> None:
        self._observer = observer
        self._otherwise = otherwise or ELSEWHERE.at_fault(Fault.UNKNOWN_PATH)
        token = settings.token if settings is not None else None
        self._token = token.get_secret_value().encode() if token is not None else b""
        self._pages: Mapping[str, Callable[[], Awaitable[Response]]] = {
            "/health": self._health,
            "/ready": self._ready,
            "/metrics": self._metrics,
        }
        if settings is None:
            self._pages = {**self._pages, "/status": self._status}
        elif not self._token:
            self._pages = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        page = self._pages.get(scope["path"])
        if page is None:
            await self._otherwise(scope, receive, send)
            return
        if scope["method"] not in ("GET", "HEAD"):
            answer = ELSEWHERE.at_fault(Fault.WRONG_VERB, (b"Allow", b"GET, HEAD"))
        elif not self._may(Request(scope).headers.get("authorization", "")):
            answer = respond({"error": "the token is missing or wrong"}, 401, _STRANGER)
        else:
            answer = await page()
        await answer(scope, receive, send)

    def _may(self, authorization: str) -> bool:
        if not self._token:
            return True
        kind, _, shown = authorization.partition(" ")
        right = hmac.compare_digest(shown.strip().encode("utf-8", "replace"), self._token)
        return kind.lower() == "bearer" and right

    async def _health(self) -> Response:
        return respond({"status": "live"})

    async def _ready(self) -> Response:
        reasons = (await self._observer.reading()).not_ready
        return respond({"ready": not reasons, "reasons": reasons}, 503 if reasons else 200)

    async def _metrics(self) -> Response:
        return Response(await self._observer.metrics(), media_type=CONTENT_TYPE)

    async def _status(self) -> Response:
        return respond(to_plain(await self._observer.reading()))
