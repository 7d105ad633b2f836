"""What a talk's journal entry says of its inspectors: who took part, how, from when to when."""

from __future__ import annotations

import dataclasses
import hashlib
from datetime import timedelta

import pytest

from sottovoce.domain.directory import AgentId
from sottovoce.domain.journal import AuditEntry, ContactBegan, ContactEnded, SegmentBegan, SegmentEnded
from sottovoce.domain.supervision import Mode
from sottovoce.live.handling import Release
from sottovoce.live.supervising import ChangeMode, Intercept

A, I, J = AgentId(101), AgentId(300), AgentId(301)  # noqa: E741


def spans(stage):
    """Of every talk that ended: agent, then inspector, mode, begin and end in seconds of the talk."""
    found = []
    for change in stage.store.written:
        if isinstance(change, SegmentEnded):
            told = [
                (
                    span.inspector,
                    span.mode.value,
                    (span.began_at - change.began_at).total_seconds(),
                    (span.ended_at - change.began_at).total_seconds(),
                )
                for span in change.supervisions
            ]
            found.append((change.agent, told))
    return found


async def test_a_talk_without_inspectors_and_its_begin(on_call):
    stage = on_call
    [began] = [change for change in stage.store.written if isinstance(change, SegmentBegan)]
    [recording] = stage.engine.recordings.values()
    assert (began.agent, began.recording) == (A, str(recording.path.relative_to("/rec")))
    await stage.desk.ask(Release(A))
    await stage.quiet()
    assert spans(stage) == [(A, [])]


async def test_a_closed_recording_is_told_with_its_digest(on_call, tmp_path):
    """The SHA-256 of the file as it is when the recorder has closed it; none where it wrote nothing."""
    stage = on_call
    [(name, recording)] = stage.engine.recordings.items()
    path = tmp_path / "talk.wav"
    path.write_bytes(b"RIFF and what was said")
    stage.engine.recordings[name] = dataclasses.replace(recording, path=path)
    await stage.desk.ask(Release(A))
    await stage.quiet()
    await stage.call_in("556")
    await stage.desk.ask(Release(A))
    await stage.quiet()
    ended = [change for change in stage.store.written if isinstance(change, SegmentEnded)]
    assert [talk.recording_sha256 for talk in ended] == [
        hashlib.sha256(b"RIFF and what was said").hexdigest(),
        None,
    ]


async def test_tracks_of_inspectors_have_their_digests(standing, tmp_path):
    """By the inspector's work number; a track that is not there has none."""
    stage = standing
    [(name, recording)] = stage.engine.recordings.items()
    path = tmp_path / "talk.wav"
    path.write_bytes(b"RIFF")
    stage.engine.recordings[name] = dataclasses.replace(recording, path=path)
    await stage.desk.supervise(I, A, Mode.WHISPER)
    await stage.quiet()
    await stage.desk.supervise(J, A, Mode.INSERT)
    await stage.quiet()
    by_number = {phone.number: leg for leg, phone in stage.lines.legs.items()}
    first, second = by_number["1300"], by_number["1301"]
    for leg in (first, second):
        stage.engine.tracks[leg] = tmp_path / f"talk.{leg}.wav"
    stage.engine.tracks[first].write_bytes(b"RIFF and a whisper")
    await stage.desk.ask(Release(A))
    await stage.quiet()
    [ended] = [change for change in stage.store.written if isinstance(change, SegmentEnded)]
    assert ended.tracks_sha256 == {str(I): hashlib.sha256(b"RIFF and a whisper").hexdigest()}


async def test_modes_follow_one_another(standing):
    stage = standing
    await stage.later(1)
    await stage.desk.supervise(I, A, Mode.LISTEN)
    await stage.quiet()
    await stage.later(2)
    await stage.desk.ask(ChangeMode(I, A, Mode.WHISPER))
    await stage.later(3)
    await stage.desk.supervise(J, A, Mode.INSERT)
    await stage.quiet()
    await stage.later(4)
    await stage.desk.stop(I, A)
    await stage.later(5)
    await stage.desk.ask(Release(A))
    await stage.quiet()
    assert spans(stage) == [(A, [(I, "listen", 1, 3), (I, "whisper", 3, 10), (J, "insert", 6, 15)])]


async def test_a_supervision_outlives_the_talk_and_is_in_the_next_one_too(standing):
    stage = standing
    await stage.desk.supervise(I, A, Mode.WHISPER)
    await stage.quiet()
    await stage.later(2)
    stage.lines.phones["555"].hang_up()
    await stage.quiet()
    await stage.later(7)
    await stage.call_in("556")
    await stage.later(3)
    await stage.desk.ask(Release(A))
    await stage.quiet()
    assert spans(stage) == [(A, [(I, "whisper", 0, 2)]), (A, [(I, "whisper", 0, 3)])]


async def test_an_intercept_ends_the_span_and_leaves_the_others(standing):
    stage = standing
    await stage.desk.supervise(I, A, Mode.LISTEN)
    await stage.desk.supervise(J, A, Mode.LISTEN)
    await stage.quiet()
    await stage.later(2)
    await stage.desk.ask(Intercept(I, A))
    await stage.later(3)
    await stage.desk.ask(Release(I))
    await stage.quiet()
    assert spans(stage) == [(A, [(I, "listen", 0, 2), (J, "listen", 0, 2)]), (I, [])]


async def test_an_inspector_who_never_picked_up_took_no_part(on_call):
    stage = on_call
    stage.phone(300).ready = False
    await stage.desk.supervise(I, A, Mode.WHISPER)
    await stage.later(2)
    await stage.desk.ask(Release(A))
    await stage.quiet()
    assert spans(stage) == [(A, [])]


@pytest.mark.parametrize("step", [10_800, -10_800])
async def test_a_clock_that_is_set_makes_no_call_longer_or_shorter(standing, step):
    stage = standing
    stage.lines.phones["555"].hang_up()
    await stage.quiet()
    before = len(stage.store.written)
    await stage.call_in("556")
    await stage.later(3)
    await stage.desk.supervise(I, A, Mode.WHISPER)
    await stage.quiet()
    stage.clock.step(step)
    await stage.later(4)
    await stage.desk.ask(Intercept(I, A))
    await stage.later(5)
    await stage.desk.ask(Release(I))
    await stage.quiet()
    written = stage.store.written[before:]
    [began] = [change for change in written if isinstance(change, ContactBegan)]
    [ended] = [change for change in written if isinstance(change, ContactEnded)]
    first, second = [change for change in written if isinstance(change, SegmentEnded)]
    assert (ended.at - began.at, first.ended_at - first.began_at) == (
        timedelta(seconds=12),
        timedelta(seconds=7),
    )
    assert second.began_at == first.ended_at
    assert second.ended_at == ended.at
    assert spans(stage)[1:] == [(A, [(I, "whisper", 3, 7)]), (I, [])]
    stops = [c for c in written if isinstance(c, AuditEntry) and c.action == "supervise.stop"]
    assert [stop.detail["seconds"] for stop in stops] == [4]
