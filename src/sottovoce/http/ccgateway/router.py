"""Makes routes of the interfaces: FastAPI routes for what is served, and answers for what is not (yet).

Order: a literal path segment before a variable, so that `deleteqctask` is never an agent's number;
below each path a route that catches every other verb, so that a literal path is never read as a variable.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

import structlog
from fastapi import Request
from fastapi.routing import APIRoute
from starlette.responses import Response
from starlette.routing import BaseRoute, Match
from starlette.types import Receive, Scope, Send

from sottovoce.domain.directory import AgentId
from sottovoce.errors import Code, Refused
from sottovoce.http.ccgateway.decode import BadField, BadInput
from sottovoce.http.ccgateway.interface import (
    BASE,
    NOTHING,
    Answer,
    Caller,
    Gateway,
    Interface,
    encode,
    headers,
    respond,
)
from sottovoce.http.ccgateway.openapi import described
from sottovoce.http.ccgateway.retcodes import (
    BAD_URL,
    INTERNAL,
    MEANING,
    SUCCESS,
    retcode,
)
from sottovoce.http.family.answer import FAULT_TEXT, Family, Fault

log = structlog.get_logger(__name__)

LONGEST_GUID = 128

FAMILY = Family(
    BASE,
    lambda fault: {
        "message": FAULT_TEXT[fault],
        "retcode": INTERNAL if fault in (Fault.INTERNAL, Fault.OVERLOADED) else BAD_URL,
    },
)


class GatewayRoute(APIRoute):
    """One verb of one interface. Its path is matched without case: sheets and clients differ in it."""

    def __init__(self, interface: Interface, verb: str, gateway: Gateway) -> None:
        super().__init__(
            BASE + interface.path,
            _endpoint(interface, gateway),
            methods=[verb],
            name=interface.name,
            tags=[interface.path.split("/")[1]],
            operation_id=_operation(interface, verb),
            openapi_extra=described(interface),
        )
        self.interface = interface
        self.path_regex = _caseless(self.path_regex.pattern)


class WrongVerb(BaseRoute):
    """What a path answers to a verb that none of its interfaces has: 405 in the family's form."""

    def __init__(self, routes: Sequence[GatewayRoute]) -> None:
        self.path = routes[0].path
        self._pattern = routes[0].path_regex
        self._allow = ", ".join(sorted(verb for route in routes for verb in route.methods or ())).encode()

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        matching = scope["type"] == "http" and self._pattern.match(scope["path"])
        return (Match.FULL if matching else Match.NONE), {}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        text = FAMILY.fault(Fault.WRONG_VERB)
        body = encode(str(text["message"]), str(text["retcode"]))
        response = Response(body, Fault.WRONG_VERB.value)
        response.raw_headers = [*headers(body), (b"Allow", self._allow)]
        await response(scope, receive, send)


@cache
def _caseless(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)


class ByWord(BaseRoute):
    """Finds the route of a request among those of its family word, instead of among all of them.

    The routes stand behind it as well, for FastAPI's OpenAPI; there are some 500.
    """

    def __init__(self, found: Sequence[GatewayRoute | WrongVerb]) -> None:
        self._depth = BASE.count("/") + 1
        self._by_word: dict[str, list[BaseRoute]] = {}
        for route in found:
            self._by_word.setdefault(self._word(route.path), []).append(route)

    def _word(self, path: str) -> str:
        segments = path.split("/", self._depth + 1)
        return segments[self._depth].lower() if len(segments) > self._depth else ""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        if scope["type"] != "http":
            return Match.NONE, {}
        for route in self._by_word.get(self._word(scope["path"]), ()):
            match, child = route.matches(scope)
            if match is Match.FULL:
                return match, {**child, "sottovoce.route": route}
        return Match.NONE, {}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        route: BaseRoute = scope["sottovoce.route"]
        await route.handle(scope, receive, send)


def routes(interfaces: Iterable[Interface], gateway: Gateway) -> list[BaseRoute]:
    """All routes, in the order in which they must be tried."""
    by_path: dict[str, list[Interface]] = {}
    for interface in interfaces:
        by_path.setdefault(interface.path.lower(), []).append(interface)
    found: list[GatewayRoute | WrongVerb] = []
    for path in sorted(by_path, key=_literals_first):
        served = by_path[path]
        verbs = [verb for interface in served for verb in interface.verbs]
        if len(verbs) != len(set(verbs)):
            raise ValueError(f"two interfaces claim the same verb of {path}")
        ways = [GatewayRoute(interface, verb, gateway) for interface in served for verb in interface.verbs]
        found += [*ways, WrongVerb(ways)]
    return [ByWord(found), *found]


def _literals_first(path: str) -> list[tuple[bool, str]]:
    return [(segment.startswith("{"), segment) for segment in path.split("/")]


def _operation(interface: Interface, verb: str) -> str:
    return "_".join(["gateway", verb.lower(), *re.findall(r"\w+", interface.path)])


def _endpoint(interface: Interface, gateway: Gateway) -> Any:
    async def endpoint(request: Request) -> Response:
        agent = AgentId(0)
        try:
            caller = _caller(interface, gateway, request)
            agent = caller.agent
            form = await _form(interface, gateway, request)
            answer = await interface.serve(caller, form)
        except BadInput as bad:
            refused = retcode(Code.BAD_PARAMETER, interface.listed) if isinstance(bad, BadField) else BAD_URL
            return _refusal(interface, agent, refused, str(bad))
        except Refused as refusal:
            code = retcode(refusal.code, interface.listed)
            return _refusal(interface, agent, code, MEANING[code], refusal.why)
        except Exception:
            code = retcode(Code.INTERNAL, interface.listed)
            log.exception("interface failed", interface=interface.name, agent=agent)
            return respond(encode(MEANING[code], code))
        log.debug("interface served", interface=interface.name, agent=agent)
        return answer if isinstance(answer, Response) else _success(interface, answer)

    endpoint.__doc__ = interface.serve.__doc__
    return endpoint


def _caller(interface: Interface, gateway: Gateway, request: Request) -> Caller:
    """The one place where a caller comes into being. Raises BadInput, Refused(NOT_SIGNED_IN)."""
    where = interface.agent_field
    if where is None:
        raise Refused(Code.NOT_SIGNED_IN, "the path names no agent")
    agent = gateway.settings.agent_ids.parse(request.path_params[where])
    if not interface.open:
        guid = request.headers.get("guid", "").strip()
        if not guid or not guid.isascii() or len(guid) > LONGEST_GUID:
            raise Refused(Code.NOT_SIGNED_IN, "no Guid")
        gateway.desk.sessions.authenticate(agent, guid)
    return Caller(agent, gateway)


async def _form(interface: Interface, gateway: Gateway, request: Request) -> Any:
    body = await request.body() if interface.form.in_body else b""
    return interface.form.decode(
        request.path_params,
        request.scope["query_string"],
        body,
        request.headers.get("content-type", ""),
        gateway.settings.agent_ids,
    )


def _success(interface: Interface, answer: Answer) -> Response:
    extra = None if answer.result is NOTHING else {"result": answer.result}
    return respond(encode(interface.message, SUCCESS, extra), answer.guid)


def _refusal(interface: Interface, agent: AgentId, code: str, message: str, detail: str = "") -> Response:
    log.info(
        "interface refused", interface=interface.name, agent=agent, retcode=code, detail=detail or message
    )
    return respond(encode(message, code))
