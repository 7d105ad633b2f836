"""Results and scores of a call, as `credit` tells them [2527]."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sottovoce.compat.bench import Bench, Wrong
from sottovoce.compat.sqm.catalogue import Interfaces

BLOCKS = {"rules": 10, "silence_rule": 11, "speed_rule": 12, "interposal_rule": 13}
"""Lists in an answer of `credit`, with the rule type of their members."""


async def credits_of(bench: Bench, known: Interfaces, uuid: str) -> list[Mapping[str, Any]]:
    """What each scenario gave a call. Wrong if it cannot be read."""
    reply = await bench.ask(known.credit.path, {"call_uuid": uuid}, user=None)
    if not reply.ok:
        raise Wrong(str(reply))
    rows = reply.document if isinstance(reply.document, list) else [reply.document]
    return [one for row in rows for one in row.get("credit") or ()]


def rules_of(credit: Mapping[str, Any]) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """The results of a scenario, each with its rule type."""
    for block, kind in BLOCKS.items():
        for rule in credit.get(block) or ():
            yield kind, rule


def scenario_of(credit: Mapping[str, Any]) -> str:
    """The id of a scenario that gave a score."""
    return str((credit.get("setting") or {}).get("group_id"))


def complies(rule: Mapping[str, Any]) -> bool | None:
    """Whether a result counts as compliant: as corrected, else as found."""
    return rule.get("valid") if rule.get("revise") == -1 else bool(rule.get("revise"))
