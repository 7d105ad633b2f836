"""Skill queues in a seed file: who waits how long, hears what, and goes where.

    skills:
      - skill: 1
        name: Sales
        longest: 50
        overflow: [{after: 30, skill: 2}]
        time_out: 300
        way_out: {number: "0441234567"}
        music: /srv/sounds/waltz.wav
        announce: {first: 20, every: 60, position: true, wait: true, language: de}
        answer_within: 20
        short: 5

Times are seconds. A queue without these keys has no bound, and the music of the settings.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, model_validator

from sottovoce.domain import access
from sottovoce.domain.directory import (
    Announcing,
    Overflow,
    QueueRules,
    SkillId,
    VdnId,
    VdnProfile,
    WayOut,
)

Dialled = Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z*#+._-]{1,32}$", strict=True)]
Name = Annotated[
    str, StringConstraints(min_length=1, max_length=128, strict=True, pattern=r"^[^\x00-\x1f\x7f]*$")
]
LONGEST_S = 86_400
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[a-z]{2,4})?")
_NUMBER = re.compile(r"[0-9*#]{1,24}")


def _is_wav(path: str) -> str:
    if not PurePosixPath(path).is_absolute() or not path.lower().endswith(".wav"):
        raise ValueError("must be the whole path of a WAV file, like /srv/waltz.wav")
    return path


Wav = Annotated[
    str,
    StringConstraints(max_length=1000, strict=True, pattern=r"^[^\x00-\x1f\x7f]*$"),
    AfterValidator(_is_wav),
]


class Entry(BaseModel):
    """An object of a seed file: it has these keys and no others."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class OverflowSeed(Entry):
    """After so long agents of another queue take its calls, too."""

    after: float = Field(ge=0, le=LONGEST_S)
    skill: int


class WayOutSeed(Entry):
    """One way out."""

    skill: int | None = None
    number: Dialled | None = None
    announcement: Wav | None = None

    @model_validator(mode="after")
    def _one(self) -> WayOutSeed:
        if sum(way is not None for way in (self.skill, self.number, self.announcement)) != 1:
            raise ValueError("must name one of skill, number and announcement")
        if self.number is not None and not _NUMBER.fullmatch(self.number):
            raise ValueError("has a number that is not 1 to 24 digits, * and #")
        return self


class AnnounceSeed(Entry):
    """What callers are told while they wait."""

    first: float = Field(default=0, ge=0, le=LONGEST_S)
    every: float = Field(default=60, ge=0, le=LONGEST_S)
    position: bool = True
    wait: bool = False
    language: str = "en"

    @model_validator(mode="after")
    def _says(self) -> AnnounceSeed:
        if not self.position and not self.wait:
            raise ValueError("says nothing: set position or wait")
        if 0 < self.every < 10:
            raise ValueError("comes too often: every must be 10 or more, or 0 for once")
        if not _LANGUAGE.fullmatch(self.language):
            raise ValueError("has a language that is none, like en or de")
        return self


class SkillSeed(Entry):
    """A skill queue."""

    skill: int = Field(ge=1, le=999_999)
    name: Name
    longest: int | None = Field(default=None, ge=0, le=1000)
    overflow: tuple[OverflowSeed, ...] = Field(default=(), max_length=10)
    time_out: float | None = Field(default=None, ge=1, le=LONGEST_S)
    way_out: WayOutSeed | None = None
    music: Wav | None = None
    announce: AnnounceSeed | None = None
    answer_within: float = Field(default=20, gt=0, le=LONGEST_S)
    short: float = Field(default=5, ge=0, le=LONGEST_S)

    def rules(self) -> QueueRules:
        """The same for a floor."""
        out, told = self.way_out or WayOutSeed.model_construct(), self.announce
        return QueueRules(
            self.longest,
            tuple(Overflow(one.after, SkillId(one.skill)) for one in self.overflow),
            self.time_out,
            WayOut(
                SkillId(out.skill) if out.skill is not None else None,
                out.number or "",
                out.announcement or "",
            ),
            self.music or "",
            Announcing(told.first, told.every, told.position, told.wait, told.language) if told else None,
            self.answer_within,
            self.short,
        )


def contradictions(
    skills: tuple[SkillSeed, ...], outbound_allowed: tuple[str, ...]
) -> Iterator[tuple[tuple[int | str, ...], str]]:
    """What is wrong within queues: where, below `skills`, and what."""
    vdn = VdnProfile(VdnId(0), "", outbound_allowed=outbound_allowed)
    for index, skill in enumerate(skills):
        what = f"skill {skill.skill}"
        if skill.way_out is not None and skill.time_out is None and skill.longest is None:
            yield (index, "way_out"), f"{what} has a way out that nobody takes: set time_out or longest"
        number = skill.way_out.number if skill.way_out is not None else None
        if number is not None and not access.number_allowed(vdn, number):
            yield (index, "way_out", "number"), f"{what}: outbound_allowed does not admit {number}"
        for place, one in enumerate(skill.overflow):
            if one.skill == skill.skill:
                yield (index, "overflow", place), f"{what} overflows to itself"


def named(skill: SkillSeed) -> Iterator[tuple[tuple[int | str, ...], int]]:
    """The other queues that a queue names, and where."""
    for place, one in enumerate(skill.overflow):
        yield ("overflow", place, "skill"), one.skill
    if skill.way_out is not None and skill.way_out.skill is not None:
        yield ("way_out", "skill"), skill.way_out.skill
