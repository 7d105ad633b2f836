"""`sottovoce audit`: who did what to whom, and whether the record is whole."""

from __future__ import annotations

from typing import Annotated

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
from sottovoce.domain.directory import VdnId
from sottovoce.domain.journal import AuditEntry
from sottovoce.storage import audit
from sottovoce.storage.audit import ChainCheck, Head
from sottovoce.storage.live import directory

commands = typer.Typer(no_args_is_help=True, help="The audit: every supervision, forced state and drop.")


@commands.command("verify")
def verify(
    vdn: Annotated[int | None, typer.Option("--vdn", help="Only this VDN.")] = None,
    expect: Annotated[
        str | None,
        typer.Option(
            "--expect", metavar="NUMBER:HASH", help="A head noted earlier that must still be in the chain."
        ),
    ] = None,
    config: ConfigOption = None,
) -> None:
    """Walk each VDN's chain of hashes and name the first row that was changed, removed or put in.

    Exit code 1 if a chain is broken. Note the last number and hash somewhere else: with --expect
    they prove that nobody wrote the whole chain anew.

    Example: [bold]sottovoce audit verify --vdn 1 --expect 41:9f2c…[/bold]
    """
    settings = quietly(config)
    expected = _head(expect) if expect is not None else None
    if expected is not None and vdn is None:
        fail(["--expect belongs to one VDN: give --vdn too"], WRONG_CALL)
    broken = False
    for verdict in run_on(settings, lambda engine: _verify(engine, vdn, expected)):
        broken = broken or bool(verdict.broken)
        typer.echo(_sentence(verdict))
    if broken:
        raise typer.Exit(FAILED)


@commands.command("show")
def show(
    vdn: Annotated[int, typer.Option("--vdn", help="The VDN.")],
    after: Annotated[int, typer.Option("--after", help="Begin after this number.")] = 0,
    limit: Annotated[int, typer.Option("--limit", min=1, max=10_000, help="How many at most.")] = 100,
    as_json: AsJson = False,
    config: ConfigOption = None,
) -> None:
    """Show who did what to whom, oldest first.

    Example: [bold]sottovoce audit show --vdn 1 --limit 20[/bold]
    """
    settings = quietly(config)

    async def work(engine: AsyncEngine, _: VdnId | None) -> list[AuditEntry]:
        return await audit.read(engine, VdnId(vdn), after=after, limit=limit)

    entries, clocks = run_for(settings, vdn, work)
    rows = (_row(number, entry, clocks) for number, entry in enumerate(entries, start=after + 1))
    tabulate(("number", "at", "by", "action", "whom", "detail"), rows, as_json=as_json)


def _row(number: int, entry: AuditEntry, clocks: Clocks) -> tuple[object, ...]:
    detail = [f"{key}={value}" for key, value in sorted(entry.detail.items())]
    actor = entry.actor or "command line"
    return number, clocks.of(entry.vdn, entry.at), actor, entry.action, entry.target, detail


async def _verify(engine: AsyncEngine, vdn: int | None, expected: Head | None) -> list[ChainCheck]:
    there = await directory.vdn_ids(engine)
    if vdn is not None and vdn not in there:
        fail([f"there is no VDN {vdn}"])
    return [await audit.verify(engine, found, expected) for found in there if vdn in (None, found)]


def _head(text: str) -> Head:
    number, colon, digest = text.partition(":")
    if not (
        colon and number.isdigit() and len(digest) == 64 and all(c in "0123456789abcdef" for c in digest)
    ):
        fail(["--expect is written NUMBER:HASH, as `audit verify` prints it"], WRONG_CALL)
    return Head(int(number), digest)


def _sentence(verdict: ChainCheck) -> str:
    if verdict.broken:
        return f"VDN {verdict.vdn}: BROKEN at row {verdict.broken}: {verdict.why}"
    head = verdict.head
    if head.number == 0:
        return f"VDN {verdict.vdn}: whole, no rows yet"
    return f"VDN {verdict.vdn}: whole, {head.number} rows, head {head.number}:{head.hash}"
