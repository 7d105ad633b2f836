"""What an agent does with a call: place it, answer, hold, take back, mute, dial on, release."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from sottovoce.domain import access, events
from sottovoce.domain.agents import AgentState, BusyReason
from sottovoce.domain.calls import CallDirection, CallState, CallTrigger, move
from sottovoce.domain.directory import Right, SkillId
from sottovoce.domain.lines import Destination, LineKind
from sottovoce.errors import Code, Refused
from sottovoce.live import call_data, calling, hearing, seating
from sottovoce.live.effects import Arm, CallUnanswered, Ring
from sottovoce.live.inputs import Command, never_waits
from sottovoce.live.state import AgentPart, Call, FloorState, OutsideParty, Seat
from sottovoce.media.engine import SendDigits

_NUMBER = re.compile(r"[0-9*#]{1,24}\Z")
_CALLER = re.compile(r"[0-9]{0,24}\Z")
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
    if not _NUMBER.match(asked.called) or not _CALLER.match(asked.caller):
        raise Refused(Code.BAD_NUMBER, "1-24 of 0-9 * # are a number")
    call_data.check_size(asked.data)
    if asked.skill is not None and asked.skill not in floor.profile.skills:
        raise Refused(Code.BAD_PARAMETER, f"no skill queue {asked.skill}")
    if not access.number_allowed(floor.profile, asked.called):
        raise Refused(Code.NUMBER_NOT_ALLOWED, "the VDN's allow-list does not admit this number")
    if not floor.keeps:
        raise Refused(Code.UNAVAILABLE, "calls cannot be kept now: the database is away, the disk is full")
    if seat.call is not None or seat.inspecting is not None:
        raise Refused(Code.WRONG_AGENT_STATE, "in a call already")
    if seat.state not in (AgentState.IDLE, AgentState.BUSY, AgentState.WRAP_UP):
        raise Refused(Code.WRONG_AGENT_STATE, f"no call out while {seat.state}")
    call = Call(
        floor.new_call(),
        CallDirection.OUTBOUND,
        asked.caller or seat.phone,
        asked.called,
        asked.skill,
        CallState.DIALLING,
        floor.moment,
    )
    seat.enter(call, AgentPart(seat))
    calling.began(floor, call)
    call_data.attach(floor, call, asked.data)
    floor.do(Arm(CallUnanswered(call.call), floor.settings.agents.ring_timeout))
    if seat.leg_up:
        dial(floor, call, seat)
    else:
        seating.ring_phone(floor, seat, asked.called)


def dial(floor: FloorState, call: Call, seat: Seat) -> None:
    """The agent's phone is up: ring the customer."""
    seating.seize(floor, seat)
    customer = OutsideParty(floor.new_leg(), call.called)
    call.customers.append(customer)
    floor.legs[customer.leg] = call
    side = LineKind.PHONE if call.called in floor.profile.phones else LineKind.TRUNK
    floor.do(Ring(customer.leg, Destination(side, call.called), call.caller))
    hearing.ringback(floor, seat, True)
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


def _call(seat: Seat) -> tuple[Call, AgentPart]:
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
    call, part = _call(seat)
    call.state = move(call.state, CallTrigger.HOLD)
    part.held_at = floor.now_in(call)
    hearing.refresh(floor, seat)
    floor.emit(events.CallHeld(seat.agent, call.call))


@dataclass(frozen=True, slots=True)
class TakeBack(Command):
    """End the hold. NO_HELD_CALL."""

    call: str | None = None


@never_waits(TakeBack)
def take_back(floor: FloorState, asked: TakeBack) -> None:
    """End the hold."""
    seat = floor.seat(asked.by)
    call, part = seat.call, seat.part
    if call is None or part is None or asked.call not in (None, call.call):
        raise Refused(Code.NO_HELD_CALL, "no such call is held")
    call.state = move(call.state, CallTrigger.TAKE_BACK)
    part.held_at = None
    hearing.refresh(floor, seat)
    calling.tell_talking(floor, call, seat)


@dataclass(frozen=True, slots=True)
class Mute(Command):
    """The agent is heard by nobody, or heard again. NO_CALL, WRONG_CALL_STATE when that is so already."""

    on: bool


@never_waits(Mute)
def mute(floor: FloorState, asked: Mute) -> None:
    """Take the agent's voice from everybody, or give it back."""
    seat = floor.seat(asked.by)
    call, part = _call(seat)
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
    if not _NUMBER.match(asked.digits):
        raise Refused(Code.BAD_PARAMETER, "1-24 of 0-9 * #")
    call, _ = _call(seat)
    if call.state is not CallState.TALKING or not call.customers:
        raise Refused(Code.NO_CALL, "nobody to dial to")
    floor.do(*(SendDigits(customer.leg, asked.digits) for customer in call.customers))


@dataclass(frozen=True, slots=True)
class Release(Command):
    """End the call. NO_CALL."""


@never_waits(Release)
def release(floor: FloorState, asked: Release) -> None:
    """The agent ends the call."""
    seat = floor.seat(asked.by)
    call, _ = _call(seat)
    if call.state is CallState.ALERTING:
        calling.unanswered(floor, call, seat, BusyReason.REJECTED)
    else:
        calling.end_call(floor, call, "agent: released")
