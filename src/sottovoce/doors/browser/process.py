"""The browser door's process: one UDP port towards browsers, one loopback socket for each leg in a call.

It holds no call and knows no agent: the server tells which leg's audio passes to which browser. Without
the server it ends at once, and all its paths with it.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import secrets
import signal
import socket
import sys
import time
from pathlib import Path as FilePath
from typing import Any, cast

import structlog
import uvloop

from sottovoce import logs
from sottovoce.domain.legs import LegAddress
from sottovoce.doors.browser.checks import Source
from sottovoce.doors.browser.control import (
    VOCABULARY,
    Attach,
    ClosePath,
    Detach,
    DoorFigures,
    DoorSetup,
    OpenPath,
    PathEvent,
    PathId,
    PathLost,
    ReadPaths,
)
from sottovoce.doors.browser.paths import Path, Paths
from sottovoce.doors.browser.secured import identity
from sottovoce.errors import Code, Refused
from sottovoce.plain import from_plain
from sottovoce.processes.protocol import (
    ControlAnswer,
    ControlCall,
    ControlError,
    ControlRefusal,
    Framer,
    Leave,
    Request,
)
from sottovoce.tasks import Tasks

log = structlog.get_logger("sottovoce.doors.browser.process")  # which runs as __main__

WAKE_S = 0.1
_READ_BYTES = 1 << 16
_RECEIVE_BUFFER = 1 << 20


class Outside(asyncio.DatagramProtocol):
    """The port that browsers are at."""

    def __init__(self, door: Door) -> None:
        self._door = door

    def datagram_received(self, data: bytes, addr: tuple[str | Any, int]) -> None:
        """From a browser, or from anybody."""
        self._door.paths.take(data, (addr[0], addr[1]), time.monotonic())


class Inside(asyncio.DatagramProtocol):
    """A leg's socket towards the mixer, which sends from its own two ports alone."""

    def __init__(self, door: Door, path: Path, leg: LegAddress) -> None:
        self._door, self._path = door, path
        self.rtp, self.rtcp = (leg.host, leg.port), (leg.host, leg.port + 1)
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Audio can pass."""
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str | Any, int]) -> None:
        """From the mixer, or from anybody on this machine."""
        control = addr[:2] == self.rtcp
        if control or addr[:2] == self.rtp:
            self._door.paths.pass_on(self._path, data, control=control, now=time.monotonic())

    def send(self, packet: bytes, control: bool) -> None:
        """To the mixer."""
        if self._transport is not None:
            self._transport.sendto(packet, self.rtcp if control else self.rtp)

    def close(self) -> None:
        """No audio passes any more."""
        if self._transport is not None:
            self._transport.close()


class Door:
    """The process's one object."""

    def __init__(self, setup: DoorSetup, writer: asyncio.StreamWriter) -> None:
        self._setup, self._writer = setup, writer
        self._outside: asyncio.DatagramTransport | None = None
        self._port = 0
        self._insides: dict[PathId, Inside] = {}
        self._leaving = False
        self.paths = Paths(identity(), self._send, self._tell, most=setup.paths, bits=secrets.randbits)

    async def run(self, reader: asyncio.StreamReader) -> None:
        """Serve until told to leave, or nobody is in control."""
        loop = asyncio.get_running_loop()
        self._outside, _ = await loop.create_datagram_endpoint(
            lambda: Outside(self), sock=_bound(self._setup)
        )
        self._port = self._outside.get_extra_info("sockname")[1]
        tasks = Tasks()
        tasks.spawn(self._wake(), name="browsers awake")
        self._say(ControlAnswer(0, None))
        framer = Framer(VOCABULARY)
        try:
            while not self._leaving and (data := await reader.read(_READ_BYTES)):
                for message in framer.feed(data):
                    if not isinstance(message, ControlCall):
                        raise ControlError("only calls are taken here")
                    await self._answer(message)
        except (ControlError, OSError) as failure:
            log.error("browser door lost its control socket", why=str(failure))
        finally:
            await tasks.close()
            for path in self.paths:
                self._close(path.id)
            self._outside.close()

    async def _wake(self) -> None:
        while True:
            await asyncio.sleep(WAKE_S)
            self.paths.wake(
                time.monotonic(), half_open_s=self._setup.half_open_s, consent_s=self._setup.consent_s
            )

    # Control

    async def _answer(self, call: ControlCall) -> None:
        try:
            self._say(ControlAnswer(call.id, await self._do(call.request)))
        except Refused as refused:
            self._say(ControlRefusal(call.id, refused.code, refused.why))
        with contextlib.suppress(OSError):
            await self._writer.drain()

    async def _do(self, request: Request[Any]) -> Any:
        match request:
            case OpenPath(path, sdp):
                addresses = [(host, self._port) for host in self._setup.addresses]
                return self.paths.open(path, sdp, addresses, time.monotonic())
            case Attach(path, leg):
                return await self._attach(self.paths.find(path), leg)
            case Detach(path):
                self._detach(path)
            case ClosePath(path):
                self._close(path)
            case ReadPaths():
                return self._figures()
            case Leave():
                self._leaving = True
        return None

    async def _attach(self, path: Path, leg: LegAddress) -> LegAddress:
        self._detach(path.id)
        inside = Inside(self, path, leg)
        loop = asyncio.get_running_loop()
        try:
            transport, _ = await loop.create_datagram_endpoint(lambda: inside, local_addr=(leg.host, 0))
        except OSError as failure:  # of this leg alone
            raise Refused(Code.MEDIA_EXHAUSTED, f"no socket for a leg: {failure}") from None
        self._insides[path.id] = inside
        path.out.begin()
        path.to_leg = inside.send
        host, port = transport.get_extra_info("sockname")[:2]
        return LegAddress(host, port)

    def _detach(self, path: PathId) -> None:
        inside = self._insides.pop(path, None)
        if inside is not None:
            inside.close()
            with contextlib.suppress(Refused):
                self.paths.find(path).to_leg = None

    def _close(self, path: PathId) -> None:
        self._detach(path)
        self.paths.close(path)

    def _figures(self) -> DoorFigures:
        paths = self.paths
        return DoorFigures(
            port=self._port,
            paths=len(paths),
            connected=sum(path.connected for path in paths),
            legs=len(self._insides),
            received=paths.received,
            sent=paths.sent,
            dropped=paths.dropped,
            cpu_s=time.process_time(),
        )

    # Words and datagrams

    def _tell(self, event: PathEvent) -> None:
        if isinstance(event, PathLost):
            self._detach(event.path)
        self._say(event)

    def _say(self, message: object) -> None:
        self._writer.write(VOCABULARY.encode(message))

    def _send(self, datagram: bytes, source: Source) -> None:
        if self._outside is not None:
            self._outside.sendto(datagram, source)


def _bound(setup: DoorSetup) -> socket.socket:
    bound = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    bound.setblocking(False)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER)
    bound.bind((setup.host, setup.port))
    return bound


async def _serve(control: int, setup: DoorSetup) -> None:
    reader, writer = await asyncio.open_connection(sock=socket.socket(fileno=control))
    door = Door(setup, writer)
    serving = asyncio.current_task()
    assert serving is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, serving.cancel)
    try:
        with contextlib.suppress(asyncio.CancelledError):
            await door.run(reader)
    finally:
        writer.close()


def main(arguments: list[str] | None = None) -> int:
    """The process's begin and end; 0. The arguments are an open socket's number and a `DoorSetup` as JSON."""
    control, setup = sys.argv[1:] if arguments is None else arguments
    told = from_plain(DoorSetup, json.loads(setup))
    file = FilePath(told.log_file) if told.log_file else None
    logs.configure(told.log_level, told.log_format, file=file, always={"worker": "browser-door"})
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    uvloop.run(_serve(int(control), told))
    return 0


if __name__ == "__main__":
    sys.exit(main())
