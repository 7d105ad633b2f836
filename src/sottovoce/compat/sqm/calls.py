"""Inspected calls: `appraisecall/` of CC-SQM and CC-iSQM [2492, 2493, 2526, 2527]."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sottovoce.compat.bench import Bench, needed
from sottovoce.compat.shapes import one_or_many
from sottovoce.compat.sqm.catalogue import Interfaces
from sottovoce.compat.wire import Reply

_NO_CALL = "the server has no inspected call"


async def walk(bench: Bench, known: Interfaces) -> None:
    """List the calls, which other checks need, and look at one."""
    await _list(bench, known)
    await _one(bench, known)


async def _list(bench: Bench, known: Interfaces) -> None:
    name, path, example = known.details.name, known.details.path, known.details.example
    with bench.check(name, "answers as documented, the count in paging.total") as check:
        reply = await bench.ask(path, example)
        check.done(reply)
        check.like(known.details.answer, reply.document)
        bench.calls.extend(_calls(reply))
    with bench.check(name, "limit is the size of a page, and pages differ") as check:
        needed(bench.calls[1:], "the server has less than two inspected calls")
        first = _calls(await bench.ask(path, {**example, "limit": 1}))
        second = _calls(await bench.ask(path, {**example, "limit": 1, "page": 2}))
        check.that(len(first) == len(second) == 1, f"{len(first)} and {len(second)} calls")
        check.that(first[0]["call_uuid"] != second[0]["call_uuid"], "the same call on both pages")
    with bench.check(name, "call_from and call_to are seconds") as check:
        call = needed(bench.calls, _NO_CALL)[0]
        at = int(call["call_time"])
        at = at // 1000 if at >= 100_000_000_000 else at
        found = _calls(await bench.ask(path, {**example, "call_from": at - 1, "call_to": at + 1}))
        check.that(any(one["call_uuid"] == call["call_uuid"] for one in found), f"call of {at} is not found")
    with bench.check(name, "call_types leaves others out") as check:
        needed(bench.calls, _NO_CALL)
        found = _calls(await bench.ask(path, {**example, "call_types": [2]}))
        check.that(all(one.get("call_type") == 2 for one in found), f"{len(found)} calls, some not of text")
    with bench.check(name, "duration_min leaves shorter calls out") as check:
        needed(bench.calls, _NO_CALL)
        reply = await bench.ask(path, {**example, "duration_min": 2_000_000_000})
        check.done(reply)
        check.that(not _calls(reply), f"{len(_calls(reply))} calls of 60 years")


async def _one(bench: Bench, known: Interfaces) -> None:
    for interface in (known.detail, known.speech_detail):
        with bench.check(interface.name + _side(interface.path), "answers as documented") as check:
            uuid = needed(bench.calls, _NO_CALL)[0]["call_uuid"]
            reply = await bench.ask(interface.path, {"call_uuid": uuid}, user=_user(bench, interface.path))
            check.done(reply)
            check.like(interface.answer, reply.document)
            check.that(reply.field("call_uuid") == uuid, reply)
    for interface in (known.detail, known.speech_detail, known.credit):
        with bench.check(interface.name + _side(interface.path), "declines an unknown call") as check:
            check.declined(await bench.ask(interface.path, interface.example))
    with bench.check(known.credit.name, "answers as documented, as an object or a list") as check:
        uuid = bench.scratch_call or needed(bench.calls, _NO_CALL)[0]["call_uuid"]
        reply = await bench.ask(known.credit.path, {"call_uuid": uuid}, user=None)
        check.done(reply)
        check.like(one_or_many(known.credit.answer, reply.document), reply.document)
    with bench.check(known.detail.name, "call_uuid is a String") as check:
        call = needed(bench.calls, _NO_CALL)[0]
        check.that(isinstance(call.get("call_uuid"), str), f"call_uuid is {call.get('call_uuid')!r}")


def _calls(reply: Reply) -> list[Mapping[str, Any]]:
    rows = reply.field("data")
    if not isinstance(rows, list):
        return []
    return [call for row in rows if isinstance(row, Mapping) for call in row.get("calls") or ()]


def _side(path: str) -> str:
    return " (iSQM)" if "/CCISQM/" in path else ""


def _user(bench: Bench, path: str) -> str | None:
    """CC-iSQM's pages have no x-UserId."""
    return None if "/CCISQM/" in path else bench.people.director
