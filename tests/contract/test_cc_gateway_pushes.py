"""Events pushed to a client's own server, both ways, as clients ask for them over HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.contract.standing import Standing
from tests.push_server import PushServer, push_server

from sottovoce.config import PushSettings

A = 101
SIGNED_IN = ["AgentOther_InService", "AgentState_Ready"]


@pytest.fixture
async def server() -> AsyncIterator[PushServer]:
    async with push_server() as made:
        yield made


@pytest.fixture
async def standing(tmp_path: Path, server: PushServer) -> AsyncIterator[Standing]:
    push = PushSettings(allowed=(server.url("/cc"),), networks=("127.0.0.1/32",), retry=0.05)
    made = Standing(tmp_path, push=push)
    await made.open()
    yield made
    await made.close()


async def test_a_push_server_hears_of_a_call(standing: Standing, server: PushServer) -> None:
    client = standing.client
    answered = await client.sign_in(A, callBackUri=server.url("/cc/events"), serviceToken="t0p-s3cret")
    assert answered.retcode == "0"
    await client.ok(A, "POST", "/onlineagent/{a}/resetskill/true")
    await standing.call_in()
    await server.until(lambda: "AgentEvent_Talking" in server.events())
    assert server.events()[:2] == SIGNED_IN
    assert {pushed.headers["service_token"] for pushed in server.taken} == {"t0p-s3cret"}
    assert await client.refused(A, "GET", "/agentevent/{a}") == "000-001"
    await client.ok(A, "DELETE", "/voicecall/{a}/release")
    await server.until(lambda: "AgentEvent_Call_Release" in server.events())


async def test_handshakes_keep_the_session_and_renew_the_token(
    standing: Standing, server: PushServer
) -> None:
    client = standing.client
    await client.sign_in(A, callBackUri=server.url("/cc/events"), serviceToken="t0p-s3cret")
    for token in ("t0p-s3cret", "n3w"):
        standing.clock.advance(100)
        await client.ok(A, "POST", "/onlineagent/{a}/handshake", headers={"service_token": token})
    bad = await client.ask(A, "POST", "/onlineagent/{a}/handshake", headers={"service_token": "a b"})
    assert bad.retcode == "000-002"
    await client.ok(A, "POST", "/onlineagent/{a}/saybusy")
    await server.until(lambda: "AgentState_SetNotReady_Success" in server.events())
    assert server.taken[-1].headers["service_token"] == "n3w"


async def test_the_older_mode_and_its_heartbeat(standing: Standing, server: PushServer) -> None:
    """AgentServerDemo, aPortal: `pushUrl` with a token in its query, forced sign-in, PUT heartbeat."""
    client = standing.client
    url = server.url("/cc/agent/event?token=a%20b&x=1")
    answered = await client.sign_in(A, force=True, pushUrl=url, callBackUri="", serviceToken="")
    assert answered.retcode == "0"
    for _ in range(4):
        standing.clock.advance(60)
        await standing.desk.run_due()
        result = await client.ok(A, "PUT", "/onlineagent/{a}/heartbeat")
        assert result == {"loginTime": answered.result["loginTime"]}
    await server.until(lambda: len(server.taken) == 2)
    assert server.events() == SIGNED_IN
    assert {pushed.target for pushed in server.taken} == {"/cc/agent/event?token=a%20b&x=1"}
    standing.clock.advance(121)
    await standing.desk.run_due()
    assert await client.refused(A, "PUT", "/onlineagent/{a}/heartbeat") == "100-006"


async def test_a_stranger_does_not_learn_where_pushes_may_go(standing: Standing, server: PushServer) -> None:
    for path in ("/cc/events", "/elsewhere"):
        answered = await standing.client.sign_in(A, password="guessed", pushUrl=server.url(path))
        assert answered.retcode == "100-004"


@pytest.mark.parametrize(
    ("wish", "retcode"),
    [
        ({"callBackUri": "{}/cc/e", "serviceToken": "a b"}, "100-001"),
        ({"callBackUri": "{}/cc/e", "serviceToken": "x" * 51}, "100-001"),
        ({"callBackUri": "{}/elsewhere", "serviceToken": "t"}, "100-001"),
        ({"callBackUri": "{}/cc/../admin", "serviceToken": "t"}, "100-001"),
        ({"callBackUri": "https://evil.example/cc", "serviceToken": "t"}, "100-001"),
        ({"callBackUri": "{}/cc/" + "x" * 200, "serviceToken": "t"}, "100-001"),
        ({"pushUrl": "{}/elsewhere?token=t"}, "100-001"),
        ({"pushUrl": "{}/cc/" + "x" * 1000}, "100-001"),
        ({"pushUrl": "{}/cc", "callBackUri": "{}/cc", "serviceToken": "t"}, "100-001"),
        ({"callBackUri": "{}/cc/e"}, "0"),
        ({"serviceToken": "t"}, "0"),
        ({"pushUrl": ""}, "0"),
    ],
)
async def test_what_is_refused_and_what_means_polling(
    standing: Standing, server: PushServer, wish: dict[str, str], retcode: str
) -> None:
    base = server.url("")
    answered = await standing.client.sign_in(A, **{name: text.format(base) for name, text in wish.items()})
    assert answered.retcode == retcode
    if retcode == "0":
        assert [name for name, _ in await standing.client.events(A)] == SIGNED_IN
    assert server.taken == []
