"""The log: one event with its keys and values a line, on standard error, secrets masked.

`configure` is called once by the command line; everybody else asks `structlog.get_logger(__name__)`.
What libraries log by the standard library's logging comes out the same way.
"""

from __future__ import annotations

import logging
import re
import sys
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


def configure(level: str = "info", form: str = "console", stream: IO[str] | None = None) -> None:
    """Set the log up: `level` is the least that is logged, `form` is `console` or `json`."""
    out = stream if stream is not None else sys.stderr
    least = logging.getLevelNamesMapping()[level.upper()]
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
    ]
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
                colors=out.isatty(), exception_formatter=structlog.dev.plain_traceback
            ),
        ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            structlog.stdlib.add_logger_name,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(out)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name, *shared],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(least)
    for chatty in ("sqlalchemy", "alembic", "asyncio", "httpx", "httpcore", "psycopg"):
        logging.getLogger(chatty).setLevel(max(least, logging.WARNING))
    # `quality.jobs` tells what becomes of jobs; these tell an outage of the database by tracebacks.
    for quiet in ("procrastinate", "psycopg.pool"):
        logging.getLogger(quiet).setLevel(logging.CRITICAL)
