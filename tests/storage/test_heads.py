"""Heads of the audit signed, and extracts that end with one."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from sottovoce.domain.audit_chain import Extract, Head, SignedHead, unfollowed
from sottovoce.domain.directory import AgentId, VdnId
from sottovoce.domain.journal import AuditEntry
from sottovoce.errors import Code, Refused
from sottovoce.plain import from_plain, to_plain
from sottovoce.storage import audit, heads
from sottovoce.storage.database import transaction
from sottovoce.storage.signatures import BadKey, SigningKey, is_true, public_pem

NOW = datetime(2026, 11, 22, 4, 5, 6, 789012, tzinfo=UTC)
ONE = VdnId(1)
IMPORTED = 2
"""Rows of the import."""
KEY = SigningKey.generate()


async def add(engine: AsyncEngine, *targets: str) -> None:
    async with transaction(engine) as connection:
        await audit.append(
            connection, ONE, [AuditEntry(ONE, NOW, AgentId(102), "call.drop", target) for target in targets]
        )


async def sign(engine: AsyncEngine, key: SigningKey = KEY, occasion: str = "day") -> SignedHead:
    async with transaction(engine) as connection:
        signed = key.sign(ONE, await audit.head_of(connection, ONE), NOW, occasion)
        await heads.keep(connection, signed)
    return signed


async def extracted(engine: AsyncEngine, *numbers: int) -> list[Extract]:
    async with transaction(engine, snapshot=True) as connection:
        return await heads.extract(connection, ONE, numbers)


async def test_a_signature_says_which_head_when_and_why(two_vdns: AsyncEngine) -> None:
    signed = await sign(two_vdns)
    async with transaction(two_vdns) as connection:
        assert await heads.signed(connection, ONE) == [signed]
        assert await heads.signed(connection, VdnId(2)) == []
        assert await heads.signed(connection, ONE, since=IMPORTED + 1) == []
        assert await heads.keys(connection) == [KEY.public]
        assert await heads.last_signed(connection, KEY.public) == {ONE: NOW}
        assert await heads.last_signed(connection, SigningKey.generate().public) == {}
    head, told = signed.head, signed.signature
    assert is_true(1, head, told)
    assert not is_true(2, head, told)
    assert not is_true(1, Head(head.number + 1, head.hash), told)
    assert not is_true(1, Head(head.number, "00" * 32), told)
    for change in (
        {"at": NOW + timedelta(seconds=1)},
        {"occasion": "stop"},
        {"key": SigningKey.generate().public},
        {"key": "no key"},
        {"signature": "00" * 64},
    ):
        assert not is_true(1, head, dataclasses.replace(told, **change))  # type: ignore[arg-type]


def test_a_key_is_written_and_read() -> None:
    assert SigningKey.read(KEY.pem()).public == KEY.public
    assert public_pem(KEY.public).startswith("-----BEGIN PUBLIC KEY-----")
    for bad in (b"", b"no key", public_pem(KEY.public).encode()):
        with pytest.raises(BadKey):
            SigningKey.read(bad)
    with pytest.raises(BadKey):
        public_pem("12")


async def test_an_extract_ends_with_the_next_signed_head(two_vdns: AsyncEngine) -> None:
    """Rows that concern nobody are digests; each stretch is as short as can be."""
    await add(two_vdns, "a", "secret one", "b")
    first = await sign(two_vdns)
    await add(two_vdns, "secret two", "c", "secret three")
    last = await sign(two_vdns)
    await add(two_vdns, "secret four", "d")
    found = await extracted(two_vdns, *(IMPORTED + place for place in (3, 1, 5)))
    assert [[row.target for row in one.rows] for one in found] == [["a", "b"], ["c"]]
    assert [(one.previous.number, len(one.digests)) for one in found] == [
        (IMPORTED, 3),
        (IMPORTED + 4, 2),
    ]
    assert [(one.head, one.signature) for one in found] == [
        (first.head, first.signature),
        (last.head, last.signature),
    ]
    assert [unfollowed(one) for one in found] == [[], []]
    assert "secret" not in str(found)
    assert [from_plain(Extract, to_plain(one)) for one in found] == found


async def test_without_a_later_signature_an_extract_ends_with_the_head_of_now(two_vdns: AsyncEngine) -> None:
    await sign(two_vdns)
    await add(two_vdns, "a", "b")
    [found] = await extracted(two_vdns, IMPORTED + 1)
    assert (found.signature, found.head.number, len(found.digests)) == (None, IMPORTED + 2, 2)
    assert unfollowed(found) == []


async def test_no_extract_of_rows_that_are_not_there(two_vdns: AsyncEngine) -> None:
    for number in (0, IMPORTED + 1):
        with pytest.raises(Refused) as refused:
            await extracted(two_vdns, number)
        assert refused.value.code is Code.NOT_FOUND


async def test_signatures_are_only_ever_added(two_vdns: AsyncEngine) -> None:
    await sign(two_vdns)
    for statement in (
        "UPDATE audit_signatures SET number = 2",
        "DELETE FROM audit_signatures",
        "TRUNCATE audit_signatures",
    ):
        with pytest.raises(DBAPIError, match="append-only"):
            async with transaction(two_vdns) as connection:
                await connection.execute(sa.text(statement))
