"""What follows when somebody cannot be reached: it rang too long, or a phone is gone or away."""

from __future__ import annotations

import structlog

from sottovoce.domain import events
from sottovoce.domain.agents import BusyReason, Trigger
from sottovoce.domain.calls import CallState
from sottovoce.domain.legs import ReleaseCause
from sottovoce.domain.lines import PhoneSeen
from sottovoce.live import calling, merging, seating
from sottovoce.live.effects import Arm, CallUnanswered, PhoneAway
from sottovoce.live.inputs import happens
from sottovoce.live.state import Call, FloorState, Seat

log = structlog.get_logger(__name__)


@happens(CallUnanswered)
def timed_out(floor: FloorState, timer: CallUnanswered) -> None:
    """Rang too long: at an agent, or at an outside number."""
    call = floor.calls.get(timer.call)
    if call is None:
        return
    if call.dialled is not None:
        calling.withdraw(floor, call)
        calling.failed(floor, call)
    elif call.asked is not None and call.state is not CallState.JOINING:
        seat = call.asked.seat
        if seat.leg_up or seat.leg_alerted:
            calling.unanswered(floor, call, seat, BusyReason.NO_ANSWER)
        else:
            floor.emit(events.PhoneUnavailable(seat.agent))
            phone_away(floor, call, seat, ReleaseCause.UNREACHABLE)
    elif call.state in (CallState.DIALLING, CallState.JOINING):
        calling.end_call(floor, call, "no answer")


def phone_lost(floor: FloorState, seat: Seat, cause: ReleaseCause, *, was_up: bool) -> None:
    """The agent's phone is gone while calls had it."""
    lost = cause is ReleaseCause.WORKER_LOST
    if not lost:
        merging.hand_over(floor, seat)
    for call in seat.calls:
        if not call.part(seat).alerting:
            calling.agent_leaves(floor, call, seat, cause.value if lost else f"agent: {cause.value}")
            continue
        reason = BusyReason.REJECTED if was_up else _SILENCE.get(cause, BusyReason.PHONE)
        if reason is BusyReason.PHONE:
            phone_away(floor, call, seat, cause)
        else:
            calling.unanswered(floor, call, seat, reason)


def phone_away(floor: FloorState, call: Call, seat: Seat, cause: ReleaseCause) -> None:
    """The agent's phone cannot be had: one that cannot be reached may come back, any other makes busy."""
    first = seat.absence is None
    waits = cause is ReleaseCause.UNREACHABLE and seating.missed(floor, seat)
    if first and waits:
        log.warning(
            "agent's phone cannot be reached",
            vdn=floor.profile.vdn,
            agent=seat.agent,
            phone=seat.phone,
            waits_s=floor.settings.agents.phone_wait,
        )
    elif not waits:
        seating.found(floor, seat)
        phone_given_up(floor, seat, cause)
    calling.unanswered(floor, call, seat, BusyReason.NONE if waits else BusyReason.PHONE)


def phone_given_up(floor: FloorState, seat: Seat, cause: ReleaseCause) -> None:
    """Say that the agent is busy because of the phone."""
    log.warning(
        "agent's phone cannot be had, agent is busy",
        vdn=floor.profile.vdn,
        agent=seat.agent,
        phone=seat.phone,
        cause=cause.value,
    )


@happens(PhoneAway)
def try_again(floor: FloorState, timer: PhoneAway) -> None:
    """A phone that could not be reached is tried by the next call; at the end of its time the agent is busy,
    unless it registered since."""
    seat = floor.seats.get(timer.agent)
    if seat is None or seat.absence is None:
        return
    left_s = floor.settings.agents.phone_wait - floor.since(seat.absence.since).total_seconds()
    if left_s > 0 or seat.state.engaged:
        floor.do(Arm(PhoneAway(seat.agent), min(seating.TRY_AGAIN_S, max(left_s, 1.0))))
        seat.absence.shunned = False
    else:
        seen = seat.absence.seen
        seating.found(floor, seat)
        if not seen:
            phone_given_up(floor, seat, ReleaseCause.UNREACHABLE)
            seating.set_free(floor, seat, Trigger.SILENT, reason=BusyReason.PHONE)
    calling.assign(floor)


@happens(PhoneSeen)
def phone_seen(floor: FloorState, event: PhoneSeen) -> None:
    """A phone registered: whoever missed it gets calls again."""
    for seat in floor.seats.values():
        if seat.phone == event.number and seat.absence is not None:
            seat.absence.shunned, seat.absence.seen = False, True
            calling.assign(floor)


_SILENCE = {
    ReleaseCause.NO_ANSWER: BusyReason.NO_ANSWER,
    ReleaseCause.BUSY: BusyReason.REJECTED,
    ReleaseCause.REJECTED: BusyReason.REJECTED,
}
