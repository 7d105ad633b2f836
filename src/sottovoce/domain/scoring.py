"""How a call is scored: a base, less the points of the violated rules, within bounds.

There are two scores per call and scenario, never mixed: the machine's counts what the machine found, the
manual one counts what the inspectors made of it (the last revision of each result, and rules that only
people judge). Points are `Decimal` with two places; nothing here is ever a float.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import IntEnum, StrEnum

from sottovoce.domain.people import ReviewId, UserId
from sottovoce.domain.scenarios import Scenario
from sottovoce.errors import Code, Refused

LARGEST = Decimal(1_000_000)
"""Of points and bounds, either sign."""
LONGEST_REMARK = 1024
LONGEST_PROFILE_NAME = 64
MOST_PASSAGES = 1000
"""Of one result."""
_CENT = Decimal("0.01")


class RuleKind(IntEnum):
    """What sort of rule it is; the numbers are the documented ones [2517, 2520]."""

    DIALOG = 10
    SILENCE = 11
    SPEED = 12
    INTERRUPTION = 13
    SENSITIVE_WORD = 60
    MANUAL = 70
    """Judged by people alone; the machine's score leaves it out."""


class Verdict(IntEnum):
    """What a rule's result says."""

    NOT_EVALUATED = -1
    VIOLATED = 0
    KEPT = 1


class By(StrEnum):
    """Whose score it is."""

    MACHINE = "machine"
    MANUAL = "manual"


@dataclass(frozen=True, slots=True)
class Profile:
    """Where a score begins, and between what it stays. lower <= base <= upper."""

    lower: Decimal = Decimal(0)
    upper: Decimal = Decimal(100)
    base: Decimal = Decimal(100)
    profile: ReviewId | None = None
    """None: the one that holds where a tenant uses none of its own."""
    name: str = ""
    in_use: bool = field(default=False, compare=False)

    def checked(self) -> Profile:
        """Itself. Refused(BAD_PARAMETER) unless it has a name, and lower <= base <= upper."""
        if not 1 <= len(self.name.strip()) <= LONGEST_PROFILE_NAME:
            why = f"must have 1 to {LONGEST_PROFILE_NAME} characters"
            raise Refused(Code.BAD_PARAMETER, why, field="name")
        if self.lower > self.upper:
            raise Refused(Code.BAD_PARAMETER, "must not be above `upper`", field="lower")
        if not self.lower <= self.base <= self.upper:
            raise Refused(Code.BAD_PARAMETER, "must not be outside `lower` and `upper`", field="base")
        return self


STANDARD = Profile()


@dataclass(frozen=True, slots=True)
class Passage:
    """A stretch of the call in which a rule was violated: milliseconds from its begin."""

    start_ms: int
    end_ms: int


@dataclass(frozen=True, slots=True)
class Revision:
    """What somebody made of a result. The first has version 1; the last one that is no draft counts."""

    version: int
    kept: bool
    remark: str
    user: UserId
    at: datetime
    review_item: ReviewId | None = None
    quality_item: ReviewId | None = None
    draft: int | None = None
    """In which round of an open item of a task it was made (`domain.reviews.Item`); None: it counts."""
    segments: tuple[Passage, ...] | None = None
    """Where in the call, as its inspector says; None: where the result says."""


@dataclass(frozen=True, slots=True)
class RuleResult:
    """What a rule found on a call; never changed, only revised."""

    result: str
    """`revise_id`: the kind's word and a UUID, or what an import gave it."""
    contact: int
    scenario: str
    kind: RuleKind
    rule: str
    name: str
    verdict: Verdict
    points: Decimal
    """What a violation deducts; not negative."""
    made_at: datetime
    description: str = ""
    segments: tuple[Passage, ...] = ()
    revision: Revision | None = None
    """The last one that counts; for the inspector of an open item their draft, if there is one."""
    entered: bool = False
    """An inspector's own finding: it is nothing yet to those who see no revision of it."""

    @property
    def revised(self) -> Verdict:
        """What inspectors made of it; NOT_EVALUATED: nothing."""
        if self.revision is None:
            return Verdict.NOT_EVALUATED
        return Verdict.KEPT if self.revision.kept else Verdict.VIOLATED

    @property
    def final(self) -> Verdict:
        """The last revision, or else what was found."""
        return self.verdict if self.revision is None else self.revised

    def deducts(self, by: By, *, ignore_sensitive: bool) -> bool:
        """Whether its points count against the score of `by`."""
        if ignore_sensitive and self.kind is RuleKind.SENSITIVE_WORD:
            return False
        if by is By.MACHINE:
            return self.kind is not RuleKind.MANUAL and self.verdict is Verdict.VIOLATED
        return self.final is Verdict.VIOLATED


@dataclass(frozen=True, slots=True)
class OwnFinding:
    """What an inspector enters of their own: a rule of a scenario, and what became of it in the call."""

    scenario: str
    """Its id or name."""
    rule: str
    kept: bool
    remark: str
    segments: tuple[Passage, ...] = ()
    """Where: within the call; empty: in all of it."""
    name: str = ""
    """What the rule is called, and what a violation deducts, where no result on record says so yet."""
    points: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Deduction:
    """One reason for a score: a violated rule, and what it cost."""

    result: str
    kind: RuleKind
    name: str
    points: Decimal
    version: int = 0
    """Of the revision that says so; 0: none, the result itself does."""


@dataclass(frozen=True, slots=True)
class Score:
    """A score with all its reasons: `score` is `profile.base` less `deductions`, within the bounds."""

    score: Decimal
    profile: Profile = STANDARD
    deductions: tuple[Deduction, ...] = ()


@dataclass(frozen=True, slots=True)
class Scored:
    """A score as it was given: one version of it."""

    version: int
    score: Score
    user: UserId
    """SERVER: the machine."""
    at: datetime


@dataclass(frozen=True, slots=True)
class ScenarioScores:
    """All that a call was found by one scenario: its results and the last version of both scores."""

    scenario: Scenario
    results: tuple[RuleResult, ...] = ()
    machine: Scored | None = None
    manual: Scored | None = None
    """None: nobody has inspected it."""


def score(
    profile: Profile, results: Iterable[RuleResult], ignore_sensitive: bool, by: By = By.MACHINE
) -> Score:
    """The score of one call by one scenario, whose results these are."""
    deductions = tuple(
        Deduction(
            result.result,
            result.kind,
            result.name,
            result.points,
            result.revision.version if by is By.MANUAL and result.revision is not None else 0,
        )
        for result in sorted(results, key=lambda one: (one.made_at, one.result))
        if result.deducts(by, ignore_sensitive=ignore_sensitive)
    )
    whole = profile.base - sum((deduction.points for deduction in deductions), Decimal(0))
    return Score(max(profile.lower, min(profile.upper, whole)).quantize(_CENT), profile, deductions)


def points(value: int | str | float | Decimal) -> Decimal:
    """A number of points as it was written, by a person or in JSON: at most two places. Raises ValueError."""
    try:
        number = Decimal(repr(value) if isinstance(value, float) else value)
        exact = number.is_finite() and abs(number) <= LARGEST and number == number.quantize(_CENT)
    except ArithmeticError:
        raise ValueError("must be a number") from None
    if not exact:
        raise ValueError(f"must be a number from -{LARGEST} to {LARGEST} with at most two decimals")
    return number.quantize(_CENT)
