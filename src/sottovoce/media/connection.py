"""One media worker as the engine's client sees it: its process, its control socket, its calls under way.

`serve` starts the process and returns when it is gone; whoever owns the worker calls it again.
A worker that leaves a call unanswered for too long counts as dead and is killed.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import socket
import sys
from collections.abc import Callable, Mapping
from typing import cast

import structlog

from sottovoce.errors import Code, Refused
from sottovoce.media.control import (
    RESULTS,
    ControlAnswer,
    ControlCall,
    ControlError,
    ControlRefusal,
    Framer,
    Leave,
    ReadTicks,
    Setup,
    Value,
    encode,
)
from sottovoce.media.engine import EngineEvent, Request, ResultT, StopRecording
from sottovoce.plain import to_plain

log = structlog.get_logger(__name__)

CLOSE_FILES_S = 30.0
WATCH_S = 2.0
MOST_UNDER_WAY = 10_000
_READ_BYTES = 1 << 16


class WorkerConnection:
    """The road to one worker. All methods belong to one event loop."""

    def __init__(self, name: str, heard: Callable[[EngineEvent], None], *, answer_s: float) -> None:
        self.name = name
        self._heard = heard
        self._answer_s = answer_s
        self._process: asyncio.subprocess.Process | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._under_way: dict[int, asyncio.Future[Value]] = {}
        self._last_id = 0

    @property
    def is_up(self) -> bool:
        """Whether it takes calls."""
        return self._writer is not None

    @property
    def pid(self) -> int | None:
        """The process id while it runs."""
        return self._process.pid if self._process is not None else None

    async def call(self, request: Request[ResultT]) -> ResultT:
        """Ask for something and wait for what becomes of it; Refused as the worker says, or UNAVAILABLE."""
        if self._writer is None or len(self._under_way) >= MOST_UNDER_WAY:
            raise Refused(Code.UNAVAILABLE, "the media worker is away")
        self._last_id += 1
        number = self._last_id
        try:
            frame = encode(ControlCall(number, request))
        except ControlError as failure:
            raise Refused(Code.BAD_PARAMETER, str(failure)) from None
        answer: asyncio.Future[Value] = asyncio.get_running_loop().create_future()
        self._under_way[number] = answer
        self._writer.write(frame)
        limit = CLOSE_FILES_S if isinstance(request, StopRecording | Leave) else self._answer_s
        try:
            async with asyncio.timeout(limit):
                value = await answer
        except TimeoutError:
            log.error("media worker does not answer", worker=self.name, request=type(request).__name__)
            self.kill()
            raise Refused(Code.UNAVAILABLE, "the media worker does not answer") from None
        finally:
            self._under_way.pop(number, None)
        assert isinstance(value, RESULTS[type(request)])
        return cast(ResultT, value)

    def kill(self) -> None:
        """End the process without asking it."""
        if self._process is not None and self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()

    async def serve(self, setup: Setup, started: Callable[[], None], lost: Callable[[], None]) -> None:
        """Run one process of the worker until it ends.

        `setup` is all that the process is told of the settings. `started` is called when it takes calls,
        `lost` as soon as it takes no more. OSError if it cannot start.
        """
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        try:
            try:
                self._process = await asyncio.create_subprocess_exec(
                    sys.executable,
                    "-m",
                    "sottovoce.media.process",
                    str(theirs.fileno()),
                    json.dumps(to_plain(setup)),
                    pass_fds=[theirs.fileno()],
                    stdin=asyncio.subprocess.DEVNULL,
                    start_new_session=True,
                    env=_environment(os.environ),
                )
            finally:
                theirs.close()
            reader, writer = await asyncio.open_connection(sock=ours)
        except BaseException:
            ours.close()
            raise
        try:
            await self._talk(reader, writer, started)
        finally:
            self._writer = None
            self._fail_calls()
            lost()
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()
            await self._end_process()

    async def _talk(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, started: Callable[[], None]
    ) -> None:
        framer = Framer()
        first = True
        try:
            while data := await reader.read(_READ_BYTES):
                for message in framer.feed(data):
                    if first:  # its greeting
                        first = False
                        self._writer = writer
                        started()
                    elif isinstance(message, ControlAnswer | ControlRefusal):
                        self._settle(message)
                    elif not isinstance(message, ControlCall):
                        self._heard(message)
        except (ControlError, OSError) as failure:
            log.error("media worker's control socket failed", worker=self.name, failure=str(failure))

    async def leave(self) -> None:
        """Have it close its recordings and end; `serve` returns then."""
        with contextlib.suppress(Refused):
            await self.call(Leave())

    async def watch(self) -> None:
        """Ask now and then whether the worker is alive; a stuck one is killed by the unanswered call."""
        while True:
            await asyncio.sleep(WATCH_S)
            if self.is_up:
                with contextlib.suppress(Refused):
                    await self.call(ReadTicks())

    def _settle(self, message: ControlAnswer | ControlRefusal) -> None:
        answer = self._under_way.get(message.id)
        if answer is None or answer.done():
            return
        if isinstance(message, ControlAnswer):
            answer.set_result(message.value)
        else:
            answer.set_exception(Refused(message.code, message.detail))

    def _fail_calls(self) -> None:
        for answer in self._under_way.values():
            if not answer.done():
                answer.set_exception(Refused(Code.UNAVAILABLE, "the media worker died"))

    async def _end_process(self) -> None:
        """Give a process that lost its socket the time to close its recordings, then kill it."""
        process = self._process
        if process is None:
            return
        try:
            async with asyncio.timeout(CLOSE_FILES_S):
                await process.wait()
        except TimeoutError:
            self.kill()
            await process.wait()
        except asyncio.CancelledError:
            self.kill()
            raise
        finally:
            self._process = None


def _environment(ours: Mapping[str, str]) -> dict[str, str]:
    """What a worker may know: nothing of the settings, which hold secrets."""
    kept = {name: value for name, value in ours.items() if not name.startswith("SOTTOVOCE_")}
    return kept | {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
