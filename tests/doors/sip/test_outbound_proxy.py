"""Phones that are registered elsewhere are rung through the edge that knows them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from tests.doors.sip.far_sides import proxy, trunk
from tests.doors.sip.network import Counted
from tests.doors.sip.test_door import DOMAIN, VDN, Book, Floor, Phone, settings

from sottovoce.domain.legs import LegId, ReleaseCause
from sottovoce.domain.lines import Destination, LegAnswered, LegGone, LegOffered, LegSaved, LineKind
from sottovoce.doors.sip import events
from sottovoce.doors.sip.admission import Admitted, Authenticator, Refusal
from sottovoce.doors.sip.digest import NonceKeeper
from sottovoce.doors.sip.hops import Hop, Transport
from sottovoce.doors.sip.limits import SourceLimits
from sottovoce.doors.sip.message import Request, Response, parse
from sottovoce.doors.sip.ports import Account
from sottovoce.tasks import Tasks

LEG = LegId("agent")
GOOD = Account("phone501", "secret")


class Suspicious:
    """Lets in who answers a 407 with the password of one of the book's accounts."""

    def __init__(self) -> None:
        self.asked = 0
        self._authenticator = Authenticator(
            DOMAIN, Book(), NonceKeeper(bytes(16)), Counted("edge"), SourceLimits(100, 100)
        )

    def admit(self, request: Request, source: Hop, now: float) -> Admitted | Refusal:
        self.asked += 1
        checked = self._authenticator.check(request, source, now, proxy=True)
        return checked if isinstance(checked, Refusal) else Admitted("555", "901")


@asynccontextmanager
async def beyond(
    account: Account | None, transport: Transport = Transport.UDP
) -> AsyncIterator[tuple[Floor, Phone, Suspicious]]:
    """A floor whose outbound proxy challenges, and the phone behind it."""
    tasks = Tasks()
    doorman = Suspicious()
    edge = Phone("901", tasks)
    await edge.endpoint.start("127.0.0.1", 0)
    edge.endpoint.ua.doorman = doorman
    way = proxy("127.0.0.1", edge.endpoint.port, transport, account)
    floor = Floor(settings(outbound_proxy=way), tasks)
    await floor.door.start()
    try:
        yield floor, edge, doorman
    finally:
        await floor.door.stop()
        await edge.endpoint.stop()
        await tasks.close()


def ring(floor: Floor) -> None:
    floor.door.ring(LEG, VDN, Destination(LineKind.PHONE, "901"), "555")


async def test_a_phone_that_is_not_registered_here_is_rung_through_the_proxy() -> None:
    tasks = Tasks()
    edge = Floor(settings(trunks=(trunk("in", "127.0.0.1", networks=("127.0.0.0/8",)),)), tasks)
    await edge.door.start()
    edge.answer_all()
    floor = Floor(settings(outbound_proxy=proxy("127.0.0.1", edge.port)), tasks, first_port=40000)
    await floor.door.start()
    try:
        ring(floor)
        assert await floor.until(LegAnswered) == LegAnswered(LEG)
        offered = edge.of(LegOffered)[0]
        assert (offered.caller, offered.called) == ("555", "901")
        assert edge.engine.open[offered.leg]
        floor.door.hang_up(LEG)
        assert await edge.until(LegGone) == LegGone(offered.leg, ReleaseCause.NORMAL)
    finally:
        await floor.door.stop()
        await edge.door.stop()
        await tasks.close()


@pytest.mark.parametrize("transport", list(Transport))
async def test_a_proxy_that_challenges_is_answered(transport: Transport) -> None:
    async with beyond(GOOD, transport) as (floor, edge, doorman):
        ring(floor)
        assert await floor.until(LegAnswered) == LegAnswered(LEG)
        assert doorman.asked == 2
        floor.door.hang_up(LEG)
        assert (await edge.until(events.CallEnded)).by_far_side
        assert await floor.until(LegGone) == LegGone(LEG, ReleaseCause.NORMAL)
        assert floor.engine.open == {}


@pytest.mark.parametrize(
    ("account", "asked"),
    [
        (None, 1),
        (Account("phone501", "secret", "another.example"), 1),
        (Account("phone501", "wrong"), 2),
    ],
)
async def test_a_challenge_that_cannot_be_met_is_a_refusal(account: Account | None, asked: int) -> None:
    async with beyond(account) as (floor, edge, doorman):
        ring(floor)
        assert await floor.until(LegGone) == LegGone(LEG, ReleaseCause.REJECTED)
        assert doorman.asked == asked
        assert not any(isinstance(event, events.CallOffered) for event in edge.events)


class Tollgate(asyncio.DatagramProtocol):
    """A proxy that comes up where the edge was: it wants credentials for a BYE too."""

    def __init__(self) -> None:
        self.passed: asyncio.Future[Request] = asyncio.get_running_loop().create_future()
        self._doorman = Suspicious()

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:  # type: ignore[override]
        self._transport = transport

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        request = parse(data)
        assert isinstance(request, Request)
        judged = self._doorman.admit(request, Hop(Transport.UDP, *addr), 1.0)
        status = judged.status if isinstance(judged, Refusal) else 200
        response = Response(status, "Judged")
        for name in ("Via", "From", "To", "Call-ID", "CSeq"):
            for value in request.headers.get_all(name):
                response.headers.add(name, value)
        for name, value in judged.extra if isinstance(judged, Refusal) else ():
            response.headers.add(name, value)
        self._transport.sendto(response.encode(), addr)
        if status == 200 and not self.passed.done():
            self.passed.set_result(request)


async def test_the_bye_after_a_crash_answers_the_proxy_too() -> None:
    async with beyond(GOOD) as (floor, edge, _):
        ring(floor)
        await floor.until(LegAnswered)
        saved = floor.of(LegSaved)[-1].dialog
        port = edge.endpoint.port
        await edge.endpoint.stop()
        loop = asyncio.get_running_loop()
        socket, gate = await loop.create_datagram_endpoint(Tollgate, local_addr=("127.0.0.1", port))
        tasks = Tasks()
        later = Floor(settings(outbound_proxy=proxy("127.0.0.1", port, account=GOOD)), tasks)
        later.door.recover({LEG: saved})
        await later.door.start()
        assert (await gate.passed).method == "BYE"
        await later.door.stop()
        await tasks.close()
        socket.close()
