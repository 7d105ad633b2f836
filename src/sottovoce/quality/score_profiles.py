"""Score profiles: where a score begins and its bounds. The one in use holds for scores given from then on."""

from __future__ import annotations

import dataclasses

from sqlalchemy.exc import IntegrityError

from sottovoce.domain.people import ReviewId
from sottovoce.domain.scoring import Profile
from sottovoce.errors import Code, Refused
from sottovoce.quality.access import Reach
from sottovoce.storage.review import ids
from sottovoce.storage.review import score_profiles as stored
from sottovoce.storage.work import Work


async def create(work: Work, reach: Reach, profile: Profile) -> ReviewId:
    """A new profile, not in use; its id. Refused(BAD_PARAMETER), (NO_RIGHT), (NAME_TAKEN)."""
    profile.checked()
    [new] = await ids.fresh(work.connection, work.at)
    made = dataclasses.replace(profile, profile=new)
    try:
        await stored.insert(work, made)
    except IntegrityError as taken:
        raise _taken(profile) from taken
    _audit(work, "score_profile.create", made)
    return new


async def apply(work: Work, reach: Reach, profile: ReviewId) -> None:
    """Make it the one in use. Scores that were given stay. Refused(NO_RIGHT), (NOT_FOUND)."""
    found = await _held(work, profile)
    if not found.in_use:
        await stored.use(work, profile)
        _audit(work, "score_profile.apply", found)


async def modify(work: Work, reach: Reach, profile: Profile) -> None:
    """Give `profile.profile` these values. Scores that were given stay.

    Refused(BAD_PARAMETER), (NO_RIGHT), (NOT_FOUND), (NAME_TAKEN).
    """
    profile.checked()
    await _held(work, profile.profile)
    try:
        await stored.change(work, profile)
    except IntegrityError as taken:
        raise _taken(profile) from taken
    _audit(work, "score_profile.modify", profile)


async def delete(work: Work, reach: Reach, profile: ReviewId) -> None:
    """Delete it. Refused(NO_RIGHT), (NOT_FOUND), (WRONG_STATE) while it is in use."""
    found = await _held(work, profile)
    if found.in_use:
        raise Refused(Code.WRONG_STATE, "the score profile is in use")
    await stored.delete(work, profile)
    _audit(work, "score_profile.delete", found)


async def query(work: Work, reach: Reach, page: int, limit: int) -> tuple[ReviewId | None, list[Profile]]:
    """The one in use (None: none of the tenant's own), and a page of all. Refused(NO_RIGHT)."""
    using = await stored.in_use(work)
    return using.profile, await stored.page(work, (page - 1) * limit, limit)


async def _held(work: Work, profile: ReviewId | None) -> Profile:
    """The tenant's profile; all of them are held, so that applying and deleting take turns."""
    held = await stored.held(work)
    if profile is None or profile not in held:
        raise Refused(Code.NOT_FOUND, "there is no such score profile")
    return held[profile]


def _taken(profile: Profile) -> Refused:
    return Refused(Code.NAME_TAKEN, f"there is a score profile {profile.name} already")


def _audit(work: Work, action: str, profile: Profile) -> None:
    work.audit(
        action,
        profile.profile or "",
        name=profile.name,
        lower=str(profile.lower),
        upper=str(profile.upper),
        base=str(profile.base),
    )
