"""What an agent is told of their calls, and what becomes of phone and agent when the last one is over."""

from __future__ import annotations

from sottovoce.domain import events
from sottovoce.domain.agents import Trigger
from sottovoce.domain.calls import CallDirection, InnerKind
from sottovoce.live import hearing, seating
from sottovoce.live.state import AgentPart, Call, FloorState, Seat


def talking(floor: FloorState, call: Call, seat: Seat) -> None:
    """Tell the agent that the talk began."""
    floor.emit(events.CallTalking(seat.agent, call.call, call.caller, call.called, call.direction))


def conference(floor: FloorState, call: Call) -> None:
    """Tell every agent of the call who the others are, if they are more than one."""
    for agent in [part.seat.agent for part in call.parts if not part.alerting]:
        others = call.others(agent)
        if len(others) > 1:
            floor.emit(events.Conferred(agent, call.call, others))


def over(floor: FloorState, call: Call, part: AgentPart, *, talked: bool) -> None:
    """Tell the agent that their part in the call is over, and free phone and agent if it was the last."""
    seat = part.seat
    if talked or part.alerting or call.direction is CallDirection.INBOUND:
        released(floor, call, part)
        let_go(floor, seat)
    elif not call.customers and not seat.leg_up:
        _failure(floor, call, seat)
        let_go(floor, seat)
    else:
        if seat.leg is not None:
            hearing.ringback(floor, seat, False)
        let_go(floor, seat)
        _failure(floor, call, seat)
    if seat.call is None:
        seating.set_free(floor, seat, Trigger.OVER)


def released(floor: FloorState, call: Call, part: AgentPart) -> None:
    """Tell the agent that they are out of the call, if they were told of it."""
    agent = part.seat.agent
    if part.presented:
        floor.emit(events.CallReleased(agent, call.call))
        floor.emit(events.CustomerReleased(agent, call.call, call.number_for(agent)))


def let_go(floor: FloorState, seat: Seat) -> None:
    """Release the agent's phone, unless another call needs it."""
    if seat.call is None:
        seating.release_phone(floor, seat)


def _failure(floor: FloorState, call: Call, seat: Seat) -> None:
    if call.direction is InnerKind.CONSULT:
        floor.emit(events.ConsultFailed(seat.agent, call.call))
    elif call.direction is InnerKind.PLAIN:
        floor.emit(events.InnerCallFailed(seat.agent, call.call))
    else:
        floor.emit(events.CallOutFailed(seat.agent, call.call, call.reason))
        floor.emit(events.ConnectFailed(seat.agent, call.call))


def left(floor: FloorState, call: Call, number: str) -> None:
    """Tell the agents who stay that somebody left."""
    floor.emit(
        *(events.CustomerReleased(one.seat.agent, call.call, number) for one in call.parts if one.presented)
    )
