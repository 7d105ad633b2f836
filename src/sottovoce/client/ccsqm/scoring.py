"""Score profiles and business scenarios: `appraisescore/`, `scenariomanage/` [2417-2421, 2486-2490]."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sottovoce.client.ccsqm.connection import Operator
from sottovoce.client.ccsqm.fields import Fields, milliseconds_of, seconds_of
from sottovoce.domain.contacts import Interaction


@dataclass(frozen=True, slots=True)
class ScoreProfile:
    """From which score calls begin, and its bounds. `profile` is empty until it is made."""

    name: str
    base: float
    lower: float
    upper: float
    profile: str = ""


@dataclass(frozen=True, slots=True)
class ScoreProfiles:
    """One page of score profiles, and the id of the profile in use."""

    using: str
    profiles: tuple[ScoreProfile, ...]


@dataclass(frozen=True, slots=True)
class Scenario:
    """A business scenario: a set of rules, and the calls that it is for."""

    scenario: str
    name: str
    enabled: bool
    description: str = ""
    ignore_sensitive: bool = False
    calls_from: datetime | None = None
    calls_until: datetime | None = None
    created_at: datetime | None = None
    rule_count: int | None = None
    """Only in lists."""
    rules: tuple[str, ...] = ()
    silence_rules: tuple[str, ...] = ()
    speed_rules: tuple[str, ...] = ()
    interruption_rules: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ScenarioPage:
    """One page of a list of scenarios; `total` counts those of all pages."""

    total: int
    scenarios: tuple[Scenario, ...]


@dataclass(frozen=True, slots=True)
class Scores:
    """The interfaces of `appraisescore/`. Every method raises QualityFailure."""

    _operator: Operator

    async def create(self, profile: ScoreProfile) -> None:
        """Make a profile; its `profile` is not sent, the server gives it an id."""
        await self._operator.ask("appraisescore/createAppraiseScore", _profile(profile))

    async def modify(self, profile: ScoreProfile) -> None:
        """Change the profile of that id as a whole."""
        body = {**_profile(profile), "id": profile.profile}
        await self._operator.ask("appraisescore/modifyAppraiseScore", body)

    async def apply(self, profile: str) -> None:
        """Make this profile the one in use."""
        await self._operator.ask("appraisescore/applyAppraiseScore", {"id": profile})

    async def query(self, *, page: int = 1, limit: int = 10000) -> ScoreProfiles:
        """One page of the score profiles; pages count from 1."""
        answer = await self._operator.fields(
            "appraisescore/queryAppraiseScore", {"page": page, "limit": limit}
        )
        profiles = tuple(
            ScoreProfile(
                name=row.text("name"),
                base=row.number("base") or 0.0,
                lower=row.number("lower_bound") or 0.0,
                upper=row.number("upper_bound") or 0.0,
                profile=row.id("id"),
            )
            for row in answer.each("fundamental_score")
        )
        return ScoreProfiles(answer.id("using"), profiles)


@dataclass(frozen=True, slots=True)
class Scenarios:
    """The interfaces of `scenariomanage/`. Every method raises QualityFailure."""

    _operator: Operator

    async def create(
        self,
        name: str,
        calls_from: datetime,
        calls_until: datetime,
        *,
        description: str = "",
        ignore_sensitive: bool = False,
        interaction: Interaction = Interaction.VOICE,
    ) -> str:
        """Make a scenario; its id."""
        answer = await self._operator.fields(
            "scenariomanage/createScenario",
            {
                "group_name": name,
                "description": description,
                "ignore_sensitive": int(ignore_sensitive),
                "other": {
                    "call_from": milliseconds_of(calls_from),
                    "call_end": milliseconds_of(calls_until),
                },
                "interaction_type": int(interaction),
            },
        )
        return answer.text("group_id")

    async def update(self, scenario: Scenario) -> None:
        """Change a scenario as a whole; its times are sent in seconds here [2489]."""
        await self._operator.ask(
            "scenariomanage/updateScenario",
            {
                "group_id": scenario.scenario,
                "group_name": scenario.name,
                "description": scenario.description,
                "is_enable": int(scenario.enabled),
                "ignore_sensitive": int(scenario.ignore_sensitive),
                "other": {
                    "call_from": seconds_of(scenario.calls_from),
                    "call_end": seconds_of(scenario.calls_until),
                },
                "rules": list(scenario.rules),
                "silence_rules": list(scenario.silence_rules),
                "speed_rules": list(scenario.speed_rules),
                "interposal_rules": list(scenario.interruption_rules),
            },
        )

    async def enable(self, scenario: str, enabled: bool = True) -> None:
        """Take a scenario into use, or out of it."""
        body = {"group_id": scenario, "is_enable": int(enabled)}
        await self._operator.ask("scenariomanage/updateScenarioStatus", body)

    async def find(self, scenario: str) -> Scenario:
        """One scenario with its rules."""
        return _scenario(await self._operator.fields("scenariomanage/queryScenario", {"group_id": scenario}))

    async def query(
        self, *, page: int = 1, limit: int = 100, name: str | None = None, enabled: bool | None = None
    ) -> ScenarioPage:
        """One page of the scenarios, by name and by whether they are in use; pages count from 1."""
        answer = await self._operator.fields(
            "scenariomanage/queryAllScenario",
            {
                "page": page,
                "limit": limit,
                "scenarioName": name,
                "scenarioStatus": None if enabled is None else str(int(enabled)),
            },
        )
        return ScenarioPage(answer.whole("total"), tuple(_scenario(row) for row in answer.each("data")))


def _profile(profile: ScoreProfile) -> dict[str, str | float]:
    return {
        "name": profile.name,
        "lower_bound": profile.lower,
        "upper_bound": profile.upper,
        "base": profile.base,
    }


def _scenario(row: Fields) -> Scenario:
    other = row.part("other")
    return Scenario(
        scenario=row.text("group_id"),
        name=row.text("group_name"),
        enabled=row.whole("is_enable") == 1,
        description=row.text("description"),
        ignore_sensitive=row.whole("ignore_sensitive") == 1,
        calls_from=other.moment("call_from"),
        calls_until=other.moment("call_end"),
        created_at=row.moment("create_time"),
        rule_count=None if row.number("rule_count") is None else row.whole("rule_count"),
        rules=row.texts("rules"),
        silence_rules=row.texts("silence_rules"),
        speed_rules=row.texts("speed_rules"),
        interruption_rules=row.texts("interposal_rules"),
    )
