"""Review tasks from creation to their end, without the wire."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa
from tests.quality.asking import asked
from tests.quality.inspected import versions_of
from tests.quality.reviewing import CONDITIONS, check_whole, found, history, put_result
from tests.quality.standing import (
    ANN,
    DIRECTOR,
    FOREIGN,
    INSPECTOR,
    LEADER,
    NOW,
    ONE,
    SECOND,
    THIRD,
    TWO,
    Standing,
)
from tests.storage.works import work_of

from sottovoce.domain.people import SERVER, ReviewId, UserId
from sottovoce.domain.review_lists import ItemFilter, TaskFilter
from sottovoce.domain.reviews import Item, ItemState, Share, ShareKind, Shares, TaskOrder, TaskState
from sottovoce.domain.sampling import Conditions, Earlier, Quantity
from sottovoce.domain.scoring import Verdict
from sottovoce.errors import Code, Refused
from sottovoce.quality import inspection, sampling, task_lists, tasks
from sottovoce.storage import audit
from sottovoce.storage.database import transaction
from sottovoce.storage.review import contacts, ids, results
from sottovoce.storage.review import tasks as stored
from sottovoce.storage.tables import group_members, review_tasks, users


def even(*people: UserId) -> Shares:
    return Shares(ShareKind.COUNTS, tuple(Share(person) for person in people))


async def created(standing: Standing, calls: int = 5, by: UserId = DIRECTOR, name: str = "March") -> ReviewId:
    for _ in range(calls):
        await standing.contact()
    return await asked(tasks.create, standing.office, await standing.caller(by), TaskOrder(name, CONDITIONS))


async def state_of(standing: Standing, task: ReviewId) -> TaskState:
    return (await found(standing, task))[0].state


async def test_from_creation_to_effect(standing: Standing) -> None:
    task = await created(standing)
    director = await standing.caller(DIRECTOR)
    held, items = await found(standing, task)
    assert (held.state, held.name, held.created_by) == (TaskState.CREATED, "March", DIRECTOR)
    assert len(items) == 5
    await asked(tasks.appoint, standing.office, director, task, even(INSPECTOR, SECOND))
    held, items = await found(standing, task)
    assert held.state is TaskState.ASSIGNED
    assert [item.inspector for item in items] == [INSPECTOR, SECOND, INSPECTOR, SECOND, INSPECTOR]
    await asked(tasks.take_effect, standing.office, director, task)
    held, _ = await found(standing, task)
    assert (held.state, held.takes_effect_at) == (TaskState.IN_EFFECT, NOW)
    assert await history(standing, task) == ["create", "appoint", "take_effect"]
    assert len(task) == 19
    await check_whole(standing.engine)


async def test_appointing_again_deals_all_anew_and_keeps_the_reserved_time(standing: Standing) -> None:
    task = await created(standing)
    director = await standing.caller(DIRECTOR)
    later = NOW + timedelta(hours=1)
    await asked(tasks.appoint, standing.office, director, task, even(INSPECTOR))
    await asked(tasks.take_effect, standing.office, director, task, later)
    await asked(tasks.appoint, standing.office, director, task, even(THIRD))
    held, items = await found(standing, task)
    assert (held.state, held.takes_effect_at) == (TaskState.RESERVED, later)
    assert {item.inspector for item in items} == {THIRD}
    await asked(tasks.take_effect, standing.office, director, task, later + timedelta(hours=1))
    assert (await found(standing, task))[0].takes_effect_at == later + timedelta(hours=1)
    await asked(tasks.appoint, standing.office, director, task, even(SECOND), now=True)
    held, items = await found(standing, task)
    assert (held.state, held.takes_effect_at) == (TaskState.IN_EFFECT, NOW)
    await check_whole(standing.engine)


async def test_a_reserved_time_comes_once_for_every_tenant(standing: Standing) -> None:
    first, second = await created(standing), await created(standing)
    director = await standing.caller(DIRECTOR)
    for task, hours in ((first, 1), (second, 2)):
        await asked(tasks.appoint, standing.office, director, task, even(INSPECTOR))
        await asked(tasks.take_effect, standing.office, director, task, NOW + timedelta(hours=hours))
    await standing.contact(201, vdn=TWO)
    foreign = await standing.caller(FOREIGN, TWO)
    theirs = await asked(tasks.create, standing.office, foreign, TaskOrder("T", CONDITIONS))
    await asked(tasks.appoint, standing.office, foreign, theirs, even(FOREIGN))
    await asked(tasks.take_effect, standing.office, foreign, theirs, NOW + timedelta(minutes=5))

    async def come(minutes: int) -> int:
        now = NOW + timedelta(minutes=minutes)
        standing.clock.advance((now - standing.clock.now()).total_seconds())
        return await tasks.reserved_due(standing.office, now)

    assert await come(4) == 0
    assert await come(60) == 2
    assert await come(61) == 0
    assert (await found(standing, theirs, TWO))[0].state is TaskState.IN_EFFECT
    assert await state_of(standing, first) is TaskState.IN_EFFECT
    assert await state_of(standing, second) is TaskState.RESERVED
    async with transaction(standing.engine) as connection:
        last = (await stored.steps(work_of(connection, ONE), first))[-1]
    assert (last.action, last.user, last.at) == ("take_effect", SERVER, NOW + timedelta(hours=1))
    await check_whole(standing.engine)


async def test_terminated_keeps_what_is_done_and_says_what_it_released(standing: Standing) -> None:
    task = await created(standing, 2)
    director = await standing.caller(DIRECTOR)
    await asked(tasks.appoint, standing.office, director, task, even(INSPECTOR, SECOND), now=True)
    await asked(tasks.terminate, standing.office, director, task)
    held, items = await found(standing, task)
    assert (held.state, held.ended_at) == (TaskState.TERMINATED, NOW)
    async with transaction(standing.engine) as connection:
        last = (await stored.steps(work_of(connection, ONE), task))[-1]
    assert last.detail == {
        "before": "in_effect",
        "done": 0,
        "released": [{"item": item.item, "inspector": item.inspector} for item in items],
    }
    with pytest.raises(Refused) as refusal:
        await asked(tasks.terminate, standing.office, director, task)
    assert refusal.value.code is Code.WRONG_STATE
    await check_whole(standing.engine)


async def test_a_new_name_keeps_all_and_new_conditions_draw_anew(standing: Standing) -> None:
    task = await created(standing)
    director = await standing.caller(DIRECTOR)
    await asked(tasks.appoint, standing.office, director, task, even(INSPECTOR))
    before = await found(standing, task)
    await asked(
        tasks.update, standing.office, director, task, lambda order: TaskOrder("April", order.conditions)
    )
    held, items = await found(standing, task)
    assert (held.name, held.state, held.draw) == ("April", TaskState.ASSIGNED, before[0].draw)
    assert items == before[1]
    fewer = Conditions(Quantity.CALLS, 2, earlier=Earlier.FRESH)
    await asked(tasks.update, standing.office, director, task, lambda _: TaskOrder("May", fewer))
    held, items = await found(standing, task)
    assert (held.name, held.state, held.conditions) == ("May", TaskState.CREATED, fewer)
    assert len(items) == 2
    assert held.draw != before[0].draw
    assert await history(standing, task) == ["create", "appoint", "rename", "redraw"]
    await check_whole(standing.engine)


async def test_a_sample_that_comes_to_nothing_changes_nothing(standing: Standing) -> None:
    task = await created(standing)
    director = await standing.caller(DIRECTOR)
    none = TaskOrder("None", CONDITIONS, calls_from=NOW + timedelta(days=1))
    before = await found(standing, task)
    for attempt in (
        asked(tasks.update, standing.office, director, task, lambda _: none),
        asked(tasks.create, standing.office, director, none),
    ):
        with pytest.raises(Refused) as refusal:
            await attempt
        assert refusal.value.code is Code.NOTHING_QUALIFIES
    assert await found(standing, task) == before
    assert await check_whole(standing.engine) == {TaskState.CREATED: 1}


@pytest.mark.parametrize(
    ("shares", "place", "part"),
    [
        (even(ANN), 0, "person"),
        (even(INSPECTOR, FOREIGN), 1, "person"),
        (even(INSPECTOR, UserId("999")), 1, "person"),
        (even(INSPECTOR, SECOND, INSPECTOR), 2, "person"),
        (Shares(ShareKind.COUNTS, (Share(INSPECTOR, 6),)), None, "count"),
        (Shares(ShareKind.COUNTS, (Share(INSPECTOR, 4),)), None, "count"),
    ],
)
async def test_who_cannot_be_appointed(
    standing: Standing, shares: Shares, place: int | None, part: str
) -> None:
    task = await created(standing)
    before = await found(standing, task)
    with pytest.raises(Refused) as refusal:
        await asked(tasks.appoint, standing.office, await standing.caller(DIRECTOR), task, shares)
    assert refusal.value.code is Code.BAD_PARAMETER
    assert refusal.value.field == ("people" if place is None else f"people.{place}.{part}")
    assert await found(standing, task) == before


async def test_an_inspector_who_is_an_agent_too_gets_no_call_of_their_own(standing: Standing) -> None:
    async with standing.engine.begin() as connection:
        both = sa.update(users).where(users.c.user == ANN).values(roles=["staff", "inspector"])
        await connection.execute(both)
    for agent in (101, 101, 102, 102):
        await standing.contact(agent)
    director = await standing.caller(DIRECTOR)
    task = await asked(tasks.create, standing.office, director, TaskOrder("Both", CONDITIONS))
    await asked(tasks.appoint, standing.office, director, task, even(ANN, INSPECTOR))
    _, items = await found(standing, task)
    assert {(item.agent, item.inspector) for item in items} == {(101, INSPECTOR), (102, ANN)}
    with pytest.raises(Refused, match="own"):
        await asked(tasks.appoint, standing.office, director, task, even(ANN))


async def test_who_can_be_appointed_is_told_with_the_ids(standing: Standing) -> None:
    async def told(user: UserId) -> list[UserId]:
        found = await asked(tasks.appointable, standing.office, await standing.caller(user))
        return [one.user for one in found]

    assert await told(DIRECTOR) == [DIRECTOR, INSPECTOR, LEADER, SECOND, THIRD]
    assert await told(LEADER) == [INSPECTOR, LEADER, SECOND]
    async with standing.engine.begin() as connection:
        await connection.execute(sa.update(users).where(users.c.user == SECOND).values(disabled_at=NOW))
    assert await told(LEADER) == [INSPECTOR, LEADER]
    with pytest.raises(Refused):
        await told(INSPECTOR)


async def test_a_leader_appoints_whom_they_lead_in_tasks_of_their_own(standing: Standing) -> None:
    leader = await standing.caller(LEADER)
    theirs = await created(standing)
    with pytest.raises(Refused) as refusal:
        await asked(tasks.appoint, standing.office, leader, theirs, even(INSPECTOR))
    assert refusal.value.code is Code.NOT_FOUND
    own = await created(standing, by=LEADER)
    with pytest.raises(Refused) as bad:
        await asked(tasks.appoint, standing.office, leader, own, even(LEADER, THIRD))
    assert (bad.value.code, bad.value.field) == (Code.BAD_PARAMETER, "people.1.person")
    await asked(tasks.appoint, standing.office, leader, own, even(LEADER, INSPECTOR))
    assert await state_of(standing, own) is TaskState.ASSIGNED


async def correct(standing: Standing, item: Item, by: UserId) -> None:
    """A correction of the first result of an item's call, by its inspector."""
    async with transaction(standing.engine) as connection:
        contact = await contacts.find(work_of(connection, ONE), item.contact)
    assert contact is not None
    caller = await standing.caller(by)
    wanted = {"result": f"silenceRule{item.contact}", "kept": False, "remark": "heard", "kind": 11}
    await asked(inspection.revise_result, standing.office, caller, item.item, str(contact.uuid), **wanted)


async def in_effect(standing: Standing, calls: int, *people: UserId) -> tuple[ReviewId, list[Item]]:
    """A task in effect whose calls have a result each; its items."""
    task = await created(standing, calls)
    await asked(
        tasks.appoint, standing.office, await standing.caller(DIRECTOR), task, even(*people), now=True
    )
    _, items = await found(standing, task)
    async with transaction(standing.engine) as connection:
        for item in items:
            await put_result(connection, item.contact, f"silenceRule{item.contact}")
    return task, items


@pytest.mark.parametrize("drafts", [True, False])
async def test_an_inspector_who_is_away_hands_over_what_is_open(standing: Standing, drafts: bool) -> None:
    """Done calls stay whose they were; drafts go along, or are nobody's any more."""
    task, items = await in_effect(standing, 6, INSPECTOR, SECOND)
    ill = await standing.caller(INSPECTOR)
    theirs = [item for item in items if item.inspector == INSPECTOR]
    await asked(inspection.complete, standing.office, ill, theirs[0].item, str(theirs[0].contact))
    await correct(standing, theirs[1], INSPECTOR)
    director = await standing.caller(DIRECTOR)
    moved = await asked(
        tasks.hand_over, standing.office, director, task, INSPECTOR, even(THIRD, DIRECTOR), drafts=drafts
    )
    assert moved == 2
    _, after = await found(standing, task)
    by_item = {item.item: item for item in after}
    changed = [by_item[one.item] for one in theirs]
    assert [one.inspector for one in changed] == [INSPECTOR, THIRD, DIRECTOR]
    begun = ItemState.IN_PROGRESS if drafts else ItemState.WAITING
    assert [one.state for one in changed] == [ItemState.DONE, begun, ItemState.WAITING]
    assert {one.inspector for one in after if one.inspector not in (INSPECTOR, THIRD, DIRECTOR)} == {SECOND}
    third = await standing.caller(THIRD)
    (seen,) = await asked(inspection.show, standing.office, third, theirs[1].item)
    assert seen.results[0].final is (Verdict.VIOLATED if drafts else Verdict.KEPT)
    with pytest.raises(Refused, match="no such call"):
        await asked(inspection.complete, standing.office, ill, theirs[1].item, str(theirs[1].contact))
    await asked(inspection.complete, standing.office, third, theirs[1].item, str(theirs[1].contact))
    async with transaction(standing.engine) as connection:
        name = f"silenceRule{theirs[1].contact}"
        counted = (await results.many(work_of(connection, ONE), [name]))[name]
    assert counted.final is (Verdict.VIOLATED if drafts else Verdict.KEPT)
    said = await versions_of(standing, f"silenceRule{theirs[1].contact}")
    assert [one.draft for one in said] == ([1, None] if drafts else [1])
    with pytest.raises(Refused) as refusal:
        await asked(tasks.hand_over, standing.office, director, task, INSPECTOR, even(THIRD))
    assert refusal.value.code is Code.WRONG_STATE
    await check_whole(standing.engine)


async def test_appointing_in_effect_moves_only_what_has_to_move(standing: Standing) -> None:
    """By the wire's way: who stays keeps theirs, with drafts; what is done is not counted."""
    task, items = await in_effect(standing, 6, INSPECTOR, SECOND)
    staying = await standing.caller(SECOND)
    await correct(standing, items[1], SECOND)
    await asked(inspection.complete, standing.office, staying, items[3].item, str(items[3].contact))
    director = await standing.caller(DIRECTOR)
    await asked(tasks.appoint, standing.office, director, task, even(SECOND, THIRD))
    held, after = await found(standing, task)
    assert held.state is TaskState.IN_EFFECT
    assert [item.inspector for item in after] == [SECOND, SECOND, THIRD, SECOND, THIRD, SECOND]
    assert [item.state for item in after][1] is ItemState.IN_PROGRESS
    assert (await history(standing, task))[-1] == "hand_over"
    six = Shares(ShareKind.COUNTS, (Share(SECOND, 6),))
    with pytest.raises(Refused, match="5 calls to deal"):
        await asked(tasks.appoint, standing.office, director, task, six)
    await check_whole(standing.engine)


async def test_open_calls_of_who_inspects_no_more_are_shown_as_such(standing: Standing) -> None:
    task, items = await in_effect(standing, 4, INSPECTOR, SECOND)
    done = items[0]
    await asked(
        inspection.complete, standing.office, await standing.caller(INSPECTOR), done.item, str(done.contact)
    )
    async with standing.engine.begin() as connection:
        await connection.execute(sa.update(users).where(users.c.user == INSPECTOR).values(disabled_at=NOW))
        await connection.execute(sa.update(users).where(users.c.user == SECOND).values(roles=["staff"]))
    director = await standing.caller(DIRECTOR)
    _, (line,) = await asked(task_lists.query, standing.office, director, TaskFilter(), page=1, rows=9)
    assert (line.inspect_total, line.inspect_done, line.stranded) == (4, 1, 3)
    _, lines = await asked(task_lists.items, standing.office, director, task, ItemFilter(), page=1, rows=9)
    assert [one.stranded for one in lines] == [False, True, True, True]
    body = {"currentRole": "qualityDirector", "page": 1, "rows": 9, "fixedColumns": {"planCode": task}}
    told = await standing.call("qualitytask/callsQualityTask", body)
    assert [one["inspectorName"] for one in told.body["data"]] == [
        "Ida Inspector",
        *(f"{name} (no longer inspects)" for name in ("Sam Inspector", "Ida Inspector", "Sam Inspector")),
    ]


async def test_a_history_is_read_by_who_sees_the_task_with_the_reason_of_its_end(standing: Standing) -> None:
    task = await created(standing, 2)
    director, inspector = await standing.caller(DIRECTOR), await standing.caller(INSPECTOR)
    await asked(tasks.appoint, standing.office, director, task, even(INSPECTOR), now=True)
    await asked(tasks.terminate, standing.office, director, task, "the wrong week")
    for reader in (director, inspector):
        steps = await asked(task_lists.history, standing.office, reader, task)
        assert [(step.number, step.user, step.action) for step in steps] == [
            (1, DIRECTOR, "create"),
            (2, DIRECTOR, "appoint"),
            (3, DIRECTOR, "terminate"),
        ]
        assert steps[-1].detail["reason"] == "the wrong week"
    stranger, foreign = await standing.caller(THIRD), await standing.caller(FOREIGN, TWO)
    for reader in (stranger, foreign):
        with pytest.raises(Refused) as refusal:
            await asked(task_lists.history, standing.office, reader, task)
        assert refusal.value.code is Code.NOT_FOUND
    (ended,) = [one for one in await audit.read(standing.engine, ONE) if one.action == "task.terminate"]
    assert ended.detail["reason"] == "the wrong week"


async def test_a_plan_makes_its_task_in_one_transaction(standing: Standing) -> None:
    """Made, dealt and in effect with the plan's own rows, or not at all."""
    for _ in range(4):
        await standing.contact()
    order = TaskOrder("Weekly", CONDITIONS)
    percent = Shares(ShareKind.PERCENT, (Share(INSPECTOR, 75), Share(SECOND, 25)))

    async def run(fails: bool, at: datetime) -> ReviewId:
        async with transaction(standing.engine) as connection:
            task, plan = await ids.fresh(connection, at, 2)
        _, draw = await sampling.begin(standing.office, ONE, SERVER, task)
        async with standing.office.work(ONE, SERVER) as work:
            count = await tasks.make(
                work,
                standing.office,
                task=task,
                draw=draw,
                order=order,
                created_by=DIRECTOR,
                shares=percent,
                plan=plan,
                in_effect=True,
            )
            assert count == 4
            if fails:
                raise RuntimeError("the plan's row could not be written")
        return task

    with pytest.raises(RuntimeError):
        await run(True, NOW)
    assert await check_whole(standing.engine) == {}
    task = await run(False, NOW)
    held, items = await found(standing, task)
    assert held.state is TaskState.IN_EFFECT
    assert [item.inspector for item in items] == [INSPECTOR, SECOND, INSPECTOR, INSPECTOR]
    assert await history(standing, task) == ["create", "appoint"]
    await check_whole(standing.engine)


async def by_agents(standing: Standing, task: ReviewId) -> set[int | None]:
    """Whose calls the task has."""
    return {item.agent for item in (await found(standing, task))[1]}


async def test_a_leader_draws_from_the_agents_whom_they_lead(standing: Standing) -> None:
    """In a new sample, in a changed one, and whoever they name; a director's right has no such bound."""
    for agent in (101, 102, 103):
        for _ in range(2):
            await standing.contact(agent)
    leader, director = await standing.caller(LEADER), await standing.caller(DIRECTOR)
    task = await asked(tasks.create, standing.office, leader, TaskOrder("Mine", CONDITIONS))
    assert await by_agents(standing, task) == {101, 102}
    named = replace(CONDITIONS, agents=(101, 103))
    for attempt in (
        asked(tasks.create, standing.office, leader, TaskOrder("Theirs", named)),
        asked(tasks.update, standing.office, leader, task, lambda _: TaskOrder("Theirs", named)),
    ):
        with pytest.raises(Refused) as refusal:
            await attempt
        assert (refusal.value.code, refusal.value.field) == (Code.BAD_PARAMETER, "agents")
    fewer = replace(CONDITIONS, number=3)
    await asked(tasks.update, standing.office, leader, task, lambda _: TaskOrder("Mine", fewer))
    assert await by_agents(standing, task) <= {101, 102}
    async with standing.engine.begin() as connection:
        await connection.execute(sa.delete(group_members).where(group_members.c.name == "Agents"))
    alone = await standing.caller(LEADER)
    with pytest.raises(Refused, match="leads no group of agents") as none:
        await asked(tasks.create, standing.office, alone, TaskOrder("Nobody's", CONDITIONS))
    assert none.value.code is Code.NO_RIGHT
    whole = await asked(tasks.create, standing.office, director, TaskOrder("All", CONDITIONS))
    assert await by_agents(standing, whole) == {101, 102, 103}


async def test_whoever_renames_draws_nothing_whomever_they_lead_by_now(standing: Standing) -> None:
    """Of a task from before leaders were bound, too, which has other agents' calls."""
    director, leader = await standing.caller(DIRECTOR), await standing.caller(LEADER)
    for agent in (101, 103):
        await standing.contact(agent)
    task = await asked(tasks.create, standing.office, director, TaskOrder("All", CONDITIONS))
    async with standing.engine.begin() as connection:
        await connection.execute(sa.update(review_tasks).values(created_by=LEADER))
    await asked(tasks.update, standing.office, leader, task, lambda held: replace(held, name="Named"))
    assert await by_agents(standing, task) == {101, 103}
    assert await history(standing, task) == ["create", "rename"]
    day = NOW - timedelta(days=2)
    await asked(tasks.update, standing.office, leader, task, lambda held: replace(held, calls_from=day))
    assert await by_agents(standing, task) == {101}, "another sample is a leader's own"
