"""Header fields: order, case, compact forms, comma lists, parameters, bounds."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sottovoce.doors.sip.headers import (
    MAX_PARAMS,
    Headers,
    MalformedHeader,
    canonical,
    format_params,
    parse_params,
    quote,
    split_list,
    unquote,
    without_controls,
)

TOKENS = st.text("abcdefghijklmnopqrstuvwxyz0123456789-._!%*+", min_size=1, max_size=12)


def test_names_are_found_whatever_their_case_or_form() -> None:
    headers = Headers([("v", "SIP/2.0/UDP a"), ("CALL-ID", "x"), ("X-Own", "1")])
    assert headers.get("Via") == headers.get("V") == "SIP/2.0/UDP a"
    assert headers.get("i") == "x"
    assert "x-own" in headers
    assert "x-other" not in headers
    assert list(headers) == [("Via", "SIP/2.0/UDP a"), ("Call-ID", "x"), ("X-Own", "1")]


@pytest.mark.parametrize(
    ("short", "name"), [("x", "Session-Expires"), ("K", "Supported"), ("l", "Content-Length")]
)
def test_compact_forms(short: str, name: str) -> None:
    assert canonical(short) == name


def test_comma_lists_are_split_only_where_the_header_is_one() -> None:
    headers = Headers([("Supported", "timer, 100rel,"), ("Subject", "one, two")])
    assert headers.get_all("Supported") == ["timer", "100rel"]
    assert headers.tokens("supported") == {"timer", "100rel"}
    assert headers.get("Supported") == "timer"
    assert headers.get_all("Subject") == ["one, two"]


def test_lists_of_words_are_written_on_one_line() -> None:
    fields = [("Allow", "INVITE"), ("Allow", "ACK"), ("Via", "a"), ("Via", "b"), ("l", "7"), ("Allow", "BYE")]
    assert Headers(fields).lines() == ["Allow: INVITE, ACK", "Via: a", "Via: b", "Allow: BYE"]


def test_commas_in_quotes_and_angles_do_not_split() -> None:
    assert split_list('"a, b" <sip:c,d@e>;p="x,\\",y" , <sip:f@g>') == [
        '"a, b" <sip:c,d@e>;p="x,\\",y"',
        "<sip:f@g>",
    ]


def test_set_prepend_remove_keep_the_others_in_place() -> None:
    headers = Headers([("To", "t"), ("Via", "b"), ("From", "f"), ("Via", "c")])
    headers.prepend("Via", "a")
    assert headers.get_all("Via") == ["a", "b", "c"]
    headers.set_first("Via", "A")
    assert headers.get_all("Via") == ["A", "b", "c"]
    headers.set("Via", "only")
    assert list(headers) == [("To", "t"), ("Via", "only"), ("From", "f")]
    headers.remove("via")
    headers.remove("via")
    assert len(headers) == 2
    headers.prepend("Route", "<sip:r;lr>")
    assert next(iter(headers)) == ("Route", "<sip:r;lr>")


def test_a_copy_is_independent() -> None:
    one = Headers([("To", "t")], charset="latin-1")
    two = one.copy()
    two.set("To", "u")
    assert (one.get("To"), two.get("To"), two.charset) == ("t", "u", "latin-1")


@pytest.mark.parametrize("value", ["a\r\nInjected: yes", "a\nInjected: yes", "a\r\n\r\nbody"])
def test_a_value_cannot_begin_another_header(value: str) -> None:
    headers = Headers([("Subject", value)])
    assert "\r" not in (headers.get("Subject") or "")
    assert "\n" not in (headers.get("Subject") or "")


def test_parameters() -> None:
    assert parse_params("") == {}
    assert parse_params(' ; Tag = a1 ;lr; q="0;5" ;') == {"tag": "a1", "lr": None, "q": "0;5"}
    assert parse_params(";a=1;a=2") == {"a": "1"}


@pytest.mark.parametrize("text", ["a=1", ";;", ";a=1;;b", ';a="x', ";=1", ";a b=1", ';a=x"y', ";a=<b>"])
def test_malformed_parameters(text: str) -> None:
    with pytest.raises(MalformedHeader):
        parse_params(text)


def test_the_number_of_parameters_is_bounded() -> None:
    with pytest.raises(MalformedHeader):
        parse_params("".join(f";p{i}" for i in range(MAX_PARAMS + 1)))


@pytest.mark.parametrize("text", ['"open', 'open"', '"', "plain", ""])
def test_what_is_not_quoted_on_both_sides_stays_as_it_is(text: str) -> None:
    assert unquote(text) == text


def test_controls_are_taken_out_for_people() -> None:
    assert without_controls("a\x00b\x7fc\x1b[0m") == "abc[0m"


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(TOKENS, st.none() | st.text('ab ;,="\\<>é%', max_size=8), max_size=6))
def test_parameters_survive_a_round_trip(params: dict[str, str | None]) -> None:
    assert parse_params(format_params(params)) == params


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=20))
def test_quoted_strings_survive_a_round_trip(text: str) -> None:
    assert unquote(quote(text)) == text
