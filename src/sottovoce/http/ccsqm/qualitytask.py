"""`qualitytask/`, the tasks: create, update, appoint, take effect, terminate, delete, query [2504-2510].

No page gives the values of a task's `status`, nor the unit of its times: the states are numbered in
their order, times are taken in seconds or milliseconds and answered in milliseconds (inferred).
"""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any

from pydantic import Field

from sottovoce.domain.people import Role
from sottovoce.domain.review_lists import TaskFilter, TaskLine
from sottovoce.domain.reviews import Share, ShareKind, Shares, TaskOrder, TaskState
from sottovoce.domain.rights import Operation
from sottovoce.http.ccsqm.codes import SUCCESSFUL, TASKS
from sottovoce.http.ccsqm.fixed_columns import ChangedColumns, FixedColumns, conditions
from sottovoce.http.ccsqm.visit import SQM, Answer, Interfaces, Visit, VisitApart
from sottovoce.http.ccsqm.words import (
    ROLES,
    BadField,
    EitherTime,
    Form,
    Id,
    LooseText,
    Name,
    Number,
    NumberId,
    RoleField,
    UserField,
    milliseconds,
)
from sottovoce.quality import task_lists, tasks

INTERFACES = Interfaces(SQM, "qualitytask")

STATUS = {
    TaskState.CREATED: "0",
    TaskState.ASSIGNED: "1",
    TaskState.RESERVED: "2",
    TaskState.IN_EFFECT: "3",
    TaskState.FINISHED: "4",
    TaskState.TERMINATED: "5",
}
SUCCESS_FLAG = 0
"""`resultCode` of queryQualityTask, which alone is a Number (inferred: the page calls it a success flag)."""
_BY_STATUS = {int(number): state for state, number in STATUS.items()}
_WHOLE_MILLISECOND = timedelta(microseconds=999)

Page = Annotated[Number, Field(ge=1, le=1_000_000)]
Rows = Annotated[Number, Field(ge=1, le=100)]
Filter = Annotated[LooseText, Field(max_length=32)]


class NewTask(Form):
    """The task of createQualityTask [2510 1.5]."""

    plan_name: Annotated[Name, Field(alias="planName", max_length=32)]


class ChangedTask(NewTask):
    """The task of updateQualityTask [2505]."""

    id: Id


class Create(Form):
    """A new task [2510]."""

    current_role: Annotated[LooseText, Field(alias="currentRole")]
    start: Annotated[EitherTime | None, Field(alias="startTimeMillis")] = None
    end: Annotated[EitherTime | None, Field(alias="endTimeMillis")] = None
    fixed_columns: Annotated[FixedColumns, Field(alias="fixedColumns")]
    quality_task: Annotated[NewTask, Field(alias="qualityTask")]


class Update(Form):
    """A task to change [2505]. `qualityTask` is documented as optional, but nothing else names the task."""

    current_role: Annotated[LooseText, Field(alias="currentRole")]
    start: Annotated[EitherTime | None, Field(alias="startTimeMillis")] = None
    end: Annotated[EitherTime | None, Field(alias="endTimeMillis")] = None
    fixed_columns: Annotated[ChangedColumns | None, Field(alias="fixedColumns")] = None
    quality_task: Annotated[ChangedTask, Field(alias="qualityTask")]


class OneTask(Form):
    """A task to terminate [2506] or delete [2504]."""

    quality_task_id: Annotated[Id, Field(alias="qualityTaskId")]


class TakeEffect(OneTask):
    """A task to put into effect [2507]."""

    type: LooseText
    reserve_time: Annotated[EitherTime | None, Field(alias="reserveTime")] = None


class SetCount(Form):
    """An inspector with their number, or per cent, of calls [2509 1.4, 2497 1.1.1]."""

    person: Annotated[UserField, Field(alias="personID")]
    count: Annotated[Number | None, Field(ge=0, le=99_999_999)] = None


class Appoint(OneTask):
    """A task to assign to inspectors [2509]."""

    set_counts_type: Annotated[Number, Field(alias="setCountsType", ge=1, le=1)]
    is_take_effect: Annotated[Number, Field(alias="isTakeEffect", ge=0, le=1)]
    people: Annotated[tuple[SetCount, ...], Field(alias="setCounts", min_length=1, max_length=10_000)]


class QueryColumns(Form):
    """Which tasks [2508 1.1]."""

    file_name: Annotated[Filter | None, Field(alias="fileName")] = None
    creator: Annotated[Filter | None, Field(alias="creatOperator")] = None
    reviewing_officer: Annotated[Filter | None, Field(alias="reviewingOfficer")] = None
    status: Number | None = None
    plan_name: Annotated[Filter | None, Field(alias="planName")] = None


class Query(Form):
    """A page of tasks [2508]. `userId` says who asks, as x-UserId does, and is read by nobody."""

    fixed_columns: Annotated[QueryColumns, Field(alias="fixedColumns")] = QueryColumns()
    user_id: Annotated[LooseText | None, Field(alias="userId")] = None
    current_role: Annotated[RoleField, Field(alias="currentRole")]
    start: Annotated[EitherTime, Field(alias="startTimeMillis")]
    end: Annotated[EitherTime, Field(alias="endTimeMillis")]
    call_start: Annotated[EitherTime | None, Field(alias="callStartTimeMillis")] = None
    call_end: Annotated[EitherTime | None, Field(alias="callEndTimeMillis")] = None
    page: Page
    rows: Rows


@INTERFACES.serves_apart("createQualityTask", Create, Operation.CREATE_TASK)
async def create_quality_task(visit: VisitApart, form: Create) -> Answer:
    """Draw a sample of calls and make a task of it; the answer has its id."""
    order = TaskOrder(
        form.quality_task.plan_name, await conditions(visit, form.fixed_columns), form.start, form.end
    )
    _check_range(order)
    task = await tasks.create(visit.office, visit.reach(_loose_role(form.current_role)), order)
    return Answer({"objId": task})


@INTERFACES.serves_apart("updateQualityTask", Update, Operation.UPDATE_TASK)
async def update_quality_task(visit: VisitApart, form: Update) -> None:
    """Rename a task; draw its sample anew where other conditions are given."""
    asked = None if form.fixed_columns is None else await conditions(visit, form.fixed_columns)

    def wanted(before: TaskOrder) -> TaskOrder:
        order = TaskOrder(
            form.quality_task.plan_name,
            asked or before.conditions,
            form.start or before.calls_from,
            form.end or before.calls_until,
        )
        _check_range(order)
        return order

    await tasks.update(
        visit.office,
        visit.reach(_loose_role(form.current_role)),
        form.quality_task.id,
        wanted,
    )


@INTERFACES.serves("appointQualityTask", Appoint, Operation.APPOINT_TASK)
async def appoint_quality_task(visit: Visit, form: Appoint) -> None:
    """Deal the calls of a task to inspectors, and put it into effect if asked to."""
    people = tuple(Share(one.person, one.count) for one in form.people)
    await tasks.appoint(
        visit.work,
        visit.reach(),
        form.quality_task_id,
        Shares(ShareKind.COUNTS, people),
        now=form.is_take_effect == 1,
    )


@INTERFACES.serves("takeEffectQualityTask", TakeEffect, Operation.TAKE_EFFECT)
async def take_effect_quality_task(visit: Visit, form: TakeEffect) -> None:
    """Put a task into effect, at once or at a time to come."""
    if form.type not in ("1", "2"):
        raise BadField("type: must be 1 or 2")
    at = form.reserve_time if form.type == "2" else None
    if form.type == "2" and at is None:
        raise BadField("reserveTime: is missing")
    if at is not None and at <= visit.work.at:
        raise BadField("reserveTime: must lie in the future")
    await tasks.take_effect(visit.work, visit.reach(), form.quality_task_id, at)


@INTERFACES.serves("terminateQualityTask", OneTask, Operation.TERMINATE_TASK)
async def terminate_quality_task(visit: Visit, form: OneTask) -> None:
    """Terminate a task: what is done stays, what is not is released."""
    await tasks.terminate(visit.work, visit.reach(), form.quality_task_id)


@INTERFACES.serves("deleteQualityTask", OneTask, Operation.DELETE_TASK)
async def delete_quality_task(visit: Visit, form: OneTask) -> None:
    """Delete a task that never took effect."""
    await tasks.delete(visit.work, visit.reach(), form.quality_task_id)


@INTERFACES.serves("queryQualityTask", Query, Operation.QUERY_TASKS, snapshot=True)
async def query_quality_task(visit: Visit, form: Query) -> Answer:
    """Page through tasks. Its answer alone has doubled codes: a number and a text."""
    columns = form.fixed_columns
    total, lines = 0, list[TaskLine]()
    if columns.status is None or columns.status in _BY_STATUS:
        wanted = TaskFilter(
            name=columns.plan_name,
            file_name=columns.file_name,
            maker=columns.creator,
            reviewer=columns.reviewing_officer,
            state=None if columns.status is None else _BY_STATUS[columns.status],
            made_from=form.start,
            made_until=form.end + _WHOLE_MILLISECOND,
            calls_from=form.call_start,
            calls_until=form.call_end,
        )
        total, lines = await task_lists.query(
            visit.work,
            visit.reach(form.current_role),
            wanted,
            page=form.page,
            rows=form.rows,
        )
    else:
        visit.reach(form.current_role)
    content = {
        "total": total,
        "data": [_encode(line) for line in lines],
        "resultCode": SUCCESS_FLAG,
        "resultDesc": SUCCESSFUL,
        "returnCode": TASKS.success,
        "returnDesc": SUCCESSFUL,
    }
    return Answer(content, coded=False)


def _loose_role(text: str) -> Role | None:
    """`currentRole` of create and update is documented as a user's identity: only a role's name counts."""
    return ROLES.get(text)


def _check_range(order: TaskOrder) -> None:
    start, end = order.calls_from, order.calls_until
    if start is not None and end is not None and end < start:
        raise BadField("endTimeMillis: must not be before startTimeMillis")


def _encode(line: TaskLine) -> dict[str, Any]:
    task = line.task
    return {
        "id": NumberId(task.task),
        "planCode": task.task,
        "planCodeStr": task.task,
        "planName": task.name,
        "createTime": milliseconds(task.created_at),
        "creatOperator": task.created_by,
        "callStart": milliseconds(task.calls_from),
        "callEnd": milliseconds(task.calls_until),
        "inspectTotalCount": line.inspect_total,
        "inspectFinishedCount": line.inspect_done,
        "reviewTotalCount": line.review_total,
        "reviewFinishedCount": line.review_done,
        "status": STATUS[task.state],
        "effectiveDate": milliseconds(task.takes_effect_at),
        "personType": int(line.mine),
        "reviewingOfficer": line.reviewer,
        "reviewingOfficerName": line.reviewer_name,
        "isManipulate": int(line.changeable),
        "interactionType": str(int(task.interaction)),
    }
