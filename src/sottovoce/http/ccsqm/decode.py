"""What quality clients send: JSON bodies with numbers as strings and ids as either.

Which of both a page documents changed between its editions, so both are taken; what has another type
is refused with the name of its field. Unknown fields are ignored; null is absent (cc-sqm.md Part 6).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, NoReturn, Self, TypeVar, get_args

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    WithJsonSchema,
    model_validator,
)

from sottovoce.domain.people import ReviewId, Role, UserId
from sottovoce.errors import Refused

LARGEST_ID = 20
"""Digits of an id at most."""
_LAST_SECOND = 253_402_300_799
_MENTIONED = re.compile(r"`(\w+)`")


class Undecodable(Exception):
    """A body that is no JSON object: HTTP 400."""


class BadField(Exception):
    """A field that is missing, of a wrong type or out of its range. The text begins with its name."""


def _digits(value: object) -> object:
    """An id as a text of digits, from a text or a number; never by way of a float."""
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str) or not (value.isascii() and value.isdigit() and len(value) <= LARGEST_ID):
        raise ValueError(f"must be a number of at most {LARGEST_ID} digits")
    return value.lstrip("0") or "0"


def _whole(value: object) -> object:
    if isinstance(value, str) and value.strip().lstrip("-").isdigit() and len(value) <= LARGEST_ID:
        return int(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise ValueError("must be a whole number")


def _decimal(value: object) -> object:
    """A whole number or one with at most two decimals, as a number or a text."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError("must be a number")
    try:
        number = round(float(value), 2)
    except (ValueError, OverflowError):
        raise ValueError("must be a number") from None
    if not abs(number) <= 1e6:
        raise ValueError("must be between -1000000 and 1000000")
    return number


def _plain(value: object) -> object:
    if not isinstance(value, str):
        raise ValueError("must be a text")
    if "\x00" in value or any("\ud800" <= sign <= "\udfff" for sign in value):
        raise ValueError("has signs that are no text")
    return value


def _loose(value: object) -> object:
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return _plain(value)


def _flag(value: object) -> object:
    if not isinstance(value, bool):
        raise ValueError("must be true or false")
    return value


_ROLES = {
    "qualityDirector": Role.QUALITY_DIRECTOR,
    "qualityGroupLeader": Role.QUALITY_LEADER,
    "qualityInspector": Role.INSPECTOR,
    "tableDirector": Role.TABLE_DIRECTOR,
    "tableGroupLeader": Role.TABLE_LEADER,
    "tableStaff": Role.STAFF,
}
WIRE_ROLES = {role: name for name, role in _ROLES.items()}


def _role(value: object) -> object:
    if not isinstance(value, str) or value not in _ROLES:
        raise ValueError("must be one of " + ", ".join(_ROLES))
    return _ROLES[value]


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
Number = Annotated[int, BeforeValidator(_whole), Field(ge=-(2**62), le=2**62)]
Decimal = Annotated[float, BeforeValidator(_decimal)]
Text = Annotated[str, BeforeValidator(_plain)]
LooseText = Annotated[str, BeforeValidator(_loose)]
"""A text, or a number that stands for one."""
Flag = Annotated[bool, BeforeValidator(_flag)]
RoleField = Annotated[Role, BeforeValidator(_role), WithJsonSchema({"type": "string", "enum": list(_ROLES)})]
_TIME_SCHEMA = {"type": "integer", "minimum": 0}
Seconds = Annotated[
    datetime,
    BeforeValidator(lambda value: _seconds(_whole(value))),
    WithJsonSchema({**_TIME_SCHEMA, "format": "s"}),
]
Milliseconds = Annotated[
    datetime,
    BeforeValidator(lambda value: _milliseconds(_whole(value))),
    WithJsonSchema({**_TIME_SCHEMA, "format": "ms"}),
]
EitherTime = Annotated[
    datetime,
    BeforeValidator(lambda value: _either(_whole(value))),
    WithJsonSchema({**_TIME_SCHEMA, "format": "s or ms"}),
]
"""Where the pages leave the unit open: from 100000000000 on milliseconds, below it seconds."""


class Form(BaseModel):
    """The parameters of an interface, or an object in them. An alias is the wire's spelling.

    Null, and the empty text of an optional field, are the same as absent.
    """

    model_config = ConfigDict(extra="ignore", frozen=True, populate_by_name=False)

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
        """The form that a request's body fills in. Raises Undecodable, BadField."""
        try:
            return cls.model_validate(decode_body(body))
        except ValidationError as error:
            raise _complaint(error) from None

    @classmethod
    def told(cls, refused: Refused) -> str:
        """Why a use case refused what this form said, with the wire's names of the fields."""
        wire = _wire_name(cls, refused.field.split("."))
        why = _MENTIONED.sub(lambda name: (_wire_name(cls, [name[1]]) or name[1]).split(".")[-1], refused.why)
        return f"{wire}: {why}" if wire else why


def _wire_name(form: type[Form], parts: Sequence[str]) -> str:
    """How the wire spells a field of the domain that the form, or an object in it, has by its own name."""
    named = form.model_fields.get(parts[0])
    if named is not None:
        spelt = named.alias or parts[0]
        places = [part for part in parts[1:2] if part.isdigit()]
        rest = parts[1 + len(places) :]
        within = next((_wire_name(inner, rest) for inner in _forms_in(named.annotation)), "") if rest else ""
        return ".".join(part for part in (spelt, *places, within or ".".join(rest)) if part)
    for name, field in form.model_fields.items():
        for inner in _forms_in(field.annotation):
            if found := _wire_name(inner, parts):
                return f"{field.alias or name}.{found}"
    return ""


def _forms_in(annotation: Any) -> Iterator[type[Form]]:
    """The kinds of objects that a field, or a list in it, may hold."""
    if isinstance(annotation, type) and issubclass(annotation, Form):
        yield annotation
    for part in get_args(annotation):
        yield from _forms_in(part)


FormT = TypeVar("FormT", bound=Form)


def decode_body(body: bytes) -> dict[str, Any]:
    """A JSON object in UTF-8. Raises Undecodable."""
    try:
        value = json.loads(body.decode("utf-8-sig"), parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise Undecodable("the body is no JSON object") from None
    if not isinstance(value, dict):
        raise Undecodable("the body is no JSON object")
    return value


def _complaint(error: ValidationError) -> BadField:
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    where = ".".join(str(part) for part in first["loc"]) or "the body"
    message = "is missing" if first["type"] == "missing" else str(first["msg"]).removeprefix("Value error, ")
    return BadField(f"{where}: {message[:1].lower()}{message[1:]}")


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)
