"""Recordings over real HTTP, on a family of the test's own: begun on record, then read in ranges."""

from __future__ import annotations

import asyncio
import email.utils
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar
from uuid import UUID

import httpx
import numpy as np
import pytest
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Router
from tests.contract.sockets import RawConnection
from tests.quality.sounds import stereo, tone, write
from tests.quality.standing import BEN, INSPECTOR, ONE, Standing

from sottovoce.config import HttpSettings
from sottovoce.domain.people import User, UserId
from sottovoce.domain.rights import Operation
from sottovoce.http.edge import edge
from sottovoce.http.family import declared
from sottovoce.http.family.answer import Family, respond
from sottovoce.http.family.form import Form
from sottovoce.http.family.ranges import FileAnswer
from sottovoce.http.family.routes import Failure, Places
from sottovoce.http.server import Server
from sottovoce.quality import access, playback
from sottovoce.quality.office import Office
from sottovoce.storage import audit
from sottovoce.tasks import Tasks

CALL = str(UUID(int=1))


@dataclass(frozen=True, slots=True, kw_only=True)
class Interface(declared.Interface):
    """One of the little family, which has no ledger."""

    name: str = "one"
    open: bool = True


class Wanted(Form):
    """All that its requests may hold."""

    contact: UUID | None = None
    playback: UUID | None = None
    purpose: str = ""


@dataclass(frozen=True)
class Hearing:
    """The little family's dialect: whoever `x-user` names hears."""

    standing: Standing
    family: ClassVar[Family] = Family("/little", lambda fault: {"fault": fault.value})

    @asynccontextmanager
    async def caller(self, interface: Interface, request: Request) -> AsyncIterator[tuple[Office, User]]:
        user = UserId(request.headers.get("x-user", INSPECTOR))
        yield self.standing.office, await self.standing.caller(user)

    async def form(self, interface: Interface, request: Request) -> Form:
        return interface.form.filled({**request.query_params, **request.path_params})

    def success(self, interface: Interface, answer: Any) -> Response:
        return respond(answer, 201)

    def failure(self, interface: Interface, failure: Failure) -> Response:
        return respond({"code": failure.code.value, "why": failure.why}, 418)


async def begin(caller: tuple[Office, User], form: Wanted) -> dict[str, str]:
    office, user = caller
    assert form.contact is not None
    reach = access.granted(user, Operation.HEAR_RECORDING)
    begun = await playback.begin(office, reach, form.contact, form.purpose)
    return {"playback": str(begun.playback)}


async def hear(caller: tuple[Office, User], form: Wanted) -> Response:
    office, user = caller
    assert form.playback is not None
    found = await playback.sound(office, access.granted(user, Operation.HEAR_RECORDING), form.playback)
    return FileAnswer(found.path, found.state, "audio/wav")


async def draw(caller: tuple[Office, User], form: Wanted) -> Response:
    office, user = caller
    assert form.contact is not None
    found = await playback.waveform(office, access.granted(user, Operation.HEAR_RECORDING), form.contact)
    return FileAnswer(found.path, found.state, "application/octet-stream")


@dataclass(frozen=True)
class House:
    """The running server, its client, and the recording of the call."""

    standing: Standing
    port: int
    http: httpx.AsyncClient
    wav: Path

    async def begun(self, purpose: str = "review") -> str:
        """Where a playback that was just begun is read."""
        answer = await self.http.post(f"/little/calls/{CALL}/playbacks", params={"purpose": purpose})
        assert answer.status_code == 201, answer.text
        return f"/little/playbacks/{answer.json()['playback']}"


@pytest.fixture
async def house(after_call: Standing, tmp_path: Path) -> AsyncIterator[House]:
    standing = after_call
    await standing.contact()
    wav = write(tmp_path / "call-1.wav", stereo(tone(40), tone(30, 700.0)))
    of_all: list[Any] = [
        Interface(path="/little/calls/{contact}/playbacks", verbs=("POST",), form=Wanted, serve=begin),
        Interface(path="/little/calls/{contact}/peaks", verbs=("GET", "HEAD"), form=Wanted, serve=draw),
        Interface(path="/little/playbacks/{playback}", verbs=("GET", "HEAD"), form=Wanted, serve=hear),
    ]
    dialect = Hearing(standing)
    tasks = Tasks()
    site = edge(Router([Places(of_all, dialect)]), [dialect.family])
    server = Server(site, HttpSettings(port=0), tasks)
    await server.start()
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{server.port}") as http:
        yield House(standing, server.port, http, wav)
    await server.stop()
    await tasks.close()


async def test_the_whole_file_and_its_headers(house: House) -> None:
    path, content = await house.begun(), house.wav.read_bytes()
    answer = await house.http.get(path)
    assert (answer.status_code, answer.content == content) == (200, True)
    told = answer.headers
    assert (told["content-type"], told["accept-ranges"]) == ("audio/wav", "bytes")
    assert (told["cache-control"], told["x-content-type-options"]) == ("private, no-store", "nosniff")
    assert told["content-length"] == str(len(content))
    head = await house.http.head(path, headers={"Range": "bytes=0-1"})
    assert (head.status_code, head.content, head.headers["content-length"]) == (200, b"", str(len(content)))
    assert "content-range" not in head.headers
    assert (await house.http.put(path)).headers["allow"] == "GET, HEAD"


@pytest.mark.parametrize(
    ("wanted", "first", "last"),
    [
        ("bytes=0-99", 0, 99),
        ("BYTES=0-0", 0, 0),
        ("bytes= 100-199", 100, 199),
        ("bytes=1000-", 1000, None),
        ("bytes=-100", -100, None),
        ("bytes=-999999999999999999", 0, None),
        ("bytes=5-999999999999999999", 5, None),
    ],
)
async def test_one_range(house: House, wanted: str, first: int, last: int | None) -> None:
    path, content = await house.begun(), house.wav.read_bytes()
    size = len(content)
    begin_at = first if first >= 0 else size + first
    end_at = size if last is None else last + 1
    answer = await house.http.get(path, headers={"Range": wanted})
    assert answer.status_code == 206
    assert answer.content == content[begin_at:end_at]
    assert answer.headers["content-range"] == f"bytes {begin_at}-{end_at - 1}/{size}"
    assert answer.headers["content-length"] == str(end_at - begin_at)


async def test_where_the_file_has_nothing(house: House) -> None:
    path, size = await house.begun(), house.wav.stat().st_size
    for wanted in (f"bytes={size}-", f"bytes={size}-{size + 9}", "bytes=-0"):
        answer = await house.http.get(path, headers={"Range": wanted})
        assert (answer.status_code, answer.content) == (416, b""), wanted
        assert answer.headers["content-range"] == f"bytes */{size}"


@pytest.mark.parametrize(
    "wanted",
    ["bytes=9-3", "bytes=0-1,5-6", "bytes=", "bytes=-", "seconds=0-1", "bytes", "bytes=a-b", "bytes=+1-2"],
)
async def test_what_is_no_single_range_gets_all_of_it(house: House, wanted: str) -> None:
    answer = await house.http.get(await house.begun(), headers={"Range": wanted})
    assert (answer.status_code, len(answer.content)) == (200, house.wav.stat().st_size)


async def test_a_range_of_the_file_that_the_client_knows_and_of_no_other(house: House) -> None:
    path = await house.begun()
    before = (await house.http.head(path)).headers
    some = {"Range": "bytes=0-9"}
    for known in (before["etag"], before["last-modified"]):
        answer = await house.http.get(path, headers={**some, "If-Range": known})
        assert answer.status_code == 206, known
    write(house.wav, stereo(tone(1), tone(1)))
    for known in (before["etag"], f"W/{before['etag']}", email.utils.formatdate(0, usegmt=True)):
        answer = await house.http.get(path, headers={**some, "If-Range": known})
        assert (answer.status_code, answer.content) == (200, house.wav.read_bytes()), known


async def test_a_playback_is_one_row_of_the_audit_whatever_is_read(house: House) -> None:
    path = await house.begun("appeal 12")
    for first in range(0, 5000, 1000):
        await house.http.get(path, headers={"Range": f"bytes={first}-{first + 999}"})
    entries = await audit.read(house.standing.engine, ONE)
    played = [entry for entry in entries if entry.action == "recording.play"]
    assert [(int(entry.actor), entry.target, entry.detail["purpose"]) for entry in played] == [
        (int(INSPECTOR), "101", "appeal 12")
    ]


async def test_refusals_come_in_the_family_s_form_and_nothing_of_the_file_with_them(house: House) -> None:
    path = await house.begun()
    for verb, asked, user, code in (
        ("GET", path, BEN, "not_found"),
        ("GET", f"/little/playbacks/{CALL}", INSPECTOR, "not_found"),
        ("GET", "/little/playbacks/..%5C..%5Cpasswd", INSPECTOR, "bad_parameter"),
        ("POST", f"/little/calls/{CALL}/playbacks", INSPECTOR, "bad_parameter"),
        ("GET", f"/little/calls/{CALL}/peaks", BEN, "not_found"),
    ):
        answer = await house.http.request(verb, asked, headers={"x-user": user})
        assert (answer.status_code, answer.json()["code"]) == (418, code), asked
    house.wav.unlink()
    answer = await house.http.get(path, headers={"Range": "bytes=0-9"})
    assert answer.status_code == 418
    assert answer.json() == {
        "code": "not_found",
        "why": "the call's recording is not there: the file cannot be read: No such file or directory",
    }


async def test_who_hangs_up_leaves_no_file_open(house: House) -> None:
    path = await house.begun()
    for _ in range(3):
        connection = await RawConnection.to(house.port)
        await connection.send(f"GET {path} HTTP/1.1\r\nHost: test\r\n\r\n".encode())
        assert (await connection.line()).startswith(b"HTTP/1.1 200")
        await connection.reset()
    assert len((await house.http.get(path)).content) == house.wav.stat().st_size
    for _ in range(1000):
        if not (still := [fd for fd in Path("/proc/self/fd").iterdir() if _leads_to(fd, house.wav)]):
            break
        await asyncio.sleep(0.01)
    assert not still


async def test_the_peaks_are_a_file_like_it(house: House) -> None:
    answer = await house.http.get(f"/little/calls/{CALL}/peaks", headers={"Range": "bytes=24-"})
    assert (answer.status_code, answer.headers["content-type"]) == (206, "application/octet-stream")
    found = np.frombuffer(answer.content, np.int8).reshape(2000, 2, 2)
    assert found[:1500, 1].any()
    assert not found[1500:, 1].any(), "the agent said less"


def _leads_to(descriptor: Path, file: Path) -> bool:
    try:
        return descriptor.readlink() == file
    except OSError:
        return False
