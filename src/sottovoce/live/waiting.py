"""What is done for calls that wait in a queue: others' agents take them, callers are told where they stand;
and where a call goes that may wait no longer."""

from __future__ import annotations

from dataclasses import dataclass

from sottovoce.domain import access
from sottovoce.domain.calls import CallState, CallTrigger, move
from sottovoce.domain.directory import SkillId, WayOut
from sottovoce.domain.queueing import Announces, Outcome, Overflows, TimesOut, due, words
from sottovoce.errors import Code, Refused
from sottovoce.live import calling, handling, hearing, queueing
from sottovoce.live.effects import Accept, Arm, WaitGoesOn
from sottovoce.live.inputs import Command, happens, never_waits
from sottovoce.live.state import Call, FloorState, Transfer
from sottovoce.media.engine import SPOKEN, SoundEnded

LONGEST_GOODBYE_S = 60.0
"""What was to be said last is over by then, even if it could not be played."""
TIMED_OUT = "queue: timed out"
NO_ROOM = "queue: full"


@happens(WaitGoesOn)
def goes_on(floor: FloorState, timer: WaitGoesOn) -> None:
    """Something is due for a call that waits."""
    call = floor.calls.get(timer.call)
    if call is not None and call.closing is not None:
        calling.end_call(floor, call, TIMED_OUT)
    if call is None or call.wait is None:
        return
    if call.wait.no_room:
        leave_by_way_out(floor, call, Outcome.NO_ROOM)
    elif floor.queues.waits(call.call):
        _do_what_is_due(floor, call)
    calling.assign(floor)


def _do_what_is_due(floor: FloorState, call: Call) -> None:
    wait = call.wait
    assert wait is not None
    waited_s = floor.since(wait.began).total_seconds()
    before_s, wait.looked_s = wait.looked_s, waited_s
    for step in due(queueing.rules(floor, wait.skill), before_s, waited_s):
        match step:
            case Overflows(skill):
                floor.queues.overflow(call.call, skill)
            case Announces():
                announce(floor, call)
            case TimesOut():
                leave_by_way_out(floor, call, Outcome.TIMED_OUT)
                return
    queueing.arm(floor, call)


def announce(floor: FloorState, call: Call) -> None:
    """Tell the callers who wait where they stand."""
    assert call.wait is not None
    skill = call.wait.skill
    wanted = queueing.rules(floor, skill).announcing
    if wanted is None or call.state is not CallState.QUEUED:
        return
    folder = (floor.settings.media.announcements or SPOKEN) / wanted.language
    told = words(wanted, floor.queues.position(call.call), queueing.expected_s(floor, skill))
    if told:
        hearing.announce(floor, call, [str(folder / f"{word}.wav") for word in told])


def leave_by_way_out(floor: FloorState, call: Call, outcome: Outcome) -> None:
    """The call may wait no longer: back to the agent who waits for it, else by the way out of its queue."""
    assert call.wait is not None
    out, reason = queueing.rules(floor, call.wait.skill).way_out, _REASON[outcome]
    queueing.over(floor, call, outcome)
    transfer = call.transfer
    if transfer is not None and transfer.by is not None and call in transfer.by.calls:
        calling.failed(floor, call)
        return
    call.transfer = None
    customer = call.customers[0] if call.customers else None
    if customer is None or out == WayOut():
        calling.end_call(floor, call, reason)
    elif out.skill is not None:
        call.ways_out += 1
        if out.skill not in floor.profile.skills or call.ways_out > queueing.MOST_WAYS_OUT:
            calling.end_call(floor, call, reason)
        else:
            call.skill = out.skill
            queueing.enter(floor, call)
    elif customer.up:
        call.closing = out
        close(floor, call)
    else:
        call.closing = out
        floor.do(Accept(customer.leg))


def close(floor: FloorState, call: Call) -> None:
    """The line of a call that leaves its queue is answered: on to a number outside, or a last word."""
    out = call.closing
    assert out is not None
    if out.number and access.number_allowed(floor.profile, out.number):
        call.closing = None
        call.state = move(call.state, CallTrigger.ASSIGN)
        call.transfer = Transfer(None)
        handling.ring_outside(floor, call, out.number, call.caller)
    elif out.announcement:
        hearing.announce(floor, call, [out.announcement], music=False)
        floor.do(Arm(WaitGoesOn(call.call), LONGEST_GOODBYE_S))
    else:
        calling.end_call(floor, call, TIMED_OUT)


@happens(SoundEnded)
def said(floor: FloorState, event: SoundEnded) -> None:
    """The last word was heard."""
    owner = floor.legs.get(event.leg)
    if isinstance(owner, Call) and owner.closing is not None and owner.closing.announcement == event.name:
        calling.end_call(floor, owner, TIMED_OUT)


@dataclass(frozen=True, slots=True)
class AssignWaiting(Command):
    """Move a call that waits in one of the queues that one is signed in to into another queue; it keeps its
    place. NO_CALL (none that waits there), BAD_PARAMETER (an unknown queue), MEDIA_EXHAUSTED (it is full)."""

    call: str
    skill: SkillId


@never_waits(AssignWaiting)
def assign_waiting(floor: FloorState, asked: AssignWaiting) -> None:
    """It waits there from now on."""
    seat = floor.seat(asked.by)
    call = floor.calls.get(asked.call)
    if call is None or not floor.queues.waits(asked.call) or call.skill not in seat.skills:
        raise Refused(Code.NO_CALL, "no such call waits in a queue of the agent's")
    if asked.skill not in floor.profile.skills:
        raise Refused(Code.BAD_PARAMETER, f"no skill queue {asked.skill}")
    if asked.skill == call.skill:
        return
    if not queueing.has_room(floor, asked.skill):
        raise Refused(Code.MEDIA_EXHAUSTED, "the queue is full")
    call.skill = asked.skill
    queueing.enter(floor, call)
    calling.assign(floor)


_REASON = {Outcome.TIMED_OUT: TIMED_OUT, Outcome.NO_ROOM: NO_ROOM}
