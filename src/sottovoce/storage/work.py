"""The unit of work of the after-call half: one transaction of one tenant at one moment.

Whatever `storage.review` reads or writes for a tenant takes it, so that no query can leave the tenant out.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from sottovoce.domain.directory import AgentId, VdnId
from sottovoce.domain.journal import AuditEntry
from sottovoce.domain.people import UserId
from sottovoce.storage import audit


@dataclass(slots=True)
class Work:
    """One transaction of one tenant."""

    connection: AsyncConnection
    vdn: VdnId
    at: datetime
    """The moment at which all of it happens, in UTC."""
    user: UserId
    """Who does it; `people.SERVER` for jobs and commands."""
    _audit: list[AuditEntry] = field(default_factory=list)

    def audit(self, action: str, target: str, **detail: str | int | bool) -> None:
        """Put down what is done; written with the rest, at its end, or not at all."""
        self.add(AuditEntry(self.vdn, self.at, AgentId(int(self.user)), action, target, detail))

    def add(self, entry: AuditEntry) -> None:
        """The same of an entry that stands already."""
        self._audit.append(entry)


@asynccontextmanager
async def working(connection: AsyncConnection, vdn: VdnId, at: datetime, user: UserId) -> AsyncIterator[Work]:
    """A unit of work in a transaction that the caller holds; at its end the audit's rows are written."""
    work = Work(connection, vdn, at, user)
    yield work
    await audit.append(connection, vdn, work._audit)
