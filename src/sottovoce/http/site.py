"""All interface families as one ASGI application."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field

from fastapi import FastAPI, Request
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import ASGIApp

from sottovoce.http.ccgateway import FAMILY, Gateway, gateway_routes
from sottovoce.http.ccsqm import Quality, quality_routes
from sottovoce.http.ccsqm.router import FAMILIES as QUALITY_FAMILIES
from sottovoce.http.edge import JSON_TYPE, EdgeLimits, Fault, edge, family_of

FAMILIES = (FAMILY, *QUALITY_FAMILIES)


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
        app.router.routes.extend(quality_routes(quality))
    return app


async def _not_found(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else Fault.INTERNAL.value
    known = {fault.value: fault for fault in Fault}
    response = _fault(request, known.get(status, Fault.INTERNAL))
    for name, value in (getattr(error, "headers", None) or {}).items():
        response.raw_headers.append((name.encode(), value.encode()))
    return response


async def _failed(request: Request, error: Exception) -> Response:
    return _fault(request, Fault.INTERNAL)


def _fault(request: Request, fault: Fault) -> Response:
    body = dict(family_of(request.url.path, FAMILIES).fault(fault))
    encoded = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
    response = Response(encoded, fault.value)
    response.raw_headers = [
        (b"Content-Type", JSON_TYPE),
        (b"Content-Length", str(len(encoded)).encode()),
    ]
    return response
