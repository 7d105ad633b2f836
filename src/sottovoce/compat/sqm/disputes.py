"""An appeal under way: what is disputed, how it is read, and whether an answer about it is so."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sottovoce.compat.bench import Bench, Check, Wrong, first, needed
from sottovoce.compat.sqm.catalogue import Interfaces
from sottovoce.compat.sqm.requests import digits
from sottovoce.compat.sqm.results import complies, credits_of, rules_of, scenario_of
from sottovoce.compat.wire import Reply

NO_SCRATCH = "needs --scratch-call: a call of the agent with rule results"
NO_APPEAL = "no appeal could be made"
APPEAL, PROBLEM = "2", "1"
REVIEWING, COMPLETED, _HANDLING, _VERIFYING = 21, 22, 24, 27
STATES = (REVIEWING, _HANDLING, _VERIFYING, COMPLETED)


@dataclass(slots=True)
class Dispute:
    """The result that is disputed, and the appeal that is under way."""

    bench: Bench
    known: Interfaces
    result: str = ""
    scenario: str = ""
    kind: int = 0
    """The rule type, 3.2."""
    item: str | None = None

    async def credit(self) -> Mapping[str, Any]:
        """What the disputed scenario gave the call."""
        for one in await credits_of(self.bench, self.known, str(self.bench.scratch_call)):
            if scenario_of(one) == self.scenario:
                return one
        raise Wrong(f"credit has no {self.scenario}")

    async def rule(self) -> Mapping[str, Any]:
        """The disputed result."""
        for _, rule in rules_of(await self.credit()):
            if rule["revise_id"] == self.result:
                return rule
        raise Wrong(f"credit has no {self.result}")

    async def listed(self, status: int | None = None, **columns: Any) -> list[Mapping[str, Any]]:
        """The appeals of the call that a filter keeps."""
        wanted = {"taskType": APPEAL} | ({} if status is None else {"taskStatus": status})
        return await self.rows(fixedColumns=wanted | columns)

    async def rows(self, **changed: Any) -> list[Mapping[str, Any]]:
        """The problems and appeals of the call that a request lists. Wrong if it is declined."""
        reply = await self.bench.ask(self.known.query_items.path, {"page": 1, "rows": 1000, **changed})
        if not reply.ok or not isinstance(reply.field("data"), list):
            raise Wrong(str(reply))
        return [row for row in reply.field("data") if self.bench.scratch_call in uuids(row)]

    async def row(self) -> Mapping[str, Any]:
        """The appeal as it is listed."""
        mine = [row for row in await self.listed() if digits(row["id"]) == self.item]
        return first(mine, f"appeal {self.item} is not listed")

    async def state(self) -> int | None:
        """The status by which the appeal is found. Wrong if by several or none."""
        found = [one for one in STATES if self.item in [digits(row["id"]) for row in await self.listed(one)]]
        if len(found) != 1:
            raise Wrong(f"the appeal is found by taskStatus {found or 'none'}")
        return found[0]

    async def history(self, user: str | None = "") -> Reply:
        """Its history, as the director or somebody else sees it."""
        body = {"qualityTaskInfoId": needed(self.item, NO_APPEAL)}
        return await self.bench.ask(self.known.history.path, body, user=user)

    async def nodes(self) -> list[Mapping[str, Any]]:
        """The nodes of its history."""
        return list((await self.history()).field("workflowNodeList") or ())

    async def reassigned(self) -> list[Mapping[str, Any]]:
        """All changes of handlers in its history."""
        return [change for node in await self.nodes() for change in node.get("assignHistoryList") or ()]

    async def hit(self) -> Mapping[str, Any]:
        """The disputed result as the appeal shows it."""
        body = {"qualityItemId": needed(self.item, NO_APPEAL)}
        reply = await self.bench.ask(self.known.item_detail.path, body)
        hits = reply.field("qualityItemRuleHit")
        return first((one for one in hits if one["reviseId"] == self.result), f"no {self.result} in {reply}")

    async def scores(self) -> Mapping[str, Any]:
        """What the appeal shows of the disputed scenario's scores."""
        body = {"qualityId": needed(self.item, NO_APPEAL)}
        reply = await self.bench.ask(self.known.item_result.path, body)
        found = reply.document if isinstance(reply.document, list) else [reply.document]
        mine = (one for one in found if str(one.get("ruleGroupId")) == self.scenario)
        return first(mine, f"no {self.scenario} in {reply}")

    async def judge(self, operation: str, user: str | None, remark: str, **more: Any) -> Reply:
        """Pass, send back or assign."""
        body = {"taskInfoId": needed(self.item, NO_APPEAL), "auditOperation": operation, "coment": remark}
        return await self.bench.ask(self.known.appeal.path, body | more, user=user)

    async def correct(self, user: str | None, revise: int) -> Reply:
        """Correct the disputed result within the appeal."""
        body = {
            **self.known.modify_item.example,
            "qualityItemId": needed(self.item, NO_APPEAL),
            "ruleType": self.kind,
            "uuid": self.bench.scratch_call,
            "ruleInfo": {"description": self.bench.name, "revise": revise, "reviseId": self.result},
        }
        return await self.bench.ask(self.known.modify_item.path, body, user=user)


@dataclass(frozen=True, slots=True)
class Seen:
    """An appeal at a moment."""

    nodes: list[Mapping[str, Any]]
    reassigned: int
    revise: Any


async def seen(dispute: Dispute) -> Seen:
    """It as it is now."""
    changes = await dispute.reassigned()
    return Seen(await dispute.nodes(), len(changes), (await dispute.hit())["revise"])


def decided(before: Seen, after: Seen) -> bool:
    """Whether a decision was added."""
    return len(after.nodes) > len(before.nodes)


def reassigned(before: Seen, after: Seen) -> bool:
    """Whether it has got another handler."""
    return after.reassigned > before.reassigned


def corrected_to(revise: int) -> Callable[[Seen, Seen], bool]:
    """Whether the disputed result is corrected so."""
    return lambda before, after: after.revise == revise


async def answers_truly(
    dispute: Dispute,
    interface: str,
    what: str,
    ask: Callable[[], Any],
    done: Callable[[Seen, Seen], bool],
) -> None:
    """A request in a state that may not allow it: a success is one only where it was done."""
    reply: Reply | None = None
    with dispute.bench.check(interface, f"{what}: what it answers is so") as check:
        before = await seen(dispute)
        reply = await ask()
        after = await seen(dispute)
        if reply.ok:
            check.that(done(before, after), f"{reply}, but it was not done")
        else:
            check.that(before == after, f"{reply}, but it has changed: {after}")
    with dispute.bench.check(interface, f"declines {what}", inferred=True) as check:
        check.declined(needed(reply, "it could not be asked"))


async def remembered(dispute: Dispute, remark: str) -> None:
    """Check that the history has the decision with that remark."""
    with dispute.bench.check(dispute.known.history.name, "has what was decided, with its remark") as check:
        nodes = await dispute.nodes()
        found = [node for node in nodes if node.get("remark") == remark]
        check.that(len(found) == 1, f"no node of {remark}: {nodes}")
        check.that(bool(found[0].get("handler")) and bool(found[0].get("conclusion")), f"{found[0]}")


async def former(dispute: Dispute, check: Check) -> None:
    """agentIsNull and agentName are about the handler of the node before."""
    reply = await dispute.bench.ask(dispute.known.item_detail.path, {"qualityItemId": dispute.item})
    row = await dispute.row()
    told, name = reply.field("agentIsNull"), row.get("agentName")
    check.that(told is None or told == (not name), f"agentIsNull {told}, agentName {name}")


async def manual(dispute: Dispute, check: Check) -> None:
    """A violation that costs points, corrected, gives the manual score more than the machine's."""
    scores, credit = await dispute.scores(), await dispute.credit()
    found = [rule for _, rule in rules_of(credit)]
    gained = [rule for rule in found if rule.get("valid") is False and complies(rule) and rule.get("score")]
    lost = [rule for rule in found if rule.get("valid") is True and complies(rule) is False]
    machine, manual = scores.get("automaticScore"), scores.get("manuallyScore")
    if not gained and not lost:
        check.that(manual is None or manual == machine, f"nothing is corrected: {manual}, not {machine}")
        return
    needed((gained and not lost and machine) or None, "how the corrections change the score is not told")
    check.that(
        manual is not None and manual > machine, f"{len(gained)} corrected: {manual}, not over {machine}"
    )


async def end(dispute: Dispute) -> None:
    """End the appeal, if it is not ended."""
    for row in await dispute.listed(REVIEWING):
        body = {"taskInfoId": digits(row["id"]), "auditOperation": "back", "coment": dispute.bench.name}
        reply = await dispute.bench.ask(dispute.known.appeal.path, body, user=leader(dispute.bench))
        if not reply.ok:
            raise Wrong(str(reply))


def uuids(row: Mapping[str, Any]) -> list[Any]:
    """Of the calls that an item is about."""
    return [call.get("call_uuid") for call in row.get("calls") or ()]


def leader(bench: Bench) -> str | None:
    """To whom the agent appeals."""
    return bench.people.table_leader or bench.people.table_director
