"""Calls (from their first to their last moment) and the talk segments in them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from sottovoce.domain.directory import SkillId, VdnId
from sottovoce.domain.journal import ContactBegan, ContactEnded, SegmentBegan, SegmentEnded
from sottovoce.plain import to_plain
from sottovoce.storage.records import fit, fitted
from sottovoce.storage.rows import put, value_of
from sottovoce.storage.tables import calls, segments

INTERRUPTED = "interrupted"
"""The reason of calls, and the failure of recordings, that a crash ended."""


@dataclass(frozen=True, slots=True)
class KeptCall:
    """A finished call. `segments` are its talks, by begin."""

    call: str
    vdn: VdnId
    began_at: datetime
    ended_at: datetime
    direction: str
    caller: str
    called: str
    skill: SkillId | None
    reason: str
    segments: Sequence[SegmentEnded] = field(default_factory=tuple)


async def began(connection: AsyncConnection, change: ContactBegan) -> None:
    """Record a call's begin; a second time changes nothing."""
    row = fitted(change, "at", began_at=change.at)
    await connection.execute(insert(calls).values(row).on_conflict_do_nothing())


async def segment_began(connection: AsyncConnection, change: SegmentBegan) -> None:
    """Record that a talk segment runs; of one already recorded, nothing changes."""
    await connection.execute(insert(segments).values(fitted(change)).on_conflict_do_nothing())


async def segment_ended(connection: AsyncConnection, change: SegmentEnded) -> None:
    """Record a talk segment."""
    row = fitted(change, supervisions=to_plain(change.supervisions))
    await put(connection, segments, row, "vdn", "call", "agent", "began_at")


async def ended(connection: AsyncConnection, change: ContactEnded) -> None:
    """Record a call's end; its first end stays."""
    await connection.execute(
        sa.update(calls)
        .where(
            calls.c.vdn == int(change.vdn),
            calls.c.call == fit(change.call),
            calls.c.ended_at.is_(None),
        )
        .values(ended_at=change.at, reason=fit(change.reason))
    )


async def end_interrupted(connection: AsyncConnection, vdn: VdnId, last_alive: datetime | None) -> list[str]:
    """Give an end to calls that have none, and to their talks: the last sign of life on record. Their ids."""
    last_talk = (
        sa.select(sa.func.max(segments.c.ended_at))
        .where(segments.c.vdn == calls.c.vdn, segments.c.call == calls.c.call)
        .scalar_subquery()
    )
    at = sa.func.greatest(calls.c.began_at, last_talk, sa.literal(last_alive, sa.DateTime(timezone=True)))
    done = await connection.execute(
        sa.update(calls)
        .where(calls.c.vdn == vdn, calls.c.ended_at.is_(None))
        .values(ended_at=at, reason=INTERRUPTED)
        .returning(calls.c.call)
    )
    interrupted = sorted(done.scalars())
    await connection.execute(
        sa.update(segments)
        .where(
            segments.c.vdn == vdn,
            segments.c.call == sa.any_(sa.literal(interrupted, sa.ARRAY(sa.Text))),
            segments.c.ended_at.is_(None),
            calls.c.vdn == segments.c.vdn,
            calls.c.call == segments.c.call,
        )
        .values(ended_at=sa.func.greatest(segments.c.began_at, calls.c.ended_at), failure=INTERRUPTED)
    )
    return interrupted


async def ended_ones(connection: AsyncConnection, vdn: VdnId, wanted: Sequence[str]) -> list[KeptCall]:
    """Those of these calls that are over, with their segments."""
    ids = sa.any_(sa.literal(list(wanted), sa.ARRAY(sa.Text)))
    query = sa.select(calls).where(calls.c.vdn == vdn, calls.c.call == ids, calls.c.ended_at.is_not(None))
    rows = (await connection.execute(query)).mappings().all()
    talks = await _segments(connection, vdn, [row["call"] for row in rows])
    return [
        value_of(KeptCall, row, reason=row["reason"] or "", segments=tuple(talks.get(row["call"], ())))
        for row in rows
    ]


async def _segments(
    connection: AsyncConnection, vdn: VdnId, calls: Sequence[str]
) -> dict[str, list[SegmentEnded]]:
    query = (
        sa.select(segments)
        .where(
            segments.c.vdn == vdn,
            segments.c.call == sa.any_(sa.literal(list(calls), sa.ARRAY(sa.Text))),
            segments.c.ended_at.is_not(None),
        )
        .order_by(segments.c.began_at, segments.c.agent)
    )
    found: dict[str, list[SegmentEnded]] = {}
    for row in (await connection.execute(query)).mappings():
        found.setdefault(row["call"], []).append(value_of(SegmentEnded, row))
    return found
