"""Ids of review tasks, items, plans, quality items and users: 19 digits, epoch seconds first.

The last nine count in a sequence of the whole installation, so that no two are alike until a billion
were made within one second.
"""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from sottovoce.domain.people import ReviewId

_NUMBERS = sa.text("SELECT nextval('review_numbers') FROM generate_series(1, :count)")


async def fresh(connection: AsyncConnection, at: datetime, count: int = 1) -> list[ReviewId]:
    """`count` new ids, in ascending order but for the sequence's turn."""
    numbers = (await connection.execute(_NUMBERS, {"count": count})).scalars()
    return [ReviewId(f"{int(at.timestamp()):010d}{number:09d}") for number in numbers]
