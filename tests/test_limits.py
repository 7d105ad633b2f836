"""Sources, token buckets and sets of the latest."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sottovoce.limits import LONGEST_SOURCE, Buckets, Latest, source_of


@pytest.mark.parametrize(
    ("host", "source"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("::1", "::/64"),
        ("", ""),
        ("unknown", "unknown"),
        ("x" * 5000, "x" * LONGEST_SOURCE),
    ],
)
def test_where_a_request_comes_from(host: str, source: str) -> None:
    assert source_of(host) == source


def test_a_bucket_empties_and_fills() -> None:
    buckets: Buckets[str] = Buckets(0.5, 3, debt=1)
    assert [buckets.take("a", 0.0) for _ in range(4)] == [True, True, True, False]
    assert buckets.take("b", 0.0)
    assert buckets.owe("a", 0.0, 9) == -1
    assert buckets.left("a", 4.0) == 1
    assert buckets.left("a", 1000.0) == 3
    assert buckets.left("nobody", 0.0) == 3
    assert len(buckets) == 2, "to look costs no memory"


@given(st.lists(st.tuples(st.integers(0, 3), st.floats(0, 5), st.booleans())))
def test_nobody_gets_more_than_the_rate_and_one_burst(asked: list[tuple[int, float, bool]]) -> None:
    buckets: Buckets[int] = Buckets(1, 5)
    now, got = 0.0, dict.fromkeys(range(4), 0)
    for key, wait, back in asked:
        now += wait
        got[key] += buckets.take(key, now - 3 if back else now)
        assert got[key] <= 5 + now


def test_of_more_keys_than_it_may_keep_the_oldest_is_forgotten() -> None:
    buckets: Buckets[int] = Buckets(1, 1, capacity=2)
    for key in (1, 2, 1, 3):
        buckets.take(key, 0.0)
    assert [buckets.left(key, 0.0) for key in (1, 2, 3)] == [1, 0, 0]


def test_of_a_set_of_the_latest_the_oldest_gives_way() -> None:
    latest: Latest[int] = Latest(2)
    for key in (1, 2, 1, 3):
        latest.add(key)
    latest.discard(3)
    latest.discard(7)
    assert [key in latest for key in (1, 2, 3)] == [True, False, False]
