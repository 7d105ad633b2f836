"""Phones of another maker without G.711: refused with 488 either way, told clearly, and no call is lost."""

from __future__ import annotations

from contextlib import AsyncExitStack

import pytest
from tests.e2e.conftest import ACCESS_CODE, AGENTS, Standing
from tests.e2e.pjsua2_phones import Pjsua2Phone

from sottovoce.demo.trial import TRUNK_HOST
from sottovoce.phones import tones

pytest.importorskip("pjsua2", reason="the pjsua2-python wheel is not installed on this platform")

WIDE_BAND = "G722/16000/1"
CUSTOMER, AGENT = tones.TONES[:2]
pytestmark = pytest.mark.timeout(180)


async def test_an_agents_phone_without_g711_loses_no_call(standing: Standing) -> None:
    """The agent is busy for their phone's sake (reason 5); the caller goes to the next one and talks."""
    async with AsyncExitStack() as stack:
        enter = stack.enter_async_context
        customer = await enter(Pjsua2Phone.start("customer", tone=CUSTOMER, host=TRUNK_HOST))
        foreign = await enter(Pjsua2Phone.start("foreign", codec=WIDE_BAND))
        agent = await enter(Pjsua2Phone.start("agent", tone=AGENT))
        await standing.seat(foreign, AGENTS[101])
        await standing.seat(agent, AGENTS[102])
        first = await standing.sign_in(101)
        await enter(first.polling())
        host, port = standing.sip
        await customer.call(f"sip:{ACCESS_CODE}@{host}:{port}")
        await customer.expect("connected")
        await first.next_event("AgentEvent_No_Answer", timeout=20)
        told = await first.next_event("AgentState_SetNotReady_Success", timeout=20)
        assert told.content == {"reason": "5"}

        second = await standing.sign_in(102)
        await enter(second.polling())
        await second.next_event("AgentEvent_Talking", timeout=20)
        assert (await customer.hear()).tones == {AGENT}
        assert (await agent.hear()).tones == {CUSTOMER}


async def test_a_caller_without_g711_gets_488(standing: Standing) -> None:
    async with Pjsua2Phone.start("customer", host=TRUNK_HOST, codec=WIDE_BAND) as customer:
        host, port = standing.sip
        await customer.call(f"sip:{ACCESS_CODE}@{host}:{port}")
        assert (await customer.expect("gone"))["code"] == 488
