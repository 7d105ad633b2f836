"""Clients that fall silent, and sign-ins from elsewhere: no customer is cut off."""

from __future__ import annotations

import pytest
from tests.live.refusals import refused

from sottovoce.domain.agents import AgentState
from sottovoce.domain.directory import AgentId, VdnId
from sottovoce.domain.journal import AuditEntry, SessionEnded, SessionSaved
from sottovoce.domain.supervision import Mode
from sottovoce.errors import Code
from sottovoce.live.availability import ChooseSkills
from sottovoce.live.handling import Answer, CallOut, Hold
from sottovoce.live.presence import SignOutAgent
from sottovoce.live.supervising import Intercept
from sottovoce.live.views import SignIn

A, B, I, J = AgentId(101), AgentId(102), AgentId(300), AgentId(301)  # noqa: E741
TALK = {"555": {"1101"}, "1101": {"555"}}


async def silent(stage, *agents: int, seconds: float = 130):
    """Time passes in which the clients of these agents say nothing; all others do."""
    for _ in range(int(seconds // 10)):
        for seat in stage.desk.floor_view(VdnId(1)).agents:
            if seat.agent not in agents:
                stage.desk.sessions.heartbeat(seat.agent)
        await stage.later(10)


def ends(stage) -> list[tuple[int, str]]:
    return [
        (change.agent, change.reason) for change in stage.store.written if isinstance(change, SessionEnded)
    ]


async def test_a_talking_agent_whose_client_is_silent_leaves_when_the_call_ends(on_call):
    stage = on_call
    await silent(stage, A)
    assert stage.hears() == TALK
    assert stage.state(101) is AgentState.TALKING
    await stage.call_in("556")
    assert stage.hears() == TALK | {"556": {"♪"}}
    stage.lines.phones["555"].hang_up()
    await stage.quiet()
    assert stage.hears() == {"556": {"♪"}}, "no new call"
    assert ends(stage) == [(A, "no sign of life")]
    await refused(Code.NOT_SIGNED_IN, stage.desk.ask(SignOutAgent(A)))


async def test_a_held_call_is_not_cut_off_either(on_call):
    stage = on_call
    await stage.desk.ask(Hold(A))
    await silent(stage, A)
    assert stage.hears() == {"555": {"♪"}, "1101": set()}
    stage.phone(101).hang_up()
    await stage.quiet()
    assert ends(stage) == [(A, "no sign of life")]


async def test_a_client_that_polls_again_stays_signed_in(on_call):
    stage = on_call
    await silent(stage, A)
    stage.desk.sessions.heartbeat(A)
    stage.lines.phones["555"].hang_up()
    await stage.quiet()
    await silent(stage, A, seconds=100)
    assert stage.state(101) is AgentState.IDLE
    assert ends(stage) == []
    await silent(stage, A, seconds=30)
    assert ends(stage) == [(A, "no sign of life")], "its clock began anew"


async def test_the_inspector_hears_to_the_end_and_the_supervision_ends_with_the_agent(on_call):
    stage = on_call
    await stage.desk.supervise(I, A, Mode.WHISPER)
    await stage.quiet()
    whispering = stage.hears()
    await silent(stage, A)
    assert stage.hears() == whispering
    await stage.forget(300)
    stage.lines.phones["555"].hang_up()
    await stage.quiet()
    assert (await stage.names(300))[-2:] == ["PhoneReleased", "AgentReady"]
    assert stage.hears() == {}
    assert stage.state(300) is AgentState.IDLE
    stops = [
        change.detail["reason"]
        for change in stage.store.written
        if isinstance(change, AuditEntry) and change.action == "supervise.stop"
    ]
    assert stops == ["agent 101: no sign of life"]
    await refused(Code.NOT_SUPERVISED, stage.desk.stop(I, A))


async def test_an_intercept_takes_the_call_from_a_silent_agent_who_leaves_then(on_call):
    stage = on_call
    await stage.desk.supervise(I, A, Mode.LISTEN)
    await silent(stage, A)
    await stage.desk.ask(Intercept(I, A))
    await stage.quiet()
    assert stage.hears() == {"555": {"1300"}, "1300": {"555"}}
    assert ends(stage) == [(A, "no sign of life")]


async def test_an_inspector_who_took_the_call_over_and_falls_silent_keeps_it(on_call):
    stage = on_call
    await stage.desk.supervise(I, A, Mode.LISTEN)
    await stage.desk.ask(Intercept(I, A))
    await silent(stage, I)
    assert stage.hears() == {"555": {"1300"}, "1300": {"555"}}
    stage.lines.phones["555"].hang_up()
    await stage.quiet()
    assert ends(stage) == [(I, "no sign of life")]


async def test_a_silent_inspector_is_taken_out_and_signed_out_and_the_call_goes_on(on_call):
    stage = on_call
    await stage.desk.supervise(I, A, Mode.WHISPER)
    await silent(stage, I)
    assert stage.hears() == TALK
    assert ends(stage) == [(I, "no sign of life")]


@pytest.mark.parametrize("lifted", [True, False])
async def test_what_only_rings_at_a_silent_agent_goes_to_the_next(stage, lifted):
    stage.phone(101).ready = lifted
    await stage.sign_in(101, auto_answer=False)
    await silent(stage, A, seconds=110)
    await stage.call_in("555")
    await stage.sign_in(102)
    await stage.later(11)
    assert stage.hears() == {"555": {"1102"}, "1102": {"555"}}
    assert ends(stage) == [(A, "no sign of life")]


@pytest.mark.parametrize("lifted", [True, False])
async def test_who_signs_out_by_force_gives_back_what_only_rings(stage, lifted):
    stage.phone(101).ready = lifted
    await stage.sign_in(101, auto_answer=False)
    await stage.call_in("555")
    await stage.desk.ask(SignOutAgent(A, force=True))
    await stage.quiet()
    assert stage.hears() == {"555": {"♪"}}
    await stage.sign_in(102)
    assert stage.hears() == {"555": {"1102"}, "1102": {"555"}}


async def test_a_call_out_that_rings_is_waited_for_and_talks(stage):
    await stage.sign_in(101)
    await silent(stage, A, seconds=110)
    stage.lines.phone("0123")
    await stage.desk.call_out(CallOut(A, "0123"))
    await stage.quiet()
    await stage.later(11)
    assert ends(stage) == []
    stage.lines.phones["0123"].lift()
    await stage.quiet()
    assert stage.hears() == {"0123": {"1101"}, "1101": {"0123"}}
    stage.lines.phones["0123"].hang_up()
    await stage.quiet()
    assert ends(stage) == [(A, "no sign of life")]


async def test_a_forced_sign_in_at_another_phone_takes_the_call_along(on_call):
    stage = on_call
    await stage.desk.supervise(I, A, Mode.WHISPER)
    await stage.quiet()
    whispering = stage.hears()
    await stage.desk.sessions.sign_in(A, SignIn("secret", "1104"), force=True)
    await stage.quiet()
    assert stage.hears() == whispering
    assert await stage.names(101) == ["InService", "AgentPreoccupied", "PhoneOffHook", "CallTalking"]
    saved = [change for change in stage.store.written if isinstance(change, SessionSaved)][-1]
    assert (saved.phone, saved.skills != ()) == ("1104", True)
    stage.lines.phones["555"].hang_up()
    await stage.quiet()
    assert stage.phone(101).leg is None
    stage.lines.phone("1104", ready=True)
    await stage.desk.stop(I, A)
    await stage.call_in("556")
    assert stage.hears() == {"556": {"1104"}, "1104": {"556"}}


async def test_a_former_phone_that_would_stand_is_put_down_when_the_call_ends(standing):
    stage = standing
    await stage.desk.sessions.sign_in(A, SignIn("secret", "1104", release_phone=False), force=True)
    await refused(Code.PHONE_NOT_ALLOWED, stage.desk.sessions.sign_in(B, SignIn("secret", "1101")))
    stage.lines.phones["555"].hang_up()
    await stage.quiet()
    assert stage.phone(101).leg is None
    await stage.desk.sessions.sign_in(B, SignIn("secret", "1101"))


async def test_what_rings_at_the_former_phone_rings_at_the_new_one(stage):
    stage.phone(101).ready = False
    await stage.sign_in(101)
    await stage.call_in("555")
    stage.lines.phone("1104", ready=True)
    await stage.desk.sessions.sign_in(A, SignIn("secret", "1104"), force=True)
    await stage.quiet()
    assert stage.hears()["555"] == {"♪"}, "a new session has no queues yet"
    await stage.desk.ask(ChooseSkills(A, every=True))
    await stage.quiet()
    assert stage.hears() == {"555": {"1104"}, "1104": {"555"}}


async def test_who_waits_to_be_signed_out_signs_in_again_without_force(on_call):
    stage = on_call
    await refused(Code.ALREADY_SIGNED_IN, stage.desk.sessions.sign_in(A, SignIn("secret", "")))
    await silent(stage, A)
    await stage.desk.sessions.sign_in(A, SignIn("secret", ""))
    assert stage.hears() == TALK
    stage.lines.phones["555"].hang_up()
    await stage.quiet()
    assert stage.state(101) is AgentState.IDLE
    assert ends(stage) == []


async def test_a_lifted_phone_that_waits_for_answer_is_no_talk(stage):
    await stage.sign_in(101, auto_answer=False)
    await stage.call_in("555")
    await stage.desk.ask(Answer(A))
    await silent(stage, A)
    assert stage.hears() == TALK


async def test_a_sign_in_from_another_phone_outlives_a_restart(stage):
    await stage.sign_in(101)
    await stage.desk.sessions.sign_in(A, SignIn("secret", "1103"), force=True)
    await stage.quiet()
    changes = [one for one in stage.store.written if isinstance(one, SessionSaved | SessionEnded)]
    assert ends(stage) == [(A, "signed in elsewhere")]
    assert isinstance(changes[-1], SessionSaved), "else the end of the former session would be the last word"
    assert changes[-1].phone == "1103"
