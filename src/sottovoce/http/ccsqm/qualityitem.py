"""`qualityitem/`: appeals and problems on their way [2516-2522].

The pages mark most fields of the steps optional; the item and what is to be done with it are required
here, as there is nothing to do without them (inferred). Days are the tenant's. Of the history's times
the newest edition's form is answered: milliseconds, as a text.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import BeforeValidator, Field, WithJsonSchema

from sottovoce.domain.appeals import AppealState, AppealStep, Kind, Node, QualityItem, WantedItems
from sottovoce.domain.people import Role
from sottovoce.domain.rights import Operation
from sottovoce.domain.scoring import RuleResult, ScenarioScores
from sottovoce.http.ccsqm.credit_wire import credit_of, number
from sottovoce.http.ccsqm.visit import SQM, Answer, Interfaces, Visit
from sottovoce.http.ccsqm.words import (
    ROLES,
    BadField,
    Flag,
    Form,
    Id,
    LooseText,
    Number,
    NumberId,
    RoleField,
    Seconds,
    Text,
    UserField,
    milliseconds,
    seconds,
    whole_number,
)
from sottovoce.plain import natural
from sottovoce.quality import appeals

INTERFACES = Interfaces(SQM, "qualityitem")

KINDS = {Kind.PROBLEM: 1, Kind.APPEAL: 2}
STATES = {
    AppealState.REVIEWING: 21,
    AppealState.COMPLETED: 22,
    AppealState.HANDLING: 24,
    AppealState.VERIFYING: 27,
}
_BY_KIND = {wire: kind for kind, wire in KINDS.items()}
_BY_STATE = {wire: state for state, wire in STATES.items()}
_KIND_NAMES = {Kind.PROBLEM: "Problem", Kind.APPEAL: "Appeal"}
_STATE_NAMES = {
    AppealState.REVIEWING: "Reviewing",
    AppealState.COMPLETED: "Completed",
    AppealState.HANDLING: "Handling",
    AppealState.VERIFYING: "Verifying",
}
_CONCLUSIONS = {True: "passed", False: "not passed", None: None}


def _numbered(kinds: Mapping[int, object], must_be: str) -> BeforeValidator:
    def chosen(value: object) -> object:
        try:
            return kinds[whole_number(value)]
        except (ValueError, KeyError):
            raise ValueError(f"must be {must_be}") from None

    return BeforeValidator(chosen)


def _position(value: object) -> Role | None:
    """A role's name; an inspector's id, which the page speaks of, tells nothing and is passed over."""
    if isinstance(value, str) and value in ROLES:
        return ROLES[value]
    if isinstance(value, int | str) and not isinstance(value, bool) and natural(str(value)) is not None:
        return None
    raise ValueError("must be an id or one of " + ", ".join(ROLES))


_KindField = Annotated[
    Kind, _numbered(_BY_KIND, "1 or 2"), WithJsonSchema({"type": "integer", "enum": list(_BY_KIND)})
]
_StateField = Annotated[
    AppealState,
    _numbered(_BY_STATE, "one of " + ", ".join(map(str, _BY_STATE))),
    WithJsonSchema({"type": "integer", "enum": list(_BY_STATE)}),
]
_Position = Annotated[Role | None, BeforeValidator(_position), WithJsonSchema({"type": "string"})]
_Users = Annotated[tuple[UserField, ...], Field(max_length=10_000)]


class ItemColumns(Form):
    """The filter of queryQualityItem."""

    agents: Annotated[_Users, Field(alias="agentUserIds")] = ()
    inspectors: Annotated[_Users, Field(alias="qualityUserIds")] = ()
    kind: Annotated[_KindField | None, Field(alias="taskType")] = None
    state: Annotated[_StateField | None, Field(alias="taskStatus")] = None


class ItemsForm(Form):
    """The body of queryQualityItem; its times are seconds in spite of their names."""

    columns: Annotated[ItemColumns, Field(alias="fixedColumns")] = ItemColumns()
    created_from: Annotated[Seconds | None, Field(alias="startTimeMillis")] = None
    created_until: Annotated[Seconds | None, Field(alias="endTimeMillis")] = None
    rows: Annotated[Number, Field(ge=1, le=1_000_000)] = 10
    page: Annotated[Number, Field(ge=1, le=1_000_000)] = 1


class DetailForm(Form):
    """The body of queryQualityItemDetail."""

    item: Annotated[Id, Field(alias="qualityItemId")]


class ResultForm(Form):
    """The body of queryQualityItemResult."""

    item: Annotated[Id, Field(alias="qualityId")]


class HistoryForm(Form):
    """The body of queryQualityHistory."""

    item: Annotated[Id, Field(alias="qualityTaskInfoId")]


class RuleInfo(Form):
    """A correction."""

    result: Annotated[LooseText, Field(alias="reviseId")]
    revise: Annotated[Number, Field(ge=0, le=1)]
    remark: Annotated[Text, Field(alias="description")] = ""


class ModifyForm(Form):
    """The body of modifyQualityItemResult. Groups of calls are not kept: `isGroup` changes nothing."""

    is_group: Annotated[Flag, Field(alias="isGroup")] = False
    item: Annotated[Id, Field(alias="qualityItemId")]
    kind: Annotated[_KindField | None, Field(alias="qualityItemType")] = None
    rule: Annotated[RuleInfo, Field(alias="ruleInfo")]
    rule_kind: Annotated[Number | None, Field(alias="ruleType")] = None
    call: Annotated[LooseText | None, Field(alias="uuid")] = None


class AppealItemForm(Form):
    """The body of appealItem. `assignee` counts with `assign` alone."""

    operation: Annotated[Literal["back", "pass", "assign"], Field(alias="auditOperation")]
    call: Annotated[LooseText | None, Field(alias="callId")] = None
    comment: Annotated[Text, Field(alias="coment")] = ""
    item: Annotated[Id, Field(alias="taskInfoId")]
    handler: Annotated[UserField | None, Field(alias="assignee")] = None
    role: _Position = None


class ReassignForm(Form):
    """The body of reassginQualityTask."""

    handler: UserField
    item: Annotated[Id, Field(alias="qualityTaskInfoId")]
    role: RoleField | None = None


@INTERFACES.serves("queryQualityItem", ItemsForm, Operation.QUERY_QUALITY_ITEMS)
async def query_quality_item(visit: Visit, form: ItemsForm) -> Answer:
    """List the problems and appeals that the user may see, the latest first."""
    columns = form.columns
    wanted = WantedItems(
        kind=columns.kind,
        state=columns.state,
        agents=columns.agents,
        inspectors=columns.inspectors,
        created_from=form.created_from,
        created_until=form.created_until,
    )
    found = await appeals.listing(visit.work, visit.reach(), wanted, page=form.page, rows=form.rows)
    content = {
        "total": found.total,
        "pages": -(-found.total // form.rows),
        "data": [_line(found, place) for place in range(len(found.items))],
        "pageSize": form.rows,
        "pageNum": form.page,
    }
    return Answer(content, coded=False)


@INTERFACES.serves("queryQualityItemDetail", DetailForm, Operation.SHOW_QUALITY_ITEM)
async def query_quality_item_detail(visit: Visit, form: DetailForm) -> Answer:
    """One problem or appeal with the results that it is about."""
    shown = await appeals.show(visit.work, visit.reach(), form.item)
    content = {
        "agentIsNull": shown.item.previous_handler is None,
        "qualityItemRuleHit": [
            _hit(shown.item, result, place) for place, result in enumerate(shown.results, start=1)
        ],
        "title": f"{_KIND_NAMES[shown.item.kind]}: {shown.contact.file_name}",
        "qualityItem": {
            "callId": NumberId(shown.item.contact),
            "taskType": KINDS[shown.item.kind],
        },
    }
    return Answer(content, coded=False)


@INTERFACES.serves("queryQualityItemResult", ResultForm, Operation.SHOW_QUALITY_SCORES)
async def query_quality_item_result(visit: Visit, form: ResultForm) -> Answer:
    """The scores of an item's call, by scenario: an array, as in the page's example."""
    scores = await appeals.scores(visit.work, visit.reach(), form.item)
    return Answer([_scores(one) for one in scores], coded=False)


@INTERFACES.serves("queryQualityHistory", HistoryForm, Operation.SHOW_QUALITY_HISTORY)
async def query_quality_history(visit: Visit, form: HistoryForm) -> Answer:
    """How an item went, and what the user may do with it now."""
    history = await appeals.history(visit.work, visit.reach(), form.item)
    content = {
        "showAssgin": history.can_return,
        "workflowNodeList": [_node(node, place) for place, node in enumerate(history.nodes, start=1)],
        "canHandle": history.can_judge,
        "showReassgin": history.can_assign,
    }
    return Answer(content, coded=False)


@INTERFACES.serves("modifyQualityItemResult", ModifyForm, Operation.REVISE_QUALITY_ITEM)
async def modify_quality_item_result(visit: Visit, form: ModifyForm) -> None:
    """Correct a result that an item is about, while it is being handled."""
    await appeals.revise(
        visit.work,
        visit.reach(),
        form.item,
        result=form.rule.result,
        kept=form.rule.revise == 1,
        remark=form.rule.remark,
        rule_kind=form.rule_kind,
        kind=form.kind,
        call=form.call,
    )


@INTERFACES.serves("appealItem", AppealItemForm, Operation.JUDGE_QUALITY_ITEM)
async def appeal_item(visit: Visit, form: AppealItemForm) -> None:
    """Pass an item, send it back, or hand it to somebody else."""
    step = AppealStep(form.operation)
    if step is not AppealStep.ASSIGN:
        await appeals.judge(
            visit.work,
            visit.reach(form.role),
            form.item,
            step,
            remark=form.comment,
            call=form.call,
        )
        return
    if form.handler is None:
        raise BadField("assignee: is missing")
    await appeals.assign(
        visit.work,
        visit.reach(form.role, Operation.REASSIGN_QUALITY_ITEM),
        form.item,
        form.handler,
        remark=form.comment,
        call=form.call,
    )


@INTERFACES.serves("reassginQualityTask", ReassignForm, Operation.REASSIGN_QUALITY_ITEM)
async def reassgin_quality_task(visit: Visit, form: ReassignForm) -> None:
    """Give an item another handler."""
    await appeals.assign(visit.work, visit.reach(form.role), form.item, form.handler)


def _line(found: appeals.Listing, place: int) -> dict[str, Any]:
    listed = found.items[place]
    item = listed.item
    reviewer = item.previous_handler if item.state is AppealState.COMPLETED else item.handler
    people = {
        "inspectorName": item.inspector,
        "reviewingOfficerName": reviewer,
        "initiatorName": item.initiator,
        "taskOperatorName": item.handler,
        "agentName": item.previous_handler,
    }
    return {
        "id": NumberId(item.item),
        "taskTypeName": _KIND_NAMES[item.kind],
        **{field: None if user is None else found.names.get(user) for field, user in people.items()},
        "taskStatusName": _STATE_NAMES[item.state],
        "calls": [{"call_uuid": listed.uuid}],
        "createTimeStr": _day(item.created_at, found.zone),
        "updateTimeStr": _day(item.updated_at, found.zone),
        "setting": {"file_name": listed.file_name},
    }


def _hit(item: QualityItem, result: RuleResult, place: int) -> dict[str, Any]:
    last = result.revision
    return {
        "id": place,
        "callId": NumberId(result.contact),
        "ruleId": result.rule,
        "ruleName": result.name,
        "ruleDescribe": result.description,
        "valid": int(result.verdict),
        "type": int(result.kind),
        "createTime": seconds(result.made_at),
        "updateTime": seconds(result.made_at if last is None else last.at),
        "description": "" if last is None else last.remark,
        "appealId": NumberId(item.item),
        "reviseId": result.result,
        "ruleGroupId": result.scenario,
        "revise": int(result.revised),
    }


def _scores(scores: ScenarioScores) -> dict[str, Any]:
    machine, manual = scores.machine, scores.manual
    return {
        "createTime": None if machine is None else seconds(machine.at),
        "ruleGroupName": scores.scenario.name,
        "manuallyScore": None if manual is None else number(manual.score.score),
        "automaticScore": None if machine is None else number(machine.score.score),
        "credit": credit_of(scores),
        "ruleGroupId": scores.scenario.scenario,
    }


def _node(node: Node, place: int) -> dict[str, Any]:
    return {
        "nodeName": "Submitted" if node.opening else _STATE_NAMES[node.state],
        "nodeId": str(place),
        "remark": node.remark,
        "createTime": _text(node.at),
        "handler": node.handler,
        "conclusion": _CONCLUSIONS[node.passed],
        "assignHistoryList": [
            {
                "assignee": change.by,
                "newHandler": change.after,
                "originalHandler": change.before,
                "assignTime": _text(change.at),
            }
            for change in node.reassigned
        ],
    }


def _text(at: datetime) -> str:
    return str(milliseconds(at))


def _day(at: datetime, zone: ZoneInfo) -> str:
    return at.astimezone(zone).date().isoformat()
