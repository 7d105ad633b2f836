"""Calls listed in a CSV file, one row each, with their WAVs beside it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from sottovoce.domain.calls import CallDirection
from sottovoce.domain.contacts import Ender
from sottovoce.domain.directory import AgentId, SkillId
from sottovoce.quality.csv_rows import BadRow, TextLines, rows, text_of
from sottovoce.quality.foreign_calls import (
    ForeignCall,
    LeftOut,
    Mistake,
    beside,
    known,
    moment,
    one_of,
    short,
)
from sottovoce.storage.review.imports import Tenant

COLUMNS = (
    "file", "began_at", "agent", "caller", "called",
    "direction", "skill", "ended_by", "agent_channel", "reference",
)  # fmt: skip
NEEDED = ("file", "began_at")
LONGEST_LINE = 64 * 1024
"""Characters."""
_CHANNELS = {"right": False, "left": True}


def calls(path: Path, tenant: Tenant, now: datetime) -> Iterator[ForeignCall | LeftOut]:
    """What each row is, in order. OSError where the file cannot be read."""
    with text_of(path.open("rb")) as file:
        found = rows(TextLines(file, LONGEST_LINE))
        line, text = 1, ""
        try:
            line, header, text = next(found)
            columns = _columns(header)
        except (StopIteration, BadRow, Mistake) as wrong:
            yield LeftOut(f"{path.name}:{line}", str(wrong) or "the file is empty", text.strip())
            return
        for line, row, text in found:
            place = f"{path.name}:{line}"
            try:
                if isinstance(row, BadRow):
                    raise row
                if any(value.strip() for value in row):
                    one = _call(place, path, _values(columns, row), tenant, now)
                    yield replace(one, row=text.strip())
            except (BadRow, Mistake) as wrong:
                yield LeftOut(place, str(wrong), text.strip())


def count(path: Path) -> int:
    """How many calls it lists, roughly: its lines but the first. OSError."""
    with path.open("rb") as file:
        lines = 0
        while piece := file.read(1 << 20):
            lines += piece.count(b"\n")
    return max(lines - 1, 0)


def _columns(header: list[str] | BadRow) -> list[str]:
    if isinstance(header, BadRow):
        raise header
    columns = [name.strip().lower().replace(" ", "_") for name in header]
    for name in NEEDED:
        if name not in columns:
            raise Mistake(f"the first line has no column {name!r}; columns are: {', '.join(COLUMNS)}")
    for name in COLUMNS:
        if columns.count(name) > 1:
            raise Mistake(f"the first line has the column {name!r} twice")
    return columns


def _values(columns: list[str], row: list[str]) -> dict[str, str]:
    if len(row) > len(columns):
        raise Mistake(f"the row has {len(row)} values, the first line {len(columns)} columns")
    return {**dict.fromkeys(COLUMNS, ""), **dict(zip(columns, map(str.strip, row), strict=False))}


def _call(place: str, path: Path, row: Mapping[str, str], tenant: Tenant, now: datetime) -> ForeignCall:
    for name in NEEDED:
        if not row[name].strip():
            raise Mistake(f"{name} is missing")
    warnings: list[str] = []
    began_at = moment(row["began_at"], tenant.zone, now, warnings)
    agent = known("agent", row["agent"], AgentId, tenant.agents, tenant.vdn)
    if agent is None:
        warnings.append("it has no agent: no sample will have it")
    file_name = row["file"].strip()
    sound = beside(path.parent, file_name)
    own = short("reference", row["reference"])
    return ForeignCall(
        place=place,
        reference=f"import/{own}" if own else f"csv/{began_at.isoformat()}/{agent or ''}/{file_name}",
        call=own or sound.stem,
        began_at=began_at,
        direction=CallDirection(one_of("direction", row["direction"] or "inbound", CallDirection)),
        caller=short("caller", row["caller"]),
        called=short("called", row["called"]),
        agent=agent,
        skill=known("skill queue", row["skill"], SkillId, tenant.skills, tenant.vdn),
        ended_by=Ender(one_of("ended_by", row["ended_by"] or "system", Ender)),
        file_name=sound.name,
        sound=sound,
        agent_left=_CHANNELS[one_of("agent_channel", row["agent_channel"] or "right", _CHANNELS)],
        warnings=tuple(warnings),
    )
