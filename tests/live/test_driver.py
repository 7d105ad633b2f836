"""Performing effects: in order, failing closed."""

from __future__ import annotations

from sottovoce.domain.agents import AgentState
from sottovoce.domain.directory import AgentId
from sottovoce.domain.supervision import Mode
from sottovoce.errors import Code, Refused
from sottovoce.media.engine import Apply, Play

A, I = AgentId(101), AgentId(300)  # noqa: E741


async def test_a_table_that_cannot_be_made_true_costs_the_inspector_the_leg(stage):
    await stage.sign_in(101, 300)
    await stage.call_in("555")

    def away(request):
        if isinstance(request, Apply) and request.routing.inspectors:
            raise Refused(Code.UNAVAILABLE, "the worker is away")

    stage.engine.fault = away
    await stage.desk.supervise(I, A, Mode.WHISPER)
    await stage.quiet()
    assert stage.phone(300).leg is None
    assert stage.state(300) is AgentState.IDLE
    assert stage.state(101) is AgentState.TALKING


async def test_one_effects_fault_does_not_stop_the_floor(stage):
    await stage.sign_in(101)

    def broken(request):
        if isinstance(request, Play):
            raise RuntimeError("a fault")

    stage.engine.fault = broken
    await stage.call_in("555")
    assert stage.hears() == {"555": {"1101"}, "1101": {"555"}}


async def test_a_line_event_that_makes_no_sense_stops_nothing(stage):
    await stage.sign_in(101)
    customer = await stage.call_in("555")
    customer.lift()
    customer.up = False
    customer.lift()
    await stage.quiet()
    assert stage.hears() == {"555": {"1101"}, "1101": {"555"}}


async def test_an_inspectors_standing_leg_needs_no_ringing(stage):
    await stage.sign_in(101, 300, release_phone=False)
    await stage.call_in("555")
    await stage.desk.supervise(I, A, Mode.LISTEN)
    await stage.quiet()
    await stage.desk.stop(I, A)
    await stage.forget(300)
    await stage.desk.supervise(I, A, Mode.WHISPER)
    assert await stage.names(300) == ["AgentPreoccupied"]
    assert stage.hears()["1101"] == {"555", "1300"}
    await stage.desk.stop(I, A)
    assert await stage.names(300) == ["AgentReady"]


async def test_every_leg_of_a_vdn_is_opened_in_its_group(stage):
    await stage.sign_in(101, 300)
    await stage.call_in("555")
    await stage.desk.supervise(I, A, Mode.LISTEN)
    await stage.quiet()
    assert set(stage.engine.groups.values()) == {"1"}
