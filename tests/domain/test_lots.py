"""Lots: what every draw of them is, written down once more; and that they favour nobody."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping

import numpy as np
import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from hypothesis import given, settings
from hypothesis import strategies as st

from sottovoce.domain import lots
from sottovoce.domain.drawing import Drawing
from sottovoce.domain.frames import WHOLE, Frame
from sottovoce.domain.lots import Keyed
from sottovoce.domain.sampling import Conditions, Quantity

ROOT = bytes(range(32))
strata = st.dictionaries(
    st.integers(1, 60_000),
    st.lists(st.integers(1, 10**12), min_size=1, max_size=30, unique=True),
    min_size=1,
    max_size=6,
)
BOUNDS = st.sets(st.integers(1, 10**12 - 1), max_size=5)
GOLDEN_NUMBERS = (7693260267109664531, 6718522848439578343)
GOLDEN_CALLS = [1067, 1829, 1944, 1358, 1362, 1236, 1817, 1102]
GOLDEN_PER_AGENT = [1009, 1002, 2007, 2018, 3003, 3016]
GOLDEN_PERCENT = [1009, 2007, 3003, 3016, 3007]

counted = st.sampled_from([Quantity.PER_AGENT, Quantity.PERCENT_PER_AGENT])


def frame_of(contacts: Mapping[int, list[int]]) -> Frame:
    return Frame.of({stratum: np.array(some, dtype=np.int64) for stratum, some in contacts.items()})


def blocks_of(ends: list[int], root: bytes = ROOT) -> list[Keyed]:
    """Blocks up to those contacts, by a chain of eight links."""
    return [
        Keyed.of(after, until, lots.hashed(root, 8 - place), f"words {place}")
        for place, (after, until) in enumerate(zip([0, *ends], ends, strict=False), 1)
    ]


def drawn(
    frame: Frame, blocks: list[Keyed], conditions: Conditions, unfit: Mapping[int, str] | None = None
) -> Drawing:
    drawing = lots.drawing(frame, blocks, conditions)
    while drawing.candidates():
        drawing.looked(unfit or {})
    return drawing


def described(
    contacts: Mapping[int, list[int]], ends: list[int], conditions: Conditions, unfit: set[int]
) -> tuple[list[int], list[int]]:
    """The draw written down once more, from the description alone and as plainly as can be."""
    chain = [ROOT]
    for _ in range(8):
        chain.append(hashlib.sha256(chain[-1]).digest())

    def numbers(contact: int) -> tuple[int, int]:
        place = next(place for place, end in enumerate(ends, 1) if contact <= end)
        key = hashlib.sha256(chain[8 - place] + f"words {place}".encode()).digest()
        made = Cipher(algorithms.AES256(key), modes.ECB()).encryptor().update(contact.to_bytes(16, "big"))
        return int.from_bytes(made[:8], "big"), int.from_bytes(made[8:], "big")

    order = {
        agent: sorted(some, key=lambda contact: (numbers(contact)[0], contact))
        for agent, some in sorted(contacts.items())
    }
    quota = {}
    for agent, some in order.items():
        count = len(some)
        quota[agent] = {
            Quantity.CALLS: min(conditions.number, conditions.cap, count),
            Quantity.PER_AGENT: min(conditions.number, count),
            Quantity.PERCENT_PER_AGENT: (count * conditions.number + 99) // 100,
        }[conditions.quantity]
    if sum(quota.values()) > conditions.cap:
        places = sorted(
            ((r * 2**64 + numbers(order[agent][0])[1]) // q, agent)
            for agent, q in quota.items()
            for r in range(q)
        )
        kept = Counter(agent for _, agent in places[: conditions.cap])
        quota = {agent: kept[agent] for agent in quota}
    took: list[int] = []
    passed: list[int] = []
    for agent, wanted in quota.items():
        left = wanted
        for contact in order[agent][: 10 * wanted + 100]:
            if left:
                left -= contact not in unfit
                (passed if contact in unfit else took).append(contact)
    return took, passed


@settings(deadline=None)
@given(strata, BOUNDS, counted, st.integers(1, 100), st.integers(1, 60), st.data())
def test_a_draw_by_agent_is_the_described_one(
    contacts: dict[int, list[int]],
    bounds: set[int],
    quantity: Quantity,
    number: int,
    cap: int,
    data: st.DataObject,
) -> None:
    every = sorted({contact for some in contacts.values() for contact in some})
    unfit = data.draw(st.sets(st.sampled_from(every)))
    conditions, ends = Conditions(quantity, number, cap), sorted({*bounds, 10**12})
    drawing = drawn(frame_of(contacts), blocks_of(ends), conditions, dict.fromkeys(unfit, "gone"))
    passed = [one.contact for one in drawing.passed_over]
    assert (drawing.drawn, passed) == described(contacts, ends, conditions, unfit)


@settings(deadline=None)
@given(
    st.lists(st.integers(1, 10**12), min_size=1, max_size=60, unique=True),
    BOUNDS,
    st.integers(1, 80),
    st.integers(1, 60),
    st.integers(0, 60),
)
def test_a_draw_of_the_whole_range_is_the_described_one(
    contacts: list[int], bounds: set[int], number: int, cap: int, missing: int
) -> None:
    conditions, ends = Conditions(Quantity.CALLS, number, cap), sorted({*bounds, 10**12})
    unfit = set(contacts[:missing])
    drawing = drawn(frame_of({WHOLE: contacts}), blocks_of(ends), conditions, dict.fromkeys(unfit, "gone"))
    passed = [one.contact for one in drawing.passed_over]
    assert (drawing.drawn, passed) == described({WHOLE: contacts}, ends, conditions, unfit)


@settings(deadline=None)
@given(strata, counted, st.integers(1, 100), st.integers(1, 59))
def test_a_larger_cap_takes_all_that_a_smaller_one_took(
    contacts: dict[int, list[int]], quantity: Quantity, number: int, cap: int
) -> None:
    blocks = blocks_of([10**12])
    small, large = (
        drawn(frame_of(contacts), blocks, Conditions(quantity, number, more)) for more in (cap, cap + 1)
    )
    assert Counter(small.drawn) <= Counter(large.drawn)
    assert large.wanted - small.wanted in (0, 1)


def test_more_than_a_piece_and_many_blocks_are_as_one_by_one() -> None:
    contacts = np.arange(1, 200_001, dtype=np.int64)[::-1].copy()
    blocks = blocks_of([70_000, 70_001, 150_000, 200_000])
    found = lots.lots_of(contacts, blocks)
    for place in (0, 1, 49_999, 50_000, 129_998, 129_999, 130_000, 199_999):
        contact = int(contacts[place])
        block = next(block for block in blocks if contact <= block.until)
        assert int(found[place]) == lots.lot_and_offset(block, contact)[0]


def test_contacts_outside_the_blocks_are_refused() -> None:
    (_, late) = blocks_of([10, 20])
    for contact in (10, 21):
        with pytest.raises(ValueError, match="block"):
            lots.lots_of(np.array([contact, 15]), [late])
    assert len(lots.lots_of(np.array([], dtype=np.int64), [late])) == 0


def test_golden_vectors() -> None:
    """What the published algorithm gives: never to change under its name."""
    assert lots.ALGORITHM == "sottovoce-lots-1"
    assert lots.hashed(ROOT, 2) == hashlib.sha256(hashlib.sha256(ROOT).digest()).digest()
    block = Keyed.of(0, 10**6, ROOT, "café")
    assert block.key == hashlib.sha256(ROOT + b"caf\xc3\xa9").digest()
    assert lots.lot_and_offset(block, 1000) == GOLDEN_NUMBERS
    whole = frame_of({WHOLE: list(range(1001, 2001))})
    assert drawn(whole, [block], Conditions(Quantity.CALLS, 8)).drawn == GOLDEN_CALLS
    by_agent = frame_of({agent: list(range(agent * 100, agent * 100 + agent)) for agent in (10, 20, 30)})
    assert drawn(by_agent, [block], Conditions(Quantity.PER_AGENT, 2)).drawn == GOLDEN_PER_AGENT
    tenth = Conditions(Quantity.PERCENT_PER_AGENT, 25, cap=5)
    assert drawn(by_agent, [block], tenth).drawn == GOLDEN_PERCENT


def of_root(number: int) -> list[Keyed]:
    return blocks_of([10**6], hashlib.sha256(str(number).encode()).digest())


@pytest.mark.parametrize("size", [5, 12])
def test_every_order_of_a_sample_is_equally_likely(size: int) -> None:
    frame = frame_of({WHOLE: list(range(1, size + 1))})
    pairs: Counter[tuple[int, int]] = Counter()
    for number in range(200 * size):
        first, second = drawn(frame, of_root(number), Conditions(Quantity.CALLS, 2)).drawn
        pairs[first, second] += 1
    outcomes = size * (size - 1)
    assert len(pairs) == outcomes
    expected = 200 * size / outcomes
    square = sum((seen - expected) ** 2 / expected for seen in pairs.values())
    assert (square - (outcomes - 1)) / (2 * (outcomes - 1)) ** 0.5 < 4


def test_the_cap_favours_no_agent_among_many() -> None:
    """30 of 88 places of 22 agents who have 1, 3 or 8 calls: the share of each kind is that of its places."""
    sizes = [1] * 8 + [3] * 8 + [8] * 6 + [8]
    names = iter(range(1, 1 + sum(sizes)))
    frame = frame_of({101 + agent: [next(names) for _ in range(size)] for agent, size in enumerate(sizes)})
    seen: Counter[int] = Counter()
    for number in range(1500):
        drawing = drawn(frame, of_root(number), Conditions(Quantity.PERCENT_PER_AGENT, 100, cap=30))
        agents = [
            agent for agent, some in frame.strata.items() for contact in some if contact in set(drawing.drawn)
        ]
        seen.update(sizes[agent - 101] for agent in agents)
    every = Counter(sizes)
    for size, agents_of in every.items():
        share = seen[size] / sum(seen.values())
        assert abs(share / (size * agents_of / sum(sizes)) - 1) < 0.06, size


def test_who_cannot_be_inspected_is_passed_over_for_the_next_of_the_same_agent() -> None:
    frame = frame_of({101: list(range(1, 20)), 102: list(range(101, 120))})
    blocks = blocks_of([1000])
    whole = drawn(frame, blocks, Conditions(Quantity.PER_AGENT, 4)).drawn
    gone = whole[1]
    drawing = drawn(frame, blocks, Conditions(Quantity.PER_AGENT, 3), {gone: "recording missing"})
    assert drawing.drawn == [whole[0], whole[2], whole[3], *whole[4:7]]
    assert [(one.contact, one.stratum, one.reason) for one in drawing.passed_over] == [
        (gone, 101, "recording missing")
    ]


def test_a_draw_gives_up_where_next_to_nothing_can_be_inspected() -> None:
    frame = frame_of({WHOLE: list(range(1, 5001))})
    gone = dict.fromkeys(range(1, 5001), "gone")
    drawing = drawn(frame, blocks_of([5000]), Conditions(Quantity.CALLS, 20), gone)
    assert drawing.drawn == []
    assert (drawing.wanted, len(drawing.passed_over)) == (20, 300)
