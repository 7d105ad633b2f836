"""What can be set about SIP. Durations in seconds."""

from __future__ import annotations

from dataclasses import dataclass, field

from sottovoce.doors.sip.digest import Algorithm
from sottovoce.doors.sip.hops import Hop, Transport
from sottovoce.doors.sip.ports import Account


@dataclass(frozen=True, slots=True)
class UaSettings:
    """A user agent's own behaviour."""

    domain: str = "sottovoce.local"
    """Our SIP domain, and the digest realm."""
    product: str = "Sottovoce"
    """The User-Agent and Server header."""
    session_expires: int = 1800
    """RFC 4028; 0 offers no session timer (the far side's is still obeyed)."""
    min_session_expires: int = 90
    reliable: bool = True
    """Whether 183 with media is sent reliably to those who support it (RFC 3262)."""
    ring_limit: float = 300.0
    """How long a call may ring at most, either way."""
    large_requests_over_tcp: bool = True
    """RFC 3261 18.1.1: requests above 1300 bytes go by TCP, and by UDP after all if refused."""
    max_sessions: int = 2000
    max_transactions: int = 20000
    retry_after: int = 5
    """Told to those who are refused for overload."""


@dataclass(frozen=True, slots=True)
class Trunk:
    """A provider, a PBX or an edge proxy: where calls go out to, and whose calls are taken in."""

    name: str
    host: str
    port: int = 5060
    transport: Transport = Transport.UDP
    account: Account | None = None
    """Answers its 401 and 407."""
    networks: tuple[str, ...] = ()
    """Source networks whose INVITEs are this trunk's ("203.0.113.0/29"); none takes none."""
    ports: tuple[int, ...] = ()
    """Source ports that belong to it; none means any."""
    domain: str = ""
    """The host in the request URI; "" means `host`."""
    from_user: str = ""
    """The user in From; "" means the caller. Some proxies insist on the account's."""
    from_domain: str = ""
    """The host in From; "" means our domain."""
    register: bool = False
    """Whether we register with it, by `account`."""
    carries_phones: bool = False
    """An edge proxy that authenticates phones: a From user that is one of our accounts is that phone."""

    @property
    def hop(self) -> Hop:
        return Hop(self.transport, self.host, self.port)


@dataclass(frozen=True, slots=True)
class Proxy:
    """An edge with a registrar of its own: the way to phones that are not registered here."""

    host: str
    port: int = 5060
    transport: Transport = Transport.UDP
    account: Account | None = None
    """Answers its 401 and 407."""

    @property
    def hop(self) -> Hop:
        return Hop(self.transport, self.host, self.port)


@dataclass(frozen=True, slots=True)
class SipSettings:
    """All that is set about the SIP door."""

    host: str = "0.0.0.0"  # noqa: S104 - a telephone door is meant to be reached
    port: int = 5060
    """The same for UDP and TCP; 0 takes a free one."""
    ua: UaSettings = field(default_factory=UaSettings)
    advertised: tuple[tuple[str, str], ...] = ()
    """(network of the far side, our address as it should see it), first match wins, in SIP and in SDP."""
    nat_networks: tuple[str, ...] = ()
    """Networks behind NAT: their phones are reached where their packets come from."""
    trunks: tuple[Trunk, ...] = ()
    """Outbound calls take the first."""
    outbound_proxy: Proxy | None = None
    """Calls to phones that are not registered here go through it."""
    digest_algorithms: tuple[Algorithm, ...] = (Algorithm.MD5,)
    """Which challenges phones get, in this order. Many phones give up at one that they do not know."""
    min_expires: int = 60
    max_expires: int = 3600
    default_expires: int = 600
    max_contacts: int = 8
    """Contacts per account."""
    requests_per_second: float = 20.0
    """Requests outside dialogs that one source may send on and on; trunks ten times as many."""
    request_burst: int = 100
    failed_logins: int = 10
    """Wrong passwords from one source within a minute; then it is not listened to for five."""
    max_connections: int = 1000
    idle_connection: float = 900.0
    first_message: float = 30.0
    """How long a TCP connection may take to bring its first whole message."""
