"""SDP and its offer/answer for one G.711 stream (RFC 8866, RFC 3264, RFC 3551, RFC 3605, RFC 4733).

`offer` writes ours, `answer` mirrors theirs m-line by m-line, `read_answer` reads what they said to
ours. Session id and version come from the caller, who raises the version with every change.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from sottovoce.domain.audio import RATE
from sottovoce.domain.legs import Codec, LegAddress, LegDirection, RemoteMedia
from sottovoce.plain import natural

MAX_LINES = 1000
MAX_MEDIA = 32
"""Most m-lines that are mirrored."""
MAX_FORMATS = 64
DTMF_PAYLOAD_TYPE = 101
"""The payload type offered for RFC 4733 events."""
PLAIN_RTP = frozenset(["RTP/AVP", "RTP/AVPF"])

_MIRRORED = {
    LegDirection.SENDRECV: LegDirection.SENDRECV,
    LegDirection.SENDONLY: LegDirection.RECVONLY,
    LegDirection.RECVONLY: LegDirection.SENDONLY,
    LegDirection.INACTIVE: LegDirection.INACTIVE,
}


class SdpError(ValueError):
    """Bytes that are no SDP (400 at the SIP door)."""


class UnsupportedMedia(Exception):
    """Well-formed SDP with nothing that the mixer can take: 488 at the SIP door. The text says what,
    `warning` its code (RFC 3261 20.43)."""

    def __init__(self, why: str, warning: int = 399) -> None:
        super().__init__(why)
        self.warning = warning


@dataclass(slots=True)
class Media:
    """One m-line and what belongs to it. `port` 0 means rejected or switched off."""

    kind: str
    port: int
    protocol: str
    formats: list[str]
    connection: str | None = None
    """The address of its own c-line; None means the session's."""
    attributes: list[tuple[str, str | None]] = field(default_factory=list)

    def attribute(self, name: str) -> str | None:
        """The value of the first a-line of that name; empty for one without a value, None for none."""
        return next((value or "" for key, value in self.attributes if key == name), None)

    def direction(self) -> LegDirection | None:
        """Its own direction attribute, or None."""
        return _direction_of(self.attributes)

    def rejected(self) -> Media:
        """The same m-line refused (RFC 3264 6): port 0, the formats kept, nothing else."""
        return Media(self.kind, 0, self.protocol, list(self.formats))


@dataclass(slots=True)
class SessionDescription:
    """A session description, as far as a telephone needs it; other lines are read over."""

    session_id: int
    version: int
    host: str
    """The origin's address."""
    media: list[Media] = field(default_factory=list)
    connection: str | None = None
    """The session's c-line address."""
    attributes: list[tuple[str, str | None]] = field(default_factory=list)
    user: str = "-"
    name: str = "-"

    @classmethod
    def parse(cls, data: bytes) -> SessionDescription:
        """Read SDP; raises SdpError. Lines out of order, of unknown letters, or ended by LF are forgiven."""
        text = data.decode("utf-8", "replace").replace("\r\n", "\n").replace("\r", "\n")
        lines = [line for line in text.split("\n") if line.strip()]
        if not lines or lines[0].strip() != "v=0":
            raise SdpError("no v=0 line")
        if len(lines) > MAX_LINES:
            raise SdpError("too many lines")
        origin: SessionDescription | None = None
        media: list[Media] = []
        connection: str | None = None
        attributes: list[tuple[str, str | None]] = []
        for line in lines[1:]:
            letter, equals, value = line.partition("=")
            if not equals or len(letter) != 1:
                raise SdpError("a line that is no type=value")
            value = value.strip()
            if letter == "o" and origin is None:
                origin = _origin(value)
            elif letter == "m":
                media.append(_media(value))
                if len(media) > MAX_MEDIA:
                    raise SdpError("too many m-lines")
            elif letter == "c":
                if media:
                    media[-1].connection = media[-1].connection or _connection(value)
                else:
                    connection = _connection(value)
            elif letter == "a":
                name, colon, content = value.partition(":")
                target = media[-1].attributes if media else attributes
                target.append((name.strip().lower(), content.strip() if colon else None))
            elif letter == "s" and origin is not None:
                origin = replace(origin, name=value or "-")
        if origin is None:
            raise SdpError("no o-line")
        return replace(origin, media=media, connection=connection, attributes=attributes)

    def encode(self) -> bytes:
        """The bytes of a body of application/sdp."""
        lines = [
            "v=0",
            f"o={self.user} {self.session_id} {self.version} IN {_family(self.host)} {self.host}",
            f"s={self.name or '-'}",
        ]
        if self.connection is not None:
            lines.append(f"c=IN {_family(self.connection)} {self.connection}")
        lines.append("t=0 0")
        lines += _attribute_lines(self.attributes)
        for media in self.media:
            lines.append(f"m={media.kind} {media.port} {media.protocol} {' '.join(media.formats)}")
            if media.connection is not None:
                lines.append(f"c=IN {_family(media.connection)} {media.connection}")
            lines += _attribute_lines(media.attributes)
        return ("\r\n".join(lines) + "\r\n").encode("utf-8", "replace")

    def direction(self, media: Media) -> LegDirection:
        """The direction of an m-line: its own, else the session's, else sendrecv (RFC 8866 6.7)."""
        return media.direction() or _direction_of(self.attributes) or LegDirection.SENDRECV


def offer(
    local: LegAddress,
    *,
    session_id: int,
    version: int,
    codecs: Sequence[Codec] = tuple(Codec),
    direction: LegDirection = LegDirection.SENDRECV,
    previous: SessionDescription | None = None,
) -> SessionDescription:
    """Our offer: one audio stream with telephone-event. `direction` is ours, seen from us.

    With `previous`, our last description of the dialog, its m-lines keep their places: the one in
    use is offered again, the refused ones stay refused (RFC 3264 8).
    """
    place = _in_use(previous) if previous is not None and previous.media else None
    payload_type = DTMF_PAYLOAD_TYPE
    if previous is not None and place is not None:
        # What a payload type means stays for the session (RFC 3264 8.3.2); the codec in use stays first.
        payload_type = dtmf_payload_type(previous.media[place]) or payload_type
        used = _codecs(previous.media[place])[:1]
        codecs = sorted(codecs, key=lambda codec: codec not in used)
    formats = [str(codec.value) for codec in codecs] + [str(payload_type)]
    attributes: list[tuple[str, str | None]] = [
        ("rtpmap", f"{codec.value} {codec.name}/{RATE}") for codec in codecs
    ]
    attributes += [*_dtmf_attributes(payload_type), ("ptime", "20"), (direction.value, None)]
    audio = Media("audio", local.port, "RTP/AVP", formats, None, attributes)
    media = [audio]
    if previous is not None and place is not None:
        audio.protocol = previous.media[place].protocol
        media = [audio if i == place else old.rejected() for i, old in enumerate(previous.media)]
    return SessionDescription(session_id, version, local.host, media, local.host)


def answer(
    theirs: SessionDescription,
    local: LegAddress,
    *,
    session_id: int,
    version: int,
    preference: Sequence[Codec] = (),
    signalling_host: str | None = None,
    nat: bool = False,
) -> tuple[SessionDescription, RemoteMedia]:
    """Our answer to their offer, and where and how to send.

    Every m-line is mirrored in its place: the first plain-RTP audio that holds G.711 is taken, all
    others are refused with port 0. The codec is the first of `preference` that is offered, else the
    first offered. Raises UnsupportedMedia if no m-line can be taken (SRTP alone, no G.711).
    """
    at, codec = _acceptable(theirs, preference)
    chosen = theirs.media[at]
    remote = _remote(theirs, chosen, codec, local, signalling_host=signalling_host, nat=nat)
    ours = _MIRRORED[theirs.direction(chosen)]
    if _is_zero(_address_of(theirs, chosen)) and ours is not LegDirection.INACTIVE:
        # Hold in the style of RFC 2543: nothing may be sent there (RFC 3264 8.4).
        ours = LegDirection.RECVONLY
    attributes: list[tuple[str, str | None]] = [("rtpmap", f"{codec.value} {codec.name}/{RATE}")]
    formats = [str(codec.value)]
    if remote.dtmf_payload_type is not None:
        formats.append(str(remote.dtmf_payload_type))
        attributes += _dtmf_attributes(remote.dtmf_payload_type)
    attributes += [("ptime", "20"), (ours.value, None)]
    audio = Media("audio", local.port, chosen.protocol, formats, None, attributes)
    media = [audio if i == at else other.rejected() for i, other in enumerate(theirs.media)]
    return SessionDescription(session_id, version, local.host, media, local.host), remote


def read_answer(
    theirs: SessionDescription,
    local: LegAddress,
    *,
    offered: SessionDescription | None = None,
    signalling_host: str | None = None,
    nat: bool = False,
) -> RemoteMedia:
    """Where and how to send, by their answer to our offer; raises UnsupportedMedia if they refused it.

    With `offered`, only the m-line in the place of ours counts.
    """
    at, codec = _acceptable(theirs, ())
    if offered is not None and offered.media:
        place = _in_use(offered)
        if at != place:
            raise UnsupportedMedia("the answer refuses the stream that was offered")
    return _remote(theirs, theirs.media[at], codec, local, signalling_host=signalling_host, nat=nat)


def is_hold(remote: RemoteMedia) -> bool:
    """Whether the far side does not want to hear us: on hold by its own wish."""
    return remote.direction in (LegDirection.SENDONLY, LegDirection.INACTIVE)


def _in_use(description: SessionDescription) -> int:
    """The place of our audio stream among the m-lines of a description of ours."""
    places = [i for i, media in enumerate(description.media) if media.kind == "audio" and media.port]
    return places[0] if places else 0


def _acceptable(theirs: SessionDescription, preference: Sequence[Codec]) -> tuple[int, Codec]:
    why = UnsupportedMedia("no audio", 304)
    for at, media in enumerate(theirs.media):
        if media.kind != "audio" or media.port == 0:
            continue
        if media.protocol.upper() not in PLAIN_RTP:
            why = UnsupportedMedia(f"audio over {media.protocol[:32]} only", 302)
            continue
        codecs = _codecs(media)
        if not codecs:
            why = UnsupportedMedia("no G.711 among the formats", 305)
            continue
        return at, next((codec for codec in preference if codec in codecs), codecs[0])
    raise why


def _codecs(media: Media) -> list[Codec]:
    """The G.711 codecs among an m-line's formats, in its order; a payload type mapped away is none."""
    maps = dict(_rtpmaps(media))
    found = []
    for text in media.formats:
        for codec in Codec:
            if text == str(codec.value) and maps.get(codec.value, codec.name) == codec.name:
                found.append(codec)
    return found


def _remote(
    theirs: SessionDescription,
    media: Media,
    codec: Codec,
    local: LegAddress,
    *,
    signalling_host: str | None,
    nat: bool,
) -> RemoteMedia:
    address = _address_of(theirs, media)
    direction = theirs.direction(media)
    if _is_zero(address):
        direction = LegDirection.INACTIVE
    else:
        _check_reachable(address, local)
    return RemoteMedia(
        host=address,
        port=media.port,
        codec=codec,
        ptime_ms=_ptime(media),
        dtmf_payload_type=dtmf_payload_type(media),
        direction=direction,
        rtcp_port=_rtcp_port(media),
        signalling_host=signalling_host,
        nat=nat,
        codecs=tuple(_codecs(media)),
    )


def _check_reachable(address: str, local: LegAddress) -> None:
    try:
        there = ipaddress.ip_address(address)
        here = ipaddress.ip_address(local.host)
    except ValueError as error:
        # A name would have to be looked up for every packet, or once by whoever wrote it.
        raise UnsupportedMedia("the connection address is no IP address", 301) from error
    if there.version != here.version:
        raise UnsupportedMedia(f"no IPv{there.version} media here", 300)
    if there.is_multicast or str(there) == "255.255.255.255":
        raise UnsupportedMedia("media to a group address", 330)


def _address_of(theirs: SessionDescription, media: Media) -> str:
    address = media.connection or theirs.connection
    if address is None:
        raise UnsupportedMedia("no connection address", 301)
    return address


def _is_zero(address: str) -> bool:
    return address in ("0.0.0.0", "::")  # noqa: S104 - a hold's address, nothing binds to it


def _ptime(media: Media) -> int:
    """How much to send in a packet: what they ask, within 10-60 ms and their maxptime, in steps of 10."""
    wished = _number(media.attribute("ptime")) or 20
    limit = _number(media.attribute("maxptime")) or 60
    return max(10, min(wished, limit, 60) // 10 * 10)


def _number(text: str | None) -> int | None:
    """A positive integer of at most five digits (a fraction is cut off), or None."""
    return natural((text or "").strip().partition(".")[0], 5)


def dtmf_payload_type(media: Media) -> int | None:
    """What RFC 4733 events are sent as there, or None."""
    for number, name in _rtpmaps(media):
        if name == "TELEPHONE-EVENT" and number > 34 and str(number) in media.formats:
            return number
    return None


def _rtcp_port(media: Media) -> int | None:
    port = _number((media.attribute("rtcp") or "").partition(" ")[0])
    return port if port and port < 65536 else None


def _rtpmaps(media: Media) -> Iterator[tuple[int, str]]:
    """Payload types and encoding names in capitals, of those with the clock of telephony."""
    for key, value in media.attributes:
        if key != "rtpmap" or value is None:
            continue
        number, _, encoding = value.strip().partition(" ")
        name, _, rate = encoding.strip().partition("/")
        parsed = _number(number)
        if parsed is None or parsed > 127:
            continue
        if rate.partition("/")[0] == str(RATE):
            yield parsed, name.upper()
        else:
            yield parsed, "?"


def _dtmf_attributes(payload_type: int) -> list[tuple[str, str | None]]:
    return [("rtpmap", f"{payload_type} telephone-event/{RATE}"), ("fmtp", f"{payload_type} 0-15")]


def _direction_of(attributes: list[tuple[str, str | None]]) -> LegDirection | None:
    for name, _ in attributes:
        if name in LegDirection._value2member_map_:
            return LegDirection(name)
    return None


def _attribute_lines(attributes: list[tuple[str, str | None]]) -> list[str]:
    return [f"a={name}" if value is None else f"a={name}:{value}" for name, value in attributes]


def _family(host: str) -> str:
    return "IP6" if ":" in host else "IP4"


def _origin(value: str) -> SessionDescription:
    words = value.split()
    if len(words) < 5:
        raise SdpError("malformed o-line")
    session_id, version, _, _, host = words[-5:]
    return SessionDescription(_id(session_id), _id(version), host, user="_".join(words[:-5]) or "-")


def _id(text: str) -> int:
    """A number of the o-line; some phones write words there, and nothing here depends on theirs."""
    return natural(text, 20) or 0


def _connection(value: str) -> str:
    words = value.split()
    if len(words) != 3 or words[0].upper() != "IN":
        raise SdpError("malformed c-line")
    return words[2].partition("/")[0]


def _media(value: str) -> Media:
    words = value.split()
    if len(words) < 4 or len(words) > 3 + MAX_FORMATS:
        raise SdpError("malformed m-line")
    kind, port_text, protocol, *formats = words
    port = _number(port_text.partition("/")[0])
    if port is None or port > 65535:
        raise SdpError("m-line port out of range")
    return Media(kind.lower(), port, protocol, formats)
