from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sottovoce.domain.legs import Codec
from sottovoce.media import codecs
from sottovoce.phones import tones
from sottovoce.phones.tones import TONES, Samples, ToneVerdict

DTMF = (697, 770, 852, 941, 1209, 1336, 1477, 1633)


def coded(samples: Samples, codec: Codec) -> Samples:
    return codecs.decode(codecs.encode(samples, codec), codec)


def carried(sent: tuple[int, ...], codec: Codec) -> Samples:
    """What a phone hears of these tones, each coded by its own phone and together by the mixer."""
    mixture = np.zeros(tones.WINDOW, dtype=np.int32)
    for start, hz in enumerate(sent):
        mixture += coded(tones.tone(hz, tones.WINDOW, start=777 * start), codec)
    return coded(np.clip(mixture, -32768, 32767).astype(np.int16), codec)


@pytest.mark.parametrize("codec", list(Codec))
@pytest.mark.parametrize(("together", "bound"), [(1, -85.0), (2, -74.0), (3, -70.0)])
def test_tones_leave_nothing_at_each_other_after_two_codings(
    codec: Codec, together: int, bound: float
) -> None:
    for sent in itertools.combinations(TONES, together):
        heard = carried(sent, codec)
        hearing = tones.levels(heard)
        assert hearing.heard == set(sent)
        assert max(level for hz, level in hearing.levels.items() if hz not in sent) < bound, sent
        assert tones.residue(heard) < tones.STEADY_BELOW_DBOV


def test_tones_keep_away_from_dtmf_and_from_repeated_frames() -> None:
    assert all(abs(hz - dtmf) > 12 for hz in TONES for dtmf in DTMF)
    assert all((f - g) % 50 for f, g in itertools.combinations(TONES, 2))


def test_a_full_scale_sine_has_minus_three_dbov() -> None:
    wave = tones.tone(1000, tones.WINDOW, level_dbov=-3.02)
    assert tones.levels(wave, [1000]).levels[1000] == pytest.approx(-3.02, abs=0.01)
    assert tones.rms_level(wave) == pytest.approx(-3.02, abs=0.01)


def test_silence_has_minus_127() -> None:
    nothing = np.zeros(tones.WINDOW, dtype=np.int16)
    assert set(tones.levels(nothing).levels.values()) == {-127.0}
    assert tones.levels(nothing).heard == frozenset()
    assert tones.rms_level(nothing) == -127.0
    assert tones.rms_level(nothing[:0]) == -127.0


def test_a_level_between_heard_and_silent_is_unclear_and_counts_as_heard() -> None:
    hearing = tones.levels(tones.tone(983, tones.WINDOW, level_dbov=-45.0))
    assert hearing.verdict(983) is ToneVerdict.UNCLEAR
    assert hearing.heard == hearing.unclear == {983}
    assert hearing.verdict(557) is ToneVerdict.SILENT


def test_a_window_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match="8000"):
        tones.levels(np.zeros(160, dtype=np.int16))


def test_pieces_of_a_tone_join_without_a_step() -> None:
    whole = tones.tone(557, 800)
    pieces = [tones.tone(557, 160, start=at) for at in range(0, 800, 160)]
    assert np.array_equal(whole, np.concatenate(pieces))


@settings(max_examples=60, deadline=None)
@given(
    st.dictionaries(st.sampled_from(TONES), st.floats(-25.0, -15.0), max_size=3),
    st.integers(0, 10**6),
)
def test_exactly_the_tones_sent_are_heard(sent: dict[int, float], start: int) -> None:
    wave = np.zeros(tones.WINDOW, dtype=np.int64)
    for hz, level in sent.items():
        wave += tones.tone(hz, tones.WINDOW, start=start, level_dbov=level)
    hearing = tones.levels(np.clip(wave, -32768, 32767).astype(np.int16))
    assert hearing.heard == set(sent)
    assert not hearing.unclear
    for hz, level in sent.items():
        assert hearing.levels[hz] == pytest.approx(level, abs=0.1)


@settings(max_examples=30, deadline=None)
@given(st.sets(st.sampled_from(TONES[:6]), max_size=3), st.integers(0, 8000))
def test_twenty_milliseconds_tell_tones_apart(sent: set[int], start: int) -> None:
    block = np.zeros(160, dtype=np.int64)
    for hz in sent:
        block += tones.tone(hz, 160, start=start)
    found = tones.block_levels(block.astype(np.int16)[None, :], TONES[:6])[0]
    assert {hz for hz, level in zip(TONES[:6], found, strict=True) if level > -25} == sent


def test_no_blocks_have_no_levels() -> None:
    assert tones.block_levels(np.zeros((0, 160), dtype=np.int16), TONES[:2]).shape == (0, 2)


def test_a_rise_below_the_rounding_is_none() -> None:
    assert tones.rise(-120.0, -76.0) == 0.0
    assert tones.rise(-90.0, -65.0) == 10.0


def test_a_broken_phase_leaves_a_residue_and_a_whole_one_does_not() -> None:
    whole = tones.tone(983, tones.WINDOW)
    broken = np.concatenate([whole[:4000], tones.tone(983, 4000, start=4160)])
    assert tones.residue(whole) < -80
    assert tones.residue(broken) > tones.STEADY_BELOW_DBOV
    assert tones.residue(np.zeros(tones.WINDOW, dtype=np.int16)) == -127.0
    with pytest.raises(ValueError, match="8000"):
        tones.residue(whole[:160])
