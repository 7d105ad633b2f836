"""Problems and appeals: `qualityitem/`, `appraisecall/complain` [2495, 2516-2522].

Only the call that was given for it (`--scratch-call`) is appealed against; the appeal is rejected at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sottovoce.compat.bench import Bench, Wrong, needed
from sottovoce.compat.shapes import one_or_many
from sottovoce.compat.sqm.catalogue import Interfaces
from sottovoce.compat.sqm.interfaces import task_body
from sottovoce.compat.sqm.requests import digits
from sottovoce.compat.sqm.tasks import declines_unknown
from sottovoce.compat.wire import NOT_ASKED

_NO_SCRATCH = "needs --scratch-call: a call of the agent with rule results"
_NO_APPEAL = "no appeal could be made"
_APPEAL, _REVIEWING, _COMPLETED = "2", 21, 22


@dataclass(frozen=True, slots=True)
class Result:
    """A rule's result that may be appealed against and revised."""

    result: str
    scenario: str
    kind: int
    """The rule type, 3.2."""


_BLOCKS = {"rules": 10, "silence_rule": 11, "speed_rule": 12, "interposal_rule": 13}
"""Lists in an answer of `credit`, with the rule type of their members."""


async def walk(bench: Bench, known: Interfaces) -> None:
    """List; appeal, look at it from all sides, reject it; correct a result of the same call in a task."""
    await _list(bench, known)
    result = await _result(bench, known)
    item = await _complain(bench, known, result)
    await _look(bench, known, item, result)
    await _judge(bench, known, item)
    await _revise(bench, known, result)
    of_items = (known.item_detail, known.item_result, known.modify_item, known.appeal, known.reassign)
    await declines_unknown(bench, "item", *of_items)
    with bench.check(known.history.name, "declines an unknown item") as check:
        check.declined(await bench.ask(known.history.path, known.history.example))


async def _list(bench: Bench, known: Interfaces) -> None:
    interface = known.query_items
    with bench.check(interface.name, "answers as documented, every parameter is optional") as check:
        reply = await bench.ask(interface.path, {})
        check.done(reply)
        check.like(interface.answer, reply.document)
    with bench.check(interface.name, "a page may have 1000000 rows") as check:
        check.done(await bench.ask(interface.path, {"rows": 1_000_000, "page": 1}))
    with bench.check(interface.name, "startTimeMillis and endTimeMillis are seconds") as check:
        reply = await bench.ask(interface.path, {"startTimeMillis": 1, "endTimeMillis": 2})
        check.done(reply)
        check.that(reply.field("total") == 0, f"{reply.field('total')} items of 1970")


async def _result(bench: Bench, known: Interfaces) -> Result | None:
    """A violated result of the call that was given, or any."""
    if bench.scratch_call is None:
        return None
    found: list[tuple[bool, Result]] = []
    with bench.check(known.credit.name, "the given call has rule results") as check:
        reply = await bench.ask(known.credit.path, {"call_uuid": bench.scratch_call}, user=None)
        check.done(reply)
        rows = reply.document if isinstance(reply.document, list) else [reply.document]
        for credit in (one for row in rows for one in row.get("credit") or ()):
            scenario = str((credit.get("setting") or {}).get("group_id"))
            for block, kind in _BLOCKS.items():
                for rule in credit.get(block) or ():
                    found.append((bool(rule.get("valid")), Result(str(rule["revise_id"]), scenario, kind)))
        check.that(bool(found), f"none in {reply}")
    return min(found, key=lambda one: one[0])[1] if found else None


async def _complain(bench: Bench, known: Interfaces, result: Result | None) -> str | None:
    interface = known.complain
    item: str | None = None
    with bench.check(interface.name, "the agent appeals; one of the page's two answers") as check:
        given = needed(result, _NO_SCRATCH)
        agent = needed(bench.people.agent, "needs --agent-user")
        body = {
            **interface.example,
            "callId": bench.scratch_call,
            "callGroupId": bench.scratch_call,
            "taskDescription": bench.name,
            "leaderUUID": needed(_leader(bench), "needs --table-leader or --table-director"),
            "chooseRuleGroupList": [{"ruleGroupId": given.scenario, "reviseIdList": [given.result]}],
        }
        reply = await bench.ask(interface.path, body, user=agent)
        check.done(reply)
        told = {"callId", "available"} <= set(reply.document) or {"status"} <= set(reply.document)
        check.that(told, f"neither callId and available nor status: {reply}")
    with bench.check(known.query_items.name, "finds it by taskType 2 and taskStatus 21") as check:
        needed(result, _NO_SCRATCH)
        row = await _open(bench, known, _REVIEWING)
        item = digits(needed(row, _NO_APPEAL)["id"])
    if item is not None:
        bench.afterwards("the appeal", lambda: _reject(bench, known, item))
    return item


async def _open(bench: Bench, known: Interfaces, status: int) -> Mapping[str, Any] | None:
    """The youngest appeal of the given call in a state."""
    body = {"fixedColumns": {"taskType": _APPEAL, "taskStatus": status}, "page": 1, "rows": 1000}
    reply = await bench.ask(known.query_items.path, body)
    if not reply.ok:
        raise Wrong(str(reply))
    for row in reply.field("data") or ():
        if any(call.get("call_uuid") == bench.scratch_call for call in row.get("calls") or ()):
            return dict(row)
    return None


async def _look(bench: Bench, known: Interfaces, item: str | None, result: Result | None) -> None:
    reply = NOT_ASKED
    with bench.check(known.item_detail.name, "answers as documented, with what is appealed") as check:
        for given in (needed(item, _NO_APPEAL), int(needed(item, _NO_APPEAL))):
            reply = await bench.ask(known.item_detail.path, {"qualityItemId": given})
            check.done(reply)
            check.like(known.item_detail.answer, reply.document)
        check.that(reply.field("qualityItem")["taskType"] == 2, reply)
        hits = {hit["reviseId"] for hit in reply.field("qualityItemRuleHit")}
        check.that(result is not None and result.result in hits, f"results {hits}")
    with bench.check(known.item_result.name, "answers as documented, as an object or a list") as check:
        reply = await bench.ask(known.item_result.path, {"qualityId": int(needed(item, _NO_APPEAL))})
        check.done(reply)
        check.like(one_or_many(known.item_result.answer, reply.document), reply.document)
    with bench.check(known.history.name, "answers as documented") as check:
        body = {"qualityTaskInfoId": needed(item, _NO_APPEAL)}
        reply = await bench.ask(known.history.path, body, user=_leader(bench))
        check.done(reply)
        check.like(known.history.answer, reply.document)
    with bench.check(known.history.name, "canHandle for the leader appealed to only", inferred=True) as check:
        needed(item, _NO_APPEAL)
        check.that(reply.field("canHandle") is True, f"canHandle {reply.field('canHandle')}")
        asked = {"qualityTaskInfoId": item}
        agents = await bench.ask(known.history.path, asked, user=bench.people.agent)
        check.that(agents.field("canHandle") is False, f"canHandle of the agent {agents.field('canHandle')}")


async def _judge(bench: Bench, known: Interfaces, item: str | None) -> None:
    interface = known.appeal
    with bench.check(interface.name, "declines an auditOperation of none of back, pass, assign") as check:
        body = {"taskInfoId": needed(item, _NO_APPEAL), "auditOperation": "perhaps", "coment": "x"}
        check.declined(await bench.ask(interface.path, body, user=_leader(bench)))
    with bench.check(interface.name, "the agent may not judge the own appeal", inferred=True) as check:
        body = {"taskInfoId": needed(item, _NO_APPEAL), "auditOperation": "back", "coment": "x"}
        check.declined(await bench.ask(interface.path, body, user=bench.people.agent))
    with bench.check(interface.name, "the leader sends it back, code 0410000") as check:
        reply = await bench.ask(
            interface.path,
            {
                "taskInfoId": needed(item, _NO_APPEAL),
                "auditOperation": "back",
                "coment": bench.name,
                "callId": bench.scratch_call,
            },
            user=_leader(bench),
        )
        check.done(reply, interface.code)
    with bench.check(interface.name, "which completes it (taskStatus 22)", inferred=True) as check:
        needed(item, _NO_APPEAL)
        row = await _open(bench, known, _COMPLETED)
        check.that(row is not None and str(row["id"]) == item, f"the completed one is {row}")


async def _reject(bench: Bench, known: Interfaces, item: str) -> None:
    """End the appeal, if it is not ended."""
    if await _open(bench, known, _REVIEWING) is None:
        return
    body = {"taskInfoId": item, "auditOperation": "back", "coment": bench.name}
    reply = await bench.ask(known.appeal.path, body, user=_leader(bench))
    if not reply.ok:
        raise Wrong(str(reply))


async def _revise(bench: Bench, known: Interfaces, result: Result | None) -> None:
    """A task with the given call alone: correct a result to compliant, as the example of [2512] does."""
    with bench.check(known.modify_result.name, "corrects a result; completed, credit has revise 1") as check:
        given = needed(result, _NO_SCRATCH)
        inspector = needed(bench.people.inspector, "needs --inspector")
        uuid = bench.scratch_call
        call = next((one for one in bench.calls if one["call_uuid"] == uuid), None)
        if call is None:
            reply = await bench.ask(known.detail.path, {"call_uuid": uuid})
            check.done(reply)
            call = reply.document
        at = int(call["call_time"])
        window = {"startTimeMillis": at - 1, "endTimeMillis": at + 1}
        task = await _task_of(bench, known, window | {"staff": call.get("staff_id")}, inspector)
        items = await bench.ask(
            known.calls.path,
            {
                "currentRole": "qualityInspector",
                "page": 1,
                "rows": 100,
                "fixedColumns": {"planCode": task},
            },
            user=inspector,
        )
        mine = [
            row["id"]
            for row in items.field("data") or ()
            if any(one["call_uuid"] == uuid for one in row["calls"])
        ]
        item = str(needed(mine, f"the call is not in a task of its minute: {items}")[0])
        body = {
            "isGroup": False,
            "ruleType": given.kind,
            "taskId": item,
            "uuid": uuid,
            "ruleInfo": {"description": bench.name, "revise": 1, "reviseId": given.result},
        }
        check.done(await bench.ask(known.modify_result.path, body, user=inspector), known.modify_result.code)
        done = {**known.complete.example, "callId": uuid, "qualityTaskCallId": item}
        check.done(await bench.ask(known.complete.path, done, user=inspector), known.complete.code)
        credit = await bench.ask(known.credit.path, {"call_uuid": uuid}, user=None)
        rows = credit.document if isinstance(credit.document, list) else [credit.document]
        revised = {
            rule["revise_id"]: rule["revise"]
            for row in rows
            for one in row["credit"]
            for block in _BLOCKS
            for rule in one.get(block) or ()
        }
        check.that(revised.get(given.result) == 1, f"revise is {revised.get(given.result)}")


async def _task_of(bench: Bench, known: Interfaces, wanted: Mapping[str, Any], inspector: str) -> str:
    """A task in effect with the calls of a window; its id."""
    name = f"{bench.name}-r"
    staff = wanted.get("staff")
    body = task_body(name, staffIds=[staff] if staff else [], maxNum=100, qualityNum=100)
    body |= {key: wanted[key] for key in ("startTimeMillis", "endTimeMillis")}
    made = await bench.ask(known.create.path, body)
    needed(made.ok or None, f"no task of the call: {made}")
    query = {**known.query.example, "fixedColumns": {"planName": name}}
    rows = (await bench.ask(known.query.path, query)).field("data") or ()
    task = next((str(row["id"]) for row in rows if row["planName"] == name), None)
    shares = {"setCounts": [{"personID": inspector}], "setCountsType": 1, "isTakeEffect": 1}
    appointed = await bench.ask(known.appoint.path, {"qualityTaskId": needed(task, str(made)), **shares})
    needed(appointed.ok or None, f"not appointed: {appointed}")
    return str(task)


def _leader(bench: Bench) -> str | None:
    return bench.people.table_leader or bench.people.table_director
