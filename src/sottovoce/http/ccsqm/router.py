"""Makes routes of the quality family's interfaces, and is the only place where a visit comes into being.

What is wrong is told in this order: the path (404) and method (405), the token (401), the body (400); then,
with HTTP 200 and a code of the family, the user, the fields, and what the use case declines.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import structlog
from fastapi import Request
from fastapi.routing import APIRoute
from starlette.responses import Response
from starlette.routing import BaseRoute

from sottovoce.domain.people import SERVER, AppKey, User, UserId
from sottovoce.errors import Code, Refused
from sottovoce.http.ccsqm.codes import ANY, SPEECH, Module
from sottovoce.http.ccsqm.decode import BadField, Undecodable
from sottovoce.http.ccsqm.interface import Interface, SqmSettings, Visit, failure, success
from sottovoce.http.edge import FAULT_TEXT, Family, Fault
from sottovoce.quality import access
from sottovoce.quality.office import Caller, Office

log = structlog.get_logger(__name__)

_BEARER = "Bearer "
_DIGITS = re.compile(r"[0-9]{1,20}")
_REASONS = {
    Fault.UNKNOWN_PATH: Code.NOT_FOUND,
    Fault.INTERNAL: Code.INTERNAL,
    Fault.OVERLOADED: Code.UNAVAILABLE,
}


def _family(prefix: str, module: Module) -> Family:
    def fault(found: Fault) -> dict[str, object]:
        reason = _REASONS.get(found, Code.BAD_PARAMETER)
        return {"resultCode": module.code(reason), "resultDesc": FAULT_TEXT[found]}

    return Family(prefix, fault)


FAMILIES = (
    _family("/apiaccess/CCISQM", SPEECH),
    _family("/apiaccess", ANY),
    _family("/apigovernance", ANY),
)


class Unauthorized(Exception):
    """No valid token: HTTP 401. The text says why, never what was sent."""


class SqmRoute(APIRoute):
    """One interface; its path is matched without case."""

    def __init__(self, interface: Interface, office: Office, settings: SqmSettings) -> None:
        super().__init__(
            interface.path,
            _endpoint(interface, office, settings),
            methods=["POST"],
            name=interface.name,
            tags=[interface.path.rsplit("/", 2)[1]],
            operation_id="_".join(["sqm", *re.findall(r"\w+", interface.path)]),
            openapi_extra=_described(interface),
        )
        self.interface = interface
        self.path_regex = re.compile(self.path_regex.pattern, re.IGNORECASE)


def routes(interfaces: Iterable[Interface], office: Office, settings: SqmSettings) -> list[BaseRoute]:
    """Their routes."""
    return [SqmRoute(interface, office, settings) for interface in interfaces]


def _endpoint(interface: Interface, office: Office, settings: SqmSettings) -> Any:
    async def endpoint(request: Request) -> Response:
        who = ""
        try:
            app = await authenticated(office, request)
            who = app.app_key
            visit = await _visit(interface, office, app, request)
            form = interface.form.decode(await request.body())
            answer = await interface.serve(visit, form)
        except Unauthorized as refusal:
            return _told(interface, who, Code.NOBODY, str(refusal), 401)
        except Undecodable as bad:
            return _told(interface, who, Code.BAD_PARAMETER, str(bad), 400)
        except BadField as bad:
            return _told(interface, who, Code.BAD_PARAMETER, str(bad))
        except Refused as refused:
            return _told(interface, who, refused.code, interface.form.told(refused))
        except Exception:
            log.exception("interface failed", interface=interface.name, app_key=who)
            return failure(interface.module, Code.INTERNAL, status=500)
        log.debug("interface served", interface=interface.name, app_key=who)
        return success(interface.module, answer, settings)

    endpoint.__doc__ = interface.serve.__doc__
    return endpoint


def _told(interface: Interface, who: str, reason: Code, detail: str, status: int = 200) -> Response:
    if reason is Code.UNAVAILABLE:
        status = 500
    log.info("interface declined", interface=interface.name, app_key=who, reason=reason.value, detail=detail)
    return failure(interface.module, reason, detail, status)


async def authenticated(office: Office, request: Request) -> AppKey:
    """Whose token the request has. Raises Unauthorized, Refused(UNAVAILABLE)."""
    held = request.headers.get("authorization", "")
    if not held.startswith(_BEARER):
        raise Unauthorized("Authorization is missing, or does not begin with Bearer and a blank")
    app = await access.app_of(office, held.removeprefix(_BEARER).strip())
    if app is None:
        raise Unauthorized("the token is unknown or has expired")
    named = request.headers.get("x-app-key", "").strip()
    if named and named != app.app_key:
        raise Unauthorized("x-app-key is not the token's")
    return app


async def _visit(interface: Interface, office: Office, app: AppKey, request: Request) -> Visit:
    """The one place where a visit comes into being. Refused(NOBODY), (UNAVAILABLE)."""
    if interface.operation is None:
        return Visit(office, app, Caller(User(SERVER, app.vdn, app.name), app.app_key))
    named = request.headers.get("x-userid", "").strip()
    if named and not _DIGITS.fullmatch(named):
        raise Refused(Code.NOBODY, "x-UserId is no number of at most 20 digits")
    if interface.user_required and not named:
        raise Refused(Code.NOBODY, "x-UserId is missing")
    user = UserId(named.lstrip("0") or "0") if named else None
    return Visit(office, app, await access.caller(office, app, user))


def _described(interface: Interface) -> dict[str, Any]:
    """What FastAPI's OpenAPI says of it, drawn from the declaration that decodes its requests."""
    headers = [{"name": "Authorization", "in": "header", "required": True, "schema": {"type": "string"}}]
    if interface.operation is not None:
        headers.append(
            {
                "name": "x-UserId",
                "in": "header",
                "required": interface.user_required,
                "schema": {"type": "string"},
            }
        )
    schema = interface.form.model_json_schema(by_alias=True, ref_template="#/components/schemas/{model}")
    schema.pop("$defs", None)
    return {"parameters": headers, "requestBody": {"content": {"application/json": {"schema": schema}}}}
