"""Whole numbers, texts and JSON objects, as both families read them; complaints that never hold the value."""

from __future__ import annotations

import contextlib
import json
from typing import Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field

from sottovoce.errors import Code, Refused
from sottovoce.http.ccgateway import words as gateway
from sottovoce.http.ccsqm import words as sqm
from sottovoce.http.family.form import BadField, BadInput, clean, json_object, whole
from sottovoce.plain import is_text, natural

NO_NUMBERS = ["²", "--5", "٥", "5٥", "３", "5-", "+5", "-", "", "1_0", "0x5", "1e3", "5.0", "½", "Ⅴ"]


@pytest.mark.parametrize("text", NO_NUMBERS)
def test_what_is_no_whole_number(text: str) -> None:
    assert whole(text) is None
    assert natural(text) is None


@pytest.mark.parametrize(
    ("text", "number"), [("7", 7), (" 7\t", 7), ("007", 7), ("-7", -7), ("-0", 0), ("9" * 20, 10**20 - 1)]
)
def test_what_is_one(text: str, number: int) -> None:
    assert whole(text) == number
    assert natural(text) == (number if text.isdigit() else None)


def test_a_number_has_so_many_digits_at_most() -> None:
    assert whole("1" * 21) is natural("1" * 21) is None
    assert natural("1234567", 6) is None
    assert natural("0" * 5000) is None, "Python itself would raise"


@given(st.text())
def test_any_text_is_a_number_or_none(text: str) -> None:
    number = whole(text)
    assert number is None or str(number).lstrip("-") in text


class Gateway(gateway.Form):
    """A form of the gateway, by query."""

    count: gateway.Number = 4
    whom: gateway.AgentNumber = Field(101, alias="workNo")


class GatewayBody(Gateway):
    """The same by body."""

    in_body: ClassVar[bool] = True


class Quality(sqm.Form):
    """A form of the quality family."""

    count: sqm.Number | None = None
    id: sqm.Id | None = None


def fill(form: Any, field: str, value: str) -> object:
    ids = gateway.AgentIds(59_999)
    body = json.dumps({field: value}).encode()
    if form is Quality:
        return Quality.decode(body)
    if form is GatewayBody:
        return GatewayBody.decode({}, b"", body, "", ids)
    return Gateway.decode({field: value}, b"", b"", "", ids)


@pytest.mark.parametrize("value", [value for value in NO_NUMBERS if value])
@pytest.mark.parametrize(
    ("form", "field"),
    [(Gateway, "count"), (Gateway, "workNo"), (GatewayBody, "count"), (Quality, "count"), (Quality, "id")],
)
def test_the_complaint_names_the_field_and_never_the_value(form: Any, field: str, value: str) -> None:
    with pytest.raises(BadField) as refused:
        fill(form, field, value)
    text = str(refused.value)
    assert text.startswith(f"{field}: ")
    assert "literal" not in text
    if len(value) > 1:
        assert value not in text.removeprefix(field)


@pytest.mark.parametrize("text", ["", "a", "质 é", "\U0001f600", "\u202e"])
def test_what_is_text(text: str) -> None:
    assert is_text(text)
    assert clean(text) == text


@pytest.mark.parametrize("text", ["\x00", "a\x00", "\ud800", "é\udfff"])
def test_what_is_no_text(text: str) -> None:
    assert not is_text(text)
    with pytest.raises(ValueError, match="has signs that are no text"):
        clean(text)


@pytest.mark.parametrize("body", [b"", b" ", b"null", b"\xef\xbb\xbfnull"])
def test_nothing_is_an_object_only_where_it_may_be_absent(body: bytes) -> None:
    assert json_object(body, may_be_absent=True) == {}
    with pytest.raises(BadInput):
        json_object(body)


@given(st.binary(max_size=60))
def test_any_body_is_an_object_or_refused(body: bytes) -> None:
    with contextlib.suppress(BadInput):
        assert isinstance(json_object(body), dict)


class Part(sqm.Form):
    """An object in a form."""

    person: sqm.Text = Field(alias="personID")


class Calendar(sqm.Form):
    """Another, with a field that the wire spells as we do."""

    cycle: sqm.Number


class Whole(sqm.Form):
    """A form with objects in it: in a list, and alone."""

    name: sqm.Text | None = Field(None, alias="planName")
    shares: list[Part] = Field(alias="setCounts")
    calendar: Calendar


@pytest.mark.parametrize(
    ("field", "said"),
    [
        ("", "why"),
        ("unknown", "why"),
        ("name", "planName: why"),
        ("name.first", "planName.first: why"),
        ("shares", "setCounts: why"),
        ("shares.1", "setCounts.1: why"),
        ("shares.1.person", "setCounts.1.personID: why"),
        ("shares.1.2", "setCounts.1.2: why"),
        ("shares.1.2.person", "setCounts.1.2.person: why"),
        ("shares.person", "setCounts.personID: why"),
        ("shares.unknown", "setCounts.unknown: why"),
        ("person", "setCounts.personID: why"),
        ("cycle", "calendar.cycle: why"),
        ("calendar.cycle", "calendar.cycle: why"),
    ],
)
def test_a_refusal_names_fields_as_the_wire_does(field: str, said: str) -> None:
    assert Whole.told(Refused(Code.BAD_PARAMETER, "why", field=field)) == said


def test_fields_that_the_reason_mentions_are_named_as_the_wire_does() -> None:
    refused = Refused(Code.BAD_PARAMETER, "`person` and `name` differ, `unknown` stays", field="cycle")
    assert Whole.told(refused) == "calendar.cycle: personID and planName differ, unknown stays"
