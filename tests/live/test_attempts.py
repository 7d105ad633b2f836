"""How many wrong passwords are looked at: by source first; a known source never suffers for others."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sottovoce.domain.directory import AgentId
from sottovoce.errors import Refused
from sottovoce.live.attempts import (
    AGENT,
    KNOWN_DESK,
    KNOWN_PAIR,
    SOURCES_KEPT,
    STRANGE_PAIR,
    STRANGE_SOURCE,
    Attempts,
)

A, B = AgentId(101), AgentId(102)


def tried(attempts: Attempts, agent: int, source: str, now: float = 0.0, phone: str = "") -> bool:
    """One wrong password; whether it was looked at."""
    try:
        attempts.check(AgentId(agent), source, now, phone)
    except Refused:
        return False
    attempts.wrong(AgentId(agent), source, now, phone)
    return True


def looked_at(
    attempts: Attempts, agent: int, source: str, times: int = 100, now: float = 0.0, phone: str = ""
) -> int:
    return sum(tried(attempts, agent, source, now, phone) for _ in range(times))


def test_the_figures() -> None:
    assert (KNOWN_PAIR, KNOWN_DESK) == ((20, 30), (5, 60))
    assert (STRANGE_PAIR, STRANGE_SOURCE, AGENT) == ((5, 60), (20, 20), (40, 30))


def test_one_source_closes_an_agent_for_itself_alone() -> None:
    attempts = Attempts()
    assert looked_at(attempts, A, "x") == 5
    assert looked_at(attempts, A, "x", now=59.0) == 0
    assert looked_at(attempts, A, "y") == 5
    assert tried(attempts, A, "x", 61.0)


def test_spraying_over_agents_is_counted_by_source() -> None:
    attempts = Attempts()
    assert sum(looked_at(attempts, agent, "x", 1) for agent in range(101, 601)) == 20
    assert looked_at(attempts, 999, "y", 1) == 1
    assert sum(looked_at(attempts, agent, "x", 1, now=100.0) for agent in range(101, 601)) == 5


def test_many_sources_close_an_agent_for_strangers_and_never_where_it_is_known() -> None:
    attempts = Attempts()
    attempts.know(A, "desk")
    assert sum(looked_at(attempts, A, f"bot{number}") for number in range(50)) == 40
    assert not tried(attempts, A, "new desk")
    assert tried(attempts, A, "desk")
    assert tried(attempts, B, "new desk")


def test_at_a_known_source_one_may_still_be_wrong_after_a_stranger_was() -> None:
    attempts = Attempts()
    attempts.know(A, "office")
    assert looked_at(attempts, 999, "office") == 5
    assert sum(looked_at(attempts, agent, "office", 1) for agent in range(500, 600)) == 15
    assert looked_at(attempts, A, "office", 11) == 11
    attempts.check(A, "office", 0.0)
    assert looked_at(attempts, A, "office") == 9
    assert tried(attempts, A, "office", 31.0)


def test_who_guesses_at_the_agents_own_address_uses_up_nothing_of_the_desks() -> None:
    attempts = Attempts()
    attempts.know(A, "office", "1101")
    attempts.know(A, "home", "1999")
    for phone in ("", "1102", "1999"):
        looked_at(attempts, A, "office", phone=phone)
        assert not tried(attempts, A, "office", phone=phone)
    assert looked_at(attempts, A, "office", phone="1101") == 5, "and no more: it may be a guess like others"
    assert looked_at(attempts, A, "office", now=29.0, phone="1101") == 0
    assert looked_at(attempts, A, "office", now=60.0) == 2, "what is free again is everybody's"
    assert looked_at(attempts, A, "office", now=60.0, phone="1101") == 1
    assert looked_at(attempts, A, "home", phone="1999") == 20 + 5
    assert looked_at(attempts, A, "elsewhere", phone="1101") == 5


def test_whoever_is_right_at_the_desk_always_passes_while_strangers_there_guess() -> None:
    attempts = Attempts()
    attempts.know(A, "office", "1101")
    for second in range(1000):
        looked_at(attempts, A, "office", 3, now=float(second), phone="1102")
        attempts.check(A, "office", float(second), "1101")


def test_an_agent_who_is_gone_is_known_nowhere() -> None:
    attempts = Attempts()
    attempts.know(A, "desk", "1101")
    attempts.forget(A)
    attempts.forget(B)
    assert not attempts.knows(A, "desk")
    assert not attempts.desk(A, "desk", "1101")


def test_of_an_agents_sources_the_latest_are_known() -> None:
    attempts = Attempts()
    for number in range(SOURCES_KEPT + 1):
        attempts.know(A, str(number))
        attempts.know(A, "desk")
    assert attempts.knows(A, "desk")
    assert not attempts.knows(A, "1")
    assert attempts.knows(A, str(SOURCES_KEPT))


TRIES = st.lists(st.tuples(st.integers(101, 104), st.sampled_from("vwxyz"), st.floats(0, 2)), max_size=300)


@given(TRIES)
def test_whatever_others_try_elsewhere_a_known_desk_is_open(tries: list[tuple[int, str, float]]) -> None:
    attempts, now = Attempts(), 0.0
    attempts.know(A, "desk")
    for agent, source, wait in tries:
        now += wait
        tried(attempts, agent, source, now)
        attempts.check(A, "desk", now)


@given(TRIES, st.sampled_from([101, 104]))
def test_it_shows_nowhere_who_exists(tries: list[tuple[int, str, float]], agent: int) -> None:
    """An id that was tried is treated like any other that was tried as often."""
    attempts, mirrored, now = Attempts(), Attempts(), 0.0
    for each, source, wait in tries:
        now += wait
        assert tried(attempts, each, source, now) == tried(mirrored, 9000 + each, source, now)


@pytest.mark.parametrize("known", [False, True])
def test_who_was_right_is_counted_nowhere(known: bool) -> None:
    attempts = Attempts()
    if known:
        attempts.know(A, "x")
    for _ in range(1000):
        attempts.check(A, "x", 0.0)
