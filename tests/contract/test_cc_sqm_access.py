"""Nobody reaches an interface of the quality family without a token, or anything of another tenant."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import httpx
import sqlalchemy as sa
from tests.contract.bodies import body
from tests.contract.sqm_ledger import check
from tests.quality.disputes import SCENARIO, disputed_call
from tests.quality.inspected import uuid_of
from tests.quality.standing import (
    ANN,
    DIRECTOR,
    FOREIGN,
    INSPECTOR,
    NOW,
    ONE,
    SECOND,
    TABLE_LEADER,
    TWO,
    Answered,
    Standing,
)
from tests.storage.works import work_of

from sottovoce.contracts import Row, rows
from sottovoce.domain.people import Role, UserId
from sottovoce.storage.review import app_keys, users
from sottovoce.storage.tables import access_tokens, metadata

ROWS = [row for row in rows("cc-sqm", "cc-isqm") if not row.open]
OF_PEOPLE = [row for row in ROWS if row.status == "done" and row.user != "none"]
TOKEN = "/apigovernance/api/oauth/tokenByAkSk"
"""The one interface that needs no token."""
SPEECH = "/apiaccess/CCISQM"


async def ask(
    standing: Standing, row: Row, body: Any = None, http: httpx.AsyncClient | None = None, **headers: str
) -> Answered:
    """The interface, asked with these headers; its answer is one that the ledger allows."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    answer = await (http or standing.http).post(row.path, json={} if body is None else body, headers=named)
    told = check(row.path, answer.status_code, answer.headers["content-type"], answer.content)
    return Answered(answer.status_code, told)


async def everything(standing: Standing) -> dict[str, list[Any]]:
    """Every row of every table, but what asking itself leaves: tokens."""
    async with standing.engine.begin() as connection:
        return {
            table.name: sorted(map(repr, (await connection.execute(sa.select(table))).all()))
            for table in metadata.sorted_tables
            if table is not access_tokens
        }


async def test_only_the_token_needs_no_token() -> None:
    open_ones = [row.path for row in rows("cc-sqm", "cc-isqm") if row.open]
    assert open_ones == [TOKEN]
    assert len(ROWS) == 86


async def test_every_route_as_a_stranger(quality: Standing) -> None:
    key, secret = quality.keys[ONE]
    async with quality.engine.begin() as connection:
        short = await app_keys.issue(connection, key, secret, NOW, 10)
        gone, word = await app_keys.make(work_of(connection, ONE, NOW), "gone")
        revoked = await app_keys.issue(connection, gone.app_key, word, NOW, 3600)
        await app_keys.revoke(connection, gone.app_key, NOW)
    assert short is not None
    assert revoked is not None
    quality.clock.advance(10)
    valid = quality.tokens[ONE]
    before = await everything(quality)
    strangers: dict[str, dict[str, str]] = {
        "none": {},
        "empty": {"Authorization": "Bearer "},
        "bare": {"Authorization": valid},
        "basic": {"Authorization": f"Basic {valid}"},
        "another case": {"Authorization": f"Bearer {valid.swapcase()}"},
        "garbage": {"Authorization": "Bearer " + "x" * 5000},
        "expired": {"Authorization": f"Bearer {short.text}"},
        "revoked": {"Authorization": f"Bearer {revoked.text}"},
        "another app's": {"Authorization": f"Bearer {valid}", "x_app_key": quality.keys[TWO][0]},
    }
    for number, (held, headers) in enumerate(strangers.items()):
        http = quality.elsewhere(f"192.0.2.{number}")
        for row in ROWS:
            answer = await ask(quality, row, http=http, X_UserID=DIRECTOR, **headers)
            assert answer.status == 401, (held, row.path)
            assert answer.code == row.module + ("401" if SPEECH in row.path else "002")
    assert await everything(quality) == before


async def test_a_token_in_a_query_cookie_or_body_counts_for_nothing(quality: Standing) -> None:
    token = quality.tokens[ONE]
    row = ROWS[0]
    answer = await quality.http.post(
        f"{row.path}?access_token={token}&Authorization=Bearer%20{token}",
        json={"AccessToken": token, "Authorization": f"Bearer {token}"},
        headers={"Cookie": f"Authorization=Bearer {token}", "X-UserID": DIRECTOR},
    )
    assert answer.status_code == 401


NOBODY: dict[str, str | bytes] = {
    "foreign": FOREIGN,
    "the server": "0",
    "unknown": "9" * 20,
    "too long": "9" * 21,
    "negative": "-1",
    "float": "1e3",
    "name": "Dora",
    "empty": "",
    "wide digits": "１６１１９１７０９５６６５２６１９７８".encode(),
}


async def test_every_route_with_a_user_who_is_none_of_the_tenant(quality: Standing) -> None:
    before = await everything(quality)
    for who, named in NOBODY.items():
        for row in OF_PEOPLE:
            headers: dict[str, Any] = {"Authorization": f"Bearer {quality.tokens[ONE]}", "X-UserID": named}
            answer = await quality.http.post(row.path, json={}, headers=headers)
            told = check(row.path, answer.status_code, answer.headers["content-type"], answer.content)
            assert told["resultCode"] == row.module + "002", (who, row.path, told)
    assert await everything(quality) == before


async def test_who_acts_where_nobody_is_named(quality: Standing) -> None:
    async with quality.engine.begin() as connection:
        key, secret = await app_keys.make(work_of(connection, ONE, NOW), "with a user", DIRECTOR)
        own = await app_keys.issue(connection, key.app_key, secret, NOW, 600)
    assert own is not None
    for row in OF_PEOPLE:
        nobody = await ask(quality, row, Authorization=f"Bearer {quality.tokens[ONE]}")
        assert nobody.code == row.module + "002", row.path
        answer = await ask(quality, row, Authorization=f"Bearer {own.text}")
        refused = isinstance(answer.body, dict) and answer.body.get("resultCode") == row.module + "002"
        assert refused == (row.user == "required"), row.path


async def test_a_disabled_user_can_do_nothing(quality: Standing) -> None:
    async with quality.engine.begin() as connection:
        await users.disable(connection, DIRECTOR, NOW)
    for row in OF_PEOPLE:
        answer = await ask(quality, row, Authorization=f"Bearer {quality.tokens[ONE]}", X_UserID=DIRECTOR)
        assert answer.code == row.module + "002", row.path


PRINTED: dict[str, dict[str, Any]] = {
    "create": {"call_type": 0, "staff_name": "0", "staff_id": "0", "file_name": "helloworld123456"},
    "createSilenceRule": {
        "setting": {
            "name": "test34",
            "score": 4,
            "seconds": 5,
            "times": 4,
            "other": {"call_from": 1623911884, "call_end": 1624430285},
        },
        "exception": {"before": {"staff": ["14161"], "customer": []}, "after": {}},
    },
    "voice2Text": {
        "language": "zh_CN",
        "voiceFilePath": "Y:\\27\\0\\20210201\\1118\\0951044.V3",
        "agentId": 1118,
        "beginTime": "2021-02-01 09:51:07",
        "endTime": "2021-02-01 09:57:57",
    },
}
"""The examples of pages whose interfaces are not served."""


async def test_what_is_not_served_never_succeeds(quality: Standing) -> None:
    for row in ROWS:
        if row.status == "done":
            continue
        for sent in ({}, {"name": "x", "page": 1, "limit": 10}, PRINTED.get(row.name, {})):
            answer = await ask(quality, row, sent, Authorization=f"Bearer {quality.tokens[ONE]}")
            assert answer.status == 200
            assert answer.code == row.module + ("501" if SPEECH in row.path else "010")


@dataclass(frozen=True)
class Scene:
    """Something of every kind in tenant 1."""

    shared: dict[str, Any]
    """Values of bodies by a field's last name."""
    special: dict[str, dict[str, Any]]
    """The same for one interface, by its name."""

    def body(self, row: Row, **people: Any) -> dict[str, Any]:
        """A body that asks `row` for what is there."""
        part = row.path.split("/")[-2]
        return body(
            row, {**self.shared, **self.special.get(part, {}), **self.special.get(row.name, {}), **people}
        )

    @property
    def ids(self) -> set[str]:
        """Every id of it."""
        return {value for value in self.shared.values() if isinstance(value, str) and len(value) > 12}


async def everything_there(standing: Standing) -> Scene:
    """A call with results, an appeal, a task in effect, a plan, a score profile, a scenario."""
    contact, (appealed, result) = await disputed_call(standing)
    uuid = await uuid_of(standing, contact)

    async def told(path: str, content: dict[str, Any], user: UserId = DIRECTOR) -> Any:
        answer = await standing.call(path, content, user)
        assert answer.ok, (path, answer.body)
        return answer.body

    profile = {"name": "P", "lower_bound": 0, "upper_bound": 100, "base": 100}
    columns = {"qualityType": 1, "qualityNum": 1, "interactionType": 0}
    ends = {"qiqtCycleType": "1", "qiqtStartTime": 1772442000, "qiqtEndType": "1", "qiqtTotalTimes": 3}
    inspectors = {"setCounts": [{"personID": INSPECTOR, "count": 0}], "setCountsType": 0}
    ranged = {"fixedColumns": columns}
    plan = {"qiqtName": "N", "extractionRange": ranged, "appointQuality": inspectors, "cronStructure": ends}
    complaint = {"callId": uuid, "leaderUUID": TABLE_LEADER, "taskDescription": "unfair"}
    chosen = [{"ruleGroupId": SCENARIO, "reviseIdList": [appealed]}]
    new_task = {"currentRole": "qualityDirector", "fixedColumns": columns, "qualityTask": {"planName": "T"}}
    shared: dict[str, Any] = {
        "call_uuid": uuid,
        "uuid": uuid,
        "reviseId": result,
        "reviseIdList": [appealed],
        "ruleGroupId": SCENARIO,
        "regularQualityTaskId": (await told("regularqualitytask/addQualityTask", plan))["objId"],
        "qualityTaskId": (await told("qualitytask/createQualityTask", new_task))["objId"],
        "group_id": (await told("scenariomanage/createScenario", {"group_name": "G", "other": {}}))[
            "group_id"
        ],
    }
    task = shared["qualityTaskId"]
    dealt = {
        "qualityTaskId": task,
        "setCountsType": 1,
        "isTakeEffect": 1,
        "setCounts": [{"personID": INSPECTOR}],
    }
    await told("qualitytask/appointQualityTask", dealt)
    asked = {"currentRole": "qualityDirector", "page": 1, "rows": 10, "fixedColumns": {"planCode": task}}
    shared["taskId"] = (await told("qualitytask/callsQualityTask", asked))["data"][0]["id"]
    await told("appraisecall/complain", {**complaint, "chooseRuleGroupList": chosen}, ANN)
    shared["qualityItemId"] = (await told("qualityitem/queryQualityItem", {}))["data"][0]["id"]
    own = (await told("appraisescore/createAppraiseScore", profile))["id"]
    nothing = dict.fromkeys(
        ("fileName", "creatOperator", "reviewingOfficer", "inspector", "staff", "staff_name")
    )
    shared |= {
        **nothing,
        "qiqtId": shared["regularQualityTaskId"],
        "planCode": task,
        "qualityTaskCallId": shared["taskId"],
        **dict.fromkeys(("qualityId", "qualityTaskInfoId", "taskInfoId"), shared["qualityItemId"]),
        "duration_min": None,
        "duration_max": None,
        "durationStart": None,
        "durationEnd": None,
        "durationFrom": None,
        "durationTo": None,
        "scoreStart": None,
        "scoreEnd": None,
        "limit": 10,
        "rows": 10,
    }
    special = {
        "appraisescore": {"id": own},
        "updateQualityTask": {"id": task, "setCountsType": 0},
        "addQualityTask": {"setCountsType": 0},
        "complain": {"callId": uuid},
        "appealItem": {"callId": uuid, "assignee": None, "role": None},
        "completeQualityTask": {"callId": str(contact)},
        "queryQualityTask": {"planName": None, "currentRole": "qualityDirector"},
        "queryQualityItem": {"taskStatus": None, "startTimeMillis": None, "endTimeMillis": None},
        "queryAllScenario": {
            "scenarioName": None,
            "scenarioStatus": None,
            "startTime": None,
            "endTime": None,
        },
        "modifyQualityItemResult": {"reviseId": appealed},
        "reassginQualityTask": {"role": None},
    }
    return Scene(shared, special)


OUR_PEOPLE = {"personID": INSPECTOR, "leaderUUID": TABLE_LEADER, "handler": SECOND, "staffIds": [ANN]}
OUR_PEOPLE |= {"staff_id": ANN, "agentUserIds": [ANN], "qualityUserIds": []}
THEIR_PEOPLE = {"personID": FOREIGN, "leaderUUID": FOREIGN, "handler": FOREIGN, "staffIds": []}
THEIR_PEOPLE |= {"staff_id": None, "agentUserIds": [], "qualityUserIds": []}
ACTORS = {"complain": ANN, "appealItem": TABLE_LEADER}
ACTORS |= {
    "modifyQualityItemResult": DIRECTOR,
    "modifyResultQualityTask": INSPECTOR,
    "completeQualityTask": INSPECTOR,
}


async def of_tenant_one(standing: Standing) -> dict[str, list[Any]]:
    """Every row that belongs to it."""
    async with standing.engine.begin() as connection:
        return {
            table.name: sorted(
                map(repr, (await connection.execute(sa.select(table).where(table.c.vdn == 1))).all())
            )
            for table in metadata.sorted_tables
            if "vdn" in table.c and table is not access_tokens
        }


async def test_every_route_with_a_foreign_tenants_token_and_our_ids(quality: Standing) -> None:
    """The stranger has every role at home. What succeeds tells nothing of ours."""
    scene = await everything_there(quality)
    async with quality.engine.begin() as connection:
        await users.set_roles(connection, FOREIGN, set(Role), NOW)
    token = quality.tokens[TWO]
    before = await of_tenant_one(quality)
    succeeded = set()
    for row in ROWS:
        for people in (OUR_PEOPLE, THEIR_PEOPLE):
            sent = scene.body(row, **people)
            answer = await ask(quality, row, sent, Authorization=f"Bearer {token}", X_UserID=FOREIGN)
            assert answer.status == 200, row.path
            if answer.ok:
                succeeded.add(row.name)
                shown = repr(answer.body)
                assert not [one for one in scene.ids if one in shown], (row.path, answer.body)
                empty = answer.body.get("data") or answer.body.get("list")
                assert not empty or row.name in ("queryAllScenario", "queryQualityTask"), (
                    row.path,
                    answer.body,
                )
    assert await of_tenant_one(quality) == before
    assert succeeded == {
        "details",
        "addQualityTask",
        "queryQualityTask",
        "queryQualityItem",
        "createAppraiseScore",
        "queryAppraiseScore",
        "createScenario",
        "queryAllScenario",
    }


async def test_the_same_bodies_reach_what_is_there_with_our_own_token(quality: Standing) -> None:
    """So that the test before cannot pass by asking for nothing."""
    scene = await everything_there(quality)
    seen = {}
    for row in sorted(
        OF_PEOPLE, key=lambda row: (not row.name.startswith(("query", "calls", "det")), row.name)
    ):
        if row.name.startswith(("delete", "terminate")):
            continue
        user = ACTORS.get(row.name, DIRECTOR)
        sent = scene.body(row, **OUR_PEOPLE)
        answer = await ask(quality, row, sent, Authorization=f"Bearer {quality.tokens[ONE]}", X_UserID=user)
        seen[row.path.split("/v1/")[1]] = answer.code[4:] if not answer.ok else "ok"
        if answer.ok and isinstance(answer.body, dict):
            assert answer.body.get("data", answer.body.get("list", True)), (row.path, "nothing found")
    refused = {path: code for path, code in seen.items() if code != "ok"}
    assert refused == {
        "appraisecall/complain": "005",
        "appraisescore/modifyAppraiseScore": "007",
        "qualitytask/createQualityTask": "008",
        "qualitytask/modifyResultQualityTask": "005",
        "qualitytask/takeEffectQualityTask": "005",
        "qualitytask/updateQualityTask": "005",
        "scenariomanage/updateScenario": "007",
    }, "each of these found what it was asked for, in a state in which it may not be done"
