"""Sottovoce behind Kamailio and rtpengine, as shipped: calls, a whisper, a call out, all by tone."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass

import pytest
import pytest_asyncio
from tests.e2e.edge import DOMAIN, EDGE, MEDIA, PASSWORD, PROVIDER, Edge, an_edge, needs_edge
from tests.e2e.served import ACCESS_CODE, SECRET, Served, gateway, serving

from sottovoce.client.ccgateway import INSERT, WHISPER, AgentClient
from sottovoce.doors.sip.ports import Account
from sottovoce.phones import tones
from sottovoce.phones.phone import NotRegistered, Phone
from sottovoce.phones.sources import Tone

CUSTOMER, AGENT, INSPECTOR = tones.TONES[:3]
pytestmark = [needs_edge, pytest.mark.timeout(240), pytest.mark.asyncio(loop_scope="module")]


@dataclass
class Site:
    """Sottovoce, its edge, three phones and two agents' clients."""

    served: Served
    edge: Edge
    customer: Phone
    ann: Phone
    ian: Phone
    agent: AgentClient
    inspector: AgentClient

    async def hears(self, **expected: set[int]) -> None:
        """Exactly these tones at each phone, over a second."""
        heard = {}
        for name in expected:
            phone: Phone = getattr(self, name)
            heard[name] = (await phone.hear(settle_s=0.6, patience_s=5.0)).hearing.heard
        assert heard == expected


@pytest_asyncio.fixture(
    scope="module",
    loop_scope="module",
    params=[(), ("REGISTRAR_BEHIND",)],
    ids=["registrar at the edge", "registrar behind"],
)
async def site(request: pytest.FixtureRequest) -> AsyncIterator[Site]:
    async with AsyncExitStack() as stack:
        enter = stack.enter_async_context
        edge = await enter(an_edge(*request.param))
        password = SECRET if request.param else PASSWORD
        served = await enter(serving(sip=edge.settings))
        customer = Phone("5551", lambda: Tone(CUSTOMER))
        await customer.start(PROVIDER)
        stack.push_async_callback(customer.stop)
        await enter(edge.running(served.sip_port, customer.port))
        phones = []
        for number, hz in (("8101", AGENT), ("8102", INSPECTOR)):
            phone = await enter(Phone(number, lambda hz=hz: Tone(hz)))  # type: ignore[misc]
            await phone.register(EDGE, edge.port, Account(number, password), domain=DOMAIN)
            phones.append(phone)
        http = await enter(gateway(served))
        clients = http.agent(101), http.agent(102)
        for client, number in zip(clients, ("8101", "8102"), strict=True):
            await client.sign_in(SECRET, number, autoanswer=True, releasephone=True, status=4)
            await enter(client.polling())
        await clients[0].reset_skills()
        yield Site(served, edge, customer, phones[0], phones[1], *clients)


async def test_a_whisper_through_the_edge_is_heard_by_the_agent_alone(site: Site) -> None:
    site.customer.auto_answer, site.customer.early_media = True, False
    call = await site.customer.call(ACCESS_CODE, via=site.edge.hop)
    await call.talking()
    await site.agent.next_event("AgentEvent_Talking")
    session = (await site.ann.next_call()).session
    assert session is not None
    assert session.remote is not None
    assert session.remote.host == MEDIA, "the agent's media goes through rtpengine"
    await site.hears(customer={AGENT}, ann={CUSTOMER})
    await site.inspector.listen(101)
    await (await site.ian.next_call()).talking()
    await site.inspector.next_event("AgentOther_PhoneOffhook")
    both = {CUSTOMER, AGENT}
    await site.hears(customer={AGENT}, ann={CUSTOMER}, ian=both)
    await site.inspector.switch(101, WHISPER)
    await site.hears(customer={AGENT}, ann={CUSTOMER, INSPECTOR}, ian=both)
    await site.inspector.switch(101, INSERT)
    await site.hears(customer={AGENT, INSPECTOR}, ann={CUSTOMER, INSPECTOR}, ian=both)
    await site.inspector.stop(101)
    await site.hears(customer={AGENT}, ann={CUSTOMER})
    call.hang_up()
    await site.agent.next_event("AgentEvent_Customer_Release")


async def test_a_call_out_goes_to_the_provider_and_its_early_media_is_heard(site: Site) -> None:
    site.customer.auto_answer, site.customer.early_media = False, True
    await site.agent.call_out("5551")
    ringing = await site.customer.next_call()
    await (await site.ann.next_call()).talking()
    assert ringing.called == "5551"
    await site.hears(ann={CUSTOMER})
    assert (await ringing.media.hear()).hearing.heard == set()
    ringing.answer()
    await ringing.talking()
    await site.hears(customer={AGENT}, ann={CUSTOMER})
    ringing.hang_up()
    await site.agent.next_event("AgentEvent_Customer_Release")


async def test_a_phone_calls_a_queue_through_the_edge(site: Site) -> None:
    """With its password: the edge's, or ours where the registrar is ours."""
    call = await site.ian.call(ACCESS_CODE)
    await call.talking()
    await site.agent.next_event("AgentEvent_Talking")
    await site.hears(ian={AGENT}, ann={INSPECTOR})
    call.hang_up()
    await site.agent.next_event("AgentEvent_Customer_Release")


async def test_what_the_edge_forbids(site: Site) -> None:
    """No password no phone, no agent's number from outside, no phone rung by anybody but Sottovoce."""
    async with Phone("stranger") as stranger:
        with pytest.raises(NotRegistered):
            await stranger.register(EDGE, site.edge.port, Account("8101", "guessed"), domain=DOMAIN)
    for caller, called, status in (("8101", ACCESS_CODE, 403), ("5551", "8101", 404)):
        call = await site.customer.call(called, via=site.edge.hop, from_number=caller)
        await call.ended()
        assert call.status == status
