"""Recordings that agents hear on their phones: begun, halted, moved, stopped.

Whether the agent may hear it, and that they did, is settled before (`quality/playback.py`). Only who has no
call hears one; the call that comes goes first.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sottovoce.domain import events
from sottovoce.domain.legs import LegId
from sottovoce.errors import Code, Refused
from sottovoce.live import seating
from sottovoce.live.effects import Arm, Disarm, ListenerUnreached, PlayBack
from sottovoce.live.inputs import Command, happens, never_waits
from sottovoce.live.state import FloorState, Playback, Seat
from sottovoce.media.engine import HaltSound, MoveSound, Play, SoundEnded


@dataclass(frozen=True, slots=True)
class PlayRecording(Command):
    """Hear a file from `at_ms` on, on the agent's phone, which rings if it is down. WRONG_CALL_STATE in a
    call, while supervising, while another one is heard, or without a phone."""

    path: Path
    at_ms: int = 0


@never_waits(PlayRecording)
def play(floor: FloorState, asked: PlayRecording) -> None:
    """The phone rings, or plays it at once."""
    seat = floor.seat(asked.by)
    may_play(seat)
    seat.playing = Playback(asked.path, asked.at_ms)
    if seat.leg_up:
        begin(floor, seat, seat.playing)
    else:
        floor.do(Arm(ListenerUnreached(seat.agent), floor.settings.agents.ring_timeout))
        seating.ring_phone(floor, seat, str(seat.agent))


def may_play(seat: Seat) -> None:
    """Raise WRONG_CALL_STATE unless the agent may hear a recording now."""
    if not seat.phone:
        raise Refused(Code.WRONG_CALL_STATE, "signed in without a phone")
    if seat.state.engaged or seat.call is not None or seat.playing is not None or seat.lapsed:
        raise Refused(Code.WRONG_CALL_STATE, "in a call, in a supervision, or hearing one already")


def begin(floor: FloorState, seat: Seat, playback: Playback) -> None:
    """The phone is up."""
    assert seat.leg is not None
    floor.do(Disarm(ListenerUnreached(seat.agent)), PlayBack(seat.leg, playback.path, playback.at_ms))


@dataclass(frozen=True, slots=True)
class PlaybackBegan:
    """A recording is being played to a leg."""

    leg: LegId


@happens(PlaybackBegan)
def began(floor: FloorState, event: PlaybackBegan) -> None:
    """The agent is told; one who is heard no more meanwhile is silenced again."""
    seat = floor.legs.get(event.leg)
    if isinstance(seat, Seat) and seat.playing is not None:
        seat.playing.begun = True
        floor.emit(events.PlaybackStarted(seat.agent))
    elif isinstance(seat, Seat):
        floor.do(Play(event.leg, None))


@happens(SoundEnded)
def ended(floor: FloorState, event: SoundEnded) -> None:
    """The recording is over, or could not be played."""
    seat = floor.legs.get(event.leg)
    if isinstance(seat, Seat) and seat.playing is not None:
        _over(floor, seat)


@happens(ListenerUnreached)
def unreached(floor: FloorState, timer: ListenerUnreached) -> None:
    """The agent never picked up."""
    seat = floor.seats.get(timer.agent)
    if seat is not None and not seat.leg_up:
        seating.end_playback(floor, seat)


@dataclass(frozen=True, slots=True)
class StopPlaying(Command):
    """Hear it no more. WRONG_CALL_STATE where nothing is heard."""


@never_waits(StopPlaying)
def stop(floor: FloorState, asked: StopPlaying) -> None:
    """The phone is silent, and down again unless it stands between calls."""
    seat = floor.seat(asked.by)
    if seat.playing is None:
        raise Refused(Code.WRONG_CALL_STATE, "no recording is heard")
    _over(floor, seat)


def _over(floor: FloorState, seat: Seat) -> None:
    seating.end_playback(floor, seat)
    seating.release_phone(floor, seat)


@dataclass(frozen=True, slots=True)
class HaltPlaying(Command):
    """Let it stand still, or (`on` False) go on. WRONG_CALL_STATE where that is so already, or nothing is
    heard yet."""

    on: bool


@never_waits(HaltPlaying)
def halt(floor: FloorState, asked: HaltPlaying) -> None:
    """Silence, and the rest of it later."""
    leg, playback = _heard(floor.seat(asked.by))
    if playback.halted is asked.on:
        raise Refused(Code.WRONG_CALL_STATE, "it stands still already" if asked.on else "it is not halted")
    playback.halted = asked.on
    floor.do(HaltSound(leg, asked.on))


@dataclass(frozen=True, slots=True)
class MovePlaying(Command):
    """Go on later in it, or earlier, within its ends. WRONG_CALL_STATE where nothing is heard yet."""

    by_ms: int


@never_waits(MovePlaying)
def move(floor: FloorState, asked: MovePlaying) -> None:
    """Beyond its end it is over."""
    leg, _ = _heard(floor.seat(asked.by))
    floor.do(MoveSound(leg, asked.by_ms))


def _heard(seat: Seat) -> tuple[LegId, Playback]:
    if seat.leg is None or seat.playing is None or not seat.playing.begun:
        raise Refused(Code.WRONG_CALL_STATE, "no recording is heard yet")
    return seat.leg, seat.playing
