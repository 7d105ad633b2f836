"""Where a SIP message goes next, or came from."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum


class Transport(StrEnum):
    """A transport protocol, spelt as in Via and in lower-case `transport=` parameters."""

    UDP = "UDP"
    TCP = "TCP"

    @property
    def reliable(self) -> bool:
        """Whether it delivers by itself, so that nothing is sent again (RFC 3261 17)."""
        return self is Transport.TCP

    @classmethod
    def named(cls, name: str | None) -> Transport | None:
        """`name` in any case; no name means UDP; None for one that is not spoken here."""
        if not name:
            return cls.UDP
        try:
            return cls(name.upper())
        except ValueError:
            return None


@dataclass(frozen=True, slots=True)
class Hop:
    """A transport address. `flow` names an open TCP connection to prefer, 0 none."""

    transport: Transport
    host: str
    port: int
    flow: int = 0

    def over(self, transport: Transport) -> Hop:
        """The same address by another transport."""
        return replace(self, transport=transport, flow=0)

    def __str__(self) -> str:
        return f"{self.transport}:{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Outgoing:
    """Bytes to send. `key` names the client transaction to tell when sending fails, "" none."""

    data: bytes
    hop: Hop
    key: str = ""
