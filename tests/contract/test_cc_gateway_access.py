"""Nobody reaches an interface without being its caller: every route, as a stranger, with another's Guid, as
another tenant."""

from __future__ import annotations

import re
from uuid import uuid4

import pytest
from tests.contract.client import BASE, ROWS, LedgerClient
from tests.contract.standing import FOREIGN_AGENT, FOREIGN_INSPECTOR, Standing

from sottovoce.contracts import Row
from sottovoce.http.ccgateway.retcodes import MEANING

A, B, INSPECTOR = 101, 102, 300
SIGN_IN = {"login", "forceLogin", "loginEx", "forceLoginEx", "forceLoginExWithoutPhone"}
SIGN_IN |= {"modifyAccountPwd", "modifyaccountpwdex"}
"""Where the password is shown."""
FILLED = {"workNo": str(A), "workno": str(A), "time": "60", "reason": "1", "restcause": "1", "callId": "1-1"}
UNKNOWN = {
    *("900-003", "900-004", "300-002", "300-003", "400-001", "400-002", "600-001", "600-002"),
    *("200-002", "200-010", "200-012", "200-013", "200-015", "200-018", "200-025"),
    "100-007",  # where a page lists nothing more exact
}
"""What is said of an agent or a call that the caller's tenant does not have."""
GUARDED = [(row, verb) for row in ROWS for verb in row.verbs if row.name not in SIGN_IN]


def _path(row: Row, agent: int) -> str:
    path = (
        re.sub(r"/\{\w+\}", f"/{agent}", row.path, count=1) if "allagentevent" not in row.path else row.path
    )
    return re.sub(r"\{(\w+)\}", lambda found: FILLED.get(found[1], "1"), path)


def _query(row: Row, target: int) -> dict[str, str]:
    wanted = {"whisperagentid": str(target), "switchtype": "0", "number": "1"}
    return {name: wanted[name] for name in row.fields if name in wanted}


async def _everybody_at_work(standing: Standing) -> None:
    await standing.at_work(A, B, INSPECTOR, FOREIGN_AGENT, FOREIGN_INSPECTOR)
    await standing.call_in()


async def _states(standing: Standing) -> list[object]:
    await standing.quiet()
    seen: list[object] = []
    for profile in standing.store.profiles:
        view = standing.desk.floor_view(profile)
        seen += [view.agents, view.calls, view.supervisions]
    return seen


async def test_sign_in_alone_needs_no_guid(standing: Standing) -> None:
    assert len(GUARDED) == sum(len(row.verbs) for row in ROWS) - len(SIGN_IN)


@pytest.mark.parametrize("guid", ["none", "empty", "invented", "garbage", "another's", "other tenant's"])
async def test_every_route_as_a_stranger(standing: Standing, client: LedgerClient, guid: str) -> None:
    await _everybody_at_work(standing)
    before = await _states(standing)
    guids = {
        "none": None,
        "empty": "",
        "invented": f"{uuid4()}.AgentGateway1",
        "garbage": "x" * 5000,
        "another's": client.guids[B],
        "other tenant's": client.guids[FOREIGN_INSPECTOR],
    }
    headers = {} if guids[guid] is None else {"Guid": guids[guid] or ""}
    for row, verb in GUARDED:
        answered = await client.raw(verb, _path(row, A), headers=headers, params=_query(row, B))
        assert answered.retcode == "100-006", (verb, row.path)
    assert await _states(standing) == before


async def test_a_guid_in_a_cookie_or_query_counts_for_nothing(
    standing: Standing, client: LedgerClient
) -> None:
    await standing.at_work(A)
    guid = client.guids[A]
    path = f"{BASE}/onlineagent/{A}/agentstatus"
    answered = await client.raw(
        "GET", path, params={"Guid": guid}, headers={"Cookie": f"JSESSIONID={guid}; Guid={guid}"}
    )
    assert answered.retcode == "100-006"


async def test_every_route_that_names_an_agent_or_a_call_as_another_tenant(
    standing: Standing, client: LedgerClient
) -> None:
    await _everybody_at_work(standing)
    call = (await client.ok(A, "GET", "/calldata/{a}/allcallid"))[0]
    before = await _states(standing)
    headers = {"Guid": client.guids[FOREIGN_INSPECTOR]}
    walked = set()
    for row, verb in GUARDED:
        names = set(row.fields)
        if row.status != "done" or not names & {"workNo", "workno", "whisperagentid", "callid", "callId"}:
            continue
        path = _path(row, FOREIGN_INSPECTOR).replace("/forcedropcall/1", f"/forcedropcall/{call}")
        path = path.replace("/requestcall/1/1", f"/requestcall/{call}/0")
        body = {"workNo": str(A), "skills": [1], "callid": call, "skillid": 2}
        body |= {"addesstype": 1, "destaddr": str(A)}
        answered = await client.raw(verb, path, headers=headers, params=_query(row, A), json=body)
        assert answered.retcode in UNKNOWN, (verb, path)
        walked.add(row.name)
    assert {"addSupervise", "forceDropCall", "adjustSkill", "requestWhisperAgent"} < walked
    assert len(walked) >= 16
    assert await _states(standing) == before


async def test_other_tenants_are_not_listed(standing: Standing, client: LedgerClient) -> None:
    await _everybody_at_work(standing)
    for tail in ("onlineagentonvdn", "allagentstatus"):
        listed = await client.ok(FOREIGN_INSPECTOR, "GET", f"/agentgroup/{{a}}/{tail}")
        assert [one["workno"] for one in listed] == ["201", "309"]


async def test_what_is_not_served_never_succeeds(standing: Standing, client: LedgerClient) -> None:
    await standing.at_work(A)
    for row, verb in GUARDED:
        if row.status != "done" and "{" in row.path:
            answered = await client.raw(verb, _path(row, A), headers={"Guid": client.guids[A]})
            wanted = "900-003" if "/qualitycontrol/" in row.path else "100-007"
            assert answered.retcode == wanted, (verb, row.path)
            assert answered.body["message"] == (row.reason or MEANING[wanted])


async def test_it_is_said_that_there_is_no_video(standing: Standing, client: LedgerClient) -> None:
    await standing.at_work(INSPECTOR)
    video = await client.ask(INSPECTOR, "POST", "/qualitycontrol/{a}/startVideoMonitor", json={})
    assert (video.retcode, video.body["message"][:22]) == ("900-003", "video is not supported")
