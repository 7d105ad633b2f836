"""What systemd is told, on a socket of ours."""

from __future__ import annotations

import asyncio
import os
import socket
from pathlib import Path

import pytest

from sottovoce.systemd import Notifier
from sottovoce.tasks import Tasks


@pytest.mark.parametrize("abstract", [False, True])
async def test_words_and_signs_of_life(tmp_path: Path, abstract: bool) -> None:
    name = f"@sottovoce-test-{os.getpid()}" if abstract else str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind("\0" + name[1:] if abstract else name)
        systemd.setblocking(False)
        notifier = Notifier(
            {"NOTIFY_SOCKET": name, "WATCHDOG_USEC": "40000", "WATCHDOG_PID": str(os.getpid())}
        )
        assert notifier.every_s == 0.02
        notifier.ready("HTTP here")
        notifier.reloading()
        tasks = Tasks()
        notifier.watch(tasks)
        heard = [await asyncio.get_running_loop().sock_recv(systemd, 1000) for _ in range(4)]
        notifier.stopping()
        await tasks.close()
    assert heard[0] == b"READY=1\nSTATUS=HTTP here"
    assert heard[1].startswith(b"RELOADING=1\nMONOTONIC_USEC=")
    assert heard[2:] == [b"WATCHDOG=1"] * 2


async def test_without_systemd_nothing_is_said(tmp_path: Path) -> None:
    for environment in ({}, {"NOTIFY_SOCKET": str(tmp_path / "nobody")}, {"WATCHDOG_USEC": "x"}):
        notifier = Notifier(environment)
        notifier.ready("")
        assert notifier.every_s is None
    assert Notifier({"WATCHDOG_USEC": "1000000", "WATCHDOG_PID": "1"}).every_s is None, "another process's"
