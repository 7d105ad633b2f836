"""The audit's chain: whole, and every way of tampering found at its row."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from sottovoce.domain.audit_chain import Head, beginning, hash_of
from sottovoce.domain.directory import AgentId, VdnId
from sottovoce.domain.journal import AuditEntry
from sottovoce.errors import Refused
from sottovoce.storage import audit, heads
from sottovoce.storage.database import transaction
from sottovoce.storage.records import fitted
from sottovoce.storage.tables import audit as rows
from sottovoce.storage.tables import audit_heads

NOW = datetime(2026, 11, 22, 4, 5, 6, 789012, tzinfo=UTC)
ONE, TWO = VdnId(1), VdnId(2)
ROWS = 8
"""Two of the import, six of `chained`."""


def entry(number: int, vdn: VdnId = ONE) -> AuditEntry:
    at = NOW + timedelta(seconds=number)
    return AuditEntry(
        vdn, at, AgentId(102), "supervise.listen", "101", {"why": "Prüfung 质检", "n": number, "x": True}
    )


async def add(engine: AsyncEngine, vdn: VdnId, *entries: AuditEntry) -> None:
    async with transaction(engine) as connection:
        await audit.append(connection, vdn, entries)


@pytest.fixture
async def chained(two_vdns: AsyncEngine) -> AsyncEngine:
    await add(two_vdns, ONE, *(entry(number) for number in range(3)))
    for number in range(3, 6):
        await add(two_vdns, ONE, entry(number))
    await add(two_vdns, TWO, entry(1, TWO))
    return two_vdns


async def tamper(engine: AsyncEngine, *statements: str) -> None:
    """Change what the trigger protects, as someone with the owner's rights can."""
    async with transaction(engine) as connection:
        await connection.execute(sa.text("ALTER TABLE audit DISABLE TRIGGER USER"))
        for statement in statements:
            await connection.execute(sa.text(statement))
        await connection.execute(sa.text("ALTER TABLE audit ENABLE TRIGGER USER"))


async def test_a_whole_chain(chained: AsyncEngine) -> None:
    verdict = await audit.verify(chained, ONE)
    assert (verdict.broken, verdict.head.number) == (0, ROWS)
    assert (await audit.verify(chained, TWO)).head.number == 3
    assert await audit.read(chained, ONE, after=2, limit=2) == [entry(0), entry(1)]


@pytest.mark.parametrize(
    "change",
    [
        "actor = 103",
        "target = '102'",
        "action = 'x'",
        "at = at + interval '1 microsecond'",
        "detail = '{}'",
        "hash = 'x'",
        "salt = 'x'",
        "salt = NULL",
        "version = 1",
    ],
)
async def test_a_changed_row_is_named(chained: AsyncEngine, change: str) -> None:
    await tamper(chained, f"UPDATE audit SET {change} WHERE vdn = 1 AND number = 5")
    verdict = await audit.verify(chained, ONE)
    assert (verdict.broken, verdict.why) == (5, "the row was changed")
    assert (await audit.verify(chained, TWO)).broken == 0


async def test_rows_of_before_stay_verifiable(two_vdns: AsyncEngine) -> None:
    """Rows whose hash is of the first version, then new ones; no extract can show the old ones as digests."""
    await tamper(
        two_vdns,
        "DELETE FROM audit WHERE vdn = 1",
        "UPDATE audit_heads SET number = 0, hash ="
        " sha256(convert_to('sottovoce audit of VDN 1', 'UTF8')) WHERE vdn = 1",
    )
    previous = beginning(1)
    async with transaction(two_vdns) as connection:
        for number in (1, 2, 3):
            row = {**fitted(entry(number)), "number": number, "version": 1, "previous": previous}
            row["hash"] = previous = hash_of(previous, row)
            await connection.execute(sa.insert(rows).values(row))
        await connection.execute(
            sa.update(audit_heads).where(audit_heads.c.vdn == 1).values(number=3, hash=previous)
        )
    await add(two_vdns, ONE, entry(4))
    verdict = await audit.verify(two_vdns, ONE)
    assert (verdict.broken, verdict.head.number) == (0, 4)
    async with transaction(two_vdns) as connection:
        assert [row.number for row in (await heads.extract(connection, ONE, [4]))[0].rows] == [4]
        with pytest.raises(Refused, match="older than extracts"):
            await heads.extract(connection, ONE, [3])
    await tamper(two_vdns, "UPDATE audit SET target = '102' WHERE vdn = 1 AND number = 2")
    assert (await audit.verify(two_vdns, ONE)).broken == 2


@pytest.mark.parametrize(
    ("statements", "broken"),
    [
        (["DELETE FROM audit WHERE vdn = 1 AND number = 1"], 1),
        (["DELETE FROM audit WHERE vdn = 1 AND number = 5"], 5),
        (["DELETE FROM audit WHERE vdn = 1 AND number >= 7"], 7),
        (["DELETE FROM audit WHERE vdn = 1"], 1),
        (
            [
                "DELETE FROM audit WHERE vdn = 1 AND number = 5",
                "UPDATE audit SET number = number - 1 WHERE vdn = 1 AND number > 5",
            ],
            5,
        ),
        (
            [
                "UPDATE audit SET number = 100 WHERE vdn = 1 AND number = 7",
                "UPDATE audit SET number = 7 WHERE vdn = 1 AND number = 8",
                "UPDATE audit SET number = 8 WHERE vdn = 1 AND number = 100",
            ],
            7,
        ),
        (
            [
                "INSERT INTO audit SELECT vdn, 9, at, actor, action, target, detail, hash, hash, 2, salt"
                " FROM audit WHERE number = 8"
            ],
            9,
        ),
    ],
)
async def test_removed_moved_and_added_rows_are_named(
    chained: AsyncEngine, statements: list[str], broken: int
) -> None:
    await tamper(chained, *statements)
    assert (await audit.verify(chained, ONE)).broken == broken


async def test_a_chain_written_anew_is_found_by_a_head_noted_before(chained: AsyncEngine) -> None:
    noted = (await audit.verify(chained, ONE)).head
    await add(chained, ONE, entry(8))
    assert (await audit.verify(chained, ONE, [noted])).broken == 0
    await tamper(chained, "DELETE FROM audit WHERE vdn = 1", "DELETE FROM audit_heads WHERE vdn = 1")
    await add(chained, ONE, *(replace(entry(number), actor=AgentId(101)) for number in range(ROWS)))
    assert (await audit.verify(chained, ONE)).broken == 0
    assert (await audit.verify(chained, ONE, [noted])).broken == noted.number
    assert (await audit.verify(chained, ONE, [Head(99, noted.hash)])).broken == ROWS + 1


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit SET actor = 1",
        "DELETE FROM audit",
        "TRUNCATE audit",
        "DELETE FROM audit WHERE number = 5",
    ],
)
async def test_rows_are_only_ever_added(chained: AsyncEngine, statement: str) -> None:
    with pytest.raises(DBAPIError, match="append-only"):
        async with transaction(chained) as connection:
            await connection.execute(sa.text(statement))
    assert (await audit.verify(chained, ONE)).head.number == ROWS


async def test_writers_at_once_make_one_chain(two_vdns: AsyncEngine) -> None:
    await asyncio.gather(*(add(two_vdns, ONE, entry(number), entry(number)) for number in range(10)))
    verdict = await audit.verify(two_vdns, ONE)
    assert (verdict.broken, verdict.head.number) == (0, 22)


async def test_an_entry_of_another_tenant_is_refused(two_vdns: AsyncEngine) -> None:
    with pytest.raises(ValueError, match="VDN 2 in the audit of VDN 1"):
        await add(two_vdns, ONE, entry(1, TWO))
