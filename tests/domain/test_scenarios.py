"""What may become of a scenario by its settings."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from sottovoce.domain.contacts import Interaction
from sottovoce.domain.scenarios import CallRange, Scenario, ScenarioOrder
from sottovoce.errors import Code, Refused

AT = datetime(2026, 3, 2, tzinfo=UTC)
SECOND = timedelta(seconds=1)
BEFORE = Scenario(
    "groupid_1",
    "Sales",
    True,
    AT,
    description="as it was",
    ignore_sensitive=True,
    interaction=Interaction.TEXT,
    calls=CallRange(AT, AT, {"type": 0}),
    rules=("a",),
    silence_rules=("b", "c"),
)


def test_what_is_left_open_stays() -> None:
    after = ScenarioOrder("Service").of(BEFORE)
    assert (after.name, after.description, after.calls, after.rules) == (
        "Service",
        "as it was",
        BEFORE.calls,
        ("a",),
    )
    assert after.enabled
    assert after.ignore_sensitive
    assert after.interaction == 2
    assert after.rule_count == 3


def test_no_and_nothing_are_settings_too() -> None:
    after = ScenarioOrder("Sales", enabled=False, ignore_sensitive=False, interaction=0, rules=()).of(BEFORE)
    assert not after.enabled
    assert not after.ignore_sensitive
    assert after.interaction == 0
    assert after.rule_count == 2


@pytest.mark.parametrize(
    ("scenario", "why"),
    [
        (BEFORE, ""),
        (replace(BEFORE, calls=CallRange()), ""),
        (replace(BEFORE, calls=CallRange(AT - SECOND, AT + SECOND)), ""),
        (replace(BEFORE, enabled=False), "Sales is switched off"),
        (replace(BEFORE, interaction=Interaction.VOICE), "Sales is not for calls of text"),
        (
            replace(BEFORE, calls=CallRange(calls_from=AT + SECOND)),
            "Sales is for calls from 2026-03-02 00:00 UTC on",
        ),
        (
            replace(BEFORE, calls=CallRange(calls_until=AT - SECOND)),
            "Sales is for calls until 2026-03-01 23:59 UTC",
        ),
    ],
)
def test_a_scenario_takes_results_of_the_calls_that_it_is_for(scenario: Scenario, why: str) -> None:
    assert scenario.declines(AT, Interaction.TEXT) == why


@pytest.mark.parametrize(
    ("settings", "field"),
    [
        (ScenarioOrder(""), "name"),
        (ScenarioOrder("x" * 129), "name"),
        (ScenarioOrder("x", description="y" * 1025), "description"),
        (ScenarioOrder("x", interaction=1), "interaction"),
        (ScenarioOrder("x", calls=CallRange(AT, datetime(2026, 3, 1, tzinfo=UTC))), "calls.calls_until"),
        (ScenarioOrder("x", rules=("a",) * 1001), "rules"),
        (ScenarioOrder("x", silence_rules=("",)), "silence_rules"),
        (ScenarioOrder("x", speed_rules=("a", "a")), "speed_rules"),
        (ScenarioOrder("x", interposal_rules=("a" * 129,)), "interposal_rules"),
    ],
)
def test_settings_that_make_no_sense_name_their_field(settings: ScenarioOrder, field: str) -> None:
    with pytest.raises(Refused) as declined:
        settings.of(BEFORE)
    assert declined.value.code is Code.BAD_PARAMETER
    assert declined.value.field == field
    assert declined.value.why
