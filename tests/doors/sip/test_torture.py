"""RFC 4475's torture messages, written afresh: what each deserves at message level, by its section."""

from __future__ import annotations

from pathlib import Path

import pytest

from sottovoce.doors.sip.message import Request, Response, SipParseError, StreamFramer, parse, reply
from sottovoce.doors.sip.sdp import SessionDescription
from sottovoce.doors.sip.uri import NameAddr, SipUri
from sottovoce.doors.sip.via import Via

MESSAGES = Path(__file__).parent / "torture"

# 3.1.1 and what 3.3 and 3.4 leave to the transaction user: they parse.
ACCEPTED = {
    "wsinv": "INVITE",
    "intmeth": "!odd-Method9876543210_*+`.%inword'~",
    "esc01": "INVITE",
    "escnull": "REGISTER",
    "esc02": "RE%47IST%45R",
    "lwsdisp": "OPTIONS",
    "longreq": "INVITE",
    "dblreq": "REGISTER",
    "semiuri": "OPTIONS",
    "transports": "OPTIONS",
    "mpart01": "MESSAGE",
    "unreason": 200,
    "noreason": 100,
    # 3.1.2.12: "an element shouldn't do that unless the Date were important to its processing".
    "baddate": "INVITE",
    "unksm2": "REGISTER",
    "bext01": "OPTIONS",
    "invut": "INVITE",
    "regaut01": "REGISTER",
    "bcast": 200,
    "zeromf": "OPTIONS",
    "cparam01": "REGISTER",
    "cparam02": "REGISTER",
    "regescrt": "REGISTER",
    "sdp01": "INVITE",
    "inv2543": "INVITE",
}
# 3.1.2, 3.2 and the malformed ones of 3.3: the status owed, None where nothing may be answered.
REFUSED = {
    "badinv01": 400,
    "clerr": 400,
    "ncl": 400,
    "scalar02": 400,
    "scalarlg": None,
    "quotbal": 400,
    "ltgtruri": 400,
    "lwsruri": 400,
    "lwsstart": 400,
    "trws": 400,
    "escruri": 400,
    "regbadct": 400,
    "badaspec": 400,
    "baddn": 400,
    "badvers": 505,
    "mismatch01": 400,
    "mismatch02": 400,
    "bigcode": None,
    "badbranch": 400,
    "insuf": 400,
    "unkscm": 416,
    "novelsc": 416,
    "multi01": 400,
    "mcl01": 400,
}


def read(name: str) -> bytes:
    return (MESSAGES / f"{name}.sip").read_bytes()


def request(name: str) -> Request:
    message = parse(read(name))
    assert isinstance(message, Request)
    return message


def test_every_message_of_the_rfc_has_its_row() -> None:
    assert {path.stem for path in MESSAGES.glob("*.sip")} == set(ACCEPTED) | set(REFUSED)
    assert len(ACCEPTED) + len(REFUSED) == 49


@pytest.mark.parametrize(("name", "expected"), ACCEPTED.items())
def test_accepted_messages_parse_and_survive_a_round_trip(name: str, expected: str | int) -> None:
    message = parse(read(name))
    assert (message.method if isinstance(message, Request) else message.status) == expected
    again = parse(message.encode())
    assert again.headers.get_all("Via") == message.headers.get_all("Via")
    assert again.body == message.body
    assert again.cseq == message.cseq


@pytest.mark.parametrize(("name", "status"), REFUSED.items())
def test_refused_messages_get_the_answer_they_deserve(name: str, status: int | None) -> None:
    with pytest.raises(SipParseError) as caught:
        parse(read(name))
    if status is None:
        assert caught.value.request is None
        return
    assert caught.value.status == status
    assert caught.value.request is not None
    answer = parse_leniently(reply(caught.value.request, status, caught.value.reason, to_tag="t1").encode())
    assert answer.startswith(f"SIP/2.0 {status} ".encode())
    assert b"\r\nVia: " in answer


def parse_leniently(data: bytes) -> bytes:
    """An answer to a broken request copies broken headers, so only its frame is looked at."""
    assert data.endswith(b"Content-Length: 0\r\n\r\n")
    return data


@pytest.mark.parametrize("name", [name for name in ACCEPTED if name not in ("dblreq", "inv2543")])
def test_accepted_messages_come_out_of_a_stream_byte_by_byte(name: str) -> None:
    framer = StreamFramer()
    data = read(name)
    found = framer.feed(data[:-1])
    assert found == []
    for byte in data[-1:]:
        found += framer.feed(bytes([byte]))
    assert len(found) == 1
    assert isinstance(found[0], Request | Response)


def test_short_tortuous_invite() -> None:
    message = request("wsinv")
    assert message.to is not None
    assert message.to.tag == "77001122a"
    assert message.from_ is not None
    assert message.from_.display == 'A Tenor \\"'
    assert message.cseq == (12, "INVITE")
    assert [Via.parse(value).branch for value in message.headers.get_all("v")] == [
        "77plainbranch",
        "z9hG4bK8kq2j",
        "z9hG4bK40417",
    ]
    assert message.headers.get("HeaderOfOddValue") == ";;,,;;,;"
    assert message.headers.get("FreshHeader") == "a fresh value carried on below"
    assert message.headers.get("Subject") == ""
    assert message.contact is not None
    assert message.contact.params["fresh"] == "parameter"
    assert len(SessionDescription.parse(message.body).media) == 2


def test_wide_range_of_characters_reaches_people_without_controls() -> None:
    message = request("intmeth")
    assert message.to is not None
    assert message.to.display == "BEL: NUL: DEL:"
    assert SipUri.parse(message.uri).host == "example.com"
    assert message.headers.get("oddHeader-!.%*+_`'~") == "\ufeff大学電"


def test_escapes() -> None:
    assert SipUri.parse(request("esc01").uri).number == "sips:user@example.com"
    contacts = [NameAddr.parse(value) for value in request("escnull").headers.get_all("Contact")]
    assert [contact.uri.user for contact in contacts] == ["%00", "%00%00"]
    assert [contact.uri.number for contact in contacts] == ["", ""]
    to = request("esc02").to
    assert to is not None
    assert to.display == "%Z%45"


def test_what_lies_behind_content_length_is_ignored() -> None:
    assert request("dblreq").body == b""
    assert request("dblreq").call_id.startswith("dblreq.0ha0")


def test_semicolons_in_the_user_part_are_no_uri_parameters() -> None:
    uri = SipUri.parse(request("semiuri").uri)
    assert (uri.user, uri.host, uri.params) == ("user;par=u%40example.net", "example.com", {})
    assert uri.number == "user"


def test_unknown_transports_are_read() -> None:
    vias = [Via.parse(value) for value in request("transports").headers.get_all("Via")]
    assert [via.transport for via in vias] == ["UDP", "SCTP", "TLS", "CARRIER-PIGEON", "TCP"]


def test_reason_phrases_unusual_and_empty() -> None:
    unusual, empty = parse(read("unreason")), parse(read("noreason"))
    assert isinstance(unusual, Response)
    assert isinstance(empty, Response)
    assert unusual.reason.startswith("= 3**2 * 7**1 но")
    assert empty.reason == ""


def test_contact_parameters_of_header_and_of_uri_are_told_apart() -> None:
    header, uri = request("cparam01").contact, request("cparam02").contact
    assert header is not None
    assert uri is not None
    assert (header.params, header.uri.params) == ({"unknownparam": None}, {})
    assert (uri.params, uri.uri.params) == ({}, {"unknownparam": None})
    escaped = request("regescrt").contact
    assert escaped is not None
    assert escaped.uri.headers == {"Route": "%3Csip:sip.example.com%3E"}


def test_rfc_2543_has_no_branch_and_no_tag() -> None:
    message = request("inv2543")
    assert message.via is not None
    assert message.via.branch is None
    assert not message.via.has_magic
    assert message.from_ is not None
    assert message.from_.tag is None
    assert SessionDescription.parse(message.body).media[0].formats == ["0", "8"]


def test_what_the_user_agent_decides_is_readable() -> None:
    assert request("bext01").headers.tokens("Require") == {"nothingsupportsthis", "nothingsupportsthiseither"}
    assert request("invut").content_type == "application/unknownformat"
    assert request("zeromf").headers.get("Max-Forwards") == "0"
    assert request("sdp01").headers.get_all("Accept") == ["text/nobodyKnowsThis"]
    to = request("unksm2").to
    assert to is not None
    assert not to.uri.is_telephonic
    broadcast = parse(read("bcast"))
    assert len(broadcast.headers.get_all("Via")) == 2
