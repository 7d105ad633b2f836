"""Draws of version 1, which certificates of that version are checked by."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sottovoce.domain.drawing import Drawing
from sottovoce.domain.frames import WHOLE, Frame
from sottovoce.domain.sampling import Conditions, Quantity
from sottovoce.domain.shuffling import ALGORITHM, Stream, quotas
from sottovoce.domain.shuffling import drawing as drawing_of

SEED = bytes(range(32))
seeds = st.binary(min_size=32, max_size=32)
strata = st.dictionaries(
    st.integers(1, 60_000),
    st.lists(st.integers(1, 10**12), min_size=1, max_size=30, unique=True),
    min_size=1,
    max_size=6,
)
GOLDEN_NUMBERS = [13305533187476023706, 968, 6, 0]
GOLDEN_CALLS = [1707, 1727, 1005, 1682, 1474, 1894, 1480, 1928]
GOLDEN_PER_AGENT = [1001, 1003, 2017, 2006, 3014, 3004]
GOLDEN_PERCENT = [1001, 2017, 3014, 3004, 3015]

counted = st.sampled_from([Quantity.PER_AGENT, Quantity.PERCENT_PER_AGENT])


def frame_of(contacts: Mapping[int, list[int]]) -> Frame:
    return Frame.of({stratum: np.array(some, dtype=np.int64) for stratum, some in contacts.items()})


def drawn(
    frame: Frame, seed: bytes, conditions: Conditions, unfit: Mapping[int, str] | None = None
) -> Drawing:
    drawing = drawing_of(frame, seed, conditions)
    while drawing.candidates():
        drawing.looked(unfit or {})
    return drawing


class Described:
    """The draw written down once more, from the description alone and as plainly as can be."""

    def __init__(self, seed: bytes, label: str) -> None:
        self.words = self._words(hashlib.sha256(b"sottovoce-sample-1" + seed + label.encode()).digest())

    @staticmethod
    def _words(key: bytes) -> Iterator[int]:
        for block in range(10**6):
            digest = hashlib.sha256(key + block.to_bytes(8, "big")).digest()
            yield from (int.from_bytes(digest[8 * i : 8 * i + 8], "big") for i in range(4))

    def below(self, bound: int) -> int:
        while (word := next(self.words)) >= 2**64 - 2**64 % bound:
            pass
        return word % bound

    def shuffled(self, things: list[int]) -> list[int]:
        things = list(things)
        for i in range(len(things)):
            j = i + self.below(len(things) - i)
            things[i], things[j] = things[j], things[i]
        return things

    @staticmethod
    def sample(
        contacts: Mapping[int, list[int]], seed: bytes, conditions: Conditions, unfit: set[int]
    ) -> tuple[list[int], list[int]]:
        quota = {}
        for agent, some in sorted(contacts.items()):
            number, count = conditions.number, len(some)
            quota[agent] = {
                Quantity.CALLS: min(number, conditions.cap, count),
                Quantity.PER_AGENT: min(number, count),
                Quantity.PERCENT_PER_AGENT: (count * number + 99) // 100,
            }[conditions.quantity]
        total, cap = sum(quota.values()), conditions.cap
        if total > cap:
            stream = Described(seed, "cap")
            places = [agent for agent in stream.shuffled(list(quota)) for _ in range(quota[agent])]
            offset = stream.below(total)
            kept = Counter(places[(i * total + offset) // cap] for i in range(cap))
            quota = {agent: kept[agent] for agent in quota}
        drawn: list[int] = []
        passed: list[int] = []
        for agent, wanted in quota.items():
            label = "calls" if agent == WHOLE else f"agent:{agent}"
            took = 0
            for contact in Described(seed, label).shuffled(sorted(contacts[agent]))[: 10 * wanted + 100]:
                if took == wanted:
                    break
                if contact in unfit:
                    passed.append(contact)
                else:
                    took += 1
                    drawn.append(contact)
        return drawn, passed


@settings(deadline=None)
@given(strata, seeds, counted, st.integers(1, 100), st.integers(1, 60), st.data())
def test_a_draw_by_agent_is_the_described_one(
    contacts: dict[int, list[int]],
    seed: bytes,
    quantity: Quantity,
    number: int,
    cap: int,
    data: st.DataObject,
) -> None:
    every = sorted({contact for some in contacts.values() for contact in some})
    unfit = data.draw(st.sets(st.sampled_from(every)))
    conditions = Conditions(quantity, number, cap)
    drawing = drawn(frame_of(contacts), seed, conditions, dict.fromkeys(unfit, "gone"))
    passed = [one.contact for one in drawing.passed_over]
    assert (drawing.drawn, passed) == Described.sample(contacts, seed, conditions, unfit)


@settings(deadline=None)
@given(
    st.lists(st.integers(1, 10**12), min_size=1, max_size=60, unique=True),
    seeds,
    st.integers(1, 80),
    st.integers(1, 60),
    st.integers(0, 60),
)
def test_a_draw_of_the_whole_range_is_the_described_one(
    contacts: list[int], seed: bytes, number: int, cap: int, missing: int
) -> None:
    conditions = Conditions(Quantity.CALLS, number, cap)
    unfit = set(contacts[:missing])
    drawing = drawn(frame_of({WHOLE: contacts}), seed, conditions, dict.fromkeys(unfit, "gone"))
    expected, passed = Described.sample({WHOLE: contacts}, seed, conditions, unfit)
    assert drawing.drawn == expected
    assert [one.contact for one in drawing.passed_over] == passed


@settings(deadline=None)
@given(strata, seeds, counted, st.integers(1, 100), st.integers(1, 60))
def test_every_draw_keeps_its_conditions(
    contacts: dict[int, list[int]], seed: bytes, quantity: Quantity, number: int, cap: int
) -> None:
    frame, conditions = frame_of(contacts), Conditions(quantity, number, cap)
    drawing = drawing_of(frame, seed, conditions)
    took: dict[int, list[int]] = {}
    for stratum in drawing._strata:
        took[stratum.number] = stratum.next()
        assert set(took[stratum.number]) <= set(contacts[stratum.number])
        assert len(set(took[stratum.number])) == len(took[stratum.number]) == stratum.quota
    wished = {
        agent: min(number, len(some)) if quantity is Quantity.PER_AGENT else -(-len(some) * number // 100)
        for agent, some in contacts.items()
    }
    total = sum(wished.values())
    assert drawing.wanted == min(cap, total)
    for agent, count in wished.items():
        share = count * min(cap, total) / total
        assert abs(len(took.get(agent, [])) - share) < 1


def test_the_same_seed_draws_the_same_and_another_something_else() -> None:
    frame = frame_of({WHOLE: list(range(1, 1001))})
    conditions = Conditions(Quantity.CALLS, 50)
    assert drawn(frame, SEED, conditions).drawn == drawn(frame, SEED, conditions).drawn
    assert drawn(frame, SEED, conditions).drawn != drawn(frame, SEED[::-1], conditions).drawn


def test_a_larger_sample_begins_with_the_smaller_one() -> None:
    frame = frame_of({WHOLE: list(range(1, 1001))})
    small, large = (drawn(frame, SEED, Conditions(Quantity.CALLS, number)).drawn for number in (20, 70))
    assert large[:20] == small


def test_golden_vectors() -> None:
    """What the published algorithm gives: never to change under its name."""
    assert ALGORITHM == "sottovoce-sample-1"
    stream = Stream(SEED, "calls")
    assert [stream.below(bound) for bound in (2**64, 1000, 7, 1)] == GOLDEN_NUMBERS
    whole = frame_of({WHOLE: list(range(1001, 2001))})
    assert drawn(whole, SEED, Conditions(Quantity.CALLS, 8)).drawn == GOLDEN_CALLS
    by_agent = frame_of({agent: list(range(agent * 100, agent * 100 + agent)) for agent in (10, 20, 30)})
    assert drawn(by_agent, SEED, Conditions(Quantity.PER_AGENT, 2)).drawn == GOLDEN_PER_AGENT
    tenth = Conditions(Quantity.PERCENT_PER_AGENT, 25, cap=5)
    assert drawn(by_agent, SEED, tenth).drawn == GOLDEN_PERCENT


def test_percentages_are_rounded_up() -> None:
    frame = frame_of({101: [1], 102: list(range(10, 30)), 103: list(range(100, 201))})
    assert quotas(frame, SEED, Conditions(Quantity.PERCENT_PER_AGENT, 10)) == {101: 1, 102: 2, 103: 11}
    assert quotas(frame, SEED, Conditions(Quantity.PERCENT_PER_AGENT, 100)) == {101: 1, 102: 20, 103: 101}


def test_who_cannot_be_inspected_is_passed_over_for_the_next_of_the_same_agent() -> None:
    frame = frame_of({101: list(range(1, 20)), 102: list(range(101, 120))})
    conditions = Conditions(Quantity.PER_AGENT, 3)
    whole = drawn(frame, SEED, Conditions(Quantity.PER_AGENT, 4)).drawn
    gone = whole[1]
    drawing = drawn(frame, SEED, conditions, {gone: "recording missing"})
    assert drawing.drawn == [whole[0], whole[2], whole[3], *whole[4:7]]
    assert [(one.contact, one.stratum, one.reason) for one in drawing.passed_over] == [
        (gone, 101, "recording missing")
    ]


def test_a_draw_gives_up_where_next_to_nothing_can_be_inspected() -> None:
    frame = frame_of({WHOLE: list(range(1, 5001))})
    drawing = drawn(frame, SEED, Conditions(Quantity.CALLS, 20), dict.fromkeys(range(1, 5001), "gone"))
    assert drawing.drawn == []
    assert (drawing.wanted, len(drawing.passed_over)) == (20, 300)


def test_an_agent_without_further_contacts_gives_fewer() -> None:
    frame = frame_of({101: [1, 2, 3], 102: [11, 12, 13]})
    drawing = drawn(frame, SEED, Conditions(Quantity.PER_AGENT, 2), {1: "gone", 2: "gone"})
    assert drawing.wanted == 4
    assert [contact for contact in drawing.drawn if contact < 10] == [3]
    assert len(drawing.drawn) == 3


def chi_square(seen: Counter[int], outcomes: int) -> float:
    """Deviations of equal chances, in standard deviations of the chi-square distribution."""
    expected = sum(seen.values()) / outcomes
    square = sum((seen[outcome] - expected) ** 2 / expected for outcome in range(outcomes))
    return (square - (outcomes - 1)) / (2 * (outcomes - 1)) ** 0.5


def seed_of(number: int) -> bytes:
    return hashlib.sha256(str(number).encode()).digest()


def test_no_number_is_more_likely_than_another() -> None:
    """Below 3 · 2⁶², a plain remainder of 64 bits would give the first third twice as often."""
    stream = Stream(SEED, "calls")
    assert chi_square(Counter(stream.below(3 * 2**62) >> 62 for _ in range(30_000)), 3) < 4


@pytest.mark.parametrize("size", [5, 12])
def test_every_order_of_a_sample_is_equally_likely(size: int) -> None:
    """Ordered pairs of `size` contacts: a shuffle that draws from all places each time would fail."""
    frame = frame_of({WHOLE: list(range(size))})
    conditions = Conditions(Quantity.CALLS, 2)
    pairs: Counter[int] = Counter()
    for number in range(200 * size):
        first, second = drawn(frame, seed_of(number), conditions).drawn
        pairs[first * (size - 1) + second - (second > first)] += 1
    assert chi_square(pairs, size * (size - 1)) < 4


def test_the_cap_favours_nobody() -> None:
    """7 of 20 quota places over agents of very different size: every contact as likely as any other."""
    sizes = {101: 1, 102: 2, 103: 4, 104: 13}
    names = iter(range(20))
    frame = frame_of({agent: [next(names) for _ in range(size)] for agent, size in sizes.items()})
    conditions = Conditions(Quantity.PERCENT_PER_AGENT, 100, cap=7)
    seen: Counter[int] = Counter()
    for number in range(2000):
        seen.update(drawn(frame, seed_of(number), conditions).drawn)
    assert sum(seen.values()) == 14_000
    # Those of a sample exclude each other, so the spread is below chi-square's: its mean is 20 · (1 - 7/20).
    assert chi_square(seen, 20) < 1
    assert min(seen.values()) > 620
