"""What an inspector finds by themselves: a rule of a scenario that fits the call, violated or kept.

A finding is a result that only people judge (`RuleKind.MANUAL`) and that nobody has evaluated yet, and the
inspector's revision of it, with the places. So it counts, waits as a draft and opens a problem as any
correction does. Until a revision counts it is shown in its item alone; what two inspectors find by the
same rule is one result, and deducts once. An import that brings a result of that rule meanwhile lands: the
finding then counts as a correction of it (`results.settle`).
"""

from __future__ import annotations

from decimal import Decimal

from sottovoce.domain.contacts import Contact
from sottovoce.domain.people import ReviewId
from sottovoce.domain.scenarios import Scenario
from sottovoce.domain.scoring import LARGEST, MOST_PASSAGES, OwnFinding, RuleKind, RuleResult, Verdict
from sottovoce.errors import Code, Refused
from sottovoce.quality.result_import import result_id
from sottovoce.storage.review import results, scenarios
from sottovoce.storage.work import Work


async def enter(work: Work, contact: Contact, item: ReviewId, finding: OwnFinding) -> str:
    """Put the result of a finding on record, not evaluated; its id.

    What the rule is called and deducts is what a result on record says, so that no call is measured by
    another rule than the others; only a rule without any is measured by the finding.
    Refused(BAD_PARAMETER), and (WRONG_STATE) where the call has a result of that rule: it is corrected.
    """
    scenario = (await scenarios.called(work, [finding.scenario])).get(finding.scenario)
    if scenario is None:
        raise _bad("scenario", "there is no such scenario")
    if why := scenario.declines(contact.began_at, contact.interaction):
        raise _bad("scenario", why)
    name, points = await _measure(work, scenario, finding)
    _check_passages(contact, finding)
    await results.locked(work, [contact.contact])
    found = await results.of_contacts(work, [contact.contact], drafts_of=item)
    for result in found.get((contact.contact, scenario.scenario), ()):
        if result.rule == finding.rule:
            why = (
                f"the call has a result of this rule: {result.result} of type {int(result.kind)}; correct it"
            )
            raise Refused(Code.WRONG_STATE, why)
    made = RuleResult(
        result=result_id(
            work.vdn, contact.contact, scenario.scenario, RuleKind.MANUAL, finding.rule, entered=True
        ),
        contact=contact.contact,
        scenario=scenario.scenario,
        kind=RuleKind.MANUAL,
        rule=finding.rule,
        name=name,
        verdict=Verdict.NOT_EVALUATED,
        points=points,
        made_at=work.at,
        entered=True,
    )
    await results.insert_new(work, [made])  # there already if another's is still a draft, or never counted
    work.audit(
        "result.enter",
        made.result,
        contact=contact.contact,
        scenario=scenario.scenario,
        rule=made.rule,
        points=str(points),
        segments=" ".join(f"{one.start_ms}-{one.end_ms}" for one in finding.segments),
        review_item=item,
    )
    return made.result


async def _measure(work: Work, scenario: Scenario, finding: OwnFinding) -> tuple[str, Decimal]:
    """What the rule is called, and what a violation deducts."""
    known = await results.of_rule(work, scenario.scenario, finding.rule)
    if known is not None:
        if finding.points not in (None, known.points):
            raise _bad("points", f"the rule deducts {known.points}")
        return known.name, known.points
    if finding.rule not in scenario.every_rule:
        raise _bad("rule", f"{scenario.name} has no such rule, and no result of one")
    if finding.points is None:
        raise _bad("points", "must be given: no result says yet what the rule deducts")
    if not 0 <= finding.points <= LARGEST:
        raise _bad("points", f"must be from 0 to {LARGEST}")
    return finding.name or finding.rule, finding.points


def _check_passages(contact: Contact, finding: OwnFinding) -> None:
    if len(finding.segments) > MOST_PASSAGES:
        raise _bad("segments", f"must be at most {MOST_PASSAGES} stretches")
    for place, passage in enumerate(finding.segments):
        if not 0 <= passage.start_ms <= passage.end_ms <= contact.length_ms:
            why = f"must begin before it ends, and end within the call, which is {contact.length_ms} ms long"
            raise _bad(f"segments.{place}", why)


def _bad(field: str, why: str) -> Refused:
    return Refused(Code.BAD_PARAMETER, why, field=field)
