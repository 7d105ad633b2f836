"""The job queue: its schema, and jobs put off in the caller's transaction."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import procrastinate
import pytest
import sqlalchemy as sa
from alembic import command
from procrastinate.schema import SchemaManager
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from sottovoce.storage import migrations
from sottovoce.storage.database import connect
from sottovoce.storage.review.jobs import QUEUE, defer, give_back

FROZEN = Path(migrations.__file__).parent / "versions" / "r0002_procrastinate.sql"


@pytest.fixture
async def engine(postgres_dsn: str) -> AsyncIterator[AsyncEngine]:
    made = connect(postgres_dsn)
    yield made
    await made.dispose()


async def waiting(engine: AsyncEngine) -> list[Any]:
    """What is in the queue, in the order in which it was put there."""
    async with engine.begin() as connection:
        rows = await connection.execute(
            sa.text(
                "SELECT task_name, args, lock, queueing_lock, scheduled_at, priority, queue_name"
                " FROM procrastinate.procrastinate_jobs WHERE status = 'todo' ORDER BY id"
            )
        )
        return [tuple(row) for row in rows]


async def take(connection: AsyncConnection, worker: int | None = None) -> int | None:
    """Take the next job as a worker does."""
    row = (
        await connection.execute(
            sa.text(
                "SELECT id FROM procrastinate.procrastinate_fetch_job_v2(ARRAY[:queue]::varchar[], :worker)"
            ),
            {"queue": QUEUE, "worker": worker},
        )
    ).scalar_one()
    return None if row is None else int(row)


def test_the_frozen_schema_is_the_installed_ones() -> None:
    """A later procrastinate with another schema needs a revision of its own before it may be used."""
    frozen = FROZEN.read_text(encoding="utf-8")
    assert procrastinate.__version__ in frozen.splitlines()[0]
    assert frozen.endswith(SchemaManager.get_schema())
    assert "Permission is hereby granted" in frozen


async def test_a_database_of_the_first_revision_gets_the_queue(empty_postgres_dsn: str) -> None:
    engine = connect(empty_postgres_dsn)
    async with engine.begin() as connection:
        await connection.run_sync(lambda inner: command.upgrade(migrations._config(inner), "0001"))
    assert (await migrations.upgrade(engine))[0] == "0002"
    async with engine.begin() as connection:
        await defer(connection, "analyse_contact", {"contact": 1})
        tables = await connection.execute(
            sa.text("SELECT schemaname FROM pg_tables WHERE tablename LIKE 'procrastinate%'")
        )
        assert set(tables.scalars()) == {"procrastinate"}
        path = (await connection.execute(sa.text("SHOW search_path"))).scalar_one()
        assert path == '"$user", public'
    await engine.dispose()


async def test_a_job_is_there_when_the_transaction_has_committed(engine: AsyncEngine) -> None:
    later = datetime(2126, 3, 2, tzinfo=UTC)
    async with engine.begin() as connection:
        assert await defer(connection, "one", {"vdn": 1, "contact": 2**40, "why": "ü", "none": None})
        assert await defer(connection, "two", {}, at=later, lock="l", priority=3)
        assert await waiting(engine) == []
    assert await waiting(engine) == [
        ("one", {"vdn": 1, "contact": 2**40, "why": "ü", "none": None}, None, None, None, 0, QUEUE),
        ("two", {}, "l", None, later, 3, QUEUE),
    ]


async def test_a_job_goes_with_its_transaction(engine: AsyncEngine) -> None:
    async with engine.connect() as connection:
        await defer(connection, "one", {})
        await defer(connection, "two", {}, queueing_lock="q")
        await connection.rollback()
    assert await waiting(engine) == []


async def test_one_of_a_queueing_lock_waits(engine: AsyncEngine) -> None:
    async with engine.begin() as connection:
        assert await defer(connection, "one", {}, queueing_lock="q")
        assert not await defer(connection, "two", {}, queueing_lock="q")
        assert await defer(connection, "three", {})  # the transaction is still good
    assert [name for name, *_ in await waiting(engine)] == ["one", "three"]
    async with engine.begin() as connection:
        assert await take(connection) is not None
        assert await defer(connection, "four", {}, queueing_lock="q")  # the first is no longer waiting


async def test_two_put_off_the_same_at_once(engine: AsyncEngine) -> None:
    async def one() -> bool:
        async with engine.begin() as connection:
            put_off = await defer(connection, "one", {}, queueing_lock="q")
            await asyncio.sleep(0)
            return put_off

    assert sorted(await asyncio.gather(*(one() for _ in range(6)))) == [False] * 5 + [True]
    assert len(await waiting(engine)) == 1


async def test_jobs_of_the_dead_are_given_back(engine: AsyncEngine) -> None:
    async with engine.begin() as connection:
        rows = await connection.execute(
            sa.text(
                "INSERT INTO procrastinate.procrastinate_workers (last_heartbeat)"
                " VALUES (now()), (now() - interval '40 s') RETURNING id"
            )
        )
        alive, silent = rows.scalars()
        for job, queueing_lock in (("of the living", None), ("of the dead", None), ("looks again", "q")):
            await defer(connection, job, {}, queueing_lock=queueing_lock)
        for worker in (alive, silent, silent):
            assert await take(connection, worker) is not None
    async with engine.begin() as connection:
        assert await give_back(connection, silent_s=30, longest_s=3600) == 2
    assert [name for name, *_ in await waiting(engine)] == ["of the dead"]
    async with engine.begin() as connection:
        assert await give_back(connection, silent_s=30, longest_s=0) == 1  # longer than it may take
    assert [name for name, *_ in await waiting(engine)] == ["of the living", "of the dead"]
    async with engine.begin() as connection:
        assert await take(connection, silent) is not None
        await connection.execute(sa.text("DELETE FROM procrastinate.procrastinate_workers"))
        assert await give_back(connection, silent_s=30, longest_s=3600) == 1
