"""What is no whole number is refused in every family and everywhere in a request; its value is never told."""

from __future__ import annotations

import pytest
from tests.contract.client import LedgerClient
from tests.quality.standing import DIRECTOR, Standing

NO_NUMBERS = ["²", "--5", "٥", "５", "1_0"]
AGENT, INSPECTOR = 101, 300
TOKEN = "/apigovernance/api/oauth/tokenByAkSk"


@pytest.fixture(params=NO_NUMBERS)
def value(request: pytest.FixtureRequest) -> str:
    return str(request.param)


async def test_of_the_gateway(client: LedgerClient, value: str) -> None:
    await client.sign_in(AGENT)
    await client.sign_in(INSPECTOR)
    asked: list[tuple[str, int, str, str, object]] = [
        ("reason", AGENT, "DELETE", f"/onlineagent/{{a}}/forcelogoutwithreason/{value}", None),
        ("workNo", INSPECTOR, "PUT", f"/qualitycontrol/{{a}}/addsupervise/{value}", None),
        ("reason", AGENT, "POST", f"/onlineagent/{{a}}/saybusy?reason={value}", None),
        ("skillid", AGENT, "POST", f"/onlineagent/{{a}}/resetskill/false?skillid={value}", None),
        ("skillid", AGENT, "PUT", "/voicecall/{a}/callout", {"called": "1", "skillid": value}),
        ("agentid", AGENT, "GET", f"/agentevent/{value}", None),
    ]
    for field, agent, verb, tail, body in asked:
        message = (await client.ask(agent, verb, tail, json=body)).body["message"]
        assert message.startswith(field), (verb, tail)
        assert "literal" not in message
        assert value not in message
    assert await client.ok(AGENT, "GET", "/onlineagent/{a}/agentstatus"), "nothing was done"


async def test_of_the_quality_family(quality: Standing, value: str) -> None:
    items = await quality.call("qualityitem/queryQualityItem", {"fixedColumns": {"taskType": value}})
    pages = await quality.call("qualityitem/queryQualityItem", {"page": value})
    tasks = await quality.call("qualitytask/deleteQualityTask", {"qualityTaskId": value})
    profile = {"name": "x", "lower_bound": value, "upper_bound": 100, "base": 100}
    scores = await quality.call("appraisescore/createAppraiseScore", profile)
    for field, answer in (
        ("fixedColumns.taskType", items),
        ("page", pages),
        ("qualityTaskId", tasks),
        ("lower_bound", scores),
    ):
        assert answer.status == 200
        assert answer.code.endswith("001"), answer.body
        description = answer.body["resultDesc"]
        assert description.startswith(f"{field}: "), description
        assert "literal" not in description
        assert value not in description


async def test_of_the_quality_familys_headers(quality: Standing, value: str) -> None:
    raw = value.encode()
    user = await quality.http.post(
        "/apiaccess/CCSQM/rest/ccisqm/v1/appraisescore/queryAppraiseScore",
        json={"page": 1, "limit": 10},
        headers={b"Authorization": f"Bearer {quality.tokens[1]}".encode(), b"X-UserID": raw},  # type: ignore[index]
    )
    assert user.json() == {
        "resultCode": "0412002",
        "resultDesc": "x-UserId is no number of at most 20 digits",
    }
    key, secret = quality.keys[1]  # type: ignore[index]
    token = await quality.http.post(
        TOKEN, json={"app_key": key, "app_secret": secret}, headers={b"X-Token-Expire": raw}
    )
    assert token.status_code == 400
    assert token.json() == {"resultCode": "0400001", "resultDesc": "X-Token-Expire: must be 1 to 3600"}
    assert (await quality.call("appraisescore/queryAppraiseScore", {"page": 1, "limit": 1}, DIRECTOR)).ok
