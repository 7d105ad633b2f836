"""Queries are limited, per agent and for all (0584); polls and commands are not."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.contract.client import BASE
from tests.contract.standing import FOREIGN_AGENT, Standing

from sottovoce.config import AgentSettings
from sottovoce.http.ccgateway.served import SERVED

A, B = 101, 102
QUERIES = (
    "/queuedevice/{a}/waitnum",
    "/agentgroup/{a}/iscallout",
    "/calldata/{a}/callnums",
    "/onlineagent/{a}/agentstatus",
    "/onlineagent/{a}/agentskills",
)


@pytest.fixture
async def busy(tmp_path: Path) -> AsyncIterator[Standing]:
    limits = AgentSettings(poll_wait=0.02, queries_per_agent=5, queries=8)
    made = Standing(tmp_path, gateway=limits)
    await made.open()
    yield made
    await made.close()


async def test_an_agent_who_asks_too_often_is_told_so_and_served_a_little_later(busy: Standing) -> None:
    client = busy.client
    for agent in (A, B, FOREIGN_AGENT):
        await client.sign_in(agent)
    for tail in QUERIES:
        await client.ok(A, "GET", tail)
    for tail in QUERIES:
        assert await client.refused(A, "GET", tail) == "000-007"
    assert await client.refused(A, "POST", "/onlineagent/{a}/syncagentinfo") == "000-007"
    assert await client.refused(A, "POST", "/queuedevice/{a}/queryacdstat", json={"skills": [1]}) == "000-007"
    for _ in range(20):
        await client.poll(A)
        await client.ok(A, "POST", "/onlineagent/{a}/handshake")
    await client.ok(A, "POST", "/onlineagent/{a}/saybusy")
    for _ in range(3):
        await client.ok(FOREIGN_AGENT, "GET", QUERIES[0])
    assert await client.refused(B, "GET", QUERIES[0]) == "000-007", "all of them together"
    busy.clock.advance(0.5)
    await client.ok(A, "GET", QUERIES[0])
    await client.ok(B, "GET", QUERIES[0])
    assert await client.refused(A, "GET", QUERIES[0]) == "000-007"


async def test_strangers_take_nothing_from_an_agent_s_share(busy: Standing) -> None:
    await busy.client.sign_in(A)
    for _ in range(10):
        await busy.client.raw("GET", BASE + "/queuedevice/101/waitnum", headers={"Guid": "no"})
    await busy.client.ok(A, "GET", QUERIES[0])


def test_which_interfaces_are_queries() -> None:
    of_others = {
        one.path.split("/{agentid}")[-1] for one in SERVED if one.query and "/onlineagent/" in one.path
    }
    assert of_others == {
        "/agentstatus",
        "/agentskills",
        "/agentskillsbyworkno/{workno}",
        "/syncagentinfo",
        "/updateGuid",
    }
    families = {one.path.split("/")[3] for one in SERVED if one.query}
    assert families == {"queuedevice", "agentgroup", "calldata", "onlineagent"}
