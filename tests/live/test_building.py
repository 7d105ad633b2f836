"""Every event of lines and media reaches its floor and no other; dynamic Guids through the desk."""

from __future__ import annotations

from pathlib import Path

import pytest

from sottovoce.config import AgentSettings, AuthMode
from sottovoce.domain.agents import AgentState
from sottovoce.domain.directory import AgentId, VdnId
from sottovoce.domain.events import EchoWarned
from sottovoce.domain.journal import SessionSaved, kept_guid
from sottovoce.domain.legs import LegId
from sottovoce.domain.lines import LegAnswered
from sottovoce.domain.supervision import Mode
from sottovoce.errors import Refused
from sottovoce.live.guids import GRACE_S, RENEW_S
from sottovoce.live.state import LiveSettings
from sottovoce.media.engine import DigitPressed, EchoHeard, LegProven, LegsLost, LegTimedOut

A, I = AgentId(101), AgentId(300)  # noqa: E741


async def test_two_vdns_live_apart(stage):
    await stage.sign_in(101, 201)
    stage.lines.call_in(VdnId(1), stage.lines.phone("555"), "801")
    stage.lines.call_in(VdnId(2), stage.lines.phone("556"), "802")
    await stage.quiet()
    assert stage.hears() == {"555": {"1101"}, "1101": {"555"}, "556": {"1201"}, "1201": {"556"}}
    assert [one.caller for one in stage.desk.floor_view(VdnId(2)).calls] == ["556"]
    stage.engine.tell(LegsLost(frozenset({stage.lines.phones["556"].leg})))
    await stage.quiet()
    assert stage.hears() == {"555": {"1101"}, "1101": {"555"}}


async def test_a_number_of_another_vdn_is_not_found(stage):
    await stage.sign_in(101)
    customer = await stage.call_in("555", "802")
    assert customer.leg is None


async def test_a_call_for_a_vdn_that_is_not_here_is_hung_up(stage):
    customer = stage.lines.phone("555")
    stage.lines.call_in(VdnId(9), customer, "801")
    await stage.quiet()
    assert customer.leg is None


async def test_words_about_unknown_legs_change_nothing(stage):
    await stage.sign_in(101)
    for event in (
        LegTimedOut(LegId("x")),
        LegsLost(frozenset({LegId("x")})),
        LegProven(LegId("x")),
        DigitPressed(LegId("x"), "1"),
        EchoHeard(LegId("x"), LegId("y")),
    ):
        stage.engine.tell(event)
    stage.lines.say(LegAnswered(LegId("x")))
    await stage.quiet()
    assert stage.state(101) is AgentState.IDLE


async def test_the_inspector_is_warned_of_an_echo(stage):
    await stage.sign_in(101, 300)
    await stage.call_in("555")
    await stage.desk.supervise(I, A, Mode.WHISPER)
    await stage.forget(101, 300)
    stage.engine.tell(EchoHeard(stage.phone(101).leg, stage.phone(300).leg))
    assert await stage.events(300) == [EchoWarned(I, A, I)]
    assert await stage.events(101) == []


async def test_dynamic_guids(new_stage):
    stage = new_stage(LiveSettings(Path("/rec"), AgentSettings(auth_mode=AuthMode.DYNAMIC)))
    await stage.desk.open([VdnId(1)])
    await stage.sign_in(101)
    old = stage.guids[101]
    assert stage.desk.sessions.heartbeat(A) is None
    stage.clock.advance(RENEW_S + 1)
    new = stage.desk.sessions.heartbeat(A)
    assert new == stage.desk.sessions.fresh_guid(A)
    stage.desk.sessions.authenticate(A, old)
    stage.desk.sessions.authenticate(A, new)
    stage.desk.sessions.authenticate(A, old)
    await stage.quiet()
    latest = [c for c in stage.store.written if isinstance(c, SessionSaved)][-1]
    assert latest.guid == kept_guid(new)
    stage.clock.advance(GRACE_S + 1)
    with pytest.raises(Refused):
        stage.desk.sessions.authenticate(A, old)
    stage.desk.sessions.authenticate(A, await stage.desk.sessions.renew_guid(A))
    await stage.desk.close()
    await stage.tasks.close()


async def test_static_guids_change_on_demand_only(stage):
    await stage.sign_in(101)
    stage.clock.advance(110)
    assert stage.desk.sessions.heartbeat(A) is None
    new = await stage.desk.sessions.renew_guid(A)
    stage.desk.sessions.authenticate(A, stage.guids[101])
    stage.desk.sessions.authenticate(A, new)
