"""A supervised call, end to end, on phones that are not ours: exactly these tones on every leg, no other."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack

import pytest
from tests.e2e.conftest import ACCESS_CODE, AGENTS, INSPECTORS, Standing
from tests.e2e.pjsua2_phones import Heard, Pjsua2Phone

from sottovoce.client.ccgateway import INSERT, LISTEN, WHISPER, AgentClient
from sottovoce.demo.trial import TRUNK_HOST
from sottovoce.phones import tones
from sottovoce.phones.tones import ToneVerdict

pytest.importorskip("pjsua2", reason="the pjsua2-python wheel is not installed on this platform")

CUSTOMER, AGENT, INSPECTOR, SECOND = tones.TONES[:4]
SETTLE_S = 0.6
pytestmark = pytest.mark.timeout(300)


class Scene:
    """Three or four phones, each with its tone, and who must hear whom."""

    def __init__(self, **phones: Pjsua2Phone) -> None:
        self.phones = phones

    async def hears(self, **expected: set[int]) -> dict[str, Heard]:
        """Assert the exact set of tones at every phone named, over one second, absences included."""
        await asyncio.sleep(SETTLE_S)
        recordings = await asyncio.gather(*(self.phones[name].hear() for name in expected))
        heard = dict(zip(expected, recordings, strict=True))
        assert {name: set(one.tones) for name, one in heard.items()} == expected
        assert not any(one.hearing.unclear for one in heard.values())
        return heard


async def in_state(client: AgentClient, state: int) -> None:
    async with asyncio.timeout(20):
        while await client.status() != state:  # noqa: ASYNC110 - another process's state
            await asyncio.sleep(0.05)


async def at_work(phone: Pjsua2Phone, client: AgentClient) -> None:
    """Wait until an inspector's phone is lifted and the floor has said so."""
    await phone.expect("connected")
    await client.next_event("AgentOther_PhoneOffhook", timeout=20)


@pytest.mark.parametrize(("transport", "codec"), [("udp", "PCMU/8000/1"), ("tcp", "PCMA/8000/1")])
async def test_whisper_reaches_the_agent_and_never_the_customer(
    standing: Standing, transport: str, codec: str
) -> None:
    async with AsyncExitStack() as stack:
        enter = stack.enter_async_context
        customer = await enter(Pjsua2Phone.start("customer", tone=CUSTOMER, host=TRUNK_HOST, codec=codec))
        agent = await enter(Pjsua2Phone.start("agent", tone=AGENT, codec=codec))
        inspector = await enter(Pjsua2Phone.start("inspector", tone=INSPECTOR))
        await standing.seat(agent, AGENTS[101], transport=transport)
        await standing.seat(inspector, INSPECTORS[301])
        worker, watcher = await standing.sign_in(101), await standing.sign_in(301)
        await enter(worker.polling())
        await enter(watcher.polling())
        scene = Scene(customer=customer, agent=agent, inspector=inspector)
        host, port = standing.sip

        await customer.call(f"sip:{ACCESS_CODE}@{host}:{port}")
        await customer.expect("connected")
        await agent.expect("connected")
        await worker.next_event("AgentEvent_Talking")
        await scene.hears(customer={AGENT}, agent={CUSTOMER})

        await watcher.listen(101)
        await at_work(inspector, watcher)
        before = await scene.hears(customer={AGENT}, agent={CUSTOMER}, inspector={CUSTOMER, AGENT})

        await watcher.switch(101, WHISPER)
        during = await scene.hears(customer={AGENT}, agent={CUSTOMER, INSPECTOR}, inspector={CUSTOMER, AGENT})
        at_rest = before["customer"].hearing.levels[INSPECTOR]
        whispered = during["customer"].hearing.levels[INSPECTOR]
        assert whispered < tones.SILENT_BELOW_DBOV
        assert tones.rise(at_rest, whispered) <= 3.0

        await watcher.switch(101, LISTEN)
        await scene.hears(customer={AGENT}, agent={CUSTOMER}, inspector={CUSTOMER, AGENT})
        await watcher.switch(101, INSERT)
        await scene.hears(
            customer={AGENT, INSPECTOR}, agent={CUSTOMER, INSPECTOR}, inspector={CUSTOMER, AGENT}
        )
        await watcher.stop(101)
        assert (await inspector.expect("gone"))["code"] == 200
        await scene.hears(customer={AGENT}, agent={CUSTOMER})

        await in_state(watcher, 4)
        await watcher.whisper(101)
        await at_work(inspector, watcher)
        await scene.hears(customer={AGENT}, agent={CUSTOMER, INSPECTOR}, inspector={CUSTOMER, AGENT})
        await watcher.stop_whisper(101)
        await inspector.expect("gone")
        await scene.hears(customer={AGENT}, agent={CUSTOMER})

        await in_state(watcher, 4)
        await watcher.listen(101)
        await at_work(inspector, watcher)
        await watcher.intercept(101)
        await agent.expect("gone")
        await scene.hears(customer={INSPECTOR}, inspector={CUSTOMER})
        await customer.hang_up()
        await inspector.expect("gone")
        await in_state(watcher, 4)


async def test_inspectors_who_whisper_do_not_hear_each_other_and_a_phones_hold_silences_all(
    standing: Standing,
) -> None:
    async with AsyncExitStack() as stack:
        enter = stack.enter_async_context
        customer = await enter(Pjsua2Phone.start("customer", tone=CUSTOMER, host=TRUNK_HOST))
        agent = await enter(Pjsua2Phone.start("agent", tone=AGENT))
        first = await enter(Pjsua2Phone.start("first", tone=INSPECTOR))
        second = await enter(Pjsua2Phone.start("second", tone=SECOND))
        await standing.seat(agent, AGENTS[101])
        await standing.seat(first, INSPECTORS[301])
        await standing.seat(second, INSPECTORS[302])
        worker = await standing.sign_in(101)
        one, two = await standing.sign_in(301), await standing.sign_in(302)
        for client in (worker, one, two):
            await enter(client.polling())
        scene = Scene(customer=customer, agent=agent, first=first, second=second)
        host, port = standing.sip

        await customer.call(f"sip:{ACCESS_CODE}@{host}:{port}")
        await worker.next_event("AgentEvent_Talking", timeout=20)
        await one.whisper(101)
        await two.whisper(101)
        await at_work(first, one)
        await at_work(second, two)
        await scene.hears(
            customer={AGENT},
            agent={CUSTOMER, INSPECTOR, SECOND},
            first={CUSTOMER, AGENT},
            second={CUSTOMER, AGENT},
        )
        await two.switch(101, INSERT)
        await scene.hears(
            customer={AGENT, SECOND},
            agent={CUSTOMER, INSPECTOR, SECOND},
            first={CUSTOMER, AGENT, SECOND},
            second={CUSTOMER, AGENT},
        )
        await two.switch(101, LISTEN)
        await scene.hears(
            customer={AGENT},
            agent={CUSTOMER, INSPECTOR},
            first={CUSTOMER, AGENT},
            second={CUSTOMER, AGENT},
        )

        await first.hang_up()
        await worker.next_event("AgentOther_BeQcStop", timeout=20)
        await scene.hears(customer={AGENT}, agent={CUSTOMER}, second={CUSTOMER, AGENT})

        await agent.hold()
        await agent.expect("media")
        heard = await second.hear(settle_s=SETTLE_S)
        assert CUSTOMER not in heard.tones
        at_customer = await customer.hear()
        assert at_customer.hearing.verdict(AGENT) is ToneVerdict.SILENT
        assert at_customer.hearing.verdict(SECOND) is ToneVerdict.SILENT
        await agent.unhold()
        await asyncio.sleep(SETTLE_S)
        await scene.hears(customer={AGENT}, agent={CUSTOMER}, second={CUSTOMER, AGENT})
        await customer.hang_up()
        await agent.expect("gone")
