"""Sign-in while others guess passwords, over real sockets: 127.0.0.x are different sources."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.contract.sockets import RawConnection
from tests.contract.standing import Standing

from sottovoce.config import HttpSettings
from sottovoce.http.server import Server
from sottovoce.http.site import FAMILIES, site

AGENT, NOBODY, OTHER = 101, 150, 102
WRONG, LOCKED = "100-004", "110-016"


class Attacked:
    """A gateway on a real port."""

    def __init__(self, standing: Standing, port: int) -> None:
        self.standing, self._port = standing, port

    async def sign_in(self, agent: int, password: str, source: str, *headers: str, phone: str = "") -> str:
        """The retcode of a forced sign-in, which its ledger allows."""
        connection = await RawConnection.to(self._port, source=source)
        body = json.dumps({"password": password, "phonenum": phone or str(1000 + agent)}).encode()
        path = f"/agentgateway/resource/onlineagent/{agent}/forcelogin"
        answer = await connection.ask("PUT", path, *headers, body=body)
        await connection.close()
        assert answer.status == b"HTTP/1.1 200 OK"
        return str(json.loads(answer.body)["retcode"])


async def attacked_with(settings: HttpSettings, folder: Path) -> AsyncIterator[Attacked]:
    standing = Standing(folder)
    await standing.open()
    server = Server(site(standing.gateway, settings), settings, standing.tasks, families=FAMILIES)
    await server.start()
    yield Attacked(standing, server.port)
    await server.stop()
    await standing.close()


@pytest.fixture
async def attacked(tmp_path: Path) -> AsyncIterator[Attacked]:
    async for made in attacked_with(HttpSettings(port=0), tmp_path):
        yield made


@pytest.fixture
async def behind_a_proxy(tmp_path: Path) -> AsyncIterator[Attacked]:
    async for made in attacked_with(HttpSettings(port=0, proxies=("127.0.0.1/32",)), tmp_path):
        yield made


async def test_eleven_wrong_passwords_keep_nobody_else_out(attacked: Attacked) -> None:
    assert await attacked.sign_in(AGENT, "secret", "127.0.0.2") == "0"
    told = [await attacked.sign_in(AGENT, "wrong", "127.0.0.3") for _ in range(11)]
    assert told == [WRONG] * 5 + [LOCKED] * 6
    assert await attacked.sign_in(AGENT, "secret", "127.0.0.2") == "0"
    assert await attacked.sign_in(AGENT, "secret", "127.0.0.4") == "0"
    assert await attacked.sign_in(AGENT, "secret", "127.0.0.3") == LOCKED


async def test_who_guesses_from_the_desks_own_address_does_not_keep_it_out(attacked: Attacked) -> None:
    assert await attacked.sign_in(AGENT, "secret", "127.0.0.2") == "0"
    told = [await attacked.sign_in(AGENT, "wrong", "127.0.0.2", phone="1999") for _ in range(21)]
    assert told == [WRONG] * 20 + [LOCKED]
    assert await attacked.sign_in(AGENT, "secret", "127.0.0.2", phone="1999") == LOCKED
    assert await attacked.sign_in(AGENT, "secret", "127.0.0.2") == "0"


async def test_no_answer_tells_who_exists(attacked: Attacked) -> None:
    for agent, source in ((AGENT, "127.0.0.3"), (NOBODY, "127.0.0.4")):
        told = [await attacked.sign_in(agent, "wrong", source) for _ in range(8)]
        assert told == [WRONG] * 5 + [LOCKED] * 3, agent
    for number in range(8):
        for agent in (AGENT, NOBODY):
            for _ in range(5):
                await attacked.sign_in(agent, "wrong", f"127.0.1.{number + 1}")
    assert await attacked.sign_in(AGENT, "wrong", "127.0.2.1") == LOCKED
    assert await attacked.sign_in(NOBODY, "wrong", "127.0.2.1") == LOCKED


async def test_twenty_who_guess_at_once_are_refused_and_the_known_signs_in(attacked: Attacked) -> None:
    assert await attacked.sign_in(AGENT, "secret", "127.0.0.2") == "0"

    async def guess(number: int) -> None:
        for turn in range(10):
            await attacked.sign_in(AGENT + turn % 3, "wrong", f"127.0.3.{number + 1}")

    async with asyncio.TaskGroup() as group:
        for number in range(20):
            group.create_task(guess(number))
        for _ in range(3):
            assert await attacked.sign_in(AGENT, "secret", "127.0.0.2") == "0"


async def test_behind_a_proxy_the_client_is_who_it_names(behind_a_proxy: Attacked) -> None:
    bad, desk = "X-Forwarded-For: 203.0.113.9", "X-Forwarded-For: 198.51.100.1, 127.0.0.1"
    told = [await behind_a_proxy.sign_in(AGENT, "wrong", "127.0.0.1", bad) for _ in range(6)]
    assert told == [WRONG] * 5 + [LOCKED]
    assert await behind_a_proxy.sign_in(AGENT, "secret", "127.0.0.1", desk) == "0"
    forged = "X-Forwarded-For: 198.51.100.1, 203.0.113.9"
    assert await behind_a_proxy.sign_in(AGENT, "secret", "127.0.0.1", forged) == LOCKED


async def test_who_is_no_proxy_is_not_believed_who_it_is(behind_a_proxy: Attacked) -> None:
    for number in range(6):
        named = f"X-Forwarded-For: 203.0.113.{number}"
        told = await behind_a_proxy.sign_in(OTHER, "wrong", "127.0.0.7", named)
    assert told == LOCKED
