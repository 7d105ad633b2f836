"""The way to the database, whichever is set: a DSN's, or our own PostgreSQL."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from sqlalchemy.ext.asyncio import AsyncEngine

from sottovoce.config import DatabaseSettings
from sottovoce.storage import migrations
from sottovoce.storage.database import check, connect
from sottovoce.storage.own.embedded import EmbeddedPostgres


@asynccontextmanager
async def opened(
    settings: DatabaseSettings, data: Path, *, migrate: bool = False
) -> AsyncIterator[AsyncEngine]:
    """An engine whose schema is the newest; closed, and our own server stopped, at the end.

    Our own database is always migrated, a DSN's only if `migrate` says so; else one that is behind
    is refused. Raises CannotStart, BadDsn, DatabaseAway, WrongSchema.
    """
    server = EmbeddedPostgres(data, run_as=settings.run_as) if settings.dsn is None else None
    where = settings.dsn.get_secret_value() if settings.dsn is not None else ""
    if server is not None:
        where = await server.start()
    try:
        engine = connect(where, connections=settings.connections)
        try:
            await check(engine)
            if migrate or server is not None:
                await migrations.upgrade(engine)
            else:
                await migrations.ensure(engine)
            yield engine
        finally:
            await engine.dispose()
    finally:
        if server is not None:
            await server.stop()
