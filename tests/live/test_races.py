"""Every row of docs/decisions/0005-supervision-races.md, but for a few.

A customer who is transferred: `tests/doors/sip/test_session.py` (the re-INVITE) and
`tests/media/test_moved_customer.py` (what is heard). What the directory changes: `test_configuration.py`.
Intercepts: `test_intercept.py`.
"""

from __future__ import annotations

import asyncio

import pytest
from tests.live.refusals import refused

from sottovoce.domain import events
from sottovoce.domain.agents import AgentState, Trigger
from sottovoce.domain.directory import AgentId, VdnId
from sottovoce.domain.journal import AuditEntry
from sottovoce.domain.supervision import Mode
from sottovoce.errors import Code
from sottovoce.live.availability import AdjustSkills, ForceState
from sottovoce.live.handling import Hold, Mute, Release, TakeBack
from sottovoce.live.presence import ForceSignOut, SignOutAgent
from sottovoce.live.supervising import ChangeMode, DropCall, Intercept
from sottovoce.media.engine import LegsLost, LegTimedOut

A, B, I, J = AgentId(101), AgentId(102), AgentId(300), AgentId(301)  # noqa: E741
TWO = {"555": {"1101"}, "1101": {"555"}}
LISTENING = TWO | {"1300": {"555", "1101"}}
WHISPERING = LISTENING | {"1101": {"555", "1300"}}
INSERTED = {"555": {"1101", "1300"}, "1101": {"555", "1300"}, "1300": {"555", "1101"}}


async def test_the_call_ends_and_the_supervision_stays_but_insert_listens(standing):
    stage = standing
    await stage.desk.supervise(I, A, Mode.INSERT)
    await stage.forget(101)
    stage.lines.phones["555"].hang_up()
    told = await stage.events(101)
    assert events.SupervisionStarted(A, I, Mode.LISTEN) in told
    assert stage.hears() == {"1101": set(), "1300": set()}
    assert stage.state(300) is AgentState.PREOCCUPIED
    assert stage.state(101) is AgentState.IDLE


async def test_a_new_call_never_meets_an_inserted_inspector(standing):
    stage = standing
    stage.lines.phones["555"].hang_up()
    await stage.quiet()
    await stage.desk.supervise(I, A, Mode.INSERT)
    await stage.quiet()
    assert stage.hears() == {"1101": {"1300"}, "1300": {"1101"}}
    await stage.call_in("556")
    assert stage.hears() == {
        "556": {"1101"},
        "1101": {"556"},
        "1300": {"556", "1101"},
    }
    assert all(
        "1300" not in _names(stage, table.hears.get(_leg(stage, "556"))) for table in stage.engine.tables
    )


def _leg(stage, number):
    return next(leg for leg, phone in stage.lines.legs.items() if phone.number == number)


def _names(stage, legs):
    return {stage.lines.legs[leg].number for leg in legs or () if leg in stage.lines.legs}


async def test_a_whisper_goes_on_from_call_to_call(standing):
    stage = standing
    await stage.desk.supervise(I, A, Mode.WHISPER)
    stage.lines.phones["555"].hang_up()
    await stage.quiet()
    assert stage.hears() == {"1101": {"1300"}, "1300": set()}
    await stage.call_in("555")
    assert stage.hears() == WHISPERING


@pytest.mark.parametrize(
    ("mode", "agent_hears", "inspector_hears"),
    [
        (Mode.LISTEN, set(), {"1101"}),
        (Mode.WHISPER, {"1300"}, {"1101"}),
        (Mode.INSERT, {"1300"}, {"1101"}),
    ],
)
async def test_held_by_interface(on_call, mode, agent_hears, inspector_hears):
    stage = on_call
    await stage.desk.supervise(I, A, mode)
    await stage.quiet()
    before = stage.hears()
    await stage.desk.ask(Hold(A))
    await stage.quiet()
    assert stage.hears() == {"555": {"♪"}, "1101": agent_hears, "1300": inspector_hears}
    await stage.desk.ask(TakeBack(A))
    await stage.quiet()
    assert stage.hears() == before


async def test_held_by_the_agents_phone(on_call):
    stage = on_call
    await stage.desk.supervise(I, A, Mode.WHISPER)
    await stage.forget(101, 300)
    stage.phone(101).hold()
    assert await stage.names(101) == ["PhoneHeld"]
    assert await stage.names(300) == ["PhoneHeld"]
    assert stage.hears() == {"555": {"♪"}, "1101": {"1300"}, "1300": {"1101"}}
    stage.phone(101).resume()
    assert await stage.names(300) == ["PhoneResumed"]
    assert stage.hears() == WHISPERING


async def test_a_hold_by_both_ends_with_the_later_of_them(on_call):
    stage = on_call
    await stage.desk.ask(Hold(A))
    stage.phone(101).hold()
    await stage.quiet()
    await stage.desk.ask(TakeBack(A))
    await stage.quiet()
    assert stage.hears() == {"555": {"♪"}, "1101": set()}
    stage.phone(101).resume()
    await stage.quiet()
    assert stage.hears() == TWO


async def test_held_by_the_customers_phone_changes_nothing(on_call):
    stage = on_call
    await stage.desk.supervise(I, A, Mode.WHISPER)
    await stage.forget(101, 300)
    stage.lines.phones["555"].hold()
    assert await stage.names(101) == []
    assert stage.hears() == WHISPERING
    stage.lines.phones["555"].resume()
    await stage.quiet()
    assert stage.hears() == WHISPERING


@pytest.mark.parametrize("how", ["alone", "forced"])
async def test_the_agent_signs_out(on_call, how):
    stage = on_call
    await stage.desk.supervise(I, A, Mode.WHISPER)
    await stage.forget(300)
    if how == "alone":
        await stage.desk.ask(SignOutAgent(A, force=True))
    else:
        await stage.desk.ask(ForceSignOut(J, A))
    names = await stage.names(300)
    assert names[-2:] == ["PhoneReleased", "AgentReady"]
    assert stage.hears() == {}
    assert stage.state(300) is AgentState.IDLE
    await refused(Code.NOT_SUPERVISED, stage.desk.stop(I, A))


async def test_two_inspectors_on_one_agent(on_call):
    stage = on_call
    await stage.desk.supervise(I, A, Mode.WHISPER)
    await stage.desk.supervise(J, A, Mode.LISTEN)
    await stage.quiet()
    assert stage.hears() == WHISPERING | {"1301": {"555", "1101"}}
    await stage.desk.ask(ChangeMode(J, A, Mode.INSERT))
    await stage.quiet()
    assert stage.hears() == {
        "555": {"1101", "1301"},
        "1101": {"555", "1300", "1301"},
        "1300": {"555", "1101", "1301"},
        "1301": {"555", "1101"},
    }
    await stage.desk.stop(I, A)
    await stage.quiet()
    assert stage.hears() == {
        "555": {"1101", "1301"},
        "1101": {"555", "1301"},
        "1301": {"555", "1101"},
    }


async def test_the_inspectors_phone_hangs_up(on_call):
    stage = on_call
    await stage.desk.supervise(I, A, Mode.INSERT)
    await stage.forget(101, 300)
    stage.phone(300).hang_up()
    assert await stage.names(300) == ["PhoneReleased", "AgentReady"]
    assert await stage.names(101) == ["SupervisionEnded"]
    assert stage.hears() == TWO


async def test_the_inspectors_phone_loses_its_network(on_call):
    stage = on_call
    await stage.desk.supervise(I, A, Mode.WHISPER)
    await stage.forget(101, 300)
    stage.engine.tell(LegTimedOut(stage.phone(300).leg))
    assert await stage.names(300) == ["PhoneReleased", "AgentReady"]
    assert await stage.names(101) == ["SupervisionEnded"]
    assert stage.hears() == TWO
    assert stage.phone(300).leg is None


async def test_a_lost_worker_ends_the_call_with_its_reason(on_call):
    stage = on_call
    await stage.desk.supervise(I, A, Mode.WHISPER)
    await stage.quiet()
    stage.engine.tell(LegsLost(frozenset(stage.lines.legs)))
    await stage.quiet()
    assert stage.hears() == {}
    assert stage.state(101) is AgentState.IDLE
    assert stage.state(300) is AgentState.IDLE
    ended = stage.store.written[-1]
    assert ended.reason == "worker_lost"


async def test_the_inspectors_phone_holds(on_call):
    stage = on_call
    await stage.desk.supervise(I, A, Mode.INSERT)
    await stage.quiet()
    stage.phone(300).hold()
    await stage.quiet()
    assert stage.hears()["555"] == {"1101"}
    assert stage.hears()["1101"] == {"555"}
    stage.phone(300).resume()
    await stage.quiet()
    assert stage.hears() == INSERTED


async def test_the_lease_runs_out(on_call):
    stage = on_call
    await stage.desk.supervise(I, A, Mode.WHISPER)
    await stage.forget(101, 300)
    await stage.later(29)
    assert stage.hears() == WHISPERING
    stage.desk.sessions.authenticate(I, stage.guids[300])
    await stage.later(29)
    assert stage.hears() == WHISPERING
    await stage.later(2)
    assert stage.hears() == TWO
    assert await stage.names(300) == ["PhoneReleased", "AgentReady"]
    assert stage.state(300) is AgentState.IDLE
    assert await stage.names(101) == ["SupervisionEnded"]


async def test_a_hanging_poll_keeps_the_lease(on_call):
    stage = on_call
    await stage.desk.supervise(I, A, Mode.WHISPER)
    await stage.forget(300)
    poll = asyncio.ensure_future(stage.desk.next_event(I, 60))
    await asyncio.sleep(0)
    await stage.later(31)
    await stage.later(31)
    assert stage.hears() == WHISPERING
    poll.cancel()
    await asyncio.gather(poll, return_exceptions=True)
    await stage.later(31)
    assert stage.hears() == TWO


async def test_an_inspector_who_never_picks_up(on_call):
    stage = on_call
    stage.phone(300).ready = False
    await stage.desk.supervise(I, A, Mode.WHISPER)
    assert await stage.names(300) == ["AgentPreoccupied", "PhoneAlerting"]
    stage.desk.sessions.heartbeat(I)
    await stage.later(29)
    stage.desk.sessions.authenticate(I, stage.guids[300])
    assert stage.state(300) is AgentState.PREOCCUPIED
    await stage.later(2)
    assert await stage.names(300) == ["PhoneReleased", "AgentReady"]
    assert await stage.names(101) == []
    assert stage.phone(300).leg is None


async def test_stop_without_start_and_stop_twice(on_call):
    stage = on_call
    for target in (A, B, AgentId(201), AgentId(999), None):
        await refused(Code.NOT_SUPERVISED, stage.desk.stop(I, target))
        await refused(Code.NOT_SUPERVISED, stage.desk.stop(I, target, whisper=True))
    await stage.desk.supervise(I, A, Mode.WHISPER)
    await refused(Code.NOT_SUPERVISED, stage.desk.stop(I, B, whisper=True))
    await stage.desk.stop(I, A, whisper=True)
    await refused(Code.NOT_SUPERVISED, stage.desk.stop(I, A, whisper=True))


async def test_stop_while_the_start_is_being_committed(on_call):
    stage = on_call
    start = asyncio.ensure_future(stage.desk.supervise(I, A, Mode.WHISPER))
    await asyncio.sleep(0)
    await stage.desk.stop(I, A, whisper=True)
    await refused(Code.WRONG_SUPERVISION_STATE, start)
    assert stage.hears() == TWO
    assert await stage.names(300) == []
    written = [change.action for change in stage.store.written if isinstance(change, AuditEntry)]
    assert written[-2:] == ["supervise.whisper", "supervise.whisper.refused"]


async def test_a_stop_that_names_another_agent_stops_no_start(on_call):
    stage = on_call
    start = asyncio.ensure_future(stage.desk.supervise(I, A, Mode.WHISPER))
    await asyncio.sleep(0)
    await refused(Code.NOT_SUPERVISED, stage.desk.stop(I, B))
    await start
    await stage.quiet()
    assert stage.hears() == WHISPERING


async def test_the_later_of_two_changes_wins(on_call):
    stage = on_call
    await stage.desk.supervise(I, A, Mode.LISTEN)
    first = asyncio.ensure_future(stage.desk.ask(ChangeMode(I, A, Mode.WHISPER)))
    await asyncio.sleep(0)
    await stage.desk.ask(ChangeMode(I, A, Mode.LISTEN))
    await asyncio.gather(first, return_exceptions=True)
    await stage.quiet()
    assert stage.hears() == LISTENING


@pytest.mark.parametrize("mode", Mode)
async def test_a_second_start_is_refused(on_call, mode):
    stage = on_call
    await stage.desk.supervise(I, A, Mode.LISTEN)
    await refused(Code.WRONG_SUPERVISION_STATE, stage.desk.supervise(I, A, mode))
    await refused(Code.WRONG_SUPERVISION_STATE, stage.desk.supervise(I, A, mode))
    await stage.quiet()
    assert stage.hears() == LISTENING


@pytest.mark.parametrize("mode", [Mode.LISTEN, Mode.INSERT])
async def test_stop_whisper_ends_only_a_whisper(on_call, mode):
    stage = on_call
    await stage.desk.supervise(I, A, mode)
    await stage.quiet()
    before = stage.hears()
    await refused(Code.WRONG_SUPERVISION_STATE, stage.desk.stop(I, A, whisper=True))
    await stage.quiet()
    assert stage.hears() == before


async def test_a_plain_stop_ends_a_whisper_too(on_call):
    stage = on_call
    await stage.desk.supervise(I, A, Mode.WHISPER)
    await stage.desk.stop(I, A)
    await stage.quiet()
    assert stage.hears() == TWO


async def test_toggle_goes_between_listen_and_insert_only(on_call):
    stage = on_call
    await refused(Code.NOT_SUPERVISED, stage.desk.ask(ChangeMode(I, A, None)))
    await stage.desk.supervise(I, A, Mode.LISTEN)
    await stage.forget(101)
    await stage.desk.ask(ChangeMode(I, A, None))
    await stage.quiet()
    assert stage.hears() == INSERTED
    assert await stage.names(101) == []
    await stage.desk.ask(ChangeMode(I, None, Mode.WHISPER))
    assert await stage.events(101) == [events.SupervisionStarted(A, I, Mode.WHISPER)]
    await refused(Code.WRONG_SUPERVISION_STATE, stage.desk.ask(ChangeMode(I, A, None)))


async def test_a_change_while_the_inspectors_phone_rings(on_call):
    stage = on_call
    stage.phone(300).ready = False
    await stage.desk.supervise(I, A, Mode.INSERT)
    await stage.desk.ask(ChangeMode(I, A, Mode.LISTEN))
    await refused(Code.WRONG_SUPERVISION_STATE, stage.desk.ask(ChangeMode(I, A, None)))
    await refused(Code.WRONG_SUPERVISION_STATE, stage.desk.ask(Intercept(I, A)))
    await stage.quiet()
    stage.phone(300).lift()
    await stage.quiet()
    assert stage.hears() == LISTENING
    assert (await stage.events(101))[-1] == events.SupervisionStarted(A, I, Mode.LISTEN)


async def test_inspectors_are_not_inspected_unless_the_vdn_says_so(on_call):
    await refused(Code.NO_RIGHT, on_call.desk.supervise(I, J, Mode.LISTEN))


async def test_an_inspector_who_is_inspected(new_stage):
    stage = new_stage(mutual=True)
    await stage.desk.open([VdnId(1)])
    await stage.sign_in(101, 300, 301, release_phone=False)
    await stage.call_in("555")
    await stage.desk.supervise(J, I, Mode.WHISPER)
    await stage.desk.supervise(I, A, Mode.WHISPER)
    await stage.quiet()
    assert stage.hears() == WHISPERING | {"1301": set()}
    await stage.desk.ask(Intercept(I, A))
    await stage.quiet()
    assert stage.hears() == {
        "555": {"1300"},
        "1300": {"555", "1301"},
        "1301": {"555", "1300"},
        "1101": set(),
    }
    await stage.desk.ask(Release(I))
    await stage.desk.supervise(I, A, Mode.LISTEN)
    await stage.desk.stop(I, A)
    await stage.quiet()
    assert stage.hears()["1300"] == {"1301"}
    await stage.desk.close()
    await stage.tasks.close()


async def test_without_the_store_nothing_begins_and_everything_ends(on_call):
    stage = on_call
    await stage.desk.supervise(I, A, Mode.WHISPER)
    await stage.forget(101, 300, 301)
    stage.store.available = False
    desk = stage.desk
    for asked in (
        desk.supervise(J, A, Mode.LISTEN),
        desk.ask(ChangeMode(I, A, Mode.INSERT)),
        desk.ask(Intercept(I, A)),
        desk.ask(ForceState(J, A, Trigger.FORCE_BUSY)),
        desk.ask(ForceState(J, A, Trigger.FORCE_IDLE)),
        desk.ask(ForceState(J, A, Trigger.FORCE_REST, seconds=60, cause=1)),
        desk.ask(ForceSignOut(J, A)),
        desk.ask(AdjustSkills(J, A, ())),
        desk.ask(DropCall(J, desk.call_ids(A)[0])),
    ):
        await refused(Code.UNAVAILABLE, asked)
    assert stage.hears() == WHISPERING
    assert await stage.names(101) == await stage.names(300) == await stage.names(301) == []
    await desk.ask(Mute(A, True))
    await desk.ask(Mute(A, False))
    await desk.ask(ChangeMode(I, A, Mode.LISTEN))
    await stage.quiet()
    assert stage.hears() == LISTENING
    await desk.stop(I, A)
    await desk.ask(Release(A))
    await stage.quiet()
    assert stage.hears() == {}


async def test_the_start_is_audited_before_it_takes_effect_and_its_end_after(on_call):
    stage = on_call
    await stage.desk.supervise(I, A, Mode.WHISPER)
    assert [c.action for c in stage.store.committed if isinstance(c, AuditEntry)][-1] == "supervise.whisper"
    await stage.desk.stop(I, A)
    await stage.quiet()
    entry = next(c for c in reversed(stage.store.appended) if isinstance(c, AuditEntry))
    assert (entry.actor, entry.action, entry.target) == (I, "supervise.stop", "101")
    assert entry.detail["reason"] == "stopped"
