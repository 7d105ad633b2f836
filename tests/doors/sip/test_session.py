"""Calls between two user agents on a network that loses, delays and races."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st
from tests.doors.sip.network import Network, Peer, answering, losing, losing_numbers

from sottovoce.config import SipSettings
from sottovoce.domain.legs import LegAddress, LegDirection, ReleaseCause
from sottovoce.doors.sip import events
from sottovoce.doors.sip.called import Called
from sottovoce.doors.sip.calling import Calling
from sottovoce.doors.sip.hops import Hop, Outgoing, Transport
from sottovoce.doors.sip.message import Request, Response, parse, reply
from sottovoce.doors.sip.ports import Account
from sottovoce.doors.sip.sdp import SessionDescription

RELIABLE = SipSettings(domain="test")


def pair(
    settings: SipSettings | None = None, transport: Transport = Transport.UDP
) -> tuple[Network, Peer, Peer]:
    network = Network()
    caller = network.peer("10.0.0.1", transport, settings)
    callee = network.peer("10.0.0.2", transport, settings)
    callee.answer = answering(callee)
    return network, caller, callee


def talking(settings: SipSettings | None = None) -> tuple[Network, Peer, Peer, Calling, Called]:
    network, caller, callee = pair(settings)
    session = caller.call(callee)
    network.run(1)
    return network, caller, callee, session, callee.offered()


def ends(peer: Peer) -> list[ReleaseCause]:
    return [event.cause for event in peer.of(events.CallEnded)]


def quiet(network: Network, *peers: Peer) -> None:
    """After a while nothing of a call is left."""
    network.run(300)
    for peer in peers:
        assert len(peer.ua.transactions) == 0
        assert peer.ua._sessions == {}
        assert len(peer.ua.timers) == 0


# --- the plain call


@pytest.mark.parametrize("transport", list(Transport))
@pytest.mark.parametrize("caller_ends", [True, False])
def test_a_call_from_invite_to_bye(transport: Transport, caller_ends: bool) -> None:
    network, caller, callee = pair(transport=transport)
    session = caller.call(callee)
    network.run(1)
    assert caller.names() == ["CallProgressed", "MediaAgreed", "CallAnswered"]
    assert callee.names() == ["CallOffered", "MediaAgreed", "CallAnswered"]
    assert session.remote is not None
    assert (session.remote.host, session.remote.port) == ("10.0.0.2", 20000)
    assert session.remote.signalling_host == "10.0.0.2"
    ending, other = (caller, callee) if caller_ends else (callee, caller)
    theirs = session if caller_ends else callee.offered()
    ending.act(lambda ua: theirs.hang_up())
    network.run(1)
    assert ends(caller) == ends(callee) == [ReleaseCause.NORMAL]
    assert other.of(events.CallEnded)[0].by_far_side
    assert not ending.of(events.CallEnded)[0].by_far_side
    assert len(network.sent("BYE")) == 1
    quiet(network, caller, callee)


@pytest.mark.parametrize(
    ("status", "cause"),
    [
        (486, ReleaseCause.BUSY),
        (480, ReleaseCause.NO_ANSWER),
        (404, ReleaseCause.UNREACHABLE),
        (488, ReleaseCause.UNSUPPORTED_MEDIA),
        (603, ReleaseCause.REJECTED),
        (604, ReleaseCause.UNREACHABLE),
        (302, ReleaseCause.REJECTED),
        (500, ReleaseCause.FAILED),
        (503, ReleaseCause.UNREACHABLE),
    ],
)
def test_a_refused_call(status: int, cause: ReleaseCause) -> None:
    network, caller, callee = pair()
    callee.answer = lambda session: session.refuse(status)
    caller.call(callee)
    network.run(1)
    assert ends(caller) == [cause]
    quiet(network, caller, callee)


def test_a_call_that_rings_too_long() -> None:
    network, caller, callee = pair()
    callee.answer = lambda session: (session.place(callee.media), session.ring())  # type: ignore[func-returns-value]
    caller.call(callee)
    network.run(305)
    assert ends(caller) == [ReleaseCause.NO_ANSWER]
    assert len(ends(callee)) == 1
    quiet(network, caller, callee)


# --- loss


@pytest.mark.parametrize("what", ["INVITE", 100, 180, 200, "ACK", "BYE"])
def test_each_message_of_a_call_may_be_lost(what: str | int) -> None:
    network, caller, callee = pair()
    network.lose = losing(what, 1)
    session = caller.call(callee)
    network.run(5)
    assert len(caller.of(events.CallAnswered)) == len(callee.of(events.CallAnswered)) == 1
    caller.act(lambda ua: session.hang_up())
    network.run(10)
    assert ends(caller) == ends(callee) == [ReleaseCause.NORMAL]
    quiet(network, caller, callee)


@given(lost=st.sets(st.integers(0, 25), max_size=12), reliable=st.booleans(), early=st.booleans())
@examples(max_examples=60, deadline=None)
def test_any_loss_ends_well_or_is_told_on_both_sides(lost: set[int], reliable: bool, early: bool) -> None:
    network, caller, callee = pair(RELIABLE if reliable else None)

    def answer(session: Called) -> None:
        session.place(callee.media)
        if early:
            session.early()
        else:
            session.ring()
        session.accept()

    callee.answer = answer
    network.lose = losing_numbers(lost)
    session = caller.call(callee)
    network.run(90)
    caller.act(lambda ua: session.hang_up())
    network.run(60)
    assert len(ends(caller)) == 1
    assert len(ends(callee)) == len(callee.of(events.CallOffered))
    quiet(network, caller, callee)


def test_a_lost_ack_repeats_the_200_until_it_comes() -> None:
    network, caller, callee = pair()
    network.lose = losing("ACK", 1, 2, 3)
    caller.call(callee)
    network.run(10)
    assert network.times(200) == [0, 0.5, 1.5, 3.5]
    assert len(network.sent("ACK")) == 4
    assert len({m.encode() for m in network.sent("ACK")}) == 1
    assert ends(callee) == []


def test_a_missing_ack_ends_the_call_with_bye() -> None:
    network, caller, callee = pair()
    network.lose = lambda message, number: isinstance(message, Request) and message.method == "ACK"
    caller.call(callee)
    network.run(33)
    assert ends(callee) == [ReleaseCause.FAILED]
    assert ends(caller) == [ReleaseCause.NORMAL]
    quiet(network, caller, callee)


def test_a_bye_instead_of_the_ack_ends_the_repetition_of_the_200() -> None:
    network, caller, callee = pair()
    network.lose = lambda message, number: isinstance(message, Request) and message.method == "ACK"
    session = caller.call(callee)
    network.run(0.1)
    caller.act(lambda ua: session.hang_up())
    network.run(10)
    assert len([m for m in network.sent(200, callee) if m.cseq[1] == "INVITE"]) == 1
    assert ends(callee) == [ReleaseCause.NORMAL]
    quiet(network, caller, callee)


def test_who_is_reinvited_with_its_ack_lost_talks_and_may_reinvite_too() -> None:
    network, caller, callee = pair()
    network.lose = losing("ACK", 1)
    session = caller.call(callee)
    network.run(0.1)
    caller.act(lambda ua: session.reinvite())
    network.run(0.1)
    callee.act(lambda ua: callee.offered().hold())
    network.run(0.1)
    assert len(network.sent("INVITE", callee)) == 1
    assert session.remote is not None
    assert session.remote.direction is LegDirection.SENDONLY
    callee.act(lambda ua: callee.offered().hang_up())
    network.run(1)
    assert ends(caller) == [ReleaseCause.NORMAL]


def test_a_reinvite_waits_for_the_ack_of_theirs() -> None:
    network, caller, callee, session, theirs = talking()
    network.lose = losing("ACK", 1)
    caller.act(lambda ua: session.reinvite())
    network.run(0.1)
    callee.act(lambda ua: theirs.hold())
    network.run(0.1)
    assert network.sent("INVITE", callee) == []
    network.run(2)
    assert len(network.sent("INVITE", callee)) == 1


def test_a_bye_waits_for_the_ack() -> None:
    network, caller, callee = pair()
    network.lose = losing("ACK", 1)
    caller.call(callee)
    network.run(0.1)
    callee.act(lambda ua: callee.offered().hang_up())
    assert ends(callee) == [ReleaseCause.NORMAL]
    assert network.sent("BYE") == []
    network.run(2)
    assert len(network.sent("BYE")) == 1
    assert ends(caller) == [ReleaseCause.NORMAL]
    quiet(network, caller, callee)


def test_an_ack_that_comes_after_the_end_is_ignored() -> None:
    network, caller, callee, session, _ = talking()
    caller.act(lambda ua: session.hang_up())
    network.run(1)
    ack = network.sent("ACK")[0]
    network.inject(ack, caller.hop, callee)
    network.run(1)
    assert ends(callee) == [ReleaseCause.NORMAL]
    quiet(network, caller, callee)


def test_a_lost_bye_is_noticed_by_the_session_timer() -> None:
    settings = SipSettings(domain="test", session_expires=90)
    network, caller, callee, session, _ = talking(settings)
    network.lose = lambda message, number: True
    caller.act(lambda ua: session.hang_up())
    network.run(40)
    network.lose = lambda message, number: False
    network.run(100)
    assert ends(callee) == [ReleaseCause.SESSION_EXPIRED]
    quiet(network, caller, callee)


def test_both_hang_up_at_once() -> None:
    network, caller, callee, session, theirs = talking()
    caller.act(lambda ua: session.hang_up())
    callee.act(lambda ua: theirs.hang_up())
    network.run(1)
    assert ends(caller) == ends(callee) == [ReleaseCause.NORMAL]
    assert len(network.sent(200)) == 1 + 2
    quiet(network, caller, callee)


# --- CANCEL


def ringing() -> tuple[Network, Peer, Peer, Calling]:
    network, caller, callee = pair()
    callee.answer = lambda session: (session.place(callee.media), session.ring())  # type: ignore[func-returns-value]
    session = caller.call(callee)
    network.run(1)
    return network, caller, callee, session


def test_cancel() -> None:
    network, caller, callee, session = ringing()
    caller.act(lambda ua: session.hang_up())
    assert ends(caller) == [ReleaseCause.CANCELLED]
    network.run(1)
    assert ends(callee) == [ReleaseCause.CANCELLED]
    assert len(network.sent(487)) == len(network.sent("CANCEL")) == 1
    quiet(network, caller, callee)


def test_cancel_waits_for_a_provisional_response() -> None:
    network, caller, callee = pair()
    callee.answer = lambda session: session.place(callee.media)
    network.lose = losing("INVITE", 1)
    session = caller.call(callee)
    caller.act(lambda ua: session.hang_up(ReleaseCause.NO_ANSWER))
    network.run(0.3)
    assert network.sent("CANCEL") == []
    network.run(1)
    assert len(network.sent("CANCEL")) == 1
    assert ends(caller) == [ReleaseCause.NO_ANSWER]
    assert ends(callee) == [ReleaseCause.CANCELLED]
    quiet(network, caller, callee)


def test_further_provisional_responses_are_cancelled_once() -> None:
    network, caller, callee, session = ringing()
    caller.act(lambda ua: session.hang_up())
    network.inject(network.sent(180)[0], callee.hop, caller)
    network.run(2)
    assert len({m.encode() for m in network.sent("CANCEL")}) == len(network.sent("CANCEL")) == 1


def test_a_bye_before_the_answer_ends_the_offer_with_487() -> None:
    network, caller, callee, session = ringing()
    early = next(iter(session._early.values())).dialog
    session._ask_in(early, early.request("BYE"))
    network.collect(caller)
    network.run(1)
    assert len(network.sent(487)) == 1
    assert ends(callee) == ends(caller) == [ReleaseCause.CANCELLED]
    quiet(network, caller, callee)


def test_a_phone_that_knows_no_talk_event_rings_on_and_can_be_lifted() -> None:
    network, caller, callee, session = ringing()
    told: list[bool] = []
    caller.act(lambda ua: session.ask_to_talk(told.append))
    network.run(1)
    assert told == [False]
    assert len(network.sent(405)) == len(network.sent("NOTIFY")) == 1
    assert session.rings
    callee.act(lambda ua: callee.offers[0].accept())
    network.run(1)
    assert len(caller.of(events.CallAnswered)) == 1
    caller.act(lambda ua: session.hang_up())
    network.run(1)
    assert ends(callee) == [ReleaseCause.NORMAL]


def test_nothing_is_asked_of_a_phone_that_said_nothing_yet() -> None:
    network, caller, callee = pair()
    told: list[bool] = []
    session = caller.call(callee)
    caller.act(lambda ua: session.ask_to_talk(told.append))
    assert told == [False]
    assert network.sent("NOTIFY") == []


@pytest.mark.parametrize(("known", "status"), [(True, 200), (False, 481)])
def test_a_bye_from_a_fork_that_only_rang_leaves_the_call_ringing(known: bool, status: int) -> None:
    network, caller, callee, session = ringing()
    early = next(iter(session._early.values())).dialog
    bye = Request("BYE", "sip:200@10.0.0.1")
    bye.headers.add("Via", "SIP/2.0/UDP 10.0.0.2:5060;branch=z9hG4bKbye")
    bye.headers.add("From", f"{early.remote};tag={early.remote_tag if known else 'nobody'}")
    bye.headers.add("To", f"{early.local};tag={early.local_tag}")
    bye.headers.add("Call-ID", early.call_id)
    bye.headers.add("CSeq", "1 BYE")
    network.inject(bye, callee.hop, caller)
    network.run(1)
    assert len(network.sent(status, caller)) == 1
    assert ends(caller) == []
    callee.act(lambda ua: callee.offered().accept())
    network.run(1)
    assert len(caller.of(events.CallAnswered)) == 1


def test_a_reliable_response_without_a_tag_is_told_and_not_confirmed() -> None:
    network, caller, callee = pair(RELIABLE)
    callee.answer = None
    session = caller.call(callee)
    network.run(0.1)
    rings = reply(session._invite.request, 180)
    rings.headers.add("Require", "100rel")
    rings.headers.add("RSeq", "1")
    network.inject(rings, callee.hop, caller)
    network.run(0.1)
    assert rings.to_tag == ""
    assert [told.status for told in caller.of(events.CallProgressed)] == [180]
    assert network.sent("PRACK") == []


def test_cancel_crosses_the_200() -> None:
    network, caller, callee, session = ringing()
    callee.act(lambda ua: callee.offered().accept())
    caller.act(lambda ua: session.hang_up())
    network.run(2)
    assert ends(caller) == [ReleaseCause.CANCELLED]
    assert ends(callee) == [ReleaseCause.NORMAL]
    assert [m for m in network.sent("BYE", caller)] != []
    assert caller.of(events.CallAnswered) == []
    quiet(network, caller, callee)


def test_cancel_of_a_call_that_is_gone_is_481() -> None:
    network, caller, callee, session = ringing()
    caller.act(lambda ua: session.hang_up())
    network.run(100)
    cancel = network.sent("CANCEL")[0]
    cancel.headers.set("Via", "SIP/2.0/UDP 10.0.0.1:5060;branch=z9hG4bKnever")
    network.inject(cancel, caller.hop, callee)
    network.run(1)
    assert len(network.sent(481)) == 1


def test_a_cancelled_invite_meets_no_challenge() -> None:
    network, caller, _, session = ringing()
    caller.act(lambda ua: session.hang_up())
    refused = reply(session._invite.request, 407)
    refused.headers.add("Proxy-Authenticate", 'Digest realm="test", nonce="n", qop="auth"')
    session.account = Account("u", "p")
    network.inject(refused, caller.hop, caller)
    network.run(1)
    assert len(network.sent("INVITE")) == 1


# --- forks


def test_a_late_fork_is_acknowledged_and_ended() -> None:
    network, caller, callee, session, _ = talking()
    ok = next(m for m in network.sent(200) if isinstance(m, Response))
    fork = Response(200, "OK", ok.headers.copy(), ok.body)
    to = fork.to
    assert to is not None
    fork.headers.set("To", str(replace(to, params={"tag": "another"})))
    fork.headers.set("Contact", "<sip:10.0.0.3:5060>")
    for _ in range(2):
        network.inject(fork, callee.hop, caller)
    network.run(1)
    to_fork = [m for _, _, host, m in network.wire if host == "10.0.0.3" and isinstance(m, Request)]
    assert [m.method for m in to_fork[:3]] == ["ACK", "BYE", "ACK"]
    assert {m.to.tag for m in to_fork if m.to} == {"another"}
    assert ends(caller) == []
    assert session.dialog is not None
    assert session.dialog.remote_tag != "another"


# --- hold


def test_hold_and_resume_by_either_side() -> None:
    network, caller, callee, session, theirs = talking()
    for holder, held, ours in ((caller, callee, session), (callee, caller, theirs)):
        holder.act(lambda ua, ours=ours: ours.hold())  # type: ignore[misc]
        network.run(1)
        assert held.names()[-1] == "CallHeld"
        assert ours.remote is not None
        assert ours.remote.direction is LegDirection.RECVONLY
        holder.act(lambda ua, ours=ours: ours.resume())  # type: ignore[misc]
        network.run(1)
        assert held.names()[-1] == "CallResumed"
        assert ours.remote.direction is LegDirection.SENDRECV
    assert len(caller.of(events.CallHeld)) == len(callee.of(events.CallHeld)) == 1
    assert not session.ended


def test_a_call_that_begins_on_hold_is_answered_first() -> None:
    network, caller, callee = pair()
    session = caller.call(callee)
    network._flying.clear()
    caller.act(lambda ua: session._invite.transaction._end())
    session.negotiation.holding = True
    invite = session._request(session.negotiation.offer())
    caller.act(lambda ua: ua.transactions.request(invite, callee.hop, session._on_response))
    network.run(1)
    assert callee.names() == ["CallOffered", "MediaAgreed", "CallAnswered", "CallHeld"]


def test_a_far_side_that_is_transferred_by_a_re_invite_is_heard_elsewhere_and_the_call_goes_on() -> None:
    network, caller, callee, session, theirs = talking()
    before = callee.names()
    session.negotiation.local = LegAddress("10.0.0.9", 40000)
    caller.act(lambda ua: session.reinvite())
    network.run(1)
    assert callee.names() == [*before, "MediaAgreed"]
    moved = callee.of(events.MediaAgreed)[-1].remote
    assert (moved.host, moved.port, moved.direction) == ("10.0.0.9", 40000, LegDirection.SENDRECV)
    assert not theirs.ended


def test_a_bye_is_heard_whatever_its_number() -> None:
    network, caller, callee, session, _ = talking()
    assert session.dialog is not None
    bye = session.dialog.request("BYE", seq=1)
    caller.act(lambda ua: session.exchange(bye, lambda response: None))
    network.run(1)
    assert ends(callee) == [ReleaseCause.NORMAL]


def test_a_hold_under_a_hold_is_inactive() -> None:
    network, caller, callee, session, theirs = talking()
    caller.act(lambda ua: session.hold())
    network.run(1)
    callee.act(lambda ua: theirs.hold())
    network.run(1)
    assert session.remote is not None
    assert theirs.remote is not None
    assert session.remote.direction is LegDirection.SENDONLY
    assert theirs.remote.direction is LegDirection.INACTIVE


def test_the_version_rises_only_with_a_change() -> None:
    network, caller, _, session, _ = talking()
    for action in (session.hold, session.resume, session.reinvite):
        caller.act(lambda ua, action=action: action())  # type: ignore[misc]
        network.run(1)
    versions = [SessionDescription.parse(m.body).version for m in network.sent("INVITE")]
    assert versions == [1, 2, 3, 3]


def test_glare() -> None:
    network, caller, callee, session, theirs = talking()
    caller.entropy.next_fraction = callee.entropy.next_fraction = 0.5
    caller.act(lambda ua: session.hold())
    callee.act(lambda ua: theirs.hold())
    network.run(0.5)
    assert len(network.sent(491)) == 2
    network.run(0.8)  # the callee waits 1.0 s, the caller, whose Call-ID it is, 3.05 s
    assert len(network.sent("INVITE", callee)) == 2
    assert len(network.sent("INVITE", caller)) == 2
    network.run(3)
    assert len(network.sent("INVITE", caller)) == 3
    assert session.held
    assert theirs.held
    assert ends(caller) == ends(callee) == []


def test_media_is_expected_from_where_a_re_invite_came_from() -> None:
    """A phone that changed its network names its private address as before; RTP comes from the new NAT."""
    network, caller, _, session, theirs = talking()
    assert theirs.dialog is not None
    reinvite = theirs.dialog.request("INVITE")
    reinvite.headers.add("Via", "SIP/2.0/UDP 10.0.0.2;branch=z9hG4bKmoved")
    reinvite.headers.set("Content-Type", "application/sdp")
    reinvite.body = network.sent(200)[0].body.replace(b"m=audio 20000", b"m=audio 20444")
    network.inject(reinvite, Hop(Transport.UDP, "203.0.113.9", 41000), caller)
    network.run(0.1)
    assert session.remote is not None
    assert (session.remote.port, session.remote.signalling_host) == (20444, "203.0.113.9")


def test_a_reinvite_without_an_offer_is_given_one() -> None:
    network, caller, callee, session, theirs = talking()
    assert theirs.dialog is not None
    reinvite = theirs.dialog.request("INVITE")
    answered: list[Response] = []
    callee.act(lambda ua: theirs.exchange(reinvite, answered.append))
    network.run(0.2)
    offer = answered[-1]
    assert offer.status == 200
    assert SessionDescription.parse(offer.body).media[0].kind == "audio"
    ack = theirs.dialog.request("ACK", seq=reinvite.cseq[0])
    ack.headers.set("Content-Type", "application/sdp")
    ack.body = network.sent(200)[0].body.replace(b"m=audio 20000", b"m=audio 20444")
    callee.act(lambda ua: ua.transactions.send_ack(ack, caller.hop))
    network.run(2)
    assert session.remote is not None
    assert session.remote.port == 20444
    assert ends(caller) == []


def test_a_refused_reinvite_changes_nothing() -> None:
    network, caller, callee, session, theirs = talking()
    before = theirs.remote
    assert session.dialog is not None
    reinvite = session.dialog.request("INVITE")
    reinvite.headers.set("Content-Type", "application/sdp")
    reinvite.body = (
        b"v=0\r\no=- 1 9 IN IP4 10.0.0.1\r\ns=-\r\nc=IN IP4 10.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/SAVP 0\r\n"
    )
    answered: list[Response] = []
    caller.act(lambda ua: session.exchange(reinvite, answered.append))
    network.run(0.5)
    assert [r.status for r in answered] == [488]
    assert theirs.remote == before
    assert ends(callee) == []


def test_a_reinvite_that_finds_no_dialog_ends_the_call() -> None:
    network, caller, callee, session, theirs = talking()
    callee.ua.forget(theirs.key)
    caller.act(lambda ua: session.hold())
    network.run(1)
    assert ends(caller) == [ReleaseCause.SESSION_EXPIRED]
    quiet(network, caller)


# --- offers of other kinds


def delayed(network: Network, caller: Peer, callee: Peer) -> tuple[Request, list[Response]]:
    """An INVITE without SDP, by hand."""
    session = caller.call(callee)
    network._flying.clear()
    invite = session._invite.request
    caller.act(lambda ua: session._invite.transaction._end())
    invite.body = b""
    invite.headers.remove("Content-Type")
    invite.headers.remove("Via")
    invite.headers.set("Call-ID", "delayed")
    answered: list[Response] = []
    caller.act(lambda ua: ua.transactions.request(invite, callee.hop, answered.append))
    network.run(0.5)
    return invite, answered


@pytest.mark.parametrize("codec", ["PCMU", "none"])
def test_an_invite_without_an_offer(codec: str) -> None:
    network, caller, callee = pair()
    invite, answered = delayed(network, caller, callee)
    ok = answered[-1]
    assert ok.status == 200
    assert callee.of(events.CallAnswered) == []
    described = ok.body.replace(b"10.0.0.2", b"10.0.0.1")
    if codec == "none":
        described = described.replace(b"AVP 0 8 101", b"AVP 18")
    to = ok.headers.get("To") or ""
    ack = Request("ACK", "sip:10.0.0.2", invite.headers.copy(), described)
    ack.headers.remove("Via")
    ack.headers.set("To", to)
    ack.headers.set("CSeq", "1 ACK")
    ack.headers.set("Content-Type", "application/sdp")
    caller.act(lambda ua: ua.transactions.send_ack(ack, callee.hop))
    network.run(1)
    if codec == "none":
        assert ends(callee) == [ReleaseCause.UNSUPPORTED_MEDIA]
        assert len(network.sent("BYE", callee)) == 1
    else:
        assert callee.names() == ["CallOffered", "MediaAgreed", "CallAnswered"]


def test_an_answer_of_an_unknown_codec_is_ack_and_bye() -> None:
    network, caller, callee = pair()

    def answer(session: Called) -> None:
        session.place(callee.media)
        session.negotiation.last = session.negotiation.last.replace(b"AVP 0 101", b"AVP 18")
        session.accept()

    callee.answer = answer
    caller.call(callee)
    network.run(1)
    assert ends(caller) == [ReleaseCause.UNSUPPORTED_MEDIA]
    assert [m.method for m in network.sent("ACK") + network.sent("BYE") if isinstance(m, Request)] == [
        "ACK",
        "BYE",
    ]
    assert caller.of(events.CallAnswered) == []
    quiet(network, caller, callee)


# --- session timers


def test_a_session_is_refreshed_by_update_at_half_time() -> None:
    settings = SipSettings(domain="test", session_expires=90)
    network, caller, callee, _, _ = talking(settings)
    network.run(100)
    assert [round(at) for at in network.times("UPDATE")] == [0, 45]
    assert ends(caller) == ends(callee) == []


def test_a_session_is_refreshed_by_reinvite_where_update_is_unknown() -> None:
    settings = SipSettings(domain="test", session_expires=90)
    network, caller, callee, session, theirs = talking(settings)
    session._peer_allows = theirs._peer_allows = frozenset(["invite"])
    network.run(100)
    assert network.sent("UPDATE") == []
    assert len(network.sent("INVITE")) == 3
    assert ends(caller) == ends(callee) == []


def test_a_session_that_is_not_refreshed_expires() -> None:
    settings = SipSettings(domain="test", session_expires=90)
    network, caller, callee, session, theirs = talking(settings)
    refresher, other = (session, callee) if session.timer.ours else (theirs, caller)
    refresher.timer.stop()
    network.run(61)
    assert ends(other) == [ReleaseCause.SESSION_EXPIRED]
    quiet(network, caller, callee)


def test_a_refresh_that_nobody_answers_ends_the_call() -> None:
    settings = SipSettings(domain="test", session_expires=90)
    network, caller, callee, _, _ = talking(settings)
    network.lose = lambda message, number: True
    network.run(120)
    assert ends(caller) == ends(callee) == [ReleaseCause.SESSION_EXPIRED]


def test_an_interval_below_the_minimum_is_raised() -> None:
    network = Network()
    caller = network.peer("10.0.0.1", settings=SipSettings(domain="test", session_expires=100))
    callee = network.peer("10.0.0.2", settings=SipSettings(domain="test"))
    callee.ua.min_session_expires = 200
    callee.answer = answering(callee)
    session = caller.call(callee)
    network.run(1)
    assert [m.headers.get("Min-SE") for m in network.sent(422)] == ["200"]
    assert len(caller.of(events.CallAnswered)) == 1
    assert session.timer.interval == 200


def test_a_far_side_without_session_timers_is_refreshed_by_us() -> None:
    network = Network()
    caller = network.peer("10.0.0.1", settings=SipSettings(domain="test", session_expires=0))
    callee = network.peer("10.0.0.2", settings=SipSettings(domain="test", session_expires=90))
    callee.answer = answering(callee)
    session = caller.call(callee)
    network.run(60)
    assert session.timer.running
    assert len(network.sent("UPDATE", callee)) == 1


# --- PRACK


def early(peer: Peer, *, accept: bool = True) -> None:
    def answer(session: Called) -> None:
        session.place(peer.media)
        session.early()
        if accept:
            session.accept()

    peer.answer = answer


def test_early_media_is_confirmed_and_the_200_waits_for_it() -> None:
    network, caller, callee = pair(RELIABLE)
    early(callee)
    caller.call(callee)
    network.run(1)
    assert [m.method if isinstance(m, Request) else m.status for *_, m in network.wire] == [
        "INVITE", 100, 183, "PRACK", 200, 200, "ACK",
    ]  # fmt: skip
    assert caller.names() == ["MediaAgreed", "CallProgressed", "MediaAgreed", "CallAnswered"]
    assert callee.names() == ["CallOffered", "MediaAgreed", "CallAnswered"]
    assert caller.of(events.CallProgressed)[0].early


def test_a_lost_reliable_response_comes_again() -> None:
    network, caller, callee = pair(RELIABLE)
    early(callee)
    network.lose = losing(183, 1, 2)
    caller.call(callee)
    network.run(5)
    assert network.times(183) == [0, 0.5, 1.5]
    assert len(caller.of(events.CallAnswered)) == 1


def test_a_response_that_is_never_confirmed_fails_the_call() -> None:
    network, caller, callee = pair(RELIABLE)
    early(callee, accept=False)
    network.lose = lambda message, number: isinstance(message, Request) and message.method == "PRACK"
    caller.call(callee)
    network.run(40)
    assert ends(callee) == [ReleaseCause.FAILED]
    assert [e.status for e in caller.of(events.CallEnded)] == [504]


def test_a_prack_of_nothing_is_481() -> None:
    network, caller, callee = pair(RELIABLE)
    early(callee, accept=False)
    session = caller.call(callee)
    network.run(1)
    dialog = next(iter(session._early.values())).dialog
    prack = dialog.request("PRACK")
    prack.headers.add("RAck", "1 1 INVITE")
    caller.act(lambda ua: ua.transactions.request(prack, callee.hop, lambda response: None))
    network.run(1)
    assert len(network.sent(481)) == 1


def test_hanging_up_between_183_and_prack() -> None:
    network, caller, callee = pair(RELIABLE)
    early(callee)
    network.lose = lambda message, number: isinstance(message, Request) and message.method == "PRACK"
    session = caller.call(callee)
    network.run(2)
    caller.act(lambda ua: session.hang_up())
    network.run(2)
    assert ends(caller) == ends(callee) == [ReleaseCause.CANCELLED]
    quiet(network, caller, callee)


# --- UPDATE


def test_an_update_with_an_offer_is_answered() -> None:
    network, caller, callee, session, theirs = talking()
    assert session.dialog is not None
    update = session.dialog.request("UPDATE")
    update.headers.set("Content-Type", "application/sdp")
    update.body = network.sent("INVITE")[0].body.replace(b"a=sendrecv", b"a=sendonly")
    answered: list[Response] = []
    caller.act(lambda ua: session.exchange(update, answered.append))
    network.run(0.5)
    assert [r.status for r in answered] == [200]
    assert b"a=recvonly" in answered[0].body
    assert callee.names()[-1] == "CallHeld"
    assert theirs.held


def test_an_update_during_our_reinvite_is_491() -> None:
    network, caller, callee, session, theirs = talking()
    assert session.dialog is not None
    callee.act(lambda ua: theirs.hold())
    update = session.dialog.request("UPDATE")
    update.headers.set("Content-Type", "application/sdp")
    update.body = network.sent("INVITE")[0].body
    answered: list[Response] = []
    caller.act(lambda ua: session.exchange(update, answered.append))
    network.run(0.5)
    assert [r.status for r in answered] == [491]


def test_a_request_out_of_order_is_500() -> None:
    network, caller, _callee, session, _ = talking()
    assert session.dialog is not None
    old = session.dialog.request("UPDATE", seq=1)
    answered: list[Response] = []
    caller.act(lambda ua: session.exchange(old, answered.append))
    network.run(0.5)
    assert [r.status for r in answered] == [500]


def test_a_bye_that_is_challenged_is_said_again_with_credentials() -> None:
    network, caller, callee, _, theirs = talking()
    theirs.account = Account("us", "secret")
    told: list[Request] = []

    def challenge(sender: Peer, message: Outgoing) -> bool:
        parsed = parse(message.data)
        if isinstance(parsed, Request) and parsed.method == "BYE" and not told:
            told.append(parsed)
            refused = reply(parsed, 401)
            refused.headers.add("WWW-Authenticate", 'Digest realm="up", nonce="n", qop="auth"')
            network.inject(refused, caller.hop, callee)
            return True
        return False

    network.capture = challenge
    callee.act(lambda ua: theirs.hang_up())
    network.run(1)
    first, second = network.sent("BYE")
    assert (first.cseq[0], second.cseq[0]) == (1, 2)
    assert 'username="us"' in (second.headers.get("Authorization") or "")
    assert ends(caller) == [ReleaseCause.NORMAL]


# --- what a BYE needs


def test_a_bye_after_a_crash() -> None:
    network, caller, callee, session, _ = talking()
    caller.act(lambda ua: session.hold())
    network.run(1)
    saved = caller.of(events.DialogChanged)[-1].dialog
    assert saved["local_seq"] == 2
    again = network.peer("10.0.0.1")
    again.act(lambda ua: ua.bye(saved))
    network.run(1)
    assert ends(callee) == [ReleaseCause.NORMAL]
    assert network.sent("BYE")[0].cseq == (3, "BYE")
    quiet(network, callee)
