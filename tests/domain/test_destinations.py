"""Which URLs events may be pushed to."""

from __future__ import annotations

import pytest

from sottovoce.domain.destinations import LONGEST_URL, Push, Url, Way, check
from sottovoce.errors import Code, Refused

ALLOWED = ("https://crm.example.org/cc", "http://127.0.0.1:8080/agent/", "https://[2001:db8::1]:8443/e")


@pytest.mark.parametrize(
    "url",
    [
        "https://crm.example.org/cc",
        "https://CRM.example.org:443/cc/events?token=a/../b&x=%2e%2e",
        "https://crm.example.org./cc/",
        "http://127.0.0.1:8080/agent/event;v=1",
        "https://[2001:DB8::1]:8443/e",
    ],
)
def test_what_lies_below_an_entry_is_taken(url: str) -> None:
    assert check(Push(Way.SINGLE, url), ALLOWED)


@pytest.mark.parametrize(
    "url",
    [
        "http://crm.example.org/cc",
        "https://crm.example.org:444/cc",
        "https://crm.example.org/ccc",
        "https://crm.example.org/",
        "https://crm.example.org",
        "https://crm.example.org.evil.org/cc",
        "https://crm.example.org@evil.org/cc",
        "https://evil.org/https://crm.example.org/cc",
        "https://user:secret@crm.example.org/cc",
        "https://crm.example.org/cc/../admin",
        "https://crm.example.org/cc/%2E%2e/admin",
        "https://crm.example.org/cc/.%2e%2fadmin",
        "https://crm.example.org/cc/..%5cadmin",
        "https://crm.example.org/cc//admin",
        "https://crm.example.org\\cc",
        "https://crm.example.org/cc#part",
        "https://crm.example.org/cc\r\nHost: evil",
        "https://crm.example.org/c c",
        "https://crm.exämple.org/cc",
        "https://crm.example.org:0/cc",
        "https://crm.example.org:99999/cc",
        "https://[::1/cc",
        "http://127.0.0.1:8080/agent",
        "http://0x7f000001:8080/agent/event",
        "ftp://crm.example.org/cc",
        "//crm.example.org/cc",
        "crm.example.org/cc",
        "https:///cc",
        "",
        "https://crm.example.org/cc/" + "x" * LONGEST_URL,
    ],
)
def test_everything_else_is_refused(url: str) -> None:
    with pytest.raises(Refused) as refused:
        check(Push(Way.SINGLE, url), ALLOWED)
    assert refused.value.code is Code.BAD_SIGN_IN
    assert url not in refused.value.why or not url


@pytest.mark.parametrize("token", ["", "x" * 51, "a b", "a\r\nb", "ä", 'a"', "a,b", "a;b"])
def test_a_token_holds_no_special_characters(token: str) -> None:
    with pytest.raises(Refused):
        check(Push(Way.LIST, "https://crm.example.org/cc", token), ALLOWED)
    assert check(Push(Way.LIST, "https://crm.example.org/cc", "aZ09._~+/=-"), ALLOWED)


def test_the_query_goes_along_and_is_shown_to_nobody() -> None:
    push = Push(Way.SINGLE, "https://crm.example.org/cc/e?token=t0p&a=%20", "s3cret")
    url = Url.read(push.url)
    assert url.target == "/cc/e?token=t0p&a=%20"
    assert "t0p" not in repr(url) + repr(push)
    assert "s3cret" not in repr(push)
