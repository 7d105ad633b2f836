"""`sottovoce sampling`: what was drawn for which task, and whether it was drawn fairly."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, TypeVar

import typer
from sqlalchemy.ext.asyncio import AsyncEngine

from sottovoce.commands.audit import public_key
from sottovoce.commands.telling import (
    FAILED,
    UNANCHORED,
    WRONG_CALL,
    AsJson,
    Clocks,
    ConfigOption,
    fail,
    office_of,
    quietly,
    review_id,
    run_for,
    run_for_within,
    run_on,
    say,
    tabulate,
)
from sottovoce.config import Settings
from sottovoce.domain.directory import VdnId
from sottovoce.domain.people import SERVER, ReviewId
from sottovoce.errors import Code, Refused
from sottovoce.quality import certificates
from sottovoce.quality.certificates import BadFile, DrawCheck
from sottovoce.storage.review import draws, lots
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
    key: Annotated[
        list[str] | None,
        typer.Option("--key", metavar="HEX", help="Of a file: a public key that you have from elsewhere."),
    ] = None,
    config: ConfigOption = None,
) -> None:
    """Draw a task's sample again from its frozen frame and the lots of its contacts, and compare.

    Checked are: the chain that decided the lots against its commitment in the audit, and every block of it;
    the audit's own chain; the frame's hash; each drawn contact and each one passed over; the task's items;
    UUID, begin, agent and recording of each drawn call against what is on record, and its file's bytes.
    Said are all other draws that the same person made from these contacts, and what became of each.

    Of a file alone, only whether it is consistent in itself: whoever invents one invents its audit rows as
    well. With the server's public key (`sottovoce audit key`) also that these rows were in its audit.

    Exit code 0: PASS. 1: what differs is named. 2: there is no such task or file. 3: CONSISTENT, a file that
    was compared with nothing but itself.

    Example: [bold]sottovoce sampling verify 1772442000000000041[/bold]
    """
    if (task is None) == (file is None) or (key and file is None):
        fail(["give either a TASK or --file FILE, this one with or without --key"], WRONG_CALL)
    if file is not None:
        verdict = _of_file(file, frozenset(map(public_key, key or ())))
    else:
        settings = quietly(config)
        folder = settings.recordings_folder
        verdict = _of_task(
            settings, task or "", lambda engine, wanted: certificates.verify(engine, wanted, folder)
        )
    for fact in verdict.facts:
        say(fact)
    for difference in verdict.differences:
        say(f"DIFFERS: {difference}")
    if not verdict.passed:
        typer.echo(f"FAIL: the sample of task {verdict.certificate.task} is not what lots and frame give")
        raise typer.Exit(FAILED)
    if not verdict.anchored:
        typer.echo(
            f"CONSISTENT, but not anchored: the file about task {verdict.certificate.task} agrees with"
            " itself; give --key with the public key that you have from elsewhere, or compare the hash of one"
            " of its audit rows with an audit that you trust"
        )
        raise typer.Exit(UNANCHORED)
    typer.echo(f"PASS: the sample of task {verdict.certificate.task} repeats from its lots and frame")


@commands.command("certificate")
def certificate(
    task: Task,
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="Where to write it; must not exist.")],
    config: ConfigOption = None,
) -> None:
    """Write a task's certificate with its frame and audit rows to one file, for somebody else to check.

    The file is JSON. It needs this program, or any other that follows the description in
    `sottovoce.domain.lots`, and no database.

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
    """Show the last draws, newest first, with who had them drawn and what became of each.

    So also those that were begun and never drawn, drawn anew, deleted or terminated.

    Example: [bold]sottovoce sampling list --vdn 1 --limit 5[/bold]
    """
    settings = quietly(config)
    found, clocks = run_for_within(
        settings, vdn, lambda connection, only: draws.latest(connection, only, limit)
    )
    heads = (
        "draw", "VDN", "task", "for", "begun", "drawn", "of", "sample", "passed over", "became"
    )  # fmt: skip
    tabulate(heads, (_row(draw, fate, clocks) for draw, fate in found), as_json=as_json)


@commands.command("words")
def words(
    text: Annotated[str, typer.Argument(metavar="WORDS", help="Words of somebody outside; '' for none.")],
    vdn: Annotated[int, typer.Option("--vdn", help="The VDN whose lots they go into.")],
    config: ConfigOption = None,
) -> None:
    """Mix an outsider's words into the lots of all contacts that come after the last draw.

    Of a works council, say, or a public beacon: then not even whoever runs this server can know lots before
    the words are given. They are put into the audit, and stay until others are given.

    Example: [bold]sottovoce sampling words "rain on the ninth of May" --vdn 1[/bold]
    """
    settings = quietly(config)

    async def work(engine: AsyncEngine, only: VdnId | None) -> None:
        office = office_of(engine, settings)
        async with office.work(only or VdnId(vdn), SERVER) as inner:
            await lots.say(inner, text)

    run_for(settings, vdn, work)
    typer.echo(f"the lots of contacts that come after the last draw of VDN {vdn} depend on these words")


def _of_task(settings: Settings, text: str, ask: Callable[[AsyncEngine, ReviewId], Awaitable[T]]) -> T:
    """What `ask` finds about the task of that id, or the end of the command."""
    task = review_id(text, "a task")
    try:
        return run_on(settings, lambda engine: ask(engine, task))
    except Refused as declined:
        fail([declined.why], WRONG_CALL if declined.code is Code.NOT_FOUND else FAILED)


def _of_file(file: Path, keys: frozenset[str]) -> DrawCheck:
    try:
        return certificates.verify_file(file.read_text(encoding="utf-8"), keys)
    except FileNotFoundError:
        fail([f"there is no file {file}"], WRONG_CALL)
    except UnicodeDecodeError:
        fail([f"{file}: it is no exported certificate: it is no text"], WRONG_CALL)
    except BadFile as failure:
        fail([f"{file}: {failure}"], WRONG_CALL)


def _row(draw: Draw, fate: str | None, clocks: Clocks) -> tuple[object, ...]:
    begun = clocks.of(draw.vdn, draw.committed_at)
    start = draw.draw, draw.vdn, draw.task, draw.maker or "", begun
    if draw.drawn_at is None or draw.certificate is None:
        return *start, "never", None, None, None, None
    made = draws.read_certificate(draw.certificate)
    drawn = clocks.of(draw.vdn, draw.drawn_at)
    return *start, drawn, made.frame.size, len(made.drawn), len(made.passed_over), fate
