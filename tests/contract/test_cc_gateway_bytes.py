"""What clients compare byte for byte, read off a raw socket; and the second seed document's example."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

import pytest
from tests.contract.client import BASE
from tests.contract.sockets import RawConnection, until
from tests.contract.standing import Standing

from sottovoce.config import HttpSettings
from sottovoce.http.server import Server

A, INSPECTOR = 101, 300
SIGN_IN = b'{"password":"secret","phonenum":"%d"}'


@pytest.fixture
async def port(standing: Standing) -> AsyncIterator[int]:
    server = Server(standing.app, HttpSettings(port=0), standing.tasks, standing.gateway.end_polls)
    await server.start()
    yield server.port
    await server.stop()


@pytest.mark.parametrize("headers", [(), ("Origin: https://desk.example",)], ids=["plain", "of a browser"])
async def test_set_guid_in_exactly_that_case(port: int, headers: tuple[str, ...]) -> None:
    connection = await RawConnection.to(port)
    answer = await connection.ask("PUT", f"{BASE}/onlineagent/{A}", *headers, body=SIGN_IN % 1101)
    guid = answer.header(b"Guid")
    assert guid is not None
    assert answer.header(b"Set-GUID") == b"JSESSIONID=" + guid
    assert answer.header(b"Content-Type") == b"application/json"
    assert guid.endswith(b".AgentGateway1")
    await connection.close()


async def test_the_empty_poll_byte_for_byte(standing: Standing, port: int) -> None:
    await standing.at_work(A)
    connection = await RawConnection.to(port)
    answer = await connection.ask("GET", f"{BASE}/agentevent/{A}", f"guid: {standing.client.guids[A]}")
    assert answer.status == b"HTTP/1.1 200 OK"
    assert answer.body == b'{"message":"","retcode":"0"}'
    assert answer.header(b"Content-Length") == b"28"
    await connection.close()


async def test_an_event_byte_for_byte(standing: Standing, port: int) -> None:
    await standing.at_work(A)
    await standing.client.ok(A, "POST", "/onlineagent/{a}/saybusy?reason=200")
    await standing.quiet()
    connection = await RawConnection.to(port)
    answer = await connection.ask("GET", f"{BASE}/agentevent/{A}", f"Guid: {standing.client.guids[A]}")
    assert answer.body == (
        b'{"message":"","retcode":"0","event":{"eventType":"AgentState_SetNotReady_Success",'
        b'"workNo":"101","content":{"reason":"200"}}}'
    )
    await connection.close()


SEED_REQUEST = (
    "POST /agentgateway/resource/qualitycontrol/{agentid}/requeststopwhisperagent"
    "?whisperagentid={whisperagentid}"
)
SEED_HEADERS = "Content-Type:application/json; charset=UTF-8\r\nGuid: {guid}"
SEED_ANSWER = """{
        "message": "",
        "retcode": "0",
        "result": {}
    }"""
"""Stopping Whispering, updated on 2023-09-27: path, headers and answer as printed there."""


@pytest.mark.parametrize("slash", ["/", "//"], ids=["as printed", "as the generated client sends it"])
async def test_stopping_a_whisper_as_its_page_prints_it(standing: Standing, port: int, slash: str) -> None:
    await standing.at_work(A, INSPECTOR)
    await standing.call_in()
    await standing.client.ok(
        INSPECTOR, "POST", f"/qualitycontrol/{{a}}/requestwhisperagent?whisperagentid={A}"
    )
    await standing.quiet()
    request = SEED_REQUEST.format(agentid=INSPECTOR, whisperagentid=A).replace(
        "resource/", f"resource{slash}"
    )
    headers = SEED_HEADERS.format(guid=standing.client.guids[INSPECTOR])
    connection = await RawConnection.to(port)
    await connection.send(f"{request} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n{headers}\r\n\r\n".encode())
    answer = await connection.answer()
    assert answer.status == b"HTTP/1.1 200 OK"
    assert json.loads(answer.body) == json.loads(SEED_ANSWER)
    assert answer.body == b'{"message":"","retcode":"0","result":{}}'
    await standing.quiet()
    assert [name for name, _ in await standing.client.events(A)][-1] == "AgentOther_BeQcStop"
    await connection.close()


async def test_a_header_of_other_scripts_is_fine(standing: Standing, port: int) -> None:
    await standing.at_work(A)
    connection = await RawConnection.to(port)
    own = f"Guid: {standing.client.guids[A]}"
    answer = await connection.ask("GET", f"{BASE}/onlineagent/{A}/agentstatus", own, "X-Name: 坐席 é")
    assert json.loads(answer.body)["retcode"] == "0"
    answer = await connection.ask("GET", f"{BASE}/onlineagent/{A}/agentstatus", "Guid: 坐席")
    assert json.loads(answer.body)["retcode"] == "100-006"
    await connection.close()


async def test_ten_megabytes_are_answered_in_the_familys_form(port: int) -> None:
    connection = await RawConnection.to(port)
    answer = await connection.ask("PUT", f"{BASE}/onlineagent/{A}", body=b" " * 10_000_000)
    assert answer.status.startswith(b"HTTP/1.1 413 ")
    assert json.loads(answer.body)["retcode"] == "000-002"
    await connection.close()


@pytest.mark.parametrize("size", [4096, 4097, 900_000])
async def test_of_a_stranger_four_kilobytes_are_read(standing: Standing, port: int, size: int) -> None:
    """With a Guid a megabyte is; who has none is told so, and not that their body is too large."""
    await standing.at_work(A)
    own = f"Guid: {standing.client.guids[A]}"
    body = b'{"called": "555"' + b" " * (size - 17) + b"}"
    said = {}
    for name, path, headers in (
        ("own", f"{BASE}/voicecall/{A}/callout", [own]),
        ("stale", f"{BASE}/voicecall/{A}/callout", ["Guid: stale"]),
        ("another's", f"{BASE}/voicecall/102/callout", [own]),
        ("sign-in", f"{BASE}/onlineagent/102", []),
        ("nowhere", f"{BASE}/nowhere/{A}", []),
    ):
        connection = await RawConnection.to(port)
        answer = await connection.ask("PUT", path, *headers, body=body)
        said[name] = (int(answer.status.split()[1]), json.loads(answer.body)["retcode"])
        await connection.close()
    if size > 4096:
        assert said.pop("sign-in") == (413, "000-002")
    assert said.pop("own")[1] not in ("100-006", "000-002")
    assert said.pop("nowhere") == (404, "000-002")
    assert said.pop("sign-in", (200, "100-004")) == (200, "100-004")
    assert said == {"stale": (200, "100-006"), "another's": (200, "100-006")}


async def test_who_waits_to_send_much_and_is_no_caller_is_told_before(port: int) -> None:
    connection = await RawConnection.to(port)
    headers = "Host: x\r\nExpect: 100-continue\r\nContent-Length: 5000"
    await connection.send(f"PUT {BASE}/voicecall/{A}/callout HTTP/1.1\r\n{headers}\r\n\r\n".encode())
    answer = await connection.answer()
    assert json.loads(answer.body)["retcode"] == "100-006"
    assert await connection.rest_or_reset() == b"", "what came now could not be told from the next request"
    await connection.close()


async def test_no_body_is_read_when_too_much_is_announced(port: int) -> None:
    connection = await RawConnection.to(port)
    head = f"PUT {BASE}/onlineagent/{A} HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n"
    await connection.send(head.encode())
    answer = await connection.answer()
    assert answer.status.startswith(b"HTTP/1.1 413 ")
    assert answer.header(b"Connection") == b"close"
    await connection.close()


async def test_a_client_that_resets_takes_no_event(standing: Standing, port: int) -> None:
    await standing.at_work(A)
    own = f"Guid: {standing.client.guids[A]}"
    hanging = await RawConnection.to(port)
    await hanging.send(f"GET {BASE}/agentevent/{A} HTTP/1.1\r\nHost: x\r\n{own}\r\n\r\n".encode())
    await until(lambda: standing.gateway.hanging)
    await hanging.reset()
    await until(lambda: not standing.gateway.hanging)
    await standing.client.ok(A, "POST", "/onlineagent/{a}/saybusy")
    await standing.quiet()
    assert [name for name, _ in await standing.client.events(A)] == ["AgentState_SetNotReady_Success"]


async def test_a_client_that_waits_for_100_continue(port: int) -> None:
    """.NET's HttpWebRequest asks so before it sends a body."""
    connection = await RawConnection.to(port)
    body = SIGN_IN % 1101
    headers = f"Host: x\r\nExpect: 100-continue\r\nContent-Length: {len(body)}"
    await connection.send(f"PUT {BASE}/onlineagent/{A} HTTP/1.1\r\n{headers}\r\n\r\n".encode())
    assert (await connection.line()).startswith(b"HTTP/1.1 100 ")
    assert await connection.line() == b"\r\n"
    await connection.send(body)
    assert json.loads((await connection.answer()).body)["retcode"] == "0"
    await connection.close()


async def test_a_target_in_absolute_form(standing: Standing, port: int) -> None:
    await standing.at_work(A)
    connection = await RawConnection.to(port)
    path = f"http://127.0.0.1:{port}{BASE}/onlineagent/{A}/agentstatus"
    answer = await connection.ask("GET", path, f"Guid: {standing.client.guids[A]}")
    assert json.loads(answer.body)["retcode"] == "0"
    await connection.close()
