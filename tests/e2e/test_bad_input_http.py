"""HTTP that no honest client sends, at a server in the middle of a supervised call."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import quote

import pytest
from tests.contract.sockets import RawAnswer, RawConnection
from tests.e2e.served import SECRET
from tests.e2e.under_attack import Standing

from sottovoce.contracts import Row, rows

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(300)]

BASE = "/agentgateway/resource"
STATUS = f"{BASE}/onlineagent/101/agentstatus"
EMPTY_POLL = b'{"message":"","retcode":"0"}'
TEN_MB = 10 << 20
BAD_URL, NOT_SIGNED_IN = "000-002", "100-006"
NOBODY = {"900-003", "900-004"}
"""An unknown target: 900-004, or 900-003 where the page does not list it."""


def read(answer: RawAnswer, status: int = 200) -> str:
    """The retcode of an answer that is wholly in the family's form."""
    assert int(answer.status.split()[1]) == status, answer
    assert answer.header(b"Content-Type") == b"application/json"
    document = json.loads(answer.body)
    assert isinstance(document["message"], str)
    assert isinstance(document["retcode"], str)
    for word in (b"Traceback", b"Exception", b"sottovoce", b"File "):
        assert word not in answer.body
    return str(document["retcode"])


async def ask(standing: Standing, verb: str, path: str, *headers: str, body: bytes = b"") -> RawAnswer:
    """One request on a connection of its own."""
    connection = await RawConnection.to(standing.served.http_port)
    try:
        return await connection.ask(verb, path, *headers, body=body)
    finally:
        await connection.close()


async def throw(standing: Standing, data: bytes) -> bytes:
    """Send bytes, half-close, and hear all that comes back."""
    reader, writer = await asyncio.open_connection("127.0.0.1", standing.served.http_port)
    try:
        writer.write(data)
        await writer.drain()
        writer.write_eof()
        return await reader.read()
    except OSError:  # the server has closed, and a reset may overtake its answer
        return b""
    finally:
        writer.close()
        await asyncio.gather(writer.wait_closed(), return_exceptions=True)


def guid_of(standing: Standing) -> str:
    return f"Guid: {standing.ann.guid}"


FORBIDDEN = (
    ("GET", "/onlineagent/{}/agentstatus"),
    ("GET", "/agentevent/{}"),
    ("DELETE", "/voicecall/{}/release"),
    ("POST", "/voicecall/{}/hold"),
    ("DELETE", "/onlineagent/{}/forcelogout"),
    ("POST", "/qualitycontrol/{}/requeststopwhisperagent?whisperagentid=101"),
    ("POST", "/qualitycontrol/{}/forcelogout/101"),
    ("GET", "/calldata/{}/allcallid"),
    ("GET", "/agentgroup/{}/allagentstatus"),
)
"""What would end the call, stop the whisper or tell secrets, if somebody else were believed."""


async def test_agents_that_are_none(attacked: Standing) -> None:
    guid = guid_of(attacked)
    for agent in (
        *("0", "-1", "100", "60000", "999999", "1000000", "9" * 3000, "+101", "101.0", "1e2", "0x65"),
        *("abc", "101;102", "101,102", "%20101", "101%00", "101%0a", "%EF%BC%91%EF%BC%90%EF%BC%91", "%ff%fe"),
        *("{agentid}", "..", "null", "true", "%25", "101'--", "*"),
    ):
        for verb, path in FORBIDDEN[:6:2]:
            answer = await ask(attacked, verb, BASE + path.format(agent), guid)
            assert read(answer, 404 if agent == ".." and b"404" in answer.status else 200) == BAD_URL, agent
    for verb, path in FORBIDDEN:
        for agent in ("5000", "59999"):
            assert read(await ask(attacked, verb, BASE + path.format(agent), guid)) == NOT_SIGNED_IN
    inspector = f"Guid: {attacked.ian.guid}"
    for target, expected in (
        ("5000", NOBODY),
        ("102", {"000-005"}),
        ("abc", {BAD_URL}),
        ("60000", {BAD_URL}),
    ):
        for verb, path in (
            ("PUT", "/qualitycontrol/102/addsupervise/{}"),
            ("PUT", "/qualitycontrol/102/addinsert/{}"),
            ("POST", "/qualitycontrol/102/forcelogout/{}"),
            ("POST", "/qualitycontrol/102/requestwhisperagent?whisperagentid={}"),
        ):
            answer = await ask(attacked, verb, BASE + path.format(target), inspector)
            assert read(answer) in expected, (path, target)
    await attacked.unharmed()


async def test_guids_that_are_not_theirs(attacked: Standing) -> None:
    before = attacked.ina.guid
    await attacked.ina.sign_out()
    await attacked.ina.sign_in(SECRET, "8103")
    own = str(attacked.ann.guid)
    for guid in (
        (),
        ("Guid:",),
        ("Guid:    ",),
        ("Guid: 0",),
        (f"Guid: {attacked.ian.guid}",),
        (f"Guid: {attacked.ina.guid}",),
        (f"Guid: {before}",),
        (f"Guid: {own[:-1]}",),
        (f"Guid: {own}x",),
        (f"Guid: {own.swapcase()}",) if own.swapcase() != own else ("Guid: x",),
        (f"Guid: {own}, {own}",),
        ("Guid: " + "a" * 8000,),
        ("Guid: ключ \xff",),
        ("Guid: ' or 1=1 --",),
        (f"Guid: {attacked.ian.guid}", f"Guid: {own}"),
        (f"Cookie: Guid={own}; JSESSIONID={own}",),
    ):
        for verb, path in FORBIDDEN:
            answer = await ask(attacked, verb, BASE + path.format(101), *guid)
            assert read(answer) == NOT_SIGNED_IN, (verb, path, guid)
    stale = await ask(attacked, "POST", f"{BASE}/onlineagent/103/saybusy", f"Guid: {before}")
    assert read(stale) == NOT_SIGNED_IN
    await attacked.unharmed()


async def test_verbs_that_no_page_names(attacked: Standing) -> None:
    guid = guid_of(attacked)
    served = {
        "/onlineagent/101/agentstatus": {"GET"},
        "/voicecall/101/release": {"DELETE"},
        "/agentevent/101": {"GET"},
        "/voicecall/101/callout": {"PUT"},
    }
    for path, verbs in served.items():
        for verb in ("GET", "PUT", "POST", "DELETE", "PATCH", "OPTIONS", "TRACE", "BREW", "get", "X" * 200):
            if verb in verbs:
                continue
            answer = await ask(attacked, verb, BASE + path, guid, body=b"{}")
            assert read(answer, 405) == BAD_URL
            allowed = answer.header(b"Allow")
            assert allowed is not None
            assert verbs <= {word.strip() for word in allowed.decode().split(",")}
    head = await throw(
        attacked, f"HEAD {BASE}/onlineagent/101/agentstatus HTTP/1.1\r\nHost: x\r\n\r\n".encode()
    )
    assert head.startswith(b"HTTP/1.1 405 ")
    assert head.endswith(b"\r\n\r\n"), "an answer to HEAD has no body"
    await attacked.unharmed()


BODIES: Sequence[bytes] = (
    b"{",
    b"}",
    b"nonsense",
    b"[]",
    b"[" * 100_000,
    b'{"called":' * 50_000,
    b'{"a":' * 900 + b"1" + b"}" * 900,
    b"NaN",
    b'{"called": NaN}',
    b'{"called": -Infinity}',
    b'{"called": 1e99999}',
    b'{"called": ' + b"9" * 5000 + b"}",
    b'{"called": ' + b"9" * 4000 + b"}",
    b'"text"',
    b"0",
    b"true",
    b'{"called": {"a": []}}',
    b'{"called": ["555"]}',
    b'{"called": true}',
    b'{"called": "\\ud800"}',
    b'{"called": "\\u0000"}',
    b'{"called": "555\\r\\nX-Evil: 1"}',
    b'{"called": "sip:555@127.0.0.1:9"}',
    b'{"called": "%s"}' % (b"5" * 100_000),
    b'{"called": "555", "called": "\xff\xfe"}',
    '{"called": "555"}'.encode("utf-16"),
    b"\xef\xbb\xbf{",
    b"\x00" * 1000,
    b"<xml/>",
    b"\x1f\x8b\x08\x00",
    b"called=555&caller=1",
)


async def test_bodies_that_are_no_json(attacked: Standing) -> None:
    guid = guid_of(attacked)
    connection = await RawConnection.to(attacked.served.http_port)
    for body in BODIES:
        for kind in (
            "application/json",
            "text/plain; charset=gbk",
            "application/json; charset=utf-99",
            "\xff",
        ):
            answer = await connection.ask(
                "PUT", f"{BASE}/voicecall/101/callout", guid, f"Content-Type: {kind}", body=body
            )
            assert read(answer) != "0", body[:40]
        path = f"{BASE}/onlineagent/104/forcelogin"
        answer = await ask(attacked, "PUT", path, body=body)
        assert read(answer, 413 if len(body) > 4096 else 200) != "0", body[:40]
    await connection.close()
    await attacked.unharmed()


async def test_bodies_of_ten_megabytes(attacked: Standing) -> None:
    guid, path = guid_of(attacked), f"{BASE}/voicecall/101/callout"
    big = b'{"called":"' + b"5" * TEN_MB + b'"}'
    answer = await ask(attacked, "PUT", path, guid, body=big)
    assert read(answer, 413) == BAD_URL

    connection = await RawConnection.to(attacked.served.http_port)
    head = f"PUT {path} HTTP/1.1\r\nHost: x\r\n{guid}\r\nTransfer-Encoding: chunked\r\n\r\n"
    await connection.send(head.encode())
    for _ in range(TEN_MB >> 16):
        await connection.send(b"10000\r\n" + b"5" * 0x10000 + b"\r\n")
    await connection.send(b"0\r\n\r\n")
    assert read(await connection.answer(), 413) == BAD_URL
    await connection.close()

    for length in (TEN_MB * 100, 10**18):
        announced = f"PUT {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\n".encode()
        assert b" 413 " in (await throw(attacked, announced))
    for _ in range(20):  # a sender that leaves in the middle
        connection = await RawConnection.to(attacked.served.http_port)
        await connection.send(f"PUT {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {TEN_MB}\r\n\r\n".encode())
        await connection.send(b"5" * 10_000)
        await connection.reset()
    await attacked.unharmed()


async def test_targets_that_lead_astray(attacked: Standing) -> None:
    guid = guid_of(attacked)
    for target in (
        STATUS + "?unknown=1&__proto__=x&agentid=102&Guid=1&a[]=%00",
        STATUS + "?" + "&" * 40,
        STATUS + "?" + "a=1&" * 60,
        "//agentgateway///resource//onlineagent/101//agentstatus//",
        "/agentgateway/resource/onlineagent%2F101%2Fagentstatus",
        "/%61gentgateway/resource/%2f/onlineagent/101/%2Fagentstatus",
        "/agentgateway/resource/ONLINEAGENT/101/AgentStatus",
        f"http://elsewhere.example{STATUS}",
    ):
        assert read(await ask(attacked, "GET", target, guid)) == "0", target
    for target in (
        f"{BASE}/onlineagent/101/../102/agentstatus",
        f"{BASE}/onlineagent/101/%2e%2e/%2e%2e/%2e%2e/etc/passwd",
        f"{BASE}/..%5c..%5cetc%5cpasswd",
        f"{BASE}/onlineagent/101/agentstatus%00",
        f"{BASE}/onlineagent/101/agentstatus;x=1",
        f"{BASE}/onlineagent/101/agentstatus/more",
        f"{BASE}/%ff%fe%fd",
        f"{BASE}/",
        BASE,
    ):
        assert read(await ask(attacked, "GET", target, guid), 404) == BAD_URL, target
    for target in ("/../../etc/passwd", "/", "/agentgateway", "/docs", "/openapi.json", "/%00"):
        answer = await ask(attacked, "GET", target, guid)
        assert answer.status.split()[1] == b"404"
        assert "error" in json.loads(answer.body)
    assert read(await ask(attacked, "GET", f"{STATUS}?{'a' * 20_000}", guid), 431) == BAD_URL
    asterisk = await ask(attacked, "OPTIONS", "*")
    assert asterisk.status.split()[1] == b"404"
    await attacked.unharmed()


def head(*lines: str | bytes) -> bytes:
    return b"\r\n".join([line if isinstance(line, bytes) else line.encode() for line in lines]) + b"\r\n\r\n"


async def test_headers_that_lie(attacked: Standing) -> None:
    guid = guid_of(attacked)
    odd = (
        "X-Odd: \xe4\xf6\xfc \u4e2d\u6587",
        "Cookie: " + "a=1; " * 1000,
        "Accept: */*;q=never",
        "Expect: tea",
    )
    assert read(await ask(attacked, "GET", STATUS, guid, *odd)) == "0"
    assert read(await ask(attacked, "GET", STATUS, guid, *(f"X-{n}: {n}" for n in range(500)))) == "0"
    assert read(await ask(attacked, "GET", STATUS, guid, "Connection: Upgrade", "Upgrade: websocket")) == "0"
    first = f"GET {STATUS} HTTP/1.1"
    for status, lines in (
        (431, [first, "Host: x", guid, "X: " + "a" * 60_000]),
        (431, [first, "Host: x", guid, *(f"X-{n}: {'a' * 50}" for n in range(600))]),
        (400, [first, "Host: x", guid, "Content-Length: many"]),
        (400, [first, "Host: x", guid, "Content-Length: -1"]),
        (400, [first, "Host: x", guid, "Content-Length: " + "9" * 5000]),
        (400, [first, "Host: x", guid, "Content-Length: 1", "Content-Length: 2"]),
        (400, [first, "Host: x", guid, "Content-Length: 1, 2"]),
        (400, [first, "Host: x", guid, "Transfer-Encoding: gzip, chunked"]),
        (400, [first, "Host: x", guid, "Transfer-Encoding: chunked", "Transfer-Encoding: chunked"]),
        (400, [first, guid]),
        (400, [first, "Host: x", "Host: y", guid]),
        (400, [first, "Host: x", b"X\x00Y: 1"]),
        (400, [first, "Host: x", b"X: a\x00b"]),
        (400, [first, " folded: first", "Host: x"]),
        (400, [first, "Host: x", "no colon"]),
        (400, [first, "Host: x", "Space : before colon"]),
        (400, [f"GET {STATUS} HTTP/1.1 HTTP/1.1", "Host: x"]),
        (400, [f"GET {STATUS} HTCPCP/1.0", "Host: x"]),
        (400, [f"GET {STATUS}"]),
        (400, [b"GET " + STATUS.encode() + b"\xff HTTP/1.1", "Host: x"]),
    ):
        answer = await throw(attacked, head(*lines))
        assert answer.startswith(f"HTTP/1.1 {status} ".encode()), (lines, answer[:200])
        assert json.loads(answer.partition(b"\r\n\r\n")[2])["retcode"] == BAD_URL, lines
    flood = head(first, "Host: x", guid, *(f"X-{n}: {'a' * 50}" for n in range(20_000)))
    answer = await throw(attacked, flood)
    assert answer == b"" or answer.startswith(b"HTTP/1.1 431 "), "the rest of the flood is not read"
    await attacked.unharmed()


async def test_what_is_no_http(attacked: Standing) -> None:
    chance = random.Random(2)
    for garbage in (
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\x00\x00\x12\x04" + bytes(20),
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + chance.randbytes(500),
        b"INVITE sip:101@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/TCP x;branch=z9hG4bKx\r\n\r\n",
        b"\r\n" * 2000,
        b"",
        b"\x00" * 70_000,
        *(chance.randbytes(chance.randrange(1, 3000)) for _ in range(40)),
    ):
        answer = await throw(attacked, garbage)
        assert answer == b"" or answer.startswith(b"HTTP/1.1 4"), answer[:200]
        assert b"Traceback" not in answer
    whole = head(
        f"PUT {BASE}/voicecall/101/callout HTTP/1.1", "Host: x", guid_of(attacked), "Content-Length: 2"
    )
    for length in range(1, len(whole), 9):
        await throw(attacked, whole[:length])  # a request that breaks off anywhere
    chunked = head(f"PUT {BASE}/voicecall/101/callout HTTP/1.1", "Host: x", "Transfer-Encoding: chunked")
    for chunk in (
        b"zz\r\n",
        b"-1\r\n",
        b"FFFFFFFFFFFFFFFFFF\r\n",
        b"5\r\nab",
        b"1\r\nabc\r\n",
        b"1;" + b"x" * 70_000,
    ):
        answer = await throw(attacked, chunked + chunk)
        assert answer == b"" or json.loads(answer.partition(b"\r\n\r\n")[2])["retcode"] == BAD_URL
    await attacked.unharmed()


async def test_requests_in_one_piece_and_in_many(attacked: Standing) -> None:
    guid = guid_of(attacked)
    connection = await RawConnection.to(attacked.served.http_port)
    one = head(f"GET {STATUS} HTTP/1.1", "Host: x", guid)
    wrong = head(f"PATCH {STATUS} HTTP/1.1", "Host: x", guid)
    await connection.send((one + wrong) * 20)
    for _ in range(20):
        assert read(await connection.answer()) == "0"
        assert read(await connection.answer(), 405) == BAD_URL
    for byte in one:
        await connection.send(bytes([byte]))
    assert read(await connection.answer()) == "0"
    await connection.send(one[:30])
    waiting = [await RawConnection.to(attacked.served.http_port) for _ in range(100)]
    for number, slow in enumerate(waiting):
        await slow.send(one[: number % len(one)])
    assert read(await ask(attacked, "GET", STATUS, guid)) == "0", "slow senders hinder nobody"
    for slow in (connection, *waiting):
        await slow.reset()
    smuggled = head(
        f"GET {STATUS} HTTP/1.1", "Host: x", guid, "Content-Length: 4", "Transfer-Encoding: chunked"
    )
    answer = await throw(
        attacked, smuggled + b"0\r\n\r\n" + head(f"DELETE {BASE}/voicecall/101/release HTTP/1.1", guid)
    )
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert answer.count(b"HTTP/1.1 ") == 1, "what follows is no request of its own"
    await attacked.unharmed()


async def test_polls_that_are_left_and_polls_in_crowds(attacked: Standing) -> None:
    ina = attacked.ina
    poll = head(f"GET {BASE}/agentevent/103 HTTP/1.1", "Host: x", f"Guid: {ina.guid}")
    await ina.snapshot()  # empties the queue
    for number in range(48):
        connection = await RawConnection.to(attacked.served.http_port)
        await connection.send(poll)
        if number % 3 == 0:
            await connection.reset()
        else:
            await connection.close()
    await ina.say_busy()
    for _ in range(49):  # one that was left may come in late and end this one
        if (event := await ina.poll_once()) is not None:
            break
    assert event is not None, "an event that no aborted poll may take away"
    assert event.kind == "AgentState_SetNotReady_Success"

    await ina.snapshot()
    crowd = [await RawConnection.to(attacked.served.http_port) for _ in range(200)]
    for connection in crowd:
        await connection.send(poll)
    answers = [asyncio.ensure_future(connection.answer()) for connection in crowd]
    while sum(answer.done() for answer in answers) < 199:
        await asyncio.wait([a for a in answers if not a.done()], return_when=asyncio.FIRST_COMPLETED)
    await ina.say_free()
    bodies = [(await answer).body for answer in answers]
    assert bodies.count(EMPTY_POLL) == 199, "all polls but the newest end with nothing"
    kinds = [json.loads(body)["event"]["eventType"] for body in bodies if body != EMPTY_POLL]
    assert kinds == ["AgentState_Ready"]
    for connection in crowd:
        await connection.close()
    await attacked.unharmed()


JUNK: Sequence[Any] = (
    *("", " ", "abc", "5000", "-1", "1.5", "1e999", "true", "null", "9" * 400, "x" * 5000, "%00", "\x00\x1f"),
    *("\ud800", "\u4e2d\u6587", "1;2;;x", "';--", "../..", "<b>", "{0}", "${x}", "%s%n", None, True),
    *(0, -1, 2**31, 2**63, 2**64, 10**400, 1.5, 1e308, [], {}, [[]], [None], {"a": {"b": []}}, ["1"] * 2000),
)


def with_junk(row: Row) -> Iterator[tuple[str, dict[str, Any]]]:
    """Paths with query, and bodies, of one interface: each value of junk in all places at once."""
    told = [one.name for one in row.parameters if one.where == "query"]
    for value in JUNK:
        written = quote(str(value).encode("utf-8", "surrogatepass"), safe="")[:6000] or "%20"
        path = row.path.replace("{agentid}", "103").replace("{workno}", "103", 1)
        for name in row.fields:
            path = path.replace("{" + name + "}", written)
        query = "&".join(f"{name}={written}" for name in told)
        yield f"{path}?{query}", {name: value for name in (row.body or {}).get("properties", {})}


async def test_junk_in_every_field_of_every_interface(attacked: Standing) -> None:
    asked = [row for row in rows("cc-gateway") if row.status == "done" and row.fields]
    assert len(asked) > 20
    connection = await RawConnection.to(attacked.served.http_port)
    for row in asked:
        if "login" in row.name.lower():  # wrong passwords lock an account
            continue
        for target, document in with_junk(row):
            body = json.dumps(document).encode()
            guid = f"Guid: {attacked.ina.guid}"
            answer = await connection.ask(row.verbs[0], target, guid, body=body)
            code = read(answer, int(answer.status.split()[1]))
            assert answer.status.split()[1] in (b"200", b"404"), (row.path, target[:200])
            if code == NOT_SIGNED_IN:
                await attacked.ina.sign_in(SECRET, "8103")
    await connection.close()
    await attacked.unharmed()
