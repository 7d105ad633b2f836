"""Heads of the audit that are signed, as rows; and extracts: stretches of a chain up to such a head."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from sottovoce.domain.audit_chain import (
    VERSION,
    Extract,
    Head,
    ShownRow,
    Signature,
    SignedHead,
    digest_of,
)
from sottovoce.domain.directory import VdnId
from sottovoce.errors import Code, Refused
from sottovoce.storage import audit
from sottovoce.storage.tables import audit_signatures


async def keep(connection: AsyncConnection, signed: SignedHead) -> None:
    """Add a signed head."""
    await connection.execute(
        sa.insert(audit_signatures).values(
            vdn=signed.vdn,
            number=signed.head.number,
            hash=bytes.fromhex(signed.head.hash),
            at=signed.signature.at,
            occasion=signed.signature.occasion,
            key=bytes.fromhex(signed.signature.key),
            signature=bytes.fromhex(signed.signature.signature),
        )
    )


async def signed(connection: AsyncConnection, vdn: VdnId, *, since: int = 0) -> list[SignedHead]:
    """The VDN's signed heads with a number from `since` on, in order."""
    query = (
        sa.select(audit_signatures)
        .where(audit_signatures.c.vdn == int(vdn), audit_signatures.c.number >= since)
        .order_by(audit_signatures.c.number, audit_signatures.c.at)
    )
    return [_signed(row) for row in (await connection.execute(query)).mappings()]


async def keys(connection: AsyncConnection) -> list[str]:
    """The public keys that signed a head of any VDN, hexadecimal."""
    found = await connection.execute(sa.select(audit_signatures.c.key).distinct())
    return sorted(bytes(key).hex() for key in found.scalars())


async def last_signed(connection: AsyncConnection, key: str) -> dict[VdnId, datetime]:
    """When that key last signed each VDN's head; VDNs that it never signed are left out."""
    at = sa.func.max(audit_signatures.c.at)
    query = (
        sa.select(audit_signatures.c.vdn, at)
        .where(audit_signatures.c.key == bytes.fromhex(key))
        .group_by(audit_signatures.c.vdn)
    )
    return {VdnId(vdn): moment for vdn, moment in (await connection.execute(query)).all()}


async def extract(connection: AsyncConnection, vdn: VdnId, numbers: Sequence[int]) -> list[Extract]:
    """Stretches of the VDN's chain that hold these rows whole, and others as digests, in order.

    Each ends with the first head signed after its rows, so that it is short; with the head of now, unsigned,
    where none was signed yet. Refused(NOT_FOUND) where a row is not there, (WRONG_STATE) where one is older
    than digests are.
    """
    heads = await signed(connection, vdn, since=min(numbers, default=0))
    now = await audit.head_of(connection, vdn)
    wanted: dict[int, list[int]] = {}
    ends: dict[int, SignedHead | None] = {}
    for number in sorted(set(numbers)):
        end = next((one for one in heads if one.head.number >= number), None)
        last = end.head.number if end is not None else now.number
        if not 0 < number <= last:
            raise Refused(Code.NOT_FOUND, f"the audit of VDN {vdn} has no row {number}")
        wanted.setdefault(last, []).append(number)
        ends[last] = end
    return [await _stretch(connection, vdn, rows, ends[last], now) for last, rows in sorted(wanted.items())]


async def _stretch(
    connection: AsyncConnection, vdn: VdnId, numbers: Sequence[int], end: SignedHead | None, now: Head
) -> Extract:
    head = end.head if end is not None else now
    digests: list[str] = []
    shown: list[ShownRow] = []
    before = ""
    async for row in audit.stretch(connection, vdn, numbers[0] - 1, head.number):
        if row["version"] != VERSION:
            raise Refused(
                Code.WRONG_STATE, f"row {row['number']} of the audit is older than extracts: it has no digest"
            )
        before = before or bytes(row["previous"]).hex()
        digests.append(digest_of(dict(row)).hex())
        if row["number"] in numbers:
            shown.append(_shown(row))
    previous = Head(numbers[0] - 1, before)
    signature = end.signature if end is not None else None
    return Extract(int(vdn), previous, tuple(digests), tuple(shown), head, signature)


def _shown(row: sa.RowMapping) -> ShownRow:
    return ShownRow(
        row["number"],
        row["at"],
        str(int(row["actor"])),
        row["action"],
        row["target"],
        row["detail"],
        bytes(row["salt"]).hex(),
    )


def _signed(row: sa.RowMapping) -> SignedHead:
    signature = Signature(row["at"], row["occasion"], bytes(row["key"]).hex(), bytes(row["signature"]).hex())
    return SignedHead(row["vdn"], Head(row["number"], bytes(row["hash"]).hex()), signature)
