"""Phone linkage: an agent's client lifts the phone on the desk, or puts it down.

What follows is what follows when the agent does it by hand.
"""

from __future__ import annotations

from dataclasses import dataclass

from sottovoce.domain.legs import LegId, ReleaseCause
from sottovoce.errors import Code, Refused
from sottovoce.live import legs
from sottovoce.live.effects import HangUp
from sottovoce.live.inputs import Command, never_waits
from sottovoce.live.state import FloorState, Seat


def ringing(seat: Seat) -> LegId:
    """The leg at which the agent's phone rings. NOTHING_TO_ANSWER."""
    if seat.leg is None or seat.leg_up or not seat.leg_alerted:
        raise Refused(Code.NOTHING_TO_ANSWER, f"the phone of agent {seat.agent} does not ring")
    return seat.leg


@dataclass(frozen=True, slots=True)
class HangUpPhone(Command):
    """Put the phone down, which rings, talks or stands: out of a call, as by `Release`; a call that rings
    is rejected, a supervision ends. NO_CALL where it is down."""


@never_waits(HangUpPhone)
def hang_up_phone(floor: FloorState, asked: HangUpPhone) -> None:
    """The phone is down."""
    seat = floor.seat(asked.by)
    leg = seat.leg
    if leg is None:
        raise Refused(Code.NO_CALL, f"the phone of agent {seat.agent} is down")
    floor.legs.pop(leg, None)
    floor.do(HangUp(leg))
    cause = ReleaseCause.NORMAL if seat.leg_up else ReleaseCause.REJECTED
    legs.phone_gone(floor, seat, cause, by_agent=True)
