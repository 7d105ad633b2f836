"""The client against raw bytes: what it sends, and how it reads what a gateway answers."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from sottovoce.client.ccgateway import LISTEN, WHISPER, Failed, Gateway

GUID = "0b7a2f5e-0000-4000-8000-000000000001.AgentGateway1"
OK = b'{"message":"","retcode":"0","result":{}}'


class Scripted:
    """A server that notes each request and answers what it was told, in order."""

    def __init__(self, answers: list[bytes | tuple[bytes, bytes]]) -> None:
        self.requests: list[tuple[str, dict[str, str], bytes]] = []
        self._answers = answers
        self.url = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                first, *lines = head.decode().strip().split("\r\n")
                headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
                body = await reader.readexactly(int(headers.get("content-length", "0")))
                self.requests.append((first, headers, body))
                if not self._answers:
                    return
                answer = self._answers.pop(0)
                extra, content = answer if isinstance(answer, tuple) else (b"", answer)
                writer.write(
                    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                    + extra
                    + b"Content-Length: %d\r\n\r\n" % len(content)
                    + content
                )
                await writer.drain()
        except asyncio.IncompleteReadError:
            pass
        finally:
            writer.close()


@asynccontextmanager
async def scripted(*answers: bytes | tuple[bytes, bytes]) -> AsyncIterator[tuple[Scripted, Gateway]]:
    script = Scripted(list(answers))
    server = await asyncio.start_server(script.serve, "127.0.0.1", 0)
    script.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    gateway = Gateway(script.url + "/")
    try:
        yield script, gateway
    finally:
        await gateway.close()
        server.close()
        await server.wait_closed()


def signed_in(guid: str = GUID) -> tuple[bytes, bytes]:
    return (
        b"Set-GUID: JSESSIONID=%s\r\n" % guid.encode(),
        b'{"message":"","retcode":"0","result":{"vdnid":1}}',
    )


async def test_sign_in_keeps_the_guid_and_resets_skills() -> None:
    async with scripted(signed_in(), OK, OK) as (script, gateway):
        agent = gateway.agent(101)
        await agent.sign_in("secret", "8101", status=4)
        assert agent.guid == GUID
        await agent.say_busy()
        login, skills, busy = script.requests
        assert login[0] == "PUT /agentgateway/resource/onlineagent/101/forcelogin HTTP/1.1"
        assert json.loads(login[2]) == {"password": "secret", "phonenum": "8101", "status": 4}
        assert "guid" not in login[1]
        assert skills[0].startswith("POST /agentgateway/resource/onlineagent/101/resetskill/true?skillid=&")
        assert skills[1]["guid"] == GUID
        assert busy[0] == "POST /agentgateway/resource/onlineagent/101/saybusy HTTP/1.1"
        assert busy[1]["content-type"] == "application/json; charset=UTF-8"


async def test_a_sign_in_without_a_guid_is_a_failure() -> None:
    async with scripted(OK) as (_, gateway):
        with pytest.raises(Failed, match="Set-GUID"):
            await gateway.agent(101).sign_in("", "8101")


async def test_a_refusal_carries_its_retcode() -> None:
    async with scripted(b'{"message":"busy","retcode":"900-003"}') as (_, gateway):
        with pytest.raises(Failed, match="900-003 busy") as refusal:
            await gateway.agent(301).listen(101)
        assert refusal.value.retcode == "900-003"


@pytest.mark.parametrize("body", [b"[]", b"{}", b"not json", b'{"retcode":0}', b""])
async def test_an_answer_in_another_form_is_a_failure(body: bytes) -> None:
    async with scripted(body) as (_, gateway):
        with pytest.raises(Failed, match="not the family's answer"):
            await gateway.agent(301).stop(101)


async def test_quality_control_is_asked_as_documented() -> None:
    async with scripted(*[OK] * 9) as (script, gateway):
        inspector = gateway.agent(301)
        await inspector.listen(101)
        await inspector.switch(101, WHISPER)
        await inspector.switch(101, LISTEN)
        await inspector.stop(101)
        await inspector.whisper(101)
        await inspector.stop_whisper(101)
        await inspector.insert(101)
        await inspector.toggle(101)
        await inspector.intercept(101, "1456402370-7")
        base = "/agentgateway/resource/qualitycontrol/301"
        assert [first.removesuffix(" HTTP/1.1") for first, _, _ in script.requests] == [
            f"PUT {base}/addsupervise/101",
            f"POST {base}/requestswitchinsertwhisperagent?whisperagentid=101&switchtype=2",
            f"POST {base}/requestswitchinsertwhisperagent?whisperagentid=101&switchtype=0",
            f"DELETE {base}/101",
            f"POST {base}/requestwhisperagent?whisperagentid=101",
            f"POST {base}/requeststopwhisperagent?whisperagentid=101",
            f"PUT {base}/addinsert/101",
            f"POST {base}/switch/101",
            f"PUT {base}/intercept/101/1456402370-7",
        ]
        assert all(not body for _, _, body in script.requests)


async def test_events_are_polled_in_order_until_not_signed_in() -> None:
    def event(kind: str, content: object) -> bytes:
        document = {"eventType": kind, "workNo": "101", "content": content}
        return json.dumps({"message": "", "retcode": "0", "event": document}).encode()

    async with scripted(
        event("AgentState_Busy", None),
        b'{"message":"","retcode":"0"}',
        event("AgentEvent_Talking", {"callid": "1-2"}),
        b'{"message":"","retcode":"100-006"}',
    ) as (script, gateway):
        agent = gateway.agent(101)
        agent.guid = GUID
        told: list[str] = []
        agent.subscribe(lambda heard: told.append(heard.kind))
        async with agent.polling():
            talking = await agent.next_event("AgentEvent_Talking")
        assert talking.content == {"callid": "1-2"}
        assert told == ["AgentState_Busy", "AgentEvent_Talking"]
        assert all(
            first.startswith("GET /agentgateway/resource/agentevent/101 ") for first, _, _ in script.requests
        )


async def test_an_event_that_does_not_come_is_a_timeout() -> None:
    async with scripted() as (_, gateway):
        with pytest.raises(TimeoutError, match="AgentState_Ready"):
            await gateway.agent(101).next_event("AgentState_Ready", timeout=0.01)


async def test_a_dynamic_guid_is_followed_only_when_asked_for() -> None:
    fresh = b"Set-GUID: JSESSIONID=fresh.AgentGateway1\r\n", b'{"message":"","retcode":"0"}'
    async with scripted(fresh, fresh) as (_, gateway):
        static, dynamic = gateway.agent(101), gateway.agent(102, dynamic_guid=True)
        static.guid = dynamic.guid = GUID
        assert await static.poll_once() is None
        assert await dynamic.poll_once() is None
        assert static.guid == GUID
        assert dynamic.guid == "fresh.AgentGateway1"
