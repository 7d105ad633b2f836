"""Review tasks put straight into any state, and what must be true of all tasks at any moment."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from tests.quality.standing import DIRECTOR, INSPECTOR, NOW, ONE, Standing
from tests.storage.works import work_of

from sottovoce.domain.contacts import Interaction
from sottovoce.domain.directory import AgentId, VdnId
from sottovoce.domain.people import ReviewId, UserId
from sottovoce.domain.reviews import Item, ItemState, Task, TaskState
from sottovoce.domain.sampling import Conditions, Quantity
from sottovoce.storage.audit import verify
from sottovoce.storage.database import transaction
from sottovoce.storage.review import tasks
from sottovoce.storage.rows import all_of
from sottovoce.storage.tables import (
    audit,
    review_items,
    review_steps,
    review_tasks,
    rule_results,
    sampling_draws,
    scenarios,
)

CONDITIONS = Conditions(Quantity.CALLS, 100)
OPEN, DONE, RELEASED = ItemState.WAITING, ItemState.DONE, ItemState.RELEASED
_numbers = itertools.count(1)


@dataclass(frozen=True)
class Made:
    """A task put down, and its items in order."""

    task: ReviewId
    items: tuple[Item, ...]

    @property
    def body(self) -> dict[str, str]:
        return {"qualityTaskId": self.task}


def item_states(state: TaskState, count: int) -> list[ItemState]:
    """States that the items of a task in that state can have: the first one done, where one can be."""
    match state:
        case TaskState.FINISHED:
            return [DONE] * count
        case TaskState.TERMINATED:
            return [DONE] + [RELEASED] * (count - 1)
        case TaskState.DELETED:
            return [RELEASED] * count
        case TaskState.IN_EFFECT if count > 1:
            return [DONE] + [OPEN] * (count - 1)
        case _:
            return [OPEN] * count


async def put_task(
    connection: AsyncConnection,
    state: TaskState,
    contacts: Sequence[int],
    *,
    task: str | None = None,
    made_by: UserId = DIRECTOR,
    inspectors: Sequence[UserId] = (INSPECTOR,),
    agents: Sequence[int | None] = (101,),
    items: Sequence[str] = (),
    states: Sequence[ItemState] | None = None,
    name: str = "task",
    vdn: VdnId = ONE,
) -> Made:
    """A task about these contacts in that state and its creation; people and agents take turns."""
    number = next(_numbers)
    made = ReviewId(task or f"1700000000{number:09d}")
    dealt = state not in (TaskState.CREATED, TaskState.DELETED)
    rows = tuple(
        Item(
            item=ReviewId(items[place] if place < len(items) else f"18{number:09d}{place:08d}"),
            task=made,
            place=place,
            contact=contact,
            began_at=NOW - timedelta(days=1),
            agent=None if (agent := agents[place % len(agents)]) is None else AgentId(agent),
            inspector=inspectors[place % len(inspectors)] if dealt else None,
            state=(states or item_states(state, len(contacts)))[place],
        )
        for place, contact in enumerate(contacts)
    )
    took_effect = state in (TaskState.IN_EFFECT, TaskState.FINISHED, TaskState.TERMINATED)
    row = Task(
        task=made,
        name=name,
        state=state,
        interaction=Interaction.VOICE,
        conditions=CONDITIONS,
        calls_from=None,
        calls_until=None,
        draw=0,
        created_by=made_by,
        created_at=NOW,
        takes_effect_at=NOW + timedelta(hours=1)
        if state is TaskState.RESERVED
        else NOW
        if took_effect
        else None,
    )
    await tasks.insert(work_of(connection, vdn), row, rows)
    await tasks.add_step(work_of(connection, vdn, NOW, made_by), made, "create", {"items": len(rows)})
    return Made(made, rows)


async def put_result(connection: AsyncConnection, contact: int, result: str, kind: int = 11) -> None:
    """A rule that the machine found kept on a contact."""
    scenario = {
        "vdn": 1,
        "scenario": "groupid_1",
        "name": "S",
        "enabled": True,
        "ignore_sensitive": False,
        "interaction": 0,
        "created_at": NOW,
    }
    await connection.execute(insert(scenarios).values(scenario).on_conflict_do_nothing())
    row = {
        "vdn": 1,
        "result": result,
        "contact": contact,
        "scenario": "groupid_1",
        "kind": kind,
        "rule": "14161",
        "name": "A rule",
        "valid": 1,
        "points": 3,
        "made_at": NOW,
    }
    await connection.execute(sa.insert(rule_results).values(row))


async def found(standing: Standing, task: str, vdn: VdnId = ONE) -> tuple[Task, list[Item]]:
    """A task as it is stored, with its items."""
    async with transaction(standing.engine) as connection:
        held = await tasks.find(work_of(connection, vdn), ReviewId(task))
        assert held is not None
        return held, await tasks.items(work_of(connection, vdn), ReviewId(task))


async def history(standing: Standing, task: str, vdn: VdnId = ONE) -> list[str]:
    """What was done to a task, in order."""
    async with transaction(standing.engine) as connection:
        return [step.action for step in await tasks.steps(work_of(connection, vdn), ReviewId(task))]


async def check_whole(engine: AsyncEngine, vdn: VdnId = ONE) -> Counter[TaskState]:
    """No half task or lost item, whole histories, a whole audit; how many tasks are in which state."""
    async with transaction(engine) as connection:
        rows = (
            await connection.execute(sa.select(review_tasks).where(review_tasks.c.vdn == int(vdn)))
        ).mappings()
        held = all_of(Task, rows)
        for task in held:
            await _check(connection, vdn, task)
        orphans = sa.select(sa.func.count()).where(
            review_items.c.vdn == int(vdn), review_items.c.task.not_in([task.task for task in held])
        )
        assert (await connection.execute(orphans)).scalar_one() == 0
    assert (await verify(engine, vdn)).broken == 0
    return Counter(task.state for task in held)


async def _check(connection: AsyncConnection, vdn: VdnId, task: Task) -> None:
    items = await tasks.items(work_of(connection, vdn), task.task)
    states = Counter(item.state for item in items)
    still = states[ItemState.WAITING] + states[ItemState.IN_PROGRESS]
    assert items, task
    assert [item.place for item in items] == list(range(len(items))), task
    assert len({item.contact for item in items}) == len(items), task
    assert await tasks.tally(work_of(connection, vdn), task.task) == {
        state: states[state] for state in ItemState
    }
    dealt = [item.inspector is not None for item in items]
    assert all(dealt) or not any(dealt), task
    match task.state:
        case TaskState.CREATED:
            assert not any(dealt), task
            assert still == states[ItemState.WAITING] == len(items), task
        case TaskState.ASSIGNED | TaskState.RESERVED:
            assert all(dealt), task
            assert still == states[ItemState.WAITING] == len(items), task
        case TaskState.IN_EFFECT:
            assert all(dealt), task
            assert still, task
            assert not states[ItemState.RELEASED], task
        case TaskState.FINISHED:
            assert states[ItemState.DONE] == len(items), task
        case TaskState.TERMINATED:
            assert not still, task
        case TaskState.DELETED:
            assert states[ItemState.RELEASED] == len(items), task
    await _check_history(connection, vdn, task, items)


async def _check_history(connection: AsyncConnection, vdn: VdnId, task: Task, items: Sequence[Item]) -> None:
    steps = await tasks.steps(work_of(connection, vdn), task.task)
    actions = [step.action for step in steps]
    assert [step.number for step in steps] == list(range(1, len(steps) + 1)), task
    assert actions[0] == "create", task
    drawn = next(step for step in reversed(steps) if step.action in ("create", "redraw"))
    assert drawn.detail["items"] == len(items), task
    assert (task.state is TaskState.TERMINATED) == ("terminate" in actions), task
    assert (task.state is TaskState.DELETED) == ("delete" in actions), task
    assert (task.state is TaskState.FINISHED) == ("finish" in actions), task
    completed = [step.detail["item"] for step in steps if step.action == "complete"]
    assert sorted(completed) == sorted(item.item for item in items if item.state is DONE), task
    if task.state in (TaskState.TERMINATED, TaskState.DELETED):
        released = {one["item"]: one["inspector"] for one in steps[-1].detail["released"]}
        assert released == {item.item: item.inspector for item in items if item.state is RELEASED}, task
        assert steps[-1].detail["done"] == len(completed), task
    rows = (audit.c.vdn == int(vdn), audit.c.target == task.task, audit.c.action.like("task.%"))
    written = (
        await connection.execute(sa.select(audit.c.action).where(*rows).order_by(audit.c.number))
    ).scalars()
    assert [action.removeprefix("task.") for action in written] == [
        one for one in actions if one != "finish"
    ], task
    draw = sa.select(sampling_draws.c.certificate).where(sampling_draws.c.draw == task.draw)
    assert (await connection.execute(draw)).scalar_one() is not None, task


async def step_count(engine: AsyncEngine) -> int:
    """How many lines all histories have."""
    async with transaction(engine) as connection:
        return int(
            (await connection.execute(sa.select(sa.func.count()).select_from(review_steps))).scalar_one()
        )
