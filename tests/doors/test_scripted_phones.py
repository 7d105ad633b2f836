"""Scripted phones keep the order that doors owe: offered or ringing, answered, gone once."""

from __future__ import annotations

import pytest
from tests.scripted_phones import InProcessLines

from sottovoce.domain.directory import VdnId
from sottovoce.domain.legs import LegId, ReleaseCause
from sottovoce.domain.lines import Destination, LineKind
from sottovoce.media.inprocess import InProcessEngine
from sottovoce.tasks import Tasks

V, LEG = VdnId(1), LegId("leg")


@pytest.fixture
async def lines():
    tasks = Tasks()
    made = InProcessLines(InProcessEngine(), tasks)
    made.said = []
    made.subscribe(lambda event: made.said.append(event))
    yield made
    await tasks.close()


def ring(lines, number="1"):
    lines.ring(LEG, V, Destination(LineKind.PHONE, number), "555")


async def kinds(lines):
    await lines.settled()
    return [type(event).__name__ for event in lines.said]


async def test_a_phone_that_is_ready(lines):
    lines.phone("1", ready=True)
    ring(lines)
    lines.hang_up(LEG)
    lines.hang_up(LEG)
    assert await kinds(lines) == ["LegRinging", "LegAnswered", "LegGone"]


async def test_a_phone_that_is_lifted_and_holds(lines):
    phone = lines.phone("1")
    ring(lines)
    await lines.settled()
    phone.lift()
    phone.lift()
    phone.hold()
    phone.resume()
    phone.hang_up()
    phone.hang_up()
    assert await kinds(lines) == ["LegRinging", "LegAnswered", "LegHeld", "LegResumed", "LegGone"]


@pytest.mark.parametrize("why", ["unknown", "engaged", "rejects"])
async def test_a_phone_that_cannot_be_had(lines, why):
    if why != "unknown":
        phone = lines.phone("1", rejects=ReleaseCause.REJECTED if why == "rejects" else None)
        if why == "engaged":
            phone.leg = LegId("other")
    ring(lines)
    await lines.settled()
    expected = {
        "unknown": ReleaseCause.UNREACHABLE,
        "engaged": ReleaseCause.BUSY,
        "rejects": ReleaseCause.REJECTED,
    }
    assert lines.said[-1].cause is expected[why]
    assert lines.legs == {}


async def test_a_caller_is_accepted_once(lines):
    caller = lines.phone("555")
    leg = lines.call_in(V, caller, "800")
    await lines.settled()
    lines.announce(leg, early_media=True)
    lines.accept(leg)
    lines.accept(leg)
    assert await kinds(lines) == ["LegOffered", "LegAnswered"]
    assert caller.up


async def test_no_room_for_media(lines):
    lines._engine = InProcessEngine(capacity=1)
    lines.phone("1")
    lines.phone("2")
    ring(lines)
    lines.ring(LegId("second"), V, Destination(LineKind.PHONE, "2"), "555")
    assert (await kinds(lines))[-1] == "LegGone"
    caller = lines.phone("555")
    lines.call_in(V, caller, "800")
    await lines.settled()
    assert caller.leg is None
