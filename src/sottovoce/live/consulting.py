"""Calls between agents: one agent calls another, consults one while the customer is held, or asks one in."""

from __future__ import annotations

from dataclasses import dataclass, field

from sottovoce.domain import events
from sottovoce.domain.calls import CallTrigger, InnerKind, move
from sottovoce.domain.directory import AgentId, SkillId
from sottovoce.errors import Code, Refused
from sottovoce.live import call_data, calling, handling, hearing, queueing
from sottovoce.live.inputs import Command, never_waits
from sottovoce.live.state import Call, FloorState, Seat, Transfer


@dataclass(frozen=True, slots=True)
class CallInner(Command):
    """Call another agent of the VDN, or whoever is free first in a queue: out of no call, or while one is
    held. BAD_PARAMETER (oneself, an unknown queue), TARGET_UNKNOWN, TARGET_NOT_SIGNED_IN,
    WRONG_AGENT_STATE (of either), MEDIA_EXHAUSTED (the queues are full)."""

    whom: AgentId | SkillId
    queue: bool = False
    """Whether `whom` is a queue."""
    data: str = field(default="", repr=False)
    """Kept with the call while it lasts."""


@never_waits(CallInner)
def call_inner(floor: FloorState, asked: CallInner) -> None:
    """Ring the agent's own phone unless it is up, then the other's."""
    seat = floor.seat(asked.by)
    handling.may_call(seat)
    call_data.check_size(asked.data)
    check_wanted(floor, seat, asked.whom, queue=asked.queue)
    _place(floor, seat, InnerKind.PLAIN, asked)


@dataclass(frozen=True, slots=True)
class Consult(Command):
    """Consult another agent, or whoever is free first in a queue, about the call: the customer is held, or
    (`joins`) talks on, and whoever answers comes in. NO_CALL; WRONG_CALL_STATE (more than two are in the
    call, or a consult or a transfer runs); else as `CallInner`."""

    whom: AgentId | SkillId
    queue: bool = False
    joins: bool = False
    data: str = field(default="", repr=False)
    """Kept with the consult; of one that joins, with the call."""


@never_waits(Consult)
def consult(floor: FloorState, asked: Consult) -> None:
    """Hold the customer and call the other, or ring the other for the same call."""
    seat = floor.seat(asked.by)
    call, part = handling.current(seat)
    check_two(call, seat)
    if seat.waiting:
        raise Refused(Code.WRONG_CALL_STATE, "a consult runs already")
    call_data.check_size(asked.data)
    check_wanted(floor, seat, asked.whom, queue=asked.queue)
    if asked.joins:
        call_data.attach(floor, call, asked.data or call.data)
        ask_in(
            floor,
            call,
            Transfer(seat, joins=True, skill=call.skill, consult=True),
            asked.whom,
            queue=asked.queue,
        )
        return
    if part.held_at is None:
        hold(floor, call, seat)
    _place(floor, seat, InnerKind.CONSULT, asked)


def _place(floor: FloorState, seat: Seat, kind: InnerKind, asked: CallInner | Consult) -> None:
    skill = SkillId(asked.whom) if asked.queue else None
    handling.place(floor, seat, kind, str(seat.agent), str(asked.whom), skill, asked.data)


def check_two(call: Call, seat: Seat) -> None:
    """Raise unless these two alone are in the call, and nobody is being asked. NO_CALL, WRONG_CALL_STATE."""
    if not call.talking or call.part(seat).alerting:
        raise Refused(Code.NO_CALL, "the agent does not talk yet")
    if len(call.parts) + len(call.customers) > 2 or call.transfer is not None:
        raise Refused(Code.WRONG_CALL_STATE, "more than two are in the call, or somebody is being asked")
    if call.held_by_other(seat):
        raise Refused(Code.WRONG_CALL_STATE, "the other agent holds the call")


def check_wanted(floor: FloorState, seat: Seat, whom: AgentId | SkillId, *, queue: bool) -> None:
    """Raise unless that agent, or somebody of that queue, can be rung for `seat`."""
    if queue:
        if whom not in floor.profile.skills:
            raise Refused(Code.BAD_PARAMETER, f"no skill queue {whom}")
        if not queueing.has_room(floor, SkillId(whom)):
            raise Refused(Code.MEDIA_EXHAUSTED, "the queue is full")
        return
    agent = AgentId(whom)
    if agent == seat.agent:
        raise Refused(Code.BAD_PARAMETER, "that is the agent's own number")
    if agent not in floor.profile.agents:
        raise Refused(Code.TARGET_UNKNOWN, f"no agent {agent} in this VDN")
    if agent not in floor.seats:
        raise Refused(Code.TARGET_NOT_SIGNED_IN, f"agent {agent} is not signed in")
    if not floor.seats[agent].free:
        raise Refused(Code.WRONG_AGENT_STATE, f"agent {agent} is not idle")


def hold(floor: FloorState, call: Call, seat: Seat) -> None:
    """The other party hears music and nobody else."""
    call.state = move(call.state, CallTrigger.HOLD)
    call.part(seat).held_at = floor.now_in(call)
    hearing.refresh(floor, seat)
    floor.emit(events.CallHeld(seat.agent, call.call))


def ask_in(
    floor: FloorState, call: Call, transfer: Transfer, whom: AgentId | SkillId, *, queue: bool
) -> None:
    """Ring that agent, or whoever is free first in that queue, to join the call or to take it over."""
    call.transfer = transfer
    transfer.queued = queue
    if queue:
        call.skill = SkillId(whom)
        queueing.enter(floor, call)
        calling.assign(floor)
    else:
        calling.offer(floor, call, floor.seats[AgentId(whom)])
