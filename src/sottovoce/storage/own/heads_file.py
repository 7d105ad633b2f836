"""The file that signed heads are added to, best on another machine: nobody waits for it for long.

A mount whose machine is gone may hang for hours in any call. So a thread of its own writes; what it has not
written is written with the next heads, and a thread that hangs is never joined by another.
"""

from __future__ import annotations

import asyncio
import json
import os
import stat
import threading
from collections.abc import Sequence
from concurrent.futures import Future
from pathlib import Path

from sottovoce.domain.audit_chain import SignedHead
from sottovoce.plain import Unreadable, from_plain, to_plain

WAIT_S = 3.0
"""How long a start, a stop or a day's signature waits for the file."""


class HeadsFile:
    """A file of signed heads, one JSON object a line."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._unkept: list[SignedHead] = []
        self._done: Future[None] = Future()
        self._done.set_result(None)
        self._failure: OSError | None = None

    async def add(self, made: Sequence[SignedHead]) -> None:
        """Add heads, and those that could not be added before. OSError, TimeoutError after WAIT_S."""
        with self._lock:
            self._unkept += made
        if self._done.done():
            self._done = Future()
            threading.Thread(target=self._write, args=(self._done,), name="audit heads", daemon=True).start()
        done, _ = await asyncio.wait([asyncio.wrap_future(self._done)], timeout=WAIT_S)
        if not done:
            raise TimeoutError(f"it does not answer within {WAIT_S:g} s")
        if self._failure is not None:
            raise self._failure

    def _write(self, done: Future[None]) -> None:
        with self._lock:
            heads = list(self._unkept)
        try:
            _append(self.path, heads)
        except OSError as failure:
            self._failure = failure
        else:
            self._failure = None
            with self._lock:
                del self._unkept[: len(heads)]
        finally:
            done.set_result(None)


def kept(file: Path) -> list[SignedHead]:
    """The signed heads in a file that the server kept. ValueError names the line that is none. OSError."""
    found = []
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), start=1):
        try:
            found.append(from_plain(SignedHead, json.loads(line)))
        except (Unreadable, ValueError) as failure:
            raise ValueError(f"{file}: line {number} is no signed head") from failure
    return found


def _append(file: Path, made: Sequence[SignedHead]) -> None:
    text = "".join(json.dumps(to_plain(signed), separators=(",", ":")) + "\n" for signed in made)
    handle = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        os.write(handle, text.encode())
        if stat.S_ISREG(os.fstat(handle).st_mode):
            os.fsync(handle)
    finally:
        os.close(handle)
