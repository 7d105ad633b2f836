"""The after-call half on a real socket, with calls that the compatibility kit may ask about."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

from starlette.types import ASGIApp, Receive, Scope, Send
from tests.quality.disputes import violated
from tests.quality.inspected import uuid_of
from tests.quality.standing import (
    ANN,
    DIRECTOR,
    INSPECTOR,
    LEADER,
    NOW,
    ONE,
    TABLE_DIRECTOR,
    TABLE_LEADER,
    Standing,
)

from sottovoce.clock import ManualClock
from sottovoce.compat.bench import Bench, People
from sottovoce.compat.findings import Findings
from sottovoce.compat.wire import Wire
from sottovoce.config import HttpSettings
from sottovoce.domain.contacts import Analysis, Sentence, Speaker, Voice
from sottovoce.http.server import Server
from sottovoce.plain import to_plain
from sottovoce.tasks import Tasks

_numbers = itertools.count(1)
PEOPLE = People(DIRECTOR, INSPECTOR, LEADER, TABLE_DIRECTOR, TABLE_LEADER, ANN)


async def disputable(standing: Standing) -> str:
    """A call of Ann's with two violated rules, which nobody has looked at; its UUID."""
    number = next(_numbers)
    call = await standing.contact(
        101, status=2, began_at=NOW - timedelta(days=2, minutes=10 * number), duration_s=40, **_said("Kettle")
    )
    await violated(standing, call, *(f"silenceRule{number:04d}{rule}" for rule in "ab"))
    return await uuid_of(standing, call)


async def with_calls(standing: Standing) -> str:
    """Calls that differ in all that can be asked for; the UUID of one that may be disputed."""
    scratch = await disputable(standing)
    for number, agent in enumerate((101, 101, 102, 102, 103), start=1):
        began = NOW - timedelta(days=1, hours=number)
        said = _said("Toaster" if number % 2 else "Refund")
        call = await standing.contact(agent, status=2, began_at=began, duration_s=60 * number, **said)
        if agent == 102:
            await violated(standing, call, *(f"silenceRule{number}{rule}" for rule in range(number)))
    await standing.contact(103, status=0, began_at=NOW - timedelta(hours=9), duration_s=900)
    await standing.contact(
        102, status=2, began_at=NOW - timedelta(hours=8), interaction=2, **_said("Written")
    )
    standing.clock.advance(60)
    profile = {"name": "Usual", "lower_bound": 0, "upper_bound": 100, "base": 100}
    made = await standing.call("appraisescore/createAppraiseScore", profile)
    await standing.call("appraisescore/applyAppraiseScore", {"id": made.body["id"]})
    times = {"call_from": 1_622_536_490_000, "call_end": 1_625_042_093_000}
    await standing.call("scenariomanage/createScenario", {"group_name": "Early", "other": times})
    standing.clock.advance(60)
    return scratch


def _said(word: str) -> dict[str, Any]:
    """A transcript, and what the machine heard."""
    heard = Analysis(30, Voice(0.25, 20, 5), Voice(0.5, 15, 4), silence_s=9)
    said = (Sentence(f"My {word}", Speaker.CUSTOMER, 0.5, 1), Sentence("Good morning", Speaker.AGENT, 1, 2))
    return {"transcript": to_plain(said), "analysis": to_plain(heard)}


def ticking(app: ASGIApp, clock: ManualClock) -> ASGIApp:
    """That application, whose clock goes with this loop's."""
    loop = asyncio.get_running_loop()
    last = loop.time()

    async def ticked(scope: Scope, receive: Receive, send: Send) -> None:
        nonlocal last
        now = loop.time()
        clock.advance(now - last)
        last = now
        await app(scope, receive, send)

    return ticked


@asynccontextmanager
async def listening(app: ASGIApp) -> AsyncIterator[str]:
    """Serve on loopback; the URL."""
    tasks = Tasks()
    server = Server(app, HttpSettings(port=0), tasks)
    await server.start()
    try:
        yield f"http://127.0.0.1:{server.port}"
    finally:
        await server.stop()
        await tasks.close()


@asynccontextmanager
async def bench(
    standing: Standing,
    scratch: str | None,
    *,
    strict: bool = False,
    lasting: bool = False,
    people: People = PEOPLE,
    around: Callable[[ASGIApp], ASGIApp] = lambda app: app,
) -> AsyncIterator[Bench]:
    """A bench at that half, perhaps with something between."""
    key, secret = standing.keys[ONE]
    async with listening(around(standing.app)) as url:
        wire = Wire(url, key, secret)
        try:
            yield Bench(wire, people, Findings(strict=strict), scratch, lasting)
        finally:
            await wire.close()
