"""The schema's history: Alembic revisions, applied from here and never by hand.

``upgrade`` brings a database to the newest revision (nodes that start together take turns);
``ensure`` refuses a database that is behind or ahead instead. ``env`` is what Alembic
runs. Each module in ``versions`` is one revision; the sum of them is what ``storage.tables`` declares,
which a test holds.
"""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.ext.asyncio import AsyncEngine

from sottovoce.storage.database import transaction

_TURN = 7_310_201
"""The advisory lock that migrating nodes take turns by; any number that nobody else uses."""


class WrongSchema(Exception):
    """The database's schema is not the one that this program knows; the text says what to do."""


async def upgrade(engine: AsyncEngine) -> list[str]:
    """Apply what is missing, in one transaction; the revisions applied. Raises DatabaseAway, WrongSchema."""
    async with transaction(engine) as connection:
        await connection.execute(sa.text("SET LOCAL statement_timeout = 0"))
        await connection.execute(sa.text("SELECT pg_advisory_xact_lock(:turn)"), {"turn": _TURN})
        missing = await connection.run_sync(_missing)
        if missing:
            await connection.run_sync(_upgrade)
        return missing


async def ensure(engine: AsyncEngine) -> None:
    """Make sure that nothing is missing. Raises DatabaseAway, WrongSchema."""
    async with transaction(engine) as connection:
        missing = await connection.run_sync(_missing)
    if missing:
        raise WrongSchema(f"the database lacks {', '.join(missing)}: run `sottovoce migrate`")


def known() -> list[str]:
    """All revisions of this program, the newest first."""
    return [revision.revision for revision in _script().walk_revisions()]


def _script() -> ScriptDirectory:
    return ScriptDirectory.from_config(_config())


def _config(connection: sa.Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def _missing(connection: sa.Connection) -> list[str]:
    """Revisions that the database lacks, oldest first."""
    there = MigrationContext.configure(connection).get_current_revision()
    names = known()
    if there is not None and there not in names:
        raise WrongSchema(
            f"the database is at revision {there}, which is newer than this program: update sottovoce"
        )
    return list(reversed(names[: names.index(there)] if there is not None else names))


def _upgrade(connection: sa.Connection) -> None:
    command.upgrade(_config(connection), "head")
