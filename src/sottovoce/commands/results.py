"""`sottovoce contacts results`: bring in rule results from a file."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn
from sqlalchemy.ext.asyncio import AsyncEngine

from sottovoce.commands.telling import (
    FAILED,
    WRONG_CALL,
    ConfigOption,
    fail,
    harmless,
    office_of,
    quietly,
    run_on,
)
from sottovoce.config import Settings
from sottovoce.domain.directory import VdnId
from sottovoce.errors import Refused
from sottovoce.quality.csv_rows import text_of
from sottovoce.quality.office import Office
from sottovoce.quality.result_import import Taken, take
from sottovoce.quality.result_rows import BadLine, BadResultFile, ResultLine, read
from sottovoce.wording import counted

BATCH = 500
"""Lines per transaction."""


def results(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="JSON Lines, or CSV with a head line.")],
    vdn: Annotated[int, typer.Option("--vdn", help="The VDN whose calls they are about.")],
    config: ConfigOption = None,
) -> None:
    """Bring in rule results: what another program, or somebody, found on calls.

    One line is one rule's result on one call. The calls are scored anew and their status becomes
    inspected. Importing a file again, after a break too, changes nothing but what was missing; a line
    that does not fit is told with its number, and the others land.

    Fields: call_uuid or contact; scenario (its group_id or name); kind (dialog, silence, speed,
    interruption, sensitive_word, manual, or its number); rule (its id); name; description;
    valid (1 kept, 0 violated, -1 not evaluated: a manual rule waits for an inspector);
    points (what a violation deducts); segments (milliseconds); revise_id (made up if absent).

    Example: [bold]sottovoce contacts results found.csv --vdn 1[/bold]

    \b
    call_uuid,scenario,kind,rule,name,valid,points,segments
    822bbf4d-c4f8-473a-9144-199058375be8,Greeting,dialog,r1,Hello,0,3,1200-3400

    or, as JSON Lines:

    \b
    {"contact":17,"scenario":"Tempo","kind":11,"rule":"s1","valid":0,"points":2}
    """
    settings = quietly(config)
    console = Console(stderr=True, highlight=False)

    def tell(mistake: BadLine) -> None:
        console.print(
            f"sottovoce: line {mistake.line}: {harmless(mistake.why)}", markup=False, soft_wrap=True
        )

    try:
        taken = run_on(settings, lambda engine: _import(engine, settings, file, VdnId(vdn), console, tell))
    except BadResultFile as failure:
        fail([f"{file}: {failure}"], WRONG_CALL)
    except Refused as declined:
        fail([f"{declined.why}; what landed stays: import the file again"])
    typer.echo(
        f"{counted(taken.landed, 'result')} landed on {counted(len(taken.contacts), 'call')},"
        f" {taken.unchanged} there already, not fitting: {counted(len(taken.mistakes), 'line')}"
    )
    if taken.mistakes:
        raise typer.Exit(FAILED)


async def _import(
    engine: AsyncEngine,
    settings: Settings,
    file: Path,
    vdn: VdnId,
    console: Console,
    tell: Callable[[BadLine], None],
) -> Taken:
    whole = Taken()
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        size = os.stat(file).st_size
        bar = progress.add_task(file.name, total=size or None)
        office = office_of(engine, settings)
        async for part, position in _batches(office, vdn, file):
            whole.landed += part.landed
            whole.unchanged += part.unchanged
            whole.contacts |= part.contacts
            whole.mistakes += part.mistakes
            for mistake in part.mistakes:
                tell(mistake)
            progress.update(bar, completed=position)
    return whole


async def _batches(office: Office, vdn: VdnId, file: Path) -> AsyncIterator[tuple[Taken, int]]:
    """What became of each batch, and how far into the file it went, in bytes."""
    good: list[ResultLine] = []
    bad: list[BadLine] = []

    async def taken() -> Taken:
        part = await take(office, vdn, good, file.name) if good else Taken()
        part.mistakes = sorted([*part.mistakes, *bad], key=lambda mistake: mistake.line)
        good.clear()
        bad.clear()
        return part

    with text_of(file.open("rb")) as content:
        for line in read(content):
            if isinstance(line, ResultLine):
                good.append(line)
            else:
                bad.append(line)
            if len(good) + len(bad) >= BATCH:
                yield await taken(), content.buffer.tell()
        yield await taken(), content.buffer.tell()
