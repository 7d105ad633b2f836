"""Deadlines against the plain definition: armed last, due once, first deadline first."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sottovoce.deadlines import Deadlines

STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("arm"), st.integers(1, 4), st.integers(0, 20)),
        st.tuples(st.just("disarm"), st.integers(1, 4), st.just(0)),
        st.tuples(st.just("wait"), st.just(0), st.integers(0, 10)),
    ),
    max_size=40,
)


@given(STEPS)
def test_against_a_dictionary(steps):
    deadlines, plain, now = Deadlines(), {}, 0
    for kind, agent, seconds in steps:
        key = f"agent {agent}"
        if kind == "arm":
            deadlines.arm(key, now + seconds)
            plain[key] = now + seconds
        elif kind == "disarm":
            deadlines.disarm(key)
            plain.pop(key, None)
        else:
            now += seconds
            due = {one for one, at in plain.items() if at <= now}
            assert set(deadlines.due(now)) == due
            for one in due:
                del plain[one]
        assert all(deadlines.armed(one) for one in plain)
        if plain:
            assert deadlines.next is not None
            assert deadlines.next <= min(plain.values())


def test_arming_anew_does_not_pile_up():
    """An agent who prolongs a day's rest for ever, each time to a bit less, then to almost nothing."""
    deadlines = Deadlines()
    for count in range(10_000):
        deadlines.arm("one", 86_400 - count)
        deadlines.arm("two", 86_400 + count)
        deadlines.arm("two", count)
        assert not set(deadlines.due(count)) - {"two"}
    assert len(deadlines._heap) < 100
    assert set(deadlines.due(86_400)) == {"one"}
