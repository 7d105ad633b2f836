"""What lines and media say of legs: phones ring, are lifted, hold, hang up; media is lost or echoes."""

from __future__ import annotations

from sottovoce.domain import events
from sottovoce.domain.calls import CallState
from sottovoce.domain.journal import DialogEnded, DialogSaved
from sottovoce.domain.legs import LegId, ReleaseCause
from sottovoce.domain.lines import LegAnswered, LegGone, LegHeld, LegPressed, LegResumed, LegRinging, LegSaved
from sottovoce.live import (
    bonds,
    calling,
    conversing,
    handling,
    hearing,
    playing,
    seating,
    unreached,
    waiting,
)
from sottovoce.live.effects import HangUp
from sottovoce.live.inputs import happens
from sottovoce.live.state import Call, FloorState, Seat
from sottovoce.media.engine import DigitPressed, EchoHeard, LegProven, LegsLost, LegTimedOut, SendDigits


@happens(LegRinging)
def ringing(floor: FloorState, event: LegRinging) -> None:
    """A phone rings."""
    owner = floor.legs.get(event.leg)
    if isinstance(owner, Seat):
        seating.phone_alerting(floor, owner)
    elif isinstance(owner, Call):
        calling.customer_alerting(floor, owner, event.leg)


@happens(LegAnswered)
def answered(floor: FloorState, event: LegAnswered) -> None:
    """A phone is lifted."""
    owner = floor.legs.get(event.leg)
    if isinstance(owner, Call):
        calling.customer_answered(floor, owner, event.leg)
        if owner.closing is not None and owner.customer == event.leg:
            waiting.close(floor, owner)
    elif isinstance(owner, Seat) and not owner.leg_up:
        _lifted(floor, owner)


def _lifted(floor: FloorState, seat: Seat) -> None:
    """The agent's phone is up: what waited for it goes on."""
    seating.phone_alerting(floor, seat)
    seat.leg_up = True
    floor.emit(events.PhoneOffHook(seat.agent))
    hearing.refresh(floor, seat)
    if seat.inspecting is not None and seat.inspecting.reaching:
        bonds.reached(floor, seat.inspecting)
    elif seat.call is not None and seat.part is not None and seat.part.alerting:
        calling.present(floor, seat.call, seat)
    elif seat.call is not None:
        handling.dial(floor, seat.call, seat)
    elif seat.playing is not None:
        playing.begin(floor, seat, seat.playing)


@happens(LegGone)
def gone(floor: FloorState, event: LegGone) -> None:
    """A leg is over."""
    floor.journal(DialogEnded(event.leg, floor.profile.vdn))
    owner = floor.legs.pop(event.leg, None)
    if isinstance(owner, Call):
        calling.customer_gone(floor, owner, event.leg, event.cause)
    elif isinstance(owner, Seat):
        phone_gone(floor, owner, event.cause, by_agent=True)


_NOT_HAD = (
    ReleaseCause.BUSY,
    ReleaseCause.UNREACHABLE,
    ReleaseCause.UNSUPPORTED_MEDIA,
    ReleaseCause.OVERLOAD,
    ReleaseCause.FAILED,
)
"""Why a phone that rings nobody cannot be had; who rejects or does not lift has one."""


def phone_gone(floor: FloorState, seat: Seat, cause: ReleaseCause, *, by_agent: bool) -> None:
    """An agent's or inspector's phone is gone: what it carried ends."""
    was_up = seat.leg_up
    seating.forget_phone(floor, seat)
    if not was_up and cause in _NOT_HAD:
        floor.emit(events.PhoneUnavailable(seat.agent))
    floor.emit(events.PhoneReleased(seat.agent, by_agent))
    if seat.inspecting is not None:
        bonds.end(floor, seat.inspecting, f"phone: {cause.value}", phone=False)
    unreached.phone_lost(floor, seat, cause, was_up=was_up)
    hearing.refresh(floor, seat)
    calling.assign(floor)


def _lost(floor: FloorState, leg: LegId, cause: ReleaseCause) -> None:
    """A leg's media is gone though its signalling stands: hang up what is left of it."""
    owner = floor.legs.pop(leg, None)
    if isinstance(owner, Call) and len(owner.customers) > 1:
        floor.do(HangUp(leg, cause))
        calling.customer_gone(floor, owner, leg, cause)
    elif isinstance(owner, Call):
        calling.end_call(floor, owner, cause.value)
    elif isinstance(owner, Seat):
        floor.do(HangUp(leg, cause))
        phone_gone(floor, owner, cause, by_agent=False)


@happens(LegHeld, LegResumed)
def held(floor: FloorState, event: LegHeld | LegResumed) -> None:
    """An agent's phone holds by itself: as a hold by interface. A customer's own hold changes nothing."""
    owner, on = floor.legs.get(event.leg), isinstance(event, LegHeld)
    if not isinstance(owner, Seat) or owner.leg_held is on:
        return
    owner.leg_held = on
    hearing.refresh(floor, owner)
    call = owner.call
    if call is not None and call.talking:
        told = events.PhoneHeld if on else events.PhoneResumed
        listeners = [owner, *(s.inspector for s in owner.inspectors if not s.reaching)]
        floor.emit(*(told(seat.agent, call.call, owner.agent) for seat in listeners))
    if owner.inspecting is not None:
        hearing.refresh(floor, owner.inspecting.target)


@happens(LegSaved)
def saved(floor: FloorState, event: LegSaved) -> None:
    """What a BYE after a crash needs."""
    floor.journal(DialogSaved(event.leg, floor.profile.vdn, event.dialog))


@happens(LegTimedOut)
def media_timed_out(floor: FloorState, event: LegTimedOut) -> None:
    """A leg is silent: it counts as gone. Who has not answered yet may be."""
    owner = floor.legs.get(event.leg)
    if isinstance(owner, Call) and (
        owner.state is CallState.DIALLING or owner.dialled is owner.outside(event.leg)
    ):
        return
    _lost(floor, event.leg, ReleaseCause.MEDIA_TIMEOUT)


@happens(LegsLost)
def worker_lost(floor: FloorState, event: LegsLost) -> None:
    """A worker took its legs along."""
    for leg in sorted(event.legs):
        _lost(floor, leg, ReleaseCause.WORKER_LOST)


@happens(EchoHeard)
def echo(floor: FloorState, event: EchoHeard) -> None:
    """The inspector is warned that the customer may hear the whisper."""
    agent, inspector = floor.legs.get(event.agent), floor.legs.get(event.inspector)
    if isinstance(agent, Seat) and isinstance(inspector, Seat):
        floor.emit(events.EchoWarned(inspector.agent, agent.agent, inspector.agent))


@happens(DigitPressed, LegPressed)
def pressed(floor: FloorState, event: DigitPressed | LegPressed) -> None:
    """A key goes to the party that hears who pressed it, however that party takes keys; to no inspector."""
    owner = floor.legs.get(event.leg)
    if owner is None:
        return
    now = conversing.of_call(owner) if isinstance(owner, Call) else conversing.conversation(owner)
    legs, hears = [party.leg for party in now.parties], now.table.hears
    for leg in legs:
        if event.leg in legs and event.leg in hears[leg]:
            floor.do(SendDigits(leg, event.digit))


@happens(LegProven)
def proven(floor: FloorState, event: LegProven) -> None:
    """A leg sends sound; of one that has not answered yet that is early media."""
    owner = floor.legs.get(event.leg)
    if isinstance(owner, Call):
        calling.customer_early(floor, owner, event.leg)
