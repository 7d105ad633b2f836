"""Datagrams in batches, by the system calls and by the plain loop that stands in for them elsewhere."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator

import numpy as np
import pytest

from sottovoce.media import mmsg
from sottovoce.media.mmsg import PACKET_BYTES, SO_TIMESTAMPNS, Destinations, Inbox, Outbox
from sottovoce.media.ports_pool import host_of, port_of, source_key


@pytest.fixture(params=["system calls", "plain loop"], autouse=True)
def calls(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "plain loop":
        monkeypatch.setattr(mmsg, "_recvmmsg", None)
        monkeypatch.setattr(mmsg, "_sendmmsg", None)


@pytest.fixture
def sockets() -> Iterator[list[socket.socket]]:
    opened = []
    for host in ("127.0.0.1", "127.0.0.2", "127.0.0.3"):
        one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        one.setblocking(False)
        one.bind((host, 0))
        opened.append(one)
    yield opened
    for one in opened:
        one.close()


def test_datagrams_come_in_with_length_and_source(sockets: list[socket.socket]) -> None:
    target, one, other = sockets
    inbox = Inbox(16)
    for sender, data in ((one, b"abc"), (other, b"x" * PACKET_BYTES), (one, b"")):
        sender.sendto(data, target.getsockname())
    assert inbox.receive(target, 0, 16) == 3
    assert inbox.lengths(3).tolist() == [3, PACKET_BYTES, 0]
    assert inbox.packets[0, :3].tobytes() == b"abc"
    assert inbox.packets[1].tobytes() == b"x" * PACKET_BYTES
    sources = inbox.sources(3).tolist()
    assert sources == [source_key(*sender.getsockname()) for sender in (one, other, one)]
    assert (host_of(sources[1]), port_of(sources[1])) == other.getsockname()
    assert inbox.receive(target, 0, 16) == 0


def test_several_sockets_fill_one_inbox_and_no_more_than_fits(sockets: list[socket.socket]) -> None:
    target, other, sender = sockets
    inbox = Inbox(4)
    for number in range(3):
        sender.sendto(bytes([number]), target.getsockname())
        sender.sendto(bytes([number + 10]), other.getsockname())
    count = inbox.receive(target, 0, 2)
    assert count == 2
    count += inbox.receive(other, count, 100)
    assert count == 4
    assert inbox.receive(target, count, 100) == 0
    assert inbox.packets[:4, 0].tolist() == [0, 1, 10, 11]
    assert inbox.receive(target, 0, 100) == 1
    assert inbox.packets[0, 0] == 2


def test_a_datagram_longer_than_a_row_has_no_length(sockets: list[socket.socket], calls: None) -> None:
    target, sender, _ = sockets
    sender.sendto(b"x" * (PACKET_BYTES + 1), target.getsockname())
    inbox = Inbox(4)
    assert inbox.receive(target, 0, 4) == 1
    assert inbox.lengths(1).tolist() == [0]


def test_arrivals_are_the_kernels_times_where_it_tells_them(sockets: list[socket.socket]) -> None:
    target, sender, _ = sockets
    inbox = Inbox(4)
    stamps = mmsg._recvmmsg is not None
    if stamps:
        target.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
    for _ in range(2):  # a second reading finds the rows ready
        sender.sendto(b"a", target.getsockname())
        sent = time.time()
        time.sleep(0.03)
        assert inbox.receive(target, 0, 4) == 1
        (arrival,) = inbox.arrivals(1, 1000.0, sent + 0.5).tolist()
        if stamps:
            assert 999.0 < arrival < 1000.0
        else:
            assert arrival == 1000.0


def test_without_the_kernels_times_everything_came_now(sockets: list[socket.socket]) -> None:
    target, sender, _ = sockets
    inbox = Inbox(4)
    sender.sendto(b"a", target.getsockname())
    assert inbox.receive(target, 0, 4) == 1
    assert inbox.arrivals(1, 5.0, time.time()).tolist() == [5.0]


def test_rows_go_out_to_their_slots_destinations(sockets: list[socket.socket]) -> None:
    through, one, other = sockets
    destinations = Destinations(8)
    destinations.put(3, source_key(*one.getsockname()))
    destinations.put(5, source_key(*other.getsockname()))
    assert destinations.address(3) == one.getsockname()
    assert destinations.set.tolist() == [False] * 3 + [True, False, True] + [False] * 2
    packets = np.arange(40, dtype=np.uint8).reshape(4, 10)
    outbox = Outbox(8, destinations)
    slots = np.array([5, 3, 5, 3])
    outbox.load(packets, np.array([10, 4, 0, 10], np.int32), slots, np.array([3, 1, 0, 2]))
    assert outbox.send(through, 0, 2) == 2
    assert [one.recv(99) for _ in range(2)] == [packets[3].tobytes(), packets[1, :4].tobytes()]
    assert outbox.send(through, 2, 4) == 2
    assert [other.recv(99) for _ in range(2)] == [packets[0].tobytes(), b""]


def test_a_destination_that_is_refused_does_not_stop_the_others(sockets: list[socket.socket]) -> None:
    through, one, _ = sockets
    destinations = Destinations(3)
    destinations.put(0, source_key(*one.getsockname()))
    destinations.put(1, source_key("127.0.0.1", 0))
    destinations.put(2, source_key("255.255.255.255", 9))
    outbox = Outbox(8, destinations)
    packets = np.arange(4, dtype=np.uint8).reshape(4, 1)
    outbox.load(packets, np.ones(4, np.int32), np.array([1, 0, 2, 0]), np.arange(4))
    assert outbox.send(through, 0, 4) == 2
    assert [one.recv(9) for _ in range(2)] == [b"\x01", b"\x03"]


def test_more_rows_than_there_is_room_for_are_refused() -> None:
    outbox = Outbox(2, Destinations(1))
    with pytest.raises(ValueError, match="too many rows"):
        outbox.load(np.zeros((3, 1), np.uint8), np.ones(3, np.int32), np.zeros(3, np.int64), np.arange(3))
