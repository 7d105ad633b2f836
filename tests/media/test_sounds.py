from __future__ import annotations

import threading
from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest
import soundfile

from sottovoce.domain.audio import Samples
from sottovoce.domain.legs import Codec
from sottovoce.errors import Code, Refused
from sottovoce.media import codecs, sounds
from sottovoce.media.sounds import Players, Shelf
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
    assert shelf.samples(name).tolist() == list(range(400))


def test_the_shelf_keeps_no_more_files_than_it_may_and_always_what_is_made_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sounds, "KEPT_SAMPLES", 1000)
    shelf, music = Shelf(), sounds.music()
    made = shelf.samples("music")
    names = [file(tmp_path / f"{index}.wav", np.full(400, index, np.int16)) for index in range(3)]
    first = shelf.samples(names[0])
    for name in names[1:]:
        shelf.samples(name)
    assert shelf.samples(names[2]) is shelf.samples(names[2])
    assert shelf.samples(names[0]) is not first
    large = file(tmp_path / "large.wav", np.ones(1001, np.int16))
    assert shelf.samples(large) is not shelf.samples(large), "it is heard once, and kept by whoever plays it"
    assert shelf.samples("music") is made
    assert np.array_equal(made, music)


def test_readers_at_the_same_time_do_not_meet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else the reader that fails is gone, and with it every sound that is a file."""
    monkeypatch.setattr(sounds, "KEPT_SAMPLES", 500)
    kept, other = (file(tmp_path / f"{index}.wav", np.full(400, index, np.int16)) for index in range(2))
    shelf = Shelf()
    second = threading.Thread(target=shelf.samples, args=(other,))

    class Slow(OrderedDict[str, Samples]):
        """A second reader comes between two steps of the first, if it may."""

        def move_to_end(self, key: str, last: bool = True) -> None:
            second.start()
            second.join(0.5)
            super().move_to_end(key, last)

    first = shelf.samples(kept)
    shelf._kept = Slow(shelf._kept)
    assert shelf.samples(kept) is first
    second.join()


@pytest.mark.parametrize("length", [1, 159, 160, 161, 1000])
def test_a_sound_is_played_from_anywhere_and_ends_where_it_ends(length: int) -> None:
    samples = np.arange(1, length + 1, dtype=np.int16)
    for at in (0, 1, length // 2, length - 1, length, length + 500):
        players, out = Players(1), np.zeros((1, 160), np.int16)
        players.start(0, samples, loop=False, at=at)
        heard: list[int] = []
        ended: list[int] = []
        while not ended:
            ended = players.frames(out)
            heard += out[0].tolist()
        left = samples[min(at, length) :].tolist()
        assert heard == left + [0] * (len(heard) - len(left))
        assert len(heard) - len(left) <= 160


def test_a_sound_is_moved_within_its_ends_and_halted_where_it_is() -> None:
    samples = np.arange(1, 1601, dtype=np.int16)
    players, out = Players(2), np.zeros((2, 160), np.int16)
    players.start(0, samples, loop=False)
    players.start(1, samples, loop=True)
    players.frames(out)
    for slot in (0, 1):
        players.move(slot, 320)
    players.frames(out)
    assert out[:, 0].tolist() == [481, 481]
    assert players.halt(0, True)
    players.frames(out)
    players.frames(out)
    players.move(0, -10_000)
    assert players.halt(0, False)
    players.move(1, -961)
    players.frames(out)
    assert out[:, 0].tolist() == [1, 1600]
    players.move(0, 10_000)
    assert players.frames(out) == [0]
    players.stop(0)
    assert not players.halt(0, True)
    players.move(0, 5)
    assert players.frames(out) == []


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
