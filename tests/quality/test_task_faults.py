"""Interrupted before every statement and every commit: a task is as before or as after, never between."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa
from tests.quality.asking import asked
from tests.quality.reviewing import CONDITIONS, check_whole, found, history, put_result
from tests.quality.standing import DIRECTOR, INSPECTOR, NOW, ONE, SECOND, Standing
from tests.storage.works import work_of

from sottovoce.domain.reviews import ItemState, Share, ShareKind, Shares, TaskOrder, TaskState
from sottovoce.errors import Refused
from sottovoce.quality import inspection, tasks
from sottovoce.storage.database import transaction
from sottovoce.storage.review import contacts
from sottovoce.storage.tables import quality_items

BOTH = Shares(ShareKind.COUNTS, (Share(INSPECTOR), Share(SECOND)))


class Interrupted(Exception):
    """What the fault raises."""


FAILURES: Mapping[str, tuple[type[BaseException], ...]] = {
    "raise": (Interrupted,),
    "cancel": (asyncio.CancelledError,),
    "kill": (Refused,),
}
"""What the caller sees of each kind: nothing else may come out of it."""
STRIDES: Mapping[str, int] = {"raise": 3, "cancel": 3, "kill": 1}
"""A killed connection interrupts before every statement; the others, less like life, before every third."""


class Fault:
    """Strikes at the n-th statement of the office's engine, its commits counted with them."""

    def __init__(self, standing: Standing, kind: str) -> None:
        self.engine = standing.engine.sync_engine
        self.dsn = self.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
        self.kind = kind
        self.left = 0
        self.struck = False

    @contextmanager
    def at(self, number: int) -> Iterator[None]:
        """Strike at that statement of the block."""
        self.left, self.struck = number, False
        sa.event.listen(self.engine, "before_cursor_execute", self._before)
        sa.event.listen(self.engine, "commit", self._commit)
        try:
            yield
        finally:
            sa.event.remove(self.engine, "before_cursor_execute", self._before)
            sa.event.remove(self.engine, "commit", self._commit)

    def _before(self, connection: sa.Connection, *_: Any) -> None:
        self._count(connection)

    def _commit(self, connection: sa.Connection) -> None:
        self._count(connection)

    def _count(self, connection: sa.Connection) -> None:
        self.left -= 1
        if self.left:
            return
        self.struck = True
        if self.kind == "raise":
            raise Interrupted
        if self.kind == "cancel":
            raise asyncio.CancelledError
        pid = connection.connection.driver_connection.info.backend_pid  # type: ignore[union-attr]
        with psycopg.connect(self.dsn, autocommit=True) as other:
            other.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])


_EVERYTHING = sa.text(
    "SELECT md5(string_agg(line, E'\\n' ORDER BY line)) FROM ("
    + " UNION ALL ".join(
        f"SELECT '{table} ' || t::text AS line FROM {table} t"
        for table in ("review_tasks", "review_items", "review_steps", "revisions", "scores", "quality_items")
    )
    + " UNION ALL SELECT t::text FROM sampling_draws t WHERE certificate IS NOT NULL"
    + " UNION ALL SELECT concat_ws(' ', action, target, detail) FROM audit"
    + " WHERE action NOT IN ('sampling.chain', 'sampling.block', 'sampling.begin')"
    + ") everything"
)


async def picture(standing: Standing) -> object:
    """All that is on record of reviews, in short; a draw that was only begun is nothing yet."""
    async with transaction(standing.engine) as connection:
        return (await connection.execute(_EVERYTHING)).scalar_one()


async def interrupt_everywhere(
    standing: Standing, kind: str, operation: Callable[[], Awaitable[object]]
) -> int:
    """Interrupt at each statement in turn, until the operation gets through; about how many it has.

    After each interruption everything must be as it was, and whole in the end.
    """
    fault = Fault(standing, kind)
    before = await picture(standing)
    for number in range(1, 200, STRIDES[kind]):
        with fault.at(number), contextlib.suppress(*FAILURES[kind]):
            await operation()
        if not fault.struck:
            await check_whole(standing.engine)
            assert await picture(standing) != before
            return number - 1
        assert await picture(standing) == before, f"{kind} at statement {number}"
    raise AssertionError("it never gets through")


KINDS = pytest.mark.parametrize("kind", ["raise", "cancel", "kill"])


@KINDS
async def test_create(standing: Standing, kind: str) -> None:
    for _ in range(3):
        await standing.contact()
    director = await standing.caller(DIRECTOR)
    order = TaskOrder("March", CONDITIONS)

    steps = await interrupt_everywhere(
        standing, kind, lambda: asked(tasks.create, standing.office, director, order)
    )
    assert steps > 10
    assert await check_whole(standing.engine) == {TaskState.CREATED: 1}


@KINDS
async def test_appoint_complete_and_terminate(standing: Standing, kind: str) -> None:
    """One after the other on the same task; completing opens a problem, settles a score, ends the task."""
    contact = await standing.contact()
    for _ in range(2):
        await standing.contact()
    async with transaction(standing.engine) as connection:
        await put_result(connection, contact, "silenceRule1")
        call = await contacts.find(work_of(connection, ONE), contact)
    assert call is not None
    director = await standing.caller(DIRECTOR)
    office = standing.office

    task = await asked(tasks.create, office, director, TaskOrder("March", CONDITIONS))
    assert await interrupt_everywhere(
        standing, kind, lambda: asked(tasks.appoint, office, director, task, BOTH, now=True)
    )
    _, items = await found(standing, task)
    assert [item.inspector for item in items] == [INSPECTOR, SECOND, INSPECTOR]
    item = next(item for item in items if item.contact == contact)
    assert item.inspector is not None
    inspector = await standing.caller(item.inspector)
    assert await interrupt_everywhere(
        standing,
        kind,
        lambda: asked(
            inspection.revise_result,
            office,
            inspector,
            item.item,
            str(call.uuid),
            result="silenceRule1",
            kept=False,
            remark="heard it",
            kind=11,
        ),
    )
    assert await interrupt_everywhere(
        standing, kind, lambda: asked(inspection.complete, office, inspector, item.item, str(contact))
    )
    async with transaction(standing.engine) as connection:
        problems = (await connection.execute(sa.select(quality_items.c.review_item))).scalars().all()
    assert problems == [item.item]
    assert await interrupt_everywhere(standing, kind, lambda: asked(tasks.terminate, office, director, task))
    held, items = await found(standing, task)
    assert held.state is TaskState.TERMINATED
    assert sorted(item.state for item in items) == [ItemState.DONE, ItemState.RELEASED, ItemState.RELEASED]
    assert await check_whole(standing.engine) == {TaskState.TERMINATED: 1}


@KINDS
async def test_the_last_item_and_a_new_sample(standing: Standing, kind: str) -> None:
    contact = await standing.contact()
    director, inspector = await standing.caller(DIRECTOR), await standing.caller(INSPECTOR)
    office = standing.office
    task = await asked(tasks.create, office, director, TaskOrder("March", CONDITIONS))

    later = TaskOrder("March", CONDITIONS, calls_until=NOW)
    await interrupt_everywhere(
        standing, kind, lambda: asked(tasks.update, office, director, task, lambda _: later)
    )
    alone = Shares(ShareKind.COUNTS, (Share(INSPECTOR),))
    await asked(tasks.appoint, office, director, task, alone, now=True)
    _, (item,) = await found(standing, task)
    await interrupt_everywhere(
        standing, kind, lambda: asked(inspection.complete, office, inspector, item.item, str(contact))
    )
    assert await history(standing, task) == ["create", "redraw", "appoint", "complete", "finish"]
    assert await check_whole(standing.engine) == {TaskState.FINISHED: 1}
