"""Bringing a backup back: recordings, then the audit's key, then the database, which is the last word.

Each step can be done again: a restore that was interrupted is started anew. Nothing that differs is
overwritten unless that is asked for. The database changes wholly or not at all; an older one is migrated.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from sottovoce.digests import file_sha256
from sottovoce.domain.directory import VdnId
from sottovoce.storage import audit, migrations
from sottovoce.storage.database import check, connect, transaction
from sottovoce.storage.own import anchor, backups, dumps
from sottovoce.storage.own.backups import Backup, BackupRefused, Copied, Tell
from sottovoce.storage.own.opening import Ways, migrated
from sottovoce.storage.signatures import SigningKey
from sottovoce.storage.tables import leases, vdns
from sottovoce.wording import counted

RESTORED = "database.restore"
"""What the audit calls it that all was brought back from a backup."""
_NAMED = 5


@dataclass(frozen=True, slots=True)
class BroughtBack:
    """What was brought back."""

    backup: Backup
    copied: Copied
    migrated: list[str]
    """Revisions of the schema that were applied."""


async def restore(
    ways: Ways, data: Path, target: Path, folder: Path, at: datetime, tell: Tell, *, replace: bool
) -> BroughtBack:
    """Bring the backup in `folder` back: recordings to `target`, the key to `data`, the database to `ways`.

    With `replace`, what is there already and differs gives way. The caller holds the data folder
    (`node.claim`). BackupRefused before anything was changed; DumpFailed, DatabaseAway, BadDsn, OSError.
    """
    known = backups.about(folder)
    if known.revision not in migrations.known():
        raise BackupRefused(
            f"the backup's schema {known.revision} is newer than this program: install sottovoce"
            f" {known.program} or later"
        )
    wrong = await asyncio.to_thread(backups.faults, folder, known)
    if wrong:
        raise BackupRefused("; ".join(wrong))
    await _free(ways, known, replace=replace)
    key = await _key(data, folder, known, replace=replace)
    listed = await asyncio.to_thread(backups.sums, folder, known)
    there = await asyncio.to_thread(_there, target, listed)
    differing = sorted(there.keys() - {name for name, digest in there.items() if digest == listed[name]})
    if differing and not replace:
        shown = ", ".join(differing[:_NAMED]) + (" …" if len(differing) > _NAMED else "")
        raise BackupRefused(
            f"{target} has {counted(len(differing), 'recording')} with other bytes than in the backup:"
            f" {shown}; move them away, or let them be overwritten by --replace"
        )
    source = folder / backups.RECORDINGS
    copied = await asyncio.to_thread(_bring, source, target, listed, there, tell)
    if key is not None:
        await asyncio.to_thread(anchor.bring_back, data, key)
    await asyncio.to_thread(dumps.restore, ways.owner, known.schema, folder / known.state / backups.DUMP)
    applied = await migrated(ways)
    await _told(ways, known, at)
    return BroughtBack(known, copied, applied)


async def _free(ways: Ways, known: Backup, *, replace: bool) -> None:
    """Make sure that nothing of worth is lost, and that no server works there. BackupRefused."""
    engine = connect(ways.owner, connections=2)
    try:
        await check(engine)
        async with transaction(engine) as connection:
            if not await _has(connection, vdns.name):
                if not replace and await _has(connection, None):
                    raise BackupRefused(
                        "the database has tables that are not this program's: give the server one of its own"
                    )
                return
            serving = sa.select(leases).where(leases.c.expires_at > sa.func.clock_timestamp())
            served = (await connection.execute(serving)).mappings().first()
            if served is not None:
                raise BackupRefused(
                    f"a server at {served['address']} serves VDN {served['vdn']} from this database: stop it;"
                    f" if it died, wait until {served['expires_at']:%H:%M:%S} UTC"
                )
            found = (await connection.execute(sa.select(vdns.c.vdn).order_by(vdns.c.vdn))).scalars().all()
            if found and not replace:
                raise BackupRefused(
                    f"the database is not empty: it has the VDNs {', '.join(map(str, found))};"
                    " --replace gives up all that is in it"
                )
    finally:
        await engine.dispose()


async def _has(connection: AsyncConnection, table: str | None) -> bool:
    """Whether the schema has such a table, or any."""
    query = "SELECT EXISTS (SELECT FROM pg_tables WHERE schemaname = current_schema()"
    query += ")" if table is None else " AND tablename = :table)"
    return bool(
        (await connection.execute(sa.text(query), {} if table is None else {"table": table})).scalar()
    )


async def _key(data: Path, folder: Path, known: Backup, *, replace: bool) -> SigningKey | None:
    """The backup's key if it is to be brought back. BackupRefused."""
    if not known.key:
        return None
    there = await asyncio.to_thread(anchor.key_there, data)
    if there is not None and there.public == known.key:
        return None
    if there is not None and not replace:
        raise BackupRefused(
            f"{data / anchor.KEY_FILE} is another key than the backup's: move it away, or give --replace"
        )
    return SigningKey.read((folder / known.state / anchor.KEY_FILE).read_bytes())


def _there(target: Path, listed: dict[str, str]) -> dict[str, str]:
    """The digests of the recordings that are there already. Blocks."""
    return {name: file_sha256(target / name) for name in listed if (target / name).is_file()}


def _bring(source: Path, target: Path, listed: dict[str, str], there: dict[str, str], tell: Tell) -> Copied:
    """Copy what is not there as it should be. Blocks."""
    copied = Copied()
    for number, (name, digest) in enumerate(listed.items(), start=1):
        tell(number, len(listed))
        if there.get(name) == digest:
            copied.kept += 1
            continue
        try:
            found = backups.copy(source / name, target / name)
        except FileNotFoundError:
            copied.missing.append(name)
            continue
        copied.new += 1
        if found != digest:
            copied.other.append(name)
    return copied


async def _told(ways: Ways, known: Backup, at: datetime) -> None:
    """Put it on record, and let the next server take the VDNs at once."""
    engine = connect(ways.owner, connections=2)
    try:
        async with transaction(engine) as connection:
            await connection.execute(sa.update(leases).values(expires_at=sa.func.now()))
            for vdn in (await connection.execute(sa.select(vdns.c.vdn).order_by(vdns.c.vdn))).scalars().all():
                detail = {"made_at": known.made_at.isoformat(), "program": known.program}
                await audit.by_command_line(connection, VdnId(vdn), at, RESTORED, "", detail)
    finally:
        await engine.dispose()
