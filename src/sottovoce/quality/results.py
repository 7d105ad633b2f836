"""Rule results and scores of contacts: revised and scored anew inside the caller's transaction.

Nothing is overwritten: a revision and a score are versions, and `audit` has each of them. The contact's
row is held while versions are added; concurrent revisions of one result so become consecutive versions.
A correction in an open item of a task is a draft, a version that does not count; when the item is done,
`settle` adds the last of each result as a version that does.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from decimal import Decimal

from sqlalchemy.exc import IntegrityError

from sottovoce.domain.contacts import Inspection
from sottovoce.domain.people import SERVER, ReviewId
from sottovoce.domain.reviews import Item
from sottovoce.domain.scoring import (
    LONGEST_REMARK,
    By,
    Passage,
    Revision,
    RuleKind,
    RuleResult,
    ScenarioScores,
    Scored,
    score,
)
from sottovoce.errors import Code, Refused
from sottovoce.quality.access import Reach
from sottovoce.storage.review import audited, scenarios, score_profiles
from sottovoce.storage.review import results as stored
from sottovoce.storage.work import Work


async def revise(
    work: Work,
    *,
    result: str,
    kept: bool,
    remark: str,
    contact: int,
    kind: int | None,
    review_item: ReviewId | None = None,
    quality_item: ReviewId | None = None,
    draft: int | None = None,
    entering: bool = False,
    segments: tuple[Passage, ...] | None = None,
) -> Revision:
    """Correct a result of `contact` to kept or violated, as the user of `work`; the manual score follows.

    A `draft`, of that round of `review_item` or of `quality_item`, changes no score. `kind`, if given, must
    be the result's. A finding that only drafts of other items have is unknown, unless this item is
    `entering` it as well.
    Without `segments` the places in the call stay as they are.
    The caller has made sure that this user may do it now.
    Refused(BAD_PARAMETER) for the remark or the kind, (NOT_FOUND) where the contact has no such result
    in this tenant, (LOST_RACE).
    """
    if not 1 <= len(remark.strip()) <= LONGEST_REMARK:
        raise Refused(Code.BAD_PARAMETER, f"must have 1 to {LONGEST_REMARK} characters", field="remark")
    held = await stored.locked(work, [contact])
    known = await stored.many(work, [result], review_item, hidden=entering) if held else {}
    found = known.get(result)
    if found is None or found.contact != contact:
        raise Refused(Code.NOT_FOUND, "the call has no such rule result")
    if kind is not None and kind != found.kind:
        why = f"the result is one of type {int(found.kind)}"
        raise Refused(Code.BAD_PARAMETER, why, field="rule_kind")
    if segments is None:
        segments = await stored.last_segments(work, result, review_item or quality_item, draft)
    wanted = Revision(0, kept, remark, work.user, work.at, review_item, quality_item, draft, segments)
    revision = await _add(work, contact, result, wanted)
    if draft is None:
        await _score_by_hand(work, contact, only=found.scenario)
    return revision


async def settle(work: Work, item: Item) -> None:
    """Let the drafts of an item count and give its contact its manual scores, now that the item is done.

    A score that already says the same, for the same reasons, is not given again. A finding whose rule has
    got a result meanwhile is a correction of that one.
    """
    if not await stored.locked(work, [item.contact]):
        return
    drafts = await stored.drafts(work, item)
    found = await stored.many(work, [result for result, _ in drafts])
    known = await stored.of_contacts(work, [item.contact])
    of_rules = {(one.scenario, one.rule): one.result for group in known.values() for one in reversed(group)}
    hidden = {
        one.result: of_rules.get((one.scenario, one.rule), one.result)
        for one in found.values()
        if one.entered and one.revision is None
    }
    for result, draft in sorted(drafts, key=lambda one: one[0] not in hidden):
        counting = replace(draft, user=work.user, at=work.at, draft=None)
        await _add(work, item.contact, hidden.get(result, result), counting)
    await _score_by_hand(work, item.contact, review_item=item.item)


async def count(work: Work, contact: int, drafts: Mapping[str, Revision]) -> None:
    """Let drafts of an appeal or a problem count, now that it is completed; the manual scores follow."""
    if not drafts:
        return
    found = await stored.many(work, drafts)
    for result, draft in sorted(drafts.items()):
        await _add(work, contact, result, replace(draft, user=work.user, at=work.at, draft=None))
    for scenario in sorted({found[result].scenario for result in drafts}):
        await _score_by_hand(work, contact, only=scenario)


async def violated_in(work: Work, review_item: ReviewId) -> list[str]:
    """The results that stand revised to violated by that item of a task, the oldest first."""
    return await stored.violated_in(work, review_item)


async def scores_of(work: Work, contact: int, *, drafts_of: ReviewId | None = None) -> list[ScenarioScores]:
    """All results and scores of a contact, one entry per scenario, the oldest scenario first.

    The results show the drafts of an open item if `drafts_of` names one; the scores never do.
    """
    return (await scores_of_all(work, [contact], drafts_of=drafts_of)).get(contact, [])


async def scores_of_all(
    work: Work, contacts: Collection[int], *, drafts_of: ReviewId | None = None
) -> dict[int, list[ScenarioScores]]:
    """The same of several contacts; those without any are not in it."""
    held = await stored.of_contacts(work, contacts, drafts_of=drafts_of)
    given = await stored.last_scores(work, contacts)
    scored = {*held, *((contact, scenario) for contact, scenario, _ in given)}
    known = await scenarios.many(work, {scenario for _, scenario in scored})
    found: dict[int, list[ScenarioScores]] = {}
    for scenario in sorted(known.values(), key=lambda one: (one.created_at, one.scenario)):
        for contact in contacts:
            if (key := (contact, scenario.scenario)) in scored:
                machine, manual = given.get((*key, By.MACHINE)), given.get((*key, By.MANUAL))
                of_one = ScenarioScores(scenario, tuple(held.get(key, ())), machine, manual)
                found.setdefault(contact, []).append(of_one)
    return found


async def lowest_scores(work: Work, contacts: Collection[int]) -> dict[tuple[int, By], Decimal]:
    """The lowest score that a scenario gave each of those contacts, by machine and by hand."""
    lowest: dict[tuple[int, By], Decimal] = {}
    for (contact, _, by), scored in (await stored.last_scores(work, contacts)).items():
        key = contact, by
        lowest[key] = min(lowest.get(key, scored.score.score), scored.score.score)
    return lowest


async def credit(work: Work, reach: Reach, uuid: str) -> list[ScenarioScores]:
    """The same, of the call with that `call_uuid`, without regard to anybody's rights: the app asks.

    Refused(NOT_FOUND) for a call that is unknown or another tenant's.
    """
    found = await stored.contacts_called(work, [uuid])
    if uuid not in found:
        raise Refused(Code.NOT_FOUND, "there is no such call")
    return await scores_of(work, found[uuid])


async def add(work: Work, results: Collection[RuleResult], held: Mapping[int, stored.Held]) -> frozenset[str]:
    """Put results on record and score their contacts anew; the ids of those that were not there yet.

    `held` are the contacts of all of them, from `results.locked` of storage. A manual score that exists
    follows, as its reasons have changed; none comes into being.
    """
    landed = await stored.insert_new(work, list(results))
    touched = {(one.contact, one.scenario) for one in results if one.result in landed}
    if not touched:
        return landed
    contacts = {contact for contact, _ in touched}
    profile = await score_profiles.in_use(work)
    by_scenario = await stored.of_contacts(work, contacts)
    before, versions = await stored.last_scores(work, contacts), await stored.versions(work, contacts)
    known = await scenarios.many(work, {scenario for _, scenario in touched})
    given = {}
    for contact, scenario in sorted(touched):
        found = by_scenario[contact, scenario]
        for by in By:
            last = before.get((contact, scenario, by))
            if last is None and (by is By.MANUAL or not _by_machine(found)):
                continue
            now = score(profile, found, known[scenario].ignore_sensitive, by)
            version = versions.get((contact, scenario, by), 0) + 1
            given[contact, scenario, by] = Scored(version, now, SERVER, work.at)
    await _give(work, given)
    lowest: dict[int, Decimal] = {}
    for (contact, _, by), scored in {**before, **given}.items():
        if by is By.MACHINE:
            lowest[contact] = min(lowest.get(contact, scored.score.score), scored.score.score)
    inspected = [(contact, held[contact].began_at, lowest.get(contact)) for contact in sorted(contacts)]
    await stored.mark_inspected(work, inspected, Inspection.SUCCESS)
    return landed


async def _add(work: Work, contact: int, result: str, revision: Revision) -> Revision:
    """Add a revision of a result of a contact that is held; with its version. Refused(LOST_RACE)."""
    revision = replace(revision, version=await stored.last_version(work, result) + 1)
    try:
        await stored.add_revision(work, result, revision)
    except IntegrityError as race:
        raise Refused(Code.LOST_RACE, "the result was revised by somebody else") from race
    work.audit(
        audited.REVISED,
        result,
        contact=contact,
        version=revision.version,
        kept=revision.kept,
        remark=revision.remark,
        review_item=revision.review_item or "",
        quality_item=revision.quality_item or "",
        draft=revision.draft is not None,
    )
    return revision


async def _score_by_hand(
    work: Work, contact: int, *, only: str | None = None, review_item: ReviewId | None = None
) -> None:
    """A version of the manual score of one scenario (`only`), or of those that it would change."""
    held = await stored.of_contacts(work, [contact])
    before, versions = await stored.last_scores(work, [contact]), await stored.versions(work, [contact])
    known = await scenarios.many(work, {scenario for _, scenario in held})
    profile = await score_profiles.in_use(work)
    given = {}
    for scenario in sorted(known):
        if only is not None and scenario != only:
            continue
        last = before.get((contact, scenario, By.MANUAL))
        now = score(profile, held[contact, scenario], known[scenario].ignore_sensitive, By.MANUAL)
        if only is None and last is not None and last.score == now:
            continue
        version = versions.get((contact, scenario, By.MANUAL), 0) + 1
        given[contact, scenario, By.MANUAL] = Scored(version, now, work.user, work.at)
    await _give(work, given, review_item)


async def _give(
    work: Work, given: Mapping[stored.ScoreKey, Scored], review_item: ReviewId | None = None
) -> None:
    """Add versions of scores, each with its line in the audit (`storage.review.audited` compares them)."""
    await stored.add_scores(work, given)
    for (contact, scenario, by), scored in given.items():
        work.audit(
            audited.scored(by),
            str(contact),
            scenario=scenario,
            version=scored.version,
            score=str(scored.score.score),
            review_item=review_item or "",
        )


def _by_machine(found: Iterable[RuleResult]) -> bool:
    """Whether the machine had a part in it; rules that people judge give it no score."""
    return any(result.kind is not RuleKind.MANUAL for result in found)
