"""`sottovoce contacts …`: what can be inspected; calls of other systems brought in."""

from __future__ import annotations

import csv
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from sottovoce.commands import results, retention, scores
from sottovoce.commands.sheets import cell
from sottovoce.commands.telling import (
    FAILED,
    WRONG_CALL,
    AsJson,
    Clocks,
    ConfigOption,
    VdnOption,
    advancing,
    fail,
    office_of,
    quietly,
    run_for_within,
    run_on,
    say,
    shown,
    tabulate,
)
from sottovoce.config import Settings
from sottovoce.domain.contacts import Analysis, Contact, Search
from sottovoce.domain.directory import AgentId, VdnId
from sottovoce.domain.people import SERVER
from sottovoce.errors import Refused
from sottovoce.quality import contact_import
from sottovoce.quality.contact_import import ImportOutcome, ImportReport, ImportWish
from sottovoce.storage.review import contacts, jobs
from sottovoce.storage.review.jobs import Backlog
from sottovoce.storage.work import Work

commands = typer.Typer(
    no_args_is_help=True,
    help="Contacts: the calls that can be inspected, of this server and of others.",
    context_settings={"help_option_names": ["-h", "--help"]},
)

_MOST_TOLD = 100
INTERRUPTED = 130
"""The exit code of a command that somebody stopped."""


@commands.command("import")
def import_(
    paths: Annotated[
        list[Path],
        typer.Argument(metavar="FOLDER_OR_FILES", help="CSV or vCon files, or folders with such files."),
    ],
    vdn: VdnOption,
    rejects: Annotated[
        Path | None,
        typer.Option(
            "--rejects",
            metavar="FILE",
            help="Write what was refused or warned of to this CSV file.",
        ),
    ] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Refuse what would be warned of.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Bring nothing in; say what would become of it.")
    ] = False,
    config: ConfigOption = None,
) -> None:
    """Bring calls of other systems in: WAVs, with a CSV or vCon files beside them.

    A WAV is mono or stereo, 8, 16 or 24-bit PCM, A-law or µ-law, of 8000 to
    48000 samples a second. Of a stereo one the customer is on the left, the
    agent on the right, unless the list says otherwise. Each good call is brought
    in; a bad one is told with its file and line, and the exit code is 1 then.
    Importing again changes nothing; an interrupted import goes on where it ended.
    Warned of, and brought in unless --strict is given: calls without an agent, local
    times that do not exist or come twice, recordings that are cut off or were never
    closed. "sottovoce contacts correct" repairs what is wrong with one.

    Example: [bold]sottovoce contacts import --vdn 1 calls/[/bold]

    A CSV has one row per call; its first line names the columns, in any order;
    [bold]file[/bold] and [bold]began_at[/bold] are needed, columns of other names are left alone:

    \b
    file           the WAV, in the folder of the CSV or below it
    began_at       2026-11-22T14:05:00+01:00; without an offset by the clock of
                   the VDN; or seconds since 1970
    agent          work number
    caller called  numbers
    direction      inbound (usual) or outbound
    skill          number of the skill queue
    ended_by       agent, customer or system (usual)
    agent_channel  right (usual) or left
    reference      the other system's name of the call; two rows with the same
                   one are the same call

    \b
    file,began_at,agent,caller,called
    0001.wav,2026-11-22T14:05:00+01:00,101,+49301234567,4000
    0002.wav,2026-11-22T14:11:30+01:00,102,+49307654321,4000

    A vCon (*.vcon, *.json) is the IETF's JSON container for conversations. Its
    recordings, as body or file beside it, and its texts become contacts. The
    party with the role "agent" must have the work number, the phone or the name
    of an agent of the VDN; where no party has a role, the only one that has.
    """
    settings = quietly(config)
    done = Counter[ImportOutcome]()
    wish = ImportWish(strict, dry_run)
    try:
        files = contact_import.sources(paths)
        report = run_on(settings, lambda engine: _import(engine, settings, VdnId(vdn), files, wish, done))
    except Refused as declined:
        fail([declined.why], WRONG_CALL)
    except KeyboardInterrupt:
        fail([interrupted(done, wish)], INTERRUPTED)
    if rejects is not None:
        _write(rejects, report)
    for kind, told in (("warning: ", report.warned), ("", report.refused)):
        for one in told[:_MOST_TOLD]:
            say(f"sottovoce: {kind}{one}", err=True)
        if len(told) > _MOST_TOLD:
            typer.echo(f"sottovoce: {kind}and {len(told) - _MOST_TOLD} more; see --rejects", err=True)
    typer.echo(
        f"{report.imported} {'would be ' * dry_run}imported, {report.there} there already, "
        f"{len(report.refused)} refused, {len(report.warned)} warning{'s' * (len(report.warned) != 1)}"
    )
    if report.refused:
        raise typer.Exit(FAILED)


@commands.command("list")
def list_(
    vdn: VdnOption,
    agent: Annotated[int | None, typer.Option("--agent", help="Only those of this agent.")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=1000, help="How many at most.")] = 20,
    as_json: AsJson = False,
    config: ConfigOption = None,
) -> None:
    """List contacts, the newest first; speech is the agent's / the customer's share of the time.

    Example: [bold]sottovoce contacts list --vdn 1 --agent 101[/bold]
    """
    settings = quietly(config)
    wanted = Search(agents=frozenset([AgentId(agent)]) if agent is not None else None)

    async def read(connection: AsyncConnection, _: VdnId | None) -> tuple[int, list[Contact], Backlog]:
        work = Work(connection, VdnId(vdn), datetime.now(UTC), SERVER)
        found = await contacts.page(work, wanted, offset=0, limit=limit)
        return *found, await jobs.backlog(connection, contacts.ANALYSE, VdnId(vdn))

    (total, found, backlog), clocks = run_for_within(settings, vdn, read)
    heads = ("contact", "began", "agent", "customer", "length", "speech", "state")
    tabulate(heads, (_row(one, clocks) for one in found), whole=[1, 4, 5], as_json=as_json)
    typer.echo(f"{len(found)} of {total}", err=True)
    if backlog.waiting or backlog.running:
        first = clocks.of(VdnId(vdn), backlog.oldest_at)
        since = f", the first since {shown(first)}" if first is not None else ""
        typer.echo(f"analysis: {backlog.running} running, {backlog.waiting} waiting{since}", err=True)
    if backlog.failed:
        typer.echo(f"analysis: {backlog.failed} given up in the last week; the log says why", err=True)


commands.command("results")(results.results)
commands.command("show")(scores.show)
commands.command("export")(scores.export)
commands.command("finding")(scores.finding)
commands.command("correct")(scores.correct)
commands.command("erase")(retention.erase)
commands.command("hold")(retention.hold)
commands.command("release")(retention.release)


def interrupted(done: Counter[ImportOutcome], wish: ImportWish) -> str:
    """What is said of an import that somebody stopped."""
    if wish.dry_run:
        return "stopped; nothing was to be brought in"
    return (
        f"stopped: {done[ImportOutcome.IMPORTED]} imported, {done[ImportOutcome.THERE]} there already, "
        f"{done[ImportOutcome.REFUSED]} refused; the same command again goes on from there"
    )


async def _import(
    engine: AsyncEngine,
    settings: Settings,
    vdn: VdnId,
    files: list[Path],
    wish: ImportWish,
    done: Counter[ImportOutcome],
) -> ImportReport:
    with advancing("importing") as tell_so_far:
        office = office_of(engine, settings)
        wanted = contact_import.count(files)

        def tell(outcome: ImportOutcome) -> None:
            done[outcome] += 1
            tell_so_far(done.total(), wanted)

        return await contact_import.bring_in(office, vdn, files, tell, wish)


def _write(path: Path, report: ImportReport) -> None:
    with path.open("w", encoding="utf-8", errors="replace", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(("outcome", "place", "reason", "row"))
        for outcome, told in (("refused", report.refused), ("warning", report.warned)):
            rows.writerows((outcome, one.place, cell(one.reason), cell(one.row)) for one in told)


def _row(contact: Contact, clocks: Clocks) -> tuple[object, ...]:
    return (
        contact.contact,
        clocks.of(contact.vdn, contact.began_at),
        contact.agent,
        contact.number,
        f"{contact.duration_s // 60}:{contact.duration_s % 60:02}",
        _speech(contact.analysis),
        (contact.analysis.failure or contact.status.name.lower().replace("_", " "))
        + ", recording cut" * (contact.recording_failure is not None),
    )


def _speech(found: Analysis) -> str:
    """Agent's and customer's, or that of both in one."""
    voices = [voice for voice in (found.agent, found.customer, found.mixed) if voice is not None]
    return " / ".join(f"{voice.speech_ratio:.0%}" for voice in voices)
