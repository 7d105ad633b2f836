"""Spans of speech, silence and overlap: exact, and nothing of the recording is in none of them."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from sottovoce.domain.contacts import Analysis, Span, Voice

LENGTH = 50


def voice(*spans: tuple[int, int]) -> Voice:
    return Voice(0, 0, 0, tuple(Span(*span) for span in spans))


def spoken(bits: list[bool]) -> Voice:
    """A voice of as many milliseconds, speaking where the bit is set."""
    edges = [at for at in range(LENGTH + 1) if (at > 0 and bits[at - 1]) != (at < LENGTH and bits[at])]
    return voice(*zip(edges[::2], edges[1::2], strict=True))


def within(spans: tuple[Span, ...]) -> set[int]:
    assert all(before.end_ms < after.begin_ms for before, after in itertools.pairwise(spans))
    return {at for span in spans for at in range(span.begin_ms, span.end_ms)}


def test_silence_is_the_rest() -> None:
    assert voice().silence(7) == (Span(0, 7),)
    assert voice((0, 7)).silence(7) == ()
    assert voice((2, 3), (5, 7)).silence(9) == (Span(0, 2), Span(3, 5), Span(7, 9))
    assert voice((2, 3), (5, 7)).silence(9, (Span(3, 6), Span(8, 99))) == (Span(0, 2), Span(7, 8))
    assert voice((2, 3)).silence(9, (Span(0, 99),)) == ()


def test_overlap_needs_both_sides() -> None:
    assert Analysis(1, mixed=voice((0, 5))).overlap == ()
    assert Analysis(1, voice((0, 5), (8, 9)), voice((4, 8))).overlap == (Span(4, 5),)


BITS = st.lists(st.booleans(), min_size=LENGTH, max_size=LENGTH)


@given(BITS, BITS)
def test_every_millisecond_is_told(customer: list[bool], agent: list[bool]) -> None:
    found = Analysis(LENGTH / 1000, spoken(customer), spoken(agent))
    assert found.customer is not None
    assert found.agent is not None
    assert within(found.customer.silence(LENGTH)) == {at for at in range(LENGTH) if not customer[at]}
    both = {at for at in range(LENGTH) if customer[at] and agent[at]}
    assert {at for span in found.overlap for at in range(*span)} == both
