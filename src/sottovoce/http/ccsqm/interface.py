"""What an interface of the quality family is, and how its answers are written.

The per-module files declare interfaces; `router` makes routes of them. A use case is reached with a
`Visit`, which exists only once the token has been found valid and the user to be of its tenant.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from starlette.responses import Response

from sottovoce.domain.people import AppKey
from sottovoce.domain.rights import Operation
from sottovoce.errors import Code
from sottovoce.http.ccsqm.codes import MEANING, SUCCESSFUL, Module
from sottovoce.http.ccsqm.decode import Form, FormT
from sottovoce.http.edge import JSON_TYPE
from sottovoce.quality.office import Caller, Office

SQM = "/apiaccess/CCSQM/rest/ccisqm/v1"
ISQM = "/apiaccess/CCISQM/rest/ccisqm/v1"


@dataclass(frozen=True, slots=True)
class SqmSettings:
    """How the quality family shows itself."""

    numeric_ids: bool = False
    """Whether ids that a page types Number are answered as numbers (most clients then lose digits)."""


@dataclass(frozen=True, slots=True)
class Visit:
    """One request's way to the use cases."""

    office: Office
    app: AppKey
    caller: Caller
    """The user named; of an interface of CC-iSQM, which names none, the app itself."""


class NumberId(str):
    """An id in an answer whose page types it Number: a text, unless the settings want a number."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A success."""

    content: Any = field(default_factory=dict)
    """Fields beside `resultCode` and `resultDesc`; the whole body where `coded` is False."""
    coded: bool = True


DONE = Answer()

Serve = Callable[[Visit, FormT], Awaitable[Answer]]


@dataclass(frozen=True, slots=True)
class Interface:
    """One row of a ledger, served."""

    path: str
    """The whole one."""
    name: str
    module: Module
    form: type[Form]
    serve: Serve[Any]
    operation: Operation | None
    """Whose line of the rights' table holds; None: every app with a token (CC-iSQM)."""
    user_required: bool
    """Whether all editions of its page want x-UserId; else the app's own user acts where it is absent."""
    failures: tuple[Code, ...]
    """What it may decline with, besides what every interface may."""


ALWAYS = (
    Code.BAD_PARAMETER,
    Code.NOBODY,
    Code.NO_RIGHT,
    Code.UNAVAILABLE,
    Code.INTERNAL,
)
"""What every interface may decline with."""


class Interfaces:
    """The interfaces of one part of the path (`qualitytask`, `appraisecall` …), in the order declared."""

    def __init__(self, prefix: str, part: str, module: Module) -> None:
        self.prefix, self.part, self.module = prefix, part, module
        self._declared: list[Interface] = []

    def __iter__(self) -> Iterator[Interface]:
        return iter(self._declared)

    def serves(
        self,
        name: str,
        form: type[FormT],
        operation: Operation | None,
        *failures: Code,
        user_required: bool = False,
    ) -> Callable[[Serve[FormT]], Serve[FormT]]:
        """Declare that the decorated use case serves POST on the path that ends with `name`."""

        def declare(serve: Serve[FormT]) -> Serve[FormT]:
            self._declared.append(
                Interface(
                    f"{self.prefix}/{self.part}/{name}",
                    name,
                    self.module,
                    form,
                    serve,
                    operation,
                    user_required,
                    failures,
                )
            )
            return serve

        return declare


def seconds(at: datetime | None) -> int | None:
    """A time in whole seconds since the epoch."""
    return None if at is None else int(at.timestamp())


def milliseconds(at: datetime | None) -> int | None:
    """A time in milliseconds since the epoch."""
    return None if at is None else round(at.timestamp() * 1000)


def success(module: Module, answer: Answer, settings: SqmSettings) -> Response:
    """HTTP 200 with what was asked for."""
    content = answer.content
    if answer.coded:
        content = {"resultCode": module.success, "resultDesc": SUCCESSFUL, **content}
    return respond(_numbers(content) if settings.numeric_ids else content)


def failure(module: Module, reason: Code, detail: str = "", status: int = 200) -> Response:
    """A failure in the family's form: HTTP 200 unless it is the request itself that is wrong."""
    return respond({"resultCode": module.code(reason), "resultDesc": detail or MEANING[reason]}, status)


def respond(content: Any, status: int = 200) -> Response:
    """A JSON answer; absent optional values are null, as in the pages' examples."""
    body = json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()
    response = Response(body, status)
    response.raw_headers = [(b"Content-Type", JSON_TYPE), (b"Content-Length", str(len(body)).encode())]
    return response


def _numbers(value: Any) -> Any:
    if isinstance(value, NumberId):
        return int(value)
    if isinstance(value, Mapping):
        return {name: _numbers(item) for name, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_numbers(item) for item in value]
    return value
