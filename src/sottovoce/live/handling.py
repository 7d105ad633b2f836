"""What an agent does with a call: place it, answer, hold, take back, mute, dial on, release."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from sottovoce.domain import access, events
from sottovoce.domain.agents import AgentState
from sottovoce.domain.calls import CallDirection, CallState, CallTrigger, InnerKind, move
from sottovoce.domain.directory import AgentId, Right, SkillId
from sottovoce.domain.lines import Destination, LineKind
from sottovoce.errors import Code, Refused
from sottovoce.live import bonds, call_data, calling, hearing, merging, queueing, seating, telling
from sottovoce.live.effects import Arm, CallUnanswered, Disarm, Ring
from sottovoce.live.inputs import Command, never_waits
from sottovoce.live.state import AgentPart, Call, FloorState, OutsideParty, Seat
from sottovoce.media.engine import SendDigits

NUMBER = re.compile(r"[0-9*#]{1,24}\Z")
CALLER = re.compile(r"[0-9]{0,24}\Z")
"""What a number looks like, and one that is shown to whom is called."""
CALL_OUT_S = 60.0
"""How long an outside number rings: most networks and mailboxes end it earlier."""


@dataclass(frozen=True, slots=True)
class CallOut(Command):
    """Place a call. BAD_NUMBER, BAD_PARAMETER (an unknown queue, too much call data), NUMBER_NOT_ALLOWED,
    NO_RIGHT, WRONG_AGENT_STATE."""

    called: str
    caller: str = ""
    skill: SkillId | None = None
    data: str = field(default="", repr=False)


@never_waits(CallOut)
def call_out(floor: FloorState, asked: CallOut) -> None:
    """Place a call: the agent's own phone first, then the number."""
    seat = floor.seat(asked.by)
    access.require(seat.profile, Right.CALL_OUT)
    if not NUMBER.match(asked.called) or not CALLER.match(asked.caller):
        raise Refused(Code.BAD_NUMBER, "1-24 of 0-9 * # are a number")
    call_data.check_size(asked.data)
    if asked.skill is not None and asked.skill not in floor.profile.skills:
        raise Refused(Code.BAD_PARAMETER, f"no skill queue {asked.skill}")
    if not access.number_allowed(floor.profile, asked.called):
        raise Refused(Code.NUMBER_NOT_ALLOWED, "the VDN's allow-list does not admit this number")
    if not floor.keeps:
        raise Refused(Code.UNAVAILABLE, "calls cannot be kept now: the database is away, the disk is full")
    may_call(seat)
    caller = asked.caller or seat.phone
    place(floor, seat, CallDirection.OUTBOUND, caller, asked.called, asked.skill, asked.data)


def may_call(seat: Seat) -> None:
    """Raise WRONG_AGENT_STATE unless the agent may place a call, by a phone: out of no other, or while one is
    held."""
    if not seat.phone:
        raise Refused(Code.WRONG_AGENT_STATE, "signed in without a phone")
    if seat.inspecting is not None:
        raise Refused(Code.WRONG_AGENT_STATE, "no call while supervising")
    if seat.call is None:
        if seat.state not in (AgentState.IDLE, AgentState.BUSY, AgentState.WRAP_UP):
            raise Refused(Code.WRONG_AGENT_STATE, f"no call out while {seat.state}")
        return
    part = seat.call.part(seat)
    if seat.waiting or part.held_at is None or seat.call.transfer is not None or not seat.leg_up:
        raise Refused(Code.WRONG_AGENT_STATE, "in a call that is not held, or in two")


def place(
    floor: FloorState,
    seat: Seat,
    direction: CallDirection | InnerKind,
    caller: str,
    called: str,
    skill: SkillId | None,
    data: str,
) -> None:
    """Place a call of this agent's, who may: the agent's own phone first, unless it is up."""
    seating.end_playback(floor, seat)
    call = Call(floor.new_call(), direction, caller, called, skill, CallState.DIALLING, floor.moment)
    seat.enter(call, AgentPart(seat))
    hearing.refresh(floor, seat)
    calling.began(floor, call)
    call_data.attach(floor, call, data)
    floor.do(Arm(CallUnanswered(call.call), floor.settings.agents.ring_timeout))
    if seat.leg_up:
        dial(floor, call, seat)
    else:
        seating.ring_phone(floor, seat, called)


def dial(floor: FloorState, call: Call, seat: Seat) -> None:
    """The agent's phone is up: ring whom they call."""
    if seat.state is not AgentState.TALKING:
        seating.seize(floor, seat)
    hearing.ringback(floor, seat, True)
    if isinstance(call.direction, CallDirection):
        ring_outside(floor, call, call.called, call.caller)
    elif call.skill is not None:
        floor.do(Disarm(CallUnanswered(call.call)))
        queueing.enter(floor, call)
        calling.assign(floor)
    else:
        colleague = floor.seats.get(AgentId(int(call.called)))
        if colleague is None or not colleague.free:
            calling.end_call(floor, call, "agent: busy")
        else:
            calling.offer(floor, call, colleague)


def ring_outside(floor: FloorState, call: Call, number: str, caller: str) -> None:
    """Ring a number outside for a call."""
    customer = OutsideParty(floor.new_leg(), number)
    call.customers.append(customer)
    floor.legs[customer.leg] = call
    side = LineKind.PHONE if number in floor.profile.phones else LineKind.TRUNK
    floor.do(Ring(customer.leg, Destination(side, number), caller))
    floor.do(Arm(CallUnanswered(call.call), CALL_OUT_S))


@dataclass(frozen=True, slots=True)
class Answer(Command):
    """Take the ringing call. NOTHING_TO_ANSWER (also before the phone is lifted)."""

    call: str | None = None


@never_waits(Answer)
def answer(floor: FloorState, asked: Answer) -> None:
    """Take the call that waits for it; the phone must be lifted before."""
    seat = floor.seat(asked.by)
    call = seat.call
    if call is None or seat.state is not AgentState.ANSWERING or asked.call not in (None, call.call):
        raise Refused(Code.NOTHING_TO_ANSWER, "no call waits for an answer, or the phone is not lifted")
    calling.connect(floor, call, seat)


def current(seat: Seat) -> tuple[Call, AgentPart]:
    """The call that the agent acts in, and their part in it; raises NO_CALL."""
    if seat.call is None or seat.part is None:
        raise Refused(Code.NO_CALL, f"agent {seat.agent} has no call")
    return seat.call, seat.part


@dataclass(frozen=True, slots=True)
class Hold(Command):
    """The customer hears music and nobody else. NO_CALL, WRONG_CALL_STATE."""


@never_waits(Hold)
def hold(floor: FloorState, asked: Hold) -> None:
    """The customer hears music and nobody else."""
    seat = floor.seat(asked.by)
    call, part = current(seat)
    if len(call.parts) + len(call.customers) > 2:
        raise Refused(Code.WRONG_CALL_STATE, "nobody holds a call of more than two")
    call.state = move(call.state, CallTrigger.HOLD)
    part.held_at = floor.now_in(call)
    hearing.refresh(floor, seat)
    floor.emit(events.CallHeld(seat.agent, call.call))


@dataclass(frozen=True, slots=True)
class TakeBack(Command):
    """End the hold, of the call named or of the one held last. NO_HELD_CALL; WRONG_CALL_STATE while the agent
    talks in another."""

    call: str | None = None


@never_waits(TakeBack)
def take_back(floor: FloorState, asked: TakeBack) -> None:
    """End the hold."""
    seat = floor.seat(asked.by)
    found = [call for call in seat.calls if call.part(seat).held_at is not None]
    found = [call for call in found if asked.call in (None, call.call)]
    if not found:
        raise Refused(Code.NO_HELD_CALL, "no such call is held")
    call = found[0]
    if seat.call is not None and seat.call is not call and seat.call.part(seat).held_at is None:
        raise Refused(Code.WRONG_CALL_STATE, "the agent talks in another call")
    if call.transfer is not None:
        raise Refused(Code.WRONG_CALL_STATE, "the call is being transferred")
    call.state = move(call.state, CallTrigger.TAKE_BACK)
    call.part(seat).held_at = None
    if seat.call is not call:
        bonds.fall_back(floor, seat)
    seat.acts_in(call)
    hearing.refresh(floor, seat, call=call)
    telling.talking(floor, call, seat)


@dataclass(frozen=True, slots=True)
class Mute(Command):
    """The agent is heard by nobody, or heard again. NO_CALL, WRONG_CALL_STATE when that is so already."""

    on: bool


@never_waits(Mute)
def mute(floor: FloorState, asked: Mute) -> None:
    """Take the agent's voice from everybody, or give it back."""
    seat = floor.seat(asked.by)
    call, part = current(seat)
    if not call.talking:
        raise Refused(Code.NO_CALL, "the call does not talk yet")
    if part.muted is asked.on:
        raise Refused(Code.WRONG_CALL_STATE, "muted already" if asked.on else "not muted")
    part.muted = asked.on
    hearing.refresh(floor, seat)


@dataclass(frozen=True, slots=True)
class DialOn(Command):
    """Send RFC 4733 digits to the customer: 1-24 of 0-9 * #. BAD_PARAMETER, NO_CALL."""

    digits: str


@never_waits(DialOn)
def dial_on(floor: FloorState, asked: DialOn) -> None:
    """Digits to the customer."""
    seat = floor.seat(asked.by)
    if not NUMBER.match(asked.digits):
        raise Refused(Code.BAD_PARAMETER, "1-24 of 0-9 * #")
    call, _ = current(seat)
    if call.state is not CallState.TALKING or not call.customers:
        raise Refused(Code.NO_CALL, "nobody to dial to")
    floor.do(*(SendDigits(customer.leg, asked.digits) for customer in call.customers if customer.up))


@dataclass(frozen=True, slots=True)
class Release(Command):
    """Leave the call that the agent acts in, which ends it unless two others are left; after talking with
    whom the held customer goes to, connect the two. NO_CALL."""


@never_waits(Release)
def release(floor: FloorState, asked: Release) -> None:
    """The agent is out of the call."""
    seat = floor.seat(asked.by)
    call, _ = current(seat)
    if not merging.hand_over(floor, seat):
        leave(floor, call, seat)


@dataclass(frozen=True, slots=True)
class ReleasePhone(Command):
    """Release the phone that stands between calls. WRONG_AGENT_STATE while something needs it."""


@never_waits(ReleasePhone)
def release_phone(floor: FloorState, asked: ReleasePhone) -> None:
    """The phone is down; the next call rings it."""
    seat = floor.seat(asked.by)
    if seat.call is not None or seat.inspecting is not None:
        raise Refused(Code.WRONG_AGENT_STATE, "a call or a supervision needs the phone")
    seating.drop_phone(floor, seat)
    hearing.refresh(floor, seat)


def leave(floor: FloorState, call: Call, seat: Seat) -> None:
    """The agent releases a call: for all, or for themselves alone where others go on without them."""
    if call.state is CallState.JOINING:
        calling.end_call(floor, call, "agent: released")
    else:
        calling.agent_leaves(floor, call, seat, "agent: released")
