"""Score profiles of a tenant; at most one is in use. A deleted one is a tombstone that nobody finds."""

from __future__ import annotations

import sqlalchemy as sa

from sottovoce.domain.people import ReviewId
from sottovoce.domain.scoring import STANDARD, Profile
from sottovoce.storage.rows import value_of
from sottovoce.storage.tables import score_profiles
from sottovoce.storage.work import Work

_LIVE = score_profiles.c.deleted_at.is_(None)


async def in_use(work: Work) -> Profile:
    """The one by which the tenant is scored now; the standard one where it uses none of its own."""
    query = sa.select(score_profiles).where(score_profiles.c.vdn == work.vdn, score_profiles.c.in_use)
    row = (await work.connection.execute(query)).mappings().first()
    return STANDARD if row is None else _profile(row)


async def held(work: Work) -> dict[ReviewId, Profile]:
    """All of the tenant by their ids, held until the transaction ends."""
    query = (
        sa.select(score_profiles)
        .where(score_profiles.c.vdn == work.vdn, _LIVE)
        .order_by(score_profiles.c.profile)
        .with_for_update(key_share=True)
    )
    found = map(_profile, (await work.connection.execute(query)).mappings())
    return {profile.profile: profile for profile in found if profile.profile is not None}


async def page(work: Work, skip: int, limit: int) -> list[Profile]:
    """Some of the tenant's, in the order in which they were made."""
    query = (
        sa.select(score_profiles)
        .where(score_profiles.c.vdn == work.vdn, _LIVE)
        .order_by(score_profiles.c.created_at, score_profiles.c.profile)
        .offset(skip)
        .limit(limit)
    )
    return [_profile(row) for row in (await work.connection.execute(query)).mappings()]


async def insert(work: Work, profile: Profile) -> None:
    """Add one that is not in use. IntegrityError: the name is taken."""
    row = sa.insert(score_profiles).values(
        vdn=work.vdn, profile=profile.profile, created_at=work.at, **_content(profile)
    )
    await work.connection.execute(row)


async def change(work: Work, profile: Profile) -> None:
    """Give it other values. IntegrityError: the name is taken."""
    changed = sa.update(score_profiles).where(
        score_profiles.c.vdn == work.vdn, score_profiles.c.profile == profile.profile, _LIVE
    )
    await work.connection.execute(changed.values(**_content(profile)))


async def use(work: Work, profile: ReviewId) -> None:
    """Make it the only one in use. The caller holds all of the tenant's."""
    mine = sa.update(score_profiles).where(score_profiles.c.vdn == work.vdn)
    await work.connection.execute(mine.where(score_profiles.c.in_use).values(in_use=False))
    await work.connection.execute(mine.where(score_profiles.c.profile == profile, _LIVE).values(in_use=True))


async def delete(work: Work, profile: ReviewId) -> None:
    """Let nobody find it any more."""
    gone = sa.update(score_profiles).where(
        score_profiles.c.vdn == work.vdn, score_profiles.c.profile == profile, _LIVE
    )
    await work.connection.execute(gone.values(deleted_at=work.at))


def _content(profile: Profile) -> dict[str, object]:
    return {
        "name": profile.name,
        "lower_bound": profile.lower,
        "upper_bound": profile.upper,
        "base": profile.base,
    }


def _profile(row: sa.RowMapping) -> Profile:
    return value_of(Profile, row, lower=row["lower_bound"], upper=row["upper_bound"])
