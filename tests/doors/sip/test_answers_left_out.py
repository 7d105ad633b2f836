"""A far side that says its SDP once and leaves it out where RFC 3264 wants it again."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.doors.sip.network import Network, Peer
from tests.doors.sip.test_session import RELIABLE, early, ends, pair, talking

from sottovoce.domain.legs import ReleaseCause
from sottovoce.doors.sip.hops import Outgoing
from sottovoce.doors.sip.message import Response, parse


def bodiless(network: Network, to: Peer) -> None:
    """From now on every 200 to an INVITE that goes to this peer arrives without its SDP."""

    def strip(sender: Peer, message: Outgoing) -> bool:
        parsed = parse(message.data)
        if not isinstance(parsed, Response) or (parsed.status, parsed.cseq[1]) != (200, "INVITE"):
            return False
        parsed.body = b""
        parsed.headers.remove("Content-Type")
        network.inject(parsed, sender.hop, to)
        return True

    network.capture = strip


@pytest.mark.parametrize("reliable", [False, True])
def test_the_answer_of_a_183_stands_when_the_200_has_none(reliable: bool) -> None:
    network, caller, callee = pair(RELIABLE if reliable else None)
    early(callee)
    bodiless(network, caller)
    session = caller.call(callee)
    network.run(2)
    assert network.sent(183)[0].headers.get("Require") == ("100rel" if reliable else None)
    assert network.sent("BYE") == []
    assert "CallAnswered" in caller.names()
    assert session.remote is not None
    assert (session.remote.host, session.remote.port) == (callee.media.host, callee.media.port)


def test_an_early_answer_of_another_fork_is_none_of_this_one() -> None:
    network, caller, callee = pair()
    early(callee, accept=False)
    caller.call(callee)
    network.run(1)
    ringing = network.sent(183)[0]
    assert isinstance(ringing, Response)
    assert ringing.to is not None
    other = Response(200, "OK", ringing.headers.copy())
    other.headers.remove("Content-Type")
    other.headers.set("To", str(replace(ringing.to, params={"tag": "another"})))
    network.inject(other, callee.hop, caller)
    network.run(1)
    assert ends(caller) == [ReleaseCause.UNSUPPORTED_MEDIA]


def test_a_200_without_sdp_to_a_re_invite_keeps_what_was_agreed() -> None:
    network, caller, _, session, _ = talking()
    before = session.remote
    bodiless(network, caller)
    caller.act(lambda ua: session.reinvite())
    network.run(1)
    assert (session.remote, ends(caller), network.sent("BYE")) == (before, [], [])
    assert not session.negotiation.offer_open


def test_an_ack_without_sdp_to_a_re_invite_without_offer_keeps_what_was_agreed() -> None:
    network, caller, callee, session, theirs = talking()
    before = session.remote
    assert theirs.dialog is not None
    for _ in range(2):
        reinvite = theirs.dialog.request("INVITE")
        callee.act(lambda ua, reinvite=reinvite: theirs.exchange(reinvite, lambda answered: None))  # type: ignore[misc]
        network.run(0.2)
        ack = theirs.dialog.request("ACK", seq=reinvite.cseq[0])
        callee.act(lambda ua, ack=ack: ua.transactions.send_ack(ack, caller.hop))  # type: ignore[misc]
        network.run(2)
        assert (session.remote, ends(caller), network.sent("BYE")) == (before, [], [])
    caller.act(lambda ua: session.hold())
    network.run(1)
    assert callee.names()[-1] == "CallHeld"
