"""The journal's file on the local disk: what was appended and is not in the database yet.

Every record is written here as it is appended, so that kill -9 loses none (the page cache
survives the process; a power cut may lose the last seconds). Lines of JSON, the lease's epoch and
a number in each. It is emptied when the database has everything, and bounded.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog

from sottovoce.domain.journal import Change
from sottovoce.storage.records import decode, encode

log = structlog.get_logger(__name__)

_WORTH_REWRITING = 4 << 20
"""Bytes of confirmed records above which the file is written anew although some still wait …"""
_CHEAP_REWRITING = 256 << 10
"""… if those that wait are no more than this."""

_MAKING = ".making"
_BLANKS = b" " * 4096


@dataclass(frozen=True, slots=True)
class Record:
    """A change with its number in the VDN's journal and the epoch of who appended it."""

    number: int
    epoch: int
    change: Change
    size: int = 0
    """Bytes in the file."""


class Spool:
    """One VDN's file. Never raises for the disk's sake: a disk that fails is logged once."""

    def __init__(self, path: Path, limit: int) -> None:
        self._path = path
        self.limit = limit
        self._handle: int | None = None
        self._size = 0
        self.failing = False
        """The disk refused what it was given last; logged once until it takes something again."""
        self.incomplete = False
        """What waits is not all there: some of it is in memory alone."""

    @property
    def strained(self) -> bool:
        """Whether what begins now may find no room: the disk failed, or a quarter of the bound is left.

        That quarter is for the ends of what runs."""
        return self.incomplete or self.failing or self._size > self.limit * 3 // 4

    def read(self) -> list[Record]:
        """What a former process left, up to the first line that is not whole."""
        records: list[Record] = []
        try:
            with self._path.open("rb") as file:
                lines = file.read(os.fstat(file.fileno()).st_size).split(b"\n")
        except FileNotFoundError:
            return records
        except OSError as failure:
            self._complain(failure)
            return records
        for line in lines[:-1]:
            try:
                content = json.loads(line)
                number, epoch = int(content["n"]), int(content["e"])
                records.append(Record(number, epoch, decode(content["c"]), len(line) + 1))
            except (ValueError, KeyError, TypeError) as failure:
                log.error("the spool is damaged from here on", file=str(self._path), line=len(records) + 1)
                self.set_aside(f"damaged: {failure}")
                break
        return records

    def write(self, number: int, epoch: int, change: Change) -> Record | None:
        """Add a change; its record, or None if the bound is reached."""
        line = _line(number, epoch, encode(change))
        if self._size + len(line) > self.limit:
            return None
        if not self._add(line):
            self.incomplete = True
        self._size += len(line)
        return Record(number, epoch, change, len(line))

    def probe(self) -> None:
        """Find out whether the disk has room: blanks are added and taken away again. If only the process ends
        in between, they are the beginning of a line, which `read` leaves out."""
        if self._add(_BLANKS) and self._handle is not None:
            with contextlib.suppress(OSError):
                os.ftruncate(self._handle, os.fstat(self._handle).st_size - len(_BLANKS))

    def confirm(self, waiting: Iterable[Record], size: int) -> None:
        """The database has all but `waiting` (`size` bytes): drop the rest from the file when it pays."""
        if size and (size > _CHEAP_REWRITING or self._size - size < _WORTH_REWRITING):
            return
        try:
            if not size:
                if self._handle is not None:
                    os.ftruncate(self._handle, 0)
                elif self._path.exists():
                    os.truncate(self._path, 0)
            else:
                self._rewrite(waiting)
            self._size = size
            self.incomplete = False
        except OSError as failure:
            self._complain(failure)

    def mend(self, waiting: Iterable[Record]) -> None:
        """Put all that waits on the disk, if some of it is in memory alone and there is room again."""
        if not self.incomplete:
            return
        try:
            self._rewrite(waiting)
        except OSError:
            with contextlib.suppress(OSError):
                self._path.with_suffix(_MAKING).unlink(missing_ok=True)
            return
        self.incomplete = self.failing = False
        log.info("the spool is whole again", file=str(self._path))

    def set_aside(self, why: str) -> Path | None:
        """Keep the file under another name, for people to look at; begin anew."""
        self.close()
        for count in range(1, 1000):
            kept = self._path.with_suffix(f".aside-{count}")
            if kept.exists():
                continue
            with contextlib.suppress(OSError):
                self._path.rename(kept)
                log.error("journal records were set aside", why=why, file=str(kept))
                self._size = 0
                return kept
            break
        return None

    def close(self) -> None:
        """Close the file; it stays."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None

    def _add(self, data: bytes) -> bool:
        """Add all of it, or nothing; whether the disk took it."""
        try:
            if self._handle is None:
                self._handle = self._open()
            written = os.write(self._handle, data)
            if written != len(data):
                os.ftruncate(self._handle, os.fstat(self._handle).st_size - written)
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        except OSError as failure:
            self._complain(failure)
            return False
        self.failing = False
        return True

    def _open(self) -> int:
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        return os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def _rewrite(self, waiting: Iterable[Record]) -> None:
        making = self._path.with_suffix(_MAKING)
        with os.fdopen(os.open(making, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            for record in waiting:
                file.write(_line(record.number, record.epoch, encode(record.change)))
        self.close()
        making.rename(self._path)

    def _complain(self, failure: OSError) -> None:
        if not self.failing:
            log.error("the spool cannot be used", file=str(self._path), reason=failure.strerror)
        self.failing = True


def _line(number: int, epoch: int, content: dict[str, Any]) -> bytes:
    record = {"n": number, "e": epoch, "c": content}
    return json.dumps(record, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
