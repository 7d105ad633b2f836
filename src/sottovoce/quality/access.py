"""Who calls: an app with its token, and the user for whom it does."""

from __future__ import annotations

from sottovoce.domain.people import AppKey, Token, UserId
from sottovoce.errors import Code, Refused
from sottovoce.quality.office import Caller, Office
from sottovoce.storage.review import app_keys, users

LONGEST_TOKEN_S = 3600
"""A token lives no longer [2211]."""


async def issue_token(office: Office, app_key: str, secret: str, expires_s: int) -> Token | None:
    """A token for an app; None where key or secret is wrong. Refused(UNAVAILABLE)."""
    async with office.transaction() as connection:
        return await app_keys.issue(connection, app_key, secret, office.clock.now(), expires_s)


async def app_of(office: Office, token: str) -> AppKey | None:
    """Whose token that is; None: nobody's (any more). Refused(UNAVAILABLE)."""
    async with office.transaction() as connection:
        return await app_keys.found(connection, token, office.clock.now())


async def caller(office: Office, app: AppKey, named: UserId | None) -> Caller:
    """The user that a request of `app` names, or else the app's own. Refused(NOBODY), (UNAVAILABLE)."""
    wanted = named if named is not None else app.user
    if wanted is None:
        raise Refused(Code.NOBODY, "x-UserId is missing, and this app key has no user of its own")
    async with office.work(app.vdn, wanted) as work:
        user = await users.find(work, wanted)
    if user is None:
        raise Refused(Code.NOBODY, "x-UserId names no user of this tenant")
    return Caller(user, app.app_key)
