"""Seats: an agent's states, and the phone on the agent's desk."""

from __future__ import annotations

from sottovoce.domain import access, events
from sottovoce.domain.agents import AgentState, Standing, Trigger
from sottovoce.domain.calls import CallDirection
from sottovoce.domain.journal import SessionSaved
from sottovoce.domain.lines import Destination, LineKind
from sottovoce.live.effects import (
    Arm,
    Disarm,
    HangUp,
    ListenerUnreached,
    PhoneAway,
    RestEnds,
    Ring,
    WrapUpEnds,
)
from sottovoce.live.state import Absence, FloorState, Seat
from sottovoce.media.engine import Play

RESTING = (AgentState.BUSY, AgentState.WRAP_UP, AgentState.REST)
"""What a restart brings back; from every other state an agent comes back idle."""
TRY_AGAIN_S = 10.0
"""After which an unreachable phone may be tried again, as it may be registered elsewhere: at an edge."""


def saved(floor: FloorState, seat: Seat) -> SessionSaved:
    """The session as the journal keeps it."""
    resting = seat.state in RESTING
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
            **({"push": seat.push} if seat.push else {}),
            "takes_calls": seat.takes_calls,
            "records": seat.records,
            "watches": ";".join(map(str, sorted(seat.watches))),
            "state": seat.state.value if resting else AgentState.IDLE.value,
            "reason": seat.standing.reason if resting else 0,
        },
    )


def stand(floor: FloorState, seat: Seat, standing: Standing) -> None:
    """Put the seat into a standing, without a word to the agent."""
    before, seat.standing = seat.standing, standing
    if standing.state is AgentState.REST and standing.rest_seconds and standing is not before:
        floor.do(Arm(RestEnds(seat.agent), standing.rest_seconds))
    if standing.state is before.state:
        return
    seat.since = floor.now
    tell_watchers(floor, seat)
    if before.state is AgentState.REST:
        floor.do(Disarm(RestEnds(seat.agent)))
    if before.state is AgentState.WRAP_UP:
        floor.do(Disarm(WrapUpEnds(seat.agent)))
    if standing.state is AgentState.IDLE:
        seat.idle_order = next(floor.numbers)
    arm_limit(floor, seat)


def tell_watchers(floor: FloorState, seat: Seat) -> None:
    """Tell the inspectors who watch the agent the new state; its end is told with the sign-out."""
    if seat.state is AgentState.SIGNED_OUT:
        return
    for other in floor.seats.values():
        if seat.agent in other.watches and access.is_inspector(other.profile):
            floor.emit(events.WatchedStateChanged(other.agent, seat.agent, seat.profile.name, seat.state))


def arm_limit(floor: FloorState, seat: Seat) -> None:
    """Wrap-up began, perhaps with the sign-in: it lasts no longer than it may."""
    if seat.state is AgentState.WRAP_UP and floor.settings.agents.wrap_up_limit:
        floor.do(Arm(WrapUpEnds(seat.agent), floor.settings.agents.wrap_up_limit))


def move(floor: FloorState, seat: Seat, trigger: Trigger, *, reason: int = 0) -> None:
    """Change the state silently; raises Refused(WRONG_AGENT_STATE)."""
    stand(floor, seat, seat.standing.after(trigger, auto_idle=seat.auto_idle, reason=reason))


def seize(floor: FloorState, seat: Seat) -> None:
    """A call or a supervision takes the agent, from whose state nothing is brought back any more; a recording
    that they hear gives way."""
    end_playback(floor, seat)
    before = seat.state
    move(floor, seat, Trigger.SEIZE)
    if before in RESTING:
        floor.journal(saved(floor, seat))
    floor.emit(events.AgentPreoccupied(seat.agent))


def set_free(floor: FloorState, seat: Seat, trigger: Trigger, *, reason: int = 0) -> None:
    """The call or supervision is over (OVER, FREED, SILENT): tell the agent the new state, and keep it."""
    before = seat.state
    move(floor, seat, trigger, reason=reason)
    if seat.state is not before:
        tell_state(floor, seat)
        if seat.state in RESTING:
            floor.journal(saved(floor, seat))


def tell_state(floor: FloorState, seat: Seat) -> None:
    """Tell the agent the state that a call's end or a sign-in brought."""
    standing, agent = seat.standing, seat.agent
    if standing.state is AgentState.IDLE:
        floor.emit(events.AgentReady(agent))
    elif standing.state is AgentState.WRAP_UP:
        floor.emit(events.AgentWorking(agent))
    elif standing.state is AgentState.BUSY:
        floor.emit(events.AgentSetBusy(agent, standing.reason))
    elif standing.state is AgentState.REST:
        floor.emit(events.AgentSetRest(agent, standing.reason, standing.rest_seconds))


def ring_phone(floor: FloorState, seat: Seat, caller: str) -> None:
    """Ring the agent's phone; what waits for it goes on when it is lifted."""
    leg = floor.new_leg()
    seat.leg, seat.leg_up, seat.leg_alerted, seat.leg_held = leg, False, False, False
    seat.leg_phone = seat.phone
    floor.legs[leg] = seat
    floor.do(Ring(leg, Destination(LineKind.PHONE, seat.phone), caller))


def missed(floor: FloorState, seat: Seat) -> bool:
    """The phone could not be reached; whether it still has time to come back."""
    if seat.absence is None:
        seat.absence = Absence(floor.moment)
    left_s = floor.settings.agents.phone_wait - floor.since(seat.absence.since).total_seconds()
    if left_s <= 0:
        return False
    seat.absence.shunned, seat.absence.seen = True, False
    floor.do(Arm(PhoneAway(seat.agent), min(TRY_AGAIN_S, left_s)))
    return True


def found(floor: FloorState, seat: Seat) -> None:
    """The phone is there, or was waited for long enough."""
    if seat.absence is not None:
        seat.absence = None
        floor.do(Disarm(PhoneAway(seat.agent)))


def phone_alerting(floor: FloorState, seat: Seat) -> None:
    """The agent's phone rings (told once)."""
    found(floor, seat)
    if not seat.leg_alerted:
        seat.leg_alerted = True
        call = seat.call
        if call is not None and call.direction is CallDirection.INBOUND:
            floor.emit(events.PhoneAlerting(seat.agent, call.call, call.caller, call.called))
        else:
            floor.emit(events.PhoneAlerting(seat.agent))


def drop_phone(floor: FloorState, seat: Seat) -> None:
    """End the phone's leg, ringing or standing, and say so."""
    leg = seat.leg
    if leg is None:
        return
    forget_phone(floor, seat)
    floor.do(HangUp(leg))
    floor.emit(events.PhoneReleased(seat.agent))


def release_phone(floor: FloorState, seat: Seat) -> None:
    """After a call: end a leg that rings, one at a former phone, and one that stands unless it is to stay."""
    if seat.release_phone or not seat.leg_up or seat.leg_phone != seat.phone:
        drop_phone(floor, seat)


def end_playback(floor: FloorState, seat: Seat) -> None:
    """The agent hears no recording any more; a phone that rings for it is let go, one that is up stands."""
    if seat.playing is None:
        return
    _playback_over(floor, seat)
    if seat.leg_up and seat.leg is not None:
        floor.do(Play(seat.leg, None))
    else:
        drop_phone(floor, seat)


def _playback_over(floor: FloorState, seat: Seat) -> None:
    if seat.playing is not None:
        seat.playing = None
        floor.do(Disarm(ListenerUnreached(seat.agent)))
        floor.emit(events.PlaybackDone(seat.agent))


def forget_phone(floor: FloorState, seat: Seat) -> None:
    """The leg is gone, or on its way out; with it whatever was heard on it."""
    _playback_over(floor, seat)
    if seat.leg is not None:
        floor.legs.pop(seat.leg, None)
    seat.leg, seat.leg_up, seat.leg_alerted, seat.leg_held = None, False, False, False
