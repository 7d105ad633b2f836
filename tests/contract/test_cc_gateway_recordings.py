"""recordplay over HTTP: recordings begun, stopped and paused by agents."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.contract.client import LedgerClient
from tests.contract.standing import Standing

from sottovoce.config import RecordingSettings

A, B = 101, 102
RECORD = "/recordplay/{a}/"


@pytest.fixture
async def chosen(tmp_path: Path) -> AsyncIterator[Standing]:
    """A gateway whose agents choose what is recorded."""
    made = Standing(tmp_path, recordings=RecordingSettings(enabled=False, on_demand=True, pauses=False))
    await made.open()
    yield made
    await made.close()


async def test_pausing(standing: Standing, client: LedgerClient) -> None:
    await standing.at_work(A, B)
    table = {
        ("PUT", "record?filename=x"): "500-008",
        ("PUT", "recordwithoutfilename"): "500-008",
        ("POST", "pauserecord"): "500-004",
        ("POST", "resumerecord"): "500-006",
        ("DELETE", "stoprecord"): "100-007",
    }
    assert {key: await client.refused(A, key[0], RECORD + key[1]) for key in table} == table
    await standing.call_in()
    await client.events(A)
    assert await client.refused(A, "POST", RECORD + "resumerecord") == "500-006"
    await client.ok(A, "POST", RECORD + "pauserecord")
    assert await client.refused(A, "POST", RECORD + "pauserecord") == "500-004"
    await client.ok(A, "POST", RECORD + "resumerecord")
    for tail in ("record?filename=x", "recordwithoutfilename"):
        assert await client.refused(A, "PUT", RECORD + tail) == "104-002"
    assert await client.refused(A, "DELETE", RECORD + "stoprecord") == "100-007"
    await standing.quiet()
    assert await client.events(A) == [], "no page has an event of a pause"


async def test_recording_on_demand(chosen: Standing) -> None:
    client = chosen.client
    await chosen.at_work(A)
    await chosen.call_in()
    await client.events(A)
    assert await client.refused(A, "POST", RECORD + "pauserecord") == "104-002"
    for name in ("", "..%2Fx", "a%5Cb", "Y%3Ax", "x" * 101):
        assert await client.refused(A, "PUT", RECORD + f"record?filename={name}") == "000-002", name
    await client.ok(A, "PUT", RECORD + "record?filename=complaint.V3")
    assert await client.refused(A, "PUT", RECORD + "recordwithoutfilename") == "500-008"
    await client.ok(A, "DELETE", RECORD + "stoprecord")
    await client.ok(A, "PUT", RECORD + "recordwithoutfilename")
    await chosen.quiet()
    told = await client.events(A)
    assert [name for name, _ in told] == [
        "AgentMediaEvent_Record",
        "AgentMediaEvent_StopRecordDone",
        "AgentMediaEvent_Record",
    ]
    call = (await client.ok(A, "GET", "/calldata/{a}/allcallid"))[0]
    began = told[0][1]
    assert began["fileName"].startswith("1/")
    assert began["fileName"].endswith(f"{call}-{A}-1.wav")
    assert set(told[1][1]) == {"beginTime", "endTime", "taskId", "fileMediaType", "recordFormat", "callId"}
    assert told[1][1]["taskId"] == began["recordID"]
