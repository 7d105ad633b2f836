"""How the gateway speaks: a Guid makes a caller; every answer is HTTP 200 with a retcode.

Business failures travel with HTTP 200 too, or clients in Java and C# never see their retcode.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Scope

from sottovoce.domain.directory import AgentId
from sottovoce.errors import Code, Refused
from sottovoce.http.ccgateway.gateway import (
    BASE,
    NOTHING,
    Answer,
    Caller,
    Gateway,
    Interface,
    body_of,
    guid_headers,
)
from sottovoce.http.ccgateway.retcodes import BAD_URL, INTERNAL, MEANING, SUCCESS, retcode
from sottovoce.http.ccgateway.words import Form
from sottovoce.http.family.answer import FAULT_TEXT, Family, Fault, respond
from sottovoce.http.family.form import BadInput
from sottovoce.http.family.routes import Failure, Wrong
from sottovoce.limits import source_of

LONGEST_GUID = 128

FAMILY = Family(
    BASE,
    lambda fault: body_of(
        FAULT_TEXT[fault], INTERNAL if fault in (Fault.INTERNAL, Fault.OVERLOADED) else BAD_URL
    ),
)


@dataclass(frozen=True, slots=True)
class GatewayDialect:
    """The dialect of CC-Gateway."""

    gateway: Gateway

    @property
    def family(self) -> Family:
        """The one family of the gateway."""
        return FAMILY

    @asynccontextmanager
    async def caller(self, interface: Interface, request: Request) -> AsyncIterator[Caller]:
        """The agent of the path. Raises BadInput, Refused(NOT_SIGNED_IN), Refused(TOO_OFTEN)."""
        where = interface.agent_field
        if where is None:
            raise Refused(Code.NOT_SIGNED_IN, "the path names no agent")
        agent = self.gateway.agent_ids.parse(request.path_params[where])
        request.state.caller = agent
        if not interface.open:
            self._authenticate(agent, request.headers)
        if interface.query:
            self.gateway.limits.admit(agent, self.gateway.clock.monotonic())
        source = source_of(request.client.host if request.client is not None else "")
        goes_on = request.headers.get("range", "bytes=0-").replace(" ", "")[:8].lower() != "bytes=0-"
        token = request.headers.get("service_token", "")
        yield Caller(agent, self.gateway, interface, source, token, goes_on)

    def _authenticate(self, agent: AgentId, headers: Headers) -> None:
        """Raise Refused(NOT_SIGNED_IN) unless the agent's Guid is shown."""
        guid = headers.get("guid", "").strip()
        if not guid or not guid.isascii() or len(guid) > LONGEST_GUID:
            raise Refused(Code.NOT_SIGNED_IN, "no Guid")
        self.gateway.desk.sessions.authenticate(agent, guid)

    async def knows(self, scope: Scope) -> bool:
        """Whether the headers show the Guid of the agent whom every path of the family names."""
        named = scope["path"].removeprefix(BASE).split("/")[2:3]
        try:
            self._authenticate(self.gateway.agent_ids.parse("".join(named)), Headers(scope=scope))
        except (BadInput, Refused):
            return False
        return True

    async def form(self, interface: Interface, request: Request) -> Form:
        """Path, and query or body. Raises BadInput."""
        return interface.form.decode(
            request.path_params,
            request.scope["query_string"],
            await request.body() if interface.form.in_body else b"",
            request.headers.get("content-type", ""),
            self.gateway.agent_ids,
        )

    def success(self, interface: Interface, answer: Answer | None) -> Response:
        """`result`, unless the interface has none."""
        answer = answer or Answer()
        result = {} if answer.result is NOTHING else {"result": answer.result}
        return respond(body_of(interface.message, SUCCESS, **result), 200, *guid_headers(answer.guid))

    def failure(self, interface: Interface, failure: Failure) -> Response:
        """A listed retcode. What is wrong with a request, or with a new password, is said, and why an
        interface is not served; why it is refused is not."""
        unreadable = failure.wrong is Wrong.UNREADABLE
        code = BAD_URL if unreadable else retcode(failure.code, interface.codes)
        said = unreadable or failure.wrong is Wrong.FIELD or failure.code is Code.CREDENTIALS_REFUSED
        reason = interface.row.reason if failure.code is Code.NOT_SERVED else ""
        return respond(body_of(failure.why if said else reason or MEANING[code], code))
