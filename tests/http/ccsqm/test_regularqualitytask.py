"""`regularqualitytask/` on the wire: the documented examples, all fields of the answers, what is refused."""

from __future__ import annotations

import copy
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from tests.quality.asking import run_due
from tests.quality.standing import DIRECTOR, FOREIGN, INSPECTOR, NOW, SECOND, TABLE_DIRECTOR, TWO, Standing

from sottovoce.storage.tables import review_items

EXAMPLE: dict[str, Any] = {
    "extractionRange": {
        "customColumns": None,
        "fixedColumns": {
            "durationEnd": "100",
            "durationStart": 1,
            "interactionType": 0,
            "maxNum": "10",
            "qualityCondition": 2,
            "qualityNum": "100",
            "qualityType": 1,
            "staffIds": [],
            "scoreStart": "0",
            "scoreEnd": "100",
        },
        "currentRole": "qualityDirector",
    },
    "appointQuality": {
        "setCounts": [{"personID": "1679888547924121791", "count": 0}],
        "setCountsType": 0,
    },
    "cronStructure": {
        "qiqtCycleType": "1",
        "qiqtStartTime": 1692171720,
        "qiqtEndType": "2",
        "qiqtTotalTimes": 1,
        "qiqtEndTime": 1692258120,
    },
    "qiqtName": "changetest082103",
    "currentRole": "qualityDirector",
    "qiqtId": "16925871657096773608",
}
"""As the page of updateQualityTask prints it [2499]; it names SECOND."""
START = int((NOW + timedelta(minutes=30)).timestamp())
PLAN = {
    "extractionRange": {"fixedColumns": {"qualityNum": "2", "qualityType": 1}},
    "appointQuality": {"setCounts": [{"personID": INSPECTOR}, {"personID": SECOND}], "setCountsType": 0},
    "cronStructure": {
        "qiqtCycleType": "3",
        "qiqtStartTime": START,
        "qiqtEndType": "1",
        "qiqtTotalTimes": "12",
    },
    "qiqtName": "Monthly sales",
}
"""No field that may be left out."""


def changed(path: str, value: object, body: dict[str, Any] = PLAN) -> dict[str, Any]:
    """The body with one field at a dotted path changed; None takes it away."""
    made = copy.deepcopy(body)
    *way, last = path.split(".")
    inner: Any = made
    for name in way:
        inner = inner[int(name)] if name.isdigit() else inner[name]
    inner[int(last) if last.isdigit() else last] = value
    return made


async def added(standing: Standing, body: dict[str, Any] = PLAN) -> str:
    answer = await standing.call("regularqualitytask/addQualityTask", body)
    assert answer.ok, answer.body
    assert isinstance(answer.body["objId"], str)
    return answer.body["objId"]


async def listed(standing: Standing) -> list[dict[str, Any]]:
    answer = await standing.call("regularqualitytask/queryQualityTask", {"page": 1, "rows": 10})
    assert answer.ok, answer.body
    assert answer.body["total"] == len(answer.body["list"])
    found: list[dict[str, Any]] = answer.body["list"]
    return found


async def test_the_documented_examples(standing: Standing) -> None:
    """Add and update as printed; begin, stop and delete with an id of 18 digits as a bare number."""
    plan = await added(standing, EXAMPLE)
    assert plan != EXAMPLE["qiqtId"], "the id is the server's to give"
    answer = await standing.call("regularqualitytask/updateQualityTask", EXAMPLE)
    assert (answer.status, answer.code) == (200, "0408004")
    answer = await standing.call("regularqualitytask/updateQualityTask", EXAMPLE | {"qiqtId": plan})
    assert answer.body == {"resultCode": "0408000", "resultDesc": "Operation successful.", "objId": plan}
    for name in ("begin", "stop", "delete"):
        unknown = {"regularQualityTaskId": 954637368599307266}
        answer = await standing.call(f"regularqualitytask/{name}QualityTask", unknown)
        assert (answer.status, answer.code) == (200, "0408004")
    # Its end is three years past.
    answer = await standing.call("regularqualitytask/beginQualityTask", {"regularQualityTaskId": plan})
    assert answer.code == "0408005"
    (row,) = await listed(standing)
    assert row == {
        "qiqtId": plan,
        "qiqtName": "changetest082103",
        "qiqtStatus": "1",
        "qiqtCreater": DIRECTOR,
        "qiqtCreateTimeStr": int(NOW.timestamp() * 1000),
        "qiqtCycleType": "daily",
        "qiqtStartTimeStr": 1692171720000,
        "qiqtEndType": "2",
        "qiqtEndTypeStr": "End time",
        "qiqtEndTimeStr": "1692258120000",
        "qiqtTotalTimes": None,
        "qiqtExecutionTimes": 0,
        "nextExecutionTimeStr": None,
        "interactionType": "0",
    }


@pytest.mark.parametrize("numbers", [False, True])
async def test_from_begin_to_delete(standing: Standing, numbers: bool) -> None:
    await standing.contact()
    plan = await added(standing)
    body = {"regularQualityTaskId": int(plan) if numbers else plan}

    async def ask(name: str) -> str:
        return (await standing.call(f"regularqualitytask/{name}QualityTask", body)).code

    assert await ask("stop") == "0408005"
    assert await ask("begin") == "0408000"
    assert await ask("begin") == "0408005"
    (row,) = await listed(standing)
    assert (row["qiqtStatus"], row["nextExecutionTimeStr"]) == ("2", START * 1000)
    assert (row["qiqtEndType"], row["qiqtTotalTimes"], row["qiqtEndTimeStr"]) == ("1", 12, None)
    assert row["qiqtCycleType"] == "monthly"
    standing.clock.advance(1800)
    (run,) = await run_due(standing.office)
    assert run.task is not None
    (row,) = await listed(standing)
    assert row["qiqtExecutionTimes"] == 1
    assert row["nextExecutionTimeStr"] == int((NOW + timedelta(days=31, minutes=30)).timestamp()) * 1000
    assert await ask("stop") == "0408000"
    (row,) = await listed(standing)
    assert (row["qiqtStatus"], row["nextExecutionTimeStr"]) == ("1", None)
    assert await ask("delete") == "0408000"
    assert await ask("delete") == "0408004"
    assert await listed(standing) == []


async def test_durations_are_compared_to_the_millisecond(standing: Standing) -> None:
    contacts = [await standing.contact(duration_s=seconds) for seconds in (5.499, 5.5, 5.501, 6.0, 6.001)]
    columns = {"qualityNum": 9, "qualityType": 1, "durationStart": 5500, "durationEnd": "6000"}
    plan = await added(standing, changed("extractionRange.fixedColumns", columns))
    await standing.call("regularqualitytask/beginQualityTask", {"regularQualityTaskId": plan})
    standing.clock.advance(1800)
    (run,) = await run_due(standing.office)
    async with standing.engine.begin() as connection:
        items = await connection.execute(sa.select(review_items.c.contact))
        assert sorted(items.scalars()) == contacts[1:4], run


async def test_both_editions_types_are_taken(standing: Standing) -> None:
    body = changed("cronStructure.qiqtCycleType", 2)
    body["cronStructure"] |= {"qiqtStartTime": str(START), "qiqtEndType": 1, "qiqtTotalTimes": 3}
    body["extractionRange"]["fixedColumns"] |= {"qualityNum": 50, "qualityType": "3", "maxNum": 10}
    body["appointQuality"] = {
        "setCountsType": "2",
        "setCounts": [{"personID": int(INSPECTOR), "count": "70"}, {"personID": SECOND, "count": 30}],
    }
    await added(standing, body)
    (row,) = await listed(standing)
    assert (row["qiqtCycleType"], row["qiqtTotalTimes"]) == ("weekly", 3)


REFUSED = [
    ("qiqtName", None, "qiqtName: is missing"),
    ("qiqtName", 7, "qiqtName: must be a text"),
    ("qiqtName", "x" * 65, "qiqtName: "),
    ("currentRole", "boss", "currentRole: must be one of"),
    ("extractionRange.currentRole", "boss", "extractionRange.currentRole: must be one of"),
    ("cronStructure.qiqtCycleType", "4", "cronStructure.qiqtCycleType: "),
    ("cronStructure.qiqtCycleType", None, "cronStructure.qiqtCycleType: is missing"),
    ("cronStructure.qiqtStartTime", START * 1000, "cronStructure.qiqtStartTime: "),
    ("cronStructure.qiqtStartTime", 1.5, "cronStructure.qiqtStartTime: must be a whole number"),
    ("cronStructure.qiqtStartTime", 99_999_999_999, "cronStructure.qiqtStartTime: must be seconds"),
    ("cronStructure.qiqtEndType", "3", "cronStructure.qiqtEndType: "),
    ("cronStructure.qiqtEndType", "2", "cronStructure.qiqtEndTime: is missing"),
    ("cronStructure.qiqtTotalTimes", None, "cronStructure.qiqtTotalTimes: must be at least 1"),
    ("cronStructure.qiqtTotalTimes", 0, "cronStructure.qiqtTotalTimes: must be at least 1"),
    ("cronStructure.qiqtTotalTimes", 100_000_000, "cronStructure.qiqtTotalTimes: "),
    ("appointQuality.setCountsType", 1, "appointQuality.setCountsType: must be 0 or 2"),
    ("appointQuality.setCounts", [], "appointQuality.setCounts: "),
    ("appointQuality.setCounts.1.personID", INSPECTOR, "appointQuality.setCounts.1.personID: stands twice"),
    (
        "appointQuality.setCounts.1.personID",
        TABLE_DIRECTOR,
        "appointQuality.setCounts.1.personID: is no insp",
    ),
    ("appointQuality.setCounts.0.personID", FOREIGN, "appointQuality.setCounts.0.personID: is no inspector"),
    ("appointQuality.setCounts.0.count", -1, "appointQuality.setCounts.0.count: "),
    ("appointQuality.setCountsType", 2, "appointQuality.setCounts.0.count: is missing"),
    ("extractionRange.fixedColumns.qualityNum", "10001", "extractionRange.fixedColumns.qualityNum: "),
    ("extractionRange.fixedColumns.qualityNum", None, "extractionRange.fixedColumns.qualityNum: is missing"),
    ("extractionRange.fixedColumns.qualityType", 4, "extractionRange.fixedColumns.qualityType: "),
    ("extractionRange.fixedColumns.staffIds", [FOREIGN], "extractionRange.fixedColumns.staffIds.0: "),
    ("extractionRange.fixedColumns", None, "extractionRange.fixedColumns: is missing"),
]


async def test_what_is_refused_names_its_field(standing: Standing) -> None:
    for path, value, complaint in REFUSED:
        answer = await standing.call("regularqualitytask/addQualityTask", changed(path, value))
        assert (answer.status, answer.code) == (200, "0408001"), path
        assert answer.body["resultDesc"].startswith(complaint), (path, answer.body)
    percent = changed(
        "appointQuality",
        {
            "setCountsType": 2,
            "setCounts": [{"personID": INSPECTOR, "count": 60}, {"personID": SECOND, "count": 39}],
        },
    )
    answer = await standing.call("regularqualitytask/addQualityTask", percent)
    assert answer.body == {
        "resultCode": "0408001",
        "resultDesc": "appointQuality.setCounts: the counts must add up to 100",
    }
    early = changed("cronStructure", EXAMPLE["cronStructure"] | {"qiqtEndTime": 1692171719})
    answer = await standing.call("regularqualitytask/addQualityTask", early)
    assert answer.body["resultDesc"].startswith("cronStructure.qiqtEndTime: must not be before")
    two = changed("currentRole", "qualityInspector", EXAMPLE)
    answer = await standing.call("regularqualitytask/addQualityTask", two)
    assert answer.body["resultDesc"].startswith("extractionRange.currentRole: must be the same")
    for page in ({"page": 0, "rows": 1}, {"page": 1, "rows": 1001}, {"page": 1}):
        answer = await standing.call("regularqualitytask/queryQualityTask", page)
        assert answer.code == "0408001"
    assert await listed(standing) == []


async def test_who_asks(standing: Standing) -> None:
    for name, body in (("add", PLAN), ("update", EXAMPLE)):
        answer = await standing.call(f"regularqualitytask/{name}QualityTask", body, None)
        assert (answer.status, answer.code) == (200, "0408002")
    as_role = PLAN | {"currentRole": "qualityInspector"}
    answer = await standing.call("regularqualitytask/addQualityTask", as_role)
    assert answer.code == "0408003"
    answer = await standing.call("regularqualitytask/addQualityTask", PLAN, INSPECTOR)
    assert answer.code == "0408003"
    plan = await added(standing)
    answer = await standing.call(
        "regularqualitytask/stopQualityTask", {"regularQualityTaskId": plan}, FOREIGN, vdn=TWO
    )
    assert answer.code == "0408004"


async def test_pages(standing: Standing) -> None:
    made = []
    for number in range(3):
        made.append(await added(standing, PLAN | {"qiqtName": f"Plan {number}"}))
        standing.clock.advance(1)
    answer = await standing.call("regularqualitytask/queryQualityTask", {"page": "2", "rows": "2"})
    assert answer.body["resultCode"] == "0408000"
    assert answer.body["total"] == 3
    assert [row["qiqtId"] for row in answer.body["list"]] == [made[0]]
