"""Keys in the data folder, for their owner's eyes only. All of it blocks."""

from __future__ import annotations

import os
import secrets
from pathlib import Path


def write(path: Path, key: bytes) -> None:
    """A new file, whole or not at all."""
    path.parent.mkdir(mode=0o700 if os.geteuid() else 0o711, parents=True, exist_ok=True)
    making = path.with_name(f"{path.name}.making")
    making.unlink(missing_ok=True)
    handle = os.open(making, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(key)
        file.flush()
        os.fsync(file.fileno())
    making.rename(path)


def random_key(path: Path, length: int) -> bytes:
    """The key of that file; made by chance where there is none of that length."""
    try:
        key = path.read_bytes()
    except FileNotFoundError:
        key = b""
    if len(key) != length:
        key = secrets.token_bytes(length)
        write(path, key)
    return key
