"""Calls: how they come, find an agent, talk, are held, and end.

Every way to an end goes through `end_call`, which silences first, then hangs up, then tells.
"""

from __future__ import annotations

from collections.abc import Sequence

from sottovoce.domain import events
from sottovoce.domain.agents import AgentState, BusyReason, Trigger
from sottovoce.domain.calls import CallDirection, CallState, CallTrigger, InnerKind, move
from sottovoce.domain.journal import ContactBegan
from sottovoce.domain.legs import LegId, ReleaseCause
from sottovoce.domain.lines import LegOffered
from sottovoce.domain.queueing import Outcome
from sottovoce.live import bonds, hearing, queueing, seating, telling
from sottovoce.live.effects import Accept, Announce, Arm, CallUnanswered, Disarm, HangUp
from sottovoce.live.inputs import happens
from sottovoce.live.state import AgentPart, Call, FloorState, OutsideParty, Seat, Transfer

CUSTOMER = "customer"
"""Whose doing the end of a call is, in its reason."""


def began(floor: FloorState, call: Call) -> None:
    """A call is on the floor."""
    floor.calls[call.call] = call
    if isinstance(call.direction, CallDirection):
        who = call.caller, call.called, call.skill
        floor.journal(ContactBegan(call.call, floor.profile.vdn, floor.now, call.direction, *who))


@happens(LegOffered)
def offered(floor: FloorState, offer: LegOffered) -> None:
    """A caller dialled a number of this VDN: find its access code, answer, queue."""
    code = floor.profile.access_codes.get(offer.called)
    if code is None or not queueing.takes(floor, code.skill) or not floor.keeps:
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
        head_start_s=code.head_start_s,
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
    """The caller waits with music; the best who is free, and idle longest, gets the call."""
    call.state = move(call.state, CallTrigger.ENTER)
    hearing.music(floor, call, True)
    queueing.enter(floor, call)
    assign(floor)


def assign(floor: FloorState) -> None:
    """Give waiting calls to free agents while there are both."""
    for waiting, agent in floor.queues.pairs(floor.free(), floor.is_free):
        give(floor, floor.calls[waiting], floor.seats[agent])


def give(floor: FloorState, call: Call, seat: Seat) -> None:
    """Take a call out of its queue and offer it to that agent."""
    queueing.leave(floor, call)
    skill = call.skill
    assert skill is not None
    known = floor.profile.skills.get(skill)
    name = known.name if known else ""
    offer(
        floor,
        call,
        seat,
        events.CallAssigned(seat.agent, call.call, call.caller, call.called, skill, name),
    )


def offer(floor: FloorState, call: Call, seat: Seat, *told: events.AgentEvent) -> None:
    """Ring an agent for a call; whoever asks for this agent, and not for any, is told."""
    if call.state is CallState.QUEUED:
        call.state = move(call.state, CallTrigger.ASSIGN)
    if call.transfer is not None and call.transfer.by is seat:
        call.transfer = None
    asker = call.transfer.by if call.transfer is not None else call.seat
    seat.enter(call, AgentPart(seat, alerting=True))
    if isinstance(call.direction, InnerKind):
        call.called = str(seat.agent)
    seating.seize(floor, seat)
    floor.emit(*told)
    if asker is not None and call in asker.calls:
        floor.emit(events.CustomerAlerting(asker.agent, call.call, str(seat.agent), seat.agent))
    floor.do(Arm(CallUnanswered(call.call), floor.settings.agents.ring_timeout))
    if seat.leg_up:
        present(floor, call, seat)
    else:
        seating.ring_phone(floor, seat, call.number_for(seat.agent))


def present(floor: FloorState, call: Call, seat: Seat) -> None:
    """The phone is lifted (or its leg stands): talk at once, or wait for `answer`."""
    told = events.CallAutoAnswered if seat.auto_answer else events.CallRinging
    call.part(seat).presented = True
    transfer = call.transfer
    kind = InnerKind.THREE_PARTY if transfer is not None and transfer.joins else call.direction
    by = transfer.by.agent if transfer is not None and transfer.by and not transfer.joins else None
    floor.emit(told(seat.agent, call.call, call.caller, call.called, kind, by))
    floor.emit(events.CustomerAlerting(seat.agent, call.call, call.number_for(seat.agent)))
    if seat.auto_answer:
        connect(floor, call, seat)
    else:
        seating.move(floor, seat, Trigger.LIFT)


def connect(floor: FloorState, call: Call, seat: Seat) -> None:
    """The agent took the call: talk, once the trunk is answered too."""
    if not call.customers or call.customers[0].up:
        talk(floor, call, seat)
    elif call.state is CallState.ALERTING:
        call.state = move(call.state, CallTrigger.JOIN)
        assert call.customer is not None
        floor.do(Accept(call.customer))


def talk(floor: FloorState, call: Call, seat: Seat | None = None) -> None:
    """Whoever was rung, this agent or a party outside, is in the talk from now on."""
    floor.do(Disarm(CallUnanswered(call.call)))
    transfer, call.transfer = call.transfer, None
    call.talked_at = call.talked_at or floor.now_in(call)
    if seat is not None:
        queueing.over(floor, call, Outcome.ANSWERED, seat.agent)
    else:
        queueing.over(floor, call, Outcome.MOVED)
    if seat is not None:
        part = call.part(seat)
        part.alerting, part.presented = False, True
    if call.state is CallState.DIALLING and call.seat is not None:
        hearing.ringback(floor, call.seat, False)
    fresh = [one.seat for one in call.parts if one.seat is seat or not call.talking]
    if call.state is not CallState.TALKING:
        held = call.state is CallState.HELD
        call.state = move(call.state, CallTrigger.TAKE_BACK if held else CallTrigger.TALK)
    for one in fresh:
        seating.move(floor, one, Trigger.TALK)
    asker = transfer.by if transfer is not None else None
    if transfer is None or asker is None or call not in asker.calls:
        join(floor, call, *fresh)
    elif transfer.joins:
        call.part(asker).held_at = None
        join(floor, call, *fresh)
    else:
        gone = asker.leave(call)
        join(floor, call, *fresh, gone=[(call, gone)], transferred=True)
        hearing.end_segment(floor, gone.segment)


def join(
    floor: FloorState,
    call: Call,
    *seats: Seat,
    gone: Sequence[tuple[Call, AgentPart]] = (),
    transferred: bool = False,
    taken_from: Seat | None = None,
) -> None:
    """Begin talk segments: recordings, table, words. Newcomers never meet an inserted inspector.

    The same table takes the customer from `taken_from`, who talked with them until now. `gone` are the
    parts that one agent had until now in this and another call; the caller ends their segments.
    """
    for seat in {id(part.seat): part.seat for part in (*call.parts, *(part for _, part in gone))}.values():
        bonds.fall_back(floor, seat)
    fresh = [call.part(seat) for seat in seats]
    for part in fresh:
        part.presented = True
        if call.customers:
            hearing.begin_segment(floor, call, part)
    left = [part.seat for _, part in gone] + ([taken_from] if taken_from is not None else [])
    hearing.refresh(floor, *seats, *left, call=call)
    for part in fresh:
        telling.talking(floor, call, part.seat)
        if part.segment is not None:
            hearing.tell_recording(floor, part.segment)
            hearing.note_segment(floor, part.segment)
    telling.conference(floor, call)
    if transferred:
        floor.emit(*(events.TransferEnded(part.seat.agent, call.call, True) for _, part in gone))
    for other, part in gone[:-1]:
        telling.released(floor, other, part)
    for other, part in gone[-1:]:
        telling.over(floor, other, part, talked=True)


def unanswered(floor: FloorState, call: Call, seat: Seat, reason: BusyReason) -> None:
    """The agent did not take it and is busy now, unless `reason` is none. A call of a queue goes to the next
    one, at its old place; a transfer came to nothing."""
    floor.do(Disarm(CallUnanswered(call.call)))
    seat.leave(call)
    transfer = call.transfer
    if not call.talking and call.state is not CallState.DIALLING:
        call.state = move(call.state, CallTrigger.UNANSWERED)
    floor.emit(events.CallNotAnswered(seat.agent, call.call))
    seating.release_phone(floor, seat)
    seating.set_free(floor, seat, Trigger.SILENT if reason else Trigger.FREED, reason=reason)
    if call.skill is not None and (transfer is None or transfer.queued):
        queueing.enter(floor, call)
    elif transfer is None:
        end_call(floor, call, "no answer")
    else:
        failed(floor, call)
    assign(floor)


def failed(floor: FloorState, call: Call) -> None:
    """A transfer came to nothing: back to the agent who asked, if that agent waits for it; else the call
    rings that agent, or waits in its queue; it ends where nobody else could take it."""
    transfer, call.transfer = call.transfer, None
    assert transfer is not None
    call.skill, asker = transfer.skill, transfer.by
    if call.wait is not None and call.wait.skill != call.skill:
        queueing.over(floor, call, Outcome.MOVED)
    if call.talking:
        assert asker is not None, "a queue gives no call away that talks"
        if transfer.consult:
            floor.emit(events.ConsultFailed(asker.agent, call.call))
        else:
            floor.emit(events.ConnectFailed(asker.agent, call.call))
            floor.emit(events.TransferEnded(asker.agent, call.call, False))
        back(floor, call, transfer)
        return
    if call.state is CallState.ALERTING:
        call.state = move(call.state, CallTrigger.UNANSWERED)
    if asker is not None and floor.seats.get(asker.agent) is asker and asker.free:
        offer(floor, call, asker)
    elif call.skill is not None:
        queueing.enter(floor, call)
    else:
        end_call(floor, call, "transfer: no answer")


def back(floor: FloorState, call: Call, transfer: Transfer) -> None:
    """The customer who was held for a transfer is taken back."""
    asker = transfer.by
    if asker is None or not transfer.held or call.part(asker).held_at is None:
        return
    call.state = move(call.state, CallTrigger.TAKE_BACK)
    call.part(asker).held_at = None
    hearing.refresh(floor, asker)
    telling.talking(floor, call, asker)


def withdraw(floor: FloorState, call: Call) -> None:
    """Nobody is rung, or awaited in a queue, for the call any more."""
    floor.do(Disarm(CallUnanswered(call.call)))
    queueing.over(floor, call, Outcome.MOVED)
    part, dialled = call.asked, call.dialled
    if part is not None:
        part.seat.leave(call)
        telling.over(floor, call, part, talked=True)
    if dialled is not None:
        call.customers.remove(dialled)
        floor.legs.pop(dialled.leg, None)
        floor.do(HangUp(dialled.leg))


def end_call(floor: FloorState, call: Call, reason: str, *, gone: LegId | None = None) -> None:
    """The call is over, whoever ended it, for all of its parties. Silence, hang-up, words, in this order.

    `gone` is the leg that needs no hang-up any more.
    """
    if call.state is CallState.ENDED:
        return
    parts, talked = list(call.parts), call.talking
    finish(floor, call, reason)
    for customer in call.customers:
        floor.legs.pop(customer.leg, None)
    for part in parts:
        part.seat.leave(call)
        bonds.fall_back(floor, part.seat)
    hearing.refresh(floor, *(part.seat for part in parts), call=call)
    for part in parts:
        hearing.end_segment(floor, part.segment)
    legs = [customer.leg for customer in call.customers if customer.leg != gone]
    floor.do(*(HangUp(leg, _cause(reason)) for leg in legs))
    for part in parts:
        telling.over(floor, call, part, talked=talked)
    hearing.finish_contact(floor, call)
    assign(floor)


def finish(floor: FloorState, call: Call, reason: str) -> None:
    """The call is on the floor no more."""
    call.state = move(call.state, CallTrigger.END)
    call.ended_at, call.reason, call.transfer = floor.now_in(call), reason, None
    floor.calls.pop(call.call, None)
    queueing.over(floor, call, Outcome.ABANDONED if reason.startswith(CUSTOMER) else Outcome.ENDED)
    floor.do(Disarm(CallUnanswered(call.call)))


def agent_leaves(floor: FloorState, call: Call, seat: Seat, reason: str) -> None:
    """An agent takes part no more. The call goes on while two are left, or somebody is being asked to take
    it over; one that is only offered to the agent goes to the next."""
    part = call.part(seat)
    others = [one for one in call.parts if one is not part and not one.alerting]
    customers = [one for one in call.customers if one.up]
    if part.alerting:
        unanswered(floor, call, seat, BusyReason.REJECTED)
    elif call.transfer is not None and not others and len(customers) == 1:
        hand_on(floor, call, seat)
    elif call.talking and len(others) + len(customers) > 1:
        seat.leave(call)
        bonds.fall_back(floor, seat)
        hearing.refresh(floor, seat, call=call)
        hearing.end_segment(floor, part.segment)
        telling.left(floor, call, str(seat.agent))
        telling.over(floor, call, part, talked=True)
        assign(floor)
    else:
        end_call(floor, call, reason)


def hand_on(floor: FloorState, call: Call, seat: Seat) -> None:
    """The agent leaves without waiting for who takes the call over; the customer waits with music."""
    assert call.transfer is not None
    call.transfer.joins = False
    part = seat.leave(call)
    call.state = move(call.state, CallTrigger.HAND_ON)
    if call.asked is not None or call.dialled is not None:
        call.state = move(call.state, CallTrigger.ASSIGN)
    bonds.fall_back(floor, seat)
    hearing.refresh(floor, seat, call=call)
    hearing.music(floor, call, True)
    hearing.end_segment(floor, part.segment)
    telling.over(floor, call, part, talked=True)
    assign(floor)


def customer_gone(floor: FloorState, call: Call, leg: LegId, cause: ReleaseCause) -> None:
    """A customer hung up, gave up, or could not be reached. The call goes on if another one is left."""
    party = call.outside(leg)
    if party is call.dialled:
        call.customers.remove(party)
        floor.do(Disarm(CallUnanswered(call.call)))
        failed(floor, call)
    elif not customer_leaves(floor, call, party):
        end_call(floor, call, f"{CUSTOMER}: {cause.value}", gone=leg)


def customer_leaves(floor: FloorState, call: Call, party: OutsideParty) -> bool:
    """Take one of several customers out of the call; False, and nothing happens, if the rest is no talk."""
    others = [one for one in call.customers if one is not party and one.up]
    agents = [part for part in call.parts if not part.alerting]
    if not others or len(others) + len(agents) < 2:
        return False
    call.customers.remove(party)
    floor.legs.pop(party.leg, None)
    parts = [part for part in agents if part.segment and part.segment.customer == party.leg]
    ended = [part.segment for part in parts]
    for part in parts:
        hearing.begin_segment(floor, call, part)
    hearing.refresh(floor, *(part.seat for part in agents), call=call)
    for segment in ended:
        hearing.end_segment(floor, segment)
    for part in parts:
        if part.segment is not None:
            hearing.tell_recording(floor, part.segment)
            hearing.note_segment(floor, part.segment)
    telling.left(floor, call, party.number)
    return True


def customer_answered(floor: FloorState, call: Call, leg: LegId) -> None:
    """The customer's leg talks."""
    party = call.outside(leg)
    dialled = party is call.dialled
    party.up = True
    if call.state is CallState.ARRIVING:
        enter_queue(floor, call)
    elif call.state is CallState.JOINING and call.seat is not None:
        talk(floor, call, call.seat)
    elif call.state is CallState.DIALLING and call.seat is not None:
        customer_alerting(floor, call, leg)
        talk(floor, call, call.seat)
    elif dialled:
        talk(floor, call)


def customer_alerting(floor: FloorState, call: Call, leg: LegId) -> None:
    """The called customer's phone rings (told once); the agent hears it."""
    customer = call.outside(leg)
    if call.seat is not None and not customer.alerted:
        customer.alerted = True
        floor.emit(events.CustomerAlerting(call.seat.agent, call.call, customer.number))


def customer_early(floor: FloorState, call: Call, leg: LegId) -> None:
    """The called side sends sound before it answers (RFC 3960 3.2): the agent hears it, not our ringing."""
    if call.state is CallState.DIALLING and call.seat is not None:
        call.outside(leg).early = True
        hearing.ringback(floor, call.seat, False)
        hearing.refresh(floor, call.seat)


def _cause(reason: str) -> ReleaseCause:
    """What the customer's line is told: why that line itself was given up, else nothing special."""
    return ReleaseCause(reason) if reason in set(ReleaseCause) else ReleaseCause.NORMAL


def with_customer(seat: Seat) -> bool:
    """Whether the agent has a call that a customer would be cut off from: no other could be given it."""
    return any(not call.part(seat).alerting for call in seat.calls)


def give_back(floor: FloorState, seat: Seat) -> None:
    """The agent will not take what was offered: it goes to the next one, at its old place."""
    for call in seat.calls:
        if call.part(seat).alerting:
            unanswered(floor, call, seat, BusyReason.NONE)


def talks(seat: Seat) -> bool:
    """Whether a voluntary sign-out must wait."""
    return seat.call is not None or seat.state in (AgentState.ANSWERING, AgentState.TALKING)
