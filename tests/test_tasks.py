from __future__ import annotations

import asyncio

from sottovoce.tasks import Tasks


async def test_a_failure_is_told_with_the_task_s_name() -> None:
    told: list[tuple[str, str]] = []
    tasks = Tasks(on_failure=lambda name, failure: told.append((name, str(failure))))

    async def fail() -> None:
        raise ValueError("broken")

    task = tasks.spawn(fail(), name="a task")
    await asyncio.wait([task])
    await asyncio.sleep(0)
    assert told == [("a task", "broken")]


async def test_close_ends_what_still_runs() -> None:
    tasks = Tasks()
    ended = asyncio.Event()

    async def wait() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    tasks.spawn(wait(), name="waits")
    await asyncio.sleep(0)
    await tasks.close()
    assert ended.is_set()
