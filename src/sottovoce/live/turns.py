"""What the log says of a floor: a line for each turn of a call, of a supervision, of an agent's day.

They are made here alone, of what a floor was given and of what it wants done; transitions know nothing of
it. A line names `vdn` and, where there is one, `call`, `agent`, `inspector` and `why`. Keys that were pressed
are in none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

import structlog

from sottovoce.domain import events
from sottovoce.domain.agents import BusyReason
from sottovoce.domain.calls import CallDirection, CallState
from sottovoce.domain.directory import AgentId, VdnId
from sottovoce.domain.journal import (
    AuditEntry,
    ContactBegan,
    RecordingChanged,
    SegmentBegan,
    SessionEnded,
    WaitEnded,
)
from sottovoce.domain.queueing import Outcome
from sottovoce.domain.supervision import Mode
from sottovoce.live.consulting import CallInner, Consult
from sottovoce.live.effects import Append, CallUnanswered, Disarm, Effect, Emit
from sottovoce.live.handling import Hold, TakeBack
from sottovoce.live.presence import SignInAgent
from sottovoce.live.requesting import SayNumber
from sottovoce.live.state import Call, FloorState
from sottovoce.live.supervising import ChangeMode
from sottovoce.media.engine import Play

log = structlog.get_logger(__name__)

WARNINGS = frozenset(["call not recorded", "echo of a whisper"])
"""Lines that somebody should look at."""
Turn = tuple[str, dict[str, object]]
"""A line's event, and what it says."""
TurnT = TypeVar("TurnT")
_TURNS: dict[type, Callable[[Turns, FloorState, Any], Turn | None]] = {}


class Turns:
    """The turns of one floor."""

    def __init__(self, vdn: VdnId) -> None:
        self._vdn = vdn
        self.calls: dict[str, Call] = {}
        """Those whose end is not told yet."""
        self.agents: dict[str, AgentId] = {}
        """Who had each of them last."""
        self.modes: dict[AgentId, Mode] = {}
        """How inspectors who take part were last said to."""

    def note(self, given: object, wanted: Sequence[Effect], floor: FloorState) -> None:
        """Log what a transition brought. Whatever goes wrong here, the floor goes on."""
        try:
            for turn in self.told(given, wanted, floor):
                write = log.warning if turn[0] in WARNINGS else log.info
                write(turn[0], vdn=self._vdn, **turn[1])
        except Exception:
            log.exception("turn not told", vdn=self._vdn, given=type(given).__name__)

    def told(self, given: object, wanted: Sequence[Effect], floor: FloorState) -> Iterator[Turn]:
        """What there is to say of a transition, in the order in which it happened."""
        for one in _spread(given, wanted):
            told = _TURNS.get(type(one))
            turn = told(self, floor, one) if told is not None else None
            if turn is not None:
                yield turn


def _spread(given: object, wanted: Sequence[Effect]) -> Iterator[object]:
    """What there may be a line for: the events told and the changes journaled, other effects, the input."""
    for effect in wanted:
        match effect:
            case Emit(event):
                yield event
            case Append(changes):
                yield from changes
            case _:
                yield effect
    yield given


def _of(
    kind: type[TurnT],
) -> Callable[[Callable[[Turns, FloorState, TurnT], Turn | None]], Any]:
    """Declare the decorated function as what is said of `kind`; None is silence."""

    def declare(tell: Callable[[Turns, FloorState, TurnT], Turn | None]) -> Any:
        _TURNS[kind] = tell
        return tell

    return declare


def _call_of(floor: FloorState, agent: AgentId) -> str | None:
    seat = floor.seats.get(agent)
    return seat.call.call if seat is not None and seat.call is not None else None


# Calls


@_of(ContactBegan)
def _comes(turns: Turns, floor: FloorState, began: ContactBegan) -> Turn:
    call = turns.calls[began.call] = floor.calls[began.call]
    told = {"call": began.call, "caller": began.caller, "called": began.called, "skill": began.skill}
    if call.seat is not None and call.customer is None:
        turns.agents[began.call] = call.seat.agent
        return "call placed", {**told, "agent": call.seat.agent}
    return "call came", {**told, "leg": call.customer}


@_of(CallInner)
@_of(Consult)
def _calls_colleague(turns: Turns, floor: FloorState, asked: CallInner | Consult) -> Turn | None:
    """A call between agents has no contact; one that is over already has no line."""
    seat = floor.seats.get(asked.by)
    call = seat.call if seat is not None else None
    if call is None or isinstance(call.direction, CallDirection) or call.call in turns.calls:
        return None
    turns.calls[call.call], turns.agents[call.call] = call, asked.by
    return "call placed", {"call": call.call, "caller": call.caller, "called": call.called, "agent": asked.by}


@_of(events.CustomerAlerting)
def _offered(turns: Turns, floor: FloorState, event: events.CustomerAlerting) -> Turn | None:
    """A colleague is rung for the call."""
    if event.colleague is None:
        return None
    return "call offered", {"call": event.call, "agent": event.agent, "colleague": event.colleague}


@_of(Play)
def _waits(turns: Turns, floor: FloorState, play: Play) -> Turn | None:
    owner = floor.legs.get(play.leg)
    if play.sound is None or play.sound.before or not play.sound.loop:
        return None
    if not isinstance(owner, Call) or owner.state is not CallState.QUEUED:
        return None
    return "call waits", {"call": owner.call, "skill": owner.skill}


@_of(WaitEnded)
def _waits_no_more(turns: Turns, floor: FloorState, ended: WaitEnded) -> Turn | None:
    """In that queue, though nobody answered and the call goes on."""
    goes_on = ended.outcome in (Outcome.TIMED_OUT, Outcome.NO_ROOM, Outcome.MOVED)
    if not goes_on or ended.call not in floor.calls:
        return None
    why = ended.outcome.value.replace("_", " ")
    return "call left queue", {"call": ended.call, "skill": ended.skill, "why": why}


@_of(events.CallAssigned)
def _rings(turns: Turns, floor: FloorState, event: events.CallAssigned) -> Turn:
    turns.agents[event.call] = event.agent
    return "call rings", {"call": event.call, "agent": event.agent, "skill": event.skill}


@_of(events.CallNotAnswered)
def _unanswered(turns: Turns, floor: FloorState, event: events.CallNotAnswered) -> Turn:
    seat = floor.seats.get(event.agent)
    turns.agents.pop(event.call, None)
    reason = seat.standing.reason if seat is not None else BusyReason.NONE
    named = {known.value: known.name.lower() for known in BusyReason} | {0: "unreachable"}
    why = named.get(reason, str(reason))
    return "call not answered", {"call": event.call, "agent": event.agent, "why": why}


@_of(SegmentBegan)
def _talks(turns: Turns, floor: FloorState, began: SegmentBegan) -> Turn:
    call = floor.calls.get(began.call)
    again = call is not None and call.segments > 1
    turns.agents[began.call] = began.agent
    told: dict[str, object] = {"call": began.call, "agent": began.agent, "recording": began.recording}
    return "call joined" if again else "call answered", told


@_of(events.CallReleased)
def _left(turns: Turns, floor: FloorState, event: events.CallReleased) -> Turn | None:
    """An agent left a call that goes on."""
    return ("call left", {"call": event.call, "agent": event.agent}) if event.call in floor.calls else None


@_of(Hold)
def _held(turns: Turns, floor: FloorState, asked: Hold) -> Turn:
    return "call held", {"call": _call_of(floor, asked.by), "agent": asked.by}


@_of(TakeBack)
def _taken_back(turns: Turns, floor: FloorState, asked: TakeBack) -> Turn:
    return "call taken back", {"call": _call_of(floor, asked.by), "agent": asked.by}


@_of(events.PhoneHeld)
def _phone_holds(turns: Turns, floor: FloorState, event: events.PhoneHeld) -> Turn | None:
    told: dict[str, object] = {"call": event.call, "agent": event.holder, "why": "phone"}
    return ("call held", told) if event.agent == event.holder else None


@_of(events.PhoneResumed)
def _phone_resumes(turns: Turns, floor: FloorState, event: events.PhoneResumed) -> Turn | None:
    told: dict[str, object] = {"call": event.call, "agent": event.holder, "why": "phone"}
    return ("call taken back", told) if event.agent == event.holder else None


@_of(SayNumber)
def _number_said(turns: Turns, floor: FloorState, asked: SayNumber) -> Turn:
    return "number said", {"call": _call_of(floor, asked.by), "agent": asked.by, "sound": asked.sound.name}


@_of(events.RecordingFailed)
def _unrecorded(turns: Turns, floor: FloorState, event: events.RecordingFailed) -> Turn:
    return "call not recorded", {"call": event.call, "agent": event.agent, "why": event.failure}


@_of(Disarm)
def _ends(turns: Turns, floor: FloorState, effect: Disarm) -> Turn | None:
    if not isinstance(effect.timer, CallUnanswered) or effect.timer.call in floor.calls:
        return None
    call = turns.calls.pop(effect.timer.call, None)
    agent = turns.agents.pop(effect.timer.call, None)
    if call is None or call.ended_at is None:
        return None
    talked = call.ended_at - call.talked_at if call.talked_at is not None else None
    return "call ended", {
        "call": call.call,
        "agent": agent,
        "why": call.reason,
        "seconds": round((call.ended_at - call.began_at).total_seconds()),
        "talked_s": round(talked.total_seconds()) if talked is not None else 0,
    }


@_of(RecordingChanged)
def _paused(turns: Turns, floor: FloorState, change: RecordingChanged) -> Turn:
    last = change.pauses[-1] if change.pauses else None
    pause = last if last is not None and last.ended_at is None else None
    by = pause.by if pause is not None else None
    told: dict[str, object] = {"call": change.call, "agent": change.agent, "by": by}
    return f"recording {'goes on' if pause is None else 'paused'}", told


@_of(events.PlaybackStarted)
def _plays(turns: Turns, floor: FloorState, event: events.PlaybackStarted) -> Turn:
    return "recording heard", {"agent": event.agent}


# Supervisions


def _part(turns: Turns, floor: FloorState, inspector: AgentId, agent: AgentId, mode: Mode) -> Turn | None:
    before, turns.modes[inspector] = turns.modes.get(inspector), mode
    if before is mode:
        return None
    told: dict[str, object] = {"call": _call_of(floor, agent), "agent": agent, "inspector": inspector}
    return f"supervision {'began' if before is None else 'changed'}", {**told, "mode": mode.value}


@_of(events.SupervisionStarted)
def _supervised(turns: Turns, floor: FloorState, event: events.SupervisionStarted) -> Turn | None:
    return _part(turns, floor, event.inspector, event.agent, event.mode)


@_of(ChangeMode)
def _toggled(turns: Turns, floor: FloorState, asked: ChangeMode) -> Turn | None:
    """A toggle tells no agent."""
    seat = floor.seats.get(asked.by)
    running = seat.inspecting if seat is not None else None
    if running is None or running.reaching:
        return None
    return _part(turns, floor, asked.by, running.target.agent, running.mode)


@_of(AuditEntry)
def _unsupervised(turns: Turns, floor: FloorState, entry: AuditEntry) -> Turn | None:
    if entry.action != "supervise.stop":
        return None
    agent = AgentId(int(entry.target))
    turns.modes.pop(entry.actor, None)
    told = {"call": _call_of(floor, agent), "agent": agent, "inspector": entry.actor}
    return "supervision ended", {**told, "mode": entry.detail["mode"], "why": entry.detail["reason"]}


# Agents


@_of(SignInAgent)
def _signed_in(turns: Turns, floor: FloorState, asked: SignInAgent) -> Turn:
    seat = floor.seats[asked.by]
    return "agent signed in", {"agent": asked.by, "phone": seat.phone, "force": asked.force}


@_of(SessionEnded)
def _signed_out(turns: Turns, floor: FloorState, ended: SessionEnded) -> Turn:
    return "agent signed out", {"agent": ended.agent, "why": ended.reason}


@_of(events.EchoWarned)
def _echo(turns: Turns, floor: FloorState, event: events.EchoWarned) -> Turn:
    call, agent, inspector = _call_of(floor, event.target), event.target, event.inspector
    return "echo of a whisper", {"call": call, "agent": agent, "inspector": inspector}
