"""Via: where a request came through, and so where its answer goes (RFC 3261 18.2, 20.42; RFC 3581)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace

from sottovoce.doors.sip.headers import MalformedHeader, format_params, is_token, parse_params
from sottovoce.doors.sip.uri import split_hostport
from sottovoce.plain import natural

MAGIC = "z9hG4bK"
"""What a branch of RFC 3261 begins with."""

_SENT_PROTOCOL = re.compile(r"([^\s/]+)\s*/\s*([^\s/]+)\s*/\s*([^\s/]+)\s+(.*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Via:
    """One Via value. `transport` is upper case however it was written."""

    transport: str
    host: str
    port: int | None = None
    params: dict[str, str | None] = field(default_factory=dict)

    @classmethod
    def parse(cls, text: str) -> Via:
        """Read a Via value; raises MalformedHeader."""
        found = _SENT_PROTOCOL.fullmatch(text.strip())
        if found is None:
            raise MalformedHeader("malformed Via")
        protocol, version, transport, rest = found.groups()
        # A version of its own is answered 505 by the message; its sender must still be found.
        if protocol.upper() != "SIP" or not is_token(version) or not is_token(transport):
            raise MalformedHeader("Via of another protocol")
        sent_by, semicolon, tail = rest.partition(";")
        host, port = split_hostport(re.sub(r"\s*:\s*", ":", sent_by.strip()))
        params = parse_params(semicolon + tail)
        if params.get("branch") == MAGIC:
            raise MalformedHeader("Via branch without an identifier")
        port_seen = natural(params.get("rport") or "0", 5)
        if port_seen is None or port_seen > 65535:
            raise MalformedHeader("rport out of range")
        return cls(transport.upper(), host, port, params)

    @property
    def sent_by(self) -> str:
        """Host and port as the sender wrote them: part of a server transaction's key (RFC 3261 17.2.3)."""
        return self.host if self.port is None else f"{self.host}:{self.port}"

    @property
    def branch(self) -> str | None:
        """The transaction's name, or None (RFC 2543)."""
        return self.params.get("branch") or None

    @property
    def has_magic(self) -> bool:
        """Whether the branch follows RFC 3261 and so names the transaction alone."""
        return (self.branch or "")[:7].lower() == MAGIC.lower()

    @property
    def received(self) -> str | None:
        """The source address, as a server noted it."""
        return self.params.get("received") or None

    @property
    def wants_rport(self) -> bool:
        """Whether the sender asked for answers to its source port (RFC 3581)."""
        return "rport" in self.params

    @property
    def rport(self) -> int | None:
        """The source port, as a server noted it."""
        value = self.params.get("rport")
        return int(value) if value else None

    def stamped(self, host: str, port: int) -> Via:
        """With the request's source noted: `received` where it differs or rport is asked (RFC 3581 4)."""
        params = {name: value for name, value in self.params.items() if name != "received"}
        if self.wants_rport:
            params["rport"] = str(port)
        if self.wants_rport or host != self.host.strip("[]"):
            params["received"] = host
        return replace(self, params=params)

    @property
    def reply_to(self) -> tuple[str, int]:
        """Where a response over UDP goes (RFC 3261 18.2.2, RFC 3581 4); 5060 (5061 for TLS) by default."""
        default = 5061 if self.transport == "TLS" else 5060
        host = self.params.get("maddr") or self.received or self.host
        return host.strip("[]"), self.rport or self.port or default

    def __str__(self) -> str:
        return f"SIP/2.0/{self.transport} {self.sent_by}{format_params(self.params)}"
