"""Review tasks from their making to their end: `qualitytask/` [2504-2514]."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sottovoce.compat.bench import Bench, Wrong, first, needed
from sottovoce.compat.filters import Row
from sottovoce.compat.findings import CheckVerdict
from sottovoce.compat.sqm import calls, task_lists
from sottovoce.compat.sqm.catalogue import Interfaces
from sottovoce.compat.sqm.interfaces import NOBODYS_ID, Interface, task_body
from sottovoce.compat.sqm.made import NO_TASK, Made, items_of
from sottovoce.compat.sqm.requests import digits
from sottovoce.compat.wire import NOT_ASKED, Reply

_NO_INSPECTOR = "needs --inspector"
_SAMPLED = 10
"""Calls of the task that is led to its end."""
_IDS: tuple[Any, ...] = (True, [], {}, "abc", "", 1.5, -1, "1" * 21)
"""What is no id."""


@dataclass(frozen=True, slots=True)
class _Seen:
    """A task at a moment."""

    row: Row | None
    """None: it is not listed."""
    items: Mapping[str, tuple[Any, Any]]
    """Inspector and inspectStatus by id."""


async def _seen(made: Made, what: str) -> _Seen:
    task = made.id(what)
    row = next((row for row in await made.rows() if str(row["id"]) == task), None)
    found = [] if row is None else await items_of(made.bench, made.known, str(row["planCode"]))
    items = {str(item["id"]): (item.get("inspector"), item.get("inspectStatus")) for item in found}
    return _Seen(row, items)


async def _answers_truly(
    made: Made,
    interface: Interface,
    what: str,
    task: str,
    body: Callable[[], Mapping[str, Any]],
    done: Callable[[_Seen], bool],
    user: str | None = "",
) -> None:
    """A request about a task in a state that may not allow it (no page says which do): a success is one only
    where it was done, and what is declined changes nothing.
    """
    if not made.bench.wants("states"):
        return
    reply = NOT_ASKED
    with made.bench.check(interface.name, f"{what}: what it answers is so") as check:
        before = await _seen(made, task)
        reply = await made.bench.ask(interface.path, body(), user=user)
        after = await _seen(made, task)
        if reply.ok:
            check.that(done(after), f"{reply}, but it was not done: {after.row}")
        else:
            check.that(before == after, f"{reply}, but the task has changed: {after.row}")
    with made.bench.check(interface.name, f"declines {what}", inferred=True) as check:
        needed(reply.status or None, "it could not be asked")
        check.declined(reply)


async def walk(bench: Bench, known: Interfaces) -> None:
    """Make tasks, lead one to its end, terminate as [2506] prints it, delete the rest."""
    made = Made(bench, known)
    with bench.check(known.details.name, "lists the calls to sample"):
        await calls.load(bench, known)
    await _create(made)
    if bench.wants("create"):
        await _refuses_samples(made)
    if bench.wants("query"):
        await _query(made)
    await _update(made)
    await _appoint(made)
    if bench.wants("calls"):
        await _items(made)
    await _take_effect(made)
    await task_lists.walk(made)
    await _terminate(made)
    await _delete(made)
    if bench.wants("unknown"):
        await _unknown(bench, known)


async def put_away(bench: Bench, known: Interfaces) -> None:
    """Delete what can be deleted, terminate what cannot. Wrong where neither is done."""
    for row in await Made(bench, known).rows():
        task = {"qualityTaskId": str(row["id"])}
        finished = row["inspectFinishedCount"] == row["inspectTotalCount"]
        if finished or task["qualityTaskId"] in bench.ended or (await bench.ask(known.delete.path, task)).ok:
            continue
        reply = await bench.ask(known.terminate.path, task)
        if not reply.ok:
            raise Wrong(f"{row['planName']}: {reply}")


async def _create(made: Made) -> None:
    bench, interface = made.bench, made.known.create
    reply = NOT_ASKED
    with bench.check(interface.name, "makes a task, resultCode 0409000") as check:
        reply = await made.create(check, "a", maxNum=_SAMPLED, qualityNum=_SAMPLED)
        check.like(interface.answer, reply.document)
    with bench.check(interface.name, "its answer has the new task's id as objId", inferred=True) as check:
        task = made.id("a")
        check.that(str(reply.field("objId")) == task, f"{reply}, the task is {task}")
    with bench.check(interface.name, "quantities may be texts (2024) or numbers (2023)") as check:
        made.id("a")
        await made.create(check, "b", maxNum="10", qualityNum="2")
        await made.create(check, "c", maxNum=10, qualityNum=2)


async def _refuses_samples(made: Made) -> None:
    bench, interface = made.bench, made.known.create
    with bench.check(interface.name, "scoreStart and scoreEnd too") as check:
        codes = []
        for kind in (int, str):  # whether a call without a score qualifies is not told
            body = task_body(made.name("x"), scoreStart=kind(0), scoreEnd=kind(100))
            reply = await bench.ask(interface.path, body)
            codes.append((reply.status, reply.field("resultCode")))
        check.that(codes[0] == codes[1], f"{codes[0]} as numbers, {codes[1]} as texts")
    for what, columns in (
        ("a qualityType that is none of 1, 2, 3", {"qualityType": 4}),
        ("a qualityCondition that is none of 0, 1, 2", {"qualityCondition": 3}),
        ("maxNum above 10000", {"maxNum": 10001}),
        ("scoreEnd above 10000", {"scoreEnd": 10001}),
        ("durationEnd above 100000000", {"durationEnd": 100_000_001}),
        ("an interactionType that is neither 0 nor 2", {"interactionType": 1}),
        ("a qualityNum of 0", {"qualityNum": 0}),
    ):
        with bench.check(interface.name, f"declines {what}") as check:
            check.declined(await bench.ask(interface.path, task_body(made.name("x"), **columns)))
    with bench.check(interface.name, "declines a planName of more than 32 signs") as check:
        name = made.name("x" * 33)
        check.declined(await bench.ask(interface.path, task_body(name)))
    with bench.check(interface.name, "declines unless a call qualifies", inferred=True) as check:
        window = {"startTimeMillis": 1000, "endTimeMillis": 2000}
        check.declined(await bench.ask(interface.path, task_body(made.name("x")) | window))
    for role, user in (("an inspector", bench.people.inspector), ("an agent", bench.people.agent)):
        with bench.check(interface.name, f"{role} may not", inferred=True) as check:
            who = needed(user, f"needs the user id of {role}")
            check.declined(await bench.ask(interface.path, task_body(made.name("x")), user=who))


async def _query(made: Made) -> None:
    bench, interface = made.bench, made.known.query
    body = dict(interface.example)
    reply = NOT_ASKED
    row: Mapping[str, Any] = {}
    with bench.check(interface.name, "answers as documented") as check:
        reply = await bench.ask(interface.path, body)
        check.that(reply.ok, reply)
        check.like(interface.answer, reply.document)
    with bench.check(interface.name, "returnCode is 0409000 beside a Number in resultCode") as check:
        check.that(reply.field("returnCode") == interface.row.success, reply)
    with bench.check(interface.name, "ids have 18 to 20 digits and come without loss") as check:
        made.id("a")
        row = await made.row("a")
        task = digits(row["id"])
        check.that(18 <= len(task) <= 20, task)
    with bench.check(interface.name, "the page's counts and flags") as check:
        needed(row, NO_TASK)
        check.that(row["inspectTotalCount"] >= 1, f"inspectTotalCount {row['inspectTotalCount']}")
        check.that(row["inspectFinishedCount"] == 0, f"inspectFinishedCount {row['inspectFinishedCount']}")
        check.that(str(row["personType"]) in ("0", "1"), f"personType {row['personType']}")
        check.that(row.get("interactionType") in (None, "0"), f"interactionType {row['interactionType']}")
    with bench.check(interface.name, "pages by page and rows, total counts all") as check:
        needed(made.ids.get("c"), NO_TASK)
        one = {**body, "fixedColumns": {"planName": bench.name}, "rows": 1}
        first = await bench.ask(interface.path, one)
        second = await bench.ask(interface.path, {**one, "page": 2})
        ids = [[row["id"] for row in reply.field("data") or ()] for reply in (first, second)]
        check.that(first.field("total") == len(await made.rows()), f"total {first.field('total')}")
        check.that(len(ids[0]) == len(ids[1]) == 1 and ids[0] != ids[1], f"pages have {ids}")
    for role, user in (
        ("qualityGroupLeader", bench.people.leader),
        ("qualityInspector", bench.people.inspector),
        ("tableDirector", bench.people.table_director),
        ("tableGroupLeader", bench.people.table_leader),
        ("tableStaff", bench.people.agent),
    ):
        with bench.check(interface.name, f"answers a {role}", inferred=True) as check:
            who = needed(user, f"needs the user id of a {role}")
            check.like(
                interface.answer,
                (await bench.ask(interface.path, body | {"currentRole": role}, user=who)).document,
            )
    with bench.check(interface.name, "declines page 0, rows 0 and rows 101") as check:
        for wrong in ({"page": 0}, {"rows": 0}, {"rows": 101}):
            reply = await bench.ask(interface.path, body | wrong)
            check.that(not reply.ok, f"{wrong} taken for right: {reply}")


async def _update(made: Made) -> None:
    bench, interface = made.bench, made.known.update
    for kind in (str, int):
        with bench.check(interface.name, f"renames a task, its id as a {_KINDS[kind]}") as check:
            task = made.id("c")
            name = made.name(f"renamed-{kind.__name__}")
            body: dict[str, Any] = {
                "currentRole": "qualityDirector",
                "qualityTask": {"planName": name, "id": kind(task)},
            }
            check.done(await bench.ask(interface.path, body), interface.code)
            listed = {str(row["id"]): row["planName"] for row in await made.rows()}
            check.that(listed.get(task) == name, f"it is called {listed.get(task)}")


async def _appoint(made: Made) -> None:
    bench, interface = made.bench, made.known.appoint
    inspector = bench.people.inspector

    def body(**changed: Any) -> dict[str, Any]:
        shares = [{"personID": inspector}]
        wanted = {"qualityTaskId": made.id("a"), "setCountsType": 1, "isTakeEffect": 0, "setCounts": shares}
        return wanted | changed

    with bench.check(interface.name, "declines a setCountsType other than 1") as check:
        check.declined(await bench.ask(interface.path, body(setCountsType=2)))
    with bench.check(interface.name, "declines an isTakeEffect other than 0 and 1") as check:
        check.declined(await bench.ask(interface.path, body(isTakeEffect=2)))
    with bench.check(interface.name, "declines an unknown inspector", inferred=True) as check:
        shares = [{"personID": "1000000000000000001"}]
        check.declined(await bench.ask(interface.path, body(setCounts=shares)))
    with bench.check(interface.name, "declines counts that are not the task's", inferred=True) as check:
        much = [{"personID": needed(inspector, _NO_INSPECTOR), "count": 99_999_999}]
        check.declined(await bench.ask(interface.path, body(setCounts=much)))
    with bench.check(interface.name, "assigns a task, as its example does, the id as a number") as check:
        count = (await made.row("a"))["inspectTotalCount"] if made.ids else None
        dealt = [{"personID": needed(inspector, _NO_INSPECTOR), "count": needed(count, NO_TASK)}]
        reply = await bench.ask(interface.path, body(qualityTaskId=int(made.id("a")), setCounts=dealt))
        check.done(reply, interface.code)
    with bench.check(interface.name, "its calls are the inspector's then") as check:
        needed(inspector, _NO_INSPECTOR)
        seen = await _seen(made, "a")
        named = {person for person, _ in seen.items.values()}
        check.that(named == {inspector}, f"the inspectors are {named}")
        made.rest = await items_of(bench, made.known, str((seen.row or {})["planCode"]))


async def _items(made: Made) -> None:
    bench, interface = made.bench, made.known.calls
    reply = NOT_ASKED
    row: Mapping[str, Any] = {}
    with bench.check(interface.name, "lists the sampled calls of a task by its planCode") as check:
        made.id("a")
        row = await made.row("a")
        reply = await _calls(made, str(row["planCode"]))
        check.done(reply, interface.code)
        check.like(interface.answer, reply.document)
        check.that(len(reply.field("data")) == reply.field("total"), reply)
        total = reply.field("total")
        check.that(total == row["inspectTotalCount"], f"{total} of {row['inspectTotalCount']} calls")
    with bench.check(interface.name, "each item has an id and one call at least") as check:
        for item in reply.field("data") or needed(None, NO_TASK):
            digits(item.get("id"))
            check.that(len(item.get("calls") or ()) >= 1, item)
    with bench.check(interface.name, "inspectStatus leaves others out") as check:
        code = str(needed(row, NO_TASK)["planCode"])
        done = await _calls(made, code, inspectStatus="1")
        check.done(done, interface.code)
        check.that(done.field("total") == 0, f"{done.field('total')} done, none is")
        waiting = await _calls(made, code, inspectStatus="-1")
        check.that(waiting.field("total") == row["inspectTotalCount"], waiting)
    with bench.check(interface.name, "showReviewingOfficer leaves out what has no reviewer") as check:
        reviewed = await _calls(made, str(needed(row, NO_TASK)["planCode"]), showReviewingOfficer=True)
        check.done(reviewed, interface.code)
        check.that(reviewed.field("total") == 0, f"{reviewed.field('total')} with a reviewer, none has one")


async def _take_effect(made: Made) -> None:
    bench, interface = made.bench, made.known.take_effect
    inspector = bench.people.inspector
    waiting: set[Any] = set()
    with bench.check(interface.name, "declines a type other than 1 and 2") as check:
        body = {"type": "3", "reserveTime": "", "qualityTaskId": made.id("a")}
        check.declined(await bench.ask(interface.path, body))
    await _answers_truly(
        made, made.known.complete, "a call of a task that is not in effect", "a",
        lambda: _completion(needed(made.rest, NO_TASK)[0]),
        lambda seen: seen.items[digits(made.rest[0]["id"])][1] == 1, inspector,
    )  # fmt: skip
    with bench.check(interface.name, "type 2 reserves a time, in milliseconds", inferred=True) as check:
        needed(inspector, _NO_INSPECTOR)
        waiting.add((await made.row("a"))["status"])
        later = round((datetime.now(UTC) + timedelta(days=300)).timestamp() * 1000)
        body = {"type": "2", "reserveTime": str(later), "qualityTaskId": made.id("a")}
        check.done(await bench.ask(interface.path, body), interface.code)
        row = await made.row("a")
        waiting.add(row["status"])
        at = calls.seconds(row.get("effectiveDate") or later)
        check.that(abs(at - later / 1000) < 1, f"effectiveDate {row.get('effectiveDate')}, reserved {later}")
    with bench.check(interface.name, "type 1 puts a task into effect, as its example does") as check:
        needed(inspector, _NO_INSPECTOR)
        now = {"type": "1", "reserveTime": "", "qualityTaskId": int(made.id("a"))}
        check.done(await bench.ask(interface.path, now), interface.code)
        made.in_effect = (await made.row("a"))["status"]
        check.that(made.in_effect not in waiting, f"its status is {made.in_effect}, and was before")
    with bench.check(made.known.appoint.name, "isTakeEffect 1 puts it into effect at once") as check:
        person = needed(inspector, _NO_INSPECTOR)
        await made.create(check, "f", maxNum=1)
        shares = {"setCountsType": 1, "isTakeEffect": 1, "setCounts": [{"personID": person}]}
        check.done(await bench.ask(made.known.appoint.path, {"qualityTaskId": made.id("f"), **shares}))
        status = (await made.row("f"))["status"]
        check.that(status == made.in_effect, f"status {status}, that of a task in effect is {made.in_effect}")
    await _complete(made)
    await _answers_truly(
        made, made.known.delete, "a task in effect", "a",
        lambda: {"qualityTaskId": made.id("a")}, lambda seen: seen.row is None,
    )  # fmt: skip
    await _answers_truly(
        made, made.known.update, "a task in effect", "a",
        lambda: _about(made.known.update.example, made.id("a")),
        lambda seen: bool(seen.row and seen.row["planName"] == made.name("x")),
    )  # fmt: skip


async def _complete(made: Made) -> None:
    """An item of the task in effect; not the call that is appealed against."""
    bench, interface = made.bench, made.known.complete
    inspector = bench.people.inspector
    done: Row = {}
    with bench.check(interface.name, "finishes a sampled call, with callGroupId null as printed") as check:
        who = needed(inspector, _NO_INSPECTOR)
        row = await made.row("a")
        needed(row["inspectTotalCount"] > 1 or None, "the only call would finish the task")
        listed = await items_of(bench, made.known, str(row["planCode"]), who)
        check.that(len(listed) == row["inspectTotalCount"], f"{len(listed)} are the inspector's")
        others = (item for item in listed if item["calls"][0]["call_uuid"] != bench.scratch_call)
        done = first(others, "the inspector has no other call than the given one")
        check.done(await bench.ask(interface.path, _completion(done), user=who), interface.code)
        made.rest = [item for item in listed if item["id"] != done["id"]]
    with bench.check(interface.name, "the counts and the item say so") as check:
        needed(done, "nothing was finished")
        row = await made.row("a")
        check.that(row["inspectFinishedCount"] == 1, f"inspectFinishedCount {row['inspectFinishedCount']}")
        found = (await _calls(made, str(row["planCode"]), inspectStatus="1")).field("data")
        check.that([item["id"] for item in found] == [done["id"]], f"done are {found}")
    with bench.check(interface.name, "declines a call that is finished", inferred=True) as check:
        body = _completion(needed(done, "nothing was finished"))
        check.declined(await bench.ask(interface.path, body, user=inspector))


def _completion(item: Row) -> dict[str, Any]:
    """What [2513] is asked to finish a sampled call."""
    return {
        "isGroup": False,
        "callId": item["calls"][0]["call_id"],
        "callGroupId": None,
        "qualityTaskCallId": int(digits(item["id"])),
    }


async def _terminate(made: Made) -> None:
    bench, interface = made.bench, made.known.terminate
    with bench.check(interface.name, "terminates and answers as the page prints it [2506]") as check:
        needed(bench.people.inspector, _NO_INSPECTOR)
        reply = await bench.ask(interface.path, {"qualityTaskId": made.id("a")})
        check.done(reply, interface.code)
        bench.ended.add(made.id("a"))
        printed = {"resultCode": interface.code, "resultDesc": "Operation successful."}
        check.that(reply.document == printed, f"{reply}, not {printed}")
    with bench.check(interface.name, "it is in effect no longer, and what was finished stays") as check:
        needed(bench.people.inspector, _NO_INSPECTOR)
        row = await made.row("a")
        needed(row["inspectTotalCount"] > 1 or None, "the task had one call only")
        check.that(row["status"] != made.in_effect, f"its status is still {row['status']}")
        check.that(row["inspectFinishedCount"] == 1, f"inspectFinishedCount {row['inspectFinishedCount']}")
    with bench.check(interface.name, "declines a task that is terminated", inferred=True) as check:
        needed(bench.people.inspector, _NO_INSPECTOR)
        check.declined(await bench.ask(interface.path, {"qualityTaskId": made.id("a")}))
    await _answers_truly(
        made, made.known.complete, "a call of a task that is terminated", "a",
        lambda: _completion(needed(made.rest, "the task had one call only")[0]),
        lambda seen: seen.items[digits(made.rest[0]["id"])][1] == 1, bench.people.inspector,
    )  # fmt: skip
    with bench.check(interface.name, "takes its id as a number: that task ends, and no other") as check:
        task = int(made.id("b"))
        before = await made.statuses()
        check.done(await bench.ask(interface.path, {"qualityTaskId": task}), interface.code)
        bench.ended.add(str(task))
        after = await made.statuses()
        changed = {one for one in before if before[one] != after.get(one)}
        check.that(changed == {str(task)}, f"the status of {changed or 'none'} has changed")
    await _terminated(made)
    with bench.check(interface.name, "declines what is no id") as check:
        for wrong in _IDS:
            reply = await bench.ask(interface.path, {"qualityTaskId": wrong})
            check.that(not reply.ok, f"{wrong!r} taken for right: {reply}")


async def _terminated(made: Made) -> None:
    """What may be asked of the terminated task `b`."""
    bench, known = made.bench, made.known
    row: Row = {}
    with bench.check(known.query.name, "lists a terminated task"):
        row = await made.row("b")
    name, person = made.name("x"), bench.people.inspector or bench.people.director
    effects: tuple[tuple[Interface, Callable[[_Seen], bool]], ...] = (
        (known.update, lambda seen: bool(seen.row and seen.row["planName"] == name)),
        (known.appoint, lambda seen: {who for who, _ in seen.items.values()} == {person}),
        (known.take_effect, lambda seen: bool(seen.row and seen.row["status"] == made.in_effect)),
        (known.delete, lambda seen: seen.row is None),
    )
    if not bench.wants("states"):
        return
    before = len(bench.findings.found)
    for interface, effect in effects:
        await _answers_truly(
            made, interface, "a task that is terminated", "b", _example(made, interface, "b"), effect
        )
    refused = all(one.verdict is CheckVerdict.PASS for one in bench.findings.found[before:])
    with bench.check(known.query.name, "isManipulate tells whether the caller may act on it") as check:
        needed(row, "no task was terminated")
        needed(refused or None, "something may be done with a terminated task")
        check.that(not int(row["isManipulate"]), "it may be acted on, and everything is declined")


def _example(made: Made, interface: Interface, what: str) -> Callable[[], dict[str, Any]]:
    """The interface's example about one of the tasks."""
    return lambda: dict(_about(interface.example, made.id(what)))


async def _delete(made: Made) -> None:
    bench, interface = made.bench, made.known.delete
    row: Row = {}
    with bench.check(interface.name, "deletes a task, as its example does") as check:
        task = made.id("c")
        row = first((row for row in await made.rows() if str(row["id"]) == task), f"{task} is not listed")
        check.done(await bench.ask(interface.path, {"qualityTaskId": task}), interface.code)
        left = [str(row["id"]) for row in await made.rows()]
        check.that(task not in left, "it is listed still")
    with bench.check(made.known.query.name, "isManipulate was set where this could be done") as check:
        check.that(bool(int(needed(row, NO_TASK)["isManipulate"])), f"isManipulate {row['isManipulate']}")
    with bench.check(interface.name, "declines a task that is deleted") as check:
        check.declined(await bench.ask(interface.path, {"qualityTaskId": made.id("c")}))


async def _unknown(bench: Bench, known: Interfaces) -> None:
    """Every operation on a task that nobody has."""
    of_tasks = (known.update, known.delete, known.terminate, known.take_effect, known.appoint)
    await declines_unknown(bench, "id", *of_tasks, known.modify_result, known.complete)


async def declines_unknown(bench: Bench, what: str, *interfaces: Interface) -> None:
    """Each declines its example, whose id nobody has; `what` has that id."""
    for interface in interfaces:
        with bench.check(interface.name, f"declines an unknown {what}, as a text and as a number") as check:
            check.declined(await bench.ask(interface.path, interface.example))
            check.declined(await bench.ask(interface.path, _about(interface.example, int(NOBODYS_ID))))


def _about(value: Any, task: str | int) -> Any:
    """The same with an id in the place of the unknown one."""
    if isinstance(value, Mapping):
        return {name: _about(inner, task) for name, inner in value.items()}
    return task if value == NOBODYS_ID else value


async def _calls(made: Made, code: str, user: str | None = "", **columns: Any) -> Reply:
    """The items of a task: as the director, or as an inspector."""
    body = {
        "currentRole": "qualityDirector" if user == "" else "qualityInspector",
        "page": 1,
        "rows": 100,
        "fixedColumns": {"planCode": code, **columns},
    }
    return await made.bench.ask(made.known.calls.path, body, user=user)


_KINDS = {str: "text", int: "number"}
