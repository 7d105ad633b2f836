"""Agents' states for an inspector's screen, as the one known client asks for them; who is recorded."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.contract.client import LedgerClient
from tests.contract.standing import FOREIGN_AGENT, Standing

from sottovoce.config import RecordingSettings

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


async def test_recording_by_the_agent_and_by_an_inspector(tmp_path: Path) -> None:
    standing = Standing(tmp_path, recordings=RecordingSettings(enabled=False, on_demand=True))
    client = standing.client
    await standing.open()
    await standing.at_work(A, INSPECTOR)

    async def recorded() -> bool:
        customer = await standing.call_in()
        told = [name for name, _ in await client.events(A)]
        customer.hang_up()
        await standing.quiet()
        await client.events(A)
        return "AgentMediaEvent_Record" in told

    own, others = "/onlineagent/{a}/setselfrecord/", QC + "setselfrecord/"
    for by, tail, after in (
        (A, own + "1/0", True),
        (A, own + "0/0", False),
        (INSPECTOR, others + f"1/0?agents={A}", True),
        (INSPECTOR, others + f"0/0?agents={A}", False),
        (INSPECTOR, others + f"1/0?agents={A}", True),
        (INSPECTOR, QC + f"cancelselfrecord?agents={A}", False),
    ):
        await client.ok(by, "POST", tail)
        assert await recorded() is after, tail
    for by, tail, retcode in (
        (A, own + "1/1", "100-007"),
        (A, own + "2/0", "000-002"),
        (A, own + "1/x", "000-002"),
        (A, others + f"1/0?agents={B}", "900-002"),
        (INSPECTOR, others + f"1/1?agents={A}", "900-003"),
        (INSPECTOR, others + f"1/0?agents={A};{FOREIGN_AGENT}", "900-003"),
        (INSPECTOR, others + "1/0", "000-002"),
        (INSPECTOR, QC + f"cancelselfrecord?agents={B}", "900-003"),
    ):
        assert await client.refused(by, "POST", tail) == retcode
    assert not await recorded()
    await standing.close()


async def test_what_the_server_records_nobody_switches_off(standing: Standing, client: LedgerClient) -> None:
    await standing.at_work(A, INSPECTOR)
    await client.ok(A, "POST", "/onlineagent/{a}/setselfrecord/1/0")
    assert await client.refused(A, "POST", "/onlineagent/{a}/setselfrecord/0/0") == "100-007"
    assert await client.refused(INSPECTOR, "POST", QC + f"cancelselfrecord?agents={A}") == "900-002"
