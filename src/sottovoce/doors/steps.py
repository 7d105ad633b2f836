"""What concerns one leg's media, in order: one step after the other, each with an end."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable

import structlog

from sottovoce.domain.legs import LegId
from sottovoce.tasks import Tasks

log = structlog.get_logger(__name__)

PATIENCE = 5.0
"""Seconds that one step may take: a media engine that hangs must not keep a leg for ever."""


class Steps:
    """The queue in which a leg's media is set up, changed and closed."""

    def __init__(self, leg: LegId, tasks: Tasks, on_stuck: Callable[[LegId], None]) -> None:
        self._leg = leg
        self._tasks = tasks
        self._on_stuck = on_stuck
        self._steps: deque[Callable[[], Awaitable[None]]] = deque()
        self._worker: asyncio.Task[None] | None = None

    def then(self, step: Callable[[], Awaitable[None]]) -> None:
        """Do `step` after all that was asked before."""
        self._steps.append(step)
        if self._worker is None:
            self._worker = self._tasks.spawn(self._work(), name=f"leg {self._leg}")

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
                    log.error("media engine does not answer", leg=self._leg)
                    self._on_stuck(self._leg)
                except Exception:
                    log.exception("leg's step failed", leg=self._leg)
                    self._on_stuck(self._leg)
        finally:
            self._worker = None
