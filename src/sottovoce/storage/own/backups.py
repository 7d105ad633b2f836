"""A backup: one folder with all that a server needs to live again, perhaps on another machine.

    backup.json              what it is, and which of the folders beside it counts: written last
    20261129T004121Z/        database.dump, audit.key, the settings of then, SHA256SUMS (for `sha256sum -c`)
    recordings/              as in the folder of recordings; what is there already is not copied again

The dump is of one moment (a snapshot that pg_dump shares with the list of recordings), the recordings are
copied after it: a contact in the dump has its recording, unless the file was gone before. What no contact
names any more leaves the backup, too: what was erased does not live on in it. Everything is for its owner
alone: the dump and the key are secrets.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path, PurePosixPath

import sqlalchemy as sa

from sottovoce import __version__
from sottovoce.digests import file_sha256
from sottovoce.plain import Unreadable, from_plain, read_json, to_plain
from sottovoce.storage import heads, migrations
from sottovoce.storage.database import connect, transaction
from sottovoce.storage.own import anchor, dumps
from sottovoce.storage.tables import contacts, vdns

FORMAT = "sottovoce-backup-1"
ABOUT = "backup.json"
DUMP, SUMS = "database.dump", "SHA256SUMS"
RECORDINGS = "recordings"
_BLOCK = 1 << 20
_NONE = "0" * 64

Tell = Callable[[int, int], None]
"""Is told how many recordings are done, and of how many."""


class BackupRefused(Exception):
    """A backup cannot be made or used so; the text says why, and what to do."""


@dataclass(frozen=True, slots=True)
class Backup:
    """What a backup's folder says of itself."""

    format: str
    made_at: datetime
    program: str
    revision: str
    schema: str
    state: str
    vdns: int
    contacts: int
    recordings: int
    key: str = ""
    """The public half of the audit's key; none: nothing was ever signed."""


@dataclass(slots=True)
class Copied:
    """What became of the recordings."""

    new: int = 0
    kept: int = 0
    removed: int = 0
    missing: list[str] = field(default_factory=list)
    """Named by a contact, with a digest, and in no folder."""
    unseen: list[str] = field(default_factory=list)
    """Named by a contact, perhaps since a crash, and without a digest: nobody ever saw the whole file."""
    other: list[str] = field(default_factory=list)
    """With other bytes than they had when they were finished, or than the backup says."""


async def make(
    owner: str, data: Path, source: Path, folder: Path, at: datetime, beside: Mapping[str, bytes], tell: Tell
) -> tuple[Backup, Copied]:
    """Back up the database of the DSN `owner`, the key in `data`, the recordings in `source`, and `beside`.

    A folder with an earlier backup is brought up to date; until the end it stays what it was.
    BackupRefused, DumpFailed, DatabaseAway, WrongSchema, OSError.
    """
    _apart(source, folder)
    _folder(folder)
    if any(folder.iterdir()) and not (folder / ABOUT).exists() and not _begun(folder):
        raise BackupRefused(f"{folder} is not empty and no backup: give another folder")
    with _alone(folder):
        for left in folder.glob("*.making"):
            shutil.rmtree(left) if left.is_dir() else left.unlink()
        former = about(folder) if (folder / ABOUT).exists() else None
        state = at.strftime("%Y%m%dT%H%M%S%fZ")
        making = folder / f"{state}.making"
        making.mkdir(mode=0o700)
        known, wanted = await _dumped(owner, making / DUMP, state, at, former)
        key = await asyncio.to_thread(anchor.key_there, data)
        known = replace(known, key=key.public if key is not None else "")
        for name, content in {**({anchor.KEY_FILE: key.pem()} if key is not None else {}), **beside}.items():
            _write(making / name, content)
        copied = Copied()
        earlier = {} if former is None else sums(folder, former)
        done = await asyncio.to_thread(_copy_all, source, folder / RECORDINGS, wanted, earlier, copied, tell)
        known = replace(known, recordings=len(done))
        await asyncio.to_thread(_finish, folder, making, known, done, copied)
    return known, copied


async def _dumped(
    owner: str, target: Path, state: str, at: datetime, former: Backup | None
) -> tuple[Backup, dict[str, str | None]]:
    """Dump the database; with what contacts name as recordings in it, each with its digest if known."""
    engine = connect(owner, connections=2)
    try:
        await migrations.ensure(engine)
        async with transaction(engine, snapshot=True) as connection:
            for limit in ("statement_timeout", "idle_in_transaction_session_timeout"):
                await connection.execute(sa.text(f"SET LOCAL {limit} = 0"))
            named = sa.text("SELECT pg_export_snapshot(), current_schema(), version_num FROM alembic_version")
            snapshot, schema, revision = (await connection.execute(named)).one()
            if former is not None and former.key not in ("", *await heads.keys(connection)):
                raise BackupRefused(
                    f"{target.parent.parent} has the backup of another server, whose audit the key"
                    f" {former.key} signs: give another folder"
                    " (a new server that backs itself up there would remove it)"
                )
            await asyncio.to_thread(dumps.dump, owner, schema, snapshot, target)
            counts = [
                (await connection.execute(sa.select(sa.func.count()).select_from(table))).scalar_one()
                for table in (vdns, contacts)
            ]
            columns = (contacts.c.recording, contacts.c.recording_sha256)
            query = sa.select(*columns, contacts.c.tracks, contacts.c.tracks_sha256)
            wanted: dict[str, str | None] = {}
            async with connection.stream(query.execution_options(yield_per=5000)) as rows:
                async for recording, sha256, tracks, digests in rows:
                    wanted |= {track: digests.get(inspector) for inspector, track in tracks.items()}
                    if recording is not None:
                        wanted[recording] = sha256
    finally:
        await engine.dispose()
    return Backup(FORMAT, at, __version__, revision, schema, state, counts[0], counts[1], 0), wanted


def _copy_all(
    source: Path,
    target: Path,
    wanted: Mapping[str, str | None],
    earlier: Mapping[str, str],
    copied: Copied,
    tell: Tell,
) -> dict[str, str]:
    """Copy what is new; the digests of all that is there then, by path. Blocks."""
    done: dict[str, str] = {}
    _folder(target)
    for number, (name, sha256) in enumerate(sorted(wanted.items()), start=1):
        tell(number, len(wanted))
        if not _is_below(name):
            copied.missing.append(name)
            continue
        kept = target / name
        if name in earlier and _same(source / name, kept):
            copied.kept += 1
            done[name] = earlier[name]
        elif (source / name).is_file():
            done[name] = copy(source / name, kept)
            copied.new += 1
        elif name in earlier and kept.is_file():
            copied.kept += 1  # gone over there, and named all the same: the backup is what is left of it
            done[name] = earlier[name]
        else:
            (copied.unseen if sha256 is None else copied.missing).append(name)
            continue
        if sha256 not in (None, done[name]):
            copied.other.append(name)
    return done


def _finish(folder: Path, making: Path, known: Backup, done: Mapping[str, str], copied: Copied) -> None:
    """Let the new state count, then remove what only former ones had. Blocks."""
    own = {path.name: file_sha256(path) for path in sorted(making.iterdir())}
    lines = [f"{digest}  {name}\n" for name, digest in own.items()]
    lines += [f"{digest}  ../{RECORDINGS}/{name}\n" for name, digest in done.items()]
    _write(making / SUMS, "".join(lines).encode("utf-8", "surrogateescape"))
    os.sync()  # one for all: a recording more or less is one of millions
    making.rename(folder / known.state)
    _write(folder / f"{ABOUT}.making", json.dumps(to_plain(known), indent=1).encode() + b"\n")
    (folder / f"{ABOUT}.making").rename(folder / ABOUT)
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
    for path in folder.iterdir():
        if path.is_dir() and path.name not in (known.state, RECORDINGS):
            shutil.rmtree(path)
    for path in list((folder / RECORDINGS).rglob("*")):
        if path.is_file() and path.relative_to(folder / RECORDINGS).as_posix() not in done:
            path.unlink()
            copied.removed += 1


def about(folder: Path) -> Backup:
    """What the backup in a folder says of itself. BackupRefused, OSError."""
    try:
        content = read_json((folder / ABOUT).read_text(encoding="utf-8"))
        if not isinstance(content, dict) or content.get("format") != FORMAT:
            raise BackupRefused(f"{folder / ABOUT} is no backup that this program knows ({FORMAT})")
        return from_plain(Backup, content)
    except FileNotFoundError:
        raise BackupRefused(f"{folder} holds no backup: there is no {ABOUT}") from None
    except (Unreadable, ValueError, RecursionError) as failure:
        raise BackupRefused(f"{folder / ABOUT} cannot be read: {failure}") from failure


def sums(folder: Path, known: Backup) -> dict[str, str]:
    """The digests of a backup's recordings, by path. BackupRefused, OSError."""
    before = f"../{RECORDINGS}/"
    return {
        name.removeprefix(before): digest
        for name, digest in _listed(folder / known.state / SUMS).items()
        if name.startswith(before)
    }


def faults(folder: Path, known: Backup) -> list[str]:
    """What of the dump, the key and the settings is not as it was made, one sentence each. Blocks."""
    state = folder / known.state
    own = {name: digest for name, digest in _listed(state / SUMS).items() if "/" not in name}
    missing = {DUMP, *([anchor.KEY_FILE] if known.key else [])} - own.keys()
    found = [f"{state / name} is not among the digests" for name in sorted(missing)]
    return found + [sentence for name, digest in own.items() for sentence in _unlike(state / name, digest)]


def unlike(folder: Path, known: Backup, tell: Tell) -> list[str]:
    """Which recordings of a backup are not as they were, one sentence each: reads all of them. Blocks."""
    listed = sums(folder, known)
    found = []
    for number, (name, digest) in enumerate(listed.items(), start=1):
        tell(number, len(listed))
        found += _unlike(folder / RECORDINGS / name, digest)
    return found


def copy(source: Path, target: Path) -> str:
    """Copy a recording, wholly or not at all, with its time of change; its SHA-256. OSError. Blocks."""
    _folder(target.parent)
    making = target.with_name(f".{target.name}.making")
    making.unlink(missing_ok=True)
    digest = hashlib.sha256()
    with source.open("rb") as file, dumps.private(making) as made:
        while block := file.read(_BLOCK):
            digest.update(block)
            made.write(block)
        changed = os.fstat(file.fileno())
    os.utime(making, ns=(changed.st_atime_ns, changed.st_mtime_ns))
    making.rename(target)
    return digest.hexdigest()


def _unlike(path: Path, digest: str) -> list[str]:
    try:
        return [] if file_sha256(path) == digest else [f"{path} has other bytes than when it was made"]
    except OSError as failure:
        return [f"{path}: {failure.strerror}"]


def _listed(path: Path) -> dict[str, str]:
    found = {}
    for line in path.read_text(encoding="utf-8", errors="surrogateescape").split("\n")[:-1]:
        digest, between, name = line.partition("  ")
        if len(digest) != len(_NONE) or not between or not _is_below(name.removeprefix("../")):
            raise BackupRefused(f"{path} has a line that is no digest: {line!r}")
        found[name] = digest
    return found


def _is_below(name: str) -> bool:
    """Whether a path stays below its folder, and fits a line."""
    path = PurePosixPath(name)
    return bool(name) and not path.is_absolute() and ".." not in path.parts and "\n" not in name


def _folder(path: Path) -> None:
    """Make a folder and those above it that are missing, each for its owner alone."""
    if not path.is_dir():
        _folder(path.parent)
        path.mkdir(mode=0o700, exist_ok=True)


def _same(one: Path, other: Path) -> bool:
    try:
        here, there = one.stat(), other.stat()
    except OSError:
        return False
    return (here.st_size, here.st_mtime_ns) == (there.st_size, there.st_mtime_ns)


def _apart(source: Path, folder: Path) -> None:
    here, there = source.resolve(), folder.resolve()
    if here.is_relative_to(there) or there.is_relative_to(here):
        raise BackupRefused(f"{folder} and the recordings in {source} lie in each other: give another folder")


def _begun(folder: Path) -> bool:
    """Whether all that is there is what a first backup leaves that did not come to its end."""
    return all(path.name == RECORDINGS or path.name.endswith(("Z", ".making")) for path in folder.iterdir())


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError:
        raise BackupRefused(f"another backup to {folder} is under way") from None
    finally:
        os.close(handle)


def _write(path: Path, content: bytes) -> None:
    with dumps.private(path) as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
