"""The worker and the watch with procrastinate itself: once each, over outages, stops and deaths."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa
from procrastinate.jobs import Job
from tests.quality.asking import asked
from tests.quality.standing import DIRECTOR, INSPECTOR, NOW, ONE, TWO, Standing

from sottovoce.domain.directory import VdnId
from sottovoce.domain.people import ReviewId
from sottovoce.domain.plans import Cycle, PlanOrder, Schedule
from sottovoce.domain.reviews import Share, ShareKind, Shares
from sottovoce.domain.sampling import Conditions, Quantity
from sottovoce.quality import plans
from sottovoce.quality.jobs import RETAIN, Jobs, _Again
from sottovoce.quality.office import Office
from sottovoce.storage.database import connect
from sottovoce.storage.review.contacts import ANALYSE
from sottovoce.storage.review.jobs import Backlog, backlog, defer
from sottovoce.storage.tables import plan_runs, review_tasks
from sottovoce.storage.tables import plans as plan_rows
from sottovoce.tasks import Tasks

DAY = timedelta(days=1)
Server = Callable[..., AbstractAsyncContextManager[Jobs]]


class Analyses:
    """What was analysed. `act` is what an analysis does."""

    def __init__(self, act: Callable[[], Awaitable[None]] | None = None) -> None:
        self.begun: list[tuple[VdnId, int]] = []
        self.done: list[tuple[VdnId, int]] = []
        self.act = act

    async def __call__(self, office: Office, vdn: VdnId, contact: int) -> None:
        self.begun.append((vdn, contact))
        if self.act is not None:
            await self.act()
        self.done.append((vdn, contact))


@pytest.fixture
async def server(server_dsn: str, standing: Standing, tmp_path: Path) -> AsyncIterator[Server]:
    """What starts another server on the database, until its block ends."""
    engines = []

    @asynccontextmanager
    async def started(analyses: Analyses | None = None) -> AsyncIterator[Jobs]:
        engine = connect(server_dsn, connections=4)
        engines.append(engine)
        spawner = Tasks()
        jobs = Jobs(
            Office(engine, standing.clock, tmp_path),
            spawner,
            watch_every_s=0.03,
            again_after_s=0.05,
            poll_every_s=0.2,
            analyse=analyses or Analyses(),
        )
        await jobs.start()
        try:
            yield jobs
        finally:
            await jobs.stop()
            await spawner.close()

    yield started
    for engine in engines:
        await engine.dispose()


async def until(holds: Callable[[], bool | Awaitable[bool]]) -> None:
    """Wait until something holds; a test that waits too long fails."""
    async with asyncio.timeout(20):
        while True:
            found = holds()
            if await found if isinstance(found, Awaitable) else found:
                return
            await asyncio.sleep(0.02)


async def ask(standing: Standing, query: str) -> list[Any]:
    async with standing.engine.begin() as connection:
        return [tuple(row) for row in await connection.execute(sa.text(query))]


async def analyse(standing: Standing, *contacts: int, vdn: VdnId = ONE) -> None:
    async with standing.engine.begin() as connection:
        for contact in contacts:
            await defer(connection, ANALYSE, {"vdn": int(vdn), "contact": contact})


JOBS = (
    "SELECT status::text, attempts FROM procrastinate.procrastinate_jobs WHERE task_name = 'analyse_contact'"
)


async def begun(standing: Standing, name: str = "Plan") -> ReviewId:
    """A daily plan that comes due in an hour for the first time, and has calls to sample."""
    caller = await standing.caller(DIRECTOR)
    order = PlanOrder(
        name,
        Schedule(Cycle.DAILY, standing.clock.now() + timedelta(hours=1), total=1000),
        Conditions(Quantity.CALLS, 1),
        Shares(ShareKind.EVEN, (Share(INSPECTOR),)),
    )
    plan = await asked(plans.add, standing.office, caller, order)
    await asked(plans.begin, standing.office, caller, plan)
    return plan


async def test_what_is_over_its_time_goes_by_itself(standing: Standing, server: Server) -> None:
    old = await standing.contact(began_at=NOW - timedelta(days=40))
    await standing.contact(201, vdn=TWO, began_at=NOW - timedelta(days=40))
    await ask(standing, "UPDATE vdns SET keep_contacts_days = 30 WHERE vdn = 1 RETURNING vdn")
    async with standing.engine.begin() as connection:
        await defer(connection, RETAIN, {"timestamp": 0})
    gone = "SELECT contact FROM contacts WHERE status = -1"

    async def erased() -> bool:
        return await ask(standing, gone) == [(old,)]

    async with server():
        await until(erased)
        await until(lambda: not (standing.office.recordings / "call-1.wav").exists())
    assert (standing.office.recordings / "call-2.wav").exists()


async def test_what_is_put_off_is_done_once(standing: Standing, server: Server) -> None:
    analyses = Analyses()
    await analyse(standing, 1, 2, 3)
    async with server(analyses), server(analyses), server(analyses):
        await until(lambda: len(analyses.done) == 3)
        await analyse(standing, 4, vdn=TWO)
        await until(lambda: len(analyses.done) == 4)

        async def empty() -> bool:
            return await ask(standing, JOBS) == []

        await until(empty)
    assert sorted(analyses.done) == [(ONE, 1), (ONE, 2), (ONE, 3), (TWO, 4)]


async def test_two_run_at_the_same_time_and_no_more(standing: Standing, server: Server) -> None:
    gate = asyncio.Event()
    analyses = Analyses(lambda: wait_for(gate))
    await analyse(standing, *range(5))
    async with server(analyses):
        await until(lambda: len(analyses.begun) == 2)
        await asyncio.sleep(0.1)
        assert len(analyses.begun) == 2
        gate.set()
        await until(lambda: len(analyses.done) == 5)


async def test_what_waits_is_shown(standing: Standing, server: Server) -> None:
    gate = asyncio.Event()
    analyses = Analyses(lambda: wait_for(gate))
    await analyse(standing, *range(5))
    await analyse(standing, 5, vdn=TWO)

    async def left(vdn: VdnId | None) -> Backlog:
        async with standing.engine.begin() as connection:
            return await backlog(connection, ANALYSE, vdn)

    assert (await left(ONE)).waiting == 5
    async with server(analyses):
        await until(lambda: len(analyses.begun) == 2)
        found = await left(None)
        assert (found.waiting, found.running, found.failed) == (4, 2, 0)
        assert found.oldest_at is not None
        gate.set()
        await until(lambda: len(analyses.done) == 6)
    assert await left(TWO) == Backlog()


async def wait_for(gate: asyncio.Event) -> None:
    await gate.wait()


async def test_each_due_time_is_run_once_by_two_servers(standing: Standing, server: Server) -> None:
    rounds = 6
    made = [await begun(standing, name) for name in ("One", "Two")]
    await standing.contact(began_at=NOW)
    standing.clock.advance(3600)
    async with server(), server():
        for number in range(1, rounds + 1):

            async def ran(wanted: int = number) -> bool:
                return len(await ask(standing, "SELECT FROM plan_runs")) >= 2 * wanted

            await until(ran)
            await standing.contact(began_at=NOW)
            standing.clock.advance(DAY.total_seconds() if number < rounds else 0)
        await asyncio.sleep(0.2)
    async with standing.engine.begin() as connection:
        runs = (await connection.execute(sa.select(plan_runs.c.plan, plan_runs.c.task))).all()
        tasks = (await connection.execute(sa.select(review_tasks.c.task, review_tasks.c.plan))).all()
    assert sorted(plan for plan, _ in runs) == sorted(made * rounds)
    assert all(task is not None for _, task in runs)
    assert sorted((task, plan) for task, plan in tasks) == sorted((task, plan) for plan, task in runs)


async def test_due_while_down(standing: Standing, server: Server) -> None:
    plan = await begun(standing)
    await standing.contact(began_at=NOW)
    async with server():
        pass
    standing.clock.advance(3 * DAY.total_seconds())
    async with server():

        async def ran() -> bool:
            return await ask(standing, "SELECT FROM plan_runs") != []

        await until(ran)
        await asyncio.sleep(0.15)
    assert await ask(standing, "SELECT plan::text, missed, failure FROM plan_runs") == [(plan, 2, None)]


async def test_what_fails_is_tried_again_later(standing: Standing, server: Server) -> None:
    async def fail() -> None:
        raise RuntimeError("no such file")

    analyses = Analyses(fail)
    await analyse(standing, 1)
    async with server(analyses):

        async def put_back() -> bool:
            return await ask(standing, JOBS) == [("todo", 1)]

        await until(put_back)
    waits = "SELECT scheduled_at - now() > '1 s' FROM procrastinate.procrastinate_jobs WHERE lock IS NULL"
    assert await ask(standing, waits + " AND task_name = 'analyse_contact'") == [(True,)]


def test_how_often_it_is_tried() -> None:
    def wait(attempts: int, failure: BaseException) -> float | None:
        job = Job(queue="q", lock=None, queueing_lock=None, task_name="t", attempts=attempts)
        found = _Again().get_retry_decision(exception=failure, job=job)
        if found is None or found.retry_at is None:
            return None
        return round((found.retry_at - datetime.now(UTC)).total_seconds())

    assert [wait(attempts, OSError()) for attempts in (0, 1, 2, 7, 8)] == [3, 9, 27, 6561, None]
    assert wait(20, asyncio.CancelledError()) == 0


async def test_a_stop_puts_back_what_runs(standing: Standing, server: Server) -> None:
    hanging, second = Analyses(lambda: wait_for(asyncio.Event())), Analyses()
    await analyse(standing, 1)
    async with server(hanging):
        await until(lambda: hanging.begun == [(ONE, 1)])
    assert await ask(standing, JOBS) == [("todo", 1)]
    assert await ask(standing, "SELECT FROM procrastinate.procrastinate_workers") == []
    async with server(second):
        await until(lambda: second.done == [(ONE, 1)])


async def test_a_lost_database_ends_nothing(standing: Standing, server: Server, server_dsn: str) -> None:
    analyses = Analyses()
    plan = await begun(standing)
    await standing.contact(began_at=NOW)
    async with server(analyses):
        await analyse(standing, 1)
        await until(lambda: (ONE, 1) in analyses.done)
        for contact in (2, 3):
            with psycopg.connect(server_dsn, autocommit=True) as connection:
                connection.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE datname = current_database() AND usename = current_user"
                    " AND pid <> pg_backend_pid()"
                )
            await analyse(standing, contact)
            await until(lambda wanted=(ONE, contact): wanted in analyses.done)  # type: ignore[misc]
        standing.clock.advance(3600)

        async def ran() -> bool:
            return await ask(standing, "SELECT plan::text, failure FROM plan_runs") == [(plan, None)]

        await until(ran)
    # One whose end could not be put down any more is analysed again: at least once, not exactly.
    assert set(analyses.done) == {(ONE, 1), (ONE, 2), (ONE, 3)}


async def test_jobs_of_a_dead_server_are_taken_up(standing: Standing, server: Server) -> None:
    analyses = Analyses()
    await analyse(standing, 1, 2)
    async with standing.engine.begin() as connection:
        await connection.execute(
            sa.text(
                "WITH dead AS (INSERT INTO procrastinate.procrastinate_workers (last_heartbeat)"
                " VALUES (now() - interval '1 minute') RETURNING id)"
                " SELECT procrastinate.procrastinate_fetch_job_v2(NULL, id) FROM dead"
            )
        )
    async with server(analyses):
        await until(lambda: sorted(analyses.done) == [(ONE, 1), (ONE, 2)])


async def test_a_plan_that_cannot_run_keeps_no_other(standing: Standing, server: Server) -> None:
    broken, good = await begun(standing, "Broken"), await begun(standing, "Good")
    await standing.contact()
    async with standing.engine.begin() as connection:
        await connection.execute(
            sa.update(plan_rows).where(plan_rows.c.plan == broken).values(shares={"kind": "?", "people": []})
        )
    standing.clock.advance(3600)
    async with server() as jobs:

        async def ran() -> bool:
            return await ask(standing, "SELECT plan::text FROM plan_runs") == [(good,)]

        await until(ran)
        await until(lambda: jobs._paused(str(broken)))
        put_off = await ask(standing, "SELECT last_value FROM procrastinate.procrastinate_jobs_id_seq")
        await asyncio.sleep(0.3)
        assert (
            await ask(standing, "SELECT last_value FROM procrastinate.procrastinate_jobs_id_seq") == put_off
        )
