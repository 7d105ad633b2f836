"""A certain call that waits is taken before its turn; the agent's number is said to the customer."""

from __future__ import annotations

import pytest
from tests.live.refusals import refused

from sottovoce.domain.agents import AgentState
from sottovoce.domain.directory import AgentId, SkillId
from sottovoce.domain.supervision import Mode
from sottovoce.errors import Code
from sottovoce.live.consulting import Consult
from sottovoce.live.handling import Answer, Hold, Release
from sottovoce.live.requesting import RequestCall, SayNumber, sound_of

A, B, I = AgentId(101), AgentId(102), AgentId(300)  # noqa: E741


@pytest.fixture
async def waiting(stage):
    """555 and 556 wait in queue 1; agents 101 and 102 are idle and in no queue."""
    await stage.call_in("555")
    await stage.call_in("556")
    await stage.sign_in(A, B, I, skills=False)
    await stage.forget(A, B)
    return stage


def queued(stage) -> list[str]:
    return [call.call for call in stage.desk.waiting_calls(A, SkillId(1))]


async def test_the_second_call_is_taken_before_the_first(waiting):
    first, second = queued(waiting)
    await waiting.desk.ask(RequestCall(A, second, SkillId(1)))
    await waiting.quiet()
    assert waiting.hears() == {"555": {"♪"}, "556": {"1101"}, "1101": {"556"}}
    assert queued(waiting) == [first]
    assert await waiting.names(A) == [
        "AgentPreoccupied",
        "CallAssigned",
        "PhoneAlerting",
        "PhoneOffHook",
        "CallAutoAnswered",
        "CustomerAlerting",
        "CallTalking",
        "RecordingStarted",
    ]
    await refused(Code.NOT_FOUND, waiting.desk.ask(RequestCall(B, second)))


async def test_who_lets_it_ring_sends_it_back_to_its_place(waiting):
    first, second = queued(waiting)
    waiting.phone(A).ready = False
    await waiting.desk.ask(RequestCall(A, first))
    await waiting.quiet()
    assert queued(waiting) == [second]
    await waiting.later(20)
    assert queued(waiting) == [first, second]
    assert waiting.state(A) is AgentState.BUSY


async def test_what_cannot_be_requested(waiting):
    first, _ = queued(waiting)
    for code, asked in (
        (Code.NOT_FOUND, RequestCall(A, "1-1")),
        (Code.NOT_FOUND, RequestCall(A, first, SkillId(2))),
        (Code.NO_RIGHT, RequestCall(I, first)),
    ):
        await refused(code, waiting.desk.ask(asked))
    await waiting.desk.ask(RequestCall(A, first))
    await refused(Code.WRONG_AGENT_STATE, waiting.desk.ask(RequestCall(A, first)))
    await waiting.quiet()
    assert len(queued(waiting)) == 1


async def test_a_consult_that_waits_for_a_queue_is_taken_too(waiting):
    first, _ = queued(waiting)
    await waiting.desk.ask(RequestCall(A, first))
    await waiting.quiet()
    consult = await waiting.desk.call_out(Consult(A, SkillId(2), queue=True))
    await waiting.quiet()
    await waiting.desk.ask(RequestCall(B, consult))
    await waiting.quiet()
    assert waiting.hears() == {"555": {"♪"}, "556": {"♪"}, "1101": {"1102"}, "1102": {"1101"}}


async def test_the_number_is_said_to_all_who_hear_each_other_and_to_no_held_customer(on_call, tmp_path):
    sound = tmp_path / "101.wav"
    await on_call.sign_in(B, skills=False)
    await on_call.desk.supervise(I, A, Mode.WHISPER)
    await on_call.quiet()
    legs = {phone.leg for phone in on_call.lines.phones.values() if phone.leg is not None}
    await on_call.desk.ask(SayNumber(A, sound))
    assert on_call.engine.playing == dict.fromkeys(legs, str(sound))
    assert len(legs) == 3
    await refused(Code.NO_CALL, on_call.desk.ask(SayNumber(B, sound)))
    await on_call.desk.ask(Hold(A))
    await on_call.quiet()
    assert on_call.engine.playing[on_call.lines.phones["555"].leg] == "music", "the hold ends it"
    await refused(Code.NO_CALL, on_call.desk.ask(SayNumber(A, sound)))
    await on_call.desk.call_out(Consult(A, B))
    await on_call.quiet()
    await refused(Code.NO_CALL, on_call.desk.ask(SayNumber(A, sound)))
    await on_call.desk.ask(Release(A))


async def test_before_the_talk_and_without_a_sound_nothing_is_said(stage, tmp_path):
    await stage.sign_in(A, auto_answer=False)
    await stage.call_in("555")
    await refused(Code.NO_CALL, stage.desk.ask(SayNumber(A, tmp_path / "101.wav")))
    await stage.desk.ask(Answer(A))
    await refused(Code.NOT_SERVED, stage.desk.say_number(A))


def test_which_sound_says_a_number(tmp_path):
    assert sound_of(tmp_path, A) is None
    (tmp_path / "agent.wav").touch()
    assert sound_of(tmp_path, A) == tmp_path / "agent.wav"
    (tmp_path / "101.wav").touch()
    assert sound_of(tmp_path, A) == tmp_path / "101.wav"
    assert sound_of(tmp_path, B) == tmp_path / "agent.wav"
