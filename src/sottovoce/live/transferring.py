"""Handing a customer's call over: to a queue, an agent, a number outside; at once, when somebody took it, or
after talking.

Whoever is asked and does not come costs the customer nothing: the call is the agent's again, or rings that
agent, or waits in its queue.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from sottovoce.domain import access
from sottovoce.domain.calls import CallDirection, CallTrigger, move
from sottovoce.domain.directory import AgentId, Right, SkillId
from sottovoce.errors import Code, Refused
from sottovoce.live import call_data, calling, consulting, handling, hearing, telling
from sottovoce.live.effects import CallUnanswered, Disarm
from sottovoce.live.inputs import Command, never_waits
from sottovoce.live.state import Call, FloorState, Seat, Transfer


class How(StrEnum):
    """When the agent who hands over leaves the call."""

    BLIND = "blind"
    """At once."""
    ANSWERED = "answered"
    """When somebody took it; the customer is held until then."""
    TALKED = "talked"
    """After talking with whom it goes to: by releasing that second call. Numbers outside alone."""
    JOINED = "joined"
    """Not by itself: whoever answers comes in addition."""


@dataclass(frozen=True, slots=True)
class HandOver(Command):
    """Hand a customer's call over to a number outside, to an agent, or (`queue`) to whoever is free first.
    NO_CALL; WRONG_CALL_STATE (more than two are in the call, no customer is, somebody is being asked);
    BAD_PARAMETER (oneself, an unknown queue, a number that would come back to us); BAD_NUMBER,
    NUMBER_NOT_ALLOWED, NO_RIGHT outside; TARGET_UNKNOWN, TARGET_NOT_SIGNED_IN, WRONG_AGENT_STATE of the
    agent; MEDIA_EXHAUSTED."""

    to: AgentId | SkillId | str
    how: How
    queue: bool = False
    caller: str = ""
    data: str = field(default="", repr=False)


@never_waits(HandOver)
def hand_over(floor: FloorState, asked: HandOver) -> None:
    """Ask whoever is to have the call; with `BLIND` without waiting for the answer."""
    seat = floor.seat(asked.by)
    call, part = handling.current(seat)
    consulting.check_two(call, seat)
    if not isinstance(call.direction, CallDirection):
        raise Refused(Code.WRONG_CALL_STATE, "no customer is in the call")
    call_data.check_size(asked.data)
    if isinstance(asked.to, str):
        _check_outside(floor, seat, asked.to, asked.caller)
    else:
        consulting.check_wanted(floor, seat, asked.to, queue=asked.queue)
    if asked.how is How.TALKED and seat.waiting:
        raise Refused(Code.WRONG_CALL_STATE, "a second call stands already")
    call_data.attach(floor, call, asked.data or call.data)
    transfer = Transfer(seat, joins=asked.how is How.JOINED, skill=call.skill)
    if asked.how in (How.ANSWERED, How.TALKED) and part.held_at is None:
        consulting.hold(floor, call, seat)
        transfer.held = True
    caller = asked.caller or seat.phone
    if isinstance(asked.to, str) and asked.how is How.TALKED:
        handling.place(floor, seat, CallDirection.OUTBOUND, caller, asked.to, None, call.data)
        made, _ = handling.current(seat)
        made.hands_over = True
    elif isinstance(asked.to, str):
        call.transfer = transfer
        handling.ring_outside(floor, call, asked.to, caller)
    else:
        consulting.ask_in(floor, call, transfer, asked.to, queue=asked.queue)
    if asked.how is How.BLIND and call.transfer is transfer:
        calling.hand_on(floor, call, seat)


def _check_outside(floor: FloorState, seat: Seat, number: str, caller: str) -> None:
    access.require(seat.profile, Right.CALL_OUT)
    if not handling.NUMBER.match(number) or not handling.CALLER.match(caller):
        raise Refused(Code.BAD_NUMBER, "1-24 of 0-9 * # are a number")
    taken = {one.phone for one in floor.seats.values()}
    if number in taken or number in floor.profile.access_codes:
        raise Refused(Code.BAD_PARAMETER, "that is a number of ours; agents and queues have device types")
    if not access.number_allowed(floor.profile, number):
        raise Refused(Code.NUMBER_NOT_ALLOWED, "the VDN's allow-list does not admit this number")


@dataclass(frozen=True, slots=True)
class CancelTransfer(Command):
    """Take a call back that nobody took yet, or with which the agent talks first. NO_CALL."""


@never_waits(CancelTransfer)
def cancel(floor: FloorState, asked: CancelTransfer) -> None:
    """Whoever is asked is asked no more, and the agent talks with the customer again."""
    seat = floor.seat(asked.by)
    call = next((one for one in seat.calls if one.transfer is not None and one.transfer.by is seat), None)
    if call is not None and call.transfer is not None:
        transfer = call.transfer
        calling.withdraw(floor, call)
        call.transfer, call.skill = None, transfer.skill
        calling.back(floor, call, transfer)
        calling.assign(floor)
        return
    second = seat.call
    if second is None or not second.hands_over or not seat.waiting:
        raise Refused(Code.NO_CALL, "no transfer is under way")
    first = seat.waiting[0]
    calling.agent_leaves(floor, second, seat, "agent: released")
    first.state = move(first.state, CallTrigger.TAKE_BACK)
    first.part(seat).held_at = None
    hearing.refresh(floor, seat, call=first)
    telling.talking(floor, first, seat)


@dataclass(frozen=True, slots=True)
class PickUp(Command):
    """Take the call that rings at another agent of the same group. NO_RIGHT, WRONG_AGENT_STATE (not idle),
    TARGET_UNKNOWN (also of another group), TARGET_NOT_SIGNED_IN, NO_CALL (nothing rings there, or a colleague
    calls)."""

    target: AgentId


@never_waits(PickUp)
def pick_up(floor: FloorState, asked: PickUp) -> None:
    """It rings here and no longer there."""
    seat = floor.seat(asked.by)
    access.require(seat.profile, Right.PICK_UP)
    profile = floor.profile.agents.get(asked.target)
    if profile is None or profile.group != seat.profile.group or profile.agent == seat.agent:
        raise Refused(Code.TARGET_UNKNOWN, f"no agent {asked.target} in the group")
    other = floor.seats.get(asked.target)
    if other is None:
        raise Refused(Code.TARGET_NOT_SIGNED_IN, f"agent {asked.target} is not signed in")
    if not seat.free:
        raise Refused(Code.WRONG_AGENT_STATE, "only who is idle picks up")
    call = other.call
    if call is None or not _rings(call, other):
        raise Refused(Code.NO_CALL, "nothing rings there that could be picked up")
    floor.do(Disarm(CallUnanswered(call.call)))
    telling.over(floor, call, other.leave(call), talked=True)
    calling.offer(floor, call, seat)
    calling.assign(floor)


def _rings(call: Call, seat: Seat) -> bool:
    kept = isinstance(call.direction, CallDirection)
    return kept and call.part(seat).alerting and all(one.up for one in call.customers[:1])
