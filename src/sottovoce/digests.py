"""The SHA-256 of files, which says later whether a recording is the one that was made, and of secrets."""

from __future__ import annotations

import hashlib
from pathlib import Path


def text_sha256(text: str) -> bytes:
    """The SHA-256 of a text, whatever it holds: 32 bytes."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()


def file_sha256(path: Path) -> str:
    """The SHA-256 of a file's bytes, hexadecimal. Blocks, for a thread; others run meanwhile. OSError."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
