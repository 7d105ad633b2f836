"""Sign-in and sign-out, states, rights, what a crash leaves."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest
from structlog.testing import capture_logs
from tests.contract.sockets import until
from tests.live.refusals import refused

from sottovoce.config import AgentSettings
from sottovoce.domain import events
from sottovoce.domain.agents import AgentState, BusyReason, Trigger
from sottovoce.domain.directory import NO_PASSWORD, AgentId, Right, SkillId, VdnId
from sottovoce.domain.journal import (
    AuditEntry,
    ContactEnded,
    DialogEnded,
    Restored,
    SessionEnded,
    SessionSaved,
    SignedInFrom,
    kept_guid,
)
from sottovoce.domain.legs import LegId
from sottovoce.domain.supervision import Mode
from sottovoce.errors import Code, Refused
from sottovoce.live.availability import AdjustSkills, ChangeState, ChooseSkills, ForceState, SetHabit
from sottovoce.live.consulting import CallInner
from sottovoce.live.handling import CallOut, Release
from sottovoce.live.presence import BindPhone, ForceSignOut, SignOutAgent
from sottovoce.live.state import LiveSettings
from sottovoce.live.supervising import ChangeMode, DropCall, Intercept
from sottovoce.live.views import SignIn

A, B, I, J = AgentId(101), AgentId(102), AgentId(300), AgentId(301)  # noqa: E741
FOREIGN, UNKNOWN = AgentId(201), AgentId(999)


@pytest.mark.parametrize(
    ("status", "names"),
    [
        (AgentState.IDLE, ["InService", "AgentReady"]),
        (AgentState.BUSY, ["InService", "AgentReady", "AgentSetBusy"]),
        (AgentState.WRAP_UP, ["InService", "AgentReady", "AgentWorking"]),
    ],
)
async def test_sign_in_begins_as_asked(stage, status, names):
    await stage.sign_in(101, status=status)
    assert await stage.names(101) == names
    assert stage.state(101) is status


@pytest.mark.parametrize(
    ("agent", "wish", "code"),
    [
        (A, SignIn("wrong", ""), Code.WRONG_CREDENTIALS),
        (UNKNOWN, SignIn("secret", ""), Code.WRONG_CREDENTIALS),
        (A, SignIn("secret", "nonsense"), Code.BAD_PHONE),
        (A, SignIn("secret", "12345"), Code.PHONE_NOT_ALLOWED),
        (A, SignIn("secret", "1201"), Code.PHONE_NOT_ALLOWED),
        (A, SignIn("secret", "1102"), Code.PHONE_NOT_ALLOWED),
        (A, SignIn("secret", "", status=AgentState.TALKING), Code.BAD_SIGN_IN),
        (B, SignIn("secret", ""), Code.ALREADY_SIGNED_IN),
    ],
)
async def test_who_may_not_sign_in(stage, agent, wish, code):
    await stage.sign_in(102)
    await refused(code, stage.desk.sessions.sign_in(agent, wish))


def wish(password: str, source: str, phone: str = "") -> SignIn:
    return SignIn(password, phone, source=source)


async def test_too_many_wrong_passwords_close_the_agent_where_they_came_from(stage):
    for agent in (A, UNKNOWN):
        for _ in range(5):
            await refused(Code.WRONG_CREDENTIALS, stage.desk.sessions.sign_in(agent, wish("wrong", "bad")))
        for password in ("wrong", "secret"):
            await refused(Code.ACCOUNT_LOCKED, stage.desk.sessions.sign_in(agent, wish(password, "bad")))
    await stage.desk.sessions.sign_in(A, wish("secret", "desk"))
    stage.clock.advance(60)
    await stage.desk.sessions.sign_in(A, wish("secret", "bad"), force=True)


async def test_where_an_agent_signed_in_before_it_does_so_whatever_others_tried(stage):
    await stage.desk.sessions.sign_in(A, wish("secret", "desk"))
    await stage.desk.ask(SignOutAgent(A, force=True))
    for number in range(50):
        for _ in range(2):
            with pytest.raises(Refused):
                await stage.desk.sessions.sign_in(A, wish("wrong", f"bot{number}"))
    await refused(Code.ACCOUNT_LOCKED, stage.desk.sessions.sign_in(A, wish("secret", "elsewhere")))
    for _ in range(11):
        await refused(Code.WRONG_CREDENTIALS, stage.desk.sessions.sign_in(A, wish("wrong", "desk")))
    await stage.desk.sessions.sign_in(A, wish("secret", "desk"))


async def test_where_an_agent_signed_in_is_known_after_a_restart(stage):
    await stage.desk.sessions.sign_in(A, wish("secret", "desk", "1101"))
    told = [change for change in stage.store.committed if isinstance(change, SignedInFrom)]
    assert told == [SignedInFrom(A, VdnId(1), "desk", stage.clock.now(), "1101")]
    stage.store.restored[VdnId(1)] = Restored(sources=told)
    again = stage.new_desk()
    await again.open([VdnId(1)])
    for _ in range(50):
        for source in ("bot1", "bot2", "bot3", "bot4", "bot5", "bot6", "bot7", "bot8"):
            with pytest.raises(Refused):
                await again.sessions.sign_in(A, wish("wrong", source))
    await refused(Code.ACCOUNT_LOCKED, again.sessions.sign_in(A, wish("secret", "elsewhere")))
    for _ in range(30):
        with pytest.raises(Refused):
            await again.sessions.sign_in(A, wish("wrong", "desk"))
    await refused(Code.ACCOUNT_LOCKED, again.sessions.sign_in(A, wish("secret", "desk", "1102")))
    await again.sessions.sign_in(A, wish("secret", "desk", "1101"))
    await again.close()


async def test_who_is_refused_is_told_by_source(stage):
    with capture_logs() as logs:
        for _ in range(7):
            with pytest.raises(Refused):
                await stage.desk.sessions.sign_in(A, wish("wrong", "bad"))
    told = [(line["source"], line["per"]) for line in logs if line["event"] == "sign-ins refused"]
    assert told == [("bad", "bad")] * 2, "the log counts those of a source"


@pytest.mark.parametrize(
    ("lets", "password", "may"), [(True, "", True), (True, "x", False), (False, "", False)]
)
async def test_an_agent_without_a_password_where_that_may_be(new_stage, lets, password, may):
    stage = new_stage(LiveSettings(Path("/rec"), AgentSettings(empty_passwords=lets)))
    profile = stage.store.profiles[1]
    agents = {**profile.agents, A: replace(profile.agents[A], password_hash=NO_PASSWORD)}
    stage.store.profiles[1] = replace(profile, agents=agents)
    await stage.desk.open([VdnId(1)])
    asked = stage.desk.sessions.sign_in(A, SignIn(password, ""))
    await (asked if may else refused(Code.WRONG_CREDENTIALS, asked))
    await refused(Code.WRONG_CREDENTIALS, stage.desk.sessions.sign_in(B, SignIn("", "")))
    await stage.desk.close()


async def test_one_sign_in_at_a_time(stage):
    gate = asyncio.Event()
    commit = stage.store.commit

    async def slow(vdn, changes):
        await gate.wait()
        await commit(vdn, changes)

    stage.store.commit = slow
    first = asyncio.ensure_future(stage.desk.sessions.sign_in(A, SignIn("secret", "")))
    await until(lambda: A in stage.desk.sessions._signing)
    await refused(Code.WRONG_CREDENTIALS, stage.desk.sessions.sign_in(A, SignIn("wrong", "")))
    await refused(Code.SIGN_IN_RUNNING, stage.desk.sessions.sign_in(A, SignIn("secret", ""), force=True))
    gate.set()
    await first


async def test_sign_in_is_committed_before_it_takes_effect(stage):
    stage.store.available = False
    await refused(Code.UNAVAILABLE, stage.desk.sessions.sign_in(A, SignIn("secret", "")))
    with pytest.raises(Refused):
        stage.desk.status(A)
    stage.store.available = True
    await stage.sign_in(101)
    saved, entry = stage.store.committed
    assert isinstance(saved, SessionSaved)
    assert isinstance(entry, AuditEntry)
    assert saved.guid == kept_guid(stage.guids[101])


async def test_a_forced_sign_in_takes_over_with_the_call(stage):
    await stage.sign_in(101)
    await stage.call_in("555")
    old = stage.guids[101]
    poll = asyncio.ensure_future(_polls_until_none(stage, A))
    await asyncio.sleep(0)
    signed = await stage.desk.sessions.sign_in(A, SignIn("secret", ""), force=True)
    assert await poll is None
    with pytest.raises(Refused):
        stage.desk.sessions.authenticate(A, old)
    stage.desk.sessions.authenticate(A, signed.guid)
    assert await stage.names(101) == ["InService", "AgentPreoccupied", "PhoneOffHook", "CallTalking"]
    assert stage.hears() == {"555": {"1101"}, "1101": {"555"}}
    assert stage.state(101) is AgentState.TALKING


async def _polls_until_none(stage, agent):
    while (queued := await stage.desk.next_event(agent, 5)) is not None:
        stage.desk.feed.delivered(agent, queued.id)
    return queued


async def test_a_forced_sign_in_at_another_phone_ends_the_old_session(stage):
    await stage.sign_in(101, release_phone=False)
    await stage.call_in("555")
    stage.lines.phones["555"].hang_up()
    await stage.quiet()
    assert stage.phone(101).up
    await stage.desk.sessions.sign_in(A, SignIn("secret", "1104"), force=True)
    await stage.quiet()
    assert stage.hears() == {}
    assert stage.state(101) is AgentState.IDLE
    assert (await stage.names(101))[:2] == ["InService", "AgentReady"]


async def test_sign_out_waits_for_the_call_unless_forced(stage):
    await stage.sign_in(101)
    await stage.call_in("555")
    await refused(Code.AGENT_BUSY_IN_CALL, stage.desk.ask(SignOutAgent(A)))
    await stage.desk.ask(SignOutAgent(A, force=True, reason="reason 7"))
    await stage.quiet()
    assert stage.hears() == {}
    await refused(Code.NOT_SIGNED_IN, stage.desk.ask(SignOutAgent(A)))
    with pytest.raises(Refused):
        stage.desk.sessions.authenticate(A, stage.guids[101])
    ended = [change for change in stage.store.written if isinstance(change, SessionEnded)]
    assert [(one.agent, one.reason) for one in ended] == [(A, "reason 7")]


async def test_sign_out_ends_a_hanging_poll(stage):
    await stage.sign_in(101)
    await stage.forget(101)
    poll = asyncio.ensure_future(stage.desk.next_event(A, 600))
    await asyncio.sleep(0)
    await stage.desk.ask(SignOutAgent(A))
    await stage.quiet()
    assert poll.done()
    assert poll.result() is None


async def test_a_rest_ends_with_the_session_and_reminds_nobody_of_the_next(stage):
    await stage.sign_in(101)
    await stage.desk.ask(ChangeState(A, Trigger.REST, seconds=60, reason=5))
    await stage.desk.ask(SignOutAgent(A))
    await stage.sign_in(101)
    await stage.forget(101)
    await stage.later(61)
    assert await stage.events(101) == []


async def test_who_signs_out_gets_no_call_from_the_queue_on_the_way(stage):
    await stage.sign_in(101)
    await stage.call_in("555")
    await stage.call_in("556")
    await stage.desk.ask(SignOutAgent(A, force=True))
    await stage.quiet()
    assert stage.hears() == {"556": {"♪"}}
    assert len(stage.engine.opened) == 3


async def test_two_minutes_without_poll_or_handshake_sign_out(stage):
    await stage.sign_in(101, 102, 103)
    await stage.forget(101, 102, 103)
    await stage.later(100)
    stage.desk.sessions.heartbeat(A)
    assert await stage.desk.next_event(B, 0) is None
    stage.desk.sessions.authenticate(AgentId(103), stage.guids[103])
    await stage.later(21)
    with pytest.raises(Refused):
        stage.desk.status(AgentId(103))
    assert stage.state(101) is stage.state(102) is AgentState.IDLE


async def test_inspectors_who_asked_are_told_of_sign_ins(stage):
    await stage.sign_in(300, listen_status=True)
    await stage.sign_in(301)
    await stage.sign_in(102, listen_status=True)
    await stage.forget(300, 301, 102)
    await stage.sign_in(101)
    await stage.desk.ask(SignOutAgent(A))
    assert await stage.events(300) == [
        events.PresenceChanged(I, A, "Agent 101", True),
        events.PresenceChanged(I, A, "Agent 101", False),
    ]
    assert await stage.names(301) == await stage.names(102) == []


async def test_without_a_phone_no_call_comes_or_goes_until_one_is_bound(stage):
    await stage.sign_in(102)
    await stage.desk.ask(ChangeState(B, Trigger.SAY_BUSY))
    await stage.desk.sessions.sign_in(A, SignIn("secret", "", phoneless=True))
    await stage.desk.ask(ChooseSkills(A, every=True))
    await stage.call_in("555")
    assert stage.hears() == {"555": {"\u266a"}}
    assert stage.desk.agent(A, A).phone == ""
    await refused(Code.WRONG_AGENT_STATE, stage.desk.call_out(CallOut(A, "556")))
    await refused(Code.WRONG_AGENT_STATE, stage.desk.call_out(CallInner(B, A)))
    for number, code in (
        ("", Code.BAD_PHONE),
        ("x", Code.BAD_PHONE),
        ("1102", Code.PHONE_NOT_ALLOWED),
        ("1201", Code.PHONE_NOT_ALLOWED),
        ("12345", Code.PHONE_NOT_ALLOWED),
    ):
        await refused(code, stage.desk.ask(BindPhone(A, number)))
    await stage.desk.ask(BindPhone(A, "1101"))
    await stage.quiet()
    assert stage.hears() == {"555": {"1101"}, "1101": {"555"}}
    await refused(Code.WRONG_AGENT_STATE, stage.desk.ask(BindPhone(A, "1103")))
    await stage.desk.ask(Release(A))
    await stage.desk.ask(BindPhone(A, "1103"))
    await stage.call_in("557")
    assert stage.hears() == {"557": {"1103"}, "1103": {"557"}}


async def test_inspectors_need_a_phone_to_begin(stage):
    await stage.sign_in(101)
    await stage.desk.sessions.sign_in(I, SignIn("secret", "", phoneless=True))
    await refused(Code.WRONG_AGENT_STATE, stage.desk.supervise(I, A, Mode.LISTEN))
    await stage.desk.sessions.sign_in(J, SignIn("secret", "", phoneless=True))


async def test_where_a_phone_is_optional_the_configured_one_counts(stage):
    await stage.desk.sessions.sign_in(A, SignIn("secret", "", phone_optional=True))
    assert stage.desk.agent(A, A).phone == "1101"
    profile = stage.store.profiles[VdnId(1)]
    agents = {**profile.agents, B: replace(profile.agents[B], phone=None)}
    stage.store.profiles[VdnId(1)] = replace(profile, agents=agents)
    await stage.desk.reload(VdnId(1))
    await refused(Code.BAD_PHONE, stage.desk.sessions.sign_in(B, SignIn("secret", "")))
    await stage.desk.sessions.sign_in(B, SignIn("secret", "", phone_optional=True))
    assert stage.desk.agent(B, B).phone == ""
    await refused(
        Code.PHONE_NOT_ALLOWED, stage.desk.sessions.sign_in(B, SignIn("secret", "12345", phone_optional=True))
    )


async def test_a_call_goes_on_at_the_phone_that_a_forced_sign_in_gave_up(stage):
    await stage.sign_in(101)
    await stage.call_in("555")
    await stage.desk.sessions.sign_in(A, SignIn("secret", "", phoneless=True), force=True)
    await stage.quiet()
    assert stage.hears() == {"555": {"1101"}, "1101": {"555"}}
    await stage.desk.ask(Release(A))
    await stage.quiet()
    assert stage.hears() == {}
    assert stage.desk.agent(A, A).phone == ""


# States


async def test_busy_and_back(stage):
    await stage.sign_in(101)
    await stage.forget(101)
    await refused(Code.WRONG_AGENT_STATE, stage.desk.ask(ChangeState(A, Trigger.CANCEL_BUSY)))
    await refused(Code.BAD_PARAMETER, stage.desk.ask(ChangeState(A, Trigger.SAY_BUSY, 7)))
    await stage.desk.ask(ChangeState(A, Trigger.SAY_BUSY, 203))
    await refused(Code.WRONG_AGENT_STATE, stage.desk.ask(ChangeState(A, Trigger.SAY_BUSY, 204)))
    await stage.desk.ask(ChangeState(A, Trigger.SAY_BUSY, 204, prolong=True))
    await stage.desk.ask(ChangeState(A, Trigger.CANCEL_BUSY))
    await stage.desk.ask(ChangeState(A, Trigger.SAY_BUSY))
    await stage.desk.ask(ChangeState(A, Trigger.SAY_IDLE))
    assert await stage.events(101) == [
        events.AgentSetBusy(A, 203),
        events.AgentSetBusy(A, 204),
        events.AgentBusyCancelled(A),
        events.AgentSetBusy(A, 1),
        events.AgentReady(A),
    ]


async def test_rest_and_its_reminder(stage):
    await stage.sign_in(101)
    await stage.forget(101)
    for seconds, cause in ((0, 0), (86400, 0), (60, 256), (60, -1)):
        await refused(
            Code.BAD_PARAMETER, stage.desk.ask(ChangeState(A, Trigger.REST, seconds=seconds, reason=cause))
        )
    await stage.desk.ask(ChangeState(A, Trigger.REST, seconds=60, reason=5))
    await refused(Code.WRONG_AGENT_STATE, stage.desk.ask(ChangeState(A, Trigger.REST, seconds=60, reason=5)))
    await stage.later(61)
    assert stage.state(101) is AgentState.REST
    await stage.desk.ask(ChangeState(A, Trigger.REST, seconds=30, reason=6, prolong=True))
    await stage.desk.ask(ChangeState(A, Trigger.CANCEL_REST))
    await stage.later(31)
    assert await stage.events(101) == [
        events.AgentSetRest(A, 5, 60),
        events.RestTimedOut(A),
        events.AgentSetRest(A, 6, 30),
        events.AgentRestCancelled(A),
    ]


async def test_a_rest_prolonged_by_the_same_time_is_reminded_of_anew(stage):
    await stage.sign_in(101)
    await stage.desk.ask(ChangeState(A, Trigger.REST, seconds=60, reason=5))
    await stage.later(50)
    await stage.desk.ask(ChangeState(A, Trigger.REST, seconds=60, reason=5, prolong=True))
    await stage.forget(101)
    await stage.later(50)
    assert await stage.events(101) == []
    await stage.later(11)
    assert await stage.events(101) == [events.RestTimedOut(A)]


async def test_work_and_back(stage):
    await stage.sign_in(101)
    await stage.forget(101)
    await stage.desk.ask(ChangeState(A, Trigger.WORK))
    assert stage.state(101) is AgentState.WRAP_UP
    await stage.desk.ask(ChangeState(A, Trigger.CANCEL_WORK))
    assert await stage.names(101) == ["AgentSetWork", "AgentWorkCancelled"]
    await refused(Code.WRONG_AGENT_STATE, stage.desk.ask(ChangeState(A, Trigger.CANCEL_WORK)))


async def test_a_wish_during_the_call_is_pending_and_told_after_it(stage):
    await stage.sign_in(101)
    await stage.call_in("555")
    await stage.forget(101)
    await stage.desk.ask(ChangeState(A, Trigger.REST, seconds=60, reason=3))
    assert await stage.names(101) == []
    assert stage.desk.status(A).pending is AgentState.REST
    await stage.desk.ask(Release(A))
    assert (await stage.names(101))[:4] == [
        "CallReleased",
        "CustomerReleased",
        "PhoneReleased",
        "AgentSetRest",
    ]
    assert stage.state(101) is AgentState.REST


async def test_busy_and_resting_agents_get_no_calls(stage):
    await stage.sign_in(101)
    await stage.desk.ask(ChangeState(A, Trigger.SAY_BUSY))
    await stage.call_in("555")
    assert stage.hears() == {"555": {"♪"}}
    await stage.desk.ask(ChangeState(A, Trigger.CANCEL_BUSY))
    await stage.quiet()
    assert stage.hears() == {"555": {"1101"}, "1101": {"555"}}


async def test_forced_states(stage):
    await stage.sign_in(101, 300)
    await stage.forget(101)
    await stage.desk.ask(ForceState(I, A, Trigger.FORCE_BUSY))
    await stage.desk.ask(ForceState(I, A, Trigger.FORCE_REST, seconds=60, cause=9))
    await stage.desk.ask(ForceState(I, A, Trigger.FORCE_IDLE))
    assert await stage.events(101) == [
        events.AgentSetBusy(A, 3),
        events.AgentSetRest(A, 9, 60),
        events.AgentReady(A),
    ]
    actions = [c.action for c in stage.store.committed if isinstance(c, AuditEntry)]
    assert actions[-3:] == ["force.busy", "force.rest", "force.idle"]
    for seconds, cause in ((0, 9), (86400, 9), (60, 256), (60, -1)):
        asked = ForceState(I, A, Trigger.FORCE_REST, cause, seconds)
        await refused(Code.BAD_PARAMETER, stage.desk.ask(asked))


async def test_forced_during_a_call_is_pending(stage):
    await stage.sign_in(101, 300)
    await stage.call_in("555")
    await stage.desk.ask(ForceState(I, A, Trigger.FORCE_BUSY))
    assert stage.state(101) is AgentState.TALKING
    assert stage.desk.status(A).pending is AgentState.BUSY
    await stage.desk.ask(ForceState(I, A, Trigger.FORCE_IDLE))
    assert stage.desk.status(A).pending is None


async def test_who_is_thrown_out_is_told(stage):
    await stage.sign_in(101, 300)
    await stage.forget(101)
    poll = asyncio.ensure_future(stage.desk.next_event(A, 5))
    await asyncio.sleep(0)
    await stage.desk.ask(ForceSignOut(I, A))
    told = await poll
    assert type(told.event) is events.ServiceShutdown
    with pytest.raises(Refused):
        stage.desk.status(A)


async def test_what_a_forced_sign_in_took_over_is_on_record(stage):
    await stage.sign_in(101)
    await stage.desk.sessions.sign_in(A, SignIn("secret", "", status=AgentState.BUSY), force=True)
    await stage.quiet()
    kept = [change for change in stage.store.written if isinstance(change, SessionSaved)][-1]
    assert (kept.skills, kept.settings["state"]) == ((1, 2), "busy")


async def test_adjusted_skills(stage):
    await stage.sign_in(101, 300)
    await stage.desk.ask(AdjustSkills(I, A, (SkillId(2), SkillId(2))))
    assert [skill.skill for skill in stage.desk.agent(A, A).skills] == [2]
    await refused(Code.BAD_PARAMETER, stage.desk.ask(AdjustSkills(I, A, (SkillId(9),))))
    await stage.desk.ask(AdjustSkills(I, A, ()))
    assert stage.desk.agent(A, A).skills == ()


def inspector_commands(desk, inspector, target):
    yield desk.supervise(inspector, target, Mode.LISTEN)
    yield desk.ask(ForceState(inspector, target, Trigger.FORCE_BUSY))
    yield desk.ask(ForceState(inspector, target, Trigger.FORCE_IDLE))
    yield desk.ask(ForceState(inspector, target, Trigger.FORCE_REST, seconds=60, cause=1))
    yield desk.ask(ForceSignOut(inspector, target))
    yield desk.ask(AdjustSkills(inspector, target, ()))


@pytest.mark.parametrize(
    ("inspector", "target", "code"),
    [
        (B, A, Code.NO_RIGHT),
        (I, I, Code.TARGET_IS_SELF),
        (I, UNKNOWN, Code.TARGET_UNKNOWN),
        (I, FOREIGN, Code.TARGET_UNKNOWN),
        (I, AgentId(103), Code.TARGET_NOT_SIGNED_IN),
        (I, J, Code.NO_RIGHT),
        (AgentId(302), A, Code.NOT_SIGNED_IN),
        (UNKNOWN, A, Code.NOT_SIGNED_IN),
    ],
)
async def test_rights_and_the_vdns_boundary(stage, inspector, target, code):
    await stage.sign_in(101, 102, 300, 301, 201)
    await stage.forget(101)
    written = len(stage.store.written)
    for asked in inspector_commands(stage.desk, inspector, target):
        await refused(code, asked)
    assert len(stage.store.written) == written
    assert await stage.names(101) == []


async def test_commands_on_a_supervision_need_the_right_too(stage):
    await stage.sign_in(101, 102)
    for asked in (
        stage.desk.ask(ChangeMode(B, A, None)),
        stage.desk.ask(ChangeMode(B, A, Mode.INSERT)),
        stage.desk.stop(B, A),
        stage.desk.ask(Intercept(B, A)),
        stage.desk.ask(DropCall(B, "1-1")),
    ):
        await refused(Code.NO_RIGHT, asked)


@pytest.mark.parametrize("state", ["busy", "rest", "work", "call"])
async def test_an_inspector_must_be_idle_to_begin(stage, state):
    await stage.sign_in(101, 300)
    desk = stage.desk
    if state == "busy":
        await desk.ask(ChangeState(I, Trigger.SAY_BUSY))
    elif state == "rest":
        await desk.ask(ChangeState(I, Trigger.REST, seconds=60))
    elif state == "work":
        await desk.ask(ChangeState(I, Trigger.WORK))
    else:
        await stage.call_in("555")
        await desk.supervise(I, A, Mode.LISTEN)
        await desk.ask(Intercept(I, A))
    for mode in Mode:
        await refused(Code.WRONG_AGENT_STATE, desk.supervise(I, A, mode))


# Looking


async def test_looking_at_agents(stage):
    await stage.sign_in(101, 300, 201)
    assert [view.agent for view in stage.desk.online_agents(I)] == [101, 300]
    assert [view.agent for view in stage.desk.all_agents(A)] == [101, 102, 103, 104, 300, 301, 302]
    assert stage.desk.agent(I, A).state is AgentState.IDLE
    assert stage.desk.agent(I, B).state is AgentState.SIGNED_OUT
    assert stage.desk.agent(I, B).phone == "1102"
    assert Right.INSPECT in stage.desk.rights(I)
    assert Right.INSPECT not in stage.desk.rights(A)
    for target in (FOREIGN, UNKNOWN):
        with pytest.raises(Refused) as refusal:
            stage.desk.agent(I, target)
        assert refusal.value.code is Code.TARGET_UNKNOWN


async def test_the_floor_view(stage):
    await stage.sign_in(101, 300)
    await stage.call_in("555")
    await stage.desk.supervise(I, A, Mode.WHISPER)
    await stage.quiet()
    view = stage.desk.floor_view(VdnId(1))
    assert [one.agent for one in view.agents] == [101, 300]
    assert [(one.caller, one.agent) for one in view.calls] == [("555", 101)]
    assert [(one.inspector, one.target, one.mode) for one in view.supervisions] == [(300, 101, Mode.WHISPER)]
    assert view.hears == {
        "customer 555": {"agent 101"},
        "agent 101": {"customer 555", "inspector 300"},
        "inspector 300": {"customer 555", "agent 101"},
    }
    with pytest.raises(Refused):
        stage.desk.floor_view(VdnId(9))


async def test_a_snapshot_empties_the_queue(stage):
    await stage.sign_in(101, 300)
    await stage.call_in("555")
    await stage.desk.supervise(I, A, Mode.WHISPER)
    await stage.quiet()
    snapshot = await stage.desk.snapshot(A)
    assert await stage.names(101) == []
    assert snapshot.agent.state is AgentState.TALKING
    assert snapshot.call.caller == "555"
    assert [(one.inspector, one.mode) for one in snapshot.inspected_by] == [(I, Mode.WHISPER)]
    assert (await stage.desk.snapshot(I)).inspecting.target == A


async def test_a_changed_configuration(stage):
    await stage.sign_in(101, 300)
    profile = stage.store.profiles[VdnId(1)]
    agents = {key: one for key, one in profile.agents.items() if key != 102}
    stage.store.profiles[VdnId(1)] = type(profile)(profile.vdn, "new", agents, profile.skills)
    await stage.desk.reload(VdnId(1))
    assert stage.desk.floor_view(VdnId(1)).name == "new"
    await refused(Code.WRONG_CREDENTIALS, stage.desk.sessions.sign_in(B, SignIn("secret", "")))
    assert stage.state(101) is AgentState.IDLE


# After a crash


async def test_what_a_crash_leaves(stage, new_stage):
    await stage.sign_in(101, 300)
    await stage.desk.ask(ChangeState(A, Trigger.SAY_BUSY, 201))
    await stage.desk.ask(SetHabit(A, takes_calls=False))
    await stage.quiet()
    latest = {change.agent: change for change in stage.store.written if isinstance(change, SessionSaved)}
    again = new_stage()
    again.store.restored[VdnId(1)] = Restored(
        [*latest.values(), SessionSaved(UNKNOWN, VdnId(1), "g", "1", again.clock.now())],
        {LegId("left"): {"call-id": "x"}},
        ["7-7"],
    )
    await again.desk.open([VdnId(1)])
    again.desk.sessions.authenticate(A, stage.guids[101])
    again.desk.sessions.authenticate(I, stage.guids[300])
    assert again.state(101) is AgentState.BUSY
    assert again.state(300) is AgentState.IDLE
    assert [skill.skill for skill in again.desk.agent(A, A).skills] == [1, 2]
    assert not again.desk.agent(A, A).takes_calls
    assert again.lines.recovered == {LegId("left"): {"call-id": "x"}}
    assert DialogEnded(LegId("left"), VdnId(1)) in again.store.written
    assert ContactEnded("7-7", VdnId(1), again.clock.now(), "interrupted") in again.store.written
    assert [c.agent for c in again.store.written if isinstance(c, SessionEnded)] == [UNKNOWN]
    await again.desk.close()
    await again.tasks.close()


async def test_closing_ends_calls_and_keeps_sign_ins(stage):
    await stage.sign_in(101, 102, 300)
    await stage.call_in("555")
    await stage.call_in("556", "801")
    await stage.desk.supervise(I, A, Mode.WHISPER)
    await stage.desk.close()
    await stage.lines.settled()
    assert stage.lines.legs == {}
    assert stage.engine.recordings == {}
    reasons = [c.reason for c in stage.store.written if isinstance(c, ContactEnded)]
    assert reasons == ["shutdown", "shutdown"]
    assert not any(isinstance(change, SessionEnded) for change in stage.store.written)


async def test_a_closed_desk_can_be_closed_again_and_takes_no_commands(stage):
    await stage.sign_in(101)
    await stage.desk.close()
    await stage.desk.close()
    await refused(Code.UNAVAILABLE, stage.desk.ask(ChangeState(A, Trigger.SAY_BUSY)))


async def test_the_reason_of_a_rest_is_kept_for_a_restart(stage):
    """And only of what a restart brings back."""
    await stage.sign_in(101)
    await stage.desk.ask(ChangeState(A, Trigger.SAY_BUSY, 203))
    await stage.desk.ask(ChooseSkills(A, (), every=True))
    await stage.quiet()
    kept = [change for change in stage.store.written if isinstance(change, SessionSaved)][-1]
    assert (kept.settings["state"], kept.settings["reason"]) == ("busy", 203)
    await stage.desk.ask(ChangeState(A, Trigger.SAY_IDLE))
    await stage.desk.ask(ChooseSkills(A, (), every=True))
    await stage.quiet()
    kept = [change for change in stage.store.written if isinstance(change, SessionSaved)][-1]
    assert (kept.settings["state"], kept.settings["reason"]) == ("idle", 0)


async def test_what_a_call_brings_about_is_kept_for_a_restart(stage):
    """Busy after a call not taken, or as said during one; idle again once a call out has ended."""

    def kept(agent: AgentId) -> tuple[object, object]:
        saved = [change for change in stage.store.written if isinstance(change, SessionSaved)]
        settings = next(change.settings for change in reversed(saved) if change.agent == agent)
        return settings["state"], settings["reason"]

    stage.phone(101).ready = False
    await stage.sign_in(101, 102)
    await stage.call_in("555")
    await stage.later(20)
    assert kept(A) == ("busy", BusyReason.NO_ANSWER)
    await stage.desk.ask(ChangeState(B, Trigger.SAY_BUSY, 203))
    assert kept(B) == ("idle", 0), "while the call goes on"
    stage.lines.phones["555"].hang_up()
    await stage.quiet()
    assert kept(B) == ("busy", 203)
    stage.lines.phone("0123", ready=True)
    await stage.desk.call_out(CallOut(B, "0123"))
    await stage.quiet()
    assert kept(B) == ("idle", 0)
