"""`fixedColumns` of tasks and plans: the conditions of a sample [2497, 2505, 2510]."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from sottovoce.domain.contacts import Interaction
from sottovoce.domain.sampling import LARGEST_SAMPLE, Conditions, Earlier, Quantity
from sottovoce.http.ccsqm.visit import Visit, VisitApart
from sottovoce.http.ccsqm.words import BadField, Form, Number, UserField

_QUANTITIES = {1: Quantity.CALLS, 2: Quantity.PER_AGENT, 3: Quantity.PERCENT_PER_AGENT}
_EARLIER = {0: Earlier.FRESH, 1: Earlier.SAMPLED, 2: Earlier.ALL}
_INTERACTIONS = {0: Interaction.VOICE, 2: Interaction.TEXT}
_Score = Annotated[Number, Field(ge=0, le=10_000)]
_Duration = Annotated[Number, Field(ge=0, le=99_999_999_999)]
_LONGEST_S = 100_000_000


class FixedColumns(Form):
    """Which calls, and how many of them. `maxNum` 0 is no limit; `qualityCondition` 2, all, if absent."""

    quality_type: Annotated[Number, Field(alias="qualityType", ge=1, le=3)]
    quality_num: Annotated[Number, Field(alias="qualityNum", ge=1, le=LARGEST_SAMPLE)]
    interaction_type: Annotated[Number, Field(alias="interactionType")]
    max_num: Annotated[Number | None, Field(alias="maxNum", ge=0, le=LARGEST_SAMPLE)] = None
    quality_condition: Annotated[Number, Field(alias="qualityCondition", ge=0, le=2)] = 2
    score_start: Annotated[_Score | None, Field(alias="scoreStart")] = None
    score_end: Annotated[_Score | None, Field(alias="scoreEnd")] = None
    duration_start: Annotated[_Duration | None, Field(alias="durationStart")] = None
    duration_end: Annotated[_Duration | None, Field(alias="durationEnd")] = None
    agents: Annotated[tuple[UserField, ...], Field(alias="staffIds", max_length=10_000)] = ()


class ChangedColumns(FixedColumns):
    """Of an update, where `qualityCondition` is mandatory."""

    quality_condition: Annotated[Number, Field(alias="qualityCondition", ge=0, le=2)]


async def conditions(
    visit: Visit | VisitApart, form: FixedColumns, *, field: str = "fixedColumns", per_second: int = 1
) -> Conditions:
    """What the form asks for. `field` is its name in complaints; durations come in 1/`per_second` s.

    Raises BadField, Refused(BAD_PARAMETER).
    """
    if form.interaction_type not in _INTERACTIONS:
        raise BadField(f"{field}.interactionType: must be 0 or 2")
    if form.quality_type == 3 and form.quality_num > 100:
        raise BadField(f"{field}.qualityNum: must be at most 100 for a percentage")
    if form.score_start is not None and form.score_end is not None and form.score_end < form.score_start:
        raise BadField(f"{field}.scoreEnd: must not be below scoreStart")
    start, end = form.duration_start, form.duration_end
    for name, duration in (("durationStart", start), ("durationEnd", end)):
        if duration is not None and duration > _LONGEST_S * per_second:
            raise BadField(f"{field}.{name}: must be at most {_LONGEST_S * per_second}")
    if start is not None and end is not None and end < start:
        raise BadField(f"{field}.durationEnd: must not be below durationStart")
    agents = await visit.agents_of(form.agents)
    return Conditions(
        quantity=_QUANTITIES[form.quality_type],
        number=form.quality_num,
        cap=form.max_num or LARGEST_SAMPLE,
        earlier=_EARLIER[form.quality_condition],
        score_from=form.score_start,
        score_to=form.score_end,
        duration_from_s=_seconds(start, per_second),
        duration_to_s=_seconds(end, per_second),
        agents=agents,
        interaction=_INTERACTIONS[form.interaction_type],
    )


def _seconds(duration: int | None, per_second: int) -> int | float | None:
    """Whole where they are: what is kept and certified of a sample then has no fraction."""
    if duration is None or duration % per_second:
        return None if duration is None else duration / per_second
    return duration // per_second
