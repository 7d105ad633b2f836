"""Who is at work: sign-in and sign-out, what a restart brings back, and the end of a floor."""

from __future__ import annotations

from dataclasses import dataclass, replace

from sottovoce.domain import access, events
from sottovoce.domain.agents import TABLE, AgentState, BusyReason, Standing, Trigger, TriggerOutcome
from sottovoce.domain.directory import PHONE_AT_SIGN_IN, AgentId, AgentProfile, VdnProfile
from sottovoce.domain.journal import SessionEnded, SessionSaved, SignedInFrom
from sottovoce.errors import Code, Refused
from sottovoce.live import bonds, calling, chatting, seating, telling
from sottovoce.live.effects import Arm, CloseFeed, Disarm, OpenFeed, RedirectFeed, SessionSilent
from sottovoce.live.inputs import Command, Permitted, command, happens, never_waits
from sottovoce.live.state import FloorState, Seat
from sottovoce.live.views import SignIn

GONE = "no longer configured"
UNPUSHED = "events could not be pushed"
_FIRST_STATES = {
    AgentState.IDLE: None,
    AgentState.BUSY: Trigger.SAY_BUSY,
    AgentState.WRAP_UP: Trigger.WORK,
}


@dataclass(frozen=True, slots=True)
class SignInAgent(Command):
    """Sign in, with the new Guid of this digest; the password is checked already. `force` takes over a
    running session.

    WRONG_CREDENTIALS, BAD_SIGN_IN, BAD_PHONE, PHONE_NOT_ALLOWED, ALREADY_SIGNED_IN, UNAVAILABLE."""

    wish: SignIn
    guid: str
    force: bool = False


def _check_sign_in(floor: FloorState, asked: SignInAgent) -> Permitted[Seat]:
    wish, profile = asked.wish, floor.profile.agents.get(asked.by)
    if profile is None:
        raise Refused(Code.WRONG_CREDENTIALS, "unknown agent")
    if wish.status not in _FIRST_STATES:
        raise Refused(Code.BAD_SIGN_IN, f"nobody begins {wish.status}")
    number = "" if wish.phoneless else wish.phone or profile.phone or ""
    if number or not (wish.phoneless or wish.phone_optional):
        _check_phone(floor, asked.by, number)
    before = floor.seats.get(asked.by)
    if before is not None and not asked.force and not before.lapsed:
        raise Refused(Code.ALREADY_SIGNED_IN, f"agent {asked.by} is signed in")
    standing = Standing().after(Trigger.SIGN_IN)
    first = _FIRST_STATES[wish.status]
    if first is not None:
        standing = standing.after(first, reason=BusyReason.SELF if wish.status is AgentState.BUSY else 0)
    seat = Seat(
        profile,
        number,
        asked.guid,
        floor.now,
        standing,
        floor.now,
        next(floor.numbers),
        wish.auto_answer,
        wish.auto_idle,
        wish.release_phone,
        wish.listen_status,
        push=wish.push,
    )
    entry = floor.audit(asked.by, "sign_in", asked.by, force=asked.force)
    source = wish.source
    where = SignedInFrom(seat.agent, floor.profile.vdn, source, floor.now, wish.phone)
    began = [where] if source else []
    return Permitted(seat, (seating.saved(floor, seat), entry, *began))


def _check_phone(floor: FloorState, agent: AgentId, number: str) -> None:
    """Raise BAD_PHONE, PHONE_NOT_ALLOWED unless the agent may have that phone."""
    if not PHONE_AT_SIGN_IN.fullmatch(number):
        raise Refused(Code.BAD_PHONE, "no valid phone number")
    if number not in floor.profile.phones:
        raise Refused(Code.PHONE_NOT_ALLOWED, "not a phone of this VDN")
    for other in floor.seats.values():
        rung = other.leg_phone if other.leg is not None else other.phone
        if number in (other.phone, rung) and other.agent != agent:
            raise Refused(Code.PHONE_NOT_ALLOWED, "another agent is signed in with this phone")


@command(SignInAgent, _check_sign_in)
def sign_in(floor: FloorState, asked: SignInAgent, seat: Seat) -> None:
    """Seat the agent. A forced sign-in takes over a session at the same phone with its call and skills;
    where there is no call, in the state that it asks for. From another phone it takes a customer's call
    along, which goes on at the former phone until it ends."""
    before = floor.seats.get(seat.agent)
    if before is not None and before.phone != seat.phone and not calling.with_customer(before):
        floor.do(OpenFeed(seat.agent))  # neither client is told how the former session ends
        leave(floor, before, "signed in elsewhere")
        before = None
    floor.do(OpenFeed(seat.agent, seat.push))
    if before is not None:
        revive(floor, before)
        before.phone = seat.phone
        before.guid, before.signed_in_at = seat.guid, seat.signed_in_at
        before.auto_answer, before.auto_idle = seat.auto_answer, seat.auto_idle
        before.release_phone, before.listen_status = seat.release_phone, seat.listen_status
        before.push = seat.push
        if before.call is None and not before.state.engaged:
            seating.stand(floor, before, seat.standing)
            tell_first(floor, before)
        else:
            floor.emit(events.InService(seat.agent))
            tell_all(floor, before)
    else:
        floor.seats[seat.agent] = seat
        tell_first(floor, seat)
        seating.arm_limit(floor, seat)
        tell_presence(floor, seat.profile, signed_in=True)
        seating.tell_watchers(floor, seat)
    # What was committed before may be undone by the end of the former session, which was told after it.
    floor.journal(seating.saved(floor, floor.seats[seat.agent]))
    floor.do(Arm(SessionSilent(seat.agent), floor.settings.agents.sign_out_after))
    calling.assign(floor)


def tell_first(floor: FloorState, seat: Seat) -> None:
    """Tell a client that begins in the state that it asked for [1202]."""
    floor.emit(events.InService(seat.agent), events.AgentReady(seat.agent))
    if seat.state is not AgentState.IDLE:
        seating.tell_state(floor, seat)


def tell_all(floor: FloorState, seat: Seat) -> None:
    """Tell a client that took over the session what goes on."""
    call = seat.call
    if not seat.state.engaged:
        seating.tell_state(floor, seat)
        return
    floor.emit(events.AgentPreoccupied(seat.agent))
    if seat.state is AgentState.TALKING and not any(one.talking for one in seat.calls):
        # The call that talked is gone and a second one still rings: until it talks, that is all there is.
        seating.stand(floor, seat, replace(seat.standing, state=AgentState.PREOCCUPIED))
    if seat.leg_up:
        floor.emit(events.PhoneOffHook(seat.agent))
    if call is not None and seat.state is AgentState.ANSWERING:
        floor.emit(events.CallRinging(seat.agent, call.call, call.caller, call.called, call.direction))
    for one in reversed(seat.calls):
        part = one.part(seat)
        if one.talking and not part.alerting:
            telling.talking(floor, one, seat)
            if part.held_at is not None:
                floor.emit(events.CallHeld(seat.agent, one.call))


def restore(floor: FloorState, session: SessionSaved) -> None:
    """Seat an agent whom a crash left signed in: same Guid, fresh clocks, no supervision, no call."""
    profile = floor.profile.agents.get(session.agent)
    if profile is None or session.phone not in ("", *floor.profile.phones):
        floor.journal(SessionEnded(session.agent, floor.profile.vdn, floor.now, GONE))
        return
    flags = session.settings
    state = AgentState(str(flags.get("state", AgentState.IDLE.value)))
    seat = Seat(
        profile,
        session.phone,
        session.guid,
        session.signed_in_at,
        Standing(state, int(flags.get("reason", 0))),
        floor.now,
        next(floor.numbers),
        bool(flags.get("auto_answer", True)),
        bool(flags.get("auto_idle", True)),
        bool(flags.get("release_phone", True)),
        bool(flags.get("listen_status", False)),
        session.skills,
        str(flags.get("push", "")),
        bool(flags.get("takes_calls", True)),
        frozenset(AgentId(int(agent)) for agent in str(flags.get("watches", "")).split(";") if agent),
        bool(flags.get("records", False)),
    )
    floor.seats[seat.agent] = seat
    floor.do(
        OpenFeed(seat.agent, seat.push), Arm(SessionSilent(seat.agent), floor.settings.agents.sign_out_after)
    )
    seating.arm_limit(floor, seat)
    seating.tell_state(floor, seat)


@dataclass(frozen=True, slots=True)
class BindPhone(Command):
    """Have this phone from now on, in the place of another or of none. BAD_PHONE, PHONE_NOT_ALLOWED,
    WRONG_AGENT_STATE (in a call, in a supervision, or with the phone lifted)."""

    number: str


@never_waits(BindPhone)
def bind_phone(floor: FloorState, asked: BindPhone) -> None:
    """A call that waits may come at once."""
    seat = floor.seat(asked.by)
    _check_phone(floor, asked.by, asked.number)
    if seat.state.engaged or seat.leg is not None:
        raise Refused(Code.WRONG_AGENT_STATE, "the phone is in use")
    seating.found(floor, seat)
    seat.phone = asked.number
    floor.journal(seating.saved(floor, seat))
    calling.assign(floor)


@dataclass(frozen=True, slots=True)
class RenewGuid(Command):
    """The session's Guid changed to the one of this digest."""

    guid: str


@never_waits(RenewGuid)
def renew_guid(floor: FloorState, asked: RenewGuid) -> None:
    """Keep the session's new Guid."""
    seat = floor.seat(asked.by)
    seat.guid = asked.guid
    floor.journal(seating.saved(floor, seat))


@dataclass(frozen=True, slots=True)
class RedirectPush(Command):
    """Events are pushed to somewhere else from now on, or with another token."""

    push: str
    """Sealed; nothing of it where the agent polls."""


@never_waits(RedirectPush)
def redirect_push(floor: FloorState, asked: RedirectPush) -> None:
    """Keep the session's new destination."""
    seat = floor.seat(asked.by)
    if seat.push:
        seat.push = asked.push
        floor.do(RedirectFeed(seat.agent, seat.push))
        floor.journal(seating.saved(floor, seat))


@dataclass(frozen=True, slots=True)
class SignOutAgent(Command):
    """Sign out. AGENT_BUSY_IN_CALL while in a call, unless `force`, which releases the call."""

    force: bool = False
    reason: str = "signed out"


@never_waits(SignOutAgent)
def sign_out(floor: FloorState, asked: SignOutAgent) -> None:
    """The agent leaves; the call is released, supervisions by and of this agent end."""
    seat = floor.seat(asked.by)
    if not asked.force and calling.talks(seat):
        raise Refused(Code.AGENT_BUSY_IN_CALL, "sign-out waits for the end of the call")
    leave(floor, seat, asked.reason)
    calling.assign(floor)


@dataclass(frozen=True, slots=True)
class ForceSignOut(Command):
    """Sign another agent out, whatever that agent does; the call is released. NO_RIGHT, TARGET_IS_SELF,
    TARGET_UNKNOWN, TARGET_NOT_SIGNED_IN, UNAVAILABLE."""

    target: AgentId


def _check_force_sign_out(floor: FloorState, asked: ForceSignOut) -> Permitted[Seat]:
    _, seat = bonds.may_inspect(floor, asked.by, asked.target)
    return Permitted(seat, (floor.audit(asked.by, "force.sign_out", asked.target),))


@command(ForceSignOut, _check_force_sign_out)
def force_sign_out(floor: FloorState, asked: ForceSignOut, seat: Seat) -> None:
    """The agent has to leave, and is told."""
    leave(floor, seat, f"forced by {asked.by}", told=True)
    calling.assign(floor)


@happens(SessionSilent)
def silent(floor: FloorState, timer: SessionSilent) -> None:
    """No poll and no handshake for too long: the agent is signed out, after the call if there is one. Whom
    events do not reach stays signed out for that, or the next handshake would keep them."""
    seat = floor.seats.get(timer.agent)
    if seat is not None and seat.lapsed != UNPUSHED:
        lapse(floor, seat, "no sign of life")
        calling.assign(floor)


def lapse(floor: FloorState, seat: Seat, reason: str) -> None:
    """Sign out an agent who did not ask for it, as soon as no customer would be cut off by that.

    What only rings goes back to the queue, a supervision that the agent leads ends; those who supervise the
    agent stay until the call is over.
    """
    seat.lapsed = reason
    if seat.inspecting is not None:
        bonds.end(floor, seat.inspecting, f"agent {seat.agent}: {reason}")
    calling.give_back(floor, seat)
    if TABLE[seat.state, Trigger.LAPSE] is TriggerOutcome.WAIT:
        floor.lapsing.add(seat.agent)
    else:
        leave(floor, seat, reason, told=True)


def see_off(floor: FloorState) -> None:
    """After each transition: those whose sign-out waited, and whom no call holds any more, leave."""
    for agent in sorted(floor.lapsing):
        seat = floor.seats.get(agent)
        if seat is not None and not seat.state.engaged:
            leave(floor, seat, seat.lapsed, told=True)
            calling.assign(floor)


def revive(floor: FloorState, seat: Seat) -> None:
    """The agent is there again: no sign-out waits."""
    seat.lapsed = ""
    floor.lapsing.discard(seat.agent)


@dataclass(frozen=True, slots=True)
class SignOfLife:
    """The client of an agent whose sign-out waits polled again."""

    agent: AgentId


@happens(SignOfLife)
def alive(floor: FloorState, event: SignOfLife) -> None:
    """The agent stays, unless events do not reach the client."""
    seat = floor.seats.get(event.agent)
    if seat is not None and seat.agent in floor.profile.agents and seat.lapsed != UNPUSHED:
        revive(floor, seat)
        floor.do(Arm(SessionSilent(seat.agent), floor.settings.agents.sign_out_after))


@dataclass(frozen=True, slots=True)
class PushChanged:
    """Events could not be pushed to an agent for too long, or arrive again."""

    agent: AgentId
    arrives: bool


@happens(PushChanged)
def push_changed(floor: FloorState, event: PushChanged) -> None:
    """Who is not reached is signed out, after the call if there is one; and stays where that ends sooner."""
    seat = floor.seats.get(event.agent)
    if seat is None or seat.lapsed not in ("", UNPUSHED):
        return
    if not event.arrives and not seat.lapsed:
        lapse(floor, seat, UNPUSHED)
        calling.assign(floor)
    elif event.arrives and seat.lapsed:
        revive(floor, seat)
        floor.do(Arm(SessionSilent(seat.agent), floor.settings.agents.sign_out_after))


def leave(floor: FloorState, seat: Seat, reason: str, *, told: bool = False) -> None:
    """Clear the seat. What only rings goes back to the queue; a call that talks is released."""
    seat.leaving = True
    revive(floor, seat)
    bonds.end_all(floor, seat, f"agent {seat.agent}: {reason}")
    chatting.leave(floor, seat)
    calling.give_back(floor, seat)
    for call in seat.calls:
        calling.agent_leaves(floor, call, seat, f"agent: {reason}")
    seating.drop_phone(floor, seat)
    if told:
        floor.emit(events.ServiceShutdown(seat.agent, seat.signed_in_at, reason))
    seating.found(floor, seat)
    floor.do(Disarm(SessionSilent(seat.agent)))
    seating.move(floor, seat, Trigger.SIGN_OUT)
    del floor.seats[seat.agent]
    floor.do(CloseFeed(seat.agent))
    floor.journal(SessionEnded(seat.agent, floor.profile.vdn, floor.now, reason))
    tell_presence(floor, seat.profile, signed_in=False)


@dataclass(frozen=True, slots=True)
class ProfileRead:
    """The VDN's configuration as it is now."""

    profile: VdnProfile


@happens(ProfileRead)
def configure(floor: FloorState, read: ProfileRead) -> None:
    """The VDN is configured anew: what is no longer permitted ends, agents who are gone are signed out,
    after the call if there is one. The others go on with their new profile.
    """
    floor.profile = read.profile
    gone: list[Seat] = []
    for seat in floor.seats.values():
        profile = floor.profile.agents.get(seat.agent)
        if profile is None:
            seat.lapsed = GONE
            gone.append(seat)
        else:
            seat.profile = profile
            if seat.lapsed == GONE:
                revive(floor, seat)
    bonds.withdraw(floor)
    for seat in gone:
        lapse(floor, seat, GONE)
    calling.assign(floor)


@dataclass(frozen=True, slots=True)
class KeepingChanged:
    """What becomes of calls can be kept no longer, or again."""

    keeps: bool


@happens(KeepingChanged)
def keep(floor: FloorState, change: KeepingChanged) -> None:
    """Calls that run go on; new ones are refused until they can be kept. Inspectors are told."""
    floor.keeps = change.keeps
    for seat in floor.seats.values():
        if access.is_inspector(seat.profile):
            floor.emit(events.TakingCallsChanged(seat.agent, change.keeps))


@dataclass(frozen=True, slots=True)
class CloseFloor:
    """The process ends in order: calls and supervisions end, sign-ins stay for the next start."""

    reason: str = "shutdown"


@happens(CloseFloor)
def close(floor: FloorState, order: CloseFloor) -> None:
    """End every supervision and call, hang up every phone; nobody is signed out."""
    for seat in floor.seats.values():
        seat.leaving = True
    for seat in floor.seats.values():
        bonds.end_all(floor, seat, order.reason)
    for call in list(floor.calls.values()):
        calling.end_call(floor, call, order.reason)
    for seat in floor.seats.values():
        seating.drop_phone(floor, seat)


def tell_presence(floor: FloorState, subject: AgentProfile, *, signed_in: bool) -> None:
    """Tell the inspectors who asked for it, at sign-in or by watching that agent."""
    for seat in floor.seats.values():
        asked = subject.agent in seat.watches or (seat.listen_status and seat.agent != subject.agent)
        if asked and access.is_inspector(seat.profile):
            floor.emit(events.PresenceChanged(seat.agent, subject.agent, subject.name, signed_in))
