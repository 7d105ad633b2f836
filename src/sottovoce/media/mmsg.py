"""Many UDP datagrams per system call, in and out of preallocated numpy arrays (IPv4).

On Linux `recvmmsg` and `sendmmsg` (recvmmsg(2), sendmmsg(2)) are called by ctypes without giving
up the GIL: the calls never block, and a thread that writes recordings must not take the
interpreter away in the middle of a tick. Elsewhere a plain loop does the same.

A source address is a 48-bit number, the bytes of `sin_port` and `sin_addr` read as little endian:
the same number that `ports_pool.source_key` computes.
"""

from __future__ import annotations

import ctypes
import errno
import socket
import sys
from typing import Any

import numpy as np
import numpy.typing as npt

Bytes = npt.NDArray[np.uint8]
Ints = npt.NDArray[np.int64]
Keys = npt.NDArray[np.uint64]
Lengths = npt.NDArray[np.int32]

LINUX = sys.platform == "linux"
PACKET_BYTES = 640
"""A row holds 60 ms of G.711 (480), header, CSRCs and a fair extension; longer datagrams are dropped."""
_MSG_DONTWAIT = 0x40
_MSG_TRUNC = 0x20
_SOCKADDR = 16
_STAMP = 32  # struct cmsghdr and struct timespec
SO_TIMESTAMPNS = 35
"""Linux socket(7): have the kernel say when each datagram came; read by `Inbox.arrivals`."""

# struct mmsghdr on 64-bit Linux: struct msghdr (56 bytes) and msg_len.
HEADER = np.dtype(
    {
        "names": ["name", "namelen", "iov", "iovlen", "control", "controllen", "flags", "length"],
        "formats": ["<u8", "<u4", "<u8", "<u8", "<u8", "<u8", "<i4", "<u4"],
        "offsets": [0, 8, 16, 24, 32, 40, 48, 56],
        "itemsize": 64,
    }
)
_IOVEC = np.dtype([("start", "<u8"), ("length", "<u8")])


def _system_call(name: str) -> Any:
    """The C library's function, called with the GIL held."""
    function = getattr(ctypes.PyDLL(None, use_errno=True), name)
    arguments: list[Any] = [ctypes.c_int, ctypes.c_void_p, ctypes.c_uint, ctypes.c_int]
    function.argtypes = [*arguments, ctypes.c_void_p] if name == "recvmmsg" else arguments
    function.restype = ctypes.c_int
    return function


_recvmmsg = _system_call("recvmmsg") if LINUX else None
_sendmmsg = _system_call("sendmmsg") if LINUX else None


class Inbox:
    """Room for `rows` datagrams of `width` bytes, filled from any number of sockets, reused every tick."""

    def __init__(self, rows: int, width: int = PACKET_BYTES) -> None:
        self.rows = rows
        self.packets: Bytes = np.zeros((rows, width), np.uint8)
        self.addresses: Bytes = np.zeros((rows, _SOCKADDR), np.uint8)
        self._first_words: Keys = self.addresses.view("<u8")[:, 0]
        self._iovecs = np.zeros(rows, _IOVEC)
        self._iovecs["start"] = self.packets.ctypes.data + np.arange(rows, dtype=np.uint64) * width
        self._iovecs["length"] = width
        self._headers = np.zeros(rows, HEADER)
        self._headers["name"] = self.addresses.ctypes.data + np.arange(rows, dtype=np.uint64) * _SOCKADDR
        self._headers["namelen"] = _SOCKADDR
        self._headers["iov"] = self._iovecs.ctypes.data + np.arange(rows, dtype=np.uint64) * 16
        self._headers["iovlen"] = 1
        self._stamps = np.zeros((rows, _STAMP // 8), np.int64)
        self._headers["control"] = self._stamps.ctypes.data + np.arange(rows, dtype=np.uint64) * _STAMP
        self._headers["controllen"] = _STAMP
        self._start = self._headers.ctypes.data

    def receive(self, source: socket.socket, start: int, limit: int) -> int:
        """Read up to `limit` waiting datagrams of a non-blocking socket into rows from `start`; how many."""
        limit = min(limit, self.rows - start)
        if limit <= 0:
            return 0
        if _recvmmsg is None:
            return self._receive_one_by_one(source, start, limit)
        count: int = _recvmmsg(source.fileno(), self._start + start * 64, limit, _MSG_DONTWAIT, None)
        # An ICMP error of an earlier send is reported once and means nothing here; the next tick reads on.
        return max(count, 0)

    def _receive_one_by_one(self, source: socket.socket, start: int, limit: int) -> int:
        for count in range(limit):
            row = start + count
            try:
                length, _, flags, (host, port) = source.recvmsg_into([self.packets[row]])
            except OSError:
                return count
            self._headers["length"][row] = length
            self._headers["flags"][row] = _MSG_TRUNC if flags & socket.MSG_TRUNC else 0
            self._headers["controllen"][row] = 0
            self.addresses[row, 2:8] = np.frombuffer(
                port.to_bytes(2, "big") + socket.inet_aton(host), np.uint8
            )
        return limit

    def lengths(self, count: int) -> Lengths:
        """Bytes of each of the first `count` rows; 0 where a datagram was longer than a row."""
        lengths = self._headers["length"][:count].astype(np.int32)
        lengths[(self._headers["flags"][:count] & _MSG_TRUNC) != 0] = 0
        return lengths

    def arrivals(self, count: int, now: float, wall: float) -> npt.NDArray[np.float64]:
        """When each of the first `count` rows came, on the clock that says `now`; `wall` is the time of day.

        Simply `now` for sockets without SO_TIMESTAMPNS. To be called once per reading: it makes the
        rows ready for the next.
        """
        stamped = self._headers["controllen"][:count] == _STAMP
        self._headers["controllen"][:count] = _STAMP
        whole = int(wall)
        since = self._stamps[:count, 2] - whole + self._stamps[:count, 3] * 1e-9 - (wall - whole)
        return now + np.where(stamped & (since > -1.0), np.minimum(since, 0.0), 0.0)

    def sources(self, count: int) -> Keys:
        """The source address of each of the first `count` rows, 48 bits."""
        return self._first_words[:count] >> np.uint64(16)


class Destinations:
    """Where each slot sends to: a table of socket addresses that the kernel reads in place."""

    def __init__(self, slots: int) -> None:
        self._addresses: Bytes = np.zeros((slots, _SOCKADDR), np.uint8)
        self._addresses[:, :2] = np.frombuffer(int(socket.AF_INET).to_bytes(2, sys.byteorder), np.uint8)
        self.start: int = self._addresses.ctypes.data
        """Where the table begins in memory: 16 bytes a slot."""
        self.set: npt.NDArray[np.bool_] = np.zeros(slots, np.bool_)

    def put(self, slot: int, source_key: int) -> None:
        """Send this slot's packets to the address whose key this is."""
        self._addresses[slot, 2:8] = np.frombuffer(source_key.to_bytes(6, "little"), np.uint8)
        self.set[slot] = True

    def clear(self, slot: int) -> None:
        """Send nothing for this slot."""
        self._addresses[slot, 2:8] = 0
        self.set[slot] = False

    def address(self, slot: int) -> tuple[str, int]:
        """Host and port of a slot's destination."""
        raw = self._addresses[slot].tobytes()
        return socket.inet_ntoa(raw[4:8]), int.from_bytes(raw[2:4], "big")


class Outbox:
    """Sends rows of one array, each to its slot's destination, without copying them."""

    def __init__(self, rows: int, destinations: Destinations) -> None:
        self.rows = rows
        self._destinations = destinations
        self._iovecs = np.zeros(rows, _IOVEC)
        self.headers = np.zeros(rows, HEADER)
        self.headers["namelen"] = _SOCKADDR
        self.headers["iov"] = self._iovecs.ctypes.data + np.arange(rows, dtype=np.uint64) * 16
        self.headers["iovlen"] = 1
        self._start = self.headers.ctypes.data
        self._packets: Bytes = np.zeros((0, 0), np.uint8)
        self._rows: Ints = np.zeros(0, np.int64)
        self._slots: Ints = np.zeros(0, np.int64)

    def load(self, packets: Bytes, lengths: Lengths, slots: Ints, order: Ints) -> None:
        """Lay out the rows `order` of `packets`, which stay untouched until they are sent."""
        count = len(order)
        if count > self.rows or (packets.size and packets.strides[1] != 1):
            raise ValueError("too many rows, or rows that are not contiguous")
        self._packets, self._rows, self._slots = packets, order, slots[order]
        self._iovecs["start"][:count] = packets.ctypes.data + order * packets.strides[0]
        self._iovecs["length"][:count] = lengths[order]
        self.headers["name"][:count] = self._destinations.start + self._slots * _SOCKADDR

    def send(self, through: socket.socket, start: int, stop: int) -> int:
        """Send the loaded rows `start` to `stop` through a socket, without those that cannot go; how many."""
        if _sendmmsg is None:
            return self._send_one_by_one(through, start, stop)
        sent = 0
        descriptor = through.fileno()
        while start < stop:
            count: int = _sendmmsg(descriptor, self._start + start * 64, stop - start, _MSG_DONTWAIT)
            if count > 0:
                sent += count
                start += count
            elif ctypes.get_errno() in (errno.EAGAIN, errno.ENOBUFS):
                break
            else:  # this one destination is refused; the rows after it are not
                start += 1
        return sent

    def _send_one_by_one(self, through: socket.socket, start: int, stop: int) -> int:
        sent = 0
        for at in range(start, stop):
            length = int(self._iovecs["length"][at])
            try:
                packet = self._packets[self._rows[at], :length].tobytes()
                through.sendto(packet, self._destinations.address(int(self._slots[at])))
            except OSError:
                continue
            sent += 1
        return sent
