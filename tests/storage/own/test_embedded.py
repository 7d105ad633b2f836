"""Our own PostgreSQL: starting, dying in every way, being shared, and what it lets nobody do."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from sottovoce.storage.own import placement, postmaster
from sottovoce.storage.own.embedded import EmbeddedPostgres
from sottovoce.storage.own.placement import CannotStart, SystemAccount

PROGRAM = Path(__file__).with_name("own_server.py")
NOBODY = SystemAccount(65534, 65534, "nobody")
PLAIN = (f"--reuid={NOBODY.uid}", f"--regid={NOBODY.gid}", "--clear-groups")
"""Words of `setpriv` for a plain user, as a command beside the systemd unit is one."""
CAPABLE = (*PLAIN, "--inh-caps=+sys_nice", "--ambient-caps=+sys_nice")
"""For a plain user with the unit's `AmbientCapabilities=`."""
UNTRACING = ("--bounding-set=-sys_ptrace",)
"""For root in a container."""


def interpreter_for(account: SystemAccount) -> str | None:
    """A Python that `account` can run with our packages, None if there is none."""
    packages = [Path(path) for path in sys.path if path and Path(path).is_dir() and "site-packages" in path]
    if not all(placement.reaches(account, path) for path in (*packages, PROGRAM.parent)):
        return None
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    for candidate in (sys.executable, f"/usr/bin/{version}"):
        path = Path(candidate).resolve()
        if path.exists() and placement.reaches(account, path.parent):
            return str(path)
    return None


class Owner:
    """`own_server.py` as a process."""

    def __init__(
        self, folder: Path, account: SystemAccount | None = None, *, setpriv: tuple[str, ...] = ()
    ) -> None:
        python = sys.executable if account is None else interpreter_for(account) or sys.executable
        paths = [path for path in sys.path if path and path != str(PROGRAM.parent)]
        source = str(Path(__file__).parents[3] / "src")
        self.process = subprocess.Popen(
            [*(("setpriv", *setpriv) if setpriv else ()), python, str(PROGRAM), str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={"PATH": "/usr/bin:/bin", "PYTHONPATH": os.pathsep.join([source, *_packages(paths)])},
            user=account.uid if account is not None and not setpriv else None,
            group=account.gid if account is not None and not setpriv else None,
            extra_groups=[] if account is not None and not setpriv else None,
            cwd="/",
        )

    def answer(self) -> dict[str, Any]:
        """The next line that it prints."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, f"the owner ended with {self.process.wait()}"
        found: dict[str, Any] = json.loads(line)
        return found

    def ask(self) -> dict[str, Any]:
        """How the server is now."""
        assert self.process.stdin is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return self.answer()

    def end(self) -> int:
        """Let it stop the server and end."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        return self.process.wait()

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                with contextlib.suppress(BrokenPipeError):
                    pipe.close()


def _packages(paths: list[str]) -> list[str]:
    return [path for path in paths if "site-packages" in path]


def eventually(done: Callable[[], object]) -> None:
    """Wait for something that other processes do; the test's time limit ends it."""
    while not done():
        time.sleep(0.1)


def eventually_answers(dsn: str) -> int:
    """Wait until the server takes connections; its backend's answer."""
    while True:
        try:
            with psycopg.connect(dsn) as connection:
                row = connection.execute("SELECT count(*) FROM kept").fetchone()
                assert row is not None
                return int(row[0])
        except psycopg.OperationalError:
            time.sleep(0.05)


def keep_a_row(dsn: str) -> None:
    with psycopg.connect(dsn) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS kept (n integer)")
        connection.execute("INSERT INTO kept VALUES (1)")


@pytest.fixture
def folder() -> Iterator[Path]:
    """A data folder that any user can reach."""
    path = Path(tempfile.mkdtemp(prefix="sottovoce-test-", dir="/tmp"))
    path.chmod(0o755)
    yield path / "data"
    for cluster in path.rglob("cluster"):
        eventually(lambda cluster=cluster: not postmaster.running(cluster))
    shutil.rmtree(path)


def identities() -> list[SystemAccount | None]:
    """Whom the killed processes run as: whoever runs the tests, and as root a plain user too."""
    if os.geteuid() == 0 and interpreter_for(NOBODY) is not None:
        return [None, NOBODY]
    return [None]


@pytest.fixture(params=identities(), ids=lambda account: "plain-user" if account else "myself")
def owner(request: pytest.FixtureRequest, folder: Path) -> Iterator[Owner]:
    """A process that owns a server in `folder`."""
    account: SystemAccount | None = request.param
    if account is not None:
        os.chown(folder.parent, account.uid, account.gid)
    process = Owner(folder, account)
    yield process
    process.close()


def test_survives_the_owner_ending_well(owner: Owner, folder: Path) -> None:
    first = owner.answer()
    keep_a_row(first["dsn"])
    assert first["uid"] != 0
    assert owner.end() == 0
    assert postmaster.running(Path(first["cluster"])) == []
    assert postmaster.recorded(Path(first["cluster"])) is None


def test_kill_9_of_the_owner_stops_the_server_and_the_next_owner_has_the_data(
    folder: Path, owner: Owner
) -> None:
    first = owner.answer()
    keep_a_row(first["dsn"])
    owner.process.kill()
    owner.process.wait()
    cluster = Path(first["cluster"])
    eventually(lambda: not postmaster.running(cluster))
    assert postmaster.recorded(cluster) is None, "a fast shutdown removes postmaster.pid"
    second = Owner(folder)
    found = second.answer()
    assert eventually_answers(found["dsn"]) == 1
    assert found["uid"] == first["uid"]
    assert second.end() == 0
    second.close()


def test_kill_9_of_the_postmaster_is_mended_by_the_owner(owner: Owner) -> None:
    first = owner.answer()
    keep_a_row(first["dsn"])
    os.kill(first["pid"], signal.SIGKILL)
    eventually(lambda: postmaster.recorded(Path(first["cluster"])) not in (None, (first["pid"], "ready")))
    assert eventually_answers(first["dsn"]) == 1
    assert owner.ask()["pid"] != first["pid"]
    assert owner.end() == 0


def test_kill_9_of_the_keeper_is_mended_by_the_owner(owner: Owner) -> None:
    first = owner.answer()
    keep_a_row(first["dsn"])
    keeper = parent_of(first["pid"])
    assert keeper != owner.process.pid
    os.kill(keeper, signal.SIGKILL)
    eventually(lambda: postmaster.recorded(Path(first["cluster"])) not in (None, (first["pid"], "ready")))
    assert eventually_answers(first["dsn"]) == 1
    assert owner.end() == 0


def test_kill_9_of_owner_and_keeper_at_once_leaves_no_server(owner: Owner, folder: Path) -> None:
    first = owner.answer()
    keep_a_row(first["dsn"])
    keeper = parent_of(first["pid"])
    os.kill(owner.process.pid, signal.SIGKILL)
    os.kill(keeper, signal.SIGKILL)
    owner.process.wait()
    second = Owner(folder)
    assert eventually_answers(second.answer()["dsn"]) == 1
    assert second.end() == 0
    second.close()


def parent_of(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("PPid:")).split()[1])


async def test_kill_9_of_owner_keeper_and_postmaster_at_once(owner: Owner, folder: Path) -> None:
    first = owner.answer()
    keep_a_row(first["dsn"])
    for pid in (parent_of(first["pid"]), owner.process.pid, first["pid"]):
        os.kill(pid, signal.SIGKILL)
    owner.process.wait()
    server = EmbeddedPostgres(folder)
    assert await asyncio.to_thread(eventually_answers, await server.start()) == 1
    await server.stop()


async def test_a_second_process_is_a_guest_and_stops_nothing(owner: Owner, folder: Path) -> None:
    first = owner.answer()
    keep_a_row(first["dsn"])
    guest = EmbeddedPostgres(folder)
    dsn = await guest.start()
    assert not guest.owned
    assert await asyncio.to_thread(eventually_answers, dsn) == 1
    await guest.stop()
    assert owner.ask()["pid"] == first["pid"]
    assert owner.end() == 0


@pytest.mark.skipif(
    os.geteuid() != 0 or interpreter_for(NOBODY) is None, reason="only root can give capabilities away"
)
@pytest.mark.parametrize(
    ("owners", "guests"),
    [(CAPABLE, PLAIN), (UNTRACING, UNTRACING)],
    ids=["a-command-beside-the-unit", "root-in-a-container"],
)
def test_a_guest_with_fewer_capabilities_finds_the_server(
    folder: Path, owners: tuple[str, ...], guests: tuple[str, ...]
) -> None:
    account = NOBODY if guests is PLAIN else None
    if account is not None:
        os.chown(folder.parent, account.uid, account.gid)
    owner = Owner(folder, account, setpriv=owners)
    first = owner.answer()
    guest = Owner(folder, account, setpriv=guests)
    found = guest.answer()
    assert (found["owned"], found["pid"]) == (False, first["pid"])
    assert "CapEff:\t0000000000000000" in Path(f"/proc/{first['pid']}/status").read_text()
    assert (guest.end(), owner.end()) == (0, 0)
    guest.close()
    owner.close()


async def test_a_postmaster_pid_of_another_program_is_not_believed(folder: Path) -> None:
    server = EmbeddedPostgres(folder)
    keep_a_row(await server.start())
    await server.stop()
    cluster = server.placement.cluster
    lines = [str(os.getpid()), str(cluster), "1700000000", "5432", "/tmp", "", "  1234567  1", "ready   "]
    (cluster / "postmaster.pid").write_text("\n".join(lines) + "\n")
    assert postmaster.running(cluster) == []
    assert await asyncio.to_thread(eventually_answers, await server.start()) == 1
    await server.stop()


@pytest.fixture
async def server(folder: Path) -> Any:
    """A server of this process."""
    server = EmbeddedPostgres(folder)
    await server.start()
    yield server
    await server.stop()


async def test_nobody_else_gets_in(server: EmbeddedPostgres, folder: Path) -> None:
    dsn = await EmbeddedPostgres(folder).start()
    parts = psycopg.conninfo.conninfo_to_dict(dsn)
    assert stat.S_IMODE(server.placement.password_file.stat().st_mode) == 0o600
    sockets = Path(str(parts["host"]))
    assert stat.S_IMODE(sockets.stat().st_mode) == 0o700
    assert stat.S_IMODE((sockets / placement.SOCKET_NAME).stat().st_mode) == 0o700
    assert stat.S_IMODE(server.placement.cluster.stat().st_mode) == 0o700
    host = parts["host"]
    for conninfo in (
        {"user": "sottovoce", "password": "wrong", "dbname": "sottovoce"},
        {"user": "postgres", "password": parts["password"], "dbname": "postgres"},
        {"user": "sottovoce", "dbname": "sottovoce", "passfile": "/dev/null"},
    ):
        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(host=str(host), **conninfo)
    with psycopg.connect(dsn) as connection:
        role = connection.execute("SELECT rolsuper, rolcreaterole FROM pg_roles WHERE rolname = current_user")
        assert role.fetchone() == (False, False)
        assert connection.execute("SHOW listen_addresses").fetchone() == ("",)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("SELECT pg_read_file('/etc/passwd')")
    running = postmaster.recorded(server.placement.cluster)
    assert running is not None
    inodes = {
        os.readlink(link)
        for link in Path(f"/proc/{running[0]}/fd").iterdir()
        if "socket" in os.readlink(link)
    }
    tcp = Path("/proc/net/tcp").read_text() + Path("/proc/net/tcp6").read_text()
    assert not any(f" {inode.strip('socket:[]')} " in tcp for inode in inodes)


async def test_a_lost_password_file_is_made_anew(folder: Path) -> None:
    server = EmbeddedPostgres(folder)
    keep_a_row(await server.start())
    await server.stop()
    server.placement.password_file.unlink()
    assert await asyncio.to_thread(eventually_answers, await server.start()) == 1
    await server.stop()


async def test_an_initdb_that_was_killed_is_begun_again(folder: Path) -> None:
    server = EmbeddedPostgres(folder)
    await server.start()
    await server.stop()
    home = server.placement.home
    (home / "cluster").rename(home / "making-cluster")
    (home / "making-cluster" / "base").rename(home / "making-cluster" / "torn")
    keep_a_row(await server.start())
    await server.stop()


async def test_a_cluster_of_another_version_is_told(folder: Path) -> None:
    server = EmbeddedPostgres(folder)
    await server.start()
    await server.stop()
    (server.placement.cluster / "PG_VERSION").write_text("15\n")
    with pytest.raises(CannotStart, match=r"made by PostgreSQL 15, the installed one is 18\."):
        await server.start()


async def test_what_postgresql_says_is_in_the_error(folder: Path) -> None:
    server = EmbeddedPostgres(folder)
    await server.start()
    await server.stop()
    with (server.placement.cluster / "postgresql.conf").open("a") as file:
        file.write("shared_buffers = 'much'\n")
    with pytest.raises(CannotStart, match="shared_buffers"):
        await server.start()


async def test_a_long_data_folder_has_its_socket_elsewhere(folder: Path) -> None:
    deep = folder / ("a" * 60) / ("b" * 60)
    if os.geteuid() == 0:
        folder.mkdir(mode=0o755)
    server = EmbeddedPostgres(deep)
    dsn = await server.start()
    sockets = Path(str(psycopg.conninfo.conninfo_to_dict(dsn)["host"]))
    assert len(os.fsencode(sockets / placement.SOCKET_NAME)) <= placement.SOCKET_PATH_LIMIT
    keep_a_row(dsn)
    await server.stop()
    assert not sockets.exists()


def test_a_socket_folder_that_another_made_is_refused(folder: Path) -> None:
    home = folder / "home"
    home.mkdir(parents=True)
    account = SystemAccount(os.geteuid(), os.getegid(), "me")
    (home / "run").mkdir(mode=0o755)
    (home / "run").chmod(0o755)
    with pytest.raises(CannotStart, match="not a private folder"):
        placement.socket_folder(placement.Placement(account, home))


async def test_a_temporary_one_leaves_nothing(folder: Path) -> None:
    server = EmbeddedPostgres(folder, temporary=True)
    keep_a_row(await server.start())
    home = server.placement.home
    await server.stop()
    assert not home.exists()


def test_a_folder_that_cannot_be_made_is_told(folder: Path) -> None:
    folder.write_text("a file")
    with pytest.raises(CannotStart, match="cannot be made"):
        placement.place(folder / "data")


@pytest.mark.parametrize("run_as", ["no-such-user", "root"])
def test_run_as_must_be_a_plain_user(folder: Path, run_as: str) -> None:
    if os.geteuid() != 0:
        assert placement.place(folder, run_as).account.uid == os.geteuid(), "only root runs it as another"
        return
    with pytest.raises(CannotStart, match="run_as"):
        placement.place(folder, run_as)


async def test_root_below_a_closed_folder_runs_elsewhere_and_opens_nothing(folder: Path) -> None:
    if os.geteuid() != 0:
        return
    closed = folder
    closed.mkdir(mode=0o700)
    server = EmbeddedPostgres(closed / "data", temporary=True)
    keep_a_row(await server.start())
    assert not server.placement.home.is_relative_to(closed)
    assert stat.S_IMODE(closed.stat().st_mode) == 0o700
    await server.stop()


def test_binaries_out_of_reach_are_copied(folder: Path) -> None:
    if os.geteuid() != 0:
        return
    found = placement.place(folder)
    installed = placement.binaries(placement.Placement(SystemAccount(0, 0, "root"), found.home))
    copied = placement._copied(installed, found)
    assert copied.is_relative_to(found.home)
    assert placement._copied(installed, found) == copied
    version = subprocess.run(
        [copied / "bin" / "postgres", "--version"],
        user=found.account.uid,
        group=found.account.gid,
        extra_groups=[],
        capture_output=True,
        text=True,
        check=True,
        cwd="/",
    )
    assert version.stdout.startswith("postgres (PostgreSQL) 18")
