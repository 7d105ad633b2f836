from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sottovoce.phones import meters

RATE = 8000
ROOM = 3200


def voice(seed: int, level: float = 3000.0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    loudness = np.repeat(rng.uniform(0.2, 2.0, 14), 800)
    return np.clip(rng.standard_normal(RATE + ROOM) * loudness * level, -32000, 32000).astype(np.int16)


@settings(max_examples=25, deadline=None)
@given(st.sets(st.sampled_from(["a", "b", "c"])), st.integers(0, ROOM), st.floats(0.6, 1.2))
def test_exactly_those_heard_are_found(audible: set[str], delay: int, gain: float) -> None:
    said = {name: voice(seed) for seed, name in enumerate("abc")}
    heard = np.zeros(RATE)
    for name in audible:
        heard += gain * said[name][ROOM - delay : ROOM - delay + RATE]
    found = meters.shares(np.clip(heard, -32768, 32767).astype(np.int16), said)
    assert {name for name, share in found.items() if share.heard} == audible
    for name in audible:
        assert found[name].gain == pytest.approx(gain, abs=0.15)
        assert found[name].delay_ms == delay / 8


def test_one_who_says_nothing_is_not_heard() -> None:
    nothing = np.zeros(RATE + ROOM, dtype=np.int16)
    share = meters.shares(voice(1)[:RATE], {"a": nothing})["a"]
    assert not share.talking
    assert not share.heard
    assert share.heard_dbov == -127.0


def test_a_share_has_the_level_at_which_it_arrived() -> None:
    said = voice(1)
    share = meters.shares((said[ROOM:] * 0.6).astype(np.int16), {"a": said})["a"]
    assert share.heard_dbov == pytest.approx(share.said_dbov - 4.4, abs=0.2)


def test_what_was_said_must_be_long_enough() -> None:
    with pytest.raises(ValueError, match="longer"):
        meters.shares(voice(1)[:RATE], {"a": voice(1)[:100]})
