"""Lists of review tasks and of their items.

A page takes the same few queries, however many rows it has; after `snapshot` they all see one moment,
so that no list contradicts itself.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import distinct_on

from sottovoce.domain import appeals
from sottovoce.domain.directory import VdnId
from sottovoce.domain.people import ReviewId, UserId
from sottovoce.domain.review_lists import ItemFilter, Review, TaskFilter
from sottovoce.domain.reviews import INSPECTING, OPEN_ITEMS, SHOWN, Item, ItemState, Task, TaskSight
from sottovoce.plain import natural
from sottovoce.storage.rows import Where, all_of, between, given, milliseconds, value_of
from sottovoce.storage.tables import agents, contacts, quality_items, review_items, review_tasks, users
from sottovoce.storage.work import Work

_TASK, _ITEM, _QUALITY = review_tasks.c, review_items.c, quality_items.c
_LONGEST_ID = 20
_COMPLETED = appeals.AppealState.COMPLETED.value
_REVIEWER = sa.case((_QUALITY.state == _COMPLETED, _QUALITY.previous_handler), else_=_QUALITY.handler)


_SHOWN = tuple(state.value for state in SHOWN)
_STRANDED = (
    _ITEM.state.in_([state.value for state in OPEN_ITEMS])
    & _ITEM.inspector.is_not(None)
    & (users.c.disabled_at.is_not(None) | ~users.c.roles.overlap([role.value for role in INSPECTING]))
)
"""Of an item with its inspector as `users`."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a task's items are."""

    inspect_total: int = 0
    inspect_done: int = 0
    stranded: int = 0
    """Open items whose inspector cannot inspect (any more)."""
    review_total: int = 0
    review_done: int = 0
    reviewer: UserId | None = None
    reviewer_name: str | None = None


@dataclass(frozen=True, slots=True)
class NamedItem:
    """An item with the names of its people."""

    item: Item
    inspector_name: str | None
    stranded: bool
    """It is open, and its inspector cannot inspect (any more)."""
    staff: UserId | None
    """The user who is the agent."""
    staff_name: str | None


async def page(
    work: Work, wanted: TaskFilter, sight: TaskSight, *, page: int, rows: int
) -> tuple[int, list[Task]]:
    """How many tasks there are, and a page of them, the latest first; pages count from 1."""
    where = (_seen(work.vdn, sight), *_wanted(work.vdn, wanted))
    total = (await work.connection.execute(sa.select(sa.func.count()).where(*where))).scalar_one()
    query = (
        sa.select(review_tasks)
        .where(*where)
        .order_by(_TASK.created_at.desc(), _TASK.task.desc())
        .limit(rows)
        .offset((page - 1) * rows)
    )
    return total, all_of(Task, (await work.connection.execute(query)).mappings())


async def progress(work: Work, tasks: Collection[ReviewId]) -> dict[ReviewId, Progress]:
    """How far each of these tasks is."""
    if not tasks:
        return {}
    of = (_ITEM.vdn == work.vdn, _ITEM.task.in_(tasks))
    done = sa.func.count().filter(_ITEM.state == ItemState.DONE.value)
    inspected = review_items.outerjoin(users, (users.c.vdn == _ITEM.vdn) & (users.c.user == _ITEM.inspector))
    counting = (
        sa.select(_ITEM.task, sa.func.count(), done, sa.func.count().filter(_STRANDED))
        .select_from(inspected)
        .where(*of)
        .group_by(_ITEM.task)
    )
    counted = (await work.connection.execute(counting)).all()
    joined = review_items.join(quality_items, _reviewed())
    by_item = (
        sa.select(_ITEM.task, sa.func.bool_and(_QUALITY.state == _COMPLETED).label("over"))
        .select_from(joined)
        .where(*of)
        .group_by(_ITEM.task, _ITEM.item)
        .subquery()
    )
    reviewing = sa.select(by_item.c.task, sa.func.count(), sa.func.count().filter(by_item.c.over)).group_by(
        by_item.c.task
    )
    reviews = {task: (total, over) for task, total, over in await work.connection.execute(reviewing)}
    latest = (
        sa.select(_ITEM.task, _REVIEWER, users.c.name)
        .select_from(joined.join(users, (users.c.vdn == _ITEM.vdn) & (users.c.user == _REVIEWER)))
        .where(*of)
        .ext(distinct_on(_ITEM.task))
        .order_by(_ITEM.task, _QUALITY.state == _COMPLETED, _QUALITY.updated_at.desc(), _QUALITY.quality_item)
    )
    reviewers = {task: (UserId(user), name) for task, user, name in await work.connection.execute(latest)}
    return {
        ReviewId(task): Progress(
            total, finished, stranded, *reviews.get(task, (0, 0)), *reviewers.get(task, (None, None))
        )
        for task, total, finished, stranded in counted
    }


async def visible(work: Work, task: ReviewId, sight: TaskSight) -> bool:
    """Whether there is such a task that is not deleted, and something of it within that sight."""
    query = sa.select(_TASK.task).where(_seen(work.vdn, sight), _TASK.task == task)
    return (await work.connection.execute(query)).first() is not None


async def items_page(
    work: Work,
    task: ReviewId,
    wanted: ItemFilter,
    sight: TaskSight,
    *,
    page: int,
    rows: int,
) -> tuple[int, list[NamedItem]]:
    """How many items of a task there are, and a page of them in the order of the draw."""
    where = (
        _ITEM.vdn == work.vdn,
        _ITEM.task == task,
        _items_seen(sight),
        *_wanted_items(work.vdn, wanted),
    )
    within = review_items.join(review_tasks, (_TASK.vdn == _ITEM.vdn) & (_TASK.task == _ITEM.task))
    counting = sa.select(sa.func.count()).select_from(within).where(*where)
    total = (await work.connection.execute(counting)).scalar_one()
    staff = users.alias()
    named = (
        within.outerjoin(users, (users.c.vdn == _ITEM.vdn) & (users.c.user == _ITEM.inspector))
        .outerjoin(staff, (staff.c.vdn == _ITEM.vdn) & (staff.c.agent == _ITEM.agent))
        .outerjoin(agents, (agents.c.vdn == _ITEM.vdn) & (agents.c.agent == _ITEM.agent))
    )
    query = (
        sa.select(
            review_items,
            users.c.name.label("inspector_name"),
            _STRANDED.label("stranded"),
            staff.c.user.label("staff"),
            sa.func.coalesce(staff.c.name, agents.c.name).label("staff_name"),
        )
        .select_from(named)
        .where(*where)
        .order_by(_ITEM.place)
        .limit(rows)
        .offset((page - 1) * rows)
    )
    found = (await work.connection.execute(query)).mappings()
    return total, [
        NamedItem(
            value_of(Item, row),
            row["inspector_name"],
            bool(row["stranded"]),
            row["staff"],
            row["staff_name"],
        )
        for row in found
    ]


def _seen(vdn: VdnId, sight: TaskSight) -> Where:
    here = (_TASK.vdn == int(vdn)) & _TASK.state.in_(_SHOWN)
    if sight.everything:
        return here
    item = sa.exists().where(_ITEM.vdn == _TASK.vdn, _ITEM.task == _TASK.task, _by_person(sight))
    return here & (_TASK.created_by.in_(sight.makers) | item)


def _items_seen(sight: TaskSight) -> Where:
    if sight.everything:
        return sa.true()
    return _TASK.created_by.in_(sight.makers) | _by_person(sight)


def _by_person(sight: TaskSight) -> Where:
    done = _ITEM.state == ItemState.DONE.value
    return _ITEM.inspector.in_(sight.inspectors) | (_ITEM.agent.in_(sight.agents) & done)


def _wanted(vdn: VdnId, wanted: TaskFilter) -> list[Where]:
    of = (_ITEM.vdn == _TASK.vdn) & (_ITEM.task == _TASK.task)
    calls = between(_ITEM.began_at, wanted.calls_from, wanted.calls_until)
    return [
        *given(wanted.name, lambda name: _TASK.name.icontains(name, autoescape=True)),
        *given(wanted.maker, lambda maker: _person(_TASK.created_by, vdn, maker)),
        *given(wanted.state, lambda state: _TASK.state == state.value),
        *between(_TASK.created_at, wanted.made_from, wanted.made_until),
        *([sa.exists().where(of, *calls)] if calls else []),
        *given(wanted.file_name, lambda name: sa.exists().where(of, _of_contact(_file(name)))),
        *given(wanted.reviewer, lambda who: sa.exists().where(of, _reviewed(), _person(_REVIEWER, vdn, who))),
    ]


def _wanted_items(vdn: VdnId, wanted: ItemFilter) -> list[Where]:
    about = [
        *given(wanted.file_name, _file),
        *between(
            contacts.c.duration_ms, milliseconds(wanted.duration_from_s), milliseconds(wanted.duration_to_s)
        ),
    ]
    has_reviewer = _with_quality_item(_REVIEWER.is_not(None))
    where = [
        *given(wanted.state, lambda state: _ITEM.state == state.value),
        *given(wanted.inspector, lambda who: _person(_ITEM.inspector, vdn, who)),
        *given(wanted.agent, lambda who: _agent(vdn, who)),
        *([_of_contact(*about)] if about else []),
        *given(wanted.reviewer, lambda who: _with_quality_item(_person(_REVIEWER, vdn, who))),
        *given(wanted.has_reviewer, lambda has: has_reviewer if has else ~has_reviewer),
    ]
    is_open = _with_quality_item(_QUALITY.state != _COMPLETED)
    match wanted.review:
        case Review.NONE:
            where.append(~_with_quality_item(sa.true()))
        case Review.OPEN:
            where.append(is_open)
        case Review.COMPLETED:
            where.append(_with_quality_item(sa.true()) & ~is_open)
    return where


def _reviewed() -> Where:
    return (_QUALITY.vdn == _ITEM.vdn) & (_QUALITY.review_item == _ITEM.item)


def _with_quality_item(which: Where) -> Where:
    return sa.exists().where(_reviewed(), which).correlate(review_items)


def _of_contact(*which: Where) -> Where:
    same = (
        contacts.c.vdn == _ITEM.vdn,
        contacts.c.began_at == _ITEM.began_at,
        contacts.c.contact == _ITEM.contact,
    )
    return sa.exists().where(*same, *which).correlate(review_items)


def _file(part: str) -> Where:
    return contacts.c.file_name.icontains(part, autoescape=True)


def _person(column: sa.ColumnElement[UserId] | sa.Column[str], vdn: VdnId, who: str) -> Where:
    """Whether a column names a user by their id or by a part of their name."""
    named = sa.select(users.c.user).where(
        users.c.vdn == int(vdn), users.c.name.icontains(who, autoescape=True)
    )
    return column.in_(named) | (column == who) if _is_id(who) else column.in_(named)


def _agent(vdn: VdnId, who: str) -> Where:
    """Whether the item's call is one's of this work number, user id, or part of a name."""
    part = users.c.name.icontains(who, autoescape=True)
    theirs = sa.select(users.c.agent).where(
        users.c.vdn == int(vdn),
        users.c.agent.is_not(None),
        part | (users.c.user == who) if _is_id(who) else part,
    )
    named = sa.select(agents.c.agent).where(
        agents.c.vdn == int(vdn), agents.c.name.icontains(who, autoescape=True)
    )
    where = _ITEM.agent.in_(theirs) | _ITEM.agent.in_(named)
    return where | (sa.cast(_ITEM.agent, sa.Text) == who) if _is_id(who) else where


def _is_id(who: str) -> bool:
    return natural(who, _LONGEST_ID) is not None
