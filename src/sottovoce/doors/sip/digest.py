"""Digest authentication both ways (RFC 7616, RFC 8760, RFC 3261 22): MD5 and SHA-256, qop auth.

As a client: `authorize(challenge, ...)`. As a server: a `NonceKeeper` mints nonces and judges
credentials, replays included. No clock and no chance: time and randomness are handed in.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import struct
from collections import OrderedDict
from dataclasses import dataclass, replace
from enum import StrEnum

from sottovoce.doors.sip.headers import MalformedHeader, or_none, quote, unquote
from sottovoce.doors.sip.uri import SipUri

MAX_FIELDS = 32
_FIELD = re.compile(r'\s*([A-Za-z0-9\-_]+)\s*=\s*("(?:[^"\\]|\\.)*"|[^\s",]*)\s*(?:,|$)', re.DOTALL)
_UNQUOTED = frozenset(["algorithm", "stale", "qop", "nc"])


class Algorithm(StrEnum):
    """The hashes taken; the value is the wire's name."""

    MD5 = "MD5"
    SHA256 = "SHA-256"


def hashed(algorithm: Algorithm, text: str) -> str:
    """The hash of `text` in lower-case hex."""
    raw = text.encode("utf-8", "replace")
    if algorithm is Algorithm.MD5:
        return hashlib.md5(raw, usedforsecurity=False).hexdigest()
    return hashlib.sha256(raw).hexdigest()


def ha1(algorithm: Algorithm, user: str, realm: str, password: str) -> str:
    """What a server keeps instead of the password (RFC 7616 3.4.2)."""
    return hashed(algorithm, f"{user}:{realm}:{password}")


@dataclass(frozen=True, slots=True)
class Challenge:
    """A WWW-Authenticate or Proxy-Authenticate value."""

    realm: str
    nonce: str
    algorithm: Algorithm = Algorithm.MD5
    qop: bool = True
    """Whether qop=auth is offered; without it the old form of RFC 2069 is answered."""
    opaque: str | None = None
    stale: bool = False

    @classmethod
    def parse(cls, text: str) -> Challenge:
        """Read a challenge; raises MalformedHeader also for a scheme, algorithm or qop that is not taken."""
        fields = _fields(text)
        if "realm" not in fields or not fields.get("nonce"):
            raise MalformedHeader("challenge without realm or nonce")
        offered = [word.strip().lower() for word in fields.get("qop", "").split(",") if word.strip()]
        if offered and "auth" not in offered:
            raise MalformedHeader("challenge without qop auth")
        return cls(
            realm=fields["realm"],
            nonce=fields["nonce"],
            algorithm=_algorithm(fields),
            qop=bool(offered),
            opaque=fields.get("opaque"),
            stale=fields.get("stale", "").lower() == "true",
        )

    def __str__(self) -> str:
        fields = {"realm": self.realm, "nonce": self.nonce}
        if self.opaque is not None:
            fields["opaque"] = self.opaque
        if self.stale:
            fields["stale"] = "true"
        fields["algorithm"] = self.algorithm.value
        written = _written(fields)
        # qop is quoted in a challenge and bare in credentials (RFC 7616 3.3, 3.4).
        return written + (', qop="auth"' if self.qop else "")


@dataclass(frozen=True, slots=True)
class Credentials:
    """An Authorization or Proxy-Authorization value. `nc` is 0 where the sender uses no qop."""

    username: str
    realm: str
    nonce: str
    uri: str
    response: str
    algorithm: Algorithm = Algorithm.MD5
    cnonce: str | None = None
    nc: int = 0
    opaque: str | None = None

    @classmethod
    def parse(cls, text: str) -> Credentials:
        """Read credentials; raises MalformedHeader also for a scheme, algorithm or qop that is not taken."""
        fields = _fields(text)
        for name in ("username", "realm", "nonce", "uri", "response"):
            if name not in fields:
                raise MalformedHeader(f"credentials without {name}")
        qop = fields.get("qop", "").lower()
        if qop not in ("", "auth"):
            raise MalformedHeader("credentials of another qop")
        count = 0
        if qop:
            if not re.fullmatch(r"[0-9A-Fa-f]{8}", fields.get("nc", "")) or "cnonce" not in fields:
                raise MalformedHeader("credentials without nc or cnonce")
            count = int(fields["nc"], 16)
        return cls(
            username=fields["username"],
            realm=fields["realm"],
            nonce=fields["nonce"],
            uri=fields["uri"],
            response=fields["response"].lower(),
            algorithm=_algorithm(fields),
            cnonce=fields["cnonce"] if qop else None,
            nc=count,
            opaque=fields.get("opaque"),
        )

    def __str__(self) -> str:
        fields = {
            "username": self.username,
            "realm": self.realm,
            "nonce": self.nonce,
            "uri": self.uri,
            "response": self.response,
            "algorithm": self.algorithm.value,
        }
        if self.cnonce is not None:
            fields |= {"cnonce": self.cnonce, "qop": "auth", "nc": f"{self.nc:08x}"}
        if self.opaque is not None:
            fields["opaque"] = self.opaque
        return _written(fields)


def response(credentials: Credentials, method: str, secret: str) -> str:
    """The request digest that these credentials should hold; `secret` is HA1 (RFC 7616 3.4.1)."""
    algorithm = credentials.algorithm
    ha2 = hashed(algorithm, f"{method}:{credentials.uri}")
    if credentials.cnonce is None:
        return hashed(algorithm, f"{secret}:{credentials.nonce}:{ha2}")
    counted = f"{credentials.nonce}:{credentials.nc:08x}:{credentials.cnonce}:auth"
    return hashed(algorithm, f"{secret}:{counted}:{ha2}")


def authorize(
    challenge: Challenge, *, method: str, uri: str, user: str, password: str, cnonce: str, nc: int = 1
) -> Credentials:
    """The answer to a challenge. `nc` counts the requests sent with this nonce, from 1."""
    blank = Credentials(
        username=user,
        realm=challenge.realm,
        nonce=challenge.nonce,
        uri=uri,
        response="",
        algorithm=challenge.algorithm,
        cnonce=cnonce if challenge.qop else None,
        nc=nc if challenge.qop else 0,
        opaque=challenge.opaque,
    )
    secret = ha1(challenge.algorithm, user, challenge.realm, password)
    return replace(blank, response=response(blank, method, secret))


def strongest(values: list[str]) -> Challenge | None:
    """The challenge to answer among several header values: SHA-256 before MD5; None if none is understood."""
    understood = [found for value in values if (found := or_none(Challenge.parse, value)) is not None]
    return min(understood, key=lambda found: found.algorithm is not Algorithm.SHA256, default=None)


def verify(credentials: Credentials, *, method: str, secret: str) -> bool:
    """Whether the response is right, compared in constant time; the nonce is not judged. `secret` is HA1."""
    expected = response(credentials, method, secret)
    return hmac.compare_digest(expected.encode(), credentials.response.encode("utf-8", "replace"))


class CredentialsVerdict(StrEnum):
    """What a server does with credentials."""

    ACCEPTED = "accepted"
    STALE = "stale"
    """Right password, but an old, used-up or replayed nonce: challenge again with stale=true."""
    REFUSED = "refused"
    """Wrong password, a foreign nonce, or a digest made for another URI."""


class NonceKeeper:
    """Mints nonces and judges credentials, in bounded memory.

    A nonce carries its time and a MAC over it and the host it was minted for, so an unanswered
    challenge costs nothing, and who uses one has heard the answer: their address is not forged. Only a
    nonce that was used with a right password is remembered, with the highest count seen. When the table is
    full its oldest nonces expire early.
    """

    def __init__(self, key: bytes, *, lifetime_s: float = 300.0, capacity: int = 10_000) -> None:
        if len(key) < 16:
            raise ValueError("a nonce key has 16 bytes at least")
        self._key = key
        self._lifetime_ms = int(lifetime_s * 1000)
        self._capacity = capacity
        self._counts: OrderedDict[str, tuple[int, int]] = OrderedDict()
        """Nonce -> highest count, and when it was minted (ms)."""
        self._floor_ms = -1

    def challenge(
        self,
        realm: str,
        *,
        now: float,
        salt: bytes,
        algorithm: Algorithm = Algorithm.MD5,
        stale: bool = False,
        host: str = "",
    ) -> Challenge:
        """A challenge with a new nonce for the sender at `host`.

        `now` in seconds, never running back; `salt` is random, 8 bytes.
        """
        body = struct.pack(">Q8s", int(now * 1000), salt[:8])
        nonce = base64.urlsafe_b64encode(body + self._mac(body, host)).decode()
        return Challenge(realm=realm, nonce=nonce, algorithm=algorithm, stale=stale)

    def knows(self, nonce: str, host: str = "") -> bool:
        """Whether a nonce was minted here for that host, however long ago."""
        return self._minted_ms(nonce, host) is not None

    def verify(
        self, credentials: Credentials, *, method: str, uri: str, secret: str, now: float, host: str = ""
    ) -> CredentialsVerdict:
        """Judge credentials of a request for `uri`; `secret` is the account's HA1 of their algorithm."""
        minted_ms = self._minted_ms(credentials.nonce, host)
        if minted_ms is None or not _same_target(credentials.uri, uri):
            return CredentialsVerdict.REFUSED
        if not verify(credentials, method=method, secret=secret):
            return CredentialsVerdict.REFUSED
        now_ms = int(now * 1000)
        if now_ms - minted_ms > self._lifetime_ms or minted_ms <= self._floor_ms:
            return CredentialsVerdict.STALE
        # Without qop there is no count: such a nonce is good for one request.
        count = credentials.nc or 1
        if credentials.cnonce is not None and credentials.nc == 0:
            return CredentialsVerdict.STALE
        if count <= self._counts.get(credentials.nonce, (0, 0))[0]:
            return CredentialsVerdict.STALE
        self._remember(credentials.nonce, count, minted_ms, now_ms)
        return CredentialsVerdict.ACCEPTED

    def _remember(self, nonce: str, count: int, minted_ms: int, now_ms: int) -> None:
        self._counts[nonce] = count, minted_ms
        while self._counts:
            oldest, (_, minted_ms) = next(iter(self._counts.items()))
            expired = now_ms - minted_ms > self._lifetime_ms
            if not expired and len(self._counts) <= self._capacity:
                return
            del self._counts[oldest]
            if not expired:
                # A forgotten nonce must not be accepted anew.
                self._floor_ms = max(self._floor_ms, minted_ms)

    def _mac(self, body: bytes, host: str) -> bytes:
        return hmac.digest(self._key, body + host.encode(), "sha256")[:14]

    def _minted_ms(self, nonce: str, host: str) -> int | None:
        try:
            raw = base64.b64decode(nonce.encode("ascii"), altchars=b"-_", validate=True)
        except ValueError:
            return None
        if len(raw) != 30 or not hmac.compare_digest(self._mac(raw[:16], host), raw[16:]):
            return None
        return int(struct.unpack(">Q", raw[:8])[0])


def _same_target(claimed: str, actual: str) -> bool:
    """Whether a digest's uri may be the request's: it must not name another user.

    Hosts, ports and parameters are not compared: proxies rewrite them, and some senders write
    their next hop there. A digest for one called number is still worth nothing for another.
    """
    if claimed == actual:
        return True
    one, other = or_none(SipUri.parse, claimed), or_none(SipUri.parse, actual)
    if one is None or other is None:
        return False
    return not one.number or not other.number or one.number == other.number


def _fields(text: str) -> dict[str, str]:
    scheme, _, rest = text.strip().partition(" ")
    if scheme.lower() != "digest":
        raise MalformedHeader("another scheme than Digest")
    fields: dict[str, str] = {}
    at = 0
    while at < len(rest):
        found = _FIELD.match(rest, at)
        if found is None or len(fields) >= MAX_FIELDS:
            raise MalformedHeader("malformed digest fields")
        name = found[1].lower()
        if name in fields:
            raise MalformedHeader("a digest field twice")
        fields[name] = unquote(found[2])
        at = found.end()
    return fields


def _algorithm(fields: dict[str, str]) -> Algorithm:
    name = fields.get("algorithm", "MD5").upper()
    try:
        return Algorithm(name)
    except ValueError as error:
        raise MalformedHeader("a digest algorithm that is not taken") from error


def _written(fields: dict[str, str]) -> str:
    return "Digest " + ", ".join(
        f"{name}={value}" if name in _UNQUOTED else f"{name}={quote(value)}" for name, value in fields.items()
    )
