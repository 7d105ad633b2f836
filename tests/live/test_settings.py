"""What an operator may set about a floor: recording, music, the length of wrap-up."""

from __future__ import annotations

from pathlib import Path

from sottovoce.config import AgentSettings, MediaSettings, RecordingSettings
from sottovoce.domain import events
from sottovoce.domain.agents import AgentState, Trigger
from sottovoce.domain.directory import AgentId, VdnId
from sottovoce.domain.journal import Restored, SegmentEnded, SessionSaved
from sottovoce.live.availability import ChangeState
from sottovoce.live.state import LiveSettings

A = AgentId(101)


async def test_without_recording_talks_leave_a_segment_and_no_file(new_stage):
    stage = new_stage(LiveSettings(Path("/rec"), recordings=RecordingSettings(enabled=False)))
    await stage.desk.open([VdnId(1)])
    await stage.sign_in(101)
    customer = await stage.call_in()
    assert stage.engine.recordings == {}
    told = await stage.events(101)
    assert not [
        event for event in told if isinstance(event, events.RecordingStarted | events.RecordingFailed)
    ]
    customer.hang_up()
    await stage.quiet()
    [segment] = [change for change in stage.store.written if isinstance(change, SegmentEnded)]
    assert (segment.recording, segment.failure) == (None, "recording is switched off")
    await stage.desk.close()
    await stage.tasks.close()


async def test_those_who_wait_hear_the_music_that_is_set(new_stage):
    stage = new_stage(LiveSettings(Path("/rec"), media=MediaSettings(music="/srv/waltz.wav")))
    await stage.desk.open([VdnId(1)])
    await stage.call_in()
    assert list(stage.engine.playing.values()) == ["/srv/waltz.wav"]
    await stage.desk.close()
    await stage.tasks.close()


async def test_wrap_up_ends_by_itself_where_it_is_limited(new_stage):
    stage = new_stage(LiveSettings(Path("/rec"), AgentSettings(wrap_up_limit=30.0)))
    await stage.desk.open([VdnId(1)])
    await stage.sign_in(101, auto_idle=False)
    customer = await stage.call_in()
    customer.hang_up()
    await stage.quiet()
    assert stage.state(101) is AgentState.WRAP_UP
    await stage.later(29)
    assert stage.state(101) is AgentState.WRAP_UP
    await stage.forget(101)
    await stage.later(2)
    assert stage.state(101) is AgentState.IDLE
    assert await stage.names(101) == ["AgentWorkCancelled"]
    await stage.desk.close()
    await stage.tasks.close()


async def test_wrap_up_is_limited_from_the_sign_in_on_and_after_a_restart(new_stage):
    stage = new_stage(LiveSettings(Path("/rec"), AgentSettings(wrap_up_limit=30.0)))
    await stage.desk.open([VdnId(1)])
    await stage.sign_in(101, status=AgentState.WRAP_UP)
    await stage.desk.ask(ChangeState(A, Trigger.WORK))
    left = [change for change in stage.store.written if isinstance(change, SessionSaved)][-1]
    again = new_stage(LiveSettings(Path("/rec"), AgentSettings(wrap_up_limit=30.0)))
    again.store.restored[VdnId(1)] = Restored([left])
    await again.desk.open([VdnId(1)])
    for one in (stage, again):
        assert one.state(101) is AgentState.WRAP_UP
        await one.later(31)
        assert one.state(101) is AgentState.IDLE
        await one.desk.close()
        await one.tasks.close()


async def test_wrap_up_that_was_left_in_time_ends_once(new_stage):
    stage = new_stage(LiveSettings(Path("/rec"), AgentSettings(wrap_up_limit=30.0)))
    await stage.desk.open([VdnId(1)])
    await stage.sign_in(101)
    await stage.desk.ask(ChangeState(A, Trigger.WORK))
    await stage.desk.ask(ChangeState(A, Trigger.CANCEL_WORK))
    await stage.forget(101)
    await stage.later(31)
    assert await stage.names(101) == []
    await stage.desk.close()
    await stage.tasks.close()
