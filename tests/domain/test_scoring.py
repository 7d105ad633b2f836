"""Scores: base less deductions, within bounds; the machine's and the manual one apart; with their reasons."""

from __future__ import annotations

import dataclasses
import json
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sottovoce.domain.people import ReviewId, UserId
from sottovoce.domain.scoring import (
    STANDARD,
    By,
    Deduction,
    Profile,
    Revision,
    RuleKind,
    RuleResult,
    Verdict,
    points,
    score,
)
from sottovoce.errors import Code, Refused
from sottovoce.plain import from_plain, to_plain
from sottovoce.storage.review.results import Reasons

AT = datetime(2026, 3, 2, tzinfo=UTC)
cents = st.integers(0, 20_000).map(lambda number: Decimal(number) / 100)


def revision(kept: bool, version: int = 1) -> Revision:
    return Revision(version, kept, "heard again", UserId("1"), AT)


@st.composite
def profiles(draw: st.DrawFn) -> Profile:
    lower, base, upper = sorted(draw(st.tuples(cents, cents, cents)))
    return Profile(lower - 100, upper, base - draw(st.sampled_from([Decimal(0), min(base, Decimal(1))])))


@st.composite
def results(draw: st.DrawFn) -> list[RuleResult]:
    return [
        RuleResult(
            result=f"result{number}",
            contact=1,
            scenario="groupid_1",
            kind=draw(st.sampled_from(list(RuleKind))),
            rule="r",
            name="a rule",
            verdict=draw(st.sampled_from(list(Verdict))),
            points=draw(cents),
            made_at=AT,
            revision=draw(st.sampled_from([None, revision(True), revision(False, 2)])),
        )
        for number in range(draw(st.integers(0, 8)))
    ]


@given(profiles(), results(), st.booleans(), st.sampled_from(By))
def test_a_score_stays_within_its_bounds_and_its_reasons_add_up(profile, found, ignore, by):
    given = score(profile, found, ignore, by)
    assert profile.lower <= given.score <= profile.upper
    deducted = sum(deduction.points for deduction in given.deductions)
    assert given.score == max(profile.lower, min(profile.upper, profile.base - deducted))
    violated = {one.result for one in found if one.deducts(by, ignore_sensitive=ignore)}
    assert [one.result for one in given.deductions] == sorted(violated)


@given(profiles(), results(), results(), st.booleans(), st.sampled_from(By))
def test_more_violations_never_raise_a_score(profile, found, further, ignore, by):
    further = [dataclasses.replace(one, result=f"further{one.result}") for one in further]
    assert score(profile, [*found, *further], ignore, by).score <= score(profile, found, ignore, by).score


@given(profiles(), results(), st.booleans(), st.sampled_from(By))
def test_the_order_of_results_does_not_matter(profile, found, ignore, by):
    assert score(profile, found[::-1], ignore, by) == score(profile, found, ignore, by)


@given(profiles(), results(), st.booleans())
def test_revisions_and_people_s_rules_leave_the_machine_s_score_alone(profile, found, ignore):
    bare = [dataclasses.replace(one, revision=None) for one in found if one.kind is not RuleKind.MANUAL]
    assert score(profile, found, ignore) == score(profile, bare, ignore)


@given(profiles(), results(), st.booleans())
def test_sensitive_words_count_unless_the_scenario_ignores_them(profile, found, ignore):
    without = [one for one in found if one.kind is not RuleKind.SENSITIVE_WORD]
    assert score(profile, found, True) == score(profile, without, False)
    costly = Profile(lower=Decimal(-1_000_000), upper=profile.upper, base=profile.base)
    words = sum(
        one.points for one in found if one.kind is RuleKind.SENSITIVE_WORD and one.verdict is Verdict.VIOLATED
    )
    assert score(costly, found, False).score == score(costly, found, True).score - words


def test_the_last_revision_is_the_manual_score_and_a_reason_names_its_version() -> None:
    found = RuleResult(
        "dialogRule1",
        1,
        "groupid_1",
        RuleKind.DIALOG,
        "r",
        "Greeting",
        Verdict.KEPT,
        Decimal("2.50"),
        AT,
        revision=revision(False, 3),
    )
    assert score(STANDARD, [found], False).score == 100
    manual = score(STANDARD, [found], False, By.MANUAL)
    assert manual.score == Decimal("97.50")
    assert manual.deductions == (Deduction("dialogRule1", RuleKind.DIALOG, "Greeting", Decimal("2.50"), 3),)


def test_the_machine_s_reasons_are_of_no_revision() -> None:
    found = RuleResult(
        "speedRule1",
        1,
        "groupid_1",
        RuleKind.SPEED,
        "r",
        "Too fast",
        Verdict.VIOLATED,
        Decimal(5),
        AT,
        revision=revision(False, 2),
    )
    assert [one.version for one in score(STANDARD, [found], False).deductions] == [0]
    assert [one.version for one in score(STANDARD, [found], False, By.MANUAL).deductions] == [2]
    bare = dataclasses.replace(found, revision=None)
    assert [one.version for one in score(STANDARD, [bare], False, By.MANUAL).deductions] == [0]


def test_what_inspectors_made_of_a_result_is_told_apart_from_what_was_found() -> None:
    found = RuleResult(
        "silenceRule1", 1, "groupid_1", RuleKind.SILENCE, "r", "Silence", Verdict.VIOLATED, Decimal(5), AT
    )
    assert found.revised is Verdict.NOT_EVALUATED
    assert dataclasses.replace(found, revision=revision(True)).revised is Verdict.KEPT
    assert dataclasses.replace(found, revision=revision(False)).revised is Verdict.VIOLATED


@pytest.mark.parametrize(
    ("verdict", "last", "final"),
    [
        (Verdict.NOT_EVALUATED, None, Verdict.NOT_EVALUATED),
        (Verdict.NOT_EVALUATED, False, Verdict.VIOLATED),
        (Verdict.VIOLATED, None, Verdict.VIOLATED),
        (Verdict.VIOLATED, True, Verdict.KEPT),
        (Verdict.KEPT, False, Verdict.VIOLATED),
    ],
)
def test_a_rule_that_people_judge_counts_once_they_did(verdict, last, final) -> None:
    found = RuleResult(
        "manualRule1",
        1,
        "groupid_1",
        RuleKind.MANUAL,
        "m",
        "Was kind",
        verdict,
        Decimal(10),
        AT,
        revision=None if last is None else revision(last),
    )
    assert found.final is final
    assert score(STANDARD, [found], False).score == 100
    assert score(STANDARD, [found], False, By.MANUAL).score == (90 if final is Verdict.VIOLATED else 100)


@given(profiles(), results(), st.booleans(), st.sampled_from(By))
def test_reasons_survive_json(profile, found, ignore, by):
    given = score(dataclasses.replace(profile, profile=ReviewId("1" * 19), name="ours"), found, ignore, by)
    assert (
        from_plain(Reasons, json.loads(json.dumps(to_plain(Reasons.of(given))))).for_score(given.score)
        == given
    )


@pytest.mark.parametrize(
    ("written", "read"),
    [
        *[
            (77, "77.00"),
            ("77", "77.00"),
            (0.1, "0.10"),
            (77.7, "77.70"),
            ("-3.25", "-3.25"),
            (2.675e2, "267.50"),
        ],
        *[(10**6, "1000000.00"), ("-1000000", "-1000000.00")],
    ],
)
def test_points_are_taken_as_they_were_written(written, read) -> None:
    assert str(points(written)) == read


@pytest.mark.parametrize(
    "written",
    [0.125, "0.001", "1e7", 10**7, "nan", "inf", float("nan"), "x", "", "9" * 40, "1e999999", "-1000000.01"],
)
def test_points_that_would_be_rounded_are_none(written) -> None:
    with pytest.raises(ValueError, match="must be a number"):
        points(written)


@pytest.mark.parametrize(
    ("profile", "field"),
    [
        (Profile(name=""), "name"),
        (Profile(name=" "), "name"),
        (Profile(name="x" * 65), "name"),
        (Profile(Decimal(101), name="x"), "lower"),
        (Profile(base=Decimal("100.01"), name="x"), "base"),
        (Profile(base=Decimal(-1), name="x"), "base"),
    ],
)
def test_a_profile_that_makes_no_sense_names_its_field(profile, field) -> None:
    with pytest.raises(Refused) as declined:
        profile.checked()
    assert declined.value.code is Code.BAD_PARAMETER
    assert declined.value.field == field
    assert declined.value.why
