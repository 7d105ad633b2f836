"""Databases of older versions, with data in them, after the upgrade."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from alembic import command
from sqlalchemy.ext.asyncio import AsyncConnection
from tests.storage.works import NOW, work_of

from sottovoce.domain.directory import VdnId
from sottovoce.domain.people import UserId
from sottovoce.domain.scoring import STANDARD, By, Score, Verdict, score
from sottovoce.plain import to_plain
from sottovoce.quality import results
from sottovoce.storage import migrations
from sottovoce.storage.database import connect
from sottovoce.storage.review import results as stored_results
from sottovoce.storage.review.results import Reasons

ONE = VdnId(1)
OPEN, DONE, INSPECTOR = 1700000000000000001, 1700000000000000002, 1700000000000000009


async def fill(connection: AsyncConnection, table: str, rows: Sequence[dict[str, Any]]) -> None:
    """Insert rows as the version of that time did."""
    names = rows[0].keys()
    columns, values = ", ".join(f'"{name}"' for name in names), ", ".join(f":{name}" for name in names)
    await connection.execute(sa.text(f"INSERT INTO {table} ({columns}) VALUES ({values})"), rows)


async def corrected_before_0007(connection: AsyncConnection) -> None:
    """Contact 1 was corrected and never completed; 2 was completed besides, 3 corrected in an appeal."""
    await fill(connection, "vdns", [{"vdn": 1, "name": "Hotline"}])
    scenario = {"vdn": 1, "scenario": "s", "name": "S", "enabled": True, "ignore_sensitive": False}
    await fill(connection, "scenarios", [{**scenario, "interaction": 0, "created_at": NOW}])
    task = {"vdn": 1, "name": "t", "interaction": 0, "conditions": "{}", "draw": 0, "created_by": 1}
    held = [(1, "in_effect"), (2, "finished")]
    await fill(
        connection,
        "review_tasks",
        [{**task, "task": number, "state": state, "created_at": NOW} for number, state in held],
    )
    item = {"vdn": 1, "began_at": NOW, "inspector": INSPECTOR}
    items = [
        {**item, "item": OPEN, "task": 1, "place": 0, "contact": 1, "state": "in_progress"},
        {**item, "item": OPEN + 10, "task": 1, "place": 1, "contact": 2, "state": "released"},
        {**item, "item": DONE, "task": 2, "place": 0, "contact": 2, "state": "done"},
    ]
    await fill(connection, "review_items", items)
    result = {"vdn": 1, "scenario": "s", "kind": 11, "rule": "r", "name": "R", "points": 10, "made_at": NOW}
    found = [(f"{contact}{part}", contact) for contact in (1, 2, 3) for part in "ab"]
    await fill(
        connection,
        "rule_results",
        [{**result, "result": name, "contact": contact, "valid": 1} for name, contact in found],
    )
    appeal = 1700000000000000003
    said = [
        ("1a", 1, 0, OPEN, None, 0),
        ("2a", 1, 0, DONE, None, 0),
        ("2b", 1, 0, OPEN + 10, None, 2),
        ("3a", 1, 0, None, appeal, 0),
        ("3b", 1, 0, OPEN + 11, None, 3),
    ]
    revision = {"vdn": 1, "remark": "heard", "user": INSPECTOR}
    await fill(
        connection,
        "revisions",
        [
            {**revision, "result": name, "version": version, "revise": revise}
            | {"review_item": review, "quality_item": quality, "at": NOW + timedelta(minutes=minutes)}
            for name, version, revise, review, quality, minutes in said
        ],
    )
    reasons = json.dumps(to_plain(Reasons.of(Score(Decimal(90)))))
    row = {"vdn": 1, "scenario": "s", "reasons": reasons, "user": INSPECTOR}
    given = [
        (1, "machine", 1, 100, 0),
        (1, "manual", 1, 90, 0),
        (2, "manual", 1, 90, 0),
        (2, "manual", 2, 80, 2),
        (3, "manual", 1, 90, 0),
        (3, "manual", 2, 80, 3),
    ]
    await fill(
        connection,
        "scores",
        [
            {**row, "contact": contact, "by": by, "version": version, "score": points}
            | {"at": NOW + timedelta(minutes=minutes)}
            for contact, by, version, points, minutes in given
        ],
    )


async def test_corrections_that_were_never_completed_count_no_more(empty_postgres_dsn: str) -> None:
    engine = connect(empty_postgres_dsn)
    async with engine.begin() as connection:
        await connection.run_sync(lambda inner: command.upgrade(migrations._config(inner), "0006"))
        await corrected_before_0007(connection)
    await migrations.upgrade(engine)
    async with engine.begin() as connection:
        work = work_of(connection, ONE)
        (first,), (second,), (third,) = [await results.scores_of(work, contact) for contact in (1, 2, 3)]
        item = await stored_results.open_item(work, 1, UserId(str(INSPECTOR)))
        (mine,) = await results.scores_of(work, 1, drafts_of=item)
        query = sa.text("SELECT version FROM scores WHERE contact = 2 AND by = 'manual' ORDER BY version")
        given = list((await connection.execute(query)).scalars())
    kept, violated = Verdict.KEPT, Verdict.VIOLATED
    assert [[one.final for one in held.results] for held in (first, second, third, mine)] == [
        [kept, kept],
        [violated, kept],
        [violated, kept],
        [violated, kept],
    ]
    assert first.manual is None
    for held in (second, third):
        assert held.manual is not None
        assert (held.manual.version, held.manual.score.score) == (3, Decimal(90))
        assert held.manual.score == score(STANDARD, held.results, ignore_sensitive=False, by=By.MANUAL)
    assert given == [1, 2, 3]
    await engine.dispose()


async def test_contacts_say_which_of_their_recordings_were_cut(empty_postgres_dsn: str) -> None:
    engine = connect(empty_postgres_dsn)
    async with engine.begin() as connection:
        await connection.run_sync(lambda inner: command.upgrade(migrations._config(inner), "0018"))
        await fill(connection, "vdns", [{"vdn": 1, "name": "Hotline"}])
        talk = {"vdn": 1, "agent": 101, "began_at": NOW, "ended_at": NOW + timedelta(minutes=1)}
        failed = [("a", "a.wav", "No space left"), ("b", "b.wav", None), ("c", None, "No space left")]
        talks = [
            {**talk, "call": call, "recording": recording, "failure": failure}
            for call, recording, failure in failed
        ]
        await fill(connection, "segments", talks)
        await connection.execute(sa.text("SELECT contacts_month(:at)"), {"at": NOW})
        contact = {
            **talk,
            **{"source": "live", "duration_ms": 60_000, "direction": "inbound", "caller": "1", "called": "2"},
            **{"ended_by": "agent", "reason": "", "uploaded_at": NOW, "status": 0},
        }
        await fill(
            connection,
            "contacts",
            [
                {**contact, "call": call, "recording": recording, "uuid": f"{'0' * 31}{number}"}
                for number, (call, recording, _) in enumerate(failed)
            ],
        )
    await migrations.upgrade(engine)
    async with engine.begin() as connection:
        query = sa.text("SELECT call, recording_failure FROM contacts ORDER BY call")
        said = {row.call: row.recording_failure for row in await connection.execute(query)}
    assert said == {"a": "No space left", "b": None, "c": None}
    await engine.dispose()
