"""Calls with several parties: what their agents are told, what is kept, and what cannot be asked for."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.live.refusals import refused
from tests.live.test_calling import contacts

from sottovoce.domain import events
from sottovoce.domain.agents import AgentState
from sottovoce.domain.directory import AgentId, SkillId
from sottovoce.domain.journal import SegmentEnded
from sottovoce.domain.legs import ReleaseCause
from sottovoce.domain.supervision import Mode
from sottovoce.errors import Code
from sottovoce.live.conferring import Disconnect, LeaveCall, Merge, Reject
from sottovoce.live.consulting import CallInner, Consult
from sottovoce.live.handling import Answer, CallOut, Hold, Release, TakeBack
from sottovoce.live.presence import SignOutAgent
from sottovoce.live.transferring import HandOver, How
from sottovoce.live.views import SignIn
from sottovoce.media.engine import LegsLost

A, B, D, I = AgentId(101), AgentId(102), AgentId(103), AgentId(300)  # noqa: E741
TWO = {"555": {"1101"}, "1101": {"555"}}


@pytest.fixture
async def pair(stage):
    """Agent 101 talks with 555; 102 is idle and in no queue; 0777 answers when it is called."""
    await stage.sign_in(101)
    await stage.call_in("555")
    await stage.sign_in(102, skills=False)
    await stage.sign_in(300)
    stage.lines.phone("0777", ready=True)
    await stage.forget(101, 102, 300)
    return stage


def talks(stage) -> list[tuple[str, int, bool]]:
    """Finished talk segments: call, agent, whether its agent was supervised."""
    return [
        (one.call, one.agent, bool(one.supervisions))
        for one in stage.store.written
        if isinstance(one, SegmentEnded)
    ]


async def consult(stage, **more) -> tuple[str, str]:
    """The customer's call, and the consult's."""
    call = stage.desk.call_ids(A)[0]
    other = await stage.desk.call_out(Consult(A, B, **more))
    await stage.quiet()
    return call, other


async def test_a_consult_and_its_words(pair):
    call, other = await consult(pair)
    assert pair.desk.call_ids(A) == (other, call)
    assert await pair.events(101) == [
        events.CallHeld(A, call),
        events.CustomerAlerting(A, other, "102", B),
        events.CallTalking(A, other, "101", "102", "consult"),
    ]
    assert await pair.names(102) == [
        "AgentPreoccupied",
        "PhoneAlerting",
        "PhoneOffHook",
        "CallAutoAnswered",
        "CustomerAlerting",
        "CallTalking",
    ]
    assert (pair.state(101), pair.state(102)) == (AgentState.TALKING, AgentState.TALKING)
    await pair.desk.ask(Release(A))
    assert await pair.names(101) == ["CallReleased", "CustomerReleased"], "the customer is still held"
    assert (await pair.names(102))[-2:] == ["PhoneReleased", "AgentReady"]
    assert pair.hears() == {"555": {"♪"}, "1101": set()}
    await pair.desk.ask(TakeBack(A))
    await pair.desk.ask(Release(A))
    await pair.quiet()
    assert contacts(pair) == ["began inbound 555 801", "segment 101", "ended agent: released"]


@pytest.mark.parametrize("how", ["rejects", "rings out", "hangs up", "is lost", "signs out"])
async def test_a_consult_that_comes_to_nothing_costs_nobody_the_customer(pair, how):
    pair.phone(102).ready = False
    if how == "rejects":
        pair.phone(102).rejects = ReleaseCause.BUSY
    call, _ = await consult(pair)
    if how == "rings out":
        await pair.later(20)
    elif how != "rejects":
        pair.phone(102).lift()
        await pair.quiet()
    if how == "hangs up":
        pair.phone(102).hang_up()
    elif how == "is lost":
        pair.engine.tell(LegsLost(frozenset({pair.phone(102).leg})))
    elif how == "signs out":
        await pair.desk.ask(SignOutAgent(B, force=True))
    names = await pair.names(101)
    assert ("ConsultFailed" in names) is (how in ("rejects", "rings out"))
    assert "PhoneReleased" not in names
    assert pair.desk.call_ids(A) == (call,)
    assert pair.hears() == {"555": {"♪"}, "1101": set()}
    await pair.desk.ask(TakeBack(A))
    assert pair.hears() == TWO


async def test_connecting_makes_the_colleague_the_customers_agent(pair):
    call, _ = await consult(pair)
    await pair.desk.supervise(I, A, Mode.LISTEN)
    await pair.forget(101, 102)
    await pair.desk.ask(Merge(A, call, False))
    assert await pair.names(101) == [
        "CallReleased",
        "CustomerReleased",
        "CallReleased",
        "CustomerReleased",
        "PhoneReleased",
        "AgentReady",
        "RecordingDone",
    ]
    assert (await pair.events(102))[:2] == [
        events.CallTalking(B, call, "555", "801", "inbound"),
        events.RecordingStarted(B, call, f"{call}-102-2", f"1/2026/01/01/{call}-102-2.wav", "555", "801"),
    ]
    assert pair.desk.call_ids(B) == (call,)
    await pair.desk.ask(Release(B))
    await pair.quiet()
    assert talks(pair) == [(call, A, False), (call, B, False)]
    assert contacts(pair)[-1] == "ended agent: released"


async def test_a_conference_and_who_leaves_it(pair):
    call, other = await consult(pair)
    await pair.forget(101, 102)
    await pair.desk.ask(Merge(A, call, True))
    assert [event for event in await pair.events(101) if not isinstance(event, events.RecordingStarted)] == [
        events.Conferred(A, call, ("555", "102")),
        events.CustomerReleased(A, other, "102"),
    ]
    assert pair.hears() == {"555": {"1101", "1102"}, "1101": {"555", "1102"}, "1102": {"555", "1101"}}
    await refused(Code.WRONG_CALL_STATE, pair.desk.ask(Hold(A)))
    await refused(Code.NOT_FOUND, pair.desk.ask(Disconnect(B, "555")))
    await pair.forget(102)
    pair.phone(101).hang_up()
    assert await pair.events(102) == [events.CustomerReleased(B, call, "101")]
    assert pair.hears() == {"555": {"1102"}, "1102": {"555"}}
    pair.lines.phones["555"].hang_up()
    await pair.quiet()
    assert talks(pair) == [(call, A, False), (call, B, False)]
    assert pair.state(102) is AgentState.IDLE


async def test_the_customer_who_leaves_a_conference_ends_it(pair):
    await consult(pair, joins=True)
    pair.lines.phones["555"].hang_up()
    await pair.quiet()
    assert (pair.state(101), pair.state(102)) == (AgentState.IDLE, AgentState.IDLE)
    assert pair.hears() == {}


async def test_a_second_customer_and_what_is_kept_of_both(pair):
    first = pair.desk.call_ids(A)[0]
    await refused(Code.WRONG_AGENT_STATE, pair.desk.call_out(CallOut(A, "0777")))
    await pair.desk.ask(Hold(A))
    second = await pair.desk.call_out(CallOut(A, "0777"))
    await pair.quiet()
    assert pair.hears() == {"555": {"♪"}, "0777": {"1101"}, "1101": {"0777"}}
    await refused(Code.WRONG_CALL_STATE, pair.desk.ask(TakeBack(A)))
    await refused(Code.WRONG_AGENT_STATE, pair.desk.call_out(CallOut(A, "0778")))
    await pair.desk.ask(Merge(A, first, True))
    assert pair.desk.call_ids(A) == (first,)
    pair.lines.phones["555"].hang_up()
    await pair.quiet()
    assert pair.hears() == {"0777": {"1101"}, "1101": {"0777"}}
    await pair.desk.ask(Release(A))
    await pair.quiet()
    assert sorted(talks(pair)) == sorted([(second, A, False), (first, A, False), (first, A, False)])
    assert sorted(word for word in contacts(pair) if "ended" in word) == [
        "ended agent: released",
        f"ended joined to {first}",
    ]


async def test_who_else_is_outside_in_a_talk_is_on_record_with_a_track(pair):
    """A talk names the others outside in the order in which they came, by place and not by number."""
    first = pair.desk.call_ids(A)[0]
    await pair.desk.ask(Hold(A))
    await pair.desk.call_out(CallOut(A, "0777"))
    await pair.quiet()
    leg = pair.lines.phones["0777"].leg
    pair.engine.tracks = {leg: Path("/rec/1/further.wav")}
    await pair.desk.ask(Merge(A, first, True))
    await pair.quiet()
    assert leg in pair.engine.recorded
    await pair.desk.supervise(I, A, Mode.WHISPER)
    await pair.quiet()
    await pair.desk.ask(Release(A))
    await pair.quiet()
    kept = [one for one in pair.store.written if isinstance(one, SegmentEnded)]
    assert [(one.parties, one.tracks) for one in kept if one.call == first] == [
        ({"party 1": "0777"}, {"party 1": "1/further.wav"})
    ]
    assert [one.parties for one in kept if one.call != first] == [{}], "the talk before the two were joined"


async def test_a_further_party_stays_on_record_who_left_and_who_came_later_is_the_next(pair):
    pair.lines.phone("0778", ready=True)
    await pair.desk.ask(HandOver(A, "0777", How.JOINED))
    await pair.quiet()
    pair.lines.phones["0777"].hang_up()
    await pair.quiet()
    await pair.desk.ask(HandOver(A, "0778", How.JOINED))
    await pair.quiet()
    pair.lines.phones["555"].hang_up()
    await pair.quiet()
    await pair.desk.ask(Release(A))
    await pair.quiet()
    kept = [one.parties for one in pair.store.written if isinstance(one, SegmentEnded)]
    assert len(kept) == 2
    assert {} in kept, "then 0778 is the customer"
    assert {"party 1": "0777", "party 2": "0778"} in kept


async def test_the_second_call_fails_and_the_first_stays_held(pair):
    first = pair.desk.call_ids(A)[0]
    await pair.desk.ask(Hold(A))
    pair.lines.phone("0778", rejects=ReleaseCause.BUSY)
    await pair.desk.call_out(CallOut(A, "0778"))
    await pair.quiet()
    names = await pair.names(101)
    assert names[-2:] == ["CallOutFailed", "ConnectFailed"]
    assert "PhoneReleased" not in names
    assert pair.desk.call_ids(A) == (first,)
    assert pair.hears() == {"555": {"♪"}, "1101": set()}


async def test_an_inspector_hears_nobody_while_a_second_call_is_placed(pair):
    """As between calls: the agent's microphone reaches nobody until the other answers."""
    pair.phone(102).ready = False
    await pair.desk.supervise(I, A, Mode.LISTEN)
    await pair.desk.ask(Hold(A))
    await pair.quiet()
    assert pair.hears() == {"555": {"♪"}, "1101": set(), "1300": {"1101"}}
    await consult(pair)
    assert pair.hears() == {"555": {"♪"}, "1101": {"♪"}, "1102": set(), "1300": set()}
    pair.phone(102).lift()
    await pair.quiet()
    assert pair.hears()["1300"] == {"1101", "1102"}


async def test_who_signs_in_anew_while_only_a_second_call_rings_is_told_so(pair):
    pair.phone(102).ready = False
    call, _ = await consult(pair)
    await pair.desk.ask(LeaveCall(A, call))
    await pair.desk.sessions.sign_in(A, SignIn("secret", ""), force=True)
    assert "CallTalking" not in await pair.names(101)
    assert pair.state(101) is AgentState.PREOCCUPIED
    pair.phone(102).lift()
    await pair.quiet()
    assert pair.state(101) is AgentState.TALKING
    assert pair.hears() == {"1101": {"1102"}, "1102": {"1101"}}


async def test_dropping_one_call_of_two(pair):
    first = pair.desk.call_ids(A)[0]
    await pair.desk.ask(Hold(A))
    second = await pair.desk.call_out(CallOut(A, "0777"))
    await pair.quiet()
    await refused(Code.NO_CALL, pair.desk.ask(LeaveCall(A, "1-1")))
    await pair.desk.ask(LeaveCall(A, first))
    await pair.quiet()
    assert pair.hears() == {"0777": {"1101"}, "1101": {"0777"}}
    await pair.desk.ask(LeaveCall(A, second))
    assert pair.state(101) is AgentState.IDLE


async def test_an_agent_calls_another_who_answers_or_rejects(pair):
    await pair.desk.ask(Release(A))
    await pair.quiet()
    await pair.forget(101)
    pair.phone(102).ready = False
    call = await pair.desk.call_out(CallInner(A, B))
    await pair.quiet()
    await pair.desk.ask(Reject(B, call))
    assert (await pair.names(101))[-2:] == ["InnerCallFailed", "AgentReady"]
    assert pair.state(102) is AgentState.BUSY
    await refused(Code.NOTHING_TO_ANSWER, pair.desk.ask(Reject(B)))
    assert not [word for word in contacts(pair) if "102" in word], "nothing is kept of it"


async def test_calling_whoever_is_free_in_a_queue(pair):
    await pair.sign_in(103)
    call = await pair.desk.call_out(Consult(A, SkillId(1), queue=True))
    await pair.quiet()
    assert pair.desk.call_ids(D) == (call,)
    assert pair.hears() == {"555": {"♪"}, "1101": {"1103"}, "1103": {"1101"}}


async def test_an_answer_by_hand(pair):
    await pair.sign_in(103, skills=False, auto_answer=False)
    call = await pair.desk.call_out(Consult(A, D))
    await pair.quiet()
    assert pair.state(103) is AgentState.ANSWERING
    await pair.desk.ask(Answer(D, call))
    assert pair.hears() == {"555": {"♪"}, "1101": {"1103"}, "1103": {"1101"}}


async def test_what_cannot_be_asked_for(pair):
    ask = pair.desk.call_out
    for code, wrong in (
        (Code.BAD_PARAMETER, Consult(A, A)),
        (Code.TARGET_UNKNOWN, Consult(A, AgentId(999))),
        (Code.TARGET_UNKNOWN, Consult(A, AgentId(201))),
        (Code.TARGET_NOT_SIGNED_IN, Consult(A, D)),
        (Code.BAD_PARAMETER, Consult(A, SkillId(99), queue=True)),
        (Code.BAD_PARAMETER, Consult(A, B, data="x" * 16385)),
        (Code.NO_CALL, Consult(B, A)),
        (Code.WRONG_AGENT_STATE, CallInner(A, B)),
        (Code.WRONG_AGENT_STATE, CallInner(B, A)),
    ):
        await refused(code, ask(wrong))
        assert pair.hears() == TWO, wrong
    call, other = await consult(pair)
    await pair.sign_in(103, skills=False)
    for joins in (False, True):
        await refused(Code.WRONG_CALL_STATE, ask(Consult(A, D, joins=joins)))
    await refused(Code.NO_HELD_CALL, pair.desk.ask(Merge(A, other, True)))
    await refused(Code.NO_CALL, pair.desk.ask(Merge(D, call, True)))
    await pair.desk.ask(Hold(A))
    await refused(Code.NO_CALL, pair.desk.ask(Merge(A, call, False)))
    assert pair.desk.call_ids(A) == (other, call)
    assert pair.hears() == {"555": {"♪"}, "1101": set(), "1102": {"♪"}}


async def test_nobody_joins_a_call_that_the_other_holds(pair):
    await pair.sign_in(103, skills=False)
    call, _ = await consult(pair)
    await pair.desk.ask(Hold(B))
    await refused(Code.WRONG_CALL_STATE, pair.desk.ask(Merge(A, call, True)))
    await pair.desk.ask(Release(A))
    await pair.quiet()
    await pair.desk.ask(TakeBack(A))
    await pair.desk.call_out(Consult(A, B))
    await pair.quiet()
    assert pair.hears() == {"555": {"♪"}, "1101": {"1102"}, "1102": {"1101"}}


@pytest.mark.parametrize("ends", ["stop", "lease", "phone", "worker"])
@pytest.mark.parametrize("mode", Mode)
@pytest.mark.parametrize("shape", ["consult", "conference", "second", "consulted"])
async def test_an_inspector_s_end_is_theirs_alone(pair, shape, mode, ends):
    """Stop works, the lease runs out, a phone is lost: silent at once, and nobody else loses anybody."""
    target = B if shape == "consulted" else A
    if shape == "second":
        await pair.desk.ask(Hold(A))
        await pair.desk.call_out(CallOut(A, "0777"))
    else:
        await consult(pair, joins=shape == "conference")
    await pair.quiet()
    before = pair.hears()
    await pair.desk.supervise(I, target, mode)
    await pair.quiet()
    assert pair.hears() != before
    if ends == "stop":
        await pair.desk.stop(I, target)
    elif ends == "lease":
        await pair.later(30)
    elif ends == "phone":
        pair.phone(300).hang_up()
    else:
        pair.engine.tell(LegsLost(frozenset({pair.phone(300).leg})))
    await pair.quiet()
    assert pair.hears() == before
    assert pair.state(300) is AgentState.IDLE
