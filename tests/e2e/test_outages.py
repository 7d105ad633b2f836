"""What a server depends on stops or dies under a whisper: PostgreSQL hangs, the media worker is killed."""

from __future__ import annotations

import asyncio

import psutil
import pytest
from tests.e2e import under_attack
from tests.e2e.served import ACCESS_CODE, SECRET, Served
from tests.e2e.under_attack import AGENT, CUSTOMER, INSPECTOR, PATIENCE_S

from sottovoce.client.ccgateway import Failed
from sottovoce.phones.phone import CallState, Phone

IDLE, TALKING = 4, 7


def processes(served: Served, word: str) -> list[psutil.Process]:
    """Those of this installation whose command line has the word."""
    server = next(
        process
        for process in psutil.Process().children(recursive=True)
        if "serve" in process.cmdline() and any(str(served.folder) in part for part in process.cmdline())
    )
    return [one for one in server.children(recursive=True) if word in " ".join((one.name(), *one.cmdline()))]


async def heard(phone: Phone) -> set[int]:
    """The tones in an undisturbed second at this phone."""
    return set((await phone.hear(settle_s=0.5, patience_s=PATIENCE_S)).hearing.heard)


async def refused(retcode: str, asked: object) -> None:
    with pytest.raises(Failed) as failure:
        await asked  # type: ignore[misc]
    assert failure.value.retcode == retcode


async def test_while_postgresql_hangs_nothing_begins_and_everything_ends() -> None:
    async with under_attack.standing_call() as call:
        database = processes(call.served, "postgres")
        assert database
        for process in database:
            process.suspend()
        try:
            await refused("900-001", call.ina.listen(101))
            await refused("900-001", call.ina.ask("POST", "/qualitycontrol/103/forcebusy/101"))
            await call.ann.hold()
            await call.ann.take_back()
            await call.ian.stop_whisper(101)
            assert await heard(call.phones[AGENT]) == {CUSTOMER}
            assert await heard(call.phones[CUSTOMER]) == {AGENT}
            await call.ina.sign_out()
            await refused("100-003", call.ina.sign_in(SECRET, "8103"))
        finally:
            for process in database:
                process.resume()
        async with asyncio.timeout(30):
            while True:
                try:
                    await call.ian.whisper(101)
                    break
                except Failed:
                    await asyncio.sleep(0.2)
        assert await heard(call.phones[AGENT]) == {CUSTOMER, INSPECTOR}


async def test_a_killed_media_worker_ends_its_calls_and_the_next_one_talks() -> None:
    async with under_attack.standing_call() as call:
        await call.ina.sign_out()
        workers = processes(call.served, "sottovoce.media.process")
        assert workers
        for process in workers:
            process.kill()
        for leg in call.calls.values():
            await leg.ended(20)
            assert leg.state is CallState.ENDED
        async with asyncio.timeout(20):
            while (await call.ann.status(), await call.ian.status()) != (IDLE, IDLE):  # noqa: ASYNC110
                await asyncio.sleep(0.05)
            while True:
                again = await call.phones[CUSTOMER].call(ACCESS_CODE, via=call.served.hop)
                try:
                    await again.talking()
                    break
                except ConnectionError:
                    await asyncio.sleep(0.2)
            while await call.ann.status() != TALKING:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        assert await heard(call.phones[CUSTOMER]) == {AGENT}
        assert await heard(call.phones[AGENT]) == {CUSTOMER}
        assert [one["event"] for one in call.troubles()] == ["media worker lost"]
