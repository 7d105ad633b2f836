"""Who may call and register: trunks by source address, phones by digest, nobody else (design decision 19).

A phone with its password may call whether it is registered or not: after a restart it may not be."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from sottovoce.config import TrunkSettings
from sottovoce.domain.directory import PhoneAccount, VdnId
from sottovoce.doors.sip.digest import Algorithm, Credentials, CredentialsVerdict, NonceKeeper, verify
from sottovoce.doors.sip.headers import or_none
from sottovoce.doors.sip.hops import Hop
from sottovoce.doors.sip.limits import SourceLimits
from sottovoce.doors.sip.message import Request
from sottovoce.doors.sip.ports import Directory, Entropy
from sottovoce.doors.sip.uri import NameAddr, SipUri, without_separators

ALGORITHMS = (Algorithm.MD5,)
"""Which challenges phones get, in this order. Many phones give up at one that they do not know."""


@dataclass(frozen=True, slots=True)
class Admitted:
    """An INVITE that is let in."""

    caller: str
    called: str
    vdn: VdnId | None = None
    trunk: str = ""
    """The trunk's name, "" for a phone."""
    account: str | None = None
    """The calling phone's number, None from a trunk."""
    behind_nat: bool = False


@dataclass(frozen=True, slots=True)
class Refusal:
    """An answer to whoever is not let in (yet)."""

    status: int
    reason: str = ""
    extra: tuple[tuple[str, str], ...] = ()
    why: str = field(default="", compare=False)
    """For our log, and with a `warning` code (RFC 3261 20.43) for whoever is known."""
    warning: int = field(default=0, compare=False)


class Doorman(Protocol):
    """Decides about INVITEs that found a dialog."""

    def admit(self, request: Request, source: Hop, now: float) -> Admitted | Refusal:
        """Whose call it is and where it goes, or the answer that refuses it."""
        ...


class Open:
    """Lets everybody in: a phone's doorman."""

    def admit(self, request: Request, source: Hop, now: float) -> Admitted | Refusal:
        """Let it in, by whatever names it gives."""
        return Admitted(caller=caller_of(request), called=called_of(request))


class Networks:
    """A set of IP networks. `host` may be anything; what is no address lies in none."""

    def __init__(self, networks: tuple[str, ...]) -> None:
        self._networks = [ipaddress.ip_network(network, strict=False) for network in networks]

    def __contains__(self, host: object) -> bool:
        try:
            address = ipaddress.ip_address(str(host))
        except ValueError:
            return False
        return any(address in network for network in self._networks)


class Authenticator:
    """Judges the digest credentials of our phones (RFC 3261 22, RFC 8760).

    `on_blocked` hears the host that sent too many wrong passwords.
    """

    def __init__(
        self,
        realm: str,
        directory: Directory,
        nonces: NonceKeeper,
        entropy: Entropy,
        limits: SourceLimits,
        algorithms: tuple[Algorithm, ...] = ALGORITHMS,
        *,
        on_blocked: Callable[[str], None] = lambda host: None,
    ) -> None:
        self._realm = realm
        self._on_blocked = on_blocked
        self._algorithms = algorithms
        self._directory = directory
        self._nonces = nonces
        self._entropy = entropy
        self._limits = limits

    def check(
        self, request: Request, source: Hop, now: float, *, proxy: bool
    ) -> tuple[PhoneAccount, VdnId] | Refusal:
        """Whose request it is, or the challenge (407 as a `proxy`, else 401), or 403 for a wrong password.

        A wrong password counts only with a nonce that this source was sent: a forged address is never
        the reason to stop listening to its owner.
        """
        credentials = self._credentials(request, "Proxy-Authorization" if proxy else "Authorization")
        if credentials is None:
            return self._challenge(source, now, proxy=proxy, stale=False)
        if not self._nonces.knows(credentials.nonce, source.host):
            return self._challenge(source, now, proxy=proxy, stale=True)  # of before our restart, or made up
        found = self._directory.account(credentials.username)
        secret = found[0].ha1.get(credentials.algorithm.value) if found is not None else None
        if found is None or secret is None:
            return self._wrong(source, now, "no such account", account="")
        verdict = self._nonces.verify(
            credentials, method=request.method, uri=request.uri, secret=secret, now=now, host=source.host
        )
        if verdict is CredentialsVerdict.ACCEPTED:
            self._limits.succeeded(source.host, credentials.username)
            return found
        if verdict is CredentialsVerdict.STALE or verify(credentials, method=request.method, secret=secret):
            return self._challenge(source, now, proxy=proxy, stale=True)
        return self._wrong(source, now, "wrong password", account=credentials.username)

    def _wrong(self, source: Hop, now: float, why: str, *, account: str) -> Refusal:
        if self._limits.failed(source.host, now, account):
            self._on_blocked(source.host)
        return Refusal(403, why=why)

    def _credentials(self, request: Request, header: str) -> Credentials | None:
        for value in request.headers.get_all(header):
            credentials = or_none(Credentials.parse, value)
            if credentials is not None and credentials.realm == self._realm:
                return credentials
        return None

    def _challenge(self, source: Hop, now: float, *, proxy: bool, stale: bool) -> Refusal:
        status, header = (407, "Proxy-Authenticate") if proxy else (401, "WWW-Authenticate")
        values = []
        for algorithm in self._algorithms:
            salt = self._entropy.token().encode()[:8].ljust(8, b"0")
            made = self._nonces.challenge(
                self._realm, now=now, salt=salt, algorithm=algorithm, stale=stale, host=source.host
            )
            values.append((header, str(made)))
        return Refusal(status, extra=tuple(values))


class Registered(Protocol):
    """Who is registered now."""

    def is_phone_at(self, source: Hop, name: str) -> bool:
        """Whether a phone of that user name or number is registered from exactly that address and port."""
        ...


class Guard:
    """The door's doorman. What a phone registered from a trunk's address calls itself is that phone's
    there and wants its password; all else from there is the trunk's."""

    def __init__(
        self,
        trunks: Sequence[TrunkSettings],
        directory: Directory,
        authenticator: Authenticator,
        registered: Registered,
        *,
        nat: tuple[str, ...] = (),
    ) -> None:
        self._directory = directory
        self._authenticator = authenticator
        self._registered = registered
        self._trunks = [(trunk, Networks(trunk.networks)) for trunk in trunks]
        self._nat = Networks(nat)

    def trunk_of(self, source: Hop) -> TrunkSettings | None:
        """The trunk that a request from `source` comes in on."""
        for trunk, networks in self._trunks:
            if source.host in networks and (not trunk.ports or source.port in trunk.ports):
                return trunk
        return None

    def is_trunk(self, host: str) -> bool:
        """Whether some trunk's networks hold `host`."""
        return any(host in networks for _, networks in self._trunks)

    def admit(self, request: Request, source: Hop, now: float) -> Admitted | Refusal:
        """Let in a trunk's call to a number that is answered here, and a phone's with its password."""
        trunk, named = self.trunk_of(source), caller_of(request)
        if trunk is None or (self._registered.is_phone_at(source, named) and not trunk.carries_phones):
            return self._admit_phone(request, source, now)
        called = self._called_by(request, trunk)
        caller = asserted_of(request) or named
        if trunk.carries_phones:
            found = self._directory.account(named)
            if found is not None:
                account, vdn = found
                return Admitted(account.number, called, vdn, trunk.name, account.number)
        routed = self._directory.route(called)
        if routed is None:
            return Refusal(404, why="no access code", warning=399)
        return Admitted(caller, called, routed, trunk.name)

    def _called(self, request: Request) -> str:
        """Which number is called: without visual separators, unless one with them is answered here."""
        return self._plain(called_of(request))

    def _plain(self, called: str) -> str:
        return called if self._directory.route(called) is not None else without_separators(called)

    def _called_by(self, request: Request, trunk: TrunkSettings) -> str:
        """Which number a trunk calls. Of a call to the contact that we registered there, which names our
        account, the number stands elsewhere (RFC 7315 4.2, RFC 3261 8.2.2.1), or in the settings."""
        called = self._called(request)
        if not trunk.register_here or called != trunk.username:
            return called
        party = or_none(NameAddr.parse, request.headers.get("P-Called-Party-ID"))
        named = [address.uri.number for address in (party, request.to) if address is not None]
        numbers = [self._plain(number) for number in (called, *named, trunk.number)]
        return next((number for number in numbers if self._directory.route(number) is not None), called)

    def _admit_phone(self, request: Request, source: Hop, now: float) -> Admitted | Refusal:
        """Everybody is challenged alike: who has no password learns nothing about who is registered."""
        checked = self._authenticator.check(request, source, now, proxy=True)
        if isinstance(checked, Refusal):
            return checked
        account, vdn = checked
        return Admitted(
            account.number,
            self._called(request),
            vdn,
            account=account.number,
            behind_nat=source.host in self._nat,
        )


def caller_of(request: Request) -> str:
    """The user of From, for people and look-ups."""
    return request.from_.uri.number if request.from_ is not None else ""


def asserted_of(request: Request) -> str:
    """The user of P-Asserted-Identity (RFC 3325): believed from trunks only."""
    asserted = or_none(NameAddr.parse, request.headers.get("P-Asserted-Identity"))
    return asserted.uri.number if asserted is not None else ""


def called_of(request: Request) -> str:
    """The user of the request URI."""
    uri = or_none(SipUri.parse, request.uri)
    return uri.number if uri is not None else ""
