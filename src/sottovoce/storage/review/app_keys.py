"""App keys, by which other programs call for a tenant, and the tokens given out for them.

Secrets and tokens have 256 random bits, so that a plain SHA-256 of them is as good as they are;
neither is kept. What is looked up is found by its hash and compared in constant time.
"""

from __future__ import annotations

import hmac
import secrets
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from sottovoce.digests import text_sha256
from sottovoce.domain.directory import VdnId
from sottovoce.domain.people import AppKey, Token, UserId
from sottovoce.storage.rows import all_of, columns_of, value_of
from sottovoce.storage.tables import access_tokens, app_keys
from sottovoce.storage.work import Work

LONGEST = 256
"""Characters of a key, secret or token at most; a longer one is wrong without a look."""


async def make(work: Work, name: str, user: UserId | None = None) -> tuple[AppKey, str]:
    """A new app key and its secret, which cannot be shown again. IntegrityError: no such VDN or user."""
    secret = secrets.token_urlsafe(32)
    key = AppKey(secrets.token_hex(16), work.vdn, name, user, work.at, None)
    await work.connection.execute(
        sa.insert(app_keys).values(columns_of(key, secret_hash=text_sha256(secret)))
    )
    return key, secret


async def listed(connection: AsyncConnection, vdn: VdnId | None = None) -> list[AppKey]:
    """The app keys of a tenant, or (the command line) of all, revoked ones included."""
    query = sa.select(app_keys).order_by(app_keys.c.vdn, app_keys.c.made_at)
    if vdn is not None:
        query = query.where(app_keys.c.vdn == int(vdn))
    return all_of(AppKey, (await connection.execute(query)).mappings())


async def revoke(connection: AsyncConnection, app_key: str, at: datetime) -> AppKey | None:
    """Take an app key away, and all its tokens with it; None: there is no such key."""
    await connection.execute(sa.delete(access_tokens).where(access_tokens.c.app_key == app_key))
    changed = await connection.execute(
        sa.update(app_keys)
        .where(app_keys.c.app_key == app_key)
        .values(revoked_at=sa.func.coalesce(app_keys.c.revoked_at, at))
        .returning(*app_keys.c)
    )
    row = changed.mappings().first()
    return None if row is None else value_of(AppKey, row)


async def issue(
    connection: AsyncConnection, app_key: str, secret: str, at: datetime, expires_s: int
) -> Token | None:
    """A token for who knows the secret; None: there is no such key, it is revoked, or the secret is wrong."""
    if len(app_key) > LONGEST or len(secret) > LONGEST or "\0" in app_key:
        return None
    query = sa.select(app_keys).where(app_keys.c.app_key == app_key, app_keys.c.revoked_at.is_(None))
    row = (await connection.execute(query)).mappings().first()
    stored = row["secret_hash"] if row is not None else bytes(32)
    if not hmac.compare_digest(stored, text_sha256(secret)) or row is None:
        return None
    await connection.execute(sa.delete(access_tokens).where(access_tokens.c.expires_at <= at))
    token = Token(secrets.token_urlsafe(32), app_key, VdnId(row["vdn"]), at, expires_s)
    await connection.execute(
        sa.insert(access_tokens).values(
            token_hash=text_sha256(token.text),
            vdn=int(token.vdn),
            app_key=app_key,
            made_at=at,
            expires_at=at + timedelta(seconds=expires_s),
        )
    )
    return token


async def found(connection: AsyncConnection, token: str, at: datetime) -> AppKey | None:
    """Whose token that is; None: nobody's, or it has expired, or its key is revoked."""
    if len(token) > LONGEST:
        return None
    wanted = text_sha256(token)
    query = (
        sa.select(app_keys, access_tokens.c.token_hash)
        .join(access_tokens, access_tokens.c.app_key == app_keys.c.app_key)
        .where(
            access_tokens.c.token_hash == wanted,
            access_tokens.c.expires_at > at,
            app_keys.c.revoked_at.is_(None),
        )
    )
    row = (await connection.execute(query)).mappings().first()
    if row is None or not hmac.compare_digest(row["token_hash"], wanted):
        return None
    return value_of(AppKey, row)
