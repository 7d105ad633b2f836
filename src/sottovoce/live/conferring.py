"""Several parties: two calls become one, with the agent who asks or without; parties leave."""

from __future__ import annotations

from dataclasses import dataclass, field

from sottovoce.domain.agents import BusyReason
from sottovoce.domain.legs import ReleaseCause
from sottovoce.errors import Code, Refused
from sottovoce.live import call_data, calling, handling, merging
from sottovoce.live.effects import HangUp
from sottovoce.live.inputs import Command, never_waits
from sottovoce.live.state import Call, FloorState, Seat

MAX_PARTIES = 6
"""In one call: with their inspectors they stay within what the mixer sums for one listener."""


@dataclass(frozen=True, slots=True)
class Merge(Command):
    """Make the held call and the one that the agent talks in one; the agent `stays` in it, or leaves both.
    `data`, if any, is the call's from then on. NO_CALL, NO_HELD_CALL (`held` names no such call),
    WRONG_CALL_STATE (too many parties, somebody is being asked), BAD_PARAMETER (too much data)."""

    held: str
    stays: bool
    data: str = field(default="", repr=False)


@never_waits(Merge)
def merge(floor: FloorState, asked: Merge) -> None:
    """One call is left, a customer's if one is; all of it in one table."""
    seat = floor.seat(asked.by)
    call, part = handling.current(seat)
    if not call.talking or part.held_at is not None or part.alerting:
        raise Refused(Code.NO_CALL, "the agent talks in no call")
    held = next((one for one in seat.waiting if one.call == asked.held), None)
    if held is None:
        raise Refused(Code.NO_HELD_CALL, "the agent holds no such call")
    parties = len(call.parts) + len(call.customers) + len(held.parts) + len(held.customers)
    if call.held_by_other(seat) or held.held_by_other(seat):
        raise Refused(Code.WRONG_CALL_STATE, "another agent holds one of the calls")
    if parties - 1 > MAX_PARTIES or call.transfer is not None or held.transfer is not None:
        raise Refused(Code.WRONG_CALL_STATE, "too many parties, or somebody is being asked")
    call_data.check_size(asked.data)
    kept, other = (call, held) if call.customers and not held.customers else (held, call)
    merging.merge(floor, seat, kept, other, stays=asked.stays)
    call_data.attach(floor, kept, asked.data or kept.data)
    calling.assign(floor)


@dataclass(frozen=True, slots=True)
class LeaveCall(Command):
    """Leave one of one's calls, held or not; one that rings is rejected. NO_CALL."""

    call: str


@never_waits(LeaveCall)
def leave_call(floor: FloorState, asked: LeaveCall) -> None:
    """Out of that call, which ends unless two others are left."""
    seat = floor.seat(asked.by)
    call = next((one for one in seat.calls if one.call == asked.call), None)
    if call is None:
        raise Refused(Code.NO_CALL, "the agent is in no such call")
    handling.leave(floor, call, seat)


@dataclass(frozen=True, slots=True)
class Reject(Command):
    """Reject the call that rings; `call` None: whichever does. NOTHING_TO_ANSWER."""

    call: str | None = None


@never_waits(Reject)
def reject(floor: FloorState, asked: Reject) -> None:
    """It goes to the next agent, or back to whoever asked for this one."""
    seat = floor.seat(asked.by)
    call = seat.call
    if call is None or not call.part(seat).alerting or asked.call not in (None, call.call):
        raise Refused(Code.NOTHING_TO_ANSWER, "no call rings that could be rejected")
    calling.unanswered(floor, call, seat, BusyReason.REJECTED)


@dataclass(frozen=True, slots=True)
class Disconnect(Command):
    """Take one party out of the call: oneself (by phone or work number), or, for the agent who has the call,
    another agent or a customer by number. NO_CALL; NOT_FOUND (nobody there has that number)."""

    number: str


@never_waits(Disconnect)
def disconnect(floor: FloorState, asked: Disconnect) -> None:
    """That party is out; the call ends where that leaves no talk."""
    seat = floor.seat(asked.by)
    call, _ = handling.current(seat)
    if asked.number in (seat.phone, str(seat.agent)):
        handling.leave(floor, call, seat)
        return
    agents = [part.seat for part in call.parts if str(part.seat.agent) == asked.number]
    parties = [one for one in call.customers if one.number == asked.number]
    if not call.talking or call.seat is not seat or not (agents or parties):
        raise Refused(Code.NOT_FOUND, "nobody in the call has that number, or another agent has the call")
    if agents:
        _take_out(floor, call, agents[0])
        return
    if call.dialled is parties[0]:
        calling.withdraw(floor, call)
        calling.failed(floor, call)
    elif calling.customer_leaves(floor, call, parties[0]):
        floor.do(HangUp(parties[0].leg, ReleaseCause.NORMAL))
    else:
        calling.end_call(floor, call, f"agent: released {asked.number}")


def _take_out(floor: FloorState, call: Call, other: Seat) -> None:
    if call.part(other).alerting and call.transfer is not None:
        calling.withdraw(floor, call)
        calling.failed(floor, call)
    else:
        calling.agent_leaves(floor, call, other, "agent: released")
