"""The after-call half on a real socket, with calls that the compatibility kit may ask about."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta

from starlette.types import ASGIApp
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

from sottovoce.compat.bench import Bench, People
from sottovoce.compat.findings import Findings
from sottovoce.compat.wire import Wire
from sottovoce.config import HttpSettings
from sottovoce.http.server import Server
from sottovoce.tasks import Tasks

PEOPLE = People(DIRECTOR, INSPECTOR, LEADER, TABLE_DIRECTOR, TABLE_LEADER, ANN)


async def with_calls(standing: Standing) -> str:
    """Four inspected calls of Ann, Ben and Cem; the uuid of Ann's, which has a violated rule."""
    first = await standing.contact(101, status=2)
    for number, agent in enumerate((101, 102, 103), start=1):
        began = NOW - timedelta(days=1, hours=number)
        await standing.contact(agent, status=2, began_at=began, duration_s=30 * number)
    await violated(standing, first)
    return await uuid_of(standing, first)


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
