"""What holds for every interface: token, headers, method, mandatory fields and types (2.0)."""

from __future__ import annotations

import json
from collections.abc import Sequence

from sottovoce.client.ccsqm.connection import SQM
from sottovoce.compat.bench import Bench, Check, Wrong
from sottovoce.compat.shapes import is_id
from sottovoce.compat.sqm.catalogue import Interfaces
from sottovoce.compat.sqm.interfaces import Interface
from sottovoce.compat.wire import Reply

_UNREADABLE = (b"{", b"[]")
_OTHERS = (b"", b"null", b"\xff\xfe", b'"text"')


async def walk(bench: Bench, known: Interfaces) -> None:
    """Every rule for every interface, then the rules about headers at one of them."""
    for interface in known:
        if bench.wants(interface.name):
            await _token(bench, interface)
            await _fields(bench, interface)
    if not bench.fields:
        await _headers(bench, known.query)
        await _paths(bench)


async def _token(bench: Bench, interface: Interface) -> None:
    with bench.check(interface.name, f"is served [{interface.page}]") as check:
        reply = await bench.ask(interface.path, interface.example)
        check.that(reply.status != 404, reply)
        check.that(reply.readable, f"no JSON: {reply}")
    with bench.check(interface.name, "answers 401 without a token, and with a wrong one") as check:
        await _strangers(bench, check, interface, (None, f"Bearer {bench.wire.bearer}x"))
    if interface.user:
        with bench.check(interface.name, "x-UserId is mandatory") as check:
            check.declined(await bench.ask(interface.path, interface.example, user=None))
    with bench.check(interface.name, "x-UserId must be a user's", inferred=True) as check:
        if interface.path.startswith(SQM):
            for user in ("1000000000000000001", "nobody"):
                check.declined(await bench.ask(interface.path, interface.example, user=user))


async def _fields(bench: Bench, interface: Interface) -> None:
    with bench.check(interface.name, "answers 400 where the body is no JSON object") as check:
        for body in _UNREADABLE:
            reply = await bench.ask(interface.path, body)
            check.that(reply.status == 400, f"{body!r}: {reply}")
    if not interface.mandatory:
        return
    told: list[tuple[str, Reply]] = []
    user = bench.people.agent if interface.for_agents else bench.people.director
    with bench.check(interface.name, "declines what lacks a mandatory field") as check:
        for field in interface.mandatory:
            reply = await bench.ask(interface.path, interface.without(field), user=user)
            told.append((field, reply))
            check.that(not reply.ok, f"without {field} taken for right: {reply}")
    with bench.check(interface.name, "declines a value of a wrong type") as check:
        for field in interface.mandatory:
            reply = await bench.ask(interface.path, interface.mistyped(field), user=user)
            told.append((field, reply))
            check.that(not reply.ok, f"{field} of a wrong type taken for right: {reply}")
    with bench.check(interface.name, "its description names the field", inferred=True) as check:
        whole = await bench.ask(interface.path, interface.example, user=user)
        for field, reply in told:
            if reply.text == whole.text:  # the same as with it: what is wrong is something else
                continue
            name = field.rsplit(".", 1)[-1]
            check.that(name in str(reply.field("resultDesc")), f"{field}: {reply}")


async def _headers(bench: Bench, interface: Interface) -> None:
    """At an interface whose example is always right."""
    name, path, example = "headers", interface.path, interface.example
    director = bench.people.director
    with bench.check(name, "Authorization is Bearer, one blank and the token") as check:
        token = bench.wire.bearer
        await _strangers(bench, check, interface, ("", "Bearer", token, f"Basic {token}"))
    with bench.check(name, "answers 400 where the body is no JSON object") as check:
        for body in _OTHERS:
            reply = await bench.ask(path, body)
            check.that(reply.status == 400, f"{body!r}: {reply}")
    with bench.check(name, "names of headers have no case (the pages print x-UserId and X-UserID)") as check:
        for spelling in ("X-UserID", "x-userid", "X-USERID"):
            headers: dict[str, str | None] = {"x-UserId": None, spelling: director}
            check.done(await bench.wire.ask(path, example, user=None, headers=headers))
    with bench.check(name, "Content-Type may be left out") as check:
        check.done(await bench.ask(path, example, Content_Type=None))
    with bench.check(name, "x-app-key may be left out") as check:
        check.done(await bench.ask(path, example, x_app_key=None))
    with bench.check(name, "an x-app-key that is not the token's is refused", inferred=True) as check:
        check.declined(await bench.ask(path, example, x_app_key="0" * 32))
    with bench.check(name, "answers are JSON in UTF-8") as check:
        reply = await bench.ask(path, example)
        check.that(reply.content_type.lower().startswith("application/json"), reply.content_type)
    with bench.check(name, "unknown fields are ignored", inferred=True) as check:
        check.done(await bench.ask(path, {**example, "never": {"heard": ["of"]}}))
    with bench.check(name, "null is the same as absent", inferred=True) as check:
        check.done(await bench.ask(path, {**example, "userId": None, "callStartTimeMillis": None}))
    with bench.check(name, "the method is POST") as check:
        sent = {"Authorization": f"Bearer {bench.wire.bearer}", "x-UserId": director}
        for method in ("GET", "PUT", "DELETE"):
            reply = await bench.wire.send(path, json.dumps(example).encode(), sent, method=method)
            check.that(not reply.ok, f"{method} taken for right: {reply}")


async def _paths(bench: Bench) -> None:
    with bench.check("paths", "an unknown path is 404") as check:
        for path in (f"{SQM}/qualitytask/nothing", f"{SQM}/nothing/queryQualityTask"):
            reply = await bench.ask(path, {})
            check.that(reply.status == 404, f"{path}: {reply}")


async def _strangers(bench: Bench, check: Check, interface: Interface, held: Sequence[str | None]) -> None:
    for one in held:
        reply = await bench.ask(interface.path, interface.example, Authorization=one)
        check.that(reply.status == 401, f"Authorization {_shown(one)}: {reply}")


def digits(value: object) -> str:
    """An id as a text; Wrong if it is none."""
    if not is_id(value):
        raise Wrong(f"{value!r} is no id")
    return str(value)


def _shown(held: str | None) -> str:
    return "is absent" if held is None else f"begins with {held[:8]!r}"
