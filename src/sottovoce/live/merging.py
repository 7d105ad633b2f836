"""Two calls of an agent become one: all parties in one table, under the id of the call that is kept."""

from __future__ import annotations

from sottovoce.domain import events
from sottovoce.domain.calls import CallState, CallTrigger, move
from sottovoce.live import calling, hearing
from sottovoce.live.state import AgentPart, Call, FloorState, Seat


def hand_over(floor: FloorState, seat: Seat) -> bool:
    """Connect the held customer with whom the agent talked about them, and take the agent out; False where
    there is no such talk."""
    call = seat.call
    if call is None or not call.hands_over or not call.talking or not seat.waiting:
        return False
    merge(floor, seat, seat.waiting[0], call, stays=False)
    calling.assign(floor)
    return True


def merge(floor: FloorState, seat: Seat, kept: Call, other: Call, *, stays: bool) -> None:
    """Make one call of two of the agent's, who `stays` in it or leaves both; `kept` is what is left."""
    paused_by = kept.paused_by or other.paused_by
    mine, theirs = seat.leave(other), list(other.parts)
    for part in theirs:
        part.seat.leave(other)
        part.seat.enter(kept, AgentPart(part.seat, muted=part.muted))
    for customer in other.customers:
        floor.legs[customer.leg] = kept
    kept.customers += other.customers
    kept.music |= other.music
    other.customers, other.music = [], set()
    calling.finish(floor, other, f"joined to {kept.call}")
    if kept.state is CallState.HELD:
        kept.state = move(kept.state, CallTrigger.TAKE_BACK)
    kept.part(seat).held_at = None
    seat.acts_in(kept)
    kept.paused_by = paused_by
    gone = [] if stays else [(other, mine), (kept, seat.leave(kept))]
    calling.join(floor, kept, *(part.seat for part in theirs), gone=gone)
    told = [*([mine] if stays else []), *theirs]
    number = {id(part): str(seat.agent) for part in theirs} | {id(mine): other.number_for(seat.agent)}
    floor.emit(*(events.CustomerReleased(p.seat.agent, other.call, number[id(p)]) for p in told))
    for part in [mine, *theirs, *(part for call, part in gone if call is kept)]:
        hearing.end_segment(floor, part.segment)
    hearing.finish_contact(floor, other)
