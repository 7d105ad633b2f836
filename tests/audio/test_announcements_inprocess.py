"""What waiting callers are told, heard: by the one who waits alone, before the music, and no longer than they
wait."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import soundfile
from tests.audio.test_matrix_inprocess import AGENT, RATE, VDN, Room, tone_level

from sottovoce.config import MediaSettings
from sottovoce.domain.directory import Announcing, QueueRules, SkillId
from sottovoce.domain.legs import Codec
from sottovoce.live.handling import Release
from sottovoce.media import codecs

SAID = {"position": 2210, "1": 2530, "in-queue": 2870}
"""Hz: what each of the recordings sounds like here, for half a second."""
WAITS = "0777"


@pytest.fixture
async def waiting(tmp_path):
    """555 talks with the agent; another caller waits behind and is told so by the fifth second, then each
    twentieth."""
    (tmp_path / "said/en").mkdir(parents=True)
    for name, hertz in SAID.items():
        tone = 6000 * np.sin(2 * np.pi * hertz * np.arange(RATE // 2) / RATE)
        soundfile.write(tmp_path / f"said/en/{name}.wav", tone.astype(np.int16), RATE, "PCM_16")
    made = Room(tmp_path, media=MediaSettings(announcements=tmp_path / "said"))
    await made.open()
    profile = made.store.profiles[VDN]
    rules = QueueRules(announcing=Announcing(first_s=5, every_s=20))
    sales = replace(profile.skills[SkillId(1)], rules=rules)
    made.store.profiles[VDN] = replace(profile, skills={SkillId(1): sales})
    await made.desk.reload(VDN)
    made.lines.call_in(VDN, made.lines.phones[WAITS], "800")
    await made.quiet()
    yield made
    await made.desk.close()
    await made.tasks.close()


async def later(room, seconds):
    room.clock.advance(seconds)
    await room.desk.run_due()
    await room.quiet()


async def listened(room, ticks):
    """What every phone hears for so many ticks, as samples."""
    got = await room.hum(ticks)
    return {
        number: np.concatenate(
            [codecs.decode(np.frombuffer(packet[12:], np.uint8), Codec.PCMU) for packet in packets]
        )
        for number, packets in got.items()
    }


def said_in(samples):
    """Which recordings are heard, in order of their loudest tenth of a second."""
    blocks = samples[: len(samples) // 800 * 800].reshape(-1, 800)
    loudest = {
        name: max((tone_level(block, hertz), at) for at, block in enumerate(blocks))
        for name, hertz in SAID.items()
    }
    heard = {name: at for name, (level, at) in loudest.items() if level > -40}
    return sorted(heard, key=heard.__getitem__)


async def test_the_caller_who_waits_alone_hears_the_announcement_and_then_music(waiting):
    assert said_in((await listened(waiting, 100))[WAITS]) == []
    await later(waiting, 5)
    heard = await listened(waiting, 150)
    assert said_in(heard[WAITS]) == ["position", "1", "in-queue"]
    assert said_in(heard["555"]) == said_in(heard["1101"]) == []
    music = (await listened(waiting, 50))[WAITS]
    assert said_in(music) == []
    assert np.abs(music).max() > 500, "the music goes on"


async def test_it_stops_when_somebody_answers(waiting):
    await later(waiting, 5)
    await listened(waiting, 20)
    await waiting.desk.ask(Release(AGENT))
    await waiting.quiet()
    assert waiting.desk.calls(AGENT)[0].caller == WAITS
    assert said_in((await listened(waiting, 150))[WAITS]) == []
    assert (await waiting.heard())[WAITS] == {"1101"}


async def test_it_comes_again(waiting):
    await later(waiting, 5)
    await listened(waiting, 150)
    await later(waiting, 19)
    assert said_in((await listened(waiting, 100))[WAITS]) == []
    await later(waiting, 1)
    assert said_in((await listened(waiting, 150))[WAITS]) == ["position", "1", "in-queue"]
