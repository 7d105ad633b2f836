"""Prints what the checks found: a row each, a line for each kind of verdict, what stayed behind."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.text import Text

from sottovoce.compat.findings import CheckVerdict, Finding, Findings

_STYLES = {
    CheckVerdict.PASS: "green",
    CheckVerdict.FAIL: "bold red",
    CheckVerdict.DIFFERS: "yellow",
    CheckVerdict.SKIP: "dim",
}
_WIDTH = 40


class FindingsReport:
    """Prints each check as it comes, and the summary."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def row(self, finding: Finding) -> None:
        """Interface, verdict, check; below it the reason of all but a pass."""
        line = Text(f"{finding.interface:{_WIDTH}} ")
        line.append(f"{finding.verdict.upper():8}", _STYLES[finding.verdict])
        line.append(finding.check)
        if finding.inferred:
            line.append("  (inferred)", "dim")
        self._console.print(line, soft_wrap=True)
        if finding.reason:
            self._console.print(Text(f"{'':{_WIDTH}}         {finding.reason}", "dim"), soft_wrap=True)

    def end(self, findings: Findings, left: Sequence[str]) -> None:
        """The counts and the verdict."""
        counts = findings.counts
        self._console.print()
        for what in left:
            self._console.print(Text(f"could not be put away: {what}", "bold red"), soft_wrap=True)
        told = f"{counts[CheckVerdict.PASS]} passed, {counts[CheckVerdict.FAIL]} failed"
        if counts[CheckVerdict.DIFFERS]:
            told += f", {counts[CheckVerdict.DIFFERS]} not as inferred (no page says how it has to be)"
        if counts[CheckVerdict.SKIP]:
            told += f", {counts[CheckVerdict.SKIP]} could not be judged"
        style = "bold green" if findings.right else "bold red"
        self._console.print(Text(told, style), soft_wrap=True)
