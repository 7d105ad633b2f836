"""What commands share: the `--config` option, the database, and telling what went wrong."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated, NoReturn, TypeVar

import typer
from rich.console import Console
from rich.table import Column, Table
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from sottovoce import logs
from sottovoce.config import ConfigError, Settings, load
from sottovoce.errors import Refused
from sottovoce.storage.database import BadDsn, DatabaseAway, transaction
from sottovoce.storage.live.seed import SeedMistakes
from sottovoce.storage.migrations import WrongSchema
from sottovoce.storage.own.lease import LeaseTaken
from sottovoce.storage.own.node import NodeTaken
from sottovoce.storage.own.opening import opened
from sottovoce.storage.own.placement import CannotStart

T = TypeVar("T")

FAILED = 1
WRONG_CALL = 2

ConfigOption = Annotated[
    Path | None,
    typer.Option(
        "--config", "-c", metavar="FILE", help="The TOML file with the settings; also SOTTOVOCE_CONFIG."
    ),
]


OnlyVdn = Annotated[int | None, typer.Option("--vdn", help="Only those of this VDN.")]


def fail(sentences: Iterable[str], code: int = FAILED) -> NoReturn:
    """Print what is wrong on standard error and end the command."""
    for sentence in sentences:
        typer.echo(f"sottovoce: {sentence}", err=True)
    raise typer.Exit(code)


def settings_of(config: Path | None) -> Settings:
    """The settings in force, or the end with every mistake in them. Sets the log up."""
    try:
        settings = load(config)
    except ConfigError as failure:
        fail(failure.mistakes, WRONG_CALL)
    logs.configure(settings.log.level, settings.log.format)
    return settings


def quietly(config: Path | None) -> Settings:
    """As `settings_of`, with a log that says only what a command's user has to know."""
    settings = settings_of(config)
    if settings.log.level in ("debug", "info"):
        logs.configure("warning", settings.log.format)
    return settings


def stamp(at: datetime | None) -> str:
    """A time (UTC) in a table, in seconds; nothing for one that never was."""
    return f"{at:%Y-%m-%d %H:%M:%S}" if at is not None else ""


def tabulate(heads: Sequence[str], rows: Iterable[Sequence[str]], *, whole: Sequence[int] = ()) -> None:
    """Print a table. Words too long for their column are broken, but for those of the columns in `whole`."""
    columns = (Column(head, no_wrap=number in whole, overflow="fold") for number, head in enumerate(heads))
    table = Table(*columns)
    for row in rows:
        table.add_row(*row)
    Console().print(table)


def run_on(settings: Settings, work: Callable[[AsyncEngine], Awaitable[T]]) -> T:
    """Run `work` on the database that is set (see `storage.own.opening`); `telling` tells its failures."""

    async def whole() -> T:
        async with opened(settings.database, settings.data) as engine:
            return await work(engine)

    return asyncio.run(whole())


def run_within(settings: Settings, work: Callable[[AsyncConnection], Awaitable[T]]) -> T:
    """As `run_on`, in one transaction."""

    async def whole(engine: AsyncEngine) -> T:
        async with transaction(engine) as connection:
            return await work(connection)

    return run_on(settings, whole)


def telling(command: Callable[[], int]) -> int:
    """Run a whole command line; its exit code. What people can mend is told without a traceback."""
    try:
        return command()
    except (SeedMistakes, ConfigError) as failure:
        return _tell(failure.mistakes, WRONG_CALL)
    except BadDsn as failure:
        return _tell([f"database.dsn: {failure}"], WRONG_CALL)
    except DatabaseAway as failure:
        return _tell([f"the database is away: {failure}"])
    except (CannotStart, WrongSchema, NodeTaken, LeaseTaken) as failure:
        return _tell([str(failure)])
    except Refused as failure:
        return _tell([failure.why or failure.code.value])
    except OSError as failure:
        if failure.filename is None and failure.errno is None:
            raise
        return _tell([f"{failure.filename}: {failure.strerror}" if failure.filename else str(failure)])
    except KeyboardInterrupt:
        return 130


def _tell(sentences: Iterable[str], code: int = FAILED) -> int:
    for sentence in sentences:
        sys.stderr.write(f"sottovoce: {sentence}\n")
    return code
