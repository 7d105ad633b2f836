"""`qualityitem/` [2516-2522] and complain [2495]: the pages' examples, whole ways, every cell."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from tests.grids import QUALITY_ITEMS as GRIDS
from tests.grids import RIGHTS
from tests.quality.disputes import (
    SCENARIO,
    appeal,
    disputed_call,
    history_of,
    inspected,
    placed,
    problem,
    state_of,
    step,
    violated,
)
from tests.quality.standing import (
    ANN,
    BEN,
    BY_ROLE,
    DIRECTOR,
    FOREIGN,
    INSPECTOR,
    LEADER,
    NOW,
    PLAIN,
    SECOND,
    TABLE_DIRECTOR,
    TABLE_LEADER,
    TWO,
    Answered,
    Standing,
)

from sottovoce.config import QualitySettings
from sottovoce.domain.appeals import AppealState, AppealStep, Kind, QualityItem
from sottovoce.domain.people import ReviewId, Role, UserId
from sottovoce.domain.rights import Operation, Scope
from sottovoce.errors import Code
from sottovoce.http.ccsqm import complain, qualityitem
from sottovoce.http.ccsqm.codes import SUCCESSFUL, Module
from sottovoce.storage.tables import quality_items, user_groups, users, vdns

QUALITY_ITEMS = Module("0410", "0410000")
CALL = "c6a31191-6c69-486b-b8f9-c3412ef44bfd"
RESULTS = (
    "silenceRule4a0e94cf-c357-4d53-9beb-4cefb2a81fb4",
    "silenceRule4aa85a8a-f914-4488-bf11-adbbfde3fe95",
)
COMPLAINT = {
    "taskDescription": "remark",
    "callId": CALL,
    "callGroupId": CALL,
    "isGroup": False,
    "chooseRuleGroupList": [{"ruleGroupId": SCENARIO, "reviseIdList": list(RESULTS)}],
    "leaderUUID": "1600226359041729505",
    "leaderRole": "10",
    "fileName": "766",
}
"""The request of the page's example."""
PAGE_LEADER = UserId("1600226359041729505")
PAGE_ITEM = ReviewId("16239231508327803347")
PAGE_CALL = "fcbd13e7-ede6-4150-8f20-1867261f313c"
DONE = {"resultCode": "0410000", "resultDesc": SUCCESSFUL}


async def example_leader(standing: Standing) -> None:
    """The leader of the page's example is here one of the inspectors': let them lead Ann, as table leader."""
    async with standing.engine.begin() as connection:
        roles = [Role.TABLE_LEADER.value]
        await connection.execute(sa.update(users).where(users.c.user == PAGE_LEADER).values(roles=roles))


async def test_complain_as_the_page_writes_it(standing: Standing) -> None:
    await example_leader(standing)
    contact = await standing.contact(uuid=UUID(CALL))
    await violated(standing, contact, *RESULTS)
    answer = await standing.call("appraisecall/complain", COMPLAINT, ANN)
    assert (answer.status, answer.body) == (200, {"callId": CALL, "available": True})
    again = await standing.call("appraisecall/complain", COMPLAINT, ANN)
    assert again.code == "0407005"


async def test_complain_takes_a_call_by_its_number_too(standing: Standing) -> None:
    contact, results = await disputed_call(standing)
    for call in (contact, str(contact)):
        body = {
            **COMPLAINT,
            "callId": call,
            "callGroupId": None,
            "callType": "0",
            "leaderUUID": int(TABLE_LEADER),
            "chooseRuleGroupList": [{"ruleGroupId": SCENARIO, "reviseIdList": results}],
        }
        answer = await standing.call("appraisecall/complain", body, ANN)
        if call == contact:
            assert answer.body == {"callId": str(contact), "available": True}
            (item,) = await ids_of(standing)
            await step(standing, item, TABLE_LEADER, AppealStep.BACK)
        else:
            assert answer.ok


COMPLAINTS_REFUSED: tuple[tuple[Mapping[str, Any], str, str], ...] = (
    ({"callId": None}, "0407001", "callId"),
    ({"callId": 1.5}, "0407001", "callId"),
    ({"callId": "nobody's"}, "0407004", ""),
    ({"leaderUUID": "x"}, "0407001", "leaderUUID"),
    ({"leaderUUID": INSPECTOR}, "0407001", "leaderUUID: user"),
    ({"leaderUUID": FOREIGN}, "0407001", "leaderUUID: names no user"),
    ({"taskDescription": 5}, "0407001", "taskDescription"),
    ({"taskDescription": ""}, "0407001", "taskDescription"),
    ({"isGroup": "no"}, "0407001", "isGroup"),
    ({"chooseRuleGroupList": []}, "0407001", "chooseRuleGroupList: names no result"),
    ({"chooseRuleGroupList": [{"ruleGroupId": SCENARIO}]}, "0407001", "chooseRuleGroupList.0.reviseIdList"),
    (
        {"chooseRuleGroupList": [{"ruleGroupId": SCENARIO, "reviseIdList": [RESULTS[0], "other"]}]},
        "0407001",
        "chooseRuleGroupList.0.reviseIdList.1: ",
    ),
    (
        {"chooseRuleGroupList": [{"ruleGroupId": "groupid_x", "reviseIdList": [RESULTS[0]]}]},
        "0407001",
        "chooseRuleGroupList.0.reviseIdList.0: ",
    ),
)


async def test_a_complaint_that_is_refused_names_its_field(standing: Standing) -> None:
    contact = await standing.contact(uuid=UUID(CALL))
    await violated(standing, contact, *RESULTS)
    right = {**COMPLAINT, "leaderUUID": TABLE_LEADER}
    for change, code, begins in COMPLAINTS_REFUSED:
        answer = await standing.call("appraisecall/complain", {**right, **change}, ANN)
        assert (answer.status, answer.code) == (200, code), change
        assert answer.body["resultDesc"].startswith(begins), change
    assert (await standing.call("appraisecall/complain", right, BEN)).code == "0407004"
    await inspected(standing, contact, TABLE_LEADER)
    assert (await standing.call("appraisecall/complain", right, ANN)).code == "0407009"
    assert await ids_of(standing) == []


async def ids_of(standing: Standing) -> list[ReviewId]:
    async with standing.engine.begin() as connection:
        found = await connection.execute(sa.select(quality_items.c.quality_item))
        return [ReviewId(item) for item in found.scalars()]


async def test_the_steps_as_the_pages_write_them(standing: Standing) -> None:
    """appealItem, reassginQualityTask and modifyQualityItemResult on one item, its id as text and bare."""
    result = "silenceRule2ad54b75-7823-45f6-8117-d920510f7195"
    item, _ = await placed(
        standing, Kind.APPEAL, AppealState.REVIEWING, TABLE_LEADER, named=PAGE_ITEM, uuid=UUID(PAGE_CALL)
    )
    await violated(standing, item.contact, result)
    async with standing.engine.begin() as connection:
        await connection.execute(
            sa.text("INSERT INTO quality_item_hits (vdn, quality_item, result) VALUES (1, :item, :result)"),
            {"item": PAGE_ITEM, "result": result},
        )
    answer = await standing.call(
        "qualityitem/appealItem",
        {
            "assignee": "1623922081217484235",
            "auditOperation": "pass",
            "callId": PAGE_CALL,
            "coment": "aaa",
            "taskInfoId": PAGE_ITEM,
        },
        TABLE_LEADER,
    )
    assert answer.body == DONE
    answer = await standing.call(
        "qualityitem/reassginQualityTask",
        {"qualityTaskInfoId": PAGE_ITEM, "handler": "1623924821759623386", "role": "qualityDirector"},
    )
    assert answer.body == DONE
    assert (await state_of(standing, PAGE_ITEM)).handler == "1623924821759623386"
    answer = await standing.call(
        "qualityitem/modifyQualityItemResult",
        {
            "qualityItemId": int(PAGE_ITEM),
            "qualityItemType": 2,
            "isGroup": False,
            "ruleType": 11,
            "uuid": PAGE_CALL,
            "ruleInfo": {"reviseId": result, "revise": 0, "description": "111"},
        },
        UserId("1623924821759623386"),
    )
    assert answer.body == DONE
    answer = await standing.call("qualityitem/queryQualityItemResult", {"qualityId": int(PAGE_ITEM)})
    assert answer.body[0]["manuallyScore"] is None, "a correction counts once the appeal is completed"
    await step(standing, PAGE_ITEM, UserId("1623924821759623386"), AppealStep.PASS)
    await step(standing, PAGE_ITEM, LEADER, AppealStep.PASS)
    answer = await standing.call("qualityitem/queryQualityItemResult", {"qualityId": int(PAGE_ITEM)})
    (scored,) = answer.body
    assert list(scored) == [
        "createTime",
        "ruleGroupName",
        "manuallyScore",
        "automaticScore",
        "credit",
        "ruleGroupId",
    ]
    assert (scored["createTime"], scored["ruleGroupName"]) == (int(NOW.timestamp()), "test3")
    assert (scored["manuallyScore"], scored["automaticScore"], scored["ruleGroupId"]) == (70, 70, SCENARIO)
    revised = {one["revise_id"]: one["revise"] for one in scored["credit"]["silence_rule"]}
    assert (revised.pop(result), set(revised.values())) == (0, {-1})
    assert scored["credit"]["setting"] == {
        "group_id": SCENARIO,
        "group_name": "test3",
        "ignore_sensitive": 0,
        "description": "",
    }


async def test_the_list(standing: Standing) -> None:
    """Days are the tenant's, filters are by users, times are seconds, and pages are counted."""
    async with standing.engine.begin() as connection:
        await connection.execute(sa.update(vdns).values(time_zone="Pacific/Pago_Pago"))
    contact, results = await disputed_call(standing)
    first = await problem(standing, contact, results)
    standing.clock.advance(1800)
    await step(standing, first, TABLE_LEADER, AppealStep.BACK)
    call, others = await disputed_call(standing, 102)
    second = await appeal(standing, call, others, agent=BEN, leader=TABLE_DIRECTOR)

    async def query(columns: Mapping[str, Any] | None = None, **body: Any) -> Answered:
        sent = {**body, **({} if columns is None else {"fixedColumns": columns})}
        answer = await standing.call("qualityitem/queryQualityItem", sent)
        assert answer.ok, answer.body
        return answer

    answer = await query()
    assert list(answer.body) == ["total", "pages", "data", "pageSize", "pageNum"]
    assert {name: answer.body[name] for name in ("total", "pages", "pageSize", "pageNum")} == {
        "total": 2,
        "pages": 1,
        "pageSize": 10,
        "pageNum": 1,
    }
    assert answer.body["data"] == [
        {
            "id": second,
            "taskTypeName": "Appeal",
            "inspectorName": None,
            "reviewingOfficerName": "Tom Table",
            "initiatorName": "Ben",
            "taskOperatorName": "Tom Table",
            "agentName": None,
            "taskStatusName": "Reviewing",
            "calls": [{"call_uuid": str(UUID(int=2))}],
            "createTimeStr": "2026-03-01",
            "updateTimeStr": "2026-03-01",
            "setting": {"file_name": "call-2.wav"},
        },
        {
            "id": first,
            "taskTypeName": "Problem",
            "inspectorName": "Ida Inspector",
            "reviewingOfficerName": None,
            "initiatorName": "Ida Inspector",
            "taskOperatorName": None,
            "agentName": "Lea Table",
            "taskStatusName": "Handling",
            "calls": [{"call_uuid": str(UUID(int=1))}],
            "createTimeStr": "2026-03-01",
            "updateTimeStr": "2026-03-01",
            "setting": {"file_name": "call-1.wav"},
        },
    ]

    async def ids(columns: Mapping[str, Any] | None = None, **body: Any) -> list[str]:
        return [line["id"] for line in (await query(columns, **body)).body["data"]]

    began = int(NOW.timestamp())
    assert await ids({"taskType": "1"}) == await ids({"taskStatus": 24}) == [first]
    assert await ids({"taskType": 2}) == await ids({"taskStatus": "21"}) == [second]
    assert await ids({"taskStatus": 27}) == await ids({"taskStatus": 22}) == []
    assert await ids({"agentUserIds": [ANN]}) == [first]
    assert await ids({"agentUserIds": [int(BEN), DIRECTOR]}) == [second]
    assert await ids({"qualityUserIds": [INSPECTOR]}) == [first]
    assert await ids({"agentUserIds": [], "qualityUserIds": []}) == [second, first]
    assert await ids(startTimeMillis=began + 1) == [second]
    assert await ids(endTimeMillis=began) == [first]
    assert await ids(startTimeMillis=began, endTimeMillis=began + 1800) == [second, first]
    assert await ids(rows=1, page=2) == [first]
    last = (await query(rows=1, page=3)).body
    assert (last["total"], last["pages"], last["data"]) == (2, 2, [])
    assert await ids(rows=1_000_000) == [second, first]
    for body, field in (
        ({"fixedColumns": {"taskType": "3"}}, "fixedColumns.taskType"),
        ({"fixedColumns": {"taskStatus": 23}}, "fixedColumns.taskStatus"),
        ({"fixedColumns": {"agentUserIds": "x"}}, "fixedColumns.agentUserIds"),
        ({"fixedColumns": {"qualityUserIds": [1.5]}}, "fixedColumns.qualityUserIds.0"),
        ({"startTimeMillis": "soon"}, "startTimeMillis"),
        ({"rows": 1_000_001}, "rows"),
        ({"page": 0}, "page"),
    ):
        answer = await standing.call("qualityitem/queryQualityItem", body)
        assert (answer.status, answer.code) == (200, "0410001"), body
        assert answer.body["resultDesc"].startswith(field + ": "), body


async def test_pages_have_every_item_once(standing: Standing) -> None:
    for _ in range(5):
        await placed(standing, Kind.APPEAL, AppealState.HANDLING, None)
    listed = []
    for page in (1, 2, 3):
        answer = await standing.call("qualityitem/queryQualityItem", {"rows": 2, "page": page}, LEADER)
        assert (answer.body["total"], answer.body["pages"]) == (5, 3)
        listed += [line["id"] for line in answer.body["data"]]
    assert len(set(listed)) == 5
    assert listed == sorted(listed, key=int, reverse=True)


async def test_the_detail(standing: Standing) -> None:
    item, (first, second) = await placed(standing, Kind.APPEAL, AppealState.HANDLING, SECOND)
    standing.clock.advance(60)
    await modify(standing, item.item, first, 1, SECOND)
    answer = await standing.call("qualityitem/queryQualityItemDetail", {"qualityItemId": int(item.item)})
    hit = {
        "callId": str(item.contact),
        "ruleId": "920806740809748480",
        "ruleName": "Silence",
        "ruleDescribe": "",
        "valid": 0,
        "type": 11,
        "createTime": int(NOW.timestamp()),
        "appealId": item.item,
        "ruleGroupId": SCENARIO,
    }
    begun = int(NOW.timestamp())
    corrected = {"updateTime": begun + 60, "description": "listened again", "reviseId": first, "revise": 1}
    untouched = {"updateTime": begun, "description": "", "reviseId": second, "revise": -1}
    assert answer.body == {
        "agentIsNull": True,
        "qualityItemRuleHit": [{"id": 1, **hit, **corrected}, {"id": 2, **hit, **untouched}],
        "title": "Appeal: call-1.wav",
        "qualityItem": {"callId": str(item.contact), "taskType": 2},
    }
    await judge(standing, item.item, "pass", SECOND)
    answer = await standing.call("qualityitem/queryQualityItemDetail", {"qualityItemId": item.item})
    assert answer.body["agentIsNull"] is False


async def test_ids_are_numbers_where_the_settings_want_them(standing: Standing) -> None:
    item, _ = await placed(standing, Kind.PROBLEM, AppealState.REVIEWING, None)
    standing_with_numbers = Standing(
        standing.engine.url.render_as_string(hide_password=False),
        standing.office.recordings,
        QualitySettings(numeric_ids=True),
    )
    standing_with_numbers.tokens = standing.tokens
    try:
        answer = await standing_with_numbers.call("qualityitem/queryQualityItem", {})
    finally:
        await standing_with_numbers.close()
    assert answer.body["data"][0]["id"] == int(item.item)


async def judge(
    standing: Standing, item: ReviewId, operation: str, user: UserId, **more: Any
) -> dict[str, Any]:
    body = {"auditOperation": operation, "taskInfoId": item, **more}
    return dict((await standing.call("qualityitem/appealItem", body, user)).body)


async def modify(
    standing: Standing, item: ReviewId, result: str, revise: int, user: UserId, **more: Any
) -> dict[str, Any]:
    rule = {"reviseId": result, "revise": revise, "description": "listened again"}
    body = {"qualityItemId": item, "ruleInfo": rule, **more}
    return dict((await standing.call("qualityitem/modifyQualityItemResult", body, user)).body)


async def history(standing: Standing, item: ReviewId, user: UserId = DIRECTOR) -> dict[str, Any]:
    answer = await standing.call("qualityitem/queryQualityHistory", {"qualityTaskInfoId": item}, user)
    assert answer.ok, answer.body
    return dict(answer.body)


async def told(standing: Standing, item: ReviewId) -> list[str]:
    """The history as lines: the node, who handled it, and how."""
    names = {
        ANN: "Ann",
        INSPECTOR: "Ida",
        SECOND: "Sam",
        DIRECTOR: "Dora",
        LEADER: "Leo",
        TABLE_LEADER: "Lea",
    }
    return [
        " ".join(
            [
                f"{node['nodeId']} {node['nodeName']}: {names.get(node['handler'], '-')}",
                *([node["conclusion"]] if node["conclusion"] else []),
                *(f"({names[change['newHandler']]})" for change in node["assignHistoryList"]),
            ]
        )
        for node in (await history(standing, item))["workflowNodeList"]
    ]


async def status(standing: Standing, item: ReviewId) -> str:
    answer = await standing.call("qualityitem/queryQualityItem", {"rows": 100})
    return next(str(line["taskStatusName"]) for line in answer.body["data"] if line["id"] == item)


async def filed(standing: Standing) -> tuple[ReviewId, list[str]]:
    contact, results = await disputed_call(standing)
    body = {
        **COMPLAINT,
        "callId": str(contact),
        "leaderUUID": TABLE_LEADER,
        "chooseRuleGroupList": [{"ruleGroupId": SCENARIO, "reviseIdList": results}],
    }
    assert (await standing.call("appraisecall/complain", body, ANN)).ok
    (item,) = await ids_of(standing)
    return item, results


async def test_an_appeal_that_passes(standing: Standing) -> None:
    item, (first, _) = await filed(standing)
    standing.clock.advance(60)
    assert await judge(standing, item, "pass", TABLE_LEADER, coment="listen again") == DONE
    standing.clock.advance(60)
    assert await judge(standing, item, "assign", LEADER, assignee=SECOND, role="qualityGroupLeader") == DONE
    assert await modify(standing, item, first, 1, SECOND) == DONE
    assert await judge(standing, item, "pass", SECOND, coment="right", role=SECOND) == DONE
    assert await judge(standing, item, "pass", DIRECTOR) == DONE
    assert await status(standing, item) == "Completed"
    assert await told(standing, item) == [
        "1 Submitted: Ann",
        "2 Reviewing: Lea passed",
        "3 Handling: Sam passed (Sam)",
        "4 Verifying: Dora passed",
    ]
    shown = await history(standing, item)
    assert list(shown) == ["showAssgin", "workflowNodeList", "canHandle", "showReassgin"]
    begun = round(NOW.timestamp() * 1000)
    assert shown["workflowNodeList"][0] == {
        "nodeName": "Submitted",
        "nodeId": "1",
        "remark": "remark",
        "createTime": str(begun),
        "handler": ANN,
        "conclusion": None,
        "assignHistoryList": [],
    }
    assert shown["workflowNodeList"][2] == {
        "nodeName": "Handling",
        "nodeId": "3",
        "remark": "right",
        "createTime": str(begun + 120_000),
        "handler": SECOND,
        "conclusion": "passed",
        "assignHistoryList": [
            {
                "assignee": LEADER,
                "newHandler": SECOND,
                "originalHandler": None,
                "assignTime": str(begun + 120_000),
            }
        ],
    }
    answer = await standing.call("qualityitem/queryQualityItemResult", {"qualityId": item}, ANN)
    assert [(one["automaticScore"], one["manuallyScore"]) for one in answer.body] == [(80, 90)]


async def test_an_appeal_that_its_leader_sends_back(standing: Standing) -> None:
    item, _ = await filed(standing)
    assert await judge(standing, item, "back", TABLE_LEADER) == DONE
    assert await told(standing, item) == ["1 Submitted: Ann", "2 Reviewing: Lea not passed"]
    assert await status(standing, item) == "Completed"
    assert (await judge(standing, item, "pass", TABLE_LEADER))["resultCode"] == "0410005"


async def test_an_appeal_that_its_handler_sends_back(standing: Standing) -> None:
    item, (first, _) = await filed(standing)
    await judge(standing, item, "pass", TABLE_LEADER)
    assert await modify(standing, item, first, 1, LEADER) == DONE
    refused = await judge(standing, item, "back", LEADER)
    assert (refused["resultCode"], first in refused["resultDesc"]) == ("0410005", True)
    assert await modify(standing, item, first, 0, LEADER) == DONE
    assert await judge(standing, item, "back", LEADER) == DONE
    assert (await judge(standing, item, "pass", LEADER))["resultCode"] == "0410009"
    assert await judge(standing, item, "pass", DIRECTOR) == DONE
    assert await told(standing, item) == [
        "1 Submitted: Ann",
        "2 Reviewing: Lea passed",
        "3 Handling: Leo not passed (Leo)",
        "4 Verifying: Dora passed",
    ]
    assert (await state_of(standing, item)).passed is False


async def test_an_appeal_that_verification_sends_back(standing: Standing) -> None:
    item, (first, _) = await filed(standing)
    await judge(standing, item, "pass", TABLE_LEADER)
    await judge(standing, item, "assign", LEADER, assignee=SECOND)
    await judge(standing, item, "back", SECOND)
    assert await judge(standing, item, "back", DIRECTOR) == DONE
    assert (await history(standing, item, SECOND))["canHandle"] is True
    assert await modify(standing, item, first, 1, SECOND) == DONE
    await judge(standing, item, "pass", SECOND)
    await judge(standing, item, "pass", LEADER)
    assert await told(standing, item) == [
        "1 Submitted: Ann",
        "2 Reviewing: Lea passed",
        "3 Handling: Sam not passed (Sam)",
        "4 Verifying: Dora not passed",
        "5 Handling: Sam passed",
        "6 Verifying: Leo passed",
    ]
    assert (await state_of(standing, item)).passed is True


async def test_a_problem_that_is_accepted(standing: Standing) -> None:
    contact, results = await disputed_call(standing)
    item = await problem(standing, contact, results)
    assert await status(standing, item) == "Reviewing"
    assert await judge(standing, item, "pass", TABLE_LEADER) == DONE
    assert await told(standing, item) == ["1 Submitted: Ida", "2 Reviewing: Lea passed"]
    assert await status(standing, item) == "Completed"


async def test_a_problem_that_is_disputed(standing: Standing) -> None:
    contact, results = await disputed_call(standing)
    item = await problem(standing, contact, results)
    await judge(standing, item, "back", TABLE_LEADER, coment="she was on hold")
    assert (await judge(standing, item, "pass", INSPECTOR))["resultCode"] == "0410003"
    refused = await judge(standing, item, "assign", LEADER, assignee=INSPECTOR)
    assert refused["resultCode"] == "0410009"
    await judge(standing, item, "assign", LEADER, assignee=SECOND)
    assert await modify(standing, item, results[0], 1, SECOND, qualityItemType=1) == DONE
    assert (await judge(standing, item, "pass", SECOND))["resultCode"] == "0410005"
    assert await judge(standing, item, "back", SECOND) == DONE
    assert await judge(standing, item, "pass", DIRECTOR) == DONE
    assert await told(standing, item) == [
        "1 Submitted: Ida",
        "2 Reviewing: Lea not passed",
        "3 Handling: Sam not passed (Sam)",
        "4 Verifying: Dora passed",
    ]


async def test_what_a_step_says_of_its_item_must_be_so(standing: Standing) -> None:
    item, (first, _) = await placed(standing, Kind.APPEAL, AppealState.HANDLING, SECOND)
    other, _ = await disputed_call(standing)
    judgements: tuple[tuple[dict[str, Any], str, str], ...] = (
        ({"callId": str(other)}, "0410004", ""),
        ({"callId": PAGE_CALL}, "0410004", ""),
        ({"callId": "?"}, "0410004", ""),
        ({"callId": 2.5}, "0410001", "callId"),
        ({"auditOperation": "forward"}, "0410001", "auditOperation"),
        ({"auditOperation": None}, "0410001", "auditOperation"),
        ({"auditOperation": "assign"}, "0410001", "assignee: is missing"),
        ({"auditOperation": "assign", "assignee": PLAIN}, "0410001", "assignee: user"),
        ({"taskInfoId": "1"}, "0410004", ""),
        ({"taskInfoId": 1.5}, "0410001", "taskInfoId"),
        ({"coment": 7}, "0410001", "coment"),
        ({"role": "boss"}, "0410001", "role"),
        ({"role": "tableDirector"}, "0410003", ""),
    )
    right = {"auditOperation": "pass", "taskInfoId": item.item}
    for change, code, begins in judgements:
        answer = await standing.call("qualityitem/appealItem", {**right, **change})
        assert (answer.status, answer.code) == (200, code), change
        assert answer.body["resultDesc"].startswith(begins), change
    rule = {"reviseId": first, "revise": 1, "description": "x"}
    corrections: tuple[tuple[dict[str, Any], str, str], ...] = (
        ({"qualityItemType": 1}, "0410001", "qualityItemType"),
        ({"qualityItemType": 3}, "0410001", "qualityItemType"),
        ({"ruleType": 12}, "0410001", "ruleType"),
        ({"uuid": PAGE_CALL}, "0410004", ""),
        ({"isGroup": 0}, "0410001", "isGroup"),
        ({"qualityItemId": None}, "0410001", "qualityItemId"),
        ({"ruleInfo": None}, "0410001", "ruleInfo"),
        ({"ruleInfo": {**rule, "revise": 2}}, "0410001", "ruleInfo.revise"),
        ({"ruleInfo": {**rule, "revise": -1}}, "0410001", "ruleInfo.revise"),
        ({"ruleInfo": {**rule, "description": ""}}, "0410001", "ruleInfo.description"),
        ({"ruleInfo": {**rule, "reviseId": "silenceRule"}}, "0410004", ""),
    )
    for change, code, begins in corrections:
        body = {"qualityItemId": item.item, "ruleInfo": rule, **change}
        answer = await standing.call("qualityitem/modifyQualityItemResult", body, SECOND)
        assert (answer.status, answer.code) == (200, code), change
        assert answer.body["resultDesc"].startswith(begins), change
    for change, code, begins in (
        ({"handler": TABLE_LEADER}, "0410001", "handler: user"),
        ({"handler": FOREIGN}, "0410001", "handler: names no user"),
        ({"handler": None}, "0410001", "handler"),
        ({"role": "qualityInspector"}, "0410003", ""),
        ({"role": "boss"}, "0410001", "role"),
    ):
        body = {"qualityTaskInfoId": item.item, "handler": SECOND, **change}
        answer = await standing.call("qualityitem/reassginQualityTask", body)
        assert (answer.status, answer.code) == (200, code), change
        assert answer.body["resultDesc"].startswith(begins), change
    assert len(await history_of(standing, item.item)) == 1
    answer = await standing.call("qualityitem/appealItem", {**right, "callId": item.contact, "unknown": 1})
    assert answer.body == DONE


STEPS = {
    "appealItem pass": AppealStep.PASS,
    "appealItem back": AppealStep.BACK,
    "appealItem assign": AppealStep.ASSIGN,
    "reassginQualityTask": AppealStep.ASSIGN,
    "modifyQualityItemResult": AppealStep.REVISE,
}
QUERIES = {
    "queryQualityItem": Operation.QUERY_QUALITY_ITEMS,
    "queryQualityItemDetail": Operation.SHOW_QUALITY_ITEM,
    "queryQualityItemResult": Operation.SHOW_QUALITY_SCORES,
    "queryQualityHistory": Operation.SHOW_QUALITY_HISTORY,
}
OPERATIONS = {
    AppealStep.PASS: Operation.JUDGE_QUALITY_ITEM,
    AppealStep.BACK: Operation.JUDGE_QUALITY_ITEM,
    AppealStep.ASSIGN: Operation.REASSIGN_QUALITY_ITEM,
    AppealStep.REVISE: Operation.REVISE_QUALITY_ITEM,
}
TURN = {
    AppealState.REVIEWING: {Role.TABLE_DIRECTOR, Role.TABLE_LEADER},
    AppealState.HANDLING: {Role.QUALITY_DIRECTOR, Role.QUALITY_LEADER},
    AppealState.VERIFYING: {Role.QUALITY_DIRECTOR, Role.QUALITY_LEADER},
}
"""Who may act on an item of that state that is before the table leader, or before nobody."""
FIT = {
    AppealState.REVIEWING: TABLE_DIRECTOR,
    AppealState.HANDLING: SECOND,
    AppealState.VERIFYING: LEADER,
    AppealState.COMPLETED: SECOND,
}
"""Whom somebody with the right could assign there."""
SEES = {
    Role.QUALITY_DIRECTOR: set(AppealState),
    Role.QUALITY_LEADER: {AppealState.HANDLING, AppealState.VERIFYING},
    Role.INSPECTOR: set(),
    Role.TABLE_DIRECTOR: set(AppealState),
    Role.TABLE_LEADER: set(AppealState),
    Role.STAFF: set(AppealState),
}
"""In which states an item that nobody of the quality side has touched is in sight of a role."""


def asked(interface: str, item: QualityItem, result: str) -> tuple[str, dict[str, Any]]:
    """Path and body."""
    name, _, operation = interface.partition(" ")
    bodies: dict[str, dict[str, Any]] = {
        "appealItem": {
            "auditOperation": operation,
            "taskInfoId": item.item,
            "assignee": FIT[item.state],
        },
        "reassginQualityTask": {"qualityTaskInfoId": item.item, "handler": FIT[item.state]},
        "modifyQualityItemResult": {
            "qualityItemId": item.item,
            "ruleInfo": {"reviseId": result, "revise": 0, "description": "x"},
        },
        "queryQualityItem": {"rows": 1000},
        "queryQualityItemDetail": {"qualityItemId": item.item},
        "queryQualityItemResult": {"qualityId": item.item},
        "queryQualityHistory": {"qualityTaskInfoId": item.item},
    }
    return f"qualityitem/{name}", bodies[name]


def owed(interface: str, role: Role, item: QualityItem) -> Code | None:
    """What the grids as written for tests say; None: a success."""
    sees = item.state in SEES[role]
    if interface in QUERIES:
        if RIGHTS[role, QUERIES[interface]] is Scope.NO:
            return Code.NO_RIGHT
        return None if sees or interface == "queryQualityItem" else Code.NOT_FOUND
    if RIGHTS[role, Operation.REASSIGN_QUALITY_ITEM] is Scope.NO and interface == "appealItem assign":
        return Code.NO_RIGHT
    step = STEPS[interface]
    if RIGHTS[role, OPERATIONS[step]] is Scope.NO:
        return Code.NO_RIGHT
    if not sees:
        return Code.NOT_FOUND
    if isinstance(refusal := GRIDS[item.kind][item.state, step], Code):
        return refusal
    return None if role in TURN[item.state] else Code.NO_RIGHT


async def test_every_cell_of_state_interface_and_role(standing: Standing) -> None:
    """Kind x state x interface x role, each on an item of its own; what is refused leaves it as it was."""
    outcomes: Counter[str] = Counter()
    people = {role: await standing.caller(user) for role, user in BY_ROLE.items()}
    for kind in Kind:
        for state in AppealState:
            handler = TABLE_LEADER if state is AppealState.REVIEWING else None
            item, (result, _) = await placed(standing, kind, state, handler)
            for interface in (*STEPS, *QUERIES):
                for role, user in people.items():
                    path, body = asked(interface, item, result)
                    answer = await standing.call(path, body, user.user)
                    cell = (kind, state, interface, role)
                    expected = owed(interface, role, item)
                    outcomes[expected or "done"] += 1
                    if expected is not None:
                        assert (answer.status, answer.body.get("resultCode")) == (
                            200,
                            QUALITY_ITEMS.code(expected),
                        ), cell
                        assert await state_of(standing, item.item) == item, cell
                        continue
                    assert answer.ok, (cell, answer.body)
                    if interface == "queryQualityItem":
                        listed = item.item in {line["id"] for line in answer.body["data"]}
                        assert listed is (state in SEES[role]), cell
                    if interface in STEPS:
                        now = await state_of(standing, item.item)
                        assert now.state is GRIDS[kind][state, STEPS[interface]], cell
                        item, (result, _) = await placed(standing, kind, state, handler)
    assert sum(outcomes.values()) == len(Kind) * len(AppealState) * (len(STEPS) + len(QUERIES)) * len(Role)
    assert set(outcomes) == {"done", "no_right", "not_found", "wrong_state"}
    assert min(outcomes.values()) >= 20


async def test_a_foreign_tenant_learns_nothing_on_any_route(standing: Standing) -> None:
    item, (result, _) = await placed(standing, Kind.APPEAL, AppealState.HANDLING, None)
    await staffed_elsewhere(standing)
    asks = [asked(interface, item, result) for interface in (*STEPS, *QUERIES)]
    assert {path for path, _ in asks} == {
        f"qualityitem/{interface.name}" for interface in qualityitem.INTERFACES
    }
    for path, body in asks:
        theirs = await standing.call(path, body, FOREIGN, vdn=TWO)
        # An id of nobody's is answered in the same way.
        nobodys = {name: "1" if value == item.item else value for name, value in body.items()}
        unknown = await standing.call(path, nobodys, FOREIGN, vdn=TWO)
        assert (theirs.status, theirs.body) == (unknown.status, unknown.body), path
        if path == "qualityitem/queryQualityItem":
            assert theirs.body["total"] == 0
        else:
            assert theirs.code == "0410004", path
        crossed = await standing.call(path, body, FOREIGN)
        assert crossed.code == "0410002", path
    (complaining,) = complain.INTERFACES
    body = {
        **COMPLAINT,
        "callId": str(item.contact),
        "leaderUUID": FOREIGN,
        "chooseRuleGroupList": [{"ruleGroupId": SCENARIO, "reviseIdList": [result]}],
    }
    answer = await standing.call(f"appraisecall/{complaining.name}", body, FOREIGN, vdn=TWO)
    assert answer.code == "0407004"
    assert await state_of(standing, item.item) == item
    assert len(await history_of(standing, item.item)) == 1


async def staffed_elsewhere(standing: Standing) -> None:
    """Let the stranger have every role of their tenant, and an agent there."""
    async with standing.engine.begin() as connection:
        everything = [role.value for role in Role]
        await connection.execute(
            sa.update(users).where(users.c.user == FOREIGN).values(roles=everything, agent=201)
        )
        await connection.execute(sa.insert(user_groups).values(vdn=2, name="Theirs", side="quality"))


async def test_only_an_agent_may_file(standing: Standing) -> None:
    contact, results = await disputed_call(standing)
    body = {
        **COMPLAINT,
        "callId": str(contact),
        "leaderUUID": TABLE_LEADER,
        "chooseRuleGroupList": [{"ruleGroupId": SCENARIO, "reviseIdList": results}],
    }
    for role, user in BY_ROLE.items():
        if role is not Role.STAFF:
            assert (await standing.call("appraisecall/complain", body, user)).code == "0407003", role
    assert (await standing.call("appraisecall/complain", body, PLAIN)).code == "0407003"
    assert (await standing.call("appraisecall/complain", body, ANN)).ok
