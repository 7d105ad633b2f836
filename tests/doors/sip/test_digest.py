"""Digest both ways: published vectors, the client's answer, the server's judgement."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sottovoce.doors.sip.digest import (
    Algorithm,
    Challenge,
    Credentials,
    CredentialsVerdict,
    NonceKeeper,
    authorize,
    ha1,
    response,
    strongest,
    verify,
)
from sottovoce.doors.sip.headers import MalformedHeader

URI = "sip:bob@example.com"
SALT = b"12345678"


def keeper(**more: float) -> NonceKeeper:
    return NonceKeeper(b"k" * 32, **more)  # type: ignore[arg-type]


def credentials(challenge: Challenge, *, nc: int = 1, password: str = "pw", uri: str = URI) -> Credentials:
    return authorize(challenge, method="INVITE", uri=uri, user="u", password=password, cnonce="c", nc=nc)


def judge(
    store: NonceKeeper, offered: Credentials, *, now: float = 1.0, uri: str = URI
) -> CredentialsVerdict:
    secret = ha1(offered.algorithm, "u", "r", "pw")
    return store.verify(offered, method="INVITE", uri=uri, secret=secret, now=now)


@pytest.mark.parametrize(
    ("algorithm", "expected"),
    [
        (Algorithm.MD5, "8ca523f5e9506fed4657c9700eebdbec"),
        (Algorithm.SHA256, "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
    ],
)
def test_the_example_of_rfc_7616(algorithm: Algorithm, expected: str) -> None:
    challenge = Challenge("http-auth@example.org", "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", algorithm)
    made = authorize(
        challenge,
        method="GET",
        uri="/dir/index.html",
        user="Mufasa",
        password="Circle of Life",
        cnonce="f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ",
    )
    assert made.response == expected


def test_the_old_form_without_qop() -> None:
    made = credentials(Challenge.parse('Digest realm="r", nonce="n"'))
    assert (made.cnonce, made.nc) == (None, 0)
    assert "qop" not in str(made)
    assert "nc=" not in str(made)
    assert response(made, "INVITE", ha1(Algorithm.MD5, "u", "r", "pw")) == made.response


def test_a_challenge_as_written() -> None:
    made = Challenge('a "realm"', "abc", Algorithm.SHA256, opaque="o", stale=True)
    assert str(made) == (
        'Digest realm="a \\"realm\\"", nonce="abc", opaque="o", stale=true, algorithm=SHA-256, qop="auth"'
    )
    assert Challenge.parse(str(made)) == made


def test_credentials_as_written() -> None:
    made = Credentials("u", "r", "n", URI, "0123", cnonce="c", nc=10, opaque="o")
    assert str(made) == (
        f'Digest username="u", realm="r", nonce="n", uri="{URI}", response="0123", algorithm=MD5, '
        'cnonce="c", qop=auth, nc=0000000a, opaque="o"'
    )
    assert Credentials.parse(str(made)) == made


def test_what_phones_write_is_forgiven() -> None:
    read = Credentials.parse(
        'digest  username="u",realm="r" , nonce="n",uri="x", response="ABC", qop="auth", NC=00000001,cnonce=x'
    )
    assert (read.response, read.nc, read.cnonce) == ("abc", 1, "x")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Digest",
        "Basic dTpw",
        'Digest realm="r"',
        'Digest realm="r", nonce=""',
        'Digest realm="r, nonce="n"',
        'Digest realm="r", nonce="n", algorithm=MD5-sess',
        'Digest realm="r", nonce="n", qop="auth-int"',
        'Digest realm="r", realm="s", nonce="n"',
        'Digest realm="r", nonce="n", junk',
    ],
)
def test_challenges_that_are_not_answered(text: str) -> None:
    with pytest.raises(MalformedHeader):
        Challenge.parse(text)


@pytest.mark.parametrize(
    "text",
    [
        'Digest username="u"',
        'Digest username="u", realm="r", nonce="n", uri="x", response="", qop=auth-int, nc=00000001, cnonce=',
        'Digest username="u", realm="r", nonce="n", uri="x", response="y", qop=auth, nc=1, cnonce="c"',
        'Digest username="u", realm="r", nonce="n", uri="x", response="y", qop=auth, nc=00000001',
        'Digest username="u", realm="r", nonce="n", uri="x", response="y", algorithm=SHA-512-256',
        "Digest " + ", ".join(f'x{i}="y"' for i in range(100)),
    ],
)
def test_credentials_that_are_not_taken(text: str) -> None:
    with pytest.raises(MalformedHeader):
        Credentials.parse(text)


def test_the_strongest_challenge_is_answered() -> None:
    values = ['Digest realm="r", nonce="1"', "Basic x", 'Digest realm="r", nonce="2", algorithm=SHA-256']
    best = strongest(values)
    assert best is not None
    assert best.nonce == "2"
    assert strongest(["NTLM x"]) is None


@pytest.mark.parametrize("algorithm", list(Algorithm))
def test_right_and_wrong_passwords(algorithm: Algorithm) -> None:
    store = keeper()
    challenge = store.challenge("r", now=1.0, salt=SALT, algorithm=algorithm)
    assert judge(store, credentials(challenge, password="other")) is CredentialsVerdict.REFUSED
    assert judge(store, credentials(challenge)) is CredentialsVerdict.ACCEPTED


def test_a_count_is_good_once_and_only_upwards() -> None:
    store = keeper()
    challenge = store.challenge("r", now=1.0, salt=SALT)
    assert judge(store, credentials(challenge, nc=1)) is CredentialsVerdict.ACCEPTED
    assert judge(store, credentials(challenge, nc=1)) is CredentialsVerdict.STALE
    assert judge(store, credentials(challenge, nc=5)) is CredentialsVerdict.ACCEPTED
    assert judge(store, credentials(challenge, nc=4)) is CredentialsVerdict.STALE
    assert judge(store, credentials(challenge, nc=0)) is CredentialsVerdict.STALE


def test_without_qop_a_nonce_is_good_for_one_request() -> None:
    store = keeper()
    challenge = replace(store.challenge("r", now=1.0, salt=SALT), qop=False)
    assert judge(store, credentials(challenge)) is CredentialsVerdict.ACCEPTED
    assert judge(store, credentials(challenge)) is CredentialsVerdict.STALE


def test_nonces_grow_old() -> None:
    store = keeper(lifetime_s=10.0)
    challenge = store.challenge("r", now=1.0, salt=SALT)
    assert judge(store, credentials(challenge), now=11.0) is CredentialsVerdict.ACCEPTED
    assert judge(store, credentials(challenge, nc=2), now=11.1) is CredentialsVerdict.STALE
    assert judge(store, credentials(challenge, nc=2, password="x"), now=11.1) is CredentialsVerdict.REFUSED


@pytest.mark.parametrize("nonce", ["", "abc", "A" * 40, "é" * 40, "=" * 40])
def test_foreign_nonces_are_refused(nonce: str) -> None:
    assert judge(keeper(), credentials(Challenge("r", nonce))) is CredentialsVerdict.REFUSED


def test_another_server_s_nonce_is_refused() -> None:
    challenge = NonceKeeper(b"x" * 32).challenge("r", now=1.0, salt=SALT)
    assert judge(keeper(), credentials(challenge)) is CredentialsVerdict.REFUSED


def test_a_nonce_is_good_for_the_host_that_it_was_sent_to() -> None:
    store = keeper()
    challenge = store.challenge("r", now=1.0, salt=SALT, host="10.0.0.1")
    assert store.knows(challenge.nonce, "10.0.0.1")
    assert not store.knows(challenge.nonce, "10.0.0.2")
    assert judge(store, credentials(challenge)) is CredentialsVerdict.REFUSED


def test_a_digest_made_for_another_target_is_refused() -> None:
    store = keeper()
    challenge = store.challenge("r", now=1.0, salt=SALT)
    assert judge(store, credentials(challenge, uri="sip:eve@example.com")) is CredentialsVerdict.REFUSED
    assert judge(store, credentials(challenge, uri="junk")) is CredentialsVerdict.REFUSED
    liberal = credentials(challenge, uri="sip:bob@EXAMPLE.com:5060;transport=udp")
    assert judge(store, liberal) is CredentialsVerdict.ACCEPTED


@pytest.mark.parametrize(
    ("claimed", "actual"), [("sip:10.0.0.2", URI), (URI, "sip:10.0.0.2"), ("sip:10.0.0.2", "sip:10.0.0.3")]
)
def test_a_target_that_names_no_user_is_nobody_else(claimed: str, actual: str) -> None:
    """Some senders write their next hop into the digest."""
    store = keeper()
    challenge = store.challenge("r", now=1.0, salt=SALT)
    assert judge(store, credentials(challenge, uri=claimed), uri=actual) is CredentialsVerdict.ACCEPTED


def test_a_challenge_says_stale_when_it_is_told_to() -> None:
    store = keeper()
    assert not store.challenge("r", now=1.0, salt=SALT).stale
    assert store.challenge("r", now=1.0, salt=SALT, stale=True).stale


def test_a_full_table_forgets_and_does_not_accept_what_it_forgot() -> None:
    store = keeper(capacity=2)
    used = []
    for at in range(4):
        challenge = store.challenge("r", now=1.0 + at, salt=SALT)
        assert judge(store, credentials(challenge), now=1.0 + at) is CredentialsVerdict.ACCEPTED
        used.append(challenge)
    assert judge(store, credentials(used[0], nc=2), now=5.0) is CredentialsVerdict.STALE
    assert judge(store, credentials(used[3], nc=2), now=5.0) is CredentialsVerdict.ACCEPTED


def test_a_key_is_long() -> None:
    with pytest.raises(ValueError):
        NonceKeeper(b"short")


def test_what_is_verified_is_the_whole_digest() -> None:
    made = credentials(Challenge("r", "n"))
    secret = ha1(Algorithm.MD5, "u", "r", "pw")
    assert verify(made, method="INVITE", secret=secret)
    assert not verify(made, method="BYE", secret=secret)
    assert not verify(replace(made, response="é"), method="INVITE", secret=secret)


PLAIN = st.text(st.characters(exclude_categories=("Cc", "Cs")), max_size=10)


@settings(max_examples=60, deadline=None)
@given(PLAIN, PLAIN, PLAIN, st.none() | PLAIN, st.integers(1, 2**32 - 1))
def test_credentials_survive_a_round_trip(
    user: str, realm: str, nonce: str, cnonce: str | None, nc: int
) -> None:
    made = Credentials(
        user, realm, nonce, URI, "ab", Algorithm.SHA256, cnonce, nc if cnonce is not None else 0
    )
    assert Credentials.parse(str(made)) == made
