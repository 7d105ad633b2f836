"""A process that works on review tasks until it is killed: `python -m tests.quality.labour DSN FOLDER`.

For each line that it reads it forks a worker, writes the worker's process id, and waits for its end. A
worker writes a line for each task that it has brought to its end, or leaves as it is.
"""

from __future__ import annotations

import asyncio
import os
import random
import sys
from pathlib import Path

from tests.quality.asking import asked
from tests.quality.reviewing import CONDITIONS
from tests.quality.standing import DIRECTOR, INSPECTOR, ONE, SECOND
from tests.storage.works import work_of

from sottovoce.clock import SystemClock
from sottovoce.domain.people import User, UserId
from sottovoce.domain.reviews import Share, ShareKind, Shares, TaskOrder
from sottovoce.errors import Refused
from sottovoce.quality import inspection, tasks
from sottovoce.quality.office import Office
from sottovoce.storage.database import connect, transaction
from sottovoce.storage.review import tasks as stored
from sottovoce.storage.review import users

HANDS = 3


async def work(dsn: str, folder: Path, seed: int) -> None:
    """Several at once: create, appoint, complete some or all, terminate; until killed."""
    office = Office(connect(dsn), SystemClock(), folder)
    people: dict[UserId, User] = {}
    async with transaction(office.engine) as connection:
        for user in (DIRECTOR, INSPECTOR, SECOND):
            found = await users.find(work_of(connection, ONE), user)
            assert found is not None
            people[user] = found
    await asyncio.gather(*(_cycle(office, people, random.Random(seed * HANDS + n)) for n in range(HANDS)))


async def _cycle(office: Office, people: dict[UserId, User], chance: random.Random) -> None:
    director = people[DIRECTOR]
    both = Shares(ShareKind.COUNTS, (Share(INSPECTOR), Share(SECOND)))
    while True:
        task = await asked(tasks.create, office, director, TaskOrder("labour", CONDITIONS))
        await asked(tasks.appoint, office, director, task, both, now=True)
        async with transaction(office.engine) as connection:
            items = await stored.items(work_of(connection, ONE), task)
        doing = [
            asked(inspection.complete, office, people[item.inspector], item.item, str(item.contact))
            for item in chance.sample(items, chance.randint(0, len(items)))
            if item.inspector is not None
        ]
        ending = [asked(tasks.terminate, office, director, task)] if chance.random() < 0.7 else []
        for outcome in await asyncio.gather(*doing, *ending, return_exceptions=True):
            if isinstance(outcome, BaseException) and not isinstance(outcome, Refused):
                raise outcome
        print("ended" if ending or len(doing) == len(items) else "left", task, flush=True)


def main() -> None:
    """Fork a worker per line read."""
    dsn, folder = sys.argv[1], Path(sys.argv[2])
    for seed, _ in enumerate(sys.stdin):
        worker = os.fork()
        if not worker:
            asyncio.run(work(dsn, folder, seed))
        print("worker", worker, flush=True)
        os.waitpid(worker, 0)


if __name__ == "__main__":
    main()
