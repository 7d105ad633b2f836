"""A file as an answer: whole, or the one range of it that was asked for (RFC 9110, 14). Never in memory.

`bytes=0-99`, `100-` and `-100` are answered with 206, or with 416 where the file has nothing there; If-Range
with another ETag or date, several ranges, other units and what is no range get the whole file, as HEAD does.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from starlette.responses import FileResponse
from starlette.types import Receive, Scope, Send

_ONE_RANGE = re.compile(rb"bytes=[ \t]*(?:([0-9]{1,18})-([0-9]{0,18})|-[0-9]{1,18})[ \t]*", re.IGNORECASE)


class FileAnswer(FileResponse):
    """A file, as it was when `state` was taken; a client keeps no copy."""

    def __init__(self, path: Path, state: os.stat_result, media_type: str) -> None:
        headers = {"Cache-Control": "private, no-store", "X-Content-Type-Options": "nosniff"}
        super().__init__(path, headers=headers, media_type=media_type, stat_result=state)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a GET or HEAD."""
        ranges = [value for name, value in scope["headers"] if name == b"range"]
        if ranges and (scope["method"] != "GET" or len(ranges) > 1 or not _counts(ranges[0])):
            others = [(name, value) for name, value in scope["headers"] if name != b"range"]
            scope = {**scope, "headers": others}
        await super().__call__(scope, receive, send)


def _counts(wanted: bytes) -> bool:
    """Whether that is a range that this server knows, and no nonsense."""
    one = _ONE_RANGE.fullmatch(wanted.strip())
    return one is not None and (not one[2] or int(one[1]) <= int(one[2]))
