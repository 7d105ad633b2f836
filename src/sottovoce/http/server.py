"""The HTTP server: uvicorn inside the running event loop, HTTP/1.1 by h11.

h11 because it alone keeps the case of response headers (`Set-GUID`), which real clients compare;
HTTP/2 would lower-case them by its own rule.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import re
import socket
import ssl
import sys
from collections.abc import Callable, Coroutine, Iterator, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from ipaddress import ip_address, ip_network
from typing import Any

import h11
import structlog
import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

from sottovoce.config import HttpSettings
from sottovoce.http.bodies import BODY_ARRIVED
from sottovoce.http.edge import CONNECTION_OPEN, HEADER_BYTES, fold
from sottovoce.http.family.answer import Family, Fault, family_of
from sottovoce.http.family.routes import SERVED_CALLER
from sottovoce.http.peers import Peers
from sottovoce.limits import source_of
from sottovoce.tasks import Tasks

log = structlog.get_logger(__name__)

ACCEPT_AGAIN_S = 0.5
"""After the machine could give us no connection."""
_LINE = 1024
"""Bytes of a request's beginning that are kept, to tell whose it would be."""
_TARGET = re.compile(rb"[^ \r\n]* +([^ ?\r\n]*)")


@dataclass(frozen=True, slots=True)
class ServerLimits:
    """What one peer may take, and all together. No setting: no known client comes near them."""

    header_s: float = 15.0
    """How long a connection may take to bring a request's headers."""
    keep_alive_s: int = 30
    handshake_s: float = 10.0
    """How long its TLS handshake may take."""
    stall_s: float = 60.0
    """How long a peer may take nothing of an answer that is more than the machine holds for it."""
    linger_s: float = 1.0
    """How long a body is read on that was not waited for before its answer."""
    connections: int = 8192
    """In all, with those whose handshake is not done; strangers together have three quarters of them."""
    connections_of_stranger: int = 512
    """From one source no request of which was served to a caller yet."""
    connections_of_known: int = 2048
    """From one of another source; a reverse proxy (`http.proxies`) may have all."""
    stop_s: int = 3
    """How long requests in progress may go on after a stop."""


class _Config(uvicorn.Config):
    """uvicorn's settings, with what all connections of one server share beside them."""

    def __init__(
        self, app: ASGIApp, settings: HttpSettings, limits: ServerLimits, families: Sequence[Family]
    ) -> None:
        self.limits = limits
        self.families = families
        self.peers = Peers(
            limits.connections,
            of_stranger=limits.connections_of_stranger,
            of_known=limits.connections_of_known,
        )
        self.failures = logging.getLogger("uvicorn.error.connection")
        self.failures.setLevel(logging.ERROR)  # uvicorn's warnings about requests name no peer
        super().__init__(
            app,
            http=Connection,
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            h11_max_incomplete_event_size=HEADER_BYTES,
            timeout_keep_alive=limits.keep_alive_s,
            timeout_graceful_shutdown=limits.stop_s,
            ssl_certfile=settings.tls_cert,
            ssl_keyfile=settings.tls_key,
        )


class Connection(H11Protocol):
    """One TCP connection: tells the application whether it still stands, and bounds the wait for headers."""

    def __init__(self, config: uvicorn.Config, source: str, *args: Any, **kwargs: Any) -> None:
        super().__init__(config, *args, **kwargs)
        assert isinstance(config, _Config)
        self._shared = config
        self._source: str | None = source
        """What it counts for, until it ends."""
        self.logger = config.failures
        self._beginning = b""
        self._inner: Any = self.app
        self.app = self._with_connection
        self._header_timer: asyncio.TimerHandle | None = None
        self._stall_timer: asyncio.TimerHandle | None = None

    async def _with_connection(self, scope: Any, receive: Any, send: Any) -> None:
        told = {CONNECTION_OPEN: self._is_open, SERVED_CALLER: self._prove, BODY_ARRIVED: self._has_body}
        extensions = {**scope.get("extensions", {}), **told}
        await self._inner({**scope, "extensions": extensions}, receive, send)

    def _is_open(self) -> bool:
        return not self.transport.is_closing()

    def _has_body(self) -> bool:
        return not self.cycle.more_body

    def _prove(self) -> None:
        if self._source is not None:
            self._shared.peers.prove(self._source)

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """The wait for headers begins."""
        super().connection_made(transport)
        self._await_headers()

    def data_received(self, data: bytes) -> None:
        """Read on; between two requests the wait for headers begins anew."""
        if self.conn.their_state is h11.IDLE:
            if self._header_timer is None:
                self._beginning = b""
            self._beginning = (self._beginning + data[:_LINE])[:_LINE]
            self._await_headers()
        super().data_received(data)
        if self.conn.their_state is not h11.IDLE:
            self._stop_awaiting()

    def send_400_response(self, msg: str) -> None:
        """Answer what h11 takes for no HTTP, in the form of the family that it seems to be for."""
        if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            too_large = getattr(sys.exception(), "error_status_hint", 400) == Fault.HEADERS_TOO_LARGE.value
            fault = Fault.HEADERS_TOO_LARGE if too_large else Fault.MALFORMED
            log.info("request is no HTTP", source=self._source, status=fault.value, per=self._source)
            target = _TARGET.match(self._beginning)
            path = target[1].decode("latin-1") if target is not None else "/"
            answer = family_of(fold(path), self._shared.families).at_fault(fault)
            with contextlib.suppress(h11.LocalProtocolError):  # HEAD has an answer without a body
                for event in (
                    h11.Response(
                        status_code=fault.value,
                        headers=answer.raw_headers,
                        reason=HTTPStatus(fault.value).phrase.encode(),
                    ),
                    h11.Data(data=bytes(answer.body)),
                    h11.EndOfMessage(),
                ):
                    self.transport.write(self.conn.send(event) or b"")
        if self.cycle is not None and not self.cycle.response_complete:
            self.cycle.disconnected = True  # what is answered to it now has no place to go
            self.cycle.message_event.set()
        self._close()

    def on_response_complete(self) -> None:
        """Go on with the next request, unless this one's body is still coming: nobody wants it."""
        if self.conn.their_state is h11.SEND_BODY:
            self.loop.call_later(self._shared.limits.linger_s, self._close)
        super().on_response_complete()

    def pause_writing(self) -> None:
        """The peer reads too slowly: its answer waits, but not for ever."""
        super().pause_writing()
        self._stall_timer = self.loop.call_later(self._shared.limits.stall_s, self.transport.abort)

    def resume_writing(self) -> None:
        """The peer has read some."""
        super().resume_writing()
        self._stop_stalling()

    def timeout_keep_alive_handler(self) -> None:
        """Nothing more was asked for."""
        super().timeout_keep_alive_handler()
        self._close()

    def connection_lost(self, exc: Exception | None) -> None:
        """The peer counts no more."""
        self._stop_awaiting()
        self._stop_stalling()
        self.uncount()
        super().connection_lost(exc)

    def uncount(self) -> None:
        """It has ended, or never began."""
        if self._source is not None:
            self._shared.peers.leave(self._source)
            self._source = None

    def _await_headers(self) -> None:
        if self._header_timer is None:
            self._header_timer = self.loop.call_later(self._shared.limits.header_s, self._too_slow)

    def _stop_awaiting(self) -> None:
        if self._header_timer is not None:
            self._header_timer.cancel()
            self._header_timer = None

    def _stop_stalling(self) -> None:
        if self._stall_timer is not None:
            self._stall_timer.cancel()
            self._stall_timer = None

    def _too_slow(self) -> None:
        self._header_timer = None
        self._close()

    def _close(self) -> None:
        """Close, and do not wait for ever that the peer reads what it was sent."""
        self.transport.close()
        self.loop.call_later(self._shared.limits.linger_s, self.transport.abort)


class _Uvicorn(uvicorn.Server):
    """uvicorn without its signal handlers: the process has its own. Says when it listens.

    It accepts connections itself, so that each counts from its first packet on, a TLS handshake included.
    """

    def __init__(self, config: _Config, settings: HttpSettings, tasks: Tasks) -> None:
        super().__init__(config)
        self.listening = asyncio.Event()
        self._shared, self._tasks = config, tasks
        self._proxies = [ip_network(proxy) for proxy in settings.proxies]
        self._arriving: set[asyncio.Task[None]] = set()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        self.servers = []
        for listener in sockets or []:
            listener.listen(self.config.backlog)
            self._keep(self._accept(listener), "http accepts")
        self.started = True
        self.listening.set()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for task in self._arriving:
            task.cancel()
        await asyncio.gather(*self._arriving, return_exceptions=True)
        await super().shutdown(sockets)

    def _keep(self, work: Coroutine[Any, Any, None], name: str) -> None:
        task = self._tasks.spawn(work, name=name)
        self._arriving.add(task)
        task.add_done_callback(self._arriving.discard)

    async def _accept(self, listener: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                connection, address = await loop.sock_accept(listener)
            except OSError as failure:  # no file descriptor is left, or the peer has gone
                log.warning("connection not accepted", reason=str(failure), per=str(failure))
                await asyncio.sleep(ACCEPT_AGAIN_S)
                continue
            host = str(address[0]) if address else ""
            source = source_of(host)
            if self._shared.peers.enter(source, bounded=not self._is_proxy(host)):
                self._keep(self._arrive(connection, source), "http connection")
                continue
            connection.close()
            log.warning("connection refused, too many", source=source, per=source)

    def _is_proxy(self, host: str) -> bool:
        if not host:
            return True  # of the socket in the data folder the file system lets in who may
        address = ip_address(host.partition("%")[0])
        return any(address in network for network in self._proxies)

    async def _arrive(self, connection: socket.socket, source: str) -> None:
        """Make an accepted connection one of HTTP, after its TLS handshake."""
        limits, tls = self._shared.limits, self.config.ssl
        protocol = Connection(self.config, source, server_state=self.server_state, app_state={})
        try:
            connection.setblocking(False)
            await asyncio.get_running_loop().connect_accepted_socket(
                lambda: protocol,
                connection,
                ssl=tls,
                ssl_handshake_timeout=limits.handshake_s if tls is not None else None,
            )
        except OSError as failure:
            protocol.uncount()
            connection.close()
            log.info("connection came to nothing", source=source, reason=str(failure), per=source)
        except asyncio.CancelledError:
            protocol.uncount()
            connection.close()
            raise


class Server:
    """Serves one ASGI application until it is stopped.

    `before_stop` is called first when stopping: it ends what hangs (polls), so that nothing is cut.
    Of `families` is the form in which what is no HTTP is answered. A bound `listener` is served instead of
    the address that is set.
    """

    def __init__(
        self,
        app: ASGIApp,
        settings: HttpSettings,
        tasks: Tasks,
        before_stop: Callable[[], None] = lambda: None,
        families: Sequence[Family] = (),
        limits: ServerLimits = ServerLimits(),
        listener: socket.socket | None = None,
    ) -> None:
        self._app = app
        self._settings = settings
        self._limits = limits
        self._tasks = tasks
        self._before_stop = before_stop
        self._families = families
        self._listener = listener
        self._uvicorn: _Uvicorn | None = None
        self._serving: asyncio.Task[None] | None = None
        self.host = settings.host
        self.port = settings.port
        """The bound port, once started."""

    async def start(self) -> None:
        """Bind and listen. Raises OSError: the address cannot be had, or the certificate (ssl.SSLError)."""
        config = _Config(self._app, self._settings, self._limits, self._families)
        config.load()
        listener = self._listener or _bound(self._settings.host, self._settings.port)
        if listener.family == socket.AF_UNIX:
            self.host, self.port = listener.getsockname(), 0
        else:
            self.port = listener.getsockname()[1]
        self._uvicorn = _Uvicorn(config, self._settings, self._tasks)
        self._serving = self._tasks.spawn(self._uvicorn.serve([listener]), name="http server")
        listening = self._tasks.spawn(self._uvicorn.listening.wait(), name="http server listens")
        await asyncio.wait({self._serving, listening}, return_when=asyncio.FIRST_COMPLETED)
        if self._serving.done():
            listening.cancel()
            await self._serving
        log.info("http server listens", host=self.host, port=self.port, tls=config.is_ssl)

    def read_certificate(self) -> None:
        """Use what the certificate's files hold now, for connections from now on.

        Files that cannot be used are logged, and the former certificate stays.
        """
        context = self._uvicorn.config.ssl if self._uvicorn is not None else None
        cert, key = self._settings.tls_cert, self._settings.tls_key
        if context is None or cert is None or key is None:
            return
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(cert, key)
            context.load_cert_chain(cert, key)
        except (OSError, ValueError) as failure:
            log.error("certificate not read, the former stays", file=str(cert), reason=str(failure))
        else:
            log.info("certificate read again", file=str(cert))

    async def stop(self) -> None:
        """Accept no more, let requests in progress end, close. Harmless when not running."""
        if self._uvicorn is None or self._serving is None:
            return
        self._before_stop()
        self._uvicorn.should_exit = True
        await self._serving
        self._uvicorn = self._serving = None


def _bound(host: str, port: int) -> socket.socket:
    family, kind, protocol, _, address = socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
    except OSError:
        listener.close()
        raise
    listener.setblocking(False)
    return listener
