"""Hostile bytes: whatever comes, a parser answers or raises its own error, nothing else."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from sottovoce.domain.legs import LegAddress
from sottovoce.doors.sip.digest import Challenge, Credentials
from sottovoce.doors.sip.headers import MalformedHeader
from sottovoce.doors.sip.message import (
    MAX_MESSAGE,
    Request,
    Response,
    SipParseError,
    StreamFramer,
    parse,
    reply,
)
from sottovoce.doors.sip.sdp import SdpError, SessionDescription, UnsupportedMedia, answer
from sottovoce.doors.sip.uri import NameAddr, SipUri
from sottovoce.doors.sip.via import Via

SEEDS = [path.read_bytes() for path in sorted((Path(__file__).parent / "torture").glob("*.sip"))]
SPICE = [
    b"\r\n",
    b"\r\n ",
    b"\r\n\r\n",
    b"\x00",
    b"\xff",
    b"\xc3",
    b'"',
    b"\\",
    b"<",
    b">",
    b";",
    b",",
    b":",
    b"@",
    b"%",
    b"=",
    b" ",
    b"\t" * 50,
    b"(" * 50,
    b"9" * 400,
    b"-1",
    b"z9hG4bK",
    b"SIP/2.0",
    b"\r\nl: 5",
    b"\r\nContent-Length: 99999",
    b"\r\nVia: ",
    b"\r\nContact: *",
]
HERE = LegAddress("127.0.0.1", 4000)


@st.composite
def mutated(draw: st.DrawFn, seeds: list[bytes]) -> bytes:
    data = bytearray(draw(st.sampled_from(seeds)))
    for _ in range(draw(st.integers(1, 6))):
        at = draw(st.integers(0, max(0, len(data))))
        cut = draw(st.integers(0, 12))
        data[at : at + cut] = draw(st.sampled_from(SPICE) | st.binary(max_size=6))
    return bytes(data)


def use(message: Request | Response) -> None:
    """Read all that the layers above read, and write it again."""
    assert message.via is not None
    assert message.from_ is not None
    assert message.to is not None
    assert message.cseq[1]
    assert message.call_id
    _ = (message.contact, message.content_type)
    again = parse(message.encode())
    assert (again.call_id, again.cseq) == (message.call_id, message.cseq)
    if isinstance(message, Request):
        parse(reply(message, 200, to_tag="x").encode())


def read_all(data: bytes) -> None:
    try:
        message: Request | Response | SipParseError = parse(data)
    except SipParseError as error:
        message = error
    check(message)


def check(message: Request | Response | SipParseError) -> None:
    if not isinstance(message, SipParseError):
        use(message)
        return
    assert 400 <= message.status < 600
    if message.request is not None:
        assert reply(message.request, message.status, message.reason, to_tag="x").encode()


@settings(max_examples=400, deadline=None)
@given(mutated(SEEDS))
def test_mutated_messages(data: bytes) -> None:
    read_all(data)


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=400))
def test_random_datagrams(data: bytes) -> None:
    read_all(data)


@settings(max_examples=150, deadline=None)
@given(st.lists(mutated(SEEDS) | st.binary(max_size=60), max_size=4), st.integers(1, 500))
def test_streams_of_anything(parts: list[bytes], size: int) -> None:
    data = b"".join(parts)
    framer = StreamFramer()
    for at in range(0, len(data), size):
        for item in framer.feed(data[at : at + size]):
            check(item)
        assert len(framer._buffer) <= MAX_MESSAGE + size


TEXT_SEEDS = [
    b'"A \\" b" <sip:a;b@h.example:5060;transport=TCP;lr?x=y>;tag=1;q="0,5"',
    b"SIP/2.0/UDP [2001:db8::1]:5060;branch=z9hG4bKabc;rport=5060;received=192.0.2.1",
    b'Digest username="u", realm="r", nonce="n", uri="x", response="ab", qop=auth, nc=00000001, cnonce="c"',
    b"tel:+49-30-1;phone-context=x",
]


@settings(max_examples=300, deadline=None)
@given(mutated(TEXT_SEEDS).map(lambda data: data.decode("latin-1")) | st.text(max_size=40))
def test_values_of_headers(text: str) -> None:
    with suppress(MalformedHeader):
        address = NameAddr.parse(text)
        assert NameAddr.parse(str(address)).uri == address.uri
        _ = (address.tag, address.uri.number, address.uri.transport)
    with suppress(MalformedHeader):
        uri = SipUri.parse(text)
        assert SipUri.parse(str(uri)) == uri
    with suppress(MalformedHeader):
        via = Via.parse(text)
        _ = via.reply_to
        assert via.stamped("192.0.2.9", 1).host == via.host
    with suppress(MalformedHeader):
        Challenge.parse(text)
    with suppress(MalformedHeader):
        credentials = Credentials.parse(text)
        assert Credentials.parse(str(credentials)) == credentials


SDP_SEEDS = [
    b"v=0\r\no=- 1 2 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\na=sendonly\r\n"
    b"m=video 5000 RTP/AVP 31\r\nm=audio 5004 RTP/AVP 0 8 101\r\na=rtpmap:0 PCMU/8000\r\n"
    b"a=rtpmap:101 telephone-event/8000\r\na=ptime:20\r\na=maxptime:60\r\na=rtcp:5005\r\na=inactive\r\n"
]


@settings(max_examples=200, deadline=None)
@given(mutated(SDP_SEEDS) | st.binary(max_size=100))
def test_session_descriptions(data: bytes) -> None:
    with suppress(SdpError, UnsupportedMedia):
        theirs = SessionDescription.parse(data)
        ours, remote = answer(theirs, HERE, session_id=1, version=1)
        assert len(ours.media) == len(theirs.media)
        assert SessionDescription.parse(ours.encode()).media == ours.media
        assert 0 < remote.port < 65536
        assert 10 <= remote.ptime_ms <= 60
