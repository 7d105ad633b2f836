"""Plans: `regularqualitytask/` [2497-2502]. None of those made here ever runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sottovoce.compat.bench import Bench, Check, Wrong, needed
from sottovoce.compat.sqm.calls import seconds
from sottovoce.compat.sqm.catalogue import Interfaces
from sottovoce.compat.sqm.interfaces import plan_body
from sottovoce.compat.sqm.requests import digits
from sottovoce.compat.sqm.tasks import declines_unknown

_NO_PLAN = "no plan could be made"
_STOPPED, _RUNNING = "1", "2"
_START = plan_body("", "")["cronStructure"]["qiqtStartTime"]
_CYCLES_S = {"1": 86_400, "2": 7 * 86_400, "3": 31 * 86_400}


async def walk(bench: Bench, known: Interfaces) -> None:
    """Make one, change it, begin, stop, delete."""
    bench.afterwards("plans", lambda: put_away(bench, known))
    plan = await _add(bench, known)
    await _query(bench, known, plan)
    await _update(bench, known, plan)
    await _begin_and_stop(bench, known, plan)
    await _delete(bench, known, plan)
    of_plans = (known.update_plan, known.begin_plan, known.stop_plan, known.delete_plan)
    await declines_unknown(bench, "plan", *of_plans)


async def put_away(bench: Bench, known: Interfaces) -> None:
    """Stop and delete all plans of this walk. Wrong if one cannot be deleted."""
    for row in await _rows(bench, known):
        plan = {"regularQualityTaskId": row["qiqtId"]}
        await bench.ask(known.stop_plan.path, plan)
        reply = await bench.ask(known.delete_plan.path, plan)
        if not reply.ok:
            raise Wrong(str(reply))


async def _rows(bench: Bench, known: Interfaces) -> list[Mapping[str, Any]]:
    """The plans of this walk."""
    every = await _all(bench, known)
    return [row for row in every if str(row.get("qiqtName", "")).startswith(bench.name)]


async def _all(bench: Bench, known: Interfaces) -> list[Mapping[str, Any]]:
    """The plans of all pages."""
    found: list[Mapping[str, Any]] = []
    for page in range(1, 101):
        reply = await bench.ask(known.query_plans.path, {"page": page, "rows": 100})
        rows = reply.field("list")
        if not reply.ok or not isinstance(rows, list):
            raise Wrong(str(reply))
        found += rows
        if len(rows) < 100:
            break
    return found


async def _row(bench: Bench, known: Interfaces, plan: str) -> Mapping[str, Any]:
    for row in await _rows(bench, known):
        if str(row.get("qiqtId")) == plan:
            return row
    raise Wrong(f"plan {plan} is not listed")


async def _add(bench: Bench, known: Interfaces) -> str | None:
    interface = known.add_plan
    inspector = bench.people.inspector
    plan: str | None = None
    with bench.check(interface.name, "makes a plan; its id is objId") as check:
        body = plan_body(f"{bench.name}-p", needed(inspector, "needs --inspector"))
        reply = await bench.ask(interface.path, body)
        check.done(reply, interface.code)
        check.like(interface.answer, reply.document)
        plan = digits(reply.field("objId"))
        row = await _row(bench, known, plan)
        _shown(check, row, f"{bench.name}-p", body["cronStructure"])
    everyone = [{"personID": inspector, "count": 99}]
    wrong: tuple[tuple[str, dict[str, Any]], ...] = (
        ("percentages that do not add up to 100", {"setCounts": everyone, "setCountsType": 2}),
        ("a setCountsType that is neither 0 nor 2", {"setCounts": everyone, "setCountsType": 1}),
    )
    for what, changed in wrong:
        with bench.check(interface.name, f"declines {what}") as check:
            needed(inspector, "needs --inspector")
            body = plan_body(f"{bench.name}-x", str(inspector), appointQuality=changed)
            check.declined(await bench.ask(interface.path, body))
    cron = plan_body("", "")["cronStructure"]
    wrong = (
        ("a cycle other than 1, 2, 3", {"qiqtCycleType": "4"}),
        ("an end type other than 1 and 2", {"qiqtEndType": "3"}),
        ("end type 1 without qiqtTotalTimes", {"qiqtTotalTimes": None}),
    )
    for what, changed in wrong:
        with bench.check(interface.name, f"declines {what}") as check:
            body = plan_body(f"{bench.name}-x", str(inspector), cronStructure=cron | changed)
            check.declined(await bench.ask(interface.path, body))
    return plan


async def _query(bench: Bench, known: Interfaces, plan: str | None) -> None:
    interface = known.query_plans
    with bench.check(interface.name, "answers as documented, the array is called list") as check:
        reply = await bench.ask(interface.path, interface.example)
        check.done(reply, interface.code)
        check.like(interface.answer, reply.document)
    with bench.check(interface.name, "rows is the size of a page") as check:
        needed(plan, _NO_PLAN)
        second = plan_body(f"{bench.name}-p2", str(bench.people.inspector))
        check.done(await bench.ask(known.add_plan.path, second), known.add_plan.code)
        first, other = [await bench.ask(interface.path, {"page": page, "rows": 1}) for page in (1, 2)]
        for reply in (first, other):
            check.that(len(reply.field("list") or ()) == 1, reply)
        check.that(first.field("list")[0]["qiqtId"] != other.field("list")[0]["qiqtId"], other)
        total, every = first.field("total"), await _all(bench, known)
        check.that(total in (None, len(every)), f"total {total}, listed are {len(every)}")
        ids = [row.get("qiqtId") for row in every]
        check.that(len(set(ids)) == len(ids), "a plan is listed twice")
    with bench.check(interface.name, "a new plan is stopped", inferred=True) as check:
        row = await _row(bench, known, needed(plan, _NO_PLAN))
        check.that(row["qiqtStatus"] == _STOPPED, f"qiqtStatus {row['qiqtStatus']}")


async def _update(bench: Bench, known: Interfaces, plan: str | None) -> None:
    interface = known.update_plan
    name = f"{bench.name}-changed"
    with bench.check(interface.name, "changes a plan") as check:
        body = plan_body(name, str(bench.people.inspector)) | {"qiqtId": needed(plan, _NO_PLAN)}
        cron = {"qiqtCycleType": "2", "qiqtTotalTimes": "3", "qiqtStartTime": _START - 86_400}
        body["cronStructure"] = {**body["cronStructure"], **cron}
        check.done(await bench.ask(interface.path, body), interface.code)
        row = await _row(bench, known, str(plan))
        _shown(check, row, name, body["cronStructure"])
    with bench.check(interface.name, "changes its end, and for what it is") as check:
        body = plan_body(name, str(bench.people.inspector)) | {"qiqtId": needed(plan, _NO_PLAN)}
        cron = {"qiqtCycleType": "3", "qiqtEndType": "2", "qiqtEndTime": _START + 8_640}
        body["cronStructure"] = {**body["cronStructure"], **cron}
        body["extractionRange"]["fixedColumns"]["interactionType"] = 2
        check.done(await bench.ask(interface.path, body), interface.code)
        row = await _row(bench, known, str(plan))
        _shown(check, row, name, body["cronStructure"], interaction="2")


def _shown(
    check: Check, row: Mapping[str, Any], name: str, cron: Mapping[str, Any], interaction: str = "0"
) -> None:
    """A listed plan has what was asked for; fields that the page lets be left out may be absent."""

    wanted: dict[str, Any] = {
        "qiqtName": name,
        "qiqtEndType": cron["qiqtEndType"],
        "interactionType": interaction,
        "qiqtStartTimeStr": cron["qiqtStartTime"],
        "qiqtExecutionTimes": 0,
    }
    if cron["qiqtEndType"] == "1":
        wanted["qiqtTotalTimes"] = cron["qiqtTotalTimes"]
    else:
        wanted["qiqtEndTimeStr"] = cron["qiqtEndTime"]
    check.equal(row, wanted, _alike)


def _alike(name: str, found: Any, wanted: Any) -> bool:
    if found in (None, "") or name.endswith("TimeStr"):
        return found in (None, "") or seconds(found) == wanted
    return str(found) == str(wanted)


async def _begin_and_stop(bench: Bench, known: Interfaces, plan: str | None) -> None:
    cycles: set[Any] = set()
    for interface, kind, status, cycle in (
        (known.begin_plan, str, _RUNNING, "1"),
        (known.stop_plan, int, _STOPPED, "2"),
        (known.begin_plan, int, _RUNNING, "3"),
        (known.stop_plan, str, _STOPPED, "3"),
    ):
        given = "text" if kind is str else "number"
        with bench.check(interface.name, f"qiqtStatus becomes {status}, the id as a {given}") as check:
            body = {"regularQualityTaskId": kind(needed(plan, _NO_PLAN))}
            check.done(await bench.ask(interface.path, body), interface.code)
            row = await _row(bench, known, str(plan))
            check.that(row["qiqtStatus"] == status, f"qiqtStatus {row['qiqtStatus']}")
        if interface is known.begin_plan:
            with bench.check(known.query_plans.name, f"tells the next run (cycle {cycle})") as check:
                await _timed(bench, known, str(needed(plan, _NO_PLAN)), cycle, cycles, check)
    with bench.check(known.query_plans.name, "shows each cycle by a word of its own") as check:
        needed(plan, _NO_PLAN)
        check.that(len(cycles) == 2 and None not in cycles, f"qiqtCycleType {cycles}")


async def _timed(
    bench: Bench, known: Interfaces, plan: str, cycle: str, cycles: set[Any], check: Check
) -> None:
    """A plan that is to run by a cycle is next run at its start, or within one cycle of it."""
    body = plan_body(f"{bench.name}-p", str(bench.people.inspector)) | {"qiqtId": plan}
    body["cronStructure"] = {**body["cronStructure"], "qiqtCycleType": cycle}
    check.done(await bench.ask(known.update_plan.path, body), known.update_plan.code)
    row = await _row(bench, known, plan)
    cycles.add(row["qiqtCycleType"])
    at = seconds(needed(row.get("nextExecutionTimeStr"), "nextExecutionTimeStr is left out"))
    latest = _START + _CYCLES_S[cycle]
    check.that(_START <= at <= latest, f"nextExecutionTimeStr {at}, not {_START} to {latest}")


async def _delete(bench: Bench, known: Interfaces, plan: str | None) -> None:
    interface = known.delete_plan
    with bench.check(interface.name, "deletes a plan") as check:
        body = {"regularQualityTaskId": int(needed(plan, _NO_PLAN))}
        check.done(await bench.ask(interface.path, body), interface.code)
        left = [str(row.get("qiqtId")) for row in await _rows(bench, known)]
        check.that(plan not in left, "it is listed still")
    with bench.check(interface.name, "declines a plan that is deleted") as check:
        body = {"regularQualityTaskId": needed(plan, _NO_PLAN)}
        check.declined(await bench.ask(interface.path, body))
