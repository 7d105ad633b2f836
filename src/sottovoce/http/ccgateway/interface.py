"""What an interface of the gateway is: path, verbs, log name, form, listed codes, and its use case.

The per-family modules declare interfaces; `router` makes routes of them. A caller exists only once his
Guid has been found valid for the agent id in the path: a use case cannot be reached without one.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from starlette.responses import Response

from sottovoce.clock import Clock
from sottovoce.domain.directory import AgentId
from sottovoce.http.ccgateway.decode import AgentIds, Form, FormT
from sottovoce.http.ccgateway.retcodes import ALWAYS, NOT_SIGNED_IN, SUCCESS
from sottovoce.http.family.answer import JSON_TYPE
from sottovoce.live.desk import Desk
from sottovoce.tasks import Tasks

BASE = "/agentgateway/resource"


@dataclass(frozen=True, slots=True)
class GatewaySettings:
    """How the gateway shows itself."""

    agent_ids: AgentIds = field(default_factory=AgentIds)
    poll_wait_s: float = 10.0
    """How long a poll hangs; clients give up after 20 s [C#h]."""
    event_times: bool = False
    """Whether events carry `eventGenTime`, as the newest pages show [1357]."""
    server_name: str = "AgentGateway"


@dataclass(slots=True, eq=False)
class Gateway:
    """What interfaces reach."""

    desk: Desk
    clock: Clock
    tasks: Tasks
    settings: GatewaySettings = field(default_factory=GatewaySettings)
    hanging: set[asyncio.Task[Any]] = field(default_factory=set)
    """What the polls that hang now wait for."""
    stopping: bool = False

    @property
    def poll_wait_s(self) -> float:
        """How long a poll may hang now."""
        return 0.0 if self.stopping else self.settings.poll_wait_s

    def end_polls(self) -> None:
        """The server stops: every hanging poll is answered with nothing, and none hangs any more."""
        self.stopping = True
        for waiting in self.hanging:
            waiting.cancel()


@dataclass(frozen=True, slots=True)
class Caller:
    """The agent of the path; signed in with a valid Guid, unless the interface is a sign-in."""

    agent: AgentId
    gateway: Gateway

    @property
    def desk(self) -> Desk:
        return self.gateway.desk


NOTHING = object()
"""No `result` key at all, which is not the same as an empty one."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A success: its `result` and the headers that come with it."""

    result: object = field(default_factory=dict)
    guid: str | None = None
    """A Guid to hand out."""


DONE = Answer()
"""Success with the empty, reserved `result`."""
BARE = Answer(NOTHING)
"""Success without a `result`."""

Serve = Callable[[Caller, FormT], Awaitable[Answer | Response]]


@dataclass(frozen=True, slots=True)
class Interface:
    """One row of the ledger, served."""

    path: str
    """Below `BASE`; the segment after the family's word names the agent."""
    verbs: tuple[str, ...]
    name: str
    """The method's name in logs, as its page prints it."""
    serve: Serve[Any]
    form: type[Form]
    errors: tuple[str, ...]
    """What its page lists."""
    inferred: tuple[str, ...]
    """What no page lists for it, but is answered (the reasons stand in the ledger)."""
    message: str
    """Of a success."""
    open: bool
    """Needs no caller: sign-in."""

    @property
    def listed(self) -> frozenset[str]:
        """Every code that it may answer besides `ALWAYS`."""
        return frozenset(self.errors) | frozenset(self.inferred)

    @property
    def agent_field(self) -> str | None:
        """The path variable that holds the caller's agent id."""
        words = self.path.split("/")
        return words[2].strip("{}") if len(words) > 2 and words[2].startswith("{") else None

    def allows(self, code: str) -> bool:
        """Whether it may answer `code`."""
        return code in self.listed or code in ALWAYS or code == SUCCESS


class Interfaces:
    """The interfaces of one family word (`onlineagent`, `qualitycontrol` …), in the order declared."""

    def __init__(self, word: str) -> None:
        self.word = word
        self._declared: list[Interface] = []

    def __iter__(self) -> Iterator[Interface]:
        return iter(self._declared)

    def serves(
        self,
        verbs: str,
        tail: str,
        name: str,
        form: type[FormT],
        *,
        errors: tuple[str, ...] = (),
        inferred: tuple[str, ...] = (),
        message: str = "",
        open: bool = False,
    ) -> Callable[[Serve[FormT]], Serve[FormT]]:
        """Declare that the decorated use case serves `verbs` (blank-separated) on this path."""

        def declare(serve: Serve[FormT]) -> Serve[FormT]:
            path = f"/{self.word}/{{agentid}}{tail}"
            if NOT_SIGNED_IN not in errors + inferred and not open:
                raise ValueError(f"{path} must be able to say that its caller is not signed in")
            self._declared.append(
                Interface(path, tuple(verbs.split()), name, serve, form, errors, inferred, message, open)
            )
            return serve

        return declare


def encode(message: str, code: str, extra: Mapping[str, object] | None = None) -> bytes:
    """An answer's bytes: `message` first, then `retcode`, no blanks, no line break (C# compares them)."""
    body = {"message": message, "retcode": code, **(extra or {})}
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


def headers(body: bytes, guid: str | None = None) -> list[tuple[bytes, bytes]]:
    """Response headers in the case that clients compare. `guid` goes out as `Guid` and as `Set-GUID`."""
    raw = [(b"Content-Type", JSON_TYPE), (b"Content-Length", str(len(body)).encode())]
    if guid is not None:
        raw += [(b"Guid", guid.encode()), (b"Set-GUID", b"JSESSIONID=" + guid.encode())]
    return raw


def respond(body: bytes, guid: str | None = None) -> Response:
    """HTTP 200: business failures travel so too, or Java and C# clients never see their retcode."""
    response = Response(body)
    response.raw_headers = headers(body, guid)
    return response
