"""Playbacks of recordings: only ever added to."""

from __future__ import annotations

from uuid import UUID

import sqlalchemy as sa

from sottovoce.domain.playbacks import Playback
from sottovoce.storage.rows import columns_of, value_of
from sottovoce.storage.tables import playbacks
from sottovoce.storage.work import Work


async def insert(work: Work, playback: Playback) -> None:
    """Add one."""
    await work.connection.execute(sa.insert(playbacks).values(columns_of(playback, vdn=int(work.vdn))))


async def find(work: Work, playback: UUID) -> Playback | None:
    """The tenant's playback; None: unknown, or another tenant's."""
    query = sa.select(playbacks).where(playbacks.c.vdn == work.vdn, playbacks.c.playback == playback)
    row = (await work.connection.execute(query)).mappings().first()
    return None if row is None else value_of(Playback, row)
