"""Speech and silence of real recordings: speech is heard as long as it is, and nothing else is speech."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest
from tests.quality.sounds import RATE, line, silence, stereo, tone, write

from sottovoce.domain.contacts import Span
from sottovoce.quality import voices
from sottovoce.quality.recordings import CODINGS

WORDS, MORE = line("customer-1"), line("agent-1")


async def test_each_side_has_its_own_speech_and_silence(tmp_path: Path) -> None:
    customer = np.concatenate((silence(2), WORDS, silence(30)))
    agent = np.concatenate((silence(10), MORE, silence(8), MORE))
    path = write(tmp_path / "a.wav", stereo(customer, agent))
    found = voices.listen(path)
    length = max(len(customer), len(agent)) / RATE
    assert found.duration_s == pytest.approx(length, abs=0.001)
    assert found.customer is not None
    assert found.agent is not None
    assert found.mixed is None
    spoken = {"customer": len(WORDS) / RATE, "agent": 2 * len(MORE) / RATE}
    for voice, seconds in ((found.customer, spoken["customer"]), (found.agent, spoken["agent"])):
        assert voice.speech_ratio == pytest.approx(seconds / length, abs=0.02)
        assert voice.silence_s == pytest.approx(length - seconds, abs=0.8)
    assert found.customer.longest_silence_s == pytest.approx(length - 2 - spoken["customer"], abs=0.5)
    assert found.agent.longest_silence_s == pytest.approx(10, abs=0.5)
    assert found.silence_s == pytest.approx(length - spoken["customer"] - spoken["agent"], abs=1.2)
    for voice in (found.customer, found.agent):
        heard_ms = sum(end - begin for begin, end in voice.speech)
        assert heard_ms / 1000 == pytest.approx(length - voice.silence_s, abs=0.01)
    assert found.customer.speech[0].begin_ms == pytest.approx(2000, abs=200)
    assert found.agent.speech[0].begin_ms == pytest.approx(10_000, abs=200)
    assert found.agent.speech[-1].end_ms <= round(length * 1000)
    assert found.overlap == ()


async def test_who_talks_over_whom(tmp_path: Path) -> None:
    half = len(WORDS) // 2
    sound = stereo(np.concatenate((silence(1), WORDS)), np.concatenate((silence(1 + half / RATE), MORE)))
    found = voices.listen(write(tmp_path / "o.wav", sound))
    assert found.overlap[0].begin_ms == pytest.approx(1000 + half / RATE * 1000, abs=250)
    assert found.overlap[-1].end_ms == pytest.approx(1000 + len(WORDS) / RATE * 1000, abs=250)


async def test_what_is_not_recorded_is_no_silence(tmp_path: Path) -> None:
    """A pause of 20 s between words; one of the ends reaches beyond the file."""
    words = len(WORDS) / RATE
    sound = np.concatenate((silence(2), WORDS, silence(20), WORDS, silence(6)))
    path = write(tmp_path / "p.wav", stereo(sound, sound))
    begin = round((2 + words) * 1000)
    end = round((22 + 2 * words + 4) * 1000)
    found = voices.listen(path, unrecorded=(Span(begin, begin + 20_000), Span(end, end + 60_000)))
    assert found.agent is not None
    assert found.duration_s == pytest.approx(len(sound) / RATE, abs=0.001), "its place in the talk stays"
    assert found.agent.silence_s == pytest.approx(6, abs=0.8)
    assert found.agent.longest_silence_s == pytest.approx(4, abs=0.5)
    assert found.agent.speech_ratio == pytest.approx(2 * words / (6 + 2 * words), abs=0.05)
    assert found.silence_s == pytest.approx(6, abs=0.8)
    whole = voices.listen(path, unrecorded=(Span(0, 1_000_000),)).agent
    assert whole is not None
    assert (whole.speech_ratio, whole.silence_s, whole.longest_silence_s) == (0.0, 0.0, 0.0)


@pytest.mark.parametrize(
    ("coding", "rate"),
    [*((coding, 8000) for coding in CODINGS), ("PCM_16", 16000), ("PCM_16", 44100), ("PCM_16", 11025)],
)
async def test_any_coding_and_rate_of_a_mono_recording(tmp_path: Path, coding: str, rate: int) -> None:
    heard = np.concatenate((silence(2), WORDS, silence(3)))
    places = np.arange(int(len(heard) * rate / RATE)) * (RATE / rate)
    path = write(tmp_path / "m.wav", np.interp(places, np.arange(len(heard)), heard), coding, rate)
    found = voices.listen(path)
    assert (found.customer, found.agent) == (None, None)
    assert found.mixed is not None
    assert found.mixed.speech_ratio == pytest.approx(len(WORDS) / len(heard), abs=0.04)


async def test_what_is_no_speech(tmp_path: Path) -> None:
    noise = np.random.default_rng(1).standard_normal(5 * RATE).astype(np.float32) * 0.01
    chord = (tone(5, 220) + tone(5, 277) + tone(5, 330)) / 3
    ringing = np.concatenate((tone(1, 425), silence(4)))
    for sound in (silence(5), noise, tone(5), chord, ringing):
        found = voices.listen(write(tmp_path / "n.wav", sound))
        assert found.mixed is not None
        assert found.mixed.speech_ratio < 0.02
        assert found.mixed.longest_silence_s == pytest.approx(5, abs=0.1)


async def test_speech_in_noise_and_a_faint_echo(tmp_path: Path) -> None:
    """The other side's echo, 35 dB down, is nobody's speech."""
    alone = np.concatenate((WORDS, silence(6)))
    other = np.concatenate((silence(len(WORDS) / RATE), MORE))
    length = max(len(alone), len(other))
    sound = stereo(alone, other)
    noise = np.random.default_rng(1).standard_normal((length, 2)).astype(np.float32) * 0.003
    found = voices.listen(write(tmp_path / "e.wav", sound + sound[:, ::-1] * 10 ** (-35 / 20) + noise))
    assert found.customer is not None
    assert found.customer.speech_ratio == pytest.approx(len(WORDS) / length, abs=0.04)


async def test_short_pauses_are_speech_and_long_ones_are_not() -> None:
    heard = np.zeros(100, bool)
    heard[[10, 11, 19, 40]] = True  # 7 windows are 0.22 s, 20 are 0.64 s
    assert list(np.flatnonzero(voices.joined(heard))) == [*range(10, 20), 40]
    assert not voices.joined(np.zeros(3, bool)).any()
    assert voices.joined(np.ones(3, bool)).all()


async def test_who_asks_may_stop(tmp_path: Path) -> None:
    stop = threading.Event()
    stop.set()
    with pytest.raises(voices.Stopped):
        voices.listen(write(tmp_path / "s.wav", silence(1)), stop)
