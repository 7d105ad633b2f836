"""onlineagent, agentevent, agentgroup and calldata over the wire: an agent's day, every answer checked."""

from __future__ import annotations

from typing import Any

import pytest
from tests.contract.client import BASE, LedgerClient
from tests.contract.standing import Standing

A, B, INSPECTOR, FOREIGN = 101, 102, 300, 201


async def test_sign_in_gives_a_guid_twice_and_its_facts(client: LedgerClient) -> None:
    answered = await client.sign_in(A)
    assert answered.result == {
        "vdnid": 1,
        "workno": "101",
        "mediatype": "TFF",
        "loginTime": "1767225600000",
        "isForceChange": "false",
        "serverName": "AgentGateway",
        "timeRemaining": "",
    }
    guid = answered.headers["guid"]
    assert answered.headers["set-guid"] == f"JSESSIONID={guid}"
    assert not set(guid) & {"=", ":"}


async def test_sign_in_starts_idle_busy_or_in_wrap_up(standing: Standing, client: LedgerClient) -> None:
    seen = {}
    for agent, status in ((101, "4"), (102, "3"), (103, 5)):
        assert (await client.sign_in(agent, status=status)).retcode == "0"
        await standing.quiet()
        seen[agent] = [name for name, _ in await client.events(agent)]
    assert seen == {
        101: ["AgentOther_InService", "AgentState_Ready"],
        102: ["AgentOther_InService", "AgentState_Ready", "AgentState_SetNotReady_Success"],
        103: ["AgentOther_InService", "AgentState_Ready", "AgentState_Work"],
    }


@pytest.mark.parametrize(
    ("wish", "retcode"),
    [
        ({"password": "wrong"}, "100-004"),
        ({"password": "x" * 33}, "100-001"),
        ({"agenttype": 5}, "100-012"),
        ({"agenttype": "four"}, "100-001"),
        ({"status": 8}, "100-001"),
        ({"ip": "::1"}, "100-016"),
        ({"ip": "300.0.0.1"}, "100-016"),
        ({"phonenum": "9" * 25}, "100-013"),
        ({"autoanswer": "perhaps"}, "100-001"),
        ({"callBackUri": "https://x/", "serviceToken": "t"}, "100-001"),
        ({"pushUrl": "https://x/?token=t"}, "100-001"),
    ],
    ids=str,
)
async def test_sign_in_refused(client: LedgerClient, wish: dict[str, Any], retcode: str) -> None:
    assert (await client.sign_in(A, **wish)).retcode == retcode


async def test_a_phone_of_nobody_is_refused(client: LedgerClient) -> None:
    assert (await client.sign_in(A, phonenum="4711")).retcode in ("100-013", "100-014")


async def test_sign_in_twice_needs_force(client: LedgerClient) -> None:
    await client.sign_in(A)
    first = client.guids[A]
    assert (await client.sign_in(A)).retcode == "100-002"
    assert (await client.sign_in(A, force=True)).retcode == "0"
    assert client.guids[A] != first
    old = await client.raw("GET", f"{BASE}/onlineagent/101/agentstatus", headers={"Guid": first})
    assert old.retcode == "100-006"


@pytest.mark.parametrize("number", ["100", "60000", "999999", "abc", "1e3", "-101", "0"])
async def test_agent_ids_out_of_range(client: LedgerClient, number: str) -> None:
    assert (
        await client.raw("PUT", f"{BASE}/onlineagent/{number}", json={"password": ""})
    ).retcode == "000-002"
    assert (await client.raw("GET", f"{BASE}/onlineagent/{number}/agentstatus")).retcode == "000-002"


@pytest.mark.parametrize("how", ["logout", "forcelogout", "forcelogoutwithreason/7"])
async def test_sign_out(client: LedgerClient, how: str) -> None:
    await client.sign_in(A)
    await client.ok(A, "DELETE", f"/onlineagent/{{a}}/{how}")
    assert await client.refused(A, "DELETE", f"/onlineagent/{{a}}/{how}") == "100-006"


async def test_sign_out_reason_out_of_range(client: LedgerClient) -> None:
    await client.sign_in(A)
    for reason in ("0", "256", "x"):
        assert (
            await client.refused(A, "DELETE", f"/onlineagent/{{a}}/forcelogoutwithreason/{reason}")
            == "100-005"
        )


async def test_sign_out_during_a_call_needs_force(standing: Standing, client: LedgerClient) -> None:
    await standing.at_work(A)
    await standing.call_in()
    assert await client.refused(A, "DELETE", "/onlineagent/{a}/logout") == "100-007"
    await client.ok(A, "DELETE", "/onlineagent/{a}/forcelogout")


async def test_states(standing: Standing, client: LedgerClient) -> None:
    await standing.at_work(A)

    async def state() -> int:
        await standing.quiet()
        result = await client.ok(A, "GET", "/onlineagent/{a}/agentstatus")
        assert isinstance(result["agentState"], int)
        return result["agentState"]

    path = "/onlineagent/{a}/"
    steps = [
        ("saybusy?reason=201", 3),
        ("cancelbusy", 4),
        ("rest/60/7", 8),
        ("cancelrest", 4),
        ("work", 5),
        ("cancelwork", 4),
        ("saybusy", 3),
        ("sayfree", 4),
    ]
    for step, after in steps:
        await client.ok(A, "POST", path + step)
        assert await state() == after, step
    assert [name for name, _ in await client.events(A)][:4] == [
        "AgentState_SetNotReady_Success",
        "AgentState_CancelNotReady_Success",
        "AgentState_SetRest_Success",
        "AgentState_CancelRest_Success",
    ]


@pytest.mark.parametrize(
    ("tail", "retcode"),
    [
        ("saybusy?reason=199", "000-002"),
        ("saybusy?reason=251", "000-002"),
        ("saybusy?prolong=perhaps", "000-002"),
        ("rest/0/0", "000-002"),
        ("rest/86400/0", "000-002"),
        ("rest/60/256", "000-002"),
        ("cancelbusy", "100-009"),
        ("cancelrest", "100-009"),
        ("cancelwork", "100-009"),
        ("autoenteridle/toolong", "000-002"),
        ("resetskill/true?phonelinkage=2", "000-002"),
        ("resetskill/false?skillid=1;x", "000-002"),
    ],
)
async def test_states_refused(client: LedgerClient, tail: str, retcode: str) -> None:
    await client.sign_in(A)
    assert await client.refused(A, "POST", f"/onlineagent/{{a}}/{tail}") == retcode


async def test_busy_twice_needs_prolong(client: LedgerClient) -> None:
    await client.sign_in(A)
    await client.ok(A, "POST", "/onlineagent/{a}/saybusy?reason=201")
    assert await client.refused(A, "POST", "/onlineagent/{a}/saybusy?reason=202") == "100-009"
    await client.ok(A, "POST", "/onlineagent/{a}/saybusy?reason=202&prolong=True")


async def test_skills(client: LedgerClient) -> None:
    await client.sign_in(A)
    skills = "/agentgroup/{a}/agentbyworkno/101"
    both = [{"name": "sales", "id": 1, "mediatype": 5}, {"name": "help", "id": 2, "mediatype": 5}]
    table = [
        ("false", []),
        ("false?skillid=2", both[1:]),
        ("false?skillid=1;2&phonelinkage=1", both),
        ("false?skillid=2;99", both[1:]),
        ("TRUE", both),
    ]
    assert (await client.ok(A, "GET", skills))["skilllist"] == []
    for how, after in table:
        assert await client.ok(A, "POST", f"/onlineagent/{{a}}/resetskill/{how}") is None
        assert (await client.ok(A, "GET", skills))["skilllist"] == after, how
        assert await client.ok(A, "GET", "/onlineagent/{a}/agentskills") == both


async def test_a_sign_in_without_a_phone(standing: Standing, client: LedgerClient) -> None:
    assert (await client.sign_in(A, how="loginex", phonenum="")).result["mediatype"] == "TFF"
    agent = "/agentgroup/{a}/agentbyworkno/101"
    assert (await client.ok(A, "GET", agent))["phonenumber"] == "1101"
    assert (await client.sign_in(A, how="loginex")).retcode == "100-002"
    for how, wish, retcode in (
        ("forceloginex", {"phonenum": "1201"}, "100-014"),
        ("forceloginex", {"phonenum": "x"}, "100-013"),
        ("forceloginexwithoutphone", {"password": "wrong"}, "100-004"),
    ):
        assert (await client.sign_in(A, how=how, **wish)).retcode == retcode
    await client.sign_in(A, how="forceloginexwithoutphone")
    await standing.quiet()
    told = [name for name, _ in await client.events(A)]
    assert told[-2:] == ["AgentOther_InService", "AgentState_Ready"]
    assert (await client.ok(A, "GET", agent))["phonenumber"] == ""
    assert await client.refused(A, "PUT", "/voicecall/{a}/callout", json={"called": "0777"}) == "100-007"
    await client.ok(A, "POST", "/onlineagent/{a}/resetskill/true")
    await standing.call_in()
    for body, retcode in (
        ({}, "000-002"),
        ({"phonenum": "x"}, "100-013"),
        ({"phonenum": "1201"}, "100-014"),
    ):
        assert await client.refused(A, "POST", "/onlineagent/{a}/bindphone", json=body) == retcode
    await client.ok(A, "POST", "/onlineagent/{a}/bindphone", json={"phonenum": 1101})
    await standing.quiet()
    assert "AgentEvent_Talking" in [name for name, _ in await client.events(A)]
    body = {"phonenum": "1102"}
    assert await client.refused(A, "POST", "/onlineagent/{a}/bindphone", json=body) == "100-007"


async def test_upkeep(client: LedgerClient) -> None:
    await client.sign_in(A)
    for flag in ("True", "False", "true", "no"):
        await client.ok(A, "POST", f"/onlineagent/{{a}}/autoenteridle/{flag}")
        await client.ok(A, "POST", f"/onlineagent/{{a}}/autoanswer/{flag}")
    await client.ok(A, "POST", "/onlineagent/{a}/handshake")
    await client.ok(A, "PUT", "/onlineagent/{a}/handshake")
    renewed = await client.ask(A, "PUT", "/onlineagent/{a}/updateGuid")
    assert renewed.headers["set-guid"] == "JSESSIONID=" + renewed.result["guid"]
    await client.ok(A, "GET", "/onlineagent/{a}/agentstatus")
    client.guids[A] = renewed.result["guid"]
    await client.ok(A, "GET", "/onlineagent/{a}/agentstatus")


async def test_synchronising_empties_the_queue(standing: Standing, client: LedgerClient) -> None:
    await client.sign_in(A)
    await standing.quiet()
    picture = await client.ok(A, "POST", "/onlineagent/{a}/syncagentinfo")
    assert picture["callinfo"] == {}
    assert picture["agentStateInfo"]["state"] == 1
    assert await client.events(A) == []
    await client.ok(A, "POST", "/onlineagent/{a}/resetskill/true")
    await standing.call_in()
    picture = await client.ok(A, "POST", "/onlineagent/{a}/syncagentinfo")
    assert picture["callinfo"]["caller"] == "555"
    assert picture["agentStateInfo"]["state"] == 9
    assert picture["agentStateInfo"]["curCallId"] == picture["callinfo"]["callid"]


async def test_looking_at_agents(standing: Standing, client: LedgerClient) -> None:
    await standing.at_work(A, INSPECTOR)
    standing.clock.advance(5)
    seen = await client.ok(INSPECTOR, "GET", "/agentgroup/{a}/agentbyworkno/101")
    assert (seen["workno"], seen["status"], seen["ctiStatus"], seen["phonenumber"]) == ("101", "4", 1, "1101")
    assert seen["currentstatetime"] == 5
    online = await client.ok(INSPECTOR, "GET", "/agentgroup/{a}/onlineagentonvdn")
    assert [one["workno"] for one in online] == ["101", "300"]
    everyone = await client.ok(INSPECTOR, "GET", "/agentgroup/{a}/allagentstatus")
    assert {one["workno"]: one["status"] for one in everyone} == {
        "101": "4",
        "102": "2",
        "103": "2",
        "300": "4",
        "301": "2",
    }
    assert await client.ok(INSPECTOR, "GET", "/agentgroup/{a}/iscensor") is True
    assert await client.ok(A, "GET", "/agentgroup/{a}/iscensor") is False
    for nobody in (FOREIGN, 999):
        assert await client.refused(A, "GET", f"/agentgroup/{{a}}/agentbyworkno/{nobody}") == "300-002"
    assert await client.refused(A, "GET", "/agentgroup/{a}/agentbyworkno/5") == "000-002"


async def test_looking_at_calls(standing: Standing, client: LedgerClient) -> None:
    await standing.at_work(A)
    assert await client.refused(A, "GET", "/calldata/{a}/callinfo") == "400-002"
    assert await client.ok(A, "GET", "/calldata/{a}/allcallid") == []
    customer = await standing.call_in()
    call = await client.ok(A, "GET", "/calldata/{a}/callinfo")
    assert (call["caller"], call["called"], call["callskillid"], call["callfeature"]) == ("555", "801", 1, 0)
    assert await client.ok(A, "GET", "/calldata/{a}/allcallid") == [call["callid"]]
    customer.hang_up()
    await standing.quiet()
    last = await client.ok(A, "GET", "/calldata/{a}/callinfo?isNoContainLastCall=false")
    assert last["callid"] == call["callid"]
    assert await client.refused(A, "GET", "/calldata/{a}/callinfo?isNoContainLastCall=True") == "400-002"
