"""What an agent is available for: busy, rest, wrap-up and their ends, skill queues, habits.

Asked by the agents themselves, or forced by an inspector.
"""

from __future__ import annotations

from dataclasses import dataclass

from sottovoce.domain import events
from sottovoce.domain.agents import AgentState, BusyReason, Standing, Trigger
from sottovoce.domain.directory import AgentId, SkillId
from sottovoce.errors import Code, Refused
from sottovoce.live import bonds, calling, seating
from sottovoce.live.effects import RestEnds, WrapUpEnds
from sottovoce.live.inputs import Command, Permitted, command, happens, never_waits
from sottovoce.live.state import FloorState, Seat

OWN_REASONS = range(200, 251)
"""An agent's own reasons to be busy (CC-Gateway page 1211)."""
REST_SECONDS = range(1, 86_400)
REST_CAUSES = range(256)
_AGAIN = {Trigger.SAY_BUSY: AgentState.BUSY, Trigger.REST: AgentState.REST}
"""What an agent changes while in that very state only by prolonging it."""
_CANCELLED = {
    Trigger.CANCEL_BUSY: events.AgentBusyCancelled,
    Trigger.CANCEL_REST: events.AgentRestCancelled,
    Trigger.CANCEL_WORK: events.AgentWorkCancelled,
}


@dataclass(frozen=True, slots=True)
class ChangeState(Command):
    """One's own state, now or after the call: busy (`reason` 0 or 200-250), idle, rest (`reason` 0-255,
    `seconds` 1-86399), wrap-up, and their ends. BAD_PARAMETER; WRONG_AGENT_STATE, also when busy or
    resting already without `prolong`."""

    trigger: Trigger
    reason: int = 0
    seconds: int = 0
    prolong: bool = False


@never_waits(ChangeState)
def change_state(floor: FloorState, asked: ChangeState) -> None:
    """Now, or pending until the call is over."""
    seat, reason = floor.seat(asked.by), asked.reason
    if asked.trigger is Trigger.SAY_BUSY and reason not in (0, *OWN_REASONS):
        raise Refused(Code.BAD_PARAMETER, "a busy reason is 0 or 200-250")
    if asked.trigger is Trigger.REST:
        _check_rest(asked.seconds, reason)
    if seat.state is _AGAIN.get(asked.trigger) and not asked.prolong:
        raise Refused(Code.WRONG_AGENT_STATE, f"{seat.state} already; prolong to change that")
    if asked.trigger is Trigger.SAY_BUSY:
        reason = reason or BusyReason.SELF
    _stand(
        floor,
        seat,
        asked.trigger,
        seat.standing.after(asked.trigger, reason=reason, rest_seconds=asked.seconds),
    )


@dataclass(frozen=True, slots=True)
class ForceState(Command):
    """Another's state, now or after the call: FORCE_BUSY, FORCE_IDLE (during a call, what was pending is
    forgotten), or FORCE_REST for `seconds` because of `cause`. NO_RIGHT, TARGET_IS_SELF, TARGET_UNKNOWN,
    TARGET_NOT_SIGNED_IN, BAD_PARAMETER, UNAVAILABLE."""

    target: AgentId
    trigger: Trigger
    cause: int = 0
    seconds: int = 0


def _check_force(floor: FloorState, asked: ForceState) -> Permitted[tuple[Seat, Standing]]:
    _, seat = bonds.may_inspect(floor, asked.by, asked.target)
    if asked.trigger is Trigger.FORCE_REST:
        _check_rest(asked.seconds, asked.cause)
    reason = BusyReason.INSPECTOR if asked.trigger is Trigger.FORCE_BUSY else asked.cause
    standing = seat.standing.after(asked.trigger, reason=reason, rest_seconds=asked.seconds)
    action = asked.trigger.value.replace("_", ".", 1)
    entry = floor.audit(asked.by, action, asked.target, reason=asked.cause, seconds=asked.seconds)
    return Permitted((seat, standing), (entry,))


@command(ForceState, _check_force)
def force_state(floor: FloorState, asked: ForceState, wanted: tuple[Seat, Standing]) -> None:
    """Now, or pending until the call is over."""
    seat, standing = wanted
    _stand(floor, seat, asked.trigger, standing)


def _check_rest(seconds: int, cause: int) -> None:
    if seconds not in REST_SECONDS or cause not in REST_CAUSES:
        raise Refused(Code.BAD_PARAMETER, "a rest lasts 1-86399 s, its cause is 0-255")


def _stand(floor: FloorState, seat: Seat, trigger: Trigger, standing: Standing) -> None:
    """Put the seat into a standing that was asked for, and say so."""
    seating.stand(floor, seat, standing)
    cancelled = _CANCELLED.get(trigger)
    if cancelled is not None:
        floor.emit(cancelled(seat.agent))
    elif seat.state.engaged:
        return
    elif trigger is Trigger.WORK:
        floor.emit(events.AgentSetWork(seat.agent))
    else:
        seating.tell_state(floor, seat)
    floor.journal(seating.saved(floor, seat))
    calling.assign(floor)


@happens(RestEnds)
def rest_ends(floor: FloorState, timer: RestEnds) -> None:
    """A rest lasted as long as asked for: the agent is told, and decides."""
    if timer.agent in floor.seats:
        floor.emit(events.RestTimedOut(timer.agent))


@happens(WrapUpEnds)
def wrap_up_ends(floor: FloorState, timer: WrapUpEnds) -> None:
    """Wrap-up lasted as long as it may."""
    seat = floor.seats.get(timer.agent)
    if seat is not None and seat.state is AgentState.WRAP_UP:
        _stand(floor, seat, Trigger.CANCEL_WORK, seat.standing.after(Trigger.CANCEL_WORK))


@dataclass(frozen=True, slots=True)
class ChooseSkills(Command):
    """Sign in to those of one's configured queues that are among `skills`, or to `every` one."""

    skills: tuple[SkillId, ...] = ()
    every: bool = False


@never_waits(ChooseSkills)
def choose_skills(floor: FloorState, asked: ChooseSkills) -> None:
    """The agent is in these queues from now on."""
    seat = floor.seat(asked.by)
    chosen = seat.profile.skills
    if not asked.every:
        chosen = tuple(skill for skill in chosen if skill in asked.skills)
    _attend(floor, seat, chosen)


@dataclass(frozen=True, slots=True)
class AdjustSkills(Command):
    """Sign another agent in to exactly these queues of the VDN. BAD_PARAMETER for an unknown queue;
    NO_RIGHT, TARGET_IS_SELF, TARGET_UNKNOWN, TARGET_NOT_SIGNED_IN, UNAVAILABLE."""

    target: AgentId
    skills: tuple[SkillId, ...]


def _check_skills(floor: FloorState, asked: AdjustSkills) -> Permitted[Seat]:
    _, seat = bonds.may_inspect(floor, asked.by, asked.target)
    if any(skill not in floor.profile.skills for skill in asked.skills):
        raise Refused(Code.BAD_PARAMETER, "unknown skill queue")
    chosen = ",".join(str(skill) for skill in asked.skills)
    return Permitted(seat, (floor.audit(asked.by, "force.skills", asked.target, skills=chosen),))


@command(AdjustSkills, _check_skills)
def adjust_skills(floor: FloorState, asked: AdjustSkills, seat: Seat) -> None:
    """The agent is in these queues from now on."""
    _attend(floor, seat, tuple(dict.fromkeys(asked.skills)))


def _attend(floor: FloorState, seat: Seat, skills: tuple[SkillId, ...]) -> None:
    """Change the seat's queues; the agent may get a waiting call at once."""
    seat.skills = skills
    floor.journal(seating.saved(floor, seat))
    calling.assign(floor)


@dataclass(frozen=True, slots=True)
class SetHabit(Command):
    """What follows a call (idle, or wrap-up) and a lifted phone (talk at once, or wait for `Answer`), and
    whether calls of queues come at all; None leaves as it is."""

    auto_idle: bool | None = None
    auto_answer: bool | None = None
    takes_calls: bool | None = None


@never_waits(SetHabit)
def set_habit(floor: FloorState, asked: SetHabit) -> None:
    """Change what is named; a call that rings or talks already goes on."""
    seat = floor.seat(asked.by)
    if asked.auto_idle is not None:
        seat.auto_idle = asked.auto_idle
    if asked.auto_answer is not None:
        seat.auto_answer = asked.auto_answer
    if asked.takes_calls is not None:
        seat.takes_calls = asked.takes_calls
    floor.journal(seating.saved(floor, seat))
    calling.assign(floor)
