"""Bringing in rule results that something else found: once each, however often a file is imported.

A result without an id of its own gets one that follows from the call, scenario, kind and rule, so that the
same line finds itself on record the next time. What is on record is never changed by an import.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID, uuid5

from sottovoce.domain.directory import VdnId
from sottovoce.domain.people import SERVER
from sottovoce.domain.scenarios import Scenario
from sottovoce.domain.scoring import RuleKind, RuleResult
from sottovoce.quality import results
from sottovoce.quality.office import Office
from sottovoce.quality.result_rows import BadLine, ResultLine
from sottovoce.storage.review import results as stored
from sottovoce.storage.review import scenarios
from sottovoce.storage.work import Work

PREFIXES: Mapping[RuleKind, str] = {
    RuleKind.DIALOG: "dialogRule",
    RuleKind.SILENCE: "silenceRule",
    RuleKind.SPEED: "speedRule",
    RuleKind.INTERRUPTION: "interposalRule",
    RuleKind.SENSITIVE_WORD: "sensitiveWord",
    RuleKind.MANUAL: "manualRule",
}
"""How a result's id begins; the first two are the pages'."""
_NAMESPACE = UUID("7f0a3c5e-52f1-4d0b-9c55-4b6a3f1f9a10")


@dataclass(slots=True)
class Taken:
    """What became of some lines."""

    landed: int = 0
    unchanged: int = 0
    """On record already, with the same content."""
    contacts: set[int] = field(default_factory=set)
    """Those that were scored anew."""
    mistakes: list[BadLine] = field(default_factory=list)


async def take(office: Office, vdn: VdnId, lines: Sequence[ResultLine], source: str) -> Taken:
    """Put those lines on record in one transaction, but for those that do not fit; score their contacts.

    `source` is named in the audit. Refused(UNAVAILABLE): none of them landed.
    """
    taken = Taken()
    async with office.work(vdn, SERVER) as work:
        named = await stored.contacts_called(
            work, {line.row.call_uuid for line in lines if line.row.call_uuid}
        )
        numbers = {line.row.contact for line in lines if line.row.contact is not None}
        held = await stored.locked(work, numbers | set(named.values()))
        known = await scenarios.called(work, {line.row.scenario for line in lines})
        wanted: dict[str, tuple[int, RuleResult]] = {}
        for line in lines:
            result = _result(line, work, named, held, known)
            if isinstance(result, BadLine):
                taken.mistakes.append(result)
            elif result.result not in wanted:
                wanted[result.result] = (line.line, result)
            else:
                _again(taken, line.line, result, wanted[result.result][1])
        await _land(work, wanted, held, known, taken)
        if taken.landed:
            work.audit("results.import", source, landed=taken.landed, contacts=len(taken.contacts))
    taken.mistakes.sort(key=lambda mistake: mistake.line)
    return taken


async def _land(
    work: Work,
    wanted: Mapping[str, tuple[int, RuleResult]],
    held: Mapping[int, stored.Held],
    known: Mapping[str, Scenario],
    taken: Taken,
) -> None:
    """What is on record stays whatever became of its scenario; the rest lands where that takes it."""
    scenarios_by_id = {scenario.scenario: scenario for scenario in known.values()}
    before = await stored.many(work, wanted.keys())
    entered = await stored.entered_in(work, {result.contact for _, result in wanted.values()})
    new: dict[str, tuple[int, RuleResult]] = {}
    for line, result in wanted.values():
        contact = held[result.contact]
        if result.result in before:
            _again(taken, line, result, before[result.result])
        elif why := scenarios_by_id[result.scenario].declines(contact.began_at, contact.interaction):
            taken.mistakes.append(BadLine(line, f"scenario: {why}"))
        elif (result.contact, result.scenario, result.rule) in entered:
            why = f"an inspector has found {result.rule} on this call: that stays as it is"
            taken.mistakes.append(BadLine(line, f"rule: {why}"))
        else:
            new[result.result] = (line, result)
    landed = await results.add(work, [result for _, result in new.values()], held)
    meanwhile = await stored.many(work, new.keys() - landed)
    for line, result in new.values():
        if result.result in landed:
            taken.landed += 1
            taken.contacts.add(result.contact)
        else:
            _again(taken, line, result, meanwhile[result.result])


def _result(
    line: ResultLine,
    work: Work,
    named: Mapping[str, int],
    held: Mapping[int, stored.Held],
    known: Mapping[str, Scenario],
) -> RuleResult | BadLine:
    row = line.row
    contact = row.contact
    if row.call_uuid is not None:
        contact = named.get(row.call_uuid)
        if contact is None:
            return BadLine(line.line, f"call_uuid: there is no call {row.call_uuid}")
        if row.contact not in (None, contact):
            return BadLine(line.line, "contact: is not the one that call_uuid names")
    if contact is None or contact not in held:
        return BadLine(line.line, f"contact: there is no contact {contact}")
    scenario = known.get(row.scenario)
    if scenario is None:
        return BadLine(line.line, f"scenario: there is no scenario {row.scenario}")
    return RuleResult(
        result=row.revise_id or result_id(work.vdn, contact, scenario.scenario, row.kind, row.rule),
        contact=contact,
        scenario=scenario.scenario,
        kind=row.kind,
        rule=row.rule,
        name=row.name or row.rule,
        verdict=row.valid,
        points=row.points,
        made_at=work.at,
        description=row.description,
        segments=row.segments,
    )


def _again(taken: Taken, line: int, result: RuleResult, before: RuleResult) -> None:
    """Count a result whose id is there already; nothing is overwritten."""
    if dataclasses.replace(before, made_at=result.made_at, revision=None) == result:
        taken.unchanged += 1
    else:
        taken.mistakes.append(
            BadLine(line, f"{result.result} is on record with other values, and stays as it is")
        )


def result_id(
    vdn: VdnId, contact: int, scenario: str, kind: RuleKind, rule: str, *, entered: bool = False
) -> str:
    """The id of a result to which nobody gave one: the same for the same rule on the same call.

    What an inspector `entered` has another one: until it counts, it keeps no result out.
    """
    named = (str(int(vdn)), str(contact), scenario, str(int(kind)), rule)
    content = "\n".join((*named, "entered") if entered else named)
    return PREFIXES[kind] + str(uuid5(_NAMESPACE, content))
