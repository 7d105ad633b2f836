"""Timers A to K of RFC 3261 17 and the accepted states of RFC 6026, without sleeping."""

from __future__ import annotations

import pytest
from tests.doors.sip.network import Network, Peer, answering, losing

from sottovoce.config import SipSettings
from sottovoce.doors.sip import events
from sottovoce.doors.sip.hops import Hop, Outgoing, Transport
from sottovoce.doors.sip.message import Request, Response, parse, reply

STRANGER = Hop(Transport.UDP, "10.9.9.9", 5060)


def request(method: str, *, branch: str = "z9hG4bKone", **headers: str) -> Request:
    lines = {
        "Via": f"SIP/2.0/UDP 10.9.9.9;branch={branch};rport",
        "From": "<sip:x@10.9.9.9>;tag=theirs",
        "To": "<sip:y@10.0.0.2>",
        "Call-ID": "c1",
        "CSeq": f"7 {method}",
        "Contact": "<sip:x@10.9.9.9>",
        "Max-Forwards": "70",
    } | {name.replace("_", "-"): value for name, value in headers.items()}
    text = f"{method} sip:y@10.0.0.2 SIP/2.0\r\n" + "".join(f"{n}: {v}\r\n" for n, v in lines.items())
    parsed = parse((text + "Content-Length: 0\r\n\r\n").encode())
    assert isinstance(parsed, Request)
    return parsed


def statuses(network: Network, by: Peer) -> list[int]:
    return [m.status for _, s, _, m in network.wire if isinstance(m, Response) and s == by.hop.host]


def test_timers_a_and_b_an_invite_to_nobody() -> None:
    network = Network()
    caller, nobody = network.peer("10.0.0.1"), network.peer("10.0.0.2")
    network.lose = lambda message, number: True
    caller.call(nobody)
    network.run(31.9)
    assert network.times("INVITE") == [0, 0.5, 1.5, 3.5, 7.5, 15.5, 31.5]
    assert caller.of(events.CallEnded) == []
    network.run(1)
    assert [e.status for e in caller.of(events.CallEnded)] == [408]
    assert len(caller.ua.transactions) == 0


def test_timer_b_does_not_run_once_it_rings() -> None:
    network = Network()
    caller, callee = network.peer("10.0.0.1"), network.peer("10.0.0.2")
    callee.answer = lambda session: (session.place(callee.media), session.ring())  # type: ignore[func-returns-value]
    caller.call(callee)
    network.run(100)
    assert len(network.sent("INVITE")) == 1
    assert caller.of(events.CallEnded) == []


def test_timer_d_a_repeated_refusal_is_acknowledged_again() -> None:
    network = Network()
    caller, callee = network.peer("10.0.0.1"), network.peer("10.0.0.2")
    callee.answer = lambda session: session.refuse(486)
    network.lose = losing("ACK", 1, 2)
    caller.call(callee)
    network.run(10)
    # timer G sends the refusal again, timer H is stopped by the ACK
    assert network.times(486) == [0, 0.5, 1.5]
    assert len(network.sent("ACK")) == 3
    assert [e.status for e in caller.of(events.CallEnded)] == [486]
    assert len(caller.ua.transactions) == 1
    network.run(40)
    assert len(caller.ua.transactions) == len(callee.ua.transactions) == 0


def test_timers_g_and_h_a_refusal_that_nobody_acknowledges() -> None:
    network = Network()
    callee = network.peer("10.0.0.2")
    callee.answer = lambda session: session.refuse(486)
    network.inject(request("INVITE"), STRANGER, callee)
    network.run(32.5)
    assert network.times(486) == [0, 0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5, 23.5, 27.5, 31.5]
    network.run(1)
    assert len(callee.ua.transactions) == 0


@pytest.mark.parametrize("method", ["INVITE", "REGISTER"])
def test_a_refusal_at_once_is_said_once_for_each_request_and_kept_nowhere(method: str) -> None:
    """Nobody acknowledges: a forged address is sent no more than was sent for it (RFC 3261 8.2.7)."""
    network = Network()
    callee = network.peer("10.0.0.2")
    for sent in (1, 2):
        network.inject(request(method, Require="nonsense"), STRANGER, callee)
        network.run(1)
        assert len(callee.ua.transactions) == 0
        assert len(network.sent(420)) == sent
    network.inject(request("ACK"), STRANGER, callee)
    network.run(60)
    first, second = network.sent(420)
    assert first.headers.get("To") == second.headers.get("To")
    assert len(callee.ua.timers) == 0


def test_a_refusal_of_credentials_is_remembered_so_that_a_repetition_counts_once() -> None:
    network = Network()
    callee = network.peer("10.0.0.2")
    guarded = request("INVITE", Require="nonsense", Proxy_Authorization="Digest x=y")
    for _ in range(2):
        network.inject(guarded, STRANGER, callee)
        network.run(1)
    assert len(callee.ua.transactions) == 1
    network.run(40)
    assert statuses(network, callee) == [420, 420]
    assert len(callee.ua.transactions) == 0


def test_timer_i_a_repeated_ack_is_absorbed() -> None:
    network = Network()
    callee = network.peer("10.0.0.2")
    callee.answer = lambda session: session.refuse(486)
    network.inject(request("INVITE"), STRANGER, callee)
    network.run(0.1)
    ack = request("ACK")
    for _ in range(3):
        network.inject(ack, STRANGER, callee)
    network.run(4)
    assert len(callee.ua.transactions) == 1
    network.run(2)
    assert len(callee.ua.transactions) == 0
    assert statuses(network, callee) == [100, 486]


def test_timers_e_and_f_a_bye_to_nobody() -> None:
    network = Network()
    caller, callee = network.peer("10.0.0.1"), network.peer("10.0.0.2")
    callee.answer = answering(callee)
    session = caller.call(callee)
    network.run(1)
    network.lose = lambda message, number: True
    caller.act(lambda ua: session.hang_up())
    network.run(33)
    assert network.times("BYE") == [0, 0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5, 23.5, 27.5, 31.5]
    assert len(caller.ua.transactions) == 0


def test_timer_j_a_repeated_request_gets_the_same_answer() -> None:
    network = Network()
    callee = network.peer("10.0.0.2")
    for _ in range(3):
        network.inject(request("OPTIONS"), STRANGER, callee)
    network.run(31)
    answers = network.sent(200)
    assert len(answers) == 3
    assert len({m.encode() for m in answers}) == 1
    assert len(callee.ua.transactions) == 1
    network.run(2)
    assert len(callee.ua.transactions) == 0


def test_timer_k_over_udp_lingers_and_over_tcp_does_not() -> None:
    for transport, left in ((Transport.UDP, 1), (Transport.TCP, 0)):
        network = Network()
        caller = network.peer("10.0.0.1", transport)
        callee = network.peer("10.0.0.2", transport)
        callee.answer = answering(callee)
        session = caller.call(callee)
        network.run(40)
        caller.act(lambda ua, session=session: session.hang_up())  # type: ignore[misc]
        network.run(1)
        assert len(caller.ua.transactions) == left


def test_nothing_is_repeated_over_tcp() -> None:
    network = Network()
    caller = network.peer("10.0.0.1", Transport.TCP)
    callee = network.peer("10.0.0.2", Transport.TCP)
    network.lose = lambda message, number: True
    caller.call(callee)
    network.run(40)
    assert len(network.sent("INVITE")) == 1
    assert [e.status for e in caller.of(events.CallEnded)] == [408]


def test_a_repeated_invite_makes_no_second_call() -> None:
    network = Network()
    callee = network.peer("10.0.0.2")
    for _ in range(3):
        network.inject(request("INVITE"), STRANGER, callee)
    network.run(0.2)
    assert len(callee.of(events.CallOffered)) == 1
    assert statuses(network, callee) == [100, 100, 100]
    callee.act(lambda ua: (callee.offered().place(callee.media), callee.offered().accept()))
    network.inject(request("INVITE"), STRANGER, callee)
    network.run(0.2)
    assert len(callee.of(events.CallOffered)) == 1


def test_the_same_request_by_two_ways_is_a_loop() -> None:
    network = Network()
    callee = network.peer("10.0.0.2")
    network.inject(request("INVITE"), STRANGER, callee)
    network.inject(request("INVITE", branch="z9hG4bKtwo"), STRANGER, callee)
    network.run(0.2)
    assert statuses(network, callee) == [100, 482]


def test_requests_of_rfc_2543_are_told_apart_without_a_branch() -> None:
    network = Network()
    callee = network.peer("10.0.0.2")
    via = "SIP/2.0/UDP 10.9.9.9"
    network.inject(request("INVITE", Via=via), STRANGER, callee)
    network.inject(request("INVITE", Via=via), STRANGER, callee)
    network.run(0.2)
    assert statuses(network, callee) == [100, 100]
    network.inject(request("CANCEL", Via=via), STRANGER, callee)
    network.run(0.2)
    assert statuses(network, callee) == [100, 100, 200, 487]
    network.inject(request("ACK", Via=via), STRANGER, callee)
    network.run(6)
    assert statuses(network, callee) == [100, 100, 200, 487]


def test_answers_go_where_the_request_came_from() -> None:
    network = Network()
    callee = network.peer("10.0.0.2")
    elsewhere = Hop(Transport.UDP, "10.9.9.9", 40000)
    network.inject(request("OPTIONS"), elsewhere, callee)
    network.inject(
        request("OPTIONS", branch="z9hG4bKb", Via="SIP/2.0/UDP 10.9.9.9;branch=z9hG4bKb"), elsewhere, callee
    )
    network.inject(
        request("OPTIONS", Via="SIP/2.0/UDP 192.168.1.1;branch=z9hG4bKc", Call_ID="c3"), elsewhere, callee
    )
    ports: list[int] = []

    def note(sender: Peer, message: Outgoing) -> bool:
        ports.append(message.hop.port)
        return True

    network.capture = note
    network.run(0.2)
    assert ports == [40000, 5060, 40000]  # rport asked; not asked; not asked but behind NAT
    first = network.sent(200)[0]
    assert first.via is not None
    assert (first.via.received, first.via.rport) == ("10.9.9.9", 40000)


def test_a_stranger_s_answer_changes_nothing() -> None:
    network = Network()
    caller, callee = network.peer("10.0.0.1"), network.peer("10.0.0.2")
    caller.call(callee)
    invite = network.sent("INVITE")[0]
    assert isinstance(invite, Request)
    forged = reply(invite, 200, to_tag="x")
    forged.headers.set("Via", "SIP/2.0/UDP 10.0.0.1:5060;branch=z9hG4bKguessed")
    network.inject(forged, STRANGER, caller)
    two = reply(invite, 486, to_tag="x")
    two.headers.prepend("Via", "SIP/2.0/UDP 10.0.0.7:5060;branch=z9hG4bKother")
    network.inject(two, STRANGER, caller)
    network.run(0.5)
    assert caller.of(events.CallEnded) == []


def test_a_request_too_long_for_udp_goes_by_tcp_and_falls_back() -> None:
    network = Network()
    caller, callee = network.peer("10.0.0.1"), network.peer("10.0.0.2")
    callee.answer = answering(callee)
    refused: list[str] = []

    def no_tcp(sender: Peer, message: Outgoing) -> bool:
        if message.hop.transport is Transport.TCP:
            refused.append(message.key)
            return True
        return False

    network.capture = no_tcp
    caller.call(callee, from_name="x" * 1000)
    network.run(0.1)
    assert network.sent("INVITE")[0].via.transport == "TCP"  # type: ignore[union-attr]
    assert caller.of(events.CallAnswered) == []
    caller.act(lambda ua: ua.transactions.send_failed(refused[0]))
    network.run(0.5)
    assert len(caller.of(events.CallAnswered)) == 1
    assert network.sent("INVITE")[1].via.transport == "UDP"  # type: ignore[union-attr]


def test_a_send_that_failed_is_503() -> None:
    network = Network()
    caller, callee = network.peer("10.0.0.1", Transport.TCP), network.peer("10.0.0.2", Transport.TCP)
    keys: list[str] = []

    def refuse(sender: Peer, message: Outgoing) -> bool:
        keys.append(message.key)
        return True

    network.capture = refuse
    caller.call(callee)
    caller.act(lambda ua: ua.transactions.send_failed(keys[0]))
    assert [e.status for e in caller.of(events.CallEnded)] == [503]


def test_overload_is_refused_without_a_transaction() -> None:
    network = Network()
    callee = network.peer("10.0.0.2", settings=SipSettings(domain="test"))
    callee.ua.transactions.capacity = 2
    for i in range(4):
        network.inject(request("OPTIONS", branch=f"z9hG4bK{i}", Call_ID=f"c{i}"), STRANGER, callee)
    network.run(0.5)
    assert statuses(network, callee) == [200, 200, 503, 503]
    assert network.sent(503)[0].headers.get("Retry-After") == "5"
    assert len(callee.ua.transactions) == 2
