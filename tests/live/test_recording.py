"""Recordings in agents' hands: begun on demand, stopped, paused; what of it the journal and the audit say."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.live.refusals import refused

from sottovoce.config import RecordingSettings
from sottovoce.domain import events
from sottovoce.domain.directory import AgentId, VdnId
from sottovoce.domain.journal import AuditEntry, RecordingChanged, SegmentEnded, SessionSaved
from sottovoce.domain.supervision import Mode
from sottovoce.errors import Code
from sottovoce.live.conferring import LeaveCall, Merge
from sottovoce.live.consulting import Consult
from sottovoce.live.handling import Hold, Release, TakeBack
from sottovoce.live.recording import (
    PauseRecording,
    RecordOwnTalks,
    RecordTalk,
    RecordTalksOf,
    StopTalkRecording,
)
from sottovoce.live.state import LiveSettings
from sottovoce.live.supervising import Intercept

A, B, I = AgentId(101), AgentId(102), AgentId(300)  # noqa: E741


def on_the_recording(stage) -> set[str]:
    """The phones whose voices go onto the recording that was spoken of last."""
    return {stage.lines.legs[leg].number for leg in stage.engine.recorded}


def kept(stage):
    """Of every talk that ended: agent, file, and its pauses: by whom, from, to, in seconds of the talk."""
    return [
        (
            change.agent,
            change.recording is not None,
            [
                (
                    pause.by,
                    (pause.began_at - change.began_at).total_seconds(),
                    (pause.ended_at - change.began_at).total_seconds(),
                )
                for pause in change.pauses
            ],
        )
        for change in stage.store.written
        if isinstance(change, SegmentEnded)
    ]


def audited(stage) -> list[tuple[int, str]]:
    return [
        (change.actor, change.action)
        for change in stage.store.written
        if isinstance(change, AuditEntry) and change.action.startswith("recording.")
    ]


async def test_a_pause_keeps_all_voices_off_and_is_on_record(on_call):
    stage = on_call
    await stage.desk.supervise(I, A, Mode.WHISPER)
    await stage.quiet()
    heard = stage.hears()
    assert on_the_recording(stage) == {"555", "1101", "1300"}
    await stage.later(5)
    await stage.desk.ask(PauseRecording(A, True))
    assert on_the_recording(stage) == set()
    await refused(Code.WRONG_CALL_STATE, stage.desk.ask(PauseRecording(A, True)))
    await stage.later(3)
    running = [change for change in stage.store.written if isinstance(change, RecordingChanged)][-1]
    assert [(pause.by, pause.ended_at) for pause in running.pauses] == [(A, None)]
    await stage.desk.ask(PauseRecording(A, False))
    assert on_the_recording(stage) == {"555", "1101", "1300"}
    assert stage.hears() == heard, "nobody hears anything else for it"
    await refused(Code.WRONG_CALL_STATE, stage.desk.ask(PauseRecording(A, False)))
    await stage.desk.ask(Release(A))
    await stage.quiet()
    assert kept(stage) == [(A, True, [(A, 5, 8)])]
    assert audited(stage) == [(A, "recording.pause"), (A, "recording.resume")]


async def test_a_pause_outlives_a_hold_and_ends_with_the_talk(on_call):
    stage = on_call
    await stage.desk.ask(PauseRecording(A, True))
    await stage.later(1)
    await stage.desk.ask(Hold(A))
    await stage.desk.ask(TakeBack(A))
    assert on_the_recording(stage) == set()
    await stage.later(2)
    stage.lines.phones["555"].hang_up()
    await stage.quiet()
    assert kept(stage) == [(A, True, [(A, 0, 3)])]
    await stage.call_in("556")
    assert on_the_recording(stage) == {"556", "1101"}


async def test_nobody_pauses_what_is_not_there(stage):
    await stage.sign_in(101)
    for asked in (PauseRecording(A, True), PauseRecording(A, False), RecordTalk(A), StopTalkRecording(A)):
        await refused(Code.NO_CALL, stage.desk.ask(asked))


async def test_an_operator_may_forbid_both(new_stage):
    stage = new_stage(LiveSettings(Path("/rec"), recordings=RecordingSettings(pauses=False)))
    await stage.desk.open([VdnId(1)])
    await stage.sign_in(101)
    await stage.call_in()
    await refused(Code.NO_RIGHT, stage.desk.ask(PauseRecording(A, True)))
    await refused(Code.NO_RIGHT, stage.desk.ask(RecordTalk(A)))
    await refused(Code.WRONG_CALL_STATE, stage.desk.ask(StopTalkRecording(A)))
    await stage.desk.close()
    await stage.tasks.close()


async def consulted(stage) -> str:
    """102 is asked into the talk of 101 with the customer; the call."""
    await stage.sign_in(102, skills=False)
    call = stage.desk.call_ids(A)[0]
    await stage.desk.call_out(Consult(A, B))
    await stage.quiet()
    return call


async def test_a_pause_is_of_all_recordings_of_the_call_until_whoever_asked_leaves_it(on_call):
    stage = on_call
    call = await consulted(stage)
    await refused(Code.NO_CALL, stage.desk.ask(PauseRecording(A, True)))  # of the talk between agents
    await stage.desk.ask(Merge(A, call, True))
    await stage.quiet()
    await stage.desk.ask(PauseRecording(A, True))
    await refused(Code.WRONG_CALL_STATE, stage.desk.ask(PauseRecording(B, True)))
    await refused(Code.WRONG_CALL_STATE, stage.desk.ask(PauseRecording(B, False)))
    silent = {table.recording: table.recorded for table in stage.engine.tables if table.recording}
    assert len(silent) == 2
    assert set(silent.values()) == {frozenset()}
    await stage.later(4)
    await stage.desk.ask(LeaveCall(A, call))
    await stage.quiet()
    assert on_the_recording(stage) == {"555", "1102"}
    await stage.later(1)
    await stage.desk.ask(Release(B))
    await stage.quiet()
    assert kept(stage) == [(A, True, [(A, 0, 4)]), (B, True, [(A, 0, 4)])]


async def test_whoever_comes_into_a_paused_call_is_on_no_recording(on_call):
    stage = on_call
    await stage.desk.ask(PauseRecording(A, True))
    call = await consulted(stage)
    await stage.desk.ask(Merge(A, call, True))
    await stage.quiet()
    last = {table.recording: table.recorded for table in stage.engine.tables if table.recording}
    assert set(last.values()) == {frozenset()}
    await stage.desk.ask(PauseRecording(A, False))
    last = {table.recording: table.recorded for table in stage.engine.tables if table.recording}
    assert all(last.values())


async def test_an_intercept_ends_the_pause(on_call):
    stage = on_call
    await stage.desk.ask(PauseRecording(A, True))
    await stage.later(2)
    await stage.desk.supervise(I, A, Mode.LISTEN)
    await stage.quiet()
    await stage.desk.ask(Intercept(I, A))
    await stage.quiet()
    assert on_the_recording(stage) == {"555", "1300"}
    assert kept(stage) == [(A, True, [(A, 0, 2)])]


@pytest.fixture
async def chosen(new_stage):
    """A VDN where agents choose what is recorded; 101 talks with 555."""
    settings = LiveSettings(Path("/rec"), recordings=RecordingSettings(enabled=False, on_demand=True))
    stage = new_stage(settings)
    await stage.desk.open([VdnId(1)])
    await stage.sign_in(101, 300)
    await stage.call_in("555")
    await stage.forget(101)
    yield stage
    await stage.desk.close()
    await stage.tasks.close()


async def test_a_talk_is_recorded_from_where_the_agent_asks(chosen):
    stage = chosen
    assert stage.engine.recordings == {}
    await refused(Code.WRONG_CALL_STATE, stage.desk.ask(PauseRecording(A, True)))
    await refused(Code.WRONG_CALL_STATE, stage.desk.ask(StopTalkRecording(A)))
    await stage.later(10)
    await stage.desk.ask(RecordTalk(A))
    [recording] = stage.engine.recordings.values()
    assert recording.silent_frames == 10 * 8000
    assert on_the_recording(stage) == {"555", "1101"}
    [told] = await stage.events(101)
    assert isinstance(told, events.RecordingStarted)
    assert told.path == str(recording.path.relative_to("/rec"))
    [began] = [change for change in stage.store.written if isinstance(change, RecordingChanged)]
    assert began.recording == told.path
    await refused(Code.WRONG_CALL_STATE, stage.desk.ask(RecordTalk(A)))
    await stage.later(5)
    await stage.desk.ask(StopTalkRecording(A))
    assert on_the_recording(stage) == set()
    [done] = await stage.events(101)
    assert isinstance(done, events.RecordingDone)
    assert (done.ended_at - done.began_at).total_seconds() == 5
    await stage.later(2)
    await stage.desk.ask(RecordTalk(A))
    assert on_the_recording(stage) == {"555", "1101"}
    await stage.later(1)
    await stage.desk.ask(Release(A))
    await stage.quiet()
    assert kept(stage) == [(A, True, [(A, 0, 10), (A, 15, 17)])]
    assert audited(stage) == [(A, f"recording.{what}") for what in ("begin", "stop", "begin")]
    told = [type(event).__name__ for event in await stage.events(101)]
    assert told.count("RecordingDone") == 1


async def test_what_was_stopped_is_told_once(chosen):
    stage = chosen
    await stage.desk.ask(RecordTalk(A))
    await stage.desk.ask(StopTalkRecording(A))
    await stage.desk.ask(Release(A))
    await stage.quiet()
    assert (await stage.names(101)).count("RecordingDone") == 1


async def test_what_nobody_asked_for_has_no_file(chosen):
    stage = chosen
    await stage.desk.ask(Release(A))
    await stage.quiet()
    assert kept(stage) == [(A, False, [])]


async def test_a_recording_that_cannot_begin_is_told(chosen):
    stage = chosen
    stage.engine.refuse_recordings = True
    await stage.desk.ask(RecordTalk(A))
    assert "RecordingFailed" in await stage.names(101)
    await refused(Code.WRONG_CALL_STATE, stage.desk.ask(RecordTalk(A)))
    await stage.desk.ask(Release(A))
    await stage.quiet()
    [ended] = [change for change in stage.store.written if isinstance(change, SegmentEnded)]
    assert (ended.recording, ended.failure) == (None, "disk full")


async def test_the_next_agent_of_a_paused_call_is_recorded(on_call):
    stage = on_call
    await stage.desk.ask(PauseRecording(A, True))
    call = await consulted(stage)
    await stage.desk.ask(Merge(A, call, False))
    await stage.quiet()
    assert on_the_recording(stage) == {"555", "1102"}


async def _talks_again(stage, number: str) -> None:
    """The running talk ends, the next one begins."""
    await stage.desk.ask(Release(A))
    await stage.quiet()
    await stage.call_in(number)
    await stage.quiet()


async def test_an_agents_talks_are_recorded_from_the_next_on(chosen):
    stage = chosen
    await stage.desk.ask(RecordOwnTalks(A, True))
    assert stage.engine.recordings == {}
    await _talks_again(stage, "556")
    assert on_the_recording(stage) == {"556", "1101"}
    assert any(isinstance(told, events.RecordingStarted) for told in await stage.events(101))
    await stage.desk.ask(RecordOwnTalks(A, False))
    assert on_the_recording(stage) == {"556", "1101"}
    await _talks_again(stage, "557")
    assert stage.engine.recordings == {}


async def test_an_inspector_has_agents_recorded(chosen):
    stage = chosen
    await stage.sign_in(102)
    for agents, code in (
        ((A, AgentId(103)), Code.TARGET_NOT_SIGNED_IN),
        ((A, AgentId(999)), Code.TARGET_UNKNOWN),
        ((A, I), Code.TARGET_IS_SELF),
    ):
        await refused(code, stage.desk.ask(RecordTalksOf(I, agents, True)))
    await refused(Code.NO_RIGHT, stage.desk.ask(RecordTalksOf(AgentId(102), (A,), True)))
    await stage.desk.ask(RecordTalksOf(I, (A, AgentId(102), A), True))
    asked = [change for change in stage.store.committed if isinstance(change, AuditEntry)]
    told = [(one.actor, one.action, one.target) for one in asked if one.action.startswith("recording")]
    assert told == [(I, "recording.ask", "101"), (I, "recording.ask", "102")]
    await _talks_again(stage, "556")
    assert len(stage.engine.recordings) == 1
    await stage.desk.ask(RecordTalksOf(I, (A,), False))
    await stage.quiet()
    kept = [change for change in stage.store.written if isinstance(change, SessionSaved)][-1]
    assert (kept.agent, kept.settings["records"]) == (A, False)


async def test_nobody_switches_off_what_the_server_records(stage):
    await stage.sign_in(101, 300)
    await stage.desk.ask(RecordOwnTalks(A, True))
    for asked in (RecordOwnTalks(A, False), RecordTalksOf(I, (A,), False)):
        await refused(Code.NO_RIGHT, stage.desk.ask(asked))
    for asked in (RecordOwnTalks(A, True, True), RecordTalksOf(I, (A,), True, True)):
        await refused(Code.NOT_SERVED, stage.desk.ask(asked))
    await stage.call_in("555")
    assert on_the_recording(stage) == {"555", "1101"}


async def test_where_agents_do_not_choose_an_inspector_does(new_stage):
    stage = new_stage(LiveSettings(Path("/rec"), recordings=RecordingSettings(enabled=False)))
    await stage.desk.open([VdnId(1)])
    await stage.sign_in(101, 300)
    await refused(Code.NO_RIGHT, stage.desk.ask(RecordOwnTalks(A, True)))
    await stage.desk.ask(RecordTalksOf(I, (A,), True))
    await stage.call_in("555")
    assert on_the_recording(stage) == {"555", "1101"}
    await stage.desk.close()
    await stage.tasks.close()
