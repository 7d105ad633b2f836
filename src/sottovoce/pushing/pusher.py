"""Empties the queues of those who asked for a push: each in order, one request at a time.

A request that failed is sent again, the same events in it, until it arrives: an event can come twice when its
answer was lost, and none comes before another that was before it.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from typing import Protocol

import structlog

from sottovoce.clock import Clock
from sottovoce.config import PushSettings
from sottovoce.domain.destinations import Push, Way, check, check_token
from sottovoce.domain.directory import AgentId
from sottovoce.errors import Refused
from sottovoce.live.desk import Desk
from sottovoce.live.feed import PushQueue
from sottovoce.live.views import QueuedEvent
from sottovoce.pushing.course import Course, Turn
from sottovoce.pushing.posting import Posting, Unsent
from sottovoce.pushing.seals import Broken, Seals
from sottovoce.tasks import Tasks

log = structlog.get_logger(__name__)

MOST_AT_ONCE = {Way.LIST: 20, Way.SINGLE: 1}
"""Events in one request."""


class Spelling(Protocol):
    """How a request is spelt."""

    def request(
        self, push: Push, agent: AgentId, events: Sequence[QueuedEvent]
    ) -> tuple[Sequence[tuple[bytes, bytes]], bytes] | None:
        """Its headers and its body; None where none of the events has a spelling."""
        ...

    def taken(self, answer: bytes) -> bool:
        """Whether the far side says that it took the events."""
        ...


class Pusher:
    """All pushes of this process."""

    def __init__(
        self, desk: Desk, settings: PushSettings, seals: Seals, wire: Spelling, clock: Clock, tasks: Tasks
    ) -> None:
        self._desk, self._settings, self._seals, self._wire = desk, settings, seals, wire
        self._clock, self._tasks = clock, tasks
        self._posting = Posting(settings)
        self._running: dict[AgentId, asyncio.Task[None]] = {}
        desk.feed.pushes = self._begin

    def admit(self, agent: AgentId, push: Push) -> str:
        """The destination, sealed, of an agent who signs in. Raises Refused(BAD_SIGN_IN)."""
        check(push, self._settings.allowed)
        return self._seals.seal(agent, push)

    def with_token(self, agent: AgentId, sealed: str, token: str) -> str:
        """The same destination with another token; as it was where that is no news. Refused(BAD_SIGN_IN)."""
        check_token(token)
        push = self._opened(agent, sealed)
        if push is None or push.way is not Way.LIST or push.token == token:
            return sealed
        return self._seals.seal(agent, Push(push.way, push.url, token))

    async def close(self) -> None:
        """The server stops: what is not delivered is lost, as with a poll."""
        for task in self._running.values():
            task.cancel()
        await asyncio.gather(*self._running.values(), return_exceptions=True)
        await self._posting.close()

    def _opened(self, agent: AgentId, sealed: str) -> Push | None:
        """The destination, where it can be read and is still on the list."""
        try:
            push = self._seals.open(agent, sealed)
            check(push, self._settings.allowed)
        except Broken:
            log.warning("push not taken up: sealed by another key; the client may poll", agent=agent)
        except Refused as refused:
            log.warning("push not taken up; the client may poll", agent=agent, why=refused.why)
        else:
            return push
        return None

    def _begin(self, queue: PushQueue) -> bool:
        """Push from now on, once what is on its way of the session before has ended."""
        push = self._opened(queue.agent, queue.to)
        if push is None:
            return False
        before, most = self._running.get(queue.agent), MOST_AT_ONCE[push.way]
        task = self._tasks.spawn(self._push(queue, most, before), name=f"push {queue.agent}")
        self._running[queue.agent] = task
        task.add_done_callback(lambda done: self._ended(queue.agent, done))
        return True

    def _ended(self, agent: AgentId, task: asyncio.Task[None]) -> None:
        if self._running.get(agent) is task:
            del self._running[agent]

    async def _push(self, queue: PushQueue, most: int, before: asyncio.Task[None] | None) -> None:
        if before is not None:
            await asyncio.wait([before])
        course, failed = Course(self._settings.give_up), 0
        while events := queue.again(failed) or await queue.waiting(most):
            if await self._arrived(queue, events, course):
                continue
            if queue.over.is_set():
                return  # signed out: what could not be told at once is not told
            failed = events[-1].id
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._settings.retry):
                    await queue.over.wait()

    async def _arrived(self, queue: PushQueue, events: Sequence[QueuedEvent], course: Course) -> bool:
        """Whether one attempt arrived; tells the desk what it says of the agent."""
        agent, began = queue.agent, self._clock.monotonic()
        try:
            await self._sent(self._seals.open(agent, queue.to), agent, events)
        except Unsent as failure:
            log.warning("push failed", agent=agent, reason=str(failure), per=agent)
            arrived, turn = False, course.failed(began, self._clock.monotonic())
        else:
            queue.delivered(events[-1].id)
            arrived, turn = True, course.succeeded()
        if turn is not Turn.NONE and not queue.over.is_set():  # else it would speak of the session after
            log.warning("push given up" if turn is Turn.LOST else "push arrives again", agent=agent)
            with contextlib.suppress(Refused):  # configured no more
                self._desk.push_changed(agent, arrives=arrived)
        return arrived

    async def _sent(self, push: Push, agent: AgentId, events: Sequence[QueuedEvent]) -> None:
        """Raises Unsent."""
        request = self._wire.request(push, agent, events)
        if request is None:
            return
        url = check(push, self._settings.allowed)
        if not self._wire.taken(await self._posting.post(url, *request)):
            raise Unsent(f"{url.host}: an answer that does not say success")
