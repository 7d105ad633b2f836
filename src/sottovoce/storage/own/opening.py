"""The way to the database, whichever is set: a DSN's, or our own PostgreSQL."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from sottovoce.config import DatabaseSettings
from sottovoce.storage import migrations
from sottovoce.storage.database import DatabaseAway, check, connect, transaction
from sottovoce.storage.own import roles
from sottovoce.storage.own.embedded import EmbeddedPostgres


@dataclass(frozen=True, slots=True)
class Ways:
    """DSNs of one database: for the owner of the schema and for the role that serves; perhaps the same."""

    owner: str
    server: str


@asynccontextmanager
async def reached(settings: DatabaseSettings, data: Path) -> AsyncIterator[Ways]:
    """The ways to the database; our own server is stopped at the end. Raises CannotStart."""
    if settings.dsn is not None:
        dsn = settings.dsn.get_secret_value()
        yield Ways(dsn if settings.owner_dsn is None else settings.owner_dsn.get_secret_value(), dsn)
        return
    server = EmbeddedPostgres(data, run_as=settings.run_as)
    try:
        yield Ways(await server.start(), server.server_dsn)
    finally:
        await server.stop()


@asynccontextmanager
async def opened(
    settings: DatabaseSettings, data: Path, *, migrate: bool = False
) -> AsyncIterator[AsyncEngine]:
    """An engine for the role that serves, with the newest schema; closed at the end.

    Our own database is always migrated, a DSN's only if `migrate` says so; else one that is behind
    is refused. Raises CannotStart, BadDsn, DatabaseAway, WrongSchema.
    """
    async with reached(settings, data) as ways:
        if migrate or settings.dsn is None:
            await migrated(ways)
        engine = connect(ways.server, connections=settings.connections)
        try:
            await _check(engine, settings)
            await migrations.ensure(engine)
            yield engine
        finally:
            await engine.dispose()


async def _check(engine: AsyncEngine, settings: DatabaseSettings) -> None:
    try:
        await check(engine)
    except DatabaseAway as failure:
        if settings.dsn is None:
            raise
        raise DatabaseAway(
            f"{failure}: database.dsn says where it is; is PostgreSQL up there, are user and password right?"
        ) from failure


async def migrated(ways: Ways) -> list[str]:
    """Apply what is missing as the schema's owner, and let the other role in; the revisions applied.

    Raises BadDsn, DatabaseAway, WrongSchema.
    """
    engine = connect(ways.owner)
    try:
        await check(engine)
        applied = await migrations.upgrade(engine)
        role = sa.make_url(ways.server).username
        if role is not None and role != engine.url.username:
            async with transaction(engine) as connection:
                await roles.let_serve(connection, role)
        return applied
    finally:
        await engine.dispose()
