"""Work put off: rows in procrastinate's queue, written in the transaction that asks for the work.

The queue lives in a schema of its own (revision 0002). Its functions set their own search path, so that
they work from every connection; only `quality.jobs` takes jobs out, with procrastinate's worker.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from sottovoce.domain.directory import VdnId
from sottovoce.storage.rows import value_of

SCHEMA = "procrastinate"
QUEUE = "sottovoce"
_WAITING_ALREADY = "procrastinate_jobs_queueing_lock_idx_v1"
_DEFER = sa.text(
    """
    SELECT procrastinate.procrastinate_defer_jobs_v1(
        ARRAY[ROW(:queue, :job, :priority, :lock, :queueing_lock, :arguments, :at)]
        ::procrastinate.procrastinate_job_to_defer_v1[]
    )
    """
).bindparams(
    sa.bindparam("queue", type_=sa.Text),
    sa.bindparam("job", type_=sa.Text),
    sa.bindparam("priority", type_=sa.Integer),
    sa.bindparam("lock", type_=sa.Text),
    sa.bindparam("queueing_lock", type_=sa.Text),
    sa.bindparam("arguments", type_=JSONB),
    sa.bindparam("at", type_=sa.DateTime(timezone=True)),
)


async def defer(
    connection: AsyncConnection,
    job: str,
    arguments: Mapping[str, str | int | bool | None],
    *,
    at: datetime | None = None,
    lock: str | None = None,
    queueing_lock: str | None = None,
    priority: int = 0,
) -> bool:
    """Put a job of `quality.jobs` off until this transaction has committed, or until `at` if that is later.

    Jobs of the same `lock` never run at the same time, and in their order. Of those with the same
    `queueing_lock` only one waits: False where there is one already, and nothing is put off. A job that may
    fail and be tried again must not have one. Those of a higher `priority` go first.
    """
    row = {
        "queue": QUEUE,
        "job": job,
        "priority": priority,
        "lock": lock,
        "queueing_lock": queueing_lock,
        "arguments": dict(arguments),
        "at": at,
    }
    if queueing_lock is None:
        await connection.execute(_DEFER, row)
        return True
    try:
        async with connection.begin_nested():
            await connection.execute(_DEFER, row)
    except IntegrityError as failure:
        if _WAITING_ALREADY not in str(failure.orig):
            raise
        return False
    return True


_LOST = """
    SELECT job.id FROM procrastinate.procrastinate_jobs AS job
    LEFT JOIN procrastinate.procrastinate_workers AS worker ON worker.id = job.worker_id
    WHERE job.status = 'doing' AND job.queueing_lock IS {of} NULL AND (
        worker.id IS NULL
        OR worker.last_heartbeat < now() - make_interval(secs => :silent_s)
        OR (
            SELECT max(event.at) FROM procrastinate.procrastinate_events AS event
            WHERE event.job_id = job.id AND event.type = 'started'
        ) < now() - make_interval(secs => :longest_s)
    )
    FOR UPDATE OF job SKIP LOCKED
"""
_DROP = sa.text(
    "DELETE FROM procrastinate.procrastinate_jobs WHERE id IN (" + _LOST.format(of="NOT") + ")"  # noqa: S608
)
_GIVE_BACK = sa.text(
    "SELECT procrastinate.procrastinate_retry_job_v2(id, now(), NULL, NULL, NULL)"  # noqa: S608
    " FROM (" + _LOST.format(of="") + ") AS lost"
)


async def give_back(connection: AsyncConnection, silent_s: float, longest_s: float) -> int:
    """Let jobs be taken again whose server has not been heard of for `silent_s`; how many they were.

    So also those that were taken longer than `longest_s` ago: the database was away when their end was to be
    put down. Those with a `queueing_lock` are dropped instead; whoever wants them puts them off anew.
    """
    given = {"silent_s": silent_s, "longest_s": longest_s}
    dropped = await connection.execute(_DROP, given)
    back = (await connection.execute(_GIVE_BACK, given)).all()
    return dropped.rowcount + len(back)


@dataclass(frozen=True, slots=True)
class Backlog:
    """The jobs of one kind that are not done."""

    waiting: int = 0
    running: int = 0
    failed: int = 0
    """Given up."""
    oldest_at: datetime | None = None
    """When the one that waits longest was put off."""


_BACKLOG = sa.text(
    """
    SELECT
        count(*) FILTER (WHERE job.status = 'todo') AS waiting,
        count(*) FILTER (WHERE job.status = 'doing') AS running,
        count(*) FILTER (WHERE job.status = 'failed') AS failed,
        min(event.at) FILTER (WHERE job.status = 'todo') AS oldest_at
    FROM procrastinate.procrastinate_jobs AS job
    LEFT JOIN procrastinate.procrastinate_events AS event
        ON event.job_id = job.id AND event.type = 'deferred'
    WHERE job.task_name = :job AND (CAST(:vdn AS integer) IS NULL OR job.args ->> 'vdn' = CAST(:vdn AS text))
    """
)


async def backlog(connection: AsyncConnection, job: str, vdn: VdnId | None) -> Backlog:
    """What is not done of a kind of job, of one tenant or (of the whole server) of all."""
    row = (await connection.execute(_BACKLOG, {"job": job, "vdn": vdn})).mappings().one()
    return value_of(Backlog, row)
