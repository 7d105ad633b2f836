"""The edge in front of small applications: folding, bounds on bodies, faults in the family's form, CORS."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sottovoce.http.ccgateway.dialect import FAMILY
from sottovoce.http.edge import EdgeLimits, edge, fold
from sottovoce.http.family.answer import Fault

SMALL = EdgeLimits(body_bytes=10, discard_bytes=40, body_s=0.05, requests=2)
PATH = "/agentgateway/resource/x"


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    request = Request(scope, receive)
    body = (await request.body()).decode()
    await PlainTextResponse(f"{scope['path']} {body}")(scope, receive, send)


async def broken(scope: Scope, receive: Receive, send: Send) -> None:
    raise RuntimeError("a secret of the server")


def client(app: ASGIApp, limits: EdgeLimits = SMALL) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(edge(app, (FAMILY,), limits))
    return httpx.AsyncClient(transport=transport, base_url="http://test")


@pytest.mark.parametrize(
    ("path", "folded"),
    [
        ("//agentgateway//resource//x", PATH),
        ("/agentgateway/resource/x/", PATH),
        ("http://host:8043//agentgateway/resource/x", PATH),
        ("HTTPS://host", "/"),
        ("/http://x", "/http:/x"),
        ("/", "/"),
        ("///", "/"),
        ("/a/./b", "/a/./b"),
    ],
)
def test_fold(path: str, folded: str) -> None:
    assert fold(path) == folded


async def test_doubled_and_encoded_slashes_reach_the_application_folded() -> None:
    async with client(echo) as http:
        for path in (
            "/agentgateway/resource//x",
            "/agentgateway/resource%2Fx",
            "/agentgateway//resource%2f%2fx/",
        ):
            assert (await http.get(path)).text == f"{PATH} "


@pytest.mark.parametrize("size", [(40_000, 0), (0, 20_000)], ids=["headers", "query"])
async def test_headers_too_large_are_refused(size: tuple[int, int]) -> None:
    async with client(echo) as http:
        answer = await http.get(PATH, headers={"X": "x" * size[0]}, params={"x": "x" * size[1]})
    assert answer.status_code == 431
    assert answer.json() == {"message": "the headers are too large", "retcode": "000-002"}


@pytest.mark.parametrize("size", [11, 40, 41, 400])
async def test_a_body_too_large_is_refused_in_the_familys_form(size: int) -> None:
    async with client(echo) as http:
        answer = await http.post(PATH, content=b"x" * size)
    assert answer.status_code == 413
    assert answer.json() == {"message": "the body is too large", "retcode": "000-002"}
    assert answer.headers["connection"] == "close"


async def test_a_body_within_bounds_arrives_whole() -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(5):
            yield b"xy"

    async with client(echo) as http:
        assert (await http.post(PATH, content=pieces())).text == f"{PATH} xyxyxyxyxy"


async def test_a_body_without_length_is_counted() -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(100):
            yield b"x" * 10

    async with client(echo) as http:
        assert (await http.post(PATH, content=endless())).status_code == 413


async def test_what_the_application_raises_never_leaves() -> None:
    async with client(broken) as http:
        answer = await http.get(PATH)
        elsewhere = await http.get("/elsewhere")
    assert answer.status_code == 500
    assert answer.json() == {"message": "internal error", "retcode": "100-007"}
    assert elsewhere.json() == {"error": "internal error"}
    assert "secret" not in answer.text + elsewhere.text


class Conversation:
    """One request by hand: messages to receive, messages sent."""

    def __init__(self, *incoming: Message) -> None:
        self.sent: list[Message] = []
        self._incoming = list(incoming)

    async def receive(self) -> Message:
        if self._incoming:
            return self._incoming.pop(0)
        await asyncio.Event().wait()
        raise AssertionError

    async def send(self, message: Message) -> None:
        self.sent.append(message)

    async def through(self, app: ASGIApp) -> list[Message]:
        scope = {"type": "http", "method": "POST", "path": PATH, "headers": [], "query_string": b""}
        await app(scope, self.receive, self.send)
        return self.sent


async def test_a_body_that_comes_too_slowly_is_given_up() -> None:
    some = {"type": "http.request", "body": b"x", "more_body": True}
    sent = await Conversation(some).through(edge(echo, (FAMILY,), SMALL))
    assert sent[0]["status"] == Fault.BODY_TOO_SLOW.value
    assert b'"retcode":"000-002"' in sent[1]["body"]


async def test_a_client_that_leaves_during_its_body_is_not_answered() -> None:
    some = {"type": "http.request", "body": b"x", "more_body": True}
    gone = {"type": "http.disconnect"}
    assert await Conversation(some, gone).through(edge(echo, (FAMILY,), SMALL)) == []


async def test_requests_in_progress_are_bounded() -> None:
    release = asyncio.Event()
    inside = asyncio.Semaphore(0)

    async def hanging(scope: Scope, receive: Receive, send: Send) -> None:
        inside.release()
        await release.wait()
        await PlainTextResponse("done")(scope, receive, send)

    async with client(hanging) as http, asyncio.TaskGroup() as group:
        first = [group.create_task(http.get(PATH)) for _ in range(2)]
        for _ in first:
            await inside.acquire()
        refused = await http.get(PATH)
        release.set()
    assert refused.status_code == 503
    assert refused.json()["retcode"] == "100-007"
    assert [task.result().text for task in first] == ["done", "done"]


async def test_scripts_of_other_origins_may_read_the_guid() -> None:
    asked = {
        "Origin": "https://desk.example",
        "Access-Control-Request-Method": "PUT",
        "Access-Control-Request-Headers": "guid,content-type",
    }
    async with client(echo) as http:
        preflight = await http.options(PATH, headers=asked)
        answer = await http.get(PATH, headers={"Origin": "https://desk.example"})
    assert preflight.status_code == 200
    assert "guid" in preflight.headers["access-control-allow-headers"].lower()
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "Set-GUID" in answer.headers["access-control-expose-headers"]
