"""Intercepts: one table takes the customer over, the others stay with the agent."""

from __future__ import annotations

import pytest
from tests.live.refusals import refused

from sottovoce.domain.directory import AgentId
from sottovoce.domain.journal import SegmentEnded
from sottovoce.domain.supervision import Mode
from sottovoce.errors import Code
from sottovoce.live.handling import Hold, Release
from sottovoce.live.supervising import Intercept

A, I, J = AgentId(101), AgentId(300), AgentId(301)  # noqa: E741


def _leg(stage, number):
    return next(leg for leg, phone in stage.lines.legs.items() if phone.number == number)


def _names(stage, legs):
    return {stage.lines.legs[leg].number for leg in legs or () if leg in stage.lines.legs}


async def test_an_intercept_leaves_the_others_with_the_agent(standing):
    stage = standing
    await stage.desk.supervise(I, A, Mode.LISTEN)
    await stage.desk.supervise(J, A, Mode.INSERT)
    await stage.desk.ask(Intercept(I, A))
    await stage.quiet()
    assert stage.hears() == {
        "555": {"1300"},
        "1300": {"555"},
        "1101": set(),
        "1301": set(),
    }
    await stage.call_in("556")
    assert stage.hears()["1301"] == {"556", "1101"}
    assert stage.hears()["556"] == {"1101"}


@pytest.mark.parametrize("mode", Mode)
async def test_an_intercept_leaves_the_customer_alone_in_no_table(standing, mode):
    stage = standing
    await stage.desk.supervise(I, A, mode)
    await stage.desk.supervise(J, A, Mode.WHISPER)
    await stage.quiet()
    customer, before = _leg(stage, "555"), len(stage.engine.tables)
    await stage.desk.ask(Intercept(I, A))
    await stage.quiet()
    [table] = stage.engine.tables[before:]
    assert _names(stage, table.hears[customer]) == {"1300"}
    assert _names(stage, table.inspectors) == {"1301"}
    assert stage.hears() == {"555": {"1300"}, "1300": {"555"}, "1101": {"1301"}, "1301": set()}


async def test_an_intercept_of_a_held_call_takes_it_back(on_call):
    stage = on_call
    await stage.desk.supervise(I, A, Mode.LISTEN)
    await stage.desk.ask(Hold(A))
    await stage.quiet()
    await stage.desk.ask(Intercept(I, A))
    await stage.quiet()
    assert stage.hears() == {"555": {"1300"}, "1300": {"555"}}


async def test_an_intercept_begins_a_new_recording(on_call):
    stage = on_call
    call = stage.desk.call_ids(A)[0]
    await stage.desk.supervise(I, A, Mode.LISTEN)
    await stage.forget(101, 300)
    await stage.desk.ask(Intercept(I, A, call))
    assert await stage.names(300) == ["CallTalking", "RecordingStarted"]
    assert await stage.names(101) == [
        "AgentReady",
        "PhoneReleased",
        "CallReleased",
        "CustomerReleased",
        "SupervisionEnded",
        "RecordingDone",
    ]
    await stage.desk.ask(Release(I))
    await stage.quiet()
    segments = [c for c in stage.store.appended if isinstance(c, SegmentEnded)]
    assert [segment.agent for segment in segments] == [A, I]
    assert [segment.recording for segment in segments] == [
        f"1/2026/01/01/{call}-101-1.wav",
        f"1/2026/01/01/{call}-300-2.wav",
    ]


async def test_intercept_needs_a_talking_call_of_that_id(standing):
    stage = standing
    await stage.desk.supervise(I, A, Mode.LISTEN)
    await refused(Code.NO_CALL, stage.desk.ask(Intercept(I, A, "1-1")))
    await refused(Code.NOT_SUPERVISED, stage.desk.ask(Intercept(J, A)))
    stage.lines.phones["555"].hang_up()
    await stage.quiet()
    await refused(Code.NO_CALL, stage.desk.ask(Intercept(I, A)))
