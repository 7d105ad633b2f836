"""Manual review tasks and the sampled calls in them: `qualitytask/` [2504-2514]."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sottovoce.client.ccsqm.connection import SQM, Operator
from sottovoce.client.ccsqm.fields import Fields, milliseconds_of
from sottovoce.client.ccsqm.vocabulary import ROLES, Sample
from sottovoce.domain.people import Role
from sottovoce.domain.scoring import RuleKind


@dataclass(frozen=True, slots=True)
class ReviewTask:
    """A task as listed. `status` has no documented values."""

    task: str
    code: str
    """`planCode`: by which its items are asked for."""
    name: str
    status: str
    created_at: datetime | None
    created_by: str
    calls_from: datetime | None
    calls_until: datetime | None
    to_inspect: int
    inspected: int
    to_review: int
    reviewed: int
    takes_effect_at: datetime | None
    mine: bool
    """Whether the caller made it."""
    may_act: bool
    reviewer: str
    reviewer_name: str
    interaction: str


@dataclass(frozen=True, slots=True)
class SampledCall:
    """A call of an item. Ratios are parts of the call, durations seconds."""

    call: str
    uuid: str
    item: str
    file_name: str
    duration_s: int
    began_at: datetime | None
    uploaded_at: datetime | None
    left_channel: str
    left_speech_ratio: float | None
    right_speech_ratio: float | None


@dataclass(frozen=True, slots=True)
class TaskItem:
    """One sampled call of a task. `status`: -1 waiting, 0 in progress, 1 done; 3 is not explained."""

    item: str
    inspector: str
    inspector_name: str
    status: int
    calls: tuple[SampledCall, ...]
    agent: str
    agent_name: str
    is_group: bool


@dataclass(frozen=True, slots=True)
class TaskPage:
    """One page of a list of tasks; `total` counts those of all pages."""

    total: int
    tasks: tuple[ReviewTask, ...]


@dataclass(frozen=True, slots=True)
class TaskItemPage:
    """One page of a task's items; `total` counts those of all pages."""

    total: int
    items: tuple[TaskItem, ...]


@dataclass(frozen=True, slots=True)
class Tasks:
    """The interfaces of `qualitytask/`. Every method raises QualityFailure."""

    _operator: Operator

    async def create(
        self,
        name: str,
        sample: Sample,
        *,
        role: Role = Role.QUALITY_DIRECTOR,
        calls_from: datetime | None = None,
        calls_until: datetime | None = None,
    ) -> str:
        """Draw a sample and make a task of it; its id, empty where the server tells none."""
        body = _drawing(sample, role, calls_from, calls_until)
        answer = await self._operator.fields(
            "qualitytask/createQualityTask", body | {"qualityTask": {"planName": name}}
        )
        return answer.id("objId")

    async def update(
        self,
        task: str,
        name: str,
        sample: Sample | None = None,
        *,
        role: Role = Role.QUALITY_DIRECTOR,
        calls_from: datetime | None = None,
        calls_until: datetime | None = None,
    ) -> None:
        """Give a task another name, and with a `sample` other calls."""
        body = _drawing(sample, role, calls_from, calls_until)
        await self._operator.ask(
            "qualitytask/updateQualityTask", {**body, "qualityTask": {"planName": name, "id": task}}
        )

    async def appoint(
        self, task: str, counts: Mapping[str, int | None], *, take_effect: bool = False
    ) -> None:
        """Deal the items to inspectors: user id to how many, None for an even share of the rest."""
        await self._operator.ask(
            "qualitytask/appointQualityTask",
            {
                "qualityTaskId": task,
                "setCountsType": 1,
                "isTakeEffect": int(take_effect),
                "setCounts": [
                    {"personID": person} if count is None else {"personID": person, "count": count}
                    for person, count in counts.items()
                ],
            },
        )

    async def take_effect(self, task: str, at: datetime | None = None) -> None:
        """Put a task into effect: at once, or at a time."""
        reserved = "" if at is None else str(milliseconds_of(at))
        await self._operator.ask(
            "qualitytask/takeEffectQualityTask",
            {"type": "1" if at is None else "2", "reserveTime": reserved, "qualityTaskId": task},
        )

    async def terminate(self, task: str) -> None:
        """End a task: what is done stays, what is not is released [2506]."""
        await self._operator.ask("qualitytask/terminateQualityTask", {"qualityTaskId": task})

    async def delete(self, task: str) -> None:
        """Delete a task that has not taken effect."""
        await self._operator.ask("qualitytask/deleteQualityTask", {"qualityTaskId": task})

    async def query(
        self,
        since: datetime,
        until: datetime,
        *,
        role: Role = Role.QUALITY_DIRECTOR,
        page: int = 1,
        rows: int = 100,
        name: str | None = None,
        status: int | None = None,
        created_by: str | None = None,
        reviewer: str | None = None,
        calls_since: datetime | None = None,
        calls_until: datetime | None = None,
    ) -> TaskPage:
        """Tasks made between two times; `rows` is 1 to 100."""
        answer = await self._operator.fields(
            "qualitytask/queryQualityTask",
            {
                "fixedColumns": {
                    "planName": name,
                    "status": status,
                    "creatOperator": created_by,
                    "reviewingOfficer": reviewer,
                },
                "currentRole": ROLES[role],
                "startTimeMillis": milliseconds_of(since),
                "endTimeMillis": milliseconds_of(until),
                "callStartTimeMillis": milliseconds_of(calls_since),
                "callEndTimeMillis": milliseconds_of(calls_until),
                "page": page,
                "rows": rows,
            },
        )
        return TaskPage(answer.whole("total"), tuple(_task(row) for row in answer.each("data")))

    async def items(
        self,
        code: str,
        *,
        role: Role = Role.QUALITY_DIRECTOR,
        page: int = 1,
        rows: int = 100,
        status: int | None = None,
        inspector: str | None = None,
        agent: str | None = None,
        reviewed: bool | None = None,
        reviewing: int | None = None,
    ) -> TaskItemPage:
        """The items of the task with that `planCode`."""
        answer = await self._operator.fields(
            "qualitytask/callsQualityTask",
            {
                "currentRole": ROLES[role],
                "page": page,
                "rows": rows,
                "fixedColumns": {
                    "planCode": code,
                    "inspectStatus": None if status is None else str(status),
                    "inspector": inspector,
                    "staff": agent,
                    "showReviewingOfficer": reviewed,
                    "reviewingStates": None if reviewing is None else str(reviewing),
                },
            },
        )
        return TaskItemPage(answer.whole("total"), tuple(_item(row) for row in answer.each("data")))

    async def revise(
        self, item: str, uuid: str, result: str, *, compliant: bool, kind: RuleKind, remark: str
    ) -> None:
        """Correct one rule's result of a sampled call [2512]."""
        await self._operator.ask(
            "qualitytask/modifyResultQualityTask",
            {
                "isGroup": False,
                "ruleType": int(kind),
                "taskId": item,
                "uuid": uuid,
                "ruleInfo": {"description": remark, "revise": int(compliant), "reviseId": result},
            },
        )

    async def complete(self, item: str, call: str) -> None:
        """Finish a sampled call [2513]; its example gives callGroupId as null."""
        await self._operator.connection.ask(
            f"{SQM}/qualitytask/completeQualityTask",
            {"isGroup": False, "callId": call, "callGroupId": None, "qualityTaskCallId": item},
            user=self._operator.user,
        )


def _drawing(
    sample: Sample | None, role: Role, calls_from: datetime | None, calls_until: datetime | None
) -> dict[str, Any]:
    return {
        "currentRole": ROLES[role],
        "startTimeMillis": milliseconds_of(calls_from),
        "endTimeMillis": milliseconds_of(calls_until),
        "fixedColumns": None if sample is None else sample.for_task(),
    }


def _task(row: Fields) -> ReviewTask:
    return ReviewTask(
        task=row.id("id"),
        code=row.text("planCodeStr") or row.text("planCode"),
        name=row.text("planName"),
        status=row.text("status"),
        created_at=row.moment("createTime"),
        created_by=row.text("creatOperator"),
        calls_from=row.moment("callStart"),
        calls_until=row.moment("callEnd"),
        to_inspect=row.whole("inspectTotalCount"),
        inspected=row.whole("inspectFinishedCount"),
        to_review=row.whole("reviewTotalCount"),
        reviewed=row.whole("reviewFinishedCount"),
        takes_effect_at=row.moment("effectiveDate"),
        mine=row.whole("personType") == 1,
        may_act=row.whole("isManipulate") == 1,
        reviewer=row.text("reviewingOfficer"),
        reviewer_name=row.text("reviewingOfficerName"),
        interaction=row.text("interactionType"),
    )


def _item(row: Fields) -> TaskItem:
    setting = row.part("setting")
    return TaskItem(
        item=row.id("id"),
        inspector=row.text("inspector"),
        inspector_name=row.text("inspectorName"),
        status=row.whole("inspectStatus", -1),
        calls=tuple(_call(call) for call in row.each("calls")),
        agent=setting.text("staffId"),
        agent_name=setting.text("staff_name"),
        is_group=row.flag("is_group"),
    )


def _call(row: Fields) -> SampledCall:
    return SampledCall(
        call=row.id("call_id"),
        uuid=row.text("call_uuid"),
        item=row.id("taskId"),
        file_name=row.text("file_name"),
        duration_s=row.whole("duration"),
        began_at=row.moment("call_time"),
        uploaded_at=row.moment("upload_time"),
        left_channel=row.text("leftChannel"),
        left_speech_ratio=row.number("leftSpeechRatio"),
        right_speech_ratio=row.number("rightSpeechRatio"),
    )
