"""`qualitytask/` on the wire: the seed and every documented example, the fields of requests and answers."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from tests.quality.reviewing import Made, found, history, put_result, put_task
from tests.quality.standing import (
    ANN,
    BEN,
    CEM,
    DIRECTOR,
    INSPECTOR,
    LEADER,
    NOW,
    ONE,
    SECOND,
    THIRD,
    Answered,
    Standing,
)

from sottovoce.config import QualitySettings
from sottovoce.domain.people import UserId
from sottovoce.domain.reviews import ItemState, TaskState
from sottovoce.quality import tasks
from sottovoce.storage.database import transaction
from sottovoce.storage.tables import quality_items, review_items

SEED_TASK = "16239241148860783173"
"""The task of the seed document: 20 digits, more than 64 bits will hold one day."""
SUCCESS = {"resultCode": "0409000", "resultDesc": "Operation successful."}
NOW_MS = int(NOW.timestamp() * 1000)
EVER = {"startTimeMillis": 0, "endTimeMillis": NOW_MS}
CREATE: dict[str, Any] = {
    "currentRole": "qualityDirector",
    "fixedColumns": {"qualityType": 1, "qualityNum": "100", "interactionType": 0},
    "qualityTask": {"planName": "March"},
}


async def put(standing: Standing, state: TaskState, calls: int = 2, **options: Any) -> Made:
    numbers = [await standing.contact() for _ in range(calls)]
    async with transaction(standing.engine) as connection:
        return await put_task(connection, state, numbers, **options)


async def ask(standing: Standing, name: str, body: Any, user: UserId = DIRECTOR) -> Answered:
    return await standing.call(f"qualitytask/{name}", body, user)


async def state_of(standing: Standing, made: Made) -> TaskState:
    return (await found(standing, made.task))[0].state


@pytest.mark.parametrize("task", [SEED_TASK, int(SEED_TASK)], ids=["text", "number"])
async def test_the_seed(standing: Standing, task: str | int) -> None:
    """Terminate an inspection task, as the first document of the project prints it."""
    made = await put(standing, TaskState.IN_EFFECT, 3, task=SEED_TASK, inspectors=(INSPECTOR, SECOND))
    key, _ = standing.keys[ONE]
    answer = await standing.http.post(
        "/apiaccess/CCSQM/rest/ccisqm/v1/qualitytask/terminateQualityTask",
        headers={
            "x-app-key": key,
            "X-UserID": "1611917095665261978",
            "Authorization": f"Bearer {standing.tokens[ONE]}",
            "Content-Type": "application/json; charset=UTF-8",
        },
        json={"qualityTaskId": task},
    )
    assert answer.status_code == 200
    assert answer.json() == {"resultCode": "0409000", "resultDesc": "Operation successful."}
    held, items = await found(standing, SEED_TASK)
    assert held.state is TaskState.TERMINATED
    assert [item.state for item in items] == [ItemState.DONE, ItemState.RELEASED, ItemState.RELEASED]
    assert [item.inspector for item in items] == [item.inspector for item in made.items]
    assert await history(standing, SEED_TASK) == ["create", "terminate"]


async def test_the_seeds_sentences_about_headers_and_status(standing: Standing) -> None:
    """Which headers are mandatory, and which status goes with what."""
    made = await put(standing, TaskState.IN_EFFECT)
    url = "/apiaccess/CCSQM/rest/ccisqm/v1/qualitytask/terminateQualityTask"
    bearer = f"Bearer {standing.tokens[ONE]}"
    user = {"x-UserId": DIRECTOR}

    async def post(headers: dict[str, str], path: str = url, **body: Any) -> tuple[int, str]:
        answer = await standing.http.post(path, headers=headers, **(body or {"json": made.body}))
        return answer.status_code, answer.json()["resultCode"]

    assert await post({"Authorization": bearer}) == (200, "0409002")  # x-UserId is mandatory
    assert (await post(user))[0] == 401  # so is Authorization
    assert (await post({**user, "Authorization": standing.tokens[ONE]}))[0] == 401  # Bearer and a blank
    assert (await post({**user, "Authorization": f"Digest {standing.tokens[ONE]}"}))[0] == 401
    assert (await post({**user, "Authorization": f"Bearer{standing.tokens[ONE]}"}))[0] == 401
    assert (await post({**user, "Authorization": bearer, "x-app-key": "other"}))[0] == 401
    assert (await post({**user, "Authorization": bearer}, content=b"{"))[0] == 400
    assert (await post({**user, "Authorization": bearer}, json={})) == (200, "0409001")
    assert (await post({**user, "Authorization": bearer}, path=url + "s"))[0] == 404
    assert await state_of(standing, made) is TaskState.IN_EFFECT
    content = json.dumps(made.body).encode()
    # The scheme's name is of any case (RFC 9110, 11.1).
    answer = await post({**user, "Authorization": f"bearer  {standing.tokens[ONE]}"}, content=content)
    assert answer == (200, "0409000")  # neither Content-Type nor x-app-key is mandatory
    assert await post({**user, "Authorization": bearer}) == (200, "0409005")  # others: failure
    async with transaction(standing.owner) as connection:
        await connection.execute(sa.text("ALTER TABLE review_tasks RENAME TO lost"))
    assert await post({**user, "Authorization": bearer}) == (500, "0409012")


async def test_the_example_of_delete(standing: Standing) -> None:
    await put(standing, TaskState.ASSIGNED, task="16239245027406915901")
    answer = await ask(standing, "deleteQualityTask", {"qualityTaskId": "16239245027406915901"})
    assert answer.body == SUCCESS
    answer = await ask(standing, "deleteQualityTask", {"qualityTaskId": 16239245027406915901})
    assert answer.code == "0409004"


async def test_the_example_of_take_effect(standing: Standing) -> None:
    made = await put(standing, TaskState.ASSIGNED, task=SEED_TASK)
    body = {"type": "1", "reserveTime": "", "qualityTaskId": 16239241148860783173}
    assert (await ask(standing, "takeEffectQualityTask", body)).body == SUCCESS
    assert await state_of(standing, made) is TaskState.IN_EFFECT


@pytest.mark.parametrize("task", ["954645333549048833", 954645333549048833], ids=["text", "number"])
async def test_the_example_of_appoint(standing: Standing, task: str | int) -> None:
    made = await put(standing, TaskState.CREATED, 2, task="954645333549048833")
    body = {
        "qualityTaskId": task,
        "setCountsType": 1,
        "isTakeEffect": 0,
        "setCounts": [{"personID": "1600226476732482572", "count": 2}],
    }
    assert (await ask(standing, "appointQualityTask", body)).body == SUCCESS
    held, items = await found(standing, made.task)
    assert held.state is TaskState.ASSIGNED
    assert {item.inspector for item in items} == {"1600226476732482572"}


@pytest.mark.parametrize("item", ["951849982538539011", 951849982538539011], ids=["text", "number"])
async def test_the_example_of_modify_result(standing: Standing, item: str | int) -> None:
    call = UUID("6e587bea-d752-4cd7-8ce4-96b6e4c9258a")
    contact = await standing.contact(uuid=call)
    async with transaction(standing.engine) as connection:
        made = await put_task(connection, TaskState.IN_EFFECT, [contact], items=["951849982538539011"])
        await put_result(connection, contact, "sensitiveWord1", 60)
    body = {
        "isGroup": False,
        "ruleType": 60,
        "taskId": item,
        "uuid": "6e587bea-d752-4cd7-8ce4-96b6e4c9258a",
        "ruleInfo": {"description": "said it twice", "revise": 0, "reviseId": "sensitiveWord1"},
    }
    assert (await ask(standing, "modifyResultQualityTask", body, INSPECTOR)).body == SUCCESS
    _, (held,) = await found(standing, made.task)
    assert held.state is ItemState.IN_PROGRESS
    for wrong, code in (
        ({"uuid": "6e587bea-d752-4cd7-8ce4-96b6e4c9258b"}, "0409004"),
        ({"ruleType": 11}, "0409001"),
        ({"isGroup": True}, "0409004"),
        ({"ruleInfo": {**body["ruleInfo"], "reviseId": "sensitiveWord2"}}, "0409004"),
        ({"ruleInfo": {**body["ruleInfo"], "description": ""}}, "0409001"),
        ({"ruleInfo": {**body["ruleInfo"], "revise": -1}}, "0409001"),
    ):
        assert (await ask(standing, "modifyResultQualityTask", {**body, **wrong}, INSPECTOR)).code == code
    assert await history(standing, made.task) == ["create", "revise"]


@pytest.mark.parametrize("item", ["951849808189710338", 951849808189710338], ids=["text", "number"])
async def test_the_example_of_complete(standing: Standing, item: str | int) -> None:
    contact = await standing.contact(contact=951849808525254658)
    async with transaction(standing.engine) as connection:
        made = await put_task(connection, TaskState.IN_EFFECT, [contact], items=["951849808189710338"])
    body = {
        "isGroup": False,
        "callId": "951849808525254658",
        "callGroupId": None,
        "qualityTaskCallId": item,
    }
    assert (await ask(standing, "completeQualityTask", {**body, "callId": "1"}, INSPECTOR)).code == "0409004"
    assert (await ask(standing, "completeQualityTask", body, INSPECTOR)).body == SUCCESS
    assert await state_of(standing, made) is TaskState.FINISHED
    assert await history(standing, made.task) == ["create", "complete", "finish"]
    assert (await ask(standing, "completeQualityTask", body, INSPECTOR)).code == "0409005"


async def test_a_call_may_be_named_by_its_number_or_its_uuid(standing: Standing) -> None:
    made = await put(standing, TaskState.IN_EFFECT, 3)
    _, items = await found(standing, made.task)
    names: tuple[Any, ...] = (items[1].contact, str(UUID(int=items[2].contact)).upper())
    for item, name in zip(items[1:], names, strict=True):
        body = {"isGroup": False, "callId": name, "qualityTaskCallId": item.item}
        assert (await ask(standing, "completeQualityTask", body, INSPECTOR)).ok
    assert await state_of(standing, made) is TaskState.FINISHED


async def test_create_answers_the_id_and_samples_all_calls_without_a_range(standing: Standing) -> None:
    for days in (1, 20):
        await standing.contact(began_at=NOW - timedelta(days=days))
    answer = await ask(standing, "createQualityTask", CREATE)
    assert {**answer.body, "objId": ""} == {**SUCCESS, "objId": ""}
    held, items = await found(standing, answer.body["objId"])
    assert len(items) == 2
    assert (held.calls_from, held.calls_until) == (None, None)
    ranged = {**CREATE, "startTimeMillis": str(NOW_MS - 3 * 86_400_000), "endTimeMillis": NOW_MS // 1000}
    answer = await ask(standing, "createQualityTask", ranged)
    held, items = await found(standing, answer.body["objId"])
    assert len(items) == 1
    assert (held.calls_from, held.calls_until) == (NOW - timedelta(days=3), NOW)


async def test_create_takes_all_conditions(standing: Standing) -> None:
    await standing.contact(101, duration_s=30, machine_score=80)
    await standing.contact(101, duration_s=90, machine_score=80)
    await standing.contact(102, duration_s=30, machine_score=20)
    await standing.contact(102, duration_s=29, machine_score=80)
    wanted = await standing.contact(102, duration_s=30, machine_score=80)
    await standing.contact(103, duration_s=30, machine_score=80)
    columns = {
        "maxNum": "10000",
        "qualityCondition": 2,
        "qualityNum": 5,
        "qualityType": "2",
        "scoreStart": "60",
        "scoreEnd": 90,
        "durationStart": 30,
        "durationEnd": "60",
        "staffIds": [BEN],
        "interactionType": "0",
        "unknown": {"anything": 1},
    }
    body = {**CREATE, "currentRole": DIRECTOR, "fixedColumns": columns}
    answer = await ask(standing, "createQualityTask", body)
    _, items = await found(standing, answer.body["objId"])
    assert [item.contact for item in items] == [wanted]
    again = {**body, "fixedColumns": {**columns, "qualityCondition": 0}}
    assert (await ask(standing, "createQualityTask", again)).code == "0409008"


BAD_CREATIONS: list[tuple[dict[str, Any], str]] = [
    ({"fixedColumns": None}, "fixedColumns"),
    ({"qualityTask": {}}, "qualityTask.planName"),
    ({"qualityTask": {"planName": "x" * 33}}, "qualityTask.planName"),
    ({"qualityTask": {"planName": 5}}, "qualityTask.planName"),
    ({"qualityTask": {"planName": " \t"}}, "qualityTask.planName"),
    ({"currentRole": None}, "currentRole"),
    ({"startTimeMillis": 1.5}, "startTimeMillis"),
    ({"startTimeMillis": NOW_MS, "endTimeMillis": NOW_MS - 1}, "endTimeMillis"),
    ({"qualityNum": 0}, "fixedColumns.qualityNum"),
    ({"qualityNum": None}, "fixedColumns.qualityNum"),
    ({"qualityNum": "ten"}, "fixedColumns.qualityNum"),
    ({"qualityType": 4}, "fixedColumns.qualityType"),
    ({"qualityType": 3, "qualityNum": 101}, "fixedColumns.qualityNum"),
    ({"qualityCondition": 3}, "fixedColumns.qualityCondition"),
    ({"maxNum": 10001}, "fixedColumns.maxNum"),
    ({"scoreStart": 3, "scoreEnd": 2}, "fixedColumns.scoreEnd"),
    ({"scoreStart": -1}, "fixedColumns.scoreStart"),
    ({"durationEnd": 100_000_001}, "fixedColumns.durationEnd"),
    ({"durationStart": 3, "durationEnd": 2}, "fixedColumns.durationEnd"),
    ({"interactionType": 1}, "fixedColumns.interactionType"),
    ({"staffIds": [ANN, INSPECTOR]}, "fixedColumns.staffIds.1"),
    ({"staffIds": ANN}, "fixedColumns.staffIds"),
]


async def test_create_names_the_bad_field(standing: Standing) -> None:
    for change, field in BAD_CREATIONS:
        outside = {name: value for name, value in change.items() if name in CREATE or name.endswith("Millis")}
        inside = {name: value for name, value in change.items() if name not in outside}
        body = {**CREATE, **outside}
        if inside:
            body["fixedColumns"] = {**CREATE["fixedColumns"], **inside}
        answer = await ask(standing, "createQualityTask", body)
        assert (answer.status, answer.code) == (200, "0409001"), change
        assert answer.body["resultDesc"].startswith(f"{field}: "), (change, answer.body)


async def test_a_leader_creates_tasks_of_calls_of_their_agents_alone(standing: Standing) -> None:
    await standing.contact(101)
    await standing.contact(103)
    columns = {"qualityType": 1, "qualityNum": 9, "interactionType": 0}
    body = {"currentRole": "qualityGroupLeader", "qualityTask": {"planName": "Mine"}}
    named = {**body, "fixedColumns": {**columns, "staffIds": [ANN, CEM]}}
    answer = await standing.call("qualitytask/createQualityTask", named, LEADER)
    assert answer.body == {
        "resultCode": "0409001",
        "resultDesc": "fixedColumns.staffIds: agent 103 is not led by the caller",
    }
    answer = await standing.call("qualitytask/createQualityTask", {**body, "fixedColumns": columns}, LEADER)
    assert answer.ok
    async with transaction(standing.engine) as connection:
        agents = (await connection.execute(sa.select(review_items.c.agent))).scalars().all()
    assert agents == [101]


async def test_appoint_names_the_bad_share(standing: Standing) -> None:
    made = await put(standing, TaskState.CREATED, 2)
    body = {"qualityTaskId": made.task, "setCountsType": 1, "isTakeEffect": 0}
    for counts, said in (
        (
            [{"personID": INSPECTOR}, {"personID": ANN}],
            "setCounts.1.personID: is no inspector of this tenant",
        ),
        ([{"personID": INSPECTOR}, {"personID": INSPECTOR}], "setCounts.1.personID: stands twice"),
        (
            [{"personID": INSPECTOR, "count": 3}],
            "setCounts: the counts add up to 3, there are 2 calls to deal",
        ),
        ([], "setCounts: "),
        ([{"personID": "x"}], "setCounts.0.personID: "),
        ([{"personID": INSPECTOR, "count": 100_000_000}], "setCounts.0.count: "),
    ):
        answer = await ask(standing, "appointQualityTask", {**body, "setCounts": counts})
        assert answer.code == "0409001"
        assert answer.body["resultDesc"].startswith(said), answer.body
    for wrong in ({"setCountsType": 0}, {"isTakeEffect": 2}):
        answer = await ask(
            standing, "appointQualityTask", {**body, "setCounts": [{"personID": INSPECTOR}], **wrong}
        )
        assert answer.code == "0409001"
    assert await state_of(standing, made) is TaskState.CREATED


async def test_a_reserved_time_lies_ahead(standing: Standing) -> None:
    made = await put(standing, TaskState.ASSIGNED)
    body: dict[str, Any] = {"qualityTaskId": made.task, "type": "2"}
    for wrong in (
        {},
        {"reserveTime": ""},
        {"reserveTime": "tomorrow"},
        {"reserveTime": str(NOW_MS)},
        {"type": "3"},
        {"type": 2, "reserveTime": NOW_MS // 1000 - 1},
    ):
        assert (await ask(standing, "takeEffectQualityTask", {**body, **wrong})).code == "0409001", wrong
    body["reserveTime"] = str(NOW_MS + 60_000)
    assert (await ask(standing, "takeEffectQualityTask", body)).ok
    assert await state_of(standing, made) is TaskState.RESERVED
    assert (await listed(standing))["data"][0]["effectiveDate"] == NOW_MS + 60_000
    standing.clock.advance(60)
    assert await tasks.reserved_due(standing.office, standing.clock.now()) == 1
    assert await state_of(standing, made) is TaskState.IN_EFFECT


async def test_update_keeps_what_it_does_not_name(standing: Standing) -> None:
    await standing.contact()
    task = (await ask(standing, "createQualityTask", CREATE)).body["objId"]
    columns = {**CREATE["fixedColumns"], "qualityCondition": 2}
    body: dict[str, Any] = {
        "currentRole": "qualityDirector",
        "qualityTask": {"planName": "New", "id": int(task)},
    }
    before = await found(standing, task)
    assert (await ask(standing, "updateQualityTask", body)).body == SUCCESS
    assert (await ask(standing, "updateQualityTask", {**body, "fixedColumns": columns})).ok
    held, items = await found(standing, task)
    assert (held.name, held.draw, items) == ("New", before[0].draw, before[1])
    assert (await ask(standing, "updateQualityTask", {**body, "startTimeMillis": NOW_MS})).code == "0409008"
    assert (await ask(standing, "updateQualityTask", {**body, "startTimeMillis": 0})).ok
    held, _ = await found(standing, task)
    assert held.draw != before[0].draw
    answer = await ask(standing, "updateQualityTask", {"currentRole": "-", "fixedColumns": columns})
    assert (answer.code, answer.body["resultDesc"]) == ("0409001", "qualityTask: is missing")
    del columns["qualityCondition"]
    answer = await ask(standing, "updateQualityTask", {**body, "fixedColumns": columns})
    assert answer.body["resultDesc"] == "fixedColumns.qualityCondition: is missing"


async def test_a_role_that_the_caller_has_not_is_no_right(standing: Standing) -> None:
    await standing.contact()
    body = {**CREATE, "currentRole": "qualityGroupLeader"}
    assert (await ask(standing, "createQualityTask", body)).code == "0409003"
    assert (await ask(standing, "createQualityTask", body, LEADER)).ok
    made = await put(standing, TaskState.IN_EFFECT)
    for role, code in (("qualityInspector", "0409003"), ("boss", "0409001"), (None, "0409001")):
        body = {"currentRole": role, "page": 1, "rows": 1, "fixedColumns": {"planCode": made.task}}
        assert (await ask(standing, "callsQualityTask", body)).code == code
        body = {"currentRole": role, "page": 1, "rows": 1, **EVER}
        assert (await ask(standing, "queryQualityTask", body)).code == code


async def listed(standing: Standing, user: UserId = DIRECTOR, **changes: Any) -> Any:
    body = {"currentRole": "qualityDirector", "page": 1, "rows": 100, **EVER, **changes}
    answer = await ask(standing, "queryQualityTask", body, user)
    assert answer.ok, answer.body
    return answer.body


async def test_the_answer_of_query(standing: Standing) -> None:
    """All fields, in the documented types; its codes are doubled, one a number and one a text."""
    made = await put(standing, TaskState.IN_EFFECT, 3, name="March")
    assert await listed(standing) == {
        "total": 1,
        "data": [
            {
                "id": made.task,
                "planCode": made.task,
                "planCodeStr": made.task,
                "planName": "March",
                "createTime": NOW_MS,
                "creatOperator": DIRECTOR,
                "callStart": None,
                "callEnd": None,
                "inspectTotalCount": 3,
                "inspectFinishedCount": 1,
                "reviewTotalCount": 0,
                "reviewFinishedCount": 0,
                "status": "3",
                "effectiveDate": NOW_MS,
                "personType": 1,
                "reviewingOfficer": None,
                "reviewingOfficerName": None,
                "isManipulate": 1,
                "interactionType": "0",
            }
        ],
        "resultCode": 0,
        "resultDesc": "Operation successful.",
        "returnCode": "0409000",
        "returnDesc": "Operation successful.",
    }


async def put_review(
    standing: Standing, item: str, number: int, state: str, handler: UserId | None, contact: int
) -> None:
    async with transaction(standing.engine) as connection:
        await connection.execute(
            sa.insert(quality_items).values(
                vdn=1,
                quality_item=str(10**18 + number),
                kind="problem",
                state=state,
                contact=contact,
                review_item=item,
                agent=101,
                initiator=INSPECTOR,
                inspector=INSPECTOR,
                handler=None if state == "completed" else handler,
                previous_handler=handler,
                reason="",
                created_at=NOW,
                updated_at=NOW + timedelta(seconds=number),
            )
        )


async def test_filters_and_review_counts_of_query(standing: Standing) -> None:
    first = await put(standing, TaskState.FINISHED, 3, name="March 100%", made_by=LEADER)
    second = await put(standing, TaskState.CREATED, 1, name="April")
    for number, (place, state) in enumerate([(0, "completed"), (1, "handling"), (1, "completed")]):
        item = first.items[place]
        await put_review(standing, item.item, number, state, SECOND if place else THIRD, item.contact)

    async def names(**changes: Any) -> list[str]:
        return [task["planName"] for task in (await listed(standing, **changes))["data"]]

    async def by(**columns: Any) -> list[str]:
        return await names(fixedColumns=columns)

    assert await names() == ["April", "March 100%"]
    assert await by(status=0) == await by(status="0") == await by(planName="apri") == ["April"]
    assert await by(status=4) == await by(planName="100%") == ["March 100%"]
    assert await by(planName="1_0") == await by(status=9) == await by(status=5) == []
    assert await by(creatOperator=LEADER) == await by(creatOperator="leo l") == ["March 100%"]
    assert await by(creatOperator="nobody") == await by(creatOperator="1") == []
    assert await by(reviewingOfficer=SECOND) == await by(reviewingOfficer="Tess") == ["March 100%"]
    assert await by(reviewingOfficer=INSPECTOR) == []
    assert await by(fileName=f"call-{second.items[0].contact}.wav") == ["April"]
    assert await by(fileName="", planName=None) == ["April", "March 100%"]
    assert await names(startTimeMillis=NOW_MS + 1, endTimeMillis=NOW_MS + 2) == []
    assert await names(startTimeMillis=NOW_MS, endTimeMillis=NOW_MS) == ["April", "March 100%"]
    day_ago = NOW_MS - 86_400_000
    assert await names(callStartTimeMillis=day_ago, callEndTimeMillis=day_ago) == ["April", "March 100%"]
    assert await names(callStartTimeMillis=day_ago + 1) == await names(callEndTimeMillis=day_ago - 1) == []
    line = (await listed(standing))["data"][1]
    assert (line["reviewTotalCount"], line["reviewFinishedCount"]) == (2, 1)
    assert (line["reviewingOfficer"], line["reviewingOfficerName"]) == (SECOND, "Sam Inspector")
    assert (line["personType"], line["isManipulate"], line["status"]) == (0, 0, "4")
    page = await listed(standing, page=2, rows=1)
    assert (page["total"], [task["planName"] for task in page["data"]]) == (2, ["March 100%"])
    assert (await listed(standing, page="3", rows="1"))["data"] == []


BAD_QUERIES: list[dict[str, Any]] = [
    {"page": 0},
    {"rows": 0},
    {"rows": 101},
    {"page": None},
    {"rows": None},
    {"page": 1.5},
    {"startTimeMillis": None},
    {"endTimeMillis": "soon"},
    {"currentRole": None},
    {"fixedColumns": []},
    {"fixedColumns": {"planName": "x" * 33}},
    {"fixedColumns": {"status": "x"}},
]


async def test_query_names_the_bad_field(standing: Standing) -> None:
    for change in BAD_QUERIES:
        body = {"currentRole": "qualityDirector", "page": 1, "rows": 100, **EVER, **change}
        answer = await ask(standing, "queryQualityTask", body)
        assert (answer.status, answer.body["resultCode"]) == (200, "0409001")
        assert answer.body["resultDesc"].startswith(next(iter(change)))


async def calls(standing: Standing, made: Made, user: UserId = DIRECTOR, **columns: Any) -> Any:
    role = {DIRECTOR: "qualityDirector", INSPECTOR: "qualityInspector", ANN: "tableStaff"}[user]
    body = {
        "currentRole": role,
        "page": 1,
        "rows": 100,
        "fixedColumns": {"planCode": made.task, **columns},
    }
    answer = await ask(standing, "callsQualityTask", body, user)
    assert answer.ok, answer.body
    return answer.body


async def test_the_answer_of_calls(standing: Standing) -> None:
    contact = await standing.contact(duration_s=75)
    async with transaction(standing.engine) as connection:
        made = await put_task(connection, TaskState.ASSIGNED, [contact])
    item = made.items[0].item
    began = NOW_MS - 86_400_000
    body = await calls(standing, made)
    assert body == {
        **SUCCESS,
        "total": 1,
        "data": [
            {
                "id": item,
                "inspector": INSPECTOR,
                "inspectStatus": -1,
                "calls": body["data"][0]["calls"],
                "setting": {"call_id": str(contact), "taskId": item, "staffId": ANN, "staff_name": "Ann"},
                "inspectorName": "Ida Inspector",
                "is_group": False,
            }
        ],
    }
    (call,) = body["data"][0]["calls"]
    names = "call_id file_name duration upload_time call_time call_uuid taskId call_type inspectStatus"
    assert set(call) == {*names.split(), "leftChannel", "leftSpeechRatio", "rightSpeechRatio"}
    assert (call["call_id"], call["call_uuid"]) == (str(contact), str(UUID(int=contact)))
    assert (call["taskId"], call["call_type"], call["inspectStatus"]) == (item, 0, -1)
    assert call["file_name"] == f"call-{contact}.wav"
    assert str(call["call_time"])[:10] == str(began)[:10]


async def test_filters_of_calls(standing: Standing) -> None:
    contacts = [await standing.contact(100 + n, duration_s=n * 10) for n in (1, 2, 3)]
    async with transaction(standing.engine) as connection:
        made = await put_task(
            connection,
            TaskState.IN_EFFECT,
            contacts,
            inspectors=(INSPECTOR, SECOND, THIRD),
            agents=(101, 102, 103),
            states=[ItemState.DONE, ItemState.IN_PROGRESS, ItemState.WAITING],
        )
    await put_review(standing, made.items[0].item, 1, "completed", SECOND, contacts[0])
    await put_review(standing, made.items[1].item, 2, "reviewing", None, contacts[1])

    async def places(**columns: Any) -> list[int]:
        order = [item.item for item in made.items]
        return [order.index(line["id"]) for line in (await calls(standing, made, **columns))["data"]]

    assert await places() == [0, 1, 2]
    assert await places(inspectStatus="1") == await places(inspectStatus=1) == [0]
    assert (await places(inspectStatus="0"), await places(inspectStatus="-1")) == ([1], [2])
    assert await places(inspectStatus="3") == []
    assert await places(inspector=SECOND) == await places(inspector="sam") == [1]
    assert await places(staff="103") == await places(staff="Cem") == [2]
    assert await places(staff=ANN) == await places(staff="Agent 101") == [0]
    assert await places(durationFrom=20) == [1, 2]
    assert await places(durationFrom="10", durationTo=20) == [0, 1]
    assert await places(fileName=f"call-{contacts[2]}.") == [2]
    assert await places(reviewingStates="-1") == await places(reviewingStates="0") == [2]
    assert (await places(reviewingStates="2"), await places(reviewingStates="3")) == ([1], [0])
    assert await places(showReviewingOfficer=True) == await places(reviewingOfficer="Sam") == [0]
    assert await places(showReviewingOfficer=False) == [1, 2]
    assert [line["id"] for line in (await calls(standing, made, INSPECTOR))["data"]] == [made.items[0].item]
    assert [line["id"] for line in (await calls(standing, made, ANN))["data"]] == [made.items[0].item]
    for wrong in ({"inspectStatus": "2"}, {"reviewingStates": "9"}, {"showReviewingOfficer": "true"}):
        body = {"planCode": made.task, **wrong}
        answer = await ask(
            standing,
            "callsQualityTask",
            {"currentRole": "qualityDirector", "page": 1, "rows": 1, "fixedColumns": body},
        )
        assert answer.code == "0409001"
        assert answer.body["resultDesc"].startswith(f"fixedColumns.{next(iter(wrong))}: ")
    for code in ("1" * 128, "no digits", "999"):
        body = {"currentRole": "qualityDirector", "page": 1, "rows": 1, "fixedColumns": {"planCode": code}}
        assert (await ask(standing, "callsQualityTask", body)).code == "0409004"


async def test_ids_that_are_typed_number_may_be_numbers_by_setting(standing: Standing) -> None:
    made = await put(standing, TaskState.ASSIGNED, 1, task=SEED_TASK)
    dsn = standing.engine.url.render_as_string(hide_password=False)
    numeric = Standing(dsn, standing.office.recordings, QualitySettings(numeric_ids=True))
    numeric.tokens = standing.tokens
    line = (await listed(numeric))["data"][0]
    assert (line["id"], line["planCode"]) == (int(SEED_TASK), SEED_TASK)
    item = (await calls(numeric, made))["data"][0]
    assert (item["id"], item["setting"]["taskId"]) == (int(made.items[0].item),) * 2
    await numeric.close()


async def test_a_failure_may_be_http_500_by_setting(standing: Standing) -> None:
    """As the first seed's page has it: 500 for a business failure; what it says of 400 and 401 stays."""
    dsn = standing.engine.url.render_as_string(hide_password=False)
    strict = Standing(dsn, standing.office.recordings, QualitySettings(failure_status=500))
    strict.tokens = standing.tokens
    url = "/apiaccess/CCSQM/rest/ccisqm/v1/qualitytask/terminateQualityTask"
    made = await put(standing, TaskState.IN_EFFECT)
    headers = {"Authorization": f"Bearer {standing.tokens[ONE]}", "x-UserId": DIRECTOR}
    found = [
        await strict.http.post(url, **request)
        for request in (
            {"headers": headers, "json": made.body},
            {"headers": headers, "json": made.body},
            {"headers": headers, "json": {}},
            {"headers": headers, "content": b"{"},
            {"headers": {**headers, "Authorization": "Bearer x"}, "json": made.body},
        )
    ]
    await strict.close()
    codes = [(answer.status_code, answer.json()["resultCode"]) for answer in found]
    assert codes == [
        (200, "0409000"),
        (500, "0409005"),
        (500, "0409001"),
        (400, "0409001"),
        (401, "0409002"),
    ]


async def test_a_page_takes_the_same_queries_however_many_rows_it_has(standing: Standing) -> None:
    counted: list[str] = []
    sa.event.listen(
        standing.engine.sync_engine,
        "before_cursor_execute",
        lambda _conn, _cursor, statement, *_: counted.append(statement),
    )

    async def queries(rows: int) -> tuple[int, int]:
        await listed(standing, rows=1)
        counted.clear()
        await listed(standing, rows=rows)
        tasks_take = len(counted)
        counted.clear()
        body = {
            "currentRole": "qualityDirector",
            "page": 1,
            "rows": rows,
            "fixedColumns": {"planCode": made.task},
        }
        assert (await ask(standing, "callsQualityTask", body)).ok
        return tasks_take, len(counted)

    made = await put(standing, TaskState.IN_EFFECT, 6)
    for _ in range(5):
        await put(standing, TaskState.IN_EFFECT, 1)
    assert await queries(1) == await queries(6)


@pytest.mark.parametrize("bound", [{"scoreStart": "80"}, {"scoreEnd": "80"}])
async def test_a_range_of_scores_may_be_open_at_one_end(standing: Standing, bound: dict[str, str]) -> None:
    await standing.contact(101, machine_score=80)
    columns = {**CREATE["fixedColumns"], **bound}
    answer = await ask(standing, "createQualityTask", {**CREATE, "fixedColumns": columns})
    assert answer.ok, answer.body
