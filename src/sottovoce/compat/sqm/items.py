"""Problems and appeals: `qualityitem/`, `appraisecall/complain` [2495, 2516-2522].

Only the call that was given for it (`--scratch-call`) is appealed against, twice: the first appeal is sent
back at once, the second passed by all whose turn it is, with a corrected result. What that did is read where
the results, the scores and the history are shown.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from sottovoce.compat.bench import Bench, first, needed
from sottovoce.compat.shapes import one_or_many
from sottovoce.compat.sqm import calls, corrections
from sottovoce.compat.sqm.catalogue import Interfaces
from sottovoce.compat.sqm.disputes import (
    APPEAL,
    COMPLETED,
    NO_APPEAL,
    NO_SCRATCH,
    PROBLEM,
    REVIEWING,
    STATES,
    Dispute,
    answers_truly,
    corrected_to,
    decided,
    end,
    former,
    leader,
    manual,
    reassigned,
    remembered,
    uuids,
)
from sottovoce.compat.sqm.requests import digits
from sottovoce.compat.sqm.results import complies, credits_of, rules_of, scenario_of
from sottovoce.compat.sqm.tasks import declines_unknown

_MOST_STEPS = 6
_TWO_DAYS = timedelta(days=2)


async def walk(bench: Bench, known: Interfaces) -> None:
    """List; appeal twice, look at it from all sides; correct a result of the same call in a task."""
    dispute = await _disputed(bench, known)
    if bench.wants("first") and await _complain(dispute):
        await _look(dispute)
        await _reject(dispute)
    if bench.wants("second") and await _complain(dispute, again=bench.wants("first")):
        await _filters(dispute)
        await _pass(dispute)
        await _closed(dispute)
    if bench.wants("revise"):
        await corrections.walk(dispute)
    if not bench.fields:
        await _list(bench, known)
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


async def _disputed(bench: Bench, known: Interfaces) -> Dispute:
    """A result of the call that was given: one that counts as violated, if there is any."""
    dispute = Dispute(bench, known)
    if bench.scratch_call is None:
        return dispute
    with bench.check(known.credit.name, "the given call has rule results") as check:
        found = [
            (complies(rule) is not False, rule, kind, credit)
            for credit in await credits_of(bench, known, bench.scratch_call)
            for kind, rule in rules_of(credit)
        ]
        check.that(bool(found), "none")
        _, rule, kind, credit = min(found, key=lambda one: one[0])
        dispute.result, dispute.scenario, dispute.kind = str(rule["revise_id"]), scenario_of(credit), kind
    with bench.check(known.credit.name, "tells of a scenario what queryScenario tells") as check:
        needed(dispute.result, NO_SCRATCH)
        told = (await dispute.credit())["setting"]
        scenario = await bench.ask(known.query_scenario.path, {"group_id": dispute.scenario})
        needed(scenario.ok or None, f"the scenario is gone: {scenario}")
        for name in ("group_name", "ignore_sensitive", "description"):
            here, there = told.get(name), scenario.field(name)
            check.that((here or "") == (there or "") or 0 in (here, there), f"{name} {here!r}, not {there!r}")
    return dispute


async def _complain(dispute: Dispute, *, again: bool = False) -> bool:
    """File an appeal; whether there is one now."""
    bench, interface = dispute.bench, dispute.known.complain
    dispute.item = None
    body = {
        **interface.example,
        "callId": bench.scratch_call,
        "callGroupId": bench.scratch_call,
        "taskDescription": bench.name,
        "leaderUUID": leader(bench),
        "chooseRuleGroupList": [{"ruleGroupId": dispute.scenario, "reviseIdList": [dispute.result]}],
    }
    what = "after the first is completed, the agent may appeal again" if again else "the agent appeals"
    with bench.check(interface.name, f"{what}; one of the page's two answers") as check:
        needed(dispute.result, NO_SCRATCH)
        agent = needed(bench.people.agent, "needs --agent-user")
        needed(leader(bench), "needs --table-leader or --table-director")
        reply = await bench.ask(interface.path, body, user=agent)
        check.done(reply)
        told = {"callId", "available"} <= set(reply.document) or {"status"} <= set(reply.document)
        check.that(told, f"neither callId and available nor status: {reply}")
    with bench.check(dispute.known.query_items.name, "finds it by taskType 2 and taskStatus 21") as check:
        needed(dispute.result, NO_SCRATCH)
        rows = await dispute.listed(REVIEWING)
        check.that(len(rows) == 1, f"{len(rows)} appeals of the call are found")
        dispute.item = digits(rows[0]["id"])
    if dispute.item is not None:
        bench.afterwards(f"the appeal {dispute.item}", lambda: end(dispute))
        with bench.check(interface.name, "one more while it is open: what it answers is so") as check:
            reply = await bench.ask(interface.path, body, user=bench.people.agent)
            opened = len(await dispute.listed(REVIEWING))
            check.that(opened == (2 if reply.ok else 1), f"{reply}, and {opened} are open")
    return dispute.item is not None


async def _look(dispute: Dispute) -> None:
    bench, known = dispute.bench, dispute.known
    with bench.check(known.item_detail.name, "answers as documented, with what is appealed alone") as check:
        item = needed(dispute.item, NO_APPEAL)
        for given in (item, int(item)):
            reply = await bench.ask(known.item_detail.path, {"qualityItemId": given})
            check.done(reply)
            check.like(known.item_detail.answer, reply.document)
        check.that(reply.field("qualityItem")["taskType"] == 2, reply)
        hits = [hit["reviseId"] for hit in reply.field("qualityItemRuleHit")]
        check.that(hits == [dispute.result], f"results {hits}, appealed is {dispute.result}")
    with bench.check(known.item_detail.name, "tells of call and result what credit and detail tell") as check:
        reply = await bench.ask(known.item_detail.path, {"qualityItemId": dispute.item})
        call = await bench.ask(known.detail.path, {"call_uuid": bench.scratch_call})
        hit, rule = reply.field("qualityItemRuleHit")[0], await dispute.rule()
        setting = rule.get("setting") or {}
        wanted = {
            "callId": call.field("call_id"),
            "type": dispute.kind,
            "valid": _number(rule.get("valid")),
            "revise": rule["revise"],
            "ruleGroupId": dispute.scenario,
            "appealId": dispute.item,
            "ruleName": first((value for name, value in setting.items() if name.endswith("name")), "no name"),
            "ruleId": first((value for name, value in setting.items() if name.endswith("_id")), "no id"),
        }
        check.equal(hit, wanted, calls.same)
        check.equal(reply.field("qualityItem"), {"callId": call.field("call_id")}, calls.same)
    with bench.check(known.item_result.name, "answers as documented, as an object or a list") as check:
        reply = await bench.ask(known.item_result.path, {"qualityId": int(needed(dispute.item, NO_APPEAL))})
        check.done(reply)
        check.like(one_or_many(known.item_result.answer, reply.document), reply.document)
    with bench.check(known.item_result.name, "has the machine's score of credit, and its scenario") as check:
        scores, credit = await dispute.scores(), await dispute.credit()
        name, inner = (credit.get("setting") or {}).get("group_name"), scores.get("credit") or credit
        told = {**scores, "score": inner.get("score")}
        wanted = {"automaticScore": credit.get("score"), "ruleGroupName": name, "score": credit.get("score")}
        check.equal(told, wanted)
    with bench.check(known.item_result.name, "the manual score counts what was corrected already") as check:
        await manual(dispute, check)
    with bench.check(known.history.name, "answers as documented") as check:
        reply = await dispute.history(leader(bench))
        check.done(reply)
        check.like(known.history.answer, reply.document)
    with bench.check(known.history.name, "canHandle for the leader appealed to only", inferred=True) as check:
        needed(dispute.item, NO_APPEAL)
        check.that(reply.field("canHandle") is True, f"canHandle {reply.field('canHandle')}")
        agents = await dispute.history(bench.people.agent)
        check.that(agents.field("canHandle") is False, f"canHandle of the agent {agents.field('canHandle')}")
    with bench.check(known.item_detail.name, "agentIsNull: the list names nobody before") as check:
        await former(dispute, check)
    what, who = "what is not handled", leader(bench)
    await answers_truly(
        dispute, known.modify_item.name, what, lambda: dispute.correct(who, 1), corrected_to(1)
    )


async def _filters(dispute: Dispute) -> None:
    bench, interface = dispute.bench, dispute.known.query_items
    item = dispute.item
    before, after = 0, 0

    async def there(**changed: Any) -> bool:
        return item in [digits(row["id"]) for row in await dispute.rows(**changed)]

    with bench.check(interface.name, "lists a call's appeal with the call's name and day") as check:
        row = await dispute.row()
        call = await bench.ask(dispute.known.detail.path, {"call_uuid": bench.scratch_call})
        file = (row.get("setting") or {}).get("file_name")
        check.that(file == call.field("file_name"), f"file_name {file}, not {call.field('file_name')}")
        check.that(row.get("updateTimeStr", "9") >= row["createTimeStr"], f"{row}")
    with bench.check(interface.name, "taskType leaves others out") as check:
        check.that(not await there(fixedColumns={"taskType": PROBLEM}), "an appeal among the problems")
        check.that(await there(fixedColumns={"taskType": APPEAL}), "no appeal among the appeals")
    with bench.check(interface.name, "taskStatus leaves others out") as check:
        for status in STATES:
            found = await there(fixedColumns={"taskStatus": status})
            check.that(found == (status == REVIEWING), f"taskStatus {status}: it is there {found}")
    for name, mine in (("agentUserIds", bench.people.agent), ("qualityUserIds", None)):
        with bench.check(interface.name, f"{name} leaves others out") as check:
            check.that(not await there(fixedColumns={name: [calls.NOBODY]}), "an item of nobody's is there")
            if mine is not None:
                check.that(await there(fixedColumns={name: [mine]}), f"none of {mine}")
    with bench.check(interface.name, "its day is between startTimeMillis and endTimeMillis") as check:
        day = datetime.strptime(row["createTimeStr"][:10], "%Y-%m-%d").replace(tzinfo=UTC)
        before, after = (round(at.timestamp()) for at in (day - _TWO_DAYS, day + _TWO_DAYS))
        check.that(
            await there(startTimeMillis=before, endTimeMillis=after), f"none between {before}, {after}"
        )
    for name, at in (("startTimeMillis", after), ("endTimeMillis", before)):
        with bench.check(interface.name, f"{name} leaves others out") as check:
            check.that(not await there(**{name: at}), f"it is there for {at}")
    with bench.check(
        interface.name, "rows is the size of a page, pages differ, the counts are of all"
    ) as check:
        whole = await bench.ask(interface.path, {"page": 1, "rows": 1000})
        ids = [digits(row["id"]) for row in whole.field("data")]
        check.that(len(ids) == len(set(ids)) == min(1000, whole.field("total")), f"{whole}")
        one, two = [await bench.ask(interface.path, {"page": n, "rows": 1}) for n in (1, 2)]
        total = whole.field("total")
        check.equal(one.document, {"total": total, "pages": total, "pageNum": 1, "pageSize": 1})
        pair = [[digits(row["id"]) for row in reply.field("data")] for reply in (one, two)]
        check.that(len(pair[0]) == len(pair[1]) == 1 and pair[0] != pair[1], f"pages have {pair}")
    with bench.check(interface.name, "its items are about the calls that their details name") as check:
        for row in whole.field("data")[:5]:
            detail = await bench.ask(dispute.known.item_detail.path, {"qualityItemId": row["id"]})
            call = await bench.ask(dispute.known.detail.path, {"call_uuid": uuids(row)[0]})
            told = detail.field("qualityItem")["callId"]
            check.that(calls.same("id", told, call.field("call_id")), f"{row} is about call {told}")


async def _reject(dispute: Dispute) -> None:
    bench, interface = dispute.bench, dispute.known.appeal
    who = leader(bench)
    with bench.check(interface.name, "declines an auditOperation of none of back, pass, assign") as check:
        check.declined(await dispute.judge("perhaps", who, "x"))
    with bench.check(interface.name, "the agent may not judge the own appeal", inferred=True) as check:
        check.declined(await dispute.judge("back", bench.people.agent, "x"))
    with bench.check(interface.name, "the leader sends it back, code 0410000") as check:
        reply = await dispute.judge("back", who, f"{bench.name}-back", callId=bench.scratch_call)
        check.done(reply, interface.code)
        check.that(await dispute.state() != REVIEWING, "it is still found by taskStatus 21")
    with bench.check(interface.name, "which completes it (taskStatus 22)", inferred=True) as check:
        check.that(await dispute.state() == COMPLETED, "it is not completed")
    await remembered(dispute, f"{bench.name}-back")
    with bench.check(dispute.known.item_detail.name, "agentIsNull: the list names who was before") as check:
        await former(dispute, check)


async def _pass(dispute: Dispute) -> None:
    """Pass an appeal until it is completed, with the disputed result corrected on the way."""
    bench, known = dispute.bench, dispute.known
    wanted = 0
    with bench.check(
        known.modify_item.name, "corrects the result; it is so once the appeal is completed"
    ) as check:
        wanted = 0 if (await dispute.rule())["revise"] == 1 else 1
        corrected = False
        for step in range(_MOST_STEPS):
            state = await dispute.state()
            if state == COMPLETED:
                break
            if state != REVIEWING and not corrected:
                user = await _handed_over(dispute)
                check.done(await dispute.correct(user, wanted), known.modify_item.code)
                corrected = True
            user, may = await _on_turn(dispute)
            reply = await dispute.judge("pass", user, f"{bench.name}-{step}", callId=bench.scratch_call)
            check.done(reply, known.appeal.code)
            check.that(may, f"canHandle of {user} was false, and their decision is taken")
        needed(corrected or None, "the appeal was completed before anybody could correct a result")
        check.that(await dispute.state() == COMPLETED, "it is not completed by those who may decide")
        for told in (await dispute.hit(), await dispute.rule()):
            check.that(told["revise"] == wanted, f"revise is {told['revise']} in {told}")
    with bench.check(known.item_result.name, "the manual score counts the correction") as check:
        await manual(dispute, check)
    await remembered(dispute, f"{bench.name}-0")


async def _on_turn(dispute: Dispute) -> tuple[str | None, bool]:
    """Somebody who may decide by canHandle; where nobody may, the agent's leader."""
    people = dispute.bench.people
    for user in (
        people.inspector,
        people.leader,
        people.director,
        people.table_leader,
        people.table_director,
    ):
        if user is not None and (await dispute.history(user)).field("canHandle") is True:
            return user, True
    return leader(dispute.bench), False


async def _handed_over(dispute: Dispute) -> str | None:
    """Reassign the appeal to an inspector or their leader, whoever may have it; who handles it then."""
    bench, interface = dispute.bench, dispute.known.reassign
    handler: str | None = None
    with bench.check(interface.name, "gives it another handler, who may decide then") as check:
        for candidate in (bench.people.inspector, bench.people.leader):
            if candidate is None:
                continue
            before = (await dispute.history(candidate)).field("canHandle"), len(await dispute.reassigned())
            body = {"qualityTaskInfoId": dispute.item, "handler": candidate, "role": "qualityDirector"}
            reply = await bench.ask(interface.path, body)
            if not reply.ok:
                continue
            check.done(reply, interface.code)
            after = (await dispute.history(candidate)).field("canHandle"), len(await dispute.reassigned())
            handler = candidate
            check.that(after[0] is True, f"canHandle of the handler is {after[0]}")
            check.that(before != after, "neither may they more than before, nor does the history tell of it")
            break
        needed(handler, "neither the inspector nor their leader can be the handler")
    with bench.check(dispute.known.history.name, "tells of the new handler in assignHistoryList") as check:
        given = needed(handler, "nobody was given it")
        changes = await dispute.reassigned()
        check.that(given in [one.get("newHandler") for one in changes], f"{given} is not in {changes}")
    return handler or bench.people.director


async def _closed(dispute: Dispute) -> None:
    """What may be asked of a completed appeal."""
    bench, known = dispute.bench, dispute.known
    other = bench.people.leader or bench.people.director
    opposite = 1
    with bench.check(known.history.name, "nobody may decide what is completed", inferred=True) as check:
        opposite = 0 if (await dispute.rule())["revise"] == 1 else 1
        check.that((await dispute.history()).field("canHandle") is False, "canHandle of the director is true")
    body = {"qualityTaskInfoId": dispute.item, "handler": other, "role": "qualityDirector"}
    for interface, ask, done in (
        (known.appeal, lambda: dispute.judge("pass", "", "late"), decided),
        (known.reassign, lambda: bench.ask(known.reassign.path, body), reassigned),
        (known.modify_item, lambda: dispute.correct("", opposite), corrected_to(opposite)),
    ):
        await answers_truly(dispute, interface.name, "what is completed", ask, done)


def _number(valid: Any) -> int:
    return -1 if valid is None else int(valid)
