"""Who owns a VDN: one row each, with an epoch that every write of its owner carries.

Taking a lease raises the epoch, so whatever a former owner still writes is refused (`fence`).
Times are the database's, so that nodes need not agree on theirs. `position` is the number of the last
journal record applied: a record that is sent twice is applied once.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from sottovoce.domain.directory import VdnId
from sottovoce.errors import Code, Refused
from sottovoce.storage.tables import leases, vdns


@dataclass(frozen=True, slots=True)
class Lease:
    """A VDN owned by this node from `epoch` on."""

    vdn: VdnId
    epoch: int
    held_since: int
    """The first epoch that this node has held without another in between."""
    position: int
    last_alive: datetime | None
    """When the lease was last renewed before this taking, None for a first owner."""


class LeaseTaken(Exception):
    """Another node owns the VDN: `address` is where, `until` when it ends unless renewed."""

    def __init__(self, vdn: VdnId, node: str, address: str, until: datetime) -> None:
        super().__init__(f"VDN {vdn} is owned by node {node} at {address} until {until:%H:%M:%S} UTC")
        self.vdn = vdn
        self.address = address
        self.until = until


class StaleOwner(Exception):
    """A write with an epoch that is not the lease's any more."""


async def acquire(connection: AsyncConnection, vdn: VdnId, node: str, address: str, seconds: float) -> Lease:
    """Take the VDN if it is free, expired, or `node`'s from before. Raises LeaseTaken, Refused(NOT_FOUND)."""
    known = sa.select(vdns.c.vdn).where(vdns.c.vdn == vdn).with_for_update(key_share=True)
    if (await connection.execute(known)).first() is None:
        raise Refused(Code.NOT_FOUND, f"there is no VDN {vdn}")
    query = sa.select(leases, sa.func.now().label("now")).where(leases.c.vdn == vdn).with_for_update()
    row = (await connection.execute(query)).mappings().first()
    times = {"renewed_at": sa.func.now(), "expires_at": _in(seconds)}
    if row is None:
        first = {"vdn": int(vdn), "epoch": 1, "held_since": 1, "position": 0}
        await connection.execute(sa.insert(leases).values(node=node, address=address, **first, **times))
        return Lease(vdn, 1, 1, 0, None)
    if row["node"] != node and row["expires_at"] > row["now"]:
        raise LeaseTaken(vdn, row["node"], row["address"], row["expires_at"])
    epoch = row["epoch"] + 1
    held_since = row["held_since"] if row["node"] == node else epoch
    await connection.execute(
        sa.update(leases)
        .where(leases.c.vdn == vdn)
        .values(node=node, address=address, epoch=epoch, held_since=held_since, **times)
    )
    return Lease(vdn, epoch, held_since, row["position"], row["renewed_at"])


async def fence(connection: AsyncConnection, vdn: VdnId, epoch: int) -> int:
    """Make sure, until the transaction's end, that `epoch` is in force; the position. Raises StaleOwner."""
    query = sa.select(leases.c.epoch, leases.c.position).where(leases.c.vdn == vdn).with_for_update()
    row = (await connection.execute(query)).mappings().first()
    if row is None or row["epoch"] != epoch:
        raise StaleOwner(f"VDN {vdn} has another owner by now")
    return int(row["position"])


async def advance(connection: AsyncConnection, vdn: VdnId, position: int) -> None:
    """Record that all up to `position` is applied; after `fence`, in its transaction."""
    await connection.execute(sa.update(leases).where(leases.c.vdn == vdn).values(position=position))


async def renew(connection: AsyncConnection, vdn: VdnId, epoch: int, seconds: float) -> None:
    """Hold it for `seconds` from now on. Raises StaleOwner."""
    done = await connection.execute(
        sa.update(leases)
        .where(leases.c.vdn == vdn, leases.c.epoch == epoch)
        .values(renewed_at=sa.func.now(), expires_at=_in(seconds))
        .returning(leases.c.vdn)
    )
    if done.first() is None:
        raise StaleOwner(f"VDN {vdn} has another owner by now")


async def release(connection: AsyncConnection, vdn: VdnId, epoch: int) -> None:
    """Let it go at once; nothing happens if it is another's by now."""
    await connection.execute(
        sa.update(leases).where(leases.c.vdn == vdn, leases.c.epoch == epoch).values(expires_at=sa.func.now())
    )


def _in(seconds: float) -> sa.ColumnElement[datetime]:
    return sa.func.now() + sa.func.make_interval(0, 0, 0, 0, 0, 0, seconds)
