"""The habits of real clients (cc-gateway.md Part 5), and requests that nobody should send."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.contract.client import BASE, LedgerClient
from tests.contract.standing import Standing

A, INSPECTOR = 101, 300


async def test_a_c_sharp_like_client(standing: Standing, client: LedgerClient) -> None:
    """Lower-case `guid`, no content type, everything as strings, forcelogin first, forcelogout last."""
    body = {"password": "secret", "phonenum": "1101", "autoanswer": "True", "status": "4", "agenttype": "4"}
    signed = await client.raw("PUT", f"{BASE}/onlineagent/{A}/forcelogin", content=json.dumps(body))
    guid = signed.headers["Set-GUID"].split("=")[1]
    calm = {"guid": guid}
    for verb, tail in (
        ("POST", f"/onlineagent/{A}/resetskill/true?skillid=&phonelinkage=1"),
        ("POST", f"/onlineagent/{A}/autoenteridle/True"),
        ("POST", f"/onlineagent/{A}/autoenteridle/False"),
        ("POST", f"/onlineagent/{A}/saybusy?reason=&prolong="),
        ("POST", f"/onlineagent/{A}/cancelbusy"),
        ("GET", f"/calldata/{A}/allcallid"),
        ("DELETE", f"/onlineagent/{A}/forcelogout"),
    ):
        request = client.http.build_request(verb, BASE + tail, headers=calm)
        assert "content-type" not in request.headers
        answered = await client.raw(verb, BASE + tail, headers=calm)
        assert answered.retcode == "0", tail


async def test_a_java_like_client(standing: Standing, client: LedgerClient) -> None:
    """A mangled cookie beside the Guid, bodies on DELETE, JSON as text/plain."""
    body = {"password": "secret", "phonenum": 1101, "autoenteridle": 1, "ip": ""}
    signed = await client.raw(
        "PUT",
        f"{BASE}/onlineagent/{A}/forcelogin",
        content=json.dumps(body),
        headers={"Content-Type": "text/plain"},
    )
    guid = signed.headers["set-guid"].replace("JSESSIONID=", "").replace(":", "")
    own = {"guid": guid, "Cookie": "JSESSIONID" + guid, "Content-Type": "text/plain"}
    released = await client.raw("DELETE", f"{BASE}/voicecall/{A}/release", headers=own, content=b"{}")
    assert released.retcode == "200-017"
    gone = await client.raw("DELETE", f"{BASE}/onlineagent/{A}/logout", headers=own, content=b"no json")
    assert gone.retcode == "0"


async def test_a_javascript_like_client(standing: Standing, client: LedgerClient) -> None:
    """The doubled slash, and a parameter that defeats caches."""
    signed = await client.raw(
        "PUT", f"{BASE}//onlineagent/{A}", json={"password": "secret", "phonenum": "1101"}
    )
    own = {"Guid": signed.headers["set-guid"].removeprefix("JSESSIONID=")}
    status = await client.raw(
        "GET", f"{BASE}//onlineagent//{A}/agentstatus/?resteasy_jsapi_anti_cache=1&x=%00&x=2", headers=own
    )
    assert status.result["agentState"] == 4
    encoded = await client.http.get(f"{BASE}%2Fonlineagent%2f{A}/agentstatus", headers=own)
    assert encoded.json()["result"]["agentState"] == 4


@pytest.mark.parametrize(
    ("verbs", "path"),
    [
        (("POST", "PUT"), "/onlineagent/{a}/handshake"),
        (("POST", "PUT"), "/voicecall/{a}/phonepickup"),
        (("POST", "PUT"), "/voicecall/{a}/phonehangup"),
        (("POST", "PUT"), "/agentconf/{a}/answeragentconf"),
    ],
)
async def test_both_verbs_where_the_sheets_name_both(
    standing: Standing, client: LedgerClient, verbs: tuple[str, ...], path: str
) -> None:
    await standing.at_work(A)
    for verb in verbs:
        assert (await client.ask(A, verb, path)).status == 200
    assert (await client.ask(A, "DELETE", path)).status == 405


@pytest.mark.parametrize(
    "path", ["/voicecall/{a}/previewcallout", "/voicecall/{a}/previewCallout", "/onlineagent/{a}/UPDATEGUID"]
)
async def test_paths_in_any_case(standing: Standing, client: LedgerClient, path: str) -> None:
    await standing.at_work(A)
    assert (await client.ask(A, "PUT", path)).status == 200


@pytest.mark.parametrize(
    ("verb", "path", "status"),
    [
        ("GET", "/qualitycontrol/{a}/requeststopwhisperagent", 405),
        ("DELETE", "/qualitycontrol/{a}/allagent", 405),
        ("GET", "/qualitycontrol/{a}/deleteqctask", 405),
        ("POST", "/agentevent/allagentevent", 405),
        ("PATCH", "/voicecall/{a}", 405),
        ("HEAD", "/voicecall/{a}", 405),
        ("OPTIONS", "/voicecall/{a}", 405),
        ("BREW", "/onlineagent/{a}", 405),
        ("GET", "/onlineagent", 404),
        ("GET", "/onlineagent/{a}/nonsense", 404),
        ("GET", "/", 404),
        ("GET", "", 404),
        ("GET", "/qualitycontrol/{a}/addsupervise/../../x", 404),
    ],
)
async def test_wrong_verbs_and_unknown_paths(
    standing: Standing, client: LedgerClient, verb: str, path: str, status: int
) -> None:
    await standing.at_work(A)
    if verb == "HEAD":
        answer = await client.http.request(verb, BASE + path.replace("{a}", str(A)))
        assert answer.status_code == status
        return
    answered = await client.ask(A, verb, path)
    assert answered.status == status
    assert answered.retcode == "000-002"
    assert status != 405 or answered.headers["allow"]


async def test_literal_paths_before_variables(standing: Standing, client: LedgerClient) -> None:
    await standing.at_work(INSPECTOR)
    assert (
        await client.refused(INSPECTOR, "DELETE", "/qualitycontrol/{a}/deleteqctask?taskdsn=1") == "900-003"
    )
    assert await client.refused(INSPECTOR, "DELETE", "/qualitycontrol/{a}/nonsense") == "000-002"
    stranger = await client.raw("GET", f"{BASE}/agentevent/allagentevent", headers={"Guid": "x"})
    assert stranger.retcode == "100-006"
    assert await client.poll(INSPECTOR) is None


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"[]",
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"password":"secret","password":',
        b"password=secret",
        b"\x00",
    ],
    ids=lambda body: repr(body[:12]),
)
async def test_bodies_that_are_no_json_object(client: LedgerClient, body: bytes) -> None:
    answered = await client.raw("PUT", f"{BASE}/onlineagent/{A}", content=body)
    assert answered.retcode == "000-002"


@pytest.mark.parametrize("body", [{"password": ["secret"]}, {"password": "\x00"}, {"phonenum": {}}], ids=str)
async def test_fields_of_the_wrong_kind(client: LedgerClient, body: dict[str, Any]) -> None:
    answered = await client.raw("PUT", f"{BASE}/onlineagent/{A}", json=body)
    assert answered.retcode == "100-001"


async def test_a_body_of_ten_megabytes(client: LedgerClient) -> None:
    answered = await client.raw("PUT", f"{BASE}/onlineagent/{A}", content=b" " * 10_000_000)
    assert answered.status == 413
    assert answered.retcode == "000-002"


async def test_too_many_query_parameters(standing: Standing, client: LedgerClient) -> None:
    await standing.at_work(A)
    query = "&".join(f"p{number}=1" for number in range(1000))
    assert await client.refused(A, "GET", f"/onlineagent/{{a}}/agentstatus?{query}") == "000-002"


async def test_a_fault_of_ours_is_an_answer(standing: Standing, client: LedgerClient) -> None:
    """The store fails in a way that nobody foresaw."""
    await standing.at_work(A, INSPECTOR)

    async def broken(vdn: object, changes: object) -> None:
        raise RuntimeError("a secret of the server")

    standing.store.commit = broken  # type: ignore[method-assign]
    answered = await client.ask(INSPECTOR, "PUT", f"/qualitycontrol/{{a}}/addsupervise/{A}")
    assert answered.retcode in ("900-001", "900-003")
    assert b"secret" not in answered.raw
    answered = await client.raw(
        "PUT", f"{BASE}/onlineagent/102", json={"password": "secret", "phonenum": "1102"}
    )
    assert answered.retcode in ("100-003", "100-007")
    assert b"secret" not in answered.raw
