"""What the user agent answers to requests that are not for a call that stands."""

from __future__ import annotations

import pytest
from tests.doors.sip.network import Network, Peer, answering

from sottovoce.config import SipSettings
from sottovoce.doors.sip import events
from sottovoce.doors.sip.admission import Admitted, Refusal
from sottovoce.doors.sip.hops import Hop, Transport
from sottovoce.doors.sip.limits import SourceLimits
from sottovoce.doors.sip.message import Request, Response, SipParseError

STRANGER = Hop(Transport.UDP, "10.9.9.9", 5060)
SDP = "v=0\r\no=- 1 1 IN IP4 10.9.9.9\r\ns=-\r\nc=IN IP4 10.9.9.9\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n"


def message(method: str, body: str = "", **headers: str) -> bytes:
    lines = {
        "Via": "SIP/2.0/UDP 10.9.9.9;branch=z9hG4bKone;rport",
        "From": "<sip:x@10.9.9.9>;tag=theirs",
        "To": "<sip:y@10.0.0.2>",
        "Call-ID": "c1",
        "CSeq": f"7 {method}",
        "Contact": "<sip:x@10.9.9.9>",
        "Max-Forwards": "70",
    }
    if body:
        lines["Content-Type"] = "application/sdp"
    lines |= {name.replace("_", "-"): value for name, value in headers.items()}
    text = f"{method} sip:y@10.0.0.2 SIP/2.0\r\n" + "".join(f"{n}: {v}\r\n" for n, v in lines.items())
    return f"{text}Content-Length: {len(body)}\r\n\r\n{body}".encode()


def served(**more: object) -> tuple[Network, Peer]:
    network = Network()
    return network, network.peer("10.0.0.2", **more)  # type: ignore[arg-type]


def answer_to(data: bytes) -> Response:
    network, peer = served()
    network.inject(data, STRANGER, peer)
    network.run(0.1)
    answers = [m for *_, m in network.wire if isinstance(m, Response) and m.status != 100]
    assert len(answers) == 1
    assert peer.ua._sessions == {}
    return answers[0]


@pytest.mark.parametrize(
    ("data", "status", "header", "value"),
    [
        (message("OPTIONS"), 200, "Accept", "application/sdp"),
        (message("DANCE"), 501, "Allow", None),
        (message("SUBSCRIBE"), 405, "Allow", None),
        (message("REFER", Refer_To="<sip:z@10.1.1.1>"), 405, "Allow", None),
        (message("INFO", "Signal=1", Content_Type="application/dtmf-relay"), 481, None, None),
        (message("MESSAGE", "hello", Content_Type="text/plain"), 405, "Allow", None),
        (message("REGISTER"), 405, "Allow", None),
        (message("INVITE", Require="100rel, nonsense"), 420, "Unsupported", "nonsense"),
        (message("INVITE", Proxy_Require="sec-agree"), 420, "Unsupported", "sec-agree"),
        (message("INVITE", Max_Forwards="0"), 483, None, None),
        (message("OPTIONS", Max_Forwards="0"), 200, None, None),
        (message("INVITE", "hello", Content_Type="text/plain"), 415, "Accept", "application/sdp"),
        (message("INVITE", SDP, Content_Encoding="gzip"), 415, "Accept-Encoding", "identity"),
        (message("INVITE", SDP.replace("AVP 0", "AVP 18")), 488, None, None),
        (message("INVITE", SDP.replace("RTP/AVP", "RTP/SAVP")), 488, None, None),
        (message("INVITE", "nonsense"), 400, None, None),
        (message("INVITE", SDP + "a=x\r\n" * 4000), 513, None, None),
        (message("INVITE", Session_Expires="30", Supported="timer"), 422, "Min-SE", "90"),
        (message("BYE"), 481, None, None),
        (message("BYE", To="<sip:y@10.0.0.2>;tag=nobody"), 481, None, None),
        (message("INVITE", To="<sip:y@10.0.0.2>;tag=nobody"), 481, None, None),
        (message("UPDATE"), 481, None, None),
        (message("PRACK"), 481, None, None),
        (message("CANCEL"), 481, None, None),
        (message("OPTIONS").replace(b"SIP/2.0\r\nVia", b"SIP/3.0\r\nVia"), 505, None, None),
        (message("INVITE", Record_Route="<sip:a b;lr>"), 400, None, None),
    ],
)
def test_answers(data: bytes, status: int, header: str | None, value: str | None) -> None:
    answer = answer_to(data)
    assert answer.status == status
    assert answer.to is not None
    assert answer.to.tag
    if header is not None:
        values = answer.headers.get_all(header)
        assert values if value is None else value in values


def test_only_a_registrar_allows_register() -> None:
    allowed = answer_to(message("OPTIONS")).headers.tokens("Allow")
    assert {"invite", "bye"} <= allowed
    assert "register" not in allowed


def test_an_invite_without_contact_is_400() -> None:
    assert answer_to(message("INVITE", SDP).replace(b"Contact:", b"X-Contact:")).status == 400


@pytest.mark.parametrize("data", [b"", b"\r\n\r\n", b"\0", b"nonsense", b"\xff" * 3000, message("ACK")])
def test_what_deserves_no_answer(data: bytes) -> None:
    network, peer = served()
    network.inject(data, STRANGER, peer)
    network.run(0.1)
    assert network.wire == []


def test_a_refer_in_a_call_leaves_the_call_alone() -> None:
    network = Network()
    caller, callee = network.peer("10.0.0.1"), network.peer("10.0.0.2")
    callee.answer = answering(callee)
    session = caller.call(callee)
    network.run(1)
    assert session.dialog is not None
    refer = session.dialog.request("REFER")
    answered: list[Response] = []
    caller.act(lambda ua: session.exchange(refer, answered.append))
    network.run(1)
    assert [a.status for a in answered] == [405]
    assert callee.of(events.CallEnded) == []


def test_too_many_calls_are_503() -> None:
    network, peer = served(settings=SipSettings(domain="test", max_sessions=1))
    network.inject(message("INVITE", SDP), STRANGER, peer)
    network.inject(message("INVITE", SDP, Call_ID="c2").replace(b"one", b"two"), STRANGER, peer)
    network.run(0.1)
    refused = network.sent(503)[0]
    assert refused.headers.get("Retry-After") == "5"


class Closed:
    def admit(self, request: Request, source: Hop, now: float) -> Admitted | Refusal:
        return Refusal(403)


def test_who_is_not_admitted_makes_no_session() -> None:
    network, peer = served(doorman=Closed())
    network.inject(message("INVITE", SDP), STRANGER, peer)
    network.run(0.1)
    assert len(network.sent(403)) == 1
    assert peer.of(events.CallOffered) == []


def test_a_flood_is_refused_and_then_not_answered() -> None:
    network, peer = served(limits=SourceLimits(10, 10))
    for i in range(200):
        data = message("OPTIONS", Call_ID=f"c{i}").replace(b"bKone", f"bK{i}".encode())
        network.inject(data, STRANGER, peer)
    network.run(0.1)
    assert len(network.sent(200)) == 10
    assert 0 < len(network.sent(503)) < 50
    other = Hop(Transport.UDP, "10.8.8.8", 5060)
    network.inject(message("OPTIONS", Call_ID="other"), other, peer)
    network.run(0.1)
    assert len(network.sent(200)) == 11


def test_a_flood_that_pretends_to_be_in_a_call_is_limited_and_a_call_is_not() -> None:
    network = Network()
    caller, callee = network.peer("10.0.0.1"), network.peer("10.0.0.2", limits=SourceLimits(1, 5))
    callee.answer = answering(callee)
    session = caller.call(callee)
    network.run(1)
    for _ in range(10):
        caller.act(lambda ua: session.reinvite())
        network.run(0.1)
    assert len(network.sent(503)) == 0
    for i in range(50):
        data = message("BYE", To="<sip:y@10.0.0.2>;tag=guessed", Call_ID=f"c{i}")
        network.inject(data.replace(b"bKone", f"bK{i}".encode()), STRANGER, callee)
    network.run(0.1)
    assert len(network.sent(481)) == 5
    assert callee.of(events.CallEnded) == []


def test_a_trusted_source_may_ask_ten_times_as_much() -> None:
    network, peer = served(limits=SourceLimits(10, 10))
    peer.ua.trusted = lambda source: source.host == STRANGER.host
    for i in range(200):
        data = message("OPTIONS", Call_ID=f"c{i}").replace(b"bKone", f"bK{i}".encode())
        network.inject(data, STRANGER, peer)
    network.run(0.1)
    assert len(network.sent(200)) == 100


def test_a_message_that_broke_the_stream_is_answered_if_it_can_be() -> None:
    network, peer = served()
    network.inject(message("OPTIONS"), STRANGER, peer)
    network.run(0.1)
    request = Request("OPTIONS", "sip:y@10.0.0.2")
    request.headers.add("Via", "SIP/2.0/TCP 10.9.9.9;branch=z9hG4bKx")
    request.headers.add("From", "<sip:x@10.9.9.9>;tag=t")
    request.headers.add("To", "<sip:y@10.0.0.2>")
    request.headers.add("Call-ID", "c9")
    request.headers.add("CSeq", "1 OPTIONS")
    error = SipParseError(513, "Message Too Large", request)
    peer.act(lambda ua: ua.receive_message(error, STRANGER, network.now))
    peer.act(lambda ua: ua.receive_message(SipParseError(400, "Bad"), STRANGER, network.now))
    assert len(network.sent(513)) == 1


def test_record_route_is_followed_and_the_contact_s_capitals_too() -> None:
    network, peer = served()
    peer.answer = answering(peer)
    routes = "<sip:10.0.0.8;lr>, <sip:10.0.0.9:5070;transport=TCP;lr>"
    contact = "<sip:x@10.9.9.9:5099;transport=UDP>"
    network.inject(message("INVITE", SDP, Record_Route=routes, Contact=contact), STRANGER, peer)
    network.run(0.1)
    ok = network.sent(200)[0]
    assert ok.headers.get_all("Record-Route") == routes.split(", ")
    session = peer.offered()
    ack = message("ACK", To=ok.headers.get("To") or "", CSeq="7 ACK").replace(b"bKone", b"bKack")
    network.inject(ack, STRANGER, peer)
    network.run(0.1)
    peer.act(lambda ua: session.hang_up())
    bye = network.sent("BYE")[0]
    assert isinstance(bye, Request)
    assert bye.uri == "sip:x@10.9.9.9:5099;transport=UDP"
    assert bye.headers.get_all("Route") == routes.split(", ")
    assert network.wire[-1][2] == "10.0.0.8"
