"""What quality clients send, and how ids and times are answered: numbers as strings, ids as either.

Which of both a page documents changed between its editions, so both are taken; what has another type
is refused with the name of its field. Unknown fields are ignored; null is absent (cc-sqm.md Part 6).
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Self, TypeVar

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema, model_validator

from sottovoce.domain.people import ReviewId, Role, UserId
from sottovoce.http.family import form
from sottovoce.http.family.form import BadField, clean, json_object, whole
from sottovoce.plain import MOST_DIGITS, natural

__all__ = ["BadField"]

_LAST_SECOND = 253_402_300_799
_EXACT = 2**53
"""Up to here every whole number has a float of its own: some clients write 2 as 2.0."""


def _digits(value: object) -> object:
    """An id as a text of digits, from a text or a number; never by way of a float."""
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    number = natural(value) if isinstance(value, str) else None
    if number is None:
        raise ValueError(f"must be a number of at most {MOST_DIGITS} digits")
    return str(number)


def whole_number(value: object) -> int:
    """A whole number, from a text or a number. ValueError."""
    number = whole(value) if isinstance(value, str) else value
    if isinstance(number, float) and number.is_integer() and abs(number) <= _EXACT:
        return int(number)
    if isinstance(number, bool) or not isinstance(number, int):
        raise ValueError("must be a whole number")
    return number


def _plain(value: object) -> object:
    if not isinstance(value, str):
        raise ValueError("must be a text")
    return clean(value)


def _not_blank(text: str) -> str:
    if not text.strip():
        raise ValueError("must not be blank")
    return text


def _loose(value: object) -> object:
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return _plain(value)


def _flag(value: object) -> object:
    if not isinstance(value, bool):
        raise ValueError("must be true or false")
    return value


ROLES = {
    "qualityDirector": Role.QUALITY_DIRECTOR,
    "qualityGroupLeader": Role.QUALITY_LEADER,
    "qualityInspector": Role.INSPECTOR,
    "tableDirector": Role.TABLE_DIRECTOR,
    "tableGroupLeader": Role.TABLE_LEADER,
    "tableStaff": Role.STAFF,
}


def _role(value: object) -> object:
    if not isinstance(value, str) or value not in ROLES:
        raise ValueError("must be one of " + ", ".join(ROLES))
    return ROLES[value]


def _seconds(value: int) -> datetime:
    if not 0 <= value <= _LAST_SECOND:
        raise ValueError("is no time in seconds")
    return datetime.fromtimestamp(value, UTC)


def _milliseconds(value: int) -> datetime:
    if not 0 <= value <= _LAST_SECOND * 1000:
        raise ValueError("is no time in milliseconds")
    return datetime.fromtimestamp(value // 1000, UTC).replace(microsecond=value % 1000 * 1000)


def _either(value: int) -> datetime:
    return _milliseconds(value) if value >= 100_000_000_000 else _seconds(value)


_ID_SCHEMA = WithJsonSchema({"type": "string", "format": "id", "pattern": "^[0-9]{1,20}$"})
Id = Annotated[ReviewId, BeforeValidator(_digits), _ID_SCHEMA]
UserField = Annotated[UserId, BeforeValidator(_digits), _ID_SCHEMA]
Number = Annotated[int, BeforeValidator(whole_number), Field(ge=-(2**62), le=2**62)]
Text = Annotated[str, BeforeValidator(_plain)]
Name = Annotated[Text, Field(min_length=1), AfterValidator(_not_blank)]
"""Of something that people will look for in a list."""
LooseText = Annotated[str, BeforeValidator(_loose)]
"""A text, or a number that stands for one."""
Flag = Annotated[bool, BeforeValidator(_flag)]
RoleField = Annotated[Role, BeforeValidator(_role), WithJsonSchema({"type": "string", "enum": list(ROLES)})]
_TIME_SCHEMA = {"type": "integer", "minimum": 0}
Seconds = Annotated[
    datetime,
    BeforeValidator(lambda value: _seconds(whole_number(value))),
    WithJsonSchema({**_TIME_SCHEMA, "format": "s"}),
]
Milliseconds = Annotated[
    datetime,
    BeforeValidator(lambda value: _milliseconds(whole_number(value))),
    WithJsonSchema({**_TIME_SCHEMA, "format": "ms"}),
]
EitherTime = Annotated[
    datetime,
    BeforeValidator(lambda value: _either(whole_number(value))),
    WithJsonSchema({**_TIME_SCHEMA, "format": "s or ms"}),
]
"""Where the pages leave the unit open: from 100000000000 on milliseconds, below it seconds."""


class Form(form.Form):
    """The parameters of an interface, or an object in them. An alias is the wire's spelling.

    Null, and the empty text of an optional field, are the same as absent.
    """

    @model_validator(mode="before")
    @classmethod
    def _absent(cls, value: Any) -> Any:
        if not isinstance(value, dict):
            raise ValueError("must be an object")
        optional = {
            field.alias or name for name, field in cls.model_fields.items() if not field.is_required()
        }
        return {
            name: item
            for name, item in value.items()
            if item is not None and not (item == "" and name in optional)
        }

    @classmethod
    def decode(cls, body: bytes) -> Self:
        """The form that a request's body fills in, a JSON object in UTF-8. Raises BadInput."""
        return cls.filled(json_object(body))


FormT = TypeVar("FormT", bound=Form)


class NumberId(str):
    """An id in an answer whose page types it Number: a text, unless the settings want a number."""


def seconds(at: datetime | None) -> int | None:
    """A time in whole seconds since the epoch."""
    return None if at is None else int(at.timestamp())


def milliseconds(at: datetime | None) -> int | None:
    """A time in milliseconds since the epoch."""
    return None if at is None else round(at.timestamp() * 1000)
