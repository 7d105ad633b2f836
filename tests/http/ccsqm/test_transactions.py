"""What a request of the quality family asks of the database: few transactions, one connection at a time."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import create_async_engine
from tests.http.ccsqm.test_qualitytask import CREATE, EVER, ask, put
from tests.quality.standing import ANN, INSPECTOR, SECOND, Standing

from sottovoce.domain.people import UserId
from sottovoce.domain.reviews import TaskState
from sottovoce.storage.database import connect

QUERY = {**EVER, "currentRole": "qualityDirector", "page": 1, "rows": 10}


class Count:
    """How often something happens to a database from now on."""

    def __init__(self, standing: Standing, event: str) -> None:
        self.times = 0
        sa.event.listen(standing.engine.sync_engine, event, self._happened)

    def _happened(self, *_: object) -> None:
        self.times += 1


async def in_effect(standing: Standing) -> str:
    made = await put(standing, TaskState.IN_EFFECT, 3, inspectors=(INSPECTOR, SECOND))
    return str(made.task)


@pytest.mark.parametrize(
    ("name", "body", "transactions"),
    [
        ("terminateQualityTask", {}, 1),
        ("queryQualityTask", QUERY, 1),
        ("createQualityTask", CREATE, 3),
        (
            "createQualityTask",
            {**CREATE, "fixedColumns": {**CREATE["fixedColumns"], "staffIds": [ANN]}},
            4,
        ),
    ],
    ids=["changes", "reads", "commits its seed apart", "and looks up agents"],
)
async def test_transactions_of_a_request(
    standing: Standing, name: str, body: dict[str, Any], transactions: int
) -> None:
    task = await in_effect(standing)
    count = Count(standing, "begin")
    answer = await ask(standing, name, body or {"qualityTaskId": task})
    assert answer.ok
    assert count.times == transactions


async def test_a_refusal_of_any_rung_is_one_transaction(standing: Standing) -> None:
    count = Count(standing, "begin")
    nobody, unreadable = UserId("7"), {"qualityTaskId": "x"}
    for asked in (
        ask(standing, "terminateQualityTask", {"qualityTaskId": "1"}, nobody),
        ask(standing, "terminateQualityTask", unreadable),
        ask(standing, "terminateQualityTask", {"qualityTaskId": "1"}, INSPECTOR),
        ask(standing, "terminateQualityTask", {"qualityTaskId": "1"}),
    ):
        before = count.times
        assert not (await asked).ok
        assert count.times == before + 1


async def test_fifty_requests_finish_with_two_connections(postgres_dsn: str, tmp_path: Path) -> None:
    """None holds a connection while it waits for another: else all would wait until the pool gives up."""
    two = create_async_engine(connect(postgres_dsn).url, pool_size=2, max_overflow=0, pool_timeout=120)
    standing = Standing(postgres_dsn, tmp_path, engine=two)
    await standing.open()
    try:
        tasks = [await in_effect(standing) for _ in range(17)]
        answers = await asyncio.gather(
            *(ask(standing, "terminateQualityTask", {"qualityTaskId": task}) for task in tasks),
            *(ask(standing, "createQualityTask", CREATE) for _ in range(16)),
            *(ask(standing, "queryQualityTask", QUERY) for _ in range(17)),
        )
        assert len(answers) == 50
        assert all(answer.ok for answer in answers)
    finally:
        await standing.close()
