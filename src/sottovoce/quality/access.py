"""Who calls: an app with its token, and the user for whom it does; and how far their right reaches.

A `Reach` is what every use case asks for beside its unit of work, and is made here alone: so no use case can
be called without somebody's right having been looked at.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from sottovoce.domain.directory import AgentProfile, Right, VdnId
from sottovoce.domain.people import SERVER, AppKey, Role, Token, User, UserId
from sottovoce.domain.rights import Operation, Scope, scope
from sottovoce.errors import Code, Refused
from sottovoce.quality.office import Office
from sottovoce.storage.review import app_keys, users
from sottovoce.storage.work import Work

LONGEST_TOKEN_S = 3600
"""A token lives no longer [2211]."""


@dataclass(frozen=True, slots=True)
class Reach:
    """A right that was granted: who may do what, and to how much of the tenant."""

    user: User
    operation: Operation
    scope: Scope
    """Never NO."""
    acting_as: Role | None = None
    """The one role by which the user acts; None: by all together."""


def granted(user: User, operation: Operation, acting_as: Role | None = None) -> Reach:
    """The user's right, by the table of rights. Refused(NO_RIGHT) where it reaches nothing."""
    return Reach(user, operation, scope(user, operation, acting_as), acting_as)


def for_an_app(app: AppKey) -> Reach:
    """What an app may look at that acts for no user: all calls of its tenant."""
    return Reach(User(SERVER, app.vdn, app.name), Operation.SHOW_CONTACT, Scope.ALL)


async def for_an_agent(office: Office, profile: AgentProfile) -> Reach:
    """Which recordings somebody may hear who is signed in as an agent: their own talks; as an inspector all
    of the tenant's; else what their user may, if they are one. They act under their work number.

    Refused(UNAVAILABLE).
    """
    who = UserId(str(profile.agent))
    async with office.work(profile.vdn, who) as work:
        user = await users.of_agent(work, profile.agent)
    reached = Scope.OWN
    if Right.INSPECT in profile.rights:
        reached = Scope.ALL
    elif user is not None:
        with contextlib.suppress(Refused):
            reached = scope(user, Operation.HEAR_RECORDING)
    known = user or User(who, profile.vdn, profile.name)
    return Reach(replace(known, user=who, agent=profile.agent), Operation.HEAR_RECORDING, reached)


def for_the_server(vdn: VdnId, operation: Operation) -> Reach:
    """What a job or a command does by itself to anything of a tenant."""
    return Reach(User(SERVER, vdn, ""), operation, Scope.ALL)


async def issue_token(office: Office, app_key: str, secret: str, expires_s: int) -> Token | None:
    """A token for an app; None where key or secret is wrong. Refused(UNAVAILABLE)."""
    async with office.transaction() as connection:
        return await app_keys.issue(connection, app_key, secret, office.clock.now(), expires_s)


async def app_of(connection: AsyncConnection, token: str, now: datetime) -> AppKey | None:
    """Whose token that is; None: nobody's (any more)."""
    return await app_keys.found(connection, token, now)


def acting_for(app: AppKey, named: UserId | None) -> UserId:
    """The user whom a request of `app` names, or else the app's own. Refused(NOBODY): neither."""
    wanted = named if named is not None else app.user
    if wanted is None:
        raise Refused(Code.NOBODY, "x-UserId is missing, and this app key has no user of its own")
    return wanted


async def user_of(work: Work) -> User:
    """Who does the work. Refused(NOBODY): no user of the tenant."""
    user = await users.find(work, work.user)
    if user is None:
        raise Refused(Code.NOBODY, "x-UserId names no user of this tenant")
    return user
