"""Handing a customer over, in every way and to everybody; what it costs when nobody comes."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.live.refusals import refused
from tests.live.test_calling import contacts
from tests.live.test_parties import pair, talks  # noqa: F401

from sottovoce.domain import events
from sottovoce.domain.agents import AgentState
from sottovoce.domain.directory import AgentId, Right, SkillId, VdnId
from sottovoce.domain.legs import ReleaseCause
from sottovoce.domain.supervision import Mode
from sottovoce.errors import Code
from sottovoce.live.availability import ChooseSkills
from sottovoce.live.conferring import Reject
from sottovoce.live.consulting import Consult
from sottovoce.live.handling import Answer, Hold, Release, ReleasePhone, TakeBack
from sottovoce.live.presence import SignOutAgent
from sottovoce.live.supervising import DropCall, Intercept
from sottovoce.live.transferring import CancelTransfer, HandOver, How, PickUp

A, B, D, I = AgentId(101), AgentId(102), AgentId(103), AgentId(300)  # noqa: E741
QUEUE = SkillId(2)
TWO = {"555": {"1101"}, "1101": {"555"}}
TAKEN = {"555": {"1102"}, "1102": {"555"}}


async def hand_over(stage, to, how, **more) -> str:
    call = stage.desk.call_ids(A)[0]
    await stage.desk.ask(HandOver(A, to, how, queue=to == QUEUE, **more))
    await stage.quiet()
    return call


@pytest.fixture
async def waits(pair):  # noqa: F811
    """The same; the colleague's phone rings until it is lifted, and the number outside too."""
    pair.phone(102).ready = False
    pair.lines.phones["0777"].ready = False
    return pair


async def test_blind_to_an_agent(waits):
    call = await hand_over(waits, B, How.BLIND)
    assert await waits.names(101) == [
        "CustomerAlerting",
        "CallReleased",
        "CustomerReleased",
        "PhoneReleased",
        "AgentReady",
        "RecordingDone",
    ]
    assert waits.hears() == {"555": {"♪"}, "1102": set()}
    waits.phone(102).lift()
    told = await waits.events(102)
    assert events.CallAutoAnswered(B, call, "555", "801", "inbound", A) in told
    assert events.CallTalking(B, call, "555", "801", "inbound") in told
    assert waits.hears() == TAKEN
    await waits.desk.ask(Release(B))
    await waits.quiet()
    assert talks(waits) == [(call, A, False), (call, B, False)]
    assert contacts(waits) == [
        "began inbound 555 801",
        "segment 101",
        "segment 102",
        "ended agent: released",
    ]


async def test_an_agent_takes_it_and_the_other_leaves(waits):
    call = await hand_over(waits, B, How.ANSWERED)
    assert await waits.names(101) == ["CallHeld", "CustomerAlerting"]
    assert waits.hears() == {"555": {"♪"}, "1101": set(), "1102": set()}
    await refused(Code.WRONG_CALL_STATE, waits.desk.ask(TakeBack(A)))
    await refused(Code.WRONG_CALL_STATE, waits.desk.ask(HandOver(A, B, How.BLIND)))
    waits.phone(102).lift()
    assert await waits.names(101) == [
        "TransferEnded",
        "CallReleased",
        "CustomerReleased",
        "PhoneReleased",
        "AgentReady",
        "RecordingDone",
    ]
    assert waits.desk.call_ids(B) == (call,)
    assert waits.state(101) is AgentState.IDLE
    assert waits.hears() == TAKEN


@pytest.mark.parametrize("how", [How.BLIND, How.ANSWERED])
async def test_to_a_queue_whoever_is_free_takes_it(pair, how):  # noqa: F811
    await pair.sign_in(103, skills=False)
    await pair.desk.ask(ChooseSkills(A, (SkillId(1),)))
    call = await hand_over(pair, QUEUE, how)
    there = {"1101": set()} if how is How.ANSWERED else {}
    assert pair.hears() == {"555": {"♪"}, **there}
    await pair.desk.ask(ChooseSkills(D, (QUEUE,)))
    await pair.quiet()
    assert pair.hears() == {"555": {"1103"}, "1103": {"555"}}
    assert pair.state(101) is AgentState.IDLE
    assert pair.desk.call_ids(D) == (call,)


async def test_a_queue_s_agent_who_lets_it_ring_costs_no_place(waits):
    await waits.sign_in(103, skills=False)
    await waits.desk.ask(ChooseSkills(B, (QUEUE,)))
    call = await hand_over(waits, QUEUE, How.ANSWERED)
    assert waits.desk.call_ids(B) == (call,)
    await waits.later(20)
    assert waits.state(102) is AgentState.BUSY
    assert waits.hears() == {"555": {"♪"}, "1101": set()}
    await waits.desk.ask(ChooseSkills(D, (QUEUE,)))
    await waits.quiet()
    assert waits.hears() == {"555": {"1103"}, "1103": {"555"}}


@pytest.mark.parametrize("fails", ["rejects", "rings out", "signs out", "hangs up"])
@pytest.mark.parametrize("how", [How.BLIND, How.ANSWERED, How.JOINED])
async def test_an_agent_who_does_not_come(waits, how, fails):
    call = await hand_over(waits, B, how)
    await waits.forget(101)
    if fails == "rejects":
        await waits.desk.ask(Reject(B))
    elif fails == "rings out":
        await waits.later(20)
    elif fails == "signs out":
        await waits.desk.ask(SignOutAgent(B, force=True))
    else:
        waits.phone(102).hang_up(ReleaseCause.REJECTED)
    names = await waits.names(101)
    assert waits.hears() == TWO, "the agent who asked has the customer again"
    assert waits.desk.call_ids(A) == (call,)
    if how is How.ANSWERED:
        assert names[:3] == ["ConnectFailed", "TransferEnded", "CallTalking"]
    elif how is How.JOINED:
        assert names == ["ConnectFailed", "TransferEnded"]
    else:
        assert "CallAutoAnswered" in names


async def test_nobody_left_to_give_it_back_to(waits):
    await hand_over(waits, B, How.BLIND)
    await waits.desk.ask(SignOutAgent(A, force=True))
    await waits.desk.ask(Reject(B))
    await waits.quiet()
    assert waits.hears() == {"555": {"♪"}}, "in the queue that it came by"
    await waits.sign_in(103)
    assert waits.hears() == {"555": {"1103"}, "1103": {"555"}}


@pytest.mark.parametrize("how", [How.BLIND, How.ANSWERED])
async def test_to_a_number_outside(waits, how):
    call = await hand_over(waits, "0777", how)
    assert waits.hears()["555"] == {"♪"}
    assert waits.hears()["0777"] == set()
    waits.lines.phones["0777"].lift()
    await waits.quiet()
    assert waits.hears() == {"555": {"0777"}, "0777": {"555"}}
    assert waits.state(101) is AgentState.IDLE
    waits.lines.phones["0777"].hang_up()
    await waits.quiet()
    assert waits.hears() == {}
    assert talks(waits) == [(call, A, False)]


@pytest.mark.parametrize("how", [How.BLIND, How.ANSWERED, How.JOINED])
@pytest.mark.parametrize("fails", ["busy", "rings out", "cancelled"])
async def test_a_number_outside_that_does_not_answer(waits, how, fails):
    call = await hand_over(waits, "0777", how)
    if fails == "busy":
        waits.lines.phones["0777"].hang_up(ReleaseCause.BUSY)
    elif fails == "rings out":
        await waits.later(60)
    elif how is How.BLIND:
        await refused(Code.NO_CALL, waits.desk.ask(CancelTransfer(A)))
        waits.lines.phones["0777"].hang_up()
    else:
        await waits.desk.ask(CancelTransfer(A))
    await waits.quiet()
    assert waits.hears() == TWO
    assert waits.desk.call_ids(A) == (call,)
    assert waits.lines.phones["0777"].leg is None


async def test_after_talking_the_release_connects(pair):  # noqa: F811
    first = await hand_over(pair, "0777", How.TALKED)
    assert pair.hears() == {"555": {"♪"}, "0777": {"1101"}, "1101": {"0777"}}
    await pair.desk.ask(CancelTransfer(A))
    await pair.quiet()
    assert pair.hears() == TWO
    await hand_over(pair, "0777", How.TALKED)
    await pair.desk.ask(Release(A))
    await pair.quiet()
    assert pair.hears() == {"555": {"0777"}, "0777": {"555"}}
    assert pair.state(101) is AgentState.IDLE
    await pair.desk.ask(DropCall(I, first))
    await pair.quiet()
    assert pair.hears() == {}


async def test_after_talking_the_phone_s_hanging_up_connects(pair):  # noqa: F811
    await hand_over(pair, "0777", How.TALKED)
    pair.phone(101).hang_up()
    await pair.quiet()
    assert pair.hears() == {"555": {"0777"}, "0777": {"555"}}


async def test_whoever_leaves_while_it_is_under_way(waits):
    await hand_over(waits, B, How.ANSWERED)
    waits.phone(101).hang_up()
    await waits.quiet()
    assert waits.hears() == {"555": {"♪"}, "1102": set()}, "it goes on without the agent"
    waits.phone(102).lift()
    await waits.quiet()
    assert waits.hears() == TAKEN


async def test_the_customer_who_hangs_up_stops_it(waits):
    await hand_over(waits, B, How.ANSWERED)
    waits.lines.phones["555"].hang_up()
    await waits.quiet()
    assert (waits.state(101), waits.state(102)) == (AgentState.IDLE, AgentState.IDLE)
    assert waits.phone(102).leg is None


async def test_supervision_stays_with_the_agent(waits):
    await waits.desk.supervise(I, A, Mode.WHISPER)
    await hand_over(waits, B, How.ANSWERED)
    assert waits.hears() == {"555": {"♪"}, "1101": {"1300"}, "1102": set(), "1300": {"1101"}}
    waits.phone(102).lift()
    await waits.quiet()
    assert waits.hears() == {**TAKEN, "1300": set()}


async def test_an_intercept_ends_what_is_under_way(waits):
    await waits.desk.supervise(I, A, Mode.LISTEN)
    await hand_over(waits, B, How.ANSWERED)
    await waits.desk.ask(Intercept(I, A))
    await waits.quiet()
    assert waits.hears() == {"555": {"1300"}, "1300": {"555"}}
    assert (waits.state(101), waits.state(102)) == (AgentState.IDLE, AgentState.IDLE)


async def test_a_transfer_answered_by_hand(pair):  # noqa: F811
    await pair.sign_in(103, skills=False, auto_answer=False)
    call = await hand_over(pair, D, How.ANSWERED)
    assert pair.state(103) is AgentState.ANSWERING
    assert pair.hears() == {"555": {"♪"}, "1101": set(), "1103": set()}
    await pair.desk.ask(Answer(D, call))
    assert pair.hears() == {"555": {"1103"}, "1103": {"555"}}


async def test_what_cannot_be_handed_over(waits):
    ask = waits.desk.ask
    for code, wrong in (
        (Code.NO_CALL, HandOver(B, A, How.BLIND)),
        (Code.BAD_PARAMETER, HandOver(A, A, How.BLIND)),
        (Code.BAD_PARAMETER, HandOver(A, SkillId(99), How.BLIND, queue=True)),
        (Code.TARGET_UNKNOWN, HandOver(A, AgentId(201), How.ANSWERED)),
        (Code.TARGET_NOT_SIGNED_IN, HandOver(A, D, How.ANSWERED)),
        (Code.BAD_NUMBER, HandOver(A, "", How.BLIND)),
        (Code.BAD_NUMBER, HandOver(A, "0777E", How.BLIND)),
        (Code.NUMBER_NOT_ALLOWED, HandOver(A, "9777", How.BLIND)),
        (Code.BAD_PARAMETER, HandOver(A, "801", How.BLIND)),
        (Code.BAD_PARAMETER, HandOver(A, "1101", How.BLIND)),
        (Code.BAD_PARAMETER, HandOver(A, "1102", How.BLIND)),
        (Code.BAD_PARAMETER, HandOver(A, B, How.BLIND, data="x" * 16385)),
        (Code.NO_CALL, CancelTransfer(A)),
    ):
        await refused(code, ask(wrong))
        assert waits.hears() == TWO, wrong
    await waits.desk.call_out(Consult(A, B))
    waits.phone(102).lift()
    await waits.quiet()
    await refused(Code.WRONG_CALL_STATE, ask(HandOver(A, QUEUE, How.BLIND, queue=True)))
    assert waits.hears() == {"555": {"♪"}, "1101": {"1102"}, "1102": {"1101"}}


async def test_without_the_right_nothing_goes_outside(stage):
    await stage.sign_in(104)
    await stage.call_in("555")
    await refused(Code.NO_RIGHT, stage.desk.ask(HandOver(AgentId(104), "0777", How.BLIND)))


async def test_who_hands_over_to_a_queue_of_their_own_may_get_it_back(pair):  # noqa: F811
    call = await hand_over(pair, QUEUE, How.BLIND)
    assert pair.hears() == TWO
    await pair.desk.ask(Release(A))
    await pair.quiet()
    assert talks(pair) == [(call, A, False), (call, A, False)]


async def test_a_call_is_picked_up_within_the_group(stage):
    profile = stage.store.profiles[VdnId(1)]
    rights = frozenset({Right.PICK_UP})
    agents = {a: replace(one, rights=one.rights | rights) for a, one in profile.agents.items()}
    agents[D] = replace(agents[D], group=7)
    agents[AgentId(104)] = replace(agents[AgentId(104)], rights=frozenset())
    stage.store.profiles[VdnId(1)] = replace(profile, agents=agents)
    await stage.desk.reload(VdnId(1))
    stage.phone(101).ready = False
    await stage.sign_in(101)
    await stage.call_in("555")
    await stage.sign_in(102, 103, 104, skills=False)
    await stage.forget(101, 102)
    for code, wrong in (
        (Code.NO_RIGHT, PickUp(AgentId(104), A)),
        (Code.TARGET_UNKNOWN, PickUp(D, A)),
        (Code.TARGET_UNKNOWN, PickUp(B, B)),
        (Code.TARGET_UNKNOWN, PickUp(B, AgentId(999))),
        (Code.TARGET_NOT_SIGNED_IN, PickUp(B, I)),
        (Code.NO_CALL, PickUp(B, AgentId(104))),
    ):
        await refused(code, stage.desk.ask(wrong))
    await stage.desk.ask(PickUp(B, A))
    await stage.quiet()
    assert stage.hears() == TAKEN
    assert stage.state(101) is AgentState.IDLE
    assert await stage.names(101) == ["PhoneReleased", "AgentReady"]
    await refused(Code.WRONG_AGENT_STATE, stage.desk.ask(PickUp(B, A)))


async def test_a_phone_is_released_between_calls_alone(stage):
    await stage.sign_in(101, release_phone=False)
    await stage.call_in("555")
    await refused(Code.WRONG_AGENT_STATE, stage.desk.ask(ReleasePhone(A)))
    await stage.desk.ask(Hold(A))
    await stage.desk.ask(Release(A))
    await stage.quiet()
    assert stage.phone(101).leg is not None
    await stage.forget(101)
    for _ in range(2):
        await stage.desk.ask(ReleasePhone(A))
        await stage.quiet()
    assert await stage.names(101) == ["PhoneReleased"]
    assert stage.phone(101).leg is None
