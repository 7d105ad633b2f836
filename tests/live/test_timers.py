"""Timers against the plain definition: armed last, due once, first deadline first."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sottovoce.domain.directory import AgentId
from sottovoce.live.effects import SessionSilent
from sottovoce.live.timers import Timers

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
    timers, plain, now = Timers(), {}, 0
    for kind, agent, seconds in steps:
        timer = SessionSilent(AgentId(agent))
        if kind == "arm":
            timers.arm(timer, now + seconds)
            plain[timer] = now + seconds
        elif kind == "disarm":
            timers.disarm(timer)
            plain.pop(timer, None)
        else:
            now += seconds
            due = {one for one, at in plain.items() if at <= now}
            assert set(timers.due(now)) == due
            for one in due:
                del plain[one]
        assert all(timers.armed(one) for one in plain)
        if plain:
            assert timers.next is not None
            assert timers.next <= min(plain.values())


def test_arming_anew_does_not_pile_up():
    """An agent who prolongs a day's rest for ever, each time to a bit less, then to almost nothing."""
    timers = Timers()
    for count in range(10_000):
        timers.arm(SessionSilent(AgentId(1)), 86_400 - count)
        timers.arm(SessionSilent(AgentId(2)), 86_400 + count)
        timers.arm(SessionSilent(AgentId(2)), count)
        assert not set(timers.due(count)) - {SessionSilent(AgentId(2))}
    assert len(timers._heap) < 100
    assert set(timers.due(86_400)) == {SessionSilent(AgentId(1))}
