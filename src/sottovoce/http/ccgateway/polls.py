"""The event poll's answer: an event leaves its queue only when the answer that carries it is written.

The body goes out before the response is ended: only so can "the connection still stands after the write"
be told from "it was closed because the response was over". A poll whose client has gone takes nothing.
"""

from __future__ import annotations

import asyncio

import structlog
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from sottovoce.domain.directory import AgentId
from sottovoce.errors import Refused
from sottovoce.http.ccgateway.events import EMPTY_POLL, encode_event
from sottovoce.http.ccgateway.gateway import Caller, Gateway, body_of, guid_headers
from sottovoce.http.ccgateway.retcodes import MEANING, SUCCESS, retcode
from sottovoce.http.edge import CONNECTION_OPEN
from sottovoce.http.family.answer import encode, headers
from sottovoce.live.views import QueuedEvent

log = structlog.get_logger(__name__)

Outcome = QueuedEvent | Refused | None


async def _next_event(gateway: Gateway, agent: AgentId, receive: Receive) -> Outcome:
    """The agent's next event, None after the wait. Raises ConnectionError when the client leaves."""
    waiting = gateway.tasks.spawn(_attempt(gateway, agent), name=f"poll {agent}")
    leaving = gateway.tasks.spawn(_left(receive), name=f"poll {agent} client")
    gateway.hanging.add(waiting)
    try:
        await asyncio.wait({waiting, leaving}, return_when=asyncio.FIRST_COMPLETED)
        if leaving.done():
            raise ConnectionError
        return None if waiting.cancelled() else waiting.result()
    except (ConnectionError, asyncio.CancelledError):
        _give_back(gateway, agent, waiting)
        raise
    finally:
        gateway.hanging.discard(waiting)
        waiting.cancel()
        leaving.cancel()


async def _attempt(gateway: Gateway, agent: AgentId) -> Outcome:
    try:
        return await gateway.desk.next_event(agent, gateway.poll_wait_s)
    except Refused as refused:
        return refused


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _give_back(gateway: Gateway, agent: AgentId, waiting: asyncio.Task[Outcome]) -> None:
    if waiting.done() and not waiting.cancelled():
        outcome = waiting.result()
        if isinstance(outcome, QueuedEvent):
            gateway.desk.feed.returned(agent, outcome.id)


class PollAnswer(Response):
    """Waits for an event and writes it."""

    def __init__(self, caller: Caller) -> None:
        super().__init__()
        self._gateway = caller.gateway
        self._agent = caller.agent
        self._codes = caller.interface.codes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            outcome = await _next_event(self._gateway, self._agent, receive)
        except ConnectionError:
            return
        if isinstance(outcome, QueuedEvent):
            await self._deliver(outcome, scope, send)
        elif isinstance(outcome, Refused):
            code = retcode(outcome.code, self._codes)
            await self._write(send, encode(body_of(MEANING[code], code)), None)
        else:
            await self._write(send, EMPTY_POLL, self._fresh_guid())

    async def _deliver(self, queued: QueuedEvent, scope: Scope, send: Send) -> None:
        desk, settings = self._gateway.desk, self._gateway.settings
        stands = scope.get("extensions", {}).get(CONNECTION_OPEN, lambda: True)
        try:
            event = encode_event(queued, with_time=settings.event_times)
            body = encode(body_of("", SUCCESS, event=event))
        except (KeyError, TypeError, ValueError):
            log.exception("event without a wire form", agent=self._agent, kind=type(queued.event).__name__)
            desk.feed.delivered(self._agent, queued.id)
            await self._write(send, EMPTY_POLL, None)
            return
        written = False
        try:
            await self._begin(send, body, self._fresh_guid())
            await send({"type": "http.response.body", "body": body, "more_body": True})
            written = stands()
        finally:
            if written:
                desk.feed.delivered(self._agent, queued.id)
            else:
                desk.feed.returned(self._agent, queued.id)
        await send({"type": "http.response.body", "body": b""})

    def _fresh_guid(self) -> str | None:
        try:
            return self._gateway.desk.sessions.fresh_guid(self._agent)
        except Refused:
            return None  # signed out meanwhile; the last events still go out

    async def _write(self, send: Send, body: bytes, guid: str | None) -> None:
        await self._begin(send, body, guid)
        await send({"type": "http.response.body", "body": body})

    async def _begin(self, send: Send, body: bytes, guid: str | None) -> None:
        raw = headers(body, *guid_headers(guid))
        await send({"type": "http.response.start", "status": 200, "headers": raw})
