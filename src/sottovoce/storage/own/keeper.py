"""A small program between the server and its PostgreSQL: whoever dies, PostgreSQL is shut down.

Run as `python -I -S keeper.py UID GID PATIENCE COMMAND…`, never imported by the server. It becomes
UID (unless that is -1), starts COMMAND (postgres) and waits. When standard input ends, because the
server closed it or died by whatever means, it asks for a fast shutdown (SIGINT), after PATIENCE
seconds for an immediate one (SIGQUIT), and at last kills. If the keeper itself is killed, the kernel
sends postgres the SIGINT (PR_SET_PDEATHSIG; the keeper has one thread, so its death is meant).
postgres inherits no capability: it needs none, and who has fewer than a process cannot see where it
works (`postmaster.py`). It exits with 0 after a shutdown that was asked for, 3 when postgres ended by itself.
"""

from __future__ import annotations

import ctypes
import os
import select
import signal
import sys
import time

PR_SET_PDEATHSIG = 1
PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL = 47, 4
ENDED_BY_ITSELF = 3


def main(arguments: list[str]) -> int:
    """Start, wait, shut down."""
    uid, gid, patience = int(arguments[0]), int(arguments[1]), float(arguments[2])
    command = arguments[3:]
    prctl = getattr(ctypes.CDLL(None), "prctl", None)
    if uid >= 0:
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    wake_read, wake_write = os.pipe()
    os.set_blocking(wake_write, False)
    signal.set_wakeup_fd(wake_write, warn_on_full_buffer=False)
    for number in (signal.SIGCHLD, signal.SIGTERM):
        signal.signal(number, _note)
    keeper = os.getpid()
    child = os.fork()
    if child == 0:
        _become(command, keeper, prctl)
    parent = os.getppid()
    while True:
        ready, _, _ = select.select([0, wake_read], [], [], 1.0)
        if wake_read in ready:
            os.read(wake_read, 512)
        if os.waitpid(child, os.WNOHANG)[0]:
            return ENDED_BY_ITSELF
        if 0 in ready or _noted.get(signal.SIGTERM) or os.getppid() != parent:
            return _shut_down(child, patience)


_noted: dict[int, bool] = {}


def _note(number: int, _frame: object) -> None:
    _noted[number] = True


def _become(command: list[str], keeper: int, prctl: object) -> None:
    """In the child: turn into `command`. Never returns."""
    try:
        for number in (signal.SIGINT, signal.SIGHUP, signal.SIGCHLD, signal.SIGTERM):
            signal.signal(number, signal.SIG_DFL)
        if callable(prctl):
            prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0)
            prctl(PR_SET_PDEATHSIG, int(signal.SIGINT), 0, 0, 0)
        nothing = os.open(os.devnull, os.O_RDWR)
        os.dup2(nothing, 0)
        if os.getppid() == keeper:
            os.execv(command[0], command)  # noqa: S606 - the path is the caller's, no shell
    except OSError as failure:
        sys.stderr.write(f"{command[0]}: {failure.strerror}\n")
        sys.stderr.flush()
    finally:
        os._exit(127)


def _shut_down(child: int, patience: float) -> int:
    for number, seconds in ((signal.SIGINT, patience), (signal.SIGQUIT, 5.0), (signal.SIGKILL, 5.0)):
        os.kill(child, number)
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if os.waitpid(child, os.WNOHANG)[0]:
                return 0
            time.sleep(0.02)
    return ENDED_BY_ITSELF


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
