"""How long callers waited, by queue and quarter of an hour."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from sottovoce.domain.directory import QueueRules, SkillId
from sottovoce.domain.figures import Figures, QueueHistory, quarter
from sottovoce.domain.queueing import Outcome

SALES, HELP = SkillId(1), SkillId(2)
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
RULES = QueueRules(answer_within_s=20, short_s=5)


def waited(history, minute, seconds, outcome=Outcome.ANSWERED, skill=SALES):
    began = NOON + timedelta(minutes=minute)
    history.count(skill, began, began + timedelta(seconds=seconds), outcome, RULES)


def test_service_level_average_and_longest():
    history = QueueHistory()
    for seconds in (10, 20, 30):
        waited(history, 0, seconds)
    for seconds in (3, 60):
        waited(history, 1, seconds, Outcome.ABANDONED)
    waited(history, 2, 300, Outcome.TIMED_OUT)
    waited(history, 2, 0, Outcome.NO_ROOM)
    waited(history, 2, 7, Outcome.MOVED)
    waited(history, 3, 1, skill=HELP)
    found = history.since(NOON)[SALES]
    assert found == Figures(8, 3, 2, 1, 1, 1, 1, 60.0, 300.0)
    assert found.service_level == 2 / 7, "who hung up at once is not counted"
    assert found.average_s == 20.0
    assert history.since(NOON)[HELP].service_level == 1.0
    assert (Figures().service_level, Figures().average_s) == (None, None)


def test_a_wait_counts_in_the_quarter_in_which_it_began():
    history = QueueHistory()
    for minute, seconds in ((0, 1), (14, 600), (15, 2), (59, 3)):
        waited(history, minute, seconds)
    quarters = [(at.minute, figures.offered) for at, figures in history.quarters(SALES)]
    assert quarters == [(0, 2), (15, 1), (45, 1)]
    assert history.since(NOON + timedelta(minutes=16))[SALES].offered == 2
    assert history.since(NOON + timedelta(hours=1)) == {}
    assert quarter(NOON + timedelta(minutes=44, seconds=59)) == NOON + timedelta(minutes=30)


def test_what_is_older_than_a_day_is_forgotten():
    history = QueueHistory()
    waited(history, 0, 1)
    waited(history, 26 * 60, 1)
    assert [figures.offered for _, figures in history.quarters(SALES)] == [1]


@given(st.lists(st.tuples(st.integers(0, 600), st.integers(0, 900), st.sampled_from(Outcome)), max_size=30))
def test_all_that_were_offered_are_somewhere(waits):
    history = QueueHistory()
    for minute, seconds, outcome in waits:
        waited(history, minute, seconds, outcome)
    one = history.since(NOON).get(SALES, Figures())
    by_quarters = Figures()
    for _, figures in history.quarters(SALES):
        by_quarters.add(figures)
    assert one == by_quarters
    assert one.offered == len(waits)
    parts = one.answered + one.abandoned + one.abandoned_short + one.timed_out + one.no_room
    assert parts == sum(outcome.value not in ("moved", "ended", "interrupted") for _, _, outcome in waits)
    assert one.answered_in_time <= one.answered
