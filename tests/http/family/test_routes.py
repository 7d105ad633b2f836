"""The kit under a family of its own: the order of the ladder, 405, and which path a request is for."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Router

from sottovoce.errors import Code, Refused
from sottovoce.http.ccgateway.gateway import Gateway
from sottovoce.http.ccsqm.dialect import Quality
from sottovoce.http.family import declared
from sottovoce.http.family.answer import Family, respond
from sottovoce.http.family.form import BadField, BadInput, Form
from sottovoce.http.family.routes import Failure, Places, Unauthorized, Wrong
from sottovoce.http.site import inner_site


@dataclass(frozen=True, slots=True, kw_only=True)
class Interface(declared.Interface):
    """One of the little family, which has no ledger."""

    name: str = "one"
    open: bool = False

    @property
    def stranger(self) -> str:
        return "stranger"

    @property
    def codes(self) -> frozenset[str]:
        return frozenset() if self.name == "mute" else frozenset({"stranger"})


class Dialect:
    """The little family's; notes what it is asked, and raises what it is told to."""

    family = Family("/little", lambda fault: {"fault": fault.value})

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.raises: dict[str, Exception] = {}

    def ask(self, step: str) -> None:
        self.asked.append(step)
        if step in self.raises:
            raise self.raises[step]

    @asynccontextmanager
    async def caller(self, interface: Interface, request: Request) -> AsyncIterator[str]:
        self.ask("caller")
        yield "somebody"
        self.ask("commit")

    async def form(self, interface: Interface, request: Request) -> Form:
        self.ask("form")
        return Form()

    def success(self, interface: Interface, answer: object) -> Response:
        return respond({"answer": answer})

    def failure(self, interface: Interface, failure: Failure) -> Response:
        return respond({"wrong": failure.wrong.value, "code": failure.code.value, "why": failure.why}, 418)


def little(dialect: Dialect, *paths: tuple[str, str]) -> httpx.AsyncClient:
    async def serve(caller: str, form: Form) -> object:
        dialect.ask("serve")
        return caller

    found = [
        Interface(path=path, verbs=tuple(verbs.split()), name=path, form=Form, serve=serve)
        for verbs, path in paths
    ]
    transport = httpx.ASGITransport(Router([Places(found, dialect)]))
    return httpx.AsyncClient(transport=transport, base_url="http://test")


ONE = ("POST", "/little/one")


async def test_a_success_goes_through_all_steps() -> None:
    dialect = Dialect()
    async with little(dialect, ONE) as http:
        answer = await http.post("/little/one")
    assert (answer.status_code, answer.json()) == (200, {"answer": "somebody"})
    assert dialect.asked == ["caller", "form", "serve", "commit"]


@pytest.mark.parametrize("step", ["caller", "form", "serve", "commit"])
@pytest.mark.parametrize(
    ("error", "wrong", "code", "why"),
    [
        (Unauthorized("no token"), Wrong.STRANGER, Code.NOBODY, "no token"),
        (BadInput("no JSON"), Wrong.UNREADABLE, Code.BAD_PARAMETER, "no JSON"),
        (BadField("a: is missing"), Wrong.FIELD, Code.BAD_PARAMETER, "a: is missing"),
        (Refused(Code.LOST_RACE, "too late"), Wrong.REFUSED, Code.LOST_RACE, "too late"),
        (RuntimeError("a secret"), Wrong.BROKEN, Code.INTERNAL, ""),
    ],
    ids=lambda value: value.value if isinstance(value, Wrong) else "",
)
async def test_the_ladder(step: str, error: Exception, wrong: Wrong, code: Code, why: str) -> None:
    dialect = Dialect()
    dialect.raises[step] = error
    async with little(dialect, ONE) as http:
        answer = await http.post("/little/one")
    assert answer.status_code == 418
    assert answer.json() == {"wrong": wrong.value, "code": code.value, "why": why}
    assert dialect.asked[-1] == step, "nothing is asked after what went wrong"


async def test_a_use_case_may_answer_by_itself() -> None:
    async def serve(caller: str, form: Form) -> Response:
        return PlainTextResponse("as it is")

    one = Interface(path="/little/one", verbs=("GET",), name="one", form=Form, serve=serve)
    transport = httpx.ASGITransport(Router([Places([one], Dialect())]))
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as http:
        assert (await http.get("/little/one")).text == "as it is"


async def test_paths_have_no_case_and_literals_come_before_variables() -> None:
    dialect = Dialect()
    paths = [("GET", "/little/{who}"), ("POST PUT", "/little/One"), ("GET", "/little/all/{rest:path}")]
    async with little(dialect, *paths) as http:
        assert (await http.post("/LITTLE/one")).status_code == 200
        assert (await http.get("/little/two")).status_code == 200
        assert (await http.get("/little/all/a/b")).status_code == 200
        assert (await http.get("/little/two/more")).status_code == 404
        wrong = await http.get("/little/one")
    assert wrong.status_code == 405, "never read as the variable"
    assert wrong.headers["allow"] == "POST, PUT"
    assert wrong.json() == {"fault": 405}


async def nothing(caller: str, form: Form) -> None:
    """Serves nothing."""


def test_what_cannot_tell_a_stranger_so_is_not_declared() -> None:
    mute = Interface(path="/little/one", verbs=("GET",), name="mute", form=Form, serve=nothing)
    with pytest.raises(ValueError, match="its caller is not known"):
        Places([mute], Dialect())
    Places([replace(mute, open=True)], Dialect())


def test_what_no_ledger_has_is_not_served() -> None:
    unknown = declared.Interface(path="/little/one", verbs=("GET",), form=Form, serve=nothing)
    with pytest.raises(KeyError):
        Places([unknown], Dialect())


def test_one_verb_of_a_path_is_one_interfaces() -> None:
    two = [
        Interface(path=path, verbs=("GET",), name=path, form=Form, serve=nothing)
        for path in ("/little/one", "/little/ONE")
    ]
    with pytest.raises(ValueError, match="the same verb"):
        Places(two, Dialect())


def served() -> list[Any]:
    gateway: Any = Gateway(None, None, None)  # type: ignore[arg-type]
    quality = Quality(None)  # type: ignore[arg-type]
    return [place for family in inner_site(gateway, quality=quality).routes for place in family.places]  # type: ignore[attr-defined]


@pytest.mark.parametrize("verb", ["PATCH", "OPTIONS", "TRACE"])
async def test_no_family_knows_other_verbs(verb: str) -> None:
    gateway: Any = Gateway(None, None, None)  # type: ignore[arg-type]
    quality = Quality(None)  # type: ignore[arg-type]
    transport = httpx.ASGITransport(inner_site(gateway, quality=quality))
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as http:
        for place in served():
            answer = await http.request(verb, place.path.replace("{", "").replace("}", ""))
            assert answer.status_code == 405, place.path
            assert answer.headers["allow"] == ", ".join(sorted(place.interfaces)), place.path
            assert answer.headers["content-type"] == "application/json"
            assert {"retcode", "resultCode"} & answer.json().keys(), place.path
