"""Call data: a text that agents and their clients keep with a call, for whoever has the call next."""

from __future__ import annotations

from dataclasses import dataclass, field

from sottovoce.domain.calls import CallDirection
from sottovoce.domain.journal import CallDataSet
from sottovoce.errors import Code, Refused
from sottovoce.live.inputs import Command, never_waits
from sottovoce.live.state import Call, FloorState

MOST_BYTES = 16 * 1024
"""Of UTF-8 (CC-Gateway page 1263)."""


@dataclass(frozen=True, slots=True)
class SetCallData(Command):
    """Keep this with one of one's calls, in the place of what was there; without `call`, with the one that
    the agent acts in. NO_CALL; BAD_PARAMETER for more than 16 KiB of UTF-8."""

    data: str = field(repr=False)
    call: str | None = None


@never_waits(SetCallData)
def set_call_data(floor: FloorState, asked: SetCallData) -> None:
    """The call has this data from now on."""
    seat = floor.seat(asked.by)
    check_size(asked.data)
    call = next((call for call in seat.calls if asked.call in (None, call.call)), None)
    if call is None:
        raise Refused(Code.NO_CALL, f"agent {seat.agent} has no such call")
    attach(floor, call, asked.data)


def check_size(data: str) -> None:
    """Raise BAD_PARAMETER unless a call may have so much data."""
    if len(data) > MOST_BYTES or len(data.encode("utf-8", "surrogatepass")) > MOST_BYTES:
        raise Refused(Code.BAD_PARAMETER, f"must have at most {MOST_BYTES} bytes of UTF-8", field="data")


def attach(floor: FloorState, call: Call, data: str) -> None:
    """The call has this data from now on, and so will its contacts."""
    if data != call.data:
        call.data = data
        if isinstance(call.direction, CallDirection):
            floor.journal(CallDataSet(call.call, floor.profile.vdn, data))
