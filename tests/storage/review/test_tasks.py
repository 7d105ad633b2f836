"""Tasks, items and histories as they are stored."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection
from tests.storage.works import work_of

from sottovoce.domain.contacts import Interaction
from sottovoce.domain.directory import AgentId, VdnId
from sottovoce.domain.people import ReviewId, UserId
from sottovoce.domain.reviews import Item, ItemState, Task, TaskState
from sottovoce.domain.sampling import Conditions, Quantity
from sottovoce.storage.database import connect
from sottovoce.storage.review import tasks
from sottovoce.storage.tables import vdns

ONE, TWO = VdnId(1), VdnId(2)
NOW = datetime(2026, 3, 2, 9, 0, 0, 123456, tzinfo=UTC)
ME = UserId("1611917095665261978")
LARGEST = ReviewId("9" * 20)
"""Fits no 64 bits."""
PLAN = ReviewId("1700000000000000009")


def task(number: str, **changes: object) -> Task:
    made = Task(
        task=ReviewId(number),
        name="t",
        state=TaskState.CREATED,
        interaction=Interaction.VOICE,
        conditions=Conditions(Quantity.PER_AGENT, 3, agents=(101,)),
        calls_from=NOW,
        calls_until=None,
        draw=1,
        created_by=ME,
        created_at=NOW,
        plan=PLAN,
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def items(of: Task, count: int) -> list[Item]:
    return [
        Item(
            item=ReviewId(f"{int(of.task) % 10**10}{place:010d}"),
            task=of.task,
            place=place,
            contact=place + 1,
            began_at=NOW,
            agent=AgentId(101) if place % 2 else None,
            inspector=None,
            state=ItemState.WAITING,
        )
        for place in range(count)
    ]


async def prepared(connection: AsyncConnection) -> None:
    await connection.execute(sa.insert(vdns), [{"vdn": vdn, "name": str(vdn)} for vdn in (1, 2)])


async def test_a_task_comes_back_as_it_was_and_only_to_its_tenant(postgres_dsn: str) -> None:
    engine = connect(postgres_dsn)
    made = task(LARGEST)
    parts = items(made, 3)
    async with engine.begin() as connection:
        await prepared(connection)
        await tasks.insert(work_of(connection, ONE), made, parts)
        assert await tasks.find(work_of(connection, ONE), LARGEST, lock=True) == made
        assert await tasks.items(work_of(connection, ONE), LARGEST) == parts
        assert await tasks.item(work_of(connection, ONE), parts[2].item, lock=True) == parts[2]
        assert await tasks.find(work_of(connection, TWO), LARGEST) is None
        assert await tasks.items(work_of(connection, TWO), LARGEST) == []
        assert await tasks.item(work_of(connection, TWO), parts[0].item) is None
        assert await tasks.release(work_of(connection, TWO, NOW), LARGEST) == []
        assert await tasks.drop_items(work_of(connection, TWO), LARGEST) == 0
    await engine.dispose()


async def test_appointing_and_releasing_go_by_the_order_of_the_draw(postgres_dsn: str) -> None:
    engine = connect(postgres_dsn)
    made, other = task("1700000000000000001"), task("1700000000000000002")
    parts = items(made, 3)
    people = [UserId("11"), UserId("12"), UserId("11")]
    async with engine.begin() as connection:
        await prepared(connection)
        await tasks.insert(work_of(connection, ONE), made, list(reversed(parts)))
        await tasks.insert(work_of(connection, ONE), other, items(other, 3))
        await tasks.appoint(work_of(connection, ONE), made.task, dict(enumerate(people)))
        assert [one.inspector for one in await tasks.items(work_of(connection, ONE), made.task)] == people
        assert {one.inspector for one in await tasks.items(work_of(connection, ONE), other.task)} == {None}
        await tasks.change_item(work_of(connection, ONE), parts[1].item, state=ItemState.DONE.value)
        released = await tasks.release(work_of(connection, ONE, NOW), made.task)
        assert released == [(parts[0].item, "11"), (parts[2].item, "11")]
        counted = await tasks.tally(work_of(connection, ONE), made.task)
        assert counted == {
            ItemState.WAITING: 0,
            ItemState.IN_PROGRESS: 0,
            ItemState.DONE: 1,
            ItemState.RELEASED: 2,
        }
        assert (await tasks.tally(work_of(connection, ONE), other.task))[ItemState.WAITING] == 3
    await engine.dispose()


async def test_a_history_counts_from_one_for_each_task(postgres_dsn: str) -> None:
    engine = connect(postgres_dsn)
    async with engine.begin() as connection:
        await prepared(connection)
        for vdn, number, action in ((ONE, "11", "a"), (ONE, "12", "b"), (ONE, "11", "c"), (TWO, "11", "d")):
            await tasks.add_step(work_of(connection, vdn, NOW, ME), ReviewId(number), action, {"n": 1})
        steps = await tasks.steps(work_of(connection, ONE), ReviewId("11"))
        assert [(step.number, step.action) for step in steps] == [(1, "a"), (2, "c")]
        assert (steps[0].at, steps[0].user, steps[0].detail) == (NOW, ME, {"n": 1})
    await engine.dispose()


async def test_what_is_due_is_reserved_and_its_time_has_come(postgres_dsn: str) -> None:
    engine = connect(postgres_dsn)
    async with engine.begin() as connection:
        await prepared(connection)
        for vdn, number, state, minutes in (
            (ONE, "11", TaskState.RESERVED, 0),
            (ONE, "12", TaskState.RESERVED, 1),
            (ONE, "13", TaskState.TERMINATED, -5),
            (TWO, "14", TaskState.RESERVED, -1),
        ):
            at = NOW + timedelta(minutes=minutes)
            await tasks.insert(work_of(connection, vdn), task(number, state=state, takes_effect_at=at), [])
        assert await tasks.due(connection, NOW) == [(TWO, "14"), (ONE, "11")]
    await engine.dispose()


async def test_a_task_is_of_a_plan_or_of_none(postgres_dsn: str) -> None:
    engine = connect(postgres_dsn)
    async with engine.begin() as connection:
        await prepared(connection)
        for number, plan in (("11", PLAN), ("12", None)):
            await tasks.insert(work_of(connection, ONE), task(number, plan=plan), [])
            found = await tasks.find(work_of(connection, ONE), ReviewId(number))
            assert found is not None
            assert found.plan == plan
    await engine.dispose()
