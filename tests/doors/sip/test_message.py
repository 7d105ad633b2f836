"""Messages: bytes in and out, what is forgiven, what is refused, and streams."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sottovoce.doors.sip.headers import MAX_HEADERS, Headers
from sottovoce.doors.sip.message import (
    MAX_MESSAGE,
    REASONS,
    Request,
    Response,
    SipParseError,
    StreamFramer,
    parse,
    reply,
)

BASE = (
    "{method} sip:bob@example.com SIP/2.0\r\n"
    "Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKabc\r\n"
    "Max-Forwards: 70\r\n"
    "From: Alice <sip:alice@example.com>;tag=1\r\n"
    "To: <sip:bob@example.com>\r\n"
    "Call-ID: c1@192.0.2.1\r\n"
    "CSeq: 7 {method}\r\n"
)


def raw(extra: str = "", body: str = "", *, method: str = "INVITE", length: bool = True) -> bytes:
    head = BASE.format(method=method) + extra
    if length:
        head += f"Content-Length: {len(body.encode())}\r\n"
    return (head + "\r\n" + body).encode()


def request(data: bytes) -> Request:
    message = parse(data)
    assert isinstance(message, Request)
    return message


def refused(data: bytes) -> SipParseError:
    with pytest.raises(SipParseError) as caught:
        parse(data)
    return caught.value


def test_what_a_request_reads_as() -> None:
    message = request(raw("Content-Type: Application/SDP ; x=y\r\nContact: <sip:a@h>\r\n", "v=0"))
    assert (message.method, message.uri) == ("INVITE", "sip:bob@example.com")
    assert message.via is not None
    assert message.via.branch == "z9hG4bKabc"
    assert message.from_ is not None
    assert (message.from_.display, message.from_.tag) == ("Alice", "1")
    assert message.to is not None
    assert message.to.tag is None
    assert message.contact is not None
    assert message.cseq == (7, "INVITE")
    assert message.call_id == "c1@192.0.2.1"
    assert message.content_type == "application/sdp"
    assert message.body == b"v=0"


def test_what_is_missing_reads_as_nothing() -> None:
    message = Request("OPTIONS", "sip:h")
    assert (message.via, message.from_, message.to, message.contact) == (None, None, None, None)
    assert (message.cseq, message.call_id, message.content_type) == ((0, ""), "", "")


def test_encode_sets_the_length_once() -> None:
    message = request(raw())
    message.headers.add("l", "99")
    message.body = "ä".encode()
    assert message.encode().count(b"Content-Length") == 1
    assert message.encode().endswith("Content-Length: 2\r\n\r\nä".encode())


def test_a_first_line_stays_one_line() -> None:
    made = Request("INVITE", "sip:4711\r\nX: y@h").encode()
    assert made.startswith(b"INVITE sip:4711 X: y@h SIP/2.0\r\n")
    assert Response(200, "OK\nX: y").encode().startswith(b"SIP/2.0 200 OK X: y\r\n")


def test_bare_line_feeds_and_leading_blank_lines_are_forgiven() -> None:
    assert request(b"\r\n\r\n" + raw(body="v=0\r\n")).body == b"v=0\r\n"
    assert request(raw().replace(b"\r\n", b"\n")).cseq == (7, "INVITE")


def test_a_missing_blank_line_is_forgiven_where_there_is_no_body() -> None:
    assert request(raw(length=False).rstrip() + b"\r\n").body == b""


def test_without_content_length_a_datagram_is_its_body() -> None:
    assert request(raw(body="v=0", length=False)).body == b"v=0"


def test_bytes_that_are_no_utf8_are_read_as_latin_1_and_written_back() -> None:
    data = raw("Subject: Gr\xfc\xdfe\r\n").decode().encode("latin-1")
    message = request(data)
    assert message.headers.get("Subject") == "Grüße"
    assert b"Gr\xfc\xdfe" in message.encode()
    tagged = reply(message, 200, to_tag="t")
    tagged.headers.add("Warning", "大")
    assert b"Warning: ?" in tagged.encode()


def test_utf8_headers_come_back_as_they_came() -> None:
    data = raw("Subject: 电话\r\n".encode().decode())
    assert "Subject: 电话".encode() in request(data).encode()


@pytest.mark.parametrize(
    ("old", "new", "status"),
    [
        (b"CSeq: 7 INVITE", b"CSeq: 7 BYE", 400),
        (b"CSeq: 7 INVITE", b"CSeq: x INVITE", 400),
        (b"CSeq: 7 INVITE", b"CSeq: 2147483648 INVITE", 400),
        (b"CSeq: 7 INVITE", b"CSeq: -7 INVITE", 400),
        (b"CSeq: 7 INVITE", b"X: y", 400),
        (b"Call-ID: c1@192.0.2.1", b"Call-ID:", 400),
        (b"To: <sip:bob@example.com>", b"X: y", 400),
        (b"From: Alice <sip:alice@example.com>;tag=1", b"From: Alice", 400),
        (b"From: Alice <sip:alice@example.com>;tag=1", b"From: *", 400),
        (b"To: <sip:bob@example.com>", b"To: *", 400),
        (b"Content-Length: 0", b"Content-Length: 1", 400),
        (b"Content-Length: 0", b"Content-Length: +0", 400),
        (b"Content-Length: 0", b"Content-Length: 99999999999999999999", 400),
        (b"Content-Length: 0", "Content-Length: ٠".encode(), 400),
        (b"Max-Forwards: 70", b"Max-Forwards: 256", 400),
        (b"Max-Forwards: 70", b"Max-Forwards: " + b"0" * 5000, 400),
        (b"Max-Forwards: 70", b"no colon here", 400),
        (b"Max-Forwards: 70", b"bad name: x", 400),
        (b"Max-Forwards: 70", b": x", 400),
        (b"Max-Forwards: 70", b"X: " + b"y" * 9000, 400),
        (b"Max-Forwards: 70", b"Contact: sip:a@b,,<", 400),
        (b"SIP/2.0\r\nVia", b"SIP/3.0\r\nVia", 505),
        (b"SIP/2.0\r\nVia", b"HTTP/1.1\r\nVia", 400),
        (b"INVITE sip:bob", b"INVITE mailto:bob", 416),
        (b"INVITE sip:bob", b"INVITE sip:%zz", 400),
        (b"z9hG4bKabc", b"z9hG4bK", 400),
        (b"z9hG4bKabc", b"x;;", 400),
    ],
)
def test_malformed_requests_are_answered(old: bytes, new: bytes, status: int) -> None:
    data = raw()
    assert old in data
    error = refused(data.replace(old, new, 1))
    assert error.status == status
    assert error.request is not None
    assert b"Via: SIP/2.0/UDP 192.0.2.1:5060" in reply(error.request, error.status, error.reason).encode()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\r\n\r\n",
        b"\x00" * 40,
        b"hello",
        b"INVITE sip:a@b SIP/2.0\r\n\r\n",
        raw().replace(b"Via", b"Xia"),
        raw().replace(b"SIP/2.0/UDP 192.0.2.1:5060", b"nonsense"),
        raw(method="ACK").replace(b"CSeq: 7", b"CSeq: x"),
        raw().replace(b"INVITE sip:bob@example.com SIP/2.0", b"SIP/2.0 99 Low"),
        raw().replace(b"INVITE sip:bob@example.com SIP/2.0", b"SIP/2.0 700 High"),
        raw().replace(b"INVITE sip:bob@example.com SIP/2.0", b"SIP/1.0 200 OK"),
        raw()
        .replace(b"INVITE sip:bob@example.com SIP/2.0", b"SIP/2.0 200 OK")
        .replace(b"CSeq: 7", b"CSeq: x"),
        b"x" * (MAX_MESSAGE + 1),
    ],
)
def test_what_may_not_be_answered(data: bytes) -> None:
    assert refused(data).request is None


def test_the_number_of_headers_is_bounded() -> None:
    assert refused(raw("X: y\r\n" * (MAX_HEADERS + 1))).status == 400
    assert refused(raw("Supported: " + ",".join("abc" for _ in range(2000)) + "\r\n")).status == 400


def test_a_broken_contact_in_a_response_does_not_lose_the_response() -> None:
    data = raw("Contact: sip:a@b?c=d\r\n").replace(
        b"INVITE sip:bob@example.com SIP/2.0", b"SIP/2.0 180 Ringing"
    )
    message = parse(data)
    assert isinstance(message, Response)
    assert message.contact is None


def test_a_reply_copies_what_it_must() -> None:
    message = request(
        raw("Via: SIP/2.0/TCP second;branch=z9hG4bKq\r\nTimestamp: 54\r\nRecord-Route: <sip:p;lr>\r\n")
    )
    answer = reply(message, 486, to_tag="t9")
    assert answer.reason == "Busy Here"
    assert answer.headers.get_all("Via") == message.headers.get_all("Via")
    assert answer.headers.get("To") == "<sip:bob@example.com>;tag=t9"
    assert answer.cseq == (7, "INVITE")
    assert "Record-Route" not in answer.headers
    trying = reply(message, 100, to_tag="t9")
    assert trying.to is not None
    assert trying.to.tag is None
    assert trying.headers.get("Timestamp") == "54"


def test_a_tag_is_put_on_once() -> None:
    message = request(raw().replace(b"To: <sip:bob@example.com>", b"To: <sip:bob@example.com>;tag=z"))
    assert reply(message, 200, to_tag="t9").headers.get("To") == "<sip:bob@example.com>;tag=z"


def test_a_stream_is_cut_into_messages_however_it_arrives() -> None:
    data = (
        raw("Content-Type: text/plain\r\n", "one")
        + raw(body="", method="BYE")
        + b"\r\n\r\n"
        + raw(body="two")
    )
    for size in (1, 3, 7, 100, len(data)):
        framer = StreamFramer()
        found = [item for at in range(0, len(data), size) for item in framer.feed(data[at : at + size])]
        assert [item.body for item in found if isinstance(item, Request)] == [b"one", b"", b"two"]
        assert framer.pings == 1
        assert not framer.broken


def test_keep_alives_are_counted() -> None:
    framer = StreamFramer()
    assert framer.feed(b"\r\n") == []
    assert framer.pings == 0
    framer.feed(b"\r")
    framer.feed(b"\n\r\n\r\n")
    assert framer.pings == 2


def test_an_error_within_its_frame_does_not_break_the_stream() -> None:
    framer = StreamFramer()
    found = framer.feed(raw().replace(b"CSeq: 7", b"CSeq: x") + raw(method="OPTIONS"))
    assert isinstance(found[0], SipParseError)
    assert isinstance(found[1], Request)
    assert not framer.broken


@pytest.mark.parametrize(
    ("data", "status", "answerable"),
    [
        (raw(length=False), 400, True),
        (raw("Content-Length: 4\r\n"), 400, True),
        (raw(length=False).replace(b"\r\n\r\n", b"\r\nl: -1\r\n\r\n"), 400, True),
        (raw(length=False).replace(b"\r\n\r\n", b"\r\nl: 70000\r\n\r\n"), 513, True),
        (b"INVITE " + b"x" * (MAX_MESSAGE + 1), 513, False),
        (b"\x16\x03\x01\x02\x00\r\n\r\n", 400, False),
    ],
)
def test_a_stream_whose_frames_are_lost_is_broken(data: bytes, status: int, answerable: bool) -> None:
    framer = StreamFramer()
    found = framer.feed(data)
    assert len(found) == 1
    assert isinstance(found[0], SipParseError)
    assert found[0].status == status
    assert (found[0].request is not None) is answerable
    assert framer.broken
    assert framer.feed(raw()) == []


def test_two_equal_lengths_on_a_stream_are_still_refused() -> None:
    found = StreamFramer().feed(raw("Content-Length: 0\r\n"))
    assert isinstance(found[0], SipParseError)
    assert found[0].status == 400


NAMES = st.sampled_from(["Subject", "X-One", "User-Agent", "Contact", "Supported", "Record-Route"])
PLAIN = st.text("abc123 é电", max_size=10).map(str.strip)


@settings(max_examples=80, deadline=None)
@given(
    st.sampled_from(["INVITE", "BYE", "REGISTER", "FOO"]),
    st.lists(st.tuples(st.sampled_from(["Subject", "X-One", "User-Agent"]), PLAIN), max_size=5),
    st.binary(max_size=40),
)
def test_requests_survive_a_round_trip(method: str, extra: list[tuple[str, str]], body: bytes) -> None:
    fields = [
        ("Via", "SIP/2.0/TCP h;branch=z9hG4bK1"),
        ("From", "<sip:a@b>;tag=1"),
        ("To", "<sip:c@d>"),
        ("Call-ID", "x"),
        ("CSeq", f"1 {method}"),
        *extra,
    ]
    message = Request(method, "sip:a@b", Headers(fields), body)
    again = parse(message.encode())
    assert isinstance(again, Request)
    again.headers.remove("Content-Length")
    assert (again.method, again.uri, again.body) == (message.method, message.uri, message.body)
    assert again.headers == message.headers
    (framed,) = StreamFramer().feed(message.encode())
    assert isinstance(framed, Request)
    assert framed.body == body


@settings(max_examples=40, deadline=None)
@given(st.integers(100, 699), PLAIN, st.binary(max_size=20))
def test_responses_survive_a_round_trip(status: int, reason: str, body: bytes) -> None:
    fields = [
        ("Via", "SIP/2.0/UDP h;branch=z9hG4bK1"),
        ("From", "<sip:a@b>;tag=1"),
        ("To", "<sip:c@d>;tag=2"),
        ("Call-ID", "x"),
        ("CSeq", "1 INVITE"),
    ]
    again = parse(Response(status, reason or "R", Headers(fields), body).encode())
    assert isinstance(again, Response)
    assert (again.status, again.reason, again.body) == (status, reason or "R", body)


PHRASES = """\
100 Trying
180 Ringing
181 Call Is Being Forwarded
182 Queued
183 Session Progress
200 OK
202 Accepted
300 Multiple Choices
301 Moved Permanently
302 Moved Temporarily
305 Use Proxy
380 Alternative Service
400 Bad Request
401 Unauthorized
403 Forbidden
404 Not Found
405 Method Not Allowed
406 Not Acceptable
407 Proxy Authentication Required
408 Request Timeout
410 Gone
413 Request Entity Too Large
414 Request-URI Too Long
415 Unsupported Media Type
416 Unsupported URI Scheme
420 Bad Extension
421 Extension Required
422 Session Interval Too Small
423 Interval Too Brief
480 Temporarily Unavailable
481 Call/Transaction Does Not Exist
482 Loop Detected
483 Too Many Hops
484 Address Incomplete
485 Ambiguous
486 Busy Here
487 Request Terminated
488 Not Acceptable Here
491 Request Pending
493 Undecipherable
500 Server Internal Error
501 Not Implemented
502 Bad Gateway
503 Service Unavailable
504 Server Time-out
505 Version Not Supported
513 Message Too Large
600 Busy Everywhere
603 Decline
604 Does Not Exist Anywhere
606 Not Acceptable
"""
"""RFC 3261 21, RFC 3265, RFC 3329 and RFC 4028."""


def test_the_reason_phrases() -> None:
    assert [f"{status} {phrase}" for status, phrase in REASONS.items()] == PHRASES.splitlines()
