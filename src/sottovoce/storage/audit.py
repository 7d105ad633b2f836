"""The audit: rows that are only ever added, each hashed together with the one before, per VDN.

Changing, removing or inserting a row breaks the chain at that row, and `verify` names it. Whoever
can write the whole table anew can make a chain that fits; against that helps a head that is known from
elsewhere: noted, or signed and kept (`storage.heads`), which `verify` takes.

Rows are added by the database's own function `audit_append`, the only way in for the server's role: it
holds the head's row until the end of the transaction, so that writers of one VDN take turns.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from sottovoce.domain import audit_chain
from sottovoce.domain.audit_chain import SALT_BYTES, Head, hash_of
from sottovoce.domain.directory import AgentId, VdnId
from sottovoce.domain.journal import AuditEntry
from sottovoce.storage.database import transaction
from sottovoce.storage.records import fitted
from sottovoce.storage.rows import all_of
from sottovoce.storage.tables import audit, audit_heads

COMMAND_LINE = AgentId(0)
"""The actor of what commands do."""
_BATCH = 1000
_APPEND = sa.text(
    "SELECT audit_append(:vdn, CAST(:ats AS timestamptz[]), CAST(CAST(:actors AS text[]) AS numeric[]),"
    " CAST(:actions AS text[]), CAST(:targets AS text[]), CAST(CAST(:details AS text[]) AS jsonb[]),"
    " CAST(:salts AS bytea[]), CAST(:digests AS bytea[]))"
)


@dataclass(frozen=True, slots=True)
class ChainCheck:
    """What a walk along a VDN's chain found. `broken` is the first row that does not fit, 0 if all do."""

    vdn: VdnId
    head: Head
    broken: int = 0
    why: str = ""


async def append(connection: AsyncConnection, vdn: VdnId, entries: Sequence[AuditEntry]) -> None:
    """Add `entries` to the VDN's chain, in the caller's transaction; others of that VDN wait for its end."""
    if not entries:
        return
    rows = []
    for entry in entries:
        if entry.vdn != vdn:
            raise ValueError(f"an entry of VDN {entry.vdn} in the audit of VDN {vdn}")
        rows.append(fitted(entry, salt=secrets.token_bytes(SALT_BYTES)))
    await connection.execute(
        _APPEND,
        {
            "vdn": int(vdn),
            "ats": [row["at"] for row in rows],
            "actors": [str(int(row["actor"])) for row in rows],
            "actions": [row["action"] for row in rows],
            "targets": [row["target"] for row in rows],
            "details": [json.dumps(row["detail"]) for row in rows],
            "salts": [row["salt"] for row in rows],
            "digests": [audit_chain.digest_of(row) for row in rows],
        },
    )


async def by_command_line(
    connection: AsyncConnection,
    vdn: VdnId,
    at: datetime,
    action: str,
    target: str,
    detail: Mapping[str, str | int | bool],
) -> None:
    """Add a row of what a command did."""
    await append(connection, vdn, [AuditEntry(vdn, at, COMMAND_LINE, action, target, detail)])


async def read(engine: AsyncEngine, vdn: VdnId, *, after: int = 0, limit: int = 100) -> list[AuditEntry]:
    """The VDN's entries with a number above `after`, in order."""
    async with transaction(engine) as connection:
        return all_of(AuditEntry, await _rows(connection, vdn, after, limit))


async def verify(engine: AsyncEngine, vdn: VdnId, expected: Sequence[Head] = ()) -> ChainCheck:
    """Walk the whole chain. `expected` are earlier heads that must still be in it."""
    number, previous = 0, audit_chain.beginning(vdn)
    awaited: dict[int, set[str]] = {}
    for known in expected:
        awaited.setdefault(known.number, set()).add(known.hash)
    async with transaction(engine, snapshot=True) as connection:
        kept = await head_of(connection, vdn)
        while rows := await _rows(connection, vdn, number, _BATCH):
            for row in rows:
                why = _misfit(row, number, previous)
                if not why and awaited.get(number + 1, set()) - {bytes(row["hash"]).hex()}:
                    why = "the row is another than the one expected: the chain was written anew"
                if why:
                    return ChainCheck(vdn, Head(number, previous.hex()), number + 1, why)
                number, previous = row["number"], row["hash"]
    head = Head(number, previous.hex())
    if max([kept.number, *awaited]) > number:
        return ChainCheck(vdn, head, number + 1, "the last rows are missing")
    if kept.number and kept != head:
        return ChainCheck(vdn, head, kept.number + 1, "rows were added past the chain's head")
    return ChainCheck(vdn, head)


async def head_of(connection: AsyncConnection, vdn: VdnId) -> Head:
    """The head of the VDN's chain as it is kept; number 0 where nothing was ever added."""
    query = sa.select(audit_heads.c.number, audit_heads.c.hash).where(audit_heads.c.vdn == int(vdn))
    row = (await connection.execute(query)).first()
    if row is None:
        return Head(0, audit_chain.beginning(vdn).hex())
    return Head(row.number, bytes(row.hash).hex())


async def stretch(
    connection: AsyncConnection, vdn: VdnId, after: int, until: int
) -> AsyncIterator[sa.RowMapping]:
    """The whole rows with numbers above `after` up to `until`, in order."""
    while after < until:
        rows = await _rows(connection, vdn, after, min(_BATCH, until - after))
        if not rows:
            return
        for row in rows:
            yield row
        after = rows[-1]["number"]


async def _rows(connection: AsyncConnection, vdn: VdnId, after: int, limit: int) -> Sequence[sa.RowMapping]:
    query = (
        sa.select(audit)
        .where(audit.c.vdn == int(vdn), audit.c.number > after)
        .order_by(audit.c.number)
        .limit(limit)
    )
    return (await connection.execute(query)).mappings().all()


def _misfit(row: sa.RowMapping, number: int, previous: bytes) -> str:
    if row["number"] != number + 1:
        return "the row is missing"
    if row["previous"] != previous:
        return "the row does not follow the one before"
    if row["hash"] != hash_of(previous, dict(row)):
        return "the row was changed"
    return ""
