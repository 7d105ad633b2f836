"""One POST to a client's server: to an address that was looked at, within bounds of time, size and number.

httpcore without httpx: it takes the maker of connections from outside, follows no redirect and reads no
proxy from the environment. TLS is checked against the name, whatever address it has.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from typing import Any

import httpcore

from sottovoce.config import PushSettings
from sottovoce.domain.destinations import Url
from sottovoce.pushing import addresses

MOST_ANSWERED = 16 << 10
"""Bytes of an answer that are read; a longer one is none."""
KEPT_OPEN_S = 30.0
_RESOLVING = 4
"""Threads that ask for addresses: a name server that is slow holds nobody else up."""


class Unsent(Exception):
    """Nothing arrived, or nothing is known of it. The text names no path, query or token."""


class _Connections(httpcore.AsyncNetworkBackend):
    """Connects to permitted addresses alone."""

    def __init__(self, named: Iterable[str]) -> None:
        self._backend = httpcore.AnyIOBackend()
        self._besides = addresses.networks(named)
        self._threads = ThreadPoolExecutor(_RESOLVING, "addresses of push servers")

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """The first of the permitted addresses that takes the connection."""
        found = await asyncio.get_running_loop().run_in_executor(self._threads, _resolved, host, port)
        permitted = addresses.permitted(found, self._besides)
        if not permitted:
            raise httpcore.ConnectError(f"no address of {host} may be connected to")
        for address in permitted[:-1]:
            try:
                return await self._backend.connect_tcp(address, port, timeout, local_address, socket_options)
            except httpcore.ConnectError:
                continue
        return await self._backend.connect_tcp(permitted[-1], port, timeout, local_address, socket_options)

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)


def _resolved(host: str, port: int) -> list[str]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as failure:
        raise httpcore.ConnectError(f"{host} has no address") from failure
    return list(dict.fromkeys(str(one[4][0]) for one in found))


class Posting:
    """Sends to all push servers of this process."""

    def __init__(self, settings: PushSettings) -> None:
        self._settings = settings
        self._connections = _Connections(settings.networks)
        self._all = asyncio.Semaphore(settings.connections)
        self._of: dict[tuple[str, int], asyncio.Semaphore] = {}

    @cached_property
    def _pool(self) -> httpcore.AsyncConnectionPool:
        """Made for the first push: reading the system's authorities takes a while."""
        return httpcore.AsyncConnectionPool(
            ssl_context=ssl.create_default_context(cafile=self._settings.ca_file),
            max_connections=self._settings.connections,
            keepalive_expiry=KEPT_OPEN_S,
            network_backend=self._connections,
        )

    async def post(self, url: Url, headers: Sequence[tuple[bytes, bytes]], body: bytes) -> bytes:
        """The body of the answer to `body`; waits for its turn first. Raises Unsent."""
        each = max(1, self._settings.connections // 4)
        async with self._of.setdefault((url.host, url.port), asyncio.Semaphore(each)), self._all:
            try:
                async with asyncio.timeout(self._settings.timeout):
                    return await self._posted(url, headers, body)
            except TimeoutError:
                raise Unsent(f"{url.host}: no answer in time") from None
            except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.TimeoutException) as failure:
                raise Unsent(f"{url.host}: {failure or type(failure).__name__}") from None
            except (OSError, ssl.SSLError) as failure:
                raise Unsent(f"{url.host}: {type(failure).__name__}") from None

    async def _posted(self, url: Url, headers: Sequence[tuple[bytes, bytes]], body: bytes) -> bytes:
        host = f"[{url.host}]" if ":" in url.host else url.host
        where = httpcore.URL(
            scheme=url.scheme.encode(), host=host.encode(), port=url.port, target=url.target.encode()
        )
        async with self._pool.stream("POST", where, headers=headers, content=body) as answer:
            if answer.status != 200:
                raise Unsent(f"{url.host}: HTTP {answer.status}")
            found = b""
            async for part in answer.aiter_stream():
                found += part
                if len(found) > MOST_ANSWERED:
                    raise Unsent(f"{url.host}: an answer too long")
            return found

    async def close(self) -> None:
        """Close what is open."""
        if "_pool" in self.__dict__:
            await self._pool.aclose()
        self._connections.close()
