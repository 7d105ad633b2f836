"""What holds for every HTTP request, whatever interface it is for.

Slashes are folded before routing, the body is read whole within bounds before the application sees the
request, and whatever the application raises becomes an answer in its family's own form. Who is no caller, by
the headers, has little of a body read; what bodies and requests may take is bounded by source and in all.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field

import structlog
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sottovoce.http.bodies import Bodies, BodyLimits, Gone
from sottovoce.http.family.answer import Family, Fault, family_of
from sottovoce.http.family.routes import Crowded
from sottovoce.http.peers import Portions
from sottovoce.limits import source_of

log = structlog.get_logger(__name__)

Knows = Callable[[Scope], Awaitable[bool]]
"""Whether the headers of a request show a caller of the family."""
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
    bodies: BodyLimits = field(default_factory=BodyLimits)
    requests: int = 4096
    """Requests in progress, hanging polls included; of one source half of them."""


@dataclass(frozen=True, slots=True)
class Crossing:
    """Which web origins' scripts may call a family, what they may send, and what they may read."""

    origins: Sequence[str]
    sent: Sequence[str]
    read: Sequence[str] = ()


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
    *,
    knows: Mapping[str, Knows] | None = None,
    crossings: Mapping[str, Crossing] | None = None,
) -> ASGIApp:
    """`app` behind the edge. `knows` and `crossings` by a family's prefix: one without is closed to both."""
    return Edge(app, families, limits or EdgeLimits(), knows or {}, crossings or {})


class Edge:
    """ASGI middleware; see the module."""

    def __init__(
        self,
        app: ASGIApp,
        families: Sequence[Family],
        limits: EdgeLimits,
        knows: Mapping[str, Knows],
        crossings: Mapping[str, Crossing],
    ) -> None:
        self._app, self._families, self._limits, self._knows = app, families, limits, knows
        self._bodies = Bodies(limits.bodies)
        self._requests = Portions(limits.requests, max(1, limits.requests // 2))
        self._crossed: dict[str, ASGIApp] = {
            prefix: CORSMiddleware(
                self._guard,
                allow_origins=crossing.origins,
                allow_methods=("GET", "PUT", "POST", "DELETE"),
                allow_headers=crossing.sent,
                expose_headers=crossing.read,
            )
            for prefix, crossing in crossings.items()
            if crossing.origins
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        scope = {**scope, "path": fold(scope["path"])}
        family = family_of(scope["path"], self._families)
        await self._crossed.get(family.prefix, self._guard)(scope, receive, send)

    async def _guard(self, scope: Scope, receive: Receive, send: Send) -> None:
        family = family_of(scope["path"], self._families)
        source = source_of((scope.get("client") or ("",))[0])
        started = False

        async def watched(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        async def known() -> bool:
            knows = self._knows.get(family.prefix)
            return knows is not None and await knows(scope)

        try:
            fault = self._wrong_head(scope)
            if fault is None:
                async with self._bodies.read(scope, receive, source, known) as body:
                    fault = body.fault or await self._serve(
                        scope, _replayed(body.kept, receive), watched, source
                    )
            if fault is not None:
                if fault is Fault.OVERLOADED:
                    _tell(source, scope, "requests at once")
                await family.at_fault(fault)(scope, receive, send)
        except Gone:
            return
        except Crowded as crowded:
            _tell(source, scope, str(crowded))
            await family.at_fault(Fault.OVERLOADED)(scope, receive, send)
        except Exception:
            log.exception("request failed", method=scope["method"], path=scope["path"])
            if not started:
                await family.at_fault(Fault.INTERNAL)(scope, receive, send)

    async def _serve(self, scope: Scope, receive: Receive, send: Send, source: str) -> Fault | None:
        if not self._requests.take(source):
            return Fault.OVERLOADED
        try:
            await self._app(scope, receive, send)
        finally:
            self._requests.give_back(source)
        return None

    def _wrong_head(self, scope: Scope) -> Fault | None:
        names = [name for name, _ in scope["headers"]]
        if b"content-length" in names and b"transfer-encoding" in names:
            return Fault.MALFORMED  # where the request ends is not told, and a proxy may read otherwise
        headers = sum(len(name) + len(value) for name, value in scope["headers"])
        target = len(scope["path"]) + len(scope["query_string"])
        if headers > self._limits.header_bytes or target > self._limits.target_bytes:
            return Fault.HEADERS_TOO_LARGE
        return None


def _tell(source: str, scope: Scope, what: str) -> None:
    log.warning("requests refused, too many", what=what, source=source, path=scope["path"], per=source)


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
