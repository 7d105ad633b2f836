"""What commands share: the `--config` option, the database, and telling what went wrong."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated, NoReturn, TypeVar
from zoneinfo import ZoneInfo

import typer
from rich import box
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Column, Table
from rich.text import Text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from sottovoce import logs
from sottovoce.clock import SystemClock
from sottovoce.config import ConfigError, Settings, load
from sottovoce.domain.directory import VdnId
from sottovoce.domain.people import ReviewId
from sottovoce.errors import Code, Refused
from sottovoce.plain import natural
from sottovoce.quality.office import Office
from sottovoce.starting import CannotServe
from sottovoce.storage.database import BadDsn, DatabaseAway, transaction
from sottovoce.storage.live import directory
from sottovoce.storage.live.seed import SeedMistakes
from sottovoce.storage.migrations import WrongSchema
from sottovoce.storage.own.anchor import KeyRefused
from sottovoce.storage.own.backups import BackupRefused
from sottovoce.storage.own.dumps import DumpFailed
from sottovoce.storage.own.lease import LeaseTaken
from sottovoce.storage.own.node import NodeTaken
from sottovoce.storage.own.opening import opened
from sottovoce.storage.own.placement import CannotStart

T = TypeVar("T")

_ENDLESS = 100_000
"""Columns of a pipe: nothing there is broken or cut."""

FAILED = 1
WRONG_CALL = 2
UNANCHORED = 3
"""Nothing is wrong, but nothing from elsewhere says that it was not all written anew."""

ConfigOption = Annotated[
    Path | None,
    typer.Option(
        "--config", "-c", metavar="FILE", help="The TOML file with the settings; also SOTTOVOCE_CONFIG."
    ),
]


VdnOption = Annotated[int, typer.Option("--vdn", help="The VDN whose contacts they are.")]


OnlyVdn = Annotated[int | None, typer.Option("--vdn", help="Only those of this VDN.")]


AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]


@dataclass(frozen=True, slots=True)
class Clocks:
    """The zones of VDNs."""

    zones: Mapping[VdnId, ZoneInfo]

    def of(self, vdn: VdnId, at: datetime | None) -> datetime | None:
        """A moment by the clock of that VDN."""
        return None if at is None else at.astimezone(self.zones[vdn])


def fail(sentences: Iterable[str], code: int = FAILED) -> NoReturn:
    """Print what is wrong on standard error and end the command."""
    for sentence in sentences:
        typer.echo(f"sottovoce: {harmless(sentence)}", err=True)
    raise typer.Exit(code)


def review_id(text: str, of: str) -> ReviewId:
    """The id that a text is, `of` a task or plan, or the end of the command."""
    if natural(text) is None:
        fail([f"{text!r} is no id of {of}: up to 20 digits"], WRONG_CALL)
    return ReviewId(text)


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


def say(text: str, *, err: bool = False) -> None:
    """Print a line that has words of others in it: no sign of theirs steers the terminal."""
    typer.echo(harmless(text), err=err)


def harmless(text: str) -> str:
    """`text` with signs that would steer a terminal written out."""
    return "".join(
        sign if sign.isprintable() else sign.encode("unicode_escape", "replace").decode() for sign in text
    )


def tabulate(
    heads: Sequence[str],
    rows: Iterable[Sequence[object]],
    *,
    whole: Sequence[int] = (),
    as_json: bool = False,
    none: str = "none yet",
) -> None:
    """Print a table: to a terminal with lines, to a pipe in columns of their full width; or JSON.

    Cells are texts, numbers, times (shown by their own zone's clock), None and lists of these; JSON has them
    as they are, named by the heads. On a terminal words too long for their column are broken, but for those
    of the columns in `whole`. `none` is said on standard error of a table without rows.
    """
    if as_json:
        names = [head.lower().replace(" ", "_") for head in heads]
        content = [dict(zip(names, map(_plainly, row), strict=True)) for row in rows]
        typer.echo(json.dumps(content, ensure_ascii=False, indent=1))
        return
    piped = not sys.stdout.isatty()
    columns = (
        Column(head, no_wrap=piped or number in whole, overflow="ignore" if piped else "fold")
        for number, head in enumerate(heads)
    )
    table = Table(*columns, box=None if piped else box.HEAVY_HEAD, pad_edge=not piped)
    for row in rows:
        table.add_row(*(Text(harmless(shown(cell))) for cell in row))
    console = Console(width=_ENDLESS if piped else None)
    with console.capture() as printed:
        console.print(table)
    for line in printed.get().splitlines():
        typer.echo(line.rstrip())
    if not table.row_count:
        typer.echo(none, err=True)


def shown(cell: object) -> str:
    """A value as people read it: a time by its own zone's clock, in seconds; None as nothing."""
    if cell is None:
        return ""
    if isinstance(cell, datetime):
        return f"{cell:%Y-%m-%d %H:%M:%S %Z}"
    return ", ".join(map(shown, cell)) if isinstance(cell, (list, tuple)) else str(cell)


def _plainly(cell: object) -> object:
    return cell.isoformat() if isinstance(cell, datetime) else cell


@contextmanager
def advancing(what: str) -> Iterator[Callable[[int, int], None]]:
    """A bar on standard error, of a terminal alone, that is told how many of how many are done."""
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        disable=not sys.stderr.isatty(),
    ) as progress:
        task = progress.add_task(what, total=None)
        yield lambda done, of: progress.update(task, completed=done, total=of)


def office_of(engine: AsyncEngine, settings: Settings) -> Office:
    """Where a command's use cases work."""
    return Office(engine, SystemClock(), settings.recordings_folder)


def run_on(settings: Settings, work: Callable[[AsyncEngine], Awaitable[T]]) -> T:
    """Run `work` on the database that is set (see `storage.own.opening`); `telling` tells its failures."""

    async def whole() -> T:
        async with opened(settings.database, settings.data) as engine:
            return await work(engine)

    return asyncio.run(whole())


def run_for(
    settings: Settings, vdn: int | None, work: Callable[[AsyncEngine, VdnId | None], Awaitable[T]]
) -> tuple[T, Clocks]:
    """As `run_on`, for one VDN, which must be there, or for all of them; with the clocks of all VDNs."""

    async def whole(engine: AsyncEngine) -> tuple[T, Clocks]:
        zones = await directory.time_zones(engine)
        if vdn is not None and vdn not in zones:
            raise Refused(Code.NOT_FOUND, f"there is no VDN {vdn}")
        return await work(engine, None if vdn is None else VdnId(vdn)), Clocks(zones)

    return run_on(settings, whole)


def run_for_within(
    settings: Settings, vdn: int | None, work: Callable[[AsyncConnection, VdnId | None], Awaitable[T]]
) -> tuple[T, Clocks]:
    """As `run_for`, in one transaction."""

    async def whole(engine: AsyncEngine, only: VdnId | None) -> T:
        async with transaction(engine) as connection:
            return await work(connection, only)

    return run_for(settings, vdn, whole)


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
    except CannotServe as failure:
        return _tell(failure.sentences)
    except BadDsn as failure:
        return _tell([f"database.dsn: {failure}"], WRONG_CALL)
    except DatabaseAway as failure:
        return _tell([f"the database is away: {failure}"])
    except (
        CannotStart,
        WrongSchema,
        NodeTaken,
        LeaseTaken,
        KeyRefused,
        BackupRefused,
        DumpFailed,
    ) as failure:
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
        sys.stderr.write(f"sottovoce: {harmless(sentence)}\n")
    return code
