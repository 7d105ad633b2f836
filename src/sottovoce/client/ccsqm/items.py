"""Problems and appeals on their way: `qualityitem/` [2516-2522]."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sottovoce.client.ccsqm.calls import ScenarioScore, scenario_score
from sottovoce.client.ccsqm.connection import Operator
from sottovoce.client.ccsqm.fields import Fields, seconds_of
from sottovoce.client.ccsqm.vocabulary import ROLES, ItemKind, ItemStatus, Judgement
from sottovoce.domain.people import Role
from sottovoce.domain.scoring import RuleKind


@dataclass(frozen=True, slots=True)
class QualityItem:
    """A problem or an appeal as listed; kinds and states by their names there, dates as texts."""

    item: str
    kind: str
    status: str
    handler: str
    former_handler: str
    inspector: str
    reviewer: str
    initiator: str
    call_uuids: tuple[str, ...]
    created: str
    updated: str
    file_name: str


@dataclass(frozen=True, slots=True)
class QualityItemPage:
    """One page of a list of quality items; `total` counts those of all `pages`."""

    total: int
    pages: int
    items: tuple[QualityItem, ...]


@dataclass(frozen=True, slots=True)
class RuleHit:
    """A rule's result in an item. `valid` and `revised`: 1 compliant, 0 violation, -1 neither."""

    hit: str
    rule: str
    name: str
    kind: int
    valid: int
    revised: int
    result: str
    scenario: str
    remark: str
    updated_at: datetime | None


@dataclass(frozen=True, slots=True)
class QualityItemDetail:
    """An item with the rule results it is about."""

    title: str
    call: str
    kind: int
    hits: tuple[RuleHit, ...]
    first_node: bool
    """Nobody handled it before."""


@dataclass(frozen=True, slots=True)
class ItemScore:
    """Both scores of an item's call by one scenario."""

    scenario: str
    name: str
    machine: float | None
    manual: float | None
    reasons: ScenarioScore | None


@dataclass(frozen=True, slots=True)
class Reassignment:
    """A handler who was exchanged."""

    by: str
    before: str
    after: str
    at: str


@dataclass(frozen=True, slots=True)
class Node:
    """A step of an item's way; `at` is a text, or milliseconds as one."""

    node: str
    name: str
    handler: str
    conclusion: str
    remark: str
    at: str
    reassigned: tuple[Reassignment, ...]


@dataclass(frozen=True, slots=True)
class QualityHistory:
    """An item's way, and what the caller may do now."""

    nodes: tuple[Node, ...]
    may_handle: bool
    may_assign: bool
    may_reassign: bool


@dataclass(frozen=True, slots=True)
class QualityItems:
    """The interfaces of `qualityitem/`. Every method raises QualityFailure."""

    _operator: Operator

    async def query(
        self,
        *,
        kind: ItemKind | None = None,
        status: ItemStatus | None = None,
        agents: Sequence[str] = (),
        inspectors: Sequence[str] = (),
        since: datetime | None = None,
        until: datetime | None = None,
        page: int = 1,
        rows: int = 100,
    ) -> QualityItemPage:
        """Items; times are sent in seconds, whatever their fields are called."""
        answer = await self._operator.fields(
            "qualityitem/queryQualityItem",
            {
                "fixedColumns": {
                    "agentUserIds": list(agents) or None,
                    "qualityUserIds": list(inspectors) or None,
                    "taskType": None if kind is None else str(int(kind)),
                    "taskStatus": None if status is None else int(status),
                },
                "startTimeMillis": seconds_of(since),
                "endTimeMillis": seconds_of(until),
                "page": page,
                "rows": rows,
            },
        )
        items = tuple(_item(row) for row in answer.each("data"))
        return QualityItemPage(answer.whole("total"), answer.whole("pages"), items)

    async def detail(self, item: str) -> QualityItemDetail:
        """One item with its rule hits."""
        answer = await self._operator.fields("qualityitem/queryQualityItemDetail", {"qualityItemId": item})
        about = answer.part("qualityItem")
        return QualityItemDetail(
            title=answer.text("title"),
            call=about.id("callId"),
            kind=about.whole("taskType"),
            hits=tuple(_hit(row) for row in answer.each("qualityItemRuleHit")),
            first_node=answer.flag("agentIsNull"),
        )

    async def scores(self, item: str) -> tuple[ItemScore, ...]:
        """Machine and manual scores; an object by the page's table, a list by its example [2521]."""
        path = "qualityitem/queryQualityItemResult"
        answer = await self._operator.ask(path, {"qualityId": item})
        rows = [Fields.of(one, path) for one in (answer if isinstance(answer, list) else [answer])]
        return tuple(
            ItemScore(
                scenario=row.text("ruleGroupId"),
                name=row.text("ruleGroupName"),
                machine=row.number("automaticScore"),
                manual=row.number("manuallyScore"),
                reasons=scenario_score(row.part("credit")) if row.content.get("credit") else None,
            )
            for row in rows
        )

    async def history(self, item: str) -> QualityHistory:
        """What happened to an item."""
        answer = await self._operator.fields("qualityitem/queryQualityHistory", {"qualityTaskInfoId": item})
        return QualityHistory(
            nodes=tuple(_node(row) for row in answer.each("workflowNodeList")),
            may_handle=answer.flag("canHandle"),
            may_assign=answer.flag("showAssgin"),
            may_reassign=answer.flag("showReassgin"),
        )

    async def revise(
        self,
        item: str,
        uuid: str,
        result: str,
        *,
        compliant: bool,
        kind: RuleKind,
        remark: str,
        item_kind: ItemKind = ItemKind.APPEAL,
    ) -> None:
        """Correct one rule's result inside an item."""
        await self._operator.ask(
            "qualityitem/modifyQualityItemResult",
            {
                "qualityItemId": item,
                "qualityItemType": int(item_kind),
                "isGroup": False,
                "ruleType": int(kind),
                "uuid": uuid,
                "ruleInfo": {"reviseId": result, "revise": int(compliant), "description": remark},
            },
        )

    async def judge(
        self,
        item: str,
        judgement: Judgement,
        remark: str,
        *,
        uuid: str | None = None,
        assignee: str | None = None,
        role: str | None = None,
    ) -> None:
        """Send back, pass, or hand on to `assignee` [2518]."""
        await self._operator.ask(
            "qualityitem/appealItem",
            {
                "taskInfoId": item,
                "auditOperation": judgement.value,
                "coment": remark,
                "callId": uuid,
                "assignee": assignee,
                "role": role,
            },
        )

    async def reassign(self, item: str, handler: str, *, role: Role | None = None) -> None:
        """Give an item to another handler."""
        await self._operator.ask(
            "qualityitem/reassginQualityTask",
            {
                "qualityTaskInfoId": item,
                "handler": handler,
                "role": None if role is None else ROLES[role],
            },
        )


def _item(row: Fields) -> QualityItem:
    return QualityItem(
        item=row.id("id"),
        kind=row.text("taskTypeName"),
        status=row.text("taskStatusName"),
        handler=row.text("taskOperatorName"),
        former_handler=row.text("agentName"),
        inspector=row.text("inspectorName"),
        reviewer=row.text("reviewingOfficerName"),
        initiator=row.text("initiatorName"),
        call_uuids=tuple(call.text("call_uuid") for call in row.each("calls")),
        created=row.text("createTimeStr"),
        updated=row.text("updateTimeStr"),
        file_name=row.part("setting").text("file_name"),
    )


def _hit(row: Fields) -> RuleHit:
    return RuleHit(
        hit=row.id("id"),
        rule=row.id("ruleId"),
        name=row.text("ruleName"),
        kind=row.whole("type"),
        valid=row.whole("valid", -1),
        revised=row.whole("revise", -1),
        result=row.text("reviseId"),
        scenario=row.text("ruleGroupId"),
        remark=row.text("description"),
        updated_at=row.seconds("updateTime"),
    )


def _node(row: Fields) -> Node:
    return Node(
        node=row.text("nodeId"),
        name=row.text("nodeName"),
        handler=row.text("handler"),
        conclusion=row.text("conclusion"),
        remark=row.text("remark"),
        at=row.text("createTime"),
        reassigned=tuple(
            Reassignment(
                by=change.text("assignee"),
                before=change.text("originalHandler"),
                after=change.text("newHandler"),
                at=change.text("assignTime"),
            )
            for change in row.each("assignHistoryList")
        ),
    )
