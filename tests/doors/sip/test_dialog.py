from __future__ import annotations

import json

import pytest

from sottovoce.doors.sip.dialog import MAX_ROUTES, Dialog, NoDialog, hop_of
from sottovoce.doors.sip.hops import Hop, Transport
from sottovoce.doors.sip.uri import SipUri


def dialog(**more: object) -> Dialog:
    return Dialog(
        call_id="c1",
        local_tag="ours",
        remote_tag="theirs",
        local="<sip:a@here>",
        remote='"B" <sip:b@there>',
        target="sip:b@10.0.0.2:5070;transport=TCP",
        **more,  # type: ignore[arg-type]
    )


def test_requests_count_and_carry_the_tags() -> None:
    made = dialog(local_seq=4, contact="<sip:a@10.0.0.1>")
    bye = made.request("BYE")
    assert bye.uri == "sip:b@10.0.0.2:5070;transport=TCP"
    assert bye.cseq == (5, "BYE")
    assert bye.headers.get("From") == "<sip:a@here>;tag=ours"
    assert bye.headers.get("To") == '"B" <sip:b@there>;tag=theirs'
    assert bye.headers.get("Contact") is None
    assert made.request("INVITE").headers.get("Contact") == "<sip:a@10.0.0.1>"
    assert made.request("ACK", seq=2).cseq == (2, "ACK")
    assert made.local_seq == 6


def test_loose_routing() -> None:
    made = dialog(routes=("<sip:p1:5080;lr>", "<sip:p2>"))
    bye = made.request("BYE")
    assert bye.uri == made.target
    assert bye.headers.get_all("Route") == ["<sip:p1:5080;lr>", "<sip:p2>"]
    assert made.hop() == Hop(Transport.UDP, "p1", 5080)


def test_strict_routing() -> None:
    made = dialog(routes=("<sip:p1:5080;transport=tcp>", "<sip:p2;lr>"))
    bye = made.request("BYE")
    assert bye.uri == "sip:p1:5080;transport=tcp"
    assert bye.headers.get_all("Route") == ["<sip:p2;lr>", "<sip:b@10.0.0.2:5070;transport=TCP>"]
    assert made.hop() == Hop(Transport.TCP, "p1", 5080)


def test_the_next_hop_without_routes() -> None:
    assert dialog().hop() == Hop(Transport.TCP, "10.0.0.2", 5070)
    flow = Hop(Transport.TCP, "198.51.100.9", 1234, 7)
    assert dialog(flow=flow).hop() == Hop(Transport.TCP, "10.0.0.2", 5070, 7)
    assert dialog(flow=flow, behind_nat=True).hop() == flow


def test_a_hop_of_a_uri() -> None:
    assert hop_of(SipUri.parse("sip:b@[2001:db8::1];transport=UDP")) == Hop(
        Transport.UDP, "2001:db8::1", 5060
    )
    assert hop_of(SipUri.parse("sip:b@host;transport=sctp")).transport is Transport.UDP


@pytest.mark.parametrize("flow", [None, Hop(Transport.UDP, "10.1.1.1", 5062)])
@pytest.mark.parametrize("routes", [(), ("<sip:p1;lr>",)])
def test_what_is_saved_is_restored_through_json(routes: tuple[str, ...], flow: Hop | None) -> None:
    made = dialog(routes=routes, local_seq=3, flow=flow, behind_nat=flow is not None)
    again = Dialog.restored(json.loads(json.dumps(made.saved())))
    assert again.request("BYE").encode() == made.request("BYE").encode()
    assert again.hop() == made.hop()


@pytest.mark.parametrize(
    "damage",
    [
        {"routes": None},
        {"local_seq": "x"},
        {"target": ""},
        {"routes": ["<sip:"]},
        {"routes": ["<sip:p>"] * (MAX_ROUTES + 1)},
    ],
)
def test_what_is_damaged_is_not_restored(damage: dict[str, object]) -> None:
    with pytest.raises(NoDialog):
        Dialog.restored({**dialog().saved(), **damage})
