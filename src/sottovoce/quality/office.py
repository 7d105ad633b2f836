"""Where the use cases of the after-call half work: one transaction, one tenant, one moment, audited."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from sottovoce.clock import Clock
from sottovoce.domain.directory import VdnId
from sottovoce.domain.people import Role, User, UserId
from sottovoce.domain.rights import Operation, Scope, scope
from sottovoce.errors import Code, Refused
from sottovoce.storage.database import DatabaseAway, transaction
from sottovoce.storage.work import Work, working


@dataclass(frozen=True, slots=True)
class Caller:
    """On whose behalf a use case works. Comes into being in `access` and in tests, nowhere else."""

    user: User
    app_key: str = ""
    """By which app the request came; empty: the command line, a job."""

    @property
    def vdn(self) -> VdnId:
        """The tenant."""
        return self.user.vdn

    def scope(self, operation: Operation, acting_as: Role | None = None) -> Scope:
        """How far the caller's right reaches. Refused(NO_RIGHT) where it reaches nothing."""
        return scope(self.user, operation, acting_as)


@dataclass(frozen=True, slots=True)
class Office:
    """What use cases reach."""

    engine: AsyncEngine
    clock: Clock
    recordings: Path
    """Where recordings lie: relative paths of contacts begin here."""

    @asynccontextmanager
    async def work(self, vdn: VdnId, user: UserId) -> AsyncIterator[Work]:
        """A transaction; committed at the end of the block, rolled back if it raises.

        Refused(UNAVAILABLE) where the database is away.
        """
        async with (
            self.transaction() as connection,
            working(connection, vdn, self.clock.now(), user) as work,
        ):
            yield work

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncConnection]:
        """A transaction of no tenant's: who calls, what has come due. Refused(UNAVAILABLE) as `work`."""
        try:
            async with transaction(self.engine) as connection:
                yield connection
        except DatabaseAway as away:
            raise Refused(Code.UNAVAILABLE, "the database is away") from away
