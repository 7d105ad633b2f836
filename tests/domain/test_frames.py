"""Frames: the same bytes and the same hash for the same contacts, and nothing else accepted for them."""

from __future__ import annotations

import hashlib
import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sottovoce.domain.frames import WHOLE, BadFrame, Frame

numbers = st.lists(st.integers(1, 2**62), min_size=1, max_size=40, unique=True)
strata = st.dictionaries(st.integers(1, 60_000), numbers, max_size=6)


def frame_of(contacts: dict[int, list[int]]) -> Frame:
    return Frame.of({stratum: np.array(some, dtype=np.int64) for stratum, some in contacts.items()})


@settings(deadline=None)
@given(strata)
def test_a_frame_comes_back_from_its_bytes(contacts: dict[int, list[int]]) -> None:
    frame = frame_of(contacts)
    back = Frame.unpack(frame.pack())
    assert {agent: some.tolist() for agent, some in back.strata.items()} == {
        agent: sorted(contacts[agent]) for agent in sorted(contacts)
    }
    assert list(back.strata) == sorted(contacts)
    assert back.sha256() == frame.sha256()
    assert back.size == sum(map(len, contacts.values()))


@settings(deadline=None)
@given(strata, st.randoms(use_true_random=False))
def test_the_order_in_which_contacts_were_found_is_of_no_account(
    contacts: dict[int, list[int]], chance: object
) -> None:
    shuffled = {agent: list(reversed(some)) for agent, some in reversed(contacts.items())}
    assert frame_of(shuffled).pack() == frame_of(contacts).pack()


def test_the_hash_is_over_the_documented_form() -> None:
    frame = frame_of({102: [7], 101: [5, 3]})
    form = struct.pack("<qqqqqqq", 101, 2, 3, 5, 102, 1, 7)
    assert frame.sha256() == hashlib.sha256(form).hexdigest()


@pytest.mark.parametrize("spread", [1, 50])
def test_large_frames_are_ordered_counted_and_kept(spread: int) -> None:
    contacts = np.random.default_rng(1).permutation(200_000) * spread + 5
    frame = Frame.of({WHOLE: contacts})
    assert np.array_equal(frame.strata[WHOLE], np.arange(200_000) * spread + 5)
    packed = frame.pack()
    assert len(packed) < 2000
    assert np.array_equal(Frame.unpack(packed).strata[WHOLE], frame.strata[WHOLE])


@pytest.mark.parametrize("step", [255, 256, 65_535, 65_536, 2**32 - 1, 2**32])
def test_a_step_of_any_width_is_kept(step: int) -> None:
    frame = frame_of({WHOLE: [1, 1 + step, 2 + step]})
    assert Frame.unpack(frame.pack()).strata[WHOLE].tolist() == [1, 1 + step, 2 + step]


@pytest.mark.parametrize("contacts", [[3, 3], [1, 2, 2, 5], [9, 1, 9], [1, 2**40, 1]])
def test_a_contact_is_in_a_frame_once(contacts: list[int]) -> None:
    with pytest.raises(BadFrame, match="twice"):
        frame_of({WHOLE: contacts})


def test_strata_without_contacts_are_left_out() -> None:
    assert frame_of({101: [], 102: [4]}).sha256() == frame_of({102: [4]}).sha256()


@settings(deadline=None)
@given(strata, st.data())
def test_damaged_bytes_are_refused_or_make_another_hash(
    contacts: dict[int, list[int]], data: st.DataObject
) -> None:
    frame = frame_of(contacts)
    packed = bytearray(frame.pack())
    place = data.draw(st.integers(0, len(packed) - 1))
    packed[place] ^= data.draw(st.integers(1, 255))
    try:
        back = Frame.unpack(bytes(packed))
    except BadFrame:
        return
    same = {agent: some.tolist() for agent, some in back.strata.items()} == {
        agent: some.tolist() for agent, some in frame.strata.items()
    }
    assert same == (back.sha256() == frame.sha256())


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_are_a_frame_or_refused(raw: bytes) -> None:
    for packed in (raw, b"SVFRAME1" + raw):
        try:
            Frame.unpack(packed)
        except BadFrame:
            continue


def test_a_truncated_and_a_lengthened_frame_are_refused() -> None:
    packed = frame_of({WHOLE: list(range(1, 2000, 7))}).pack()
    for cut in (0, 5, 17, 20, len(packed) - 1):
        with pytest.raises(BadFrame):
            Frame.unpack(packed[:cut])
    with pytest.raises(BadFrame, match="more than"):
        Frame.unpack(packed + b"x")
