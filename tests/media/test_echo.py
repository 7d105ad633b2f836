from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from sottovoce.media import echo
from sottovoce.media.echo import FRAMES, LIKENESS, EchoWatch
from sottovoce.phones.tones import tone

LENGTH = FRAMES * 160


def speech(seed: int, length: int, level: float = 3000.0) -> np.ndarray:
    """Noise with a voice's spectrum and syllables."""
    random = np.random.default_rng(seed)
    wave = random.normal(size=length)
    for pole in (0.9, 0.7):
        for at in range(1, 3):
            wave[at:] += pole * wave[:-at]
    syllables = np.repeat(random.uniform(0.0, 1.0, length // 1200 + 1), 1200)[:length]
    wave *= syllables
    return np.asarray(level * wave / wave.std(), dtype=np.float64)


def mixed(*waves: np.ndarray) -> np.ndarray:
    return np.clip(sum(waves), -32768, 32767).astype(np.int16)


def likeness(voice: np.ndarray, whisper: np.ndarray) -> float:
    return echo.likeness(echo.thinned(voice), echo.thinned(whisper))


@pytest.mark.parametrize("delay_ms", [40, 130, 300, 580])
@pytest.mark.parametrize("seed", range(3))
def test_an_echo_is_heard_through_the_agents_own_talk(delay_ms: int, seed: int) -> None:
    whisper = speech(seed, LENGTH)
    delayed = np.concatenate([np.zeros(8 * delay_ms), whisper])[:LENGTH]
    assert likeness(mixed(0.2 * delayed), mixed(whisper)) > 0.9
    assert likeness(mixed(0.6 * delayed, speech(seed + 50, LENGTH)), mixed(whisper)) > LIKENESS


@pytest.mark.parametrize("seed", range(12))
def test_two_voices_are_not_an_echo(seed: int) -> None:
    assert likeness(mixed(speech(seed, LENGTH)), mixed(speech(seed + 100, LENGTH))) < LIKENESS


def test_silence_and_other_tones_are_not_an_echo() -> None:
    nothing, whisper = np.zeros(LENGTH, np.int16), mixed(speech(1, LENGTH))
    assert likeness(nothing, whisper) == likeness(whisper, nothing) == likeness(nothing, nothing) == 0.0
    assert likeness(tone(641, LENGTH), tone(421, LENGTH)) < LIKENESS


def noise(seed: int, length: int, rms: float) -> np.ndarray:
    wave = np.random.default_rng(seed).standard_normal(length).astype(np.float32)
    return np.asarray(wave * (rms / wave.std()))


def test_what_is_below_50_dbov_proves_nothing() -> None:
    """-50 dBov is an effective value of 103.6."""
    quiet, loud = noise(1, LENGTH // 4, 95.0), noise(1, LENGTH // 4, 112.0)
    assert echo.likeness(20 * quiet, quiet) == echo.likeness(quiet, 20 * quiet) == 0.0
    assert echo.likeness(20 * loud, loud) > LIKENESS
    assert echo.likeness(loud, 20 * loud) > LIKENESS


@pytest.mark.parametrize(("share", "told"), [(0.22, False), (0.4, True)])
def test_how_much_of_a_voice_must_be_the_whisper(share: float, told: bool) -> None:
    whisper, other = (np.repeat(noise(seed, LENGTH // 2, 3000.0), 4) for seed in (1, 2))
    voice = share * whisper + (1 - share**2) ** 0.5 * other
    watch = EchoWatch()
    watch.watch({(0, 1)})
    frames = frames_of(mixed(voice), mixed(whisper))
    assert any(watch.tick(rows, tick * 0.02) for tick, rows in enumerate(frames)) is told


def frames_of(*voices: np.ndarray) -> list[np.ndarray]:
    return [np.stack([voice[at : at + 160] for voice in voices]) for at in range(0, len(voices[0]), 160)]


def test_an_echo_is_told_once_in_a_while() -> None:
    length = 160 * 1200
    whisper = speech(3, length)
    back = np.concatenate([np.zeros(1600), whisper])[:length]
    frames = frames_of(mixed(0.3 * back, speech(4, length, 300.0)), mixed(whisper))
    watch = EchoWatch()
    watch.watch({(0, 1)})
    told = [tick * 0.02 for tick, rows in enumerate(frames) if watch.tick(rows, tick * 0.02) == (0, 1)]
    assert 2 <= len(told) <= 3
    assert all(later - sooner >= echo.AGAIN_S for sooner, later in pairwise(told))


def test_many_pairs_take_their_turn_and_only_the_right_one_is_told() -> None:
    length = 160 * 400
    voices = [mixed(speech(seed, length)) for seed in range(12)]
    voices[6] = mixed(0.5 * np.concatenate([np.zeros(900), voices[7]])[:length], 0.3 * voices[6])
    watch = EchoWatch()
    watch.watch({(at, at + 1) for at in range(0, 12, 2)})
    told = [pair for tick, rows in enumerate(frames_of(*voices)) if (pair := watch.tick(rows, tick * 0.02))]
    assert told == [(6, 7)]


def test_what_is_no_longer_watched_is_forgotten() -> None:
    length = 160 * 200
    whisper = speech(3, length)
    frames = frames_of(mixed(whisper), mixed(whisper))
    watch = EchoWatch()
    watch.watch({(0, 1)})
    for tick, rows in enumerate(frames[:30]):
        assert watch.tick(rows, tick * 0.02) is None
    watch.forget(1)
    assert watch.tick(frames[30], 0.7) is None
    watch.watch({(0, 1)})
    told = [tick for tick, rows in enumerate(frames[31:]) if watch.tick(rows, tick * 0.02)]
    assert told[0] >= FRAMES // 2
