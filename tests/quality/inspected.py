"""Calls with rule results, for the tests of results, scores, and what is done with them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from tests.quality.asking import asked
from tests.quality.standing import DIRECTOR, ONE, Standing

from sottovoce.domain.directory import VdnId
from sottovoce.domain.scenarios import ScenarioOrder
from sottovoce.domain.scoring import Revision, Score
from sottovoce.quality import scenarios
from sottovoce.quality.result_import import Taken, take
from sottovoce.quality.result_rows import ResultLine, ResultRow
from sottovoce.storage.rows import value_of
from sottovoce.storage.tables import contacts, revisions


async def scenario(
    standing: Standing,
    name: str = "Sales",
    *,
    ignore_sensitive: bool = False,
    description: str = "",
    **settings: Any,
) -> str:
    """A scenario of tenant 1, switched on unless the settings say otherwise; its id."""
    wanted = ScenarioOrder(
        name,
        ignore_sensitive=ignore_sensitive,
        description=description or None,
        **{"enabled": True, **settings},
    )
    return await asked(scenarios.create, standing.office, await standing.caller(DIRECTOR), wanted)


async def bring(standing: Standing, *rows: dict[str, Any], vdn: VdnId = ONE) -> Taken:
    """Import one result per row; what is left out is a violated dialog rule of 3 points."""
    usual = {"scenario": "Sales", "kind": "dialog", "rule": "r1", "valid": 0, "points": 3}
    lines: Sequence[ResultLine] = [
        ResultLine(number, ResultRow.model_validate({**usual, **row}))
        for number, row in enumerate(rows, start=1)
    ]
    return await take(standing.office, vdn, lines, "a test")


async def contact_row(standing: Standing, contact: int) -> sa.RowMapping:
    """What is kept of a contact."""
    async with standing.engine.begin() as connection:
        found = await connection.execute(sa.select(contacts).where(contacts.c.contact == contact))
        return found.mappings().one()


async def uuid_of(standing: Standing, contact: int) -> str:
    """A contact's `call_uuid`."""
    found = (await contact_row(standing, contact))["uuid"]
    assert isinstance(found, UUID)
    return str(found)


async def versions_of(standing: Standing, result: str) -> list[Revision]:
    """What people made of a result, the first version first."""
    query = sa.select(revisions).where(revisions.c.vdn == ONE, revisions.c.result == result)
    async with standing.engine.begin() as connection:
        found = await connection.execute(query.order_by(revisions.c.version))
    return [value_of(Revision, row, kept=bool(row["revise"])) for row in found.mappings()]


def costs(score: Score) -> dict[str, str]:
    """The reasons of a score: rule's name to the points that it cost."""
    return {deduction.name: str(deduction.points) for deduction in score.deductions}
