"""Who is at work: sign-in, sign-out, the states that agents and inspectors ask for, skills and habits."""

from __future__ import annotations

import re

from sottovoce.domain import access, events
from sottovoce.domain.agents import AgentState, BusyReason, Standing, Trigger
from sottovoce.domain.directory import AgentProfile, SkillId
from sottovoce.domain.journal import SessionEnded, SessionSaved
from sottovoce.errors import Code, Refused
from sottovoce.live import calling, seating, supervising
from sottovoce.live.commands import (
    ChangeState,
    ChooseSkills,
    CloseFloor,
    ProfileRead,
    SetHabit,
    SignInAgent,
    SignOutAgent,
)
from sottovoce.live.effects import Arm, CloseFeed, Disarm, OpenFeed, RestEnds, SessionSilent, WrapUpEnds
from sottovoce.live.state import FloorState, Seat

_PHONE = re.compile(r"[0-9*#]{1,24}\Z")
_FIRST_STATES = {
    AgentState.IDLE: None,
    AgentState.BUSY: Trigger.SAY_BUSY,
    AgentState.WRAP_UP: Trigger.WORK,
}


def check_sign_in(floor: FloorState, command: SignInAgent) -> tuple[AgentProfile, str]:
    """The profile and the phone's number, if the agent may sign in now."""
    profile = floor.profile.agents.get(command.agent)
    if profile is None:
        raise Refused(Code.WRONG_CREDENTIALS, "unknown agent")
    if command.wish.status not in _FIRST_STATES:
        raise Refused(Code.BAD_SIGN_IN, f"nobody begins {command.wish.status}")
    number = command.wish.phone or profile.phone or ""
    if not _PHONE.match(number):
        raise Refused(Code.BAD_PHONE, "no valid phone number")
    if number not in floor.profile.phones:
        raise Refused(Code.PHONE_NOT_ALLOWED, "not a phone of this VDN")
    for seat in floor.seats.values():
        if seat.phone == number and seat.agent != command.agent:
            raise Refused(Code.PHONE_NOT_ALLOWED, "another agent is signed in with this phone")
    if command.agent in floor.seats and not command.force:
        raise Refused(Code.ALREADY_SIGNED_IN, f"agent {command.agent} is signed in")
    return profile, number


def saved(floor: FloorState, seat: Seat) -> SessionSaved:
    """The session as the journal keeps it."""
    resting = seat.state in (AgentState.BUSY, AgentState.WRAP_UP, AgentState.REST)
    return SessionSaved(
        seat.agent,
        floor.profile.vdn,
        seat.guid,
        seat.phone,
        seat.signed_in_at,
        seat.skills,
        {
            "auto_answer": seat.auto_answer,
            "auto_idle": seat.auto_idle,
            "release_phone": seat.release_phone,
            "listen_status": seat.listen_status,
            "state": seat.state.value if resting else AgentState.IDLE.value,
            "reason": seat.standing.reason if resting else 0,
        },
    )


def new_seat(floor: FloorState, command: SignInAgent) -> Seat:
    """The seat that a sign-in would make; nothing is changed yet."""
    profile, number = check_sign_in(floor, command)
    wish = command.wish
    standing = Standing().after(Trigger.SIGN_IN)
    first = _FIRST_STATES[wish.status]
    if first is not None:
        standing = standing.after(first, reason=BusyReason.SELF if wish.status is AgentState.BUSY else 0)
    return Seat(
        profile,
        number,
        command.guid,
        floor.now,
        standing,
        floor.now,
        next(floor.numbers),
        wish.auto_answer,
        wish.auto_idle,
        wish.release_phone,
        wish.listen_status,
    )


def sign_in(floor: FloorState, command: SignInAgent) -> None:
    """Seat the agent. A forced sign-in takes over a session at the same phone with its call and skills."""
    seat = new_seat(floor, command)
    before = floor.seats.get(command.agent)
    floor.do(OpenFeed(seat.agent))
    if before is not None and before.phone == seat.phone:
        before.guid, before.signed_in_at = seat.guid, seat.signed_in_at
        before.auto_answer, before.auto_idle = seat.auto_answer, seat.auto_idle
        before.release_phone, before.listen_status = seat.release_phone, seat.listen_status
        floor.emit(events.InService(seat.agent))
        tell_all(floor, before)
    else:
        if before is not None:
            leave(floor, before, "signed in elsewhere")
            floor.do(OpenFeed(seat.agent))
        floor.seats[seat.agent] = seat
        floor.emit(events.InService(seat.agent), events.AgentReady(seat.agent))
        if seat.state is not AgentState.IDLE:
            seating.tell_state(floor, seat)
        seating.arm_limit(floor, seat)
        tell_presence(floor, seat.profile, signed_in=True)
    floor.do(Arm(SessionSilent(seat.agent), floor.settings.session_silence_s))


def tell_all(floor: FloorState, seat: Seat) -> None:
    """Tell a client that took over the session what goes on."""
    call = seat.call
    if not seat.state.engaged:
        seating.tell_state(floor, seat)
        return
    floor.emit(events.AgentPreoccupied(seat.agent))
    if seat.leg_up:
        floor.emit(events.PhoneOffHook(seat.agent))
    if call is not None and seat.state is AgentState.ANSWERING:
        floor.emit(events.CallRinging(seat.agent, call.call, call.caller, call.called, call.direction))
    if call is not None and call.talking:
        calling.tell_talking(floor, call, seat)
        if call.held_at is not None:
            floor.emit(events.CallHeld(seat.agent, call.call))


def restore(floor: FloorState, session: SessionSaved) -> None:
    """Seat an agent whom a crash left signed in: same Guid, fresh clocks, no supervision, no call."""
    profile = floor.profile.agents.get(session.agent)
    if profile is None or session.phone not in floor.profile.phones:
        floor.journal(SessionEnded(session.agent, floor.profile.vdn, floor.now, "no longer configured"))
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
    )
    floor.seats[seat.agent] = seat
    floor.do(OpenFeed(seat.agent), Arm(SessionSilent(seat.agent), floor.settings.session_silence_s))
    seating.arm_limit(floor, seat)
    seating.tell_state(floor, seat)


def check_sign_out(floor: FloorState, command: SignOutAgent) -> Seat:
    """The seat, if it may be left now."""
    if command.by is not None:
        return supervising.may_inspect(floor, command.by, command.agent)[1]
    seat = floor.seat(command.agent)
    if not command.force and calling.talks(seat):
        raise Refused(Code.AGENT_BUSY_IN_CALL, "sign-out waits for the end of the call")
    return seat


def sign_out(floor: FloorState, command: SignOutAgent) -> None:
    """The agent leaves; his call is released, supervisions by and on him end."""
    seat = check_sign_out(floor, command)
    leave(floor, seat, command.reason, told=command.told)
    calling.assign(floor)


def leave(floor: FloorState, seat: Seat, reason: str, *, told: bool = False) -> None:
    """Clear the seat."""
    seat.leaving = True
    supervising.end_all(floor, seat, f"agent {seat.agent}: {reason}")
    if seat.call is not None:
        calling.end_call(floor, seat.call, f"agent: {reason}")
    seating.drop_phone(floor, seat)
    if told:
        floor.emit(events.ServiceShutdown(seat.agent, seat.signed_in_at, reason))
    floor.do(Disarm(SessionSilent(seat.agent)))
    if seat.state is AgentState.REST:
        floor.do(Disarm(RestEnds(seat.agent)))
    if seat.state is AgentState.WRAP_UP:
        floor.do(Disarm(WrapUpEnds(seat.agent)))
    seat.standing = seat.standing.after(Trigger.SIGN_OUT)
    del floor.seats[seat.agent]
    floor.do(CloseFeed(seat.agent))
    floor.journal(SessionEnded(seat.agent, floor.profile.vdn, floor.now, reason))
    tell_presence(floor, seat.profile, signed_in=False)


def configure(floor: FloorState, command: ProfileRead) -> None:
    """The VDN is configured anew: what is no longer permitted ends, agents who are gone are signed out.

    The others go on with their new profile.
    """
    floor.profile = command.profile
    gone: list[Seat] = []
    for seat in floor.seats.values():
        profile = floor.profile.agents.get(seat.agent)
        if profile is None:
            seat.leaving = True
            gone.append(seat)
        else:
            seat.profile = profile
    supervising.withdraw(floor)
    for seat in gone:
        leave(floor, seat, "no longer configured", told=True)
    calling.assign(floor)


def close(floor: FloorState, command: CloseFloor) -> None:
    """End every supervision and call, hang up every phone; nobody is signed out."""
    for seat in floor.seats.values():
        seat.leaving = True
    for seat in floor.seats.values():
        supervising.end_all(floor, seat, command.reason)
    for call in list(floor.calls.values()):
        calling.end_call(floor, call, command.reason)
    for seat in floor.seats.values():
        seating.drop_phone(floor, seat)


def tell_presence(floor: FloorState, subject: AgentProfile, *, signed_in: bool) -> None:
    """Tell the inspectors who asked for it."""
    for seat in floor.seats.values():
        if seat.listen_status and seat.agent != subject.agent and access.is_inspector(seat.profile):
            floor.emit(events.PresenceChanged(seat.agent, subject.agent, subject.name, signed_in))


def check_state(floor: FloorState, command: ChangeState) -> tuple[Seat, Standing]:
    """The seat and its next standing, if the change is permitted."""
    if command.by is not None:
        seat = supervising.may_inspect(floor, command.by, command.agent)[1]
    else:
        seat = floor.seat(command.agent)
        again = {Trigger.SAY_BUSY: AgentState.BUSY, Trigger.REST: AgentState.REST}
        if seat.state is again.get(command.trigger) and not command.prolong:
            raise Refused(Code.WRONG_AGENT_STATE, f"{seat.state} already; prolong to change that")
    reason = command.reason
    if command.trigger is Trigger.SAY_BUSY and not reason:
        reason = BusyReason.SELF
    elif command.trigger is Trigger.FORCE_BUSY:
        reason = BusyReason.INSPECTOR
    return seat, seat.standing.after(command.trigger, reason=reason, rest_seconds=command.seconds)


def change_state(floor: FloorState, command: ChangeState) -> None:
    """Busy, idle, rest, wrap-up: now, or pending until the call is over."""
    seat, standing = check_state(floor, command)
    seating.stand(floor, seat, standing)
    agent, trigger = seat.agent, command.trigger
    cancelled = {
        Trigger.CANCEL_BUSY: events.AgentBusyCancelled,
        Trigger.CANCEL_REST: events.AgentRestCancelled,
        Trigger.CANCEL_WORK: events.AgentWorkCancelled,
    }.get(trigger)
    if cancelled is not None:
        floor.emit(cancelled(agent))
    elif seat.state.engaged:
        return
    elif trigger is Trigger.WORK:
        floor.emit(events.AgentSetWork(agent))
    else:
        seating.tell_state(floor, seat)
    floor.journal(saved(floor, seat))
    calling.assign(floor)


def check_skills(floor: FloorState, command: ChooseSkills) -> tuple[Seat, tuple[SkillId, ...]]:
    """The seat and the queues that it gets."""
    if command.by is not None:
        seat = supervising.may_inspect(floor, command.by, command.agent)[1]
        if any(skill not in floor.profile.skills for skill in command.skills):
            raise Refused(Code.BAD_PARAMETER, "unknown skill queue")
        return seat, tuple(dict.fromkeys(command.skills))
    seat = floor.seat(command.agent)
    if command.every:
        return seat, seat.profile.skills
    return seat, tuple(skill for skill in seat.profile.skills if skill in command.skills)


def choose_skills(floor: FloorState, command: ChooseSkills) -> None:
    """Sign in to queues; the agent may get a waiting call at once."""
    seat, chosen = check_skills(floor, command)
    seat.skills = chosen
    floor.journal(saved(floor, seat))
    calling.assign(floor)


def set_habit(floor: FloorState, command: SetHabit) -> None:
    """Change auto-idle or auto-answer."""
    seat = floor.seat(command.agent)
    if command.auto_idle is not None:
        seat.auto_idle = command.auto_idle
    if command.auto_answer is not None:
        seat.auto_answer = command.auto_answer
    floor.journal(saved(floor, seat))
