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


async def latest(work: Work, contact: UUID, track: str) -> Playback | None:
    """The last one that the user of the work began of that track."""
    row = playbacks.c
    of = (row.vdn == work.vdn, row.contact == contact, row.track == track, row.user == work.user)
    query = sa.select(playbacks).where(*of).order_by(row.at.desc()).limit(1)
    found = (await work.connection.execute(query)).mappings().first()
    return None if found is None else value_of(Playback, found)


async def find(work: Work, playback: UUID) -> Playback | None:
    """The tenant's playback; None: unknown, or another tenant's."""
    query = sa.select(playbacks).where(playbacks.c.vdn == work.vdn, playbacks.c.playback == playback)
    row = (await work.connection.execute(query)).mappings().first()
    return None if row is None else value_of(Playback, row)
