"""SIP URIs and name-addrs: sip, sips and tel understood, others carried (RFC 3261 19, 20.10; RFC 3966)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from sottovoce.doors.sip.headers import (
    MalformedHeader,
    closing_quote,
    format_params,
    parse_params,
    quote,
    unquote,
    without_controls,
)
from sottovoce.plain import natural

MAX_URI_LENGTH = 4096
"""Longest URI, in characters."""

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+\-.]*")
_USERINFO = re.compile(r"(?:[^\x00-\x20\"<>@%#\[\]\\^`{|}\x7f]|%[0-9A-Fa-f]{2}|[#`{|}\[\]^])+")
_HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9\-_.]*[A-Za-z0-9_.])?")
_IPV6 = re.compile(r"\[[0-9A-Fa-f:.]{2,45}\]")
_PARAM = re.compile(r"(?:[^\x00-\x20\"<>@;?=%\x7f]|%[0-9A-Fa-f]{2})+")
_ESCAPE = re.compile(r"((?:%[0-9A-Fa-f]{2})+)")
_NUMBER = re.compile(r"[0-9A-Fa-f*#+().\-]+")


@dataclass(frozen=True, slots=True)
class SipUri:
    """A URI. `user`, `params` and `headers` are kept escaped as they came; None means absent.

    Of a `tel:` URI the number is `user` and `host` is empty; of any scheme that SIP does not
    define, all behind the colon is `opaque`.
    """

    scheme: str = "sip"
    user: str | None = None
    host: str = ""
    port: int | None = None
    params: dict[str, str | None] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    password: str | None = None
    opaque: str | None = None

    @classmethod
    def parse(cls, text: str) -> SipUri:
        """Read a URI; raises MalformedHeader."""
        if len(text) > MAX_URI_LENGTH:
            raise MalformedHeader("URI too long")
        scheme, colon, rest = text.partition(":")
        if not colon or not _SCHEME.fullmatch(scheme):
            raise MalformedHeader("URI without a scheme")
        if re.search(r"[\x00-\x20\x7f<>\"]", rest):
            raise MalformedHeader("a character that no URI may hold")
        scheme = scheme.lower()
        if scheme == "tel":
            number, _, tail = rest.partition(";")
            if not _NUMBER.fullmatch(number):
                raise MalformedHeader("tel URI without a number")
            return cls(scheme="tel", user=number, params=_uri_params(tail))
        if scheme not in ("sip", "sips"):
            if not rest:
                raise MalformedHeader("empty URI")
            return cls(scheme=scheme, opaque=rest)
        return cls._sip(scheme, rest)

    @classmethod
    def _sip(cls, scheme: str, rest: str) -> SipUri:
        user: str | None = None
        password: str | None = None
        userinfo, at, tail = rest.partition("@")
        if at:
            user, colon, secret = userinfo.partition(":")
            # An empty user is what some gateways write for a withheld number.
            if (user or colon) and not _USERINFO.fullmatch(user):
                raise MalformedHeader("malformed user part")
            if secret and not _USERINFO.fullmatch(secret):
                raise MalformedHeader("malformed user part")
            password = secret if colon else None
        else:
            tail = rest
        tail, question, header_text = tail.partition("?")
        hostport, _, param_text = tail.partition(";")
        host, port = split_hostport(hostport)
        headers: dict[str, str] = {}
        if question:
            for pair in header_text.split("&"):
                name, equals, value = pair.partition("=")
                if not name or not equals or "@" in pair:
                    raise MalformedHeader("malformed URI header")
                headers.setdefault(name, value)
        return cls(scheme, user, host, port, _uri_params(param_text), headers, password)

    @property
    def is_telephonic(self) -> bool:
        """Whether a call can be placed by it: sip, sips or tel."""
        return self.scheme in ("sip", "sips", "tel")

    @property
    def number(self) -> str:
        """The user part for people and look-ups: escapes undone, controls and user parameters dropped.

        Of a `tel:` URI without its visual separators (RFC 3966 5.1.1).
        """
        if self.user is None:
            return ""
        number = without_controls(unescape(self.user.partition(";")[0]))
        return without_separators(number) if self.scheme == "tel" else number

    @property
    def transport(self) -> str | None:
        """The `transport` parameter in lower case, however it was written."""
        value = self.params.get("transport")
        return value.lower() if value else None

    @property
    def loose_router(self) -> bool:
        """Whether a route of this URI takes loose routing (`lr`, with or without a value)."""
        return "lr" in self.params

    def __str__(self) -> str:
        if self.opaque is not None:
            return f"{self.scheme}:{self.opaque}"
        written = [self.scheme, ":"]
        if self.user is not None:
            written.append(self.user)
            if self.password is not None:
                written += [":", self.password]
            if self.scheme != "tel":
                written.append("@")
        written.append(self.host)
        if self.port is not None:
            written.append(f":{self.port}")
        for name, value in self.params.items():
            written.append(f";{name}" if value is None else f";{name}={value}")
        if self.headers:
            written.append("?" + "&".join(f"{name}={value}" for name, value in self.headers.items()))
        return "".join(written)


@dataclass(frozen=True, slots=True)
class NameAddr:
    """A From, To, Contact, Route …: a display name, a URI, and the header's parameters.

    `display` is for people: quotes, escapes and control characters are undone.
    """

    uri: SipUri
    display: str = ""
    params: dict[str, str | None] = field(default_factory=dict)

    @classmethod
    def parse(cls, text: str) -> NameAddr:
        """Read a name-addr or addr-spec; raises MalformedHeader."""
        text = text.strip(" \t")
        display = ""
        if text.startswith('"'):
            end = closing_quote(text)
            if end < 0:
                raise MalformedHeader("a display name whose quotes do not end")
            display, text = unquote(text[: end + 1]), text[end + 1 :].lstrip(" \t")
            if not text.startswith("<"):
                raise MalformedHeader("a display name without a <URI>")
        opening = text.find("<")
        if opening >= 0:
            name = text[:opening].strip(" \t")
            if re.search(r'[",;<>]', name):
                raise MalformedHeader("a display name that needs quotes")
            closing = text.find(">", opening)
            if closing < 0:
                raise MalformedHeader("<URI without an end")
            uri = SipUri.parse(text[opening + 1 : closing])
            params = parse_params(text[closing + 1 :])
            return cls(uri, without_controls(display or name), params)
        address, semicolon, tail = text.partition(";")
        address = address.rstrip(" \t")
        if "?" in address or "," in address:
            raise MalformedHeader("a URI with ? or , needs <>")
        return cls(SipUri.parse(address), "", parse_params(semicolon + tail))

    @property
    def tag(self) -> str | None:
        """The `tag` parameter of a From or To."""
        return self.params.get("tag") or None

    def __str__(self) -> str:
        name = f"{quote(self.display)} " if self.display else ""
        return f"{name}<{self.uri}>{format_params(self.params)}"


def split_hostport(text: str) -> tuple[str, int | None]:
    """`host`, `host:port` or `[IPv6]:port`; raises MalformedHeader. The port is 1 to 65535 or None."""
    if text.startswith("["):
        closing = text.find("]")
        host, rest = text[: closing + 1], text[closing + 1 :]
        if closing < 0 or not _IPV6.fullmatch(host):
            raise MalformedHeader("malformed IPv6 address")
        if rest and not rest.startswith(":"):
            raise MalformedHeader("malformed host")
        colon, port_text = rest[:1], rest[1:]
    else:
        host, colon, port_text = text.partition(":")
        if not _HOST.fullmatch(host) or len(host) > 255:
            raise MalformedHeader("malformed host")
    if not colon:
        return host, None
    return host, _port(port_text)


def _port(text: str) -> int:
    port = natural(text, 5)
    if not port or port > 65535:
        raise MalformedHeader("port out of range")
    return port


def _uri_params(text: str) -> dict[str, str | None]:
    params: dict[str, str | None] = {}
    if not text:
        return params
    for part in text.removesuffix(";").split(";"):
        name, equals, value = part.partition("=")
        if not _PARAM.fullmatch(name) or (value and not _PARAM.fullmatch(value)):
            raise MalformedHeader("malformed URI parameter")
        params.setdefault(name.lower(), value if equals else None)
    return params


def unescape(text: str) -> str:
    """%-escapes undone as UTF-8 (latin-1 where they are none); a % that escapes nothing stays."""
    if "%" not in text:
        return text

    def decoded(found: re.Match[str]) -> str:
        raw = bytes.fromhex(found.group(1).replace("%", ""))
        try:
            return raw.decode()
        except UnicodeDecodeError:
            return raw.decode("latin-1")

    return _ESCAPE.sub(decoded, text)


def without_separators(text: str) -> str:
    """A telephone number without what is only there for the eye; anything else as it is."""
    plain = re.sub(r"[-.() ]", "", text)
    return plain if re.fullmatch(r"\+?[0-9*#]+", plain) else text


def escape_user(text: str) -> str:
    """`text` as the user part of a URI: what it may not hold is %-escaped (RFC 3261 25.1)."""
    return "".join(
        character
        if character.isascii() and (character.isalnum() or character in "-_.!~*'()&=+$,?/#")
        else "".join(f"%{byte:02X}" for byte in character.encode("utf-8", "replace"))
        for character in text
    )
