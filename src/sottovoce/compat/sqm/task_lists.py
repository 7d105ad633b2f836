"""What the lists of tasks and of their items tell, and what their filters keep [2508, 2514].

All is judged by tasks of this walk: one in effect with a call that is done, one of the latest call alone, and
one of the earliest.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sottovoce.compat.bench import Wrong, needed
from sottovoce.compat.filters import Probe, Row, Rows, Span, bounds, containing, equal, judge
from sottovoce.compat.sqm import calls
from sottovoce.compat.sqm.interfaces import FROM, UNTIL, task_body
from sottovoce.compat.sqm.made import NO_TASK, Made, items_of, staff
from sottovoce.compat.sqm.requests import digits

_NOBODY = "nobody-said-this"
_MILLISECOND = 1000
_ALIKE = {
    **{name: name for name in ("call_id", "file_name", "duration", "upload_time", "call_time", "call_type")},
    "leftChannel": "left_channel",
    "leftSpeechRatio": "left_speech_ratio",
    "rightSpeechRatio": "right_speech_ratio",
}
"""Fields of an item's call, as `details` spells them."""


async def walk(made: Made) -> None:
    """Look at both lists while the task `a` is in effect."""
    if made.bench.fields and not any(one.startswith(("list", "items")) for one in made.bench.fields):
        return
    await _ends(made)
    await _tasks(made)
    await _items(made)


async def _ends(made: Made) -> None:
    """Tasks of the latest and of the earliest call alone."""
    bench, interface = made.bench, made.known.create
    with bench.check(interface.name, "makes tasks of the latest and of the earliest call") as check:
        await calls.load(bench, made.known)
        a = await items_of(bench, made.known, str((await made.row("a"))["planCode"]))
        times = sorted(calls.seconds(call["call_time"]) for item in a for call in item["calls"])
        needed(times[1:], "all calls began at the same time")
        for what, at in (("late", times[-1]), ("early", times[0])):
            window = {"startTimeMillis": int(at * 1000) - 500, "endTimeMillis": int(at * 1000) + 1500}
            check.done(await bench.ask(interface.path, task_body(made.name(what), maxNum=1) | window))
            made.ids[what] = digits((await made.row(what))["id"])


async def _tasks(made: Made) -> None:
    bench, interface = made.bench, made.known.query
    everything: dict[str, Row] = {}
    held: dict[str, list[Row]] = {}
    with bench.check(interface.name, "counts what the lists of items have") as check:
        for row in await made.rows():
            one = str(row["id"])
            everything[one] = row
            held[one] = await items_of(bench, made.known, str(row["planCode"]))
            done = sum(item.get("inspectStatus") == 1 for item in held[one])
            check.equal(row, {"inspectTotalCount": len(held[one]), "inspectFinishedCount": done})
        needed(everything, NO_TASK)
    for name, sign in (("callStart", 1), ("callEnd", -1)):
        with bench.check(interface.name, f"{name}: the calls are within it, if it is given") as check:
            for one, row in everything.items():
                for at in (calls.seconds(call["call_time"]) for item in held[one] for call in item["calls"]):
                    end = row.get(name)
                    fits = not end or calls.seconds(end) * sign <= at * sign
                    check.that(fits, f"{name} {end}, a call began at {at}")
    with bench.check(interface.name, "personType tells who made it") as check:
        other = needed(bench.people.inspector, "needs --inspector")
        asked = {**interface.example, "rows": 100, "currentRole": "qualityInspector"}
        asked["fixedColumns"] = {"planName": bench.name}
        seen = (await bench.ask(interface.path, asked, user=other)).field("data") or ()
        theirs = {str(row["id"]): row["personType"] for row in seen if str(row["id"]) in everything}
        needed(theirs, "the inspector sees none of the tasks")
        alike = [one for one, kind in theirs.items() if kind == everything[one]["personType"]]
        check.that(not alike, f"{theirs} to its maker and to its inspector")

    async def ask(changed: Mapping[str, Any]) -> Rows | None:
        outer = {name: value for name, value in changed.items() if name.endswith("Millis")}
        columns = {name: value for name, value in changed.items() if name not in outer}
        body = {
            **interface.example,
            "rows": 100,
            **outer,
            "fixedColumns": {"planName": bench.name, **columns},
        }
        reply = await bench.ask(interface.path, body)
        rows = reply.field("data")
        return {str(row["id"]): row for row in rows} if reply.ok and isinstance(rows, list) else None

    def files(row: Row) -> list[str] | None:
        mine = held.get(str(row["id"]))
        return None if mine is None else [str(call["file_name"]) for item in mine for call in item["calls"]]

    def called(row: Row) -> Span | None:
        times = [float(call["call_time"]) for item in held.get(str(row["id"]), ()) for call in item["calls"]]
        return (min(times), max(times)) if times else None

    def told(name: str) -> Callable[[Row], list[str]]:
        return lambda row: [str(row[name])] if row.get(name) else []

    def created(row: Row) -> Span | None:
        return None if row.get("createTime") is None else (float(row["createTime"]),) * 2

    def status(row: Row) -> int | None:
        return int(row["status"]) if str(row.get("status")).isdigit() else None

    def within(names: tuple[str, str], span: Callable[[Row], Span | None]) -> dict[str, list[Probe]]:
        return bounds(everything, names, span, margin=_MILLISECOND, lowest=FROM, highest=UNTIL * 1000)

    probes = {
        "planName": containing(everything, "planName", told("planName"), 32),
        "creatOperator": containing(everything, "creatOperator", told("creatOperator"), 32),
        "fileName": containing(everything, "fileName", files, 32),
        "status": equal(everything, "status", status, 99),
        **within(("startTimeMillis", "endTimeMillis"), created),
        **within(("callStartTimeMillis", "callEndTimeMillis"), called),
    }
    for field, tried in probes.items():
        if bench.wants(f"list.{field}"):
            await judge(bench, interface.name, field, everything, tried, ask)


async def _items(made: Made) -> None:
    bench, interface = made.bench, made.known.calls
    items: dict[str, Row] = {}
    row: Row = {}
    with bench.check(interface.name, "its calls are those of details, with the same values") as check:
        made.id("a")
        row = await made.row("a")
        items |= by_id(await items_of(bench, made.known, str(row["planCode"])))
        listed = calls.by_uuid(bench.calls)
        for item in items.values():
            for call in item["calls"]:
                same = needed(
                    listed.get(str(call["call_uuid"])), f"details lists no call_uuid {call['call_uuid']}"
                )
                wanted = {name: same.get(as_listed) for name, as_listed in _ALIKE.items()}
                check.equal(call, wanted, _alike)
    with bench.check(interface.name, "setting names the agent that details names") as check:
        needed(items, NO_TASK)
        for item in items.values():
            same = needed(listed.get(str(item["calls"][0]["call_uuid"])), "details does not list the call")
            wanted = {"staffId": same.get("staff_id"), "staff_name": same.get("staff_name")}
            wanted["call_id"] = same.get("call_id")
            check.equal(item.get("setting") or {}, wanted, calls.same)
    with bench.check(interface.name, "no call is in a task twice, and its ids agree") as check:
        needed(items, NO_TASK)
        uuids = {str(call["call_uuid"]) for item in items.values() for call in item["calls"]}
        check.that(len(uuids) >= len(items), f"{len(items)} items have {len(uuids)} calls")
        for one, item in items.items():
            for told in (*item["calls"], item.get("setting") or {}):
                wanted = {"taskId": one, "inspectStatus": item.get("inspectStatus")}
                check.equal(told, wanted, calls.same)
    with bench.check(interface.name, "planCode: another task has other items") as check:
        made.id("late")
        other = by_id(await items_of(bench, made.known, str((await made.row("late"))["planCode"])))
        check.that(bool(other) and not items.keys() & other.keys(), f"{list(other)} are in both")
    with bench.check(interface.name, "rows is the size of a page, and pages differ") as check:
        needed(len(items) > 1 or None, "the task has one call only")
        pages = [await _page(made, row, number) for number in (1, 2)]
        check.that(len(pages[0]) == len(pages[1]) == 1 and pages[0] != pages[1], f"pages have {pages}")
    code = str(row.get("planCode"))

    async def ask(changed: Mapping[str, Any]) -> Rows | None:
        try:
            return by_id(await items_of(bench, made.known, code, **changed))
        except Wrong:
            return None

    def lasted(item: Row) -> Span | None:
        found = item["calls"][0].get("duration")
        return None if found is None else (float(found),) * 2

    def file(item: Row) -> list[str]:
        return [str(call["file_name"]) for call in item["calls"]]

    def status(item: Row) -> str | None:
        return None if item.get("inspectStatus") is None else str(item["inspectStatus"])

    def text(value: Callable[[Row], Any]) -> Callable[[Row], list[str]]:
        return lambda item: [str(value(item))] if value(item) else []

    probes = {
        "inspectStatus": equal(items, "inspectStatus", status, "0"),
        "inspector": containing(items, "inspector", text(lambda item: item.get("inspector")), 256),
        "fileName": containing(items, "fileName", file, 256),
        "staff": containing(items, "staff", text(staff), 256),
        **bounds(items, ("durationFrom", "durationTo"), lasted, margin=1, highest=100_000_000),
    }
    for field, tried in probes.items():
        if bench.wants(f"items.{field}"):
            await judge(bench, interface.name, field, items, tried, ask)
    await _reviews(made, row, items, ask)


async def _page(made: Made, row: Row, number: int) -> list[Any]:
    columns = {"planCode": str(row["planCode"])}
    body = {**made.known.calls.example, "page": number, "rows": 1, "fixedColumns": columns}
    return [item["id"] for item in (await made.bench.ask(made.known.calls.path, body)).field("data") or ()]


async def _reviews(made: Made, row: Row, items: Rows, ask: Callable[[Mapping[str, Any]], Any]) -> None:
    """The filters by review, which no item shows: by the task's counts, and by one another."""
    bench, interface = made.bench, made.known.calls
    total, over = row.get("reviewTotalCount"), row.get("reviewFinishedCount")

    async def kept(**changed: Any) -> set[str]:
        found = await ask(changed)
        if found is None:
            raise Wrong(f"{changed} is declined")
        return set(found)

    if bench.wants("items.reviewingStates") or bench.wants("revise"):
        with bench.check(
            interface.name, "reviewingStates: each item in one of them, as the task counts"
        ) as check:
            needed(items, NO_TASK)
            none, under_way, done = [await kept(reviewingStates=one) for one in ("-1", "2", "3")]
            check.that(none | under_way | done == set(items), "not all items are in one")
            check.that(len(none) + len(under_way) + len(done) == len(items), "an item is in more than one")
            check.that(len(under_way | done) == total, f"{len(under_way | done)} reviewed, told are {total}")
            check.that(len(done) == over, f"{len(done)} through, told are {over}")
    if bench.wants("items.showReviewingOfficer") or bench.wants("revise"):
        with bench.check(interface.name, "showReviewingOfficer: each item with one or without") as check:
            needed(items, NO_TASK)
            with_one = await kept(showReviewingOfficer=True)
            without = await kept(showReviewingOfficer=False)
            check.that(with_one | without == set(items) and not with_one & without, "not each item in one")
            check.that(bool(with_one) == bool(row.get("reviewingOfficer")), f"{len(with_one)} with, {row}")


async def reviewed(made: Made, what: str) -> None:
    """Try the filters by review where a call of the task is reviewed."""
    bench, interface = made.bench, made.known.calls
    row: Row = {}
    items: dict[str, Row] = {}

    async def ask(changed: Mapping[str, Any]) -> Rows | None:
        try:
            return by_id(await items_of(bench, made.known, str(row["planCode"]), **changed))
        except Wrong:
            return None

    with bench.check(interface.name, "lists the items of a task in which somebody found a violation"):
        row = await made.row(what)
        items |= by_id(await items_of(bench, made.known, str(row["planCode"])))
    await _reviews(made, row, items, ask)
    officer = row.get("reviewingOfficer")
    with bench.check(interface.name, "reviewingOfficer: what they review, and nothing else") as check:
        check.that(not await ask({"reviewingOfficer": _NOBODY}), f"{_NOBODY} reviews something")
        given = needed(officer, "no call of the task is reviewed, so it could not be judged")
        theirs = await ask({"reviewingOfficer": given})
        check.that(bool(theirs), f"nothing of {officer}")
        check.that(
            set(theirs or ()) <= set(await ask({"showReviewingOfficer": True}) or ()), "not all have one"
        )
    rows = {str(one["id"]): one for one in await made.rows()}

    async def listed(changed: Mapping[str, Any]) -> Rows | None:
        columns = {"planName": bench.name, **changed}
        return {str(one["id"]): one for one in await made.rows(fixedColumns=columns)}

    def name(one: Row) -> list[str]:
        return [str(one["reviewingOfficer"])] if one.get("reviewingOfficer") else []

    probes = containing(rows, "reviewingOfficer", name, 32)
    await judge(bench, made.known.query.name, "reviewingOfficer", rows, probes, listed)


def _alike(name: str, one: Any, other: Any) -> bool:
    return calls.same(_ALIKE[name], one, other)


def by_id(items: list[Row]) -> dict[str, Row]:
    """Items by their id. Wrong if one occurs twice."""
    found = {digits(item.get("id")): item for item in items}
    if len(found) != len(items):
        raise Wrong(f"{len(items)} items have {len(found)} ids")
    return found
