"""Plans and their runs. Whoever changes a plan holds its row; `next_at` alone says when it comes due."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.ext.asyncio import AsyncConnection

from sottovoce.domain.directory import VdnId
from sottovoce.domain.people import ReviewId, UserId
from sottovoce.domain.plans import Plan, PlanRun, PlanState
from sottovoce.storage.rows import all_of, columns_of, given, value_of
from sottovoce.storage.tables import plan_runs, plans, vdns
from sottovoce.storage.tables.contacts import ARRIVING
from sottovoce.storage.work import Work

_MOST_AT_ONCE = 100
_UNDER_WAY = sa.text(
    f"""
    SELECT min((classid::bigint << 32 | objid::bigint) - ({ARRIVING}::bigint << 40)) FROM pg_locks
    WHERE locktype = 'advisory' AND objsubid = 1 AND classid::bigint >> 8 = {ARRIVING}
        AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
    """  # noqa: S608
)
"""The lowest of the numbers that were the last ones when transactions that number contacts began to."""


async def insert(work: Work, plan: Plan) -> None:
    """Put down a new plan."""
    row = columns_of(plan, "state", "runs", vdn=work.vdn, running=plan.state is PlanState.RUNNING)
    await work.connection.execute(sa.insert(plans).values(row))


async def find(work: Work, plan: ReviewId, *, lock: bool = False) -> Plan | None:
    """A plan of the tenant, a deleted one too. With `lock`, nobody else changes it until the end."""
    query = sa.select(plans).where(_is(work.vdn, plan))
    query = query.with_for_update() if lock else query
    row = (await work.connection.execute(query)).mappings().first()
    return None if row is None else _plan(row)


async def take_due(work: Work, plan: ReviewId) -> Plan | None:
    """A plan whose time has come, locked; None: it is not due (any more), or somebody else runs it now."""
    query = sa.select(plans).where(_is(work.vdn, plan), *_due(work.at)).with_for_update(skip_locked=True)
    row = (await work.connection.execute(query)).mappings().first()
    return None if row is None else _plan(row)


async def coming_due(connection: AsyncConnection, now: datetime) -> list[tuple[VdnId, ReviewId]]:
    """The plans of all tenants whose time has come, the longest due first; a hundred at most."""
    query = sa.select(plans.c.vdn, plans.c.plan).where(*_due(now))
    rows = await connection.execute(query.order_by(plans.c.next_at, plans.c.plan).limit(_MOST_AT_ONCE))
    return [(VdnId(vdn), ReviewId(plan)) for vdn, plan in rows]


async def change(work: Work, plan: ReviewId, **columns: Any) -> None:
    """Write columns of a plan that the caller has locked."""
    await work.connection.execute(sa.update(plans).where(_is(work.vdn, plan)).values(columns))


async def page(work: Work, made_by: UserId | None, offset: int, limit: int) -> tuple[int, list[Plan]]:
    """How many plans the tenant has (of one user, if given), and some of them, the newest first."""
    of_maker = given(made_by, lambda user: plans.c.created_by == user)
    wanted = [plans.c.vdn == work.vdn, plans.c.deleted_at.is_(None), *of_maker]
    total = (await work.connection.execute(sa.select(sa.func.count()).where(*wanted))).scalar_one()
    query = sa.select(plans).where(*wanted).order_by(plans.c.created_at.desc(), plans.c.plan.desc())
    rows = (await work.connection.execute(query.offset(offset).limit(limit))).mappings()
    return total, [_plan(row) for row in rows]


async def add_run(work: Work, run: PlanRun) -> None:
    """Put down a run; a second one for the same due time is refused by the table's key."""
    await work.connection.execute(sa.insert(plan_runs).values(columns_of(run, vdn=work.vdn)))


async def runs(work: Work, plan: ReviewId) -> list[PlanRun]:
    """The runs of a plan, the first one first."""
    query = sa.select(plan_runs).where(plan_runs.c.vdn == work.vdn, plan_runs.c.plan == plan)
    rows = (await work.connection.execute(query.order_by(plan_runs.c.due_at))).mappings()
    return all_of(PlanRun, rows)


async def last_runs(work: Work, wanted: Collection[ReviewId]) -> dict[ReviewId, PlanRun]:
    """The last run of each of those plans that ever ran."""
    query = (
        sa.select(plan_runs)
        .ext(distinct_on(plan_runs.c.plan))
        .where(plan_runs.c.vdn == work.vdn, plan_runs.c.plan.in_(wanted))
        .order_by(plan_runs.c.plan, plan_runs.c.due_at.desc())
    )
    found = all_of(PlanRun, (await work.connection.execute(query)).mappings())
    return {run.plan: run for run in found}


async def arrived(work: Work) -> int:
    """The highest number of a contact up to which all that became inspectable has been committed.

    Whoever reads contacts afterwards sees all of those. A transaction that is under way keeps what has a
    higher number than it found for later; nobody waits for it.
    """
    last = sa.text("SELECT CASE WHEN is_called THEN last_value ELSE last_value - 1 END FROM contact_arrivals")
    # In this order, as two statements: what gets its number after the first is not asked about.
    given = int((await work.connection.execute(last)).scalar_one())
    under_way = (await work.connection.execute(_UNDER_WAY)).scalar_one()
    return given if under_way is None else min(given, int(under_way))


async def time_zone(work: Work) -> str:
    """The IANA name of the tenant's zone."""
    query = sa.select(vdns.c.time_zone).where(vdns.c.vdn == work.vdn)
    return str((await work.connection.execute(query)).scalar_one())


def _is(vdn: VdnId, plan: ReviewId) -> sa.ColumnElement[bool]:
    return (plans.c.vdn == int(vdn)) & (plans.c.plan == plan)


def _due(now: datetime) -> tuple[sa.ColumnElement[bool], sa.ColumnElement[bool]]:
    return plans.c.running, plans.c.next_at <= now


def _plan(row: sa.RowMapping) -> Plan:
    state = PlanState.RUNNING if row["running"] else PlanState.STOPPED
    return value_of(Plan, row, state=state if row["deleted_at"] is None else PlanState.DELETED)
