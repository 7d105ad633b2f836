"""The documented interfaces: path, page, mandatory fields, success code, and a request like the page's."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sottovoce.client.ccsqm.calls import EVERY_STATUS
from sottovoce.client.ccsqm.connection import ISQM, SQM
from sottovoce.compat.sqm.interfaces import (
    FROM,
    ITEMS,
    NOBODYS_ID,
    NOBODYS_UUID,
    PLANS,
    SCENARIOS,
    SCORES,
    TASKS,
    UNTIL,
    Interface,
    plan_body,
    task_body,
)


def _sqm(part: str, **told: Any) -> Interface:
    return Interface(f"{SQM}/{part}", **told)


_TASK = {"qualityTaskId": NOBODYS_ID}
_PLAN = {"regularQualityTaskId": NOBODYS_ID}
_PAGE = {"page": 1, "rows": 10}
_RESULT = {"description": "remark", "revise": 0, "reviseId": f"silenceRule{NOBODYS_UUID}"}
_PROFILE: dict[str, Any] = {"name": "", "lower_bound": 0, "upper_bound": 100, "base": 100}
_PLAN_FIELDS = (
    "appointQuality",
    "appointQuality.setCounts",
    "appointQuality.setCounts.0.personID",
    "appointQuality.setCountsType",
    "cronStructure",
    "cronStructure.qiqtCycleType",
    "cronStructure.qiqtEndType",
    "cronStructure.qiqtStartTime",
    "extractionRange",
    "extractionRange.fixedColumns",
    "extractionRange.fixedColumns.qualityType",
)


@dataclass(frozen=True, slots=True)
class Interfaces:
    """All that are checked, with examples whose names begin as `name`, so that they can be found again."""

    create: Interface
    update: Interface
    delete: Interface
    terminate: Interface
    take_effect: Interface
    appoint: Interface
    query: Interface
    calls: Interface
    modify_result: Interface
    complete: Interface
    add_plan: Interface
    update_plan: Interface
    begin_plan: Interface
    stop_plan: Interface
    delete_plan: Interface
    query_plans: Interface
    details: Interface
    detail: Interface
    complain: Interface
    query_items: Interface
    item_detail: Interface
    item_result: Interface
    modify_item: Interface
    appeal: Interface
    reassign: Interface
    history: Interface
    speech_detail: Interface
    credit: Interface
    create_profile: Interface
    modify_profile: Interface
    apply_profile: Interface
    query_profiles: Interface
    create_scenario: Interface
    update_scenario: Interface
    scenario_status: Interface
    query_scenario: Interface
    query_scenarios: Interface

    def __iter__(self) -> Iterator[Interface]:
        return (getattr(self, name) for name in self.__slots__)


def interfaces(name: str, inspector: str) -> Interfaces:
    """The documented ones; whatever an example of them makes is called `name`-something."""
    task = _sqm_tasks(name, inspector)
    return Interfaces(**task, **_sqm_plans(name, inspector), **_sqm_calls(), **_sqm_rest(name))


def _sqm_tasks(name: str, inspector: str) -> dict[str, Interface]:
    window = {"startTimeMillis": FROM * 1000, "endTimeMillis": UNTIL * 1000}
    return {
        "create": _sqm(
            "qualitytask/createQualityTask",
            page="2510",
            example=task_body(f"{name}-x"),
            mandatory=(
                "currentRole",
                "fixedColumns",
                "fixedColumns.qualityNum",
                "fixedColumns.qualityType",
                "fixedColumns.interactionType",
                "qualityTask",
                "qualityTask.planName",
            ),
            code=TASKS,
            user=True,
        ),
        "update": _sqm(
            "qualitytask/updateQualityTask",
            page="2505",
            example={
                "currentRole": "qualityDirector",
                "qualityTask": {"planName": f"{name}-x", "id": NOBODYS_ID},
            },
            mandatory=("currentRole", "qualityTask.planName", "qualityTask.id"),
            code=TASKS,
            user=True,
        ),
        "delete": _sqm(
            "qualitytask/deleteQualityTask",
            page="2504",
            example=_TASK,
            mandatory=tuple(_TASK),
            code=TASKS,
            user=True,
        ),
        "terminate": _sqm(
            "qualitytask/terminateQualityTask",
            page="2506",
            example=_TASK,
            mandatory=tuple(_TASK),
            code=TASKS,
            user=True,
        ),
        "take_effect": _sqm(
            "qualitytask/takeEffectQualityTask",
            page="2507",
            example={"type": "1", "reserveTime": "", **_TASK},
            mandatory=("type", "qualityTaskId"),
            code=TASKS,
            user=True,
        ),
        "appoint": _sqm(
            "qualitytask/appointQualityTask",
            page="2509",
            example={
                **_TASK,
                "setCountsType": 1,
                "isTakeEffect": 0,
                "setCounts": [{"personID": inspector, "count": 2}],
            },
            mandatory=(
                "qualityTaskId",
                "setCountsType",
                "isTakeEffect",
                "setCounts",
                "setCounts.0.personID",
            ),
            code=TASKS,
            user=True,
        ),
        "query": _sqm(
            "qualitytask/queryQualityTask",
            page="2508",
            example={"currentRole": "qualityDirector", **window, **_PAGE},
            mandatory=("currentRole", "startTimeMillis", "endTimeMillis", "page", "rows"),
        ),
        "calls": _sqm(
            "qualitytask/callsQualityTask",
            page="2514",
            example={
                "currentRole": "qualityDirector",
                **_PAGE,
                "fixedColumns": {"planCode": NOBODYS_ID},
            },
            mandatory=("currentRole", "page", "rows", "fixedColumns", "fixedColumns.planCode"),
            code=TASKS,
        ),
        "modify_result": _sqm(
            "qualitytask/modifyResultQualityTask",
            page="2512",
            example={
                "isGroup": False,
                "ruleType": 60,
                "taskId": NOBODYS_ID,
                "uuid": NOBODYS_UUID,
                "ruleInfo": _RESULT,
            },
            mandatory=(
                "isGroup",
                "ruleType",
                "taskId",
                "uuid",
                "ruleInfo",
                *(f"ruleInfo.{name}" for name in _RESULT),
            ),
            code=TASKS,
        ),
        "complete": _sqm(
            "qualitytask/completeQualityTask",
            page="2513",
            example={
                "isGroup": False,
                "callId": NOBODYS_ID,
                "callGroupId": None,
                "qualityTaskCallId": NOBODYS_ID,
            },
            mandatory=("isGroup", "callId", "qualityTaskCallId"),
            code=TASKS,
        ),
    }


def _sqm_plans(name: str, inspector: str) -> dict[str, Interface]:
    plan = plan_body(f"{name}-x", inspector)
    named = {"page": "2498", "example": _PLAN, "mandatory": tuple(_PLAN), "code": PLANS}
    return {
        "add_plan": _sqm(
            "regularqualitytask/addQualityTask",
            page="2497",
            example=plan,
            mandatory=_PLAN_FIELDS,
            code=PLANS,
            user=True,
        ),
        "update_plan": _sqm(
            "regularqualitytask/updateQualityTask",
            page="2499",
            example={**plan, "qiqtId": NOBODYS_ID},
            mandatory=(
                *_PLAN_FIELDS,
                "extractionRange.fixedColumns.qualityNum",
                "extractionRange.fixedColumns.qualityCondition",
            ),
            code=PLANS,
            user=True,
        ),
        "begin_plan": _sqm("regularqualitytask/beginQualityTask", **named),
        "stop_plan": _sqm("regularqualitytask/stopQualityTask", **named | {"page": "2502"}),
        "delete_plan": _sqm("regularqualitytask/deleteQualityTask", **named | {"page": "2500"}),
        "query_plans": _sqm(
            "regularqualitytask/queryQualityTask",
            page="2501",
            example=_PAGE,
            mandatory=tuple(_PAGE),
            code=PLANS,
        ),
    }


def _sqm_calls() -> dict[str, Interface]:
    one = {"call_uuid": NOBODYS_UUID}
    details = {
        "call_types": [0, 2],
        "limit": 10,
        "page": 1,
        "status": list(EVERY_STATUS),
        "upload_from": FROM,
        "upload_to": UNTIL,
    }
    return {
        "details": _sqm(
            "appraisecall/details", page="2492", example=details, mandatory=tuple(details), user=True
        ),
        "detail": _sqm("appraisecall/detail", page="2493", example=one, mandatory=tuple(one)),
        "complain": _sqm(
            "appraisecall/complain",
            page="2495",
            example={
                "taskDescription": "remark",
                "callId": NOBODYS_UUID,
                "callGroupId": NOBODYS_UUID,
                "isGroup": False,
                "chooseRuleGroupList": [
                    {"ruleGroupId": f"groupid_{NOBODYS_UUID}", "reviseIdList": [_RESULT["reviseId"]]}
                ],
                "leaderUUID": NOBODYS_ID,
                "leaderRole": "10",
                "callType": "0",
                "fileName": "766",
            },
            mandatory=(
                "taskDescription",
                "callId",
                "callGroupId",
                "chooseRuleGroupList",
                "chooseRuleGroupList.0.ruleGroupId",
                "chooseRuleGroupList.0.reviseIdList",
                "leaderUUID",
                "leaderRole",
            ),
            for_agents=True,
        ),
        "speech_detail": Interface(
            f"{ISQM}/appraisecall/detail", page="2526", example=one, mandatory=tuple(one)
        ),
        "credit": Interface(f"{ISQM}/appraisecall/credit", page="2527", example=one, mandatory=tuple(one)),
    }


def _sqm_rest(name: str) -> dict[str, Interface]:
    profile = _PROFILE | {"name": f"{name}-x"}
    group = {"group_id": f"groupid_{NOBODYS_UUID}"}
    named = {"group_name": f"{name}-x"}
    times = {"other": {"call_from": 1_622_536_490_000, "call_end": 1_625_042_093_000}}
    page = {"page": 1, "limit": 10}
    return {
        "query_items": _sqm("qualityitem/queryQualityItem", page="2519", example=_PAGE),
        "item_detail": _sqm(
            "qualityitem/queryQualityItemDetail",
            page="2520",
            example={"qualityItemId": NOBODYS_ID},
            mandatory=("qualityItemId",),
        ),
        "item_result": _sqm(
            "qualityitem/queryQualityItemResult", page="2521", example={"qualityId": NOBODYS_ID}
        ),
        "modify_item": _sqm(
            "qualityitem/modifyQualityItemResult",
            page="2517",
            example={
                "qualityItemId": NOBODYS_ID,
                "qualityItemType": 2,
                "isGroup": False,
                "ruleType": 11,
                "uuid": NOBODYS_UUID,
                "ruleInfo": _RESULT,
            },
            code=ITEMS,
        ),
        "appeal": _sqm(
            "qualityitem/appealItem",
            page="2518",
            example={
                "assignee": NOBODYS_ID,
                "auditOperation": "pass",
                "callId": NOBODYS_UUID,
                "coment": "aaa",
                "taskInfoId": NOBODYS_ID,
            },
            code=ITEMS,
        ),
        "reassign": _sqm(
            "qualityitem/reassginQualityTask",
            page="2516",
            example={"qualityTaskInfoId": NOBODYS_ID, "handler": NOBODYS_ID, "role": "qualityDirector"},
            code=ITEMS,
        ),
        "history": _sqm(
            "qualityitem/queryQualityHistory",
            page="2522",
            example={"qualityTaskInfoId": NOBODYS_ID},
            mandatory=("qualityTaskInfoId",),
        ),
        "create_profile": _sqm(
            "appraisescore/createAppraiseScore",
            page="2417",
            example=profile,
            mandatory=tuple(profile),
            code=SCORES,
        ),
        "modify_profile": _sqm(
            "appraisescore/modifyAppraiseScore",
            page="2421",
            example={**profile, "id": NOBODYS_ID},
            mandatory=("id", *profile),
            code=SCORES,
        ),
        "apply_profile": _sqm(
            "appraisescore/applyAppraiseScore",
            page="2418",
            example={"id": NOBODYS_ID},
            mandatory=("id",),
            code=SCORES,
        ),
        "query_profiles": _sqm(
            "appraisescore/queryAppraiseScore",
            page="2420",
            example=page,
            mandatory=tuple(page),
            code=SCORES,
            user=True,
        ),
        "create_scenario": _sqm(
            "scenariomanage/createScenario",
            page="2487",
            example={**named, **times},
            mandatory=("group_name", "other"),
            code=SCENARIOS,
        ),
        "update_scenario": _sqm(
            "scenariomanage/updateScenario",
            page="2489",
            example={**group, **named, "is_enable": 1},
            mandatory=("group_id", "group_name", "is_enable"),
            code=SCENARIOS,
        ),
        "scenario_status": _sqm(
            "scenariomanage/updateScenarioStatus",
            page="2486",
            example={**group, "is_enable": 1},
            mandatory=("group_id", "is_enable"),
            code=SCENARIOS,
        ),
        "query_scenario": _sqm(
            "scenariomanage/queryScenario", page="2488", example=group, mandatory=tuple(group)
        ),
        "query_scenarios": _sqm(
            "scenariomanage/queryAllScenario", page="2490", example=page, mandatory=tuple(page)
        ),
    }
