"""The bounds on one peer's connections."""

from __future__ import annotations

import pytest

from sottovoce.config.kinds import is_loopback
from sottovoce.http.peers import Peers

FAR, NEAR = "192.0.2.7", "127.0.0.1"


def entered(peers: Peers, host: str, tries: int) -> int:
    return sum(peers.enter(host) for _ in range(tries))


def test_one_host_gets_a_quarter() -> None:
    peers = Peers(20)
    assert entered(peers, FAR, 50) == 5
    assert entered(peers, "2001:db8::1", 50) == 5


def test_this_machine_gets_what_is_left_of_all() -> None:
    peers = Peers(20)
    assert entered(peers, FAR, 50) == 5
    assert entered(peers, NEAR, 50) == 15
    assert not peers.enter("192.0.2.8")


def test_what_leaves_makes_room_and_is_forgotten() -> None:
    peers = Peers(4)
    assert entered(peers, FAR, 2) == 1
    peers.leave(FAR)
    assert len(peers) == 0
    assert entered(peers, FAR, 2) == 1
    assert entered(peers, NEAR, 9) == 3
    assert not peers.enter("192.0.2.8"), "all are taken"
    assert len(peers) == 2, "who is refused is not remembered"
    peers.leave(NEAR)
    assert peers.enter("192.0.2.8")


def test_a_bound_of_less_than_four_lets_one_in() -> None:
    assert entered(Peers(1), FAR, 5) == 1
    assert entered(Peers(3), FAR, 5) == 1


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("127.0.0.1", True),
        ("127.8.9.1", True),
        ("::1", True),
        ("::ffff:127.0.0.1", True),
        ("::ffff:192.0.2.7", False),
        ("192.0.2.7", False),
        ("fe80::1%eth0", False),
        ("", False),
        ("localhost", False),
    ],
)
def test_who_is_on_this_machine(host: str, loopback: bool) -> None:
    assert is_loopback(host) is loopback
