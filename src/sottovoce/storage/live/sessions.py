"""What a restart takes up again: agents' sessions, and the dialogs that are owed a BYE."""

from __future__ import annotations

from collections.abc import Mapping

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from sottovoce.domain.directory import AgentId, SkillId, VdnId
from sottovoce.domain.journal import DialogEnded, DialogSaved, SessionEnded, SessionSaved
from sottovoce.domain.legs import LegId
from sottovoce.storage.records import fit
from sottovoce.storage.tables import dialogs, sessions, sign_ins


async def saved(connection: AsyncConnection, change: SessionSaved) -> None:
    """Record a session as it is now, and the sign-in that it began with."""
    key = {"vdn": int(change.vdn), "agent": int(change.agent)}
    content = {
        "guid": fit(change.guid),
        "phone": fit(change.phone),
        "signed_in_at": change.signed_in_at,
        "skills": [int(skill) for skill in change.skills],
        "settings": fit(change.settings),
    }
    statement = insert(sessions).values(**key, **content)
    await connection.execute(statement.on_conflict_do_update(index_elements=list(key), set_=content))
    phone = {"phone": content["phone"]}
    began = insert(sign_ins).values(**key, signed_in_at=change.signed_in_at, **phone)
    await connection.execute(
        began.on_conflict_do_update(index_elements=["vdn", "agent", "signed_in_at"], set_=phone)
    )


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


async def dialog_saved(connection: AsyncConnection, change: DialogSaved) -> None:
    """Record what a BYE to this leg would need now."""
    key = {"vdn": int(change.vdn), "leg": fit(change.leg)}
    content = {"dialog": fit(change.dialog)}
    statement = insert(dialogs).values(**key, **content)
    await connection.execute(statement.on_conflict_do_update(index_elements=list(key), set_=content))


async def dialog_ended(connection: AsyncConnection, change: DialogEnded) -> None:
    """Nothing is owed to this leg any more."""
    await connection.execute(
        sa.delete(dialogs).where(dialogs.c.vdn == int(change.vdn), dialogs.c.leg == fit(change.leg))
    )


async def open_sessions(connection: AsyncConnection, vdn: VdnId) -> list[SessionSaved]:
    """Sessions that did not end, by agent."""
    query = sa.select(sessions).where(sessions.c.vdn == vdn).order_by(sessions.c.agent)
    return [
        SessionSaved(
            AgentId(row["agent"]),
            vdn,
            row["guid"],
            row["phone"],
            row["signed_in_at"],
            tuple(SkillId(skill) for skill in row["skills"]),
            dict(row["settings"]),
        )
        for row in (await connection.execute(query)).mappings()
    ]


async def open_dialogs(connection: AsyncConnection, vdn: VdnId) -> dict[LegId, Mapping[str, object]]:
    """Dialogs that did not end. They stay on record until DialogEnded says otherwise."""
    query = sa.select(dialogs).where(dialogs.c.vdn == vdn).order_by(dialogs.c.leg)
    return {LegId(row["leg"]): dict(row["dialog"]) for row in (await connection.execute(query)).mappings()}
