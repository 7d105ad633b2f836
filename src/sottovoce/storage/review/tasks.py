"""Review tasks, their items and their histories. What changes a task holds its row (`find(lock=True)`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection

from sottovoce.domain.directory import VdnId
from sottovoce.domain.people import ReviewId, UserId
from sottovoce.domain.reviews import DEALT_ITEMS, OPEN_ITEMS, Item, ItemState, Task, TaskState, TaskStep
from sottovoce.storage.rows import all_of, columns_of, value_of
from sottovoce.storage.tables import review_items, review_steps, review_tasks
from sottovoce.storage.tables.schema import ID
from sottovoce.storage.work import Work

_OPEN = tuple(state.value for state in OPEN_ITEMS)
_DEALT = tuple(state.value for state in DEALT_ITEMS)


async def insert(work: Work, task: Task, items: Sequence[Item]) -> None:
    """Put down a task with its items, in whatever states they are."""
    row = columns_of(task, vdn=work.vdn)
    await work.connection.execute(sa.insert(review_tasks).values(row))
    await insert_items(work, items)


async def insert_items(work: Work, items: Sequence[Item]) -> None:
    """Put down items of a task, all in one statement."""
    if not items:
        return
    kept = [columns_of(item) for item in items]
    columns = {name: (review_items.c[name].type, [row[name] for row in kept]) for name in kept[0]}
    rows = _rows(columns)
    query = sa.select(sa.literal(work.vdn, sa.Integer), *(rows.c[name] for name in columns))
    await work.connection.execute(sa.insert(review_items).from_select(["vdn", *columns], query))


async def find(work: Work, task: ReviewId, *, lock: bool = False) -> Task | None:
    """A task of the tenant, a deleted one too. With `lock` it is the caller's until the transaction ends."""
    query = sa.select(review_tasks).where(_is(work.vdn, task))
    row = (await work.connection.execute(query.with_for_update() if lock else query)).mappings().first()
    return None if row is None else value_of(Task, row)


async def change(work: Work, task: ReviewId, **columns: Any) -> None:
    """Write columns of a task that the caller has locked."""
    await work.connection.execute(sa.update(review_tasks).where(_is(work.vdn, task)).values(columns))


async def items(work: Work, task: ReviewId) -> list[Item]:
    """All items of a task, in the order of the draw."""
    query = sa.select(review_items).where(_of(work.vdn, task)).order_by(review_items.c.place)
    return all_of(Item, (await work.connection.execute(query)).mappings())


async def item(work: Work, item: ReviewId, *, lock: bool = False) -> Item | None:
    """One item of the tenant. To lock it, its task is locked first."""
    query = sa.select(review_items).where(review_items.c.vdn == work.vdn, review_items.c.item == item)
    row = (await work.connection.execute(query.with_for_update() if lock else query)).mappings().first()
    return None if row is None else value_of(Item, row)


async def change_item(work: Work, item: ReviewId, **columns: Any) -> None:
    """Write columns of an item whose task the caller has locked."""
    where = (review_items.c.vdn == work.vdn, review_items.c.item == item)
    await work.connection.execute(sa.update(review_items).where(*where).values(columns))


async def drop_items(work: Work, task: ReviewId) -> int:
    """Take a sample out of its task, before another is put in; how many they were."""
    return (await work.connection.execute(sa.delete(review_items).where(_of(work.vdn, task)))).rowcount


async def tally(work: Work, task: ReviewId) -> dict[ItemState, int]:
    """How many items of a task are in each state."""
    query = (
        sa.select(review_items.c.state, sa.func.count())
        .where(_of(work.vdn, task))
        .group_by(review_items.c.state)
    )
    counted = {ItemState(state): count for state, count in await work.connection.execute(query)}
    return {state: counted.get(state, 0) for state in ItemState}


async def appoint(
    work: Work, task: ReviewId, inspectors: Mapping[int, UserId], *, anew: bool = False
) -> None:
    """Give the items in these places their inspectors; `anew`: without the drafts of those before."""
    columns: dict[str, tuple[Any, list[Any]]] = {
        "place": (sa.Integer(), list(inspectors)),
        "person": (ID, list(inspectors.values())),
    }
    rows = _rows(columns)
    item = review_items.c
    changed: dict[str, Any] = {"inspector": rows.c.person}
    if anew:
        changed |= {"state": ItemState.WAITING.value, "opened_at": None, "round": item.round + 1}
    dealt = (
        sa.update(review_items)
        .where(_of(work.vdn, task), item.place == rows.c.place, item.state.in_(_DEALT))
        .values(changed)
    )
    await work.connection.execute(dealt)


async def to_deal(work: Work, task: ReviewId, held_by: UserId | None = None) -> list[Item]:
    """The items that can be given to an inspector, in the order of the draw; those of one alone, if given."""
    query = sa.select(review_items).where(_of(work.vdn, task), review_items.c.state.in_(_DEALT))
    if held_by is not None:
        query = query.where(review_items.c.inspector == held_by)
    rows = await work.connection.execute(query.order_by(review_items.c.place))
    return all_of(Item, rows.mappings())


async def held_by(work: Work, inspector: UserId) -> dict[ReviewId, int]:
    """The tasks with items that somebody has to inspect, the oldest first, and how many those are."""
    query = (
        sa.select(review_items.c.task, sa.func.count())
        .where(
            review_items.c.vdn == work.vdn,
            review_items.c.inspector == inspector,
            review_items.c.state.in_(_DEALT),
        )
        .group_by(review_items.c.task)
        .order_by(review_items.c.task)
    )
    return {ReviewId(task): count for task, count in await work.connection.execute(query)}


async def release(work: Work, task: ReviewId) -> list[tuple[ReviewId, UserId | None]]:
    """Release the items that are not done; each with whose it was, in the order of the draw."""
    released = (
        sa.update(review_items)
        .where(_of(work.vdn, task), review_items.c.state.in_(_OPEN))
        .values(state=ItemState.RELEASED.value, ended_at=work.at)
        .returning(review_items.c.place, review_items.c.item, review_items.c.inspector)
    )
    rows = sorted(await work.connection.execute(released))
    return [
        (ReviewId(item), UserId(inspector) if inspector is not None else None) for _, item, inspector in rows
    ]


async def due(connection: AsyncConnection, now: datetime) -> list[tuple[VdnId, ReviewId]]:
    """The tasks of all tenants whose reserved time has come, longest due first."""
    query = (
        sa.select(review_tasks.c.vdn, review_tasks.c.task)
        .where(review_tasks.c.state == TaskState.RESERVED.value, review_tasks.c.takes_effect_at <= now)
        .order_by(review_tasks.c.takes_effect_at)
    )
    return [(VdnId(vdn), ReviewId(task)) for vdn, task in await connection.execute(query)]


async def add_step(work: Work, task: ReviewId, action: str, detail: Mapping[str, Any]) -> None:
    """Add a line to the history of a task that the caller has locked, or just made."""
    last = sa.select(sa.func.coalesce(sa.func.max(review_steps.c.number), 0) + 1).where(
        review_steps.c.vdn == work.vdn, review_steps.c.task == task
    )
    row = {
        "vdn": work.vdn,
        "task": task,
        "number": last.scalar_subquery(),
        "at": work.at,
        "user": work.user,
        "action": action,
        "detail": dict(detail),
    }
    await work.connection.execute(sa.insert(review_steps).values(row))


async def steps(work: Work, task: ReviewId) -> list[TaskStep]:
    """The history of a task, a deleted one too."""
    query = (
        sa.select(review_steps)
        .where(review_steps.c.vdn == work.vdn, review_steps.c.task == task)
        .order_by(review_steps.c.number)
    )
    return all_of(TaskStep, (await work.connection.execute(query)).mappings())


async def tenant_of(connection: AsyncConnection, task: ReviewId) -> VdnId | None:
    """Whose task or plan that is; ids are unique over all tenants."""
    query = sa.select(review_steps.c.vdn).where(review_steps.c.task == task).limit(1)
    found = (await connection.execute(query)).scalar_one_or_none()
    return None if found is None else VdnId(found)


def _is(vdn: VdnId, task: ReviewId) -> sa.ColumnElement[bool]:
    return (review_tasks.c.vdn == int(vdn)) & (review_tasks.c.task == task)


def _of(vdn: VdnId, task: ReviewId) -> sa.ColumnElement[bool]:
    return (review_items.c.vdn == int(vdn)) & (review_items.c.task == task)


def _rows(columns: Mapping[str, tuple[Any, list[Any]]]) -> sa.TableValuedAlias:
    """Rows sent as one array for each column."""
    arrays = [sa.bindparam(None, values, ARRAY(kind), unique=True) for kind, values in columns.values()]
    names = [sa.column(name, kind) for name, (kind, _) in columns.items()]
    return sa.func.unnest(*arrays).table_valued(*names, name="rows").render_derived()
