"""`sottovoce retention …`: what is erased when; `contacts erase`, `hold` and `release`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated, TypeVar

import typer
from sqlalchemy.ext.asyncio import AsyncEngine

from sottovoce.commands.telling import (
    AsJson,
    ConfigOption,
    OnlyVdn,
    VdnOption,
    office_of,
    quietly,
    run_for,
    say,
    tabulate,
)
from sottovoce.config import Settings
from sottovoce.domain.directory import VdnId
from sottovoce.domain.people import SERVER
from sottovoce.domain.retention import Erasable
from sottovoce.quality import retention
from sottovoce.quality.office import Office
from sottovoce.quality.retention import Swept
from sottovoce.storage.live import directory
from sottovoce.storage.review import erasing
from sottovoce.wording import counted

commands = typer.Typer(
    no_args_is_help=True, help="How long contacts and recordings are kept, and what was erased."
)

Number = Annotated[int, typer.Argument(metavar="CONTACT", help="Its number, as `contacts list` says.")]
Why = Annotated[str, typer.Option("--why", help="The reason; it stays on record.")]
T = TypeVar("T")
_KINDS = (Erasable.RECORDING, Erasable.TRANSCRIPT, Erasable.CONTACT)


@commands.command("run")
def run(
    vdn: OnlyVdn = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Erase nothing; say what is over its time.")
    ] = False,
    as_json: AsJson = False,
    config: ConfigOption = None,
) -> None:
    """Erase what is over its time, as the server does by itself every six hours; remove files that are left.

    Periods are days from a contact's begin, by VDN and kind (`keep` in the seed file of "sottovoce agents
    import"); without one nothing goes. Held contacts stay; those in open review tasks, appeals and problems
    wait until these are over. The audit is never erased.

    Example: [bold]sottovoce retention run --dry-run[/bold]
    """
    settings = quietly(config)

    async def each(office: Office, one: VdnId) -> Swept:
        return await retention.run(office, one, dry_run=dry_run)

    done = _for_each(settings, vdn, each)
    rows = (
        (one, *(what.erased.get(kind, 0) for kind in _KINDS), what.held, what.reviewed, what.files)
        for one, what in done
    )
    heads = ("vdn", "recordings", "transcripts", "contacts", "held", "in review", "files removed")
    tabulate(heads, rows, as_json=as_json)
    if dry_run:
        typer.echo("nothing was erased: that is what would go", err=True)


@commands.command("show")
def show(vdn: OnlyVdn = None, as_json: AsJson = False, config: ConfigOption = None) -> None:
    """Show the periods of each VDN in days, its holds, and what was erased on the last days.

    Example: [bold]sottovoce retention show --vdn 1[/bold]
    """
    settings = quietly(config)

    async def each(office: Office, one: VdnId) -> list[tuple[object, ...]]:
        async with office.work(one, SERVER) as work:
            kept = await erasing.periods(work)
            days = (kept.recordings, kept.transcripts, kept.contacts)
            found: list[tuple[object, ...]] = [
                (one, "period", f"{kind.value}s", None, "for ever" if limit is None else f"{limit} days")
                for kind, limit in zip(_KINDS, days, strict=True)
            ]
            found += [(one, "hold", held.contact, held.at, held.why) for held in await erasing.holds(work)]
            found += [
                (one, "erased", f"{kind.value}s", at, number)
                for at, kind, number in await erasing.days(work, limit=30)
            ]
        return found

    rows = (row for _, found in _for_each(settings, vdn, each) for row in found)
    tabulate(("vdn", "what", "of", "at", "how much"), rows, as_json=as_json)


def erase(number: Number, vdn: VdnOption, why: Why, config: ConfigOption = None) -> None:
    """Erase a contact: its sound, numbers, words, results, revisions, scores, appeals and problems.

    What stays is a tombstone, in the audit, too: number, UUID, begin, agent and the recording's SHA-256, when
    and why it was erased. A hold, an open review task, appeal or problem keeps it: end that first. Backups
    lose it when they are made the next time (docs/trust.md).

    Example: [bold]sottovoce contacts erase 17 --vdn 1 --why "asked for by the customer"[/bold]
    """
    files = _alone(config, vdn, lambda office, one: retention.erase(office, one, number, why))
    removed = counted(files, "file")
    say(f"contact {number} is erased, {removed} removed; its tombstone is in the audit of VDN {vdn}")


def hold(number: Number, vdn: VdnOption, why: Why, config: ConfigOption = None) -> None:
    """Keep a contact from being erased, by age or by command, until it is released.

    Example: [bold]sottovoce contacts hold 17 --vdn 1 --why "lawsuit 12 C 34/26"[/bold]
    """
    _alone(config, vdn, lambda office, one: retention.hold(office, one, number, why))
    say(f"contact {number} is held")


def release(number: Number, vdn: VdnOption, why: Why, config: ConfigOption = None) -> None:
    """End a hold: the contact goes when its time is over.

    Example: [bold]sottovoce contacts release 17 --vdn 1 --why "the lawsuit is over"[/bold]
    """
    _alone(config, vdn, lambda office, one: retention.release(office, one, number, why))
    say(f"contact {number} is held no more")


def _alone(config: ConfigOption, vdn: int, act: Callable[[Office, VdnId], Awaitable[T]]) -> T:
    settings = quietly(config)

    async def work(engine: AsyncEngine, one: VdnId | None) -> T:
        return await act(office_of(engine, settings), VdnId(vdn))

    return run_for(settings, vdn, work)[0]


def _for_each(
    settings: Settings, vdn: int | None, act: Callable[[Office, VdnId], Awaitable[T]]
) -> list[tuple[VdnId, T]]:
    async def work(engine: AsyncEngine, only: VdnId | None) -> list[tuple[VdnId, T]]:
        there = await directory.vdn_ids(engine) if only is None else [only]
        return [(one, await act(office_of(engine, settings), one)) for one in there]

    return run_for(settings, vdn, work)[0]
