"""Fixtures that several rooms' tests use. PostgreSQL is imported and started only when asked for."""

from __future__ import annotations

import asyncio
import itertools
import tempfile
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import hypothesis
import pytest

if TYPE_CHECKING:
    from tests.quality.standing import Standing as AfterCall

# No test measures time, Hypothesis neither: a loaded machine is no fault.
hypothesis.settings.register_profile(
    "untimed", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("untimed")

_numbers = itertools.count(1)
_servers: dict[str, str] = {}
"""DSN of a PostgreSQL's owner to that of the role that servers work as."""


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The DSN of this session's own PostgreSQL; its database `migrated` has the schema and nothing in it."""
    import psycopg

    from sottovoce.storage.own.embedded import EmbeddedPostgres

    with ThreadPoolExecutor(1) as thread, asyncio.Runner() as runner, tempfile.TemporaryDirectory() as folder:
        server = EmbeddedPostgres(Path(folder), temporary=True)
        dsn = thread.submit(runner.run, server.start()).result()
        try:
            with psycopg.connect(dsn, autocommit=True) as connection:
                connection.execute("CREATE DATABASE migrated")
            migrated = _database(dsn, "migrated"), _database(server.server_dsn, "migrated")
            thread.submit(runner.run, _migrate(*migrated)).result()
            _servers[dsn] = server.server_dsn
            yield dsn
        finally:
            thread.submit(runner.run, server.stop()).result()


@pytest.fixture
def postgres_dsn(postgres_server: str) -> Iterator[str]:
    """A fresh database with the schema, for this test alone."""
    yield from _fresh(postgres_server, "migrated")


@pytest.fixture
def server_dsn(postgres_server: str, postgres_dsn: str) -> str:
    """The same database for the role that servers work as."""
    return _database(_servers[postgres_server], postgres_dsn.split("@/")[1].split("?")[0])


@pytest.fixture
async def after_call(postgres_dsn: str, server_dsn: str, tmp_path: Path) -> AsyncIterator[AfterCall]:
    """The after-call half with its two tenants, working as the role that servers have."""
    from tests.quality.standing import Standing

    made = Standing(server_dsn, tmp_path, owner=postgres_dsn)
    await made.open()
    yield made
    await made.close()


@pytest.fixture(scope="module")
def module_postgres_dsn(postgres_server: str) -> Iterator[str]:
    """The same for all tests of a module, which get on with what the others leave there."""
    yield from _fresh(postgres_server, "migrated")


@pytest.fixture
def empty_postgres_dsn(postgres_server: str) -> Iterator[str]:
    """A fresh database with nothing in it."""
    yield from _fresh(postgres_server, "template0")


def _fresh(dsn: str, template: str) -> Iterator[str]:
    import psycopg
    from psycopg import sql

    name = f"test_{next(_numbers)}"
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(template))
        )
    try:
        yield _database(dsn, name)
    finally:
        with psycopg.connect(dsn, autocommit=True) as connection:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def _database(dsn: str, name: str) -> str:
    return dsn.replace("@/sottovoce?", f"@/{name}?")


async def _migrate(owner: str, server: str) -> None:
    from sottovoce.storage.own.opening import Ways, migrated

    await migrated(Ways(owner, server))
