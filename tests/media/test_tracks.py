from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sottovoce.domain.audio import FRAME
from sottovoce.domain.legs import LegId, Recording, RecordingId, RecordingResult
from sottovoce.errors import Code, Refused
from sottovoce.media.tracks import MOST_EARLY, TICKS_PER_BLOCK, Tracks, track_path

C, A, Q, J = (LegId(name) for name in ("c", "a", "i", "j/../x"))
SLOTS = {C: 0, A: 1, Q: 2, J: 3}
SILENCE = 4
ONE = RecordingId("one")


class Shelf:
    """A sink that keeps everything."""

    def __init__(self) -> None:
        self.log: list[str] = []
        self.audio: dict[tuple[RecordingId, LegId | None], list[np.ndarray]] = {}

    def begin(self, recording: Recording) -> None:
        self.log.append(f"begin {recording.recording}")
        self.audio[recording.recording, None] = []

    def begin_track(self, recording: RecordingId, leg: LegId, path: Path, silent_frames: int) -> None:
        self.log.append(f"track {recording} {leg} {path.name} {silent_frames}")
        self.audio[recording, leg] = [np.zeros(silent_frames, np.int16)]

    def write(self, recording: RecordingId, leg: LegId | None, block: np.ndarray) -> None:
        assert block.flags.owndata or block.base is not None
        self.audio[recording, leg].append(block)

    def end(self, recording: RecordingId, frames: int) -> None:
        self.log.append(f"end {recording} {frames}")

    def ticks(self, recording: RecordingId, leg: LegId | None) -> list:
        """The first sample of every tick; each tick's samples are all alike."""
        audio = np.concatenate(self.audio[recording, leg])
        return audio[::FRAME].tolist()


class Room:
    """Ticks in which slot s says s+1, a hundred times the tick's number added."""

    def __init__(self, capacity: int = 5) -> None:
        self.sink = Shelf()
        self.slots = dict(SLOTS)
        self.tracks = Tracks(capacity, self.sink, self.slots.get, SILENCE)
        self.talking = True
        self.tick_number = 0

    def run(self, ticks: int) -> None:
        for _ in range(ticks):
            self.tick_number += 1
            frames = np.zeros((5, FRAME), np.int16)
            frames[:4] = (np.arange(1, 5) + 100 * self.tick_number)[:, None]
            self.tracks.tick(frames, lambda one, other: self.talking and {one, other} == {0, 1})

    def start(self, name: RecordingId = ONE) -> None:
        self.tracks.start(Recording(name, Path(f"/rec/{name}.wav"), C, A))


def said(slot: int, ticks: range) -> list[int]:
    return [slot + 1 + 100 * tick for tick in ticks]


def test_frame_zero_is_the_tick_in_which_they_first_hear_each_other() -> None:
    room = Room()
    room.talking = False
    room.start()
    room.tracks.allow(ONE, frozenset({C, A}))
    room.run(7)
    assert room.sink.log == []
    room.talking = True
    room.tracks.rows_changed()
    room.run(25)
    result = room.tracks.stop(ONE)
    assert result == RecordingResult(ONE, Path("/rec/one.wav"), 25 * FRAME, {})
    assert room.sink.log == ["begin one", f"end one {25 * FRAME}"]
    customer, agent = zip(*room.sink.ticks(ONE, None), strict=True)
    assert list(customer) == said(0, range(8, 33))
    assert list(agent) == said(1, range(8, 33))


@pytest.mark.parametrize("before", [1, 3, TICKS_PER_BLOCK, TICKS_PER_BLOCK + 1, 2 * TICKS_PER_BLOCK + 7])
@pytest.mark.parametrize("after", [1, TICKS_PER_BLOCK - 1, TICKS_PER_BLOCK, 23])
def test_an_inspectors_track_has_the_same_beginning_and_length(before: int, after: int) -> None:
    room = Room()
    room.run(4)
    room.start()
    room.tracks.allow(ONE, frozenset({C, A}))
    room.run(before)
    room.tracks.allow(ONE, frozenset({C, A, Q}))
    room.run(after)
    room.tracks.allow(ONE, frozenset({C, A}))
    room.run(3)
    result = room.tracks.stop(ONE)
    assert result.tracks == {Q: Path("/rec/one.i.wav")}
    first = 5 + before
    assert room.sink.ticks(ONE, Q) == [0] * before + said(2, range(first, first + after)) + [0] * 3
    assert len(room.sink.ticks(ONE, None)) == before + after + 3 == result.frames // FRAME


def test_a_track_is_silent_while_its_party_may_not_say() -> None:
    room = Room()
    room.start()
    for allowed in ({C, A}, {C}, set(), {A}):
        room.tracks.allow(ONE, frozenset(allowed))
        room.run(4)
    room.tracks.stop(ONE)
    customer, agent = zip(*room.sink.ticks(ONE, None), strict=True)
    assert list(customer) == said(0, range(1, 9)) + [0] * 8
    assert list(agent) == said(1, range(1, 5)) + [0] * 8 + said(1, range(13, 17))


def test_a_recording_begun_goes_on_through_a_hold() -> None:
    room = Room()
    room.start()
    room.tracks.allow(ONE, frozenset({C, A}))
    room.run(5)
    room.talking = False
    room.tracks.rows_changed()
    room.run(5)
    assert room.tracks.stop(ONE).frames == 10 * FRAME


def test_gates_may_come_before_the_recording_and_are_bounded() -> None:
    room = Room()
    room.tracks.allow(ONE, frozenset({C, A}))
    for number in range(MOST_EARLY - 1):
        room.tracks.allow(RecordingId(f"other {number}"), frozenset({C}))
    room.start()
    room.run(3)
    room.tracks.stop(ONE)
    assert room.sink.ticks(ONE, None)[0] == [101, 102]
    room.tracks.allow(ONE, frozenset({C}))
    for number in range(MOST_EARLY):
        room.tracks.allow(RecordingId(f"more {number}"), frozenset({C}))
    room.start()
    room.run(1)
    room.tracks.stop(ONE)
    assert room.sink.ticks(ONE, None)[0] == [0, 0]


def test_a_leg_that_ended_is_silence_and_a_stranger_on_its_slot_is_not_recorded() -> None:
    room = Room()
    room.start()
    room.tracks.allow(ONE, frozenset({C, A, Q}))
    room.run(3)
    del room.slots[Q]
    room.slots[LegId("stranger")] = 2
    room.tracks.leg_changed(Q)
    room.run(3)
    room.tracks.stop(ONE)
    assert room.sink.ticks(ONE, Q) == said(2, range(1, 4)) + [0] * 3


def test_forbidden_legs_fall_silent_on_every_track() -> None:
    room = Room()
    room.start()
    room.tracks.allow(ONE, frozenset({C, A, Q}))
    room.run(2)
    room.tracks.forbid(frozenset({Q}))
    room.run(2)
    room.tracks.stop(ONE)
    assert room.sink.ticks(ONE, Q) == [*said(2, range(1, 3)), 0, 0]
    assert room.sink.ticks(ONE, None)[3] == [401, 402]


def test_recordings_do_not_mix() -> None:
    room = Room()
    names = [RecordingId(f"r{number}") for number in range(4)]
    for number, name in enumerate(names):
        room.start(name)
        room.tracks.allow(name, frozenset({C, A} if number % 2 else {A}))
        room.run(number + 1)
    for number, name in enumerate(names):
        room.tracks.stop(name)
        first = 1 + sum(range(1, number + 1))
        left, right = zip(*room.sink.ticks(name, None), strict=True)
        assert list(right) == said(1, range(first, 11))
        assert list(left) == (said(0, range(first, 11)) if number % 2 else [0] * (11 - first))


def test_an_end_before_the_beginning_leaves_nothing() -> None:
    room = Room()
    room.talking = False
    room.start()
    room.run(3)
    assert room.tracks.stop(ONE).frames == 0
    assert room.sink.log == []


def test_a_failed_recording_says_why() -> None:
    room = Room()
    room.start()
    room.run(2)
    assert room.tracks.stop(ONE, "disk full").failure == "disk full"
    room.run(12)


def test_ids_and_room_are_checked() -> None:
    room = Room(capacity=1)
    room.start()
    for name, code in ((ONE, Code.BAD_PARAMETER), (RecordingId("two"), Code.MEDIA_EXHAUSTED)):
        with pytest.raises(Refused) as refusal:
            room.start(name)
        assert refusal.value.code is code
    room.tracks.stop(ONE)
    with pytest.raises(Refused) as refusal:
        room.tracks.stop(ONE)
    assert refusal.value.code is Code.NOT_FOUND


def test_a_track_without_room_is_left_out_and_the_call_goes_on() -> None:
    room = Room(capacity=1)
    room.start()
    room.tracks.allow(ONE, frozenset({C, A, Q}))
    room.run(2)
    assert room.tracks.stop(ONE).tracks == {}


def test_a_legs_name_cannot_leave_the_folder() -> None:
    recording = Recording(ONE, Path("/rec/one.wav"), C, A)
    assert track_path(recording, J) == Path("/rec/one.j%2F..%2Fx.wav")
