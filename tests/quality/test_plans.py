"""Plans on PostgreSQL: each due time gives one run, whatever dies in between and however many try."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.ext.asyncio import AsyncConnection
from structlog.testing import capture_logs
from tests.quality.asking import asked, run_due
from tests.quality.standing import (
    ANN,
    CEM,
    DIRECTOR,
    FOREIGN,
    INSPECTOR,
    LEADER,
    NOW,
    ONE,
    SECOND,
    TABLE_DIRECTOR,
    THIRD,
    TWO,
    Standing,
)
from tests.storage.works import work_of

from sottovoce.domain.people import ReviewId, Role, User
from sottovoce.domain.plans import Cycle, Plan, PlanOrder, PlanRun, PlanState, Schedule
from sottovoce.domain.reviews import Share, ShareKind, Shares, TaskState
from sottovoce.domain.sampling import Conditions, Quantity
from sottovoce.errors import Code, Refused
from sottovoce.quality import plans
from sottovoce.quality.office import Office
from sottovoce.storage.database import connect
from sottovoce.storage.review import plans as rows
from sottovoce.storage.review import tasks as task_rows
from sottovoce.storage.tables import audit as audit_rows
from sottovoce.storage.tables import (
    contacts,
    group_members,
    plan_runs,
    review_items,
    review_tasks,
    users,
    vdns,
)

DAY = timedelta(days=1)
EVERY = Conditions(Quantity.CALLS, 10_000)
EVEN = Shares(ShareKind.EVEN, (Share(INSPECTOR), Share(SECOND)))


def order(**changes: Any) -> PlanOrder:
    """A daily plan, due for the first time an hour from now, of two calls for two inspectors."""
    made = PlanOrder(
        "Sales",
        Schedule(Cycle.DAILY, NOW + timedelta(hours=1), total=100),
        Conditions(Quantity.CALLS, 2),
        EVEN,
    )
    return replace(made, **changes)


@pytest.fixture
async def director(standing: Standing) -> User:
    return await standing.caller(DIRECTOR)


async def begun(standing: Standing, caller: User, wanted: PlanOrder | None = None) -> ReviewId:
    """A plan that runs."""
    plan = await asked(plans.add, standing.office, caller, wanted or order())
    await asked(plans.begin, standing.office, caller, plan)
    return plan


async def shown(standing: Standing, plan: ReviewId) -> Plan:
    async with standing.engine.begin() as connection:
        found = await rows.find(work_of(connection, ONE), plan)
    assert found is not None
    return found


async def runs(standing: Standing, plan: ReviewId) -> list[PlanRun]:
    async with standing.engine.begin() as connection:
        return await rows.runs(work_of(connection, ONE), plan)


async def sampled(standing: Standing, run: PlanRun) -> set[int]:
    """The contacts that a run took."""
    assert run.task is not None, run.failure
    async with standing.engine.begin() as connection:
        return {item.contact for item in await task_rows.items(work_of(connection, ONE), run.task)}


async def count(standing: Standing, table: sa.Table) -> int:
    async with standing.engine.begin() as connection:
        return int((await connection.execute(sa.select(sa.func.count()).select_from(table))).scalar_one())


def at(standing: Standing, moment: datetime) -> None:
    """Let it be that time."""
    standing.clock.advance((moment - standing.clock.now()).total_seconds())


async def calls(standing: Standing, each: int = 3, ago: timedelta = timedelta(hours=1)) -> list[int]:
    """Calls that became inspectable just now; they began some time ago."""
    began_at = standing.clock.now() - ago
    return [await standing.contact(101 + agent % 3, began_at=began_at) for agent in range(each)]


async def declines(code: Code, doing: Any) -> Refused:
    with pytest.raises(Refused) as declined:
        await doing
    assert declined.value.code is code
    return declined.value


async def test_a_run_makes_a_task_in_effect(standing: Standing, director: User) -> None:
    await calls(standing)
    plan = await begun(standing, director)
    assert await run_due(standing.office) == []
    at(standing, NOW + timedelta(hours=1))
    (run,) = await run_due(standing.office)
    assert run.task is not None
    assert (run.due_at, run.missed, run.failure) == (NOW + timedelta(hours=1), 0, None)
    async with standing.engine.begin() as connection:
        task = await task_rows.find(work_of(connection, ONE), run.task)
        items = await task_rows.items(work_of(connection, ONE), run.task)
        steps = (await connection.execute(sa.select(audit_rows.c.action))).scalars().all()
    assert task is not None
    assert (task.name, task.state, task.plan) == ("Sales 2026-03-02", TaskState.IN_EFFECT, plan)
    assert task.created_by == DIRECTOR
    assert (task.calls_from, task.calls_until) == (None, None)
    assert sorted(str(item.inspector) for item in items) == sorted([INSPECTOR, SECOND])
    assert all(run.due_at - DAY <= item.began_at < run.due_at for item in items)
    assert [step for step in steps if step.startswith(("plan", "task"))] == [
        "plan.add",
        "plan.begin",
        "task.create",
        "task.appoint",
        "plan.run",
    ]
    assert await run_due(standing.office) == []
    found = await shown(standing, plan)
    assert (found.runs, found.next_at) == (1, run.due_at + DAY)


async def test_down_while_due_runs_once(standing: Standing, director: User) -> None:
    plan = await begun(standing, director, order(conditions=EVERY))
    since = []
    for number in range(5):
        at(standing, NOW + number * DAY)
        since += await calls(standing)
    at(standing, NOW + 5 * DAY)
    (run,) = await run_due(standing.office)
    assert run.due_at == NOW + timedelta(hours=1) + 4 * DAY
    assert run.missed == 4
    assert run.task is not None
    assert await sampled(standing, run) == set(since), "no call of the missed days is left out"
    assert await run_due(standing.office) == []
    assert await runs(standing, plan) == [run]
    assert (await shown(standing, plan)).next_at == run.due_at + DAY


@pytest.fixture
async def offices(standing: Standing, server_dsn: str, tmp_path: Path) -> AsyncIterator[list[Office]]:
    """Three servers on one database."""
    engines = [connect(server_dsn, connections=4) for _ in range(3)]
    yield [Office(engine, standing.clock, tmp_path) for engine in engines]
    for engine in engines:
        await engine.dispose()


async def test_many_servers_run_each_due_time_once(
    standing: Standing, director: User, offices: list[Office]
) -> None:
    rounds = 12
    wanted = [await begun(standing, director, order(name=name)) for name in ("One", "Two")]
    for number in range(rounds):
        at(standing, NOW + timedelta(hours=1) + number * DAY)
        await calls(standing, 2)
        tried = await asyncio.gather(*(run_due(office) for office in offices for _ in range(2)))
        done = [run.plan for runs_ in tried for run in runs_]
        # One that found its plan taken leaves it to whoever has it.
        assert sorted(done) == sorted(wanted)
    for plan in wanted:
        found = await runs(standing, plan)
        assert [run.due_at for run in found] == [
            NOW + timedelta(hours=1) + number * DAY for number in range(rounds)
        ]
        assert all(run.task is not None and run.missed == 0 for run in found)
    assert await count(standing, review_tasks) == 2 * rounds
    assert await count(standing, review_items) == 4 * rounds


class Killed(BaseException):
    """Stands for the end of the process: nothing in the server catches it."""


class Killer:
    """Ends whoever executes the statement with that number, counted from 1; commits count too."""

    def __init__(self, engine: sa.Engine, number: int) -> None:
        self._engine, self._left, self.seen = engine, number, 0

    def __enter__(self) -> Killer:
        sa.event.listen(self._engine, "before_cursor_execute", self._statement)
        sa.event.listen(self._engine, "commit", self._statement)
        return self

    def __exit__(self, *_: object) -> None:
        sa.event.remove(self._engine, "before_cursor_execute", self._statement)
        sa.event.remove(self._engine, "commit", self._statement)

    def _statement(self, *_: object) -> None:
        self.seen += 1
        if self.seen == self._left:
            raise Killed


async def test_killed_between_any_two_statements_it_has_not_run(standing: Standing, director: User) -> None:
    await calls(standing, 2)
    plan = await begun(standing, director)
    due = NOW + timedelta(hours=1)
    at(standing, due)
    step = 0
    while True:
        step += 1
        with Killer(standing.engine.sync_engine, step) as killer:
            try:
                run = await plans.run(standing.office, ONE, plan)
            except (
                Killed,
                sa.exc.PendingRollbackError,
            ):  # the latter: who tidies up finds the connection gone
                pass
            else:
                break
        found = await shown(standing, plan)
        assert (found.next_at, found.runs, found.state) == (due, 0, PlanState.RUNNING)
        for table in (plan_runs, review_tasks, review_items):
            assert await count(standing, table) == 0, f"killed before statement {step}"
    assert killer.seen < step
    assert step > 15
    assert run is not None
    assert await runs(standing, plan) == [run]
    assert (await count(standing, review_tasks), await count(standing, review_items)) == (1, 2)


async def test_an_empty_sample_makes_no_task_and_says_so(standing: Standing, director: User) -> None:
    plan = await begun(standing, director)
    at(standing, NOW + timedelta(hours=1))
    with capture_logs() as lines:
        (run,) = await run_due(standing.office)
    assert run.task is None
    assert run.failure is not None
    assert [(line["event"], line["plan"], line["reason"]) for line in lines] == [
        ("a plan made no task", plan, run.failure)
    ]
    _, (line,) = await asked(plans.query, standing.office, director, 1, 10)
    assert (line.plan.plan, line.last) == (plan, run)
    assert await asked(plans.runs, standing.office, director, plan) == [run]
    inspector = await standing.caller(INSPECTOR)
    await declines(Code.NO_RIGHT, asked(plans.runs, standing.office, inspector, plan))
    assert run.failure.startswith("nothing_qualifies")
    assert await count(standing, review_tasks) == 0
    found = await shown(standing, plan)
    assert (found.runs, found.next_at, found.state) == (1, run.due_at + DAY, PlanState.RUNNING)
    await calls(standing, 2)
    at(standing, run.due_at + DAY)
    (second,) = await run_due(standing.office)
    assert second.task is not None
    assert await runs(standing, plan) == [run, second]


async def test_an_inspector_who_is_none_any_more_stops_no_plan(standing: Standing, director: User) -> None:
    await calls(standing, 2)
    plan = await begun(standing, director)
    async with standing.engine.begin() as connection:
        await connection.execute(sa.update(users).where(users.c.user == SECOND).values(disabled_at=NOW))
    at(standing, NOW + timedelta(hours=1))
    (run,) = await run_due(standing.office)
    assert run.failure == "bad_parameter: people.1.person: is no inspector of this tenant"
    assert (await shown(standing, plan)).state is PlanState.RUNNING


async def test_it_ends_by_count(standing: Standing, director: User) -> None:
    schedule = Schedule(Cycle.DAILY, NOW + timedelta(hours=1), total=2)
    plan = await begun(standing, director, order(schedule=schedule))
    for number in range(4):
        at(standing, NOW + timedelta(hours=2) + number * DAY)
        await calls(standing)
        done = await run_due(standing.office)
        assert len(done) == (number < 2)
    found = await shown(standing, plan)
    assert (found.state, found.next_at, found.runs) == (PlanState.STOPPED, None, 2)
    await declines(Code.WRONG_STATE, asked(plans.begin, standing.office, director, plan))
    longer = order(schedule=replace(schedule, total=3))
    await asked(plans.update, standing.office, director, plan, longer)
    await asked(plans.begin, standing.office, director, plan)
    at(standing, NOW + 6 * DAY)
    await calls(standing)
    (last,) = await run_due(standing.office)
    assert (last.due_at, last.missed) == (NOW + timedelta(hours=1) + 5 * DAY, 1)
    assert (await shown(standing, plan)).state is PlanState.STOPPED


async def test_it_ends_by_time(standing: Standing, director: User) -> None:
    start = NOW + timedelta(hours=1)
    plan = await begun(standing, director, order(schedule=Schedule(Cycle.DAILY, start, until=start + DAY)))
    at(standing, start)
    await calls(standing)
    assert len(await run_due(standing.office)) == 1
    at(standing, start + 9 * DAY)  # down at the last due time, and long after the end
    (last,) = await run_due(standing.office)
    assert (last.due_at, last.missed) == (start + DAY, 0)
    found = await shown(standing, plan)
    assert (found.state, found.next_at) == (PlanState.STOPPED, None)
    await declines(Code.WRONG_STATE, asked(plans.begin, standing.office, director, plan))


async def test_stopped_it_is_not_due_and_begun_again_makes_nothing_up(
    standing: Standing, director: User
) -> None:
    plan = await begun(standing, director, order(conditions=EVERY))
    await declines(Code.WRONG_STATE, asked(plans.begin, standing.office, director, plan))
    await asked(plans.stop, standing.office, director, plan)
    await declines(Code.WRONG_STATE, asked(plans.stop, standing.office, director, plan))
    at(standing, NOW + DAY)
    await calls(standing)
    at(standing, NOW + 3 * DAY)
    assert await run_due(standing.office) == []
    within = await calls(standing)
    await asked(plans.begin, standing.office, director, plan)
    late = await calls(standing, ago=9 * DAY)
    assert await run_due(standing.office) == []
    at(standing, NOW + 3 * DAY + timedelta(hours=1))
    (run,) = await run_due(standing.office)
    assert (run.due_at, run.missed) == (NOW + 3 * DAY + timedelta(hours=1), 0)
    assert await sampled(standing, run) == {*within, *late}, "one cycle, and what came since it was begun"


async def test_stop_and_a_run_at_once(standing: Standing, director: User, offices: list[Office]) -> None:
    """Whichever has the row first: a run that is put down has made its task, and none follows a stop."""
    for number in range(8):
        plan = await begun(standing, director, order(name=f"Plan {number}"))
        due = (await shown(standing, plan)).next_at
        assert due is not None
        at(standing, due)
        await calls(standing)
        await asyncio.gather(
            run_due(offices[0]), asked(plans.stop, offices[1], director, plan), run_due(offices[2])
        )
        assert await run_due(standing.office) == []
        found = await runs(standing, plan)
        assert len(found) <= 1
        assert all(run.task is not None for run in found)
        assert (await shown(standing, plan)).state is PlanState.STOPPED


async def test_update_keeps_the_state_and_what_is_due_already(standing: Standing, director: User) -> None:
    plan = await asked(plans.add, standing.office, director, order())
    await asked(plans.update, standing.office, director, plan, order(name="Other"))
    found = await shown(standing, plan)
    assert (found.state, found.next_at, found.name) == (PlanState.STOPPED, None, "Other")
    await asked(plans.begin, standing.office, director, plan)
    due = NOW + timedelta(hours=1)
    at(standing, due + timedelta(minutes=5))
    await asked(plans.update, standing.office, director, plan, order(name="Third"))
    assert (await shown(standing, plan)).next_at == due, "due, and not run yet"
    weekly = Schedule(Cycle.WEEKLY, due - DAY, total=5)
    await asked(plans.update, standing.office, director, plan, order(schedule=weekly))
    found = await shown(standing, plan)
    assert (found.state, found.next_at) == (PlanState.RUNNING, due + 6 * DAY)
    past = Schedule(Cycle.DAILY, NOW - 9 * DAY, until=NOW - 8 * DAY)
    await asked(plans.update, standing.office, director, plan, order(schedule=past))
    found = await shown(standing, plan)
    assert (found.state, found.next_at) == (PlanState.STOPPED, None)


async def test_deleted_it_is_gone(standing: Standing, director: User) -> None:
    await calls(standing, 2)
    plan = await begun(standing, director)
    other = await asked(plans.add, standing.office, director, order(name="Other"))
    await asked(plans.delete, standing.office, director, plan)
    at(standing, NOW + DAY)
    assert await run_due(standing.office) == []
    for doing in (plans.begin, plans.stop, plans.delete):
        await declines(Code.NOT_FOUND, asked(doing, standing.office, director, plan))
    await declines(Code.NOT_FOUND, asked(plans.update, standing.office, director, plan, order()))
    total, found = await asked(plans.query, standing.office, director, 1, 10)
    assert (total, [one.plan.plan for one in found]) == (1, [other])


async def test_the_tenants_clock_decides(standing: Standing, director: User) -> None:
    """Half past two in Berlin, across the night in which the clock goes from two to three."""
    async with standing.engine.begin() as connection:
        await connection.execute(sa.update(vdns).where(vdns.c.vdn == 1).values(time_zone="Europe/Berlin"))
    at(standing, datetime(2026, 3, 27, 12, tzinfo=UTC))
    schedule = Schedule(Cycle.DAILY, datetime(2026, 3, 28, 1, 30, tzinfo=UTC), total=3)
    plan = await begun(standing, director, order(schedule=schedule))
    for day in range(27, 31):
        await standing.contact(began_at=datetime(2026, 3, day, 18, tzinfo=UTC))
    dues = []
    while (next_at := (await shown(standing, plan)).next_at) is not None:
        at(standing, next_at)
        dues += [run.due_at for run in await run_due(standing.office)]
    assert dues == [
        datetime(2026, 3, 28, 1, 30, tzinfo=UTC),
        datetime(2026, 3, 29, 1, 0, tzinfo=UTC),
        datetime(2026, 3, 30, 0, 30, tzinfo=UTC),
    ]


async def test_who_may(standing: Standing, director: User) -> None:
    office = standing.office
    leader, inspector = await standing.caller(LEADER), await standing.caller(INSPECTOR)
    foreign, table = await standing.caller(FOREIGN, TWO), await standing.caller(TABLE_DIRECTOR)
    plan = await asked(plans.add, office, director, order())
    own = await asked(plans.add, office, leader, order())
    for caller, code in (
        (leader, Code.NOT_FOUND),
        (foreign, Code.NOT_FOUND),
        (inspector, Code.NO_RIGHT),
        (table, Code.NO_RIGHT),
    ):
        for doing in (plans.begin, plans.stop, plans.delete):
            await declines(code, asked(doing, office, caller, plan))
    shares = Shares(ShareKind.EVEN, (Share(INSPECTOR), Share(THIRD)))
    with pytest.raises(Refused, match="not led") as bad:
        await asked(plans.add, office, leader, order(shares=shares))
    assert (bad.value.code, bad.value.field) == (Code.BAD_PARAMETER, "people.1.person")
    await asked(plans.update, office, director, own, order(shares=shares))
    await declines(Code.NO_RIGHT, asked(plans.add, office, director, order(), acting_as=Role.INSPECTOR))
    assert (await asked(plans.query, office, director, 1, 10))[0] == 2
    total, found = await asked(plans.query, office, leader, 1, 10)
    assert (total, [one.plan.plan for one in found]) == (1, [own])
    assert (await asked(plans.query, office, foreign, 1, 10))[0] == 0
    assert [one.plan.plan for one in (await asked(plans.query, office, director, 2, 1))[1]] == [plan]


async def test_what_came_late_or_still_talked_is_in_the_next_run(standing: Standing, director: User) -> None:
    """A daily plan at 02:30 drew 5 of a day's 24 calls: the 19 imported at 10:00 were in no later run."""
    plan = await begun(standing, director, order(conditions=EVERY))
    due = NOW + timedelta(hours=1)
    at(standing, due)
    early = await calls(standing, 5)
    (first,) = await run_due(standing.office)
    assert await sampled(standing, first) == set(early)
    at(standing, due + timedelta(hours=8))
    late = await calls(standing, 19, ago=timedelta(hours=12))
    at(standing, due + DAY - timedelta(minutes=5))
    talking = standing.clock.now()
    at(standing, due + DAY)
    (second,) = await run_due(standing.office)
    assert await sampled(standing, second) == set(late)
    ended = await standing.contact(began_at=talking)
    at(standing, due + 2 * DAY)
    (third,) = await run_due(standing.office)
    assert await sampled(standing, third) == {ended}
    assert await runs(standing, plan) == [first, second, third]


async def test_a_run_that_made_no_task_took_nothing(standing: Standing, director: User) -> None:
    await begun(standing, director, order(conditions=EVERY))
    at(standing, NOW + timedelta(hours=1))
    await calls(standing, ago=DAY / 2)
    await unable(standing, NOW)
    (failed,) = await run_due(standing.office)
    assert failed.task is None
    await unable(standing, None)
    at(standing, failed.due_at + DAY)
    (run,) = await run_due(standing.office)
    assert len(await sampled(standing, run)) == 3


async def unable(standing: Standing, since: datetime | None) -> None:
    """Let an inspector be disabled, or not."""
    async with standing.engine.begin() as connection:
        await connection.execute(sa.update(users).where(users.c.user == SECOND).values(disabled_at=since))


class Arriving:
    """Contacts that arrive by transactions of their own, which may stay open for a while."""

    def __init__(self, standing: Standing) -> None:
        self._standing = standing
        self._open: list[AsyncConnection] = []

    async def contact(self, ago: timedelta, *, held: bool, **columns: Any) -> int:
        """One more; `held`: its transaction stays open."""
        began_at = self._standing.clock.now() - ago
        number = await self._standing.contact(began_at=began_at, recording=None, **columns)
        name = f"held-{number}.wav"
        (self._standing.office.recordings / name).touch()
        connection = await self._standing.engine.connect()
        await connection.execute(
            sa.update(contacts).where(contacts.c.contact == number).values(recording=name)
        )
        self._open.append(connection)
        if not held:
            await self.end(len(self._open) - 1)
        return number

    async def end(self, number: int) -> None:
        """Commit one of those that are open."""
        if self._open:
            connection = self._open.pop(number % len(self._open))
            await connection.commit()
            await connection.close()

    async def end_all(self) -> None:
        """Commit all."""
        while self._open:
            await self.end(0)


ARRIVALS = st.lists(
    st.one_of(
        st.tuples(st.just("arrives"), st.integers(0, 900)),
        st.tuples(st.just("begins to arrive"), st.integers(0, 900)),
        st.tuples(st.just("has arrived"), st.integers(0, 5)),
        st.tuples(st.just("run"), st.integers(1, 50)),
        st.tuples(st.just("fails"), st.integers(1, 50)),
    ),
    max_size=16,
)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(happening=ARRIVALS)
def test_each_contact_falls_into_exactly_one_run(
    postgres_dsn: str, tmp_path_factory: pytest.TempPathFactory, happening: list[tuple[str, int]]
) -> None:
    """Whenever its call began, however long it was being committed, whatever happened to runs in between."""
    asyncio.run(_each_once(postgres_dsn, tmp_path_factory.mktemp("recordings"), happening))


async def _each_once(dsn: str, folder: Path, happening: list[tuple[str, int]]) -> None:
    standing = Standing(dsn, folder)
    try:
        async with standing.engine.begin() as connection:
            new = (await connection.execute(sa.select(vdns.c.vdn))).first() is None
        if new:
            await standing.open()
        arriving = Arriving(standing)
        director = await standing.caller(DIRECTOR)
        plan = await begun(standing, director, order(conditions=EVERY))
        took: list[int] = []
        came: set[int] = set()

        async def run() -> None:
            due = (await shown(standing, plan)).next_at
            assert due is not None
            at(standing, due)
            for done in await run_due(standing.office):
                if done.task is not None:
                    took.extend(await sampled(standing, done))

        for what, number in happening:
            match what:
                case "arrives" | "begins to arrive":
                    came.add(await arriving.contact(timedelta(hours=number), held=what != "arrives"))
                case "has arrived":
                    await arriving.end(number)
                case "run":
                    await run()
                case _:
                    await unable(standing, NOW)
                    await run()
                    await unable(standing, None)
        await arriving.end_all()
        await run()
        assert len(took) == len(set(took))
        assert set(took) == came
        await asked(plans.delete, standing.office, director, plan)
    finally:
        await standing.close()


async def test_a_leaders_plan_draws_from_the_agents_whom_they_lead_when_it_runs(standing: Standing) -> None:
    leader = await standing.caller(LEADER)
    shares = Shares(ShareKind.EVEN, (Share(INSPECTOR),))
    theirs = order(conditions=EVERY, shares=shares)
    strangers = order(conditions=replace(EVERY, agents=(103,)), shares=shares)
    await declines(Code.BAD_PARAMETER, asked(plans.add, standing.office, leader, strangers))
    plan = await begun(standing, leader, theirs)
    await declines(Code.BAD_PARAMETER, asked(plans.update, standing.office, leader, plan, strangers))
    await calls(standing)
    at(standing, NOW + timedelta(hours=1))
    (run,) = await run_due(standing.office)
    assert await agents_of(standing, run) == {101, 102}
    member = {"vdn": 1, "name": "Agents"}
    async with standing.engine.begin() as connection:
        await connection.execute(sa.insert(group_members).values(**member, user=CEM))
        await connection.execute(sa.delete(group_members).where(group_members.c.user == ANN))
    await calls(standing)
    at(standing, run.due_at + DAY)
    (second,) = await run_due(standing.office)
    assert await agents_of(standing, second) == {102, 103}
    async with standing.engine.begin() as connection:
        await connection.execute(sa.delete(group_members).where(group_members.c.name == "Agents"))
    at(standing, run.due_at + 2 * DAY)
    (third,) = await run_due(standing.office)
    assert third.failure == f"no_right: user {LEADER} leads none of the plan's agents"
    await asked(plans.update, standing.office, await standing.caller(DIRECTOR), plan, theirs)
    at(standing, run.due_at + 3 * DAY)
    await calls(standing)
    (fourth,) = await run_due(standing.office)
    assert await agents_of(standing, fourth) == {101, 102, 103}, "a director's right reaches all"


async def agents_of(standing: Standing, run: PlanRun) -> set[int]:
    """Whose calls the task of a run has."""
    query = sa.select(review_items.c.agent).where(review_items.c.task == run.task)
    async with standing.engine.begin() as connection:
        return set((await connection.execute(query)).scalars())
