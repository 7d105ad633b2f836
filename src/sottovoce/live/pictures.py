"""Read-only pictures of the floor's state."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import datetime

from sottovoce.domain.agents import AgentState
from sottovoce.domain.directory import AgentProfile, Skill, SkillId
from sottovoce.domain.figures import Figures
from sottovoce.domain.legs import LegId
from sottovoce.live import hearing, queueing
from sottovoce.live.state import Call, FloorState, Seat, Supervision
from sottovoce.live.views import (
    AgentStatus,
    AgentView,
    CallView,
    FloorCallView,
    FloorView,
    QueueView,
    RestView,
    Snapshot,
    SupervisionView,
)


def skills(floor: FloorState, chosen: tuple[SkillId, ...]) -> tuple[Skill, ...]:
    """The skill queues by their ids."""
    known = floor.profile.skills
    return tuple(known[skill] for skill in chosen if skill in known)


def agent(floor: FloorState, profile: AgentProfile) -> AgentView:
    """One agent, signed in or not."""
    who = profile.agent, profile.vdn, profile.name, profile.group
    seat = floor.seats.get(profile.agent)
    if seat is None:
        configured = skills(floor, profile.skills)
        return AgentView(*who, AgentState.SIGNED_OUT, None, None, configured, profile.phone or "", None, ())
    return AgentView(
        *who,
        seat.state,
        seat.standing.pending,
        seat.since,
        skills(floor, seat.skills),
        seat.phone,
        seat.signed_in_at,
        call_ids(seat),
        seat.takes_calls,
    )


def resting(floor: FloorState) -> tuple[RestView, ...]:
    """Who rests, by work number."""
    return tuple(
        RestView(agent, seat.profile.name, seat.since, seat.standing.rest_seconds)
        for agent, seat in sorted(floor.seats.items())
        if seat.state is AgentState.REST
    )


def status(seat: Seat) -> AgentStatus:
    """An agent's state in short."""
    return AgentStatus(seat.state, seat.standing.pending)


def call_ids(seat: Seat) -> tuple[str, ...]:
    """The ids of the agent's calls, the one that the agent acts in first."""
    return tuple(call.call for call in seat.calls)


def calls(floor: FloorState, seat: Seat) -> tuple[CallView, ...]:
    """The agent's calls, the one that the agent acts in first."""
    return tuple(call(floor, one, seat) for one in seat.calls)


def call(floor: FloorState, shown: Call, seat: Seat | None) -> CallView:
    """A call as this agent sees it; for None, as whoever comes to it."""
    part = next((part for part in shown.parts if part.seat is seat), None)
    skill = floor.profile.skills.get(shown.skill) if shown.skill is not None else None
    return CallView(
        shown.call,
        shown.direction,
        shown.state,
        shown.caller,
        shown.called,
        shown.skill,
        skill.name if skill is not None else "",
        shown.began_at,
        shown.talked_at,
        part.held_at if part is not None else None,
        shown.ended_at,
        part is not None and part.muted,
        hearing.place(floor, part.segment.path) if part is not None and part.segment is not None else None,
        shown.data,
        shown.others(seat.agent) if seat is not None else (),
    )


def supervision(shown: Supervision) -> SupervisionView:
    """One supervision."""
    return SupervisionView(
        shown.inspector.agent, shown.target.agent, shown.mode, shown.reaching, shown.began.at
    )


def snapshot(floor: FloorState, seat: Seat, last_event: int) -> Snapshot:
    """Everything an agent's screen needs."""
    return Snapshot(
        floor.now,
        agent(floor, seat.profile),
        seat.standing.reason,
        call(floor, seat.call, seat) if seat.call is not None else None,
        supervision(seat.inspecting) if seat.inspecting is not None else None,
        tuple(supervision(one) for one in seat.inspectors if not one.reaching),
        last_event,
        seat.playing is not None,
    )


def hears(floor: FloorState) -> Mapping[str, frozenset[str]]:
    """Who hears whom on the whole floor, by name; listeners that hear nobody included."""
    names: dict[LegId, str] = {}
    for seat in floor.seats.values():
        if seat.leg is not None:
            role = "agent" if seat.inspecting is None else "inspector"
            names[seat.leg] = f"{role} {seat.agent}"
    for one in floor.calls.values():
        for customer in one.customers:
            names[customer.leg] = f"customer {customer.number}"
    heard: dict[str, frozenset[str]] = {}
    for seat in floor.seats.values():
        for listener, voices in hearing.table(seat).hears.items():
            if listener in names:
                heard[names[listener]] = frozenset(names[voice] for voice in voices if voice in names)
    return heard


def queues(floor: FloorState) -> tuple[QueueView, ...]:
    """All skill queues, by number."""
    since: dict[SkillId, datetime] = {}
    for one in floor.queues.waiting():
        wait = floor.calls[one.call].wait
        if wait is not None:
            since[one.skill] = min(wait.at, since.get(one.skill, wait.at))
    seats = floor.seats.values()
    signed_in = Counter(skill for seat in seats for skill in seat.skills)
    free = Counter(skill for seat in seats if seat.reachable for skill in seat.skills)
    today = floor.history.since(queueing.today(floor))
    return tuple(
        QueueView(
            number,
            skill.name,
            floor.queues.length(number),
            since.get(number),
            signed_in[number],
            free[number],
            today.get(number, Figures()),
        )
        for number, skill in sorted(floor.profile.skills.items())
    )


def view(floor: FloorState) -> FloorView:
    """The whole floor."""
    seats = sorted(floor.seats.values(), key=lambda seat: seat.agent)
    return FloorView(
        floor.profile.vdn,
        floor.profile.name,
        floor.now,
        tuple(agent(floor, seat.profile) for seat in seats),
        tuple(
            FloorCallView(
                one.call,
                one.direction,
                one.state,
                one.caller,
                one.called,
                one.seat.agent if one.seat is not None else None,
                one.talked_at or one.began_at,
                bool(one.parts) and one.parts[0].muted,
            )
            for one in floor.calls.values()
        ),
        tuple(supervision(seat.inspecting) for seat in seats if seat.inspecting is not None),
        queues(floor),
        hears(floor),
    )
