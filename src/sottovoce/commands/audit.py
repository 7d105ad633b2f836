"""`sottovoce audit`: who did what to whom, and whether the record is whole."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy.ext.asyncio import AsyncEngine

from sottovoce.clock import SystemClock
from sottovoce.commands.telling import (
    FAILED,
    UNANCHORED,
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
from sottovoce.domain.audit_chain import Head, SignedHead
from sottovoce.domain.directory import VdnId
from sottovoce.domain.journal import AuditEntry
from sottovoce.quality import audit_check
from sottovoce.quality.audit_check import AuditCheck, Elsewhere
from sottovoce.storage import audit
from sottovoce.storage.live import directory
from sottovoce.storage.own import anchor, heads_file
from sottovoce.storage.own.anchor import Anchor
from sottovoce.storage.signatures import BadKey, public_pem

commands = typer.Typer(no_args_is_help=True, help="The audit: every supervision, forced state and drop.")


@commands.command("verify")
def verify(
    vdn: Annotated[int | None, typer.Option("--vdn", help="Only this VDN.")] = None,
    key: Annotated[
        list[str] | None,
        typer.Option(
            "--key", metavar="HEX", help="A public key that you have from elsewhere; may be repeated."
        ),
    ] = None,
    heads: Annotated[
        Path | None,
        typer.Option("--heads", metavar="FILE", help="The file of signed heads that was kept elsewhere."),
    ] = None,
    expect: Annotated[
        str | None,
        typer.Option(
            "--expect", metavar="NUMBER:HASH", help="A head noted earlier that must still be in the chain."
        ),
    ] = None,
    recordings: Annotated[
        bool, typer.Option("--recordings", help="Read every recording, too, and compare its SHA-256.")
    ] = False,
    config: ConfigOption = None,
) -> None:
    """Say whether the audit is whole, who vouches for it, and whether scores and recordings are what it says.

    Walks each VDN's chain of hashes, checks the signatures of its heads, and compares scores, revisions
    and the SHA-256 of recordings with its rows. Names what was changed, removed or put in.

    Exit code 0 and PASS only against something that you know from elsewhere: a public key, the file of
    signed heads, or a head that you noted. Without it 3: all fits, but who may write everything could
    have written it anew. 1 if anything differs.

    Example: [bold]sottovoce audit verify --key 3f0c… --heads /mnt/elsewhere/heads.jsonl[/bold]
    """
    settings = quietly(config)
    if expect is not None and vdn is None:
        fail(["--expect belongs to one VDN: give --vdn too"], WRONG_CALL)
    try:
        known = Elsewhere(
            frozenset(map(public_key, key or ())),
            heads_file.kept(heads) if heads is not None else (),
            [_head(expect)] if expect is not None else (),
        )
    except ValueError as failure:
        fail([str(failure)], WRONG_CALL)
    folder = settings.recordings_folder if recordings else None
    verdicts = run_on(settings, lambda engine: _verify(engine, vdn, known, folder))
    for verdict in verdicts:
        _tell(verdict)
    if any(verdict.differences for verdict in verdicts):
        raise typer.Exit(FAILED)
    if not all(verdict.anchored for verdict in verdicts):
        raise typer.Exit(UNANCHORED)


@commands.command("key")
def key(
    new: Annotated[
        bool, typer.Option("--new", help="Begin with another key, which the audit of each VDN records.")
    ] = False,
    pem: Annotated[bool, typer.Option("--pem", help="Print it as PEM, for OpenSSL and others.")] = False,
    config: ConfigOption = None,
) -> None:
    """Print the public half of the key that signs the audit. Note it elsewhere: it proves what is signed.

    The private half is the file audit.key in the data folder. A lost one is never replaced unasked; --new
    does it, and a server that runs meanwhile signs with the new one after its next start.

    Example: [bold]sottovoce audit key[/bold]
    """
    settings = quietly(config)

    async def public(engine: AsyncEngine) -> str:
        if not new:
            return (await anchor.key_of(engine, settings.data)).public
        there = await directory.vdn_ids(engine)
        return (await anchor.renew(engine, settings.data, SystemClock().now(), there)).public

    found = run_on(settings, public)
    typer.echo(public_pem(found).rstrip() if pem else found)


@commands.command("sign")
def sign(config: ConfigOption = None) -> None:
    """Sign the head of each VDN's audit now, beside the signatures at start, at stop and daily.

    Example: [bold]sottovoce audit sign[/bold]
    """
    settings = quietly(config)

    async def signed(engine: AsyncEngine) -> list[SignedHead]:
        signs = await Anchor.open(engine, settings.data, SystemClock(), settings.audit.heads_file)
        return await signs.sign(await directory.vdn_ids(engine), "command")

    for one in run_on(settings, signed):
        typer.echo(f"VDN {one.vdn}: head {one.head.number}:{one.head.hash} signed by {one.signature.key}")


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


async def _verify(
    engine: AsyncEngine, vdn: int | None, known: Elsewhere, recordings: Path | None
) -> list[AuditCheck]:
    there = await directory.vdn_ids(engine)
    if vdn is not None and vdn not in there:
        fail([f"there is no VDN {vdn}"])
    return [
        await audit_check.check(engine, found, known, recordings) for found in there if vdn in (None, found)
    ]


def public_key(text: str) -> str:
    """The public key that a text is, or the end of the command."""
    try:
        public_pem(text)
    except BadKey as failure:
        fail([f"--key: {failure}, as `audit key` prints them"], WRONG_CALL)
    return text.lower()


def _head(text: str) -> Head:
    number, colon, digest = text.partition(":")
    if not (
        colon and number.isdigit() and len(digest) == 64 and all(c in "0123456789abcdef" for c in digest)
    ):
        fail(["--expect is written NUMBER:HASH, as `audit verify` prints it"], WRONG_CALL)
    return Head(int(number), digest)


def _tell(verdict: AuditCheck) -> None:
    for fact in verdict.facts:
        typer.echo(f"VDN {verdict.vdn}: {fact}")
    for difference in verdict.differences:
        typer.echo(f"VDN {verdict.vdn}: DIFFERS: {difference}")
    if verdict.differences:
        typer.echo(f"VDN {verdict.vdn}: FAIL: the audit and the database do not agree with each other")
    elif verdict.anchored:
        last = verdict.head.number
        more = "" if f"up to row {last} " in verdict.anchored else f"; the chain goes on to row {last}"
        typer.echo(f"VDN {verdict.vdn}: PASS: vouched for {verdict.anchored}{more}")
    else:
        typer.echo(
            f"VDN {verdict.vdn}: CONSISTENT, but not anchored: give --key, --heads or --expect from elsewhere"
        )
