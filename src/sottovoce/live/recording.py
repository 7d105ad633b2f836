"""What agents do with the recording of their talk: begin it where not every talk is recorded, stop, pause it.

A pause silences all recordings of the call, the tracks of inspectors too: whoever repeats a card's number is
on none. Nobody hears anything else for it (`docs/decisions/0043-recordings-in-agents-hands.md`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from sottovoce.domain.audio import RATE
from sottovoce.domain.contacts import RecordingPause
from sottovoce.domain.directory import AgentId
from sottovoce.domain.legs import Recording
from sottovoce.errors import Code, Refused
from sottovoce.live import bonds, handling, hearing, seating
from sottovoce.live.inputs import Command, Permitted, command, never_waits
from sottovoce.live.state import Call, FloorState, Seat, TalkSegment
from sottovoce.media.engine import StartRecording


@dataclass(frozen=True, slots=True)
class RecordTalk(Command):
    """Record one's talk from now on. NO_CALL; NO_RIGHT where agents do not choose; WRONG_CALL_STATE when it
    is recorded already, or cannot be."""


@never_waits(RecordTalk)
def record(floor: FloorState, asked: RecordTalk) -> None:
    """The talk is recorded; what was before is silence, marked as a pause."""
    seat = floor.seat(asked.by)
    call, segment = _talk(seat)
    if not floor.settings.recordings.on_demand:
        raise Refused(Code.NO_RIGHT, "recordings.on_demand is off")
    if segment.wanted or segment.failure not in (None, hearing.SWITCHED_OFF):
        raise Refused(Code.WRONG_CALL_STATE, "the talk is recorded already, or cannot be")
    now = floor.now_in(call)
    segment.wanted, segment.recorded_from = True, now
    if segment.failure is not None:
        _begin(floor, seat, segment)
    _refresh(floor, call)
    floor.journal(floor.audit(asked.by, "recording.begin", call.call, recording=segment.recording))
    hearing.tell_recording(floor, segment)


def _begin(floor: FloorState, seat: Seat, segment: TalkSegment) -> None:
    """Open the recording's file, with silence for what is over."""
    assert seat.leg is not None
    now = floor.now_in(segment.call)
    if now > segment.began_at:
        segment.pauses.append(RecordingPause(segment.agent, segment.began_at, now))
    segment.failure, segment.begun = None, True
    silence = round((now - segment.began_at) / timedelta(seconds=1) * RATE)
    ends = segment.customer, seat.leg
    floor.do(StartRecording(Recording(segment.recording, segment.path, *ends, max(1, silence))))
    hearing.note_recording(floor, segment)


@dataclass(frozen=True, slots=True)
class RecordOwnTalks(Command):
    """Record all of one's talks from the next on, or `on` demand alone as the server does by itself. NO_RIGHT
    where agents do not choose, or where every talk is recorded anyway and that is not wanted; NOT_SERVED for
    what is before a talk."""

    on: bool
    before_talk: bool = False


@never_waits(RecordOwnTalks)
def record_own(floor: FloorState, asked: RecordOwnTalks) -> None:
    """The talk that runs stays as it is."""
    seat = floor.seat(asked.by)
    _check_wish(floor, asked.on, asked.before_talk)
    if not floor.settings.recordings.enabled and not floor.settings.recordings.on_demand:
        raise Refused(Code.NO_RIGHT, "recordings.on_demand is off")
    _wish(floor, seat, asked.on)


@dataclass(frozen=True, slots=True)
class RecordTalksOf(Command):
    """The same for other agents, all of them or none. NO_RIGHT, also where every talk is recorded anyway and
    that is not wanted; TARGET_IS_SELF, TARGET_UNKNOWN, TARGET_NOT_SIGNED_IN, NOT_SERVED, UNAVAILABLE."""

    agents: tuple[AgentId, ...]
    on: bool
    before_talk: bool = False


def _check_others(floor: FloorState, asked: RecordTalksOf) -> Permitted[list[Seat]]:
    seats = [bonds.may_inspect(floor, asked.by, agent)[1] for agent in dict.fromkeys(asked.agents)]
    _check_wish(floor, asked.on, asked.before_talk)
    action = f"recording.{'ask' if asked.on else 'unask'}"
    return Permitted(seats, tuple(floor.audit(asked.by, action, seat.agent) for seat in seats))


@command(RecordTalksOf, _check_others)
def record_others(floor: FloorState, asked: RecordTalksOf, seats: list[Seat]) -> None:
    """The talks that run stay as they are."""
    for seat in seats:
        _wish(floor, seat, asked.on)


def _check_wish(floor: FloorState, on: bool, before_talk: bool) -> None:
    if before_talk:
        raise Refused(Code.NOT_SERVED, "a recording begins with the talk")
    if not on and floor.settings.recordings.enabled:
        raise Refused(Code.NO_RIGHT, "every talk is recorded: recordings.enabled")


def _wish(floor: FloorState, seat: Seat, on: bool) -> None:
    seat.records = on
    floor.journal(seating.saved(floor, seat))


@dataclass(frozen=True, slots=True)
class StopTalkRecording(Command):
    """End what `RecordTalk` began. NO_CALL; WRONG_CALL_STATE where the agent did not begin it."""


@never_waits(StopTalkRecording)
def stop(floor: FloorState, asked: StopTalkRecording) -> None:
    """The rest of the talk is silence, marked as a pause, until the agent asks again."""
    call, segment = _talk(floor.seat(asked.by))
    if not segment.recorded or segment.recorded_from is None:
        raise Refused(Code.WRONG_CALL_STATE, "the agent did not begin this recording")
    segment.wanted = False
    _refresh(floor, call)
    floor.journal(floor.audit(asked.by, "recording.stop", call.call, recording=segment.recording))
    hearing.tell_recorded(floor, segment, floor.now_in(call))


@dataclass(frozen=True, slots=True)
class PauseRecording(Command):
    """Keep all voices off the recordings of one's call, or (`on` False) no longer; it ends too when whoever
    asked leaves the call. NO_CALL; NO_RIGHT where nobody may; WRONG_CALL_STATE when nothing is recorded, when
    that is so already, and when another agent paused it."""

    on: bool


@never_waits(PauseRecording)
def pause(floor: FloorState, asked: PauseRecording) -> None:
    """From the next tick on the recordings are silent, or not."""
    seat = floor.seat(asked.by)
    call, _ = _talk(seat)
    recorded = any(part.segment is not None and part.segment.recorded for part in call.parts)
    if asked.on and not floor.settings.recordings.pauses:
        raise Refused(Code.NO_RIGHT, "recordings.pauses is off")
    if call.paused_by != (None if asked.on else seat.agent) or not recorded:
        raise Refused(Code.WRONG_CALL_STATE, "nothing is recorded, or paused, or another agent did it")
    call.paused_by = seat.agent if asked.on else None
    _refresh(floor, call)
    floor.journal(floor.audit(asked.by, f"recording.{'pause' if asked.on else 'resume'}", call.call))


def _talk(seat: Seat) -> tuple[Call, TalkSegment]:
    """The call that the agent acts in, and their talk in it with a customer. NO_CALL."""
    call, part = handling.current(seat)
    if part.segment is None:
        raise Refused(Code.NO_CALL, "the agent does not talk with a customer")
    return call, part.segment


def _refresh(floor: FloorState, call: Call) -> None:
    hearing.refresh(floor, *(part.seat for part in call.parts), call=call)
