"""Port pairs as sockets: ranges, growth, sending through the right port, RTCP."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import numpy as np
import pytest

from sottovoce.domain.legs import Codec, RemoteMedia
from sottovoce.errors import Code, Refused
from sottovoce.media.ports_pool import PortRange
from sottovoce.media.sockets import Sockets, bind_pair


def bound() -> socket.socket:
    opened = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    opened.bind(("127.0.0.1", 0))
    return opened


@pytest.fixture
def phones() -> Iterator[list[socket.socket]]:
    opened = [bound() for _ in range(4)]
    yield opened
    for one in opened:
        one.close()


@pytest.fixture
def sockets() -> Iterator[Sockets]:
    sockets = Sockets(8, "127.0.0.1", PortRange())
    yield sockets
    sockets.shut()


@pytest.mark.parametrize(
    ("ports", "expected"),
    [
        (PortRange(10_000, 10_005), [10_000, 10_002, 10_004]),
        (PortRange(10_001, 10_006), [10_002, 10_004]),
        (PortRange(10_000, 10_005, begin=4), [10_002, 10_004, 10_000]),
        (PortRange(10_000, 10_000), []),
        (PortRange(pairs=2), [0, 0]),
    ],
)
def test_a_range_names_even_ports_whose_odd_one_is_inside_too(ports: PortRange, expected: list[int]) -> None:
    assert list(ports.even_ports()) == expected
    assert ports.most_pairs == len(expected)


def test_a_pair_is_even_and_the_odd_one_above() -> None:
    rtp, rtcp = bind_pair("127.0.0.1", 0)
    with rtp, rtcp:
        port = rtp.getsockname()[1]
        assert (port % 2, rtcp.getsockname()[1]) == (0, port + 1)
        with pytest.raises(OSError, match="in use"):
            bind_pair("127.0.0.1", port)


def test_ports_that_others_hold_are_passed_over() -> None:
    rtp, rtcp = bind_pair("127.0.0.1", 0)
    taken = rtp.getsockname()[1]
    with rtp, rtcp:
        sockets = Sockets(8, "127.0.0.1", PortRange(taken, taken + 1))
        with pytest.raises(Refused) as refused:
            sockets.open(0, 0.0)
        assert refused.value.code is Code.MEDIA_EXHAUSTED
        sockets.shut()


def rtp(sequence: int) -> bytes:
    return bytes([0x80, 0]) + sequence.to_bytes(2, "big") + bytes(4) + b"ssrc" + bytes(160)


def test_packets_of_legs_come_out_with_their_slots(sockets: Sockets, phones: list[socket.socket]) -> None:
    addresses = [sockets.open(slot, 0.0) for slot in (4, 6)]
    assert len({address.port for address in addresses}) == 2
    for slot, phone in zip((4, 6), phones, strict=False):
        sockets.set_remote(slot, RemoteMedia(*phone.getsockname(), Codec.PCMU))
    for sequence in range(4):
        for address, phone in zip(addresses, phones, strict=False):
            phone.sendto(rtp(sequence), (address.host, address.port))
    waiting, rtcp = sockets.wait_sets()
    assert (sorted(waiting), rtcp) == ([0, 1], [])
    drained = sockets.attribute(sockets.receive(waiting), 0.02, 0.0)
    assert sorted(drained.slots.tolist()) == [4, 4, 6, 6]
    assert drained.packets[:, 3].tolist() == [2, 3, 2, 3]
    assert drained.lengths.tolist() == [172] * 4
    assert {(proof.slot, proof.first) for proof in drained.proofs} == {(4, True), (6, True)}
    assert sorted(drained.refused.tolist()) == [4, 4, 6, 6]


def test_each_packet_leaves_through_its_own_legs_port(sockets: Sockets, phones: list[socket.socket]) -> None:
    addresses = [sockets.open(slot, 0.0) for slot in range(3)]
    for slot in (0, 2):
        sockets.set_remote(slot, RemoteMedia(*phones[slot].getsockname(), Codec.PCMU))
    packets = np.arange(12, dtype=np.uint8).reshape(4, 3)
    sockets.send(np.array([2, 1, 0, 2]), packets, np.full(4, 3, np.int32))
    for slot, row in ((2, 0), (2, 3), (0, 2)):
        data, source = phones[slot].recvfrom(99)
        assert data == packets[row].tobytes()
        assert source == (addresses[slot].host, addresses[slot].port)
    assert sockets.sent == 3
    sockets.close(2, 0.0)
    sockets.send(np.array([2]), packets, np.full(1, 3, np.int32))
    assert sockets.sent == 3


def test_rtcp_comes_and_goes_on_the_odd_ports(sockets: Sockets, phones: list[socket.socket]) -> None:
    address = sockets.open(0, 0.0)
    phone, phones_rtcp, stranger, _ = phones
    sockets.set_remote(
        0, RemoteMedia(*phone.getsockname(), Codec.PCMU, rtcp_port=phones_rtcp.getsockname()[1])
    )
    for sequence in range(3):
        phone.sendto(rtp(sequence), (address.host, address.port))
    sockets.attribute(sockets.receive(sockets.wait_sets()[0]), 0.02, 0.0)
    for sender in (stranger, phones_rtcp):
        sender.sendto(b"\x80\xc9\x00\x01else", (address.host, address.port + 1))
    waiting = sockets.wait_sets()[1]
    assert list(sockets.receive_rtcp(waiting)) == [(0, b"\x80\xc9\x00\x01else")]
    sockets.send_rtcp(0, b"report")
    assert phones_rtcp.recvfrom(99) == (b"report", (address.host, address.port + 1))


def test_a_leg_without_a_far_side_sends_nothing(sockets: Sockets) -> None:
    sockets.open(0, 0.0)
    sockets.send(np.array([0]), np.zeros((1, 172), np.uint8), np.full(1, 172, np.int32))
    sockets.send_rtcp(0, b"report")
    assert sockets.sent == 0
