"""Quality items: appeals and problems from the first step to the last [2495, 2516-2522].

Each step holds the item's row, adds one line to its history and one to the audit, and takes nothing back:
corrections are revisions of results (`results.revise`), which stay as versions. They are drafts, seen by the
quality side alone, until the item is completed. So that its handler concludes what they corrected, a
conclusion against corrections (an appeal sent back, a problem passed) is refused while any stands.

Items about one result do not ignore each other, an appeal and a problem or two problems: the one that is
completed first decides the result for the others, which are completed with their last result and correct none
that is decided. A conclusion that leaves results as they are is refused while a correction in another stands.

An item that the caller may not see is NOT_FOUND to them, like an unknown one.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from zoneinfo import ZoneInfo

from sottovoce.domain.appeals import (
    HANDLERS,
    AppealState,
    AppealStep,
    Chosen,
    Involved,
    Kind,
    ListedItem,
    Node,
    QualityItem,
    WantedItems,
    assigned,
    check,
    check_assignment,
    check_handler,
    corrects,
    follow,
    judged,
    may,
    no_quality_item,
    nodes,
    settled,
    sight,
)
from sottovoce.domain.contacts import Contact
from sottovoce.domain.directory import AgentId
from sottovoce.domain.people import ReviewId, UserId
from sottovoce.domain.rights import Operation
from sottovoce.domain.scoring import RuleResult, ScenarioScores
from sottovoce.errors import Code, Refused
from sottovoce.quality import results as rule_results
from sottovoce.quality.access import Reach
from sottovoce.storage.review import contacts, ids, plans, quality_items, users
from sottovoce.storage.review import results as stored_results
from sottovoce.storage.work import Work

_ROUND = 1
"""Of drafts: an appeal or a problem has one round."""


@dataclass(frozen=True, slots=True)
class Listing:
    """One page of quality items."""

    total: int
    items: Sequence[ListedItem]
    names: Mapping[UserId, str]
    """Of all whom the page mentions."""
    zone: ZoneInfo
    """The tenant's: its days are meant where a day is shown."""


@dataclass(frozen=True, slots=True)
class ShownItem:
    """A quality item with its call and the results that it is about."""

    item: QualityItem
    contact: Contact
    results: Sequence[RuleResult]


@dataclass(frozen=True, slots=True)
class History:
    """How a quality item went, and what its caller may do with it now."""

    nodes: Sequence[Node]
    can_judge: bool
    can_assign: bool
    can_return: bool
    """The handler may give it to who judged last."""


async def open_problem(
    work: Work,
    *,
    contact: int,
    agent: AgentId,
    review_item: ReviewId,
    inspector: UserId,
    results: Collection[str],
) -> ReviewId:
    """Put down that an inspector found violations on a call; its agent's leader is to look at it first.

    An agent without a leader has problems at the directors of their side.
    """
    leader = await quality_items.leader_of(work, agent)
    item = QualityItem(
        item=(await ids.fresh(work.connection, work.at))[0],
        kind=Kind.PROBLEM,
        state=AppealState.REVIEWING,
        contact=contact,
        agent=agent,
        initiator=inspector,
        inspector=inspector,
        review_item=review_item,
        handler=leader if leader != inspector else None,
        previous_handler=None,
        reason="",
        passed=None,
        created_at=work.at,
        updated_at=work.at,
    )
    await quality_items.insert(work, item, sorted(set(results)))
    await _put_down(work, item, AppealStep.OPEN)
    return item.item


async def file_appeal(
    work: Work, reach: Reach, *, call: str, chosen: Sequence[Chosen], leader: UserId, reason: str
) -> ReviewId:
    """An agent's appeal against results of a call of theirs, to a leader of theirs; its new id.

    `call` is the contact's number or UUID. Refused(NOT_FOUND) for a call that is not the caller's,
    (BAD_PARAMETER) for the leader or the choice, (OWN_RESULT) where the leader gave the result, (WRONG_STATE)
    while an appeal of the caller's on that call is open.
    """
    contact = await contacts.called(work, call)
    if contact is not None:  # held: its agent cannot be corrected before the appeal is on record
        await stored_results.locked(work, [contact.contact])
        contact = await contacts.find(work, contact.contact)
    if contact is None or contact.agent is None or contact.agent != reach.user.agent:
        raise Refused(Code.NOT_FOUND, "there is no such call of the caller's")
    review = await quality_items.last_review(work, contact.contact)
    item = QualityItem(
        item=(await ids.fresh(work.connection, work.at))[0],
        kind=Kind.APPEAL,
        state=AppealState.REVIEWING,
        contact=contact.contact,
        agent=contact.agent,
        initiator=reach.user.user,
        inspector=review[1] if review is not None else None,
        review_item=review[0] if review is not None else None,
        handler=leader,
        previous_handler=None,
        reason=reason,
        passed=None,
        created_at=work.at,
        updated_at=work.at,
    )
    results = await _chosen(work, contact.contact, chosen)
    if not await quality_items.insert(work, item, results):
        raise Refused(Code.WRONG_STATE, "an appeal on this call is open already")
    candidate = await users.find(work, leader)
    check_handler(item, candidate, await quality_items.involved(work, item))
    await _put_down(work, item, AppealStep.OPEN, reason)
    return item.item


async def judge(
    work: Work,
    reach: Reach,
    item: ReviewId,
    step: AppealStep,
    *,
    remark: str = "",
    call: str | None = None,
) -> QualityItem:
    """Pass an item or send it back, whatever that means where it is (`domain.appeals.GRIDS`); as it is then.

    `call`, if given, must be the item's. Refused(NO_RIGHT), (NOT_FOUND), (WRONG_STATE), (LOST_RACE) where
    another step came first, (OWN_RESULT).
    """
    before, _ = await _held(work, reach, item, step, call)
    former = None
    if before.state is AppealState.HANDLING and not corrects(before.kind, step):
        await _nothing_corrected(work, before)
    if before.state is AppealState.VERIFYING and before.previous_handler is not None:
        known = await users.find(work, before.previous_handler)
        former = known.user if known is not None and known.roles & HANDLERS[AppealState.HANDLING] else None
    after = judged(before, step, reach.user.user, work.at, former)
    if after.state is AppealState.COMPLETED and after.passed is not (after.kind is Kind.APPEAL):
        about = set(await quality_items.hits(work, item))
        for other in await quality_items.shares(work, after):
            await _nothing_corrected(work, await _found(work, other), about)
    await quality_items.save(work, after)
    await _put_down(work, after, step, remark)
    if after.state is AppealState.COMPLETED:
        if after.passed is (after.kind is Kind.APPEAL):
            await _count(work, after)
        await _settle(work, after)
    return after


async def assign(
    work: Work,
    reach: Reach,
    item: ReviewId,
    handler: UserId,
    *,
    remark: str = "",
    call: str | None = None,
) -> QualityItem:
    """Give an item another handler of the side whose turn it is; as it is then.

    Refused as `judge`; (BAD_PARAMETER) for somebody who cannot handle it, (OWN_RESULT) for one who gave the
    result, or who handled what is to be verified.
    """
    held, involved = await _held(work, reach, item, AppealStep.ASSIGN, call)
    check_handler(held, await users.find(work, handler), involved)
    check_assignment(held, reach.user, handler, reach.acting_as)
    after = assigned(held, handler, work.at)
    await quality_items.save(work, after)
    await _put_down(work, after, AppealStep.ASSIGN, remark)
    return after


async def revise(
    work: Work,
    reach: Reach,
    item: ReviewId,
    *,
    result: str,
    kept: bool,
    remark: str,
    rule_kind: int | None = None,
    kind: Kind | None = None,
    call: str | None = None,
) -> None:
    """Correct a result that an item is about, while it is handled; who corrects an item of nobody's takes it.

    `rule_kind`, `kind` and `call`, if given, must be the result's and the item's. Refused as `judge`, and
    (NOT_FOUND) for a result that the item is not about.
    """
    held, _ = await _held(work, reach, item, AppealStep.REVISE, call, kind)
    if result not in await quality_items.hits(work, item):
        raise Refused(Code.NOT_FOUND, f"the {held.kind} is not about this result")
    if result in (decided := await quality_items.settled(work, item)):
        raise Refused(Code.WRONG_STATE, f"item {decided[result][0]} has decided this result")
    after = replace(held, handler=held.handler or reach.user.user, updated_at=work.at)
    await rule_results.revise(
        work,
        result=result,
        kept=kept,
        remark=remark,
        contact=after.contact,
        kind=rule_kind,
        quality_item=item,
        draft=_ROUND,
    )
    await quality_items.save(work, after)
    await _put_down(work, after, AppealStep.REVISE, remark)


async def listing(work: Work, reach: Reach, wanted: WantedItems, *, page: int, rows: int) -> Listing:
    """A page of the items that the caller may see, the latest first; pages count from 1."""
    seen = sight(reach.user, reach.operation, reach.acting_as)
    total, found = await quality_items.listed(work, wanted, seen, page=page, rows=rows)
    mentioned = {
        one
        for listed in found
        for one in (
            listed.item.initiator,
            listed.item.inspector,
            listed.item.handler,
            listed.item.previous_handler,
        )
    }
    names = await quality_items.names(work, mentioned)
    zone = ZoneInfo(await plans.time_zone(work))
    return Listing(total, found, names, zone)


async def show(work: Work, reach: Reach, item: ReviewId) -> ShownItem:
    """An item with the results that it is about; while it is open the quality side sees its drafts.

    Refused(NOT_FOUND).
    """
    found = await _seen(work, reach, item)
    contact = await contacts.find(work, found.contact)
    if contact is None:
        raise no_quality_item()
    hits = await quality_items.hits(work, item)
    held = await stored_results.many(work, hits)
    if found.state is not AppealState.COMPLETED and reach.user.roles & HANDLERS[AppealState.HANDLING]:
        for result, draft in (await stored_results.drafts_in(work, item)).items():
            held[result] = replace(held[result], revision=draft)
    return ShownItem(found, contact, sorted(held.values(), key=lambda one: (one.made_at, one.result)))


async def scores(work: Work, reach: Reach, item: ReviewId) -> list[ScenarioScores]:
    """What the call of an item was found, and scored, by scenario. Refused(NOT_FOUND)."""
    found = await _seen(work, reach, item)
    return await rule_results.scores_of(work, found.contact)


async def history(work: Work, reach: Reach, item: ReviewId) -> History:
    """How an item went, and what the caller may do now. Refused(NOT_FOUND)."""
    found = await _seen(work, reach, item)
    traces = await quality_items.steps(work, item)
    involved = await quality_items.involved(work, found)
    can_assign = may(found, AppealStep.ASSIGN, reach.user, involved)
    return History(
        nodes(traces),
        can_judge=may(found, AppealStep.PASS, reach.user, involved),
        can_assign=can_assign,
        can_return=can_assign and await _can_return(work, reach, found, involved),
    )


async def _can_return(work: Work, reach: Reach, item: QualityItem, involved: Involved) -> bool:
    if item.previous_handler is None or item.previous_handler == item.handler:
        return False
    try:
        check_handler(item, await users.find(work, item.previous_handler), involved)
        check_assignment(item, reach.user, item.previous_handler)
    except Refused:
        return False
    return True


async def _seen(work: Work, reach: Reach, item: ReviewId) -> QualityItem:
    """The item, if it is within the caller's sight. Refused(NOT_FOUND)."""
    if not await quality_items.seen(work, item, sight(reach.user, reach.operation, reach.acting_as)):
        raise no_quality_item()
    return await _found(work, item)


async def _held(
    work: Work,
    reach: Reach,
    item: ReviewId,
    step: AppealStep,
    call: str | None,
    kind: Kind | None = None,
) -> tuple[QualityItem, Involved]:
    """The item, held, once it is sure that the caller may do `step` and nobody came before them."""
    visible = sight(reach.user, Operation.SHOW_QUALITY_ITEM)
    if not await quality_items.seen(work, item, visible):
        raise no_quality_item()
    seen, steps = await _found(work, item), await quality_items.last_step(work, item)
    await stored_results.locked(work, [seen.contact])  # first: to settle another item takes its row as well
    held = await quality_items.find(work, item, lock=True)
    if held is None:
        raise no_quality_item()
    if kind is not None and kind is not held.kind:
        raise _bad("kind", f"the item is one of the type {held.kind}")
    if call is not None:
        contact = await contacts.called(work, call)
        if contact is None or contact.contact != held.contact:
            raise Refused(Code.NOT_FOUND, f"the {held.kind} is not about this call")
    follow(held, step, seen.state)
    if step is AppealStep.REVISE:
        raced = (held.state, held.handler) != (seen.state, seen.handler)
    else:
        raced = await quality_items.last_step(work, item) != steps
    if raced:
        raise Refused(Code.LOST_RACE, f"somebody else has changed the {held.kind} meanwhile")
    involved = await quality_items.involved(work, held)
    check(held, step, reach.user, involved, reach.acting_as)
    return held, involved


async def _found(work: Work, item: ReviewId) -> QualityItem:
    found = await quality_items.find(work, item)
    if found is None:
        raise no_quality_item()
    return found


async def _chosen(work: Work, contact: int, chosen: Sequence[Chosen]) -> list[str]:
    """The results chosen, each once. Refused(BAD_PARAMETER) unless all are the call's."""
    wanted = [result for group in chosen for result in group.results]
    if not wanted:
        raise _bad("chosen", "names no result")
    held = await stored_results.of_contacts(work, [contact])  # drafts are their inspector's alone
    known = {one.result: one for group in held.values() for one in group}
    for place, group in enumerate(chosen):
        for number, result in enumerate(group.results):
            found = known.get(result)
            if found is None or found.scenario != group.scenario:
                raise _bad(f"chosen.{place}.results.{number}", "is no result of this call in this scenario")
    return sorted(set(wanted))


def _bad(field: str, why: str) -> Refused:
    return Refused(Code.BAD_PARAMETER, why, field=field)


async def _nothing_corrected(work: Work, item: QualityItem, about: Collection[str] | None = None) -> None:
    corrected = await quality_items.corrected(work, item.item)
    if about is not None:
        corrected = [result for result in corrected if result in about]
    if corrected:
        raise Refused(
            Code.WRONG_STATE,
            f"results were corrected in the {item.kind}: correct them back first ({', '.join(corrected)})",
        )


async def _count(work: Work, closed: QualityItem) -> None:
    """Let the corrections of a completed item count, but for results that another item decided."""
    drafts = await stored_results.drafts_in(work, closed.item)
    decided = await quality_items.settled(work, closed.item)
    counting = {result: draft for result, draft in drafts.items() if result not in decided}
    await rule_results.count(work, closed.contact, counting)


async def _settle(work: Work, closed: QualityItem) -> None:
    """Decide a completed item's results in other open ones; those without others are over."""
    for item, results in (await quality_items.settle(work, closed)).items():
        other = await quality_items.find(work, item, lock=True)
        if other is None:
            continue
        decided = await quality_items.settled(work, item)
        if len(decided) == len(await quality_items.hits(work, item)):
            # A problem stands where an appeal was turned down, and the reverse; two problems stand together.
            stands = any(passed is (kind is other.kind) for _, kind, passed in decided.values())
            other = settled(other, stands, work.at)
        else:
            other = replace(other, updated_at=work.at)
        await quality_items.save(work, other)
        remark = f"decided by the {closed.kind} {closed.item}: {', '.join(results)}"
        await _put_down(work, other, AppealStep.SETTLE, remark)


async def _put_down(work: Work, item: QualityItem, step: AppealStep, remark: str = "") -> None:
    """The line in the history of an item as it is after the step, and the same in the audit."""
    number = await quality_items.add_step(work, item, step, remark)
    work.audit(
        f"quality_item.{step}",
        item.item,
        kind=item.kind.value,
        contact=item.contact,
        number=number,
        state=item.state.value,
        handler=item.handler or "",
        remark=remark,
    )
