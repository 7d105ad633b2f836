"""The audit: rows that are only ever added, each hashed together with the one before, per VDN.

Changing, removing or inserting a row breaks the chain at that row, and `verify` names it. Whoever
can write the whole table anew can make a chain that fits; against that helps the last number and
hash noted elsewhere, which `verify` returns and takes (`sottovoce audit verify --expect`).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from sottovoce.domain.directory import AgentId, VdnId
from sottovoce.domain.journal import AuditEntry
from sottovoce.storage.database import transaction
from sottovoce.storage.records import fitted
from sottovoce.storage.rows import all_of
from sottovoce.storage.tables import audit, audit_heads

COMMAND_LINE = AgentId(0)
"""The actor of what commands do."""
_BATCH = 1000


@dataclass(frozen=True, slots=True)
class Head:
    """The last row of a chain: its number (0: none yet) and hash."""

    number: int
    hash: str
    """Hexadecimal."""


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
    number, previous = await _locked_head(connection, vdn)
    rows = []
    for entry in entries:
        if entry.vdn != vdn:
            raise ValueError(f"an entry of VDN {entry.vdn} in the audit of VDN {vdn}")
        number += 1
        row = fitted(entry, number=number)
        digest = hash_of(previous, row)
        rows.append({**row, "previous": previous, "hash": digest})
        previous = digest
    await connection.execute(sa.insert(audit), rows)
    await connection.execute(
        sa.update(audit_heads).where(audit_heads.c.vdn == vdn).values(number=number, hash=previous)
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
    query = (
        sa.select(audit)
        .where(audit.c.vdn == vdn, audit.c.number > after)
        .order_by(audit.c.number)
        .limit(limit)
    )
    async with transaction(engine) as connection:
        rows = (await connection.execute(query)).mappings().all()
    return all_of(AuditEntry, rows)


async def verify(engine: AsyncEngine, vdn: VdnId, expected: Head | None = None) -> ChainCheck:
    """Walk the whole chain. `expected` is an earlier head that must still be in it."""
    number, previous = 0, _beginning(vdn)
    async with transaction(engine, snapshot=True) as connection:
        kept = (
            (await connection.execute(sa.select(audit_heads).where(audit_heads.c.vdn == vdn)))
            .mappings()
            .first()
        )
        while True:
            query = (
                sa.select(audit)
                .where(audit.c.vdn == vdn, audit.c.number > number)
                .order_by(audit.c.number)
                .limit(_BATCH)
            )
            rows = (await connection.execute(query)).mappings().all()
            for row in rows:
                why = _misfit(row, number, previous, expected)
                if why:
                    return ChainCheck(vdn, Head(number, previous.hex()), number + 1, why)
                number, previous = row["number"], row["hash"]
            if len(rows) < _BATCH:
                break
    head = Head(number, previous.hex())
    last = kept["number"] if kept is not None else 0
    if last > number or (expected is not None and expected.number > number):
        return ChainCheck(vdn, head, number + 1, "the last rows are missing")
    if kept is not None and (last != number or bytes(kept["hash"]) != previous):
        return ChainCheck(vdn, head, min(last, number) + 1, "rows were added past the chain's head")
    return ChainCheck(vdn, head)


def _misfit(
    row: Mapping[str, object] | sa.RowMapping, number: int, previous: bytes, expected: Head | None
) -> str:
    if row["number"] != number + 1:
        return "the row is missing"
    if row["previous"] != previous:
        return "the row does not follow the one before"
    if row["hash"] != hash_of(previous, row):
        return "the row was changed"
    if expected is not None and expected.number == row["number"]:
        digest = row["hash"]
        if not isinstance(digest, bytes) or digest.hex() != expected.hash:
            return "the row is another than the one expected: the chain was written anew"
    return ""


async def _locked_head(connection: AsyncConnection, vdn: VdnId) -> tuple[int, bytes]:
    first = insert(audit_heads).values(vdn=int(vdn), number=0, hash=_beginning(vdn))
    await connection.execute(first.on_conflict_do_nothing())
    query = sa.select(audit_heads).where(audit_heads.c.vdn == vdn).with_for_update()
    row = (await connection.execute(query)).mappings().one()
    return row["number"], bytes(row["hash"])


def _beginning(vdn: VdnId) -> bytes:
    return hashlib.sha256(f"sottovoce audit of VDN {int(vdn)}".encode()).digest()


def hash_of(previous: bytes, row: Mapping[str, Any] | sa.RowMapping) -> bytes:
    """A row's hash: SHA-256 over the hash of the row before and the row as JSON without spaces, UTF-8.

    The JSON is the list of vdn, number, at (ISO 8601, UTC, microseconds), actor, action, target and detail
    (keys sorted).
    """
    at = row["at"]
    if not isinstance(at, datetime):
        raise TypeError("an audit row without its time")
    content = [
        row["vdn"],
        row["number"],
        at.astimezone(UTC).isoformat(timespec="microseconds"),
        int(row["actor"]),
        row["action"],
        row["target"],
        row["detail"],
    ]
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(previous + text.encode()).digest()
