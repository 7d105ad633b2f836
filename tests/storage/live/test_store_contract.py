"""What the floor may rely on of a store, whichever it is: PostgreSQL, or the memory that tests stand on."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.memory import MemoryStore
from tests.storage.live.test_journal import Nodes, Outage

from sottovoce.domain.calls import CallDirection
from sottovoce.domain.directory import AgentId, SkillId, VdnId
from sottovoce.domain.journal import AuditEntry, ContactBegan, SessionSaved, kept_guid
from sottovoce.errors import Code, Refused
from sottovoce.live.ports import Store
from sottovoce.storage.live import directory

NOW = datetime(2026, 11, 22, tzinfo=UTC)
ONE, TWO, NOBODYS = VdnId(1), VdnId(2), VdnId(99)
ANN = AgentId(101)


@dataclass
class Kept:
    """A store, and how it is made to lose what it writes to."""

    store: Store
    outage: Callable[[], AbstractContextManager[None]]


@pytest.fixture(params=["postgresql", "memory"])
async def kept(
    request: pytest.FixtureRequest,
    two_vdns: AsyncEngine,
    postgres_dsn: str,
    postgres_server: str,
    tmp_path: Path,
) -> AsyncIterator[Kept]:
    if request.param == "memory":
        memory = MemoryStore([await directory.profile(two_vdns, vdn) for vdn in (ONE, TWO)])

        @contextmanager
        def away():
            memory.available = False
            yield
            memory.available = True

        yield Kept(memory, away)
        return
    nodes = Nodes(postgres_dsn, tmp_path)
    store = nodes.store(commit_timeout=2.0)
    await store.open(ONE)
    await store.open(TWO)
    yield Kept(store, lambda: Outage(postgres_dsn, postgres_server))
    await nodes.close()


def session() -> SessionSaved:
    return SessionSaved(ANN, ONE, kept_guid("guid-1"), "8001", NOW, (SkillId(1),), {"auto_answer": True})


def entry() -> AuditEntry:
    return AuditEntry(ONE, NOW, ANN, "supervise.whisper", "102", {})


async def test_a_profile_is_that_of_its_vdn(kept: Kept) -> None:
    assert (await kept.store.profile(ONE)).vdn == ONE
    assert ANN in (await kept.store.profile(ONE)).agents
    assert ANN not in (await kept.store.profile(TWO)).agents


async def test_a_vdn_that_is_none_is_not_found(kept: Kept) -> None:
    with pytest.raises(Refused) as refusal:
        await kept.store.profile(NOBODYS)
    assert refusal.value.code is Code.NOT_FOUND


async def test_without_a_crash_nothing_is_left(kept: Kept) -> None:
    left = await kept.store.restore(ONE)
    assert [*left.sessions, *left.dialogs, *left.open_contacts] == []


async def test_a_commit_is_made_or_refused_and_can_be_made_again(kept: Kept) -> None:
    await kept.store.commit(ONE, [session(), entry()])
    with kept.outage(), pytest.raises(Refused) as refusal:
        await kept.store.commit(ONE, [entry()])
    assert refusal.value.code is Code.UNAVAILABLE
    await kept.store.commit(ONE, [entry()])


async def test_appending_never_fails_and_never_waits(kept: Kept) -> None:
    with kept.outage():
        kept.store.append(ONE, [ContactBegan("1-1", ONE, NOW, CallDirection.INBOUND, "1", "2"), entry()])
    kept.store.append(TWO, [])
    await kept.store.commit(ONE, [entry()])
