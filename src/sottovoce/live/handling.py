"""What an agent does with a call: place it, answer, hold, take back, mute, dial on, release; and what an
inspector does to it: intercept, drop."""

from __future__ import annotations

import re

from sottovoce.domain import access, events
from sottovoce.domain.agents import AgentState, BusyReason, Trigger
from sottovoce.domain.calls import CallDirection, CallState, CallTrigger, move
from sottovoce.domain.directory import Right
from sottovoce.domain.lines import Destination, Side
from sottovoce.domain.supervision import Command
from sottovoce.errors import Code, Refused
from sottovoce.live import calling, hearing, seating, supervising
from sottovoce.live.commands import (
    Answer,
    CallOut,
    DialOn,
    DropCall,
    Hold,
    Intercept,
    Mute,
    Release,
    TakeBack,
)
from sottovoce.live.effects import Arm, CallUnanswered, Ring
from sottovoce.live.effects import SendDigits as Digits
from sottovoce.live.state import Call, FloorState, Seat, Supervision

_NUMBER = re.compile(r"[0-9*#]{1,24}\Z")
_CALLER = re.compile(r"[0-9]{0,24}\Z")


def call_out(floor: FloorState, command: CallOut) -> None:
    """Place a call: the agent's own phone first, then the number."""
    seat = floor.seat(command.agent)
    access.require(seat.profile, Right.CALL_OUT)
    if not _NUMBER.match(command.called) or not _CALLER.match(command.caller):
        raise Refused(Code.BAD_NUMBER, "1-24 of 0-9 * # are a number")
    if command.skill is not None and command.skill not in floor.profile.skills:
        raise Refused(Code.BAD_PARAMETER, f"no skill queue {command.skill}")
    if not access.number_allowed(floor.profile, command.called):
        raise Refused(Code.NUMBER_NOT_ALLOWED, "the VDN's allow-list does not admit this number")
    if seat.call is not None or seat.inspecting is not None:
        raise Refused(Code.WRONG_AGENT_STATE, "in a call already")
    if seat.state not in (AgentState.IDLE, AgentState.BUSY, AgentState.WRAP_UP):
        raise Refused(Code.WRONG_AGENT_STATE, f"no call out while {seat.state}")
    call = Call(
        floor.new_call(),
        CallDirection.OUTBOUND,
        command.caller or seat.phone,
        command.called,
        command.skill,
        None,
        CallState.DIALLING,
        floor.now,
        seat=seat,
    )
    seat.call = call
    calling.began(floor, call)
    floor.do(Arm(CallUnanswered(call.call), floor.settings.ring_s))
    if seat.leg_up:
        dial(floor, call, seat)
    else:
        seating.ring_phone(floor, seat, command.called)


def dial(floor: FloorState, call: Call, seat: Seat) -> None:
    """The agent's phone is up: ring the customer."""
    seating.seize(floor, seat)
    call.customer = floor.new_leg()
    floor.legs[call.customer] = call
    side = Side.PHONE if call.called in floor.profile.phones else Side.TRUNK
    floor.do(Ring(call.customer, Destination(side, call.called), call.caller))
    hearing.ringback(floor, seat, True)
    floor.do(Arm(CallUnanswered(call.call), floor.settings.call_out_s))


def answer(floor: FloorState, command: Answer) -> None:
    """Take the call that waits for it; the phone must be lifted before."""
    seat = floor.seat(command.agent)
    call = seat.call
    if call is None or seat.state is not AgentState.ANSWERING or command.call not in (None, call.call):
        raise Refused(Code.NOTHING_TO_ANSWER, "no call waits for an answer, or the phone is not lifted")
    calling.connect(floor, call)


def _call(seat: Seat) -> Call:
    if seat.call is None:
        raise Refused(Code.NO_CALL, f"agent {seat.agent} has no call")
    return seat.call


def hold(floor: FloorState, command: Hold) -> None:
    """The customer hears music and nobody else."""
    seat = floor.seat(command.agent)
    call = _call(seat)
    already = hearing.on_hold(seat)
    call.state = move(call.state, CallTrigger.HOLD)
    call.held_at = floor.now
    hearing.refresh(floor, seat)
    if not already:
        hearing.music(floor, call, True)
    floor.emit(events.CallHeld(seat.agent, call.call))


def take_back(floor: FloorState, command: TakeBack) -> None:
    """End the hold."""
    seat = floor.seat(command.agent)
    call = seat.call
    if call is None or command.call not in (None, call.call):
        raise Refused(Code.NO_HELD_CALL, "no such call is held")
    call.state = move(call.state, CallTrigger.TAKE_BACK)
    call.held_at = None
    if not hearing.on_hold(seat):
        hearing.music(floor, call, False)
    hearing.refresh(floor, seat)
    calling.tell_talking(floor, call, seat)


def mute(floor: FloorState, command: Mute) -> None:
    """Take the agent's voice from everybody, or give it back."""
    seat = floor.seat(command.agent)
    call = _call(seat)
    if not call.talking:
        raise Refused(Code.NO_CALL, "the call does not talk yet")
    if call.muted is command.on:
        raise Refused(Code.WRONG_CALL_STATE, "muted already" if command.on else "not muted")
    call.muted = command.on
    hearing.refresh(floor, seat)


def dial_on(floor: FloorState, command: DialOn) -> None:
    """Digits to the customer."""
    seat = floor.seat(command.agent)
    if not _NUMBER.match(command.digits):
        raise Refused(Code.BAD_PARAMETER, "1-24 of 0-9 * #")
    call = _call(seat)
    if call.state is not CallState.TALKING or call.customer is None:
        raise Refused(Code.NO_CALL, "nobody to dial to")
    floor.do(Digits(call.customer, command.digits))


def release(floor: FloorState, command: Release) -> None:
    """The agent ends the call."""
    seat = floor.seat(command.agent)
    call = _call(seat)
    if call.state is CallState.ALERTING:
        calling.unanswered(floor, call, BusyReason.REJECTED)
    else:
        calling.end_call(floor, call, "agent: released")


def check_drop(floor: FloorState, command: DropCall) -> Call:
    """The call, if this inspector may end it."""
    seat = floor.seat(command.inspector)
    access.require(seat.profile, Right.INSPECT)
    call = floor.calls.get(command.call)
    if call is None:
        raise Refused(Code.NO_CALL, "no such call in this VDN")
    return call


def drop(floor: FloorState, command: DropCall) -> None:
    """An inspector ends a call."""
    calling.end_call(floor, check_drop(floor, command), f"dropped by {command.inspector}")


def check_intercept(floor: FloorState, command: Intercept) -> tuple[Supervision, Call]:
    """The supervision and the call to take, if that is permitted now."""
    seat = floor.seat(command.inspector)
    access.require(seat.profile, Right.INSPECT)
    supervising.step(seat, command.target, Command.INTERCEPT)
    supervision = seat.inspecting
    assert supervision is not None
    call = supervision.target.call
    if call is None or not call.talking or command.call not in (None, call.call):
        raise Refused(Code.NO_CALL, "the agent does not talk in such a call")
    return supervision, call


def intercept(floor: FloorState, command: Intercept) -> None:
    """The call becomes the inspector's, the agent idle. Other inspectors stay with the agent.

    One table takes the customer from the agent and gives him to the inspector.
    """
    supervision, call = check_intercept(floor, command)
    agent, inspector = supervision.target, supervision.inspector
    call.state = move(call.state, CallTrigger.INTERCEPT)
    call.muted, call.held_at = False, None
    agent.call, agent.last_call = None, call
    supervising.fall_back(floor, agent)
    supervising.part(floor, supervision)
    hearing.end_segment(floor, call)
    call.seat, inspector.call = inspector, call
    seating.move(floor, inspector, Trigger.TALK)
    calling.join(floor, call, inspector, taken_from=agent)
    floor.journal(supervising.ended(floor, supervision, "intercepted"))
    seating.set_free(floor, agent, Trigger.FREED)
    seating.release_phone(floor, agent)
    floor.emit(events.CallReleased(agent.agent, call.call))
    floor.emit(events.CustomerReleased(agent.agent, call.call, call.number))
    supervising.tell_end(floor, supervision)
    calling.assign(floor)
