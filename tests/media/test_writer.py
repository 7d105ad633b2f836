"""The recorder thread: files that hold exactly what was written, and disks that fail."""

from __future__ import annotations

import os
import time
import wave
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from tests.full_disk import file_size_limit

from sottovoce.domain.legs import LegId, Recording, RecordingId
from sottovoce.media.repair import repair_folder, repair_recording
from sottovoce.media.wav import header, part_of
from sottovoce.media.writer import Closed, Failed, RecordingReport, RecordingWriter

R, COACH = RecordingId("r"), LegId("coach")


def recording(folder: Path) -> Recording:
    return Recording(R, folder / "call.wav", LegId("c"), LegId("a"))


def stereo(frames: int, value: int = 1) -> np.ndarray:
    return np.stack([np.full(frames, value), np.full(frames, -value)], axis=1).astype(np.int16)


def read(path: Path) -> np.ndarray:
    with wave.open(str(path)) as file:
        assert (file.getframerate(), file.getsampwidth()) == (8000, 2)
        raw = np.frombuffer(file.readframes(file.getnframes()), "<i2")
        return raw.reshape(-1, file.getnchannels())


def report_of(writer: RecordingWriter) -> RecordingReport:
    """The next report; the test's time-out ends a wait in vain."""
    while True:
        for report in writer.reports():
            return report
        time.sleep(0.005)


@pytest.fixture
def writer() -> Iterator[RecordingWriter]:
    writer = RecordingWriter()
    yield writer
    assert writer.close()


def test_what_is_written_is_read_back(writer: RecordingWriter, tmp_path: Path) -> None:
    where = recording(tmp_path / "made" / "here")
    writer.begin(where)
    for value in range(1, 6):
        writer.write(R, None, stereo(160, value))
        writer.flush()
    writer.begin_track(R, COACH, where.path.with_name("call.coach.wav"), 320)
    writer.write(R, COACH, np.full(480, 9, np.int16))
    writer.end(R, 800)
    writer.flush()
    assert report_of(writer) == Closed(R, 800, None)
    assert read(where.path)[:, 0].tolist() == [value for value in range(1, 6) for _ in range(160)]
    assert np.array_equal(read(where.path)[:, 1], -read(where.path)[:, 0])
    assert read(where.path.with_name("call.coach.wav"))[:, 0].tolist() == [0] * 320 + [9] * 480
    assert list(where.path.parent.glob("*.part")) == []
    assert where.path.stat().st_mode & 0o077 == 0


def test_a_recording_has_begun_from_begin_to_end(writer: RecordingWriter, tmp_path: Path) -> None:
    assert not writer.has_begun(R)
    writer.begin(recording(tmp_path))
    assert writer.has_begun(R)
    writer.end(R, 0)
    writer.flush()
    assert not writer.has_begun(R)
    assert report_of(writer) == Closed(R, 0, None)


def test_a_full_disk_fails_the_recording_and_keeps_what_fits(writer: RecordingWriter, tmp_path: Path) -> None:
    where = recording(tmp_path)
    with file_size_limit(44 + 4 * 500 + 1):
        writer.begin(where)
        for _ in range(4):
            writer.write(R, None, stereo(160, 7))
        writer.flush()
        failed = report_of(writer)
        assert isinstance(failed, Failed)
        assert failed.recording == R
        writer.write(R, None, stereo(160, 7))
        writer.end(R, 800)
        writer.flush()
        closed = report_of(writer)
    assert closed == Closed(R, 500, failed.reason)
    assert read(where.path)[:, 0].tolist() == [7] * 500


def test_a_recording_that_fails_leaves_the_others_alone(writer: RecordingWriter, tmp_path: Path) -> None:
    other = RecordingId("other")
    with file_size_limit(100_000):
        writer.begin(recording(tmp_path))
        writer.begin(Recording(other, tmp_path / "other.wav", LegId("c"), LegId("a")))
        for number in range(100):
            writer.write(R, None, stereo(1600))
            if number < 10:
                writer.write(other, None, stereo(1600))
        writer.flush()
        assert report_of(writer) == Failed(R, os.strerror(27))
        writer.end(R, 160_000)
        writer.end(other, 16_000)
        writer.flush()
        closed = {report.recording: report for report in (report_of(writer), report_of(writer))}
    assert closed[other] == Closed(other, 16_000, None)
    assert closed[R] == Closed(R, (100_000 - 44) // 4, os.strerror(27))


@pytest.mark.parametrize(
    "obstacle", ["a file where the folder should be", "a folder where the file should be"]
)
def test_a_path_that_cannot_be_written_fails_the_recording(
    writer: RecordingWriter, tmp_path: Path, obstacle: str
) -> None:
    where = recording(tmp_path / "folder")
    if obstacle.startswith("a file"):
        where.path.parent.write_text("")
    else:
        part_of(where.path).mkdir(parents=True)
    writer.begin(where)
    writer.flush()
    assert isinstance(report_of(writer), Failed)
    writer.write(R, None, stereo(160))
    writer.end(R, 160)
    writer.flush()
    closed = report_of(writer)
    assert isinstance(closed, Closed)
    assert closed.failure


def test_a_disk_too_slow_fails_the_recording_instead_of_filling_memory(tmp_path: Path) -> None:
    writer = RecordingWriter(most_bytes=10_000)
    writer.begin(recording(tmp_path))
    for _ in range(100):  # nobody wakes the writing thread
        writer.write(R, None, stereo(160))
    writer.flush()
    assert report_of(writer) == Failed(R, "the disk is too slow")
    writer.end(R, 16_000)
    writer.flush()
    closed = report_of(writer)
    assert isinstance(closed, Closed)
    assert closed.frames * 4 <= 10_000 + 640
    assert writer.close()


def unfinished(path: Path, channels: int, frames: int, extra: bytes = b"") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    samples = np.full(frames * channels, 5, "<i2").tobytes()
    part_of(path).write_bytes(header(channels, 0) + samples + extra)
    return path


def test_unfinished_recordings_are_made_whole(tmp_path: Path) -> None:
    main = unfinished(tmp_path / "2026" / "call.wav", 2, 800, b"\x01\x02\x03")
    shorter = unfinished(main.with_name("call.coach.wav"), 1, 500)
    longer = unfinished(main.with_name("call.other.wav"), 1, 900)
    lonely = unfinished(tmp_path / "call2.wav", 2, 10)
    part_of(tmp_path / "empty.wav").write_bytes(b"RIFF")
    assert set(repair_folder(tmp_path)) >= {main, lonely}
    assert len(read(main)) == 800
    assert read(shorter)[:, 0].tolist() == [5] * 500 + [0] * 300
    assert read(longer)[:, 0].tolist() == [5] * 800
    assert len(read(lonely)) == 10
    assert list(tmp_path.rglob("*.part")) == []


def test_a_track_left_behind_by_its_finished_recording_gets_its_length(tmp_path: Path) -> None:
    (tmp_path / "call.wav").write_bytes(header(2, 300) + bytes(1200))
    track = unfinished(tmp_path / "call.coach.wav", 1, 100)
    repair_folder(tmp_path)
    assert read(track)[:, 0].tolist() == [5] * 100 + [0] * 200


def test_one_recording_is_repaired_for_its_result(tmp_path: Path) -> None:
    where = recording(tmp_path)
    unfinished(where.path, 2, 320)
    unfinished(where.path.with_name("call.coach.wav"), 1, 160)
    unfinished(tmp_path / "another.wav", 2, 10)
    result = repair_recording(where)
    assert (result.frames, dict(result.tracks)) == (320, {COACH: tmp_path / "call.coach.wav"})
    assert part_of(tmp_path / "another.wav").exists()
    assert repair_recording(recording(tmp_path / "nowhere")).frames == 0
