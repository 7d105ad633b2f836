"""The schema that migrations make is the one that is declared."""

from __future__ import annotations

import asyncio
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa
from alembic import command
from sqlalchemy.ext.asyncio import AsyncEngine

from sottovoce.domain.directory import VdnId
from sottovoce.storage import migrations
from sottovoce.storage.database import connect
from sottovoce.storage.live import talks
from sottovoce.storage.live.journal import PostgresStore
from sottovoce.storage.migrations import WrongSchema
from sottovoce.storage.tables import contacts, metadata

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
        SELECT proname, regexp_replace(prosrc, '\\s+', ' ', 'g'), prosecdef, proconfig
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


async def upgraded(engine: AsyncEngine, revision: str) -> None:
    async with engine.begin() as connection:
        await connection.run_sync(lambda inner: command.upgrade(migrations._config(inner), revision))


async def test_durations_become_exact(empty_postgres_dsn: str) -> None:
    """What was heard of a live recording counts more than a clock that was set meanwhile."""
    engine = connect(empty_postgres_dsn)
    await upgraded(engine, "0002")
    async with engine.begin() as connection:
        await connection.execute(sa.text("INSERT INTO vdns (vdn, name) VALUES (1, 'one')"))
        await connection.execute(
            sa.text("SELECT contacts_month('2026-10-01Z'), contacts_month('2026-11-01Z')")
        )
        await connection.execute(
            sa.text(
                """
                INSERT INTO contacts (
                    vdn, began_at, ended_at, uuid, call, source, duration_s, direction, caller, called,
                    ended_by, reason, uploaded_at, status, analysis
                )
                SELECT
                    1, began::timestamptz, ended::timestamptz, gen_random_uuid(), call, source, 7,
                    'inbound', '', '', 'system', '',
                    ended::timestamptz, 2, json_build_object('duration_s', heard)::jsonb
                FROM (
                    VALUES
                    ('heard', 'live', '2026-10-05 10:00Z', '2026-10-05 07:00Z', 12.345),
                    ('unheard', 'live', '2026-11-05 10:00Z', '2026-11-05 10:00:05.678Z', NULL),
                    ('missing', 'live', '2026-11-05 10:00Z', '2026-11-05 10:00:01.5Z', 0.0),
                    ('set back', 'live', '2026-11-05 10:00Z', '2026-11-05 07:00Z', NULL),
                    ('foreign', 'import', '2026-11-05 10:00Z', '2026-11-05 10:00:05.999Z', 9.0)
                ) AS made (call, source, began, ended, heard)
                """
            )
        )
    assert "0004" in await migrations.upgrade(engine)
    async with engine.begin() as connection:
        rows = await connection.execute(sa.text("SELECT call, duration_ms FROM contacts"))
        assert {row.call: row.duration_ms for row in rows} == {
            "heard": 12_345, "unheard": 5_678, "missing": 1_500, "set back": 0, "foreign": 5_999,
        }  # fmt: skip
        await connection.execute(sa.text("SELECT contacts_month('2026-12-01Z')"))
    await engine.dispose()


async def test_plans_go_on_where_their_windows_ended(empty_postgres_dsn: str) -> None:
    engine = connect(empty_postgres_dsn)
    await upgraded(engine, "0005")
    async with engine.begin() as connection:
        for statement in (
            "INSERT INTO vdns (vdn, name) VALUES (1, 'one')",
            "SELECT contacts_month('2026-10-01Z')",
            """
            INSERT INTO contacts (
                vdn, began_at, ended_at, uuid, call, source, duration_ms, direction, caller, called, agent,
                ended_by, reason, uploaded_at, status, recording
            )
            SELECT 1, '2026-10-05Z', '2026-10-05Z', gen_random_uuid(), call, 'live', 7, 'inbound', '', '',
                agent, 'system', '', '2026-10-05Z', 0, 'a.wav'
            FROM (VALUES ('taken', 101), ('lost', NULL)) AS made (call, agent)
            """,
            """
            INSERT INTO plans (
                vdn, plan, name, running, schedule, conditions, shares, next_at, created_by, created_at
            )
            SELECT 1, row_number() OVER (), cycle, cycle <> 'stopped', json_build_object('cycle', cycle),
                '{}', '{}', CASE WHEN cycle <> 'stopped' THEN '2026-10-31 09:00Z'::timestamptz END, 1,
                '2026-10-01Z'
            FROM (VALUES ('daily'), ('weekly'), ('monthly'), ('stopped')) AS made (cycle)
            """,
        ):
            await connection.execute(sa.text(statement))
    await migrations.upgrade(engine)
    async with engine.begin() as connection:
        await connection.execute(sa.text("UPDATE contacts SET agent = 102 WHERE call = 'lost'"))
        arrivals = await connection.execute(sa.text("SELECT call, arrival FROM contacts"))
        assert {row.call: row.arrival for row in arrivals} == {"taken": 1, "lost": 2}
        plans = await connection.execute(
            sa.text("SELECT name, taken_until, begun_after, began_from::date::text FROM plans")
        )
        assert {tuple(row) for row in plans} == {
            ("daily", 0, 1, "2026-10-30"),
            ("weekly", 0, 1, "2026-10-24"),
            ("monthly", 0, 1, "2026-09-30"),
            ("stopped", 0, None, None),
        }
    await engine.dispose()


async def test_calls_of_an_older_version_become_contacts(empty_postgres_dsn: str, tmp_path: Path) -> None:
    """Those that it finished by the upgrade, the one that the upgrade interrupted at the next start."""
    engine = connect(empty_postgres_dsn)
    await upgraded(engine, "0001")
    async with engine.begin() as connection:
        await connection.execute(sa.text("INSERT INTO vdns (vdn, name) VALUES (1, 'one')"))
        await connection.exec_driver_sql(
            """
            INSERT INTO contacts (vdn, call, began_at, ended_at, direction, caller, called, reason) VALUES
                (1, '7-1', '2026-10-31 23:59:00Z', '2026-11-01 00:03:00Z', 'inbound', '555', '4000',
                    'customer: normal'),
                (1, '7-2', '2026-11-02 10:00:00Z', '2026-11-02 10:00:09Z', 'inbound', '556', '4000',
                    'customer: gone'),
                (1, '7-3', '2026-11-03 23:59:59.5Z', NULL, 'outbound', '101', '557', NULL)
            """
        )
        await connection.exec_driver_sql(
            """
            INSERT INTO segments (vdn, call, agent, began_at, ended_at, recording, tracks) VALUES
                (1, '7-1', 101, '2026-10-31 23:59:10.25Z', '2026-11-01 00:01:00Z',
                    '/old/place/1/2026/10/31/7-1-101-1.wav',
                    '{"300": "/old/place/1/2026/10/31/7-1-101-1.9.wav"}'),
                (1, '7-1', 102, '2026-11-01 00:01:00Z', '2026-11-01 00:03:00Z', NULL, '{}')
            """
        )
    left = tmp_path / "1/2026/11/03/7-3-101-1.wav"
    left.parent.mkdir(parents=True)
    for name in ("7-3-101-1.wav", "7-3-101-1.9.wav", "7-31-102-1.wav"):
        (left.parent / name).touch()
    await migrations.upgrade(engine)
    for _ in range(2):
        store = PostgresStore(
            engine,
            node="a",
            address="",
            spool_folder=tmp_path / "spool",
            lease_seconds=15.0,
            commit_timeout=3.0,
            spool_limit=1 << 20,
            recordings=tmp_path,
        )
        await store.open(VdnId(1))
        await store.restore(VdnId(1))
        await store.close()
    async with engine.begin() as connection:
        await talks.become_contacts(connection, VdnId(1), ["7-1", "7-2", "7-3"])
        query = sa.select(contacts).order_by(contacts.c.began_at)
        rows = (await connection.execute(query)).mappings().all()
        waiting = await connection.execute(sa.text("SELECT args FROM procrastinate.procrastinate_jobs"))
        jobs = [one["contact"] for one in waiting.scalars()]
    found = [(row["call"], row["agent"], row["recording"], row["reason"], row["status"]) for row in rows]
    assert found == [
        ("7-1", 101, "1/2026/10/31/7-1-101-1.wav", "taken over", 0),
        ("7-1", 102, None, "customer: normal", 40),
        ("7-2", None, None, "customer: gone", 40),
        ("7-3", 101, "1/2026/11/03/7-3-101-1.wav", "interrupted", 0),
    ]
    assert rows[0]["tracks"] == {"300": "1/2026/10/31/7-1-101-1.9.wav"}
    assert rows[0]["duration_ms"] == 109_750
    assert [row["ended_by"] for row in rows] == ["system", "customer", "customer", "system"]
    assert sorted(jobs) == [rows[0]["contact"], rows[3]["contact"]]
    assert [row["arrival"] for row in rows][:3] == [1, None, None], "to plans that run they are no news"
    await engine.dispose()


async def test_nodes_that_start_together_take_turns(empty_postgres_dsn: str) -> None:
    engines = [connect(empty_postgres_dsn) for _ in range(3)]
    applied = await asyncio.gather(*(migrations.upgrade(engine) for engine in engines))
    assert sorted(map(len, applied))[:2] == [0, 0]
    revisions = Path(migrations.__file__).parent / "versions"
    every = sorted(file.name[1:5] for file in revisions.glob("r*.py"))
    assert [sorted(names) for names in applied if names] == [every]
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
