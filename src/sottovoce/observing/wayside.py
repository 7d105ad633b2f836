"""The socket by which the machine's own operator asks: a Unix socket in the data folder.

Who may connect is decided by the file system: the user that the server runs as, and root. A path that is
too long for a socket (`sun_path`, 107 bytes) is reached through the folder's open handle.
"""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Iterator
from pathlib import Path

NAME = "operator.sock"
_LONGEST = 107


@contextlib.contextmanager
def reaching(data: Path) -> Iterator[str]:
    """A path of the socket in that data folder that can be bound or connected to. Raises OSError."""
    path = data / NAME
    if len(os.fsencode(path)) <= _LONGEST:
        yield str(path)
        return
    handle = os.open(data, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{handle}/{NAME}"
    finally:
        os.close(handle)


def bound(data: Path) -> socket.socket:
    """The socket, bound, for nobody else, in place of one that a former process left. Raises OSError.

    Call it only where this process alone serves from the data folder (`storage.own.node`).
    """
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        (data / NAME).unlink(missing_ok=True)
        with reaching(data) as path:
            listener.bind(path)
        (data / NAME).chmod(0o600)  # nobody can connect before it listens
    except OSError:
        listener.close()
        raise
    listener.setblocking(False)
    return listener
