"""Deadlines that do not drift, and what is said about them."""

from __future__ import annotations

import pytest

from sottovoce.domain.audio import FRAME_S
from sottovoce.media.beat import MOST_CATCHING_UP, TICK_BOUNDS_S, Beat


def test_deadlines_lie_20_ms_apart_whenever_they_are_served() -> None:
    beat = Beat(0.0)
    served: list[float] = []
    for now in (0.01, 0.0205, 0.039, 0.047, 0.0601):
        served += beat.due(now)
    assert served == pytest.approx([0.02, 0.04, 0.06])


def test_a_short_stall_is_made_up_for() -> None:
    beat = Beat(0.0)
    assert list(beat.due(0.1001)) == pytest.approx([0.02, 0.04, 0.06, 0.08, 0.1])
    assert beat.skipped == 0


def test_a_long_stall_is_skipped_over() -> None:
    beat = Beat(0.0)
    stall = (MOST_CATCHING_UP + 5) * FRAME_S
    assert len(list(beat.due(FRAME_S + stall + 0.001))) == 1
    assert beat.skipped == MOST_CATCHING_UP + 5


def test_the_figures_are_those_of_the_ticks() -> None:
    beat = Beat(0.0)
    for number in range(100):
        deadline = number * FRAME_S
        long = 0.03 if number == 50 else 0.005
        beat.served(deadline, deadline + 0.001, (deadline + 0.002, deadline + 0.001 + long))
    assert (beat.ticks, beat.overruns) == (100, 1)
    assert beat.most_ms == pytest.approx(30.0)
    assert beat.work_ms(50) == pytest.approx(5.0, rel=1e-4)
    assert beat.late_ms(50) == pytest.approx(6.0, rel=1e-4)
    assert beat.stage_ms("receive") == pytest.approx(1.0)
    beat.reset()
    assert (beat.ticks, beat.most_ms, beat.work_ms(99)) == (0, 0.0, 0.0)


def test_ticks_are_counted_by_the_time_of_their_work_and_no_reset_forgets_them() -> None:
    beat = Beat(0.0)
    for work in (0.0001, 0.0002, 0.03, 10.0):
        beat.served(0.0, 5.0, (5.0 + work,))
    beat.reset()
    assert sum(beat.classes) == 4
    assert beat.classes[0] == 2
    assert beat.classes[TICK_BOUNDS_S.index(0.04)] == beat.classes[-1] == 1
    assert beat.work_s == pytest.approx(10.0303)
