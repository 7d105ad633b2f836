from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sottovoce.errors import Code, Refused
from sottovoce.media.rows import MOST_SOURCES, Rows

CAPACITY = 6
FRAMES = 2 * CAPACITY + 1


def scalar(rows: dict[int, set[int]], sounding: set[int], frames: np.ndarray) -> np.ndarray:
    """Who hears whom, one sample at a time."""
    mixed = np.zeros((CAPACITY, frames.shape[1]), np.int16)
    for listener in range(CAPACITY):
        sources = set(rows.get(listener, set())) | ({CAPACITY + listener} if listener in sounding else set())
        for at in range(frames.shape[1]):
            total = sum(int(frames[source, at]) for source in sources)
            mixed[listener, at] = min(max(total, -32768), 32767)
    return mixed


SLOT = st.integers(0, CAPACITY - 1)
CHANGE = st.one_of(
    st.tuples(st.just("set"), SLOT, st.sets(SLOT)),
    st.tuples(st.just("sound"), SLOT, st.booleans()),
    st.tuples(st.just("without"), st.sets(SLOT, max_size=3), st.none()),
)


@given(st.lists(CHANGE, max_size=10), st.integers(0, 1000))
def test_sums_are_those_of_the_table(changes: list, seed: int) -> None:
    random = np.random.default_rng(seed)
    rows, mixed = Rows(CAPACITY), np.zeros((CAPACITY, 8), np.int16)
    table: dict[int, set[int]] = {}
    sounding: set[int] = set()
    for verb, who, what in changes:
        if verb == "set":
            rows.set(who, what)
            table[who] = what
        elif verb == "sound":
            rows.set_sound(who, what)
            (sounding.add if what else sounding.discard)(who)
        else:
            rows.without(sorted(who))
            table = {listener: set() if listener in who else heard - who for listener, heard in table.items()}
        frames = random.integers(-32768, 32768, (FRAMES, 8)).astype(np.int16)
        rows.sum(frames, mixed)
        assert np.array_equal(mixed, scalar(table, sounding, frames))
        assert all(set(rows.hears(slot)) == table.get(slot, set()) for slot in range(CAPACITY))
        pairs = {(listener, source) for listener, row in table.items() for source in row}
        assert set(zip(*(side.tolist() for side in rows.pairs()), strict=True)) == pairs


def test_a_row_is_bounded() -> None:
    with pytest.raises(Refused) as refusal:
        Rows(50).set(0, range(MOST_SOURCES + 1))
    assert refusal.value.code is Code.BAD_PARAMETER


def test_a_full_row_and_a_sound_fit_together() -> None:
    capacity = MOST_SOURCES + 1
    rows = Rows(capacity)
    rows.set(0, range(1, capacity))
    rows.set_sound(0, True)
    mixed = np.zeros((capacity, 4), np.int16)
    rows.sum(np.ones((2 * capacity + 1, 4), np.int16), mixed)
    assert mixed[0].tolist() == [capacity] * 4
