"""Appeals and problems, and their histories. What changes one holds its row (`find(lock=True)`)."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert as upsert

from sottovoce.domain.appeals import (
    AppealSight,
    AppealState,
    AppealStep,
    Involved,
    Kind,
    ListedItem,
    QualityItem,
    Trace,
    WantedItems,
)
from sottovoce.domain.directory import AgentId, VdnId
from sottovoce.domain.people import GroupSide, ReviewId, Role, UserId
from sottovoce.domain.reviews import ItemState
from sottovoce.storage.review.results import drafted
from sottovoce.storage.rows import Row, Where, between, columns_of, given, value_of
from sottovoce.storage.tables import (
    contacts,
    group_members,
    quality_item_hits,
    quality_item_steps,
    quality_items,
    review_items,
    revisions,
    rule_results,
    user_groups,
    users,
)
from sottovoce.storage.tables.schema import ID
from sottovoce.storage.work import Work

_ITEM, _STEP, _HIT = quality_items.c, quality_item_steps.c, quality_item_hits.c
_VIOLATED = 0


async def insert(work: Work, item: QualityItem, results: Sequence[str]) -> bool:
    """Put down a new item about these results. False: the agent has an open appeal on that call already.

    Two who file at once wait for each other; one gets False.
    """
    made = (
        upsert(quality_items)
        .values({"vdn": work.vdn, "quality_item": item.item, **_columns(item)})
        .on_conflict_do_nothing(
            index_elements=["vdn", "contact", "agent"],
            index_where=sa.text("kind = 'appeal' AND state <> 'completed'"),
        )
        .returning(_ITEM.quality_item)
    )
    if (await work.connection.execute(made)).first() is None:
        return False
    if results:
        rows = [{"vdn": work.vdn, "quality_item": item.item, "result": result} for result in results]
        await work.connection.execute(sa.insert(quality_item_hits), rows)
    return True


async def find(work: Work, item: ReviewId, *, lock: bool = False) -> QualityItem | None:
    """An item of the tenant. With `lock`, nobody else changes it until the transaction ends."""
    query = sa.select(quality_items).where(_is(work.vdn, item))
    row = (await work.connection.execute(query.with_for_update() if lock else query)).mappings().first()
    return None if row is None else _item_of(row)


async def open_about(work: Work, contact: int) -> list[str]:
    """The open items about a contact, each as its kind and its id."""
    query = sa.select(_ITEM.kind, _ITEM.quality_item).where(
        _ITEM.vdn == work.vdn, _ITEM.contact == contact, _ITEM.state != AppealState.COMPLETED.value
    )
    rows = await work.connection.execute(query.order_by(_ITEM.quality_item))
    return [f"the {kind} {item}" for kind, item in rows]


async def save(work: Work, item: QualityItem) -> None:
    """Write an item that the caller has locked."""
    await work.connection.execute(
        sa.update(quality_items).where(_is(work.vdn, item.item)).values(_columns(item))
    )


async def add_step(work: Work, item: QualityItem, step: AppealStep, remark: str) -> int:
    """Add a line to the history of an item that the caller has locked or just put down; its number."""
    last = sa.select(sa.func.coalesce(sa.func.max(_STEP.number), 0)).where(
        _STEP.vdn == work.vdn, _STEP.quality_item == item.item
    )
    row = {
        "vdn": work.vdn,
        "quality_item": item.item,
        "number": last.scalar_subquery() + 1,
        "at": item.updated_at,
        "user": work.user,
        "action": step.value,
        "state": item.state.value,
        "handler": item.handler,
        "remark": remark,
    }
    added = sa.insert(quality_item_steps).values(row).returning(_STEP.number)
    return int((await work.connection.execute(added)).scalar_one())


async def last_step(work: Work, item: ReviewId) -> int:
    """The number of the last line of an item's history."""
    query = sa.select(sa.func.max(_STEP.number)).where(_STEP.vdn == work.vdn, _STEP.quality_item == item)
    return (await work.connection.execute(query)).scalar() or 0


async def steps(work: Work, item: ReviewId) -> list[Trace]:
    """The history of an item, in order."""
    query = (
        sa.select(quality_item_steps)
        .where(_STEP.vdn == work.vdn, _STEP.quality_item == item)
        .order_by(_STEP.number)
    )
    return [
        value_of(Trace, row, step=AppealStep(row["action"]))
        for row in (await work.connection.execute(query)).mappings()
    ]


async def hits(work: Work, item: ReviewId) -> list[str]:
    """The rule results that an item is about."""
    query = (
        sa.select(_HIT.result).where(_HIT.vdn == work.vdn, _HIT.quality_item == item).order_by(_HIT.result)
    )
    return list((await work.connection.execute(query)).scalars())


async def settled(work: Work, item: ReviewId) -> dict[str, tuple[ReviewId, Kind, bool]]:
    """Its results that other completed items decided: which one, its kind, and what that concluded."""
    by = quality_items.alias()
    query = (
        sa.select(_HIT.result, by.c.quality_item, by.c.kind, by.c.passed)
        .join(by, (by.c.vdn == _HIT.vdn) & (by.c.quality_item == _HIT.settled_by))
        .where(_HIT.vdn == work.vdn, _HIT.quality_item == item)
    )
    return {
        result: (ReviewId(other), Kind(kind), bool(passed))
        for result, other, kind, passed in await work.connection.execute(query)
    }


async def shares(work: Work, item: QualityItem) -> list[ReviewId]:
    """The other open items that are about results of this one which nothing decided yet."""
    query = _shared(work, item).with_only_columns(_HIT.quality_item).distinct().order_by(_HIT.quality_item)
    return [ReviewId(other) for other in (await work.connection.execute(query)).scalars()]


async def settle(work: Work, item: QualityItem) -> dict[ReviewId, list[str]]:
    """Mark a completed item's results as decided in other open items: which, by those."""
    shared = _shared(work, item).subquery()
    marked = (
        sa.update(quality_item_hits)
        .where(
            _HIT.vdn == work.vdn,
            _HIT.quality_item == shared.c.quality_item,
            _HIT.result == shared.c.result,
        )
        .values(settled_by=item.item)
        .returning(_HIT.quality_item, _HIT.result)
    )
    found: dict[ReviewId, list[str]] = {}
    for other, result in sorted(await work.connection.execute(marked)):
        found.setdefault(ReviewId(other), []).append(result)
    return found


def _shared(work: Work, item: QualityItem) -> sa.Select[Any]:
    own = quality_item_hits.alias()
    return (
        sa.select(_HIT.quality_item, _HIT.result)
        .join(quality_items, (_ITEM.vdn == _HIT.vdn) & (_ITEM.quality_item == _HIT.quality_item))
        .join(own, (own.c.vdn == _HIT.vdn) & (own.c.result == _HIT.result))
        .where(
            _HIT.vdn == work.vdn,
            _HIT.settled_by.is_(None),
            _ITEM.quality_item != item.item,
            _ITEM.state != AppealState.COMPLETED.value,
            own.c.quality_item == item.item,
            own.c.settled_by.is_(None),
        )
    )


async def seen(work: Work, item: ReviewId, sight: AppealSight) -> bool:
    """Whether it is the tenant's and within that sight."""
    query = sa.select(_ITEM.quality_item).where(_is(work.vdn, item), _within(sight))
    return (await work.connection.execute(query)).first() is not None


async def listed(
    work: Work, wanted: WantedItems, sight: AppealSight, *, page: int, rows: int
) -> tuple[int, list[ListedItem]]:
    """How many there are within that sight, and one page of them, the latest first; pages count from 1."""
    where = (_ITEM.vdn == work.vdn, _within(sight), *_conditions(work.vdn, wanted))
    total = (await work.connection.execute(sa.select(sa.func.count()).where(*where))).scalar_one()
    chosen = (
        sa.select(quality_items)
        .where(*where)
        .order_by(_ITEM.created_at.desc(), _ITEM.quality_item.desc())
        .limit(rows)
        .offset((page - 1) * rows)
        .subquery()
    )
    query = (
        sa.select(chosen, contacts.c.uuid, contacts.c.file_name)
        .outerjoin(contacts, (contacts.c.vdn == chosen.c.vdn) & (contacts.c.contact == chosen.c.contact))
        .order_by(chosen.c.created_at.desc(), chosen.c.quality_item.desc())
    )
    found = (await work.connection.execute(query)).mappings()
    return total, [ListedItem(_item_of(row), str(row["uuid"] or ""), row["file_name"] or "") for row in found]


async def names(work: Work, people: Collection[UserId | None]) -> dict[UserId, str]:
    """The names of users of the tenant, disabled ones too."""
    wanted = {one for one in people if one is not None}
    if not wanted:
        return {}
    query = sa.select(users.c.user, users.c.name).where(users.c.vdn == work.vdn, users.c.user.in_(wanted))
    return {UserId(user): name for user, name in await work.connection.execute(query)}


async def involved(work: Work, item: QualityItem) -> Involved:
    """Who gave the results that an item is about, and who handled it."""
    inspected = sa.select(review_items.c.inspector).where(
        review_items.c.vdn == work.vdn,
        review_items.c.contact == item.contact,
        review_items.c.state == ItemState.DONE.value,
    )
    completed = sa.exists().where(
        _ITEM.vdn == revisions.c.vdn,
        _ITEM.quality_item == revisions.c.quality_item,
        _ITEM.state == AppealState.COMPLETED.value,
    )
    done = drafted(review_items.c.state == ItemState.DONE.value)
    counts = revisions.c.draft.is_(None) | done | completed
    revised = (
        sa.select(revisions.c.user)
        .join(quality_item_hits, (_HIT.vdn == revisions.c.vdn) & (_HIT.result == revisions.c.result))
        .where(
            _HIT.vdn == work.vdn,
            _HIT.quality_item == item.item,
            revisions.c.quality_item.is_distinct_from(sa.literal(item.item, ID)),
            counts,
        )
    )
    found = (await work.connection.execute(sa.union(inspected, revised))).scalars()
    givers = {UserId(user) for user in found if user is not None}
    if item.inspector is not None:
        givers.add(item.inspector)
    traces = await steps(work, item.item)
    before = [None, *(trace.state for trace in traces)]
    handled = {
        trace.user
        for trace, state in zip(traces, before, strict=False)
        if state is AppealState.HANDLING and trace.step not in (AppealStep.ASSIGN, AppealStep.SETTLE)
    }
    return Involved(frozenset(givers), frozenset(handled))


async def corrected(work: Work, item: ReviewId) -> list[str]:
    """The results that revisions within an item leave violated where they were not before, or the reverse.

    Its drafts, or what counts of it since it was completed; those of other items are no matter.
    """
    query = (
        sa.select(
            _HIT.result,
            rule_results.c.valid,
            revisions.c.revise,
            (revisions.c.quality_item == item).is_(True).label("within"),
        )
        .join(rule_results, (rule_results.c.vdn == _HIT.vdn) & (rule_results.c.result == _HIT.result))
        .join(revisions, (revisions.c.vdn == _HIT.vdn) & (revisions.c.result == _HIT.result))
        .where(
            _HIT.vdn == work.vdn,
            _HIT.quality_item == item,
            revisions.c.draft.is_(None) | (revisions.c.quality_item == item),
        )
        .order_by(_HIT.result, revisions.c.version)
    )
    before: dict[str, bool] = {}
    within: dict[str, bool] = {}
    for row in (await work.connection.execute(query)).mappings():
        result = row["result"]
        before.setdefault(result, row["valid"] == _VIOLATED)
        if row["within"]:
            within[result] = row["revise"] == _VIOLATED
        elif result not in within:
            before[result] = row["revise"] == _VIOLATED
    return [result for result, violated in within.items() if violated is not before[result]]


async def last_review(work: Work, contact: int) -> tuple[ReviewId, UserId] | None:
    """The item of a review task in which the call was inspected last, and who did; None: never."""
    query = (
        sa.select(review_items.c.item, review_items.c.inspector)
        .where(
            review_items.c.vdn == work.vdn,
            review_items.c.contact == contact,
            review_items.c.state == ItemState.DONE.value,
            review_items.c.inspector.is_not(None),
        )
        .order_by(review_items.c.ended_at.desc(), review_items.c.item.desc())
        .limit(1)
    )
    row = (await work.connection.execute(query)).first()
    return None if row is None else (ReviewId(row.item), UserId(row.inspector))


async def leader_of(work: Work, agent: AgentId) -> UserId | None:
    """The table leader who answers for an agent (`users.led`); of several the one with the lowest id."""
    led, leading = group_members.alias(), users.alias()
    query = (
        sa.select(sa.func.min(leading.c.user))
        .select_from(users)
        .join(led, (led.c.vdn == users.c.vdn) & (led.c.user == users.c.user))
        .join(user_groups, (user_groups.c.vdn == led.c.vdn) & (user_groups.c.name == led.c.name))
        .join(group_members, (group_members.c.vdn == led.c.vdn) & (group_members.c.name == led.c.name))
        .join(leading, leading.c.user == group_members.c.user)
        .where(
            users.c.vdn == work.vdn,
            users.c.agent == agent,
            user_groups.c.side == GroupSide.TABLE.value,
            group_members.c.leads,
            ~group_members.c.inspects,
            leading.c.user != users.c.user,
            leading.c.disabled_at.is_(None),
            leading.c.roles.contains([Role.TABLE_LEADER.value]),
        )
    )
    found: UserId | None = (await work.connection.execute(query)).scalar()
    return found


def _conditions(vdn: VdnId, wanted: WantedItems) -> list[Where]:
    where = [
        *given(wanted.kind, lambda kind: _ITEM.kind == kind.value),
        *given(wanted.state, lambda state: _ITEM.state == state.value),
        *between(_ITEM.created_at, wanted.created_from, wanted.created_until),
    ]
    if wanted.agents:
        theirs = sa.select(users.c.agent).where(users.c.vdn == int(vdn), users.c.user.in_(wanted.agents))
        where.append(_ITEM.agent.in_(theirs))
    if wanted.inspectors:
        where.append(_ITEM.inspector.in_(wanted.inspectors) | _ITEM.handler.in_(wanted.inspectors))
    return where


def _within(sight: AppealSight) -> Where:
    if sight.everything:
        return sa.true()
    reached: list[Where] = [sa.false()]
    if sight.people:
        did = (
            sa.select(_STEP.number)
            .where(
                _STEP.vdn == _ITEM.vdn,
                _STEP.quality_item == _ITEM.quality_item,
                _STEP.user.in_(sight.people),
            )
            .exists()
        )
        reached += [_ITEM.handler.in_(sight.people), _ITEM.inspector.in_(sight.people), did]
    if sight.agents:
        reached.append(_ITEM.agent.in_(sight.agents))
    if sight.pool:
        states = [state.value for state in sight.pool]
        reached.append(_ITEM.handler.is_(None) & _ITEM.state.in_(states))
    return sa.or_(*reached)


def _is(vdn: VdnId, item: ReviewId) -> Where:
    return (_ITEM.vdn == int(vdn)) & (_ITEM.quality_item == item)


def _columns(item: QualityItem) -> dict[str, Any]:
    return columns_of(item, "item")


def _item_of(row: Row) -> QualityItem:
    return value_of(QualityItem, row, item=ReviewId(row["quality_item"]))
