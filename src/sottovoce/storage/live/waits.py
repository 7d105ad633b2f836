"""Waits in queues, from their begin to their end."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from sottovoce.domain.directory import VdnId
from sottovoce.domain.journal import WaitBegan, WaitEnded
from sottovoce.domain.queueing import Outcome
from sottovoce.storage.records import fitted
from sottovoce.storage.rows import all_of, put
from sottovoce.storage.tables import waits


async def began(connection: AsyncConnection, change: WaitBegan) -> None:
    """Record that a call waits; a second time changes nothing."""
    row = fitted(change, "at", began_at=change.at)
    await connection.execute(insert(waits).values(row).on_conflict_do_nothing())


async def ended(connection: AsyncConnection, change: WaitEnded) -> None:
    """Record how long a call waited, and what for."""
    row = fitted(change, "at", ended_at=change.at)
    await put(connection, waits, row, "vdn", "call", "began_at")


async def end_interrupted(connection: AsyncConnection, vdn: VdnId, last_alive: datetime | None) -> None:
    """Give an end to waits that have none: the last sign of life on record."""
    at = sa.func.greatest(waits.c.began_at, sa.literal(last_alive, sa.DateTime(timezone=True)))
    await connection.execute(
        sa.update(waits)
        .where(waits.c.vdn == vdn, waits.c.ended_at.is_(None))
        .values(ended_at=at, outcome=Outcome.INTERRUPTED.value)
    )


async def since(connection: AsyncConnection, vdn: VdnId, begin: datetime) -> list[WaitEnded]:
    """The waits that began since then and are over, the first to end first."""
    query = (
        sa.select(waits, waits.c.ended_at.label("at"))
        .where(waits.c.vdn == vdn, waits.c.began_at >= begin, waits.c.ended_at.is_not(None))
        .order_by(waits.c.ended_at)
    )
    return all_of(WaitEnded, (await connection.execute(query)).mappings())
