"""The UDP sockets of a media worker: binds port pairs, reads what waits, writes what a tick made.

RTP is read and written in batches (`mmsg`) and attributed by the `ports_pool`; RTCP, one packet in
seconds and leg, one by one. Every reading is bounded, per socket and per tick: a flood fills its own
socket's buffer, where the kernel drops it, and delays no other leg.
"""

from __future__ import annotations

import contextlib
import select
import socket
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sottovoce.domain.legs import LegAddress, RemoteMedia
from sottovoce.errors import Code, Refused
from sottovoce.media.mmsg import LINUX, SO_TIMESTAMPNS, Destinations, Inbox, Lengths, Outbox
from sottovoce.media.ports_pool import PortRange, PortsPool, Proof, host_of, port_of, source_key

Bytes = npt.NDArray[np.uint8]
Ints = npt.NDArray[np.int64]

ROWS_PER_TICK = 8192
ROWS_PER_SOCKET = 1024
RTCP_PER_TICK = 256
RTCP_PER_SOCKET = 16
RTCP_BYTES = 1500
RECEIVE_BUFFER = 1 << 20
_BIND_TRIES = 64
_EXPEDITED = 0xB8  # DSCP EF, RFC 3246
_SO_RCVBUFFORCE = 33  # Linux socket(7)
# Linux ip(7): never fragment and ignore the path's MTU, which also spares the kernel an id per packet.
_IP_MTU_DISCOVER, _IP_PMTUDISC_PROBE = 10, 3


@dataclass(frozen=True, slots=True)
class Drained:
    """The RTP packets of this tick that belong to legs: slots, packets, lengths, arrivals [k]."""

    slots: Ints
    packets: Bytes
    lengths: Lengths
    arrivals: npt.NDArray[np.float64]
    proofs: tuple[Proof, ...]
    refused: Ints


@dataclass(frozen=True, slots=True)
class _Round:
    """How the packets of some slots are sent: good until a port or a far side changes, so for most ticks."""

    slots: Ints
    rows: Ints
    """Those that have a far side, port by port."""
    ways: list[tuple[socket.socket, int, int]]
    """Which of `rows` go through which socket."""


class Sockets:
    """The port pairs of one worker, as sockets, and where each slot sends to."""

    def __init__(self, slots: int, bind: str, ports: PortRange) -> None:
        self._bind = bind
        self._untried = ports.even_ports()
        self.pool = PortsPool(slots, ports.most_pairs)
        self._rtp: list[socket.socket] = []
        self._rtcp: list[socket.socket] = []
        self._by_descriptor: dict[int, tuple[int, bool]] = {}
        self._ready = select.epoll() if hasattr(select, "epoll") else None
        self._inbox = Inbox(ROWS_PER_TICK)
        self._indices = np.zeros(ROWS_PER_TICK, np.int64)
        self._destinations = Destinations(slots)
        # Two packets a tick for a leg whose ptime is 10 ms.
        self._outbox = Outbox(2 * slots, self._destinations)
        self._round: _Round | None = None
        self._turn = 0
        self.received = 0
        self.sent = 0

    # Legs

    def open(self, slot: int, now: float) -> LegAddress:
        """Give a slot a port; refused with MEDIA_EXHAUSTED when there is none."""
        index = self.pool.choose(now)
        if index is None:
            index = self._grow()
        self._destinations.clear(slot)
        self._round = None
        self.pool.open(slot, index, now)
        return LegAddress(self._bind, self.pool.ports[index])

    def set_remote(self, slot: int, remote: RemoteMedia) -> None:
        """Say where a slot's packets come from and go to."""
        self.pool.expect(slot, remote)
        self._aim(slot)

    def close(self, slot: int, now: float) -> None:
        """Take a slot off its port and send no more for it."""
        self._destinations.clear(slot)
        self._round = None
        self.pool.close(slot, now)

    def _aim(self, slot: int) -> None:
        key = self.pool.destination(slot)
        self._round = None
        if key is None:
            self._destinations.clear(slot)
        else:
            self._destinations.put(slot, key)

    def _grow(self) -> int:
        """Bind one more pair; ports that somebody else holds are passed over."""
        if self.pool.is_full:
            raise Refused(Code.MEDIA_EXHAUSTED, "no more media ports")
        for _ in range(_BIND_TRIES):
            port = next(self._untried, None)
            if port is None:
                break
            with contextlib.suppress(OSError):
                rtp, rtcp = bind_pair(self._bind, port)
                if LINUX:
                    rtp.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
                index = self.pool.add(rtp.getsockname()[1])
                self._rtp.append(rtp)
                self._rtcp.append(rtcp)
                for opened, is_rtp in ((rtp, True), (rtcp, False)):
                    self._by_descriptor[opened.fileno()] = (index, is_rtp)
                    if self._ready is not None:
                        self._ready.register(opened.fileno(), select.EPOLLIN)
                return index
        raise Refused(Code.MEDIA_EXHAUSTED, "no media port could be bound")

    # Packets in

    def wait_sets(self) -> tuple[list[int], list[int]]:
        """Port indices with RTP waiting and with RTCP waiting, beginning anywhere so that none starves."""
        if self._ready is None:
            everything = list(range(len(self._rtp)))
            return everything, everything
        rtp: list[int] = []
        rtcp: list[int] = []
        for descriptor, _ in self._ready.poll(0, max(1, len(self._by_descriptor))):
            index, is_rtp = self._by_descriptor[descriptor]
            (rtp if is_rtp else rtcp).append(index)
        return rtp, rtcp

    def receive(self, waiting: list[int]) -> int:
        """Read RTP of these port indices into the inbox; how many packets it holds."""
        count = 0
        self._turn += 1
        begin = self._turn % len(waiting) if waiting else 0
        for index in waiting[begin:] + waiting[:begin]:
            got = self._inbox.receive(self._rtp[index], count, ROWS_PER_SOCKET)
            self._indices[count : count + got] = index
            count += got
        self.received += count
        return count

    def attribute(self, count: int, now: float, wall: float) -> Drained:
        """Keep of the inbox's first `count` packets those that belong to legs; `wall` is the time of day."""
        lengths = self._inbox.lengths(count)
        packets = self._inbox.packets[:count]
        arrivals = self._inbox.arrivals(count, now, wall)
        found = self.pool.attribute(self._indices[:count], self._inbox.sources(count), packets, lengths, now)
        for proof in found.proofs:
            self._aim(proof.slot)
        slots = found.slots
        if len(slots) and slots.min() < 0:
            kept = np.flatnonzero(slots >= 0)
            slots, packets = slots[kept], packets[kept]
            lengths, arrivals = lengths[kept], arrivals[kept]
        return Drained(slots, packets, lengths, arrivals, found.proofs, found.refused)

    def receive_rtcp(self, waiting: list[int]) -> Iterator[tuple[int, bytes]]:
        """Slot and bytes of the RTCP packets that belong to legs."""
        left = RTCP_PER_TICK
        for index in waiting:
            for _ in range(min(left, RTCP_PER_SOCKET)):
                try:
                    data, (host, port) = self._rtcp[index].recvfrom(RTCP_BYTES)
                except OSError:
                    break
                left -= 1
                slot = self.pool.rtcp_owner(index, source_key(host, port), data)
                if slot is not None:
                    yield slot, data

    # Packets out

    def send(self, slots: Ints, packets: Bytes, lengths: Lengths) -> None:
        """Send each row to its slot's far side through its slot's port."""
        if self._round is None or not np.array_equal(self._round.slots, slots):
            self._round = self._planned(slots)
        self._outbox.load(packets, lengths, slots, self._round.rows)
        for through, start, stop in self._round.ways:
            self.sent += self._outbox.send(through, start, stop)

    def _planned(self, slots: Ints) -> _Round:
        rows = np.flatnonzero(self._destinations.set[slots])
        rows = rows[np.argsort(self.pool.indices[slots[rows]], kind="stable")]
        ports = self.pool.indices[slots[rows]]
        starts = np.flatnonzero(np.diff(ports, prepend=-1)).tolist()
        stops = [*starts[1:], len(rows)]
        ways = [(self._rtp[ports[start]], start, stop) for start, stop in zip(starts, stops, strict=False)]
        return _Round(slots.copy(), rows, ways)

    def send_rtcp(self, slot: int, packet: bytes) -> None:
        """Send one RTCP packet for a slot, if it has a far side."""
        key = self.pool.rtcp_destination(slot)
        if key is not None:
            with contextlib.suppress(OSError):
                self._rtcp[self.pool.index(slot)].sendto(packet, (host_of(key), port_of(key)))

    def shut(self) -> None:
        """Close every socket."""
        for opened in (*self._rtp, *self._rtcp):
            opened.close()
        if self._ready is not None:
            self._ready.close()


def bind_pair(host: str, port: int) -> tuple[socket.socket, socket.socket]:
    """Two bound non-blocking UDP sockets, RTP on an even port and RTCP above it (RFC 3550 11); OSError."""
    for _ in range(_BIND_TRIES):
        rtp = _bound(host, port)
        chosen = rtp.getsockname()[1]
        if chosen % 2 == 0:
            try:
                return rtp, _bound(host, chosen + 1)
            except OSError:
                if port:
                    rtp.close()
                    raise
        rtp.close()
    raise OSError("no free pair of ports")


def _bound(host: str, port: int) -> socket.socket:
    opened = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        opened.setblocking(False)
        try:  # beyond net.core.rmem_max, which only root may
            opened.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, RECEIVE_BUFFER)
        except OSError:
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
        with contextlib.suppress(OSError):
            opened.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, _EXPEDITED)
        if LINUX:
            opened.setsockopt(socket.IPPROTO_IP, _IP_MTU_DISCOVER, _IP_PMTUDISC_PROBE)
        opened.bind((host, port))
    except BaseException:
        opened.close()
        raise
    return opened
