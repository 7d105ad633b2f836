"""The operator's socket: nobody else's, at any length of path, in place of a dead one."""

from __future__ import annotations

import os
import socket
import stat
from pathlib import Path

import pytest

from sottovoce.observing import wayside


@pytest.mark.parametrize("deep", [0, 30], ids=["short", "longer than a socket's path may be"])
def test_it_can_be_reached_and_nobody_else_may(tmp_path: Path, deep: int) -> None:
    data = tmp_path.joinpath(*(["folder"] * deep))
    data.mkdir(parents=True, exist_ok=True)
    for _ in range(2):  # the second takes the place of what the first left
        listener = wayside.bound(data)
        listener.listen()
        found = (data / wayside.NAME).stat()
        assert stat.S_ISSOCK(found.st_mode)
        assert (stat.S_IMODE(found.st_mode), found.st_uid) == (0o600, os.geteuid())
        with wayside.reaching(data) as path, socket.socket(socket.AF_UNIX) as client:
            client.connect(path)
        listener.close()
    with wayside.reaching(data) as path, socket.socket(socket.AF_UNIX) as client, pytest.raises(OSError):
        client.connect(path)


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file"):
        wayside.bound(tmp_path / "nowhere")
