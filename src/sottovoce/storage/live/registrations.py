"""Where phones are registered, so that a restart loses none."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from sottovoce.domain.directory import VdnId
from sottovoce.domain.journal import PhoneSaved
from sottovoce.storage.records import fit, fitted
from sottovoce.storage.rows import all_of
from sottovoce.storage.tables import registrations


async def saved(connection: AsyncConnection, vdn: VdnId, changes: Sequence[PhoneSaved]) -> None:
    """Record the last word on each phone, in two statements at most: a thousand may register at once."""
    last = {change.username: change for change in changes}
    gone = [fit(change.username) for change in last.values() if not change.contacts]
    if gone:
        await connection.execute(
            sa.delete(registrations).where(
                registrations.c.vdn == int(vdn), registrations.c.username.in_(gone)
            )
        )
    rows = [fitted(change) for change in last.values() if change.contacts]
    if rows:
        statement = insert(registrations)
        statement = statement.on_conflict_do_update(
            index_elements=["vdn", "username"], set_={"contacts": statement.excluded.contacts}
        )
        await connection.execute(statement, rows)


async def left(connection: AsyncConnection, vdn: VdnId, now: datetime) -> list[PhoneSaved]:
    """The phones with a contact that holds at `now`, by user name; the rows of others are removed."""
    query = sa.select(registrations).where(registrations.c.vdn == vdn).order_by(registrations.c.username)
    found = all_of(PhoneSaved, (await connection.execute(query)).mappings())
    over = [phone for phone in found if all(contact.until <= now for contact in phone.contacts)]
    await saved(connection, vdn, [PhoneSaved(phone.username, vdn) for phone in over])
    return [phone for phone in found if phone not in over]
