"""Phone linkage: a client lifts the phone on the desk and puts it down, as a hand would."""

from __future__ import annotations

import pytest
from tests.live.refusals import refused

from sottovoce.domain.agents import AgentState
from sottovoce.domain.directory import AgentId
from sottovoce.domain.supervision import Mode
from sottovoce.errors import Code
from sottovoce.live.consulting import Consult
from sottovoce.live.handling import CallOut
from sottovoce.live.linkage import HangUpPhone
from sottovoce.live.transferring import HandOver, How

A, B, I = AgentId(101), AgentId(102), AgentId(300)  # noqa: E741


@pytest.fixture
async def rings(stage):
    """555 rings at agent 101, whose phone nobody lifts."""
    stage.phone(A).ready = False
    await stage.sign_in(A)
    await stage.call_in("555")
    await stage.forget(A)
    return stage


async def test_the_phone_is_lifted_and_the_agent_talks(rings):
    rings.phone(A).lifts = True
    await rings.desk.lift_phone(A)
    assert await rings.names(A) == [
        "PhoneOffHook",
        "CallAutoAnswered",
        "CustomerAlerting",
        "CallTalking",
        "RecordingStarted",
    ]
    assert rings.hears() == {"555": {"1101"}, "1101": {"555"}}
    await refused(Code.NOTHING_TO_ANSWER, rings.desk.lift_phone(A))


async def test_a_phone_that_does_not_lift_by_itself_rings_on(rings):
    await refused(Code.NOT_SERVED, rings.desk.lift_phone(A))
    assert await rings.names(A) == []
    rings.phone(A).lift()
    await rings.quiet()
    assert rings.hears() == {"555": {"1101"}, "1101": {"555"}}


async def test_nothing_rings(stage):
    await stage.sign_in(A)
    await refused(Code.NOTHING_TO_ANSWER, stage.desk.lift_phone(A))
    await refused(Code.NO_CALL, stage.desk.ask(HangUpPhone(A)))


async def test_the_phone_of_a_call_out_is_lifted_and_put_down_again(stage):
    stage.phone(A).ready, stage.phone(A).lifts = False, True
    stage.lines.phone("0123", ready=True)
    await stage.sign_in(A)
    await stage.desk.call_out(CallOut(A, "0123"))
    await stage.quiet()
    await stage.desk.lift_phone(A)
    await stage.quiet()
    assert stage.hears() == {"0123": {"1101"}, "1101": {"0123"}}
    await stage.desk.ask(HangUpPhone(A))
    await stage.quiet()
    assert stage.hears() == {}
    assert stage.state(A) is AgentState.IDLE
    assert (await stage.names(A))[-5:] == [
        "PhoneReleased",
        "CallReleased",
        "CustomerReleased",
        "AgentReady",
        "RecordingDone",
    ]


async def test_a_call_that_rings_is_rejected_by_putting_the_phone_down(rings):
    await rings.sign_in(B)
    await rings.desk.ask(HangUpPhone(A))
    await rings.quiet()
    assert await rings.names(A) == ["PhoneReleased", "CallNotAnswered", "AgentSetBusy"]
    assert rings.hears() == {"555": {"1102"}, "1102": {"555"}}


async def test_a_supervision_ends_with_the_inspectors_phone_and_not_the_call(on_call):
    await on_call.desk.supervise(I, A, Mode.INSERT)
    await on_call.quiet()
    await on_call.desk.ask(HangUpPhone(I))
    await on_call.quiet()
    assert on_call.hears() == {"555": {"1101"}, "1101": {"555"}}
    assert on_call.state(I) is AgentState.IDLE


async def test_a_standing_phone_is_put_down_between_calls(standing):
    standing.lines.phones["555"].hang_up()
    await standing.quiet()
    assert standing.phone(A).up
    await standing.desk.ask(HangUpPhone(A))
    await standing.quiet()
    assert not standing.phone(A).up


async def test_putting_the_phone_down_leaves_a_conference_and_goes_on_with_a_transfer(on_call):
    await on_call.sign_in(B)
    await on_call.desk.call_out(Consult(A, B, joins=True))
    await on_call.quiet()
    await on_call.desk.ask(HangUpPhone(A))
    await on_call.quiet()
    assert on_call.hears() == {"555": {"1102"}, "1102": {"555"}}
    on_call.phone(A).ready = False
    await on_call.desk.ask(HandOver(B, A, How.ANSWERED))
    await on_call.desk.ask(HangUpPhone(B))
    await on_call.quiet()
    on_call.phone(A).lift()
    await on_call.quiet()
    assert on_call.hears() == {"555": {"1101"}, "1101": {"555"}}
