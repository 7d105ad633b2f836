"""What a restart takes up again: agents' sessions, and the dialogs that are owed a BYE."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from sottovoce.domain.directory import VdnId
from sottovoce.domain.journal import (
    DialogEnded,
    DialogSaved,
    SessionEnded,
    SessionSaved,
    SignedInFrom,
    kept_guid,
)
from sottovoce.domain.legs import LegId
from sottovoce.storage.records import fit, fitted
from sottovoce.storage.rows import all_of, put
from sottovoce.storage.tables import dialogs, sessions, sign_in_sources, sign_ins

SOURCES_KEPT = 16
"""Of an agent."""
SOURCES_KEPT_FOR = timedelta(days=90)
_DIGEST = re.compile("[0-9a-f]{64}")


async def saved(connection: AsyncConnection, change: SessionSaved) -> None:
    """Record a session as it is now, and the sign-in that it began with, which is not over."""
    row = fitted(change)
    if not _DIGEST.fullmatch(change.guid):  # of a spool that was written before Guids were hashed
        row["guid"] = kept_guid(change.guid)
    await put(connection, sessions, row, "vdn", "agent")
    began = {name: row[name] for name in ("vdn", "agent", "signed_in_at", "phone")}
    began |= {"signed_out_at": None, "reason": None}
    await put(connection, sign_ins, began, "vdn", "agent", "signed_in_at")


async def ended(connection: AsyncConnection, change: SessionEnded) -> None:
    """Remove a session, and record when and why it ended."""
    this = (int(change.vdn), int(change.agent))
    await connection.execute(sa.delete(sessions).where(sa.tuple_(sessions.c.vdn, sessions.c.agent) == this))
    await connection.execute(
        sa.update(sign_ins)
        .where(
            sign_ins.c.vdn == this[0],
            sign_ins.c.agent == this[1],
            sign_ins.c.signed_out_at.is_(None),
            sign_ins.c.signed_in_at <= change.at,
        )
        .values(signed_out_at=change.at, reason=fit(change.reason))
    )


async def signed_in_from(connection: AsyncConnection, change: SignedInFrom) -> None:
    """Record where an agent signs in from; the latest `SOURCES_KEPT` places are kept."""
    await put(connection, sign_in_sources, fitted(change), "vdn", "agent", "source")
    its = (sign_in_sources.c.vdn == int(change.vdn), sign_in_sources.c.agent == int(change.agent))
    latest = sa.select(sign_in_sources.c.source).where(*its)
    latest = latest.order_by(sign_in_sources.c.at.desc()).limit(SOURCES_KEPT)
    await connection.execute(sa.delete(sign_in_sources).where(*its, sign_in_sources.c.source.not_in(latest)))


async def sources(connection: AsyncConnection, vdn: VdnId) -> list[SignedInFrom]:
    """Where agents signed in from within `SOURCES_KEPT_FOR`, the longest ago first."""
    since = sa.func.now() - SOURCES_KEPT_FOR
    query = sa.select(sign_in_sources).where(sign_in_sources.c.vdn == vdn, sign_in_sources.c.at >= since)
    rows = await connection.execute(query.order_by(sign_in_sources.c.at))
    return all_of(SignedInFrom, rows.mappings())


async def forget_sources(connection: AsyncConnection, vdn: VdnId, now: datetime) -> int:
    """Remove where agents signed in from longer ago than that; how many."""
    old = sign_in_sources.c.at < now - SOURCES_KEPT_FOR
    gone = await connection.execute(sa.delete(sign_in_sources).where(sign_in_sources.c.vdn == int(vdn), old))
    return gone.rowcount


async def dialog_saved(connection: AsyncConnection, change: DialogSaved) -> None:
    """Record what a BYE to this leg would need now."""
    await put(connection, dialogs, fitted(change), "vdn", "leg")


async def dialog_ended(connection: AsyncConnection, change: DialogEnded) -> None:
    """Nothing is owed to this leg any more."""
    await connection.execute(
        sa.delete(dialogs).where(dialogs.c.vdn == int(change.vdn), dialogs.c.leg == fit(change.leg))
    )


async def open_sessions(connection: AsyncConnection, vdn: VdnId) -> list[SessionSaved]:
    """Sessions that did not end, by agent."""
    query = sa.select(sessions).where(sessions.c.vdn == vdn).order_by(sessions.c.agent)
    return all_of(SessionSaved, (await connection.execute(query)).mappings())


async def open_dialogs(connection: AsyncConnection, vdn: VdnId) -> dict[LegId, Mapping[str, object]]:
    """Dialogs that did not end. They stay on record until DialogEnded says otherwise."""
    query = sa.select(dialogs).where(dialogs.c.vdn == vdn).order_by(dialogs.c.leg)
    return {LegId(row["leg"]): dict(row["dialog"]) for row in (await connection.execute(query)).mappings()}
