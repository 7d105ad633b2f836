"""Business scenarios: made, changed, switched on and off, deleted. Results given under them stay."""

from __future__ import annotations

import dataclasses
import uuid

from sqlalchemy.exc import IntegrityError

from sottovoce.domain.scenarios import Scenario, ScenarioOrder, WantedScenarios
from sottovoce.errors import Code, Refused
from sottovoce.quality.access import Reach
from sottovoce.storage.review import scenarios as stored
from sottovoce.storage.work import Work

PREFIX = "groupid_"


async def create(work: Work, reach: Reach, settings: ScenarioOrder) -> str:
    """A new scenario, switched off unless the settings say otherwise; its id.

    Refused(BAD_PARAMETER), (NO_RIGHT), (NAME_TAKEN).
    """
    blank = Scenario(f"{PREFIX}{uuid.uuid4()}", settings.name, enabled=False, created_at=work.at)
    scenario = settings.of(blank)
    try:
        await stored.insert(work, scenario)
    except IntegrityError as taken:
        raise _taken(scenario) from taken
    _audit(work, "scenario.create", scenario)
    return scenario.scenario


async def update(work: Work, reach: Reach, scenario: str, settings: ScenarioOrder) -> None:
    """Change a scenario; what the settings leave open stays.

    Refused(BAD_PARAMETER), (NO_RIGHT), (NOT_FOUND), (NAME_TAKEN).
    """
    changed = settings.of(await _held(work, scenario))
    try:
        await stored.change(work, changed)
    except IntegrityError as taken:
        raise _taken(changed) from taken
    _audit(work, "scenario.update", changed)


async def switch(work: Work, reach: Reach, scenario: str, *, enabled: bool) -> None:
    """Switch a scenario on or off; once more is no mistake. Refused(NO_RIGHT), (NOT_FOUND)."""
    changed = dataclasses.replace(await _held(work, scenario), enabled=enabled)
    await stored.change(work, changed)
    _audit(work, "scenario.switch", changed)


async def delete(work: Work, reach: Reach, scenario: str) -> None:
    """Delete a scenario; its results and scores stay. Refused(NO_RIGHT), (NOT_FOUND)."""
    gone = await _held(work, scenario)
    await stored.delete(work, scenario)
    _audit(work, "scenario.delete", gone)


async def show(work: Work, reach: Reach, scenario: str) -> Scenario:
    """One scenario. Refused(NO_RIGHT), (NOT_FOUND)."""
    found = await stored.find(work, scenario)
    if found is None:
        raise _unknown()
    return found


async def query(
    work: Work, reach: Reach, wanted: WantedScenarios, page: int, limit: int
) -> tuple[int, list[Scenario]]:
    """How many scenarios there are, and a page of them, the newest first. Refused(NO_RIGHT)."""
    return await stored.page(work, wanted, (page - 1) * limit, limit)


async def _held(work: Work, scenario: str) -> Scenario:
    found = await stored.find(work, scenario, hold=True)
    if found is None:
        raise _unknown()
    return found


def _unknown() -> Refused:
    return Refused(Code.NOT_FOUND, "there is no such scenario")


def _taken(scenario: Scenario) -> Refused:
    return Refused(Code.NAME_TAKEN, f"there is a scenario {scenario.name} already")


def _audit(work: Work, action: str, scenario: Scenario) -> None:
    work.audit(
        action,
        scenario.scenario,
        name=scenario.name,
        enabled=scenario.enabled,
        ignore_sensitive=scenario.ignore_sensitive,
        rules=scenario.rule_count,
    )
