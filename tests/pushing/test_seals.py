"""A destination as it is kept."""

from __future__ import annotations

import pytest

from sottovoce.domain.destinations import Push, Way
from sottovoce.domain.directory import AgentId
from sottovoce.pushing.seals import KEY_BYTES, Broken, Seals

A, B = AgentId(101), AgentId(102)
PUSH = Push(Way.LIST, "https://crm.example.org/cc?key=t0p", "s3cret")


def test_it_says_nothing_and_comes_back() -> None:
    seals = Seals(b"k" * KEY_BYTES)
    sealed = seals.seal(A, PUSH)
    assert sealed.isascii()
    assert not any(part in sealed for part in ("crm", "t0p", "s3cret"))
    assert sealed != seals.seal(A, PUSH)
    assert Seals(b"k" * KEY_BYTES).open(A, sealed) == PUSH


def test_nobody_else_s_and_nothing_that_was_changed() -> None:
    seals = Seals(b"k" * KEY_BYTES)
    sealed = seals.seal(A, PUSH)
    flipped = ("B" if sealed[20] != "B" else "C").join([sealed[:20], sealed[21:]])
    for agent, text in [
        (B, sealed),
        (A, flipped),
        (A, sealed[:-4]),
        (A, ""),
        (A, "ä"),
        (A, "x"),
        (A, "AAAA"),
    ]:
        with pytest.raises(Broken):
            seals.open(agent, text)
    with pytest.raises(Broken):
        Seals(b"K" * KEY_BYTES).open(A, sealed)
