"""What an inspector does with a sampled call: looks, corrects results, enters findings, finishes it.

Corrections are drafts, the item's own and seen by its inspector alone, until the call is finished: what ends
with its task before that leaves no half inspection in force [2512, 2513].

Who changes something holds the task's row, then the item's, so that an item is done or released, never both,
and the task is finished with exactly the last of its items. An item is its inspector's alone: to everybody
else it is NOT_FOUND. All decline also with WRONG_STATE, LOST_RACE, NO_RIGHT.
"""

from __future__ import annotations

from dataclasses import dataclass

from sottovoce.domain.contacts import Contact
from sottovoce.domain.people import ReviewId
from sottovoce.domain.reviews import (
    SHOWN,
    Item,
    ItemAction,
    ItemState,
    Task,
    TaskAction,
    TaskState,
    follow,
    follow_item,
    no_item,
)
from sottovoce.domain.scoring import OwnFinding, Passage, RuleKind, ScenarioScores
from sottovoce.quality import appeals, findings, results
from sottovoce.quality.access import Reach
from sottovoce.quality.tasks import put_down
from sottovoce.storage.review import contacts, tasks
from sottovoce.storage.work import Work


@dataclass(frozen=True, slots=True)
class _Held:
    """An item that its inspector works on, locked with its task; and what both were before the wait."""

    task: Task
    item: Item
    task_seen: TaskState
    item_seen: ItemState
    contact: Contact


async def revise_result(
    work: Work,
    reach: Reach,
    item: ReviewId,
    call: str,
    *,
    result: str,
    kept: bool,
    remark: str,
    kind: int,
    segments: tuple[Passage, ...] | None = None,
) -> None:
    """Correct one rule's result of a call, as a draft; the first correction opens the item.

    `call` is the contact's UUID, `kind` a `domain.scoring.RuleKind`, `result` a result of that kind on
    that contact: else NOT_FOUND. Without `segments` the places in the call stay as they are.
    """
    held = await _held(work, reach, item, call)
    await _revise(work, held, result, kept, remark, kind, segments)


async def _revise(
    work: Work,
    held: _Held,
    result: str,
    kept: bool,
    remark: str,
    kind: int,
    segments: tuple[Passage, ...] | None,
    *,
    entering: bool = False,
) -> None:
    item = held.item.item
    follow(held.task.state, TaskAction.REVISE, held.task_seen)
    state = follow_item(held.item.state, ItemAction.REVISE, held.item_seen)
    if state is not held.item.state:
        await tasks.change_item(work, item, state=state.value, opened_at=work.at)
    await results.revise(
        work,
        result=result,
        kept=kept,
        remark=remark,
        contact=held.item.contact,
        kind=kind,
        review_item=item,
        draft=held.item.round,
        entering=entering,
        segments=segments,
    )
    detail = {"item": item, "result": result, "kept": kept, "remark": remark}
    await put_down(work, held.task.task, "revise", detail)
    work.audit("task.revise", held.task.task, item=item, result=result, kept=kept)


async def enter_finding(work: Work, reach: Reach, item: ReviewId, call: str, finding: OwnFinding) -> str:
    """Enter what the inspector found by themselves, as a draft; the id of its result.

    As `revise_result` in all else; `findings.enter` says what it declines.
    """
    held = await _held(work, reach, item, call)
    result = await findings.enter(work, held.contact, item, finding)
    said = (finding.kept, finding.remark, RuleKind.MANUAL, finding.segments)
    await _revise(work, held, result, *said, entering=True)
    return result


async def show(work: Work, reach: Reach, item: ReviewId) -> list[ScenarioScores]:
    """What the call of an open item was found, with the item's drafts; the scores are those that count.

    Refused(NOT_FOUND) for everybody but the inspector.
    """
    found = await tasks.item(work, item)
    task = None if found is None else await tasks.find(work, found.task)
    if found is None or found.inspector != reach.user.user or task is None or task.state not in SHOWN:
        raise no_item()
    return await results.scores_of(work, found.contact, drafts_of=item)


async def complete(work: Work, reach: Reach, item: ReviewId, call: str) -> None:
    """Finish a call: its drafts count from now on, its manual score is settled, violations become a problem,
    the last one ends the task.

    `call` is the contact's number or UUID: another call's is NOT_FOUND.
    """
    held = await _held(work, reach, item, call)
    task = held.task.task
    follow(held.task.state, TaskAction.COMPLETE, held.task_seen)
    state = follow_item(held.item.state, ItemAction.COMPLETE, held.item_seen)
    await tasks.change_item(work, item, state=state.value, ended_at=work.at)
    await put_down(work, task, "complete", {"item": item})
    counted = await tasks.tally(work, task)
    last = not counted[ItemState.WAITING] and not counted[ItemState.IN_PROGRESS]
    if last:
        after = follow(held.task.state, TaskAction.FINISH)
        await tasks.change(work, task, state=after.value, ended_at=work.at)
        await put_down(work, task, "finish", {"done": counted[ItemState.DONE]})
    await results.settle(work, held.item)
    violated = await results.violated_in(work, item)
    if violated and held.item.agent is not None:
        await appeals.open_problem(
            work,
            contact=held.item.contact,
            agent=held.item.agent,
            review_item=item,
            inspector=reach.user.user,
            results=violated,
        )
    work.audit("task.complete", task, item=item, violated=len(violated), last=last)


async def _held(work: Work, reach: Reach, item: ReviewId, call: str) -> _Held:
    seen = await tasks.item(work, item)
    if seen is None or seen.inspector != reach.user.user:
        raise no_item()
    contact = await contacts.find(work, seen.contact)
    if contact is None or call.lower() not in (str(contact.contact), str(contact.uuid)):
        raise no_item()
    before = await tasks.find(work, seen.task)
    if before is None or before.state not in SHOWN:
        raise no_item()
    task = await tasks.find(work, seen.task, lock=True)
    held = await tasks.item(work, item, lock=True)
    if task is None or held is None or held.inspector != reach.user.user:
        raise no_item()
    return _Held(task, held, before.state, seen.state, contact)
