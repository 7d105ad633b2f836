"""When an agent counts as not reached."""

from __future__ import annotations

from sottovoce.pushing.course import Course, Turn


def test_failing_for_two_minutes_is_lost_once_and_back_once() -> None:
    course = Course(120.0)
    assert [course.failed(at, at + 5) for at in (100.0, 110.0, 214.9)] == [Turn.NONE] * 3
    assert course.failed(215.0, 220.0) is Turn.LOST
    assert course.failed(230.0, 235.0) is Turn.NONE
    assert [course.succeeded(), course.succeeded()] == [Turn.BACK, Turn.NONE]


def test_a_success_in_between_begins_the_count_anew() -> None:
    course = Course(120.0)
    assert course.failed(0.0, 5.0) is Turn.NONE
    assert course.succeeded() is Turn.NONE
    assert course.failed(119.0, 124.0) is Turn.NONE
    assert course.failed(238.0, 239.0) is Turn.LOST


def test_one_attempt_that_lasted_as_long_is_enough() -> None:
    assert Course(5.0).failed(0.0, 5.0) is Turn.LOST
