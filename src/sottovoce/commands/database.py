"""`sottovoce migrate`."""

from __future__ import annotations

import asyncio

import typer

from sottovoce.commands.telling import ConfigOption, quietly
from sottovoce.config import Settings
from sottovoce.storage.own.opening import migrated, reached


def migrate(config: ConfigOption = None) -> None:
    """Bring the database's schema to what this program needs.

    The server's own PostgreSQL is migrated at every start; one that a DSN names only by this command,
    as the role of database.owner_dsn where that is set. The role of database.dsn is then let in: it can
    add to the audit, and change nothing there.

    Example: [bold]SOTTOVOCE_DATABASE__DSN=postgresql://… sottovoce migrate[/bold]
    """
    settings = quietly(config)
    applied = asyncio.run(_migrate(settings))
    typer.echo(f"applied {', '.join(applied)}" if applied else "nothing to do: the schema is the newest")


async def _migrate(settings: Settings) -> list[str]:
    async with reached(settings.database, settings.data) as ways:
        return await migrated(ways)
