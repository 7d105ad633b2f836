"""Score profiles of a tenant; at most one is in use. A deleted one is a tombstone that nobody finds."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from sottovoce.domain.directory import VdnId
from sottovoce.domain.people import ReviewId
from sottovoce.domain.scoring import STANDARD, Profile
from sottovoce.storage.tables import score_profiles

_LIVE = score_profiles.c.deleted_at.is_(None)


async def in_use(connection: AsyncConnection, vdn: VdnId) -> Profile:
    """The one by which the tenant is scored now; the standard one where it uses none of its own."""
    query = sa.select(score_profiles).where(score_profiles.c.vdn == int(vdn), score_profiles.c.in_use)
    row = (await connection.execute(query)).mappings().first()
    return STANDARD if row is None else _profile(row)


async def held(connection: AsyncConnection, vdn: VdnId) -> dict[ReviewId, Profile]:
    """All of the tenant by their ids, held until the transaction ends."""
    query = (
        sa.select(score_profiles)
        .where(score_profiles.c.vdn == int(vdn), _LIVE)
        .order_by(score_profiles.c.profile)
        .with_for_update(key_share=True)
    )
    found = map(_profile, (await connection.execute(query)).mappings())
    return {profile.profile: profile for profile in found if profile.profile is not None}


async def page(connection: AsyncConnection, vdn: VdnId, skip: int, limit: int) -> list[Profile]:
    """Some of the tenant's, in the order in which they were made."""
    query = (
        sa.select(score_profiles)
        .where(score_profiles.c.vdn == int(vdn), _LIVE)
        .order_by(score_profiles.c.created_at, score_profiles.c.profile)
        .offset(skip)
        .limit(limit)
    )
    return [_profile(row) for row in (await connection.execute(query)).mappings()]


async def insert(connection: AsyncConnection, vdn: VdnId, profile: Profile, at: datetime) -> None:
    """Add one that is not in use. IntegrityError: the name is taken."""
    row = sa.insert(score_profiles).values(
        vdn=int(vdn), profile=profile.profile, created_at=at, **_content(profile)
    )
    await connection.execute(row)


async def change(connection: AsyncConnection, vdn: VdnId, profile: Profile) -> None:
    """Give it other values. IntegrityError: the name is taken."""
    changed = sa.update(score_profiles).where(
        score_profiles.c.vdn == int(vdn), score_profiles.c.profile == profile.profile, _LIVE
    )
    await connection.execute(changed.values(**_content(profile)))


async def use(connection: AsyncConnection, vdn: VdnId, profile: ReviewId) -> None:
    """Make it the only one in use. The caller holds all of the tenant's."""
    mine = sa.update(score_profiles).where(score_profiles.c.vdn == int(vdn))
    await connection.execute(mine.where(score_profiles.c.in_use).values(in_use=False))
    await connection.execute(mine.where(score_profiles.c.profile == profile, _LIVE).values(in_use=True))


async def delete(connection: AsyncConnection, vdn: VdnId, profile: ReviewId, at: datetime) -> None:
    """Let nobody find it any more."""
    gone = sa.update(score_profiles).where(
        score_profiles.c.vdn == int(vdn), score_profiles.c.profile == profile, _LIVE
    )
    await connection.execute(gone.values(deleted_at=at))


def _content(profile: Profile) -> dict[str, object]:
    return {
        "name": profile.name,
        "lower_bound": profile.lower,
        "upper_bound": profile.upper,
        "base": profile.base,
    }


def _profile(row: sa.RowMapping) -> Profile:
    return Profile(
        lower=row["lower_bound"],
        upper=row["upper_bound"],
        base=row["base"],
        profile=ReviewId(row["profile"]),
        name=row["name"],
        in_use=row["in_use"],
    )
