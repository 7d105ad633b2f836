"""A file of rule results, line by line: JSON Lines, or CSV with a head line. A bad line costs itself alone.

Every line stands for itself: a CSV field cannot go over several lines, so that a quote left open
swallows nothing but its own line.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from typing import Annotated, Any, TextIO

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from sottovoce.domain.scoring import MOST_PASSAGES, Passage, RuleKind, Verdict, points
from sottovoce.plain import is_text, read_json
from sottovoce.quality.csv_rows import BadRow, TextLines, rows
from sottovoce.wording import told

LONGEST_LINE = 1_000_000
"""Characters."""
_LAST_MS = 2**53
_KINDS = {kind.name.lower(): kind for kind in RuleKind} | {str(int(kind)): kind for kind in RuleKind}
_VERDICTS = {
    "1": Verdict.KEPT,
    "true": Verdict.KEPT,
    "0": Verdict.VIOLATED,
    "false": Verdict.VIOLATED,
    "-1": Verdict.NOT_EVALUATED,
}
_SPAN = re.compile(r"([0-9]{1,16})-([0-9]{1,16})")

Fields = Iterator[tuple[int, Callable[[], Mapping[str, object]]]]
"""TextLines, each with what takes it apart."""


class BadResultFile(Exception):
    """A file of which no line can be read, for the reason that the text gives."""


@dataclass(frozen=True, slots=True)
class BadLine:
    """A line that cannot be taken, and why."""

    line: int
    why: str


def _text(value: object) -> object:
    if not isinstance(value, str):
        raise ValueError("must be a text")
    if not is_text(value):
        raise ValueError("has signs that are no text")
    return value.strip()


def _number_or_text(value: object) -> object:
    return _text(str(value) if isinstance(value, int) and not isinstance(value, bool) else value)


def _id(value: object) -> object:
    text = _text(value)
    if not isinstance(text, str) or not re.fullmatch(r"[!-~]{1,128}", text):
        raise ValueError("must be 1 to 128 signs of ASCII without blanks")
    return text


def _contact(value: object) -> object:
    text = _number_or_text(value)
    if not isinstance(text, str) or not re.fullmatch(r"[0-9]{1,18}", text):
        raise ValueError("must be a contact's number")
    return int(text)


def _kind(value: object) -> object:
    found = _KINDS.get(str(_number_or_text(value)).lower())
    if found is None:
        raise ValueError("must be one of " + ", ".join(_KINDS))
    return found


def _verdict(value: object) -> object:
    found = _VERDICTS.get(str(value).strip().lower()) if isinstance(value, bool | int | str) else None
    if found is None:
        raise ValueError("must be true or 1 (kept), false or 0 (violated), or -1 (not evaluated)")
    return found


def _points(value: object) -> object:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError("must be a number")
    number = points(value.strip() if isinstance(value, str) else value)
    if number < 0:
        raise ValueError("must not be negative: it is what a violation deducts")
    return number


def _segments(value: object) -> object:
    """`1200-3400 5000-5600`, or a list of pairs; milliseconds from the call's beginning."""
    if isinstance(value, str):
        pairs = [_SPAN.fullmatch(word) for word in value.split()]
        value = [[int(pair[1]), int(pair[2])] if pair else None for pair in pairs]
    if not isinstance(value, list) or len(value) > MOST_PASSAGES:
        raise ValueError(f"must be at most {MOST_PASSAGES} stretches")
    return tuple(_segment(pair) for pair in value)


def _segment(pair: object) -> Passage:
    match pair:
        case [int(start), int(end)] if 0 <= start <= end <= _LAST_MS:
            return Passage(start, end)
    raise ValueError("must be stretches such as 1200-3400, in milliseconds, each end after its start")


class ResultRow(BaseModel):
    """What one line says."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)

    contact: Annotated[int, BeforeValidator(_contact)] | None = None
    call_uuid: Annotated[str, BeforeValidator(_text)] | None = None
    scenario: Annotated[str, BeforeValidator(_text)]
    kind: Annotated[RuleKind, BeforeValidator(_kind)]
    rule: Annotated[str, BeforeValidator(_number_or_text), Field(min_length=1, max_length=128)]
    name: Annotated[str, BeforeValidator(_text), Field(max_length=256)] = ""
    description: Annotated[str, BeforeValidator(_text), Field(max_length=1024)] = ""
    valid: Annotated[Verdict, BeforeValidator(_verdict)]
    points: Annotated[Decimal, BeforeValidator(_points)]
    segments: Annotated[tuple[Passage, ...], BeforeValidator(_segments)] = ()
    revise_id: Annotated[str, BeforeValidator(_id)] | None = None

    @model_validator(mode="before")
    @classmethod
    def _absent(cls, value: Any) -> Any:
        if not isinstance(value, dict):
            raise ValueError("must be an object")
        return {name: item for name, item in value.items() if item is not None and item != ""}

    @model_validator(mode="after")
    def _has_a_call(self) -> ResultRow:
        if self.contact is None and self.call_uuid is None:
            raise ValueError("needs a contact or a call_uuid")
        return self


@dataclass(frozen=True, slots=True)
class ResultLine:
    """A line that was understood."""

    line: int
    row: ResultRow


def read(file: TextIO) -> Iterator[ResultLine | BadLine]:
    """The lines of `file`, in order, blank ones left out. Raises BadResultFile."""
    lines = TextLines(file, LONGEST_LINE)
    first = lines.take()
    while first.isspace():
        first = lines.take()
    lines.give_back([first])
    for number, fields in _objects(lines) if first.lstrip().startswith("{") else _table(lines):
        try:
            yield ResultLine(number, _row(fields()))
        except ValueError as why:
            yield BadLine(number, str(why))


def _objects(lines: TextLines) -> Fields:
    while line := lines.take():
        if not line.isspace():
            yield lines.number, partial(_object, line)


def _table(lines: TextLines) -> Fields:
    head: list[str] = []
    for number, row, _ in rows(lines, ",", most_lines=1):
        if isinstance(row, list) and len(row) <= 1 and not "".join(row).strip():
            continue
        if head:
            yield number, partial(_fields, head, row)
        else:
            head = _head(row)


def _head(row: list[str] | BadRow) -> list[str]:
    try:
        head = [name.strip() for name in _values(row)]
    except ValueError as why:
        raise BadResultFile(f"line 1: {why}") from None
    known = set(ResultRow.model_fields)
    needed = {name for name, field in ResultRow.model_fields.items() if field.is_required()}
    wrong = [f"{name!r} is no column" for name in head if name not in known]
    wrong += [f"{name} is missing" for name in sorted(needed - set(head))]
    wrong += [f"{name} stands twice" for name in known if head.count(name) > 1]
    if wrong:
        raise BadResultFile(f"line 1: {wrong[0]}; columns are {', '.join(ResultRow.model_fields)}")
    return head


def _fields(head: list[str], row: list[str] | BadRow) -> Mapping[str, object]:
    fields = _values(row)
    if len(fields) != len(head):
        raise ValueError(f"has {len(fields)} fields, the head line has {len(head)}")
    return dict(zip(head, fields, strict=True))


def _values(row: list[str] | BadRow) -> list[str]:
    if isinstance(row, BadRow):
        raise ValueError(f"is no CSV: {row}")
    _decoded("".join(row))
    return row


def _object(text: str) -> Mapping[str, object]:
    if len(text) > LONGEST_LINE:
        raise ValueError(f"is longer than {LONGEST_LINE} characters")
    _decoded(text)
    try:
        value = read_json(text)
    except ValueError as error:
        raise ValueError(f"is no JSON object: {error}") from None
    if not isinstance(value, dict):
        raise ValueError("is no JSON object")
    return value


def _decoded(text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError("is not in UTF-8") from None


def _row(fields: Mapping[str, object]) -> ResultRow:
    try:
        return ResultRow.model_validate(fields)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"][:1])
        what = told(first, unknown="is no known field")
        raise ValueError(f"{where}: {what}" if where else what) from None
