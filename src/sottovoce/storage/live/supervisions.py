"""Supervisions that a crash cut off: the audit says that they began, and nothing says that they ended."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from sottovoce.domain.directory import AgentId, VdnId
from sottovoce.domain.journal import AuditEntry
from sottovoce.storage import audit as chain
from sottovoce.storage.rows import all_of
from sottovoce.storage.tables import agents, audit
from sottovoce.storage.tables.live import SUPERVISES

STOP = "supervise.stop"
_REFUSED = ".refused"
_LOOK_BACK = 20
"""Rows of one inspector that are read: more than one supervision can bring after its begin matter to none."""


async def close_left(
    connection: AsyncConnection, vdn: VdnId, last_alive: datetime | None
) -> list[AuditEntry]:
    """Add the end of each supervision that the audit shows as running. For a floor that begins: none runs."""
    last = (
        sa.select(audit)
        .where(
            audit.c.vdn == int(vdn), audit.c.actor == sa.cast(agents.c.agent, sa.Numeric), sa.text(SUPERVISES)
        )
        .order_by(audit.c.number.desc())
        .limit(_LOOK_BACK)
        .lateral("last")
    )
    query = (
        sa.select(last)
        .select_from(agents.join(last, sa.true()))
        .where(agents.c.vdn == int(vdn))
        .order_by(last.c.number)
    )
    rows = all_of(AuditEntry, (await connection.execute(query)).mappings())
    now = (await connection.execute(sa.select(sa.func.now()))).scalar_one()
    alive = last_alive.isoformat() if last_alive is not None else ""
    ends = [
        AuditEntry(
            vdn,
            now,
            begun.actor,
            STOP,
            begun.target,
            {"mode": begun.action.partition(".")[2], "reason": "server died", "last_alive": alive},
        )
        for begun in running(rows)
    ]
    await chain.append(connection, vdn, ends)
    return ends


def running(rows: Iterable[AuditEntry]) -> list[AuditEntry]:
    """Of the rows about supervisions, oldest first: what each inspector still does when they end.

    A row that was refused after it had been written counts for nothing.
    """
    now: dict[AgentId, AuditEntry] = {}
    before: dict[AgentId, AuditEntry | None] = {}
    for row in rows:
        actor = AgentId(int(row.actor))
        if row.action.endswith(_REFUSED):
            former = before.pop(actor, None)
            now.pop(actor, None)
            if former is not None:
                now[actor] = former
        elif row.action == STOP:
            now.pop(actor, None)
            before.pop(actor, None)
        else:
            before[actor] = now.get(actor)
            now[actor] = row
    return [now[actor] for actor in sorted(now)]
