"""The words between a service and systemd: sd_notify(3), over a datagram socket. Silent without systemd.

Type=notify: `READY=1` once everything is served, `STOPPING=1` before the end, `RELOADING=1` while something
is read again. WatchdogSec=: a sign of life from the event loop; a loop that hangs says none and is restarted.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import time
from collections.abc import Mapping

from sottovoce.tasks import Tasks


class Notifier:
    """Tells systemd, where it listens: `environment` names its socket and how often it wants a sign."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        path = environment.get("NOTIFY_SOCKET", "")
        self._address = "\0" + path[1:] if path.startswith("@") else path
        self.every_s = _half_of_watchdog(environment)
        """Seconds between two signs of life; None: nobody wants any."""

    def ready(self, status: str) -> None:
        """Everything is served; `status` is what `systemctl status` shows."""
        self._say("READY=1", f"STATUS={status}")

    def reloading(self) -> None:
        """Something is read again; `ready` follows."""
        self._say("RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}")

    def stopping(self) -> None:
        """The end begins."""
        self._say("STOPPING=1")

    def watch(self, tasks: Tasks) -> None:
        """Give signs of life from now on, if they are wanted."""
        if self._address and self.every_s is not None:
            tasks.spawn(self._live(self.every_s), name="watchdog")

    async def _live(self, every_s: float) -> None:
        while True:
            self._say("WATCHDOG=1")
            await asyncio.sleep(every_s)

    def _say(self, *words: str) -> None:
        if not self._address:
            return
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as out:
            out.setblocking(False)
            out.sendto("\n".join(words).encode(), self._address)


def _half_of_watchdog(environment: Mapping[str, str]) -> float | None:
    usec, pid = environment.get("WATCHDOG_USEC", ""), environment.get("WATCHDOG_PID", "")
    if not usec.isdecimal() or int(usec) == 0 or (pid and pid != str(os.getpid())):
        return None
    return int(usec) / 2_000_000
