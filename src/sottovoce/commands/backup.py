"""`sottovoce backup` and `restore`."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Annotated

import typer

from sottovoce.clock import SystemClock
from sottovoce.commands.telling import FAILED, ConfigOption, advancing, fail, quietly, say
from sottovoce.config import Settings
from sottovoce.storage.own import backups, node, restoring
from sottovoce.storage.own.backups import Backup, Copied, Tell
from sottovoce.storage.own.opening import reached
from sottovoce.storage.own.restoring import BroughtBack
from sottovoce.wording import counted

_NAMED = 20
_SETTINGS, _ENVIRONMENT = "sottovoce.toml", "environment"


def backup(
    folder: Annotated[
        Path, typer.Argument(metavar="FOLDER", help="A new folder, or that of the last backup.")
    ],
    allow_missing: Annotated[
        bool, typer.Option("--allow-missing", help="End with 0 though recordings of contacts are missing.")
    ] = False,
    config: ConfigOption = None,
) -> None:
    """Back up the database, the recordings, the audit's key and the settings, while the server runs or not.

    The same folder again: what is new is copied, what was erased leaves it, the rest stays. Until the end of
    the command the folder is the former backup. It holds secrets and is for its owner alone: hashes of
    passwords, the key that signs the audit, settings with passwords. Certificates of TLS are not in it.

    Exit code 1 if a recording that a contact names is missing, or is not the file that it was.

    Example: [bold]sottovoce backup /mnt/backup/sottovoce[/bold]
    """
    settings = quietly(config)
    made, copied = asyncio.run(_backup(settings, folder, config))
    typer.echo(
        f"{_counts(made)}:"
        f" {copied.new} copied, {copied.kept} there already, {copied.removed} erased since and removed"
    )
    typer.echo(f"{folder / made.state} holds secrets: the dump, the settings and {_key(made)}", err=True)
    if copied.unseen:
        typer.echo(f"never whole: {counted(len(copied.unseen), 'recording')} or inspectors' tracks", err=True)
    _tell(
        copied,
        "named by contacts and missing",
        "of other bytes than when finished",
    )
    if copied.other or (copied.missing and not allow_missing):
        raise typer.Exit(FAILED)


def restore(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="The folder of a backup.")],
    replace: Annotated[
        bool,
        typer.Option("--replace", help="Give up all that is in the database, and recordings that differ."),
    ] = False,
    check: Annotated[
        bool, typer.Option("--check", help="Bring nothing back; read all of the backup and compare digests.")
    ] = False,
    config: ConfigOption = None,
) -> None:
    """Bring a backup back into the data folder or database that is set. The server must not run.

    A database that has VDNs is refused unless --replace is given; a backup of a newer version always; one of
    an older version is brought to what this one needs. A restore that was interrupted is simply run again.

    Example: [bold]sottovoce restore /mnt/backup/sottovoce[/bold]
    """
    settings = quietly(config)
    if check:
        _check(folder)
        return
    done = asyncio.run(_restore(settings, folder, replace=replace))
    known = done.backup
    typer.echo(
        f"restored as of {known.made_at:%Y-%m-%d %H:%M:%S} UTC: {_counts(known)}"
        f" ({done.copied.kept} there already)"
    )
    if done.migrated:
        typer.echo(f"the schema was older, applied {', '.join(done.migrated)}")
    beside = folder / known.state
    if (beside / _SETTINGS).exists() or (beside / _ENVIRONMENT).exists():
        typer.echo(f"the settings of then are in {beside}; they are not put anywhere")
    if known.key:
        typer.echo(f"check it: sottovoce audit verify --recordings --key {known.key}")
    _tell(done.copied, "missing in the backup", "of other bytes than when the backup was made")
    if done.copied.other or done.copied.missing:
        raise typer.Exit(FAILED)


async def _backup(settings: Settings, folder: Path, config: Path | None) -> tuple[Backup, Copied]:
    beside = {}
    file = config or os.environ.get("SOTTOVOCE_CONFIG")
    if file is not None:
        beside[_SETTINGS] = Path(file).expanduser().read_bytes()
    named = [
        f"{name}={value}\n" for name, value in sorted(os.environ.items()) if name.startswith("SOTTOVOCE_")
    ]
    if named:
        beside[_ENVIRONMENT] = "".join(named).encode("utf-8", "surrogateescape")
    async with reached(settings.database, settings.data) as ways:
        with advancing("recordings") as tell:
            return await backups.make(
                ways.owner,
                settings.data,
                settings.recordings_folder,
                folder,
                SystemClock().now(),
                beside,
                tell,
            )


async def _restore(settings: Settings, folder: Path, *, replace: bool) -> BroughtBack:
    held = await asyncio.to_thread(node.claim, settings.data)
    try:
        async with reached(settings.database, settings.data) as ways:
            with advancing("recordings") as tell:
                at, target = SystemClock().now(), settings.recordings_folder
                return await restoring.restore(ways, settings.data, target, folder, at, tell, replace=replace)
    finally:
        held.release()


def _check(folder: Path) -> None:
    known = backups.about(folder)

    def wrong(tell: Tell) -> list[str]:
        return backups.faults(folder, known) + backups.unlike(folder, known, tell)

    with advancing("recordings") as tell:
        found = wrong(tell)
    if found:
        fail([*found[:_NAMED], *([f"and {len(found) - _NAMED} more"] if len(found) > _NAMED else [])])
    typer.echo(
        f"whole, as of {known.made_at:%Y-%m-%d %H:%M:%S} UTC: {_counts(known)},"
        f" by sottovoce {known.program}, schema {known.revision}"
    )


def _counts(made: Backup) -> str:
    contacts, recordings = counted(made.contacts, "contact"), counted(made.recordings, "recording")
    return f"{counted(made.vdns, 'VDN')}, {contacts}, {recordings}"


def _key(made: Backup) -> str:
    return f"the key of the audit, {made.key}" if made.key else "no key: nothing was ever signed"


def _tell(copied: Copied, missing: str, other: str) -> None:
    for names, what in ((copied.missing, missing), (copied.other, other)):
        for name in names[:_NAMED]:
            say(f"sottovoce: recordings/{name}", err=True)
        if names:
            typer.echo(f"sottovoce: {what}: {counted(len(names), 'recording')}", err=True)
