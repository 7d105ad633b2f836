"""All interface families as one ASGI application."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from fastapi import FastAPI, Request
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import ASGIApp

from sottovoce.http.ccgateway import FAMILY, Gateway, gateway_routes
from sottovoce.http.ccisqm import served as ccisqm
from sottovoce.http.ccsqm import served as ccsqm
from sottovoce.http.ccsqm import token
from sottovoce.http.ccsqm.dialect import Quality
from sottovoce.http.edge import EdgeLimits, edge
from sottovoce.http.family.answer import Fault, family_of
from sottovoce.http.family.openapi import described
from sottovoce.http.family.routes import Places

FAMILIES = (FAMILY, ccisqm.FAMILY, ccsqm.FAMILY, token.FAMILY)
"""In the order in which a path is tried: of two that it begins with, the longer first."""


@dataclass(frozen=True, slots=True)
class SiteSettings:
    """What holds for all families."""

    limits: EdgeLimits = field(default_factory=EdgeLimits)
    origins: Sequence[str] = ("*",)
    """Web origins whose scripts may call; none turns CORS off."""
    docs: bool = False
    """Whether /docs and /openapi.json are served."""


def site(
    gateway: Gateway | None = None, settings: SiteSettings | None = None, *, quality: Quality | None = None
) -> ASGIApp:
    """The application, behind its edge: each half that is given."""
    settings = settings or SiteSettings()
    inner = inner_site(gateway, quality=quality, docs=settings.docs)
    return edge(inner, FAMILIES, settings.limits, settings.origins)


def inner_site(
    gateway: Gateway | None = None, *, quality: Quality | None = None, docs: bool = False
) -> FastAPI:
    """The application without its edge: for OpenAPI, and for tests that walk its routes."""
    app = FastAPI(
        title="Sottovoce",
        openapi_url="/openapi.json" if docs else None,
        docs_url="/docs" if docs else None,
        redoc_url=None,
        redirect_slashes=False,
        exception_handlers={HTTPException: _not_found, Exception: _failed},
    )
    if gateway is not None:
        app.router.routes.extend(gateway_routes(gateway))
    if quality is not None:
        families = (ccisqm.isqm_places(quality), ccsqm.sqm_places(quality), token.token_places(quality))
        app.router.routes.extend(families)
        _describe(app, families)
    return app


def _describe(app: FastAPI, families: Sequence[Places]) -> None:
    document = app.openapi()
    for family in families:
        more = described(family)
        document["paths"].update(more["paths"])
        schemas = document.setdefault("components", {}).setdefault("schemas", {})
        schemas.update(more["components"]["schemas"])


async def _not_found(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else Fault.INTERNAL.value
    known = {fault.value: fault for fault in Fault}
    response = family_of(request.url.path, FAMILIES).at_fault(known.get(status, Fault.INTERNAL))
    for name, value in (getattr(error, "headers", None) or {}).items():
        response.raw_headers.append((name.encode(), value.encode()))
    return response


async def _failed(request: Request, error: Exception) -> Response:
    return family_of(request.url.path, FAMILIES).at_fault(Fault.INTERNAL)
