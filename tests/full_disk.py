"""As a full disk: a process whose files cannot grow (`RLIMIT_FSIZE`)."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def file_size_limit(size: int, *pids: int) -> Iterator[None]:
    """No file of these processes, or of this one and what it starts, grows beyond that."""
    before = {pid: resource.prlimit(pid, resource.RLIMIT_FSIZE) for pid in pids or (0,)}
    for pid, (_, hard) in before.items():
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        for pid, limits in before.items():
            resource.prlimit(pid, resource.RLIMIT_FSIZE, limits)
