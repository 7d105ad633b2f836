"""Reading answers: ids and numbers that come as either, times in both units, fields that may be missing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import httpx

_MILLISECONDS_FROM = 100_000_000_000


class QualityFailure(Exception):
    """The server declined. `code` is its result code, or the HTTP status where the answer has none."""

    def __init__(self, code: str, detail: str, *, request: str = "") -> None:
        super().__init__(f"{request}: {code} {detail}".strip(": "))
        self.code = code
        self.detail = detail


def document_of(response: httpx.Response) -> Any:
    """The JSON of an answer; QualityFailure where it is none."""
    try:
        return response.json()
    except ValueError:
        raise QualityFailure(
            str(response.status_code),
            f"not the family's answer: {response.text[:200]!r}",
            request=response.request.url.path,
        ) from None


@dataclass(frozen=True, slots=True)
class Fields:
    """One object of an answer. A field of another type than expected is a QualityFailure naming it;
    an absent one and null are empty."""

    content: Mapping[str, Any]
    where: str

    @classmethod
    def of(cls, value: Any, where: str) -> Fields:
        """The fields of `value`, which must be an object."""
        if not isinstance(value, Mapping):
            raise QualityFailure("200", f"no object in {value!r:.200}", request=where)
        return cls(value, where)

    def text(self, name: str) -> str:
        """A text; a number as one."""
        value = self.content.get(name)
        if value is None:
            return ""
        if isinstance(value, str | int) and not isinstance(value, bool):
            return str(value)
        raise self._other(name)

    id = text
    """An id: digits as a text, however they were sent."""

    def whole(self, name: str, default: int = 0) -> int:
        """A whole number, perhaps as a text."""
        found = self.number(name)
        return default if found is None else int(found)

    def number(self, name: str) -> float | None:
        """A number, perhaps as a text; None if absent."""
        value = self.content.get(name)
        if value is None or value == "":
            return None
        if isinstance(value, int | float) and not isinstance(value, bool):
            return value
        if isinstance(value, str):
            for read in (int, float):
                try:
                    return read(value)
                except ValueError:
                    continue
        raise self._other(name)

    def flag(self, name: str) -> bool:
        """A truth, perhaps as 0 or 1."""
        value = self.content.get(name)
        if value is None or value in (0, 1):
            return bool(value)
        raise self._other(name)

    def seconds(self, name: str) -> datetime | None:
        """A time in seconds since the epoch."""
        return self._time(name, self.number(name))

    def moment(self, name: str) -> datetime | None:
        """A time in seconds or milliseconds since the epoch, told apart by its size."""
        found = self.number(name)
        if found is not None and abs(found) >= _MILLISECONDS_FROM:
            found /= 1000
        return self._time(name, found)

    def texts(self, name: str) -> tuple[str, ...]:
        """A list of texts; empty if absent."""
        return tuple(str(value) for value in self._list(name))

    def part(self, name: str) -> Fields:
        """An object in this one; empty if absent."""
        return Fields.of(self.content.get(name) or {}, f"{self.where} {name}")

    def each(self, name: str) -> list[Fields]:
        """A list of objects; empty if absent."""
        return [Fields.of(value, f"{self.where} {name}") for value in self._list(name)]

    def _list(self, name: str) -> list[Any]:
        value = self.content.get(name)
        if value is None:
            return []
        if not isinstance(value, list):
            raise self._other(name)
        return value

    def _time(self, name: str, seconds: float | None) -> datetime | None:
        try:
            return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
        except (ValueError, OverflowError, OSError):
            raise self._other(name) from None

    def _other(self, name: str) -> QualityFailure:
        return QualityFailure("200", f"{name} is {self.content[name]!r:.80}", request=self.where)


def seconds_of(at: datetime | None) -> int | None:
    """A time as seconds since the epoch."""
    return None if at is None else int(at.timestamp())


def milliseconds_of(at: datetime | None) -> int | None:
    """A time as milliseconds since the epoch."""
    return None if at is None else round(at.timestamp() * 1000)
