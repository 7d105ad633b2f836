"""tokenByAkSk [2211], and what every interface asks of a token."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tests.quality.standing import NOW, ONE, TWO, Standing

from sottovoce.storage.review import app_keys

PATH = "/apigovernance/api/oauth/tokenByAkSk"


async def ask(standing: Standing, body: object, **headers: str) -> tuple[int, dict[str, str]]:
    answer = await standing.http.post(PATH, json=body, headers=headers)
    return answer.status_code, answer.json()


async def test_every_value_is_a_text(standing: Standing) -> None:
    key, secret = standing.keys[ONE]
    status, body = await ask(standing, {"app_key": key, "app_secret": secret}, **{"X-Token-Expire": "600"})
    assert status == 200
    assert list(body) == ["AccessToken", "ApplyType", "CreateTime", "Expires", "Scope", "AppKey", "UserID"]
    assert all(isinstance(value, str) for value in body.values())
    assert body["ApplyType"] == "Bearer"
    assert (body["CreateTime"], body["Expires"], body["UserID"]) == (
        str(int(NOW.timestamp())),
        "600",
        "Anonymous",
    )
    assert len(body["Scope"]) == 32


async def test_wrong_key_wrong_secret_and_another_tenants_secret(standing: Standing) -> None:
    key, secret = standing.keys[ONE]
    for body in (
        {"app_key": key, "app_secret": secret + "x"},
        {"app_key": "nobody", "app_secret": secret},
        {"app_key": key, "app_secret": standing.keys[TWO][1]},
        {"app_key": "a\x00b" * 200, "app_secret": secret},
    ):
        status, answer = await ask(standing, body)
        assert (status, answer["resultCode"]) == (401, "0400002") or status == 400


BEYOND = ["0", "3601", "-1", "1e3", "99999999999", "ten", "000000001999999999", "9" * 19, "0" * 25 + "600"]


@pytest.mark.parametrize(
    "expire", [*BEYOND, "1" * 400, "600, 600", "+600", "6_00", "600.0", "0x258", "0" * 20]
)
async def test_a_life_beyond_an_hour_is_refused(standing: Standing, expire: str) -> None:
    key, secret = standing.keys[ONE]
    status, answer = await ask(standing, {"app_key": key, "app_secret": secret}, **{"X-Token-Expire": expire})
    assert (status, answer["resultCode"]) == (400, "0400001")
    assert "X-Token-Expire" in answer["resultDesc"]


async def test_the_life_that_was_checked_is_the_one_that_is_lived(standing: Standing) -> None:
    key, secret = standing.keys[ONE]
    expire = {"X-Token-Expire": " 00000000000000600 "}
    status, body = await ask(standing, {"app_key": key, "app_secret": secret}, **expire)
    assert (status, body["Expires"]) == (200, "600")
    for second, alive in ((599, True), (1, False)):
        standing.clock.advance(second)
        async with standing.engine.begin() as connection:
            found = await app_keys.found(connection, body["AccessToken"], standing.clock.now())
        assert (found is not None) is alive


async def test_a_token_dies_with_its_time_and_with_its_key(standing: Standing) -> None:
    key, secret = standing.keys[ONE]
    _, short = await ask(standing, {"app_key": key, "app_secret": secret}, **{"X-Token-Expire": "10"})

    async def held(token: str) -> bool:
        async with standing.engine.begin() as connection:
            return await app_keys.found(connection, token, standing.clock.now()) is not None

    assert await held(short["AccessToken"])
    standing.clock.advance(9.9)
    assert await held(short["AccessToken"])
    standing.clock.advance(0.1)
    assert not await held(short["AccessToken"])
    assert await held(standing.tokens[ONE])
    async with standing.engine.begin() as connection:
        revoked = await app_keys.revoke(connection, key, NOW + timedelta(seconds=11))
    assert revoked is not None
    assert revoked.revoked_at == NOW + timedelta(seconds=11)
    assert not await held(standing.tokens[ONE])
    assert (await ask(standing, {"app_key": key, "app_secret": secret}))[0] == 401


async def test_who_asks_for_no_life_gets_ten_minutes(standing: Standing) -> None:
    key, secret = standing.keys[ONE]
    for headers in ({}, {"X-Token-Expire": ""}, {"X-Token-Expire": " "}):
        status, body = await ask(standing, {"app_key": key, "app_secret": secret}, **headers)
        assert (status, body["Expires"]) == (200, "600")


@pytest.mark.parametrize("expire", ["1", "3600"])
async def test_a_life_up_to_an_hour_is_granted(standing: Standing, expire: str) -> None:
    key, secret = standing.keys[ONE]
    status, body = await ask(standing, {"app_key": key, "app_secret": secret}, **{"X-Token-Expire": expire})
    assert (status, body["Expires"]) == (200, expire)


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b'{"app_key": "x"}', b'{"app_key": [], "app_secret": ""}']
)
async def test_what_asks_for_no_token_is_a_bad_parameter(standing: Standing, body: bytes) -> None:
    answer = await standing.http.post(PATH, content=body)
    assert (answer.status_code, answer.json()["resultCode"]) == (400, "0400001")
