"""Calls (from their first to their last moment) and the talk segments in them."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from sottovoce.domain.contacts import INTERRUPTED
from sottovoce.domain.directory import AgentId, SkillId, VdnId
from sottovoce.domain.journal import (
    CallDataSet,
    ContactBegan,
    ContactEnded,
    RecordingChanged,
    SegmentBegan,
    SegmentEnded,
)
from sottovoce.plain import to_plain
from sottovoce.storage.records import fit, fitted
from sottovoce.storage.rows import put, value_of
from sottovoce.storage.tables import calls, segments


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
    data: str = field(default="", repr=False)
    segments: Sequence[SegmentEnded] = field(default_factory=tuple)


async def began(connection: AsyncConnection, change: ContactBegan) -> None:
    """Record a call's begin; a second time changes nothing."""
    row = fitted(change, "at", began_at=change.at)
    await connection.execute(insert(calls).values(row).on_conflict_do_nothing())


async def data_set(connection: AsyncConnection, change: CallDataSet) -> None:
    """Record the data that a call has now."""
    of = (calls.c.vdn == int(change.vdn), calls.c.call == fit(change.call))
    await connection.execute(sa.update(calls).where(*of).values(data=fit(change.data)))


async def segment_began(connection: AsyncConnection, change: SegmentBegan) -> None:
    """Record that a talk segment runs; of one already recorded, nothing changes."""
    await connection.execute(insert(segments).values(fitted(change)).on_conflict_do_nothing())


async def recording_changed(connection: AsyncConnection, change: RecordingChanged) -> None:
    """Record what of a running talk segment is recorded; of one that is over, nothing changes."""
    row = fitted(change, pauses=to_plain(change.pauses))
    values = {name: row[name] for name in ("recording", "pauses")}
    key = ["vdn", "call", "agent", "began_at"]
    statement = insert(segments).values(row)
    await connection.execute(
        statement.on_conflict_do_update(index_elements=key, set_=values, where=segments.c.ended_at.is_(None))
    )


async def segment_ended(connection: AsyncConnection, change: SegmentEnded) -> None:
    """Record a talk segment."""
    row = fitted(change, supervisions=to_plain(change.supervisions), pauses=to_plain(change.pauses))
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


async def recorded_only(connection: AsyncConnection, vdn: VdnId, folder: Path) -> list[SegmentBegan]:
    """The talks of open calls that are known by their recordings alone: versions until 0002 kept no begin.

    A recording is `<vdn>/<year>/<month>/<day>/<call>-<agent>-<n>.wav`; when the talk began, it does not say.
    """
    known = sa.exists().where(segments.c.vdn == calls.c.vdn, segments.c.call == calls.c.call)
    query = sa.select(calls.c.call, calls.c.began_at).where(
        calls.c.vdn == vdn, calls.c.ended_at.is_(None), ~known
    )
    found = []
    for call, began_at in (await connection.execute(query)).all():
        for path in await asyncio.to_thread(_recordings, folder, vdn, call, began_at):
            agent, number = path.stem.removeprefix(f"{call}-").split("-")
            began = began_at + timedelta(microseconds=int(number))
            place = str(path.relative_to(folder))
            found.append(SegmentBegan(call, vdn, AgentId(int(agent)), began, place))
    return found


def _recordings(folder: Path, vdn: VdnId, call: str, began_at: datetime) -> list[Path]:
    days = [began_at + timedelta(days=later) for later in (0, 1)]
    files = [path for day in days for path in (folder / str(vdn) / f"{day:%Y/%m/%d}").glob(f"{call}-*.wav")]
    return sorted(
        path for path in files if re.fullmatch(r"\d{1,9}-\d{1,6}", path.stem.removeprefix(f"{call}-"))
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
