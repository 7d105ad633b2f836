"""The interfaces that are checked, each with a request like its page's; all else is in the ledgers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sottovoce.client.ccsqm.calls import EVERY_STATUS
from sottovoce.client.ccsqm.connection import ISQM, SQM
from sottovoce.compat.sqm.interfaces import (
    FROM,
    NOBODYS_ID,
    NOBODYS_UUID,
    UNTIL,
    Interface,
    plan_body,
    row_of,
    task_body,
)

_TASK = {"qualityTaskId": NOBODYS_ID}
_PLAN = {"regularQualityTaskId": NOBODYS_ID}
_CALL = {"call_uuid": NOBODYS_UUID}
_GROUP = {"group_id": f"groupid_{NOBODYS_UUID}"}
_PAGE = {"page": 1, "rows": 10}
_LIMIT = {"page": 1, "limit": 10}
_RESULT = {"description": "remark", "revise": 0, "reviseId": f"silenceRule{NOBODYS_UUID}"}
_DIRECTOR = {"currentRole": "qualityDirector"}


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
    return Interfaces(
        **_tasks(f"{name}-x", inspector),
        **_plans(f"{name}-x", inspector),
        **_calls(),
        **_items(),
        **_scores(f"{name}-x"),
    )


def _sqm(path: str, example: Mapping[str, Any], *, for_agents: bool = False) -> Interface:
    return Interface(row_of(f"{SQM}/{path}"), example, for_agents)


def _tasks(name: str, inspector: str) -> dict[str, Interface]:
    window = {"startTimeMillis": FROM * 1000, "endTimeMillis": UNTIL * 1000}
    shares = {"setCountsType": 1, "isTakeEffect": 0, "setCounts": [{"personID": inspector, "count": 2}]}
    correction = {"isGroup": False, "ruleType": 60, "taskId": NOBODYS_ID, "uuid": NOBODYS_UUID}
    item = {"isGroup": False, "callId": NOBODYS_ID, "callGroupId": None, "qualityTaskCallId": NOBODYS_ID}
    renamed = {"qualityTask": {"planName": name, "id": NOBODYS_ID}}
    return {
        "create": _sqm("qualitytask/createQualityTask", task_body(name)),
        "update": _sqm("qualitytask/updateQualityTask", {**_DIRECTOR, **renamed}),
        "delete": _sqm("qualitytask/deleteQualityTask", _TASK),
        "terminate": _sqm("qualitytask/terminateQualityTask", _TASK),
        "take_effect": _sqm("qualitytask/takeEffectQualityTask", {"type": "1", "reserveTime": "", **_TASK}),
        "appoint": _sqm("qualitytask/appointQualityTask", {**_TASK, **shares}),
        "query": _sqm("qualitytask/queryQualityTask", {**_DIRECTOR, **window, **_PAGE}),
        "calls": _sqm(
            "qualitytask/callsQualityTask", {**_DIRECTOR, **_PAGE, "fixedColumns": {"planCode": NOBODYS_ID}}
        ),
        "modify_result": _sqm("qualitytask/modifyResultQualityTask", {**correction, "ruleInfo": _RESULT}),
        "complete": _sqm("qualitytask/completeQualityTask", item),
    }


def _plans(name: str, inspector: str) -> dict[str, Interface]:
    plan = plan_body(name, inspector)
    return {
        "add_plan": _sqm("regularqualitytask/addQualityTask", plan),
        "update_plan": _sqm("regularqualitytask/updateQualityTask", {**plan, "qiqtId": NOBODYS_ID}),
        "begin_plan": _sqm("regularqualitytask/beginQualityTask", _PLAN),
        "stop_plan": _sqm("regularqualitytask/stopQualityTask", _PLAN),
        "delete_plan": _sqm("regularqualitytask/deleteQualityTask", _PLAN),
        "query_plans": _sqm("regularqualitytask/queryQualityTask", _PAGE),
    }


def _calls() -> dict[str, Interface]:
    every = {"call_types": [0, 2], "status": list(EVERY_STATUS), "upload_from": FROM, "upload_to": UNTIL}
    appealed = {"ruleGroupId": f"groupid_{NOBODYS_UUID}", "reviseIdList": [_RESULT["reviseId"]]}
    appeal = {
        "taskDescription": "remark",
        "callId": NOBODYS_UUID,
        "callGroupId": NOBODYS_UUID,
        "isGroup": False,
        "chooseRuleGroupList": [appealed],
        "leaderUUID": NOBODYS_ID,
        "leaderRole": "10",
        "callType": "0",
        "fileName": "766",
    }
    return {
        "details": _sqm("appraisecall/details", {**every, **_LIMIT}),
        "detail": _sqm("appraisecall/detail", _CALL),
        "complain": _sqm("appraisecall/complain", appeal, for_agents=True),
        "speech_detail": Interface(row_of(f"{ISQM}/appraisecall/detail"), _CALL),
        "credit": Interface(row_of(f"{ISQM}/appraisecall/credit"), _CALL),
    }


def _items() -> dict[str, Interface]:
    about = {"qualityItemId": NOBODYS_ID}
    correction = {"qualityItemType": 2, "isGroup": False, "ruleType": 11, "uuid": NOBODYS_UUID}
    judged = {"assignee": NOBODYS_ID, "auditOperation": "pass", "callId": NOBODYS_UUID, "coment": "aaa"}
    given = {"qualityTaskInfoId": NOBODYS_ID, "handler": NOBODYS_ID, "role": "qualityDirector"}
    return {
        "query_items": _sqm("qualityitem/queryQualityItem", _PAGE),
        "item_detail": _sqm("qualityitem/queryQualityItemDetail", about),
        "item_result": _sqm("qualityitem/queryQualityItemResult", {"qualityId": NOBODYS_ID}),
        "modify_item": _sqm(
            "qualityitem/modifyQualityItemResult", {**about, **correction, "ruleInfo": _RESULT}
        ),
        "appeal": _sqm("qualityitem/appealItem", {**judged, "taskInfoId": NOBODYS_ID}),
        "reassign": _sqm("qualityitem/reassginQualityTask", given),
        "history": _sqm("qualityitem/queryQualityHistory", {"qualityTaskInfoId": NOBODYS_ID}),
    }


def _scores(name: str) -> dict[str, Interface]:
    profile = {"name": name, "lower_bound": 0, "upper_bound": 100, "base": 100}
    named = {"group_name": name}
    times = {"other": {"call_from": 1_622_536_490_000, "call_end": 1_625_042_093_000}}
    return {
        "create_profile": _sqm("appraisescore/createAppraiseScore", profile),
        "modify_profile": _sqm("appraisescore/modifyAppraiseScore", {**profile, "id": NOBODYS_ID}),
        "apply_profile": _sqm("appraisescore/applyAppraiseScore", {"id": NOBODYS_ID}),
        "query_profiles": _sqm("appraisescore/queryAppraiseScore", _LIMIT),
        "create_scenario": _sqm("scenariomanage/createScenario", {**named, **times}),
        "update_scenario": _sqm("scenariomanage/updateScenario", {**_GROUP, **named, "is_enable": 1}),
        "scenario_status": _sqm("scenariomanage/updateScenarioStatus", {**_GROUP, "is_enable": 1}),
        "query_scenario": _sqm("scenariomanage/queryScenario", _GROUP),
        "query_scenarios": _sqm("scenariomanage/queryAllScenario", _LIMIT),
    }
