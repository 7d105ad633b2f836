"""Inspectors at work on sampled calls, without the wire."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from tests.quality.asking import asked
from tests.quality.reviewing import Made, found, history, put_result, put_task
from tests.quality.standing import DIRECTOR, FOREIGN, INSPECTOR, NOW, ONE, SECOND, TWO, Standing
from tests.storage.works import work_of

from sottovoce.domain.directory import VdnId
from sottovoce.domain.people import ReviewId, UserId
from sottovoce.domain.reviews import ItemState, TaskState
from sottovoce.errors import Code, Refused
from sottovoce.quality import inspection
from sottovoce.storage.database import transaction
from sottovoce.storage.review import contacts
from sottovoce.storage.tables import quality_item_hits, quality_items, review_items, revisions, scores


async def put(standing: Standing, state: TaskState = TaskState.IN_EFFECT, **options: Any) -> Made:
    """A task of two calls, both waiting unless its state says otherwise, each with two results."""
    numbers = [await standing.contact() for _ in range(2)]
    if state is TaskState.IN_EFFECT:
        options.setdefault("states", [ItemState.WAITING, ItemState.WAITING])
    async with transaction(standing.engine) as connection:
        for number in numbers:
            for place in (1, 2):
                await put_result(connection, number, f"silenceRule{number}-{place}")
        return await put_task(connection, state, numbers, **options)


async def revise(
    standing: Standing, made: Made, place: int, *, by: UserId = INSPECTOR, vdn: VdnId = ONE, **changes: Any
) -> None:
    item = made.items[place]
    async with transaction(standing.engine) as connection:
        contact = await contacts.find(work_of(connection, ONE), item.contact)
    assert contact is not None
    wanted = {
        "result": f"silenceRule{item.contact}-1",
        "kept": False,
        "remark": "heard",
        "kind": 11,
        **changes,
    }
    caller = await standing.caller(by, vdn)
    await asked(inspection.revise_result, standing.office, caller, item.item, str(contact.uuid), **wanted)


async def complete(
    standing: Standing, made: Made, place: int, by: UserId = INSPECTOR, vdn: VdnId = ONE
) -> None:
    item = made.items[place]
    caller = await standing.caller(by, vdn)
    await asked(inspection.complete, standing.office, caller, item.item, str(item.contact))


async def rows(standing: Standing, table: sa.Table, *columns: str) -> list[tuple[Any, ...]]:
    async with transaction(standing.engine) as connection:
        found = await connection.execute(sa.select(*(table.c[name] for name in columns)))
        return [tuple(row) for row in found]


async def test_the_first_correction_opens_the_call_and_more_may_follow(standing: Standing) -> None:
    made = await put(standing)
    await revise(standing, made, 0)
    await revise(standing, made, 0, kept=True)
    await revise(standing, made, 0, result=f"silenceRule{made.items[0].contact}-2")
    held, items = await found(standing, made.task)
    assert held.state is TaskState.IN_EFFECT
    assert [item.state for item in items] == [ItemState.IN_PROGRESS, ItemState.WAITING]
    assert (await rows(standing, review_items, "opened_at", "ended_at"))[:2].count((NOW, None)) == 1
    assert len(await rows(standing, revisions, "result")) == 3
    assert {item for (item,) in await rows(standing, revisions, "review_item")} == {made.items[0].item}
    assert await history(standing, made.task) == ["create", "revise", "revise", "revise"]


async def test_completing_settles_the_score_opens_a_problem_and_ends_the_task(standing: Standing) -> None:
    made = await put(standing)
    await revise(standing, made, 0)
    await revise(standing, made, 0, result=f"silenceRule{made.items[0].contact}-2", kept=True)
    await complete(standing, made, 0)
    (problem,) = await rows(standing, quality_items, "kind", "review_item", "contact", "agent", "inspector")
    assert problem == ("problem", made.items[0].item, made.items[0].contact, 101, INSPECTOR)
    assert await rows(standing, quality_item_hits, "result") == [(f"silenceRule{made.items[0].contact}-1",)]
    assert (await found(standing, made.task))[0].state is TaskState.IN_EFFECT
    await complete(standing, made, 1)
    assert len(await rows(standing, quality_items, "kind")) == 1
    manual = {contact for contact, by in await rows(standing, scores, "contact", "by") if by == "manual"}
    assert manual == {item.contact for item in made.items}
    held, items = await found(standing, made.task)
    assert (held.state, held.ended_at) == (TaskState.FINISHED, NOW)
    assert {item.state for item in items} == {ItemState.DONE}
    assert (await history(standing, made.task))[-3:] == ["complete", "complete", "finish"]


async def test_nothing_of_a_finished_or_terminated_task_changes(standing: Standing) -> None:
    for state in (TaskState.FINISHED, TaskState.TERMINATED, TaskState.ASSIGNED, TaskState.RESERVED):
        made = await put(standing, state)
        before = await found(standing, made.task)
        for place in (0, 1):
            for attempt in (revise(standing, made, place), complete(standing, made, place)):
                with pytest.raises(Refused) as refusal:
                    await attempt
                assert refusal.value.code is Code.WRONG_STATE
        assert await found(standing, made.task) == before
    assert await rows(standing, revisions, "result") == []


async def test_a_completed_call_is_not_corrected_any_more(standing: Standing) -> None:
    made = await put(standing)
    await complete(standing, made, 0)
    for attempt in (revise(standing, made, 0), complete(standing, made, 0)):
        with pytest.raises(Refused) as refusal:
            await attempt
        assert refusal.value.code is Code.WRONG_STATE


async def test_a_call_is_its_inspectors_alone(standing: Standing) -> None:
    """A colleague, a director who sees it, and another tenant are all told that it is not there."""
    made = await put(standing)
    for by, vdn in ((SECOND, ONE), (DIRECTOR, ONE), (FOREIGN, TWO)):
        for attempt in (
            revise(standing, made, 0, by=by, vdn=vdn),
            complete(standing, made, 0, by=by, vdn=vdn),
        ):
            with pytest.raises(Refused) as refusal:
                await attempt
            assert refusal.value.code is Code.NOT_FOUND
    inspector = await standing.caller(INSPECTOR)
    other = made.items[1].contact
    for item, call in ((made.items[0].item, str(other)), ("1", str(other)), (made.items[0].item, "")):
        with pytest.raises(Refused) as refusal:
            await asked(inspection.complete, standing.office, inspector, ReviewId(item), call)
        assert refusal.value.code is Code.NOT_FOUND
    assert await history(standing, made.task) == ["create"]


async def test_a_correction_that_is_refused_does_not_open_the_call(standing: Standing) -> None:
    made = await put(standing)
    for changes, code in (
        ({"result": f"silenceRule{made.items[1].contact}-1"}, Code.NOT_FOUND),
        ({"result": "silenceRule0"}, Code.NOT_FOUND),
        ({"kind": 12}, Code.BAD_PARAMETER),
        ({"remark": " "}, Code.BAD_PARAMETER),
    ):
        with pytest.raises(Refused) as refusal:
            await revise(standing, made, 0, **changes)
        assert refusal.value.code is code
    _, items = await found(standing, made.task)
    assert {item.state for item in items} == {ItemState.WAITING}
