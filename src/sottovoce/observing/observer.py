"""Takes readings of the running server, one a second at most, whoever asks."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import structlog
from prometheus_client import CollectorRegistry

from sottovoce import __version__
from sottovoce.clock import Clock
from sottovoce.domain.directory import VdnId
from sottovoce.domain.journal import Spooled
from sottovoce.errors import Refused
from sottovoce.live.desk import Desk
from sottovoce.media.control import TickFigures
from sottovoce.observing.exposition import exposed
from sottovoce.observing.reading import (
    DatabaseReading,
    DiskReading,
    JobsReading,
    Reading,
    RefusalCount,
    RegisteredPhone,
    RequestCount,
    WorkerReading,
)
from sottovoce.tasks import Tasks

log = structlog.get_logger(__name__)
ValueT = TypeVar("ValueT")

ANSWER_S = 2.0
"""What does not answer for so long is told as away."""
KEPT_S = 1.0
"""How long a reading is good enough: readers without end cost no more than one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """Where a reading comes from. None of these waits, but `ticks` and `jobs`."""

    desk: Desk
    sip: Callable[[], str | None]
    phones: Callable[[], list[tuple[VdnId, str]]]
    workers: Callable[[], list[str]]
    ticks: Callable[[], Awaitable[Mapping[str, TickFigures]]]
    recordings: Callable[[], int]
    jobs: Callable[[], Awaitable[tuple[JobsReading, ...]]]
    """Asks the database; raises when it is away."""
    journals: Callable[[], tuple[Spooled, ...]]
    polls: Callable[[], int]
    requests: Mapping[tuple[str, str], int]
    """Family and outcome to a count that goes on."""
    refusals: Callable[[], Mapping[tuple[str, int], int]]
    folders: Mapping[str, Path]


class Observer:
    """Reads, and tells Prometheus; `counted` is what was counted meanwhile."""

    def __init__(self, sources: Sources, counted: CollectorRegistry, clock: Clock, tasks: Tasks) -> None:
        self._sources, self._counted, self._clock, self._tasks = sources, counted, clock, tasks
        self._asking: dict[str, asyncio.Task[Any]] = {}
        self._began_at = clock.now()
        self._turn = asyncio.Lock()
        self._last: tuple[float, Reading] | None = None

    async def reading(self) -> Reading:
        """The server now, or a second ago. Never raises for what is away: the reading says it."""
        async with self._turn:
            now = self._clock.monotonic()
            if self._last is None or now - self._last[0] >= KEPT_S:
                self._last = now, await self._read()
            return self._last[1]

    async def metrics(self) -> bytes:
        """The reading and what was counted, in Prometheus' text format."""
        return exposed(await self.reading(), self._counted)

    async def _read(self) -> Reading:
        sources = self._sources
        none: Mapping[str, TickFigures] = {}
        ticks, database, disks = await asyncio.gather(
            self._within("ticks", self._ticks, none),
            self._within("database", self._database, DatabaseReading(f"no answer within {ANSWER_S:g} s")),
            self._disks(),
        )
        return Reading(
            at=self._clock.now(),
            began_at=self._began_at,
            version=__version__,
            sip=sources.sip(),
            floors=sources.desk.floor_views(),
            phones=tuple(RegisteredPhone(vdn, number) for vdn, number in sources.phones()),
            workers=tuple(WorkerReading(name, ticks.get(name)) for name in sources.workers()),
            recordings=sources.recordings(),
            database=database,
            journals=sources.journals(),
            disks=disks,
            polls=sources.polls(),
            events_lost=sources.desk.feed.dropped,
            requests=tuple(RequestCount(*key, count) for key, count in sorted(sources.requests.items())),
            refusals=tuple(RefusalCount(*key, count) for key, count in sorted(sources.refusals().items())),
        )

    async def _disks(self) -> tuple[DiskReading, ...]:
        asked = (
            self._within(name, partial(_disk, name, path), DiskReading(name, str(path), None, None))
            for name, path in self._sources.folders.items()
        )
        return tuple(await asyncio.gather(*asked))

    async def _within(
        self, name: str, ask: Callable[[], Coroutine[Any, Any, ValueT]], otherwise: ValueT
    ) -> ValueT:
        """The answer, or `otherwise` after `ANSWER_S`.

        What hangs (a database that is frozen, a mount that is away) is neither cancelled, which can hang as
        well, nor asked a second time meanwhile.
        """
        task = self._asking.get(name)
        if task is None:
            task = self._asking[name] = self._tasks.spawn(ask(), name=f"reading of {name}")
        await asyncio.wait([task], timeout=ANSWER_S)
        if not task.done():
            return otherwise
        del self._asking[name]
        found: ValueT = task.result()
        return found

    async def _ticks(self) -> Mapping[str, TickFigures]:
        try:
            return await self._sources.ticks()
        except Refused as refused:
            log.debug("workers do not answer", reason=refused.why)
            return {}

    async def _database(self) -> DatabaseReading:
        try:
            return DatabaseReading(None, await self._sources.jobs())
        except Exception as failure:
            return DatabaseReading(str(failure) or type(failure).__name__)


async def _disk(name: str, path: Path) -> DiskReading:
    try:
        found = await asyncio.to_thread(os.statvfs, path)
    except OSError:
        return DiskReading(name, str(path), None, None)
    return DiskReading(name, str(path), found.f_bavail * found.f_frsize, found.f_blocks * found.f_frsize)
