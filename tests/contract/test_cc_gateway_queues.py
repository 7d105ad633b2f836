"""queuedevice: queues, access codes, who waits; other tenants' never."""

from __future__ import annotations

import pytest
from tests.contract.client import LedgerClient
from tests.contract.standing import FOREIGN_AGENT, Standing

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
