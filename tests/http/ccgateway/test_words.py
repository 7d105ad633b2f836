"""Lenient input: what public clients send (cc-gateway.md Part 5), and what nobody should."""

from __future__ import annotations

import contextlib
import json
from typing import ClassVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import Field

from sottovoce.http.ccgateway.words import (
    AgentIds,
    AgentNumber,
    Form,
    Number,
    Skills,
    Text,
    decode_body,
    decode_query,
)
from sottovoce.http.family.form import BadField, BadInput

IDS = AgentIds(59_999)
WIDE = AgentIds(highest=999_999)


class Wish(Form):
    """A form with one field of every kind."""

    in_body: ClassVar[bool] = True

    name: Text = ""
    count: Number = Field(4, ge=1, le=10)
    on: bool = True
    whom: AgentNumber | None = Field(None, alias="workNo")
    skills: Skills = ()


def wish(body: object, ids: AgentIds = IDS) -> Wish:
    return Wish.decode({}, b"", json.dumps(body).encode(), "", ids)


@pytest.mark.parametrize("value", [True, "true", "True", "TRUE", "1", 1])
def test_true_in_any_spelling(value: object) -> None:
    assert wish({"on": value}).on is True


@pytest.mark.parametrize("value", [False, "false", "False", "0", 0])
def test_false_in_any_spelling(value: object) -> None:
    assert wish({"on": value}).on is False


@pytest.mark.parametrize("value", [7, "7", " 7", "07", 7.0])
def test_numbers_in_any_spelling(value: object) -> None:
    assert wish({"count": value}).count == 7


def test_text_may_come_as_a_number() -> None:
    assert wish({"name": 4711}).name == "4711"


@pytest.mark.parametrize("value", ["1;2;3", "1,2,3", [1, 2, 3], ["1", "2", "3"], "1;2;3;"])
def test_skills_in_any_spelling(value: object) -> None:
    assert wish({"skills": value}).skills == (1, 2, 3)


def test_no_skills_is_not_absent_skills() -> None:
    assert wish({"skills": []}).skills == ()
    assert wish({"skills": 5}).skills == (5,)


@pytest.mark.parametrize("spelling", ["workNo", "workno", "WORKNO"])
def test_names_in_any_case(spelling: str) -> None:
    assert wish({spelling: "102"}).whom == 102


@pytest.mark.parametrize(
    "body", [{"name": "", "count": "", "on": "", "workNo": ""}, {"count": None}, None, {}]
)
def test_empty_and_null_are_the_default(body: object) -> None:
    assert wish(body) == Wish()


@pytest.mark.parametrize(
    "body",
    [
        {"count": 11},
        {"count": "x"},
        {"count": True},
        {"count": 1.5},
        {"count": 10**400},
        {"on": "perhaps"},
        {"workNo": 100},
        {"workNo": "60000"},
        {"workNo": "-5"},
        {"workNo": {}},
        {"skills": "1;x"},
        {"skills": [True]},
        {"skills": list(range(1001))},
        {"skills": {}},
        {"name": "a\x00b"},
        {"name": "\ud800"},
        {"name": []},
    ],
    ids=str,
)
def test_fields_out_of_range_are_named_and_not_echoed(body: dict[str, object]) -> None:
    with pytest.raises(BadField) as refused:
        wish(body)
    assert str(refused.value).startswith(next(iter(body)))


def test_the_range_of_agent_ids_is_a_setting() -> None:
    assert wish({"workNo": "999999"}, WIDE).whom == 999_999
    assert IDS.parse("59999") == 59_999
    assert IDS.parse("101") == 101
    assert WIDE.parse("999999") == 999_999
    with pytest.raises(BadInput):
        WIDE.parse("1000000")
    for text in ("100", "60000", "1e3", "", "٣٣٣", "0x65", "101.0", "-101", "1" * 5000):
        with pytest.raises(BadInput):
            IDS.parse(text)


class Target(Form):
    """A form whose only field is in the path."""

    whom: AgentNumber = Field(alias="agentId")


@pytest.mark.parametrize("spelling", ["agentId", "agentid", "AGENTID"])
def test_what_is_in_the_path_is_taken_and_goes_before_the_query(spelling: str) -> None:
    assert Target.decode({spelling: "103"}, b"", b"", "", IDS).whom == 103
    assert Target.decode({}, b"AgentId=104", b"", "", IDS).whom == 104
    assert Target.decode({spelling: "103"}, b"agentid=104", b"", "", IDS).whom == 103


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b'{"a":"\xc3\xa9"}', ""),
        (b'\xef\xbb\xbf{"a":"\xc3\xa9"}', "text/plain"),
        (b'{"a":"\xc3\xa9"}', "application/json; charset=UTF-8"),
        (b'{"a":"\xc3\xa9"}', "application/json; charset=nonsense"),
        ('{"a":"é"}'.encode("gbk"), "application/json;charset=GBK"),
        (b'{"a":"\xe9"}', "application/json; charset=ISO-8859-1"),
    ],
)
def test_content_types_of_any_kind(body: bytes, content_type: str) -> None:
    assert decode_body(body, content_type) == {"a": "é"}


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"[]",
        b'"x"',
        b"1",
        b'{"a":NaN}',
        b"\xff",
        b"[" * 100_000,
        b'{"a":' + b"9" * 10_000 + b"}",
        b"a=1",
    ],
    ids=lambda body: repr(body[:12]),
)
def test_what_is_no_json_object(body: bytes) -> None:
    with pytest.raises(BadInput):
        decode_body(body, "application/json")


def test_query_strings() -> None:
    assert decode_query(b"a=1&a=2&b=&c=%C3%A9") == {"a": "1", "b": "", "c": "é"}
    assert decode_query(b"%ff=%zz&=&&") == {"\udcff": "%zz", "": ""}
    assert decode_query(b"c=\xff") == {"c": "\udcff"}
    with pytest.raises(BadInput):
        decode_query(b"&".join(b"a=1" for _ in range(100)))


@settings(deadline=None)
@given(st.binary(max_size=200), st.binary(max_size=100), st.text(max_size=20))
def test_nothing_but_its_own_error_leaves_the_decoder(body: bytes, query: bytes, content_type: str) -> None:
    for source in (lambda: decode_body(body, content_type), lambda: decode_query(query)):
        with contextlib.suppress(BadInput):
            source()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=8,
)


@settings(deadline=None)
@given(
    st.fixed_dictionaries(
        {}, optional={"name": JSON, "count": JSON, "on": JSON, "workNo": JSON, "skills": JSON}
    )
)
def test_any_json_in_any_field_is_a_form_or_refused(body: dict[str, object]) -> None:
    try:
        form = wish(body)
    except BadInput:
        return
    assert 1 <= form.count <= 10
    assert form.whom is None or form.whom in IDS
    form.name.encode()
