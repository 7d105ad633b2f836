"""Keys that come by INFO: the two bodies that phones send, and what is no key."""

from __future__ import annotations

import pytest
from tests.doors.sip.test_session import ends, talking

from sottovoce.doors.sip import events
from sottovoce.doors.sip.keys import key_of
from sottovoce.doors.sip.message import Response

RELAY, PLAIN = "application/dtmf-relay", "application/dtmf"


@pytest.mark.parametrize(
    ("kind", "body", "key"),
    [
        (RELAY, b"Signal=5\r\nDuration=160\r\n", "5"),
        (RELAY, b"Signal= #\nDuration= 250", "#"),
        (RELAY, b"duration=100\r\nsignal=*\r\n", "*"),
        (RELAY, b"Signal=10\r\n", "*"),
        (RELAY, b"Signal=11\r\n", "#"),
        (RELAY, b"Signal=d\r\n", "D"),
        (PLAIN, b"7", "7"),
        (PLAIN, b" 11\r\n", "#"),
        (RELAY, b"Signal=12\r\n", "A"),
        (RELAY, b"Signal=16\r\n", None),
        (RELAY, b"Signal=hook\r\n", None),
        (RELAY, "Signal=\u0665".encode(), None),
        (RELAY, b"\xff\xfe", None),
        (RELAY, b"Duration=160\r\n", None),
        (PLAIN, b"55", None),
        (PLAIN, b"", None),
    ],
)
def test_what_a_body_says(kind: str, body: bytes, key: str | None) -> None:
    assert key_of(kind, body) == key


@pytest.mark.parametrize(
    ("kind", "body", "status", "keys"),
    [
        (RELAY, b"Signal=5\r\nDuration=160\r\n", 200, ["5"]),
        (PLAIN, b"#", 200, ["#"]),
        ("", b"", 200, []),
        (RELAY, b"Signal=x\r\n", 400, []),
        ("application/media_control+xml", b"<media_control/>", 415, []),
        (RELAY, b"Signal=5\r\n" + b" " * 20000, 513, []),
    ],
)
def test_an_info_of_a_call(kind: str, body: bytes, status: int, keys: list[str]) -> None:
    network, caller, callee, _, theirs = talking()
    assert theirs.dialog is not None
    info = theirs.dialog.request("INFO")
    if kind:
        info.headers.set("Content-Type", kind)
    info.body = body
    answered: list[Response] = []
    callee.act(lambda ua: theirs.exchange(info, answered.append))
    network.run(1)
    assert [answer.status for answer in answered] == [status]
    assert [event.key for event in caller.of(events.KeyPressed)] == keys
    assert ends(caller) == ends(callee) == []
    if status == 415:
        assert answered[0].headers.get_all("Accept") == [RELAY, PLAIN]
