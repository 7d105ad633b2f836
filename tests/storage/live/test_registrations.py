"""Registrations of phones in the database: written by the journal, read at start."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.storage.live.test_journal import Nodes

from sottovoce.domain.directory import VdnId
from sottovoce.domain.journal import KeptContact, PhoneSaved
from sottovoce.errors import Code, Refused
from sottovoce.storage.tables import registrations

NOW = datetime(2026, 11, 22, tzinfo=UTC)
ONE, TWO = VdnId(1), VdnId(2)


@pytest.fixture
async def nodes(two_vdns: AsyncEngine, postgres_dsn: str, tmp_path: Path) -> AsyncIterator[Nodes]:
    made = Nodes(postgres_dsn, tmp_path)
    yield made
    await made.close()


def saved(username: str, *seconds: int, vdn: VdnId = ONE) -> PhoneSaved:
    """A phone with contacts that hold so long."""
    contacts = tuple(
        KeptContact(NOW + timedelta(seconds=each), {"contact": f"sip:a@10.0.0.1:{each}", "cseq": each})
        for each in seconds
    )
    return PhoneSaved(username, vdn, contacts)


async def test_kill_9_loses_no_registration_and_the_last_word_counts(nodes: Nodes) -> None:
    store = nodes.store()
    await store.open(ONE)
    store.append(ONE, [saved("anna", 60), saved("bert", 60), saved("cleo", 60)])
    store.append(ONE, [saved("anna", 90, 60), saved("bert")])
    await nodes.crash(store)
    later = nodes.store()
    await later.open(ONE)
    assert await later.phones(ONE, NOW) == [saved("anna", 90, 60), saved("cleo", 60)]


async def test_what_ran_out_is_not_read_and_its_row_goes(nodes: Nodes, two_vdns: AsyncEngine) -> None:
    store = nodes.store()
    await store.open(ONE)
    store.append(ONE, [saved("anna", 60), saved("bert", 60, 61)])
    await store.commit(ONE, [])
    assert await store.phones(ONE, NOW + timedelta(seconds=60)) == [saved("bert", 60, 61)]
    async with two_vdns.begin() as connection:
        rows = (await connection.execute(sa.select(registrations.c.username))).scalars()
        assert list(rows) == ["bert"]


async def test_another_vdn_s_phones_are_not_read(nodes: Nodes) -> None:
    store = nodes.store()
    for vdn in (ONE, TWO):
        await store.open(vdn)
        store.append(vdn, [saved(f"of {vdn}", 60, vdn=vdn)])
        await store.commit(vdn, [])
    assert await store.phones(TWO, NOW) == [saved("of 2", 60, vdn=TWO)]
    with pytest.raises(Refused) as refused:
        await store.phones(VdnId(3), NOW)
    assert refused.value.code is Code.UNAVAILABLE


async def test_the_next_owner_of_a_vdn_reads_them(nodes: Nodes) -> None:
    store = nodes.store()
    await store.open(ONE)
    store.append(ONE, [saved("anna", 60)])
    await store.close()
    other = nodes.store("b")
    await other.open(ONE)
    assert await other.phones(ONE, NOW) == [saved("anna", 60)]
