"""Calls: how they come, find an agent, talk, are held, and end.

Every way to an end goes through `end_call`, which silences first, then hangs up, then tells.
"""

from __future__ import annotations

import structlog

from sottovoce.domain import events
from sottovoce.domain.agents import AgentState, BusyReason, Trigger
from sottovoce.domain.calls import CallDirection, CallState, CallTrigger, move
from sottovoce.domain.journal import ContactBegan
from sottovoce.domain.legs import LegId, ReleaseCause
from sottovoce.domain.lines import LegOffered, PhoneSeen
from sottovoce.live import bonds, hearing, seating
from sottovoce.live.effects import Accept, Announce, Arm, CallUnanswered, Disarm, HangUp, PhoneAway
from sottovoce.live.inputs import happens
from sottovoce.live.state import AgentPart, Call, FloorState, OutsideParty, Seat

log = structlog.get_logger(__name__)


def began(floor: FloorState, call: Call) -> None:
    """A call is on the floor."""
    floor.calls[call.call] = call
    floor.journal(
        ContactBegan(
            call.call,
            floor.profile.vdn,
            floor.now,
            call.direction,
            call.caller,
            call.called,
            call.skill,
        )
    )


@happens(LegOffered)
def offered(floor: FloorState, offer: LegOffered) -> None:
    """A caller dialled a number of this VDN: find its access code, answer, queue."""
    code = floor.profile.access_codes.get(offer.called)
    if code is None or floor.queues.full or not floor.keeps:
        cause = ReleaseCause.REJECTED if code is None else ReleaseCause.OVERLOAD
        floor.do(HangUp(offer.leg, cause))
        return
    call = Call(
        floor.new_call(),
        CallDirection.INBOUND,
        offer.caller,
        offer.called,
        code.skill,
        CallState.ARRIVING,
        floor.moment,
        early_media=code.early_media,
        customers=[OutsideParty(offer.leg, offer.caller)],
    )
    floor.legs[offer.leg] = call
    began(floor, call)
    if code.early_media:
        floor.do(Announce(offer.leg, early_media=True))
        enter_queue(floor, call)
    else:
        floor.do(Accept(offer.leg))


def enter_queue(floor: FloorState, call: Call) -> None:
    """The caller waits with music; whoever is idle longest gets the call."""
    assert call.skill is not None
    call.state = move(call.state, CallTrigger.ENTER)
    hearing.music(floor, call, True)
    call.order = floor.queues.enter(call.call, call.skill)
    assign(floor)


def assign(floor: FloorState) -> None:
    """Give waiting calls to free agents while there are both."""
    while (pair := floor.queues.match(floor.free())) is not None:
        call, seat = floor.calls[pair[0]], floor.seats[pair[1]]
        floor.queues.leave(call.call)
        call.state = move(call.state, CallTrigger.ASSIGN)
        seat.enter(call, AgentPart(seat, alerting=True))
        seating.seize(floor, seat)
        skill = call.skill
        assert skill is not None
        known = floor.profile.skills.get(skill)
        floor.emit(
            events.CallAssigned(
                seat.agent, call.call, call.caller, call.called, skill, known.name if known else ""
            )
        )
        floor.do(Arm(CallUnanswered(call.call), floor.settings.agents.ring_timeout))
        if seat.leg_up:
            present(floor, call, seat)
        else:
            seating.ring_phone(floor, seat, call.caller)


def present(floor: FloorState, call: Call, seat: Seat) -> None:
    """The phone is lifted (or its leg stands): talk at once, or wait for `answer`."""
    told = events.CallAutoAnswered if seat.auto_answer else events.CallRinging
    call.part(seat).presented = True
    floor.emit(told(seat.agent, call.call, call.caller, call.called, call.direction))
    floor.emit(events.CustomerAlerting(seat.agent, call.call, call.number))
    if seat.auto_answer:
        connect(floor, call, seat)
    else:
        seating.move(floor, seat, Trigger.LIFT)


def connect(floor: FloorState, call: Call, seat: Seat) -> None:
    """The agent took the call: talk, once the trunk is answered too."""
    if call.customers[0].up:
        talk(floor, call, seat)
    elif call.state is CallState.ALERTING:
        call.state = move(call.state, CallTrigger.JOIN)
        assert call.customer is not None
        floor.do(Accept(call.customer))


def talk(floor: FloorState, call: Call, seat: Seat) -> None:
    """Agent and customer hear each other from now on."""
    part = call.part(seat)
    call.state = move(call.state, CallTrigger.TALK)
    call.talked_at = call.talked_at or floor.now_in(call)
    part.alerting, part.presented = False, True
    floor.do(Disarm(CallUnanswered(call.call)))
    seating.move(floor, seat, Trigger.TALK)
    join(floor, call, seat)


def join(floor: FloorState, call: Call, seat: Seat) -> None:
    """Begin a talk segment: recording, table, words. New callers never meet an inserted inspector.

    The same table takes the customer from whoever talked with them until now.
    """
    part = call.part(seat)
    bonds.fall_back(floor, seat)
    hearing.begin_segment(floor, call, part)
    hearing.refresh(floor, seat, call=call)
    tell_talking(floor, call, seat)
    assert part.segment is not None
    hearing.tell_recording(floor, part.segment)
    hearing.note_segment(floor, part.segment)


def tell_talking(floor: FloorState, call: Call, seat: Seat) -> None:
    """Tell the agent that the talk began."""
    floor.emit(events.CallTalking(seat.agent, call.call, call.caller, call.called, call.direction))


def unanswered(floor: FloorState, call: Call, seat: Seat, reason: BusyReason) -> None:
    """The agent did not take it and is busy now, unless `reason` is none; the call goes to the next one, at
    its old place."""
    assert call.skill is not None
    floor.do(Disarm(CallUnanswered(call.call)))
    call.state = move(call.state, CallTrigger.UNANSWERED)
    seat.leave(call)
    floor.emit(events.CallNotAnswered(seat.agent, call.call))
    seating.release_phone(floor, seat)
    seating.set_free(floor, seat, Trigger.SILENT if reason else Trigger.FREED, reason=reason)
    call.order = floor.queues.enter(call.call, call.skill, call.order)
    assign(floor)


def end_call(floor: FloorState, call: Call, reason: str, *, customer_gone: bool = False) -> None:
    """The call is over, whoever ended it. Silence, hang-up, words, in this order."""
    if call.state is CallState.ENDED:
        return
    parts, talked = list(call.parts), call.talking
    call.state = move(call.state, CallTrigger.END)
    call.ended_at, call.reason = floor.now_in(call), reason
    floor.calls.pop(call.call, None)
    floor.queues.leave(call.call)
    floor.do(Disarm(CallUnanswered(call.call)))
    for customer in call.customers:
        floor.legs.pop(customer.leg, None)
    for part in parts:
        part.seat.leave(call)
        bonds.fall_back(floor, part.seat)
    hearing.refresh(floor, *(part.seat for part in parts), call=call)
    for part in parts:
        hearing.end_segment(floor, part)
    if not customer_gone:
        floor.do(*(HangUp(customer.leg, _cause(reason)) for customer in call.customers))
    for part in parts:
        leave_call(floor, call, part, talked=talked)
    hearing.finish_contact(floor, call)
    assign(floor)


def leave_call(floor: FloorState, call: Call, part: AgentPart, *, talked: bool) -> None:
    """Tell the agent that the call is over, and free the phone and the agent."""
    seat = part.seat
    if call.direction is CallDirection.OUTBOUND and not talked:
        if not call.customers and not seat.leg_up:
            floor.emit(events.CallOutFailed(seat.agent, call.call, call.reason))
            floor.emit(events.ConnectFailed(seat.agent, call.call))
            seating.release_phone(floor, seat)
        else:
            if seat.leg is not None:
                hearing.ringback(floor, seat, False)
            seating.release_phone(floor, seat)
            floor.emit(events.CallOutFailed(seat.agent, call.call, call.reason))
            floor.emit(events.ConnectFailed(seat.agent, call.call))
    else:
        if part.presented:
            floor.emit(events.CallReleased(seat.agent, call.call))
            floor.emit(events.CustomerReleased(seat.agent, call.call, call.number))
        seating.release_phone(floor, seat)
    seating.set_free(floor, seat, Trigger.OVER)


def customer_gone(floor: FloorState, call: Call, leg: LegId, cause: ReleaseCause) -> None:
    """The customer hung up, gave up, or could not be reached."""
    end_call(floor, call, f"customer: {cause.value}", customer_gone=True)


def customer_answered(floor: FloorState, call: Call, leg: LegId) -> None:
    """The customer's leg talks."""
    call.outside(leg).up = True
    if call.state is CallState.ARRIVING:
        enter_queue(floor, call)
    elif call.state is CallState.JOINING and call.seat is not None:
        talk(floor, call, call.seat)
    elif call.state is CallState.DIALLING and call.seat is not None:
        customer_alerting(floor, call, leg)
        hearing.ringback(floor, call.seat, False)
        talk(floor, call, call.seat)


def customer_alerting(floor: FloorState, call: Call, leg: LegId) -> None:
    """The called customer's phone rings (told once); the agent hears it."""
    customer = call.outside(leg)
    if call.seat is not None and not customer.alerted:
        customer.alerted = True
        floor.emit(events.CustomerAlerting(call.seat.agent, call.call, call.number))


def customer_early(floor: FloorState, call: Call, leg: LegId) -> None:
    """The called side sends sound before it answers (RFC 3960 3.2): the agent hears it, not our ringing."""
    if call.state is CallState.DIALLING and call.seat is not None:
        call.outside(leg).early = True
        hearing.ringback(floor, call.seat, False)
        hearing.refresh(floor, call.seat)


@happens(CallUnanswered)
def timed_out(floor: FloorState, timer: CallUnanswered) -> None:
    """Rang too long: at an agent, or at an outside number."""
    call = floor.calls.get(timer.call)
    if call is None or call.seat is None:
        return
    if call.state is CallState.ALERTING:
        if call.seat.leg_up or call.seat.leg_alerted:
            unanswered(floor, call, call.seat, BusyReason.NO_ANSWER)
        else:
            phone_away(floor, call, call.seat, ReleaseCause.UNREACHABLE)
    elif call.state in (CallState.DIALLING, CallState.JOINING):
        end_call(floor, call, "no answer")


def phone_lost(floor: FloorState, seat: Seat, cause: ReleaseCause, *, was_up: bool) -> None:
    """The agent's phone is gone while a call had it."""
    call = seat.call
    if call is None:
        return
    if call.state in (CallState.ALERTING, CallState.JOINING):
        reason = BusyReason.REJECTED if was_up else _SILENCE.get(cause, BusyReason.PHONE)
        if reason is BusyReason.PHONE:
            phone_away(floor, call, seat, cause)
        else:
            unanswered(floor, call, seat, reason)
    else:
        lost = cause is ReleaseCause.WORKER_LOST
        end_call(floor, call, cause.value if lost else f"agent: {cause.value}")


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
    unanswered(floor, call, seat, BusyReason.NONE if waits else BusyReason.PHONE)


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
            floor.journal(seating.saved(floor, seat))
    assign(floor)


@happens(PhoneSeen)
def phone_seen(floor: FloorState, event: PhoneSeen) -> None:
    """A phone registered: whoever missed it gets calls again."""
    for seat in floor.seats.values():
        if seat.phone == event.number and seat.absence is not None:
            seat.absence.shunned, seat.absence.seen = False, True
            assign(floor)


_SILENCE = {
    ReleaseCause.NO_ANSWER: BusyReason.NO_ANSWER,
    ReleaseCause.BUSY: BusyReason.REJECTED,
    ReleaseCause.REJECTED: BusyReason.REJECTED,
}


def _cause(reason: str) -> ReleaseCause:
    """What the customer's line is told: why that line itself was given up, else nothing special."""
    return ReleaseCause(reason) if reason in set(ReleaseCause) else ReleaseCause.NORMAL


def is_offered(call: Call) -> bool:
    """Whether the queue's call was given to an agent who does not talk in it yet."""
    return call.state in (CallState.ALERTING, CallState.JOINING)


def with_customer(seat: Seat) -> bool:
    """Whether the agent has a call that a customer would be cut off from."""
    return any(not is_offered(call) for call in seat.calls)


def give_back(floor: FloorState, seat: Seat) -> None:
    """The agent will not take what was offered: it goes to the next one, at its old place."""
    for call in seat.calls:
        if is_offered(call):
            unanswered(floor, call, seat, BusyReason.NONE)


def talks(seat: Seat) -> bool:
    """Whether a voluntary sign-out must wait."""
    return seat.call is not None or seat.state in (AgentState.ANSWERING, AgentState.TALKING)
