"""What an inspector asks for: begin, change and end a supervision, take a call over, end a call.

`docs/decisions/0005-supervision-races.md` says what happens when something else happens meanwhile.
"""

from __future__ import annotations

from dataclasses import dataclass

from sottovoce.domain import access, events
from sottovoce.domain.agents import Trigger
from sottovoce.domain.calls import CallTrigger, move
from sottovoce.domain.directory import AgentId, Right
from sottovoce.domain.supervision import CHANGES, STARTS, Footing, Mode, follow
from sottovoce.domain.supervision import SupervisionCommand as Wish
from sottovoce.errors import Code, Refused
from sottovoce.live import bonds, calling, conversing, hearing, seating, telling
from sottovoce.live.effects import Arm, InspectorUnreached, LeaseEnds
from sottovoce.live.inputs import Command, Permitted, command, happens, never_waits
from sottovoce.live.state import AgentPart, Call, FloorState, Seat, Supervision

MAX_INSPECTORS = 24
"""On one agent: the mixer sums 32 voices per listener."""
INSPECTOR_RING_S = 30.0
"""An inspector has just asked and sits by the phone."""


@dataclass(frozen=True, slots=True)
class Supervise(Command):
    """Begin. NO_RIGHT, TARGET_IS_SELF, TARGET_UNKNOWN, TARGET_NOT_SIGNED_IN, WRONG_AGENT_STATE (the
    inspector is not idle), WRONG_SUPERVISION_STATE (supervises already), MEDIA_EXHAUSTED (too many
    inspectors on the agent), UNAVAILABLE."""

    target: AgentId
    mode: Mode


def _check_start(floor: FloorState, asked: Supervise) -> Permitted[tuple[Seat, Seat]]:
    inspector, target = bonds.may_inspect(floor, asked.by, asked.target)
    if inspector.inspecting is not None:
        raise Refused(Code.WRONG_SUPERVISION_STATE, "one supervision at a time")
    follow(Footing.NONE, STARTS[asked.mode])
    if not inspector.free:
        raise Refused(Code.WRONG_AGENT_STATE, "an inspector must be idle to begin")
    if len(target.inspectors) >= MAX_INSPECTORS:
        raise Refused(Code.MEDIA_EXHAUSTED, "too many inspectors on this agent")
    _check_voices(target, asked.mode)
    entry = floor.audit(asked.by, f"supervise.{asked.mode.value}", asked.target)
    return Permitted((inspector, target), (entry,))


def _check_voices(target: Seat, mode: Mode) -> None:
    """Raise MEDIA_EXHAUSTED if a listener would hear too many: others insert at those whom the agent has in
    conversation."""
    seats = conversing.conversation(target).seats
    speaking = [one for seat in seats for one in seat.inspectors if one.mode is not Mode.LISTEN]
    if mode is not Mode.LISTEN and len(speaking) >= MAX_INSPECTORS:
        raise Refused(Code.MEDIA_EXHAUSTED, "too many inspectors speak in this conversation")


@command(Supervise, _check_start, in_turn=True)
def start(floor: FloorState, asked: Supervise, pair: tuple[Seat, Seat]) -> None:
    """Begin: the inspector is seized, and the inspector's phone rings unless its leg stands."""
    inspector, target = pair
    supervision = Supervision(inspector, target, asked.mode, floor.moment)
    inspector.inspecting = supervision
    target.inspectors.append(supervision)
    hearing.refresh(floor, inspector)
    seating.seize(floor, inspector)
    floor.do(Arm(LeaseEnds(inspector.agent), floor.lease_s(inspector.agent)))
    if inspector.leg_up:
        bonds.reached(floor, supervision)
    else:
        floor.do(Arm(InspectorUnreached(inspector.agent), INSPECTOR_RING_S))
        seating.ring_phone(floor, inspector, str(target.agent))


@happens(InspectorUnreached)
def unreached(floor: FloorState, timer: InspectorUnreached) -> None:
    """The inspector never picked up."""
    seat = floor.seats.get(timer.inspector)
    if seat is not None and seat.inspecting is not None and seat.inspecting.reaching:
        bonds.end(floor, seat.inspecting, "no answer")
    calling.assign(floor)


@happens(LeaseEnds)
def lease_ran_out(floor: FloorState, timer: LeaseEnds) -> None:
    """No sign of life: silent at once and removed, without being signed out."""
    seat = floor.seats.get(timer.inspector)
    if seat is not None and seat.inspecting is not None:
        bonds.end(floor, seat.inspecting, "lease ran out")
    calling.assign(floor)


def _running(seat: Seat, target: AgentId | None, wish: Wish) -> tuple[Supervision, Footing]:
    """The supervision that `wish` is about (`target` None: the one that runs) and the footing after it.

    Raises the reason against it. The right is asked for only where nothing runs: a refusal must never
    leave a whisper on.
    """
    running = seat.inspecting
    if running is None:
        access.require(seat.profile, Right.INSPECT)
    if target == seat.agent:
        raise Refused(Code.TARGET_IS_SELF, "nobody inspects themselves")
    meant = running is not None and target in (None, running.target.agent)
    after = follow(running.footing if running is not None and meant else Footing.NONE, wish)
    assert running is not None, f"{wish} needs a supervision"
    return running, after


@dataclass(frozen=True, slots=True)
class ChangeMode(Command):
    """Change the mode of the running supervision; `target` None is the agent supervised now, mode None
    toggles listen and insert. NOT_SUPERVISED, WRONG_SUPERVISION_STATE, TARGET_IS_SELF, NO_RIGHT,
    UNAVAILABLE; back to listen never waits for the store."""

    target: AgentId | None
    mode: Mode | None


def _check_change(floor: FloorState, asked: ChangeMode) -> Permitted[tuple[Supervision, Mode]]:
    seat = floor.seat(asked.by)
    wish = Wish.TOGGLE if asked.mode is None else CHANGES[asked.mode]
    running, after = _running(seat, asked.target, wish)
    mode = Mode(after.value) if asked.mode is None else asked.mode
    if mode is not Mode.LISTEN:
        access.require(seat.profile, Right.INSPECT)
    if mode in (Mode.LISTEN, running.mode):
        return Permitted((running, mode))
    if running.mode is Mode.LISTEN:
        _check_voices(running.target, mode)
    entry = floor.audit(asked.by, f"supervise.{mode.value}", running.target.agent, change=True)
    return Permitted((running, mode), (entry,))


@command(ChangeMode, _check_change, in_turn=True)
def change(floor: FloorState, asked: ChangeMode, wanted: tuple[Supervision, Mode]) -> None:
    """Change the mode at once; a toggle tells nobody, as its page lists no event."""
    supervision, mode = wanted
    if mode is supervision.mode:
        return
    supervision.mode = mode
    if supervision.reaching:
        return
    hearing.refresh(floor, supervision.target)
    if asked.mode is not None:
        bonds.tell_mode(floor, supervision)


@dataclass(frozen=True, slots=True)
class StopSupervision(Command):
    """End it; with `whisper` only one that whispers. NOT_SUPERVISED, WRONG_SUPERVISION_STATE,
    TARGET_IS_SELF; NO_RIGHT only where nothing runs. Waits for no store."""

    target: AgentId | None
    whisper: bool = False


@never_waits(StopSupervision, in_turn=True)
def stop(floor: FloorState, asked: StopSupervision) -> None:
    """The inspector leaves."""
    wish = Wish.STOP_WHISPER if asked.whisper else Wish.STOP
    running, _ = _running(floor.seat(asked.by), asked.target, wish)
    bonds.end(floor, running, "stopped")
    calling.assign(floor)


@dataclass(frozen=True, slots=True)
class Intercept(Command):
    """Take the agent's call with a customer over, held or not; `call` None: the one that the agent acts in
    first. NOT_SUPERVISED, WRONG_SUPERVISION_STATE, TARGET_IS_SELF, NO_CALL, NO_RIGHT, UNAVAILABLE."""

    target: AgentId
    call: str | None = None


def _check_intercept(floor: FloorState, asked: Intercept) -> Permitted[tuple[Supervision, Call]]:
    seat = floor.seat(asked.by)
    access.require(seat.profile, Right.INSPECT)
    supervision, _ = _running(seat, asked.target, Wish.INTERCEPT)
    target = supervision.target
    call = next(
        (one for one in target.calls if _can_be_taken(one, target) and asked.call in (None, one.call)), None
    )
    if call is None:
        raise Refused(Code.NO_CALL, "the agent does not talk in such a call")
    entry = floor.audit(asked.by, "supervise.intercept", supervision.target.agent, call=call.call)
    return Permitted((supervision, call), (entry,))


def _can_be_taken(call: Call, target: Seat) -> bool:
    return call.talking and bool(call.customers) and not call.part(target).alerting


@command(Intercept, _check_intercept, in_turn=True)
def intercept(floor: FloorState, asked: Intercept, wanted: tuple[Supervision, Call]) -> None:
    """The call becomes the inspector's, the agent idle. Other inspectors stay with the agent.

    One table takes the customer from the agent and gives this customer to the inspector.
    """
    supervision, call = wanted
    agent, inspector = supervision.target, supervision.inspector
    if call.transfer is not None:
        calling.withdraw(floor, call)
        call.transfer = None
    call.state = move(call.state, CallTrigger.INTERCEPT)
    left = agent.leave(call)
    bonds.fall_back(floor, agent)
    bonds.part(floor, supervision)
    hearing.end_segment(floor, left.segment)
    inspector.enter(call, AgentPart(inspector, presented=True))
    seating.move(floor, inspector, Trigger.TALK)
    calling.join(floor, call, inspector, taken_from=agent)
    floor.journal(bonds.ended(floor, supervision, "intercepted"))
    if agent.call is None:
        seating.set_free(floor, agent, Trigger.FREED)
    telling.let_go(floor, agent)
    floor.emit(events.CallReleased(agent.agent, call.call))
    floor.emit(events.CustomerReleased(agent.agent, call.call, call.number))
    bonds.tell_end(floor, supervision)
    calling.assign(floor)


@dataclass(frozen=True, slots=True)
class DropCall(Command):
    """End a call of the inspector's VDN. NO_RIGHT, NO_CALL, UNAVAILABLE."""

    call: str


def _check_drop(floor: FloorState, asked: DropCall) -> Permitted[Call]:
    access.require(floor.seat(asked.by).profile, Right.INSPECT)
    call = floor.calls.get(asked.call)
    if call is None:
        raise Refused(Code.NO_CALL, "no such call in this VDN")
    return Permitted(call, (floor.audit(asked.by, "call.drop", asked.call),))


@command(DropCall, _check_drop)
def drop(floor: FloorState, asked: DropCall, call: Call) -> None:
    """An inspector ends a call."""
    calling.end_call(floor, call, f"dropped by {asked.by}")
