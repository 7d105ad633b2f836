"""Samples of fresh contacts, and the tasks that kept theirs from them."""

from __future__ import annotations

from collections.abc import Collection

import sqlalchemy as sa

from sottovoce.domain.people import ReviewId, UserId
from sottovoce.domain.reviews import ItemState, Task
from sottovoce.domain.sampling import Arrivals, Conditions, Earlier
from sottovoce.plain import from_plain
from sottovoce.storage.review.draws import fresh_alone, qualifies
from sottovoce.storage.tables import contacts, review_items, review_tasks, sampling_draws
from sottovoce.storage.work import Work


async def passed_over_by(work: Work, task: Task, people: Collection[UserId]) -> ReviewId | None:
    """The first of the samples of fresh contacts that stand and passed over contacts of `task`; None: none.

    It was drawn later, by or for one of these people, and its conditions fit a contact that `task` has. Until
    the end of the transaction nobody draws fresh contacts of the tenant.
    """
    await fresh_alone(work)
    item, other, drawn = review_items.c, review_tasks.c, sampling_draws.c
    has = (item.vdn == work.vdn, item.task == task.task, item.state != ItemState.RELEASED.value)
    bounds = sa.select(sa.func.min(item.began_at), sa.func.max(item.began_at)).where(*has)
    low, high = (await work.connection.execute(bounds)).one()
    if low is None:
        return None
    stands = sa.exists().where(
        item.vdn == work.vdn, item.task == other.task, item.state != ItemState.RELEASED.value
    )
    later = (
        sa.select(
            other.task,
            other.conditions,
            other.calls_from,
            other.calls_until,
            drawn.certificate["arrivals"].label("arrivals"),
        )
        .join(sampling_draws, (drawn.vdn == other.vdn) & (drawn.draw == other.draw))
        .where(
            other.vdn == work.vdn,
            other.draw > task.draw,
            other.conditions["earlier"].as_string() == Earlier.FRESH.value,
            other.created_by.in_(people) | drawn.maker.in_(people),
            sa.func.coalesce(other.calls_from, low) <= high,
            sa.func.coalesce(other.calls_until > low, sa.true()),
            stands,
        )
        .order_by(other.draw)
    )
    its = contacts.c.contact.in_(sa.select(item.contact).where(*has)) & contacts.c.began_at.between(low, high)
    for row in (await work.connection.execute(later)).all():
        arrivals = None if row.arrivals is None else from_plain(Arrivals, row.arrivals)
        fits = qualifies(
            work.vdn, from_plain(Conditions, row.conditions), row.calls_from, row.calls_until, arrivals
        )
        query = sa.select(sa.exists().where(its, *fits))
        if (await work.connection.execute(query)).scalar_one():
            return ReviewId(row.task)
    return None
