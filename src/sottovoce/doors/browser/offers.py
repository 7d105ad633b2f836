"""A browser's offer, and our answer to it: one audio stream over DTLS-SRTP with ICE-lite.

RFC 8829 (JSEP), RFC 8839 (ICE in SDP), RFC 8842 (DTLS-SRTP in SDP), RFC 5761 (RTCP on the same port).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from sottovoce.domain.audio import RATE
from sottovoce.domain.legs import Codec, LegDirection
from sottovoce.doors.sip.sdp import Media, SdpError, SessionDescription, dtmf_payload_type

MOST_OFFER = 16_384
"""Bytes of an offer; a browser's with one audio stream has about 2,500."""
HOST_PRIORITY = (126 << 24) + (65_535 << 8) + 255
"""Of a host candidate for RTP (RFC 8445 5.1.2.1); the next ones come after it."""
STREAM = "sottovoce"
"""What our stream is called; a browser has one audio element for it."""
_TOKEN = re.compile(r"[A-Za-z0-9+/]{4,256}")
_PASSWORD = re.compile(r"[A-Za-z0-9+/]{22,256}")
_SHA_256 = re.compile(r"(?:[0-9A-F]{2}:){31}[0-9A-F]{2}")


class OfferRefused(ValueError):
    """An offer that cannot be answered; the text says why."""


@dataclass(frozen=True, slots=True)
class Secrets:
    """What one side of a path proves itself by: ICE's user fragment and password, DTLS's fingerprint."""

    fragment: str
    password: str
    fingerprint: str
    """SHA-256 of the certificate, as SDP writes it: hexadecimal in capitals, with colons."""


@dataclass(frozen=True, slots=True)
class Offer:
    """What a browser wants, as far as it is answered."""

    secrets: Secrets
    mid: str
    """The name of its audio stream."""
    media: tuple[str, ...]
    """The kinds of all its m-lines, in order; the first audio one is answered."""
    dtmf_payload_type: int | None = None


def read(sdp: str) -> Offer:
    """What an offer says. OfferRefused where no audio can be had with it."""
    if len(sdp) > MOST_OFFER:
        raise OfferRefused("the offer is too long")
    try:
        theirs = SessionDescription.parse(sdp.encode())
    except SdpError as failure:
        raise OfferRefused(f"no session description: {failure}") from None
    audio = next((media for media in theirs.media if media.kind == "audio" and media.port), None)
    if audio is None:
        raise OfferRefused("no audio is offered")

    def said(name: str) -> str:
        inner = audio.attribute(name)
        return inner if inner is not None else dict(theirs.attributes).get(name) or ""

    if audio.protocol != "UDP/TLS/RTP/SAVPF":
        raise OfferRefused("audio has to come by UDP/TLS/RTP/SAVPF")
    if str(Codec.PCMU.value) not in audio.formats:
        raise OfferRefused("PCMU is not offered")
    if audio.attribute("rtcp-mux") is None:
        raise OfferRefused("RTCP has to share its port with RTP (rtcp-mux)")
    if theirs.direction(audio) is not LegDirection.SENDRECV:
        raise OfferRefused("audio has to be offered sendrecv: a microphone may come later")
    if said("setup") not in ("actpass", "active"):
        raise OfferRefused("the browser has to begin DTLS (setup:actpass)")
    algorithm, _, fingerprint = said("fingerprint").partition(" ")
    if algorithm.lower() != "sha-256" or not _SHA_256.fullmatch(fingerprint.upper()):
        raise OfferRefused("no SHA-256 fingerprint of a certificate")
    fragment, password = said("ice-ufrag"), said("ice-pwd")
    if not _TOKEN.fullmatch(fragment) or not _PASSWORD.fullmatch(password):
        raise OfferRefused("no ICE credentials")
    mid = audio.attribute("mid") or ""
    if not re.fullmatch(r"[\w.-]{0,64}", mid, re.ASCII):
        raise OfferRefused("a stream of that name is not taken")
    return Offer(
        Secrets(fragment, password, fingerprint.upper()),
        mid,
        tuple(media.kind for media in theirs.media),
        dtmf_payload_type(audio),
    )


def answer(
    offer: Offer, ours: Secrets, addresses: Sequence[tuple[str, int]], ssrc: int, session_id: int
) -> str:
    """Our answer: we are ICE-lite at all of `addresses`, wait for their DTLS, and send as `ssrc`."""
    lines: list[tuple[str, str | None]] = [
        ("mid", offer.mid),
        ("rtcp-mux", None),
        ("ice-ufrag", ours.fragment),
        ("ice-pwd", ours.password),
        ("fingerprint", f"sha-256 {ours.fingerprint}"),
        ("setup", "passive"),
        (LegDirection.SENDRECV.value, None),
        ("rtpmap", f"{Codec.PCMU.value} {Codec.PCMU.name}/{RATE}"),
        ("ptime", "20"),
    ]
    formats = [str(Codec.PCMU.value)]
    if offer.dtmf_payload_type is not None:
        formats.append(str(offer.dtmf_payload_type))
        lines.append(("rtpmap", f"{offer.dtmf_payload_type} telephone-event/{RATE}"))
        lines.append(("fmtp", f"{offer.dtmf_payload_type} 0-15"))
    lines += [("msid", f"{STREAM} {STREAM}"), ("ssrc", f"{ssrc} cname:{STREAM}")]
    lines += [
        ("candidate", f"{number} 1 udp {HOST_PRIORITY - (number << 8)} {host} {port} typ host")
        for number, (host, port) in enumerate(addresses, 1)
    ]
    lines.append(("end-of-candidates", None))
    host, port = addresses[0]
    at = offer.media.index("audio")
    audio = Media("audio", port, "UDP/TLS/RTP/SAVPF", formats, host, lines)
    media = [
        audio if place == at else Media(kind, 0, "UDP/TLS/RTP/SAVPF", ["0"])
        for place, kind in enumerate(offer.media)
    ]
    bundle = f"BUNDLE {offer.mid}"
    return (
        SessionDescription(session_id, 1, host, media, attributes=[("group", bundle), ("ice-lite", None)])
        .encode()
        .decode()
    )
