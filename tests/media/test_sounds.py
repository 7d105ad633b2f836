from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from sottovoce.domain.legs import Codec
from sottovoce.errors import Code, Refused
from sottovoce.media import codecs, sounds
from sottovoce.media.sounds import KEPT_FILES, Players, Shelf
from sottovoce.phones.tones import levels, rms_level


def file(path: Path, samples: np.ndarray) -> str:
    soundfile.write(path, samples, 8000, "PCM_16")
    return str(path)


@pytest.mark.parametrize("codec", Codec)
def test_no_party_is_taken_for_heard_while_music_plays(codec: Codec) -> None:
    music = codecs.decode(codecs.encode(sounds.music(), codec), codec)
    looped = np.concatenate([music, music])
    assert rms_level(music) == pytest.approx(-24.0, abs=3.0)
    for start in range(0, len(music), 1777):
        assert levels(looped[start : start + 8000]).heard == frozenset(), start
    ring = codecs.decode(codecs.encode(sounds.ringback(), codec), codec)
    assert levels(ring[:8000], [sounds.RINGBACK_HZ]).heard == {sounds.RINGBACK_HZ}
    assert levels(ring[8000:16000]).heard == frozenset()


def test_the_shelf_knows_its_names_and_reads_files_once(tmp_path: Path) -> None:
    shelf = Shelf()
    assert {len(shelf.samples(name)) for name in ("music", "ringback", "silence")} == {128_000, 40_000, 8000}
    name = file(tmp_path / "a.wav", np.arange(400, dtype=np.int16))
    assert shelf.samples(name) is shelf.samples(name)
    for index in range(KEPT_FILES):
        shelf.samples(file(tmp_path / f"{index}.wav", np.ones(4, np.int16)))
    again = shelf.samples(name)
    assert again.tolist() == list(range(400))


def test_what_cannot_be_played_is_refused(tmp_path: Path) -> None:
    (tmp_path / "bad.wav").write_bytes(b"nothing")
    for name in (str(tmp_path / "bad.wav"), str(tmp_path / "none.wav"), str(tmp_path), "a\0b"):
        with pytest.raises(Refused) as refusal:
            Shelf().samples(name)
        assert refusal.value.code is Code.BAD_PARAMETER


@pytest.mark.parametrize("length", [1, 7, 160, 161, 1000])
def test_a_loop_has_no_seam(length: int) -> None:
    samples = np.arange(1, length + 1, dtype=np.int16)
    players, out = Players(3), np.zeros((3, 160), np.int16)
    players.start(1, samples, loop=True)
    heard = []
    for _ in range(20):
        assert players.frames(out) == []
        heard.append(out[1].copy())
    assert np.array_equal(np.concatenate(heard), np.resize(samples, 3200))
    assert not out[[0, 2]].any()


def test_a_sound_played_once_ends_in_silence() -> None:
    players, out = Players(2), np.zeros((2, 160), np.int16)
    players.start(0, np.ones(200, np.int16), loop=False)
    assert players.frames(out) == []
    assert players.frames(out) == [0]
    assert out[0].sum() == 40


def test_each_leg_hears_a_sound_from_its_beginning() -> None:
    samples = np.arange(1, 1001, dtype=np.int16)
    players, out = Players(2), np.zeros((2, 160), np.int16)
    players.start(0, samples, loop=True)
    players.frames(out)
    players.start(1, samples, loop=True)
    players.frames(out)
    assert (out[0, 0], out[1, 0]) == (161, 1)
    players.stop(0)
    players.start(0, samples, loop=True)
    players.frames(out)
    assert (out[0, 0], out[1, 0]) == (1, 161)
