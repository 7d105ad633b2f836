"""`sottovoce sampling`: what was drawn for which task, and whether it was drawn fairly."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, TypeVar

import typer
from sqlalchemy.ext.asyncio import AsyncEngine

from sottovoce.commands.telling import (
    FAILED,
    WRONG_CALL,
    AsJson,
    Clocks,
    ConfigOption,
    fail,
    quietly,
    run_for,
    run_on,
    tabulate,
)
from sottovoce.config import Settings
from sottovoce.domain.directory import VdnId
from sottovoce.domain.people import ReviewId
from sottovoce.domain.sampling import Certificate
from sottovoce.errors import Code, Refused
from sottovoce.plain import from_plain, natural
from sottovoce.quality import certificates
from sottovoce.quality.certificates import BadFile, DrawCheck
from sottovoce.storage.database import transaction
from sottovoce.storage.review import draws
from sottovoce.storage.review.draws import Draw

commands = typer.Typer(
    no_args_is_help=True, help="Samples of contacts: who was drawn, and the proof that it was by chance."
)

T = TypeVar("T")

Task = Annotated[str, typer.Argument(metavar="TASK", help="The review task's id, 18 to 20 digits.")]


@commands.command("verify")
def verify(
    task: Annotated[
        str | None, typer.Argument(metavar="TASK", help="The review task's id, 18 to 20 digits.")
    ] = None,
    file: Annotated[
        Path | None,
        typer.Option("--file", metavar="FILE", help="Check an exported certificate instead; no database."),
    ] = None,
    config: ConfigOption = None,
) -> None:
    """Draw a task's sample again from its frozen frame and its seed, and compare.

    Checked are: the seed against its commitment in the audit, which was made before the draw; the
    audit's chain; the frame's hash; each drawn contact and each one passed over; the task's items.

    Exit code 0: PASS. 1: what differs is named. 2: there is no such task or file.

    Example: [bold]sottovoce sampling verify 1772442000000000041[/bold]
    """
    if (task is None) == (file is None):
        fail(["give either a TASK or --file FILE"], WRONG_CALL)
    if file is not None:
        verdict = _of_file(file)
    else:
        settings = quietly(config)
        verdict = _of_task(settings, task or "", certificates.verify)
    for fact in verdict.facts:
        typer.echo(fact)
    for difference in verdict.differences:
        typer.echo(f"DIFFERS: {difference}")
    if not verdict.passed:
        typer.echo(f"FAIL: the sample of task {verdict.certificate.task} is not what its seed and frame give")
        raise typer.Exit(FAILED)
    typer.echo(f"PASS: the sample of task {verdict.certificate.task} repeats from its seed and frame")


@commands.command("certificate")
def certificate(
    task: Task,
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="Where to write it; must not exist.")],
    config: ConfigOption = None,
) -> None:
    """Write a task's certificate with its frame and audit rows to one file, for somebody else to check.

    The file is JSON. It needs this program, or any other that follows the description in
    `sottovoce.domain.drawing`, and no database.

    Example: [bold]sottovoce sampling certificate 1772442000000000041 --out sample.json[/bold],
    then [bold]sottovoce sampling verify --file sample.json[/bold]
    """
    settings = quietly(config)
    text = _of_task(settings, task, certificates.export)
    try:
        with out.open("x", encoding="utf-8") as file:
            file.write(text + "\n")
    except FileExistsError:
        fail([f"{out} is there already"], WRONG_CALL)
    typer.echo(f"written to {out}: check it with `sottovoce sampling verify --file {out}`")


@commands.command("list")
def list_draws(
    vdn: Annotated[int | None, typer.Option("--vdn", help="Only this VDN.")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=10_000, help="How many at most.")] = 20,
    as_json: AsJson = False,
    config: ConfigOption = None,
) -> None:
    """Show the last draws, newest first; those whose seed was committed and never used as well.

    Example: [bold]sottovoce sampling list --vdn 1 --limit 5[/bold]
    """
    settings = quietly(config)

    async def work(engine: AsyncEngine, only: VdnId | None) -> list[Draw]:
        async with transaction(engine) as connection:
            return await draws.latest(connection, only, limit)

    found, clocks = run_for(settings, vdn, work)
    heads = ("draw", "VDN", "task", "committed", "drawn", "of", "sample", "passed over")
    tabulate(heads, (_row(draw, clocks) for draw in found), as_json=as_json)


def _of_task(settings: Settings, text: str, ask: Callable[[AsyncEngine, ReviewId], Awaitable[T]]) -> T:
    """What `ask` finds about the task of that id, or the end of the command."""
    task = _digits(text)
    try:
        return run_on(settings, lambda engine: ask(engine, task))
    except Refused as declined:
        fail([declined.why], WRONG_CALL if declined.code is Code.NOT_FOUND else FAILED)


def _of_file(file: Path) -> DrawCheck:
    try:
        return certificates.verify_file(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        fail([f"there is no file {file}"], WRONG_CALL)
    except UnicodeDecodeError:
        fail([f"{file}: it is no exported certificate: it is no text"], WRONG_CALL)
    except BadFile as failure:
        fail([f"{file}: {failure}"], WRONG_CALL)


def _digits(task: str) -> ReviewId:
    if natural(task) is None:
        fail([f"{task!r} is no id of a task: up to 20 digits"], WRONG_CALL)
    return ReviewId(task)


def _row(draw: Draw, clocks: Clocks) -> tuple[object, ...]:
    start = draw.draw, draw.vdn, draw.task, clocks.of(draw.vdn, draw.committed_at)
    if draw.drawn_at is None or draw.certificate is None:
        return *start, "never", None, None, None
    made = from_plain(Certificate, draw.certificate)
    drawn = clocks.of(draw.vdn, draw.drawn_at)
    return *start, drawn, made.frame.size, len(made.drawn), len(made.passed_over)
