"""Whether a PostgreSQL still runs on a cluster, and ending one that was left behind.

`postmaster.pid` alone does not say: its process id may long be another program's (after a reboot,
in a container always). A process counts only if it is a postgres whose working directory is the
cluster, which is true of the postmaster and of all its children. Where the kernel does not show us its
working directory (it has capabilities that we lack, or we are root without CAP_SYS_PTRACE, as in many
containers), the postmaster is known by its arguments, and its children are not found.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

PROC = Path("/proc")


def recorded(cluster: Path) -> tuple[int, str] | None:
    """Process id and status (`starting`, `ready`, …) that `postmaster.pid` records, or None."""
    try:
        lines = (cluster / "postmaster.pid").read_text(encoding="utf-8", errors="replace").splitlines()
        return int(lines[0]), lines[7].strip() if len(lines) > 7 else ""
    except (OSError, ValueError, IndexError):
        return None


def running(cluster: Path) -> list[int]:
    """Ids of all postgres processes that work in `cluster`, the postmaster first if it lives."""
    found = recorded(cluster)
    if not PROC.is_dir():
        return [found[0]] if found is not None and _alive(found[0]) else []
    where = os.path.realpath(cluster)
    ids = [int(entry.name) for entry in PROC.iterdir() if entry.name.isdigit() and _works_in(entry, where)]
    first = found[0] if found is not None else 0
    return sorted(ids, key=lambda pid: (pid != first, pid))


def end_leftover(cluster: Path, patience: float = 10.0) -> bool:
    """End whatever still runs on `cluster`; whether there was anything.

    A postmaster is asked for a fast shutdown, then for an immediate one, then killed; children whose
    postmaster is gone end by themselves. Removes `postmaster.pid` only when nothing runs any more.
    Blocks for `patience` seconds at most per step.
    """
    was_running = False
    for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
        ids = running(cluster)
        if not ids:
            break
        was_running = True
        found = recorded(cluster)
        master = [pid for pid in ids if found is not None and pid == found[0]]
        for pid in master or (ids if number is signal.SIGKILL else []):
            _signal(pid, number)
        _wait(lambda: not running(cluster), patience)
    if recorded(cluster) is not None and not running(cluster):
        (cluster / "postmaster.pid").unlink(missing_ok=True)
    return was_running


def _works_in(entry: Path, where: str) -> bool:
    try:
        if not (entry / "comm").read_text(encoding="utf-8", errors="replace").startswith("postgres"):
            return False
        try:
            return os.readlink(entry / "cwd") == where
        except PermissionError:
            arguments = os.fsdecode((entry / "cmdline").read_bytes()).split("\0")
            return any(os.path.realpath(argument) == where for argument in arguments if argument[:1] == "/")
    except OSError:
        return False


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _signal(pid: int, number: int) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return


def _wait(done: Callable[[], bool], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not done() and time.monotonic() < deadline:
        time.sleep(0.02)
