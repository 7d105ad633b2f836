"""qualitycontrol: agents' states for an inspector's screen, as the one known client asks for them."""

from __future__ import annotations

import pytest
from tests.contract.client import LedgerClient
from tests.contract.standing import FOREIGN_AGENT, Standing

A, B, INSPECTOR = 101, 102, 300
QC = "/qualitycontrol/{a}/"


async def test_the_whole_vdn_is_watched(standing: Standing, client: LedgerClient) -> None:
    """The client ends before it begins, and leaves itself out of the list that it read."""
    await standing.at_work(A, INSPECTOR, FOREIGN_AGENT)
    everybody = await client.ok(INSPECTOR, "GET", "/agentgroup/{a}/allagentstatus")
    others = ";".join(one["workno"] for one in everybody if one["workno"] != str(INSPECTOR))
    await client.ok(INSPECTOR, "POST", QC + f"endmonitor?agents={others}")
    await client.ok(INSPECTOR, "POST", QC + f"beginmonitor?agents={others}")
    watched = await client.ok(INSPECTOR, "GET", QC + "allagent")
    assert [one["workno"] for one in watched] == others.split(";")
    assert watched[0] == await client.ok(INSPECTOR, "GET", f"/agentgroup/{{a}}/agentbyworkno/{A}")
    for agent in (A, FOREIGN_AGENT):
        await client.ok(agent, "POST", "/onlineagent/{a}/saybusy")
    await client.sign_in(B)
    await standing.quiet()
    seen = await client.events(INSPECTOR)
    assert {name for name, _ in seen} == {"QC_AgentState_Notify"}
    assert [(told["monitoredagent"], told["subtype"]) for _, told in seen] == [
        ("101", "QC_AgentState_Busy"),
        ("102", "QC_AgentState_Login"),
        ("102", "QC_AgentState_Idle"),
    ]
    await client.ok(INSPECTOR, "POST", QC + f"endmonitor?agents={others}")
    assert await client.ok(INSPECTOR, "GET", QC + "allagent") == []
    await client.ok(A, "POST", "/onlineagent/{a}/sayfree")
    assert await client.events(INSPECTOR) == []


@pytest.mark.parametrize(
    ("by", "tail", "retcode"),
    [
        (A, "beginmonitor?agents=102", "900-002"),
        (A, "endmonitor?agents=102", "900-002"),
        (INSPECTOR, "beginmonitor?agents=101;999", "900-003"),
        (INSPECTOR, f"beginmonitor?agents=101;{FOREIGN_AGENT}", "900-003"),
        (INSPECTOR, f"beginmonitor?agents=101;{INSPECTOR}", "000-005"),
        (INSPECTOR, "beginmonitor", "000-002"),
        (INSPECTOR, "beginmonitor?agents=;", "000-002"),
        (INSPECTOR, "beginmonitor?agents=101;Ann", "000-002"),
        (INSPECTOR, "beginmonitor?agents=" + ";".join(["101"] * 1001), "000-002"),
        (INSPECTOR, "endmonitor", "000-002"),
    ],
    ids=lambda value: str(value)[:40],
)
async def test_what_is_refused_watches_nobody(
    standing: Standing, client: LedgerClient, by: int, tail: str, retcode: str
) -> None:
    await standing.at_work(A, B, INSPECTOR)
    assert await client.refused(by, "POST", QC + tail) == retcode
    assert await client.refused(A, "GET", QC + "allagent") == "900-002"
    assert await client.ok(INSPECTOR, "GET", QC + "allagent") == []
