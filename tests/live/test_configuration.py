"""The directory changes under people at work: rights withdrawn, agents gone, new rights."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from tests.live.refusals import refused

from sottovoce.domain import events
from sottovoce.domain.agents import AgentState, Trigger
from sottovoce.domain.directory import AgentId, Right, VdnId
from sottovoce.domain.journal import AuditEntry, SessionEnded
from sottovoce.domain.supervision import Mode
from sottovoce.errors import Code, Refused
from sottovoce.live.availability import ChangeState, ChooseSkills
from sottovoce.live.supervising import ChangeMode, DropCall, Intercept
from sottovoce.live.views import SignIn

A, B, I, J = AgentId(101), AgentId(102), AgentId(300), AgentId(301)  # noqa: E741
ONE = VdnId(1)
TWO = {"555": {"1101"}, "1101": {"555"}}
LISTENING = TWO | {"1300": {"555", "1101"}}


def change(stage, agent, **what) -> None:
    """Configure an agent anew."""
    agents = dict(stage.store.profiles[ONE].agents)
    agents[agent] = replace(agents[agent], **what)
    stage.store.profiles[ONE] = replace(stage.store.profiles[ONE], agents=agents)


def take_right(stage, agent) -> None:
    change(stage, agent, rights=frozenset())


def remove(stage, *gone) -> None:
    agents = {key: one for key, one in stage.store.profiles[ONE].agents.items() if key not in gone}
    stage.store.profiles[ONE] = replace(stage.store.profiles[ONE], agents=agents)


async def reload(stage) -> None:
    await stage.desk.reload(ONE)
    await stage.quiet()


@pytest.mark.parametrize("mode", Mode)
async def test_a_withdrawn_right_ends_the_supervision(on_call, mode):
    stage = on_call
    await stage.desk.supervise(I, A, mode)
    await stage.desk.supervise(J, A, Mode.LISTEN)
    await stage.forget(101, 300)
    take_right(stage, I)
    await reload(stage)
    assert stage.hears() == TWO | {"1301": {"555", "1101"}}
    assert await stage.names(300) == ["PhoneReleased", "AgentReady"]
    assert await stage.events(101) == [events.SupervisionEnded(A, I, mode)]
    ends = [c for c in stage.store.appended if isinstance(c, AuditEntry)]
    assert [(e.actor, e.action, e.detail["reason"]) for e in ends] == [
        (I, "supervise.stop", "no longer permitted")
    ]
    for asked in (
        stage.desk.stop(I, A),
        stage.desk.stop(I, A, whisper=True),
        stage.desk.ask(ChangeMode(I, A, Mode.LISTEN)),
        stage.desk.supervise(I, A, Mode.LISTEN),
    ):
        await refused(Code.NO_RIGHT, asked)
    assert stage.state(300) is AgentState.IDLE
    assert stage.hears() == TWO | {"1301": {"555", "1101"}}


async def test_several_inspectors_are_silent_before_the_first_phone_is_released(on_call, monkeypatch):
    stage = on_call
    await stage.desk.supervise(I, A, Mode.WHISPER)
    await stage.desk.supervise(J, A, Mode.INSERT)
    await stage.quiet()
    heard_at_hang_up = []
    hang_up = stage.lines.hang_up

    def watched(*what):
        heard_at_hang_up.append({n: v for n, v in stage.hears().items() if n in TWO})
        hang_up(*what)

    monkeypatch.setattr(stage.lines, "hang_up", watched)
    take_right(stage, I)
    take_right(stage, J)
    await reload(stage)
    assert heard_at_hang_up == [TWO, TWO]
    assert stage.hears() == TWO


async def test_a_right_withdrawn_while_the_inspectors_phone_rings(on_call):
    stage = on_call
    stage.phone(300).ready = False
    await stage.desk.supervise(I, A, Mode.WHISPER)
    await stage.forget(101, 300)
    take_right(stage, I)
    await reload(stage)
    assert stage.phone(300).leg is None
    assert await stage.names(101) == []
    assert stage.state(300) is AgentState.IDLE


async def test_a_right_withdrawn_while_the_start_is_being_committed(on_call):
    stage = on_call
    start = asyncio.ensure_future(stage.desk.supervise(I, A, Mode.WHISPER))
    await asyncio.sleep(0)
    take_right(stage, I)
    await stage.desk.reload(ONE)
    await refused(Code.NO_RIGHT, start)
    assert stage.hears() == TWO
    written = [change.action for change in stage.store.written if isinstance(change, AuditEntry)]
    assert written[-2:] == ["supervise.whisper", "supervise.whisper.refused"]


async def test_a_stop_is_accepted_while_such_a_start_is_being_committed(on_call):
    stage = on_call
    start = asyncio.ensure_future(stage.desk.supervise(I, A, Mode.WHISPER))
    take_right(stage, I)
    await asyncio.gather(stage.desk.reload(ONE), stage.desk.stop(I, A, whisper=True))
    with pytest.raises(Refused):
        await start
    assert stage.hears() == TWO


@pytest.mark.parametrize("ask", ["stop", "stop whisper", "listen", "toggle back"])
async def test_who_runs_a_supervision_without_the_right_may_always_be_silent(on_call, ask):
    """No command reads the right of one who is heard: the seat's profile is taken by force here."""
    stage = on_call
    desk = stage.desk
    await desk.supervise(I, A, Mode.INSERT if ask == "toggle back" else Mode.WHISPER)
    await stage.quiet()
    seat = desk._seat(I)
    seat.profile = replace(seat.profile, rights=frozenset())
    for asked in (
        desk.ask(ChangeMode(I, A, Mode.INSERT if ask != "toggle back" else Mode.WHISPER)),
        desk.ask(Intercept(I, A)),
        desk.ask(DropCall(I, desk.call_ids(A)[0])),
    ):
        await refused(Code.NO_RIGHT, asked)
    await refused(Code.NOT_SUPERVISED, desk.stop(I, B))
    await {
        "stop": lambda: desk.stop(I, A),
        "stop whisper": lambda: desk.stop(I, None, whisper=True),
        "listen": lambda: desk.ask(ChangeMode(I, A, Mode.LISTEN)),
        "toggle back": lambda: desk.ask(ChangeMode(I, A, None)),
    }[ask]()
    await stage.quiet()
    assert stage.hears() == (TWO if ask.startswith("stop") else LISTENING)


async def test_oneself_is_never_supervised(on_call):
    desk = on_call.desk
    for asked in (
        desk.stop(I, I),
        desk.stop(I, I, whisper=True),
        desk.ask(ChangeMode(I, I, None)),
        desk.ask(ChangeMode(I, I, Mode.LISTEN)),
        desk.ask(Intercept(I, I)),
    ):
        await refused(Code.TARGET_IS_SELF, asked)
    await refused(Code.NO_RIGHT, desk.stop(A, A))


async def test_the_permission_to_inspect_inspectors_is_withdrawn(new_stage):
    stage = new_stage(mutual=True)
    await stage.desk.open([ONE])
    await stage.sign_in(101, 300, 301, release_phone=False)
    await stage.call_in("555")
    await stage.desk.supervise(I, A, Mode.WHISPER)
    await stage.desk.supervise(J, I, Mode.WHISPER)
    await stage.quiet()
    stage.store.profiles[ONE] = replace(stage.store.profiles[ONE], inspect_inspectors=False)
    await reload(stage)
    assert stage.state(301) is AgentState.IDLE
    assert stage.hears() == LISTENING | {"1101": {"555", "1300"}, "1301": set()}
    await stage.desk.close()
    await stage.tasks.close()


async def test_an_inspector_who_is_gone_is_silent_and_signed_out(on_call):
    stage = on_call
    await stage.desk.supervise(I, A, Mode.WHISPER)
    await stage.forget(101, 300)
    poll = asyncio.ensure_future(stage.desk.next_event(I, 60))
    await asyncio.sleep(0)
    remove(stage, I)
    await reload(stage)
    assert stage.hears() == TWO
    assert stage.phone(300).leg is None
    assert await stage.events(101) == [events.SupervisionEnded(A, I, Mode.WHISPER)]
    assert type((await poll).event) is events.PhoneReleased
    with pytest.raises(Refused) as refusal:
        stage.desk.sessions.authenticate(I, stage.guids[300])
    assert refusal.value.code is Code.NOT_SIGNED_IN
    await refused(Code.NOT_SIGNED_IN, stage.desk.supervise(I, A, Mode.WHISPER))
    await refused(Code.WRONG_CREDENTIALS, stage.desk.sessions.sign_in(I, SignIn("secret", "")))
    ends = [c for c in stage.store.appended if isinstance(c, SessionEnded)]
    assert [(end.agent, end.reason) for end in ends] == [(I, "no longer configured")]


TALKS = {"555": {"1101"}, "1101": {"555"}, "556": {"1102"}, "1102": {"556"}}


async def test_agents_who_are_gone_are_signed_out_after_their_call(
    stage,
):
    await stage.sign_in(101, 102, 300)
    talking = await stage.call_in("555")
    await stage.desk.supervise(I, A, Mode.WHISPER)
    await stage.desk.ask(ChangeState(B, Trigger.SAY_BUSY))
    waiting = await stage.call_in("556")
    await stage.quiet()
    await stage.desk.ask(ChangeState(B, Trigger.SAY_IDLE))
    await stage.forget(300)
    remove(stage, A, B)
    await reload(stage)
    assert stage.phone(300).leg is None
    assert await stage.names(300) == ["PhoneReleased", "AgentReady"]
    await refused(Code.TARGET_UNKNOWN, stage.desk.supervise(I, A, Mode.LISTEN))
    talking.hang_up()
    waiting.hang_up()
    await stage.quiet()
    assert stage.phone(101).leg is stage.phone(102).leg is None
    assert [one.agent for one in stage.desk.online_agents(I)] == [I]
    await refused(Code.TARGET_UNKNOWN, stage.desk.supervise(I, A, Mode.LISTEN))


async def test_a_call_that_waits_is_given_to_none_of_those_who_are_gone(stage):
    await stage.sign_in(101, 102, 103)
    await stage.desk.ask(ChooseSkills(AgentId(103), every=False))
    await stage.call_in("555")
    await stage.call_in("556")
    await stage.call_in("557")
    assert stage.hears() == TALKS | {"557": {"♪"}}
    remove(stage, A, B)
    await reload(stage)
    assert stage.hears() == TALKS | {"557": {"♪"}}
    for customer in ("555", "556"):
        stage.lines.phones[customer].hang_up()
    await stage.quiet()
    assert stage.hears() == {"557": {"♪"}}
    await stage.desk.ask(ChooseSkills(AgentId(103), every=True))
    await stage.quiet()
    assert stage.hears() == {"557": {"1103"}, "1103": {"557"}}


async def test_who_is_gone_for_a_moment_stays_in_the_call_and_signed_in(on_call):
    stage = on_call
    before = stage.store.profiles[ONE]
    remove(stage, A)
    await reload(stage)
    assert stage.hears() == {"555": {"1101"}, "1101": {"555"}}
    stage.store.profiles[ONE] = before
    await reload(stage)
    stage.lines.phones["555"].hang_up()
    await stage.quiet()
    assert stage.state(101) is AgentState.IDLE


async def test_who_is_gone_and_comes_back_begins_anew(stage):
    await stage.sign_in(101)
    before = stage.store.profiles[ONE]
    remove(stage, A)
    await reload(stage)
    stage.store.profiles[ONE] = before
    await reload(stage)
    with pytest.raises(Refused):
        stage.desk.sessions.authenticate(A, stage.guids[101])
    await stage.sign_in(101)
    stage.desk.sessions.authenticate(A, stage.guids[101])


async def test_a_new_right_and_a_new_name_are_there_at_once(on_call):
    stage = on_call
    change(stage, B, rights=frozenset({Right.INSPECT}), name="Chief")
    await stage.sign_in(102)
    change(stage, A, name="Anna")
    await reload(stage)
    assert Right.INSPECT in stage.desk.rights(B)
    assert stage.desk.agent(I, A).name == "Anna"
    await stage.desk.supervise(B, A, Mode.LISTEN)
    await stage.quiet()
    assert stage.hears() == TWO | {"1102": {"555", "1101"}}
