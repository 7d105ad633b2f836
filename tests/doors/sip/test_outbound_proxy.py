"""Phones that are registered elsewhere are rung through the edge that knows them."""

from __future__ import annotations

from tests.doors.sip.test_door import VDN, Floor, settings

from sottovoce.domain.legs import LegId, ReleaseCause
from sottovoce.domain.lines import Destination, LegAnswered, LegGone, LegOffered, Side
from sottovoce.doors.sip.hops import Hop, Transport
from sottovoce.doors.sip.settings import Trunk
from sottovoce.tasks import Tasks


async def test_a_phone_that_is_not_registered_here_is_rung_through_the_proxy() -> None:
    tasks = Tasks()
    edge = Floor(settings(trunks=(Trunk("in", "127.0.0.1", networks=("127.0.0.0/8",)),)), tasks)
    await edge.door.start()
    edge.answer_all()
    proxy = Hop(Transport.UDP, "127.0.0.1", edge.port)
    floor = Floor(settings(outbound_proxy=proxy), tasks, first_port=40000)
    await floor.door.start()
    try:
        leg = LegId("agent")
        floor.door.ring(leg, VDN, Destination(Side.PHONE, "901"), "555")
        assert await floor.until(LegAnswered) == LegAnswered(leg)
        offered = edge.of(LegOffered)[0]
        assert (offered.caller, offered.called) == ("555", "901")
        assert edge.engine.open[offered.leg]
        floor.door.hang_up(leg)
        assert await edge.until(LegGone) == LegGone(offered.leg, ReleaseCause.NORMAL)
    finally:
        await floor.door.stop()
        await edge.door.stop()
        await tasks.close()
