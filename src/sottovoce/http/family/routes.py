"""Routes of declared interfaces, and what every request for one of them goes through.

Paths are matched without case: sheets and clients differ in it. A literal segment is tried before a
variable, so that `deleteqctask` is never an agent's number; and a path answers for all its verbs, so that
one with a wrong verb is never read as another with a variable.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from enum import Enum
from functools import cache
from typing import Any, Protocol, TypeVar

import structlog
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Match, compile_path
from starlette.types import Receive, Scope, Send

from sottovoce.errors import Code, Refused
from sottovoce.http.family.answer import BODY_REFUSED, Family, Fault
from sottovoce.http.family.declared import Interface
from sottovoce.http.family.form import BadField, BadInput, Form

log = structlog.get_logger(__name__)


SERVED = "served"
"""The outcome of a request that got what it asked for."""
SERVED_CALLER = "sottovoce.served_caller"
"""ASGI scope extension: a function that is told so."""


def _nobody() -> None:
    """Nobody wants to be told."""


class Unauthorized(Exception):
    """Nothing says that the request comes from one who may ask. The text says why, never what was sent."""


class Crowded(Exception):
    """Too much at once, or lately: `http.edge` answers 503. The text says of what."""


class Wrong(Enum):
    """What can go wrong with a request that found its interface, in the order in which it is looked at."""

    STRANGER = "stranger"
    """Unauthorized."""
    UNREADABLE = "unreadable"
    """Its path or body cannot be understood."""
    FIELD = "field"
    """A field is missing, of a wrong type or out of its range."""
    REFUSED = "refused"
    """By the use case, or by the lookup of the caller."""
    BROKEN = "broken"
    """A fault of ours; the log has it, the client learns nothing of it."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a request failed."""

    wrong: Wrong
    code: Code
    why: str = ""
    """One English sentence; of a refusal for people and logs."""


InterfaceT = TypeVar("InterfaceT", bound=Interface, contravariant=True)


class Dialect(Protocol[InterfaceT]):
    """How one family does what all of them do."""

    @property
    def family(self) -> Family:
        """In whose form a wrong verb is told."""
        ...

    def caller(self, interface: InterfaceT, request: Request) -> AbstractAsyncContextManager[Any]:
        """Who asks, for as long as the use case works: the one place where a caller comes into being.

        May leave the caller's name for the log in `request.state.caller`. Raises what the ladder knows.
        """
        ...

    async def form(self, interface: InterfaceT, request: Request) -> Form:
        """The interface's form, filled in. Raises BadInput."""
        ...

    def success(self, interface: InterfaceT, answer: Any) -> Response:
        """The answer of the use case in the family's form."""
        ...

    def failure(self, interface: InterfaceT, failure: Failure) -> Response:
        """What went wrong in the family's form."""
        ...


async def answered(interface: Interface, dialect: Dialect[Any], request: Request) -> Response:
    """The answer to a request: the one ladder of what can go wrong."""
    request.state.caller = ""
    try:
        async with dialect.caller(interface, request) as caller:
            if BODY_REFUSED in request.scope:
                return dialect.family.at_fault(Fault.BODY_TOO_LARGE)
            form = await dialect.form(interface, request)
            answer = await interface.serve(caller, form)
    except Crowded:
        raise
    except Unauthorized as error:
        failure = Failure(Wrong.STRANGER, Code.NOBODY, str(error))
    except BadField as error:
        failure = Failure(Wrong.FIELD, Code.BAD_PARAMETER, str(error))
    except BadInput as error:
        failure = Failure(Wrong.UNREADABLE, Code.BAD_PARAMETER, str(error))
    except Refused as error:
        failure = Failure(Wrong.REFUSED, error.code, interface.form.told(error))
    except Exception:
        log.exception("interface failed", interface=interface.name, caller=request.state.caller)
        request.state.outcome = Wrong.BROKEN.value
        return dialect.failure(interface, Failure(Wrong.BROKEN, Code.INTERNAL))
    else:
        request.state.outcome = SERVED
        request.scope.get("extensions", {}).get(SERVED_CALLER, _nobody)()
        log.debug("interface served", interface=interface.name, caller=request.state.caller)
        return answer if isinstance(answer, Response) else dialect.success(interface, answer)
    request.state.outcome = failure.wrong.value
    log.info(
        "interface refused",
        interface=interface.name,
        caller=request.state.caller,
        code=failure.code.value,
        why=failure.why,
        per=(interface.name, request.state.caller, failure.code),
    )
    return dialect.failure(interface, failure)


class Place(BaseRoute):
    """One path, with the interfaces behind its verbs."""

    def __init__(self, interfaces: Sequence[Interface], dialect: Dialect[Any]) -> None:
        self.path = interfaces[0].path
        self.interfaces = {verb: interface for interface in interfaces for verb in interface.verbs}
        if len(self.interfaces) != sum(len(interface.verbs) for interface in interfaces):
            raise ValueError(f"two interfaces claim the same verb of {self.path}")
        for one in interfaces:
            if not one.open and one.stranger not in one.codes:
                raise ValueError(f"{one.path} must be able to say that its caller is not known")
        self._dialect = dialect
        self._pattern = _caseless(compile_path(self.path)[0].pattern)

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Whether the path is this one; of any verb, for the place answers for all."""
        found = self._pattern.match(scope["path"]) if scope["type"] == "http" else None
        return (Match.NONE, {}) if found is None else (Match.FULL, {"path_params": found.groupdict()})

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer: 405 in the family's form to a verb that none of its interfaces has."""
        interface = self.interfaces.get(scope["method"])
        if interface is None:
            allow = ", ".join(sorted(self.interfaces)).encode()
            response = self._dialect.family.at_fault(Fault.WRONG_VERB, (b"Allow", allow))
        else:
            response = await answered(interface, self._dialect, Request(scope, receive))
        await response(scope, receive, send)


@cache
def _caseless(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)


class Places(BaseRoute):
    """All places of a family (some 200), found by the literal segments that their paths begin with."""

    def __init__(self, interfaces: Iterable[Interface], dialect: Dialect[Any]) -> None:
        by_path: dict[str, list[Interface]] = {}
        for interface in interfaces:
            by_path.setdefault(interface.path.lower(), []).append(interface)
        self.places = [Place(by_path[path], dialect) for path in sorted(by_path, key=_literals_first)]
        self._depth = min(place.path.partition("/{")[0].count("/") for place in self.places)
        self._by_beginning: dict[str, list[Place]] = {}
        for place in self.places:
            self._by_beginning.setdefault(self._beginning(place.path), []).append(place)

    def _beginning(self, path: str) -> str:
        return "/".join(path.lower().split("/", self._depth + 1)[: self._depth + 1])

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Finds the place of a path, in the order in which they must be tried."""
        if scope["type"] == "http":
            for place in self._by_beginning.get(self._beginning(scope["path"]), ()):
                match, child = place.matches(scope)
                if match is Match.FULL:
                    return match, {**child, "sottovoce.place": place}
        return Match.NONE, {}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand on to the place found."""
        place: Place = scope["sottovoce.place"]
        await place.handle(scope, receive, send)


def _literals_first(path: str) -> list[tuple[bool, str]]:
    return [(segment.startswith("{"), segment) for segment in path.split("/")]
