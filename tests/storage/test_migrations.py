"""The schema that migrations make is the one that is declared."""

from __future__ import annotations

import asyncio

import psycopg
import pytest
import sqlalchemy as sa

from sottovoce.storage import migrations
from sottovoce.storage.database import connect
from sottovoce.storage.migrations import WrongSchema
from sottovoce.storage.tables import metadata

CATALOGUE = {
    "columns": """
        SELECT table_name, column_name, ordinal_position, data_type, udt_name, is_nullable, column_default,
               col_description(table_name::regclass, ordinal_position)
        FROM information_schema.columns WHERE table_schema = 'public' ORDER BY 1, 3""",
    "constraints": """
        SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid)
        FROM pg_constraint WHERE connamespace = 'public'::regnamespace ORDER BY 1, 2""",
    "indexes": """
        SELECT tablename, indexname, indexdef FROM pg_indexes
        WHERE schemaname = 'public' ORDER BY 1, 2""",
    "triggers": """
        SELECT tgrelid::regclass::text, tgname, pg_get_triggerdef(pg_trigger.oid)
        FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid
        WHERE NOT tgisinternal AND relnamespace = 'public'::regnamespace ORDER BY 1, 2""",
    "functions": """
        SELECT proname, regexp_replace(prosrc, '\\s+', ' ', 'g')
        FROM pg_proc WHERE pronamespace = 'public'::regnamespace ORDER BY 1""",
}


def catalogue(dsn: str) -> dict[str, list[tuple[object, ...]]]:
    """The schema of a database, without Alembic's own table."""
    with psycopg.connect(dsn) as connection:
        found = {name: connection.execute(query).fetchall() for name, query in CATALOGUE.items()}
    return {
        name: [row for row in rows if "alembic_version" not in str(row[0])] for name, rows in found.items()
    }


async def test_migrated_schema_is_the_declared_one(postgres_dsn: str, empty_postgres_dsn: str) -> None:
    engine = connect(empty_postgres_dsn)
    async with engine.begin() as connection:
        await connection.run_sync(metadata.create_all)
    await engine.dispose()
    declared, migrated = catalogue(empty_postgres_dsn), catalogue(postgres_dsn)
    assert declared["columns"]
    assert declared["triggers"]
    assert migrated == declared


async def test_nodes_that_start_together_take_turns(empty_postgres_dsn: str) -> None:
    engines = [connect(empty_postgres_dsn) for _ in range(3)]
    applied = await asyncio.gather(*(migrations.upgrade(engine) for engine in engines))
    assert sorted(map(len, applied))[:2] == [0, 0]
    assert [names for names in applied if names] == [["0001", "0002", "0003"]]
    for engine in engines:
        await engine.dispose()


async def test_behind_and_ahead_are_refused(empty_postgres_dsn: str) -> None:
    engine = connect(empty_postgres_dsn)
    with pytest.raises(WrongSchema, match="sottovoce migrate"):
        await migrations.ensure(engine)
    await migrations.upgrade(engine)
    await migrations.ensure(engine)
    async with engine.begin() as connection:
        await connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    for refused in (migrations.ensure, migrations.upgrade):
        with pytest.raises(WrongSchema, match="newer"):
            await refused(engine)
    await engine.dispose()


def test_every_table_names_its_tenant() -> None:
    for table in metadata.tables.values():
        assert "vdn" in table.c, table.name
        assert not table.c.vdn.nullable, table.name
