"""`regularqualitytask/`, the plans: add, update, begin, stop, delete, query [2497-2502].

A plan that was added is stopped until it is begun; one whose end is past cannot be begun. Times of the
calendar come in seconds, durations of the sample in milliseconds; all times are answered in milliseconds.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from sottovoce.domain.people import Role
from sottovoce.domain.plans import LATEST, Cycle, End, Plan, PlanOrder, PlanState, Schedule
from sottovoce.domain.reviews import Share, ShareKind, Shares
from sottovoce.domain.rights import Operation
from sottovoce.http.ccsqm.fixed_columns import FixedColumns, conditions
from sottovoce.http.ccsqm.qualitytask import SetCount
from sottovoce.http.ccsqm.visit import SQM, Answer, Interfaces, Visit
from sottovoce.http.ccsqm.words import (
    BadField,
    Form,
    Id,
    Name,
    Number,
    RoleField,
    Seconds,
    milliseconds,
)
from sottovoce.quality import plans

INTERFACES = Interfaces(SQM, "regularqualitytask")

_CYCLES = {1: Cycle.DAILY, 2: Cycle.WEEKLY, 3: Cycle.MONTHLY}
_BY_RUNS, _BY_TIME = 1, 2
_EVEN, _PERCENT = 0, 2
_STATUS = {PlanState.STOPPED: "1", PlanState.RUNNING: "2"}
_ENDS = {End.RUNS: (str(_BY_RUNS), "Number of runs"), End.TIME: (str(_BY_TIME), "End time")}
_RANGE = "extractionRange.fixedColumns"


class AppointQuality(Form):
    """Who inspects; `count` is their per cent of the calls where `setCountsType` is 2 [2497 1.1]."""

    people: Annotated[tuple[SetCount, ...], Field(alias="setCounts", min_length=1, max_length=10_000)]
    set_counts_type: Annotated[Number, Field(alias="setCountsType")]


class CronStructure(Form):
    """When [2497 1.2]. What belongs to the other kind of end is ignored."""

    cycle_type: Annotated[Number, Field(alias="qiqtCycleType", ge=1, le=3)]
    start_time: Annotated[Seconds, Field(alias="qiqtStartTime")]
    end_type: Annotated[Number, Field(alias="qiqtEndType", ge=1, le=2)]
    end_time: Annotated[Seconds | None, Field(alias="qiqtEndTime")] = None
    total_times: Annotated[Number | None, Field(alias="qiqtTotalTimes", ge=0, le=99_999_999)] = None


class PlanColumns(FixedColumns):
    """Of a plan: the end of its table was not seen, so that only the two that it names are mandatory."""

    interaction_type: Annotated[Number, Field(alias="interactionType")] = 0


class ExtractionRange(Form):
    """What to sample [2497 1.4]."""

    current_role: Annotated[RoleField | None, Field(alias="currentRole")] = None
    fixed_columns: Annotated[PlanColumns, Field(alias="fixedColumns")]


class Add(Form):
    """A new plan [2497]."""

    name: Annotated[Name, Field(alias="qiqtName", max_length=64)]
    current_role: Annotated[RoleField | None, Field(alias="currentRole")] = None
    extraction_range: Annotated[ExtractionRange, Field(alias="extractionRange")]
    appoint_quality: Annotated[AppointQuality, Field(alias="appointQuality")]
    cron_structure: Annotated[CronStructure, Field(alias="cronStructure")]


class Update(Add):
    """A plan to change [2499]."""

    plan: Annotated[Id, Field(alias="qiqtId")]


class OnePlan(Form):
    """A plan to begin [2498], stop [2502] or delete [2500]."""

    plan: Annotated[Id, Field(alias="regularQualityTaskId")]


class Query(Form):
    """A page of plans [2501]."""

    page: Annotated[Number, Field(ge=1, le=1_000_000)]
    rows: Annotated[Number, Field(ge=1, le=1_000)]


@INTERFACES.serves("addQualityTask", Add, Operation.ADD_PLAN)
async def add_quality_task(visit: Visit, form: Add) -> Answer:
    """Make a plan; the answer has its id. It runs once it is begun."""
    order = await _order(visit, form)
    plan = await plans.add(visit.work, visit.reach(_role(form)), order)
    return Answer({"objId": plan})


@INTERFACES.serves("updateQualityTask", Update, Operation.UPDATE_PLAN)
async def update_quality_task(visit: Visit, form: Update) -> Answer:
    """Change all of a plan; a running one keeps running, by its new calendar."""
    order = await _order(visit, form)
    await plans.update(visit.work, visit.reach(_role(form)), form.plan, order)
    return Answer({"objId": form.plan})


@INTERFACES.serves("beginQualityTask", OnePlan, Operation.BEGIN_PLAN)
async def begin_quality_task(visit: Visit, form: OnePlan) -> None:
    """Let a plan run from now on."""
    await plans.begin(visit.work, visit.reach(), form.plan)


@INTERFACES.serves("stopQualityTask", OnePlan, Operation.STOP_PLAN)
async def stop_quality_task(visit: Visit, form: OnePlan) -> None:
    """Stop a plan until it is begun again."""
    await plans.stop(visit.work, visit.reach(), form.plan)


@INTERFACES.serves("deleteQualityTask", OnePlan, Operation.DELETE_PLAN)
async def delete_quality_task(visit: Visit, form: OnePlan) -> None:
    """Delete a plan; the tasks that it made go on."""
    await plans.delete(visit.work, visit.reach(), form.plan)


@INTERFACES.serves("queryQualityTask", Query, Operation.QUERY_PLANS)
async def query_quality_task(visit: Visit, form: Query) -> Answer:
    """Page through plans, the newest first."""
    total, found = await plans.query(visit.work, visit.reach(), form.page, form.rows)
    return Answer({"total": total, "list": [_encode(line.plan) for line in found]})


def _role(form: Add) -> Role | None:
    """As whom the caller acts; where both places name a role they must agree."""
    outer, inner = form.current_role, form.extraction_range.current_role
    if outer is not None and inner is not None and outer is not inner:
        raise BadField("extractionRange.currentRole: must be the same as currentRole")
    return outer if outer is not None else inner


async def _order(visit: Visit, form: Add) -> PlanOrder:
    return PlanOrder(
        form.name,
        _schedule(form.cron_structure),
        await conditions(visit, form.extraction_range.fixed_columns, field=_RANGE, per_second=1000),
        _shares(form.appoint_quality),
    )


def _schedule(form: CronStructure) -> Schedule:
    for name, at in (("qiqtStartTime", form.start_time), ("qiqtEndTime", form.end_time)):
        if at is not None and at > LATEST:
            raise BadField(f"cronStructure.{name}: must be seconds, of at most 10 digits")
    if form.end_type == _BY_RUNS:
        if not form.total_times:
            raise BadField("cronStructure.qiqtTotalTimes: must be at least 1 where qiqtEndType is 1")
        return Schedule(_CYCLES[form.cycle_type], form.start_time, total=form.total_times)
    if form.end_time is None:
        raise BadField("cronStructure.qiqtEndTime: is missing, and qiqtEndType is 2")
    if form.end_time < form.start_time:
        raise BadField("cronStructure.qiqtEndTime: must not be before qiqtStartTime")
    return Schedule(_CYCLES[form.cycle_type], form.start_time, until=form.end_time)


def _shares(form: AppointQuality) -> Shares:
    if form.set_counts_type not in (_EVEN, _PERCENT):
        raise BadField("appointQuality.setCountsType: must be 0 or 2")
    if form.set_counts_type == _EVEN:
        return Shares(ShareKind.EVEN, tuple(Share(one.person) for one in form.people))
    return Shares(ShareKind.PERCENT, tuple(Share(one.person, one.count) for one in form.people))


def _encode(plan: Plan) -> dict[str, Any]:
    schedule = plan.schedule
    end_type, end_shown = _ENDS[schedule.end]
    return {
        "qiqtId": plan.plan,
        "qiqtName": plan.name,
        "qiqtStatus": _STATUS[plan.state],
        "qiqtCreater": plan.created_by,
        "qiqtCreateTimeStr": milliseconds(plan.created_at),
        "qiqtCycleType": schedule.cycle.value,
        "qiqtStartTimeStr": milliseconds(schedule.start),
        "qiqtEndType": end_type,
        "qiqtEndTypeStr": end_shown,
        "qiqtEndTimeStr": None if schedule.until is None else str(milliseconds(schedule.until)),
        "qiqtTotalTimes": schedule.total,
        "qiqtExecutionTimes": plan.runs,
        "nextExecutionTimeStr": milliseconds(plan.next_at),
        "interactionType": str(int(plan.conditions.interaction)),
    }
