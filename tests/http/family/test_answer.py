"""An answer's bytes: ASCII, one content type, headers in their own case."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sottovoce.http.family.answer import ELSEWHERE, Fault, encode, family_of, respond
from sottovoce.http.site import FAMILIES


def test_the_bytes() -> None:
    assert encode({"message": "", "retcode": "0"}) == b'{"message":"","retcode":"0"}'
    assert encode(["质", "é", "\ud800"]) == b'["\\u8d28","\\u00e9","\\ud800"]'


@given(st.text())
def test_any_text_goes_out_in_ascii_and_comes_back(text: str) -> None:
    assert encode(text).isascii()
    assert json.loads(encode(text)) == text


def test_the_headers() -> None:
    answer = respond({}, 201, (b"Set-GUID", b"JSESSIONID=x"))
    assert answer.status_code == 201
    assert answer.raw_headers == [
        (b"Content-Type", b"application/json"),
        (b"Content-Length", b"2"),
        (b"Set-GUID", b"JSESSIONID=x"),
    ]


@pytest.mark.parametrize("fault", Fault)
@pytest.mark.parametrize("family", [*FAMILIES, ELSEWHERE], ids=lambda family: family.prefix)
def test_every_family_has_a_form_for_every_fault(family: object, fault: Fault) -> None:
    assert isinstance(family, type(ELSEWHERE))
    answer = family.at_fault(fault, (b"Allow", b"GET"))
    assert answer.status_code == fault.value
    assert (b"Content-Type", b"application/json") in answer.raw_headers
    assert (b"Allow", b"GET") in answer.raw_headers
    closed = (b"Connection", b"close") in answer.raw_headers
    assert closed == (fault.value in (400, 408, 413, 431, 503))
    assert all(isinstance(value, str) and value for value in json.loads(bytes(answer.body)).values())


@pytest.mark.parametrize(
    ("path", "prefix"),
    [
        ("/agentgateway/resource/x", "/agentgateway/resource"),
        ("/apiaccess/CCISQM/rest/x", "/apiaccess/CCISQM"),
        ("/apiaccess/CCSQM/rest/x", "/apiaccess"),
        ("/apigovernance/api", "/apigovernance"),
        ("/elsewhere", "/"),
    ],
)
def test_whose_path_it_is(path: str, prefix: str) -> None:
    assert family_of(path, FAMILIES).prefix == prefix
