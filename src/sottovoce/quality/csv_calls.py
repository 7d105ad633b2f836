"""Calls listed in a CSV file, one row each, with their WAVs beside it."""

from __future__ import annotations

import csv
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import TextIO

from sottovoce.domain.calls import CallDirection
from sottovoce.domain.contacts import Ender
from sottovoce.domain.directory import SkillId
from sottovoce.plain import natural
from sottovoce.quality.foreign_calls import ForeignCall, LeftOut, Mistake, beside, known_agent, moment, short
from sottovoce.storage.review.imports import Tenant

COLUMNS = (
    "file", "began_at", "agent", "caller", "called",
    "direction", "skill", "ended_by", "agent_channel", "reference",
)  # fmt: skip
NEEDED = ("file", "began_at")
LONGEST_LINE = 64 * 1024
"""Characters."""
LONGEST_ROW = 50
"""Lines, of a row with line breaks in its values."""
_DELIMITERS = ",;\t"
_CHANNELS = {"": False, "right": False, "left": True}

Rows = Iterator[tuple[int, list[str] | Mistake]]


def calls(path: Path, tenant: Tenant, now: datetime) -> Iterator[ForeignCall | LeftOut]:
    """What each row is, in order. OSError where the file cannot be read."""
    with _opened(path) as file:
        rows = _rows(file)
        try:
            _, header = next(rows)
            columns = _columns(header)
        except (StopIteration, Mistake) as wrong:
            yield LeftOut(f"{path.name}:1", str(wrong) or "the file is empty")
            return
        for line, row in rows:
            place = f"{path.name}:{line}"
            try:
                if isinstance(row, Mistake):
                    raise row
                if any(value.strip() for value in row):
                    yield _call(place, path, _values(columns, row), tenant, now)
            except Mistake as wrong:
                yield LeftOut(place, str(wrong))


def count(path: Path) -> int:
    """How many calls it lists, roughly: its lines but the first. OSError."""
    with path.open("rb") as file:
        lines = 0
        while piece := file.read(1 << 20):
            lines += piece.count(b"\n")
    return max(lines - 1, 0)


def _opened(path: Path) -> TextIO:
    return path.open(encoding="utf-8-sig", errors="surrogateescape", newline="")


def _rows(file: TextIO) -> Rows:
    """Each row with the line on which it begins; a Mistake where it cannot be taken apart."""
    lines = _Lines(file)
    delimiter = ""
    while line := lines.take():
        number, more = lines.number, list[str]()
        delimiter = delimiter or max(_DELIMITERS, key=line.count)
        row = _parsed(line, delimiter)
        while row is None and len(more) < LONGEST_ROW and (following := lines.take()):
            more.append(following)
            row = _parsed("".join((line, *more)), delimiter)
        if row is None or isinstance(row, Mistake):
            lines.give_back(more)
            yield number, Mistake("a quotation mark is not closed") if more or row is None else row
        else:
            yield number, row


def _parsed(text: str, delimiter: str) -> list[str] | Mistake | None:
    """The values of a row; None where a quotation mark is still open."""
    if len(text) > LONGEST_LINE:
        return Mistake(f"the line is longer than {LONGEST_LINE} characters")
    try:
        return next(csv.reader([text], delimiter=delimiter, strict=True), [])
    except csv.Error as failure:
        return None if "unexpected end" in str(failure) else Mistake(f"the row cannot be read: {failure}")


class _Lines:
    """A file's lines, counted; of one that is too long only its begin."""

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self._given_back: deque[str] = deque()
        self.number = 0
        """Of the line taken last."""

    def take(self) -> str:
        """The next line; empty at the end."""
        if self._given_back:
            self.number += 1
            return self._given_back.popleft()
        rest = line = self._file.readline(LONGEST_LINE + 1)
        while len(rest) >= LONGEST_LINE and not rest.endswith("\n"):
            rest = self._file.readline(LONGEST_LINE)
        self.number += bool(line)
        return line

    def give_back(self, lines: list[str]) -> None:
        """Have lines taken again."""
        self._given_back.extendleft(reversed(lines))
        self.number -= len(lines)


def _columns(header: list[str] | Mistake) -> list[str]:
    if isinstance(header, Mistake):
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
    return {**dict.fromkeys(COLUMNS, ""), **dict(zip(columns, row, strict=False))}


def _call(place: str, path: Path, row: Mapping[str, str], tenant: Tenant, now: datetime) -> ForeignCall:
    for name in NEEDED:
        if not row[name].strip():
            raise Mistake(f"{name} is missing")
    began_at = moment(row["began_at"], tenant.zone, now)
    agent = known_agent(row["agent"], tenant)
    file_name = row["file"].strip()
    sound = beside(path.parent, file_name)
    own = short("reference", row["reference"])
    return ForeignCall(
        place=place,
        reference=f"import/{own}" if own else f"csv/{began_at.isoformat()}/{agent or ''}/{file_name}",
        call=own or sound.stem,
        began_at=began_at,
        direction=CallDirection(_one_of("direction", row, CallDirection, CallDirection.INBOUND)),
        caller=short("caller", row["caller"]),
        called=short("called", row["called"]),
        agent=agent,
        skill=_skill(row["skill"], tenant),
        ended_by=Ender(_one_of("ended_by", row, Ender, Ender.SYSTEM)),
        file_name=sound.name,
        sound=sound,
        agent_left=_CHANNELS[_one_of("agent_channel", row, _CHANNELS, "")],
    )


def _one_of(name: str, row: Mapping[str, str], allowed: Iterable[str], usual: str) -> str:
    value = row[name].strip().lower() or usual
    words = [str(word) for word in allowed]
    if value not in words:
        raise Mistake(f"{name} must be one of {', '.join(word for word in words if word)}")
    return value


def _skill(text: str, tenant: Tenant) -> SkillId | None:
    value = text.strip()
    if not value:
        return None
    number = natural(value, 9)
    if number is not None and number in tenant.skills:
        return SkillId(number)
    raise Mistake(f"VDN {tenant.vdn} has no skill queue {value[:20]!r}")
