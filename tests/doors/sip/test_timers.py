from __future__ import annotations

from sottovoce.doors.sip.timers import Timers


def test_timers_fire_in_order_each_at_its_own_time() -> None:
    timers = Timers(10.0)
    fired: list[tuple[str, float]] = []
    timers.after(2.0, lambda: fired.append(("late", timers.now)))
    timers.after(1.0, lambda: fired.append(("early", timers.now)))
    assert timers.deadline == 11.0
    timers.advance(11.5)
    assert fired == [("early", 11.0)]
    assert timers.now == 11.5
    timers.advance(20.0)
    assert fired == [("early", 11.0), ("late", 12.0)]
    assert timers.deadline is None


def test_a_timer_started_by_a_timer_fires_in_the_same_advance() -> None:
    timers = Timers()
    fired: list[float] = []

    def again() -> None:
        fired.append(timers.now)
        if len(fired) < 3:
            timers.after(1.0, again)

    timers.after(1.0, again)
    timers.advance(10.0)
    assert fired == [1.0, 2.0, 3.0]


def test_a_cancelled_timer_does_not_fire_and_leaves_the_heap() -> None:
    timers = Timers()
    fired: list[int] = []
    started = [timers.after(1.0 + i / 1000, lambda i=i: fired.append(i)) for i in range(2000)]  # type: ignore[misc]
    for timer in started[1:]:
        timer.cancel()
        timer.cancel()
    assert len(timers) == 1
    assert len(timers._deadlines._heap) < 100
    timers.advance(10.0)
    assert fired == [0]
    assert not started[0].running


def test_the_clock_never_runs_back() -> None:
    timers = Timers(5.0)
    timers.advance(3.0)
    assert timers.now == 5.0
