"""What recordings hold by tones: while one is paused, and of a talk that is recorded from its middle on."""

from __future__ import annotations

import numpy as np
from tests.audio.test_matrix_inprocess import (  # noqa: F401
    AGENT,
    INSPECTOR,
    PRESENT_DBOV,
    TONES,
    TWO,
    WINDOW,
    Room,
    room,
    samples_of,
    tone_level,
)

from sottovoce.config import RecordingSettings
from sottovoce.domain.supervision import Mode
from sottovoce.live.handling import Release
from sottovoce.live.recording import PauseRecording, RecordTalk, StopTalkRecording


def tones(samples: np.ndarray) -> list[set[str]]:
    """Of each 2 s of a track: whose tones are on it, in a window of a second in their middle."""
    parts = [samples[at + 4000 : at + 4000 + WINDOW] for at in range(0, len(samples) - 4000 - WINDOW, 16000)]
    return [{who for who, hertz in TONES.items() if tone_level(part, hertz) > PRESENT_DBOV} for part in parts]


async def test_a_paused_recording_is_silent_and_as_long_as_the_talk(room, tmp_path):  # noqa: F811
    await room.desk.supervise(INSPECTOR, AGENT, Mode.WHISPER)
    await room.hum(100)
    await room.desk.ask(PauseRecording(AGENT, True))
    heard = await room.hum(100)
    assert all(len(packets) == 100 for packets in heard.values())
    await room.desk.ask(PauseRecording(AGENT, False))
    await room.hum(100)
    await room.desk.ask(Release(AGENT))
    await room.quiet()
    stereo, track = sorted(tmp_path.rglob("*.wav"), key=lambda path: len(path.name))
    both, inspector = samples_of(stereo), samples_of(track)
    assert len(both) == len(inspector) == 300 * 160
    assert tones(both[:, 0]) == [{"555"}, set(), {"555"}]
    assert tones(both[:, 1]) == [{"1101"}, set(), {"1101"}]
    assert tones(inspector.reshape(-1)) == [{"1300"}, set(), {"1300"}]
    silent = both[100 * 160 + 800 : 200 * 160 - 800]
    assert not silent.any(), "not a sample of the pause is kept"


async def test_a_pause_changes_nothing_that_anybody_hears(room):  # noqa: F811
    await room.desk.ask(PauseRecording(AGENT, True))
    assert await room.heard() == TWO


async def test_a_talk_recorded_from_its_middle_on_keeps_its_time(tmp_path):
    room = Room(tmp_path, RecordingSettings(enabled=False, on_demand=True))  # noqa: F811
    await room.open()
    await room.hum(100)
    room.clock.advance(2)
    await room.desk.ask(RecordTalk(AGENT))
    await room.hum(100)
    await room.desk.ask(StopTalkRecording(AGENT))
    await room.hum(100)
    await room.desk.ask(Release(AGENT))
    await room.quiet()
    [path] = tmp_path.rglob("*.wav")
    both = samples_of(path)
    assert len(both) == 300 * 160
    assert tones(both[:, 0]) == [set(), {"555"}, set()]
    assert tones(both[:, 1]) == [set(), {"1101"}, set()]
    await room.desk.close()
    await room.tasks.close()
