"""Supervisions: their begin, their changes, and every way in which they end.

A supervision follows the agent and outlives a call. Whatever ends it, the table changes first: the
inspector is silent before anybody is told (`docs/decisions/0005-supervision-races.md`).
"""

from __future__ import annotations

from sottovoce.domain import access, events
from sottovoce.domain.agents import Trigger
from sottovoce.domain.directory import AgentId, Right
from sottovoce.domain.journal import AuditEntry
from sottovoce.domain.supervision import CHANGES, STARTS, Command, Footing, Mode, follow
from sottovoce.errors import Code, Refused
from sottovoce.live.commands import ChangeMode, StopSupervision, Supervise
from sottovoce.live.effects import Arm, Disarm, InspectorUnreached, LeaseEnds
from sottovoce.live.hearing import refresh
from sottovoce.live.seating import drop_phone, release_phone, ring_phone, seize, set_free
from sottovoce.live.state import FloorState, Seat, Supervision


def may_inspect(floor: FloorState, inspector: AgentId, target: AgentId) -> tuple[Seat, Seat]:
    """Both seats, if this inspector may inspect that agent; else raises the reason."""
    seat = floor.seat(inspector)
    access.inspected(floor.profile, seat.profile, target)
    found = floor.seats.get(target)
    if found is None:
        raise Refused(Code.TARGET_NOT_SIGNED_IN, f"agent {target} is not signed in")
    return seat, found


def footing(seat: Seat, target: AgentId | None) -> Footing:
    """Where the inspector stands towards that agent; None is the one supervised now."""
    running = seat.inspecting
    if running is None or (target is not None and running.target.agent != target):
        return Footing.NONE
    return running.footing


def step(seat: Seat, target: AgentId | None, wish: Command) -> Footing:
    """Where the inspector would stand after `wish`; raises the reason against it.

    The right is asked for only where nothing runs: a refusal must never leave a whisper on.
    """
    if seat.inspecting is None:
        access.require(seat.profile, Right.INSPECT)
    if target == seat.agent:
        raise Refused(Code.TARGET_IS_SELF, "an inspector does not inspect himself")
    return follow(footing(seat, target), wish)


def check_start(floor: FloorState, command: Supervise) -> tuple[Seat, Seat]:
    """Both seats, if the supervision may begin now."""
    inspector, target = may_inspect(floor, command.inspector, command.target)
    if inspector.inspecting is not None:
        raise Refused(Code.WRONG_SUPERVISION_STATE, "one supervision at a time")
    follow(Footing.NONE, STARTS[command.mode])
    if not inspector.free:
        raise Refused(Code.WRONG_AGENT_STATE, "an inspector must be idle to begin")
    if len(target.inspectors) >= floor.settings.max_inspectors:
        raise Refused(Code.MEDIA_EXHAUSTED, "too many inspectors on this agent")
    return inspector, target


def start(floor: FloorState, command: Supervise) -> None:
    """Begin: the inspector is seized, his phone rings unless its leg stands."""
    inspector, target = check_start(floor, command)
    supervision = Supervision(inspector, target, command.mode, floor.now)
    inspector.inspecting = supervision
    target.inspectors.append(supervision)
    refresh(floor, inspector)
    seize(floor, inspector)
    floor.do(Arm(LeaseEnds(inspector.agent), floor.settings.lease_s))
    if inspector.leg_up:
        reached(floor, supervision)
    else:
        floor.do(Arm(InspectorUnreached(inspector.agent), floor.settings.inspector_ring_s))
        ring_phone(floor, inspector, str(target.agent))


def reached(floor: FloorState, supervision: Supervision) -> None:
    """The inspector's phone is up: he takes part."""
    floor.do(Disarm(InspectorUnreached(supervision.inspector.agent)))
    supervision.reaching = False
    refresh(floor, supervision.target)
    tell_mode(floor, supervision)


def tell_mode(floor: FloorState, supervision: Supervision) -> None:
    """Tell the supervised agent who takes part, and how."""
    floor.emit(
        events.SupervisionStarted(supervision.target.agent, supervision.inspector.agent, supervision.mode)
    )


def check_change(floor: FloorState, command: ChangeMode) -> tuple[Supervision, Mode]:
    """The supervision and its next mode, if the change is permitted."""
    seat = floor.seat(command.inspector)
    wish = Command.TOGGLE if command.mode is None else CHANGES[command.mode]
    after = step(seat, command.target, wish)
    mode = Mode(after.value) if command.mode is None else command.mode
    if mode is not Mode.LISTEN:
        access.require(seat.profile, Right.INSPECT)
    assert seat.inspecting is not None
    return seat.inspecting, mode


def change(floor: FloorState, command: ChangeMode) -> None:
    """Change the mode at once; a toggle tells nobody, as its page lists no event."""
    supervision, mode = check_change(floor, command)
    if mode is supervision.mode:
        return
    supervision.mode = mode
    if supervision.reaching:
        return
    refresh(floor, supervision.target)
    if command.mode is not None:
        tell_mode(floor, supervision)


def stop(floor: FloorState, command: StopSupervision) -> None:
    """The inspector leaves."""
    seat = floor.seat(command.inspector)
    step(seat, command.target, Command.STOP_WHISPER if command.whisper else Command.STOP)
    assert seat.inspecting is not None
    end(floor, seat.inspecting, "stopped")


def end(floor: FloorState, supervision: Supervision, reason: str, *, phone: bool = True) -> None:
    """End it for any reason: silence first, then the phone, then words. `phone` releases it if due."""
    detach(floor, supervision, reason)
    let_go(floor, supervision, phone=phone)


def let_go(floor: FloorState, supervision: Supervision, *, phone: bool = True) -> None:
    """After `detach`: the inspector's phone, his state, and words for both."""
    inspector = supervision.inspector
    if phone:
        release_phone(floor, inspector)
    set_free(floor, inspector, Trigger.FREED)
    if not supervision.reaching:
        tell_end(floor, supervision)


def detach(floor: FloorState, supervision: Supervision, reason: str) -> None:
    """Take the inspector out of the agent's conversation and write it down."""
    part(floor, supervision)
    refresh(floor, supervision.target)
    refresh(floor, supervision.inspector)
    floor.journal(ended(floor, supervision, reason))


def part(floor: FloorState, supervision: Supervision) -> None:
    """Undo the bond of inspector and agent; the caller makes the tables true at once and journals it."""
    inspector, target = supervision.inspector, supervision.target
    inspector.inspecting = None
    target.inspectors.remove(supervision)
    floor.do(Disarm(LeaseEnds(inspector.agent)))
    if supervision.reaching:
        floor.do(Disarm(InspectorUnreached(inspector.agent)))


def ended(floor: FloorState, supervision: Supervision, reason: str) -> AuditEntry:
    """The audit entry of a supervision's end."""
    seconds = int((floor.now - supervision.since).total_seconds())
    return floor.audit(
        supervision.inspector.agent,
        "supervise.stop",
        supervision.target.agent,
        mode=supervision.mode.value,
        reason=reason,
        seconds=seconds,
    )


def tell_end(floor: FloorState, supervision: Supervision) -> None:
    """Tell the supervised agent that the inspector left."""
    floor.emit(
        events.SupervisionEnded(supervision.target.agent, supervision.inspector.agent, supervision.mode)
    )


def fall_back(floor: FloorState, seat: Seat) -> None:
    """A call of this agent begins or ends: whoever inserts only listens from now on.

    The caller refreshes the table.
    """
    for supervision in seat.inspectors:
        if supervision.mode is Mode.INSERT:
            supervision.mode = Mode.LISTEN
            if not supervision.reaching:
                tell_mode(floor, supervision)


def unreached(floor: FloorState, inspector: AgentId) -> None:
    """The inspector never picked up."""
    seat = floor.seats.get(inspector)
    if seat is not None and seat.inspecting is not None and seat.inspecting.reaching:
        end(floor, seat.inspecting, "no answer")


def lease_ran_out(floor: FloorState, inspector: AgentId) -> None:
    """No sign of life: silent at once and removed, without being signed out."""
    seat = floor.seats.get(inspector)
    if seat is not None and seat.inspecting is not None:
        end(floor, seat.inspecting, "lease ran out")


def withdraw(floor: FloorState) -> None:
    """The VDN's configuration changed: end what it no longer permits, all tables first."""
    leading = [seat.inspecting for seat in floor.seats.values() if seat.inspecting is not None]
    lost = [supervision for supervision in leading if not _permitted(floor, supervision)]
    for supervision in lost:
        detach(floor, supervision, "no longer permitted")
    for supervision in lost:
        let_go(floor, supervision)


def _permitted(floor: FloorState, supervision: Supervision) -> bool:
    inspector = floor.profile.agents.get(supervision.inspector.agent)
    if inspector is None:
        return False
    try:
        access.inspected(floor.profile, inspector, supervision.target.agent)
    except Refused:
        return False
    return True


def end_all(floor: FloorState, seat: Seat, reason: str) -> None:
    """The agent signs out: the supervision that he leads and those on him end."""
    if seat.inspecting is not None:
        end(floor, seat.inspecting, reason, phone=False)
    for supervision in list(seat.inspectors):
        end(floor, supervision, reason)


def remove_inspector(floor: FloorState, seat: Seat, reason: str) -> None:
    """The inspector's phone is lost or timed out: he alone is removed."""
    if seat.inspecting is not None:
        end(floor, seat.inspecting, reason, phone=False)
    drop_phone(floor, seat)
