"""Backups: of one moment, brought up to date, never lost on the way; restored wholly or not at all."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa
from alembic import command
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.quality.standing import ONE, TWO, Standing

from sottovoce.clock import ManualClock
from sottovoce.digests import file_sha256
from sottovoce.plain import to_plain
from sottovoce.storage import audit, migrations
from sottovoce.storage.database import connect, transaction
from sottovoce.storage.own import anchor, backups, dumps, restoring
from sottovoce.storage.own.anchor import Anchor
from sottovoce.storage.own.backups import ABOUT, Backup, BackupRefused, Copied
from sottovoce.storage.own.dumps import DumpFailed
from sottovoce.storage.own.opening import Ways
from sottovoce.storage.own.restoring import BroughtBack
from sottovoce.storage.tables import contacts, leases, vdns
from sottovoce.storage.tables.schema import metadata

AT = datetime(2026, 11, 29, 0, 41, 21, tzinfo=UTC)
OLDER, NEXT = migrations.known()[1::-1]
DIFFERENT = {"audit", "audit_heads", "leases"}
"""Tables that a restore adds a word to."""


def silent(done: int, of: int) -> None:
    """Nobody looks."""


class Kept:
    """A server's database, data and recordings, and a folder for backups."""

    def __init__(self, standing: Standing, dsn: str, folder: Path) -> None:
        self.standing, self.dsn, self.folder = standing, dsn, folder / "backup"
        self.data, self.recordings = folder / "data", folder / "recordings"

    async def call(self, name: str, **columns: Any) -> int:
        """A contact with a recording of its own and, for one that was supervised, a track."""
        path = self.recordings / "1" / f"{name}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode() * 1000)
        for track in columns.get("tracks", {}).values():
            (self.recordings / track).write_bytes(b"a whisper")
        recording = {"recording": f"1/{name}.wav", "recording_sha256": file_sha256(path)}
        return await self.standing.contact(**{**recording, **columns})

    async def back_up(self, tell: backups.Tell = silent) -> tuple[Backup, Copied]:
        now = AT if not self.folder.exists() else self.standing.clock.now()
        self.standing.clock.advance(1)
        return await backups.make(
            self.dsn, self.data, self.recordings, self.folder, now, {"sottovoce.toml": b"[http]\n"}, tell
        )

    async def restore(self, dsn: str, target: Path, *, replace: bool = False) -> BroughtBack:
        data, sounds = target / "data", target / "recordings"
        return await restoring.restore(Ways(dsn, dsn), data, sounds, self.folder, AT, silent, replace=replace)


@pytest.fixture
async def kept(postgres_dsn: str, tmp_path: Path) -> AsyncIterator[Kept]:
    """A server with three calls, signed."""
    (tmp_path / "recordings").mkdir()
    standing = Standing(postgres_dsn, tmp_path / "recordings")
    await standing.open()
    made = Kept(standing, postgres_dsn, tmp_path)
    await made.call("ann")
    await made.call("ben", agent=102, tracks={"301": "1/ben.301.wav"})
    await made.call("elsewhere", agent=201, vdn=TWO)
    async with transaction(standing.engine) as connection:
        await audit.by_command_line(connection, ONE, AT, "test", "", {})
    await (await Anchor.open(standing.engine, made.data, ManualClock(AT), None)).sign([ONE], "start")
    yield made
    await standing.close()


async def content(dsn: str) -> dict[str, list[str]]:
    """All rows of all tables, as texts."""
    async with await psycopg.AsyncConnection.connect(dsn) as connection:
        found = {}
        for table in metadata.tables:
            rows = await (await connection.execute(f'SELECT t::text FROM "{table}" t')).fetchall()
            found[table] = sorted(row[0] for row in rows)
        return found


def sounds(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


async def test_what_is_restored_is_what_was(kept: Kept, empty_postgres_dsn: str, tmp_path: Path) -> None:
    made, copied = await kept.back_up()
    assert (made.vdns, made.contacts, made.recordings, copied.new) == (2, 3, 4, 4)
    assert not copied.missing
    assert not copied.other
    done = await kept.restore(empty_postgres_dsn, tmp_path / "new")
    assert (done.copied.new, done.copied.kept, done.migrated) == (4, 0, [])
    before, after = await content(kept.dsn), await content(empty_postgres_dsn)
    assert {name: before[name] for name in before.keys() - DIFFERENT} == {
        name: after[name] for name in after.keys() - DIFFERENT
    }
    assert sounds(kept.recordings) == sounds(tmp_path / "new" / "recordings")
    key = tmp_path / "new" / "data" / anchor.KEY_FILE
    assert key.read_bytes() == (kept.data / anchor.KEY_FILE).read_bytes()
    assert key.stat().st_mode & 0o077 == 0
    engine = connect(empty_postgres_dsn)
    assert [entry.action for entry in await audit.read(engine, ONE)][-2:] == ["test", "database.restore"]
    assert not (await audit.verify(engine, ONE)).broken
    await kept.standing.contact()
    async with engine.begin() as connection:  # sequences go on, a new month has its partition
        await connection.execute(sa.select(sa.func.contacts_month(datetime(2031, 5, 1, tzinfo=UTC))))
    await engine.dispose()
    assert (await kept.restore(empty_postgres_dsn, tmp_path / "new", replace=True)).copied.kept == 4


async def test_it_is_of_one_moment_while_calls_end(
    kept: Kept, empty_postgres_dsn: str, tmp_path: Path
) -> None:
    async def calls() -> None:
        for number in range(10_000):
            await kept.call(f"more-{number}")

    talking = asyncio.ensure_future(calls())
    await asyncio.sleep(0.2)
    made, copied = await kept.back_up()
    talking.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await talking
    assert made.contacts > 3
    assert not copied.missing
    assert not copied.other
    await kept.restore(empty_postgres_dsn, tmp_path / "new")
    engine = connect(empty_postgres_dsn)
    async with engine.begin() as connection:
        rows = (await connection.execute(sa.select(contacts.c.recording, contacts.c.recording_sha256))).all()
    await engine.dispose()
    assert len(rows) == made.contacts
    assert all(file_sha256(tmp_path / "new" / "recordings" / row.recording) == row[1] for row in rows)


async def test_the_same_folder_is_brought_up_to_date(kept: Kept) -> None:
    await kept.back_up()
    held = (kept.folder / "recordings" / "1" / "ann.wav").stat().st_ino
    await kept.call("new")
    (kept.recordings / "1" / "ben.wav").unlink()  # by mishap: the contact still names it
    engine = kept.standing.engine
    async with transaction(engine) as connection:
        await connection.execute(sa.update(contacts).where(contacts.c.vdn == 2).values(recording=None))
    made, copied = await kept.back_up()
    assert (copied.new, copied.kept, copied.removed) == (1, 3, 1)
    assert not copied.missing, "the backup is what is left of it"
    assert (kept.folder / "recordings" / "1" / "ann.wav").stat().st_ino == held
    assert not (kept.folder / "recordings" / "1" / "elsewhere.wav").exists(), "erased there, erased here"
    assert (kept.folder / "recordings" / "1" / "ben.wav").exists()
    assert sorted(path.name for path in kept.folder.iterdir()) == sorted([made.state, ABOUT, "recordings"])
    assert backups.faults(kept.folder, made) == backups.unlike(kept.folder, made, silent) == []
    sums = (kept.folder / made.state / "SHA256SUMS").read_text()
    checked = await asyncio.create_subprocess_exec(
        *("sha256sum", "--check", "--strict", "--quiet", "-"),
        cwd=kept.folder / made.state,
        stdin=asyncio.subprocess.PIPE,
    )
    await checked.communicate(sums.encode())
    assert checked.returncode == 0, "without this program, too"


async def test_what_is_missing_or_another_file_is_named(kept: Kept) -> None:
    (kept.recordings / "1" / "ann.wav").unlink()
    (kept.recordings / "1" / "ben.wav").write_bytes(b"something else")
    await kept.call("outside", recording="../secret.wav")
    _, copied = await kept.back_up()
    assert copied.missing == ["../secret.wav", "1/ann.wav"]
    assert copied.other == ["1/ben.wav"]


async def test_until_its_end_it_is_the_former_one(
    kept: Kept, empty_postgres_dsn: str, tmp_path: Path
) -> None:
    def gives_up(done: int, of: int) -> None:
        if done == of:
            raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        await kept.back_up(gives_up)
    with pytest.raises(BackupRefused, match="holds no backup"):
        backups.about(kept.folder)
    first, _ = await kept.back_up()
    await kept.call("new")
    with pytest.raises(OSError, match="No space"):
        await kept.back_up(gives_up)
    assert backups.about(kept.folder) == first
    assert backups.faults(kept.folder, first) == backups.unlike(kept.folder, first, silent) == []
    assert (await kept.restore(empty_postgres_dsn, tmp_path / "new")).backup.contacts == 3
    assert (await kept.back_up())[0].contacts == 4


async def test_no_other_folder_is_touched(kept: Kept, tmp_path: Path) -> None:
    kept.folder.mkdir()
    (kept.folder / "thesis.odt").touch()
    with pytest.raises(BackupRefused, match="not empty and no backup"):
        await kept.back_up()
    (kept.folder / "thesis.odt").unlink()
    for inside in (kept.recordings / "backup", kept.recordings.parent):
        kept.folder = inside
        with pytest.raises(BackupRefused, match="lie in each other"):
            await kept.back_up()
    kept.folder = tmp_path / "held"
    kept.folder.mkdir()
    with backups._alone(kept.folder), pytest.raises(BackupRefused, match="under way"):
        await kept.back_up()


async def test_a_new_server_does_not_wipe_the_backup_of_the_lost_one(
    kept: Kept, module_postgres_dsn: str, tmp_path: Path
) -> None:
    await kept.back_up()
    with pytest.raises(BackupRefused, match="the backup of another server"):
        await backups.make(
            module_postgres_dsn, tmp_path / "new", tmp_path / "none", kept.folder, AT, {}, silent
        )
    async with transaction(kept.standing.engine) as connection:
        await connection.execute(sa.update(vdns).values(name="another key, on record"))
    await anchor.renew(kept.standing.engine, kept.data, AT, [ONE])
    await kept.back_up()


async def test_nothing_is_overwritten_unasked(kept: Kept, empty_postgres_dsn: str, tmp_path: Path) -> None:
    await kept.back_up()
    new = tmp_path / "new"
    with pytest.raises(BackupRefused, match="not empty: it has the VDNs 1, 2"):
        await kept.restore(kept.dsn, new)
    (new / "recordings" / "1").mkdir(parents=True)
    (new / "recordings" / "1" / "ann.wav").write_bytes(b"another")
    with pytest.raises(BackupRefused, match=r"has 1 recording with other bytes"):
        await kept.restore(empty_postgres_dsn, new)
    await anchor.key_of(kept.standing.engine, kept.data)
    (new / "data").mkdir()
    other = anchor.SigningKey.generate()
    (new / "data" / anchor.KEY_FILE).write_bytes(other.pem())
    with pytest.raises(BackupRefused, match="another key than the backup's"):
        await kept.restore(empty_postgres_dsn, new)
    async with await psycopg.AsyncConnection.connect(empty_postgres_dsn) as connection:
        await connection.execute("CREATE TABLE theirs ()")
    with pytest.raises(BackupRefused, match="tables that are not this program's"):
        await kept.restore(empty_postgres_dsn, new)
    await kept.restore(empty_postgres_dsn, new, replace=True)
    assert (new / "recordings" / "1" / "ann.wav").read_bytes() == b"ann" * 1000
    assert (new / "data" / f"{anchor.KEY_FILE}.{other.public[:16]}").exists(), "the former stays beside it"


async def test_a_served_database_is_refused(kept: Kept, tmp_path: Path) -> None:
    await kept.back_up()
    owned = {"vdn": 1, "node": "n", "address": "h:1", "epoch": 1, "held_since": 1, "position": 0}
    async with transaction(kept.standing.engine) as connection:
        now = (await connection.execute(sa.select(sa.func.now()))).scalar_one()
        times = {"renewed_at": now, "expires_at": sa.text("now() + interval '1 hour'")}
        await connection.execute(sa.insert(leases).values(**owned, **times))
    with pytest.raises(BackupRefused, match="a server at h:1 serves VDN 1"):
        await kept.restore(kept.dsn, tmp_path / "new", replace=True)


async def test_a_restore_that_fails_changes_no_database(kept: Kept, tmp_path: Path) -> None:
    made, _ = await kept.back_up()
    dump = kept.folder / made.state / "database.dump"
    whole = dump.read_bytes()
    dump.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(BackupRefused, match=r"database.dump has other bytes"):
        await kept.restore(kept.dsn, tmp_path / "new", replace=True)
    sums = kept.folder / made.state / "SHA256SUMS"
    sums.write_text(sums.read_text().replace(_sum_of(sums, dump), file_sha256(dump)))
    before = await content(kept.dsn)
    with pytest.raises(DumpFailed, match="pg_restore"):
        await kept.restore(kept.dsn, tmp_path / "new", replace=True)
    assert await content(kept.dsn) == before


def _sum_of(sums: Path, path: Path) -> str:
    return next(line.split()[0] for line in sums.read_text().splitlines() if line.endswith(path.name))


async def test_a_newer_schema_is_refused_and_an_older_one_is_migrated(
    kept: Kept, empty_postgres_dsn: str, module_postgres_dsn: str, tmp_path: Path
) -> None:
    made, _ = await kept.back_up()
    (kept.folder / ABOUT).write_text(json.dumps(to_plain(replace(made, revision="r9999"))))
    with pytest.raises(BackupRefused, match="r9999 is newer than this program"):
        await kept.restore(empty_postgres_dsn, tmp_path / "new")
    dump = kept.folder / made.state / "database.dump"
    before = _sum_of(dump.with_name("SHA256SUMS"), dump)
    dump.unlink()
    older = connect(empty_postgres_dsn)
    async with older.begin() as connection:
        await connection.run_sync(lambda sync: command.upgrade(migrations._config(sync), OLDER))
        await connection.execute(sa.text("INSERT INTO vdns (vdn, name) VALUES (7, 'Older')"))
    async with transaction(older, snapshot=True) as connection:
        snapshot = (await connection.execute(sa.text("SELECT pg_export_snapshot()"))).scalar_one()
        await asyncio.to_thread(dumps.dump, empty_postgres_dsn, "public", snapshot, dump)
    await older.dispose()
    sums = dump.with_name("SHA256SUMS")
    sums.write_text(sums.read_text().replace(before, file_sha256(dump)))
    (kept.folder / ABOUT).write_text(json.dumps(to_plain(replace(made, revision=OLDER))))
    done = await kept.restore(module_postgres_dsn, tmp_path / "new")
    assert done.migrated[0] == NEXT
    assert await _named(module_postgres_dsn) == ["Older"]


async def _named(dsn: str) -> list[str]:
    engine: AsyncEngine = connect(dsn)
    async with engine.begin() as connection:
        found = (await connection.execute(sa.select(vdns.c.name))).scalars().all()
    await engine.dispose()
    return list(found)
