"""What an interface of the gateway is: the caller that reaches it, the form of its answers.

A caller exists only once the Guid has been found valid for the agent id in the path: a use case cannot be
reached without one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from starlette.responses import Response

from sottovoce.clock import Clock
from sottovoce.config import AgentSettings
from sottovoce.domain.directory import AgentId
from sottovoce.http.ccgateway.overload import QueryLimits, is_query
from sottovoce.http.ccgateway.retcodes import NOT_SIGNED_IN
from sottovoce.http.ccgateway.words import AgentIds, Form, FormT
from sottovoce.http.family import declared
from sottovoce.http.family.answer import Header
from sottovoce.live.desk import Desk
from sottovoce.live.inputs import Command
from sottovoce.pushing.pusher import Pusher
from sottovoce.quality.office import Office
from sottovoce.tasks import Tasks

BASE = "/agentgateway/resource"


@dataclass(slots=True, eq=False)
class Gateway:
    """What the interfaces of the gateway reach: the desk, the clock, their settings."""

    desk: Desk
    clock: Clock
    tasks: Tasks
    settings: AgentSettings = field(default_factory=AgentSettings)
    pusher: Pusher | None = None
    """Pushes the events of those who ask for it; without one nobody may ask."""
    office: Office | None = None
    """The after-call half, which has the recordings; None: there is none."""
    hanging: set[asyncio.Task[Any]] = field(default_factory=set)
    """What the polls that hang now wait for."""
    stopping: bool = False
    limits: QueryLimits = field(init=False)

    def __post_init__(self) -> None:
        """The limits are those of the settings."""
        self.limits = QueryLimits(self.settings)

    @property
    def agent_ids(self) -> AgentIds:
        """The agent ids that exist."""
        return AgentIds(self.settings.agent_maximum)

    @property
    def poll_wait_s(self) -> float:
        """How long a poll may hang now; clients give up after 20 s [C#h]."""
        return 0.0 if self.stopping else self.settings.poll_wait

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
    interface: Interface
    """The interface that is asked for."""
    source: str = ""
    """Where the request comes from (`limits.source_of`)."""
    service_token: str = field(default="", repr=False)
    """The header of that name: what pushes are to bring from now on [1204]."""
    goes_on: bool = False
    """Whether it asks for a range of a file that does not hold its begin."""

    @property
    def desk(self) -> Desk:
        """Where to ask for what the agent wants."""
        return self.gateway.desk


NOTHING = object()
"""No `result` key at all, which is not the same as an empty one."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A success: its `result` and the headers that come with it."""

    result: object = field(default_factory=dict)
    guid: str | None = None
    """A Guid to hand out."""


BARE = Answer(NOTHING)
"""Success without a `result`."""

Serve = Callable[[Caller, FormT], Awaitable[Answer | Response | None]]
"""A use case; what returns nothing has the empty, reserved `result`."""


@dataclass(frozen=True, kw_only=True)
class Interface(declared.Interface):
    """One row of the ledger, served."""

    form: type[Form]
    message: str = ""
    """Of a success."""

    @property
    def stranger(self) -> str:
        """The code for who is not signed in."""
        return NOT_SIGNED_IN

    @property
    def query(self) -> bool:
        """Whether it is limited how often this is asked."""
        return is_query(self.path.removeprefix(BASE))

    @property
    def agent_field(self) -> str | None:
        """The path variable that holds the caller's agent id."""
        variable = self.path.removeprefix(BASE).split("/")[2:3]
        return variable[0].strip("{}") if variable and variable[0].startswith("{") else None


class Interfaces(declared.Interfaces[Interface]):
    """The interfaces of one family word (`onlineagent`, `qualitycontrol` …)."""

    def __init__(self, word: str, *, message: str = "", agent_field: str = "agentid") -> None:
        super().__init__()
        self.path = f"{BASE}/{word}/{{{agent_field}}}"
        self.message = message
        """What a success says."""

    def serves(
        self, verbs: str, tail: str, form: type[FormT], *, message: str | None = None
    ) -> Callable[[Serve[FormT]], Serve[FormT]]:
        """Declare that the decorated use case serves `verbs` (blank-separated) on this path."""
        says = self.message if message is None else message
        return self.declare(
            lambda serve: Interface(
                path=self.path + tail, verbs=tuple(verbs.split()), form=form, serve=serve, message=says
            )
        )

    def asks(
        self,
        verbs: str,
        tail: str,
        form: type[FormT],
        command: Callable[[AgentId, FormT], Command],
        *,
        answer: Answer | None = None,
        message: str | None = None,
    ) -> None:
        """Declare that this path has the desk do one command of the caller's, and nothing more."""

        async def asked(caller: Caller, form: FormT) -> Answer | None:
            await caller.desk.ask(command(caller.agent, form))
            return answer

        self.serves(verbs, tail, form, message=message)(asked)


def body_of(message: str, code: str, **extra: object) -> dict[str, object]:
    """An answer's fields: `message` first, then `retcode` (C# compares the text)."""
    return {"message": message, "retcode": code, **extra}


def guid_headers(guid: str | None) -> list[Header]:
    """The headers that hand out a Guid, in the case that clients compare."""
    if guid is None:
        return []
    return [(b"Guid", guid.encode()), (b"Set-GUID", b"JSESSIONID=" + guid.encode())]
