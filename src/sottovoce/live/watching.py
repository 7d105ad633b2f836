"""Inspectors who are told of agents' states: what they hear of, and for how long."""

from __future__ import annotations

from dataclasses import dataclass

from sottovoce.domain import access
from sottovoce.domain.directory import AgentId, Right
from sottovoce.errors import Code, Refused
from sottovoce.live import seating
from sottovoce.live.inputs import Command, never_waits
from sottovoce.live.state import FloorState


@dataclass(frozen=True, slots=True)
class Watch(Command):
    """Be told of these agents' states too, signed in or not, until one signs out: of all, or of none.
    NO_RIGHT, TARGET_IS_SELF, TARGET_UNKNOWN."""

    agents: tuple[AgentId, ...]


@never_waits(Watch)
def watch(floor: FloorState, asked: Watch) -> None:
    """The states that they have now are not told: there are lists for that."""
    seat = floor.seat(asked.by)
    access.require(seat.profile, Right.INSPECT)
    for agent in asked.agents:
        if agent == asked.by:
            raise Refused(Code.TARGET_IS_SELF, "nobody watches themselves")
        if agent not in floor.profile.agents:
            raise Refused(Code.TARGET_UNKNOWN, f"no agent {agent} in this VDN")
    seat.watches = seat.watches.union(asked.agents)
    floor.journal(seating.saved(floor, seat))


@dataclass(frozen=True, slots=True)
class Unwatch(Command):
    """Be told of these agents no more, whether one was or not. NO_RIGHT."""

    agents: tuple[AgentId, ...]


@never_waits(Unwatch)
def unwatch(floor: FloorState, asked: Unwatch) -> None:
    """The others stay watched."""
    seat = floor.seat(asked.by)
    access.require(seat.profile, Right.INSPECT)
    seat.watches = seat.watches.difference(asked.agents)
    floor.journal(seating.saved(floor, seat))
