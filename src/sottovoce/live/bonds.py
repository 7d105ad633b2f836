"""The bond of an inspector and an agent: what it says, what happens to it, and every way in which it ends.

A supervision follows the agent and outlives a call. Whatever ends it, the table changes first: the
inspector is silent before anybody is told (`docs/decisions/0005-supervision-races.md`).
"""

from __future__ import annotations

from sottovoce.domain import access, events
from sottovoce.domain.agents import Trigger
from sottovoce.domain.directory import AgentId
from sottovoce.domain.journal import AuditEntry
from sottovoce.domain.supervision import Mode
from sottovoce.errors import Code, Refused
from sottovoce.live.effects import Disarm, InspectorUnreached, LeaseEnds
from sottovoce.live.hearing import refresh
from sottovoce.live.seating import release_phone, set_free
from sottovoce.live.state import FloorState, Seat, Supervision


def may_inspect(floor: FloorState, inspector: AgentId, target: AgentId) -> tuple[Seat, Seat]:
    """Both seats, if this inspector may inspect that agent; else raises the reason."""
    seat = floor.seat(inspector)
    access.inspected(floor.profile, seat.profile, target)
    found = floor.seats.get(target)
    if found is None:
        raise Refused(Code.TARGET_NOT_SIGNED_IN, f"agent {target} is not signed in")
    return seat, found


def reached(floor: FloorState, supervision: Supervision) -> None:
    """The inspector's phone is up: the inspector takes part."""
    floor.do(Disarm(InspectorUnreached(supervision.inspector.agent)))
    supervision.reaching = False
    refresh(floor, supervision.target)
    tell_mode(floor, supervision)


def tell_mode(floor: FloorState, supervision: Supervision) -> None:
    """Tell the supervised agent who takes part, and how."""
    floor.emit(
        events.SupervisionStarted(supervision.target.agent, supervision.inspector.agent, supervision.mode)
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


def end(floor: FloorState, supervision: Supervision, reason: str, *, phone: bool = True) -> None:
    """End it for any reason: silence first, then the phone, then words. `phone` releases it if due."""
    detach(floor, supervision, reason)
    let_go(floor, supervision, phone=phone)


def detach(floor: FloorState, supervision: Supervision, reason: str) -> None:
    """Take the inspector out of the agent's conversation and write it down."""
    part(floor, supervision)
    refresh(floor, supervision.target)
    refresh(floor, supervision.inspector)
    floor.journal(ended(floor, supervision, reason))


def let_go(floor: FloorState, supervision: Supervision, *, phone: bool = True) -> None:
    """After `detach`: the inspector's phone and state, and words for both."""
    inspector = supervision.inspector
    if phone:
        release_phone(floor, inspector)
    set_free(floor, inspector, Trigger.FREED)
    if not supervision.reaching:
        tell_end(floor, supervision)


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
    seconds = int(floor.since(supervision.began).total_seconds())
    return floor.audit(
        supervision.inspector.agent,
        "supervise.stop",
        supervision.target.agent,
        mode=supervision.mode.value,
        reason=reason,
        seconds=seconds,
    )


def end_all(floor: FloorState, seat: Seat, reason: str) -> None:
    """The agent signs out: the supervision that this agent leads and those of this agent end."""
    if seat.inspecting is not None:
        end(floor, seat.inspecting, reason, phone=False)
    for supervision in list(seat.inspectors):
        end(floor, supervision, reason)


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
