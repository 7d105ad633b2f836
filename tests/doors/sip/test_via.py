"""Via: where answers go."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sottovoce.doors.sip.headers import MalformedHeader
from sottovoce.doors.sip.via import Via


def test_parts_and_white_space() -> None:
    via = Via.parse(
        "SIP / 2.0 / udp  first.example.com: 4000;ttl=16 ;maddr=224.2.0.1 ;branch=z9hG4bKa7c6a8dlze.1"
    )
    assert (via.transport, via.sent_by) == ("UDP", "first.example.com:4000")
    assert via.branch == "z9hG4bKa7c6a8dlze.1"
    assert via.has_magic
    assert via.reply_to == ("224.2.0.1", 4000)


def test_old_branches_name_nothing() -> None:
    assert not Via.parse("SIP/2.0/UDP a;branch=1").has_magic
    assert Via.parse("SIP/2.0/UDP a").branch is None


@pytest.mark.parametrize(
    ("text", "stamped", "reply_to"),
    [
        ("SIP/2.0/UDP 10.0.0.1:5062;branch=b", "SIP/2.0/UDP 10.0.0.1:5062;branch=b", ("10.0.0.1", 5062)),
        ("SIP/2.0/UDP 10.0.0.1;rport", "SIP/2.0/UDP 10.0.0.1;rport=999;received=10.0.0.1", ("10.0.0.1", 999)),
        ("SIP/2.0/UDP h.example", "SIP/2.0/UDP h.example;received=10.0.0.1", ("10.0.0.1", 5060)),
        (
            "SIP/2.0/TLS 192.168.0.9;received=6.6.6.6",
            "SIP/2.0/TLS 192.168.0.9;received=10.0.0.1",
            ("10.0.0.1", 5061),
        ),
    ],
)
def test_the_source_is_noted(text: str, stamped: str, reply_to: tuple[str, int]) -> None:
    via = Via.parse(text).stamped("10.0.0.1", 999)
    assert str(via) == stamped
    assert via.reply_to == reply_to


def test_ipv6() -> None:
    via = Via.parse("SIP/2.0/TCP [2001:db8::9]:5061;branch=z9hG4bKx")
    assert via.reply_to == ("2001:db8::9", 5061)
    assert via.stamped("2001:db8::9", 1).received is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "SIP/2.0/UDP",
        "SIP/2.0 a",
        "HTTP/2.0/UDP a",
        "SIP/2.0/UDP a:0",
        "SIP/2.0/UDP a:99999",
        "SIP/2.0/UDP a;branch=z9hG4bK",
        "SIP/2.0/UDP a;rport=x",
        "SIP/2.0/UDP a;rport=65536",
        "SIP/2.0/UDP a;;b",
        "SIP/2.0/UDP a b",
        "SIP/2.0/U@P a",
    ],
)
def test_malformed_vias(text: str) -> None:
    with pytest.raises(MalformedHeader):
        Via.parse(text)


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(["UDP", "TCP", "TLS", "WS"]),
    st.sampled_from(["example.com", "192.0.2.1", "[::1]"]),
    st.none() | st.integers(1, 65535),
    st.dictionaries(
        st.text("abcd", min_size=1, max_size=4), st.none() | st.text("xyz", min_size=1), max_size=3
    ),
)
def test_vias_survive_a_round_trip(
    transport: str, host: str, port: int | None, params: dict[str, str | None]
) -> None:
    via = Via(transport, host, port, params)
    assert Via.parse(str(via)) == via
