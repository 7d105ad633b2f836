"""Plans: by which calendar they come due, and what may be done to them in which state. Pure.

A plan keeps the wall clock of its tenant: one that starts at 09:00 comes due at 09:00 local time on every
day of its cycle, whatever the offset from UTC is by then. Source of the calendar: [2497], [2499]; what
happens at month ends and changes of the clock is not on any page:

* monthly on a day that a month lacks: its last day;
* a local time that a change of the clock skips: the first moment after the gap;
* a local time that comes twice: the first of both.
"""

from __future__ import annotations

import calendar
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from sottovoce.domain.grids import read_grid, words
from sottovoce.domain.people import ReviewId, UserId
from sottovoce.domain.reviews import Shares
from sottovoce.domain.sampling import Arrivals, Conditions
from sottovoce.errors import Code, Refused

LONGEST_TASK_NAME = 32
LATEST = datetime(2286, 11, 20, 17, 46, 39, tzinfo=UTC)
"""The last second of ten digits; no plan starts or ends later [2497]."""


class Cycle(StrEnum):
    """How often a plan comes due."""

    DAILY = "daily"
    WEEKLY = "weekly"
    MONTHLY = "monthly"


class End(StrEnum):
    """What ends a plan."""

    RUNS = "runs"
    TIME = "time"


class PlanState(StrEnum):
    """Whether a plan comes due. One that has ended is stopped."""

    STOPPED = "stopped"
    RUNNING = "running"
    DELETED = "deleted"


class PlanAction(StrEnum):
    """What is done to a plan."""

    UPDATE = "update"
    BEGIN = "begin"
    STOP = "stop"
    DELETE = "delete"


_GRID = """
         stopped  running  deleted
update   stopped  running  unknown
begin    running  wrong    unknown
stop     wrong    stopped  unknown
delete   deleted  deleted  unknown
"""
PLANS: Mapping[tuple[PlanState, PlanAction], PlanState | Code] = read_grid(
    _GRID, PlanState, PlanAction, {**words(PlanState), "wrong": Code.WRONG_STATE, "unknown": Code.NOT_FOUND}
)


def follow(state: PlanState, action: PlanAction) -> PlanState:
    """The plan's state after `action`; raises Refused with the cell's code."""
    cell = PLANS[state, action]
    if isinstance(cell, PlanState):
        return cell
    if cell is Code.NOT_FOUND:
        raise no_plan()
    raise Refused(cell, f"the plan is {state}: {action} is not possible")


def no_plan() -> Refused:
    """The refusal of a plan that is unknown, another tenant's or deleted."""
    return Refused(Code.NOT_FOUND, "there is no such plan")


@dataclass(frozen=True, slots=True)
class Schedule:
    """When a plan comes due. ValueError where no plan could be meant, or the zone is unknown."""

    cycle: Cycle
    start: datetime
    """The first due time; its wall clock in `zone` is that of all others."""
    zone: str = "UTC"
    """IANA name, of the tenant when the plan was last added, updated or begun."""
    total: int | None = None
    """It ends after so many runs. Exactly one of `total` and `until` is given."""
    until: datetime | None = None
    """It ends after this moment; one due exactly then still runs."""

    def __post_init__(self) -> None:
        if (self.total is None) == (self.until is None):
            raise ValueError("a plan ends by number or by time")
        if self.total is not None and self.total < 1:
            raise ValueError("a plan runs once at least")
        if self.start > LATEST or (self.until is not None and self.until > LATEST):
            raise ValueError("a plan starts and ends within ten digits of seconds")
        zone(self.zone)

    @property
    def end(self) -> End:
        """Whether a number of runs or a moment ends the plan."""
        return End.TIME if self.total is None else End.RUNS


@dataclass(frozen=True, slots=True)
class PlanOrder:
    """What a plan is asked to be."""

    name: str
    schedule: Schedule
    """Its zone is the tenant's, whatever is given."""
    conditions: Conditions
    shares: Shares


@dataclass(frozen=True, slots=True)
class Plan:
    """A plan."""

    plan: ReviewId
    name: str
    state: PlanState
    schedule: Schedule
    conditions: Conditions
    shares: Shares
    runs: int
    """How often it has run, with or without a sample."""
    next_at: datetime | None
    """When it comes due next; None unless it runs."""
    created_by: UserId
    created_at: datetime
    taken_until: int = 0
    """The number (`sampling.Arrivals`) of the last contact that a run took."""
    begun_after: int | None = None
    """The number of the last contact that had become inspectable when it was begun; None once it has run."""
    began_from: datetime | None = None
    """Of those contacts, the first run takes the calls that began then or later."""
    led_by: UserId | None = None
    """Its samples are of the agents whom this user leads when it runs; None: of all."""

    def takes(self, until: int) -> Arrivals:
        """What its next run takes: what became inspectable since the last one, and before that nothing.

        A run that made no task took nothing.
        """
        return Arrivals(self.taken_until, until, self.begun_after, self.began_from)


@dataclass(frozen=True, slots=True)
class PlanRun:
    """A run of a plan: for the latest of the times that had come due."""

    plan: ReviewId
    due_at: datetime
    ran_at: datetime
    missed: int
    """Earlier due times that nobody ran."""
    task: ReviewId | None
    """What it made; None: nothing, for the reason in `failure`."""
    failure: str | None


@dataclass(frozen=True, slots=True)
class PlanLine:
    """A plan in a list."""

    plan: Plan
    last: PlanRun | None
    """Its last run, with what it made or why it made nothing; None: it never ran."""


@dataclass(frozen=True, slots=True)
class Due:
    """What a plan has to do now."""

    at: datetime
    """The latest due time that has come."""
    missed: int


def zone(name: str) -> ZoneInfo:
    """A time zone by its IANA name. ValueError where there is none."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as failure:
        raise ValueError(f"{name!r} is no time zone") from failure


def next_due(schedule: Schedule, after: datetime, runs: int = 0) -> datetime | None:
    """The first due time later than `after`, of a plan that ran `runs` times; None: it has ended."""
    if schedule.total is not None and runs >= schedule.total:
        return None
    number = max(0, _number_near(schedule, after))
    while (at := _occurrence(schedule, number)) <= after:
        number += 1
    return None if schedule.until is not None and at > schedule.until else at


def previous_due(schedule: Schedule, before: datetime) -> datetime:
    """The last due time earlier than `before`; where the first is not, one cycle before it."""
    number = max(0, _number_near(schedule, before)) + 2
    while number >= 0 and _occurrence(schedule, number) >= before:
        number -= 1
    return _occurrence(schedule, number)


def due(schedule: Schedule, next_at: datetime, now: datetime) -> Due | None:
    """What a plan with that `next_at` has to do at `now`: one run, however many it missed; None: nothing."""
    if next_at > now:
        return None
    latest, missed = next_at, 0
    while (following := next_due(schedule, latest)) is not None and following <= now:
        latest, missed = following, missed + 1
    return Due(latest, missed)


def task_name(plan: str, schedule: Schedule, at: datetime) -> str:
    """The name of the task that a run makes: the plan's and the local date, at most 32 characters."""
    date = at.astimezone(zone(schedule.zone)).date().isoformat()
    return f"{plan[: LONGEST_TASK_NAME - len(date) - 1].rstrip()} {date}"


def _number_near(schedule: Schedule, at: datetime) -> int:
    """The number of an occurrence before `at`, and less than three cycles before it."""
    began, there = (moment.astimezone(zone(schedule.zone)).date() for moment in (schedule.start, at))
    match schedule.cycle:
        case Cycle.DAILY:
            return (there - began).days - 2
        case Cycle.WEEKLY:
            return (there - began).days // 7 - 1
        case Cycle.MONTHLY:
            return 12 * (there.year - began.year) + there.month - began.month - 1


def _occurrence(schedule: Schedule, number: int) -> datetime:
    """The due time with that number, in UTC: 0 is the start, -1 one cycle before it. Never decreases."""
    if number == 0:
        return schedule.start.astimezone(UTC)
    where = zone(schedule.zone)
    first = schedule.start.astimezone(where).replace(tzinfo=None, fold=0)
    match schedule.cycle:
        case Cycle.DAILY:
            wall = first + timedelta(days=number)
        case Cycle.WEEKLY:
            wall = first + timedelta(weeks=number)
        case Cycle.MONTHLY:
            years, month = divmod(first.month - 1 + number, 12)
            year = first.year + years
            day = min(first.day, calendar.monthrange(year, month + 1)[1])
            wall = first.replace(year=year, month=month + 1, day=day)
    return _moment(wall, where)


def _moment(wall: datetime, where: ZoneInfo) -> datetime:
    """The first moment, in UTC, at which a wall clock has come to `wall`."""
    early = wall.replace(tzinfo=where, fold=0).astimezone(UTC)
    if early.astimezone(where).replace(tzinfo=None, fold=0) == wall:
        return early
    # Skipped: the clock changes between the moments that the later and the earlier offset give.
    before = wall.replace(tzinfo=where, fold=1).astimezone(UTC)
    offset, after = before.astimezone(where).utcoffset(), early
    while after - before > timedelta(seconds=1):
        middle = before + timedelta(seconds=(after - before) // timedelta(seconds=2))
        if middle.astimezone(where).utcoffset() == offset:
            before = middle
        else:
            after = middle
    return after.replace(microsecond=0)
