"""Who is let in: what an authenticator makes of every sort of credentials, and the guard of callers."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType

import pytest
from tests.doors.sip.network import Counted

from sottovoce.domain.directory import PhoneAccount, VdnId
from sottovoce.doors.sip.admission import Admitted, Authenticator, Guard, Refusal
from sottovoce.doors.sip.digest import (
    Algorithm,
    Challenge,
    Credentials,
    NonceKeeper,
    authorize,
    ha1,
    response,
)
from sottovoce.doors.sip.hops import Hop, Transport
from sottovoce.doors.sip.limits import SourceLimits
from sottovoce.doors.sip.message import Request, parse

VDN = VdnId(7)
REALM = "test"
SOURCE = Hop(Transport.UDP, "10.0.0.1", 5060)
TARGET = "sip:100@test"
LIFETIME_S = 300.0
FAILURES = 3
"""Wrong passwords that block a source."""


class Book:
    """anna has digests of both algorithms, bert of MD5 only. Accounts are found by their numbers too."""

    NUMBERS = MappingProxyType({"anna": "501", "bert": "502"})

    def account(self, username: str) -> tuple[PhoneAccount, VdnId] | None:
        username = {number: user for user, number in self.NUMBERS.items()}.get(username, username)
        if username not in self.NUMBERS:
            return None
        held = [Algorithm.MD5] if username == "bert" else list(Algorithm)
        secrets = {each.value: ha1(each, username, REALM, "secret") for each in held}
        return PhoneAccount(self.NUMBERS[username], username, secrets), VDN

    def route(self, called: str) -> VdnId | None:
        return None


class Office:
    """An authenticator that takes both algorithms, and what was sent to it."""

    def __init__(self) -> None:
        self.blocked: list[str] = []
        self.limits = SourceLimits(1000, 1000, failures=FAILURES)
        self.authenticator = Authenticator(
            REALM,
            Book(),
            NonceKeeper(b"k" * 32, lifetime_s=LIFETIME_S),
            Counted("salt"),
            self.limits,
            tuple(Algorithm),
            on_blocked=self.blocked.append,
        )
        self.now = 1000.0

    def asks(self, *authorization: str) -> tuple[PhoneAccount, VdnId] | Refusal:
        lines = "".join(f"Proxy-Authorization: {value}\r\n" for value in authorization)
        return self.authenticator.check(invite(lines), SOURCE, self.now, proxy=True)

    def challenge(self, algorithm: Algorithm = Algorithm.MD5) -> Challenge:
        return next(each for each in challenges(self.asks()) if each.algorithm is algorithm)

    def answers(
        self, challenge: Challenge, *, user: str = "anna", password: str = "secret", uri: str = TARGET
    ) -> tuple[PhoneAccount, VdnId] | Refusal:
        made = authorize(
            challenge, method="INVITE", uri=uri, user=user, password=password, cnonce="c"
        )  # fmt: skip
        return self.asks(str(made))


def invite(more: str = "", user: str = "anna") -> Request:
    request = parse(
        f"INVITE {TARGET} SIP/2.0\r\nVia: SIP/2.0/UDP x;branch=z9hG4bKi\r\nFrom: <sip:{user}@test>;tag=1\r\n"
        f"To: <{TARGET}>\r\nCall-ID: i\r\nCSeq: 1 INVITE\r\n{more}\r\n".encode()
    )
    assert isinstance(request, Request)
    return request


def challenges(answer: object) -> list[Challenge]:
    """What a challenge of a proxy offers; anything else is a failure."""
    assert isinstance(answer, Refusal)
    assert answer.status == 407
    assert {name for name, _ in answer.extra} == {"Proxy-Authenticate"}
    return [Challenge.parse(value) for _, value in answer.extra]


def whose(answer: tuple[PhoneAccount, VdnId] | Refusal) -> str:
    assert not isinstance(answer, Refusal), answer
    return answer[0].username


@pytest.mark.parametrize(
    ("user", "algorithm"),
    [("anna", Algorithm.MD5), ("anna", Algorithm.SHA256), ("bert", Algorithm.MD5)],
)
def test_a_phone_is_known_by_any_digest_that_its_account_holds(user: str, algorithm: Algorithm) -> None:
    office = Office()
    assert whose(office.answers(office.challenge(algorithm), user=user)) == user


@pytest.mark.parametrize("secret", ["None", "", "secret"])
def test_a_digest_that_the_account_does_not_hold_opens_nothing(secret: str) -> None:
    """An absent HA1 must never stand in for a secret: what is put in its place anybody can guess."""
    office = Office()
    challenge = office.challenge(Algorithm.SHA256)
    blank = Credentials("bert", REALM, challenge.nonce, TARGET, "", Algorithm.SHA256, cnonce="c", nc=1)
    forged = replace(blank, response=response(blank, "INVITE", secret))
    assert office.asks(str(forged)) == Refusal(403)
    assert office.answers(challenge, user="bert") == Refusal(403)
    assert not office.blocked
    assert office.answers(challenge, user="bert") == Refusal(403)
    assert office.blocked == [SOURCE.host]


def test_an_unknown_user_counts_like_a_wrong_password() -> None:
    office = Office()
    for _ in range(FAILURES):
        assert office.answers(office.challenge(), user="nobody") == Refusal(403)
    assert office.blocked == [SOURCE.host]


def test_a_right_password_of_ones_own_forgives_no_guess_at_anothers() -> None:
    office = Office()
    for _ in range(FAILURES):
        assert not office.blocked
        assert office.answers(office.challenge(), user="bert", password="guess") == Refusal(403)
        office.now += 1
        assert whose(office.answers(office.challenge())) == "anna"
    assert office.blocked == [SOURCE.host]


def test_only_who_must_ask_again_is_told_that_the_nonce_was_stale() -> None:
    """RFC 7616 3.3: stale=true spares the phone's owner the question for a password."""
    office = Office()
    assert {each.stale for each in challenges(office.asks())} == {False}
    challenge = office.challenge()
    assert whose(office.answers(challenge)) == "anna"
    assert {each.stale for each in challenges(office.answers(challenge))} == {True}, "used twice"
    challenge = office.challenge()
    office.now += LIFETIME_S + 1
    assert {each.stale for each in challenges(office.answers(challenge))} == {True}, "too old"
    foreign = replace(challenge, nonce="of before our restart")
    assert {each.stale for each in challenges(office.answers(foreign))} == {True}, "foreign"


def test_a_right_password_for_another_target_is_asked_for_again_and_never_blocks() -> None:
    office = Office()
    for _ in range(2 * FAILURES):
        answer = office.answers(office.challenge(), uri="sip:666@test")
        assert {each.stale for each in challenges(answer)} == {True}
    assert not office.blocked
    for _ in range(FAILURES):
        assert office.answers(office.challenge(), uri="sip:666@test", password="wrong") == Refusal(403)
    assert office.blocked == [SOURCE.host]


@pytest.mark.parametrize(
    "malformed",
    ["", "Digest", "Basic dTpw", 'Digest username="anna', 'Digest username="anna", realm="test"', "\x01"],
)
def test_malformed_credentials_are_as_if_there_were_none(malformed: str) -> None:
    office = Office()
    assert {each.stale for each in challenges(office.asks(malformed))} == {False}
    challenge = office.challenge()
    made = authorize(challenge, method="INVITE", uri=TARGET, user="anna", password="secret", cnonce="c")
    assert whose(office.asks(malformed, str(made))) == "anna"


def test_credentials_of_another_realm_are_somebody_else_s() -> None:
    office = Office()
    challenge = office.challenge()
    foreign = authorize(
        replace(challenge, realm="provider"),
        method="INVITE",
        uri=TARGET,
        user="anna",
        password="secret",
        cnonce="c",
    )
    challenges(office.asks(str(foreign)))


# --- the guard


class Registered:
    """A phone is at SOURCE."""

    def is_phone_at(self, source: Hop, name: str) -> bool:
        return source == SOURCE and name in self.names


def calls(user: str) -> Admitted | Refusal:
    """What the guard says to a call from `user` with the right password."""
    office = Office()
    guard = Guard((), Book(), office.authenticator, Registered())
    made = authorize(
        office.challenge(), method="INVITE", uri=TARGET, user=user, password="secret", cnonce="c"
    )
    return guard.admit(invite(f"Proxy-Authorization: {made}\r\n", user), SOURCE, office.now)


def test_a_phone_with_its_password_is_let_in_under_its_number_registered_or_not() -> None:
    assert calls("anna") == Admitted("501", "100", VDN, account="501")
    assert calls("bert") == Admitted("502", "100", VDN, account="502")
