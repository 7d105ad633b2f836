"""The engine that the server runs: media workers in processes of their own, one per core.

The legs of a group (a VDN) live on one worker, chosen when the group's first leg opens: the one
with the fewest legs. When that is full, further ones open on another, and `joins` carry voices
between the two. A worker that dies is started again; its legs are reported lost and its
recordings repaired, and nothing else is disturbed.
"""

from __future__ import annotations

import asyncio
import os
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import structlog

from sottovoce.config import LogSettings, MediaSettings
from sottovoce.domain.legs import LegAddress, LegFigures, LegId, Recording, RecordingId, RecordingResult
from sottovoce.errors import Code, Refused
from sottovoce.media.control import WORKER, ReadTicks, Setup, TickFigures
from sottovoce.media.engine import (
    Apply,
    CloseLeg,
    EchoHeard,
    EngineEvent,
    HaltSound,
    LegProven,
    LegsLost,
    LegTimedOut,
    MoveSound,
    OpenLeg,
    Play,
    ReadFigures,
    RecordingStopped,
    Request,
    ResultT,
    SendDigits,
    SetRemote,
    StartRecording,
    StopRecording,
)
from sottovoce.media.joining import Joiner, name_tracks
from sottovoce.media.joins import with_real_legs
from sottovoce.media.ports_pool import PortRange
from sottovoce.media.repair import repair_recording
from sottovoce.processes.connection import ProcessConnection
from sottovoce.tasks import Tasks

log = structlog.get_logger(__name__)

_OfSound = Play | MoveSound | HaltSound
START_S = 20.0
_RESULTS_KEPT = 4096


ANSWER_S = 5.0
"""A worker that leaves a call unanswered for so long counts as dead."""


def setup_of(settings: MediaSettings, worker: int, generation: int, log: LogSettings | None = None) -> Setup:
    """What one worker is told at its start; a restarted one begins elsewhere in its share of the ports.

    With several workers the legs of joins come on top of those of calls, twice as many at most.
    """
    count, lines = _processes(settings), log or LogSettings()
    share = (settings.last_port + 1 - settings.first_port) // count // 2 * 2
    first = settings.first_port + worker * share
    ports = PortRange(first, first + share - 1) if settings.first_port else PortRange()
    return Setup(
        host=settings.host,
        legs=settings.legs_per_worker * (3 if count > 1 else 1),
        ports=replace(ports, begin=generation * 97),
        timeout_s=settings.timeout,
        hold_limit_s=settings.hold_limit,
        name=worker_name(worker),
        log_level=lines.level.value,
        log_format=lines.format.value,
        log_file=str(lines.file or ""),
    )


def worker_name(number: int) -> str:
    """What a worker is called in the log, its own lines included."""
    return f"media-{number}"


def _processes(settings: MediaSettings) -> int:
    return settings.workers or os.cpu_count() or 1


@dataclass(slots=True)
class _Worker:
    """One worker and what lives on it."""

    number: int
    connection: ProcessConnection
    legs: set[LegId] = field(default_factory=set)
    recordings: dict[RecordingId, Recording] = field(default_factory=dict)


class WorkerEngine:
    """`media.engine.MediaEngine` on worker processes."""

    def __init__(
        self,
        settings: MediaSettings,
        tasks: Tasks,
        *,
        log: LogSettings | None = None,
        answer_s: float = ANSWER_S,
    ) -> None:
        self._settings, self._log = settings, log
        self._tasks = tasks
        self._workers = [
            _Worker(number, ProcessConnection(WORKER, worker_name(number), self._heard, answer_s=answer_s))
            for number in range(_processes(settings))
        ]
        self._joiner = Joiner([worker.connection for worker in self._workers], tasks)
        self._plan = self._joiner.plan
        self._running: list[asyncio.Task[None]] = []
        self._by_leg: dict[LegId, _Worker] = {}
        self._group_of: dict[LegId, str] = {}
        self._by_group: dict[str, _Worker] = {}
        self._ended: OrderedDict[RecordingId, RecordingResult] = OrderedDict()
        self._listeners: list[Callable[[EngineEvent], None]] = []
        self._closing = asyncio.Event()
        self._doing: dict[type[Request[Any]], Callable[[Any], Awaitable[Any]]] = {
            OpenLeg: self._open_leg,
            SetRemote: self._at_leg,
            CloseLeg: self._close_leg,
            Apply: self._apply,
            Play: self._at_known_leg,
            MoveSound: self._at_known_leg,
            HaltSound: self._at_known_leg,
            SendDigits: self._at_known_leg,
            StartRecording: self._start_recording,
            StopRecording: self._stop_recording,
            ReadFigures: self._at_leg,
        }

    # Life

    async def start(self) -> None:
        """Start every worker; returns when all take calls. Refused with UNAVAILABLE if one does not start."""
        ups = [asyncio.Event() for _ in self._workers]
        for worker, up in zip(self._workers, ups, strict=True):
            name = worker.connection.name
            keeping = worker.connection.keep_up(
                partial(self._setup_of, worker.number),
                started=up.set,
                lost=partial(self._lost, worker),
                closing=self._closing,
            )
            self._running.append(self._tasks.spawn(keeping, name=name))
            self._running.append(self._tasks.spawn(worker.connection.watch(), name=f"{name} watch"))
        try:
            async with asyncio.timeout(START_S):
                for up in ups:
                    await up.wait()
        except TimeoutError:
            await self.close()
            raise Refused(Code.UNAVAILABLE, "a media worker did not start") from None

    async def close(self) -> None:
        """End all workers: recordings are closed first."""
        self._closing.set()
        for watching in self._running[1::2]:
            watching.cancel()
        await asyncio.gather(*(worker.connection.leave() for worker in self._workers))
        if self._running:
            _, late = await asyncio.wait(self._running[0::2], timeout=START_S)
            for task in late:
                task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)
        self._running.clear()

    def _setup_of(self, worker: int, generation: int) -> Setup:
        return setup_of(self._settings, worker, generation, self._log)

    def _lost(self, worker: _Worker) -> None:
        """Forget what lived on a worker that is gone, and say so."""
        legs, recordings = frozenset(worker.legs), list(worker.recordings.values())
        worker.recordings.clear()
        stands_for = [self._stopped(recording.recording) for recording in recordings]
        for leg in legs:
            self._forget(leg)
        if legs and not self._closing.is_set():
            log.error("media worker lost", worker=worker.connection.name, legs=len(legs))
            self._tell(LegsLost(legs))
        for recording, real in zip(recordings, stands_for, strict=True):
            self._tasks.spawn(self._repair(recording, real), name=f"repair {recording.recording}")

    async def _repair(self, recording: Recording, stands_for: dict[LegId, LegId]) -> None:
        found = await asyncio.to_thread(repair_recording, recording)
        result = await asyncio.to_thread(name_tracks, recording, found, stands_for)
        self._tell(RecordingStopped(replace(result, failure="the media worker was lost")))

    async def ask(self, request: Request[ResultT]) -> ResultT:
        """Have the worker do it that the leg or the recording is on, and what needs several, with joins."""
        result: ResultT = await self._doing[type(request)](request)
        return result

    # Legs

    async def _open_leg(self, request: OpenLeg) -> LegAddress:
        if request.leg in self._by_leg:
            raise Refused(Code.BAD_PARAMETER, "the leg is open already")
        full: Refused | None = None
        for worker in self._candidates(request.group):
            try:
                if len(worker.legs) >= self._settings.legs_per_worker:
                    raise Refused(Code.MEDIA_EXHAUSTED, f"all {len(worker.legs)} legs are in use")
                return await self._open_on(worker, request)
            except Refused as refused:
                if refused.code is not Code.MEDIA_EXHAUSTED:
                    raise
                full = refused
        raise full or Refused(Code.UNAVAILABLE, "no media worker is up")

    def _candidates(self, group: str) -> list[_Worker]:
        """The workers that are up, the group's own first, then those that it has legs on, then idle ones."""
        own = self._by_group.get(group)
        used = {self._by_leg[leg].number for leg, of in self._group_of.items() if of == group} if own else ()
        return sorted(
            (worker for worker in self._workers if worker.connection.is_up),
            key=lambda worker: (worker is not own, worker.number not in used, len(worker.legs)),
        )

    async def _open_on(self, worker: _Worker, request: OpenLeg) -> LegAddress:
        leg, group = request.leg, request.group
        own = self._by_group.setdefault(group, worker)
        if not own.connection.is_up:
            self._by_group[group] = worker
        self._by_leg[leg], self._group_of[leg] = worker, group
        worker.legs.add(leg)
        self._plan.opened(leg, worker.number)
        try:
            return await worker.connection.call(request)
        except BaseException:
            self._forget(leg)
            raise

    async def _close_leg(self, request: CloseLeg) -> LegFigures:
        worker = self._by_leg.get(request.leg)
        if worker is None:
            return LegFigures()
        self._forget(request.leg)
        try:
            return await worker.connection.call(request)
        except Refused:
            return LegFigures()

    async def _at_leg(self, request: SetRemote | ReadFigures | _OfSound | SendDigits) -> Any:
        worker = self._by_leg.get(request.leg)
        if worker is None:
            raise Refused(Code.NOT_FOUND, "no such leg")
        return await worker.connection.call(request)

    async def _at_known_leg(self, request: _OfSound | SendDigits) -> None:
        """The leg may just have ended."""
        if request.leg in self._by_leg:
            await self._at_leg(request)

    def _forget(self, leg: LegId) -> None:
        worker = self._by_leg.pop(leg, None)
        if worker is None:
            return
        worker.legs.discard(leg)
        self._plan.closed(leg)
        self._joiner.sweep()
        group = self._group_of.pop(leg)
        if group not in self._group_of.values():
            del self._by_group[group]

    # Who hears whom

    async def _apply(self, request: Apply) -> None:
        touched = self._plan.apply(request.routing)
        await self._joiner.tell(touched)
        await self._joiner.join(touched)

    # Recordings

    async def _start_recording(self, request: StartRecording) -> None:
        recording = request.recording
        number, known, touched = self._plan.start(recording)
        worker = self._workers[number]
        worker.recordings[recording.recording] = known
        try:
            await self._joiner.join(touched)
            await worker.connection.call(StartRecording(known))
        except BaseException:
            worker.recordings.pop(recording.recording, None)
            self._stopped(recording.recording)
            raise
        await self._joiner.tell(touched)

    async def _stop_recording(self, request: StopRecording) -> RecordingResult:
        recording = request.recording
        for worker in self._workers:
            if recording in worker.recordings:
                try:
                    result = await worker.connection.call(request)
                except Refused:
                    if recording in self._ended:
                        break
                    raise
                known = worker.recordings.pop(recording, None)
                stands_for = self._stopped(recording)
                if known is None or stands_for.keys().isdisjoint(result.tracks):
                    return result
                return await asyncio.to_thread(name_tracks, known, result, stands_for)
        ended = self._ended.pop(recording, None)
        if ended is None:
            raise Refused(Code.NOT_FOUND, "no such recording")
        return ended

    def _stopped(self, recording: RecordingId) -> dict[LegId, LegId]:
        stands_for = self._plan.stopped(recording)
        self._joiner.sweep()
        return stands_for

    # Events

    def subscribe(self, listener: Callable[[EngineEvent], None]) -> None:
        """Call `listener` in the event loop for every event from now on."""
        self._listeners.append(listener)

    def _heard(self, event: EngineEvent) -> None:
        """Pass on what a worker told; what concerns a join alone is nobody's matter."""
        match event:
            case RecordingStopped(result):
                for worker in self._workers:
                    worker.recordings.pop(result.recording, None)
                event = RecordingStopped(with_real_legs(result, self._stopped(result.recording)))
            case EchoHeard(agent, inspector):
                speaker, whisperer = self._plan.source_of(agent), self._plan.source_of(inspector)
                if speaker is None or whisperer is None:
                    return
                event = EchoHeard(speaker, whisperer)
            case LegProven(leg) | LegTimedOut(leg) if self._plan.is_join(leg):
                return
        self._tell(event)

    def _tell(self, event: EngineEvent) -> None:
        if isinstance(event, RecordingStopped):
            self._ended[event.result.recording] = event.result
            while len(self._ended) > _RESULTS_KEPT:
                self._ended.popitem(last=False)
        for listener in self._listeners:
            listener(event)

    # For operators, the bench and tests

    async def ticks(self, *, reset: bool = False) -> dict[str, TickFigures]:
        """How each worker that is up keeps its beat, by its name."""
        up = [worker.connection for worker in self._workers if worker.connection.is_up]
        return {connection.name: await connection.call(ReadTicks(reset)) for connection in up}

    @property
    def workers(self) -> list[str]:
        """The names of all workers, up or not."""
        return [worker.connection.name for worker in self._workers]

    @property
    def recordings(self) -> int:
        """How many recordings are being made."""
        return sum(len(worker.recordings) for worker in self._workers)

    @property
    def up(self) -> int:
        """How many workers take calls."""
        return sum(worker.connection.is_up for worker in self._workers)

    @property
    def pids(self) -> list[int]:
        """The process ids of the workers that run."""
        return [pid for worker in self._workers if (pid := worker.connection.pid) is not None]
