"""What quality clients see and send byte for byte, over a raw socket; and the first seed's example."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

import pytest
import sqlalchemy as sa
from tests.contract.sockets import RawAnswer, RawConnection
from tests.contract.sqm_ledger import check
from tests.quality.standing import DIRECTOR, NOW, ONE, SQM, Standing

from sottovoce.config import HttpSettings
from sottovoce.domain.sampling import Conditions, Quantity
from sottovoce.http.server import Server
from sottovoce.http.site import FAMILIES
from sottovoce.plain import to_plain
from sottovoce.storage.tables import review_tasks
from sottovoce.tasks import Tasks

PROFILES = f"{SQM}/appraisescore/queryAppraiseScore"
PAGE = b'{"page":1,"limit":10000}'
NONE_YET = b'{"resultCode":"0412000","resultDesc":"Operation successful.","using":"","fundamental_score":[]}'
JSON = b"application/json"

SEED_TASK = "16239241148860783173"
SEED_REQUEST = "POST /apiaccess/CCSQM/rest/ccisqm/v1/qualitytask/terminateQualityTask"
SEED_HEADERS = "x-app-key:{app_key}  \r\nX-UserID:1611917095665261978  \r\nAuthorization:Bearer {token}"
SEED_BODY = '{\r\n\t"qualityTaskId": "16239241148860783173"\r\n}'
SEED_ANSWER = """{
	"resultCode": "0409000",
	"resultDesc": "Operation successful."
}"""
"""Terminating an Inspection Task, updated on 2023-09-27: headers, body and answer as printed there."""


@pytest.fixture
async def port(quality: Standing) -> AsyncIterator[int]:
    server = Server(quality.app, HttpSettings(port=0), Tasks(), families=FAMILIES)
    await server.start()
    yield server.port
    await server.stop()


@pytest.fixture
async def connection(port: int) -> AsyncIterator[RawConnection]:
    made = await RawConnection.to(port)
    yield made
    await made.close()


def own(standing: Standing, *more: str) -> tuple[str, ...]:
    return (f"Authorization: Bearer {standing.tokens[ONE]}", f"X-UserID: {DIRECTOR}", *more)


def told(answer: RawAnswer, path: str, verb: str = "POST") -> tuple[int, str]:
    """Status and result code of an answer that the ledger allows."""
    status = int(answer.status.split()[1])
    content_type = (answer.header(b"Content-Type") or b"").decode()
    body = check(path, status, content_type, answer.body, verb=verb)
    return status, body["resultCode"]


@pytest.mark.parametrize("size", [4096, 4097, 900_000])
async def test_of_a_stranger_four_kilobytes_are_read(quality: Standing, port: int, size: int) -> None:
    """With a token a megabyte is; without one it is the token that is wrong, as ever."""
    body = PAGE + b" " * (size - len(PAGE))
    said = {}
    for name, path, headers in (
        ("own", PROFILES, own(quality)),
        ("stale", PROFILES, ("Authorization: Bearer stale",)),
        ("none", PROFILES, ()),
        ("token", "/apigovernance/api/oauth/tokenByAkSk", own(quality)),
    ):
        connection = await RawConnection.to(port)
        answer = await connection.ask("POST", path, *headers, body=body)
        said[name] = int(answer.status.split()[1])
        await connection.close()
    assert said == {"own": 200, "stale": 401, "none": 401, "token": 400 if size <= 4096 else 413}


@pytest.mark.parametrize("given", ["as printed", "as a number"])
async def test_terminating_a_task_as_its_page_prints_it(
    quality: Standing, port: int, connection: RawConnection, given: str
) -> None:
    row = {
        "vdn": 1,
        "task": SEED_TASK,
        "name": "seed",
        "state": "created",
        "interaction": 0,
        "conditions": to_plain(Conditions(Quantity.CALLS, 1)),
        "draw": 1,
        "created_by": DIRECTOR,
        "created_at": NOW,
    }
    async with quality.engine.begin() as held:
        await held.execute(sa.insert(review_tasks).values(row))
    body = SEED_BODY if given == "as printed" else SEED_BODY.replace(f'"{SEED_TASK}"', SEED_TASK)
    headers = SEED_HEADERS.format(app_key=quality.keys[ONE][0], token=quality.tokens[ONE])
    length = f"Content-Length: {len(body)}"
    request = f"{SEED_REQUEST} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n{headers}\r\n{length}\r\n\r\n{body}"
    await connection.send(request.encode())
    answer = await connection.answer()
    assert answer.status == b"HTTP/1.1 200 OK"
    assert answer.header(b"Content-Type") == JSON
    assert json.loads(answer.body) == json.loads(SEED_ANSWER)
    assert answer.body == b'{"resultCode":"0409000","resultDesc":"Operation successful."}'
    async with quality.engine.begin() as held:
        state = (await held.execute(sa.select(review_tasks.c.task, review_tasks.c.state))).one()
    assert tuple(state) == (SEED_TASK, "terminated")
    await connection.send(request.encode())
    again = await connection.answer()
    assert told(again, SEED_REQUEST.split()[1]) == (200, "0409005")


@pytest.mark.parametrize("spelt", ["x-UserId", "X-UserID", "X-USERID", "x-userid"])
async def test_header_names_in_any_case(quality: Standing, connection: RawConnection, spelt: str) -> None:
    token, key = quality.tokens[ONE], quality.keys[ONE][0]
    answer = await connection.ask(
        "POST",
        PROFILES,
        f"{spelt}: {DIRECTOR}",
        f"AUTHORIZATION: Bearer {token}",
        f"X-App-Key: {key}",
        body=PAGE,
    )
    assert answer.status == b"HTTP/1.1 200 OK"
    assert answer.header(b"Content-Type") == JSON
    assert answer.body == NONE_YET


@pytest.mark.parametrize(
    "path",
    [
        PROFILES.replace("/rest/", "//rest///"),
        PROFILES + "/",
        PROFILES.replace("appraisescore/queryAppraiseScore", "AppraiseScore/queryappraisescore"),
        PROFILES + "?tenant=1&x=y",
        PROFILES.replace("queryA", "query%41"),
        "http://service.example.com" + PROFILES,
    ],
    ids=["doubled slashes", "trailing slash", "case", "query", "escapes", "absolute"],
)
async def test_paths_as_clients_spell_them(quality: Standing, connection: RawConnection, path: str) -> None:
    answer = await connection.ask("POST", path, *own(quality), body=PAGE)
    assert answer.body == NONE_YET


@pytest.mark.parametrize(
    "body",
    [
        b"\xef\xbb\xbf" + PAGE,
        b" \r\n\t" + PAGE + b"\r\n",
        b'{"page":"1","limit":"10000"}',
        b'{"page":1,"limit":10000,"unknown":[{"a":null}],"page2":NULL}'.replace(b',"page2":NULL', b""),
        b'{"page":9,"limit":10000,"page":1}',
        b'{"p\\u0061ge":1,"limit":10000}',
    ],
    ids=["BOM", "blanks", "texts", "unknown fields", "a key twice", "escapes"],
)
async def test_bodies_as_clients_write_them(
    quality: Standing, connection: RawConnection, body: bytes
) -> None:
    for content_type in (
        "application/json; charset=UTF-8",
        "text/plain",
        "application/x-www-form-urlencoded",
    ):
        answer = await connection.ask(
            "POST", PROFILES, *own(quality, f"Content-Type: {content_type}"), body=body
        )
        assert answer.body == NONE_YET, content_type
    answer = await connection.ask("POST", PROFILES, *own(quality), body=body)
    assert answer.body == NONE_YET, "no content type"


async def test_a_chunked_body(quality: Standing, connection: RawConnection) -> None:
    head = "\r\n".join([f"POST {PROFILES} HTTP/1.1", "Host: x", *own(quality), "Transfer-Encoding: chunked"])
    chunks = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in (PAGE[:5], PAGE[5:], b""))
    await connection.send(head.encode() + b"\r\n\r\n" + chunks)
    assert (await connection.answer()).body == NONE_YET


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b'"x"',
        b"null",
        b"\xff\xfe",
        b'{"page":NaN,"limit":1}',
        b'{"page":Infinity,"limit":1}',
        b'{"page":' + b"9" * 5000 + b',"limit":1}',
        b"[" * 100_000,
        b'{"a":' * 50_000 + b"1" + b"}" * 50_000,
        b"page=1&limit=2",
    ],
    ids=[
        "none",
        "half",
        "list",
        "text",
        "null",
        "no UTF-8",
        "NaN",
        "infinity",
        "5000 digits",
        "deep list",
        "deep object",
        "form",
    ],
)
async def test_bodies_that_are_no_object(quality: Standing, connection: RawConnection, body: bytes) -> None:
    empty = () if body else ("Content-Length: 0",)
    answer = await connection.ask("POST", PROFILES, *own(quality, *empty), body=body)
    assert told(answer, PROFILES) == (400, "0412001")


async def test_faults_have_the_familys_form(quality: Standing, port: int, connection: RawConnection) -> None:
    """An unknown path, another verb, too large a body: a fault of either family, or of the token's."""
    unknown = SQM + "/qualitytask/frobnicate"
    speech = "/apiaccess/CCISQM/rest/ccisqm/v1/frobnicate"
    for path, code in (
        (unknown, "0400004"),
        (speech, "1010404"),
        ("/apigovernance/api/oauth/x", "0400004"),
        ("/apiaccess", "0400004"),
    ):
        answer = await connection.ask("POST", path, *own(quality), body=b"{}")
        assert told(answer, path) == (404, code)
    for verb in ("GET", "PUT", "DELETE", "PATCH"):
        answer = await connection.ask(verb, PROFILES, *own(quality))
        assert told(answer, PROFILES, verb) == (405, "0400001")
        assert answer.header(b"Allow") == b"POST" or answer.header(b"allow") == b"POST"
    answer = await connection.ask("POST", PROFILES, *own(quality), body=b" " * (2 << 20))
    assert told(answer, PROFILES) == (413, "0400001")
    other = await RawConnection.to(port)
    answer = await other.ask("POST", PROFILES, *own(quality, "X-Long: " + "x" * 40_000), body=PAGE)
    assert told(answer, PROFILES) == (431, "0400001")
    await other.close()


async def test_the_token_byte_for_byte(quality: Standing, connection: RawConnection) -> None:
    key, secret = quality.keys[ONE]
    body = json.dumps({"app_key": key, "app_secret": secret}).encode()
    for path in ("/apigovernance/api/oauth/tokenByAkSk", "//apigovernance/api//oauth/tokenByAkSk/"):
        answer = await connection.ask("POST", path, "x-token-expire: 600", body=body)
        assert answer.header(b"Content-Type") == JSON
        found = check(path, 200, JSON.decode(), answer.body)
        assert list(found) == [
            "AccessToken",
            "ApplyType",
            "CreateTime",
            "Expires",
            "Scope",
            "AppKey",
            "UserID",
        ]
        assert (found["ApplyType"], found["Expires"], found["AppKey"]) == ("Bearer", "600", key)
    answer = await connection.ask("GET", "/apigovernance/api/oauth/tokenByAkSk")
    assert told(answer, "/apigovernance/api/oauth/tokenByAkSk", "GET") == (405, "0400001")


async def test_texts_go_out_in_ascii_with_escapes(quality: Standing, connection: RawConnection) -> None:
    name = "质检评分 é “x”"
    body = json.dumps({"name": name, "lower_bound": 0, "upper_bound": 100, "base": 100})
    path = PROFILES.replace("queryA", "createA")
    answer = await connection.ask("POST", path, *own(quality), body=body.encode())
    assert told(answer, path) == (200, "0412000")
    answer = await connection.ask("POST", PROFILES, *own(quality), body=PAGE)
    assert json.dumps(name).encode() in answer.body
    assert answer.body.isascii()
    assert told(answer, PROFILES) == (200, "0412000")
