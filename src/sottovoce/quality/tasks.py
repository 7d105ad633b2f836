"""Review tasks: created, changed, appointed, put into effect, handed over, terminated, deleted [2504-2510].

Each is one transaction that holds the task's row; it changes task and items together, and writes the
task's history and the audit with them. That a sample is begun is put down before, on its own.

Unless said otherwise, all decline with NOT_FOUND (unknown, another tenant's, deleted, or not the
caller's), WRONG_STATE, LOST_RACE (the state became a wrong one while the caller waited), NO_RIGHT.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sottovoce.domain.directory import AgentId
from sottovoce.domain.people import SERVER, ReviewId, User, UserId
from sottovoce.domain.reviews import (
    INSPECTING,
    SHOWN,
    Item,
    ItemAction,
    ItemState,
    Shares,
    Task,
    TaskAction,
    TaskOrder,
    TaskState,
    bad_share,
    deal,
    follow,
    follow_item,
    no_task,
)
from sottovoce.domain.rights import Scope
from sottovoce.domain.sampling import Conditions
from sottovoce.errors import Code, Refused
from sottovoce.plain import to_plain
from sottovoce.quality import sampling
from sottovoce.quality.access import Reach
from sottovoce.quality.office import Office
from sottovoce.storage.review import draws, fresh, ids, staffing, tasks, users
from sottovoce.storage.work import Work


async def agents_of(work: Work, staff: Sequence[UserId]) -> tuple[AgentId, ...]:
    """The work numbers of users, ascending. Refused(BAD_PARAMETER)."""
    if not staff:
        return ()
    found = await staffing.agents_of(work, staff)
    for place, user in enumerate(staff):
        if user not in found:
            raise Refused(Code.BAD_PARAMETER, "is no agent of this tenant", field=f"agents.{place}")
    return tuple(sorted(set(found.values())))


async def check_people(work: Work, reach: Reach, shares: Shares) -> None:
    """Make sure that everybody in `shares` inspects for the tenant, and is the caller's to appoint.

    Whoever's right does not reach ALL appoints themselves and those they lead. Refused(BAD_PARAMETER).
    """
    shares.check()
    roles = await staffing.roles_of(work, [share.person for share in shares.people])
    for place, share in enumerate(shares.people):
        if not roles.get(share.person, frozenset()) & INSPECTING:
            raise bad_share("is no inspector of this tenant", place, "person")
        if not _may_appoint(reach, share.person):
            raise bad_share("is not led by the caller", place, "person")


async def appointable(work: Work, reach: Reach) -> list[User]:
    """The inspectors whom the caller may appoint, by name; their ids are nowhere else on the wire."""
    found = [one.user for one in await users.listed(work.connection, work.vdn) if one.disabled_at is None]
    return [user for user in found if user.roles & INSPECTING and _may_appoint(reach, user.user)]


def _may_appoint(reach: Reach, person: UserId) -> bool:
    return reach.scope is Scope.ALL or person in reach.user.leads | {reach.user.user}


def within_reach(reach: Reach, conditions: Conditions) -> Conditions:
    """The conditions; of none but the agents whom the caller has inspected unless their right reaches ALL.

    Refused(BAD_PARAMETER) where they name another agent, (NO_RIGHT) where the caller leads none.
    """
    if reach.scope is Scope.ALL:
        return conditions
    led = reach.user.inspects_agents
    if not led:
        raise Refused(Code.NO_RIGHT, f"user {reach.user.user} leads no group of agents")
    strangers = sorted(set(conditions.agents) - led)
    if strangers:
        raise Refused(Code.BAD_PARAMETER, f"agent {strangers[0]} is not led by the caller", field="agents")
    return conditions.among(led)


async def create(office: Office, reach: Reach, order: TaskOrder) -> ReviewId:
    """A new task with its sample; nobody inspects it yet. A leader's is of agents whom they lead.

    Refused(NOTHING_QUALIFIES), (NO_RIGHT), (BAD_PARAMETER) for agents out of reach.
    """
    user = reach.user.user
    order = replace(order, conditions=within_reach(reach, order.conditions))
    task, draw = await sampling.begin(office, reach.user.vdn, user)
    async with office.work(reach.user.vdn, user) as work:
        await make(work, office, task=task, draw=draw, order=order, created_by=user)
    return task


async def make(
    work: Work,
    office: Office,
    *,
    task: ReviewId,
    draw: int,
    order: TaskOrder,
    created_by: UserId,
    shares: Shares | None = None,
    plan: ReviewId | None = None,
    in_effect: bool = False,
) -> int:
    """Draw a sample and make a task of it, in the transaction of `work`; the number of its items.

    With `shares` the items are dealt, and with `in_effect` the task takes effect at once (`shares` are
    then needed). The people in them are taken as they are. Refused(NOTHING_QUALIFIES), (BAD_PARAMETER).
    """
    if in_effect and shares is None:
        raise ValueError("a task without inspectors cannot take effect")
    items = await _drawn(work, office, task, draw, order)
    state = TaskState.CREATED
    if shares is not None:
        people = await _dealt(work, items, shares)
        items = [replace(item, inspector=person) for item, person in zip(items, people, strict=True)]
        state = follow(state, TaskAction.APPOINT_NOW if in_effect else TaskAction.APPOINT)
    made = Task(
        task=task,
        name=order.name,
        state=state,
        interaction=order.conditions.interaction,
        conditions=order.conditions,
        calls_from=order.calls_from,
        calls_until=order.calls_until,
        draw=draw,
        created_by=created_by,
        created_at=work.at,
        takes_effect_at=work.at if in_effect else None,
        plan=plan,
    )
    await tasks.insert(work, made, items)
    detail: dict[str, Any] = {"items": len(items), "draw": draw}
    await put_down(work, task, "create", detail if plan is None else {**detail, "plan": plan})
    work.audit("task.create", task, items=len(items), draw=draw)
    if shares is not None:
        await _put_down_appointment(work, task, shares, in_effect)
    return len(items)


async def update(
    office: Office, reach: Reach, task: ReviewId, wanted: Callable[[TaskOrder], TaskOrder]
) -> None:
    """Make a task what `wanted` makes of it: rename it, and draw its sample anew where other calls are meant.

    A new sample has no inspectors. The same conditions and range draw nothing, nor does another cap that
    neither sample reaches. Also Refused(NOTHING_QUALIFIES), and (WRONG_STATE) as `terminate`.
    """
    user = reach.user.user
    async with office.work(reach.user.vdn, user) as work:
        held, seen = await held_task(work, reach, task)
        before = TaskOrder(held.name, held.conditions, held.calls_from, held.calls_until)
        order = wanted(before)
        if order != replace(before, name=order.name):
            order = replace(order, conditions=within_reach(reach, order.conditions))
        if order == replace(before, name=order.name):
            follow(held.state, TaskAction.RENAME, seen)
            await tasks.change(work, task, name=order.name)
            await put_down(work, task, "rename", {"before": held.name, "name": order.name})
            work.audit("task.rename", task, before=held.name, name=order.name)
            return
        if order.calls_from == before.calls_from and order.calls_until == before.calls_until:
            kept = await draws.certificate(work, held.draw)
            if kept is not None and before.conditions.draws_as(order.conditions, kept.wanted):
                follow(held.state, TaskAction.RENAME, seen)
                conditions = to_plain(order.conditions)
                await tasks.change(work, task, name=order.name, conditions=conditions)
                renamed: dict[str, str | int | bool] = {
                    "before": held.name,
                    "name": order.name,
                    "cap": order.conditions.cap,
                }
                await put_down(work, task, "rename", renamed)
                work.audit("task.rename", task, **renamed)
                return
        follow(held.state, TaskAction.REDRAW, seen)
        await _check_no_choice(work, reach, held)
    _, draw = await sampling.begin(office, reach.user.vdn, user, task)
    async with office.work(reach.user.vdn, user) as work:
        now, _ = await held_task(work, reach, task)
        state = follow(now.state, TaskAction.REDRAW, held.state)
        if now.draw != held.draw:
            raise Refused(Code.LOST_RACE, "the task was drawn anew meanwhile")
        await _check_no_choice(work, reach, now)
        dropped = await tasks.drop_items(work, task)
        items = await _drawn(work, office, task, draw, order)
        await tasks.insert_items(work, items)
        await tasks.change(
            work,
            task,
            name=order.name,
            state=state.value,
            interaction=order.conditions.interaction,
            conditions=to_plain(order.conditions),
            calls_from=order.calls_from,
            calls_until=order.calls_until,
            draw=draw,
        )
        detail = {"items": len(items), "draw": draw, "dropped": dropped, "draw_before": held.draw}
        await put_down(work, task, "redraw", {**detail, "name": order.name})
        work.audit("task.redraw", task, **detail)


async def appoint(
    work: Work,
    reach: Reach,
    task: ReviewId,
    shares: Shares,
    *,
    now: bool = False,
) -> None:
    """Deal all items of a task to inspectors, also where they were dealt before; with `now` it takes effect.

    In effect its open items are handed over, with their drafts: inspectors keep those that they have, as far
    as their share goes. Refused(BAD_PARAMETER) where somebody cannot be appointed or the counts do not fit.
    """
    held, seen = await held_task(work, reach, task)
    state = follow(held.state, TaskAction.APPOINT_NOW if now else TaskAction.APPOINT, seen)
    await check_people(work, reach, shares)
    if held.state is TaskState.IN_EFFECT:
        await _hand_over(work, task, await tasks.to_deal(work, task), shares, drafts=True)
        return
    people = await _dealt(work, await tasks.to_deal(work, task), shares)
    await tasks.appoint(work, task, dict(enumerate(people)))
    columns = {"takes_effect_at": work.at} if now else {}
    await tasks.change(work, task, state=state.value, **columns)
    await _put_down_appointment(work, task, shares, now)


async def hand_over(
    work: Work, reach: Reach, task: ReviewId, giver: UserId, shares: Shares, *, drafts: bool = True
) -> int:
    """Give what an inspector has not done yet of a task to others; how many calls that are.

    With their `drafts`, or without: then nobody sees those any more. Refused(BAD_PARAMETER) as `appoint`,
    (WRONG_STATE) where there is nothing to give.
    """
    held, seen = await held_task(work, reach, task)
    follow(held.state, TaskAction.APPOINT, seen)
    await check_people(work, reach, shares)
    items = await tasks.to_deal(work, task, giver)
    if not items:
        raise Refused(Code.WRONG_STATE, f"user {giver} has no open call in task {task}")
    return await _hand_over(work, task, items, shares, drafts=drafts)


async def take_effect(work: Work, reach: Reach, task: ReviewId, at: datetime | None = None) -> None:
    """Put an assigned task into effect: at once, or `at` a time to come."""
    held, seen = await held_task(work, reach, task)
    if at is None:
        await _put_into_effect(work, held, seen)
        return
    state = follow(held.state, TaskAction.RESERVE, seen)
    await tasks.change(work, task, state=state.value, takes_effect_at=at)
    await put_down(work, task, "reserve", {"at": at.isoformat()})
    work.audit("task.reserve", task, at=at.isoformat())


async def reserved_due(office: Office, now: datetime) -> int:
    """Put the reserved tasks of all tenants whose time has come into effect; how many they were.

    Each in a transaction of its own, by `people.SERVER`. What was done to one meanwhile goes first.
    Refused(UNAVAILABLE).
    """
    async with office.transaction() as connection:
        found = await tasks.due(connection, now)
    done = 0
    for vdn, task in found:
        async with office.work(vdn, SERVER) as work:
            held = await tasks.find(work, task, lock=True)
            if held is None or held.state is not TaskState.RESERVED:
                continue
            if held.takes_effect_at is None or held.takes_effect_at > now:
                continue
            await _put_into_effect(work, held, held.state)
            done += 1
    return done


async def terminate(work: Work, reach: Reach, task: ReviewId, reason: str = "") -> None:
    """End a task for good [2506]. What is done stays; what is not is released, and the history says so.

    A `reason` is kept with it. Also (WRONG_STATE) where nothing is done and a later sample stands that passed
    over its calls.
    """
    held, seen = await held_task(work, reach, task)
    state = follow(held.state, TaskAction.TERMINATE, seen)
    await _check_no_choice(work, reach, held, reason)
    await _end(work, held, state, "terminate", reason)


async def delete(work: Work, reach: Reach, task: ReviewId, reason: str = "") -> None:
    """Take away a task that never took effect [2504]. Its history and its certificate stay.

    Also (WRONG_STATE) as `terminate`.
    """
    held, seen = await held_task(work, reach, task)
    state = follow(held.state, TaskAction.DELETE, seen)
    await _check_no_choice(work, reach, held, reason)
    await _end(work, held, state, "delete", reason)


async def held_task(work: Work, reach: Reach, task: ReviewId) -> tuple[Task, TaskState]:
    """A task that the caller may do that to, locked; and the state in which it was before the wait."""
    seen = await tasks.find(work, task)
    if seen is None or seen.state not in SHOWN:
        raise no_task()
    if reach.scope is not Scope.ALL and seen.created_by != reach.user.user:
        raise no_task()
    held = await tasks.find(work, task, lock=True)
    if held is None:
        raise no_task()
    return held, seen.state


async def put_down(work: Work, task: ReviewId, action: str, detail: Mapping[str, Any]) -> None:
    """A line in the task's history."""
    await tasks.add_step(work, task, action, detail)


async def _put_into_effect(work: Work, held: Task, seen: TaskState) -> None:
    state = follow(held.state, TaskAction.TAKE_EFFECT, seen)
    await tasks.change(work, held.task, state=state.value, takes_effect_at=work.at)
    await put_down(work, held.task, "take_effect", {})
    work.audit("task.take_effect", held.task)


async def _hand_over(
    work: Work, task: ReviewId, items: Sequence[Item], shares: Shares, *, drafts: bool
) -> int:
    people = await _dealt(work, items, shares, keep=True)
    moved = [(item, person) for item, person in zip(items, people, strict=True) if item.inspector != person]
    for item, _ in moved:
        follow_item(item.state, ItemAction.DEAL if drafts else ItemAction.DEAL_ANEW)
    await tasks.appoint(work, task, {item.place: person for item, person in moved}, anew=not drafts)
    told = [{"item": item.item, "before": item.inspector, "inspector": person} for item, person in moved]
    await put_down(work, task, "hand_over", {"drafts": drafts, "moved": told})
    names = ", ".join(share.person for share in shares.people)
    work.audit("task.hand_over", task, people=names, moved=len(moved), drafts=drafts)
    return len(moved)


async def _check_no_choice(work: Work, reach: Reach, held: Task, reason: str = "") -> None:
    """Keep a task that kept its calls from a later sample, which would else be another one for good.

    Not one of which a call was inspected, nor on the command line with a reason: both stay on record.
    Refused(WRONG_STATE). `docs/decisions/0025-fresh-samples.md`
    """
    if reach.user.user == SERVER and reason:
        return
    if (await tasks.tally(work, held.task))[ItemState.DONE]:
        return
    drawn = await draws.find(work, held.draw)
    makers = {reach.user.user, held.created_by, *([drawn.maker] if drawn and drawn.maker else [])}
    if later := await fresh.passed_over_by(work, held, makers):
        why = f"task {later}, drawn later, passed over calls that this one has: end that one first"
        raise Refused(Code.WRONG_STATE, why)


async def _end(work: Work, held: Task, state: TaskState, action: str, reason: str) -> None:
    released = await tasks.release(work, held.task)
    await tasks.change(work, held.task, state=state.value, ended_at=work.at)
    counted = await tasks.tally(work, held.task)
    detail = {
        "before": held.state.value,
        "done": counted[ItemState.DONE],
        "released": [{"item": item, "inspector": inspector} for item, inspector in released],
    }
    given = {"reason": reason} if reason else {}
    await put_down(work, held.task, action, {**detail, **given})
    work.audit(
        f"task.{action}",
        held.task,
        before=held.state.value,
        done=counted[ItemState.DONE],
        released=len(released),
        **given,
    )


async def _put_down_appointment(work: Work, task: ReviewId, shares: Shares, in_effect: bool) -> None:
    await put_down(work, task, "appoint", {"shares": to_plain(shares), "in_effect": in_effect})
    people = ", ".join(share.person for share in shares.people)
    work.audit("task.appoint", task, people=people, in_effect=in_effect)


async def _drawn(work: Work, office: Office, task: ReviewId, draw: int, order: TaskOrder) -> list[Item]:
    drawn = await sampling.draw(
        work, office, draw, task, order.conditions, order.calls_from, order.calls_until, order.arrivals
    )
    made = await ids.fresh(work.connection, work.at, len(drawn))
    return [
        Item(item, task, place, one.contact, one.began_at, AgentId(one.agent), None, ItemState.WAITING)
        for place, (item, one) in enumerate(zip(made, drawn, strict=True))
    ]


async def _dealt(work: Work, items: Sequence[Item], shares: Shares, *, keep: bool = False) -> list[UserId]:
    """Who inspects each of the items; with `keep`, whoever has one keeps it as far as their share goes."""
    inspecting = await staffing.agents_of(work, [one.person for one in shares.people])
    users = {agent: user for user, agent in inspecting.items()}
    own = [None if item.agent is None else users.get(item.agent) for item in items]
    return deal(shares, len(items), own, [item.inspector for item in items] if keep else ())
