"""Units of work for tests that call storage without the use cases above it."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from sottovoce.domain.directory import VdnId
from sottovoce.domain.people import SERVER, UserId
from sottovoce.storage.work import Work

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def work_of(connection: AsyncConnection, vdn: VdnId, at: datetime = NOW, user: UserId = SERVER) -> Work:
    """A tenant's unit of work in that transaction."""
    return Work(connection, vdn, at, user)
