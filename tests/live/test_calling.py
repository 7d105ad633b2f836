"""Calls: the queue, ringing, answering in every shape, hold, mute, release, calling out, recordings."""

from __future__ import annotations

from pathlib import Path

import pytest
from structlog.testing import capture_logs
from tests.live.refusals import refused
from tests.scripted_phones import ScriptedPhone

from sottovoce.domain import events
from sottovoce.domain.agents import AgentState, Trigger
from sottovoce.domain.directory import AgentId, SkillId, VdnId
from sottovoce.domain.journal import ContactBegan, ContactEnded, DialogEnded, SegmentEnded
from sottovoce.domain.legs import LegId, RecordingResult, ReleaseCause
from sottovoce.domain.lines import LegAnswered, LegPressed, LegSaved
from sottovoce.domain.supervision import Mode
from sottovoce.errors import Code
from sottovoce.live.availability import ChangeState, ChooseSkills, SetHabit
from sottovoce.live.consulting import CallInner
from sottovoce.live.handling import Answer, CallOut, DialOn, Hold, Mute, Release, TakeBack
from sottovoce.live.supervising import DropCall
from sottovoce.media.engine import DigitPressed, LegProven, LegTimedOut, RecordingStopped

A, B, C, I = AgentId(101), AgentId(102), AgentId(103), AgentId(300)  # noqa: E741
TWO = {"555": {"1101"}, "1101": {"555"}}


def contacts(stage):
    """What the journal says of contacts, in short."""
    words = []
    for change in stage.store.written:
        match change:
            case ContactBegan(direction=direction, caller=caller, called=called):
                words.append(f"began {direction} {caller} {called}")
            case SegmentEnded(agent=agent, failure=failure):
                words.append(f"segment {agent}" + (f" {failure}" if failure else ""))
            case ContactEnded(reason=reason):
                words.append(f"ended {reason}")
    return words


# Answering: autoanswer x releasephone x who acts (design, decision 15)


@pytest.mark.parametrize("release_phone", [True, False])
@pytest.mark.parametrize("auto_answer", [True, False])
async def test_the_first_call_rings_the_phone(stage, auto_answer, release_phone):
    stage.phone(101).ready = False
    await stage.sign_in(101, auto_answer=auto_answer, release_phone=release_phone)
    await stage.forget(101)
    await stage.call_in("555")
    assert await stage.names(101) == ["AgentPreoccupied", "CallAssigned", "PhoneAlerting"]
    await refused(Code.NOTHING_TO_ANSWER, stage.desk.ask(Answer(A)))
    stage.phone(101).lift()
    if auto_answer:
        assert await stage.names(101) == [
            "PhoneOffHook",
            "CallAutoAnswered",
            "CustomerAlerting",
            "CallTalking",
            "RecordingStarted",
        ]
    else:
        assert await stage.names(101) == ["PhoneOffHook", "CallRinging", "CustomerAlerting"]
        assert stage.state(101) is AgentState.ANSWERING
        assert stage.hears() == {"555": {"♪"}, "1101": set()}
        await refused(Code.NOTHING_TO_ANSWER, stage.desk.ask(Answer(A, "1-1")))
        await stage.desk.ask(Answer(A, stage.desk.call_ids(A)[0]))
        assert await stage.names(101) == ["CallTalking", "RecordingStarted"]
    assert stage.hears() == TWO
    await refused(Code.NOTHING_TO_ANSWER, stage.desk.ask(Answer(A)))
    await stage.desk.ask(Release(A))
    names = await stage.names(101)
    assert ("PhoneReleased" in names) is release_phone
    assert (stage.phone(101).leg is None) is release_phone


@pytest.mark.parametrize("auto_answer", [True, False])
async def test_a_standing_leg_needs_no_ringing(stage, auto_answer):
    await stage.sign_in(101, auto_answer=auto_answer, release_phone=False)
    await stage.call_in("555")
    if not auto_answer:
        await stage.desk.ask(Answer(A))
    await stage.desk.ask(Release(A))
    await stage.forget(101)
    await stage.call_in("556")
    names = await stage.names(101)
    assert "PhoneAlerting" not in names
    if auto_answer:
        assert names[2:] == ["CallAutoAnswered", "CustomerAlerting", "CallTalking", "RecordingStarted"]
    else:
        assert names[2:] == ["CallRinging", "CustomerAlerting"]
        await stage.desk.ask(Answer(A))
        await stage.quiet()
    assert stage.hears() == {"556": {"1101"}, "1101": {"556"}}


async def test_autoanswer_can_be_changed_while_signed_in(stage):
    await stage.sign_in(101)
    await stage.desk.ask(SetHabit(A, auto_answer=False))
    await stage.call_in("555")
    assert stage.state(101) is AgentState.ANSWERING


# The queue


async def test_the_caller_waits_with_music_and_goes_to_the_agent_idle_longest(stage):
    await stage.call_in("555")
    assert stage.hears() == {"555": {"♪"}}
    await stage.sign_in(102, 101)
    assert stage.hears() == {"555": {"1102"}, "1102": {"555"}}
    await stage.desk.ask(Release(B))
    await stage.quiet()
    await stage.call_in("556")
    assert stage.hears() == {"556": {"1101"}, "1101": {"556"}}


async def test_calls_wait_in_order(stage):
    await stage.call_in("555")
    await stage.call_in("556")
    await stage.sign_in(101)
    assert stage.hears() == TWO | {"556": {"♪"}}
    await stage.desk.ask(Release(A))
    await stage.quiet()
    assert stage.hears() == {"556": {"1101"}, "1101": {"556"}}


async def test_who_takes_no_calls_is_given_none_until_they_do_again(stage):
    await stage.sign_in(101)
    await stage.desk.ask(SetHabit(A, takes_calls=False))
    await stage.call_in("555")
    assert stage.hears() == {"555": {"♪"}}
    assert stage.state(101) is AgentState.IDLE
    await stage.desk.ask(SetHabit(A, takes_calls=True))
    await stage.quiet()
    assert stage.hears() == TWO
    await stage.desk.ask(SetHabit(A, takes_calls=False))
    assert stage.hears() == TWO


async def test_a_colleague_reaches_who_takes_no_calls(stage):
    await stage.sign_in(101, 102)
    await stage.desk.ask(SetHabit(B, takes_calls=False))
    await stage.desk.call_out(CallInner(A, B))
    await stage.quiet()
    assert stage.hears() == {"1101": {"1102"}, "1102": {"1101"}}


async def test_only_agents_of_the_skill_get_the_call(stage):
    await stage.sign_in(101, skills=False)
    await stage.desk.ask(ChooseSkills(A, every=False, skills=(SkillId(2), SkillId(9))))
    await stage.call_in("555")
    assert stage.hears() == {"555": {"♪"}}
    await stage.desk.ask(ChooseSkills(A, every=False, skills=(SkillId(1),)))
    await stage.quiet()
    assert stage.hears() == TWO


async def test_an_unknown_number_is_refused(stage):
    await stage.sign_in(101)
    customer = await stage.call_in("555", "999")
    assert customer.leg is None
    assert contacts(stage) == []


async def test_who_lets_it_ring_is_busy_and_the_next_one_gets_it(stage):
    stage.phone(101).ready = False
    await stage.sign_in(101, 102)
    await stage.forget(101, 102)
    await stage.call_in("555")
    await stage.later(20)
    assert await stage.names(101) == [
        "AgentPreoccupied",
        "CallAssigned",
        "PhoneAlerting",
        "CallNotAnswered",
        "PhoneReleased",
        "AgentSetBusy",
    ]
    assert stage.state(101) is AgentState.BUSY
    assert (await stage.desk.snapshot(A)).reason == 2
    assert stage.hears() == {"555": {"1102"}, "1102": {"555"}}


async def test_who_lifts_but_never_answers_is_busy_too(stage):
    await stage.sign_in(101, auto_answer=False)
    await stage.call_in("555")
    await stage.later(20)
    assert stage.state(101) is AgentState.BUSY
    assert stage.hears() == {"555": {"♪"}}


@pytest.mark.parametrize(
    ("cause", "reason"),
    [
        (ReleaseCause.BUSY, 7),
        (ReleaseCause.REJECTED, 7),
        (ReleaseCause.NO_ANSWER, 2),
        (ReleaseCause.OVERLOAD, 5),
        (ReleaseCause.UNSUPPORTED_MEDIA, 5),
    ],
)
async def test_a_phone_that_refuses(stage, cause, reason):
    stage.phone(101).rejects = cause
    await stage.sign_in(101, 102)
    with capture_logs() as logs:
        await stage.call_in("555")
    warned = [(line["agent"], line["cause"]) for line in logs if line["log_level"] == "warning"]
    assert warned == ([(A, cause.value)] if reason == 5 else [])
    assert (await stage.desk.snapshot(A)).reason == reason
    assert stage.hears() == {"555": {"1102"}, "1102": {"555"}}


async def test_a_call_that_comes_back_keeps_its_place(stage):
    await stage.sign_in(101)
    stage.phone(101).ready = False
    await stage.call_in("555")
    await stage.call_in("556")
    await stage.later(20)
    await stage.sign_in(102)
    assert stage.hears() == {"555": {"1102"}, "1102": {"555"}, "556": {"♪"}}


@pytest.mark.parametrize("when", ["queued", "ringing", "lifted"])
async def test_a_caller_gives_up(stage, when):
    if when != "queued":
        stage.phone(101).ready = when == "lifted"
        await stage.sign_in(101, auto_answer=False)
        await stage.forget(101)
    customer = await stage.call_in("555")
    customer.hang_up()
    await stage.quiet()
    assert stage.hears() == {}
    assert contacts(stage) == ["began inbound 555 801", "ended customer: normal"]
    if when == "ringing":
        assert (await stage.names(101))[3:] == ["PhoneReleased", "AgentReady"]
    if when == "lifted":
        expected = ["CallReleased", "CustomerReleased", "PhoneReleased", "AgentReady"]
        assert (await stage.names(101))[-4:] == expected


async def test_the_agent_declines_before_answering(stage):
    await stage.sign_in(101, auto_answer=False)
    await stage.call_in("555")
    await stage.desk.ask(Release(A))
    await stage.quiet()
    assert (await stage.desk.snapshot(A)).reason == 7
    assert stage.hears() == {"555": {"♪"}}


async def test_early_media_is_answered_when_the_agent_talks(stage):
    customer = await stage.call_in("555", "901")
    assert not customer.up
    assert stage.hears() == {"555": {"♪"}}
    await stage.sign_in(101)
    assert customer.up
    assert stage.hears() == TWO


# Talking


async def test_release_by_the_agent(stage):
    await stage.sign_in(101)
    await stage.call_in("555")
    await stage.forget(101)
    await stage.desk.ask(Release(A))
    assert await stage.names(101) == [
        "CallReleased",
        "CustomerReleased",
        "PhoneReleased",
        "AgentReady",
        "RecordingDone",
    ]
    assert contacts(stage) == ["began inbound 555 801", "segment 101", "ended agent: released"]
    await refused(Code.NO_CALL, stage.desk.ask(Release(A)))


async def test_release_by_the_customer_and_wrap_up(stage):
    await stage.sign_in(101, auto_idle=False)
    customer = await stage.call_in("555")
    await stage.forget(101)
    customer.hang_up()
    assert (await stage.names(101))[:4] == [
        "CallReleased",
        "CustomerReleased",
        "PhoneReleased",
        "AgentWorking",
    ]
    assert stage.state(101) is AgentState.WRAP_UP
    await stage.desk.ask(ChangeState(A, Trigger.CANCEL_WORK))
    assert await stage.names(101) == ["AgentWorkCancelled"]
    assert stage.state(101) is AgentState.IDLE


async def test_the_agents_phone_hangs_up(stage):
    await stage.sign_in(101, release_phone=False)
    await stage.call_in("555")
    await stage.forget(101)
    stage.phone(101).hang_up()
    told = await stage.events(101)
    assert told[0] == events.PhoneReleased(A, by_agent=True)
    assert stage.hears() == {}
    assert contacts(stage)[-1] == "ended agent: normal"


async def test_a_silent_leg_ends_the_call(stage):
    await stage.sign_in(101)
    customer = await stage.call_in("555")
    leg = customer.leg
    stage.engine.tell(LegTimedOut(leg))
    await stage.quiet()
    assert stage.hears() == {}
    assert contacts(stage)[-1] == "ended media_timeout"
    assert stage.lines.ends[leg] is ReleaseCause.MEDIA_TIMEOUT, "its BYE says so (RFC 3326)"


async def test_hold_and_take_back(stage):
    await stage.sign_in(101)
    await refused(Code.NO_CALL, stage.desk.ask(Hold(A)))
    await stage.call_in("555")
    await refused(Code.NO_HELD_CALL, stage.desk.ask(TakeBack(A)))
    await stage.forget(101)
    await stage.desk.ask(Hold(A))
    await refused(Code.WRONG_CALL_STATE, stage.desk.ask(Hold(A)))
    assert await stage.names(101) == ["CallHeld"]
    assert stage.hears() == {"555": {"♪"}, "1101": set()}
    assert stage.engine.recorded == frozenset()
    await refused(Code.NO_HELD_CALL, stage.desk.ask(TakeBack(A, "1-1")))
    await stage.desk.ask(TakeBack(A, stage.desk.call_ids(A)[0]))
    assert await stage.names(101) == ["CallTalking"]
    assert stage.hears() == TWO
    assert len(stage.engine.recorded) == 2


async def test_mute(stage):
    await stage.sign_in(101)
    await refused(Code.NO_CALL, stage.desk.ask(Mute(A, True)))
    await stage.call_in("555")
    await refused(Code.WRONG_CALL_STATE, stage.desk.ask(Mute(A, False)))
    await stage.desk.ask(Mute(A, True))
    await refused(Code.WRONG_CALL_STATE, stage.desk.ask(Mute(A, True)))
    await stage.quiet()
    assert stage.hears() == {"555": set(), "1101": {"555"}}
    assert len(stage.engine.recorded) == 1
    await stage.desk.ask(Mute(A, False))
    await stage.quiet()
    assert stage.hears() == TWO


async def test_digits_go_to_the_customer(stage):
    await stage.sign_in(101)
    await refused(Code.NO_CALL, stage.desk.ask(DialOn(A, "1")))
    customer = await stage.call_in("555")
    await stage.desk.ask(DialOn(A, "12*#"))
    await stage.quiet()
    assert stage.engine.digits == [(customer.leg, "12*#")]
    for digits in ("", "x", "1" * 25, "1,2"):
        await refused(Code.BAD_PARAMETER, stage.desk.ask(DialOn(A, digits)))


@pytest.mark.parametrize("told", [DigitPressed, LegPressed])
async def test_a_key_goes_to_the_other_party_and_an_inspectors_to_nobody(stage, told):
    """By either way, supervised and recorded; decision 14: nothing to or from who is held or muted."""
    say = stage.engine.tell if told is DigitPressed else stage.lines.say
    await stage.sign_in(101, 300)
    customer = await stage.call_in("555")
    agent = stage.phone(101)
    await stage.desk.supervise(I, A, Mode.INSERT)
    await stage.quiet()
    inspector = stage.phone(300)

    async def pressed(*keys: tuple[ScriptedPhone, str]) -> list[tuple[LegId, str]]:
        stage.engine.digits.clear()
        for phone, key in keys:
            say(told(phone.leg, key))
        await stage.quiet()
        return stage.engine.digits

    both = (customer, "5"), (agent, "#")
    assert await pressed(*both) == [(agent.leg, "5"), (customer.leg, "#")]
    assert await pressed((inspector, "7")) == []
    await stage.desk.ask(Mute(A, True))
    assert await pressed(*both) == [(agent.leg, "5")]
    await stage.desk.ask(Mute(A, False))
    await stage.desk.ask(Hold(A))
    assert await pressed(*both) == []


# Calling out


async def test_a_call_out_rings_the_agent_then_the_customer(stage):
    stage.phone(101).ready = False
    customer = stage.lines.phone("0123")
    await stage.sign_in(101)
    await stage.forget(101)
    call = await stage.desk.call_out(CallOut(A, "0123", "777"))
    assert await stage.names(101) == ["PhoneAlerting"]
    await refused(Code.NO_CALL, stage.desk.ask(DialOn(A, "1")))
    stage.phone(101).lift()
    assert await stage.names(101) == ["PhoneOffHook", "AgentPreoccupied", "CustomerAlerting"]
    await refused(Code.NO_CALL, stage.desk.ask(DialOn(A, "1")))
    assert stage.hears() == {"1101": {"♪"}, "0123": set()}
    customer.lift()
    assert await stage.names(101) == ["CallTalking", "RecordingStarted"]
    assert stage.hears() == {"1101": {"0123"}, "0123": {"1101"}}
    shown = stage.desk.call_info(A)
    assert (shown.call, shown.caller, shown.called) == (call, "777", "0123")
    customer.hang_up()
    await stage.quiet()
    assert stage.hears() == {}
    assert contacts(stage) == ["began outbound 777 0123", "segment 101", "ended customer: normal"]


async def test_sound_before_the_answer_is_heard_instead_of_our_ringing(stage):
    """A 183 with SDP: the network's own ringing or announcement. Nobody is heard there before the answer."""
    customer = stage.lines.phone("0123")
    await stage.sign_in(101, 300)
    await stage.desk.supervise(I, A, Mode.WHISPER)
    await stage.desk.call_out(CallOut(A, "0123"))
    await stage.quiet()
    assert "♪" in stage.hears()["1101"]
    stage.engine.tell(LegProven(customer.leg))
    await stage.quiet()
    assert stage.hears() == {"1101": {"0123", "1300"}, "1300": {"1101", "0123"}, "0123": set()}
    customer.lift()
    await stage.quiet()
    assert stage.hears() == {"1101": {"0123", "1300"}, "1300": {"1101", "0123"}, "0123": {"1101"}}


@pytest.mark.parametrize("early", [False, True])
async def test_who_has_not_answered_yet_may_be_silent(stage, early):
    """A trunk may describe its media in a 183 and send none before its 200, however long it rings."""
    customer = stage.lines.phone("0123")
    await stage.sign_in(101)
    await stage.desk.call_out(CallOut(A, "0123"))
    await stage.quiet()
    if early:
        stage.engine.tell(LegProven(customer.leg))
    stage.engine.tell(LegTimedOut(customer.leg))
    await stage.quiet()
    customer.lift()
    await stage.quiet()
    assert stage.hears() == {"1101": {"0123"}, "0123": {"1101"}}
    stage.engine.tell(LegTimedOut(customer.leg))
    await stage.quiet()
    assert contacts(stage)[-1] == "ended media_timeout"


async def test_early_sound_ends_with_a_refusal(stage):
    customer = stage.lines.phone("0123")
    await stage.sign_in(101, release_phone=False)
    await stage.desk.call_out(CallOut(A, "0123"))
    await stage.quiet()
    stage.engine.tell(LegProven(customer.leg))
    customer.hang_up(ReleaseCause.BUSY)
    await stage.quiet()
    assert stage.hears() == {"1101": set()}


async def test_the_agent_never_lifts(stage):
    stage.phone(101).ready = False
    await stage.sign_in(101)
    await stage.forget(101)
    await stage.desk.call_out(CallOut(A, "0123"))
    await stage.later(20)
    assert await stage.names(101) == ["PhoneAlerting", "CallOutFailed", "ConnectFailed", "PhoneReleased"]
    assert stage.state(101) is AgentState.IDLE
    assert stage.hears() == {}


@pytest.mark.parametrize("why", ["unreachable", "busy", "no answer", "gives up"])
async def test_the_callee_fails(stage, why):
    if why != "unreachable":
        stage.lines.phone("0123", rejects=ReleaseCause.BUSY if why == "busy" else None)
    await stage.sign_in(101)
    await stage.forget(101)
    await stage.desk.call_out(CallOut(A, "0123"))
    await stage.quiet()
    if why == "no answer":
        await stage.later(60)
    elif why == "gives up":
        await stage.desk.ask(Release(A))
    expected = ["PhoneReleased", "CallOutFailed", "ConnectFailed", "AgentReady"]
    assert (await stage.names(101))[-4:] == expected
    assert stage.hears() == {}


async def test_who_may_not_call_out(stage):
    await stage.sign_in(101, 104)
    await refused(Code.NO_RIGHT, stage.desk.call_out(CallOut(AgentId(104), "0123")))
    await refused(Code.NUMBER_NOT_ALLOWED, stage.desk.call_out(CallOut(A, "9123")))
    for number in ("", "12a", "1" * 25, "+49"):
        await refused(Code.BAD_NUMBER, stage.desk.call_out(CallOut(A, number)))
    await refused(Code.BAD_PARAMETER, stage.desk.call_out(CallOut(A, "0123", "", SkillId(9))))
    await stage.call_in("555")
    await refused(Code.WRONG_AGENT_STATE, stage.desk.call_out(CallOut(A, "0123")))


async def test_while_the_own_phone_rings_no_call_is_given(stage):
    stage.phone(101).ready = False
    stage.lines.phone("0123", ready=True)
    await stage.sign_in(101)
    await stage.desk.call_out(CallOut(A, "0123"))
    await stage.call_in("555")
    assert stage.hears()["555"] == {"♪"}
    await refused(Code.WRONG_AGENT_STATE, stage.desk.call_out(CallOut(A, "0123")))
    stage.phone(101).lift()
    await stage.quiet()
    assert stage.hears()["1101"] == {"0123"}


async def test_who_calls_out_while_busy_is_busy_again(stage):
    stage.lines.phone("0123", ready=True)
    await stage.sign_in(101)
    await stage.desk.ask(ChangeState(A, Trigger.SAY_BUSY, 205))
    await stage.desk.call_out(CallOut(A, "0123"))
    await stage.quiet()
    await stage.desk.ask(Release(A))
    snapshot = await stage.desk.snapshot(A)
    assert (snapshot.agent.state, snapshot.reason) == (AgentState.BUSY, 205)


# Recordings and the journal


async def test_the_recordings_path(stage):
    await stage.sign_in(101)
    await stage.call_in("555")
    call = stage.desk.call_ids(A)[0]
    [recording] = stage.engine.recordings.values()
    assert recording.path == Path(f"/rec/1/2026/01/01/{call}-101-1.wav")


async def test_a_recording_that_cannot_begin_leaves_the_call_alone(stage):
    stage.engine.refuse_recordings = True
    await stage.sign_in(101)
    await stage.call_in("555")
    told = await stage.events(101)
    assert type(told[-1]) is events.RecordingFailed
    assert stage.hears() == TWO
    await stage.desk.ask(Release(A))
    await stage.quiet()
    assert contacts(stage)[1:] == ["segment 101 disk full", "ended agent: released"]
    [segment] = [change for change in stage.store.written if isinstance(change, SegmentEnded)]
    assert segment.recording is None


async def test_a_recording_that_stops_by_itself(stage):
    await stage.sign_in(101)
    await stage.call_in("555")
    await stage.forget(101)
    [recording] = stage.engine.recordings.values()
    stage.engine.tell(
        RecordingStopped(RecordingResult(recording.recording, recording.path, 1, {}, "disk full"))
    )
    assert await stage.names(101) == ["RecordingFailed"]
    assert stage.hears() == TWO
    await stage.desk.ask(Release(A))
    await stage.quiet()
    assert contacts(stage)[1:] == ["segment 101 disk full", "ended agent: released"]


async def test_dialogs_are_journaled_for_a_crash(stage):
    await stage.sign_in(101)
    customer = await stage.call_in("555")
    leg = customer.leg
    stage.lines.say(LegSaved(leg, {"call-id": "x"}))
    await stage.quiet()
    assert stage.store.written[-1].dialog == {"call-id": "x"}
    customer.hang_up()
    await stage.quiet()
    assert DialogEnded(leg, VdnId(1)) in stage.store.written


async def test_an_inspector_drops_a_call(stage):
    await stage.sign_in(101, 300)
    await stage.call_in("555")
    call = stage.desk.call_ids(A)[0]
    await refused(Code.NO_RIGHT, stage.desk.ask(DropCall(A, call)))
    await refused(Code.NO_CALL, stage.desk.ask(DropCall(I, "1-1")))
    await stage.desk.ask(DropCall(I, call))
    await stage.quiet()
    assert stage.hears() == {}
    assert contacts(stage)[-1] == "ended dropped by 300"
    await refused(Code.NO_CALL, stage.desk.ask(DropCall(I, call)))


async def test_the_call_of_another_vdn_cannot_be_dropped(stage):
    await stage.sign_in(101)
    await stage.desk.sessions.sign_in(AgentId(309), _wish())
    await stage.call_in("555")
    await refused(Code.NO_CALL, stage.desk.ask(DropCall(AgentId(309), stage.desk.call_ids(A)[0])))


def _wish():
    from sottovoce.live.views import SignIn

    return SignIn("secret", "")


async def test_call_info(stage):
    await stage.sign_in(101)
    assert stage.desk.call_info(A) is None
    await stage.call_in("555")
    shown = stage.desk.call_info(A)
    assert (shown.caller, shown.called, shown.skill_name) == ("555", "801", "sales")
    await stage.desk.ask(Release(A))
    await stage.quiet()
    assert stage.desk.call_info(A, include_last=False) is None
    assert stage.desk.call_info(A).call == shown.call
    assert stage.desk.call_info(A).ended_at is not None
    assert stage.desk.call_ids(A) == ()


# Taken, but the trunk has not confirmed our answer yet


@pytest.fixture
async def joining(stage):
    """Agent 101 took the call of 555 with early media; what its line says of our answer is lost."""
    stage.phone(101).ready = False
    customer = await stage.call_in("555", "901")
    await stage.sign_in(101)
    customer.up = True
    stage.phone(101).lift()
    await stage.quiet()
    await stage.forget(101)
    return customer


async def test_a_trunk_that_never_answers_ends_the_call(stage, joining):
    assert contacts(stage) == ["began inbound 555 901"]
    await stage.later(19)
    assert contacts(stage) == ["began inbound 555 901"]
    await stage.later(1)
    assert contacts(stage) == ["began inbound 555 901", "ended no answer"]
    assert joining.leg is None
    assert await stage.names(101) == ["CallReleased", "CustomerReleased", "PhoneReleased", "AgentReady"]
    assert stage.hears() == {}


async def test_the_agents_phone_is_lost_before_the_trunk_answers(stage, joining):
    """The caller goes on to the next agent; whoever lost their phone is busy."""
    await stage.sign_in(102)
    stage.phone(101).hang_up()
    assert await stage.names(101) == ["PhoneReleased", "CallNotAnswered", "AgentSetBusy"]
    assert stage.state(101) is AgentState.BUSY
    assert contacts(stage) == ["began inbound 555 901"]
    stage.lines.say(LegAnswered(joining.leg))
    await stage.quiet()
    assert stage.hears() == {"555": {"1102"}, "1102": {"555"}}


async def test_the_caller_gives_up_before_the_trunk_answers(stage, joining):
    joining.hang_up()
    await stage.quiet()
    assert contacts(stage) == ["began inbound 555 901", "ended customer: normal"]
    assert stage.state(101) is AgentState.IDLE
    assert stage.hears() == {}
