"""One leg in the door's books, and the queue in which its media is set up, changed and closed."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import structlog

from sottovoce.config import TrunkSettings
from sottovoce.domain.directory import VdnId
from sottovoce.domain.legs import LegAddress, LegId, RemoteMedia
from sottovoce.doors.sip.hops import Hop
from sottovoce.doors.sip.ports import Account
from sottovoce.doors.sip.session import Session
from sottovoce.tasks import Tasks

log = structlog.get_logger(__name__)

PATIENCE = 5.0
"""Seconds that one step may take: a media engine that hangs must not keep a leg for ever."""


@dataclass(frozen=True, slots=True)
class Target:
    """One way to ring somebody."""

    uri: str
    hop: Hop
    account: Account | None = None
    nat: bool = False
    trunk: TrunkSettings | None = None
    proxied: bool = False
    routes: tuple[str, ...] = ()
    """The Path of a registered phone."""


class SipLeg:
    """A leg's state at the door."""

    def __init__(self, id: LegId, vdn: VdnId, tasks: Tasks, on_stuck: Callable[[LegId], None]) -> None:
        self.id = id
        self.vdn = vdn
        self.session: Session | None = None
        self.targets: list[Target] = []
        """Where else it can be rung."""
        self.caller = ""
        self.trunk = ""
        self.proxied = False
        """Whether it was rung through the outbound proxy."""
        self.address: LegAddress | None = None
        self.remote: RemoteMedia | None = None
        self.media_open = False
        self.announced = False
        """Whether the floor knows it, and so is owed LegGone."""
        self.rang = False
        self.keys_in_media = False
        """Whether keys came as RFC 4733 events: a phone that sends INFO as well means the same keys."""
        self.ending = False
        """LegGone is on its way; nothing else is said any more."""
        self._tasks = tasks
        self._on_stuck = on_stuck
        self._steps: deque[Callable[[], Awaitable[None]]] = deque()
        self._worker: asyncio.Task[None] | None = None

    def then(self, step: Callable[[], Awaitable[None]]) -> None:
        """Do `step` after all that was asked before."""
        self._steps.append(step)
        if self._worker is None:
            self._worker = self._tasks.spawn(self._work(), name=f"leg {self.id}")

    async def settled(self) -> None:
        """Wait until nothing is left to do."""
        while self._worker is not None:
            await asyncio.wait([self._worker])

    async def _work(self) -> None:
        try:
            while self._steps:
                step = self._steps.popleft()
                try:
                    async with asyncio.timeout(PATIENCE):
                        await step()
                except TimeoutError:
                    log.error("media engine does not answer", leg=self.id)
                    self._on_stuck(self.id)
                except Exception:
                    log.exception("leg's step failed", leg=self.id)
                    self._on_stuck(self.id)
        finally:
            self._worker = None
