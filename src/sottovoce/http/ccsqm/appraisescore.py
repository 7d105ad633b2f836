"""`appraisescore/`: score profiles, and which of them is in use [2417–2421].

`deleteAppraiseScore` is named after its siblings: its page's path was not seen (inferred).
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Annotated

from pydantic import BeforeValidator, Field, WithJsonSchema

from sottovoce.domain.rights import Operation
from sottovoce.domain.scoring import Profile, points
from sottovoce.http.ccsqm.credit_wire import number
from sottovoce.http.ccsqm.visit import SQM, Answer, Interfaces, Visit
from sottovoce.http.ccsqm.words import Form, Id, Number, NumberId, Text
from sottovoce.quality import score_profiles

INTERFACES = Interfaces(SQM, "appraisescore")


_WRITTEN = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
"""A number in ASCII; Decimal would take the digits of any script."""


def _points(value: object) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError("must be a number")
    if isinstance(value, str) and not _WRITTEN.fullmatch(value.strip()):
        raise ValueError("must be a number")
    return points(value)


Points = Annotated[Decimal, BeforeValidator(_points), WithJsonSchema({"type": "number"})]


class ProfileForm(Form):
    """A profile's values."""

    name: Text
    lower: Points = Field(alias="lower_bound")
    upper: Points = Field(alias="upper_bound")
    base: Points

    @property
    def profile(self) -> Profile:
        """A profile with these values."""
        return Profile(self.lower, self.upper, self.base, name=self.name)


class ModifyForm(ProfileForm):
    """Which profile, and its values from now on."""

    id: Id

    @property
    def profile(self) -> Profile:
        """The profile with these values."""
        return Profile(self.lower, self.upper, self.base, self.id, self.name)


class WhichForm(Form):
    """Which profile."""

    id: Id


class PageForm(Form):
    """The body of `queryAppraiseScore`: which page of the profiles, and how long a page is."""

    page: Annotated[Number, Field(ge=1, le=1_000_000_000)]
    limit: Annotated[Number, Field(ge=1, le=1_000_000)]


@INTERFACES.serves("createAppraiseScore", ProfileForm, Operation.EDIT_SCORE_PROFILES)
async def create(visit: Visit, form: ProfileForm) -> Answer:
    """Make a score profile, not yet in use; the answer has its id (inferred)."""
    return Answer({"id": NumberId(await score_profiles.create(visit.work, visit.reach(), form.profile))})


@INTERFACES.serves("applyAppraiseScore", WhichForm, Operation.EDIT_SCORE_PROFILES)
async def apply(visit: Visit, form: WhichForm) -> None:
    """Make a score profile the one in use for scores given from now on."""
    await score_profiles.apply(visit.work, visit.reach(), form.id)


@INTERFACES.serves("modifyAppraiseScore", ModifyForm, Operation.EDIT_SCORE_PROFILES)
async def modify(visit: Visit, form: ModifyForm) -> None:
    """Give a score profile other values."""
    await score_profiles.modify(visit.work, visit.reach(), form.profile)


@INTERFACES.serves("deleteAppraiseScore", WhichForm, Operation.EDIT_SCORE_PROFILES)
async def delete(visit: Visit, form: WhichForm) -> None:
    """Delete a score profile that is not in use."""
    await score_profiles.delete(visit.work, visit.reach(), form.id)


@INTERFACES.serves("queryAppraiseScore", PageForm, Operation.QUERY_SCORE_PROFILES)
async def query(visit: Visit, form: PageForm) -> Answer:
    """Page through the score profiles; `using` is empty while none is in use."""
    using, found = await score_profiles.query(visit.work, visit.reach(), form.page, form.limit)
    return Answer(
        {
            "using": using or "",
            "fundamental_score": [
                {
                    "id": NumberId(profile.profile),
                    "lower_bound": number(profile.lower),
                    "upper_bound": number(profile.upper),
                    "base": number(profile.base),
                    "name": profile.name,
                }
                for profile in found
            ],
        }
    )
