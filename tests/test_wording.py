"""Mistakes in our words: no form, setting or seed file shows what a library calls its types."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError

from sottovoce import wording
from sottovoce.http.ccgateway.served import SERVED as GATEWAY
from sottovoce.http.ccgateway.words import AgentIds
from sottovoce.http.ccisqm.served import SERVED as SPEECH
from sottovoce.http.ccsqm.served import SERVED as QUALITY
from sottovoce.http.family.form import BadField, Form

FOREIGN = re.compile(
    r"[Ii]nput|valid|tuple|[Dd]ictionary|frozenset|instance|boolean|integer|string\b|validation|item", re.A
)
WRONG: list[Any] = ["", "x", 1.5, -(10**30), 10**30, True, [], ["x"], {}, {"x": 1}, [None], "x" * 100_000]


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


class Inner(BaseModel):
    number: int


class Everything(BaseModel):
    model_config = ConfigDict(extra="forbid")

    number: Annotated[int, Field(ge=2, le=65535)] = 2
    share: Annotated[float, Field(gt=0, lt=2)] = 1.0
    name: Annotated[str, Field(min_length=2, max_length=3)] = "ab"
    secret: Annotated[SecretStr, Field(min_length=6)] = SecretStr("abcdef")
    skills: Annotated[tuple[int, ...], Field(min_length=1, max_length=2)] = (1,)
    rights: frozenset[str] = frozenset()
    colour: Colour = Colour.RED
    status: Literal[200, 500] = 200
    switch: bool = False
    inner: Inner | None = None
    table: dict[str, int] = {}
    folder: Path = Path()
    at: datetime | None = None


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"number": "x"}, "must be a whole number"),
        ({"number": 1.5}, "must be a whole number"),
        ({"number": 1}, "must be 2 or more"),
        ({"number": 65536}, "must be 65535 or less"),
        ({"share": "x"}, "must be a number"),
        ({"share": 0}, "must be more than 0"),
        ({"share": 2}, "must be less than 2"),
        ({"name": 1}, "must be a text"),
        ({"name": "a"}, "must have 2 signs or more"),
        ({"name": "abcd"}, "must have at most 3 signs"),
        ({"secret": "short"}, "must have 6 signs or more"),
        ({"skills": 1}, "must be a list"),
        ({"skills": []}, "must not be empty"),
        ({"skills": [1, 2, 3]}, "must have at most 2 entries"),
        ({"rights": 1}, "must be a list"),
        ({"colour": "x"}, "must be 'red' or 'blue'"),
        ({"status": 404}, "must be 200 or 500"),
        ({"switch": "x"}, "must be true or false"),
        ({"inner": 1}, "must be an object with named fields"),
        ({"inner": {}}, "is missing"),
        ({"table": 1}, "must be an object with named fields"),
        ({"folder": 1}, "must be the path of a file or folder"),
        ({"at": "x"}, "must be a time"),
        ({"other": 1}, "there is no such key"),
    ],
)
def test_every_kind_of_mistake_has_its_words(fields: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Everything(**fields)
    assert [wording.told(error) for error in caught.value.errors()] == [said]


FORMS = [(one.form, None) for one in (*QUALITY, *SPEECH)] + [(one.form, AgentIds(59999)) for one in GATEWAY]


@pytest.mark.parametrize(("form", "context"), sorted(set(FORMS), key=str))
def test_no_form_speaks_of_a_library(form: type[Form], context: object) -> None:
    said = {_complaint(form, fields, context) for fields in _spoilt(form)}
    assert [one for one in said if FOREIGN.search(one)] == []


def _complaint(form: type[Form], fields: dict[str, Any], context: object) -> str:
    """What is said of these fields, without the field's name; nothing if they are taken."""
    try:
        form.filled(fields, context)
    except BadField as refused:
        return str(refused).partition(": ")[2]
    return ""


def _spoilt(form: type[Form]) -> Iterator[dict[str, Any]]:
    """Bodies with one wrong value each; what is mandatory beside it comes first and is wrong as well."""
    for name, field in form.model_fields.items():
        for value in WRONG:
            yield {field.alias or name: value}
        for inner in _within(field.annotation):
            for spoilt in _spoilt(inner):
                yield {field.alias or name: spoilt}
                yield {field.alias or name: [spoilt]}


def _within(annotation: Any) -> Iterator[type[Form]]:
    if isinstance(annotation, type) and issubclass(annotation, Form):
        yield annotation
    for part in getattr(annotation, "__args__", ()):
        yield from _within(part)


@pytest.mark.parametrize(
    ("number", "words", "told"),
    [
        (0, ("block",), "0 blocks"),
        (1, ("block",), "1 block"),
        (2, ("block",), "2 blocks"),
        (1, ("entry", "entries"), "1 entry"),
        (3, ("entry", "entries"), "3 entries"),
    ],
)
def test_a_number_of_things(number: int, words: tuple[str, ...], told: str) -> None:
    assert wording.counted(number, *words) == told
