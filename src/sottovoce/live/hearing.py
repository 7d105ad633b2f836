"""A seat's sound: the table of its conversation, its music and its recording.

`refresh` computes the table from the state and leaves an Apply only if it changed; a leg that
left the conversation is given an empty row, so that nobody is heard by oversight.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sottovoce.domain import events
from sottovoce.domain.audibility import CallRole, Inspecting, Party, audibility, recorded
from sottovoce.domain.calls import CallState
from sottovoce.domain.contacts import SupervisionSpan
from sottovoce.domain.directory import AgentId
from sottovoce.domain.journal import ContactEnded, SegmentBegan, SegmentEnded
from sottovoce.domain.legs import LegId, Recording, RecordingId, RecordingResult, Routing, Sound
from sottovoce.domain.supervision import Mode
from sottovoce.live.inputs import happens
from sottovoce.live.state import Call, FloorState, Seat, TalkSegment
from sottovoce.media.engine import Apply, Play, RecordingStopped, StartRecording, StopRecording

RINGBACK = Sound("ringback")
_SILENCE = Routing({})


def on_hold(seat: Seat) -> bool:
    """Whether the seat's customer is held: by the interface or by the agent's own phone."""
    call = seat.call
    return call is not None and call.talking and (call.state is CallState.HELD or seat.leg_held)


def parties(seat: Seat) -> list[Party]:
    """Who takes part in the seat's own conversation now; an inspector at work has none."""
    found: list[Party] = []
    if seat.inspecting is not None:
        return found
    call = seat.call
    joined = call is not None and call.talking
    if seat.leg is not None and seat.leg_up:
        muted = call is not None and joined and call.muted
        found.append(Party(seat.leg, CallRole.AGENT, muted=muted))
    if call is not None and call.customer is not None and (joined or call.customer_early):
        held, early = on_hold(seat), not joined
        found.append(Party(call.customer, CallRole.CUSTOMER, held=held, early=early))
    return found


def inspecting(seat: Seat) -> list[Inspecting]:
    """The inspectors who are on the seat with their phones."""
    found: list[Inspecting] = []
    agent = seat.leg or LegId("")
    for supervision in seat.inspectors:
        leg = supervision.inspector.leg
        if not supervision.reaching and leg is not None and supervision.inspector.leg_up:
            found.append(Inspecting(leg, agent, supervision.mode, supervision.inspector.leg_held))
    return found


def table(seat: Seat) -> Routing:
    """The table of the seat's conversation as the state demands it."""
    present, listening = parties(seat), inspecting(seat)
    segment = seat.call.segment if seat.call is not None else None
    wanted = segment is not None and segment.failure is None and seat.leg is not None
    return Routing(
        audibility(present, listening),
        frozenset(inspector.leg for inspector in listening),
        segment.recording if wanted and segment is not None else None,
        recorded(present, listening, seat.leg) if wanted and seat.leg is not None else frozenset(),
    )


def refresh(floor: FloorState, *seats: Seat) -> None:
    """Make the seats' tables true if they are not yet, all at once.

    A leg that goes from one of them to another is the later one's; so is the recording.
    """
    for seat in seats:
        if seat.call is not None and seat.call.segment is not None:
            _note(floor, seat.call.segment, _taking_part(seat))
    changed = [routing for seat in seats if (routing := _changed(seat)) is not None]
    if len(changed) == 1:
        floor.do(Apply(changed[0]))
    elif changed:
        hears = {leg: voices for routing in changed for leg, voices in routing.hears.items()}
        inspectors = frozenset[LegId]().union(*(routing.inspectors for routing in changed))
        floor.do(Apply(Routing(hears, inspectors, changed[-1].recording, changed[-1].recorded)))


def _taking_part(seat: Seat) -> dict[AgentId, Mode]:
    return {
        supervision.inspector.agent: supervision.mode
        for supervision in seat.inspectors
        if not supervision.reaching and supervision.inspector.leg_up
    }


def _note(floor: FloorState, segment: TalkSegment, present: dict[AgentId, Mode]) -> None:
    """Keep who supervises the talk from now on, and the spans that end now."""
    now = floor.now_in(segment.call)
    for inspector, (mode, since) in list(segment.supervised.items()):
        if present.get(inspector) is not mode:
            del segment.supervised[inspector]
            if now > since:
                segment.spans.append(SupervisionSpan(inspector, mode, since, now))
    for inspector, mode in present.items():
        segment.supervised.setdefault(inspector, (mode, now))


def _changed(seat: Seat) -> Routing | None:
    """What must be applied for this seat, legs that left it included; None when all is true already."""
    now = table(seat)
    before = seat.routing or _SILENCE
    if now.recording is not None and seat.call is not None and seat.call.segment is not None:
        for supervision in seat.inspectors:
            leg = supervision.inspector.leg
            if leg in now.inspectors and leg is not None:
                seat.call.segment.inspectors[leg] = supervision.inspector.agent
    if before == now:
        return None
    seat.routing = now
    if now.recording is None and not any((*before.hears.values(), *now.hears.values())):
        return None
    gone = [leg for leg in before.hears if leg not in now.hears]
    if gone:
        hears = {**dict.fromkeys(gone, frozenset[LegId]()), **now.hears}
        now = Routing(hears, now.inspectors, now.recording, now.recorded)
    return now


def music(floor: FloorState, call: Call, on: bool) -> None:
    """Start or stop the music that the customer hears."""
    if call.customer is not None:
        floor.do(Play(call.customer, Sound(floor.settings.media.music) if on else None))


def begin_segment(floor: FloorState, call: Call, seat: Seat) -> None:
    """Arm the recording of the seat's talk; the next table carries it."""
    assert seat.leg is not None
    assert call.customer is not None
    call.segments += 1
    name = f"{call.call}-{seat.agent}-{call.segments}"
    now = floor.now_in(call)
    day = now.strftime("%Y/%m/%d")
    path = floor.settings.folder / str(floor.profile.vdn) / day / f"{name}.wav"
    recording = RecordingId(name)
    call.segment = TalkSegment(recording, path, call, seat.agent, now)
    if not floor.settings.recordings.enabled:
        call.segment.failure, call.segment.begun = "recording is switched off", False
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


def end_segment(floor: FloorState, call: Call) -> None:
    """Close the recording of the talk that ends; its journal entry follows when the files are closed."""
    segment, call.segment = call.segment, None
    if segment is None:
        return
    segment.ended_at = floor.now_in(call)
    _note(floor, segment, {})
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


@happens(RecordingClosed)
def recording_closed(floor: FloorState, event: RecordingClosed) -> None:
    """The files are closed."""
    close_segment(floor, event.recording, event.result, event.failure, event.sha256)


def close_segment(
    floor: FloorState,
    recording: RecordingId,
    result: RecordingResult | None,
    failure: str | None,
    sha256: str | None = None,
) -> None:
    """The recording is closed: journal the segment, and the contact's end if this was the last."""
    segment = floor.closing.pop(recording, None)
    if segment is None or segment.ended_at is None:
        return
    call = segment.call
    tracks = result.tracks if result is not None else {}
    floor.journal(
        SegmentEnded(
            call.call,
            floor.profile.vdn,
            segment.agent,
            segment.began_at,
            segment.ended_at,
            place(floor, segment.path) if segment.begun else None,
            {
                str(segment.inspectors[leg]): place(floor, path)
                for leg, path in tracks.items()
                if leg in segment.inspectors
            },
            failure or (result.failure if result is not None else None),
            tuple(sorted(segment.spans, key=lambda span: (span.began_at, span.inspector))),
            sha256 if segment.begun else None,
        )
    )
    if result is not None and segment.failure is None:
        floor.emit(
            events.RecordingDone(segment.agent, call.call, recording, segment.began_at, segment.ended_at)
        )
    finish_contact(floor, call)


def finish_contact(floor: FloorState, call: Call) -> None:
    """Journal the contact's end once the call is over and its recordings are closed."""
    closing = any(segment.call is call for segment in floor.closing.values())
    if call.ended_at is None or call.finished or closing:
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
    for call in floor.calls.values():
        segment = call.segment
        if segment is None or segment.recording != recording or segment.failure is not None:
            continue
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
        if call.seat is not None:
            refresh(floor, call.seat)


def ringback(floor: FloorState, seat: Seat, on: bool) -> None:
    """Let the agent hear that the other side rings, or no longer."""
    if seat.leg is not None:
        floor.do(Play(seat.leg, RINGBACK if on else None))
