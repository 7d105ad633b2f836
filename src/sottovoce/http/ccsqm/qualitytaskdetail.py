"""`qualitytask/`, the sampled calls of a task: list, correct a result, complete [2512-2514].

Its answers mix snake case and camel case, as the pages do.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, TypeVar

from pydantic import Field

from sottovoce.domain.people import ReviewId
from sottovoce.domain.review_lists import ItemFilter, ItemLine, Review
from sottovoce.domain.reviews import ItemState, no_task
from sottovoce.domain.rights import Operation
from sottovoce.errors import Code, Refused
from sottovoce.http.ccsqm import calls_wire
from sottovoce.http.ccsqm.qualitytask import Page, Rows
from sottovoce.http.ccsqm.visit import SQM, Answer, Interfaces, Visit
from sottovoce.http.ccsqm.words import BadField, Flag, Form, Id, LooseText, Number, NumberId, RoleField, Text
from sottovoce.plain import natural
from sottovoce.quality import inspection, task_lists

INTERFACES = Interfaces(SQM, "qualitytask")

INSPECT_STATUS = {
    ItemState.WAITING: -1,
    ItemState.IN_PROGRESS: 0,
    ItemState.DONE: 1,
    ItemState.RELEASED: 3,
}
"""3 stands on the page of 2023 without a meaning (inferred)."""
_BY_INSPECT_STATUS = {str(number): state for state, number in INSPECT_STATUS.items()}
_REVIEWS = {"-1": Review.NONE, "0": Review.NONE, "2": Review.OPEN, "3": Review.COMPLETED}
"""0 stands on the page of 2023 without a meaning; taken like -1, not reviewed (inferred)."""

Filter = Annotated[LooseText, Field(max_length=256)]
_Duration = Annotated[Number, Field(ge=0, le=100_000_000)]


class CallColumns(Form):
    """Which calls of which task [2514 1.4]; durations in seconds (inferred)."""

    plan_code: Annotated[LooseText, Field(alias="planCode", max_length=128)]
    show_reviewing_officer: Annotated[Flag | None, Field(alias="showReviewingOfficer")] = None
    inspect_status: Annotated[LooseText | None, Field(alias="inspectStatus")] = None
    inspector: Filter | None = None
    file_name: Annotated[Filter | None, Field(alias="fileName")] = None
    reviewing_officer: Annotated[Filter | None, Field(alias="reviewingOfficer")] = None
    reviewing_states: Annotated[LooseText | None, Field(alias="reviewingStates")] = None
    staff: Filter | None = None
    duration_from: Annotated[_Duration | None, Field(alias="durationFrom")] = None
    duration_to: Annotated[_Duration | None, Field(alias="durationTo")] = None


class Calls(Form):
    """A page of a task's calls [2514]."""

    current_role: Annotated[RoleField, Field(alias="currentRole")]
    page: Page
    rows: Rows
    fixed_columns: Annotated[CallColumns, Field(alias="fixedColumns")]


class RuleInfo(Form):
    """A correction [2512]."""

    remark: Annotated[Text, Field(alias="description", min_length=1, max_length=1024)]
    revise: Annotated[Number, Field(ge=0, le=1)]
    revise_id: Annotated[LooseText, Field(alias="reviseId", max_length=128)]


class ModifyResult(Form):
    """A rule's result to correct [2512]."""

    is_group: Annotated[Flag, Field(alias="isGroup")]
    rule_kind: Annotated[Number, Field(alias="ruleType")]
    task_id: Annotated[Id, Field(alias="taskId")]
    uuid: Annotated[Text, Field(max_length=64)]
    rule_info: Annotated[RuleInfo, Field(alias="ruleInfo")]


class Complete(Form):
    """A call to finish [2513]. `callGroupId` is documented as mandatory, and null in the example."""

    is_group: Annotated[Flag, Field(alias="isGroup")]
    call_id: Annotated[LooseText, Field(alias="callId", max_length=64)]
    call_group_id: Annotated[LooseText | None, Field(alias="callGroupId")] = None
    quality_task_call_id: Annotated[Id, Field(alias="qualityTaskCallId")]


@INTERFACES.serves("callsQualityTask", Calls, Operation.QUERY_TASK_ITEMS, snapshot=True)
async def calls_quality_task(visit: Visit, form: Calls) -> Answer:
    """Page through the sampled calls of a task."""
    columns = form.fixed_columns
    wanted = ItemFilter(
        has_reviewer=columns.show_reviewing_officer,
        state=_chosen("inspectStatus", columns.inspect_status, _BY_INSPECT_STATUS),
        inspector=columns.inspector,
        file_name=columns.file_name,
        reviewer=columns.reviewing_officer,
        review=_chosen("reviewingStates", columns.reviewing_states, _REVIEWS),
        agent=columns.staff,
        duration_from_s=columns.duration_from,
        duration_to_s=columns.duration_to,
    )
    task = _task(columns.plan_code)
    total, lines = await task_lists.items(
        visit.work,
        visit.reach(form.current_role),
        task,
        wanted,
        page=form.page,
        rows=form.rows,
    )
    return Answer({"total": total, "data": [_encode(line) for line in lines]})


@INTERFACES.serves("modifyResultQualityTask", ModifyResult, Operation.REVISE_RESULT)
async def modify_result_quality_task(visit: Visit, form: ModifyResult) -> None:
    """Correct one rule's result of a sampled call."""
    _check_group(form.is_group)
    await inspection.revise_result(
        visit.work,
        visit.reach(),
        form.task_id,
        form.uuid,
        result=form.rule_info.revise_id,
        kept=form.rule_info.revise == 1,
        remark=form.rule_info.remark,
        kind=form.rule_kind,
    )


@INTERFACES.serves("completeQualityTask", Complete, Operation.COMPLETE_ITEM)
async def complete_quality_task(visit: Visit, form: Complete) -> None:
    """Finish a sampled call; with the last one the task is finished."""
    _check_group(form.is_group)
    await inspection.complete(visit.work, visit.reach(), form.quality_task_call_id, form.call_id)


def _check_group(is_group: bool) -> None:
    """Calls are not grouped here, so whatever is asked of a group is not there (inferred)."""
    if is_group:
        raise Refused(Code.NOT_FOUND, "isGroup: no call belongs to a group")


Chosen = TypeVar("Chosen")


def _chosen(field: str, value: str | None, values: Mapping[str, Chosen]) -> Chosen | None:
    if value is None:
        return None
    if value not in values:
        raise BadField(f"fixedColumns.{field}: must be one of {', '.join(values)}")
    return values[value]


def _task(plan_code: str) -> ReviewId:
    """The task of a `planCode`, which is its id; of any other text there is none."""
    number = natural(plan_code)
    if number is None:
        raise no_task()
    return ReviewId(str(number))


def _encode(line: ItemLine) -> dict[str, Any]:
    item, contact = line.item, line.contact
    status = INSPECT_STATUS[item.state]
    call = {
        **calls_wire.call(contact),
        "taskId": NumberId(item.item),
        "inspectStatus": status,
    }
    return {
        "id": NumberId(item.item),
        "inspector": item.inspector,
        "inspectStatus": status,
        "calls": [call],
        "setting": {
            "call_id": str(contact.contact),
            "taskId": NumberId(item.item),
            "staffId": line.staff,
            "staff_name": line.staff_name,
        },
        "inspectorName": f"{line.inspector_name} (no longer inspects)"
        if line.stranded
        else line.inspector_name,
        "is_group": False,
    }
