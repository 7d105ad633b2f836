"""The log: one event with its keys and values a line, on standard error or in a file, secrets masked.

`configure` is called once by each process; everybody else asks `structlog.get_logger(__name__)`.
What libraries log by the standard library's logging comes out the same way. A line that others can cause
again and again names by `per=` what makes it the same: it is written once a minute, with their number.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import logging.handlers
import os
import re
import sys
from collections.abc import Callable, Hashable, Mapping
from io import TextIOWrapper
from pathlib import Path
from typing import IO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

MASK = "***"
_SECRET_KEY = re.compile(
    r"passw|secret|token|guid|authori[sz]ation|ha1|cookie|jsessionid|^pw$|apikey", re.IGNORECASE
)
_SECRET_IN_URL = re.compile(r"(?<=://)([^\s:/@]*):([^\s@/]+)@")


def mask_text(text: str) -> str:
    """`text` with the password of every URL in it masked."""
    return _SECRET_IN_URL.sub(rf"\1:{MASK}@", text)


def mask_secrets(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Processor: mask values whose key names a secret, and passwords in URLs."""
    for key, value in event.items():
        if _SECRET_KEY.search(key) and value is not None and not isinstance(value, bool):
            event[key] = MASK
        elif isinstance(value, str) and "://" in value:
            event[key] = mask_text(value)
    return event


AGAIN_S = 60.0
"""How long repeats of a line are counted before their number is written."""
MOST_COUNTED = 1000
"""Lines whose repeats are counted at the same time; others are then counted by their event alone."""


def _in_the_loop(seconds: float, then: Callable[[], None]) -> None:
    asyncio.get_running_loop().call_later(seconds, then)


class Repeats:
    """Processor: writes the first of the lines that have the same `per`, counts the others of a minute, and
    writes the last of them when it is over, with `again`: their number.

    `later` calls something after so many seconds; it raises RuntimeError where nothing can be waited for:
    then all lines are written.
    """

    def __init__(self, later: Callable[[float, Callable[[], None]], None] = _in_the_loop) -> None:
        self._later = later
        self._counted: dict[Hashable, tuple[int, Callable[[int], object] | None]] = {}

    def __call__(self, logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
        if "per" not in event:
            return event
        key: Hashable = (event["event"], event.pop("per"))
        if key not in self._counted and len(self._counted) >= MOST_COUNTED:
            key = event["event"]
        known = self._counted.get(key)
        if known is not None:
            values = dict(event)
            text = values.pop("event")

            def write(again: int) -> None:
                getattr(structlog.get_logger(logger.name), method)(text, **values, again=again)

            self._counted[key] = (known[0] + 1, write)
            raise structlog.DropEvent
        with contextlib.suppress(RuntimeError):
            self._open(key)
        return event

    def _open(self, key: Hashable) -> None:
        self._later(AGAIN_S, lambda: self._close(key))
        self._counted[key] = (0, None)

    def _close(self, key: Hashable) -> None:
        again, write = self._counted.pop(key)
        if write is not None:
            self._open(key)
            write(again)


def configure(
    level: str = "info",
    form: str = "console",
    stream: IO[str] | None = None,
    *,
    file: Path | None = None,
    always: Mapping[str, object] | None = None,
    repeats: Repeats | None = None,
) -> None:
    """Set the log up: `level` is the least that is logged, `form` is `console` or `json`.

    It goes to `file`, which may be moved away at any time, or else to `stream` (standard error). `always`
    is in each line (which worker it is of); `repeats` counts what comes again. Raises OSError: the file
    cannot be opened.
    """
    out = stream if stream is not None else sys.stderr
    least = logging.getLevelNamesMapping()[level.upper()]
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
    ]
    if always:
        shared.insert(0, lambda _logger, _method, event: {**event, **always})
    last: list[Processor]
    if form == "json":
        last = [
            structlog.processors.format_exc_info,
            mask_secrets,
            structlog.processors.JSONRenderer(ensure_ascii=False, default=str),
        ]
    else:
        last = [
            mask_secrets,
            structlog.dev.ConsoleRenderer(
                colors=file is None and out.isatty(), exception_formatter=structlog.dev.plain_traceback
            ),
        ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            repeats or Repeats(),
            structlog.stdlib.add_logger_name,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(out) if file is None else _File(file)
    formatter = _ForJournal if file is None and _is_journal(out) else structlog.stdlib.ProcessorFormatter
    handler.setFormatter(
        formatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name, *shared],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
        )
    )
    root = logging.getLogger()
    for former in root.handlers:
        if isinstance(former, _File):
            former.close()
    root.handlers[:] = [handler]
    root.setLevel(least)
    for chatty in ("sqlalchemy", "alembic", "asyncio", "httpx", "httpcore", "psycopg"):
        logging.getLogger(chatty).setLevel(max(least, logging.WARNING))
    # `quality.jobs` tells what becomes of jobs; these tell an outage of the database by tracebacks.
    for quiet in ("procrastinate", "psycopg.pool"):
        logging.getLogger(quiet).setLevel(logging.CRITICAL)


def reopen() -> None:
    """Open the log's file again, if it was moved away. It is noticed with the next line in any case."""
    for handler in logging.getLogger().handlers:
        if isinstance(handler, _File):
            handler.acquire()
            try:
                handler.reopenIfNeeded()
            finally:
                handler.release()


class _File(logging.handlers.WatchedFileHandler):
    """A file that each process adds to for itself, and that may be moved away; nobody else reads it."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, encoding="utf-8", errors="backslashreplace")

    def _open(self) -> TextIOWrapper:
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
        return open(os.open(self.baseFilename, flags, 0o640), "a", encoding=self.encoding, errors=self.errors)


_PRIORITIES = {"critical": 2, "error": 3, "warning": 4, "info": 6, "debug": 7}


class _ForJournal(structlog.stdlib.ProcessorFormatter):
    """Lines with the journal's priority in front, so that `journalctl -p err` finds errors (sd-daemon(3))."""

    def format(self, record: logging.LogRecord) -> str:
        priority = _PRIORITIES.get(record.levelname.lower(), 6)
        return f"<{priority}>{super().format(record)}"


def _is_journal(out: IO[str]) -> bool:
    """Whether that stream goes to systemd's journal, as JOURNAL_STREAM says (systemd.exec(5))."""
    named = os.environ.get("JOURNAL_STREAM")
    if not named:
        return False
    try:
        found = os.fstat(out.fileno())
    except (OSError, ValueError):
        return False
    return named == f"{found.st_dev}:{found.st_ino}"
