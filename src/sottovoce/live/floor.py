"""The floor of one VDN: the single writer of its live state.

`handle(input, now)` makes one transition and says what is to be done; it either happens whole or raises
`Refused` and nothing happened. `intent` says what must be committed before a command may be handled.
It performs nothing itself: the driver does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import structlog

from sottovoce.domain import events
from sottovoce.domain.agents import AgentState, Trigger
from sottovoce.domain.directory import VdnProfile
from sottovoce.domain.journal import Change, DialogEnded, DialogSaved, SessionSaved
from sottovoce.domain.legs import LegId, ReleaseCause
from sottovoce.domain.lines import (
    LegAnswered,
    LegGone,
    LegHeld,
    LegOffered,
    LegResumed,
    LegRinging,
    LegSaved,
)
from sottovoce.domain.supervision import Mode
from sottovoce.live import calling, commands, handling, hearing, presence, seating, supervising
from sottovoce.live.commands import Input, RecordingClosed, RecordingRefused, TimerRan
from sottovoce.live.effects import (
    CallUnanswered,
    Effect,
    HangUp,
    InspectorUnreached,
    LeaseEnds,
    RestEnds,
    SessionSilent,
    WrapUpEnds,
)
from sottovoce.live.state import Call, FloorSettings, FloorState, Seat
from sottovoce.media.engine import (
    DigitPressed,
    EchoHeard,
    LegProven,
    LegsLost,
    LegTimedOut,
    RecordingStopped,
)

log = structlog.get_logger(__name__)


class Floor:
    """One VDN alive."""

    def __init__(self, profile: VdnProfile, settings: FloorSettings, numbers: Iterator[int]) -> None:
        self.state = FloorState(profile, settings, numbers)
        self.state.queues.capacity = settings.max_queued

    def handle(self, given: Input, now: datetime) -> list[Effect]:
        """One transition; what is to be done, in order."""
        floor = self.state
        floor.now = now
        assert not floor.effects
        try:
            _TRANSITIONS[type(given)](floor, given)
            return floor.effects
        finally:
            floor.effects = []

    def restore(self, sessions: Sequence[SessionSaved], now: datetime) -> list[Effect]:
        """Seat those whom a crash left signed in."""
        floor = self.state
        floor.now = now
        for session in sessions:
            presence.restore(floor, session)
        calling.assign(floor)
        done, floor.effects = floor.effects, []
        return done

    def intent(self, command: commands.Command, now: datetime) -> tuple[Change, ...]:
        """What must be committed before `command` is handled; empty for what never waits.

        Raises `Refused` as `handle` would, without changing anything.
        """
        floor = self.state
        floor.now = now
        match command:
            case commands.SignInAgent():
                session = presence.saved(floor, presence.new_seat(floor, command))
                return session, floor.audit(command.agent, "sign_in", command.agent, force=command.force)
            case commands.Supervise(inspector, target, mode):
                supervising.check_start(floor, command)
                return (floor.audit(inspector, f"supervise.{mode.value}", target),)
            case commands.ChangeMode(inspector, _, _):
                running, mode = supervising.check_change(floor, command)
                if mode in (Mode.LISTEN, running.mode):
                    return ()
                return (floor.audit(inspector, f"supervise.{mode.value}", running.target.agent, change=True),)
            case commands.Intercept(inspector, _, _):
                running, call = handling.check_intercept(floor, command)
                entry = floor.audit(inspector, "supervise.intercept", running.target.agent, call=call.call)
                return (entry,)
            case commands.DropCall(inspector, wanted):
                handling.check_drop(floor, command)
                return (floor.audit(inspector, "call.drop", wanted),)
            case commands.ChangeState(agent, trigger, by=by) if by is not None:
                presence.check_state(floor, command)
                action = trigger.value.replace("_", ".", 1)
                return (floor.audit(by, action, agent, reason=command.reason, seconds=command.seconds),)
            case commands.SignOutAgent(agent, by=by) if by is not None:
                presence.check_sign_out(floor, command)
                return (floor.audit(by, "force.sign_out", agent),)
            case commands.ChooseSkills(agent, skills, by=by) if by is not None:
                presence.check_skills(floor, command)
                chosen = ",".join(str(skill) for skill in skills)
                return (floor.audit(by, "force.skills", agent, skills=chosen),)
            case _:
                return ()


# Lines


def _ringing(floor: FloorState, event: LegRinging) -> None:
    owner = floor.legs.get(event.leg)
    if isinstance(owner, Seat):
        seating.phone_alerting(floor, owner)
    elif isinstance(owner, Call):
        calling.customer_alerting(floor, owner)


def _answered(floor: FloorState, event: LegAnswered) -> None:
    owner = floor.legs.get(event.leg)
    if isinstance(owner, Call):
        calling.customer_answered(floor, owner)
    elif isinstance(owner, Seat) and not owner.leg_up:
        _lifted(floor, owner)


def _lifted(floor: FloorState, seat: Seat) -> None:
    """The agent's phone is up: what waited for it goes on."""
    seating.phone_alerting(floor, seat)
    seat.leg_up = True
    floor.emit(events.PhoneOffHook(seat.agent))
    if seat.inspecting is not None and seat.inspecting.reaching:
        supervising.reached(floor, seat.inspecting)
    elif seat.call is not None and seat.call.customer is None:
        handling.dial(floor, seat.call, seat)
    elif seat.call is not None:
        calling.present(floor, seat.call, seat)


def _gone(floor: FloorState, event: LegGone) -> None:
    floor.journal(DialogEnded(event.leg, floor.profile.vdn))
    owner = floor.legs.pop(event.leg, None)
    if isinstance(owner, Call):
        calling.customer_gone(floor, owner, event.cause)
    elif isinstance(owner, Seat):
        _phone_gone(floor, owner, event.cause, by_agent=True)


def _phone_gone(floor: FloorState, seat: Seat, cause: ReleaseCause, *, by_agent: bool) -> None:
    """An agent's or inspector's phone is gone: what it carried ends."""
    was_up = seat.leg_up
    seating.forget_phone(floor, seat)
    floor.emit(events.PhoneReleased(seat.agent, by_agent))
    if seat.inspecting is not None:
        supervising.end(floor, seat.inspecting, f"phone: {cause.value}", phone=False)
    calling.phone_lost(floor, seat, cause, was_up=was_up)
    hearing.refresh(floor, seat)
    calling.assign(floor)


def _lost(floor: FloorState, leg: LegId, cause: ReleaseCause) -> None:
    """A leg's media is gone though its signalling stands: hang up what is left of it."""
    owner = floor.legs.pop(leg, None)
    if isinstance(owner, Call):
        calling.end_call(floor, owner, cause.value)
    elif isinstance(owner, Seat):
        floor.do(HangUp(leg, cause))
        _phone_gone(floor, owner, cause, by_agent=False)


def _held(floor: FloorState, event: LegHeld | LegResumed) -> None:
    """An agent's phone holds by itself: as a hold by interface. A customer's own hold changes nothing."""
    owner, on = floor.legs.get(event.leg), isinstance(event, LegHeld)
    if not isinstance(owner, Seat) or owner.leg_held is on:
        return
    before = hearing.on_hold(owner)
    owner.leg_held = on
    hearing.refresh(floor, owner)
    call = owner.call
    if call is not None and hearing.on_hold(owner) is not before:
        hearing.music(floor, call, on)
    if call is not None and call.talking:
        told = events.PhoneHeld if on else events.PhoneResumed
        listeners = [owner, *(s.inspector for s in owner.inspectors if not s.reaching)]
        floor.emit(*(told(seat.agent, call.call, owner.agent) for seat in listeners))
    if owner.inspecting is not None:
        hearing.refresh(floor, owner.inspecting.target)


def _saved(floor: FloorState, event: LegSaved) -> None:
    floor.journal(DialogSaved(event.leg, floor.profile.vdn, event.dialog))


# Media


def _timed_out(floor: FloorState, event: LegTimedOut) -> None:
    _lost(floor, event.leg, ReleaseCause.MEDIA_TIMEOUT)


def _worker_lost(floor: FloorState, event: LegsLost) -> None:
    for leg in sorted(event.legs):
        _lost(floor, leg, ReleaseCause.WORKER_LOST)


def _recording_stopped(floor: FloorState, event: RecordingStopped) -> None:
    result = event.result
    hearing.fail_segment(floor, result.recording, result.failure or "stopped", result)


def _recording_refused(floor: FloorState, event: RecordingRefused) -> None:
    hearing.fail_segment(floor, event.recording, event.failure)


def _recording_closed(floor: FloorState, event: RecordingClosed) -> None:
    hearing.close_segment(floor, event.recording, event.result, event.failure)


def _echo(floor: FloorState, event: EchoHeard) -> None:
    agent, inspector = floor.legs.get(event.agent), floor.legs.get(event.inspector)
    if isinstance(agent, Seat) and isinstance(inspector, Seat):
        log.warning("echo of a whisper", agent=agent.agent, inspector=inspector.agent)
        floor.emit(events.EchoWarned(inspector.agent, agent.agent, inspector.agent))


# Time


def _timer(floor: FloorState, ran: TimerRan) -> None:
    match ran.timer:
        case CallUnanswered(call):
            calling.timed_out(floor, call)
        case InspectorUnreached(inspector):
            supervising.unreached(floor, inspector)
            calling.assign(floor)
        case LeaseEnds(inspector):
            supervising.lease_ran_out(floor, inspector)
            calling.assign(floor)
        case RestEnds(agent):
            if agent in floor.seats:
                floor.emit(events.RestTimedOut(agent))
        case WrapUpEnds(agent):
            if agent in floor.seats and floor.seats[agent].state is AgentState.WRAP_UP:
                presence.change_state(floor, commands.ChangeState(agent, Trigger.CANCEL_WORK))
                calling.assign(floor)
        case SessionSilent(agent):
            if agent in floor.seats:
                presence.leave(floor, floor.seats[agent], "no sign of life", told=True)
                calling.assign(floor)


def _renew_guid(floor: FloorState, command: commands.RenewGuid) -> None:
    seat = floor.seat(command.agent)
    seat.guid = command.guid
    floor.journal(presence.saved(floor, seat))


def _stop(floor: FloorState, command: commands.StopSupervision) -> None:
    supervising.stop(floor, command)
    calling.assign(floor)


def _ignore(floor: FloorState, given: Any) -> None:
    """A word of media that changes nothing here."""


_TRANSITIONS: Mapping[type, Callable[[FloorState, Any], None]] = {
    commands.SignInAgent: presence.sign_in,
    commands.SignOutAgent: presence.sign_out,
    commands.RenewGuid: _renew_guid,
    commands.ChooseSkills: presence.choose_skills,
    commands.SetHabit: presence.set_habit,
    commands.ChangeState: presence.change_state,
    commands.CallOut: handling.call_out,
    commands.Answer: handling.answer,
    commands.Hold: handling.hold,
    commands.TakeBack: handling.take_back,
    commands.Release: handling.release,
    commands.Mute: handling.mute,
    commands.DialOn: handling.dial_on,
    commands.Supervise: supervising.start,
    commands.ChangeMode: supervising.change,
    commands.StopSupervision: _stop,
    commands.Intercept: handling.intercept,
    commands.DropCall: handling.drop,
    LegOffered: calling.offered,
    LegRinging: _ringing,
    LegAnswered: _answered,
    LegHeld: _held,
    LegResumed: _held,
    LegGone: _gone,
    LegSaved: _saved,
    LegTimedOut: _timed_out,
    LegsLost: _worker_lost,
    RecordingStopped: _recording_stopped,
    RecordingRefused: _recording_refused,
    RecordingClosed: _recording_closed,
    EchoHeard: _echo,
    LegProven: _ignore,
    DigitPressed: _ignore,
    TimerRan: _timer,
    commands.ProfileRead: presence.configure,
    commands.CloseFloor: presence.close,
}
