"""Review tasks from their making to their end: `qualitytask/` [2504-2514]."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from sottovoce.compat.bench import Bench, Check, Wrong, needed
from sottovoce.compat.sqm.catalogue import Interfaces
from sottovoce.compat.sqm.interfaces import NOBODYS_ID, Interface, sample, task_body
from sottovoce.compat.sqm.requests import digits
from sottovoce.compat.wire import NOT_ASKED, Reply

_NO_TASK = "no task could be made"
_NO_INSPECTOR = "needs --inspector"
_IDS: tuple[Any, ...] = (True, [], {}, "abc", "", 1.5, -1, "1" * 21)
"""What is no id."""


@dataclass(slots=True)
class Made:
    """The tasks that were made: id by what it is for."""

    bench: Bench
    known: Interfaces
    ids: dict[str, str] = field(default_factory=dict)
    ended: set[str] = field(default_factory=set)
    """Those that were terminated."""

    def name(self, what: str) -> str:
        """What the task is called."""
        return f"{self.bench.name}-{what}"

    def id(self, what: str) -> str:
        """The id of a task, or the end of the check."""
        return str(needed(self.ids.get(what), _NO_TASK))

    async def rows(self, **changed: Any) -> list[Mapping[str, Any]]:
        """The tasks of this walk, as they are listed."""
        body = {**self.known.query.example, "rows": 100, "fixedColumns": {"planName": self.bench.name}}
        reply = await self.bench.ask(self.known.query.path, body | changed)
        rows = reply.field("data")
        if not reply.ok or not isinstance(rows, list):
            raise Wrong(str(reply))
        return [row for row in rows if str(row.get("planName", "")).startswith(self.bench.name)]

    async def statuses(self) -> dict[str, Any]:
        """The effective status of each."""
        return {str(row["id"]): row["status"] for row in await self.rows()}

    async def row(self, what: str) -> Mapping[str, Any]:
        """One of them, by its name."""
        for row in await self.rows():
            if row["planName"] == self.name(what):
                return row
        raise Wrong(f"{self.name(what)} is not listed")

    async def create(self, check: Check, what: str, **columns: Any) -> Reply:
        """Make one, and find its id in the list, where the answer need not have it."""
        reply = await self.bench.ask(self.known.create.path, task_body(self.name(what), **columns))
        check.done(reply, self.known.create.code)
        self.ids[what] = digits((await self.row(what)).get("id"))
        return reply


async def walk(bench: Bench, known: Interfaces) -> None:
    """Make tasks, lead one to its end, terminate as [2506] prints it, delete the rest."""
    made = Made(bench, known)
    bench.afterwards("tasks", lambda: put_away(made))
    await _create(made)
    await _query(made)
    await _update(made)
    await _appoint(made)
    await _items(made)
    await _take_effect(made)
    await _terminate(made)
    await _delete(made)
    await _unknown(bench, known)


async def put_away(made: Made) -> None:
    """Delete what can be deleted, terminate what cannot. Wrong where neither is done."""
    bench, known = made.bench, made.known
    for row in await made.rows():
        task = {"qualityTaskId": str(row["id"])}
        if task["qualityTaskId"] in made.ended or (await bench.ask(known.delete.path, task)).ok:
            continue
        reply = await bench.ask(known.terminate.path, task)
        if not reply.ok:
            raise Wrong(f"{row['planName']}: {reply}")


async def _create(made: Made) -> None:
    bench, interface = made.bench, made.known.create
    reply = NOT_ASKED
    with bench.check(interface.name, "makes a task, resultCode 0409000") as check:
        needed(bench.calls, "the server has no inspected call to sample")
        reply = await made.create(check, "a", maxNum=10)
        check.like(interface.answer, reply.document)
    with bench.check(interface.name, "its answer has the new task's id as objId", inferred=True) as check:
        task = made.id("a")
        check.that(str(reply.field("objId")) == task, f"{reply}, the task is {task}")
    with bench.check(interface.name, "quantities may be texts (2024) or numbers (2023)") as check:
        made.id("a")
        await made.create(check, "b", maxNum="10", qualityNum="2")
        await made.create(check, "c", maxNum=10, qualityNum=2)
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
        needed(row, _NO_TASK)
        check.that(row["inspectTotalCount"] >= 1, f"inspectTotalCount {row['inspectTotalCount']}")
        check.that(row["inspectFinishedCount"] == 0, f"inspectFinishedCount {row['inspectFinishedCount']}")
        check.that(str(row["personType"]) in ("0", "1"), f"personType {row['personType']}")
        check.that(row.get("interactionType") in (None, "0"), f"interactionType {row['interactionType']}")
    with bench.check(interface.name, "pages by page and rows, total counts all") as check:
        needed(made.ids.get("c"), _NO_TASK)
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
    with bench.check(interface.name, "draws anew with other conditions", inferred=True) as check:
        body = {
            "currentRole": "qualityDirector",
            "fixedColumns": sample(maxNum=1),
            "qualityTask": {"planName": made.name("renamed"), "id": made.id("c")},
        }
        check.done(await bench.ask(interface.path, body), interface.code)
        row = await made.row("renamed")
        check.that(row["inspectTotalCount"] == 1, f"{row['inspectTotalCount']} calls, maxNum was 1")


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
        dealt = [{"personID": needed(inspector, _NO_INSPECTOR), "count": needed(count, _NO_TASK)}]
        reply = await bench.ask(interface.path, body(qualityTaskId=int(made.id("a")), setCounts=dealt))
        check.done(reply, interface.code)


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
        total = reply.field("total")
        check.that(total == row["inspectTotalCount"], f"{total} of {row['inspectTotalCount']} calls")
    with bench.check(interface.name, "each item has an id and one call at least") as check:
        for item in reply.field("data") or needed(None, _NO_TASK):
            digits(item.get("id"))
            check.that(len(item.get("calls") or ()) >= 1, item)
    with bench.check(interface.name, "items name their inspector", inferred=True) as check:
        inspector = needed(bench.people.inspector, _NO_INSPECTOR)
        named = {item.get("inspector") for item in reply.field("data") or needed(None, _NO_TASK)}
        check.that(named == {inspector}, f"inspectors {named}")
    with bench.check(interface.name, "inspectStatus leaves others out") as check:
        code = str(needed(row, _NO_TASK)["planCode"])
        done = await _calls(made, code, inspectStatus="1")
        check.done(done, interface.code)
        check.that(done.field("total") == 0, f"{done.field('total')} done, none is")
        waiting = await _calls(made, code, inspectStatus="-1")
        check.that(waiting.field("total") == row["inspectTotalCount"], waiting)
    with bench.check(interface.name, "showReviewingOfficer leaves out what has no reviewer") as check:
        reviewed = await _calls(made, str(needed(row, _NO_TASK)["planCode"]), showReviewingOfficer=True)
        check.done(reviewed, interface.code)
        check.that(reviewed.field("total") == 0, f"{reviewed.field('total')} with a reviewer, none has one")


async def _take_effect(made: Made) -> None:
    bench, interface = made.bench, made.known.take_effect
    with bench.check(interface.name, "declines a type other than 1 and 2") as check:
        body = {"type": "3", "reserveTime": "", "qualityTaskId": made.id("a")}
        check.declined(await bench.ask(interface.path, body))
    with bench.check(interface.name, "type 2 reserves a time, in milliseconds", inferred=True) as check:
        needed(bench.people.inspector, _NO_INSPECTOR)
        later = round((datetime.now(UTC) + timedelta(days=300)).timestamp() * 1000)
        body = {"type": "2", "reserveTime": str(later), "qualityTaskId": made.id("a")}
        check.done(await bench.ask(interface.path, body), interface.code)
    with bench.check(interface.name, "type 1 puts a task into effect, as its example does") as check:
        needed(bench.people.inspector, _NO_INSPECTOR)
        now = {"type": "1", "reserveTime": "", "qualityTaskId": int(made.id("a"))}
        check.done(await bench.ask(interface.path, now), interface.code)
    await _complete(made)
    with bench.check(made.known.delete.name, "declines a task in effect", inferred=True) as check:
        needed(bench.people.inspector, _NO_INSPECTOR)
        check.declined(await bench.ask(made.known.delete.path, {"qualityTaskId": made.id("a")}))


async def _complete(made: Made) -> None:
    """The first item of the task in effect."""
    bench, interface = made.bench, made.known.complete
    inspector = bench.people.inspector
    body: dict[str, Any] | None = None
    with bench.check(interface.name, "finishes a sampled call, with callGroupId null as printed") as check:
        who = needed(inspector, _NO_INSPECTOR)
        made.id("a")
        row = await made.row("a")
        needed(row["inspectTotalCount"] > 1 or None, "the only call would finish the task")
        listed = await _calls(made, str(row["planCode"]), user=who)
        item = next(iter(listed.field("data") or ()), None) or needed(None, f"no item: {listed}")
        call = item["calls"][0]["call_id"]
        body = {
            "isGroup": False,
            "callId": call,
            "callGroupId": None,
            "qualityTaskCallId": int(digits(item["id"])),
        }
        check.done(await bench.ask(interface.path, body, user=who), interface.code)
    with bench.check(interface.name, "the counts and the item say so") as check:
        needed(body, "nothing was finished")
        row = await made.row("a")
        check.that(row["inspectFinishedCount"] == 1, f"inspectFinishedCount {row['inspectFinishedCount']}")
        done = await _calls(made, str(row["planCode"]), inspectStatus="1")
        check.that(done.field("total") == 1, done)
    with bench.check(interface.name, "declines a call that is finished", inferred=True) as check:
        check.declined(await bench.ask(interface.path, needed(body, "nothing was finished"), user=inspector))


async def _terminate(made: Made) -> None:
    bench, interface = made.bench, made.known.terminate
    with bench.check(interface.name, "terminates and answers as the page prints it [2506]") as check:
        needed(bench.people.inspector, _NO_INSPECTOR)
        reply = await bench.ask(interface.path, {"qualityTaskId": made.id("a")})
        check.done(reply, interface.code)
        made.ended.add(made.id("a"))
        printed = {"resultCode": interface.code, "resultDesc": "Operation successful."}
        check.that(reply.document == printed, f"{reply}, not {printed}")
    with bench.check(interface.name, "what was finished stays", inferred=True) as check:
        needed(bench.people.inspector, _NO_INSPECTOR)
        made.id("a")
        row = await made.row("a")
        needed(row["inspectTotalCount"] > 1 or None, "the task had one call only")
        check.that(row["inspectFinishedCount"] == 1, f"inspectFinishedCount {row['inspectFinishedCount']}")
    with bench.check(interface.name, "declines a task that is terminated", inferred=True) as check:
        needed(bench.people.inspector, _NO_INSPECTOR)
        check.declined(await bench.ask(interface.path, {"qualityTaskId": made.id("a")}))
    with bench.check(interface.name, "takes its id as a number: that task ends, and no other") as check:
        task = int(made.id("b"))
        before = await made.statuses()
        check.done(await bench.ask(interface.path, {"qualityTaskId": task}), interface.code)
        made.ended.add(str(task))
        after = await made.statuses()
        changed = {one for one in before if before[one] != after.get(one)}
        check.that(changed == {str(task)}, f"the status of {changed or 'none'} has changed")
    for other in (made.known.update, made.known.appoint, made.known.take_effect, made.known.delete):
        with bench.check(other.name, "declines a task that is terminated", inferred=True) as check:
            needed(made.ended, "no task was terminated")
            body = _about(other.example, made.id("b"))
            check.declined(await bench.ask(other.path, body))
    with bench.check(interface.name, "declines what is no id") as check:
        for wrong in _IDS:
            reply = await bench.ask(interface.path, {"qualityTaskId": wrong})
            check.that(not reply.ok, f"{wrong!r} taken for right: {reply}")


async def _delete(made: Made) -> None:
    bench, interface = made.bench, made.known.delete
    with bench.check(interface.name, "deletes a task, as its example does") as check:
        task = made.id("c")
        check.done(await bench.ask(interface.path, {"qualityTaskId": task}), interface.code)
        left = [str(row["id"]) for row in await made.rows()]
        check.that(task not in left, "it is listed still")
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
