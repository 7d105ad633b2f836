"""A far side that speaks before it answers: the agent hears it, nobody is heard there (RFC 3960)."""

from __future__ import annotations

from contextlib import AsyncExitStack

import pytest
from tests.e2e.conftest import AGENTS, WORD, vdn

from sottovoce.client.ccgateway import Gateway
from sottovoce.demo.trial import trial_server
from sottovoce.doors.sip.ports import Account
from sottovoce.phones import tones
from sottovoce.phones.phone import Phone
from sottovoce.phones.sources import Tone

AGENT, CALLED = tones.TONES[:2]
pytestmark = pytest.mark.timeout(120)


async def test_an_announcement_before_the_answer_is_heard_by_the_agent() -> None:
    seed = vdn()
    seed["outbound_allowed"] = ["8"]
    seed["agents"] = [{**agent, "rights": ["call_out"]} for agent in seed["agents"][:1]]  # type: ignore[index]
    async with AsyncExitStack() as stack:
        enter = stack.enter_async_context
        server = await enter(trial_server(seed))
        agent = await enter(Phone("agent", lambda: Tone(AGENT)))
        called = await enter(Phone("called", lambda: Tone(CALLED), auto_answer=False, early_media=True))
        for phone, number in ((agent, AGENTS[101]), (called, AGENTS[102])):
            await phone.register(server.sip_host, server.sip_port, Account(number, WORD))
        gateway = Gateway(server.http_url)
        stack.push_async_callback(gateway.close)
        client = gateway.agent(101)
        await client.sign_in(WORD, AGENTS[101], autoanswer=True, releasephone=True, status=4)
        await enter(client.polling())
        await client.call_out(AGENTS[102])
        ringing = await called.next_call()
        await (await agent.next_call()).talking()
        assert (await agent.hear(settle_s=1.0, patience_s=5.0)).hearing.heard == {CALLED}
        assert (await ringing.media.hear()).hearing.heard == set()
        ringing.answer()
        await ringing.talking()
        assert (await called.hear(settle_s=1.0, patience_s=5.0)).hearing.heard == {AGENT}
        assert (await agent.hear()).hearing.heard == {CALLED}
