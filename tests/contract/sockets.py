"""HTTP by hand over a TCP socket, for tests of single bytes."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Callable
from dataclasses import dataclass


async def until(true: Callable[[], object]) -> None:
    """Let the loop run until something is true."""
    for _ in range(100_000):
        if true():
            return
        await asyncio.sleep(0)
    raise AssertionError("it never became true")


@dataclass(frozen=True)
class RawAnswer:
    """An answer as it came: status line, header lines, body; nothing decoded."""

    status: bytes
    headers: list[bytes]
    body: bytes

    def header(self, name: bytes) -> bytes | None:
        """The value of a header whose name is spelled exactly so."""
        for line in self.headers:
            found, _, value = line.partition(b":")
            if found == name:
                return value.strip()
        return None


class RawConnection:
    """One TCP connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    @classmethod
    async def to(cls, port: int, host: str = "127.0.0.1", *, source: str | None = None) -> RawConnection:
        """A connection to `host`, from the address `source`: any of 127.0.0.0/8 on Linux."""
        local = None if source is None else (source, 0)
        return cls(*await asyncio.open_connection(host, port, local_addr=local))

    async def send(self, data: bytes) -> None:
        self._writer.write(data)
        await self._writer.drain()

    async def answer(self) -> RawAnswer:
        head = await self._reader.readuntil(b"\r\n\r\n")
        status, *headers = head.removesuffix(b"\r\n\r\n").split(b"\r\n")
        lengths = [line.partition(b":")[2] for line in headers if line.lower().startswith(b"content-length:")]
        return RawAnswer(status, headers, await self._reader.readexactly(int(lengths[0])))

    async def ask(self, verb: str, path: str, *headers: str, body: bytes = b"") -> RawAnswer:
        """One request on this connection."""
        lines = [f"{verb} {path} HTTP/1.1", "Host: test", *headers]
        if body:
            lines.append(f"Content-Length: {len(body)}")
        await self.send("\r\n".join([*lines, "", ""]).encode("utf-8") + body)
        return await self.answer()

    async def line(self) -> bytes:
        return await self._reader.readline()

    async def rest(self) -> bytes:
        """What comes until the server closes."""
        return await self._reader.read()

    async def rest_or_reset(self) -> bytes:
        """The same, where the server may break off instead."""
        try:
            return await self._reader.read()
        except ConnectionError:
            return b""

    async def reset(self) -> None:
        """Break the connection off: the server sees a reset."""
        peer: socket.socket = self._writer.get_extra_info("socket")
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._writer.transport.abort()
        await asyncio.sleep(0)

    async def close(self) -> None:
        self._writer.close()
        try:
            await self._writer.wait_closed()
        except ConnectionError:
            return
