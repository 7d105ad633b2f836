"""What broke existing applications (cc-gateway.md 7.2): each habit as its client has it."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.contract.client import LedgerClient
from tests.contract.standing import Standing

A, B, INSPECTOR = 101, 102, 300
CALL = "/voicecall/{a}/"


@pytest.mark.parametrize("skill", [0, "0", "", None])
async def test_quickagent_calls_out_with_its_default_queue(
    standing: Standing, client: LedgerClient, skill: object
) -> None:
    """C# always sends `skillid`, 0 being its preselected "default"."""
    await standing.at_work(A)
    standing.lines.phone("0555", ready=True)
    call = await client.ok(A, "PUT", CALL + "callout", json={"called": "0555", "skillid": skill})
    await standing.quiet()
    assert (await client.ok(A, "GET", "/calldata/{a}/callinfo"))["callskillid"] == 0
    assert call


async def test_a_bar_does_not_sign_out_who_may_not_call_out(standing: Standing, client: LedgerClient) -> None:
    """000-003 and 100-006 end the session of three clients; a missing right is neither."""
    await standing.at_work(INSPECTOR)
    assert await client.refused(INSPECTOR, "PUT", CALL + "callout", json={"called": "0555"}) == "100-007"
    assert (await client.ok(INSPECTOR, "GET", "/onlineagent/{a}/agentstatus"))["agentState"] == 4


async def test_the_demo_compares_status_strictly_with_texts(standing: Standing, client: LedgerClient) -> None:
    await standing.at_work(A)
    for tail in ("agentbyworkno/101", "onlineagentonvdn", "allagentstatus"):
        seen = await client.ok(A, "GET", f"/agentgroup/{{a}}/{tail}")
        assert (seen[0] if isinstance(seen, list) else seen)["status"] == "4"


async def test_a_java_client_tells_calls_in_from_its_own_by_the_alerting_event(
    standing: Standing, client: LedgerClient
) -> None:
    """Two take content for a call that comes in, an empty one for their own; a third takes the call's id."""
    await standing.at_work(A)
    standing.lines.phone("0555", ready=True)
    await client.ok(A, "PUT", CALL + "callout", json={"called": "0555"})
    await standing.quiet()
    assert dict(await client.events(A))["AgentOther_PhoneAlerting"] is None
    await client.ok(A, "DELETE", CALL + "release")
    await standing.quiet()
    await client.events(A)
    await standing.call_in()
    alerting = dict(await client.events(A))["AgentOther_PhoneAlerting"]
    [call] = await client.ok(A, "GET", "/calldata/{a}/allcallid")
    assert alerting == {"callid": call, "caller": "555", "called": "801"}


async def test_an_inspectors_phone_alerts_without_content(standing: Standing, client: LedgerClient) -> None:
    await standing.at_work(A, INSPECTOR)
    await standing.call_in()
    await client.ok(INSPECTOR, "PUT", f"/qualitycontrol/{{a}}/addsupervise/{A}")
    await standing.quiet()
    assert dict(await client.events(INSPECTOR))["AgentOther_PhoneAlerting"] is None


async def test_no_path_of_the_server_leaves_it(
    standing: Standing, client: LedgerClient, tmp_path: Path
) -> None:
    """`fileName` and `recordID` are what a recording is found by, below the recordings' folder."""
    await standing.at_work(A)
    await standing.call_in()
    [call] = await client.ok(A, "GET", "/calldata/{a}/allcallid")
    told = dict(await client.events(A))["AgentMediaEvent_Record"]
    picture = await client.ok(A, "POST", "/onlineagent/{a}/syncagentinfo")
    assert told["fileName"] == picture["agentStateInfo"]["recordID"] == f"1/2026/01/01/{call}-101-1.wav"
    assert str(tmp_path) not in str(told) + str(picture)


@pytest.mark.parametrize("status", [3, 4, 5])
@pytest.mark.parametrize("before", ["saybusy", "rest/60/1", "work", "handshake"])
async def test_a_page_that_is_loaded_again_begins_as_it_asks(
    standing: Standing, client: LedgerClient, before: str, status: int
) -> None:
    """forcelogin with `status` at the same phone, as browser bars send it after F5; queues stay."""
    await standing.at_work(A)
    await client.ok(A, "POST", f"/onlineagent/{{a}}/{before}")
    assert (await client.sign_in(A, force=True, status=status)).retcode == "0"
    await standing.quiet()
    after = {3: ["AgentState_SetNotReady_Success"], 4: [], 5: ["AgentState_Work"]}[status]
    named = [name for name, _ in await client.events(A)]
    assert named == ["AgentOther_InService", "AgentState_Ready", *after]
    assert (await client.ok(A, "GET", "/onlineagent/{a}/agentstatus"))["agentState"] == status
    seen = await client.ok(A, "GET", "/agentgroup/{a}/agentbyworkno/101")
    assert [skill["id"] for skill in seen["skilllist"]] == [1, 2]


async def test_a_page_that_is_loaded_again_takes_what_waits(standing: Standing, client: LedgerClient) -> None:
    await standing.at_work(A)
    await client.ok(A, "POST", "/onlineagent/{a}/saybusy")
    await standing.call_in()
    await client.sign_in(A, force=True, status=4)
    await standing.quiet()
    assert (await client.ok(A, "GET", "/onlineagent/{a}/agentstatus"))["agentState"] == 7


async def test_a_page_that_is_loaded_again_in_a_call_goes_on_with_it(
    standing: Standing, client: LedgerClient
) -> None:
    await standing.at_work(A)
    await standing.call_in()
    await client.events(A)
    await client.sign_in(A, force=True, status=3)
    await standing.quiet()
    named = [name for name, _ in await client.events(A)]
    assert named == [
        "AgentOther_InService",
        "AgentState_Busy",
        "AgentOther_PhoneOffhook",
        "AgentEvent_Talking",
    ]
    assert (await client.ok(A, "GET", "/onlineagent/{a}/agentstatus"))["agentState"] == 7


async def test_a_push_to_where_none_may_go_is_refused_and_not_swallowed(
    standing: Standing, client: LedgerClient
) -> None:
    """`pushUrl` at sign-in: three Java clients would wait for events for ever."""
    refused = await client.sign_in(A, pushUrl="http://127.0.0.1:8080/agent/event?token=1", force=True)
    assert refused.retcode == "100-001"
    assert (await client.sign_in(A, pushUrl="", force=True)).retcode == "0"
