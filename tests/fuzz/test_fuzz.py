"""20,000 mutants of the corpora, and every entry as it is: nothing raises what nobody declared."""

from __future__ import annotations

import pytest
from tests.fuzz.mutation import mutants
from tests.fuzz.running import run
from tests.fuzz.targets import TARGETS, corpus, made

INPUTS = 20_000
SEED = 9


@pytest.mark.parametrize("target", TARGETS)
def test_every_entry_of_the_corpus_is_taken(target: str) -> None:
    entries = corpus(target)
    assert entries
    with made(target) as take:
        for data in entries:
            take(data)


@pytest.mark.parametrize("target", TARGETS)
def test_no_mutant_breaks_anything(target: str) -> None:
    report = run(INPUTS // len(TARGETS) + 1, SEED, only=[target])
    assert report.inputs * len(TARGETS) >= INPUTS
    assert [fault.why for fault in report.faults] == []


def test_a_seed_makes_the_same_inputs_and_another_one_others() -> None:
    entries = corpus("sip")
    one, again, other = (mutants(entries, seed) for seed in (1, 1, 2))
    drawn = [[next(source) for _ in range(50)] for source in (one, again, other)]
    assert drawn[0] == drawn[1] != drawn[2]


def test_the_inputs_reach_what_they_are_meant_for() -> None:
    """A corpus that everything refuses at the first byte would prove nothing."""
    report = run(4000, SEED, only=["sip_agent", "sdp", "http", "rtp"])
    assert {name for name, tally in report.tallies.items() if not tally.bytes_out} == set()
