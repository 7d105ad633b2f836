"""What is heard: the tables of conversations, music for who is held, and the recordings of talks.

`refresh` computes tables from the state and leaves an Apply only if they changed; a leg that
left a conversation is given the row of the one that it is in now, or an empty one, so that nobody is heard
by oversight.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

from sottovoce.domain import events
from sottovoce.domain.calls import CallDirection, CallState
from sottovoce.domain.contacts import RecordingPause, SupervisionSpan
from sottovoce.domain.directory import AgentId
from sottovoce.domain.journal import ContactEnded, RecordingChanged, SegmentBegan, SegmentEnded
from sottovoce.domain.legs import LegId, Recording, RecordingId, RecordingResult, Routing, Sound
from sottovoce.domain.supervision import Mode
from sottovoce.live import conversing
from sottovoce.live.conversing import Conversation
from sottovoce.live.inputs import happens
from sottovoce.live.state import AgentPart, Call, FloorState, Seat, TalkSegment
from sottovoce.media.engine import Apply, Play, RecordingStopped, StartRecording, StopRecording

RINGBACK = Sound("ringback")
SWITCHED_OFF = "recording is switched off"


def on_hold(call: Call) -> bool:
    """Whether somebody in the call waits with music, because all others are away or hold it."""
    return conversing.left_alone(call) is not None


def table(seat: Seat) -> Routing:
    """The table of the seat's conversation as the state demands it."""
    return conversing.conversation(seat).table


def refresh(floor: FloorState, *seats: Seat, call: Call | None = None) -> None:
    """Make true what these seats, and all who are or were in conversation with them, hear; `call` in
    which no agent may be left, too. Tables all at once; music before and after them; then recordings."""
    scope = _Scope(floor)
    scope.follow(seats, call)
    calls = scope.calls
    for one in calls:
        _play(floor, one, one.music - _alone(one), None)
    hears, before = scope.hears, scope.before
    changed = hears != before and any((*before.values(), *hears.values()))
    recordings = _recordings(calls, every=changed)
    if changed or recordings:
        floor.do(Apply(scope.routing(recordings[0] if recordings else None)))
    floor.do(*(Apply(other) for other in recordings[1:]))
    for one in calls:
        _play(floor, one, _alone(one) - one.music, _music(floor, one))


class _Scope:
    """The conversations that a change reaches, found from some seats on."""

    def __init__(self, floor: FloorState) -> None:
        self._floor = floor
        self.seats: list[Seat] = []
        self.calls: list[Call] = []
        self.before: dict[LegId, frozenset[LegId]] = {}
        self.now: dict[LegId, frozenset[LegId]] = {}
        self.inspectors: frozenset[LegId] = frozenset()

    def follow(self, seats: Sequence[Seat], call: Call | None) -> None:
        """Take in these, and whoever left their conversations since they were last refreshed."""
        todo: list[Seat | Call] = [*seats, *([call] if call is not None else [])]
        while todo:
            owner = todo.pop(0)
            if isinstance(owner, Seat) and owner not in self.seats:
                self._take(conversing.conversation(owner), owner)
                todo += owner.calls
                todo += [owner.inspecting.target] if owner.inspecting is not None else []
            elif isinstance(owner, Call) and owner not in self.calls:
                self.calls.append(owner)
                found = conversing.of_call(owner)
                self.before |= owner.routing.hears if owner.routing is not None else {}
                owner.routing = found.table
                self._take(found)
            gone = (self._floor.legs.get(leg) for leg in self.before if leg not in self.now)
            todo += [one for one in gone if one is not None and not self._knows(one)]

    def _knows(self, owner: Seat | Call) -> bool:
        return owner in self.seats if isinstance(owner, Seat) else owner in self.calls

    def _take(self, found: Conversation, *also: Seat) -> None:
        routing = found.table
        for seat in (seat for seat in (*found.seats, *also) if seat not in self.seats):
            self.seats.append(seat)
            self.before |= seat.routing.hears if seat.routing is not None else {}
            seat.routing = routing
            _note(self._floor, seat)
        self.now |= routing.hears
        self.inspectors |= routing.inspectors

    @property
    def hears(self) -> dict[LegId, frozenset[LegId]]:
        """All rows; who left and is nowhere now hears nobody."""
        return {**{leg: frozenset[LegId]() for leg in self.before if leg not in self.now}, **self.now}

    def routing(self, first: Routing | None) -> Routing:
        """All of it in one, with the first recording."""
        if first is None:
            return Routing(self.hears, self.inspectors)
        return Routing(self.hears, self.inspectors, first.recording, first.recorded)


def _alone(call: Call) -> set[LegId]:
    """Who of the call is to hear music: whoever is held; before the call talks, that stays as it is."""
    if call.state is not CallState.ENDED and not call.talking:
        return set(call.music)
    leg = conversing.left_alone(call)
    return {leg} if leg is not None else set()


def _play(floor: FloorState, call: Call, legs: set[LegId], sound: Sound | None) -> None:
    for leg in sorted(legs):
        (call.music.discard if sound is None else call.music.add)(leg)
        if leg in floor.legs:
            floor.do(Play(leg, sound))


def music(floor: FloorState, call: Call, on: bool) -> None:
    """Start or stop the music that the customers hear before the call talks."""
    legs = {customer.leg for customer in call.customers if customer is not call.dialled}
    if on:
        _play(floor, call, legs - call.music, _music(floor, call))
    else:
        _play(floor, call, legs & call.music, None)


def announce(floor: FloorState, call: Call, files: Sequence[str], *, music: bool = True) -> None:
    """Tell those who wait for the call to be answered something; then `music` goes on, or nothing."""
    *before, last = [*files, *([_music(floor, call).name] if music else [])]
    sound = Sound(last, loop=music, before=tuple(before))
    floor.do(*(Play(leg, sound) for leg in sorted(call.music) if leg in floor.legs))


def _music(floor: FloorState, call: Call) -> Sound:
    """The music of the call's queue."""
    known = floor.profile.skills.get(call.skill) if call.skill is not None else None
    return Sound((known.rules.music if known is not None else "") or floor.settings.media.music)


def _recordings(calls: Sequence[Call], *, every: bool) -> list[Routing]:
    """Whose voice goes onto which recording: where that changed, or of `every` one."""
    changed = []
    for call in calls:
        for part in call.parts:
            segment = part.segment
            if segment is None or segment.failure is not None or part.seat.leg is None:
                continue
            allowed = conversing.wanted_on(part, call)
            if every or allowed != segment.allowed:
                segment.allowed = allowed
                changed.append(Routing({}, recording=segment.recording, recorded=allowed))
    return changed


def _note(floor: FloorState, seat: Seat) -> None:
    """Keep who supervises the seat's talks from now on, and the spans that end now."""
    present = {
        supervision.inspector.agent: (supervision.mode, supervision.inspector.leg)
        for supervision in seat.inspectors
        if not supervision.reaching and supervision.inspector.leg_up
    }
    for call in seat.calls:
        segment = call.part(seat).segment
        if segment is not None:
            others = conversing.others_outside(call, seat, segment.customer)
            segment.parties |= {one.leg: one.number for one in others}
            segment.inspectors |= {leg: agent for agent, (_, leg) in present.items() if leg is not None}
            _note_spans(floor, segment, {agent: mode for agent, (mode, _) in present.items()})
            _note_pause(floor, segment)


def _note_spans(floor: FloorState, segment: TalkSegment, present: dict[AgentId, Mode]) -> None:
    now = floor.now_in(segment.call)
    for inspector, (mode, since) in list(segment.supervised.items()):
        if present.get(inspector) is not mode:
            del segment.supervised[inspector]
            if now > since:
                segment.spans.append(SupervisionSpan(inspector, mode, since, now))
    for inspector, mode in present.items():
        segment.supervised.setdefault(inspector, (mode, now))


def _note_pause(floor: FloorState, segment: TalkSegment) -> None:
    """Keep since when, until when and by whom the recording is kept silent; a restart is to know it."""
    now, by = floor.now_in(segment.call), segment.silent_by
    last = segment.pauses[-1] if segment.pauses else None
    lasting = last if last is not None and last.ended_at is None else None
    if segment.failure is not None or by == (lasting.by if lasting is not None else None):
        return
    if lasting is not None:
        segment.pauses.pop()
        if now > lasting.began_at:
            segment.pauses.append(replace(lasting, ended_at=now))
    if by is not None:
        segment.pauses.append(RecordingPause(by, now))
    note_recording(floor, segment)


def note_recording(floor: FloorState, segment: TalkSegment) -> None:
    """Journal what of the segment is recorded."""
    where, pauses = place(floor, segment.path), tuple(segment.pauses)
    of = segment.call.call, floor.profile.vdn, segment.agent, segment.began_at
    floor.journal(RecordingChanged(*of, where, pauses))


def begin_segment(floor: FloorState, call: Call, part: AgentPart) -> None:
    """Arm the recording of the agent's talk with the first customer; the next table carries it."""
    seat = part.seat
    assert seat.leg is not None
    assert call.customer is not None
    call.segments += 1
    name = f"{call.call}-{seat.agent}-{call.segments}"
    now = floor.now_in(call)
    day = now.strftime("%Y/%m/%d")
    path = floor.settings.folder / str(floor.profile.vdn) / day / f"{name}.wav"
    recording = RecordingId(name)
    segment = part.segment = TalkSegment(recording, path, call, seat.agent, call.customer, now)
    if not floor.settings.recordings.enabled and not seat.records:
        segment.failure, segment.begun, segment.wanted = SWITCHED_OFF, False, False
        return
    floor.do(StartRecording(Recording(recording, path, call.customer, seat.leg)))


def note_segment(floor: FloorState, segment: TalkSegment) -> None:
    """Journal that the segment began, so that a crash does not lose whose talk it was."""
    floor.journal(
        SegmentBegan(
            segment.call.call,
            floor.profile.vdn,
            segment.agent,
            segment.began_at,
            place(floor, segment.path) if segment.begun else None,
        )
    )


def place(floor: FloorState, path: Path) -> str:
    """A recording's path as it is kept: below the recordings' folder, wherever that is moved to."""
    folder = floor.settings.folder
    return str(path.relative_to(folder) if path.is_relative_to(folder) else path)


def tell_recording(floor: FloorState, segment: TalkSegment) -> None:
    """Tell the agent that the segment is recorded, if it is."""
    if segment.failure is not None:
        return
    call = segment.call
    floor.emit(
        events.RecordingStarted(
            segment.agent, call.call, segment.recording, place(floor, segment.path), call.caller, call.called
        )
    )


def tell_recorded(floor: FloorState, segment: TalkSegment, at: datetime) -> None:
    """Tell the agent that the segment is recorded no more."""
    began_at = segment.recorded_from or segment.began_at
    floor.emit(events.RecordingDone(segment.agent, segment.call.call, segment.recording, began_at, at))


def end_segment(floor: FloorState, segment: TalkSegment | None) -> None:
    """Close the recording of the talk that ends; its journal entry follows when the files are closed."""
    if segment is None:
        return
    segment.ended_at = floor.now_in(segment.call)
    _note_spans(floor, segment, {})
    segment.pauses = [
        pause if pause.ended_at is not None else replace(pause, ended_at=segment.ended_at)
        for pause in segment.pauses
    ]
    floor.closing[segment.recording] = segment
    if segment.failure is not None:
        close_segment(floor, segment.recording, segment.stopped, segment.failure)
    else:
        floor.do(StopRecording(segment.recording))


@dataclass(frozen=True, slots=True)
class RecordingClosed:
    """A recording that the floor stopped is closed, or could not be."""

    recording: RecordingId
    result: RecordingResult | None
    failure: str | None = None
    sha256: str | None = None
    """Of the stereo WAV, hexadecimal."""
    tracks: Mapping[LegId, str] = field(default_factory=dict)
    """The same of the tracks of inspectors."""


@happens(RecordingClosed)
def recording_closed(floor: FloorState, event: RecordingClosed) -> None:
    """The files are closed."""
    close_segment(floor, event.recording, event.result, event.failure, event.sha256, event.tracks)


def close_segment(
    floor: FloorState,
    recording: RecordingId,
    result: RecordingResult | None,
    failure: str | None,
    sha256: str | None = None,
    digests: Mapping[LegId, str] | None = None,
) -> None:
    """The recording is closed: journal the segment, and the contact's end if this was the last."""
    segment = floor.closing.pop(recording, None)
    if segment is None or segment.ended_at is None:
        return
    call = segment.call
    named, tracks = segment.tracks, result.tracks if result is not None else {}
    floor.journal(
        SegmentEnded(
            call.call,
            floor.profile.vdn,
            segment.agent,
            segment.began_at,
            segment.ended_at,
            place(floor, segment.path) if segment.begun else None,
            {named[leg]: place(floor, path) for leg, path in tracks.items() if leg in named},
            failure or (result.failure if result is not None else None),
            tuple(sorted(segment.spans, key=lambda span: (span.began_at, span.inspector))),
            sha256 if segment.begun else None,
            {named[leg]: digest for leg, digest in (digests or {}).items() if leg in named},
            tuple(segment.pauses),
            {named[leg]: number for leg, number in segment.parties.items()},
        )
    )
    if result is not None and segment.recorded:
        tell_recorded(floor, segment, segment.ended_at)
    finish_contact(floor, call)


def finish_contact(floor: FloorState, call: Call) -> None:
    """Journal the contact's end once the call is over and its recordings are closed."""
    closing = any(segment.call is call for segment in floor.closing.values())
    kept = isinstance(call.direction, CallDirection)
    if call.ended_at is None or call.finished or closing or not kept:
        return
    call.finished = True
    floor.journal(ContactEnded(call.call, floor.profile.vdn, call.ended_at, call.reason))


@dataclass(frozen=True, slots=True)
class RecordingRefused:
    """A recording could not begin."""

    recording: RecordingId
    failure: str


@happens(RecordingRefused)
def recording_refused(floor: FloorState, event: RecordingRefused) -> None:
    """There will be no file."""
    fail_segment(floor, event.recording, event.failure)


@happens(RecordingStopped)
def recording_stopped(floor: FloorState, event: RecordingStopped) -> None:
    """What was recorded until then is kept."""
    result = event.result
    fail_segment(floor, result.recording, result.failure or "stopped", result)


def fail_segment(
    floor: FloorState, recording: RecordingId, failure: str, stopped: RecordingResult | None = None
) -> None:
    """A recording could not begin, or stopped by itself: the call goes on, its agent is told."""
    for part in [part for call in floor.calls.values() for part in call.parts]:
        segment = part.segment
        if segment is None or segment.recording != recording or segment.failure is not None:
            continue
        call = segment.call
        segment.failure, segment.stopped, segment.begun = failure, stopped, stopped is not None
        floor.emit(
            events.RecordingFailed(
                segment.agent,
                call.call,
                recording,
                place(floor, segment.path),
                call.caller,
                call.called,
                failure,
            )
        )
        refresh(floor, part.seat)


def ringback(floor: FloorState, seat: Seat, on: bool) -> None:
    """Let the agent hear that the other side rings, or no longer."""
    if seat.leg is not None:
        floor.do(Play(seat.leg, RINGBACK if on else None))
