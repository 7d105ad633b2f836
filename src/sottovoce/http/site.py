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
from sottovoce.http.edge import JSON_TYPE, EdgeLimits, Fault, edge, family_of

FAMILIES = (FAMILY,)


@dataclass(frozen=True, slots=True)
class SiteSettings:
    """What holds for all families."""

    limits: EdgeLimits = field(default_factory=EdgeLimits)
    origins: Sequence[str] = ("*",)
    """Web origins whose scripts may call; none turns CORS off."""
    docs: bool = False
    """Whether /docs and /openapi.json are served."""


def site(gateway: Gateway, settings: SiteSettings | None = None) -> ASGIApp:
    """The application, behind its edge."""
    settings = settings or SiteSettings()
    return edge(inner_site(gateway, docs=settings.docs), FAMILIES, settings.limits, settings.origins)


def inner_site(gateway: Gateway, *, docs: bool = False) -> FastAPI:
    """The application without its edge: for OpenAPI, and for tests that walk its routes."""
    app = FastAPI(
        title="Sottovoce",
        openapi_url="/openapi.json" if docs else None,
        docs_url="/docs" if docs else None,
        redoc_url=None,
        redirect_slashes=False,
        exception_handlers={HTTPException: _not_found, Exception: _failed},
    )
    app.router.routes.extend(gateway_routes(gateway))
    return app


async def _not_found(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else Fault.INTERNAL.value
    known = {fault.value: fault for fault in Fault}
    return _fault(request, known.get(status, Fault.INTERNAL))


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
