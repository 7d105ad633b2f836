"""kill -9 in the midst of many operations on review tasks, several times: nothing is half done afterwards."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import sys

import sqlalchemy as sa
from tests.quality.reviewing import check_whole
from tests.quality.standing import Standing

from sottovoce.domain.reviews import TaskState
from sottovoce.storage.database import transaction

KILLS = 6
_OTHERS = sa.text(
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    " AND backend_type = 'client backend' AND (state <> 'idle' OR backend_xid IS NOT NULL)"
)


async def test_killed_at_random_moments(standing: Standing) -> None:
    for agent in (101, 102, 103, 101, 102, 103):
        await standing.contact(agent)
    dsn = standing.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    chance = random.Random(20261122)
    nursery = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.quality.labour", dsn, str(standing.office.recordings)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert nursery.stdin is not None
    assert nursery.stdout is not None
    ended = 0
    for _ in range(KILLS):
        nursery.stdin.write(b"\n")
        worker = int((await said(nursery.stdout, b"worker"))[0])
        for _ in range(chance.randint(1, 3)):
            await said(nursery.stdout, b"ended")
            ended += 1
        await asyncio.sleep(chance.random() * 0.1)
        os.kill(worker, signal.SIGKILL)
        await quiet(standing)
        await check_whole(standing.engine)
    nursery.stdin.close()
    assert await nursery.wait() == 0
    states = await check_whole(standing.engine)
    assert states[TaskState.TERMINATED] + states[TaskState.FINISHED] >= ended


async def said(stream: asyncio.StreamReader, word: bytes) -> list[bytes]:
    """What stands after `word` in the next line that begins with it."""
    while True:
        line = await asyncio.wait_for(stream.readline(), 60)
        assert line, "the nursery died"
        if line.startswith(word):
            return line.split()[1:]


async def quiet(standing: Standing) -> None:
    """Wait until PostgreSQL has seen that the killed client is gone."""
    async with asyncio.timeout(30):
        while True:
            async with transaction(standing.engine) as connection:
                if not (await connection.execute(_OTHERS)).scalar_one():
                    return
            await asyncio.sleep(0.01)
