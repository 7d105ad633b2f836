"""The server on a real socket, with small applications behind it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import httpx
import pytest
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send
from structlog.testing import capture_logs
from tests.contract.sockets import RawConnection, until

from sottovoce.config import HttpSettings
from sottovoce.http.bodies import BodyLimits
from sottovoce.http.edge import CONNECTION_OPEN, Crossing, EdgeLimits, edge
from sottovoce.http.family.routes import SERVED_CALLER
from sottovoce.http.server import Server, ServerLimits
from sottovoce.http.site import FAMILIES
from sottovoce.tasks import Tasks

TLS = Path(__file__).parent / "tls"
LOCAL = HttpSettings(port=0)
HASTY = ServerLimits(stop_s=1)
Start = Callable[..., Awaitable[Server]]


async def hello(scope: Scope, receive: Receive, send: Send) -> None:
    response: Response = PlainTextResponse("hello")
    response.raw_headers.append((b"Set-GUID", b"JSESSIONID=x"))
    await response(scope, receive, send)


@pytest.fixture
async def start() -> AsyncIterator[Start]:
    tasks = Tasks()
    servers: list[Server] = []

    async def started(
        app: ASGIApp = hello, settings: HttpSettings = LOCAL, limits: ServerLimits = HASTY
    ) -> Server:
        server = Server(app, settings, tasks, limits=limits)
        await server.start()
        servers.append(server)
        return server

    yield started
    for server in servers:
        await server.stop()
    await tasks.close()


async def test_headers_keep_their_case(start: Start) -> None:
    connection = await RawConnection.to((await start()).port)
    answer = await connection.ask("GET", "/")
    assert b"Set-GUID: JSESSIONID=x" in answer.headers
    assert not any(line.lower().startswith(b"server:") for line in answer.headers)
    await connection.close()


async def test_a_connection_serves_several_requests(start: Start) -> None:
    connection = await RawConnection.to((await start()).port)
    for _ in range(3):
        assert (await connection.ask("GET", "/")).body == b"hello"
    await connection.close()


@pytest.mark.parametrize(
    "garbage",
    [
        b"nonsense\r\n\r\n",
        b"GET /\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
    ],
    ids=["nonsense", "version", "tls", "two lengths"],
)
async def test_what_is_no_http_gets_400_and_the_end(start: Start, garbage: bytes) -> None:
    connection = await RawConnection.to((await start()).port)
    await connection.send(garbage)
    answer = await connection.rest()
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert answer.endswith(b'{"error":"the request is no HTTP"}')
    await connection.close()


async def test_headers_without_end_get_431_and_the_end(start: Start) -> None:
    connection = await RawConnection.to((await start()).port)
    await connection.send(b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 60_000)
    assert (await connection.rest()).startswith(b"HTTP/1.1 431 ")
    await connection.close()


@pytest.mark.parametrize(
    "beginning", [b"GET //agentgateway/resource/x FTP/1\r\n\r\n", b"GET /agentgateway/resource\r\n\r\n"]
)
async def test_what_is_no_http_is_answered_in_its_familys_form(beginning: bytes) -> None:
    tasks = Tasks()
    server = Server(hello, LOCAL, tasks, families=FAMILIES)
    await server.start()
    connection = await RawConnection.to(server.port)
    for byte in beginning:
        await connection.send(bytes([byte]))
    assert (await connection.rest()).endswith(b'{"message":"the request is no HTTP","retcode":"000-002"}')
    await connection.close()
    await server.stop()
    await tasks.close()


async def test_headers_that_come_too_slowly_end_the_connection(start: Start) -> None:
    server = await start(limits=ServerLimits(header_s=0.05))
    silent, slow = await RawConnection.to(server.port), await RawConnection.to(server.port)
    await slow.send(b"GET / HTTP/1.1\r\nHost:")
    assert await silent.rest() == b""
    assert await slow.rest() == b""
    await silent.close()
    await slow.close()


async def test_connections_are_bounded_and_who_was_served_has_a_reserve(start: Start) -> None:
    """Of 8 strangers have 6, one of them 3 here; 127.0.0.x are different sources."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] == "/caller":
            scope["extensions"][SERVED_CALLER]()
        await hello(scope, receive, send)

    limits = ServerLimits(connections=8, connections_of_stranger=3, connections_of_known=4)
    server = await start(app, limits=limits)

    async def connected(source: str, path: str = "/") -> RawConnection | None:
        connection = await RawConnection.to(server.port, source=source)
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            if (await connection.ask("GET", path)).body == b"hello":
                return connection
        await connection.close()
        return None

    at_work = await connected("127.0.0.9", "/caller")
    tried = [await connected(f"127.0.0.{2 + number // 4}") for number in range(12)]
    assert [connection is not None for connection in tried] == [True] * 3 + [False] + [True] * 3 + [False] * 5
    more = [await connected("127.0.0.9") for _ in range(2)]
    assert [connection is not None for connection in more] == [True, False], "all eight are taken"
    for connection in (at_work, *tried, *more):
        if connection is not None:
            await connection.close()


async def test_a_refused_connection_is_logged_and_a_freed_one_is_given_again(start: Start) -> None:
    host = "127.0.0.1"
    server = await start(limits=ServerLimits(connections_of_stranger=2))
    kept = [await RawConnection.to(server.port, host) for _ in range(2)]
    for connection in kept:
        assert (await connection.ask("GET", "/")).body == b"hello"
    with capture_logs() as logs:
        for _ in range(3):
            refused = await RawConnection.to(server.port, host)
            assert await refused.rest_or_reset() == b""
            await refused.close()
    assert logs[0] == {
        "event": "connection refused, too many",
        "log_level": "warning",
        "source": host,
        "per": host,
    }
    await kept.pop().close()
    async with asyncio.timeout(10):
        while True:  # until the server has seen the end
            again = await RawConnection.to(server.port, host)
            with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
                assert (await again.ask("GET", "/")).body == b"hello"
                break
            await again.close()
    for connection in (*kept, again):
        await connection.close()


@pytest.mark.parametrize("proxies", [(), ("127.0.0.0/8",)])
async def test_a_reverse_proxy_may_have_all_connections(start: Start, proxies: tuple[str, ...]) -> None:
    settings = HttpSettings(port=0, proxies=proxies)
    server = await start(hello, settings, ServerLimits(connections=5, connections_of_stranger=2))
    answered = 0
    kept = []
    for _ in range(5):
        kept.append(await RawConnection.to(server.port))
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            answered += (await kept[-1].ask("GET", "/")).body == b"hello"
    assert answered == (5 if proxies else 2)
    for connection in kept:
        await connection.close()


async def test_a_handshake_counts_as_a_connection_and_has_its_time(start: Start) -> None:
    settings = HttpSettings(port=0, tls_cert=TLS / "certificate.pem", tls_key=TLS / "key.pem")
    limits = ServerLimits(connections_of_stranger=3, handshake_s=0.3)
    server = await start(hello, settings, limits)
    half_open = [await RawConnection.to(server.port) for _ in range(3)]
    beyond = await RawConnection.to(server.port)
    assert await beyond.rest_or_reset() == b"", "three wait for their handshake, and nothing else is let in"
    assert [await connection.rest_or_reset() for connection in half_open] == [b""] * 3, "their time is over"
    trust = ssl.create_default_context(cafile=str(TLS / "certificate.pem"))
    async with httpx.AsyncClient(verify=trust) as http:
        assert (await http.get(f"https://localhost:{server.port}/")).text == "hello"
    for connection in (*half_open, beyond):
        await connection.close()


async def test_a_sign_in_whose_body_came_with_it_finds_no_crowd_before_it(start: Start) -> None:
    """Bodies that never come from many sources, and one that is whole."""
    limits = EdgeLimits(bodies=BodyLimits(waiting=16))
    server = await start(edge(hello, FAMILIES, limits))
    missing = [await RawConnection.to(server.port, source=f"127.0.0.{2 + number}") for number in range(16)]
    for connection in missing:
        await connection.send(b"PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n")
    split = await RawConnection.to(server.port)
    await split.send(b"PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n")
    assert (await split.answer()).status == b"HTTP/1.1 503 Service Unavailable"
    whole = await RawConnection.to(server.port)
    assert (await whole.ask("PUT", "/", body=b"123456789")).body == b"hello"
    for connection in (*missing, split, whole):
        await connection.close()


CHUNKED = b"Host: x\r\nTransfer-Encoding: chunked\r\n\r\n"
PREFLIGHT = b"Origin: http://a\r\nAccess-Control-Request-Method: PUT\r\n" + CHUNKED


@pytest.mark.parametrize(
    "broken",
    [
        [b"PUT / HTTP/1.1\r\n" + CHUNKED, b"zz\r\n"],
        [b"PUT / HTTP/1.1\r\n" + CHUNKED + b"5\r\nhello\r\n", b"zz\r\n"],
        [b"HEAD / HTTP/1.1\r\n" + CHUNKED + b"zz\r\n"],
        [b"OPTIONS /agentgateway/resource/x HTTP/1.1\r\n" + PREFLIGHT + b"zz\r\n"],
        [b"PUT / HTTP/1.1\r\n" + CHUNKED + b"2\r\n{}\r\n0\r\n\r\n", b"zz\r\n\r\n"],
        [b"PUT / HTTP/1.1\r\n" + CHUNKED + b"0\r\n", b"bad trailer\r\n\r\n"],
    ],
    ids=["at once", "later", "HEAD", "preflight", "next request", "trailer"],
)
async def test_a_broken_chunk_ends_the_connection_and_makes_no_traceback(
    start: Start, caplog: pytest.LogCaptureFixture, broken: list[bytes]
) -> None:
    crossings = {FAMILIES[0].prefix: Crossing(["*"], [])}
    server = await start(edge(hello, FAMILIES, crossings=crossings))
    failed: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: failed.append(context))
    with caplog.at_level(logging.WARNING), capture_logs() as logs:
        connection = await RawConnection.to(server.port)
        for piece in broken:
            await connection.send(piece)
            await asyncio.sleep(0)
        assert b"HTTP/1.1 400 " in await connection.rest()
        await connection.close()
    assert failed == []
    assert caplog.records == []
    assert [line["event"] for line in logs] == ["request is no HTTP"]


async def test_what_is_sent_on_after_its_answer_is_not_read_for_long(start: Start) -> None:
    crossings = {FAMILIES[0].prefix: Crossing(["*"], [])}
    server = await start(edge(hello, FAMILIES, crossings=crossings), limits=ServerLimits(linger_s=0.05))
    connection = await RawConnection.to(server.port)
    await connection.send(b"OPTIONS /agentgateway/resource/x HTTP/1.1\r\n" + PREFLIGHT)
    assert (await connection.answer()).status == b"HTTP/1.1 200 OK"
    assert await connection.rest_or_reset() == b""
    await connection.close()


async def test_what_is_no_http_is_told_with_its_peer_and_not_by_uvicorn(
    start: Start, caplog: pytest.LogCaptureFixture
) -> None:
    server = await start()
    with caplog.at_level(logging.DEBUG), capture_logs() as logs:
        for _ in range(3):
            connection = await RawConnection.to(server.port)
            await connection.send(b"nonsense\r\n\r\n")
            await connection.rest()
            await connection.close()
    told = [line for line in logs if line["event"] == "request is no HTTP"]
    assert [(line["source"], line["status"], line["per"]) for line in told] == [
        ("127.0.0.1", 400, "127.0.0.1")
    ] * 3
    assert not [record for record in caplog.records if record.name.startswith("uvicorn")]


async def test_an_upgrade_that_is_not_offered_is_a_plain_request_of_which_nothing_is_said(
    start: Start, caplog: pytest.LogCaptureFixture
) -> None:
    connection = await RawConnection.to((await start()).port)
    with caplog.at_level(logging.DEBUG), capture_logs() as logs:
        answer = await connection.ask(
            "GET", "/", "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13"
        )
    assert answer.body == b"hello"
    assert not [record for record in caplog.records if record.name.startswith("uvicorn")]
    assert logs == []
    await connection.close()


async def test_an_application_that_fails_is_still_told_of(
    start: Start, caplog: pytest.LogCaptureFixture
) -> None:
    async def broken(scope: Scope, receive: Receive, send: Send) -> None:
        raise RuntimeError("broken on purpose")

    connection = await RawConnection.to((await start(broken)).port)
    await connection.send(b"GET / HTTP/1.1\r\nHost: test\r\n\r\n")
    assert (await connection.rest()).startswith(b"HTTP/1.1 500")
    assert "broken on purpose" in caplog.text
    await connection.close()


async def test_who_reads_no_answer_is_not_waited_for_for_ever(start: Start) -> None:
    """One large answer, and answers to many requests at once: both fill what the machine holds."""
    large = b"x" * (8 << 20)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await PlainTextResponse(large)(scope, receive, send)

    server = await start(app, limits=ServerLimits(stall_s=0.2, linger_s=0.2))
    asks = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
    for asked in (asks, asks * 50):
        connection = await RawConnection.to(server.port)
        await connection.send(asked)
        await asyncio.sleep(0.6)
        assert len(await connection.rest_or_reset()) < len(large)
        await connection.close()


async def test_the_application_knows_whether_the_connection_stands(start: Start) -> None:
    stands: list[bool] = []
    gone = asyncio.Event()

    async def watching(scope: Scope, receive: Receive, send: Send) -> None:
        is_open = scope["extensions"][CONNECTION_OPEN]
        stands.append(is_open())
        while (await receive())["type"] != "http.disconnect":
            pass
        stands.append(is_open())
        gone.set()

    connection = await RawConnection.to((await start(watching)).port)
    await connection.send(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    await until(lambda: stands)
    await connection.reset()
    await gone.wait()
    assert stands == [True, False]
    await connection.close()


async def test_tls_by_setting(start: Start) -> None:
    settings = HttpSettings(port=0, tls_cert=TLS / "certificate.pem", tls_key=TLS / "key.pem")
    server = await start(settings=settings)
    trust = ssl.create_default_context(cafile=str(TLS / "certificate.pem"))
    async with httpx.AsyncClient(verify=trust) as http:
        answer = await http.get(f"https://127.0.0.1:{server.port}/")
    assert answer.text == "hello"
    assert answer.http_version == "HTTP/1.1"


async def test_a_port_in_use_is_said(start: Start) -> None:
    server = await start()
    second = Server(hello, HttpSettings(port=server.port), Tasks())
    with pytest.raises(OSError, match="in use"):
        await second.start()
    await second.stop()


async def test_a_bad_certificate_is_said() -> None:
    server = Server(hello, HttpSettings(port=0, tls_cert=TLS / "key.pem", tls_key=TLS / "key.pem"), Tasks())
    with pytest.raises(OSError):
        await server.start()


async def test_stopping_lets_a_request_end(start: Start) -> None:
    entered, release = asyncio.Event(), asyncio.Event()

    async def slow(scope: Scope, receive: Receive, send: Send) -> None:
        entered.set()
        await release.wait()
        await PlainTextResponse("late")(scope, receive, send)

    server = await start(slow)
    connection = await RawConnection.to(server.port)
    tasks = Tasks()
    asked = tasks.spawn(connection.ask("GET", "/"), name="request")
    await entered.wait()
    stopping = tasks.spawn(server.stop(), name="stop")
    release.set()
    assert (await asked).body == b"late"
    await stopping
    with pytest.raises(OSError):
        await RawConnection.to(server.port)
    await connection.close()
