"""SIP URIs and name-addrs: what is understood, what is refused, and round trips."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sottovoce.doors.sip.headers import MalformedHeader
from sottovoce.doors.sip.uri import (
    NameAddr,
    SipUri,
    escape_user,
    split_hostport,
    unescape,
    without_separators,
)


def test_all_parts() -> None:
    uri = SipUri.parse(
        "sips:alice;day=tue:s%20t@[2001:db8::1]:5071;Transport=TCP;lr?subject=x&priority=urgent"
    )
    assert uri.scheme == "sips"
    assert uri.user == "alice;day=tue"
    assert uri.password == "s%20t"
    assert (uri.host, uri.port) == ("[2001:db8::1]", 5071)
    assert uri.params == {"transport": "TCP", "lr": None}
    assert uri.headers == {"subject": "x", "priority": "urgent"}
    assert uri.transport == "tcp"
    assert uri.loose_router
    assert uri.number == "alice"


def test_tel_uris_carry_the_number_as_user() -> None:
    uri = SipUri.parse("tel:+49-(30)-123;phone-context=example.com")
    assert (uri.scheme, uri.user, uri.number, uri.host) == ("tel", "+49-(30)-123", "+4930123", "")
    assert str(uri) == "tel:+49-(30)-123;phone-context=example.com"
    assert uri.is_telephonic


def test_withheld_and_coded_numbers() -> None:
    assert SipUri.parse("sip:@host").number == ""
    assert str(SipUri.parse("sip:@host")) == "sip:@host"
    assert SipUri.parse("sip:#31#4711@host").number == "#31#4711"


def test_other_schemes_are_carried() -> None:
    uri = SipUri.parse("isbn:2983792873")
    assert uri.opaque == "2983792873"
    assert not uri.is_telephonic
    assert str(uri) == "isbn:2983792873"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "sip",
        "sip:",
        "sip::secret@host",
        "sip:a@",
        "sip:a@b@c",
        "sip:a b@host",
        "sip:a@ho st",
        "sip:a@host:0",
        "sip:a@host:65536",
        "sip:a@host:٥٠٦٠",
        "sip:a@host:",
        "sip:a@[::1",
        "sip:a@[zz]",
        "sip:a@host;;lr",
        "sip:a@host;=x",
        "sip:a@host?x",
        "sip:a%4@host",
        "sip:a@-host",
        "sip:a@host\x00",
        "<sip:a@host>",
        "tel:",
        "tel:x y",
        ":a",
        "1sip:a@b",
        "isbn:",
        "sip:" + "a" * 5000 + "@host",
    ],
)
def test_malformed_uris(text: str) -> None:
    with pytest.raises(MalformedHeader):
        SipUri.parse(text)


@pytest.mark.parametrize(
    ("text", "display", "tag"),
    [
        ("<sip:a@b>;tag=1", "", "1"),
        ("sip:a@b;tag=1", "", "1"),
        ("Alice B <sip:a@b>", "Alice B", None),
        ('"Al \\"i\\", ce" <sip:a@b;x=1>;tag=1;q=0.1', 'Al "i", ce', "1"),
        ('""<sip:a@b>', "", None),
        ("Jürgen (Büro) <sip:a@b>;tag=z", "Jürgen (Büro)", "z"),
        ("\t <sip:a@b> ; tag = 1", "", "1"),
    ],
)
def test_name_addrs(text: str, display: str, tag: str | None) -> None:
    address = NameAddr.parse(text)
    assert (address.display, address.tag, address.uri.user) == (display, tag, "a")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "<>",
        "*",
        '"x <sip:a@b>',
        '"x" sip:a@b',
        "A, B <sip:a@b>",
        "<sip:a@b",
        "sip:a@b?x=y",
        "<sip:a@b>x",
        "< sip:a@b>",
    ],
)
def test_malformed_name_addrs(text: str) -> None:
    with pytest.raises(MalformedHeader):
        NameAddr.parse(text)


def test_escapes_that_are_no_utf8_are_read_as_latin_1() -> None:
    assert unescape("M%FCller") == "Müller"
    assert unescape("M%C3%BCller%") == "Müller%"
    assert escape_user("Mü@l er:") == "M%C3%BC%40l%20er%3A"


def test_hostport() -> None:
    assert split_hostport("[::1]:5060") == ("[::1]", 5060)
    assert split_hostport("a.example") == ("a.example", None)


USERS = st.text("abcXYZ019-_.!~*'()&=+$,;?/", min_size=1, max_size=12)
HOSTS = st.sampled_from(["example.com", "192.0.2.1", "[2001:db8::1]", "h", "a-b.example"])
NAMES = st.text("abcdefgh-", min_size=1, max_size=6)


@st.composite
def uris(draw: st.DrawFn) -> SipUri:
    return SipUri(
        scheme=draw(st.sampled_from(["sip", "sips"])),
        user=draw(st.none() | USERS),
        host=draw(HOSTS),
        port=draw(st.none() | st.integers(1, 65535)),
        params=draw(st.dictionaries(NAMES, st.none() | NAMES, max_size=3)),
        headers=draw(st.dictionaries(NAMES, NAMES, max_size=2)),
    )


@settings(max_examples=80, deadline=None)
@given(uris())
def test_uris_survive_a_round_trip(uri: SipUri) -> None:
    assert SipUri.parse(str(uri)) == uri


@settings(max_examples=80, deadline=None)
@given(
    uris(),
    st.text(st.characters(exclude_categories=("Cc", "Cs")), max_size=12),
    st.dictionaries(NAMES, NAMES, max_size=3),
)
def test_name_addrs_survive_a_round_trip(uri: SipUri, display: str, params: dict[str, str | None]) -> None:
    address = NameAddr(uri, display, params)
    assert NameAddr.parse(str(address)) == address


@settings(max_examples=60, deadline=None)
@given(st.text(st.characters(exclude_categories=("Cc", "Cs")), min_size=1, max_size=10))
def test_any_text_can_be_a_user(text: str) -> None:
    uri = SipUri.parse(str(SipUri(user=escape_user(text), host="h")))
    assert unescape(uri.user or "") == text


@pytest.mark.parametrize(
    ("uri", "number"),
    [
        ("tel:+49-30-9999", "+49309999"),
        ("tel:(030).99-99;phone-context=+49", "0309999"),
        ("tel:*21#", "*21#"),
        ("sip:+49-30-9999@test", "+49-30-9999"),
    ],
)
def test_separators_are_no_part_of_a_tel_number(uri: str, number: str) -> None:
    """RFC 3966 5.1.1; the user of a sip URI may be a name."""
    assert SipUri.parse(uri).number == number


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("+49-30-9999", "+49309999"),
        ("(030) 99.99", "0309999"),
        ("*21#", "*21#"),
        ("ann-marie", "ann-marie"),
        ("8001.b", "8001.b"),
        ("-.", "-."),
        ("30+49", "30+49"),
        ("", ""),
    ],
)
def test_separators_are_taken_out_of_telephone_numbers_alone(text: str, plain: str) -> None:
    assert without_separators(text) == plain
