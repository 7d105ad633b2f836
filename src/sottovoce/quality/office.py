"""Where the use cases of the after-call half work: one transaction, one tenant, one moment, audited."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from sottovoce.clock import Clock
from sottovoce.domain.directory import AgentId, VdnId
from sottovoce.domain.journal import AuditEntry
from sottovoce.domain.people import Role, User, UserId
from sottovoce.domain.rights import Operation, Scope, scope
from sottovoce.errors import Code, Refused
from sottovoce.storage import audit
from sottovoce.storage.database import DatabaseAway, transaction


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


@dataclass(slots=True)
class Work:
    """One transaction of one tenant."""

    connection: AsyncConnection
    vdn: VdnId
    at: datetime
    """The moment at which all of it happens."""
    user: UserId
    _audit: list[AuditEntry] = field(default_factory=list)

    def audit(self, action: str, target: str, **detail: str | int | bool) -> None:
        """Put down what is done; written with the rest, at its end, or not at all."""
        self._audit.append(AuditEntry(self.vdn, self.at, AgentId(int(self.user)), action, target, detail))


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
        async with self.transaction() as connection:
            work = Work(connection, vdn, self.clock.now(), user)
            yield work
            await audit.append(connection, vdn, work._audit)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncConnection]:
        """A transaction of no tenant's: who calls, what has come due. Refused(UNAVAILABLE) as `work`."""
        try:
            async with transaction(self.engine) as connection:
                yield connection
        except DatabaseAway as away:
            raise Refused(Code.UNAVAILABLE, "the database is away") from away
