"""What is due while a call waits: each thing once, in order, however late somebody looks."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sottovoce.domain.directory import Announcing, Overflow, QueueRules, SkillId, WayOut
from sottovoce.domain.queueing import Announces, Overflows, TimesOut, circle, due, next_due, words

S1, S2, S3 = map(SkillId, (1, 2, 3))
RULES = QueueRules(
    overflow=(Overflow(30, S2), Overflow(60, S3)), time_out_s=90, announcing=Announcing(10, 20)
)


def test_all_of_a_wait():
    at, seen = -1.0, []
    while (following := next_due(RULES, at)) is not None:
        seen += [(following, step) for step in due(RULES, at, following)]
        at = following
        if seen[-1][1] == TimesOut():
            break
    assert seen == [
        (10, Announces()),
        (30, Overflows(S2)),
        (30, Announces()),
        (50, Announces()),
        (60, Overflows(S3)),
        (70, Announces()),
        (90, Announces()),
        (90, TimesOut()),
    ]


def test_who_looks_late_is_told_once():
    assert due(RULES, -1, 65) == [Announces(), Overflows(S2), Overflows(S3)]
    assert due(RULES, 65, 65) == []
    assert next_due(QueueRules(), -1) is None
    once = QueueRules(announcing=Announcing(0, 0))
    assert due(once, -1, 0) == [Announces()]
    assert next_due(once, 0) is None


@given(st.lists(st.floats(0, 200), max_size=20))
def test_each_overflow_and_the_time_out_come_once_however_often_somebody_looks(looks):
    steps, before = [], -1.0
    for now in [*sorted(looks), 200.0]:
        steps += due(RULES, before, now)
        before = now
    assert steps.count(Overflows(S2)) == steps.count(Overflows(S3)) == steps.count(TimesOut()) == 1
    assert steps.index(Overflows(S2)) < steps.index(Overflows(S3)) < steps.index(TimesOut())


@pytest.mark.parametrize(
    ("position", "wait_s", "told"),
    [
        (1, None, "position 1 in-queue"),
        (20, 5.0, "position 20 in-queue wait one-minute"),
        (21, 61.0, "many wait 2 minutes"),
        (2, 1200.0, "position 2 in-queue wait 20 minutes"),
        (2, 1201.0, "position 2 in-queue wait more-than 20 minutes"),
    ],
)
def test_words(position, wait_s, told):
    assert " ".join(words(Announcing(wait=True), position, wait_s)) == told
    assert words(Announcing(position=False, wait=True), position, None) == []
    assert "wait" not in words(Announcing(), position, wait_s)


def test_circles():
    def ways(**out):
        return {SkillId(int(k[1:])): QueueRules(way_out=WayOut(SkillId(v))) for k, v in out.items()}

    assert circle(ways(s1=2, s2=3, s3=4)) is None
    assert circle(ways(s1=1)) == S1
    assert circle(ways(s1=2, s2=3, s3=2)) == S2
    assert circle({S1: replace(RULES, way_out=WayOut(number="1"))}) is None
