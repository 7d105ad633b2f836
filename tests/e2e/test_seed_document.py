"""The example of "Stopping Whispering" (updated on 2023-09-27), as printed, at a server as operators run it.

Over HTTPS as its URI says, and on a whisper that phones hear: before it the agent hears the inspector,
after it no more, and the customer never.
"""

from __future__ import annotations

import asyncio
import json
import re
import ssl
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from tests.contract.sockets import RawConnection
from tests.e2e.served import ACCESS_CODE, LOOPBACK, OUTSIDE, SECRET, serving

from sottovoce.client.ccgateway import Gateway
from sottovoce.doors.sip.ports import Account
from sottovoce.phones import tones
from sottovoce.phones.phone import Phone
from sottovoce.phones.sources import Tone

TLS = Path(__file__).parents[1] / "http" / "tls"
CUSTOMER, AGENT, INSPECTOR = tones.TONES[:3]
PATIENCE_S = 6.0
"""How long a busy machine is given for one second without a lost frame."""

URI = (
    "/agentgateway/resource/qualitycontrol/{agentid}/requeststopwhisperagent?whisperagentid={whisperagentid}"
)
HEADERS = "Content-Type:application/json; charset=UTF-8\r\nGuid: {guid}"
GUID = r"[0-9a-z]{8}-[0-9a-z]{4}-[0-9a-z]{4}-[0-9a-z]{4}-[0-9a-z]{12}\.AgentGateway1"
ANSWER = """{
        "message": "",
        "retcode": "0",
        "result": {}
    }"""


async def heard(phone: Phone) -> set[int]:
    """The tones in an undisturbed second at this phone."""
    second = await phone.hear(settle_s=0.5, patience_s=PATIENCE_S)
    return set(second.hearing.heard)


async def test_a_whisper_is_stopped_as_the_page_prints_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOTTOVOCE_HTTP__TLS_CERT", str(TLS / "certificate.pem"))
    monkeypatch.setenv("SOTTOVOCE_HTTP__TLS_KEY", str(TLS / "key.pem"))
    trust = ssl.create_default_context(cafile=str(TLS / "certificate.pem"))
    async with AsyncExitStack() as stack:
        served = await stack.enter_async_context(serving())
        gateway = Gateway(f"https://{LOOPBACK}:{served.http_port}", verify=False)
        stack.push_async_callback(gateway.close)
        phones = {hz: Phone(str(hz), lambda hz=hz: Tone(hz)) for hz in (CUSTOMER, AGENT, INSPECTOR)}
        for hz, phone in phones.items():
            await phone.start(OUTSIDE if hz == CUSTOMER else LOOPBACK)
            stack.push_async_callback(phone.stop)
        ann, ian = gateway.agent(101), gateway.agent(102)
        for client, hz, number in ((ann, AGENT, "8101"), (ian, INSPECTOR, "8102")):
            await phones[hz].register(LOOPBACK, served.sip_port, Account(number, SECRET))
            await client.sign_in(SECRET, number, releasephone=True)
        await stack.enter_async_context(ann.polling())
        call = await phones[CUSTOMER].call(ACCESS_CODE, via=served.hop)
        await call.talking()
        await ann.next_event("AgentEvent_Talking")
        await ian.whisper(101)
        await ann.next_event("AgentOther_BeQcStart")
        before = await asyncio.gather(*(heard(phones[hz]) for hz in (CUSTOMER, AGENT)))
        assert before == [{AGENT}, {CUSTOMER, INSPECTOR}]
        whispering = phones[INSPECTOR].calls[0]

        assert ian.guid is not None
        assert re.fullmatch(GUID, ian.guid)
        path = URI.format(agentid=102, whisperagentid=101)
        host = f"Host: {LOOPBACK}:{served.http_port}"
        connection = RawConnection(*await asyncio.open_connection(LOOPBACK, served.http_port, ssl=trust))
        await connection.send(
            f"POST {path} HTTP/1.1\r\n{host}\r\n{HEADERS.format(guid=ian.guid)}\r\n\r\n".encode()
        )
        answer = await connection.answer()
        await connection.close()

        assert answer.status == b"HTTP/1.1 200 OK"
        assert answer.header(b"Content-Type") == b"application/json"
        assert json.loads(answer.body) == json.loads(ANSWER)
        assert list(json.loads(answer.body)) == ["message", "retcode", "result"]
        await ann.next_event("AgentOther_BeQcStop")
        assert await ian.status() == 4
        await whispering.ended()
        after = await asyncio.gather(*(heard(phones[hz]) for hz in (CUSTOMER, AGENT)))
        assert after == [{AGENT}, {CUSTOMER}]
