"""The edge in front of small applications: folding, bounds on bodies, faults in the family's form, CORS."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.testing import capture_logs

from sottovoce.http.bodies import BODY_ARRIVED, BodyLimits
from sottovoce.http.ccgateway.dialect import FAMILY
from sottovoce.http.edge import Crossing, EdgeLimits, Knows, edge, fold
from sottovoce.http.family.answer import BODY_REFUSED, Fault

BODIES = BodyLimits(
    stranger_bytes=4,
    stranger_s=0.05,
    body_bytes=10,
    body_s=0.05,
    discard_bytes=40,
    waiting=64,
    kept_bytes=100,
)
SMALL = EdgeLimits(bodies=BODIES, requests=4)
PATH = "/agentgateway/resource/x"


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    request = Request(scope, receive)
    body = (await request.body()).decode()
    await PlainTextResponse(f"{scope['path']} {body}")(scope, receive, send)


async def broken(scope: Scope, receive: Receive, send: Send) -> None:
    raise RuntimeError("a secret of the server")


async def everybody(scope: Scope) -> bool:
    return True


async def with_guid(scope: Scope) -> bool:
    return b"guid" in dict(scope["headers"])


def client(app: ASGIApp, limits: EdgeLimits = SMALL, knows: Knows = everybody) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(edge(app, (FAMILY,), limits, knows={FAMILY.prefix: knows}))
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

    def __init__(self, *incoming: Message, headers: Sequence[tuple[bytes, bytes]] = ()) -> None:
        self.headers = headers
        self.extensions: dict[str, object] = {}
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
        headers = [(b"transfer-encoding", b"chunked"), *self.headers]
        scope = {"type": "http", "method": "POST", "path": PATH, "headers": headers, "query_string": b""}
        scope["extensions"] = self.extensions
        await app(scope, self.receive, self.send)
        return self.sent


async def test_a_body_that_comes_too_slowly_is_given_up() -> None:
    some = {"type": "http.request", "body": b"x", "more_body": True}
    sent = await Conversation(some).through(edge(echo, (FAMILY,), SMALL, knows={FAMILY.prefix: everybody}))
    assert sent[0]["status"] == Fault.BODY_TOO_SLOW.value
    assert b'"retcode":"000-002"' in sent[1]["body"]


async def test_a_client_that_leaves_during_its_body_is_not_answered() -> None:
    some = {"type": "http.request", "body": b"x", "more_body": True}
    gone = {"type": "http.disconnect"}
    assert (
        await Conversation(some, gone).through(edge(echo, (FAMILY,), SMALL, knows={FAMILY.prefix: everybody}))
        == []
    )


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


async def told(scope: Scope, receive: Receive, send: Send) -> None:
    """Says what of the body came, and whether more was refused."""
    body = (await Request(scope, receive).body()).decode()
    await PlainTextResponse(f"{body} {BODY_REFUSED in scope}")(scope, receive, send)


@pytest.mark.parametrize(
    ("size", "guid", "answer"), [(4, "", "xxxx False"), (5, "", " True"), (10, "", " True")]
)
async def test_a_stranger_has_little_read(size: int, guid: str, answer: str) -> None:
    async with client(told, knows=with_guid) as http:
        assert (await http.post(PATH, content=b"x" * size)).text == answer
        assert (
            await http.post(PATH, content=b"x" * size, headers={"Guid": "1"})
        ).text == "x" * size + " False"
        too_much = await http.post(PATH, content=b"x" * 11)
        elsewhere = await http.post("/elsewhere", content=b"x" * 10, headers={"Guid": "1"})
    assert too_much.status_code == 413
    assert elsewhere.text == " True", "what is no family's knows nobody"


async def test_who_has_no_family_that_knows_them_is_asked_about_once_and_for_larger_bodies_alone() -> None:
    asked: list[str] = []

    async def knows(scope: Scope) -> bool:
        asked.append(scope["path"])
        return True

    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(9):
            yield b"x"

    async with client(told, knows=knows) as http:
        await http.get(PATH)
        await http.post(PATH, content=b"xxxx")
        assert asked == []
        await http.post(PATH, content=pieces())
        await http.post(PATH, content=b"x" * 9)
    assert asked == [PATH] * 2


async def test_who_waits_to_send_much_is_told_before_it_is_sent() -> None:
    """Nothing is received: that would send 100 Continue."""
    headers = [(b"content-length", b"9"), (b"expect", b"100-continue")]
    conversation = Conversation()
    app = edge(told, (FAMILY,), SMALL, knows={FAMILY.prefix: with_guid})
    scope = {"type": "http", "method": "POST", "path": PATH, "headers": headers, "query_string": b""}
    await app(scope, conversation.receive, conversation.send)
    assert conversation.sent[1]["body"] == b" True"


async def test_what_larger_bodies_keep_is_bounded_by_source_and_free_again_afterwards() -> None:
    """An eighth of 100 bytes, or one body."""
    some = {"type": "http.request", "body": b"x" * 7, "more_body": True}
    rest = {"type": "http.request", "body": b"x", "more_body": False}
    app = edge(told, (FAMILY,), SMALL, knows={FAMILY.prefix: everybody})
    first = asyncio.ensure_future(Conversation(some).through(app))
    await asyncio.sleep(0)
    second = await Conversation(some, rest).through(app)
    assert second[0]["status"] == 503
    assert (await first)[0]["status"] == 408
    third = await Conversation(some, rest).through(app)
    assert third[1]["body"] == b"xxxxxxxx False"


async def test_bodies_on_their_way_are_bounded_by_source_and_told_in_the_log() -> None:
    some = {"type": "http.request", "body": b"x", "more_body": True}
    app = edge(told, (FAMILY,), SMALL)
    waiting = [asyncio.ensure_future(Conversation(some).through(app)) for _ in range(4)]
    await asyncio.sleep(0)
    with capture_logs() as logs:
        for _ in range(3):
            assert (await Conversation(some).through(app))[0]["status"] == 503
    assert [(line["event"], line["what"], line["source"], line["per"]) for line in logs] == [
        ("requests refused, too many", "requests at once", "", "")
    ] * 3
    assert [(await each)[0]["status"] for each in waiting] == [408] * 4


async def test_what_is_there_already_waits_for_no_place() -> None:
    app = edge(told, (FAMILY,), SMALL)
    some = {"type": "http.request", "body": b"x", "more_body": True}
    whole = {"type": "http.request", "body": b"x", "more_body": False}
    waiting = [asyncio.ensure_future(Conversation(some).through(app)) for _ in range(4)]
    await asyncio.sleep(0)
    assert (await Conversation(whole).through(app))[0]["status"] == 503
    for _ in range(2):
        arrived = Conversation(whole)
        arrived.extensions = {BODY_ARRIVED: lambda: True}
        assert (await arrived.through(app))[1]["body"] == b"x False"
    await asyncio.gather(*waiting)
    assert (await Conversation(whole).through(app))[1]["body"] == b"x False"


async def test_a_length_beside_chunks_is_refused_and_ends_the_connection() -> None:
    sent = await Conversation(headers=[(b"content-length", b"4")]).through(edge(told, (FAMILY,), SMALL))
    assert sent[0]["status"] == 400
    assert (b"Connection", b"close") in sent[0]["headers"]


CROSSINGS = {FAMILY.prefix: Crossing(["https://desk.example"], ["Guid", "Content-Type"], ["Set-GUID"])}


@pytest.mark.parametrize(
    ("path", "may"),
    [(PATH, True), ("/agentgateway//resource/x", True), ("/apiaccess/x", False), ("/", False)],
)
async def test_scripts_of_other_origins_may_call_the_families_that_let_them(path: str, may: bool) -> None:
    asked = {
        "Origin": "https://desk.example",
        "Access-Control-Request-Method": "PUT",
        "Access-Control-Request-Headers": "guid,content-type",
    }
    transport = httpx.ASGITransport(edge(echo, (FAMILY,), SMALL, crossings=CROSSINGS))
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as http:
        preflight = await http.options(path, headers=asked)
        answer = await http.get(path, headers={"Origin": "https://desk.example"})
        other = await http.get(path, headers={"Origin": "https://evil.example"})
    assert ("guid" in preflight.headers.get("access-control-allow-headers", "").lower()) is may
    assert (answer.headers.get("access-control-allow-origin") == "https://desk.example") is may
    assert ("Set-GUID" in answer.headers.get("access-control-expose-headers", "")) is may
    assert "access-control-allow-origin" not in other.headers
