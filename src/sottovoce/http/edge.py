"""What holds for every HTTP request, whatever interface it is for.

Slashes are folded before routing, the body is read whole within bounds before the application
sees the request, and whatever the application raises becomes an answer in its family's own form.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass

import structlog
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sottovoce.http.family.answer import Family, Fault, family_of
from sottovoce.plain import natural

log = structlog.get_logger(__name__)

CONNECTION_OPEN = "sottovoce.connection_open"
"""ASGI scope extension: a function that says whether what is written now still goes to a peer."""
HEADER_BYTES = 32 << 10
"""Of one request; the server reads no more before it answers 431."""
_SLASHES = re.compile("/{2,}")
_AUTHORITY = re.compile("https?://[^/]*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class EdgeLimits:
    """Bounds on what one request, and all together, may take. No setting: no known client comes near them."""

    target_bytes: int = 16 << 10
    """Path and query together."""
    header_bytes: int = HEADER_BYTES
    body_bytes: int = 1 << 20
    discard_bytes: int = 16 << 20
    """How much of a body that is too large is read and thrown away, so that its sender reads the answer."""
    body_s: float = 30.0
    requests: int = 4096
    """Requests in progress, hanging polls included."""


def fold(path: str) -> str:
    """`path` without doubled and trailing slashes (encoded ones are decoded already).

    Of a target in absolute form, which every server must take (RFC 9112 3.2.2), the path.
    """
    absolute = _AUTHORITY.match(path)
    folded = _SLASHES.sub("/", path if absolute is None else "/" + path[absolute.end() :])
    return folded.rstrip("/") or "/"


def edge(
    app: ASGIApp,
    families: Sequence[Family],
    limits: EdgeLimits | None = None,
    origins: Sequence[str] = ("*",),
) -> ASGIApp:
    """`app` behind the edge; browsers from `origins` may call it and read `Set-GUID`."""
    guarded: ASGIApp = Edge(app, families, limits or EdgeLimits())
    if not origins:
        return guarded
    return CORSMiddleware(
        guarded,
        allow_origins=origins,
        allow_methods=("GET", "PUT", "POST", "DELETE"),
        allow_headers=(
            "Guid",
            "Content-Type",
            "service_token",
            "Authorization",
            "x-app-key",
            "x-UserId",
            "X-Token-Expire",
        ),
        expose_headers=("Set-GUID", "Guid"),
    )


class _Gone(Exception):
    """The client left before its body was whole."""


class Edge:
    """ASGI middleware; see the module."""

    def __init__(self, app: ASGIApp, families: Sequence[Family], limits: EdgeLimits) -> None:
        self._app = app
        self._families = families
        self._limits = limits
        self._running = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        scope = {**scope, "path": fold(scope["path"])}
        family = family_of(scope["path"], self._families)
        if self._running >= self._limits.requests:
            await family.at_fault(Fault.OVERLOADED)(scope, receive, send)
            return
        self._running += 1
        try:
            await self._guard(scope, receive, send, family)
        finally:
            self._running -= 1

    async def _guard(self, scope: Scope, receive: Receive, send: Send, family: Family) -> None:
        started = False

        async def watched(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            body = await self._body(scope, receive)
            if isinstance(body, Fault):
                await family.at_fault(body)(scope, receive, send)
                return
            await self._app(scope, _replayed(body, receive), watched)
        except _Gone:
            return
        except Exception:
            log.exception("request failed", method=scope["method"], path=scope["path"])
            if not started:
                await family.at_fault(Fault.INTERNAL)(scope, receive, send)

    async def _body(self, scope: Scope, receive: Receive) -> bytes | Fault:
        headers = sum(len(name) + len(value) for name, value in scope["headers"])
        target = len(scope["path"]) + len(scope["query_string"])
        if headers > self._limits.header_bytes or target > self._limits.target_bytes:
            return Fault.HEADERS_TOO_LARGE
        declared = _content_length(scope)
        if declared is not None and declared > self._limits.discard_bytes:
            return Fault.BODY_TOO_LARGE
        try:
            async with asyncio.timeout(self._limits.body_s):
                return await self._read(receive)
        except TimeoutError:
            return Fault.BODY_TOO_SLOW

    async def _read(self, receive: Receive) -> bytes | Fault:
        kept = bytearray()
        total = 0
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise _Gone
            chunk: bytes = message.get("body", b"")
            total += len(chunk)
            if total <= self._limits.body_bytes:
                kept += chunk
            elif total > self._limits.discard_bytes:
                return Fault.BODY_TOO_LARGE
            if not message.get("more_body", False):
                break
        return bytes(kept) if total <= self._limits.body_bytes else Fault.BODY_TOO_LARGE


def _content_length(scope: Scope) -> int | None:
    for name, value in scope["headers"]:
        if name == b"content-length":
            return natural(value.decode("latin-1"))
    return None


def _replayed(body: bytes, receive: Receive) -> Receive:
    """A `receive` that hands out the whole body once, then what the server says (the disconnect)."""
    whole: Message | None = {"type": "http.request", "body": body, "more_body": False}

    async def replay() -> Message:
        nonlocal whole
        if whole is not None:
            first, whole = whole, None
            return first
        return await receive()

    return replay
