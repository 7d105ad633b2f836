"""What an agent asks of a queue and of the server's voice: a certain call that waits, the own number said."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sottovoce.domain.calls import CallState
from sottovoce.domain.directory import AgentId, SkillId
from sottovoce.domain.legs import Sound
from sottovoce.errors import Code, Refused
from sottovoce.live import calling, conversing, handling
from sottovoce.live.inputs import Command, never_waits
from sottovoce.live.state import FloorState
from sottovoce.media.engine import Play

ANY_AGENT = "agent"
"""The sound, in the folder of those that say agents' numbers, for whoever has none."""


@dataclass(frozen=True, slots=True)
class RequestCall(Command):
    """Take a certain call that waits, in that queue if one is named: one that the agent may serve, signed in
    to it or not. WRONG_AGENT_STATE (not idle); NOT_FOUND (no such call waits there); NO_RIGHT."""

    call: str
    skill: SkillId | None = None


@never_waits(RequestCall)
def request_call(floor: FloorState, asked: RequestCall) -> None:
    """It leaves the queue before its turn, and rings the agent."""
    seat = floor.seat(asked.by)
    if not seat.free:
        raise Refused(Code.WRONG_AGENT_STATE, "only who is idle takes a waiting call")
    waiting = next((one for one in floor.queues.waiting(asked.skill) if one.call == asked.call), None)
    if waiting is None:
        raise Refused(Code.NOT_FOUND, "no such call waits there")
    if waiting.skill not in seat.profile.skills:
        raise Refused(Code.NO_RIGHT, f"agent {seat.agent} does not serve queue {waiting.skill}")
    calling.give(floor, floor.calls[asked.call], seat)


@dataclass(frozen=True, slots=True)
class SayNumber(Command):
    """Play the sound that says the agent's number to all who hear each other in the agent's talk with a
    customer; it is on no recording. NO_CALL (none, one that does not talk, or is held)."""

    sound: Path


@never_waits(SayNumber)
def say_number(floor: FloorState, asked: SayNumber) -> None:
    """The customer hears it, once."""
    seat = floor.seat(asked.by)
    call, _ = handling.current(seat)
    heard = conversing.conversation(seat).table.hears
    there = any(one.leg in heard for one in call.customers)
    if call.state is not CallState.TALKING or not there or seat.leg not in heard:
        raise Refused(Code.NO_CALL, "the agent talks with no customer")
    floor.do(*(Play(leg, Sound(str(asked.sound), loop=False)) for leg in sorted(heard)))


def sound_of(folder: Path | None, agent: AgentId) -> Path | None:
    """The sound that says this agent's number; it reads the disk. None where there is none."""
    if folder is None:
        return None
    named = (folder / f"{name}.wav" for name in (agent, ANY_AGENT))
    return next((path for path in named if path.is_file()), None)
