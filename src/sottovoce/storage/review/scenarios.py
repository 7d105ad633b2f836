"""Business scenarios of a tenant. A deleted one is found only through the results that it has."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import sqlalchemy as sa

from sottovoce.domain.scenarios import CallRange, Scenario, WantedScenarios
from sottovoce.storage.rows import between, columns_of, given, value_of
from sottovoce.storage.tables import scenarios
from sottovoce.storage.work import Work

_LIVE = scenarios.c.deleted_at.is_(None)


async def find(work: Work, scenario: str, *, hold: bool = False) -> Scenario | None:
    """One, held until the transaction ends if `hold`; None: unknown, deleted or another tenant's."""
    query = sa.select(scenarios).where(scenarios.c.vdn == work.vdn, scenarios.c.scenario == scenario, _LIVE)
    if hold:
        query = query.with_for_update(key_share=True)
    row = (await work.connection.execute(query)).mappings().first()
    return None if row is None else _scenario(row)


async def many(work: Work, wanted: Collection[str]) -> dict[str, Scenario]:
    """Those of them that the tenant has or had, by their ids."""
    query = sa.select(scenarios).where(scenarios.c.vdn == work.vdn, scenarios.c.scenario.in_(list(wanted)))
    found = map(_scenario, (await work.connection.execute(query)).mappings())
    return {scenario.scenario: scenario for scenario in found}


async def called(work: Work, words: Collection[str]) -> dict[str, Scenario]:
    """What each word names: the id of a scenario that is not deleted, or else its name."""
    query = sa.select(scenarios).where(
        scenarios.c.vdn == work.vdn,
        _LIVE,
        scenarios.c.scenario.in_(list(words)) | scenarios.c.name.in_(list(words)),
    )
    found = [_scenario(row) for row in (await work.connection.execute(query)).mappings()]
    return {one.name: one for one in found} | {one.scenario: one for one in found}


async def page(work: Work, wanted: WantedScenarios, skip: int, limit: int) -> tuple[int, list[Scenario]]:
    """How many there are, and some of them, the newest first."""
    conditions = [
        scenarios.c.vdn == work.vdn,
        _LIVE,
        *given(wanted.name, lambda part: scenarios.c.name.icontains(part, autoescape=True)),
        *given(wanted.enabled, lambda enabled: scenarios.c.enabled == enabled),
        *between(scenarios.c.created_at, wanted.made_from, wanted.made_until),
    ]
    count = sa.select(sa.func.count()).select_from(scenarios).where(*conditions)
    query = (
        sa.select(scenarios)
        .where(*conditions)
        .order_by(scenarios.c.created_at.desc(), scenarios.c.scenario)
        .offset(skip)
        .limit(limit)
    )
    total = int((await work.connection.execute(count)).scalar_one())
    return total, [_scenario(row) for row in (await work.connection.execute(query)).mappings()]


async def insert(work: Work, scenario: Scenario) -> None:
    """Add one. IntegrityError: the name is taken."""
    row = sa.insert(scenarios).values(
        vdn=work.vdn,
        scenario=scenario.scenario,
        created_at=scenario.created_at,
        **_content(scenario),
    )
    await work.connection.execute(row)


async def change(work: Work, scenario: Scenario) -> None:
    """Give it other values. IntegrityError: the name is taken."""
    changed = sa.update(scenarios).where(
        scenarios.c.vdn == work.vdn, scenarios.c.scenario == scenario.scenario, _LIVE
    )
    await work.connection.execute(changed.values(**_content(scenario)))


async def delete(work: Work, scenario: str) -> None:
    """Let nobody find it any more but through its results."""
    gone = sa.update(scenarios).where(scenarios.c.vdn == work.vdn, scenarios.c.scenario == scenario, _LIVE)
    await work.connection.execute(gone.values(deleted_at=work.at, enabled=False))


def _content(scenario: Scenario) -> dict[str, Any]:
    calls = columns_of(scenario.calls, other=dict(scenario.calls.other))
    return columns_of(scenario, "scenario", "created_at", "calls", "deleted", **calls)


def _scenario(row: sa.RowMapping) -> Scenario:
    return value_of(Scenario, row, calls=value_of(CallRange, row), deleted=row["deleted_at"] is not None)
