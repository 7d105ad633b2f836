"""Refused calls and registrations: a line for the operator, a Warning for who is known (RFC 3261 20.43)."""

from __future__ import annotations

import pytest
from structlog.testing import capture_logs
from tests.doors.sip.far_sides import trunk
from tests.doors.sip.network import Network
from tests.doors.sip.test_door import Floor, office, settings
from tests.doors.sip.test_registrar import Office

from sottovoce.config import SipSettings
from sottovoce.domain.legs import ReleaseCause
from sottovoce.domain.lines import LegGone, LegOffered
from sottovoce.doors.sip import events
from sottovoce.doors.sip.hops import Hop, Transport
from sottovoce.doors.sip.message import Response
from sottovoce.doors.sip.ports import Account
from sottovoce.tasks import Tasks

G722 = "m=audio 4000 RTP/AVP 9\r\n"
GOOD = "m=audio 4000 RTP/AVP 0\r\n"
PROVIDER = Hop(Transport.UDP, "203.0.113.1", 5060)


def sdp(media: str, address: str = "203.0.113.1") -> str:
    return f"v=0\r\no=- 1 1 IN IP4 203.0.113.1\r\ns=-\r\nc=IN IP4 {address}\r\nt=0 0\r\n{media}"


def invite(office: Office, source: Hop, body: str, called: str = "100") -> tuple[Response, list[object]]:
    """What an INVITE is answered at once, and what the user agent says."""
    before, wire = len(office.server.events), len(office.network.wire)
    text = (
        f"INVITE sip:{called}@test SIP/2.0\r\nVia: SIP/2.0/UDP {source.host};branch=z9hG4bK{wire}\r\n"
        f"From: <sip:0301234@x>;tag=1\r\nTo: <sip:{called}@test>\r\nCall-ID: call-{wire}\r\n"
        f"CSeq: 1 INVITE\r\nContact: <sip:x@{source.host}>\r\nContent-Type: application/sdp\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    office.network.inject((text + body).encode(), source, office.server)
    office.network.run(0.1)
    answer = office.network.wire[-1][3]
    assert isinstance(answer, Response)
    return answer, list(office.server.events[before:])


@pytest.mark.parametrize(
    ("called", "body", "status", "warning", "why"),
    [
        ("666", sdp(GOOD), 404, 399, "no access code"),
        ("100", sdp(G722), 488, 305, "no G.711 among the formats"),
        ("100", sdp(GOOD.replace("RTP/AVP", "RTP/SAVP")), 488, 302, "audio over RTP/SAVP only"),
        ("100", sdp("m=video 4000 RTP/AVP 0\r\n"), 488, 304, "no audio"),
        ("100", sdp(GOOD, "a.name"), 488, 301, "the connection address is no IP address"),
        ("100", sdp(GOOD, "224.0.0.9"), 488, 330, "media to a group address"),
        ("100", "nonsense", 400, 399, "no v=0 line"),
    ],
)
def test_a_trunk_is_told_why_its_call_is_refused(
    called: str, body: str, status: int, warning: int, why: str
) -> None:
    office = Office((trunk("provider", "203.0.113.1", networks=("203.0.113.0/29",)),))
    answer, said = invite(office, PROVIDER, body, called)
    assert answer.status == status
    assert answer.headers.get_all("Warning") == [f'{warning} sottovoce "{why}"']
    call_id = answer.call_id
    assert said == [events.RequestRefused("INVITE", status, why, PROVIDER, "0301234", called, call_id)]


@pytest.mark.parametrize("called", ["100", "666", "501"])
def test_a_stranger_is_told_nothing_and_a_challenge_is_no_refusal(called: str) -> None:
    answer, said = invite(Office(), Hop(Transport.UDP, "198.51.100.1", 5060), sdp(G722), called)
    assert (answer.status, answer.headers.get_all("Warning"), said) == (407, [], [])


def test_too_many_calls_are_told_to_the_operator_alone() -> None:
    network = Network()
    server = network.peer("10.0.0.2", settings=SipSettings(domain="test", max_sessions=1))
    phone = network.peer("10.0.0.1")
    phone.call(server)
    phone.call(server)
    network.run(1)
    (refused,) = network.sent(503)
    assert refused.headers.get_all("Warning") == []
    assert [event.why for event in server.of(events.RequestRefused)] == ["as many calls stand as may"]


def test_a_caller_who_gives_up_was_not_refused() -> None:
    network = Network()
    server, phone = network.peer("10.0.0.2"), network.peer("10.0.0.1")
    server.answer = lambda session: session.ring()
    call = phone.call(server)
    network.run(1)
    phone.act(lambda ua: call.hang_up())
    network.run(1)
    assert network.sent(487)
    assert server.of(events.RequestRefused) == []


def lines(logs: list[dict[str, object]], *beginnings: str) -> list[dict[str, object]]:
    return [line for line in logs if str(line["event"]).startswith(beginnings)]


async def test_the_line_of_a_refused_call_names_who_and_why() -> None:
    async with office() as (_floor, phone, hop):
        phone.account = Account("phone501", "wrong")
        with capture_logs() as logs:
            phone.call("777", hop)
            await phone.until(events.CallEnded)
            await phone.register(hop)
            await phone.until(events.RegistrationFailed)
    call, registration = lines(logs, "call refused", "registration refused")
    assert (call["status"], call["why"], call["caller"], call["called"]) == (
        *(403, "wrong password"),
        *("phone501", "777"),
    )
    assert call["per"] == ("127.0.0.1", 403, "wrong password"), "a host's attempts are counted"
    assert (registration["event"], registration["status"]) == ("registration refused", 403)
    assert not [value for value in call.values() if value == "wrong"], "no password"


async def test_the_floor_s_refusal_is_told_to_both() -> None:
    async with office() as (floor, phone, hop):
        await phone.register(hop)
        await phone.until(events.Registered)
        floor.on_offer = lambda leg: floor.door.hang_up(leg, ReleaseCause.OVERLOAD)
        with capture_logs() as logs:
            phone.call("777", hop)
            await floor.until(LegOffered)
            await floor.until(LegGone)
    (line,) = lines(logs, "call refused")
    assert (line["status"], line["why"]) == (503, "overload")


async def test_a_registration_is_told_when_it_is_new_moved_or_gone() -> None:
    async with office() as (_floor, phone, hop):
        with capture_logs() as logs:
            registration = await phone.register(hop)
            for times in (1, 2, 3):
                await phone.until(events.Registered, times)
                phone.endpoint.act(lambda ua: registration.refresh())
            await phone.until(events.Registered, 4)
            phone.endpoint.act(lambda ua: registration.remove())
            await phone.until(events.Unregistered)
        told = lines(logs, "phone ")
        assert [line["event"] for line in told] == ["phone registered", "phone unregistered"]
        assert told[0]["before"] is None
        assert told[1]["why"] == "removed"


def test_what_is_more_than_a_refresh() -> None:
    office = Office(nat=("10.7.0.0/16",))
    inside, elsewhere = Hop(Transport.UDP, "10.0.0.1", 5060), Hop(Transport.UDP, "10.0.0.3", 5060)
    outside = Hop(Transport.UDP, "10.7.0.1", 41234)
    instance = ';+sip.instance="<urn:x>"'
    sends = [
        ("<sip:a@10.0.0.1>", inside),
        ("<sip:a@10.0.0.1>", inside),
        ("<sip:a@10.0.0.1>", elsewhere),
        (f"<sip:b@192.168.1.5>{instance}", outside),
        (f"<sip:b@192.168.1.5>{instance}", Hop(Transport.UDP, "10.7.0.1", 41235)),
        (f"<sip:b@192.168.1.6>{instance}", Hop(Transport.UDP, "10.7.0.1", 41235)),
    ]
    for number, (contact, source) in enumerate(sends):
        assert office.send(contact, source=source, call_id=str(number)).status == 200
    bound = office.server.of(events.Bound)
    assert [event.moved for event in bound] == [True, False, True, True, True, True]
    assert [event.before is None for event in bound] == [True, False, False, True, False, False]


async def test_a_trunk_s_registration_is_told_when_it_changes() -> None:
    tasks, address = Tasks(), "sip:us@provider"
    client = Floor(settings(), tasks)
    with capture_logs() as logs:
        for event in (
            *[events.Registered(address, 300)] * 3,
            events.RegistrationFailed(address, 503),
            events.Registered(address, 300),
        ):
            client.door._on_event(event)
    await tasks.close()
    told = [line["event"] for line in lines(logs, "registration ")]
    assert told == ["registration changed", "registration failed", "registration changed"]
