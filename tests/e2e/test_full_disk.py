"""A disk that is full under a running server: what is said, what is refused, what goes on."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest
from tests.e2e.served import ACCESS_CODE, Served, at_work, outside, serving, stopped
from tests.full_disk import file_size_limit

from sottovoce.phones.phone import CallState

pytestmark = pytest.mark.timeout(240)


async def status(served: Served) -> Any:
    """What the operator's socket says, whether the server is ready or not."""
    process = await asyncio.create_subprocess_exec(
        *served.words("status", "--json"), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
    )
    said, _ = await process.communicate()
    return json.loads(said)


async def until(served: Served, right: Callable[[Any], bool]) -> Any:
    """Ask for the status until it is right; the test's time limit ends it."""
    while not right(told := await status(served)):  # noqa: ASYNC110 - nobody tells
        await asyncio.sleep(0.5)
    return told


async def test_a_full_disk_is_said_and_nothing_new_is_begun() -> None:
    async with (
        serving() as served,
        at_work(served) as floor,
        outside("5552") as other,
        outside("5553") as late,
    ):
        async with floor.ann.polling():
            first = await floor.talk()
        await floor.customer.hear()
        workers = [one.pid for one in served.process.children() if "sottovoce.media.process" in one.cmdline()]
        with file_size_limit(400, served.process.pid, *workers):
            with stopped(*served.postgresql()):
                waiting = await other.call(ACCESS_CODE, via=served.hop)
                await waiting.talking()
                told = await until(served, lambda told: not told["journals"][0]["keeps"])
                assert not told["ready"]
                refused = await late.call(ACCESS_CODE, via=served.hop)
                await refused.ended(10)
                assert refused.status == 503
                await floor.customer.hear()
                await floor.agent.hear()
                assert waiting.state is CallState.TALKING
            await until(served, lambda told: told["journals"][0]["keeps"])
        waiting.hang_up()
        first.hang_up()
        for _ in range(60):
            said = await served.command("contacts", "list", "--vdn", "1", "--json")
            found = json.JSONDecoder().raw_decode(said)[0]
            talks = [one for one in found if one["agent"] == 101]
            if talks:
                break
            await asyncio.sleep(0.5)
        assert "recording cut" in talks[0]["state"]
        shown = await served.command("contacts", "show", str(talks[0]["contact"]), "--vdn", "1")
        assert "cut        File too large" in shown
