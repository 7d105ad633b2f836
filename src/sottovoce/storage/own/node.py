"""This node's name, kept in the data folder; and that only one process serves from that folder."""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
from pathlib import Path


class NodeTaken(Exception):
    """Another process serves from this data folder."""


class Node:
    """The data folder's name among the nodes, held by this process until `release` or its end."""

    def __init__(self, name: str, handle: int) -> None:
        self.name = name
        self._handle: int | None = handle

    def release(self) -> None:
        """Let another process serve from here."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None


def is_held(data_folder: Path) -> bool:
    """Whether a process serves from that data folder now."""
    try:
        handle = os.open(data_folder / "node", os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(handle)
    return False


def claim(data_folder: Path) -> Node:
    """Hold the data folder for this process; its name is made once. Raises NodeTaken, OSError."""
    data_folder.mkdir(mode=0o700 if os.geteuid() else 0o711, parents=True, exist_ok=True)
    path = data_folder / "node"
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        raise NodeTaken(
            f"another sottovoce serves from {data_folder}: stop it, or set SOTTOVOCE_DATA"
        ) from None
    name = os.pread(handle, 64, 0).decode("ascii", "replace").strip()
    if not name:
        name = secrets.token_hex(8)
        os.pwrite(handle, (name + "\n").encode("ascii"), 0)
        with contextlib.suppress(OSError):
            os.fsync(handle)
    return Node(name, handle)
