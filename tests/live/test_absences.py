"""A phone that cannot be reached: its chance to come back, and what becomes of caller and agent meanwhile."""

from __future__ import annotations

from dataclasses import replace

import pytest
from structlog.testing import capture_logs
from tests.live.conftest import SETTINGS, Stage

from sottovoce.config import AgentSettings
from sottovoce.domain.agents import AgentState, Trigger
from sottovoce.domain.directory import AgentId, VdnId
from sottovoce.domain.lines import PhoneSeen
from sottovoce.live.availability import ChangeState
from sottovoce.live.presence import SignOutAgent

A, ONE = AgentId(101), VdnId(1)


async def seen(stage: Stage, number: str = "1101") -> None:
    """A phone registers."""
    stage.lines.say(PhoneSeen(ONE, number))
    await stage.quiet()


def gone(stage: Stage, number: str = "1101"):
    """The phone is not there any more."""
    return stage.lines.phones.pop(number)


@pytest.fixture
async def away(stage):
    """Agent 101 is signed in, and the phone is not there; one call waits."""
    await stage.sign_in(101)
    gone(stage)
    await stage.call_in("555")
    return stage


async def test_the_caller_goes_to_the_next_agent_and_nobody_becomes_busy(stage):
    await stage.sign_in(101, 102)
    gone(stage)
    with capture_logs() as logs:
        await stage.call_in("555")
    assert stage.hears() == {"555": {"1102"}, "1102": {"555"}}
    assert stage.state(101) is AgentState.IDLE
    assert [line["event"] for line in logs if line["log_level"] == "warning"] == [
        "agent's phone cannot be reached"
    ]
    assert (await stage.names(101))[2:] == [
        *("AgentPreoccupied", "CallAssigned", "PhoneUnavailable", "PhoneReleased"),
        *("CallNotAnswered", "AgentReady"),
    ]


async def test_a_phone_that_registers_gets_the_waiting_call_at_once(away):
    assert away.hears() == {"555": {"♪"}}
    away.lines.phone("1101", ready=True)
    await away.later(5)
    assert away.hears() == {"555": {"♪"}}, "not tried before"
    await seen(away, "1102")
    assert away.hears() == {"555": {"♪"}}, "another phone"
    await seen(away)
    assert away.hears() == {"555": {"1101"}, "1101": {"555"}}
    await away.later(100)
    assert away.state(101) is AgentState.TALKING


async def test_a_phone_that_registers_elsewhere_is_tried_again(away):
    """At an edge, say: nothing tells that it is back."""
    away.lines.phone("1101", ready=True)
    await away.later(10)
    assert away.hears() == {"555": {"1101"}, "1101": {"555"}}


async def test_after_its_time_the_agent_is_busy_and_the_caller_waits(away):
    await away.forget(101)
    with capture_logs() as logs:
        for _ in range(6):
            assert away.state(101) is AgentState.IDLE
            await away.later(10)
    assert away.state(101) is AgentState.BUSY
    assert (await away.names(101))[-1] == "AgentSetBusy"
    assert (await away.desk.snapshot(A)).reason == 5
    assert away.hears() == {"555": {"♪"}}
    assert [line["event"] for line in logs if line["log_level"] == "warning"] == [
        "agent's phone cannot be had, agent is busy"
    ]
    await seen(away)
    assert away.state(101) is AgentState.BUSY, "until told otherwise"


async def test_who_came_back_untried_is_not_busy_and_who_fails_again_is(stage):
    await stage.sign_in(101, 102)
    gone(stage)
    await stage.call_in("555")
    await seen(stage)
    await stage.later(61)
    assert stage.state(101) is AgentState.IDLE
    stage.desk.sessions.heartbeat(A)
    await stage.call_in("556")
    await stage.later(30)
    await seen(stage)
    for _ in range(4):
        await stage.later(10)
    assert (await stage.desk.snapshot(A)).reason == 5


async def test_a_phone_that_says_nothing_when_rung_is_away_too(stage):
    await stage.sign_in(101, 102)
    stage.phone(101).dead = True
    await stage.call_in("555")
    await stage.later(20)
    assert stage.hears()["555"] == {"1102"}
    assert stage.state(101) is AgentState.IDLE


async def test_with_no_time_to_come_back_the_agent_is_busy_at_once(new_stage):
    stage = new_stage(
        replace(SETTINGS, agents=AgentSettings.model_validate({**dict(SETTINGS.agents), "phone_wait": 0}))
    )
    await stage.desk.open([ONE])
    await stage.sign_in(101)
    gone(stage)
    await stage.call_in("555")
    assert (await stage.desk.snapshot(A)).reason == 5
    await stage.desk.close()
    await stage.tasks.close()


async def test_a_rest_or_a_sign_out_meanwhile_stays_as_it_is(away):
    await away.desk.ask(ChangeState(A, Trigger.REST, seconds=600))
    await away.later(100)
    assert away.state(101) is AgentState.REST
    await away.desk.ask(SignOutAgent(A))
    await away.later(100)
    assert away.hears() == {"555": {"♪"}}
