"""The compatibility kit catches a server that lies, whatever the lie, and believes one that does not."""

from __future__ import annotations

import logging
import re
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio
import structlog
from tests.compat.lies import LIES
from tests.compat.lying import Lie, Proxy, proxied
from tests.compat.served import PEOPLE, disputable, ticking, with_calls
from tests.quality.standing import ONE, Standing

from sottovoce.compat import run
from sottovoce.compat.bench import Bench
from sottovoce.compat.findings import CheckVerdict, Finding, Findings
from sottovoce.compat.wire import Wire

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(400)]  # some walks ask 300 times


@dataclass
class Court:
    """A server, the proxy before it, and what came out."""

    standing: Standing
    proxy: Proxy
    url: str
    scratch: str
    told: int = 0
    caught: int = 0

    async def judged(self, only: tuple[str, ...], lies: Sequence[Lie] = ()) -> list[Finding]:
        """What the kit finds wrong in those parts while those lies are told."""
        scratch = await disputable(self.standing) if only[0].startswith("appeals") else self.scratch
        key, secret = self.standing.keys[ONE]
        wire = Wire(self.url, key, secret, verify=False)
        made = Bench(wire, PEOPLE, Findings(), scratch, lasting=True, only=only)
        self.proxy.lies = lies
        try:
            await run.check(made)
        finally:
            self.proxy.lies = ()
            await wire.close()
        return [one for one in made.findings.found if one.verdict is not CheckVerdict.PASS]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def court(module_postgres_dsn: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Court]:
    folder: Path = tmp_path_factory.mktemp("recordings")
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    standing = Standing(module_postgres_dsn, folder)
    await standing.open()
    scratch = await with_calls(standing)
    async with proxied(ticking(standing.app, standing.clock)) as (proxy, url):
        made = Court(standing, proxy, url, scratch)
        yield made
        print(f"\n{made.caught} lies caught of {made.told} told")
    await standing.close()
    structlog.reset_defaults()


def _groups() -> dict[str, list[Lie]]:
    """Lies that are told in one walk, by a name for it."""
    found: dict[str, list[Lie]] = {}
    for lie in LIES:
        part = lie.only.partition(".")[0]
        found.setdefault(lie.name if lie.seen is None else f"{part} {lie.beside}", []).append(lie)
    return found


@pytest.mark.parametrize("lies", _groups().values(), ids=list(_groups()))
async def test_each_lie_is_caught(court: Court, lies: list[Lie]) -> None:
    found = await court.judged(tuple(dict.fromkeys(lie.only for lie in lies)), lies)
    failed = [
        f"{one.interface} {one.check} {one.reason}" for one in found if one.verdict is CheckVerdict.FAIL
    ]
    missed = [lie.name for lie in lies if not any(re.search(lie.seen or "", text) for text in failed)]
    court.told += len(lies)
    court.caught += len(lies) - len(missed)
    assert missed == [], failed


@pytest.mark.parametrize("part", sorted({lie.only.partition(":")[0] for lie in LIES} - {"requests"}))
async def test_an_honest_proxy_is_believed(court: Court, part: str) -> None:
    assert await court.judged((part,)) == []


async def test_no_two_lies_have_one_name() -> None:
    names = [lie.name for lie in LIES]
    assert len(set(names)) == len(names)
