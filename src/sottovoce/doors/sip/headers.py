"""Header fields of a SIP message: ordered, many of a name, found whatever their case or form (RFC 3261 7.3).

Also the small grammar that all structured headers share: comma lists, parameters, quoted strings.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")

MAX_HEADERS = 256
"""Most header fields in one message, comma lists counted by element."""
MAX_HEADER_LENGTH = 8192
"""Longest header field value, in characters after unfolding."""
MAX_PARAMS = 64
"""Most parameters of one header value."""

COMPACT = {
    "a": "Accept-Contact",
    "b": "Referred-By",
    "c": "Content-Type",
    "d": "Request-Disposition",
    "e": "Content-Encoding",
    "f": "From",
    "i": "Call-ID",
    "j": "Reject-Contact",
    "k": "Supported",
    "l": "Content-Length",
    "m": "Contact",
    "o": "Event",
    "r": "Refer-To",
    "s": "Subject",
    "t": "To",
    "u": "Allow-Events",
    "v": "Via",
    "x": "Session-Expires",
    "y": "Identity",
}
"""Compact forms (RFC 3261 7.3.3 and the registry of header fields)."""

_WORD_LISTS = (
    "Accept",
    "Accept-Encoding",
    "Accept-Language",
    "Allow",
    "Allow-Events",
    "Proxy-Require",
    "Require",
    "Supported",
    "Unsupported",
)
"""Lists of words, written on one line: some phones read the first line only."""

_LISTS = (
    "Alert-Info",
    "Call-Info",
    "Contact",
    "Content-Encoding",
    "Content-Language",
    "Diversion",
    "Error-Info",
    "History-Info",
    "In-Reply-To",
    "P-Asserted-Identity",
    "P-Preferred-Identity",
    "Path",
    "Reason",
    "Record-Route",
    "Route",
    "Service-Route",
    "Via",
    "Warning",
)
"""The other headers whose values are comma lists."""

_SINGLE = (
    "Authentication-Info",
    "Authorization",
    "Content-Disposition",
    "CSeq",
    "Date",
    "Expires",
    "Max-Forwards",
    "MIME-Version",
    "Min-Expires",
    "Min-SE",
    "Organization",
    "Priority",
    "Privacy",
    "Proxy-Authenticate",
    "Proxy-Authorization",
    "RAck",
    "Reply-To",
    "Retry-After",
    "RSeq",
    "Server",
    "Timestamp",
    "User-Agent",
    "WWW-Authenticate",
)
"""Headers of one value that have no compact form."""

JOINED = frozenset(name.lower() for name in _WORD_LISTS)
LISTS = JOINED | {name.lower() for name in _LISTS}
"""Headers whose values are comma lists (RFC 3261 7.3.1: one field of n values is n fields)."""

_CANONICAL = {name.lower(): name for name in (*_WORD_LISTS, *_LISTS, *_SINGLE, *COMPACT.values())} | COMPACT
_LONG = {short: name.lower() for short, name in COMPACT.items()}
_TOKEN = re.compile(r"[A-Za-z0-9\-.!%*_+`'~]+")
_BREAK = re.compile(r"[\r\n]+[ \t]*")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


class MalformedHeader(ValueError):
    """A header value, URI or parameter that does not follow its grammar."""


def or_none(read: Callable[[str], T], text: str | None) -> T | None:
    """What `read` makes of `text`; None where that is missing or malformed."""
    if text is None:
        return None
    try:
        return read(text)
    except MalformedHeader:
        return None


def canonical(name: str) -> str:
    """The usual spelling of a header's name; compact forms unfolded, unknown names as they are."""
    return _CANONICAL.get(name.lower(), name)


def _key(name: str) -> str:
    lower = name.lower()
    return _LONG.get(lower, lower)


def is_token(text: str) -> bool:
    """Whether `text` is a token (RFC 3261 25.1)."""
    return _TOKEN.fullmatch(text) is not None


class Headers:
    """The header fields of a message, in order. Comma lists are held one element a field.

    `charset` is how the message's bytes were read, and are written again: `utf-8`, or `latin-1`
    when they are no UTF-8.
    """

    __slots__ = ("_fields", "charset")

    def __init__(self, fields: Iterable[tuple[str, str]] = (), *, charset: str = "utf-8") -> None:
        self._fields: list[tuple[str, str, str]] = []
        self.charset = charset
        for name, value in fields:
            self.add(name, value)

    def get(self, name: str) -> str | None:
        """The first value of a header (of a comma list: its first element)."""
        at = self._first(name)
        return self._fields[at][2] if at is not None else None

    def get_all(self, name: str) -> list[str]:
        """All values of a header, elements of comma lists one by one, in order."""
        key = _key(name)
        return [value for field_key, _, value in self._fields if field_key == key]

    def tokens(self, name: str) -> frozenset[str]:
        """The elements of a list like Supported or Require, lower case."""
        return frozenset(value.lower() for value in self.get_all(name))

    def add(self, name: str, value: str) -> None:
        """Append a field; a comma list becomes a field for each element."""
        self._fields += self._made(name, value)

    def prepend(self, name: str, value: str) -> None:
        """Put a field before all others of its name (a Via, a Route); of others the order stays."""
        at = self._first(name) or 0
        self._fields[at:at] = self._made(name, value)

    def set(self, name: str, value: str) -> None:
        """Replace all fields of a name by this one, at the first one's place."""
        made = self._made(name, value)
        key = _key(name)
        at = next((i for i, field in enumerate(self._fields) if field[0] == key), len(self._fields))
        rest = [field for field in self._fields[at:] if field[0] != key]
        self._fields[at:] = made + rest

    def set_first(self, name: str, value: str) -> None:
        """Replace the first value only (the top Via, stamped with received and rport); others stay."""
        at = self._first(name)
        if at is None:
            at = len(self._fields)
        self._fields[at : at + 1] = self._made(name, value)

    def remove(self, name: str) -> None:
        """Drop all fields of a name; none is fine."""
        key = _key(name)
        self._fields = [field for field in self._fields if field[0] != key]

    def copy(self) -> Headers:
        """An independent copy."""
        twin = Headers(charset=self.charset)
        twin._fields = list(self._fields)
        return twin

    def lines(self) -> list[str]:
        """The fields as written on the wire, without line ends; Content-Length left to the message."""
        written: list[str] = []
        last = ""
        for key, name, value in self._fields:
            if key == last and key in JOINED:
                written[-1] += f", {value}"
            elif key != "content-length":
                written.append(f"{name}: {value}")
            last = key
        return written

    def _first(self, name: str) -> int | None:
        """Where the first field of a name stands."""
        key = _key(name)
        for at, field in enumerate(self._fields):
            if field[0] == key:
                return at
        return None

    @staticmethod
    def _made(name: str, value: str) -> list[tuple[str, str, str]]:
        name = canonical(name.strip())
        key = name.lower()
        # A line break inside a value would start a header of the attacker's own.
        if "\n" in value or "\r" in value:
            value = _BREAK.sub(" ", value)
        value = value.strip(" \t")
        if key in LISTS and "," in value:
            return [(key, name, element) for element in split_list(value)]
        return [(key, name, value)]

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and self.get(name) is not None

    def __iter__(self) -> Iterator[tuple[str, str]]:
        for _, name, value in self._fields:
            yield name, value

    def __len__(self) -> int:
        return len(self._fields)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Headers):
            return NotImplemented
        return [(key, value) for key, _, value in self._fields] == [
            (key, value) for key, _, value in other._fields
        ]

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"Headers({list(self)!r})"


def split_list(value: str) -> list[str]:
    """The elements of a comma list; commas in quotes and in <> do not count, empty elements vanish."""
    return [element for element in (part.strip() for part in _split(value, ",")) if element]


def _split(text: str, separator: str) -> list[str]:
    """`text` cut at `separator` wherever it stands outside of quotes and of <>."""
    if '"' not in text and "<" not in text:
        return text.split(separator)
    parts: list[str] = []
    start = 0
    quoted = angled = False
    at = 0
    while at < len(text):
        character = text[at]
        if quoted:
            if character == "\\":
                at += 1
            elif character == '"':
                quoted = False
        elif character == '"':
            quoted = not angled
        elif character == "<":
            angled = True
        elif character == ">":
            angled = False
        elif character == separator and not angled:
            parts.append(text[start:at])
            start = at + 1
        at += 1
    parts.append(text[start:])
    return parts


def unquote(text: str) -> str:
    """The content of a quoted string, its escapes undone; a text without quotes as it is."""
    if len(text) < 2 or text[0] != '"' or text[-1] != '"':
        return text
    return re.sub(r"\\(.)", r"\1", text[1:-1], flags=re.DOTALL)


def quote(text: str) -> str:
    """`text` as a quoted string."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def without_controls(text: str) -> str:
    """`text` without control characters, for people, logs and databases."""
    return _CONTROL.sub("", text)


def parse_params(text: str) -> dict[str, str | None]:
    """`;name=value;flag` as a mapping, names lower case, quotes undone; the first of a name counts.

    `text` is empty or begins with a semicolon. Raises MalformedHeader on an empty parameter
    (one trailing semicolon is forgiven), an unterminated quote or a name that is no token.
    """
    text = text.strip(" \t")
    if not text:
        return {}
    if text[0] != ";":
        raise MalformedHeader("parameters begin with a semicolon")
    parts = _split(text[1:], ";")
    if len(parts) > 1 and not parts[-1].strip():
        parts.pop()
    if len(parts) > MAX_PARAMS:
        raise MalformedHeader("too many parameters")
    params: dict[str, str | None] = {}
    for part in parts:
        name, equals, value = part.partition("=")
        name = name.strip(" \t")
        value = value.strip(" \t")
        if not is_token(name):
            raise MalformedHeader("a parameter without a proper name")
        if value.startswith('"'):
            if closing_quote(value) != len(value) - 1:
                raise MalformedHeader("a quoted parameter that does not end")
            value = unquote(value)
        elif '"' in value or "<" in value or ">" in value:
            raise MalformedHeader("a parameter value that is no token")
        params.setdefault(name.lower(), value if equals else None)
    return params


def closing_quote(text: str) -> int:
    """Where the quoted string that begins `text` ends, or -1."""
    at = 1
    while at < len(text):
        if text[at] == "\\":
            at += 1
        elif text[at] == '"':
            return at
        at += 1
    return -1


_PLAIN = re.compile(r"[A-Za-z0-9\-.!%*_+`'~:\[\]/$&@?]*")


def format_params(params: dict[str, str | None]) -> str:
    """The reverse of `parse_params`; values that need quotes get them."""
    written = []
    for name, value in params.items():
        if value is None:
            written.append(f";{name}")
        elif value and _PLAIN.fullmatch(value):
            written.append(f";{name}={value}")
        else:
            written.append(f";{name}={quote(value)}")
    return "".join(written)
