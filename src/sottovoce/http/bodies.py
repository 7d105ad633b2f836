"""A request's body, read whole within bounds: of who is no caller a little, of all so much at a time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from starlette.types import Receive, Scope

from sottovoce.http.family.answer import BODY_REFUSED, Fault
from sottovoce.http.peers import Portions
from sottovoce.plain import natural

BODY_ARRIVED = "sottovoce.body_arrived"
"""ASGI scope extension: a function that says whether all of the body is there already."""


@dataclass(frozen=True, slots=True)
class BodyLimits:
    """Bounds in bytes and seconds."""

    stranger_bytes: int = 4 << 10
    """Of who is no caller: sign-in and tokens need no more."""
    stranger_s: float = 10.0
    body_bytes: int = 1 << 20
    body_s: float = 30.0
    discard_bytes: int = 16 << 20
    """How much of a body that is too large is read and thrown away, so that its sender reads the answer."""
    waiting: int = 1024
    """Bodies that come at the same time; of one source a sixteenth."""
    kept_bytes: int = 64 << 20
    """Of all larger bodies at the same time; of one source an eighth."""


class Gone(Exception):
    """The client left before its body was whole."""


@dataclass(slots=True)
class Body:
    """What was kept of a body, or what is wrong with it."""

    kept: bytes = b""
    fault: Fault | None = None


class Bodies:
    """Reads them; one for all requests."""

    def __init__(self, limits: BodyLimits) -> None:
        self._limits = limits
        self._waiting = Portions(limits.waiting, max(1, limits.waiting // 16))
        self._bytes = Portions(limits.kept_bytes, max(limits.body_bytes, limits.kept_bytes // 8))

    @asynccontextmanager
    async def read(
        self, scope: Scope, receive: Receive, source: str, known: Callable[[], Awaitable[bool]]
    ) -> AsyncIterator[Body]:
        """The whole body, which counts as kept until the block ends. `known` says whether the headers show a
        caller; it is asked about larger bodies alone. Raises Gone.
        """
        announced = _announced(scope)
        if announced == 0:
            yield Body()
            return
        arrived = scope.get("extensions", {}).get(BODY_ARRIVED, _never)()
        if not arrived and not self._waiting.take(source):
            yield Body(fault=Fault.OVERLOADED)
            return
        reading = _Reading(self._limits, self._bytes, source, receive, known)
        try:
            try:
                body = await reading.whole(scope, announced)
            finally:
                self._waiting.give_back(source, not arrived)
            yield body
        finally:
            self._bytes.give_back(source, reading.held)


class _Reading:
    """One body on its way."""

    def __init__(
        self,
        limits: BodyLimits,
        budget: Portions,
        source: str,
        receive: Receive,
        known: Callable[[], Awaitable[bool]],
    ) -> None:
        self._limits, self._budget, self._source = limits, budget, source
        self._receive, self._known = receive, known
        self._kept = bytearray()
        self.held = 0
        """Bytes that the budget was charged."""

    async def whole(self, scope: Scope, announced: int | None) -> Body:
        """Read it. None: how long it is was not announced."""
        limits = self._limits
        caller: bool | None = None
        total, more = 0, True
        if announced is not None and announced > limits.stranger_bytes:
            caller = await self._known()
            if not caller and _waits_to_send(scope):
                scope[BODY_REFUSED] = True
                return Body()
            if announced > limits.discard_bytes:
                return Body(fault=Fault.BODY_TOO_LARGE)
        try:
            async with asyncio.timeout(limits.body_s if caller else limits.stranger_s) as patience:
                while more:
                    message = await self._receive()
                    if message["type"] == "http.disconnect":
                        raise Gone
                    chunk: bytes = message.get("body", b"")
                    more = message.get("more_body", False)
                    total += len(chunk)
                    if total > limits.stranger_bytes and caller is None:
                        caller = await self._known()
                        if caller:
                            patience.reschedule(asyncio.get_running_loop().time() + limits.body_s)
                    if total > limits.discard_bytes:
                        return Body(fault=Fault.BODY_TOO_LARGE)
                    if not self._keep(chunk, total, bool(caller)):
                        return Body(fault=Fault.OVERLOADED)
        except TimeoutError:
            return Body(fault=Fault.BODY_TOO_SLOW)
        if total > limits.body_bytes:
            return Body(fault=Fault.BODY_TOO_LARGE)
        if total > limits.stranger_bytes and not caller:
            scope[BODY_REFUSED] = True
        return Body(bytes(self._kept))

    def _keep(self, chunk: bytes, total: int, caller: bool) -> bool:
        """Keep the chunk, if so much is kept of anybody; whether the budget allows it."""
        if total <= self._limits.stranger_bytes:
            self._kept += chunk
        elif not caller or total > self._limits.body_bytes:
            self._kept.clear()
        else:
            if not self._budget.take(self._source, total - self.held):
                return False
            self.held = total
            self._kept += chunk
        return True


def _never() -> bool:
    return False


def _announced(scope: Scope) -> int | None:
    """How long the body is said to be, in bytes; None: it comes in chunks, or says so in no number."""
    headers = dict(scope["headers"])
    if b"transfer-encoding" in headers:
        return None
    return natural(headers.get(b"content-length", b"0").decode("latin-1"))


def _waits_to_send(scope: Scope) -> bool:
    return any(name == b"expect" and value.lower() == b"100-continue" for name, value in scope["headers"])
