"""The way to the database, whichever is set: a DSN's, or our own PostgreSQL."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from sqlalchemy.ext.asyncio import AsyncEngine

from sottovoce.config import DatabaseSettings
from sottovoce.storage import migrations
from sottovoce.storage.database import check, connect
from sottovoce.storage.own.embedded import EmbeddedPostgres


@asynccontextmanager
async def reached(settings: DatabaseSettings, data: Path) -> AsyncIterator[AsyncEngine]:
    """An engine, whatever the schema; closed, and our own server stopped, at the end.

    Raises CannotStart, BadDsn, DatabaseAway.
    """
    async with AsyncExitStack() as ending:
        if settings.dsn is not None:
            where = settings.dsn.get_secret_value()
        else:
            server = EmbeddedPostgres(data, run_as=settings.run_as)
            where = await server.start()
            ending.push_async_callback(server.stop)
        engine = connect(where, connections=settings.connections)
        ending.push_async_callback(engine.dispose)
        await check(engine)
        yield engine


@asynccontextmanager
async def opened(
    settings: DatabaseSettings, data: Path, *, migrate: bool = False
) -> AsyncIterator[AsyncEngine]:
    """As `reached`, with the newest schema.

    Our own database is always migrated, a DSN's only if `migrate` says so; else one that is behind
    is refused: WrongSchema.
    """
    async with reached(settings, data) as engine:
        if migrate or settings.dsn is None:
            await migrations.upgrade(engine)
        else:
            await migrations.ensure(engine)
        yield engine
