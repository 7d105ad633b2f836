"""Who is together: the conversation that a seat or a call is in now, as `domain.audibility` wants it.

An agent is in the conversation of one call, the one that they act in, and in none while they hold it. Who is
left alone by that is held: music, and nobody else. Nothing here changes anything.
"""

from __future__ import annotations

from dataclasses import dataclass

from sottovoce.domain.audibility import CallRole, Inspecting, Party, audibility, recorded
from sottovoce.domain.legs import LegId, Routing
from sottovoce.live.state import AgentPart, Call, OutsideParty, Seat


@dataclass(frozen=True, slots=True)
class Conversation:
    """Those whom one table is about."""

    parties: list[Party]
    seats: list[Seat]
    """The seats among them, or whose inspectors the table is about."""

    @property
    def inspecting(self) -> list[Inspecting]:
        """The inspectors who are on these seats with their phones."""
        return [
            Inspecting(leg, seat.leg or LegId(""), supervision.mode, supervision.inspector.leg_held)
            for seat in self.seats
            for supervision in seat.inspectors
            if not supervision.reaching
            and supervision.inspector.leg_up
            and (leg := supervision.inspector.leg) is not None
        ]

    @property
    def table(self) -> Routing:
        """Who hears whom in it."""
        inspecting = self.inspecting
        return Routing(
            audibility(self.parties, inspecting), frozenset(inspector.leg for inspector in inspecting)
        )


def holds(part: AgentPart) -> bool:
    """Whether the agent holds the call: by the interface, or by their own phone."""
    return part.held_at is not None or part.seat.leg_held


def _agents(call: Call) -> list[AgentPart]:
    """The agents who act in the call with their phones."""
    return [
        part
        for part in call.parts
        if part.seat.call is call and part.seat.leg_up and not part.alerting and part.seat.inspecting is None
    ]


def together(call: Call) -> tuple[list[Party], list[Seat]]:
    """The customers who are there, and the agents who do not hold the call; all of them hear each other,
    but one alone is held."""
    agents = [part for part in _agents(call) if not holds(part)]
    parties = [Party(customer.leg, CallRole.CUSTOMER) for customer in call.customers if customer.up]
    found = [_agent(part.seat, part) for part in agents] + parties
    return found, [part.seat for part in agents]


def left_alone(call: Call) -> LegId | None:
    """The leg of whoever is held: everybody else is away from the call, or holds it."""
    if not call.talking:
        return None
    parties, _ = together(call)
    return parties[0].leg if len(parties) == 1 else None


def conversation(seat: Seat) -> Conversation:
    """The one that this seat is in; alone, if in none. An inspector at work has none of their own."""
    call = seat.call
    if seat.inspecting is not None or seat.leg is None or not seat.leg_up:
        return Conversation([], [seat])
    alone = Conversation([_agent(seat, seat.part)], [seat])
    part = seat.part
    if call is None or part is None or part.alerting:
        return alone
    if not call.talking:
        early = [Party(one.leg, CallRole.CUSTOMER, early=True) for one in call.customers if one.early]
        return Conversation([*alone.parties, *early], [seat])
    parties, seats = together(call)
    if len(parties) > 1:
        return Conversation(parties, seats) if seat in seats else alone
    held = [Party(one.leg, one.role, held=True) for one in parties]
    holders = [one for one in _agents(call) if holds(one)]
    if len(holders) == 1:
        return Conversation([_agent(holders[0].seat, holders[0]), *held], [holders[0].seat, *seats])
    return alone if seat not in seats else Conversation(held, seats)


def of_call(call: Call) -> Conversation:
    """The one of a call's customers, whatever agents take part."""
    parties, seats = together(call)
    if seats:
        return conversation(seats[0])
    holders = [part for part in _agents(call) if holds(part)]
    if len(parties) > 1 or len(holders) != 1:
        held = len(parties) == 1
        return Conversation([Party(one.leg, one.role, held=held) for one in parties], [])
    return conversation(holders[0].seat)


def wanted_on(part: AgentPart, call: Call) -> frozenset[LegId]:
    """Whose voice goes onto the recording of the agent's talk now."""
    seat, segment = part.seat, part.segment
    if segment is None or seat.leg is None or segment.silent_by is not None:
        return frozenset()
    if seat.call is call:
        now = conversation(seat)
    else:
        away = Party(segment.customer, CallRole.CUSTOMER, held=True)
        now = Conversation([away, _agent(seat, part)], [seat])
    return recorded(now.parties, now.inspecting, seat.leg)


def others_outside(call: Call, seat: Seat, customer: LegId) -> list[OutsideParty]:
    """The parties outside in the agent's talk now, beside its customer."""
    parties, seats = together(call) if call.talking else ([], [])
    there = {party.leg for party in parties} if seat in seats else set()
    return [one for one in call.customers if one.leg in there and one.leg != customer]


def _agent(seat: Seat, part: AgentPart | None) -> Party:
    return Party(seat.leg or LegId(""), CallRole.AGENT, muted=part is not None and part.muted)
