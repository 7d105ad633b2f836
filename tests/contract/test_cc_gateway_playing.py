"""Hearing recordings by the gateway: on the agent's phone, and as a file; in the right, each on record."""

from __future__ import annotations

import asyncio
from pathlib import Path

import httpx
import numpy as np
import pytest
from tests.contract.client import BASE, LedgerClient
from tests.contract.standing import Standing
from tests.quality.sounds import stereo, tone, write
from tests.quality.standing import NOW
from tests.quality.standing import Standing as QualityStanding

from sottovoce.domain.directory import VdnId
from sottovoce.domain.playbacks import LASTS
from sottovoce.storage import audit

A, B, INSPECTOR, FOREIGN = 101, 102, 300, 201
PLAY = "/recordplay/{a}/"
CALL = f"{int(NOW.timestamp())}-7"
ID = f"{CALL}-{A}-1"
TALK = f"1/2026/03/02/{ID}.wav"


@pytest.fixture
async def recorded(standing: Standing, quality: QualityStanding) -> Path:
    """A talk of agent 101 is over; its file."""
    standing.gateway.office = quality.office
    path = write(quality.office.recordings / TALK, stereo(tone(2), tone(2)))
    await quality.contact(A, began_at=NOW, recording=TALK)
    return path


async def heard(quality: QualityStanding) -> list[tuple[int, str, str]]:
    """Who heard whom, and what for."""
    entries = await audit.read(quality.engine, VdnId(1))
    return [
        (int(one.actor), one.target, str(one.detail["purpose"]))
        for one in entries
        if one.action == "recording.play"
    ]


async def settled(standing: Standing) -> None:
    await asyncio.sleep(0)
    await standing.quiet()


async def test_a_recording_is_heard_on_the_phone(
    standing: Standing, client: LedgerClient, quality: QualityStanding, recorded: Path
) -> None:
    await standing.at_work(A)
    for path in (TALK, ID):
        await client.ok(A, "PUT", PLAY + "play", json={"voicepath": path, "startpostion": "1"})
        await settled(standing)
        assert [name for name, _ in await client.events(A)] == [
            "AgentOther_PhoneAlerting",
            "AgentOther_PhoneOffhook",
            "AgentMediaEvent_Play_Succ",
        ]
        info = await client.ok(A, "POST", "/onlineagent/{a}/syncagentinfo")
        assert info["agentStateInfo"]["state"] == 5
        for verb, tail in (
            ("POST", "pauseplay"),
            ("POST", "resumeplay"),
            ("POST", "forefast/1"),
            ("POST", "backfast/2"),
        ):
            await client.ok(A, verb, PLAY + tail)
        assert await client.refused(A, "POST", PLAY + "resumeplay") == "500-005"
        assert await client.refused(A, "PUT", PLAY + "play", json={"voicepath": path}) == "500-007"
        await client.ok(A, "DELETE", PLAY + "stopplay")
        await settled(standing)
        assert await client.events(A) == [
            ("AgentMediaEvent_StopPlayDone", None),
            ("AgentOther_PhoneRelease", {"phoneState": 3}),
        ]
    assert await heard(quality) == [(A, str(A), "heard on the agent's phone")] * 2


async def test_codes_of_hearing(
    standing: Standing, client: LedgerClient, quality: QualityStanding, recorded: Path
) -> None:
    await standing.at_work(A)
    table = {
        ("POST", "backfast/1"): "500-001",
        ("POST", "forefast/1"): "500-002",
        ("POST", "pauseplay"): "500-003",
        ("POST", "resumeplay"): "500-005",
        ("DELETE", "stopplay"): "500-009",
        ("POST", "forefast/0"): "000-002",
        ("POST", "backfast/86401"): "000-002",
        ("POST", "backfast/x"): "000-002",
    }
    assert {key: await client.refused(A, key[0], PLAY + key[1]) for key in table} == table
    for body, retcode in (
        ({}, "000-002"),
        ({"voicepath": TALK, "startpostion": -1}, "000-002"),
        ({"voicepath": TALK, "volumechange": 60}, "000-002"),
        ({"voicepath": TALK, "speedchange": "100"}, "000-002"),
        ({"voicepath": TALK, "times": 2}, "000-002"),
        ({"voicepath": "x" * 101}, "000-002"),
        ({"voicepath": f"2/2026/03/02/{ID}.wav"}, "104-005"),
        ({"voicepath": f"../{TALK}"}, "104-005"),
        ({"voicepath": f"/etc/{ID}.wav"}, "104-005"),
        ({"voicepath": "Y:/6/0/20161025/20011/1902050.V3"}, "104-005"),
        ({"voicepath": f"{CALL}-{A}-2"}, "104-005"),
        ({"voicepath": f"99999999999-7-{A}-1"}, "104-005"),
    ):
        assert await client.refused(A, "PUT", PLAY + "play", json=body) == retcode, body
    await standing.call_in()
    assert await client.refused(A, "PUT", PLAY + "play", json={"voicepath": TALK}) == "500-007"
    assert await heard(quality) == []


async def test_who_may_hear_whom(
    standing: Standing, client: LedgerClient, quality: QualityStanding, recorded: Path
) -> None:
    """102 is a user of the after-call half with the role of staff; 300 inspects; 201 is of another VDN."""
    await standing.at_work(A, B, INSPECTOR, FOREIGN)
    for agent in (B, FOREIGN):
        assert await client.refused(agent, "PUT", PLAY + "play", json={"voicepath": TALK}) == "104-005"
        file = f"/recordfile/{{a}}?recordId={ID}"
        assert await client.refused(agent, "GET", file) == "104-005"
    await client.ok(INSPECTOR, "PUT", PLAY + "play", json={"voicepath": TALK})
    assert await heard(quality) == [(INSPECTOR, str(A), "heard on the agent's phone")]
    recorded.unlink()
    await client.ok(INSPECTOR, "DELETE", PLAY + "stopplay")
    assert await client.refused(INSPECTOR, "PUT", PLAY + "play", json={"voicepath": TALK}) == "104-005"


async def download(client: LedgerClient, agent: int, query: str, **headers: str) -> httpx.Response:
    sent = {"Guid": client.guids[agent], **headers}
    return await client.http.get(f"{BASE}/recordfile/{agent}?{query}", headers=sent)


async def test_a_recording_is_downloaded_in_ranges_that_are_one_playback(
    standing: Standing, client: LedgerClient, quality: QualityStanding, recorded: Path
) -> None:
    await standing.at_work(A)
    content = recorded.read_bytes()
    whole = await download(client, A, f"recordId={TALK}&filetype=1&locationId=0")
    assert (whole.status_code, whole.content) == (200, content)
    assert whole.headers["content-type"] == "application/octet-stream"
    assert whole.headers["cache-control"] == "private, no-store"
    assert len(await heard(quality)) == 1
    for begin in (100, 200):
        part = await download(client, A, f"recordId={ID}", Range=f"bytes={begin}-{begin + 9}")
        assert (part.status_code, part.content) == (206, content[begin : begin + 10])
    assert len(await heard(quality)) == 1
    quality.clock.advance(LASTS.total_seconds() + 1)
    assert (await download(client, A, f"recordId={ID}", Range="bytes=-10")).content == content[-10:]
    await download(client, A, f"recordId={ID}", Range="bytes=0-9")
    told = await heard(quality)
    assert told == [(A, str(A), "downloaded by the agent's client")] * 3
    for query, retcode in (
        ("", "000-002"),
        (f"recordId={ID}&filetype=3", "000-002"),
        (f"recordId={ID}&filetype=2", "104-005"),
        ("recordId=..%2F..%2Fetc%2Fpasswd", "104-005"),
    ):
        assert await client.refused(A, "GET", f"/recordfile/{{a}}?{query}") == retcode
    stranger = await client.http.get(f"{BASE}/recordfile/{A}?recordId={ID}")
    assert stranger.json()["retcode"] == "100-006"


async def test_without_the_after_call_half_nothing_is_heard(standing: Standing, client: LedgerClient) -> None:
    await standing.at_work(A)
    assert await client.refused(A, "PUT", PLAY + "play", json={"voicepath": ID}) == "100-007"
    assert np.array_equal(await client.events(A), [])
