"""Results and scores as `credit` has them [2527], and [2521] inside its answer.

`manuallyScore` is named as [2521] has it beside the block, where no page shows one (inferred).
The blocks `rules`, `silence_rule` and `speed_rule` are documented; `interposal_rule`, `sensitive_word` and
`manual_rule` are named after them (inferred). A block without a result is absent, as in the examples.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sottovoce.domain.scoring import RuleKind, RuleResult, ScenarioScores, Verdict


@dataclass(frozen=True, slots=True)
class _Block:
    """How the results of one kind of rule are spelt."""

    name: str
    rule: str
    rule_name: str
    named: bool = True
    """Whether each result has its `name` beside the setting too."""


_BLOCKS = {
    RuleKind.DIALOG: _Block("rules", "rule_id", "rule_name", named=False),
    RuleKind.SILENCE: _Block("silence_rule", "silence_id", "name"),
    RuleKind.SPEED: _Block("speed_rule", "speed_id", "name"),
    RuleKind.INTERRUPTION: _Block("interposal_rule", "interposal_id", "name"),
    RuleKind.SENSITIVE_WORD: _Block("sensitive_word", "sw_id", "sw_name"),
    RuleKind.MANUAL: _Block("manual_rule", "rule_id", "rule_name"),
}


def number(value: Decimal) -> int | float:
    """A score or points: a whole number without a point, 77 and not 77.0."""
    return int(value) if value == value.to_integral_value() else float(value)


def score(value: Decimal | None) -> int | float | None:
    """A score; null: there is none."""
    return None if value is None else number(value)


def credit_of(scores: ScenarioScores) -> dict[str, Any]:
    """What one scenario gave a call: its scores by machine and by hand, and each result with its revision.

    `score` of a result is negative where it was violated; `valid` is null where nobody evaluated it.
    """
    scenario = scores.scenario
    content: dict[str, Any] = {}
    for kind, block in _BLOCKS.items():
        found = [_result(result, block) for result in scores.results if result.kind is kind]
        if found:
            content[block.name] = found
    if scores.machine is not None:
        content["score"] = number(scores.machine.score.score)
    if scores.manual is not None:
        content["manuallyScore"] = number(scores.manual.score.score)
    content["setting"] = {
        "group_id": scenario.scenario,
        "group_name": scenario.name,
        "ignore_sensitive": int(scenario.ignore_sensitive),
        "description": scenario.description,
    }
    return content


def _result(result: RuleResult, block: _Block) -> dict[str, Any]:
    violated = result.verdict is Verdict.VIOLATED
    content = {
        "valid": None if result.verdict is Verdict.NOT_EVALUATED else not violated,
        "score": number(-result.points) if violated else 0,
        "invalid_segment": [
            {"start_time": segment.start_ms, "end_time": segment.end_ms, "call_id": str(result.contact)}
            for segment in result.segments
        ],
        "revise_id": result.result,
        "revise": int(result.revised),
        "setting": {block.rule: result.rule, block.rule_name: result.name},
    }
    if block.named:
        content["name"] = result.name
    return content
