"""Review tasks, their items and their histories as each user sees them [2508, 2514].

A task is seen where something of it is; of its items everybody sees those within their sight
(`domain.reviews.sight`). The counts of a task are of all its items, whoever asks.
"""

from __future__ import annotations

from sottovoce.domain.people import ReviewId
from sottovoce.domain.review_lists import ItemFilter, ItemLine, TaskFilter, TaskLine
from sottovoce.domain.reviews import (
    TASKS,
    Task,
    TaskAction,
    TaskSight,
    TaskState,
    TaskStep,
    no_task,
    sight,
)
from sottovoce.domain.rights import RIGHTS, Operation, Scope
from sottovoce.quality.access import Reach
from sottovoce.storage.review import contacts, task_lists, tasks
from sottovoce.storage.review.task_lists import Progress
from sottovoce.storage.work import Work

_CHANGES = {
    Operation.UPDATE_TASK: TaskAction.RENAME,
    Operation.APPOINT_TASK: TaskAction.APPOINT,
    Operation.TERMINATE_TASK: TaskAction.TERMINATE,
}


async def query(
    work: Work, reach: Reach, wanted: TaskFilter, *, page: int, rows: int
) -> tuple[int, list[TaskLine]]:
    """How many tasks the caller sees, and a page of them, the latest first. Refused(NO_RIGHT)."""
    seen = _sight(reach)
    total, found = await task_lists.page(work, wanted, seen, page=page, rows=rows)
    progress = await task_lists.progress(work, [task.task for task in found])
    return total, [_line(reach, task, progress.get(task.task, Progress())) for task in found]


async def items(
    work: Work,
    reach: Reach,
    task: ReviewId,
    wanted: ItemFilter,
    *,
    page: int,
    rows: int,
) -> tuple[int, list[ItemLine]]:
    """How many items of a task the caller sees, and a page of them in the order of the draw.

    Refused(NOT_FOUND) where they see nothing of it, (NO_RIGHT).
    """
    seen = _sight(reach)
    if not await task_lists.visible(work, task, seen):
        raise no_task()
    total, found = await task_lists.items_page(work, task, wanted, seen, page=page, rows=rows)
    held = await contacts.many(work, [one.item.contact for one in found])
    return total, [
        ItemLine(
            item=one.item,
            contact=held[one.item.contact],
            inspector_name=one.inspector_name,
            stranded=one.stranded,
            staff=one.staff or one.item.agent,
            staff_name=one.staff_name,
        )
        for one in found
        if one.item.contact in held
    ]


async def history(work: Work, reach: Reach, task: ReviewId) -> list[TaskStep]:
    """All that was done to a task, in order; a right to ALL shows that of a deleted one and of a plan too.

    Refused(NOT_FOUND) where the caller sees nothing of it, (NO_RIGHT).
    """
    everything = reach.scope is Scope.ALL
    if not everything and not await task_lists.visible(work, task, _sight(reach)):
        raise no_task()
    steps = await tasks.steps(work, task)
    if not steps:
        raise no_task()
    return steps


def _sight(reach: Reach) -> TaskSight:
    if reach.scope is Scope.ALL:
        return TaskSight(everything=True)
    return sight(reach.user, reach.operation, reach.acting_as)


def _line(reach: Reach, task: Task, progress: Progress) -> TaskLine:
    mine = task.created_by == reach.user.user
    roles = reach.user.roles if reach.acting_as is None else {reach.acting_as}
    changeable = any(
        isinstance(TASKS[task.state, action], TaskState)
        and any(
            RIGHTS[role, operation] is Scope.ALL or (mine and RIGHTS[role, operation] is not Scope.NO)
            for role in roles
        )
        for operation, action in _CHANGES.items()
    )
    return TaskLine(
        task=task,
        inspect_total=progress.inspect_total,
        inspect_done=progress.inspect_done,
        stranded=progress.stranded,
        review_total=progress.review_total,
        review_done=progress.review_done,
        reviewer=progress.reviewer,
        reviewer_name=progress.reviewer_name,
        mine=mine,
        changeable=changeable,
    )
