"""Where events are pushed to, and which URLs the operator's list lets through.

A URL is taken when scheme, host and port are those of an entry, and its path is the entry's or lies below it.
What two readers could read differently (dots, backslashes, escapes of either, a user) is refused, so that the
list means for the far side what it means here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from urllib.parse import urlsplit

from sottovoce.errors import Code, Refused

LONGEST_URL = 1000
_URL = re.compile(r"[!$-;=?-\[\]_a-z~]+")
"""What a URL without a fragment is written with (RFC 3986 2): no blank, quote, backslash or brace."""
_HOST = re.compile(r"[a-z0-9.:-]+")
_SLASHED_DOTS = re.compile(r"(^|/|%2f|%5c)(\.|%2e){1,2}($|/|%2f|%5c)", re.IGNORECASE)
_TOKEN = re.compile(r"[A-Za-z0-9._~+/=-]{1,50}")
_PORTS = {"http": 80, "https": 443}


class Way(StrEnum):
    """How events are put into a request."""

    LIST = "list"
    """`callBackUri` and `serviceToken`: several in a list [1275]."""
    SINGLE = "single"
    """The older `pushUrl`: one in each request, as a poll is answered."""


@dataclass(frozen=True, slots=True)
class Url:
    """A URL taken apart: what is connected to, and what is asked for there."""

    scheme: str
    host: str
    """In lower case; an address of IPv6 without its brackets."""
    port: int
    path: str
    query: str = field(default="", repr=False)

    @classmethod
    def read(cls, text: str) -> Url:
        """Raises Refused(BAD_SIGN_IN)."""
        bad = Refused(Code.BAD_SIGN_IN, "no plain URL of http or https")
        if len(text) > LONGEST_URL or not _URL.fullmatch(text):
            raise bad
        try:
            parts = urlsplit(text)
            port = parts.port
        except ValueError:
            raise bad from None
        host = (parts.hostname or "").rstrip(".")
        if parts.scheme not in _PORTS or not _HOST.fullmatch(host) or "@" in parts.netloc or port == 0:
            raise bad
        path = parts.path or "/"
        if _SLASHED_DOTS.search(path) or "//" in path:
            raise bad
        return cls(parts.scheme, host, port or _PORTS[parts.scheme], path, parts.query)

    @property
    def target(self) -> str:
        """What is asked for: the path with its query."""
        return f"{self.path}?{self.query}" if self.query else self.path

    def holds(self, other: Url) -> bool:
        """Whether the other is this one or lies below it."""
        if (self.scheme, self.host, self.port) != (other.scheme, other.host, other.port):
            return False
        below = self.path if self.path.endswith("/") else f"{self.path}/"
        return other.path == self.path or other.path.startswith(below)


@dataclass(frozen=True, slots=True)
class Push:
    """How an agent's client gets events."""

    way: Way
    url: str = field(repr=False)
    """It may hold a secret of its own in its query."""
    token: str = field(default="", repr=False)
    """`service_token` of each request (LIST)."""


def check_token(token: str) -> None:
    """Raise Refused(BAD_SIGN_IN) for a token with what no header should hold [0450]."""
    if not _TOKEN.fullmatch(token):
        raise Refused(Code.BAD_SIGN_IN, "serviceToken: letters, digits and . _ ~ + / = - alone, 50 at most")


def check(push: Push, allowed: Iterable[str]) -> Url:
    """Where that goes. Raises Refused(BAD_SIGN_IN) unless an entry of `allowed` holds it."""
    url = Url.read(push.url)
    if push.way is Way.LIST:
        check_token(push.token)
    if not any(Url.read(entry).holds(url) for entry in allowed):
        raise Refused(Code.BAD_SIGN_IN, "events are not pushed there")
    return url
