"""`scenariomanage/`: business scenarios [2485–2490].

`other.call_from` and `call_end` are milliseconds on create and in answers, seconds on update, as the pages
say. `deleteScenario` is named after its siblings: its page's path was not seen (inferred).
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import ConfigDict, Field

from sottovoce.domain.rights import Operation
from sottovoce.domain.scenarios import CallRange, Scenario, ScenarioOrder, WantedScenarios
from sottovoce.http.ccsqm.visit import SQM, Answer, Interfaces, Visit
from sottovoce.http.ccsqm.words import EitherTime, Form, Milliseconds, Number, Seconds, Text, milliseconds
from sottovoce.plain import is_text
from sottovoce.quality import scenarios

INTERFACES = Interfaces(SQM, "scenariomanage")

Switch = Annotated[Number, Field(ge=0, le=1)]
MOST_OTHER = 20
"""Fields of `other` that are kept beside the range of calls."""
LONGEST_OTHER = 256


class Other(Form):
    """For which calls a scenario is meant, as create has it; further fields (`type` …) are kept."""

    model_config = ConfigDict(extra="allow", frozen=True, populate_by_name=False)

    calls_from: Milliseconds | None = Field(None, alias="call_from")
    calls_until: Milliseconds | None = Field(None, alias="call_end")

    @property
    def meant(self) -> CallRange:
        """Which calls, with the further fields that are texts, whole numbers or flags; others are ignored."""
        extra = self.model_extra or {}
        kept = ((name, value) for name, value in extra.items() if _can_stay(name) and _can_stay(value))
        return CallRange(self.calls_from, self.calls_until, dict(list(kept)[:MOST_OTHER]))


class OtherSeconds(Other):
    """As update has it."""

    calls_from: Seconds | None = Field(None, alias="call_from")
    calls_until: Seconds | None = Field(None, alias="call_end")


class CreateForm(Form):
    """A new scenario."""

    name: Text = Field(alias="group_name")
    description: Text | None = None
    ignore_sensitive: Switch = 0
    calls: Other = Field(alias="other")
    interaction: Number | None = Field(None, alias="interaction_type")


class UpdateForm(Form):
    """What a scenario is to be; what is absent stays."""

    group_id: Text
    name: Text = Field(alias="group_name")
    description: Text | None = None
    is_enable: Switch
    ignore_sensitive: Switch | None = None
    calls: OtherSeconds | None = Field(None, alias="other")
    rules: list[Text] | None = None
    silence_rules: list[Text] | None = None
    speed_rules: list[Text] | None = None
    interposal_rules: list[Text] | None = None
    interaction: Number | None = Field(None, alias="interaction_type")


class SwitchForm(Form):
    """Which scenario, and whether it is on."""

    group_id: Text
    is_enable: Switch


class WhichForm(Form):
    """Which scenario."""

    group_id: Text


class QueryForm(Form):
    """Which scenarios. The times are when they were made; their unit is not stated, either is taken."""

    limit: Annotated[Number, Field(ge=1, le=10_000)]
    page: Annotated[Number, Field(ge=1, le=1_000_000_000)]
    name: Text | None = Field(None, alias="scenarioName")
    status: Switch | None = Field(None, alias="scenarioStatus")
    made_from: EitherTime | None = Field(None, alias="startTime")
    made_until: EitherTime | None = Field(None, alias="endTime")


@INTERFACES.serves("createScenario", CreateForm, Operation.EDIT_SCENARIOS)
async def create(visit: Visit, form: CreateForm) -> Answer:
    """Make a scenario, switched off (inferred)."""
    settings = ScenarioOrder(
        name=form.name,
        description=form.description,
        ignore_sensitive=bool(form.ignore_sensitive),
        interaction=form.interaction,
        calls=form.calls.meant,
    )
    return Answer({"group_id": await scenarios.create(visit.work, visit.reach(), settings)})


@INTERFACES.serves("updateScenario", UpdateForm, Operation.EDIT_SCENARIOS)
async def update(visit: Visit, form: UpdateForm) -> None:
    """Change a scenario."""
    settings = ScenarioOrder(
        name=form.name,
        enabled=bool(form.is_enable),
        description=form.description,
        ignore_sensitive=None if form.ignore_sensitive is None else bool(form.ignore_sensitive),
        interaction=form.interaction,
        calls=None if form.calls is None else form.calls.meant,
        rules=_ids(form.rules),
        silence_rules=_ids(form.silence_rules),
        speed_rules=_ids(form.speed_rules),
        interposal_rules=_ids(form.interposal_rules),
    )
    await scenarios.update(visit.work, visit.reach(), form.group_id, settings)


@INTERFACES.serves("updateScenarioStatus", SwitchForm, Operation.EDIT_SCENARIOS)
async def switch(visit: Visit, form: SwitchForm) -> None:
    """Switch a scenario on or off."""
    await scenarios.switch(visit.work, visit.reach(), form.group_id, enabled=bool(form.is_enable))


@INTERFACES.serves("deleteScenario", WhichForm, Operation.EDIT_SCENARIOS)
async def delete(visit: Visit, form: WhichForm) -> None:
    """Delete a scenario; the results and scores that calls have of it stay."""
    await scenarios.delete(visit.work, visit.reach(), form.group_id)


@INTERFACES.serves("queryScenario", WhichForm, Operation.QUERY_SCENARIOS)
async def show(visit: Visit, form: WhichForm) -> Answer:
    """One scenario; a success has no resultCode [2488]."""
    scenario = await scenarios.show(visit.work, visit.reach(), form.group_id)
    rules = {
        "rules": list(scenario.rules),
        "silence_rules": list(scenario.silence_rules),
        "speed_rules": list(scenario.speed_rules),
        "interposal_rules": list(scenario.interposal_rules),
    }
    return Answer({**_told(scenario), **rules}, coded=False)


@INTERFACES.serves("queryAllScenario", QueryForm, Operation.QUERY_SCENARIOS)
async def query(visit: Visit, form: QueryForm) -> Answer:
    """Page through the scenarios, the newest first."""
    wanted = WantedScenarios(
        name=form.name,
        enabled=None if form.status is None else bool(form.status),
        made_from=form.made_from,
        made_until=form.made_until,
    )
    total, found = await scenarios.query(visit.work, visit.reach(), wanted, form.page, form.limit)
    data = [
        {
            **_told(scenario),
            "rule_count": scenario.rule_count,
            "interaction_type": int(scenario.interaction),
        }
        for scenario in found
    ]
    return Answer({"total": total, "data": data})


def _told(scenario: Scenario) -> dict[str, Any]:
    ends = {
        "call_from": milliseconds(scenario.calls.calls_from),
        "call_end": milliseconds(scenario.calls.calls_until),
    }
    return {
        "group_id": scenario.scenario,
        "group_name": scenario.name,
        "is_enable": int(scenario.enabled),
        "other": {**scenario.calls.other, **{name: at for name, at in ends.items() if at is not None}},
        "create_time": milliseconds(scenario.created_at),
        "description": scenario.description,
        "ignore_sensitive": int(scenario.ignore_sensitive),
    }


def _ids(found: list[str] | None) -> tuple[str, ...] | None:
    return None if found is None else tuple(found)


def _can_stay(value: object) -> bool:
    if isinstance(value, str):
        return is_text(value) and len(value) <= LONGEST_OTHER
    return isinstance(value, bool) or (isinstance(value, int) and abs(value) < 2**63)
