"""The SHA-256 of files: what says later whether a recording is the one that was made."""

from __future__ import annotations

import hashlib
from pathlib import Path


def file_sha256(path: Path) -> str:
    """The SHA-256 of a file's bytes, hexadecimal. Blocks, for a thread; others run meanwhile. OSError."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
