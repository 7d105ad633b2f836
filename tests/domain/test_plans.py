"""When plans come due: wall clocks, month ends, changes of the clock; and what may be done to a plan when."""

from __future__ import annotations

import calendar
import json
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sottovoce.domain.plans import (
    PLANS,
    Cycle,
    End,
    PlanAction,
    PlanState,
    Schedule,
    due,
    follow,
    next_due,
    previous_due,
    task_name,
)
from sottovoce.errors import Code, Refused
from sottovoce.plain import from_plain, to_plain

ZONES = (
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "America/Sao_Paulo",
    "Asia/Kolkata",
    "Asia/Gaza",
    "Africa/Casablanca",
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "Pacific/Chatham",
)


def at(text: str, zone: str = "UTC", fold: int = 0) -> datetime:
    """A moment by its local time."""
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold).astimezone(UTC)


def plan(cycle: Cycle, start: str, zone: str, total: int = 10_000) -> Schedule:
    return Schedule(cycle, at(start, zone), zone, total=total)


def dues(schedule: Schedule, count: int, after: datetime | None = None) -> list[str]:
    """The next due times, as a clock of the zone and its offset from UTC show them."""
    moment = after or schedule.start - timedelta(seconds=1)
    shown = []
    for _ in range(count):
        following = next_due(schedule, moment)
        assert following is not None
        moment = following
        shown.append(moment.astimezone(ZoneInfo(schedule.zone)).strftime("%m-%d %H:%M %z"))
    return shown


# Cycle, start and zone; then the first three due times.
TABLE = """
# Berlin skips 02:00-03:00 on 2026-03-29, and has 02:00-03:00 twice on 2026-10-25.
daily   2026-03-28T02:30 Europe/Berlin       | 03-28 02:30 +0100 | 03-29 03:00 +0200 | 03-30 02:30 +0200
daily   2026-10-24T02:30 Europe/Berlin       | 10-24 02:30 +0200 | 10-25 02:30 +0200 | 10-26 02:30 +0100
weekly  2026-03-22T02:00 Europe/Berlin       | 03-22 02:00 +0100 | 03-29 03:00 +0200 | 04-05 02:00 +0200
daily   2026-03-28T03:00 Europe/Berlin       | 03-28 03:00 +0100 | 03-29 03:00 +0200 | 03-30 03:00 +0200
# New York skips 02:00-03:00 on 2026-03-08, and has 01:00-02:00 twice on 2026-11-01.
daily   2026-03-07T02:59 America/New_York    | 03-07 02:59 -0500 | 03-08 03:00 -0400 | 03-09 02:59 -0400
daily   2026-10-31T01:30 America/New_York    | 10-31 01:30 -0400 | 11-01 01:30 -0400 | 11-02 01:30 -0500
monthly 2026-01-08T02:30 America/New_York    | 01-08 02:30 -0500 | 02-08 02:30 -0500 | 03-08 03:00 -0400
# Lord Howe changes by half an hour: 02:00-02:30 is skipped on 2026-10-04, 01:30-02:00 twice on 2026-04-05.
daily   2026-10-03T02:15 Australia/Lord_Howe | 10-03 02:15 +1030 | 10-04 02:30 +1100 | 10-05 02:15 +1100
daily   2026-04-04T01:45 Australia/Lord_Howe | 04-04 01:45 +1100 | 04-05 01:45 +1100 | 04-06 01:45 +1030
monthly 2026-01-31T09:00 Asia/Kolkata        | 01-31 09:00 +0530 | 02-28 09:00 +0530 | 03-31 09:00 +0530
monthly 2028-01-30T09:00 Asia/Kolkata        | 01-30 09:00 +0530 | 02-29 09:00 +0530 | 03-30 09:00 +0530
# Apia had no 2011-12-30.
daily   2011-12-29T10:00 Pacific/Apia        | 12-29 10:00 -1000 | 12-31 00:00 +1400 | 12-31 10:00 +1400
daily   2011-12-29T00:00 Pacific/Apia        | 12-29 00:00 -1000 | 12-31 00:00 +1400 | 01-01 00:00 +1400
weekly  2011-12-23T10:00 Pacific/Apia        | 12-23 10:00 -1000 | 12-31 00:00 +1400 | 01-06 10:00 +1400
monthly 2011-11-30T10:00 Pacific/Apia        | 11-30 10:00 -1000 | 12-31 00:00 +1400 | 01-30 10:00 +1400
# Midnight is what São Paulo skipped, 2018-11-04.
daily   2018-11-03T00:00 America/Sao_Paulo   | 11-03 00:00 -0300 | 11-04 01:00 -0200 | 11-05 00:00 -0200
"""
LINES = [line for line in TABLE.strip().splitlines() if not line.startswith("#")]


@pytest.mark.parametrize("line", LINES)
def test_the_clock_on_the_wall(line: str) -> None:
    given_, *expected = [part.strip() for part in line.split("|")]
    cycle, start, zone = given_.split()
    assert dues(plan(Cycle(cycle), start, zone), len(expected)) == expected


def test_a_start_in_the_second_of_two_like_hours_stays_there() -> None:
    start = at("2026-10-25T02:30", "Europe/Berlin", fold=1)
    schedule = Schedule(Cycle.DAILY, start, "Europe/Berlin", total=9)
    assert dues(schedule, 2) == ["10-25 02:30 +0100", "10-26 02:30 +0100"]
    assert previous_due(schedule, start) == at("2026-10-24T02:30", "Europe/Berlin")


WHOLE_SECONDS = st.datetimes(datetime(1995, 1, 1), datetime(2090, 1, 1)).map(
    lambda moment: moment.replace(microsecond=0, tzinfo=UTC)
)
SCHEDULES = st.builds(
    lambda cycle, start, zone: Schedule(cycle, start, zone, total=10_000),
    st.sampled_from(Cycle),
    WHOLE_SECONDS,
    st.sampled_from(ZONES),
)


def after_cycles(schedule: Schedule, cycles: int) -> date:
    """The local date of the occurrence with that number, by a calendar of days alone."""
    first = schedule.start.astimezone(ZoneInfo(schedule.zone)).date()
    match schedule.cycle:
        case Cycle.DAILY:
            return first + timedelta(days=cycles)
        case Cycle.WEEKLY:
            return first + timedelta(days=7 * cycles)
        case Cycle.MONTHLY:
            month = first.month - 1 + cycles
            year, month = first.year + month // 12, month % 12 + 1
            return date(year, month, min(first.day, calendar.monthrange(year, month)[1]))


@given(SCHEDULES, st.integers(0, 400))
def test_the_wall_clock_is_kept_except_in_gaps(schedule: Schedule, cycles: int) -> None:
    zone = ZoneInfo(schedule.zone)
    wall = schedule.start.astimezone(zone).time()
    wanted = datetime.combine(after_cycles(schedule, cycles), wall).replace(fold=0)
    there = wanted.replace(tzinfo=zone).astimezone(UTC)
    skipped = there.astimezone(zone).replace(tzinfo=None, fold=0) != wanted
    if cycles == 0:
        there, skipped = schedule.start, False
    # The occurrence itself is found from any moment just before it, whatever lies between.
    if not skipped:
        assert next_due(schedule, there - timedelta(seconds=1)) == there
    else:
        found = next_due(schedule, there - timedelta(days=1))
        moments = [found]
        while found is not None and found.astimezone(zone).replace(tzinfo=None) < wanted:
            found = next_due(schedule, found)
            moments.append(found)
        assert found is not None
        assert found.astimezone(zone).replace(tzinfo=None) > wanted
        second_before = (found - timedelta(seconds=1)).astimezone(zone).replace(tzinfo=None, fold=0)
        assert second_before < wanted, "not the first moment after the gap"


@given(SCHEDULES, WHOLE_SECONDS)
def test_due_times_follow_one_another_and_none_is_left_out(schedule: Schedule, after: datetime) -> None:
    moments = [after]
    for _ in range(40):
        following = next_due(schedule, moments[-1])
        assert following is not None
        moments.append(following)
    assert moments[1] >= schedule.start
    assert all(early < late for early, late in pairwise(moments))
    longest = {Cycle.DAILY: 2, Cycle.WEEKLY: 8, Cycle.MONTHLY: 32}[schedule.cycle]
    assert all(late - early <= timedelta(days=longest, hours=2) for early, late in pairwise(moments[1:]))
    for early, late in pairwise(moments[1:]):
        assert previous_due(schedule, late) == early
        between = early + (late - early) / 2
        assert next_due(schedule, between) == late
        assert previous_due(schedule, between) == early


@given(SCHEDULES, st.integers(0, 40), st.integers(0, 12))
def test_one_run_makes_up_for_all_that_were_missed(schedule: Schedule, before: int, missed: int) -> None:
    moments = [schedule.start]
    while len(moments) < before + missed + 2:
        moments.append(next_due(schedule, moments[-1]) or schedule.start)
    first, last, beyond = moments[before], moments[before + missed], moments[before + missed + 1]
    for now in (last, beyond - timedelta(seconds=1)):
        found = due(schedule, first, now)
        assert found is not None
        assert (found.at, found.missed) == (last, missed)
        assert previous_due(schedule, first) < first
    assert due(schedule, first, first - timedelta(seconds=1)) is None


def test_what_ends_a_plan() -> None:
    by_count = plan(Cycle.DAILY, "2026-03-02T09:00", "UTC", total=2)
    assert by_count.end is End.RUNS
    assert next_due(by_count, at("2026-03-02T09:00"), runs=1) == at("2026-03-03T09:00")
    assert next_due(by_count, at("2026-03-02T09:00"), runs=2) is None
    by_time = Schedule(Cycle.DAILY, at("2026-03-02T09:00"), "UTC", until=at("2026-03-04T09:00"))
    assert by_time.end is End.TIME
    assert next_due(by_time, at("2026-03-03T09:00")) == at("2026-03-04T09:00")
    assert next_due(by_time, at("2026-03-04T09:00")) is None
    found = due(by_time, at("2026-03-03T09:00"), at("2027-01-01T00:00"))
    assert found is not None
    assert (found.at, found.missed) == (at("2026-03-04T09:00"), 1)


def test_the_first_run_samples_one_cycle_back() -> None:
    for cycle, start, before in (
        (Cycle.DAILY, "2026-03-30T09:00", "2026-03-29T09:00"),
        (Cycle.WEEKLY, "2026-03-30T09:00", "2026-03-23T09:00"),
        (Cycle.MONTHLY, "2026-03-31T09:00", "2026-02-28T09:00"),
        (Cycle.MONTHLY, "2026-01-15T09:00", "2025-12-15T09:00"),
    ):
        schedule = plan(cycle, start, "Europe/Berlin")
        assert previous_due(schedule, schedule.start) == at(before, "Europe/Berlin")


@given(SCHEDULES, st.booleans())
def test_json_keeps_a_schedule(schedule: Schedule, by_time: bool) -> None:
    if by_time:
        schedule = Schedule(schedule.cycle, schedule.start, schedule.zone, until=schedule.start)
    assert from_plain(Schedule, json.loads(json.dumps(to_plain(schedule)))) == schedule


def test_schedules_that_mean_nothing() -> None:
    start = at("2026-03-02T09:00")
    for bad in (
        {"zone": "Mars/Olympus", "total": 1},
        {"zone": "../../etc/passwd", "total": 1},
        {"total": 0},
        {},
        {"total": 1, "until": start},
        {"until": datetime(2300, 1, 1, tzinfo=UTC)},
    ):
        with pytest.raises(ValueError):
            Schedule(Cycle.DAILY, start, **bad)  # type: ignore[arg-type]
    with pytest.raises(ValueError):
        Schedule(Cycle.DAILY, datetime(2300, 1, 1, tzinfo=UTC), total=1)


def test_names_of_tasks() -> None:
    schedule = plan(Cycle.DAILY, "2026-03-02T00:30", "Europe/Berlin")
    assert task_name("Sales", schedule, schedule.start) == "Sales 2026-03-02"  # in UTC it is still the 1st
    long = task_name("a" * 20 + " bcd", schedule, schedule.start)
    assert long == "a" * 20 + " 2026-03-02"
    assert len(task_name("x" * 99, schedule, schedule.start)) == 32


def test_states() -> None:
    assert len(PLANS) == len(PlanState) * len(PlanAction)
    assert follow(PlanState.STOPPED, PlanAction.BEGIN) is PlanState.RUNNING
    assert follow(PlanState.RUNNING, PlanAction.STOP) is PlanState.STOPPED
    for state, action, code in (
        (PlanState.RUNNING, PlanAction.BEGIN, Code.WRONG_STATE),
        (PlanState.STOPPED, PlanAction.STOP, Code.WRONG_STATE),
        *((PlanState.DELETED, action, Code.NOT_FOUND) for action in PlanAction),
    ):
        with pytest.raises(Refused) as declined:
            follow(state, action)
        assert declined.value.code is code


def test_a_day_of_the_week_is_kept() -> None:
    schedule = plan(Cycle.WEEKLY, "2026-03-02T09:00", "Europe/Berlin")
    moment = schedule.start
    for _ in range(60):
        moment = next_due(schedule, moment) or moment
        local = moment.astimezone(ZoneInfo("Europe/Berlin"))
        assert (local.weekday(), local.time()) == (0, time(9))
