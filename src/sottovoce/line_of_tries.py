"""The line in which those wait whose password or token is looked at, which costs something: it is bounded.

Known people go before strangers, and each source takes its turn, so that whoever sends many waits behind
themselves. One more than the line holds is refused at once.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from collections.abc import AsyncIterator, Callable, Hashable
from contextlib import asynccontextmanager

from sottovoce.errors import Code, Refused

AT_ONCE = 2
"""As many are looked at together; of strangers one, so that a known person never waits for two of them."""
KNOWN_SOURCES = 2048
STRANGE_SOURCES = 16
"""Sources that wait at the same time, where nothing else is said: a password's check takes 0.25 s."""
OF_ONE_SOURCE = 256
"""Who waits from one of them."""


class _Waiting:
    """Who waits, by source."""

    def __init__(self, most_sources: int) -> None:
        self._most_sources = most_sources
        self._sources: OrderedDict[Hashable, deque[asyncio.Future[None]]] = OrderedDict()

    def enter(self, source: Hashable) -> asyncio.Future[None]:
        line = self._sources.get(source)
        if len(self._sources) >= self._most_sources if line is None else len(line) >= OF_ONE_SOURCE:
            raise Refused(Code.UNAVAILABLE, "too many at once")
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._sources.setdefault(source, deque()).append(turn)
        return turn

    def next(self) -> bool:
        """Give the next source its turn; whether somebody waited."""
        while self._sources:
            source, line = self._sources.popitem(last=False)
            turn = line.popleft()
            if line:
                self._sources[source] = line
            if not turn.done():
                turn.set_result(None)
                return True
        return False


class LineOfTries:
    """Enter by `turn`, or by `enter`; see the module."""

    def __init__(self, strange_sources: int = STRANGE_SOURCES) -> None:
        self._known, self._strangers = _Waiting(KNOWN_SOURCES), _Waiting(strange_sources)
        self._served = self._strangers_served = 0

    @asynccontextmanager
    async def turn(self, source: Hashable, *, known: bool) -> AsyncIterator[None]:
        """Wait, then be served until the block ends. Refused(UNAVAILABLE) at once where the line is full."""
        over = await self.enter(source, known=known)
        try:
            yield
        finally:
            over()

    async def enter(self, source: Hashable, *, known: bool) -> Callable[[], None]:
        """The same, until what it returns is called; later calls of that do nothing."""
        turn = (self._known if known else self._strangers).enter(source)
        served = True

        def over() -> None:
            nonlocal served
            if served and turn.done() and not turn.cancelled():
                self._served -= 1
                self._strangers_served -= not known
                self._serve()
            served = False

        self._serve()
        try:
            await turn
        except asyncio.CancelledError:
            over()
            raise
        return over

    def _serve(self) -> None:
        while self._served < AT_ONCE:
            if self._known.next():
                self._served += 1
            elif not self._strangers_served and self._strangers.next():
                self._served += 1
                self._strangers_served += 1
            else:
                return
