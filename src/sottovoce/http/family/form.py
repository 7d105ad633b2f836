"""A request's fields: JSON bodies, whole numbers, texts. What is wrong names its field, never the value.

How lenient a field is taken in is its family's affair (`words` of each); only the frame is shared.
"""

from __future__ import annotations

import re
import string
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar, Self, TypeVar, get_args

from pydantic import BaseModel, ConfigDict, ValidationError

from sottovoce.errors import Refused
from sottovoce.plain import MOST_DIGITS, is_text, read_json
from sottovoce.wording import told

_MENTIONED = re.compile(r"`(\w+)`")
_WHOLE = re.compile("-?[0-9]+")


class BadInput(Exception):
    """A request that cannot be understood: its path, or a body that is no JSON object."""


class BadField(BadInput):
    """A field that is missing, of a wrong type or out of its range. The text names the field."""


def whole(text: str, most_digits: int = MOST_DIGITS) -> int | None:
    """The number that a text writes as `natural` takes it, with a sign before it and blanks around it."""
    bare = text.strip(string.whitespace)
    return int(bare) if len(bare) <= most_digits and _WHOLE.fullmatch(bare) else None


def clean(text: str) -> str:
    """`text`, if it is one. Raises ValueError."""
    if not is_text(text):
        raise ValueError("has signs that are no text")
    return text


class Form(BaseModel):
    """The parameters of an interface, or an object in them. An alias is the wire's spelling."""

    model_config = ConfigDict(extra="ignore", frozen=True, populate_by_name=False)

    missing: ClassVar[str] = "is missing"
    """What is said of a field that must be there and is not."""

    @classmethod
    def filled(cls, fields: Mapping[str, Any], context: Any = None) -> Self:
        """The form that these fields fill in. `context` reaches the validators. Raises BadField."""
        try:
            return cls.model_validate(fields, context=context)
        except ValidationError as error:
            raise cls._complaint(error) from None

    @classmethod
    def _complaint(cls, error: ValidationError) -> BadField:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "the body"
        return BadField(f"{where}: {told(first, missing=cls.missing)}")

    @classmethod
    def told(cls, refused: Refused) -> str:
        """Why a use case refused what this form said, with the wire's names of the fields."""
        wire = _wire_name(cls, refused.field.split("."))
        why = _MENTIONED.sub(lambda name: (_wire_name(cls, [name[1]]) or name[1]).split(".")[-1], refused.why)
        return f"{wire}: {why}" if wire else why


FormT = TypeVar("FormT", bound=Form)


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


def json_object(body: bytes, charset: str = "utf-8", *, may_be_absent: bool = False) -> dict[str, Any]:
    """A JSON object, with or without a byte order mark; nothing and `null` are one that may be absent.

    Raises BadInput.
    """
    try:
        text = body.decode(charset).removeprefix("\ufeff").strip()
        value = read_json(text or "null")
    except ValueError:
        raise BadInput("the body is no JSON object") from None
    if value is None and may_be_absent:
        return {}
    if not isinstance(value, dict):
        raise BadInput("the body is no JSON object")
    return value
