"""The line of sign-ins: bounded, known people first, each source in its turn."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
from tests.live.refusals import refused

from sottovoce.errors import Code
from sottovoce.line_of_tries import OF_ONE_SOURCE, STRANGE_SOURCES, LineOfTries


class Bench:
    """Notes who was served, and serves nobody else until told."""

    def __init__(self) -> None:
        self.line = LineOfTries()
        self.served: list[str] = []
        self.waiting: list[asyncio.Task[None]] = []
        self._go = asyncio.Semaphore(0)

    async def _come(self, name: str, source: str, known: bool) -> None:
        async with self.line.turn(source, known=known):
            self.served.append(name)
            await self._go.acquire()

    async def come(self, name: str, source: str = "", *, known: bool = False) -> asyncio.Task[None]:
        task = asyncio.ensure_future(self._come(name, source or name, known))
        self.waiting.append(task)
        await self.quiet()
        return task

    async def done(self, turns: int = 1) -> None:
        for _ in range(turns):
            self._go.release()
            await self.quiet()

    async def quiet(self) -> None:
        for _ in range(10):
            await asyncio.sleep(0)


@pytest.fixture
def bench() -> Iterator[Bench]:
    made = Bench()
    yield made
    for task in made.waiting:
        task.cancel()


async def test_each_source_takes_its_turn_and_known_people_go_first(bench: Bench) -> None:
    for number in range(4):
        await bench.come(f"x{number}", "x")
    await bench.come("y")
    await bench.come("ann", known=True)
    await bench.come("bob", known=True)
    assert bench.served == ["x0", "ann"]
    await bench.done(6)
    assert bench.served == ["x0", "ann", "bob", "x1", "y", "x2", "x3"]


async def test_strangers_leave_room_for_a_known_person(bench: Bench) -> None:
    for name in "xyz":
        await bench.come(name)
    assert bench.served == ["x"]
    for name in "abc":
        await bench.come(name, known=True)
    assert bench.served == ["x", "a"]
    await bench.done(5)
    assert sorted(bench.served) == ["a", "b", "c", "x", "y", "z"]


async def test_a_full_line_refuses_at_once_and_known_people_do_not_notice(bench: Bench) -> None:
    for number in range(1 + STRANGE_SOURCES):
        await bench.come(f"x{number}")
    await refused(Code.UNAVAILABLE, bench.line.turn("y", known=False).__aenter__())
    await bench.come("ann", known=True)
    assert bench.served == ["x0", "ann"]


async def test_one_source_fills_its_own_line_alone(bench: Bench) -> None:
    for number in range(1 + OF_ONE_SOURCE):
        await bench.come(f"x{number}", "x")
    await refused(Code.UNAVAILABLE, bench.line.turn("x", known=False).__aenter__())
    await bench.come("y")
    await bench.done(2)
    assert bench.served == ["x0", "x1", "y"]


async def test_who_leaves_the_line_or_its_turn_makes_room(bench: Bench) -> None:
    first = await bench.come("a")
    gone = await bench.come("b")
    await bench.come("c")
    gone.cancel()
    await bench.quiet()
    first.cancel()
    await bench.quiet()
    assert bench.served == ["a", "c"]
    await bench.done()
    await bench.come("d")
    assert bench.served == ["a", "c", "d"]


async def test_who_is_cancelled_as_their_turn_comes_keeps_no_place(bench: Bench) -> None:
    await bench.come("a")
    second = await bench.come("b")
    bench._go.release()
    await asyncio.sleep(0)
    second.cancel()
    await bench.quiet()
    await bench.come("c")
    assert "c" in bench.served
