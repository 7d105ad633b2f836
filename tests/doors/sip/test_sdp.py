"""SDP: offers, answers that mirror, hold, and what is refused."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sottovoce.domain.legs import Codec, LegAddress, LegDirection
from sottovoce.doors.sip.sdp import (
    MAX_FORMATS,
    MAX_MEDIA,
    SdpError,
    SessionDescription,
    UnsupportedMedia,
    answer,
    is_hold,
    offer,
    read_answer,
)

HERE = LegAddress("192.0.2.10", 40000)


def described(*lines: str, connection: str | None = "IN IP4 192.0.2.20") -> SessionDescription:
    head = ["v=0", "o=phone 5 6 IN IP4 192.0.2.20", "s=call"]
    if connection:
        head.append(f"c={connection}")
    return SessionDescription.parse("\r\n".join([*head, "t=0 0", *lines, ""]).encode())


def answered(*lines: str, **more: object) -> tuple[list[str], object]:
    ours, remote = answer(described(*lines), HERE, session_id=1, version=2)
    return ours.encode().decode().split("\r\n"), remote


def test_the_offer_as_written() -> None:
    assert offer(HERE, session_id=7, version=8).encode().decode().split("\r\n") == [
        "v=0",
        "o=- 7 8 IN IP4 192.0.2.10",
        "s=-",
        "c=IN IP4 192.0.2.10",
        "t=0 0",
        "m=audio 40000 RTP/AVP 0 8 101",
        "a=rtpmap:0 PCMU/8000",
        "a=rtpmap:8 PCMA/8000",
        "a=rtpmap:101 telephone-event/8000",
        "a=fmtp:101 0-15",
        "a=ptime:20",
        "a=sendrecv",
        "",
    ]


def test_the_answer_as_written() -> None:
    lines, remote = answered(
        "m=audio 5004 RTP/AVP 9 8 0 97",
        "a=rtpmap:97 telephone-event/8000",
        "a=ptime:30",
        "a=rtcp:6005 IN IP4 192.0.2.20",
    )
    assert lines[5:] == [
        "m=audio 40000 RTP/AVP 8 97",
        "a=rtpmap:8 PCMA/8000",
        "a=rtpmap:97 telephone-event/8000",
        "a=fmtp:97 0-15",
        "a=ptime:20",
        "a=sendrecv",
        "",
    ]
    assert remote.host == "192.0.2.20"
    assert remote.port == 5004
    assert remote.codec is Codec.PCMA
    assert remote.ptime_ms == 30
    assert remote.dtmf_payload_type == 97
    assert remote.rtcp_port == 6005
    assert remote.direction is LegDirection.SENDRECV


@pytest.mark.parametrize(
    ("formats", "codecs"),
    [
        ("0 8", (Codec.PCMU, Codec.PCMA)),
        ("8 18 0 97", (Codec.PCMA, Codec.PCMU)),
        ("18 8", (Codec.PCMA,)),
        ("0", (Codec.PCMU,)),
    ],
)
def test_all_g711_that_they_name_may_come_from_them(formats: str, codecs: tuple[Codec, ...]) -> None:
    """A phone that answers two may send the second; a trunk may ignore that our answer names one."""
    ours = offer(HERE, session_id=1, version=1)
    theirs = described(f"m=audio 5004 RTP/AVP {formats}")
    for remote in (
        read_answer(theirs, HERE, offered=ours),
        answer(theirs, HERE, session_id=1, version=1)[1],
    ):
        assert (remote.codec, remote.codecs) == (codecs[0], codecs)


def test_our_preference_wins_where_given() -> None:
    _, remote = answer(
        described("m=audio 5004 RTP/AVP 0 8"),
        HERE,
        session_id=1,
        version=1,
        preference=[Codec.PCMA],
        signalling_host="198.51.100.1",
        nat=True,
    )
    assert remote.codec is Codec.PCMA
    assert remote.signalling_host == "198.51.100.1"
    assert remote.nat
    assert remote.dtmf_payload_type is None


def test_every_m_line_is_mirrored_in_its_place() -> None:
    lines, remote = answered(
        "m=video 5000 RTP/AVP 31 34",
        "m=audio 5002 RTP/SAVP 0",
        "m=audio 0 RTP/AVP 0",
        "m=audio 5004 RTP/AVP 18",
        "m=audio 5006/2 RTP/AVP 0",
        "c=IN IP4 192.0.2.21",
        "m=audio 5008 RTP/AVP 8",
        "m=image 5010 udptl t38",
    )
    assert [line for line in lines if line.startswith("m=")] == [
        "m=video 0 RTP/AVP 31 34",
        "m=audio 0 RTP/SAVP 0",
        "m=audio 0 RTP/AVP 0",
        "m=audio 0 RTP/AVP 18",
        "m=audio 40000 RTP/AVP 0",
        "m=audio 0 RTP/AVP 8",
        "m=image 0 udptl t38",
    ]
    assert (remote.host, remote.port) == ("192.0.2.21", 5006)


def test_avpf_is_answered_in_kind() -> None:
    lines, _ = answered("m=audio 5004 RTP/AVPF 0")
    assert "m=audio 40000 RTP/AVPF 0" in lines


@pytest.mark.parametrize(
    "lines",
    [
        ("m=audio 5004 RTP/SAVP 0 8",),
        ("m=audio 5004 UDP/TLS/RTP/SAVPF 0",),
        ("m=audio 5004 RTP/AVP 9 18 111", "a=rtpmap:111 opus/48000/2"),
        ("m=audio 0 RTP/AVP 0",),
        ("m=video 5004 RTP/AVP 31",),
        ("m=audio 5004 RTP/AVP 0", "a=rtpmap:0 L16/8000"),
        ("m=audio 5004 RTP/AVP 0", "c=IN IP4 phone.example.com"),
        ("m=audio 5004 RTP/AVP 0", "c=IN IP4 224.2.1.1/127"),
        ("m=audio 5004 RTP/AVP 0", "c=IN IP4 255.255.255.255"),
        ("m=audio 5004 RTP/AVP 0", "c=IN IP6 2001:db8::1"),
        (),
    ],
)
def test_what_the_mixer_cannot_take_is_unsupported(lines: tuple[str, ...]) -> None:
    with pytest.raises(UnsupportedMedia):
        answer(described(*lines), HERE, session_id=1, version=1)


def test_no_connection_at_all_is_unsupported() -> None:
    with pytest.raises(UnsupportedMedia):
        answer(described("m=audio 5004 RTP/AVP 0", connection=None), HERE, session_id=1, version=1)


@pytest.mark.parametrize(
    ("attribute", "theirs", "ours", "hold"),
    [
        ("a=sendrecv", LegDirection.SENDRECV, "a=sendrecv", False),
        ("a=sendonly", LegDirection.SENDONLY, "a=recvonly", True),
        ("a=recvonly", LegDirection.RECVONLY, "a=sendonly", False),
        ("a=inactive", LegDirection.INACTIVE, "a=inactive", True),
        ("a=x-nothing", LegDirection.SENDRECV, "a=sendrecv", False),
    ],
)
def test_directions_are_mirrored(attribute: str, theirs: LegDirection, ours: str, hold: bool) -> None:
    lines, remote = answered("m=audio 5004 RTP/AVP 0", attribute)
    assert remote.direction is theirs
    assert ours in lines
    assert is_hold(remote) is hold


def test_the_session_s_direction_counts_where_the_stream_has_none() -> None:
    theirs = SessionDescription.parse(
        b"v=0\no=- 1 1 IN IP4 192.0.2.20\ns=-\nc=IN IP4 192.0.2.20\na=sendonly\nt=0 0\n"
        b"m=audio 5004 RTP/AVP 0\n"
    )
    _, remote = answer(theirs, HERE, session_id=1, version=1)
    assert remote.direction is LegDirection.SENDONLY


@pytest.mark.parametrize(("attribute", "ours"), [("a=sendrecv", "a=recvonly"), ("a=inactive", "a=inactive")])
def test_the_old_hold_sends_nothing_to_the_zero_address(attribute: str, ours: str) -> None:
    lines, remote = answered("m=audio 5004 RTP/AVP 0", "c=IN IP4 0.0.0.0", attribute)
    assert remote.direction is LegDirection.INACTIVE
    assert is_hold(remote)
    assert ours in lines


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        ((), 20),
        (("a=ptime:10",), 10),
        (("a=ptime:25",), 20),
        (("a=ptime:200",), 60),
        (("a=ptime:1",), 10),
        (("a=ptime:30", "a=maxptime:20"), 20),
        (("a=maxptime:5",), 10),
        (("a=ptime:20.0",), 20),
        (("a=ptime:x", "a=maxptime:0"), 20),
        (("a=ptime:99999999999",), 20),
    ],
)
def test_packet_times_stay_within_what_is_taken(attributes: tuple[str, ...], expected: int) -> None:
    _, remote = answered("m=audio 5004 RTP/AVP 0", *attributes)
    assert remote.ptime_ms == expected


@pytest.mark.parametrize(
    "attributes",
    [
        ("a=rtpmap:101 telephone-event/16000",),
        ("a=rtpmap:96 telephone-event/8000",),
        ("a=rtpmap:x telephone-event/8000",),
        ("a=rtpmap:200 telephone-event/8000",),
        ("a=rtpmap:101",),
    ],
)
def test_digits_are_negotiated_only_with_a_format_of_their_own(attributes: tuple[str, ...]) -> None:
    _, remote = answered("m=audio 5004 RTP/AVP 0 101", *attributes)
    assert remote.dtmf_payload_type is None


def test_an_answer_to_our_offer() -> None:
    ours = offer(HERE, session_id=1, version=1)
    remote = read_answer(
        described("m=audio 7000 RTP/AVP 8 101", "a=rtpmap:101 telephone-event/8000"), HERE, offered=ours
    )
    assert (remote.port, remote.codec, remote.dtmf_payload_type) == (7000, Codec.PCMA, 101)


@pytest.mark.parametrize(
    "lines", [("m=audio 0 RTP/AVP 0",), ("m=video 0 RTP/AVP 31", "m=audio 7000 RTP/AVP 0"), ()]
)
def test_an_answer_that_refuses_our_stream(lines: tuple[str, ...]) -> None:
    with pytest.raises(UnsupportedMedia):
        read_answer(described(*lines), HERE, offered=offer(HERE, session_id=1, version=1))


def test_a_re_offer_keeps_the_places_of_the_m_lines() -> None:
    first, _ = answer(
        described("m=video 5000 RTP/AVP 31", "m=audio 5004 RTP/AVPF 0"), HERE, session_id=4, version=1
    )
    again = offer(HERE, session_id=4, version=2, previous=first, direction=LegDirection.INACTIVE)
    assert [(media.kind, media.port, media.protocol) for media in again.media] == [
        ("video", 0, "RTP/AVP"),
        ("audio", 40000, "RTP/AVPF"),
    ]
    assert again.media[1].direction() is LegDirection.INACTIVE
    assert again.media[1].formats == ["0", "8", "101"]
    remote = read_answer(described("m=video 0 RTP/AVP 31", "m=audio 7000 RTP/AVPF 0"), HERE, offered=again)
    assert remote.port == 7000


def test_a_re_offer_keeps_codec_and_payload_types() -> None:
    theirs = described("m=audio 5004 RTP/AVP 8 97", "a=rtpmap:97 telephone-event/8000")
    first, _ = answer(theirs, HERE, session_id=4, version=1)
    again = offer(HERE, session_id=4, version=2, previous=first)
    assert again.media[0].formats == ["8", "0", "97"]


def test_ipv6() -> None:
    here = LegAddress("2001:db8::10", 40000)
    theirs = described("m=audio 5004 RTP/AVP 0", connection="IN IP6 2001:db8::20")
    ours, remote = answer(theirs, here, session_id=1, version=1)
    assert b"c=IN IP6 2001:db8::10" in ours.encode()
    assert remote.host == "2001:db8::20"


def test_what_phones_write_is_forgiven() -> None:
    theirs = SessionDescription.parse(
        b"v=0\no=John Doe abc 1 IN IP4 192.0.2.20\ns=\nz=0 0\nc=IN IP4 192.0.2.20/127\nt=0 0\n"
        b"\nM=x\nm=AUDIO 5004 RTP/AVP 0\nk=clear:x\na=rtpmap:0 pcmu/8000/1\ni=caf\xe9\n"
    )
    assert (theirs.user, theirs.session_id, theirs.name) == ("John_Doe", 0, "-")
    _, remote = answer(theirs, HERE, session_id=1, version=1)
    assert remote.codec is Codec.PCMU


def test_what_is_just_within_the_bounds() -> None:
    formats = [str(n) for n in range(MAX_FORMATS)]
    assert described("m=audio 5004 RTP/AVP " + " ".join(formats)).media[0].formats == formats
    assert described("m=audio 65535 RTP/AVP 0").media[0].port == 65535


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"hello",
        b"v=1\r\n",
        b"v=0\r\n",
        b"v=0\r\no=- 1\r\n",
        b"v=0\r\no=- 1 1 IN IP4 h\r\nm=audio\r\n",
        b"v=0\r\no=- 1 1 IN IP4 h\r\nm=audio 70000 RTP/AVP 0\r\n",
        b"v=0\r\no=- 1 1 IN IP4 h\r\nm=audio -1 RTP/AVP 0\r\n",
        b"v=0\r\no=- 1 1 IN IP4 h\r\nc=IN IP4\r\n",
        b"v=0\r\no=- 1 1 IN IP4 h\r\nnonsense\r\n",
        b"v=0\r\no=- 1 1 IN IP4 h\r\n" + b"m=audio 1 RTP/AVP 0\r\n" * (MAX_MEDIA + 1),
        b"v=0\r\no=- 1 1 IN IP4 h\r\n" + b"a=x\r\n" * 2000,
        b"v=0\r\no=- 1 1 IN IP4 h\r\nm=audio 1 RTP/AVP" + b" 0" * 100 + b"\r\n",
    ],
)
def test_what_is_no_sdp(data: bytes) -> None:
    with pytest.raises(SdpError):
        SessionDescription.parse(data)


FORMATS = st.lists(st.sampled_from(["0", "8", "9", "18", "101"]), min_size=1, max_size=4, unique=True)
LINES = st.tuples(
    st.sampled_from(["audio", "video", "image"]),
    st.sampled_from([0, 5004]),
    st.sampled_from(["RTP/AVP", "RTP/SAVP", "udptl"]),
    FORMATS,
    st.sampled_from([None, *LegDirection]),
)


@settings(max_examples=80, deadline=None)
@given(st.lists(LINES, max_size=6))
def test_any_offer_is_mirrored_or_unsupported(
    media: list[tuple[str, int, str, list[str], LegDirection | None]],
) -> None:
    lines: list[str] = []
    for kind, port, protocol, formats, direction in media:
        lines.append(f"m={kind} {port} {protocol} {' '.join(formats)}")
        if direction is not None:
            lines.append(f"a={direction.value}")
    theirs = described(*lines)
    assert SessionDescription.parse(theirs.encode()) == theirs
    try:
        ours, remote = answer(theirs, HERE, session_id=1, version=1)
    except UnsupportedMedia:
        assert not any(
            kind == "audio" and port and protocol == "RTP/AVP" and {"0", "8"} & set(formats)
            for kind, port, protocol, formats, _ in media
        )
        return
    again = SessionDescription.parse(ours.encode())
    assert again == ours
    assert [(one.kind, one.protocol) for one in again.media] == [(one[0], one[2]) for one in media]
    assert sum(one.port > 0 for one in again.media) == 1
    assert remote.port == 5004
