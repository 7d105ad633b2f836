"""A client's own server, on a real socket: it takes what is pushed, or fails in the ways that it is told."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

OK = b'{"message":"","retcode":"0"}'


@dataclass(frozen=True)
class Pushed:
    """A request that came."""

    target: str
    headers: dict[str, str]
    body: Any

    @property
    def events(self) -> list[str]:
        """The types of its events."""
        found = self.body["eventList"] if "eventList" in self.body else [self.body["event"]]
        return [event["eventType"] for event in found]


def answer(body: bytes = OK, status: str = "200 OK", *more: str) -> bytes:
    """An answer's bytes."""
    head = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *more]
    return "\r\n".join([*head, "", ""]).encode() + body


LIES: dict[str, bytes | None] = {
    "500": answer(OK, "500 Internal Server Error"),
    "redirect": answer(OK, "302 Found", "Location: http://127.0.0.1:1/elsewhere"),
    "moved": answer(OK, "308 Permanent Redirect", "Location: /elsewhere"),
    "garbage": b"\x16\x03\x01\x00garbage",
    "another code": answer(b'{"message":"","retcode":"100-007"}'),
    "false": answer(b'{"retcode":false}'),
    "no JSON": answer(b"<html>fine</html>"),
    "no object": answer(b'["0"]'),
    "nothing": answer(b""),
    "endless": answer(b'{"retcode":"0"}' + b" " * (64 << 10)),
    "half": answer(OK)[:-5],
    "no answer": b"",
    "cut": None,
}
"""Answers that are no success, by name. `cut` closes before anything is read of it."""


@dataclass
class PushServer:
    """What came, and what is answered next: `script` first, then always success."""

    port: int
    taken: list[Pushed] = field(default_factory=list)
    """What was answered with success."""
    refused: list[Pushed] = field(default_factory=list)
    script: deque[bytes | None] = field(default_factory=deque)
    slow: asyncio.Event | None = None
    """Answers wait for it."""
    most: int = 0
    """Requests that were there at the same time."""
    _now: int = 0
    _came: asyncio.Condition = field(default_factory=asyncio.Condition)

    scheme: str = "http"

    def url(self, path: str = "/cc/events", host: str = "127.0.0.1") -> str:
        return f"{self.scheme}://{host}:{self.port}{path}"

    def events(self) -> list[str]:
        """The types of all events taken, in order."""
        return [event for pushed in self.taken for event in pushed.events]

    async def until(self, so: Callable[[], bool]) -> None:
        """Wait for a request that makes it so."""
        async with asyncio.timeout(20), self._came:
            await self._came.wait_for(so)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await self._one(reader, writer):
                pass
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        first, *lines = head.strip().split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        body = json.loads(await reader.readexactly(int(headers["content-length"])))
        pushed = Pushed(first.split()[1], headers, body)
        assert first.split()[0] == "POST"
        self._now += 1
        self.most = max(self.most, self._now)
        try:
            said = self.script.popleft() if self.script else answer()
            (self.taken if said == answer() else self.refused).append(pushed)
            async with self._came:
                self._came.notify_all()
            if self.slow is not None:
                await self.slow.wait()
        finally:
            self._now -= 1
        if said:
            writer.write(said)
            await writer.drain()
        return said == answer()


@asynccontextmanager
async def push_server(
    port: int = 0, host: str = "127.0.0.1", tls: ssl.SSLContext | None = None
) -> AsyncIterator[PushServer]:
    """One that listens; gone with the block, with its connections."""
    made = PushServer(port, scheme="http" if tls is None else "https")
    served: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        served.add(task)
        try:
            await made.serve(reader, writer)
        finally:
            served.discard(task)

    server = await asyncio.start_server(serve, host, port, ssl=tls)
    made.port = server.sockets[0].getsockname()[1]
    try:
        yield made
    finally:
        server.close()
        for task in list(served):
            task.cancel()
        await asyncio.gather(*served, return_exceptions=True)
