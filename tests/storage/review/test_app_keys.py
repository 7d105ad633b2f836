"""App keys and their tokens: by the hash alone, by the tenant alone, and gone at once when revoked."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.storage.works import work_of

from sottovoce.domain.directory import VdnId
from sottovoce.storage.review import app_keys
from sottovoce.storage.tables import access_tokens
from sottovoce.storage.tables import app_keys as rows

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
ONE, TWO = VdnId(1), VdnId(2)


async def test_neither_secret_nor_token_is_kept(two_vdns: AsyncEngine) -> None:
    async with two_vdns.begin() as connection:
        key, secret = await app_keys.make(work_of(connection, ONE, NOW), "CRM")
        token = await app_keys.issue(connection, key.app_key, secret, NOW, 600)
        assert token is not None
        kept = str((await connection.execute(sa.select(rows))).all())
        kept += str((await connection.execute(sa.select(access_tokens))).all())
        assert await app_keys.found(connection, token.text, NOW) == key
    assert key.app_key in kept
    for hidden in (secret, token.text):
        assert len(hidden) == 43, "256 bits"
        assert hidden not in kept


async def test_who_gets_no_token(two_vdns: AsyncEngine) -> None:
    async with two_vdns.begin() as connection:
        key, secret = await app_keys.make(work_of(connection, ONE, NOW), "CRM")
        _, other = await app_keys.make(work_of(connection, TWO, NOW), "CRM")
        for name, word in (
            (key.app_key, other),
            (key.app_key, ""),
            (key.app_key, secret + "x"),
            (key.app_key.upper() + "x", secret),
            ("", secret),
            (key.app_key + "\0", secret),
            ("x" * 300, secret),
            (key.app_key, "x" * 300),
            (key.app_key, "\ud800"),
        ):
            assert await app_keys.issue(connection, name, word, NOW, 600) is None
        assert await app_keys.found(connection, "", NOW) is None
        assert await app_keys.found(connection, "\ud800", NOW) is None
        assert await app_keys.found(connection, "x" * 10_000, NOW) is None


async def test_a_token_ends_with_its_time_and_is_cleared_away(two_vdns: AsyncEngine) -> None:
    async with two_vdns.begin() as connection:
        key, secret = await app_keys.make(work_of(connection, ONE, NOW), "CRM")
        token = await app_keys.issue(connection, key.app_key, secret, NOW, 10)
        assert token is not None
        almost = NOW + timedelta(seconds=9.9)
        over = NOW + timedelta(seconds=10)
        assert await app_keys.found(connection, token.text, almost) == key
        assert await app_keys.found(connection, token.text, over) is None
        await app_keys.issue(connection, key.app_key, secret, over, 10)
        count = sa.select(sa.func.count()).select_from(access_tokens)
        assert (await connection.execute(count)).scalar_one() == 1


async def test_revoking_ends_the_key_and_its_tokens_and_no_others(two_vdns: AsyncEngine) -> None:
    async with two_vdns.begin() as connection:
        key, secret = await app_keys.make(work_of(connection, ONE, NOW), "CRM")
        other, word = await app_keys.make(work_of(connection, ONE, NOW + timedelta(seconds=1)), "BI")
        token = await app_keys.issue(connection, key.app_key, secret, NOW, 600)
        kept = await app_keys.issue(connection, other.app_key, word, NOW, 600)
        assert token is not None
        assert kept is not None
        revoked = await app_keys.revoke(connection, key.app_key, NOW)
        assert revoked is not None
        assert revoked.revoked_at == NOW
        assert await app_keys.found(connection, token.text, NOW) is None
        assert await app_keys.issue(connection, key.app_key, secret, NOW, 600) is None
        assert await app_keys.found(connection, kept.text, NOW) == other
        again = await app_keys.revoke(connection, key.app_key, NOW + timedelta(days=1))
        assert again == revoked, "the first time counts"
        assert await app_keys.revoke(connection, "nobody", NOW) is None
        assert [one.name for one in await app_keys.listed(connection, ONE)] == ["CRM", "BI"]
        assert await app_keys.listed(connection, TWO) == []
        assert len(await app_keys.listed(connection)) == 2
