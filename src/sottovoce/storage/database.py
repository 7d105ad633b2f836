"""The connection to PostgreSQL, the embedded one or another: an SQLAlchemy engine from a DSN."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import psycopg
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

LEAST_VERSION = 15
CONNECT_TIMEOUT = 3
"""Seconds for a new connection."""
STATEMENT_TIMEOUT = 30
"""Seconds after which the server gives a statement up; longer ones set their own."""

_ARGUMENTS = {
    "connect_timeout": CONNECT_TIMEOUT,
    "application_name": "sottovoce",
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 15_000,
    "options": f"-c timezone=UTC -c statement_timeout={STATEMENT_TIMEOUT * 1000}"
    f" -c idle_in_transaction_session_timeout={STATEMENT_TIMEOUT * 1000}",
}

_MOVED = "40001"
"""A row that a statement waited for lies in another partition now (SQLSTATE)."""
_MOVES = 10


class DatabaseAway(Exception):
    """PostgreSQL cannot be reached, or cannot write (a full disk, a standby). The text has no password."""


class BadDsn(Exception):
    """The DSN cannot be understood. The text has no password."""


def connect(dsn: str, *, connections: int = 10) -> AsyncEngine:
    """An engine for `postgresql://…`. Opens no connection yet. Raises BadDsn."""
    try:
        url = sa.make_url(dsn)
    except (sa.exc.ArgumentError, ValueError):
        raise BadDsn("the DSN is not of the form postgresql://user:password@host/database") from None
    if url.drivername not in ("postgresql", "postgres", "postgresql+psycopg"):
        raise BadDsn(f"the DSN begins with {url.drivername!r}, not postgresql://")
    return create_async_engine(
        url.set(drivername="postgresql+psycopg"),
        pool_size=connections,
        max_overflow=0,
        pool_timeout=CONNECT_TIMEOUT,
        pool_pre_ping=True,
        connect_args=_ARGUMENTS,
    )


_SNAPSHOT = sa.text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")


def unpooled(engine: AsyncEngine) -> AsyncEngine:
    """The same database with a connection made for each use: for work that would empty the pool."""
    return create_async_engine(engine.url, poolclass=NullPool, connect_args=_ARGUMENTS)


def is_away(failure: BaseException) -> bool:
    """Whether a failure means that the database is away or cannot write, not that a statement was wrong."""
    if isinstance(
        failure, TimeoutError | PoolTimeout | OSError | DatabaseAway | InterfaceError | OperationalError
    ):
        return True
    if isinstance(failure, DBAPIError):
        if failure.connection_invalidated:
            return True
        state = getattr(failure.orig, "sqlstate", None)
        if state is None:
            return isinstance(failure.orig, psycopg.OperationalError | psycopg.InterfaceError)
        # Connection, resources, operator's intervention, system error, read-only transaction.
        return str(state)[:2] in ("08", "53", "57", "58", "XX") or state == "25006"
    return False


@asynccontextmanager
async def transaction(engine: AsyncEngine, *, snapshot: bool = False) -> AsyncIterator[AsyncConnection]:
    """One transaction. Raises DatabaseAway where PostgreSQL is the reason, anything else as it is.

    With `snapshot` all its statements see the same moment, and none can change anything.
    """
    try:
        async with engine.begin() as connection:
            if snapshot:
                await connection.execute(_SNAPSHOT)
            yield connection
    except Exception as failure:
        if is_away(failure) and not isinstance(failure, DatabaseAway):
            raise DatabaseAway(reason(failure)) from failure
        raise


async def locking(connection: AsyncConnection, query: sa.Select[Any]) -> Sequence[sa.Row[Any]]:
    """The rows of a SELECT … FOR UPDATE of a table in partitions, in a transaction that survives it.

    A row that goes to another partition while this waits for it (a contact whose begin is corrected) is read
    again there. DatabaseAway where that happens all the time.
    """
    for _ in range(_MOVES):
        try:
            async with connection.begin_nested():
                rows: Sequence[sa.Row[Any]] = (await connection.execute(query)).all()
                return rows
        except OperationalError as failure:
            if getattr(failure.orig, "sqlstate", None) != _MOVED:
                raise
    raise DatabaseAway(f"a row went to another partition {_MOVES} times")


def reason(failure: BaseException) -> str:
    """The first line of what went wrong, without statements and parameters."""
    cause = failure.orig if isinstance(failure, DBAPIError) and failure.orig is not None else failure
    return next(iter(str(cause).strip().splitlines()), type(cause).__name__)


async def check(engine: AsyncEngine) -> None:
    """Make sure that it answers and is new enough. Raises DatabaseAway."""
    async with transaction(engine) as connection:
        number = int((await connection.execute(sa.text("SHOW server_version_num"))).scalar_one())
    if number // 10_000 < LEAST_VERSION:
        raise DatabaseAway(f"PostgreSQL {number // 10_000} is too old: {LEAST_VERSION} or later is needed")
