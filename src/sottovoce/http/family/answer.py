"""An answer's bytes and headers, and the answers to requests that reach no interface.

All of it is ASCII, with a `\\u` escape for what is not, and its type is `application/json` and nothing
behind it: widespread clients compare the type for equality, or decode by a charset of their own
(cc-gateway.md 5.2). Headers keep their case: clients compare `Set-GUID`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from starlette.responses import Response

JSON_TYPE = b"application/json"
Header = tuple[bytes, bytes]
BODY_REFUSED = "sottovoce.body_refused"
"""In the scope of a request whose body was not kept: it is larger than what is read of strangers."""


def encode(content: object) -> bytes:
    """JSON without blanks and line breaks (a client in C# compares an answer's text)."""
    return json.dumps(content, separators=(",", ":")).encode()


def headers(body: bytes, *more: Header) -> list[Header]:
    """The headers of an answer with this body."""
    return [(b"Content-Type", JSON_TYPE), (b"Content-Length", str(len(body)).encode()), *more]


def respond(content: object, status: int = 200, *more: Header) -> Response:
    """An answer with `content` as its JSON, and `more` headers."""
    body = encode(content)
    response = Response(body, status)
    response.raw_headers = headers(body, *more)
    return response


class Fault(Enum):
    """What can be wrong with a request before any interface sees it. The value is its HTTP status."""

    MALFORMED = 400
    UNKNOWN_PATH = 404
    WRONG_VERB = 405
    BODY_TOO_SLOW = 408
    BODY_TOO_LARGE = 413
    HEADERS_TOO_LARGE = 431
    INTERNAL = 500
    OVERLOADED = 503


FAULT_TEXT: Mapping[Fault, str] = {
    Fault.MALFORMED: "the request is no HTTP",
    Fault.UNKNOWN_PATH: "no such interface",
    Fault.WRONG_VERB: "the interface does not know this method",
    Fault.BODY_TOO_SLOW: "the body came too slowly",
    Fault.BODY_TOO_LARGE: "the body is too large",
    Fault.HEADERS_TOO_LARGE: "the headers are too large",
    Fault.INTERNAL: "internal error",
    Fault.OVERLOADED: "too many requests at once",
}

_CLOSING = (
    Fault.MALFORMED,
    Fault.BODY_TOO_LARGE,
    Fault.BODY_TOO_SLOW,
    Fault.HEADERS_TOO_LARGE,
    Fault.OVERLOADED,
)
"""What ends the connection: the rest of the request is not worth reading, or cannot be told from the next."""


@dataclass(frozen=True, slots=True)
class Family:
    """The interfaces below one path prefix, and how they say that something is wrong."""

    prefix: str
    fault: Callable[[Fault], Mapping[str, object]]
    """The body of the answer to a fault."""

    def at_fault(self, fault: Fault, *more: Header) -> Response:
        """The answer to a fault, in this family's form."""
        closing = [(b"Connection", b"close")] if fault in _CLOSING else []
        return respond(self.fault(fault), fault.value, *more, *closing)


ELSEWHERE = Family("/", lambda fault: {"error": FAULT_TEXT[fault]})
"""What belongs to no family."""


def family_of(path: str, families: Sequence[Family]) -> Family:
    """The family that owns `path`."""
    return next((family for family in families if path.startswith(family.prefix)), ELSEWHERE)
