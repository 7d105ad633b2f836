"""Calls of other systems as an import reads them, and what it finds wrong with one.

`csv_calls` and `vcon_calls` read them, `contact_import` brings them in. A mistake is told with its file and
place; it never ends the import of what stands beside it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar
from zoneinfo import ZoneInfo

from sottovoce.domain.calls import CallDirection
from sottovoce.domain.contacts import Ender, Sentence
from sottovoce.domain.directory import AgentId, SkillId, VdnId
from sottovoce.plain import is_text, natural

LONGEST_TEXT = 64
"""Characters of a number or a reference."""
LONGEST_NAME = 200
"""Characters of a file's name."""
EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)
_LAST_SECOND = 253_402_300_799

Number = TypeVar("Number", bound=int)


class Mistake(Exception):
    """Why a call cannot be brought in."""


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A call that is left out, or warned of: where (`calls.csv:7`, `call.vcon.json: dialog 2`) and why."""

    place: str
    reason: str
    row: str = ""
    """What stands there."""

    def __str__(self) -> str:
        return f"{self.place}: {self.reason}"


@dataclass(frozen=True, slots=True)
class ForeignCall:
    """A call to be brought in."""

    place: str
    reference: str
    """What it is known by: a second import of the same reference changes nothing."""
    call: str
    """The other system's own name for it."""
    began_at: datetime
    direction: CallDirection
    caller: str
    called: str
    agent: AgentId | None
    skill: SkillId | None
    ended_by: Ender
    file_name: str
    sound: Path | bytes | None
    """The WAV; None: a text, or a call that nobody took."""
    agent_left: bool = False
    """Whether the agent is on the left channel of a stereo WAV."""
    transcript: tuple[Sentence, ...] | None = None
    duration_s: float = 0.0
    """Of a call without a WAV."""
    warnings: tuple[str, ...] = ()
    """What had to be guessed, or is missing."""
    row: str = field(default="", compare=False)
    """What stands at `place`."""


def moment(text: str, zone: str, now: datetime, warnings: list[str]) -> datetime:
    """ISO 8601, by the wall clock of `zone` where it names no offset, or seconds since the epoch. Mistake."""
    value = text.strip()
    try:
        if value.isascii() and value.replace(".", "", 1).isdigit() and float(value) <= _LAST_SECOND:
            found = datetime.fromtimestamp(float(value), UTC)
        else:
            found = datetime.fromisoformat(value)
            if found.tzinfo is None:
                found = found.replace(tzinfo=ZoneInfo(zone))
                warnings.extend(_clock_change(found, zone))
            found = found.astimezone(UTC)
    except (ValueError, OverflowError, OSError):
        raise Mistake(f"{_shown(text)} is no time; wanted: 2026-11-22T14:05:00+01:00, or seconds") from None
    if not EARLIEST <= found <= now + timedelta(days=1):
        raise Mistake(f"{_shown(text)} is before 1990 or in the future")
    return found


def _clock_change(local: datetime, zone: str) -> list[str]:
    """What is wrong with a local time, by a change of the clocks."""
    there = local.astimezone(UTC).astimezone(local.tzinfo)
    if there.replace(tzinfo=None) != local.replace(tzinfo=None):
        return [f"{local:%Y-%m-%d %H:%M} did not exist in {zone}; taken for {there:%H:%M}"]
    if local.utcoffset() != local.replace(fold=1).utcoffset():
        return [f"{local:%Y-%m-%d %H:%M} came twice in {zone}; taken for the first"]
    return []


def short(name: str, text: str, longest: int = LONGEST_TEXT) -> str:
    """A text of bounded length that PostgreSQL takes. Mistake."""
    value = text.strip()
    if len(value) > longest:
        raise Mistake(f"{name} is longer than {longest} characters")
    if not is_text(value) or any(sign < " " for sign in value):
        raise Mistake(f"{name} has signs that are no text")
    return value


def beside(folder: Path, name: str) -> Path:
    """The file of that name in `folder` or below it, never elsewhere. Mistake."""
    try:
        short("the file's name", name, 4096)
        inside = folder.resolve()
        found = (inside / name).resolve()
        if not found.is_relative_to(inside):
            raise Mistake(f"{_shown(name)} is not in the folder {folder.name or folder}")
        if not found.is_file():
            raise Mistake(f"there is no file {_shown(name)}")
    except (OSError, ValueError, RuntimeError) as failure:
        raise Mistake(f"{_shown(name)} cannot be read: {failure}") from None
    if len(found.name) > LONGEST_NAME:
        raise Mistake(f"the file's name is longer than {LONGEST_NAME} characters")
    return found


def known(
    what: str, text: str, kind: Callable[[int], Number], ids: Collection[Number], vdn: VdnId
) -> Number | None:
    """The one of the VDN's `ids` that a text names; None for an empty text. Mistake."""
    value = text.strip()
    if not value:
        return None
    number = natural(value, 9)
    if number is not None and kind(number) in ids:
        return kind(number)
    raise Mistake(f"VDN {vdn} has no {what} {_shown(text)}")


def one_of(name: str, text: str, allowed: Iterable[str]) -> str:
    """The one of these words that a text is, whatever its case. Mistake."""
    words = [str(word) for word in allowed]
    if (value := text.strip().lower()) in words:
        return value
    raise Mistake(f"{name} must be one of {', '.join(words)}")


def _shown(text: str) -> str:
    """A text of somebody else's, fit for a terminal."""
    return repr(text if len(text) <= 40 else text[:40] + "…")
