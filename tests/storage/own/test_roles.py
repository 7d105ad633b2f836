"""The server's own role: it can add to the audit, and neither change, remove nor empty what is there."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.ext.asyncio import AsyncEngine

from sottovoce.clock import ManualClock
from sottovoce.config import DatabaseSettings
from sottovoce.domain.directory import AgentId, VdnId
from sottovoce.domain.journal import AuditEntry
from sottovoce.storage import audit
from sottovoce.storage.database import connect, transaction
from sottovoce.storage.own import roles
from sottovoce.storage.own.anchor import Anchor
from sottovoce.storage.own.opening import opened
from sottovoce.storage.own.placement import place

NOW = datetime(2026, 11, 22, 4, 5, 6, tzinfo=UTC)
ONE = VdnId(1)
ROWS = 3
"""Two of the import, one of `server`."""
REFUSED = "permission denied|must be owner"


@pytest.fixture
async def server(two_vdns: AsyncEngine, server_dsn: str) -> AsyncIterator[AsyncEngine]:
    """A database with rows and a signature in its audit, as servers reach it."""
    engine = connect(server_dsn)
    async with transaction(engine) as connection:
        await audit.append(connection, ONE, [AuditEntry(ONE, NOW, AgentId(102), "call.drop", "1-1")])
    yield engine
    await engine.dispose()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit SET actor = 1",
        "DELETE FROM audit",
        "TRUNCATE audit",
        "INSERT INTO audit SELECT * FROM audit",
        "UPDATE audit_heads SET number = 0",
        "DELETE FROM audit_heads",
        "TRUNCATE audit_heads",
        "INSERT INTO audit_heads SELECT 2, 0, ''",
        "UPDATE audit_signatures SET number = 0",
        "DELETE FROM audit_signatures",
        "TRUNCATE audit_signatures",
        "ALTER TABLE audit DISABLE TRIGGER USER",
        "DROP TRIGGER audit_no_change ON audit",
        "DROP TABLE audit",
        "CREATE OR REPLACE FUNCTION audit_is_append_only() RETURNS trigger LANGUAGE plpgsql AS ''",
        "UPDATE alembic_version SET version_num = '0001'",
        "CREATE TABLE audit_of_mine (x integer)",
        "SET ROLE sottovoce",
    ],
)
async def test_the_server_s_role_is_refused(server: AsyncEngine, statement: str) -> None:
    with pytest.raises(ProgrammingError, match=REFUSED):
        async with transaction(server) as connection:
            await connection.execute(sa.text(statement))
    assert (await audit.verify(server, ONE)).head.number == ROWS


async def test_the_server_s_role_adds(server: AsyncEngine, tmp_path: Path) -> None:
    signs = await Anchor.open(server, tmp_path, ManualClock(NOW), None)
    assert [one.head.number for one in await signs.sign([ONE], "start")] == [ROWS]
    async with transaction(server) as connection:
        await connection.execute(sa.text("SELECT contacts_month('2031-01-01Z')"))
        await connection.execute(sa.text("UPDATE vdns SET name = 'x'"))
        await connection.execute(sa.text("SELECT count(*) FROM procrastinate.procrastinate_jobs"))
        assert await roles.rewriter(connection) is None


async def test_a_search_path_of_the_caller_s_changes_nothing(server: AsyncEngine) -> None:
    """The functions that run as the owner find the owner's tables, whatever the caller puts in their way."""
    async with transaction(server) as connection:
        await connection.execute(
            sa.text("CREATE TEMP TABLE audit_heads (vdn int, number bigint, hash bytea)")
        )
        await connection.execute(sa.text("INSERT INTO audit_heads VALUES (1, 77, '')"))
        await audit.append(connection, ONE, [AuditEntry(ONE, NOW, AgentId(102), "call.drop", "1-2")])
    assert (await audit.verify(server, ONE)).head.number == ROWS + 1


async def test_who_owns_all_is_told(two_vdns: AsyncEngine) -> None:
    async with transaction(two_vdns) as connection:
        assert await roles.rewriter(connection) == "sottovoce"


async def test_a_server_of_its_own_works_as_that_role(tmp_path: Path) -> None:
    async with opened(DatabaseSettings(), tmp_path) as engine, transaction(engine) as connection:
        assert await roles.rewriter(connection) is None
        assert (await connection.execute(sa.text("SELECT current_user"))).scalar_one() == "sottovoce_server"
    # A data folder from before there were two roles.
    place(tmp_path).server_password_file.unlink()
    async with opened(DatabaseSettings(), tmp_path) as engine, transaction(engine) as connection:
        assert await roles.rewriter(connection) is None


async def test_migrate_lets_another_role_in(empty_postgres_dsn: str, server_dsn: str) -> None:
    """With a DSN: `owner_dsn` migrates, the role of `dsn` serves."""
    name = empty_postgres_dsn.split("@/")[1].split("?")[0]
    dsn = server_dsn.replace(server_dsn.split("@/")[1].split("?")[0], name)
    settings = DatabaseSettings(dsn=dsn, owner_dsn=empty_postgres_dsn)
    async with opened(settings, Path("/nowhere"), migrate=True) as engine, transaction(engine) as connection:
        assert await roles.rewriter(connection) is None
    with psycopg.connect(dsn) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute("DELETE FROM audit")
