"""Notes and bulletins between agents, as clients send and read them."""

from __future__ import annotations

from typing import Any

import pytest
from tests.contract.client import LedgerClient
from tests.contract.standing import FOREIGN_AGENT, Standing

from sottovoce.http.ccgateway.onlineagent import LONGEST_NOTE

A, B, C = 101, 102, 103
AGENT = "/onlineagent/{a}/"


async def test_notes(standing: Standing, client: LedgerClient) -> None:
    await standing.at_work(A, B, C)
    text = "Gr\u00fc\u00dfe, 50 % & more"
    note = {
        "sender": "101",
        "receivetime": str(round(standing.clock.now().timestamp() * 1000)),
        "sendername": "Agent 101",
        "timestring": f"{standing.clock.now():%Y-%m-%d %H:%M:%S}",
        "context": text,
    }
    await client.ok(A, "POST", AGENT + "sendnotelet/102", params={"content": text})
    assert await client.events(B) == [("AgentOther_Note", note)]
    for numbers in ([B, C], [str(B), f"{C}"]):
        await client.ok(A, "POST", AGENT + "sendnoteletex", json={"agentIds": numbers, "content": text})
        for agent in (B, C):
            assert await client.events(agent) == [("AgentOther_Note", note)]
    assert await client.events(A) == []


@pytest.mark.parametrize(
    ("tail", "body", "retcode"),
    [
        ("sendnotelet/999", None, "100-007"),
        (f"sendnotelet/{FOREIGN_AGENT}", None, "100-007"),
        (f"sendnotelet/{C}", None, "100-007"),
        ("sendnotelet/Ann", None, "000-002"),
        (f"sendnotelet/102?content={'x' * (LONGEST_NOTE + 1)}", None, "000-002"),
        ("sendnoteletex", {}, "000-002"),
        ("sendnoteletex", {"agentIds": []}, "000-002"),
        ("sendnoteletex", {"agentIds": [B] * 101}, "000-002"),
        ("sendnoteletex", {"agentIds": [B, C]}, "100-007"),
        ("sendnoteletex", {"agentIds": [B], "content": "x" * (LONGEST_NOTE + 1)}, "000-002"),
        ("notifybulletin", {"targettype": 2, "targetname": "day"}, "000-002"),
        ("notifybulletin", {"targettype": 0}, "000-002"),
        ("notifybulletin", {"targettype": 0, "targetname": "x" * 101}, "000-002"),
        ("notifybulletin", {"targettype": 0, "targetname": "day", "bulletindata": "x" * 901}, "000-002"),
        ("notifybulletin", {"targettype": 0, "targetname": "dawn"}, "100-007"),
        ("notifybulletin", {"targettype": 1, "targetname": "help"}, "100-007"),
    ],
    ids=str,
)
async def test_what_is_refused_tells_nobody(
    standing: Standing, client: LedgerClient, tail: str, body: Any, retcode: str
) -> None:
    for agent in (A, B, FOREIGN_AGENT):
        await client.sign_in(agent)
        await standing.quiet()
        await client.events(agent)
    sent = {} if body is None else {"json": body}
    assert await client.refused(A, "POST", AGENT + tail, **sent) == retcode
    assert await client.events(B) == await client.events(FOREIGN_AGENT) == []


@pytest.mark.parametrize(
    "whom",
    [
        {"targettype": "0", "targetname": "day"},
        {"targettype": 0, "targetname": 0},
        {"targettype": 1, "targetname": "sales"},
        {"targettype": "1", "targetname": 2},
    ],
    ids=str,
)
async def test_bulletins(standing: Standing, client: LedgerClient, whom: dict[str, Any]) -> None:
    await standing.at_work(A, B, FOREIGN_AGENT)
    await client.ok(A, "POST", AGENT + "notifybulletin", json={**whom, "bulletindata": "Fire drill"})
    for agent in (A, B):
        ((name, content),) = await client.events(agent)
        assert (name, content["sender"], content["context"]) == ("AgentOther_Bulletin", "101", "Fire drill")
    assert await client.events(FOREIGN_AGENT) == []
