"""An agent whose client falls silent in the middle of a supervised call, and signs in from another phone."""

from __future__ import annotations

import asyncio

import pytest
from tests.e2e.served import ACCESS_CODE, SECRET, gateway, outside, registered, serving

from sottovoce.client.ccgateway import Failed
from sottovoce.phones.phone import Phone
from sottovoce.phones.sources import Tone
from sottovoce.phones.tones import TONES

CUSTOMER, AGENT, INSPECTOR = TONES[:3]
SILENCE_S = 6
pytestmark = pytest.mark.timeout(300)


async def test_customer_agent_and_inspector_hear_no_difference_until_the_call_ends() -> None:
    async with (
        serving(f"[agents]\nsign_out_after = {SILENCE_S}") as served,
        gateway(served) as client,
        registered(served, "8101", say=lambda: Tone(AGENT)) as agent,
        registered(served, "8102", say=lambda: Tone(INSPECTOR)) as inspector,
        registered(served, "8103"),
        outside(say=lambda: Tone(CUSTOMER)) as customer,
    ):
        ann, ian = client.agent(101), client.agent(102)
        await ann.sign_in(SECRET, "8101")
        await ian.sign_in(SECRET, "8102")

        async def all_hear() -> None:
            async def heard(phone: Phone) -> set[int]:
                return set((await phone.hear(settle_s=0.5, patience_s=10)).hearing.heard)

            assert await heard(customer) == {AGENT}
            assert await heard(agent) == {CUSTOMER, INSPECTOR}
            assert await heard(inspector) == {AGENT, CUSTOMER}

        async with ian.polling():
            call = await customer.call(ACCESS_CODE, via=served.hop)
            await call.talking()
            await (await agent.next_call()).talking()
            await ian.whisper(101)
            await (await inspector.next_call()).talking()
            await asyncio.sleep(SILENCE_S + 2)
            await all_hear()
            await ann.sign_in(SECRET, "8103", force=True)
            await all_hear()
            await asyncio.sleep(SILENCE_S + 2)
            call.hang_up()
            await call.ended()
            async with asyncio.timeout(20):
                while (await ian.all_agents())[0]["status"] != "2":  # noqa: ASYNC110 - the server's state
                    await asyncio.sleep(0.1)
            with pytest.raises(Failed) as refused:
                await ann.snapshot()
            assert refused.value.retcode == "100-006"
