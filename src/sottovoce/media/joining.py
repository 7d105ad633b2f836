"""Carries out a plan of joins: tells each worker its table, opens and closes the legs of joins.

A join that cannot be opened leaves silence and a warning; the call that needed it goes on.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping, Sequence
from dataclasses import replace

import structlog

from sottovoce.domain.legs import (
    Codec,
    LegAddress,
    LegDirection,
    LegId,
    Recording,
    RecordingResult,
    RemoteMedia,
)
from sottovoce.errors import Refused
from sottovoce.media.engine import Apply, CloseLeg, OpenLeg, SetRemote
from sottovoce.media.joins import Join, JoinPlan, Touched
from sottovoce.media.tracks import track_path
from sottovoce.processes.connection import ProcessConnection
from sottovoce.tasks import Tasks

log = structlog.get_logger(__name__)

WAIT_S = 0.5
"""How long a table waits for the joins it needs; they go on opening after that."""
EVERY_ADDRESS, LOOPBACK = "0.0.0.0", "127.0.0.1"  # noqa: S104


class Joiner:
    """The joins between workers. All methods belong to one event loop."""

    def __init__(self, connections: Sequence[ProcessConnection], tasks: Tasks) -> None:
        self.plan = JoinPlan()
        self._connections = connections
        self._tasks = tasks
        self._opening: dict[Join, asyncio.Task[None]] = {}

    async def tell(self, touched: Touched) -> None:
        """Tell every worker concerned what its table is now; Refused if one refuses or is away."""
        numbers = self.plan.workers(touched)
        if len(numbers) == 1:
            await self._tell_one(numbers[0], touched)
        else:
            await asyncio.gather(*(self._tell_one(number, touched) for number in numbers))

    async def _tell_one(self, number: int, touched: Touched) -> None:
        # Made in the moment it is written: an older table never follows a newer one.
        await self._connections[number].call(Apply(self.plan.table(number, touched)))

    async def join(self, touched: Touched) -> None:
        """Have the joins concerned opened, and the tables told that they are needed for."""
        self.sweep()
        missing = self.plan.missing(touched)
        for join in missing:
            if join not in self._opening:
                self._opening[join] = self._tasks.spawn(self._open(join), name=f"open {join.first}")
        if missing:
            await asyncio.wait([self._opening[join] for join in missing], timeout=WAIT_S)

    def sweep(self) -> None:
        """Have the legs closed of joins that nobody needs any more."""
        for join in self.plan.ended():
            self._tasks.spawn(self._close(join), name=f"close {join.first}")

    async def _open(self, join: Join) -> None:
        home, to = self._connections[join.home], self._connections[join.to]
        try:
            first, second = await asyncio.gather(
                home.call(OpenLeg(join.first, "")), to.call(OpenLeg(join.second, ""))
            )
            # Audio goes from the first to the second and never back.
            await asyncio.gather(
                home.call(SetRemote(join.first, _at(second, LegDirection.RECVONLY))),
                to.call(SetRemote(join.second, _at(first, LegDirection.SENDONLY))),
            )
            changes = self.plan.stands(join)
            for touched in changes:
                await self.tell(touched)
            if not changes:
                await self._close(join)
        except Refused as refused:
            log.warning(
                "media workers not joined: silence instead",
                **{"leg": join.source, "from": home.name, "to": to.name, "failure": str(refused)},
            )
            await self._close(join)
            self.plan.failed(join)
        finally:
            del self._opening[join]

    async def _close(self, join: Join) -> None:
        ends = ((join.home, join.first), (join.to, join.second))
        await asyncio.gather(
            *(self._connections[number].call(CloseLeg(leg)) for number, leg in ends),
            return_exceptions=True,
        )


def _at(address: LegAddress, direction: LegDirection) -> RemoteMedia:
    host = LOOPBACK if address.host == EVERY_ADDRESS else address.host
    return RemoteMedia(host, address.port, Codec.PCMU, direction=direction)


def name_tracks(
    recording: Recording, result: RecordingResult, stands_for: Mapping[LegId, LegId]
) -> RecordingResult:
    """A worker's result with the real legs in it, and their files named after them. Blocks.

    A file that cannot be renamed keeps the name that the worker gave it."""
    tracks = {}
    for leg, path in result.tracks.items():
        real = stands_for.get(leg, leg)
        tracks[real] = path
        if real != leg:
            named = track_path(recording, real)
            try:
                os.replace(path, named)
            except OSError as failure:
                log.warning("track keeps its join's name", path=str(path), failure=str(failure))
            else:
                tracks[real] = named
    return replace(result, tracks=tracks)
