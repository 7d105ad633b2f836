"""Calls with rule results, and their appeals and problems: made by use cases or put into a state."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Sequence
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from tests.quality.asking import asked
from tests.quality.standing import ANN, INSPECTOR, NOW, ONE, TABLE_LEADER, Standing
from tests.storage.works import work_of

from sottovoce.domain.appeals import AppealState, AppealStep, Chosen, Kind, QualityItem, Trace
from sottovoce.domain.contacts import Interaction
from sottovoce.domain.directory import AgentId, VdnId
from sottovoce.domain.people import ReviewId, UserId
from sottovoce.domain.scenarios import Scenario
from sottovoce.domain.scoring import RuleKind, RuleResult, Verdict
from sottovoce.errors import Refused
from sottovoce.quality import appeals
from sottovoce.quality import results as rule_results
from sottovoce.storage.review import ids, quality_items, scenarios
from sottovoce.storage.review import results as stored_results
from sottovoce.storage.tables import review_items, review_tasks

SCENARIO = "groupid_fa1d9f72-f961-4ad6-9277-008bbe1c3802"
"""The one of the page's example [2495]."""
_numbers = itertools.count(1)


async def violated(
    standing: Standing, contact: int, *names: str, verdict: Verdict = Verdict.VIOLATED, vdn: VdnId = ONE
) -> list[str]:
    """Results of silence rules on a call, 10 points each; their ids, which are `names` if given."""
    wanted = names or (f"silenceRule{next(_numbers):08d}",)
    async with standing.office.work(vdn, UserId("0")) as work:
        if not await scenarios.many(work_of(work.connection, vdn), [SCENARIO]):
            await scenarios.insert(work_of(work.connection, vdn), Scenario(SCENARIO, "test3", True, NOW))
        found = [
            RuleResult(
                name,
                contact,
                SCENARIO,
                RuleKind.SILENCE,
                "920806740809748480",
                "Silence",
                verdict,
                Decimal(10),
                NOW,
            )
            for name in wanted
        ]
        held = await stored_results.locked(work_of(work.connection, vdn), [contact])
        await rule_results.add(work, found, held)
    return list(wanted)


async def disputed_call(
    standing: Standing, agent: int = 101, *, vdn: VdnId = ONE, **columns: Any
) -> tuple[int, list[str]]:
    """A call of an agent with two violations: its number and their ids."""
    contact = await standing.contact(agent, vdn=vdn, **columns)
    names = [f"silenceRule{next(_numbers):08d}" for _ in range(2)]
    return contact, await violated(standing, contact, *names, vdn=vdn)


async def inspected(standing: Standing, contact: int, inspector: UserId = INSPECTOR) -> ReviewId:
    """The item of a finished task in which `inspector` was through with the call; its id."""
    async with standing.engine.begin() as connection:
        task, item = await ids.fresh(connection, NOW, 2)
        common = {"vdn": 1, "task": task}
        await connection.execute(
            sa.insert(review_tasks).values(
                **common,
                name="done",
                state="finished",
                interaction=Interaction.VOICE,
                conditions={},
                draw=0,
                created_by=inspector,
                created_at=NOW,
            )
        )
        await connection.execute(
            sa.insert(review_items).values(
                **common,
                item=item,
                place=0,
                contact=contact,
                began_at=NOW,
                agent=101,
                inspector=inspector,
                state="done",
                ended_at=NOW,
            )
        )
    return item


async def appeal(
    standing: Standing,
    contact: int,
    results: Sequence[str],
    *,
    agent: UserId = ANN,
    leader: UserId = TABLE_LEADER,
    scenario: str = SCENARIO,
) -> ReviewId:
    """An appeal, filed."""
    return await asked(
        appeals.file_appeal,
        standing.office,
        await standing.caller(agent),
        call=str(contact),
        chosen=[Chosen(scenario, tuple(results))],
        leader=leader,
        reason="unfair",
    )


async def problem(
    standing: Standing, contact: int, results: Sequence[str], *, agent: int = 101, by: UserId = INSPECTOR
) -> ReviewId:
    """A problem that an inspector found."""
    review = await inspected(standing, contact, by)
    async with standing.office.work(ONE, by) as work:
        return await appeals.open_problem(
            work, contact=contact, agent=AgentId(agent), review_item=review, inspector=by, results=results
        )


async def placed(
    standing: Standing,
    kind: Kind,
    state: AppealState,
    handler: UserId | None,
    *,
    agent: int = 101,
    initiator: UserId = ANN,
    named: ReviewId | None = None,
    **columns: Any,
) -> tuple[QualityItem, list[str]]:
    """An item put straight into a state, on a call of its own; `named`: its id, `columns`: the call's."""
    contact, results = await disputed_call(standing, agent, **columns)
    async with standing.office.work(ONE, initiator) as work:
        item = QualityItem(
            item=named or (await ids.fresh(work.connection, NOW))[0],
            kind=kind,
            state=state,
            contact=contact,
            agent=AgentId(agent),
            initiator=initiator,
            inspector=None,
            review_item=None,
            handler=handler,
            previous_handler=None,
            reason="",
            passed=True if state in (AppealState.VERIFYING, AppealState.COMPLETED) else None,
            created_at=NOW,
            updated_at=NOW,
        )
        assert await quality_items.insert(work_of(work.connection, ONE), item, results)
        await quality_items.add_step(work_of(work.connection, ONE, user=initiator), item, AppealStep.OPEN, "")
    return item, results


async def step(
    standing: Standing,
    item: ReviewId,
    user: UserId,
    what: AppealStep,
    whom: UserId | None = None,
    remark: str = "",
) -> None:
    """A step of `user`: pass, back, or assign `whom`."""
    caller = await standing.caller(user)
    if what is AppealStep.ASSIGN:
        assert whom is not None
        await asked(appeals.assign, standing.office, caller, item, whom, remark=remark)
    else:
        await asked(appeals.judge, standing.office, caller, item, what, remark=remark)


async def correct(
    standing: Standing, item: ReviewId, user: UserId, result: str, *, kept: bool = True
) -> None:
    """A correction of `user` within an item."""
    caller = await standing.caller(user)
    await asked(
        appeals.revise, standing.office, caller, item, result=result, kept=kept, remark="listened again"
    )


async def state_of(standing: Standing, item: ReviewId) -> QualityItem:
    """An item as it is."""
    async with standing.engine.begin() as connection:
        found = await quality_items.find(work_of(connection, ONE), item)
    assert found is not None
    return found


async def history_of(standing: Standing, item: ReviewId) -> list[Trace]:
    """Its steps."""
    async with standing.engine.begin() as connection:
        return await quality_items.steps(work_of(connection, ONE), item)


async def outcome(step: Awaitable[object]) -> str:
    """`done`, or the code with which it was declined."""
    try:
        await step
    except Refused as declined:
        return declined.code.value
    return "done"


async def at_once(standing: Standing, item: ReviewId, *steps: Awaitable[object]) -> list[str]:
    """The outcomes of steps of which each has looked at the item before any of them may change it."""
    async with standing.engine.connect() as holding, asyncio.TaskGroup() as group:
        await quality_items.find(work_of(holding, ONE), item, lock=True)
        running = [group.create_task(outcome(step)) for step in steps]
        while await waiting(standing) < sum(not one.done() for one in running):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        await holding.rollback()
    return [one.result() for one in running]


async def waiting(standing: Standing) -> int:
    """How many statements wait for a lock."""
    activity = sa.table("pg_stat_activity", sa.column("wait_event_type"), sa.column("datname"))
    query = (
        sa.select(sa.func.count())
        .select_from(activity)
        .where(activity.c.wait_event_type == "Lock", activity.c.datname == sa.func.current_database())
    )
    async with standing.engine.connect() as connection:
        return int((await connection.execute(query)).scalar_one())
