"""What one source may hold of connections, requests and bytes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sottovoce.config.kinds import is_loopback
from sottovoce.http.peers import KNOWN, Peers, Portions

FAR, NEAR = "192.0.2.7", "127.0.0.1"


def entered(peers: Peers, source: str, tries: int, *, bounded: bool = True) -> int:
    return sum(peers.enter(source, bounded=bounded) for _ in range(tries))


def test_strangers_hold_few_each_and_three_quarters_together() -> None:
    peers = Peers(20, of_stranger=4, of_known=10)
    assert [entered(peers, f"192.0.2.{number}", 9) for number in range(5)] == [4, 4, 4, 3, 0]
    peers.prove(NEAR)
    assert entered(peers, NEAR, 9) == 5


def test_a_source_that_was_served_a_caller_is_no_stranger_any_more() -> None:
    peers = Peers(20, of_stranger=4, of_known=10)
    assert entered(peers, FAR, 9) == 4
    peers.prove(FAR)
    assert entered(peers, FAR, 9) == 6
    assert [entered(peers, f"192.0.3.{number}", 9) for number in range(4)] == [4, 4, 2, 0]
    for _ in range(10):
        peers.leave(FAR)
    assert entered(peers, "192.0.3.9", 9) == 4


def test_a_proxy_may_have_what_is_left_of_all() -> None:
    peers = Peers(20, of_stranger=4, of_known=10)
    assert entered(peers, FAR, 9) == 4
    assert entered(peers, NEAR, 50, bounded=False) == 16
    assert not peers.enter("192.0.2.8")


def test_what_leaves_makes_room_and_is_forgotten() -> None:
    peers = Peers(4, of_stranger=1, of_known=4)
    assert entered(peers, FAR, 2) == 1
    peers.leave(FAR)
    assert len(peers) == 0
    assert entered(peers, FAR, 2) == 1


def test_of_known_sources_the_latest_are_remembered() -> None:
    peers = Peers(20, of_stranger=1, of_known=10)
    for number in range(KNOWN + 1):
        peers.prove(str(number))
    assert entered(peers, "0", 5) == 1
    assert entered(peers, str(KNOWN), 5) == 5


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(-9, 9)), max_size=80))
def test_no_share_and_no_sum_is_ever_beyond_its_bound(steps: list[tuple[int, int]]) -> None:
    shares, held = Portions(20, 8), [0, 0, 0]
    for who, amount in steps:
        if amount < 0:
            shares.give_back(str(who), -amount)
            held[who] = max(0, held[who] + amount)
        elif shares.take(str(who), amount):
            held[who] += amount
        assert [shares.of(str(each)) for each in range(3)] == held
        assert max(held) <= 8
        assert sum(held) <= 20
    assert len(shares) == sum(amount > 0 for amount in held)


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
