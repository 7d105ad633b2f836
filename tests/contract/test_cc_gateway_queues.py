"""queuedevice: queues, access codes, who waits; other tenants' never."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.contract.client import LedgerClient
from tests.contract.standing import FOREIGN_AGENT, Standing

from sottovoce.domain.directory import QueueRules, SkillId, VdnId, WayOut

A, B, INSPECTOR = 101, 102, 300
SALES = {"name": "sales", "id": 1, "mediatype": 5, "serviceType": 0, "realFlag": 1}
HELP = {"name": "help", "id": 2, "mediatype": 5, "serviceType": 0, "realFlag": 1}
QD = "/queuedevice/{a}/"


async def test_queues_of_the_vdn_and_of_agents(client: LedgerClient) -> None:
    for agent in (A, FOREIGN_AGENT, INSPECTOR):
        await client.sign_in(agent)
    for tail in ("agentvdnskill", "vdnskill/1"):
        assert await client.ok(A, "GET", QD + tail) == [SALES, HELP]
    assert await client.refused(A, "GET", QD + "vdnskill/2") == "600-002"
    assert await client.refused(A, "GET", QD + "agentskill/101") == "600-001"
    await client.ok(A, "POST", "/onlineagent/{a}/resetskill/false?skillid=2&phonelinkage=0")
    assert await client.ok(INSPECTOR, "GET", QD + "agentskill/101") == [HELP]
    for nobody in (B, 999, FOREIGN_AGENT):
        assert await client.refused(A, "GET", QD + f"agentskill/{nobody}") == "600-001"


async def test_queues_that_are_configured(client: LedgerClient) -> None:
    await client.sign_in(A)
    both = [{"name": "sales", "id": 1, "mediatype": 5}, {"name": "help", "id": 2, "mediatype": 5}]
    by_number = "/onlineagent/{a}/agentskillsbyworkno/"
    assert await client.ok(A, "GET", by_number + str(B)) == both
    assert await client.ok(A, "GET", by_number + str(INSPECTOR)) == []
    for nobody in (999, FOREIGN_AGENT):
        assert await client.refused(A, "GET", by_number + str(nobody)) == "100-007"


async def test_numbers_that_lead_in(client: LedgerClient) -> None:
    await client.sign_in(A)
    [code] = await client.ok(A, "GET", QD + "innoinfo")
    assert code == {"description": "sales", "id": 1, "inno": "801", "vdnid": 1, "mediatype": 5}
    assert await client.refused(A, "GET", QD + "ivrinfo") == "600-004"


async def test_who_waits(standing: Standing, client: LedgerClient) -> None:
    """Calls of the queues that the agent may sign in to, is signed in to, and of one queue."""
    await standing.at_work(FOREIGN_AGENT)
    await client.sign_in(A)
    await client.sign_in(INSPECTOR)
    for number in ("555", "556"):
        await standing.call_in(number)
    for agent, counts in ((A, (2, 0, 2, 0)), (INSPECTOR, (0, 0, 2, 0)), (FOREIGN_AGENT, (0, 0, 0, 0))):
        tails = ("waitnum", "waitnumbyagent", "skillwaitnum/1", "skillwaitnum/2")
        assert tuple([await client.ok(agent, "GET", QD + tail) for tail in tails]) == counts
    await client.ok(A, "POST", "/onlineagent/{a}/resetskill/true")
    await standing.quiet()
    for tail in ("waitnum", "waitnumbyagent", "skillwaitnum/1"):
        assert await client.ok(A, "GET", QD + tail) == 1


async def test_how_queues_stand(standing: Standing, client: LedgerClient) -> None:
    """Who waits, for how long, who could help, where the way out leads; and no other tenant's queue."""
    profile = standing.store.profiles[VdnId(1)]
    rules = {
        1: QueueRules(time_out_s=60, way_out=WayOut(number="0777")),
        2: QueueRules(way_out=WayOut(SkillId(1))),
    }
    queues = {skill: replace(one, rules=rules[skill]) for skill, one in profile.skills.items()}
    standing.store.profiles[VdnId(1)] = replace(profile, skills=queues)
    await standing.desk.reload(VdnId(1))
    await standing.at_work(FOREIGN_AGENT)
    await client.sign_in(B)
    await client.ok(B, "POST", "/onlineagent/{a}/resetskill/false?skillid=2&phonelinkage=0")
    await standing.call_in("555")
    standing.clock.advance(7)
    sales, support = await client.ok(B, "POST", QD + "queryacdstat", json={"skills": ["1", 2, 2, 99]})
    assert sales == {
        "pilotNbr": "801",
        "deviceNo": 1,
        "queueSize": 1,
        "queueTime": 7,
        "loadFactor": 0,
        "estWaitTime": 0,
        "loggedOnAgents": 0,
        "availAgents": 0,
        "transferFlg": 2,
        "transferDeviceType": 5,
        "transferDeviceNo": 777,
        "skillDescrip": "sales",
    }
    to_sales = {"transferFlg": 2, "transferDeviceType": 1, "transferDeviceNo": 1}
    assert support == sales | to_sales | {
        "pilotNbr": "",
        "deviceNo": 2,
        "queueSize": 0,
        "queueTime": 0,
        "loggedOnAgents": 1,
        "availAgents": 1,
        "skillDescrip": "help",
    }
    assert (await client.ok(FOREIGN_AGENT, "POST", QD + "queryacdstat", json={"skills": [1]}))[0][
        "queueSize"
    ] == 0
    for wrong, retcode in (
        ([99], "100-007"),
        ([], "100-007"),
        (None, "000-002"),
        (list(range(101)), "000-002"),
    ):
        assert await client.refused(B, "POST", QD + "queryacdstat", json={"skills": wrong}) == retcode


async def test_a_waiting_call_is_moved_to_another_queue(standing: Standing, client: LedgerClient) -> None:
    """By an agent of the queue that it waits in; its customer is heard by whoever has the other skill."""
    await client.sign_in(A)
    await client.ok(A, "POST", "/onlineagent/{a}/resetskill/false?skillid=1&phonelinkage=0")
    await client.ok(A, "POST", "/onlineagent/{a}/saybusy")
    await standing.at_work(FOREIGN_AGENT)
    await client.sign_in(B)
    await client.ok(B, "POST", "/onlineagent/{a}/resetskill/false?skillid=2&phonelinkage=0")
    await standing.call_in("555")
    call = (await client.ok(A, "GET", "/calldata/{a}/waitcallinfo/1"))[0]["callid"]
    path = "/calldata/{a}/assignuserinqueue"
    for agent, wrong, retcode in (
        (B, {"callid": call, "skillid": 2}, "100-007"),
        (FOREIGN_AGENT, {"callid": call, "skillid": 2}, "100-007"),
        (A, {"callid": "1-1", "skillid": 2}, "100-007"),
        (A, {"callid": call, "skillid": 9}, "000-002"),
        (A, {"callid": call}, "000-002"),
    ):
        assert await client.refused(agent, "PUT", path, json=wrong) == retcode
    await client.events(B)
    await client.ok(A, "PUT", path, json={"callid": call, "skillid": "2"})
    await standing.quiet()
    assert await client.ok(B, "GET", "/calldata/{a}/allcallid") == [call]
    assert await client.ok(A, "GET", QD + "skillwaitnum/1") == 0
    assert "AgentState_Busy" in [name for name, _ in await client.events(B)]


@pytest.mark.parametrize(
    ("tail", "retcode"),
    [
        ("skillwaitnum/9", "100-007"),
        ("skillwaitnum/-1", "000-002"),
        ("skillwaitnum/x", "000-002"),
        ("vdnskill/0", "000-002"),
        ("vdnskill/513", "000-002"),
        ("agentskill/1", "000-002"),
    ],
)
async def test_what_is_no_queue(client: LedgerClient, tail: str, retcode: str) -> None:
    await client.sign_in(A)
    assert await client.refused(A, "GET", QD + tail) == retcode
