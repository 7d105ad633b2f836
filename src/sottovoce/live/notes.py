"""Notes from agent to agent, and bulletins to a group or to those of a queue: texts, kept nowhere."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum

from sottovoce.domain import events
from sottovoce.domain.directory import AgentId
from sottovoce.errors import Code, Refused
from sottovoce.live.inputs import Command, never_waits
from sottovoce.live.state import FloorState, Seat


class Audience(Enum):
    """Whom a bulletin is for."""

    GROUP = 0
    QUEUE = 1


@dataclass(frozen=True, slots=True)
class SendNote(Command):
    """Send a text to these agents of the VDN: all of them get it, or none. TARGET_UNKNOWN,
    TARGET_NOT_SIGNED_IN, UNAVAILABLE (the sender sent too many lately)."""

    to: tuple[AgentId, ...]
    text: str = field(repr=False)


@never_waits(SendNote)
def send_note(floor: FloorState, asked: SendNote) -> None:
    """Each agent is told once."""
    receivers = [_receiver(floor, agent) for agent in dict.fromkeys(asked.to)]
    sender = sender_of(floor, asked.by)
    floor.emit(
        *(
            events.NoteReceived(seat.agent, sender.agent, sender.profile.name, asked.text, floor.now)
            for seat in receivers
        )
    )


@dataclass(frozen=True, slots=True)
class SendBulletin(Command):
    """Send a text to everybody of a group who is signed in, or who is signed in to a queue, the sender
    included. `name`: the group's or the queue's; where none has that name, its number. NOT_FOUND,
    TARGET_NOT_SIGNED_IN (nobody of them is), UNAVAILABLE (the sender sent too many lately)."""

    audience: Audience
    name: str
    text: str = field(repr=False)


@never_waits(SendBulletin)
def send_bulletin(floor: FloorState, asked: SendBulletin) -> None:
    """Everybody there is told."""
    receivers = _audience(floor, asked.audience, asked.name)
    sender = sender_of(floor, asked.by)
    floor.emit(
        *(
            events.BulletinReceived(seat.agent, sender.agent, sender.profile.name, asked.text, floor.now)
            for seat in receivers
        )
    )


def sender_of(floor: FloorState, agent: AgentId) -> Seat:
    """The seat of who sends; one text less is left to them, so that nobody fills others' queues of events."""
    if not floor.texts_left.take(agent, floor.moment.steady_s):
        raise Refused(Code.UNAVAILABLE, f"agent {agent} sent too many texts")
    return floor.seat(agent)


def _receiver(floor: FloorState, agent: AgentId) -> Seat:
    if agent not in floor.profile.agents:
        raise Refused(Code.TARGET_UNKNOWN, f"no agent {agent} in this VDN")
    if agent not in floor.seats:
        raise Refused(Code.TARGET_NOT_SIGNED_IN, f"agent {agent} is not signed in")
    return floor.seats[agent]


def _audience(floor: FloorState, audience: Audience, name: str) -> list[Seat]:
    seats, vdn = floor.seats.values(), floor.profile
    if audience is Audience.GROUP:
        groups = _meant(name, ((group.group, group.name) for group in vdn.agent_groups))
        there = [seat for seat in seats if seat.profile.group in groups]
    else:
        queues = _meant(name, ((skill.skill, skill.name) for skill in vdn.skills.values()))
        there = [seat for seat in seats if queues.intersection(seat.skills)]
    if not there:
        raise Refused(Code.TARGET_NOT_SIGNED_IN, f"nobody of {name} is signed in")
    return there


def _meant(name: str, known: Iterable[tuple[int, str]]) -> set[int]:
    """Those of that name, which several may have, or else the one of that number."""
    numbers = dict(known)
    meant = {number for number, its in numbers.items() if its == name}
    meant = meant or {number for number in numbers if str(number) == name}
    if not meant:
        raise Refused(Code.NOT_FOUND, f"neither a group nor a queue is called {name}")
    return meant
