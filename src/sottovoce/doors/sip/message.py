"""SIP messages as values: bytes in, a Request or Response out, and back (RFC 3261 7, 25).

Liberal with folding, compact forms, white space, case and bytes that are no UTF-8; strict with what
decides transactions and framing: CSeq, Content-Length, mandatory headers. `parse` raises nothing but
SipParseError, which holds what is needed to answer.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from sottovoce.doors.sip.headers import (
    MAX_HEADER_LENGTH,
    MAX_HEADERS,
    Headers,
    MalformedHeader,
    is_token,
    or_none,
)
from sottovoce.doors.sip.uri import NameAddr, SipUri
from sottovoce.doors.sip.via import Via
from sottovoce.plain import natural

MAX_MESSAGE = 65535
"""Largest message, in bytes."""
MAX_CSEQ = 2**31 - 1

REASONS = {
    100: "Trying",
    180: "Ringing",
    181: "Call Is Being Forwarded",
    182: "Queued",
    183: "Session Progress",
    200: "OK",
    202: "Accepted",
    300: "Multiple Choices",
    301: "Moved Permanently",
    302: "Moved Temporarily",
    305: "Use Proxy",
    380: "Alternative Service",
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    406: "Not Acceptable",
    407: "Proxy Authentication Required",
    408: "Request Timeout",
    410: "Gone",
    413: "Request Entity Too Large",
    414: "Request-URI Too Long",
    415: "Unsupported Media Type",
    416: "Unsupported URI Scheme",
    420: "Bad Extension",
    421: "Extension Required",
    422: "Session Interval Too Small",
    423: "Interval Too Brief",
    480: "Temporarily Unavailable",
    481: "Call/Transaction Does Not Exist",
    482: "Loop Detected",
    483: "Too Many Hops",
    484: "Address Incomplete",
    485: "Ambiguous",
    486: "Busy Here",
    487: "Request Terminated",
    488: "Not Acceptable Here",
    491: "Request Pending",
    493: "Undecipherable",
    500: "Server Internal Error",
    501: "Not Implemented",
    502: "Bad Gateway",
    503: "Service Unavailable",
    504: "Server Time-out",
    505: "Version Not Supported",
    513: "Message Too Large",
    600: "Busy Everywhere",
    603: "Decline",
    604: "Does Not Exist Anywhere",
    606: "Not Acceptable",
}
"""Reason phrases by status (RFC 3261 21)."""

_SINGLE = ("From", "To", "Call-ID", "CSeq", "Max-Forwards", "Content-Length", "Content-Type")
_HEAD_END = re.compile(rb"\r?\n\r?\n")
_FOLD = re.compile(r"\r?\n[ \t]+")
_LINE_END = re.compile(r"\r?\n")
_LINE_BREAKS = re.compile(r"[\r\n]+")
"""Of SIP; other signs that end a line elsewhere (U+0085, U+2028) stay what they are."""
_STATUS_LINE = re.compile(r"(\S+) ([0-9]{3})(?: (.*))?", re.DOTALL)
_CSEQ = re.compile(r"([0-9]{1,10})[ \t]+(\S+)")


class SipParseError(Exception):
    """Bytes that are no acceptable SIP message.

    `status` and `reason` are the answer they deserve; `request` holds the headers to answer with
    (see `reply`), or is None when nothing may be answered: a response, an ACK, no usable Via.
    """

    def __init__(self, status: int, reason: str, request: Request | None = None) -> None:
        super().__init__(f"{status} {reason}")
        self.status = status
        self.reason = reason
        self.request = request


class _Message:
    """What requests and responses read alike: None or an empty value where a header is missing or broken."""

    __slots__ = ()
    headers: Headers
    body: bytes

    @property
    def via(self) -> Via | None:
        """The topmost Via."""
        return or_none(Via.parse, self.headers.get("Via"))

    @property
    def from_(self) -> NameAddr | None:
        return or_none(NameAddr.parse, self.headers.get("From"))

    @property
    def to(self) -> NameAddr | None:
        return or_none(NameAddr.parse, self.headers.get("To"))

    @property
    def from_tag(self) -> str:
        return (self.from_ and self.from_.tag) or ""

    @property
    def to_tag(self) -> str:
        return (self.to and self.to.tag) or ""

    @property
    def contact(self) -> NameAddr | None:
        """The first Contact; None for `*` too."""
        return or_none(NameAddr.parse, self.headers.get("Contact"))

    @property
    def call_id(self) -> str:
        return self.headers.get("Call-ID") or ""

    @property
    def cseq(self) -> tuple[int, str]:
        """Number and method, (0, "") where there is none."""
        return _cseq(self.headers.get("CSeq")) or (0, "")

    @property
    def content_type(self) -> str:
        """The media type of the body in lower case, without parameters; empty where there is none."""
        return (self.headers.get("Content-Type") or "").partition(";")[0].strip().lower()

    def _encoded(self, first_line: str) -> bytes:
        # A line break that came in by a called number or a reason must not start a header.
        lines = [
            _LINE_BREAKS.sub(" ", first_line),
            *self.headers.lines(),
            f"Content-Length: {len(self.body)}\r\n\r\n",
        ]
        return "\r\n".join(lines).encode(self.headers.charset, "replace") + self.body


@dataclass(slots=True)
class Request(_Message):
    """A request; `uri` is the Request-URI as text."""

    method: str
    uri: str
    headers: Headers = field(default_factory=Headers)
    body: bytes = b""

    def encode(self) -> bytes:
        """The bytes on the wire; Content-Length is set to the body's."""
        return self._encoded(f"{self.method} {self.uri} SIP/2.0")


@dataclass(slots=True)
class Response(_Message):
    """A response."""

    status: int
    reason: str = ""
    headers: Headers = field(default_factory=Headers)
    body: bytes = b""

    def encode(self) -> bytes:
        """The bytes on the wire; Content-Length is set to the body's."""
        return self._encoded(f"SIP/2.0 {self.status} {self.reason or REASONS.get(self.status, '')}")


def reply(request: Request, status: int, reason: str = "", *, to_tag: str | None = None) -> Response:
    """A response with what RFC 3261 8.2.6 copies: Vias, From, To (tagged, but in a 100), Call-ID, CSeq."""
    headers = Headers(charset=request.headers.charset)
    for value in request.headers.get_all("Via"):
        headers.add("Via", value)
    for name in ("From", "To", "Call-ID", "CSeq"):
        copied = request.headers.get(name)
        if copied is None:
            continue
        if name == "To" and to_tag and status > 100 and not _has_tag(copied):
            copied = f"{copied};tag={to_tag}"
        headers.add(name, copied)
    if status == 100 and (timestamp := request.headers.get("Timestamp")) is not None:
        headers.add("Timestamp", timestamp)
    return Response(status, reason or REASONS.get(status, ""), headers)


def parse(data: bytes) -> Request | Response:
    """Read one datagram; what lies behind Content-Length is ignored (RFC 3261 18.3). Raises SipParseError."""
    if len(data) > MAX_MESSAGE:
        raise SipParseError(513, REASONS[513])
    data = data.lstrip(b"\r\n")
    if not data:
        raise SipParseError(400, "Empty Message")
    end = _HEAD_END.search(data)
    # The blank line that ends the headers is forgiven when there is no body.
    head, body = (data[: end.start()], data[end.end() :]) if end else (data.rstrip(b"\r\n"), b"")
    return _parse(head, body, stream=False)


def _parse(head: bytes, body: bytes, *, stream: bool) -> Request | Response:
    try:
        charset, text = "utf-8", head.decode()
    except UnicodeDecodeError:
        charset, text = "latin-1", head.decode("latin-1")
    first_line, *lines = _LINE_END.split(_FOLD.sub(" ", text))
    headers = Headers(charset=charset)
    problem = _read_headers(lines, headers)
    if first_line[:4].upper() == "SIP/":
        return _parse_response(first_line, headers, body, problem, stream=stream)
    return _parse_request(first_line, headers, body, problem, stream=stream)


def _read_headers(lines: list[str], headers: Headers) -> str | None:
    """Add the fields to `headers`; what is wrong with them, or None. Reads on behind a bad line."""
    problem: str | None = None
    for line in lines:
        name, colon, value = line.partition(":")
        name = name.rstrip(" \t")
        if not colon or not is_token(name):
            problem = problem or "Malformed Header Line"
            continue
        if len(value) > MAX_HEADER_LENGTH:
            problem = problem or "Header Too Long"
            continue
        headers.add(name, value)
        if len(headers) > MAX_HEADERS:
            return problem or "Too Many Headers"
    return problem


def _parse_response(
    line: str, headers: Headers, body: bytes, problem: str | None, *, stream: bool
) -> Response:
    found = _STATUS_LINE.fullmatch(line)
    if found is None or found[1].upper() != "SIP/2.0" or not 100 <= int(found[2]) <= 699:
        raise SipParseError(400, "Malformed Status Line")
    problem = problem or _wrong_headers(headers, ("From", "To"))
    if problem:
        raise SipParseError(400, problem)
    return Response(int(found[2]), found[3] or "", headers, _cut(headers, body, None, stream=stream))


def _parse_request(line: str, headers: Headers, body: bytes, problem: str | None, *, stream: bool) -> Request:
    parts = line.split(" ")
    method = parts[0]
    uri = parts[1] if len(parts) > 1 else ""
    answerable: Request | None = Request(method, uri, headers)
    via = headers.get("Via")
    if method.upper() == "ACK" or or_none(Via.parse, via) is None:
        answerable = None
    if answerable is None and via is not None and method.upper() != "ACK":
        answerable = _salvaged(method, uri, headers, via)
    if len(parts) == 3 and re.fullmatch(r"SIP/[0-9]+\.[0-9]+", parts[2], re.IGNORECASE):
        if parts[2].upper() != "SIP/2.0":
            raise SipParseError(505, REASONS[505], answerable)
    else:
        raise SipParseError(400, "Malformed Request Line", answerable if is_token(method) else None)
    if not is_token(method):
        raise SipParseError(400, "Malformed Method", answerable)
    problem = problem or _wrong_headers(headers, ("From", "To", "Contact"))
    if problem:
        raise SipParseError(400, problem, answerable)
    named = _cseq(headers.get("CSeq"))
    if named is None or method != named[1]:
        raise SipParseError(400, "CSeq Of Another Method", answerable)
    _check_request_uri(uri, answerable)
    return Request(method, uri, headers, _cut(headers, body, answerable, stream=stream))


def _check_request_uri(uri: str, answerable: Request | None) -> None:
    try:
        parsed = SipUri.parse(uri)
    except MalformedHeader as error:
        raise SipParseError(400, "Malformed Request-URI", answerable) from error
    if not parsed.is_telephonic:
        raise SipParseError(416, REASONS[416], answerable)
    if parsed.headers:
        raise SipParseError(400, "Headers In Request-URI", answerable)


def _wrong_headers(headers: Headers, addresses: tuple[str, ...]) -> str | None:
    """What is wrong with the headers that every message needs (RFC 3261 8.1.1), or None."""
    for name in _SINGLE:
        if len(headers.get_all(name)) > 1:
            return f"Several {name}"
    for name in ("Via", "From", "To", "Call-ID", "CSeq"):
        if not headers.get(name):
            return f"Missing {name}"
    if _cseq(headers.get("CSeq")) is None:
        return "Malformed CSeq"
    for name in addresses:
        for value in headers.get_all(name):
            if value == "*" and name == "Contact":
                continue
            if or_none(NameAddr.parse, value) is None:
                return f"Malformed {name}"
    if or_none(Via.parse, headers.get("Via")) is None:
        return "Malformed Via"
    hops = headers.get("Max-Forwards")
    allowed = natural(hops, 6) if hops is not None else 0
    if allowed is None or allowed > 255:
        return "Malformed Max-Forwards"
    return None


def _cut(headers: Headers, body: bytes, answerable: Request | None, *, stream: bool) -> bytes:
    length = headers.get("Content-Length")
    if length is None:
        if stream:
            raise SipParseError(400, "Missing Content-Length", answerable)
        return body
    size = natural(length, 10)
    if size is None or size > len(body):
        raise SipParseError(400, "Wrong Content-Length", answerable)
    return body[:size]


def _salvaged(method: str, uri: str, headers: Headers, via: str) -> Request | None:
    """Headers to answer with when the top Via's parameters are broken but its protocol and host are not."""
    bare = via.partition(";")[0]
    if or_none(Via.parse, bare) is None:
        return None
    copy = headers.copy()
    copy.set_first("Via", bare)
    return Request(method, uri, copy)


def _cseq(value: str | None) -> tuple[int, str] | None:
    found = _CSEQ.fullmatch(value or "")
    if found is None or int(found[1]) > MAX_CSEQ or not is_token(found[2]):
        return None
    return int(found[1]), found[2]


def _has_tag(value: str) -> bool:
    parsed = or_none(NameAddr.parse, value)
    return parsed is not None and parsed.tag is not None


class StreamFramer:
    """Cuts a TCP stream into messages (RFC 3261 18.3, RFC 5626 keep-alives), within bounds.

    When `broken`, the next message's start is unknown: answer what can be answered, then close.
    `pings` counts keep-alives (a double CRLF between messages); each deserves a CRLF.
    """

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._seen = 0
        self._head: tuple[int, int, int] | None = None
        """Of a message whose head is whole: where the head ends, where the body begins and ends."""
        self.broken = False
        self.pings = 0

    def feed(self, data: bytes) -> list[Request | Response | SipParseError]:
        """The messages that are whole now, in order; errors stand in place of what does not parse."""
        if self.broken:
            return []
        self._buffer += data
        found: list[Request | Response | SipParseError] = []
        while not self.broken and (item := self._next()) is not None:
            found.append(item)
        return found

    def _next(self) -> Request | Response | SipParseError | None:
        if self._head is None:
            self._skip_keep_alives()
            if (error := self._find_head()) is not None:
                return error
        if self._head is None or len(self._buffer) < self._head[2]:
            return None
        head_end, body_start, body_end = self._head
        head, body = bytes(self._buffer[:head_end]), bytes(self._buffer[body_start:body_end])
        del self._buffer[:body_end]
        self._head, self._seen = None, 0
        try:
            return _parse(head, body, stream=True)
        except SipParseError as error:
            return error

    def _find_head(self) -> SipParseError | None:
        end = _HEAD_END.search(self._buffer, self._seen)
        if end is None:
            # A terminator may begin in the last three bytes; what lies before is searched once.
            self._seen = max(0, len(self._buffer) - 3)
            return self._fail(SipParseError(513, REASONS[513])) if len(self._buffer) > MAX_MESSAGE else None
        head = bytes(self._buffer[: end.start()])
        length = _stream_length(head)
        if length is None:
            return self._fail(_error_of(head, SipParseError(400, "Wrong Content-Length")))
        if end.end() + length > MAX_MESSAGE:
            return self._fail(_error_of(head, SipParseError(513, REASONS[513])))
        self._head = (end.start(), end.end(), end.end() + length)
        return None

    def _skip_keep_alives(self) -> None:
        if not self._buffer or self._buffer[0] not in b"\r\n":
            return
        blank = len(self._buffer) - len(self._buffer.lstrip(b"\r\n"))
        self.pings += bytes(self._buffer[:blank]).count(b"\r\n\r\n")
        if blank == len(self._buffer):
            # A part of a double CRLF: its rest may still come.
            blank -= blank % 4
        del self._buffer[:blank]
        self._seen = 0

    def _fail(self, error: SipParseError) -> SipParseError:
        self.broken = True
        self._buffer.clear()
        return error


def _stream_length(head: bytes) -> int | None:
    """Content-Length of a head, or None where it is missing, doubled or no number."""
    values = {
        value.strip()
        for name, _, value in (line.partition(b":") for line in re.split(rb"\r?\n(?![ \t])", head))
        if name.strip().lower() in (b"content-length", b"l")
    }
    if len(values) != 1:
        return None
    value = values.pop()
    return int(value) if re.fullmatch(rb"[0-9]{1,10}", value) else None


def _error_of(head: bytes, error: SipParseError) -> SipParseError:
    """`error` with the request to answer, as far as its head can be read."""
    try:
        _parse(head, b"", stream=True)
    except SipParseError as found:
        error.request = found.request
    return error
