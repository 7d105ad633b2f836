"""SIP over the UDP and TCP sockets of one port (RFC 3261 18). Connections, buffers and queues are bounded."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, cast

import structlog

from sottovoce.clock import Clock
from sottovoce.doors.sip.hops import Hop, Outgoing, Transport
from sottovoce.doors.sip.message import Request, Response, SipParseError, StreamFramer
from sottovoce.tasks import Tasks

log = structlog.get_logger(__name__)

RECEIVE_BUFFER = 4 * 1024 * 1024
"""SO_RCVBUF in bytes: a burst of calls waits there while the loop is busy."""
WRITE_LIMIT = 1024 * 1024
"""Bytes a peer may leave unread before its connection is dropped."""
CONNECT_TIMEOUT = 4.0
MAX_WAITING = 64
"""Messages that wait for one connection or name."""
MAX_NAMES = 1024
NAME_LIFETIME = 60.0
SWEEP_INTERVAL = 5.0


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, owner: SipTransport) -> None:
        self._owner = owner

    def datagram_received(self, data: bytes, addr: tuple[Any, ...]) -> None:
        self._owner.on_datagram(data, Hop(Transport.UDP, str(addr[0]), int(addr[1])))

    def error_received(self, exc: Exception) -> None:
        log.debug("udp error", error=str(exc))


class _Stream(asyncio.Protocol):
    """One TCP connection. `proven` once it brought something that was let in, or if it was ours to make."""

    def __init__(self, owner: SipTransport, *, proven: bool) -> None:
        self._owner = owner
        self.proven = proven
        self._framer = StreamFramer()
        self._pongs = 0
        self._transport: asyncio.Transport | None = None
        self.hop = Hop(Transport.TCP, "", 0)
        self.opened_at = 0.0
        self.used_at = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        peer = transport.get_extra_info("peername") or ("", 0)
        self.hop = self._owner.opened(self, str(peer[0]), int(peer[1]))
        if not self.hop.flow:
            transport.abort()  # type: ignore[attr-defined]  # a Transport, as cast above

    def data_received(self, data: bytes) -> None:
        self.used_at = self._owner.clock.monotonic()
        for message in self._framer.feed(data):
            self._owner.on_message(message, self.hop)
        if self._framer.pings > self._pongs:
            self._pongs = self._framer.pings
            self.write(b"\r\n")
        if self._framer.broken:
            self.close()

    def connection_lost(self, exc: Exception | None) -> None:
        self._owner.closed(self)

    def write(self, data: bytes) -> bool:
        transport = self._transport
        if transport is None or transport.is_closing():
            return False
        if transport.get_write_buffer_size() > WRITE_LIMIT:
            log.warning("peer does not read", peer=str(self.hop))
            transport.abort()
            return False
        self.used_at = self._owner.clock.monotonic()
        transport.write(data)
        return True

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def abort(self) -> None:
        """Close without waiting for a peer that does not read."""
        if self._transport is not None:
            self._transport.abort()


MAX_CONNECTIONS = 1000
"""TCP connections at a time, a quarter of them from one host: some memory each, and a file."""
IDLE = 900.0
"""Seconds without a message after which a connection is closed: above what phones take to refresh."""
FIRST_MESSAGE = 30.0
"""Seconds that a connection may take to bring a call or registration that is let in."""


class SipTransport:
    """The sockets of one SIP endpoint.

    `on_datagram` and `on_message` hear what comes in, `on_failed` the keys of what could not be sent.
    """

    def __init__(
        self,
        clock: Clock,
        tasks: Tasks,
        *,
        on_datagram: Callable[[bytes, Hop], None],
        on_message: Callable[[Request | Response | SipParseError, Hop], None],
        on_failed: Callable[[str], None],
        max_connections: int = MAX_CONNECTIONS,
        idle: float = IDLE,
        first_message: float = FIRST_MESSAGE,
    ) -> None:
        self.clock = clock
        self.on_datagram = on_datagram
        self.on_message = on_message
        self.host = ""
        self.port = 0
        self.knows: Callable[[str], bool] = lambda host: False
        """Whether a host is a trunk's or a registered phone's: strangers make room for it."""
        self._on_failed = on_failed
        self._tasks = tasks
        self._max_connections = max_connections
        self._idle = idle
        self._first_message = first_message
        self._udp: asyncio.DatagramTransport | None = None
        self._server: asyncio.Server | None = None
        self._streams: dict[int, _Stream] = {}
        self._by_address: dict[tuple[str, int], _Stream] = {}
        self._connecting: dict[tuple[str, int], list[Outgoing]] = {}
        self._names: OrderedDict[str, tuple[str, float]] = OrderedDict()
        self._resolving: dict[str, list[Outgoing]] = {}
        self._local: OrderedDict[str, str] = OrderedDict()
        self._flows = 0
        self._sweeper: asyncio.Task[None] | None = None

    async def start(self, host: str, port: int) -> None:
        """Bind UDP and TCP on the same port; 0 takes a free one. Raises OSError."""
        loop = asyncio.get_running_loop()
        for attempt in range(20):
            server = await loop.create_server(lambda: _Stream(self, proven=False), host, port, backlog=512)
            bound = server.sockets[0].getsockname()[1]
            try:
                transport, _ = await loop.create_datagram_endpoint(
                    lambda: _Datagrams(self), local_addr=(host, bound)
                )
            except OSError:
                server.close()
                await server.wait_closed()
                if port or attempt == 19:
                    raise
                continue
            self._server, self._udp = server, transport
            self.host, self.port = host, bound
            break
        assert self._udp is not None, "the loop above binds or raises"
        sock = self._udp.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
        self._sweeper = self._tasks.spawn(self._sweep_on(), name="sip idle connections")

    async def stop(self) -> None:
        """Close all sockets; what was written to them is sent first."""
        if self._sweeper is not None:
            self._sweeper.cancel()
        for stream in list(self._streams.values()):
            stream.close()
        if self._udp is not None:
            self._udp.close()
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()
        await asyncio.sleep(0)

    # --- out

    def send(self, message: Outgoing) -> None:
        """Send now, or when a name is looked up or a connection made. A failure is told by its key."""
        hop = message.hop
        stream = self._streams.get(hop.flow) if hop.flow else None
        if stream is not None and stream.write(message.data):
            return
        address = self._address_of(hop.host)
        if address is None:
            self._look_up(message)
        elif hop.transport is Transport.UDP:
            self._send_datagram(message, address)
        else:
            self._send_stream(message, (address, hop.port))

    def local_host(self, remote: str) -> str:
        """Our address as the routing table would choose it towards `remote`."""
        if not ipaddress.ip_address(self.host or "0.0.0.0").is_unspecified:  # noqa: S104
            return self.host
        target = self._address_of(remote) or "192.0.2.1"
        known = self._local.get(target)
        if known is None:
            known = _routed_from(target)
            self._local[target] = known
            if len(self._local) > MAX_NAMES:
                self._local.popitem(last=False)
        return known

    def _send_datagram(self, message: Outgoing, address: str) -> None:
        if self._udp is None or self._udp.is_closing():
            self._fail([message])
        else:
            self._udp.sendto(message.data, (address, message.hop.port))

    def _send_stream(self, message: Outgoing, address: tuple[str, int]) -> None:
        stream = self._by_address.get(address)
        if stream is not None and stream.write(message.data):
            return
        waiting = self._connecting.get(address)
        if waiting is not None:
            if len(waiting) < MAX_WAITING:
                waiting.append(message)
            else:
                self._fail([message])
            return
        if not self._room():
            self._fail([message])
            return
        self._connecting[address] = [message]
        self._tasks.spawn(self._connect(address), name=f"sip connect {address[0]}:{address[1]}")

    async def _connect(self, address: tuple[str, int]) -> None:
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT):
                _, stream = await loop.create_connection(lambda: _Stream(self, proven=True), *address)
        except (OSError, TimeoutError) as error:
            log.info("sip connect failed", peer=f"{address[0]}:{address[1]}", error=str(error))
            self._fail(self._connecting.pop(address, []))
            return
        waiting = self._connecting.pop(address, [])
        self._fail([message for message in waiting if not stream.write(message.data)])

    def _address_of(self, host: str) -> str | None:
        """`host` if it is an IP address, or the one it was looked up as lately."""
        try:
            ipaddress.ip_address(host)
        except ValueError:
            known = self._names.get(host)
            return known[0] if known is not None and known[1] > self.clock.monotonic() else None
        return host

    def _look_up(self, message: Outgoing) -> None:
        name = message.hop.host
        waiting = self._resolving.get(name)
        if waiting is not None:
            if len(waiting) < MAX_WAITING:
                waiting.append(message)
            return
        if len(self._resolving) >= MAX_WAITING:
            self._fail([message])
            return
        self._resolving[name] = [message]
        self._tasks.spawn(self._resolve(name), name=f"sip look-up {name[:64]}")

    async def _resolve(self, name: str) -> None:
        loop = asyncio.get_running_loop()
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        try:
            found = await loop.getaddrinfo(name, None, family=family, type=socket.SOCK_DGRAM)
        except (OSError, UnicodeError) as error:
            log.info("sip name unknown", name=name[:128], error=str(error))
            self._fail(self._resolving.pop(name, []))
            return
        self._names[name] = (str(found[0][4][0]), self.clock.monotonic() + NAME_LIFETIME)
        if len(self._names) > MAX_NAMES:
            self._names.popitem(last=False)
        for message in self._resolving.pop(name, []):
            self.send(message)

    def _fail(self, messages: list[Outgoing]) -> None:
        for message in messages:
            if message.key:
                self._on_failed(message.key)

    # --- connections

    @property
    def connections(self) -> int:
        """Those that stand, whoever made them."""
        return len(self._streams)

    def prove(self, flow: int) -> None:
        """What came by this connection was let in: it may stay."""
        stream = self._streams.get(flow)
        if stream is not None:
            stream.proven = True

    def _room(self) -> bool:
        """Whether there is room for one more connection: the oldest that proved nothing gives way."""
        if len(self._connecting) + len(self._streams) < self._max_connections:
            return True
        unproven = next((stream for stream in self._streams.values() if not stream.proven), None)
        if unproven is not None:
            self.closed(unproven)
            unproven.abort()
        return unproven is not None

    def opened(self, stream: _Stream, host: str, port: int) -> Hop:
        """A connection stands; flow 0 if there are too many, in all or from one host."""
        of_one_host = max(8, self._max_connections // 4)
        stream.proven = stream.proven or self.knows(host)
        full = len(self._streams) >= self._max_connections and not (stream.proven and self._room())
        if full or sum(known.hop.host == host for known in self._streams.values()) >= of_one_host:
            log.warning("too many sip connections", peer=f"{host}:{port}")
            return Hop(Transport.TCP, host, port)
        self._flows += 1
        hop = Hop(Transport.TCP, host, port, self._flows)
        self._streams[hop.flow] = stream
        self._by_address[host, port] = stream
        stream.opened_at = stream.used_at = self.clock.monotonic()
        return hop

    def closed(self, stream: _Stream) -> None:
        """Forget a connection that was closed, by whomever."""
        if self._streams.pop(stream.hop.flow, None) is None:
            return
        if self._by_address.get((stream.hop.host, stream.hop.port)) is stream:
            del self._by_address[stream.hop.host, stream.hop.port]

    def sweep(self) -> int:
        """Close connections that were silent for too long or brought nothing that was let in; how many."""
        now = self.clock.monotonic()
        idle = [stream for stream in self._streams.values() if now - stream.used_at > self._idle]
        mute = [
            stream
            for stream in self._streams.values()
            if not stream.proven and now - stream.opened_at >= self._first_message
        ]
        over = {stream.hop.flow: stream for stream in (*idle, *mute)}
        for stream in over.values():
            stream.abort()
        if mute:
            hosts = {stream.hop.host for stream in mute}
            log.info("sip connections of strangers closed", connections=len(mute), hosts=len(hosts))
        return len(over)

    async def _sweep_on(self) -> None:
        while True:
            await asyncio.sleep(SWEEP_INTERVAL)
            self.sweep()


def _routed_from(target: str) -> str:
    """The source address that the kernel would choose towards `target`; nothing is sent."""
    family = socket.AF_INET6 if ":" in target else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect((target, 9))
            return str(probe.getsockname()[0])
        except OSError:
            return "::1" if family == socket.AF_INET6 else "127.0.0.1"
