"""Which contacts qualify, asked of PostgreSQL; and that its sampling index alone answers."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from tests.quality.standing import DIRECTOR, NOW, ONE, TWO, Standing
from tests.storage.works import work_of

from sottovoce.domain.contacts import Interaction
from sottovoce.domain.people import ReviewId
from sottovoce.domain.sampling import Conditions, Quantity
from sottovoce.storage.database import DatabaseAway, transaction
from sottovoce.storage.review import draws
from sottovoce.storage.tables import review_items, review_tasks

TASK = ReviewId("1772442000000000001")
ALL = Conditions(Quantity.CALLS, 100)


@pytest.fixture
def standing(after_call: Standing) -> Standing:
    return after_call


async def frame(
    standing: Standing,
    conditions: Conditions = ALL,
    calls_from: datetime | None = None,
    calls_until: datetime | None = None,
) -> dict[int, list[int]]:
    async with transaction(standing.engine) as connection:
        parts = await draws.frame(
            standing.engine, work_of(connection, ONE), conditions, calls_from, calls_until
        )
    found: dict[int, list[int]] = {}
    for part in parts:
        for stratum, contacts in part.items():
            found.setdefault(stratum, []).extend(contacts.tolist())
    return {stratum: sorted(contacts) for stratum, contacts in found.items()}


async def test_only_what_can_be_inspected_qualifies(standing: Standing) -> None:
    await standing.contact(None)
    await standing.contact(recording=None)
    await standing.contact(201, vdn=TWO)
    for status in (9, 31, 40):
        await standing.contact(status=status)
    await standing.contact(interaction=2, recording=None)
    await standing.contact(interaction=2, recording=None, transcript=[])
    good = [await standing.contact(status=status) for status in (0, 1, 2, 3)]
    good += [await standing.contact(102)]
    assert await frame(standing) == {0: good}
    by_agent = Conditions(Quantity.PER_AGENT, 1)
    assert await frame(standing, by_agent) == {101: good[:4], 102: good[4:]}


async def test_text_contacts_qualify_by_their_transcript(standing: Standing) -> None:
    await standing.contact()
    await standing.contact(interaction=2)
    text = await standing.contact(interaction=2, recording=None, transcript=[{"text": "hello"}])
    assert await frame(standing, Conditions(Quantity.CALLS, 1, interaction=Interaction.TEXT)) == {0: [text]}


async def test_each_condition_narrows_and_includes_both_ends(standing: Standing) -> None:
    contacts = [
        await standing.contact(
            (101, 102, 103)[number % 3],
            duration_s=10 * number,
            machine_score=None if number == 7 else 10 * number,
            began_at=NOW - timedelta(days=40 * number),
        )
        for number in range(1, 10)
    ]

    async def found(**conditions: Any) -> list[int]:
        by_agent = await frame(standing, Conditions(Quantity.CALLS, 1, **conditions))
        return sorted(contacts.index(contact) + 1 for some in by_agent.values() for contact in some)

    assert await found() == list(range(1, 10))
    assert await found(score_from=30, score_to=80) == [3, 4, 5, 6, 8]
    assert await found(score_to=75) == [1, 2, 3, 4, 5, 6]
    assert await found(score_from=0) == [1, 2, 3, 4, 5, 6, 8, 9]
    assert await found(duration_from_s=20, duration_to_s=40) == [2, 3, 4]
    assert await found(duration_from_s=19.999, duration_to_s=40.001) == [2, 3, 4]
    assert await found(duration_from_s=20.001, duration_to_s=39.999) == [3]
    assert await found(agents=(101, 103)) == [2, 3, 5, 6, 8, 9]
    assert await found(agents=(999,)) == []
    assert await found(agents=(102,), duration_to_s=60, score_from=20) == [4]


async def test_a_large_frame_is_read_in_ranges_of_one_moment(standing: Standing) -> None:
    """Contacts that come while it is read are not in it, nor is any in it twice or left out."""
    spread = [1, 2, 400_000, 400_001, 799_999, 1_000_000]
    for number in spread:
        await standing.contact(101 + number % 2, contact=number)
    async with transaction(standing.engine) as connection:
        await connection.execute(sa.text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"))
        await connection.execute(sa.text("SELECT 1"))
        await standing.contact(contact=600_000)
        parts = await draws.frame(standing.engine, work_of(connection, ONE), ALL, None, None)
    assert len(parts) > 1
    assert [contact for part in parts for some in part.values() for contact in some.tolist()] == spread
    per_agent = await frame(standing, Conditions(Quantity.PER_AGENT, 1))
    assert per_agent == {101: [2, 400_000, 600_000, 1_000_000], 102: [1, 400_001, 799_999]}


async def test_the_range_includes_its_beginning_only(standing: Standing) -> None:
    begins = [datetime(2026, month, 1, tzinfo=UTC) for month in (1, 2, 3)]
    contacts = [await standing.contact(began_at=begin) for begin in begins]
    assert await frame(standing, ALL, begins[0], begins[2]) == {0: contacts[:2]}
    assert await frame(standing, ALL, begins[1]) == {0: contacts[1:]}
    assert await frame(standing, ALL, None, begins[1]) == {0: contacts[:1]}


async def test_the_frame_comes_from_the_sampling_index_alone(standing: Standing) -> None:
    """Else ten million rows would be read for it, not their index."""
    for _ in range(5):
        await standing.contact()
    async with standing.engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        await connection.execute(sa.text("VACUUM (ANALYZE) contacts"))
    asked = Conditions(Quantity.CALLS, 1, duration_from_s=5, score_to=90, agents=(101, 102))
    async with transaction(standing.engine) as connection:
        query = draws.frame_query(ONE, asked, NOW - timedelta(days=1), NOW + timedelta(days=1))
        for asked_for in (query, draws.candidates_query(ONE, 0, [1, 2, 3])):
            plan = await _plan(connection, asked_for)
            assert "Index Only Scan using contacts_2026_03" in plan
            assert "Seq Scan" not in plan


async def _plan(connection: Any, query: sa.Select[Any]) -> str:
    await connection.execute(sa.text("SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off"))
    made = query.compile(dialect=connection.dialect)
    raw = (await connection.get_raw_connection()).driver_connection
    cursor = await raw.execute("EXPLAIN " + str(made), made.params)
    return "\n".join(line for (line,) in await cursor.fetchall())


async def test_sampled_already_is_what_a_task_has_and_did_not_release(standing: Standing) -> None:
    contacts = [await standing.contact() for _ in range(4)]
    other, deleted = ReviewId("1772442000000000002"), ReviewId("1772442000000000003")
    async with standing.engine.begin() as connection:
        for task, state, some, held in (
            (TASK, "created", contacts[:1], "waiting"),
            (other, "terminated", contacts[1:3], "done"),
            (deleted, "deleted", contacts[3:], "released"),
        ):
            await connection.execute(sa.insert(review_tasks).values(_task(task, state)))
            for place, contact in enumerate(some):
                await connection.execute(
                    sa.insert(review_items).values(
                        vdn=1,
                        item=f"{task}{place}"[1:],
                        task=task,
                        place=place,
                        contact=contact,
                        began_at=NOW,
                        agent=101,
                        state=held,
                    )
                )
    async with transaction(standing.engine) as connection:
        assert (await draws.sampled_already(work_of(connection, ONE), but=TASK)).tolist() == contacts[1:3]
    async with transaction(standing.engine) as connection:
        assert (await draws.sampled_already(work_of(connection, TWO), but=TASK)).tolist() == []


def _task(task: ReviewId, state: str) -> Mapping[str, Any]:
    return {
        "vdn": 1,
        "task": task,
        "name": "t",
        "state": state,
        "interaction": 0,
        "conditions": {},
        "draw": 1,
        "created_by": "1",
        "created_at": NOW,
    }


async def test_draws_of_fresh_contacts_take_turns(standing: Standing) -> None:
    entered = []
    has_entered = asyncio.Event()

    async def ask(name: str, hold: asyncio.Event) -> None:
        async with transaction(standing.engine) as connection:
            await draws.sampled_already(work_of(connection, ONE), but=TASK)
            entered.append(name)
            has_entered.set()
            await hold.wait()

    first, second = asyncio.Event(), asyncio.Event()
    async with asyncio.timeout(20), asyncio.TaskGroup() as group:
        group.create_task(ask("first", first))
        await has_entered.wait()
        group.create_task(ask("second", second))
        second.set()
        async with transaction(standing.engine) as connection:
            for _ in range(1000):
                if await _waits(connection):
                    break
                await asyncio.sleep(0.01)
            assert (await draws.sampled_already(work_of(connection, TWO), but=TASK)).tolist() == []
        assert entered == ["first"]
        first.set()
    assert entered == ["first", "second"]


async def _waits(connection: Any) -> bool:
    query = sa.text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
    return bool((await connection.execute(query)).scalar_one())


async def test_a_draw_is_its_tenants(standing: Standing) -> None:
    async with transaction(standing.engine) as connection:
        draw = await draws.begin(work_of(connection, ONE, NOW), TASK, DIRECTOR, 7)
        assert await draws.find(work_of(connection, TWO), draw) is None
        found = await draws.find(work_of(connection, ONE), draw)
        assert found is not None
        assert (found.task, found.maker, found.block, found.seed) == (TASK, DIRECTOR, 7, None)
        assert (found.committed_at, found.certificate) == (NOW, None)
        assert await draws.candidates(work_of(connection, TWO), 0, [1]) == {}
        assert await draws.latest(connection, TWO, 10) == []


async def test_a_database_that_gives_up_is_away(standing: Standing) -> None:
    with pytest.raises(DatabaseAway, match="statement timeout"):
        await _too_long(standing)


async def _too_long(standing: Standing) -> None:
    async with standing.engine.begin() as connection:
        await connection.execute(sa.text("SET LOCAL statement_timeout = '20ms'"))
        await draws._binary(connection, sa.select(sa.func.pg_sleep(30)))
