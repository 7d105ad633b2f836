"""Recordings heard on agents' phones: begun, halted, moved, over; and what comes between."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.live.refusals import refused

from sottovoce.domain.agents import AgentState
from sottovoce.domain.directory import AgentId
from sottovoce.domain.supervision import Mode
from sottovoce.errors import Code, Refused
from sottovoce.live.handling import CallOut, ReleasePhone
from sottovoce.live.playing import HaltPlaying, MovePlaying, PlayRecording, StopPlaying
from sottovoce.live.presence import SignOutAgent
from sottovoce.media.engine import HaltSound, MoveSound, Play, SoundEnded

A, B, I = AgentId(101), AgentId(102), AgentId(300)  # noqa: E741
TALK = "/rec/1/talk.wav"


def hear(by=A, at_ms=0):
    return PlayRecording(by, Path(TALK), at_ms)


def leg_of(stage, agent=101):
    return next(leg for leg, phone in stage.lines.legs.items() if phone.number == str(1000 + agent))


@pytest.fixture
async def hearing(stage):
    """Agent 101 hears a recording; nobody calls."""
    await stage.sign_in(101, 300)
    await stage.forget(101, 300)
    await stage.desk.ask(hear())
    await stage.quiet()
    return stage


async def test_the_phone_rings_plays_and_is_down_again(hearing):
    stage = hearing
    assert stage.engine.playing == {leg_of(stage): TALK}
    assert (await stage.desk.snapshot(A)).playing
    await stage.desk.ask(StopPlaying(A))
    await stage.quiet()
    assert stage.engine.playing == {}
    assert not stage.phone(101).up
    assert not (await stage.desk.snapshot(A)).playing
    assert stage.state(101) is AgentState.IDLE


async def test_what_the_agent_is_told(stage):
    await stage.sign_in(101)
    await stage.forget(101)
    await stage.desk.ask(hear())
    assert await stage.names(101) == ["PhoneAlerting", "PhoneOffHook", "PlaybackStarted"]
    stage.engine.tell(SoundEnded(leg_of(stage), TALK))
    assert await stage.names(101) == ["PlaybackDone", "PhoneReleased"]


async def test_a_phone_that_stands_neither_rings_nor_goes_down(standing):
    stage = standing
    stage.lines.phones["555"].hang_up()
    await stage.quiet()
    await stage.forget(101)
    await stage.desk.ask(hear())
    assert await stage.names(101) == ["PlaybackStarted"]
    stage.engine.tell(SoundEnded(leg_of(stage), TALK))
    assert await stage.names(101) == ["PlaybackDone"]
    assert stage.phone(101).up


async def test_it_is_halted_and_moved(hearing):
    stage, leg = hearing, leg_of(hearing)
    await refused(Code.WRONG_CALL_STATE, stage.desk.ask(HaltPlaying(A, False)))
    await stage.desk.ask(HaltPlaying(A, True))
    await refused(Code.WRONG_CALL_STATE, stage.desk.ask(HaltPlaying(A, True)))
    await stage.desk.ask(MovePlaying(A, -15_000))
    await stage.desk.ask(HaltPlaying(A, False))
    assert stage.engine.steered == [HaltSound(leg, True), MoveSound(leg, -15_000), HaltSound(leg, False)]


async def test_nothing_is_done_where_nothing_is_heard(stage):
    await stage.sign_in(101)
    for asked in (StopPlaying(A), HaltPlaying(A, True), HaltPlaying(A, False), MovePlaying(A, 1)):
        await refused(Code.WRONG_CALL_STATE, stage.desk.ask(asked))
    stage.phone(101).ready = False
    await stage.desk.ask(hear())
    await stage.quiet()
    await refused(Code.WRONG_CALL_STATE, stage.desk.ask(HaltPlaying(A, True)))
    await refused(Code.WRONG_CALL_STATE, stage.desk.ask(MovePlaying(A, 1)))
    await refused(Code.WRONG_CALL_STATE, stage.desk.ask(hear()))
    await stage.desk.ask(StopPlaying(A))
    await stage.quiet()
    assert stage.phone(101).leg is None


async def test_nobody_hears_one_in_a_call_or_while_supervising(on_call):
    stage = on_call
    await refused(Code.WRONG_CALL_STATE, stage.desk.ask(hear()))
    await stage.desk.supervise(I, A, Mode.LISTEN)
    await refused(Code.WRONG_CALL_STATE, stage.desk.ask(hear(I)))
    with pytest.raises(Refused):
        stage.desk.may_play(I)
    assert stage.hears()["555"] == {"1101"}


async def test_a_call_goes_first_and_finds_the_phone_up(hearing):
    stage = hearing
    await stage.forget(101)
    await stage.call_in("555")
    assert stage.engine.playing == {}
    assert stage.hears() == {"555": {"1101"}, "1101": {"555"}}
    told = await stage.names(101)
    assert told[0] == "PlaybackDone"
    assert "CallTalking" in told
    assert "PhoneAlerting" not in told
    stage.engine.tell(SoundEnded(leg_of(stage), TALK))
    assert stage.hears() == {"555": {"1101"}, "1101": {"555"}}, "what ended before is nobody's end"


async def test_a_call_that_comes_while_the_phone_rings_for_a_recording_rings_it_anew(stage):
    await stage.sign_in(101)
    stage.phone(101).ready = False
    await stage.desk.ask(hear())
    await stage.quiet()
    await stage.forget(101)
    await stage.call_in("555")
    assert (await stage.names(101))[:2] == ["PlaybackDone", "PhoneReleased"]
    stage.phone(101).lift()
    await stage.quiet()
    assert stage.hears() == {"555": {"1101"}, "1101": {"555"}}
    assert stage.engine.playing == {}


async def test_a_call_out_ends_it(hearing):
    stage = hearing
    stage.lines.phone("0777", ready=True)
    await stage.desk.call_out(CallOut(A, "0777"))
    await stage.quiet()
    assert stage.engine.playing == {}
    assert stage.hears() == {"0777": {"1101"}, "1101": {"0777"}}


async def test_a_supervision_of_the_listener_s_own_ends_it(stage):
    await stage.sign_in(101, 300)
    await stage.desk.ask(hear(I))
    await stage.quiet()
    await stage.call_in("555")
    await stage.forget(300)
    await stage.desk.supervise(I, A, Mode.WHISPER)
    await stage.quiet()
    assert stage.engine.playing == {}
    assert stage.hears()["1300"] == {"555", "1101"}
    assert (await stage.names(300))[0] == "PlaybackDone"


async def test_a_supervised_agent_hears_alone(hearing):
    stage = hearing
    await stage.desk.supervise(I, A, Mode.LISTEN)
    await stage.quiet()
    assert stage.engine.playing == {leg_of(stage): TALK}
    assert stage.hears()["1300"] == set()


async def test_the_phone_that_is_hung_up_ends_it(hearing):
    stage = hearing
    await stage.forget(101)
    stage.phone(101).hang_up()
    assert await stage.names(101) == ["PlaybackDone", "PhoneReleased"]
    assert stage.state(101) is AgentState.IDLE


async def test_a_phone_that_nobody_lifts_rings_no_longer_than_others(stage):
    await stage.sign_in(101)
    stage.phone(101).ready = False
    await stage.desk.ask(hear())
    await stage.quiet()
    await stage.forget(101)
    await stage.later(19)
    assert stage.phone(101).leg is not None
    await stage.later(2)
    assert stage.phone(101).leg is None
    assert await stage.names(101) == ["PlaybackDone", "PhoneReleased"]


async def test_a_file_that_cannot_be_played_ends_it(stage):
    await stage.sign_in(101)
    await stage.forget(101)

    def fault(request):
        if isinstance(request, Play) and request.sound is not None:
            raise Refused(Code.BAD_PARAMETER, "cannot play")

    stage.engine.fault = fault
    await stage.desk.ask(hear())
    told = await stage.names(101)
    assert "PlaybackStarted" not in told
    assert told[-2:] == ["PlaybackDone", "PhoneReleased"]


async def test_signing_out_and_releasing_the_phone_end_it(hearing):
    stage = hearing
    await stage.desk.ask(ReleasePhone(A))
    await stage.quiet()
    assert (stage.engine.playing, stage.phone(101).up) == ({}, False)
    await stage.desk.ask(hear())
    await stage.quiet()
    await stage.desk.ask(SignOutAgent(A))
    await stage.quiet()
    assert (stage.engine.playing, stage.phone(101).up) == ({}, False)


async def test_nothing_is_heard_without_a_phone(stage):
    await stage.sign_in(101, phoneless=True)
    await refused(Code.WRONG_CALL_STATE, stage.desk.ask(hear()))
    with pytest.raises(Refused):
        stage.desk.may_play(A)
