"""What an inspector corrects in a task of the disputed call [2512, 2513]."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sottovoce.compat.bench import Wrong, needed
from sottovoce.compat.sqm import calls, task_lists
from sottovoce.compat.sqm.disputes import NO_SCRATCH, PROBLEM, REVIEWING, Dispute, leader, manual, uuids
from sottovoce.compat.sqm.interfaces import task_body
from sottovoce.compat.sqm.made import Made, items_of, named
from sottovoce.compat.sqm.requests import digits


async def _accept(dispute: Dispute, older: set[str]) -> None:
    """End the problem that the inspector found, if there is one."""
    for row in await dispute.rows(fixedColumns={"taskType": PROBLEM, "taskStatus": REVIEWING}):
        if digits(row["id"]) not in older:
            body = {"taskInfoId": row["id"], "auditOperation": "pass", "coment": dispute.bench.name}
            reply = await dispute.bench.ask(dispute.known.appeal.path, body, user=leader(dispute.bench))
            if not reply.ok:
                raise Wrong(str(reply))


async def walk(dispute: Dispute) -> None:
    """A task with the given call alone: correct a result, as the example of [2512] does, and finish it."""
    bench, known = dispute.bench, dispute.known
    interface = known.modify_result
    inspector, uuid = bench.people.inspector, bench.scratch_call
    body: dict[str, Any] = {}
    name = f"{bench.name}-r"
    shares: dict[str, Any] = {}
    wanted = 1

    async def revised() -> Any:
        return (await dispute.rule())["revise"]

    with bench.check(known.create.name, "makes a task of the given call") as check:
        needed(dispute.result, NO_SCRATCH)
        older = {digits(row["id"]) for row in await dispute.rows(fixedColumns={"taskType": PROBLEM})}
        bench.afterwards("the problem found", lambda: _accept(dispute, older))
        needed(inspector, "needs --inspector")
        task, item = await _task_of(dispute, name)
        shares = {"qualityTaskId": task, "setCounts": [{"personID": inspector}], "setCountsType": 1}
        check.done(await bench.ask(known.appoint.path, shares | {"isTakeEffect": 0}))
        wanted = 0 if await revised() == 1 else 1
        body = {
            "isGroup": False,
            "ruleType": dispute.kind,
            "taskId": digits(item["id"]),
            "uuid": uuid,
            "ruleInfo": {"description": bench.name, "revise": wanted, "reviseId": dispute.result},
        }
    with bench.check(interface.name, "in a task that is not in effect: what it answers is so") as check:
        before = await revised()
        reply = await bench.ask(interface.path, needed(body, NO_SCRATCH), user=inspector)
        check.that(await revised() == (wanted if reply.ok else before), f"{reply}, revise {await revised()}")
    with bench.check(interface.name, "corrects a result; it is so once the call is finished") as check:
        needed(body, NO_SCRATCH)
        check.done(await bench.ask(known.appoint.path, shares | {"isTakeEffect": 1}))
        check.done(await bench.ask(interface.path, body, user=inspector), interface.code)
        done = {"isGroup": False, "callId": uuid, "callGroupId": None, "qualityTaskCallId": body["taskId"]}
        check.done(await bench.ask(known.complete.path, done, user=inspector), known.complete.code)
        check.that(await revised() == wanted, f"revise is {await revised()}, not {wanted}")
    if dispute.item is not None:
        with bench.check(
            known.item_result.name, "the manual score counts what an inspector corrected"
        ) as check:
            await manual(dispute, check)
    await task_lists.reviewed(Made(bench, known), "r")
    with bench.check(interface.name, "in what is finished: what it answers is so") as check:
        opposite = {**needed(body, NO_SCRATCH)["ruleInfo"], "revise": 1 - wanted}
        reply = await bench.ask(interface.path, body | {"ruleInfo": opposite}, user=inspector)
        now = await revised()
        check.that(now == (1 - wanted if reply.ok else wanted), f"{reply}, revise {now}")


async def _task_of(dispute: Dispute, name: str) -> tuple[str, Mapping[str, Any]]:
    """A task of the calls that began with the given one; its id, and that call's item."""
    bench, known = dispute.bench, dispute.known
    call = (await bench.ask(known.detail.path, {"call_uuid": bench.scratch_call})).document
    at = int(calls.seconds(call["call_time"])) * 1000
    staff = [call["staff_id"]] if call.get("staff_id") else []
    body = task_body(name, staffIds=staff, maxNum=100, qualityNum=100)
    made = await bench.ask(
        known.create.path, body | {"startTimeMillis": at - 500, "endTimeMillis": at + 1500}
    )
    needed(made.ok or None, f"no task of the call: {made}")
    row = await named(bench, known, name)
    for item in await items_of(bench, known, str(row["planCode"])):
        if bench.scratch_call in uuids(item):
            return digits(row["id"]), item
    raise Wrong("the call is not in a task of its second and its agent")
