"""A recording heard on an agent's phone, by its tones: by that phone and by no other."""

from __future__ import annotations

from tests.audio.test_matrix_inprocess import (  # noqa: F401
    AGENT,
    INSPECTOR,
    TWO,
    VDN,
    room,
)

from sottovoce.domain.supervision import Mode
from sottovoce.live.handling import Release
from sottovoce.live.playing import HaltPlaying, MovePlaying, PlayRecording
from sottovoce.live.recording import PauseRecording


async def test_a_talk_is_heard_again_by_who_asked_alone(room, tmp_path):  # noqa: F811
    """Recorded for 6 s, the middle of it paused; played, moved, halted; then a call comes."""
    for on in (True, False):
        await room.hum(100)
        await room.desk.ask(PauseRecording(AGENT, on))
    await room.hum(100)
    await room.desk.ask(Release(AGENT))
    await room.quiet()
    [path] = tmp_path.rglob("*.wav")
    await room.desk.supervise(INSPECTOR, AGENT, Mode.LISTEN)
    await room.desk.ask(PlayRecording(AGENT, path))
    assert await room.heard() == {"1101": {"555", "1101"}, "1300": set()}
    await room.desk.ask(MovePlaying(AGENT, 700))  # 2.3 s to 3.9 s: the pause
    assert await room.heard() == {"1101": set(), "1300": set()}
    await room.desk.ask(MovePlaying(AGENT, 300))
    await room.desk.ask(HaltPlaying(AGENT, True))
    assert await room.heard() == {"1101": set(), "1300": set()}
    await room.desk.ask(HaltPlaying(AGENT, False))
    assert await room.heard() == {"1101": {"555", "1101"}, "1300": set()}
    await room.desk.ask(MovePlaying(AGENT, -60_000))
    await room.desk.stop(INSPECTOR, AGENT)
    assert await room.heard() == {"1101": {"555", "1101"}}
    room.lines.call_in(VDN, room.customer, "800")
    assert await room.heard() == TWO


async def test_it_is_over_where_it_ends(room, tmp_path):  # noqa: F811
    await room.hum(50)
    await room.desk.ask(Release(AGENT))
    await room.quiet()
    [path] = tmp_path.rglob("*.wav")
    await room.desk.ask(PlayRecording(AGENT, path, 500))
    await room.quiet()
    assert room.lines.phones["1101"].up
    await room.hum(40)
    await room.quiet()
    assert not room.lines.phones["1101"].up
