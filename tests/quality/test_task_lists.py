"""Who sees which tasks and items, without the wire."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa
from tests.quality.asking import asked
from tests.quality.reviewing import Made, put_task
from tests.quality.standing import (
    ANN,
    BEN,
    DIRECTOR,
    FOREIGN,
    INSPECTOR,
    LEADER,
    NOW,
    ONE,
    PLAIN,
    SECOND,
    TABLE_DIRECTOR,
    TABLE_LEADER,
    THIRD,
    TWO,
    Standing,
)
from tests.storage.works import work_of

from sottovoce.domain.directory import VdnId
from sottovoce.domain.people import Role, UserId
from sottovoce.domain.review_lists import ItemFilter, TaskFilter
from sottovoce.domain.reviews import TaskState
from sottovoce.errors import Code, Refused
from sottovoce.quality import task_lists
from sottovoce.storage.database import transaction
from sottovoce.storage.review import task_lists as stored_lists
from sottovoce.storage.review import tasks as stored
from sottovoce.storage.tables import users

ALL_TASKS = TaskFilter(made_from=NOW - timedelta(days=1))


async def put(standing: Standing) -> tuple[Made, Made, Made]:
    """Of the director with all inspectors and agents; of the leader, undealt; of the second inspector's."""
    contacts = [await standing.contact(100 + n) for n in (1, 2, 3)]
    async with transaction(standing.engine) as connection:
        return (
            await put_task(
                connection,
                TaskState.FINISHED,
                contacts,
                inspectors=(INSPECTOR, SECOND, THIRD),
                agents=(101, 102, 103),
                name="director's",
            ),
            await put_task(connection, TaskState.CREATED, contacts, made_by=LEADER, name="leader's"),
            await put_task(
                connection, TaskState.ASSIGNED, contacts, made_by=SECOND, inspectors=(THIRD,), name="second's"
            ),
        )


async def seen(
    standing: Standing, by: UserId, made: Made, vdn: VdnId = ONE, acting_as: Role | None = None
) -> tuple[list[str], list[int] | None]:
    """The names of the tasks in `by`'s list, and the places of the items of one that they see."""
    caller = await standing.caller(by, vdn)
    _, lines = await asked(
        task_lists.query, standing.office, caller, ALL_TASKS, page=1, rows=100, acting_as=acting_as
    )
    names = sorted(line.task.name for line in lines)
    try:
        total, items = await asked(
            task_lists.items,
            standing.office,
            caller,
            made.task,
            ItemFilter(),
            page=1,
            rows=100,
            acting_as=acting_as,
        )
    except Refused as declined:
        if declined.code is not Code.NOT_FOUND:
            raise
        return names, None
    assert total == len(items)
    return names, [line.item.place for line in items]


async def test_each_sees_their_part(standing: Standing) -> None:
    first, second, third = await put(standing)
    everything = ["director's", "leader's", "second's"]
    for director in (DIRECTOR, TABLE_DIRECTOR):
        for made in (first, second, third):
            assert await seen(standing, director, made) == (everything, [0, 1, 2])
    assert await seen(standing, LEADER, first) == (everything, [0, 1])
    assert await seen(standing, LEADER, second) == (everything, [0, 1, 2])
    assert await seen(standing, LEADER, third) == (everything, [0, 1, 2])  # made by one whom they lead
    assert await seen(standing, INSPECTOR, first) == (["director's"], [0])
    assert await seen(standing, INSPECTOR, second) == (["director's"], None)
    assert await seen(standing, THIRD, third) == (["director's", "second's"], [0, 1, 2])
    assert await seen(standing, TABLE_LEADER, first) == (["director's"], [0, 1])
    assert await seen(standing, BEN, first) == (["director's"], [1])
    assert await seen(standing, ANN, third) == (["director's"], None)
    assert await seen(standing, FOREIGN, first, TWO) == ([], None)
    with pytest.raises(Refused) as refusal:
        await seen(standing, PLAIN, first)
    assert refusal.value.code is Code.NO_RIGHT


async def test_with_two_roles_one_sees_both_parts_or_acts_as_one(standing: Standing) -> None:
    first, _, third = await put(standing)
    async with transaction(standing.engine) as connection:
        both = sa.update(users).where(users.c.user == ANN).values(roles=["staff", "inspector"])
        await connection.execute(both)
        await stored.change_item(work_of(connection, ONE), first.items[0].item, inspector=SECOND)
        await stored.change_item(work_of(connection, ONE), first.items[2].item, inspector=ANN)
    assert (await seen(standing, ANN, first))[1] == [0, 2]
    assert (await seen(standing, ANN, first, acting_as=Role.STAFF))[1] == [0]
    assert (await seen(standing, ANN, first, acting_as=Role.INSPECTOR))[1] == [2]
    assert (await seen(standing, ANN, third))[1] is None


async def test_mine_and_changeable(standing: Standing) -> None:
    await put(standing)

    async def flags(by: UserId) -> dict[str, tuple[bool, bool]]:
        caller = await standing.caller(by)
        _, lines = await asked(task_lists.query, standing.office, caller, ALL_TASKS, page=1, rows=9)
        return {line.task.name: (line.mine, line.changeable) for line in lines}

    assert await flags(DIRECTOR) == {
        "director's": (True, False),
        "leader's": (False, True),
        "second's": (False, True),
    }
    assert await flags(LEADER) == {
        "director's": (False, False),
        "leader's": (True, True),
        "second's": (False, False),
    }
    assert await flags(TABLE_DIRECTOR) == dict.fromkeys(
        ("director's", "leader's", "second's"), (False, False)
    )


async def test_a_list_changes_nothing_and_sees_one_moment(standing: Standing) -> None:
    """What is committed while a page is being read is in none of its queries."""
    first, *_ = await put(standing)
    async with transaction(standing.engine, snapshot=True) as connection:
        before = await stored_lists.progress(work_of(connection, ONE), [first.task])
        async with transaction(standing.engine) as other:
            await stored.drop_items(work_of(other, ONE), first.task)
        assert await stored_lists.progress(work_of(connection, ONE), [first.task]) == before
        with pytest.raises(sa.exc.InternalError, match="read-only"):
            await stored.drop_items(work_of(connection, ONE), first.task)
