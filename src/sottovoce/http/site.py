"""All interface families as one ASGI application."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import resources
from typing import Any

from starlette.responses import HTMLResponse
from starlette.routing import Router
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from sottovoce.config import HttpSettings, OperatorSettings
from sottovoce.contracts.document import document
from sottovoce.http.ccgateway import library
from sottovoce.http.ccgateway import served as ccgateway
from sottovoce.http.ccgateway.dialect import FAMILY, GatewayDialect
from sottovoce.http.ccgateway.gateway import Gateway
from sottovoce.http.ccisqm import served as ccisqm
from sottovoce.http.ccsqm import served as ccsqm
from sottovoce.http.ccsqm import token
from sottovoce.http.ccsqm.dialect import Quality, SqmDialect
from sottovoce.http.edge import Crossing, Knows, edge
from sottovoce.http.family.answer import Fault, family_of, respond
from sottovoce.http.family.routes import Places
from sottovoce.http.operators import Operators
from sottovoce.observing.observer import Observer

FAMILIES = (FAMILY, ccisqm.FAMILY, ccsqm.FAMILY, token.FAMILY)
"""In the order in which a path is tried: of two that it begins with, the longer first."""


def site(
    gateway: Gateway | None = None,
    settings: HttpSettings | None = None,
    *,
    quality: Quality | None = None,
    observed: tuple[Observer, OperatorSettings] | None = None,
) -> ASGIApp:
    """The application, behind its edge: each half that is given, and what operators ask."""
    settings = settings or HttpSettings()
    inner = inner_site(gateway, quality=quality, observed=observed, docs=settings.docs)
    knows: dict[str, Knows] = {}
    if gateway is not None:
        knows[FAMILY.prefix] = GatewayDialect(gateway).knows
    if quality is not None:
        knows |= {one.prefix: SqmDialect(one, quality).knows for one in (ccisqm.FAMILY, ccsqm.FAMILY)}
    whole: Any = edge(inner, FAMILIES, knows=knows, crossings=_crossings(settings))
    if settings.proxies:
        whole = ProxyHeadersMiddleware(whole, list(settings.proxies))
    app: ASGIApp = whole
    return app


def operators_site(observer: Observer) -> ASGIApp:
    """What the socket in the data folder serves."""
    return edge(Operators(observer), FAMILIES)


def _crossings(settings: HttpSettings) -> dict[str, Crossing]:
    """What scripts of web origins may call, by family; of no family nothing."""
    guid = Crossing(settings.origins, ("Guid", "Content-Type", "service_token"), ("Set-GUID", "Guid"))
    sent = ("Authorization", "Content-Type", "x-app-key", "x-UserId", "X-Token-Expire")
    token_bearer = Crossing(settings.quality_origins, sent)
    programs = (ccisqm.FAMILY, ccsqm.FAMILY, token.FAMILY)
    return {FAMILY.prefix: guid, **{one.prefix: token_bearer for one in programs}}


def inner_site(
    gateway: Gateway | None = None,
    *,
    quality: Quality | None = None,
    observed: tuple[Observer, OperatorSettings] | None = None,
    docs: bool = False,
) -> Router:
    """The application without its edge: for tests that walk its routes."""
    families: list[Places] = []
    ledgers: list[str] = []
    if gateway is not None:
        families.append(ccgateway.gateway_places(gateway))
        ledgers.append(ccgateway.LEDGER)
    if quality is not None:
        families += ccisqm.isqm_places(quality), ccsqm.sqm_places(quality), token.token_places(quality)
        ledgers += ccsqm.LEDGER, ccisqm.LEDGER
    scripts = {} if gateway is None else {library.PATH: library.Library()}
    elsewhere: ASGIApp = _Elsewhere(ledgers if docs else (), scripts)
    if observed is not None:
        elsewhere = Operators(*observed, elsewhere)
    return Router(families, redirect_slashes=False, default=elsewhere)


class _Elsewhere:
    """What answers where no interface is: `pages`, the documents of `ledgers`, and to all else 404."""

    def __init__(self, ledgers: Sequence[str], pages: Mapping[str, ASGIApp]) -> None:
        self._pages = dict(pages)
        if ledgers:
            page = (resources.files(__package__) / "docs.html").read_text(encoding="utf-8")
            self._pages |= {"/openapi.json": respond(document(*ledgers)), "/docs": HTMLResponse(page)}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        family = family_of(scope["path"], FAMILIES)
        page = self._pages.get(scope["path"])
        if page is None:
            page = family.at_fault(Fault.UNKNOWN_PATH)
        elif scope["method"] not in ("GET", "HEAD"):
            page = family.at_fault(Fault.WRONG_VERB, (b"Allow", b"GET, HEAD"))
        await page(scope, receive, send)
