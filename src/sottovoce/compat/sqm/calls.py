"""Inspected calls: `appraisecall/` of CC-SQM and CC-iSQM [2492, 2493, 2526, 2527].

A filter is judged by what `details` lists without it, a call by what two interfaces tell of it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from sottovoce.compat.bench import Bench, Wrong, needed
from sottovoce.compat.filters import Probe, Row, Rows, bounds, containing, equal, judge, one_of
from sottovoce.compat.shapes import one_or_many
from sottovoce.compat.sqm.catalogue import Interfaces
from sottovoce.compat.wire import Reply

NOBODY = "1000000000000000001"
"""A user id of a second of 2001: nobody's."""
_NO_CALL = "the server has no inspected call"
_PAGE, _MOST_PAGES = 100, 5
_LOOKED_AT = 3
_NO_STATUS = 40
_FROM_MILLISECONDS = 100_000_000_000
_TOLD_TWICE = (
    *(
        "call_id",
        "call_uuid",
        "call_time",
        "call_type",
        "deal",
        "duration",
        "file_name",
        "staff_id",
        "status",
        "upload_time",
    ),
    *("left_channel", "left_silence_time", "left_speech_ratio", "left_speed"),
    *("right_channel", "right_silence_time", "right_speech_ratio", "right_speed"),
)
"""Fields that both the list and the detail of a call have."""
_SAID = ("asr_text", "start_time", "end_time")


async def walk(bench: Bench, known: Interfaces) -> None:
    """List the calls, which other checks need, look at some, and try each filter."""
    await _list(bench, known)
    await _one(bench, known)
    await _filters(bench, known)


async def load(bench: Bench, known: Interfaces) -> None:
    """Know the calls, where no other part has listed them: all, or all of the newest ones' window."""
    if bench.calls:
        return
    found, whole = await _all(bench, known)
    if not whole:
        newest = [seconds(call["call_time"]) for call in found[:_PAGE]]
        bench.window = (int(min(newest)), int(max(newest)) + 1)
        found, _ = await _all(bench, known)
    bench.calls.extend(found)


def seconds(time: Any) -> float:
    """A time that is in seconds or milliseconds, in seconds."""
    value = float(time)
    return value / 1000 if value >= _FROM_MILLISECONDS else value


def by_uuid(calls: list[Mapping[str, Any]]) -> Rows:
    """Calls by their `call_uuid`."""
    return {str(call["call_uuid"]): call for call in calls}


async def _all(bench: Bench, known: Interfaces, **changed: Any) -> tuple[list[Mapping[str, Any]], bool]:
    """The calls of the first pages, and whether these are all. Wrong if they cannot be listed."""
    found: list[Mapping[str, Any]] = []
    window = {} if bench.window is None else dict(zip(("call_from", "call_to"), bench.window, strict=True))
    for page in range(1, _MOST_PAGES + 1):
        body = {**known.details.example, **window, **changed, "limit": _PAGE, "page": page}
        reply = await bench.ask(known.details.path, body)
        if not reply.ok or not isinstance(reply.field("data"), list):
            raise Wrong(str(reply))
        found += _calls(reply)
        if len(_calls(reply)) < _PAGE:
            return found, True
    return found, False


async def _list(bench: Bench, known: Interfaces) -> None:
    name, path, example = known.details.name, known.details.path, known.details.example
    reply: Reply | None = None
    with bench.check(name, "answers as documented, the count in paging.total") as check:
        reply = await bench.ask(path, example)
        check.done(reply)
        check.like(known.details.answer, reply.document)
    with bench.check(name, "total counts the calls of all pages, of which none is listed twice") as check:
        await load(bench, known)
        check.that(len(by_uuid(bench.calls)) == len(bench.calls), "a call is listed twice")
        if bench.window is None:
            total = ((reply and reply.field("paging")) or {}).get("total")
            check.that(total == len(bench.calls), f"total {total}, listed are {len(bench.calls)}")
    if bench.scratch_call is not None:
        with bench.check(name, "lists the given call") as check:
            found, whole = await _all(bench, known)
            needed(whole or None, "the server has more calls than were looked at")
            check.that(bench.scratch_call in by_uuid(found), f"it is not among {len(found)} calls")
    with bench.check(name, "limit is the size of a page, and pages differ") as check:
        needed(bench.calls[1:], "the server has less than two inspected calls")
        first = _calls(await bench.ask(path, {**example, "limit": 1}))
        second = _calls(await bench.ask(path, {**example, "limit": 1, "page": 2}))
        check.that(len(first) == len(second) == 1, f"{len(first)} and {len(second)} calls")
        check.that(first[0]["call_uuid"] != second[0]["call_uuid"], "the same call on both pages")
    with bench.check(name, "call_uuid is a String") as check:
        call = needed(bench.calls, _NO_CALL)[0]
        check.that(isinstance(call.get("call_uuid"), str), f"call_uuid is {call.get('call_uuid')!r}")


async def _filters(bench: Bench, known: Interfaces) -> None:
    """Each filter of the list by itself, beside the mandatory ones of the example."""
    interface = known.details.name
    rows = by_uuid(bench.calls)
    said = await _words(bench, known) if bench.wants("keyword") else {}

    async def ask(changed: Mapping[str, Any]) -> Rows | None:
        try:
            return by_uuid((await _all(bench, known, **changed))[0])
        except Wrong:
            return None

    def at(name: str) -> Any:
        return lambda call: None if call.get(name) is None else (seconds(call[name]),) * 2

    def lasted(call: Row) -> tuple[float, float] | None:
        return None if call.get("duration") is None else (float(call["duration"]),) * 2

    def name_of(call: Row) -> list[str]:
        return [str(call["staff_name"])] if call.get("staff_name") else []

    def words_of(call: Row) -> list[str] | None:
        return said.get(str(call["call_uuid"]))

    kinds, statuses = (lambda call: call.get("call_type")), (lambda call: call.get("status"))
    found = sorted({int(call["status"]) for call in bench.calls})
    probes = {
        **bounds(rows, ("call_from", "call_to"), at("call_time"), margin=1, lowest=1),
        **bounds(rows, ("upload_from", "upload_to"), at("upload_time"), margin=1, lowest=1),
        **bounds(rows, ("duration_min", "duration_max"), lasted, margin=1),
        "call_types": [Probe({"call_types": [kind]}, one_of(kinds, {kind})) for kind in (0, 2)],
        "status": [Probe({"status": [one]}, one_of(statuses, {one})) for one in (*found, _NO_STATUS)],
        "staff_id": equal(rows, "staff_id", lambda call: call.get("staff_id"), NOBODY),
        "staff_name": containing(rows, "staff_name", name_of, 256),
        "keyword": containing(rows, "keyword", words_of, 256),
    }
    for field, tried in probes.items():
        if bench.wants(field):
            await judge(bench, interface, field, rows, tried, ask)


async def _words(bench: Bench, known: Interfaces) -> dict[str, list[str]]:
    """The longer words said in each call, and what is said as a whole; of calls that cannot be read none."""
    said: dict[str, list[str]] = {}
    for call in bench.calls[:_PAGE]:
        uuid = str(call["call_uuid"])
        reply = await bench.ask(known.detail.path, {"call_uuid": uuid})
        texts = [
            str(one.get("asr_text")) for one in reply.field("segments") or () if isinstance(one, Mapping)
        ]
        said[uuid] = [word for text in texts for word in re.findall(r"\w{4,}", text)]
    return said


async def _one(bench: Bench, known: Interfaces) -> None:
    for interface in (known.detail, known.speech_detail):
        with bench.check(interface.name + _side(interface.path), "answers as documented") as check:
            uuid = needed(bench.calls, _NO_CALL)[0]["call_uuid"]
            reply = await bench.ask(interface.path, {"call_uuid": uuid}, user=_user(bench, interface.path))
            check.done(reply)
            check.like(interface.answer, reply.document)
    for interface in (known.detail, known.speech_detail):
        with bench.check(
            interface.name + _side(interface.path), "tells of calls what details tells"
        ) as check:
            for call in needed(_some(bench.calls), _NO_CALL):
                asked = {"call_uuid": call["call_uuid"]}
                reply = await bench.ask(interface.path, asked, user=_user(bench, interface.path))
                check.done(reply)
                check.equal(reply.document, {name: call.get(name) for name in _TOLD_TWICE}, same)
    with bench.check(known.speech_detail.name + " (iSQM)", "has the transcript that detail has") as check:
        for call in needed(_some(bench.calls), _NO_CALL):
            asked = {"call_uuid": call["call_uuid"]}
            replies = [
                await bench.ask(interface.path, asked, user=_user(bench, interface.path))
                for interface in (known.detail, known.speech_detail)
            ]
            here, there = map(_transcript, replies)
            check.equal(there, here)
    for interface in (known.detail, known.speech_detail, known.credit):
        with bench.check(interface.name + _side(interface.path), "declines an unknown call") as check:
            check.declined(await bench.ask(interface.path, interface.example))
    with bench.check(known.credit.name, "answers as documented, as an object or a list") as check:
        uuid = bench.scratch_call or needed(bench.calls, _NO_CALL)[0]["call_uuid"]
        reply = await bench.ask(known.credit.path, {"call_uuid": uuid}, user=None)
        check.done(reply)
        check.like(one_or_many(known.credit.answer, reply.document), reply.document)


def _transcript(reply: Reply) -> dict[str, list[Any]]:
    """What was said, by parts."""
    return {part: [one.get(part) for one in reply.field("segments") or ()] for part in _SAID}


def _some(calls: list[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Some calls out of all, first and last among them."""
    step = max(1, (len(calls) - 1) // (_LOOKED_AT - 1))
    return calls[::step][: _LOOKED_AT + 1]


def same(field: str, one: Any, other: Any) -> bool:
    """Whether two interfaces tell the same; what one of them leaves out is no difference."""
    if one is None or other is None:
        return True
    if field.endswith("_time") and "silence" not in field:
        return abs(seconds(one) - seconds(other)) < 1
    return bool(one == other or str(one) == str(other))


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
