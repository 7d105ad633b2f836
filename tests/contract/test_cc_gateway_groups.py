"""agentgroup: agents by state, queue and group, groups, causes of rest, what the caller may."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from tests.contract.client import LedgerClient
from tests.contract.standing import FOREIGN_AGENT, Standing

from sottovoce.domain.directory import AgentGroup, AgentId, Right, VdnId

A, B, C, INSPECTOR, OTHER = 101, 102, 103, 300, 301
ALL = ["101", "102", "103", "300", "301"]
AG = "/agentgroup/{a}/"


async def _listed(client: LedgerClient, tail: str, **sent: Any) -> list[str]:
    found = await client.ok(A, "GET", AG + tail, **sent)
    return [one["workno"] for one in found]


async def test_agents_by_state(standing: Standing, client: LedgerClient) -> None:
    await standing.at_work(A, B, INSPECTOR, FOREIGN_AGENT)
    await client.ok(B, "POST", "/onlineagent/{a}/saybusy")
    await standing.quiet()
    for tail in ("alllocalagentstatus", "queryagentstatus", "queryagentstatusandskill"):
        assert await client.ok(A, "GET", AG + tail) == await client.ok(A, "GET", AG + "allagentstatus")
    assert await _listed(client, "queryagentstatus") == ALL
    for status, agents in ((4, ["101", "300"]), (3, ["102"]), (2, ["103", "301"]), (7, [])):
        assert await _listed(client, f"agentlistbystatus?status={status}") == agents
    assert await client.refused(A, "GET", AG + "agentlistbystatus") == "000-002"
    idle = [{"workno": "101", "name": "Agent 101"}, {"workno": "300", "name": "Agent 300"}]
    assert await client.ok(A, "GET", AG + "idleagent") == idle


async def test_agents_by_queue(standing: Standing, client: LedgerClient) -> None:
    await standing.at_work(A, FOREIGN_AGENT)
    await client.sign_in(B)
    await client.ok(B, "POST", "/onlineagent/{a}/resetskill/false?skillid=2&phonelinkage=0")
    await client.sign_in(INSPECTOR)
    await standing.quiet()
    for skill, agents in ((1, ["101"]), (2, ["101", "102"])):
        assert await _listed(client, f"agentbyskill/{skill}") == agents
        assert await client.ok(A, "GET", AG + f"agentidsbyskill/{skill}") == agents
        assert await _listed(client, f"agentbyconfigedskill/{skill}") == ["101", "102", "103"]
    by_queue = await client.ok(A, "GET", AG + "allonlineagents")
    shown = [
        (one["skillMediaType"], one["skillId"], [each["workno"] for each in one["agent"]]) for one in by_queue
    ]
    assert shown == [(5, 1, ["101"]), (5, 2, ["101", "102"])]
    for tail in ("agentbyskill/9", "agentidsbyskill/9", "agentbyconfigedskill/9"):
        assert await client.refused(A, "GET", AG + tail) == "100-007"


@pytest.mark.parametrize(
    ("body", "agents"),
    [
        ({"agentLimit": 1, "agentStatus": [3, 4]}, ["101"]),
        ({"agentLimit": "2", "agentStatus": ["4", "3"]}, ["101", "102"]),
        ({"agentLimit": 500, "agentStatus": [3]}, ["102"]),
        ({"agentLimit": 500, "agentStatus": []}, []),
        ({"agentLimit": 1}, ["101", "102"]),
        ({"agentStatus": [3]}, ["101", "102"]),
        ({"agentLimit": 0, "agentStatus": [3]}, None),
        ({"agentLimit": 501, "agentStatus": [3]}, None),
        ({"agentLimit": 1, "agentStatus": list(range(21))}, None),
        ({"agentLimit": 1, "agentStatus": "busy"}, None),
    ],
    ids=str,
)
async def test_some_agents_of_a_queue(
    standing: Standing, client: LedgerClient, body: dict[str, Any], agents: list[str] | None
) -> None:
    await standing.at_work(A, B)
    await client.ok(B, "POST", "/onlineagent/{a}/saybusy")
    await standing.quiet()
    answered = await client.ask(A, "GET", AG + "agentbyskill/1", json=body)
    if agents is None:
        assert answered.retcode == "000-002"
    else:
        assert [one["workno"] for one in answered.result] == agents


async def test_who_takes_no_calls_is_left_out(standing: Standing, client: LedgerClient) -> None:
    await standing.at_work(A, B)
    await client.ok(B, "POST", "/onlineagent/{a}/settalkright?flag=0")
    assert await _listed(client, "agentbyskill/1") == ["101"]
    assert await client.ok(A, "GET", AG + "agentidsbyskill/1") == ["101", "102"]
    await standing.call_in("555")
    assert [one["status"] for one in await client.ok(A, "GET", AG + "agentongroup")][:2] == ["7", "4"]
    await standing.call_in("556")
    assert await client.ok(A, "GET", "/queuedevice/{a}/waitnum") == 1
    await client.ok(B, "POST", "/onlineagent/{a}/settalkright?flag=1")
    await standing.quiet()
    assert "AgentEvent_Talking" in [name for name, _ in await client.events(B)]
    assert await _listed(client, "agentbyskill/1") == ["101", "102"]
    for flag in ("", "?flag=2", "?flag=true"):
        assert await client.refused(B, "POST", f"/onlineagent/{{a}}/settalkright{flag}") == "000-002"


async def test_agents_in_any_queue(standing: Standing, client: LedgerClient) -> None:
    await standing.at_work(A, B, C, FOREIGN_AGENT, INSPECTOR)
    await client.ok(B, "POST", "/onlineagent/{a}/resetskill/false")
    await client.ok(C, "POST", "/onlineagent/{a}/settalkright?flag=0")
    assert await client.ok(A, "GET", AG + "agentbylist") == await client.ok(A, "GET", AG + "agentbyskill/1")
    for media, agents in (("5", ["101"]), ("1;5", ["101"]), ("15,5", ["101"]), ("1", []), ("", ["101"])):
        assert await _listed(client, f"agentbylist?mediaTypes={media}") == agents
    for media in ("voice", "256", ";".join(["5"] * 21)):
        assert await client.refused(A, "GET", AG + f"agentbylist?mediaTypes={media}") == "000-002"


async def test_names_and_phones(client: LedgerClient) -> None:
    for agent in (A, FOREIGN_AGENT):
        await client.sign_in(agent)
    names = {number: f"Agent {number}" for number in ALL}
    assert await client.ok(A, "GET", AG + "agentwasnameonvdn") == names
    phone = {"workno": "101", "phonenumber": "1101"}
    assert await client.ok(A, "GET", AG + "loggedinagentphoneonvdn") == [phone]


async def test_rests(standing: Standing, client: LedgerClient) -> None:
    await standing.at_work(A, B, FOREIGN_AGENT)
    nobody = {"onRestAgentNum": 0, "waitRestAgentNum": 0, "details": []}
    assert await client.ok(A, "GET", AG + "agentrestinfo") == nobody
    await standing.call_in()
    began = round(standing.clock.now().timestamp() * 1000)
    for agent in (A, B, FOREIGN_AGENT):
        await client.ok(agent, "POST", "/onlineagent/{a}/rest/60/1")
    standing.clock.advance(5)
    assert await client.ok(A, "GET", AG + "agentrestinfo") == {
        "onRestAgentNum": 1,
        "waitRestAgentNum": 1,
        "details": [
            {"agentId": 102, "name": "Agent 102", "vdnId": 1, "beginTime": began, "applyRestLength": 60}
        ],
    }


async def test_agents_without_skills(client: LedgerClient) -> None:
    await client.sign_in(A)
    tail = AG + "agentinfonoskills"
    found = await client.ok(A, "POST", tail, json={"agentlist": ["102", 101, 999, FOREIGN_AGENT]})
    whole = await client.ok(A, "GET", AG + "agentbyworkno/101")
    assert found[0] == {name: value for name, value in whole.items() if name != "skilllist"}
    assert [one["workno"] for one in found] == ["101", "102"]
    assert await client.ok(A, "POST", tail, json={"agentlist": []}) == []
    for body in ({}, {"agentlist": ["x"]}, {"agentlist": [101] * 1001}, {"agentlist": 101}):
        assert await client.refused(A, "POST", tail, json=body) == "000-002"


async def test_groups(standing: Standing, client: LedgerClient) -> None:
    for agent in (A, FOREIGN_AGENT):
        await client.sign_in(agent)
    day = {"name": "day", "id": 0, "monitorno": "300", "monitorname": "Agent 300"}
    assert await client.ok(A, "GET", AG + f"groupbyagent/{B}") == day
    assert await client.ok(A, "GET", AG + "grouponvdn") == [day]
    assert await _listed(client, "agentongroup") == ALL
    for nobody in (999, FOREIGN_AGENT):
        assert await client.refused(A, "GET", AG + f"groupbyagent/{nobody}") == "300-003"
    assert await client.refused(A, "GET", AG + "agentongroupex?groupid=7") == "300-004"
    assert await client.refused(FOREIGN_AGENT, "GET", AG + f"groupbyagent/{FOREIGN_AGENT}") == "300-004"
    assert await client.ok(FOREIGN_AGENT, "GET", AG + "grouponvdn") == []

    profile = standing.store.profiles[VdnId(1)]
    moved = {
        agent: replace(one, group=7) if agent in (A, C) else one for agent, one in profile.agents.items()
    }
    named = (AgentGroup(0, "day"), AgentGroup(7, "night", AgentId(A)))
    standing.store.profiles[VdnId(1)] = replace(profile, agents=moved, agent_groups=named)
    await standing.desk.reload(VdnId(1))
    assert await _listed(client, "agentongroup") == ["101", "103"]
    assert await _listed(client, "agentongroupex?groupid=0") == ["102", "300", "301"]
    night = {"name": "night", "id": 7, "monitorno": "101", "monitorname": "Agent 101"}
    assert await client.ok(A, "GET", AG + f"groupbyagent/{C}") == night
    assert await client.ok(A, "GET", AG + "grouponvdn") == [
        {"name": "day", "id": 0, "monitorno": "", "monitorname": ""},
        night,
    ]


async def test_causes_of_rest(client: LedgerClient) -> None:
    for agent in (A, FOREIGN_AGENT):
        await client.sign_in(agent)
    assert await client.ok(A, "GET", AG + "restreason") == [
        {"restReasonId": 1, "restReason": "lunch"},
        {"restReasonId": 2, "restReason": "training"},
    ]
    assert await client.ok(FOREIGN_AGENT, "GET", AG + "restreason") == []


@pytest.mark.parametrize(
    ("tail", "right"),
    [
        ("iscallout", Right.CALL_OUT),
        ("iscensor", Right.INSPECT),
        ("ismonitor", Right.MONITOR),
        ("isspymonitor", Right.MONITOR),
        ("isreportmanager", Right.REPORT),
        ("issystem", Right.ADMINISTER),
        ("ispickup", Right.PICK_UP),
    ],
)
async def test_what_an_agent_may(standing: Standing, client: LedgerClient, tail: str, right: Right) -> None:
    """As configured now, not as it was at sign-in."""
    await client.sign_in(A)
    profile = standing.store.profiles[VdnId(1)]
    for rights, may in ((frozenset({right}), True), (frozenset(Right) - {right}, False)):
        agents = {**profile.agents, AgentId(A): replace(profile.agents[AgentId(A)], rights=rights)}
        standing.store.profiles[VdnId(1)] = replace(profile, agents=agents)
        await standing.desk.reload(VdnId(1))
        assert await client.ok(A, "GET", AG + tail) is may
