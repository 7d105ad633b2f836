"""Where the use cases of the after-call half work: one transaction, one tenant, one moment, audited."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from sottovoce.clock import Clock
from sottovoce.domain.directory import VdnId
from sottovoce.domain.people import UserId
from sottovoce.errors import Code, Refused
from sottovoce.storage.database import DatabaseAway, transaction
from sottovoce.storage.work import Work, working

__all__ = ["Office", "Work"]


@dataclass(frozen=True, slots=True)
class Office:
    """What use cases reach."""

    engine: AsyncEngine
    clock: Clock
    recordings: Path
    """Where recordings lie: relative paths of contacts begin here."""

    @asynccontextmanager
    async def work(self, vdn: VdnId, user: UserId, *, snapshot: bool = False) -> AsyncIterator[Work]:
        """A transaction; committed at the end of the block, rolled back if it raises.

        Refused(UNAVAILABLE) where the database is away.
        """
        async with (
            self.transaction(snapshot=snapshot) as connection,
            self.within(connection, vdn, user) as work,
        ):
            yield work

    def within(
        self, connection: AsyncConnection, vdn: VdnId, user: UserId
    ) -> AbstractAsyncContextManager[Work]:
        """The same in a transaction that has begun."""
        return working(connection, vdn, self.clock.now(), user)

    @asynccontextmanager
    async def transaction(self, *, snapshot: bool = False) -> AsyncIterator[AsyncConnection]:
        """A transaction of no tenant's: who calls, what has come due. Refused(UNAVAILABLE) as `work`.

        With `snapshot` all in it sees the same moment and changes nothing.
        """
        try:
            async with transaction(self.engine, snapshot=snapshot) as connection:
                yield connection
        except DatabaseAway as away:
            raise Refused(Code.UNAVAILABLE, "the database is away") from away
