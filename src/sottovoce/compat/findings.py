"""What the checks found."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class CheckVerdict(StrEnum):
    """What came out of a check."""

    PASS = "pass"  # noqa: S105 - no password
    FAIL = "fail"
    DIFFERS = "differs"
    """Not as inferred, where no page says how it has to be."""
    SKIP = "skip"


@dataclass(frozen=True, slots=True)
class Finding:
    """One check of one interface. `reason` is empty where it passed."""

    interface: str
    check: str
    verdict: CheckVerdict
    reason: str = ""
    inferred: bool = False
    """Whether the expectation stands on no page."""


@dataclass(slots=True)
class Findings:
    """All of them, in order. `tell` is called with each as it comes."""

    tell: Callable[[Finding], None] = lambda finding: None
    strict: bool = False
    found: list[Finding] = field(default_factory=list)

    def add(self, interface: str, check: str, wrong: str | None, *, inferred: bool, skipped: bool) -> None:
        """Put a check down: right unless `wrong` says what was, or why it could not be made (`skipped`)."""
        verdict = CheckVerdict.PASS
        if skipped:
            verdict = CheckVerdict.SKIP
        elif wrong is not None:
            verdict = CheckVerdict.DIFFERS if inferred and not self.strict else CheckVerdict.FAIL
        finding = Finding(interface, check, verdict, wrong or "", inferred)
        self.found.append(finding)
        self.tell(finding)

    @property
    def counts(self) -> dict[CheckVerdict, int]:
        """How many of each."""
        counted = Counter(finding.verdict for finding in self.found)
        return {verdict: counted[verdict] for verdict in CheckVerdict}

    @property
    def right(self) -> bool:
        """Whether something passed and nothing failed."""
        return self.counts[CheckVerdict.PASS] > 0 and not self.counts[CheckVerdict.FAIL]

    def document(self, family: str, against: str) -> dict[str, Any]:
        """All of it for a JSON file."""
        return {
            "family": family,
            "against": against,
            "strict": self.strict,
            "right": self.right,
            "counts": {verdict.value: count for verdict, count in self.counts.items()},
            "checks": [
                {
                    "interface": finding.interface,
                    "check": finding.check,
                    "verdict": finding.verdict.value,
                    "reason": finding.reason,
                    "inferred": finding.inferred,
                }
                for finding in self.found
            ],
        }
