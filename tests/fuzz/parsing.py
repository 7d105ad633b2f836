"""Targets that read one input and remember nothing."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from contextlib import suppress

from tests.doors.sip.test_fuzz import HERE, check, read_all

from sottovoce.domain.destinations import Url
from sottovoce.domain.directory import AgentId
from sottovoce.doors.sip.digest import Challenge, Credentials
from sottovoce.doors.sip.headers import MalformedHeader
from sottovoce.doors.sip.message import MAX_MESSAGE, StreamFramer
from sottovoce.doors.sip.sdp import SdpError, SessionDescription, UnsupportedMedia, answer
from sottovoce.doors.sip.uri import NameAddr, SipUri
from sottovoce.doors.sip.via import Via
from sottovoce.errors import Refused
from sottovoce.http.ccgateway import served as ccgateway
from sottovoce.http.ccgateway.pushes import PushWire
from sottovoce.http.ccgateway.words import AgentIds
from sottovoce.http.ccisqm import served as ccisqm
from sottovoce.http.ccsqm import served as ccsqm
from sottovoce.http.family.form import BadInput
from sottovoce.media import rtcp
from sottovoce.media.control import VOCABULARY
from sottovoce.processes.protocol import ControlError, Framer
from sottovoce.pushing.seals import KEY_BYTES, Broken, Seals

SEALS = Seals(b"k" * KEY_BYTES)
QUALITY_FORMS = [interface.form for interface in (*ccsqm.SERVED, *ccisqm.SERVED)]
GATEWAY = ccgateway.SERVED
AGENTS = AgentIds(59_999)


def chosen(data: bytes, among: int) -> int:
    """A number below `among` that an input stands for, whoever made it."""
    return zlib.crc32(data) % among


def sip(data: bytes) -> int:
    """A SIP datagram: read, and written again."""
    read_all(data)
    return 0


def sip_stream(data: bytes) -> int:
    """The same over TCP, in pieces."""
    framer, step = StreamFramer(), 1 + chosen(data, 700)
    for at in range(0, len(data), step):
        for item in framer.feed(data[at : at + step]):
            check(item)
        assert len(framer._buffer) <= MAX_MESSAGE + step
    return 0


def sip_values(data: bytes) -> int:
    """The values of SIP headers that are more than a word."""
    text = data.decode("latin-1")
    readers: list[Callable[[str], object]] = [NameAddr.parse, SipUri.parse, Via.parse, Challenge.parse]
    for read in (*readers, Credentials.parse):
        with suppress(MalformedHeader):
            value = read(text)
            if not isinstance(value, Challenge):
                read(str(value))
    return 0


def sdp(data: bytes) -> int:
    """A session description, and our answer to it."""
    with suppress(SdpError, UnsupportedMedia):
        ours, _ = answer(SessionDescription.parse(data), HERE, session_id=1, version=1)
        return len(ours.encode())
    return 0


def rtcp_compound(data: bytes) -> int:
    """A compound of RTCP packets."""
    with suppress(rtcp.RtcpError):
        for report in rtcp.parse(data):
            assert len(report.blocks) <= 31
    return 0


def control_stream(data: bytes) -> int:
    """What a worker and the server may send each other."""
    with suppress(ControlError):
        for message in Framer(VOCABULARY).feed(data):
            VOCABULARY.encode(message)
    with suppress(ControlError):
        VOCABULARY.decode(data)
    return 0


def forms(data: bytes) -> int:
    """The body of any interface of the after-call half."""
    with suppress(BadInput):
        QUALITY_FORMS[chosen(data, len(QUALITY_FORMS))].decode(data)
    return 0


def push(data: bytes) -> int:
    """A URL to push to, a destination that was kept, and what a push server answers."""
    text = data.decode("latin-1")
    with suppress(Refused):
        url = Url.read(text)
        host = f"[{url.host}]" if ":" in url.host else url.host
        assert Url.read(f"{url.scheme}://{host}:{url.port}{url.target}") == url, "two readings of one URL"
        assert url.holds(url)
    with suppress(Broken):
        SEALS.open(AgentId(101), text)
    PushWire().taken(data)
    return 0


def gateway_forms(data: bytes) -> int:
    """Path, query and body of any interface of CC-Gateway: three parts with a line feed between."""
    path, query, body = (*data.split(b"\n", 2), b"", b"")[:3]
    interface = GATEWAY[chosen(data, len(GATEWAY))]
    words = dict.fromkeys(interface.form.model_fields, path.decode("latin-1"))
    kind = "application/json" if chosen(data, 7) else "application/x-www-form-urlencoded"
    with suppress(BadInput):
        interface.form.decode(words, query, body, kind, AGENTS)
    return 0
