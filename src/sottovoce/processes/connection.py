"""One process of our own as the server sees it: its control socket, its calls under way.

`serve` starts the process and returns when it is gone; whoever owns it calls it again.
A process that leaves a call unanswered for too long counts as dead and is killed.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import socket
import sys
from collections.abc import Callable, Mapping
from itertools import count
from typing import Any, cast

import structlog

from sottovoce.errors import Code, Refused
from sottovoce.plain import to_plain
from sottovoce.processes.protocol import (
    ControlAnswer,
    ControlCall,
    ControlError,
    ControlRefusal,
    Framer,
    Leave,
    ProcessKind,
    Request,
    ResultT,
)

log = structlog.get_logger(__name__)

CLOSE_FILES_S = 30.0
WATCH_S = 2.0
MOST_UNDER_WAY = 10_000
_FIRST_PAUSE_S = 0.1
_LONGEST_PAUSE_S = 5.0
_READ_BYTES = 1 << 16


class ProcessConnection:
    """The road to one process. All methods belong to one event loop."""

    def __init__(
        self, kind: ProcessKind, name: str, heard: Callable[[Any], None], *, answer_s: float
    ) -> None:
        self.name = name
        self._kind = kind
        self._heard = heard
        self._answer_s = answer_s
        self._process: asyncio.subprocess.Process | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._under_way: dict[int, asyncio.Future[Any]] = {}
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
            raise Refused(Code.UNAVAILABLE, f"the {self._kind.called} is away")
        self._last_id += 1
        number = self._last_id
        try:
            frame = self._kind.vocabulary.encode(ControlCall(number, request))
        except ControlError as failure:
            raise Refused(Code.BAD_PARAMETER, str(failure)) from None
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._under_way[number] = answer
        self._writer.write(frame)
        long = isinstance(request, (Leave, *self._kind.long))
        try:
            async with asyncio.timeout(CLOSE_FILES_S if long else self._answer_s):
                value = await answer
        except TimeoutError:
            log.error(
                f"{self._kind.called} does not answer", worker=self.name, request=type(request).__name__
            )
            self.kill()
            raise Refused(Code.UNAVAILABLE, f"the {self._kind.called} does not answer") from None
        finally:
            self._under_way.pop(number, None)
        assert isinstance(value, self._kind.vocabulary.results[type(request)])
        return cast(ResultT, value)

    def kill(self) -> None:
        """End the process without asking it."""
        if self._process is not None and self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()

    async def keep_up(
        self,
        setup: Callable[[int], object],
        *,
        started: Callable[[], None],
        lost: Callable[[], None],
        closing: asyncio.Event,
    ) -> None:
        """Run the process, and again when it dies, after a pause that grows while it keeps failing.

        Until `closing`. `setup` is asked for each of its lives, which are counted from 0.
        """
        pause = _FIRST_PAUSE_S
        for generation in count():
            begun = asyncio.get_running_loop().time()
            try:
                await self.serve(setup(generation), started, lost)
            except OSError as failure:
                log.error(f"{self._kind.called} cannot start", worker=self.name, failure=str(failure))
            if closing.is_set():
                return
            if asyncio.get_running_loop().time() - begun > _LONGEST_PAUSE_S:
                pause = _FIRST_PAUSE_S
            log.warning(f"{self._kind.called} is started again", worker=self.name, pause_s=pause)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(closing.wait(), pause)
                return
            pause = min(pause * 2, _LONGEST_PAUSE_S)

    async def serve(self, setup: object, started: Callable[[], None], lost: Callable[[], None]) -> None:
        """Run one process until it ends.

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
                    self._kind.module,
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
        framer = Framer(self._kind.vocabulary)
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
            log.error(f"{self._kind.called}'s control socket failed", worker=self.name, failure=str(failure))

    async def leave(self) -> None:
        """Have it finish and end; `serve` returns then."""
        with contextlib.suppress(Refused):
            await self.call(Leave())

    async def watch(self) -> None:
        """Ask now and then whether it is alive; a stuck one is killed by the unanswered call."""
        while True:
            await asyncio.sleep(WATCH_S)
            if self.is_up:
                with contextlib.suppress(Refused):
                    await self.call(self._kind.alive)

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
                answer.set_exception(Refused(Code.UNAVAILABLE, f"the {self._kind.called} died"))

    async def _end_process(self) -> None:
        """Give a process that lost its socket the time to close its files, then kill it."""
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
    """What a process may know: nothing of the settings, which hold secrets."""
    kept = {name: value for name, value in ours.items() if not name.startswith("SOTTOVOCE_")}
    return kept | {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
