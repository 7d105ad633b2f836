"""Each agent's event queue, and the two ways out of it: the long poll, or a push. An agent has one of them.

An event leaves the queue only when its answer is written (`delivered`); a poll that is cancelled takes
nothing; a second poll of the same agent ends the first at once with None. Ids increase by one and are never
given twice in this process.

In a full queue the oldest event gives way. The wire has no word for that: a poll (`next`) goes on with the
newest, and the documented repair is syncagentinfo. A reader in this process (`read`) is told by `Overflowed`
and takes a snapshot, after which it has missed nothing. The log has a line for each queue that overflows,
and `dropped` counts the events.

The queue of an agent who asked for a push is a `PushQueue` in the hands of whoever pushes; a poll is refused.
"""

from __future__ import annotations

import asyncio
import itertools
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

import structlog

from sottovoce.domain.directory import AgentId
from sottovoce.domain.events import AgentEvent
from sottovoce.errors import Code, Refused
from sottovoce.live.views import QueuedEvent

log = structlog.get_logger(__name__)

HANDED_OUT_S = 1.0
"""How long a poll waits for the fate of an event whose answer another poll is just writing."""


@dataclass(frozen=True, slots=True)
class Overflowed:
    """So many events gave way since the last snapshot: only a new one tells what is true."""

    missed: int


class _Queue:
    def __init__(self, last: int) -> None:
        self.missed = 0
        self.events: deque[QueuedEvent] = deque()
        self.last = last
        self.poll: asyncio.Future[bool] | None = None
        self.handed_out: int | None = None
        self.settled: asyncio.Event = asyncio.Event()
        self.pushed: PushQueue | None = None

    def wake(self, *, take: bool) -> None:
        if self.poll is not None and not self.poll.done():
            self.poll.set_result(take)

    def settle(self) -> None:
        self.handed_out = None
        self.settled.set()


class PushQueue:
    """What waits for an agent to whom events are pushed, to be taken in order; it outlives the sign-out."""

    def __init__(self, agent: AgentId, to: str, events: deque[QueuedEvent]) -> None:
        self.agent = agent
        self.to = to
        """Where to, sealed (`SignIn.push`); it may change meanwhile."""
        self._events = events
        self._changed = asyncio.Event()
        self.over = asyncio.Event()
        """The agent signed out, or in anew: nothing more will wait."""

    async def waiting(self, most: int) -> Sequence[QueuedEvent]:
        """The oldest events, `most` of them, waiting for one; none when there will be none any more."""
        while not self._events and not self.over.is_set():
            self._changed.clear()
            await self._changed.wait()
        return list(itertools.islice(self._events, most))

    def again(self, last: int) -> Sequence[QueuedEvent]:
        """What is still there of the events up to the one with this id."""
        return list(itertools.takewhile(lambda event: event.id <= last, self._events))

    def delivered(self, last: int) -> None:
        """The events up to the one with this id arrived."""
        while self._events and self._events[0].id <= last:
            self._events.popleft()

    def changed(self) -> None:
        """Another event waits."""
        self._changed.set()

    def end(self, *, drop: bool) -> None:
        """The agent signed out: what waits is told, and no more. Or in anew (`drop`): nothing is."""
        if drop:
            self._events.clear()
        self.over.set()
        self._changed.set()


class Feed:
    """All queues of the process; `capacity` events each."""

    def __init__(self, capacity: int = 1000) -> None:
        self._capacity = capacity
        self._queues: dict[AgentId, _Queue] = {}
        self._last: dict[AgentId, int] = {}
        self.dropped = 0
        """Events that gave way in full queues, of all agents since the start."""
        self.pushes: Callable[[PushQueue], bool] = lambda pushed: False
        """Takes the queue of one who asks for a push; False where it cannot: the agent polls."""

    def open(self, agent: AgentId, to: str = "") -> None:
        """An empty queue; a poll that hangs at the former one ends with None. Events are pushed `to`, a
        sealed destination, or polled."""
        self._close(agent, drop=True)
        queue = self._queues[agent] = _Queue(self._last.get(agent, 0))
        pushed = PushQueue(agent, to, queue.events)
        if to and self.pushes(pushed):
            queue.pushed = pushed

    def redirect(self, agent: AgentId, to: str) -> None:
        """Push `to` there from now on."""
        queue = self._queues.get(agent)
        if queue is not None and queue.pushed is not None:
            queue.pushed.to = to

    def close(self, agent: AgentId) -> None:
        """No more events; a hanging poll still gets what waits for it, else None; what is to be pushed is."""
        self._close(agent, drop=False)

    def _close(self, agent: AgentId, *, drop: bool) -> None:
        queue = self._queues.pop(agent, None)
        if queue is not None:
            if queue.pushed is not None:
                queue.pushed.end(drop=drop)
            self._last[agent] = queue.last
            queue.wake(take=False)
            queue.settle()

    def offer(self, event: AgentEvent, at: datetime) -> None:
        """Put an event at the end of its agent's queue; dropped when the agent is not signed in."""
        queue = self._queues.get(event.agent)
        if queue is None:
            return
        if len(queue.events) >= self._capacity:
            gone = queue.events.popleft()
            queue.missed += 1
            self.dropped += 1
            if queue.missed == 1:
                log.warning("event queue full, the oldest give way", agent=event.agent, first=gone.id)
        queue.last += 1
        queue.events.append(QueuedEvent(queue.last, event, at))
        queue.wake(take=True)
        if queue.pushed is not None:
            queue.pushed.changed()

    def polling(self, agent: AgentId) -> bool:
        """Whether a poll of this agent hangs now."""
        queue = self._queues.get(agent)
        return queue is not None and queue.poll is not None

    async def next(self, agent: AgentId, wait_s: float) -> QueuedEvent | None:
        """The head of the queue, waiting for one up to `wait_s`. Raises NOT_SIGNED_IN, EVENTS_PUSHED."""
        queue = self._queues.get(agent)
        if queue is None:
            raise Refused(Code.NOT_SIGNED_IN, f"agent {agent} has no event queue")
        if queue.pushed is not None:
            raise Refused(Code.EVENTS_PUSHED, f"agent {agent} asked for a push")
        queue.wake(take=False)
        poll: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        queue.poll = poll
        try:
            if queue.handed_out is not None:
                await self._await_fate(queue)
            if queue.poll is not poll:
                return None
            if not queue.events:
                async with asyncio.timeout(wait_s):
                    await poll
            if queue.poll is not poll or not queue.events:
                return None
            queue.handed_out = queue.events[0].id
            queue.settled.clear()
            return queue.events[0]
        except TimeoutError:
            return None
        finally:
            if queue.poll is poll:
                queue.poll = None

    async def read(self, agent: AgentId, wait_s: float) -> QueuedEvent | Overflowed | None:
        """As `next`, but never past a gap: `Overflowed` until `empty` tells that a snapshot is taken."""
        found = await self.next(agent, 0.0 if self._missed(agent) else wait_s)
        if missed := self._missed(agent):
            if found is not None:
                self.returned(agent, found.id)
            return Overflowed(missed)
        return found

    def _missed(self, agent: AgentId) -> int:
        queue = self._queues.get(agent)
        return 0 if queue is None else queue.missed

    async def _await_fate(self, queue: _Queue) -> None:
        try:
            async with asyncio.timeout(HANDED_OUT_S):
                await queue.settled.wait()
        except TimeoutError:
            queue.settle()

    def delivered(self, agent: AgentId, event_id: int) -> None:
        """That event's answer is written: it, and what came before it, leaves the queue."""
        queue = self._queues.get(agent)
        if queue is None:
            return
        while queue.events and queue.events[0].id <= event_id:
            queue.events.popleft()
        if queue.handed_out is not None and queue.handed_out <= event_id:
            queue.settle()

    def returned(self, agent: AgentId, event_id: int) -> None:
        """That event's answer was not written: it stays at the head."""
        queue = self._queues.get(agent)
        if queue is not None and queue.handed_out == event_id:
            queue.settle()

    def empty(self, agent: AgentId) -> int:
        """A snapshot is taken: forget what waits and what gave way; the id of the last event there was."""
        queue = self._queues.get(agent)
        if queue is None:
            return self._last.get(agent, 0)
        queue.events.clear()
        queue.missed = 0
        return queue.last
