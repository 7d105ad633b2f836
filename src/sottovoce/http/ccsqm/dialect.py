"""How the quality family speaks: a token and a user make a visit; every failure has a code of its module.

What is wrong is told in this order: the path (404) and method (405), the token (401), the user; the body
(400); then, with HTTP 200 and a code of the family, the fields, and what the use case declines.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Scope

from sottovoce.config import QualitySettings
from sottovoce.domain.people import SERVER, AppKey, UserId
from sottovoce.errors import Code, Refused
from sottovoce.http.ccsqm.codes import MEANING, SUCCESSFUL, Module
from sottovoce.http.ccsqm.lookups import Lookups
from sottovoce.http.ccsqm.visit import Answer, Interface, Visit, VisitApart
from sottovoce.http.ccsqm.words import Form, NumberId
from sottovoce.http.family.answer import FAULT_TEXT, Family, Fault, respond
from sottovoce.http.family.routes import Crowded, Failure, Unauthorized, Wrong
from sottovoce.limits import source_of
from sottovoce.plain import natural
from sottovoce.quality import access
from sottovoce.quality.office import Office

_REASONS = {
    Fault.UNKNOWN_PATH: Code.NOT_FOUND,
    Fault.INTERNAL: Code.INTERNAL,
    Fault.OVERLOADED: Code.UNAVAILABLE,
}
_STATUS = {Wrong.STRANGER: 401, Wrong.UNREADABLE: 400, Wrong.BROKEN: 500}
"""HTTP status where it is the request itself that is wrong, or we are."""


def family(prefix: str, module: Module) -> Family:
    """The interfaces below `prefix`, whose faults have a code of `module`."""

    def fault(found: Fault) -> dict[str, object]:
        reason = _REASONS.get(found, Code.BAD_PARAMETER)
        return {"resultCode": module.code(reason), "resultDesc": FAULT_TEXT[found]}

    return Family(prefix, fault)


@dataclass(frozen=True, slots=True)
class Quality:
    """What the quality families reach, and how they show themselves."""

    office: Office
    settings: QualitySettings = field(default_factory=QualitySettings)
    lookups: Lookups = field(default_factory=Lookups)


@dataclass(frozen=True, slots=True)
class SqmDialect:
    """The dialect of CC-SQM and CC-iSQM."""

    family: Family
    quality: Quality

    @asynccontextmanager
    async def caller(self, interface: Interface, request: Request) -> AsyncIterator[Visit | VisitApart]:
        """A visit, in the transaction of its request. Raises Unauthorized, Crowded, Refused(NOBODY),
        (UNAVAILABLE)."""
        token, office = _token(request), self.quality.office
        async with (
            self.quality.lookups.turn(token, source(request), office.clock) as right,
            office.transaction(snapshot=interface.snapshot) as connection,
        ):
            app = await _app(connection, token, office.clock.now(), request)
            right()
            request.state.caller = app.app_key
            for_app = access.for_an_app(app).user if interface.operation is None else None
            wanted = SERVER if for_app else access.acting_for(app, _named(interface, request))
            async with office.within(connection, app.vdn, wanted) as work:
                user = for_app or await access.user_of(work)
                if not interface.apart:
                    yield Visit(app, user, interface.operation, work)
        if interface.apart:
            yield VisitApart(app, user, interface.operation, office)

    async def knows(self, scope: Scope) -> bool:
        """Whether the headers show a token. Looked at apart: no transaction waits for a body."""
        request, office = Request(scope), self.quality.office
        try:
            token = _token(request)
            async with (
                self.quality.lookups.turn(token, source(request), office.clock) as right,
                office.transaction() as connection,
            ):
                await _app(connection, token, office.clock.now(), request)
                right()
        except (Unauthorized, Crowded, Refused):
            return False
        return True

    async def form(self, interface: Interface, request: Request) -> Form:
        """The body's. Raises BadInput."""
        return interface.form.decode(await request.body())

    def success(self, interface: Interface, answer: Answer | None) -> Response:
        """HTTP 200 with what was asked for; absent optional values are null, as in the pages' examples."""
        answer = answer or Answer()
        content = answer.content
        if answer.coded:
            content = {"resultCode": interface.module.success, "resultDesc": SUCCESSFUL, **content}
        return respond(_numbers(content) if self.quality.settings.numeric_ids else content)

    def failure(self, interface: Interface, failure: Failure) -> Response:
        """A code, with the HTTP status of the settings unless it is the request itself that is wrong."""
        declined = 500 if failure.code is Code.UNAVAILABLE else self.quality.settings.failure_status
        status = _STATUS.get(failure.wrong, declined)
        return told(interface.module, failure, status)


def told(module: Module, failure: Failure, status: int) -> Response:
    """A failure in the family's form."""
    reason = failure.code
    return respond({"resultCode": module.code(reason), "resultDesc": failure.why or MEANING[reason]}, status)


def source(request: Request) -> str:
    """Where a request counts as coming from."""
    return source_of(request.client.host if request.client is not None else "")


def _token(request: Request) -> str:
    """What stands in Authorization. Raises Unauthorized."""
    held = request.headers.get("authorization", "")
    scheme, _, token = held.partition(" ")
    if scheme.lower() != "bearer":
        raise Unauthorized("Authorization is missing, or does not begin with Bearer and a blank")
    return token.strip()


async def _app(connection: AsyncConnection, token: str, now: datetime, request: Request) -> AppKey:
    """Whose token the request has. Raises Unauthorized."""
    app = await access.app_of(connection, token, now)
    if app is None:
        raise Unauthorized("the token is unknown or has expired")
    named = request.headers.get("x-app-key", "").strip()
    if named and named != app.app_key:
        raise Unauthorized("x-app-key is not the token's")
    return app


def _named(interface: Interface, request: Request) -> UserId | None:
    """The user whom the request names. Refused(NOBODY)."""
    named = request.headers.get("x-userid", "").strip()
    user = natural(named)
    if named and user is None:
        raise Refused(Code.NOBODY, "x-UserId is no number of at most 20 digits")
    if interface.user_required and user is None:
        raise Refused(Code.NOBODY, "x-UserId is missing")
    return None if user is None else UserId(str(user))


def _numbers(value: Any) -> Any:
    if isinstance(value, NumberId):
        return int(value)
    if isinstance(value, Mapping):
        return {name: _numbers(item) for name, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_numbers(item) for item in value]
    return value
