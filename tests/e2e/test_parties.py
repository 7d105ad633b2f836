"""Consult, conference and transfer on a server of its own, with SIP phones that hear each other's tones."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack

import pytest
from tests.e2e.conftest import ACCESS_CODE, AGENTS, INSPECTORS, WORD, vdn

from sottovoce.client.ccgateway import AgentClient, Gateway
from sottovoce.demo.trial import trial_server
from sottovoce.doors.sip.ports import Account
from sottovoce.phones import tones
from sottovoce.phones.phone import Phone
from sottovoce.phones.sources import Tone

TONES = dict(zip("CABI", tones.TONES, strict=False))
NUMBERS = {"C": INSPECTORS[302], "A": AGENTS[101], "B": AGENTS[102], "I": INSPECTORS[301]}
"""The customer calls from the phone of an inspector who is not at work."""
pytestmark = pytest.mark.timeout(180)


async def until(phones: dict[str, Phone], expected: str) -> None:
    """Wait until each phone hears exactly what `C:AB A:BC` says of it; music is no tone."""
    wanted = {who: set(heard) - {"-"} for who, heard in (row.split(":") for row in expected.split())}
    names = {hertz: who for who, hertz in TONES.items()}
    heard: dict[str, set[str]] = {}
    for _ in range(10):
        seconds = await asyncio.gather(*(phones[who].hear(settle_s=0.3, patience_s=3.0) for who in wanted))
        found = zip(wanted, seconds, strict=True)
        heard = {who: {names[hertz] for hertz in second.hearing.heard} for who, second in found}
        if heard == wanted:
            return
    assert heard == wanted


async def test_a_shift_with_a_colleague_while_an_inspector_whispers() -> None:
    async with AsyncExitStack() as stack:
        enter = stack.enter_async_context
        server = await enter(trial_server(vdn()))
        phones: dict[str, Phone] = {}
        for who, number in NUMBERS.items():
            phones[who] = await enter(Phone(who, lambda hertz=TONES[who]: Tone(hertz)))  # type: ignore[misc]
            await phones[who].register(server.sip_host, server.sip_port, Account(number, WORD))
        gateway = Gateway(server.http_url)
        stack.push_async_callback(gateway.close)
        ann, bob, ina = (gateway.agent(agent) for agent in (101, 102, 301))
        for client, who in ((ann, "A"), (bob, "B"), (ina, "I")):
            await client.sign_in(WORD, NUMBERS[who], autoanswer=True, releasephone=True, status=4)
            await enter(client.polling())
        await bob.say_busy()
        customer = await phones["C"].call(ACCESS_CODE)
        await customer.talking()
        await until({**phones}, "C:A A:C")
        call = (await ann.call_ids())[0]
        await bob.ask("POST", "/onlineagent/102/cancelbusy")
        await ina.whisper(101)
        await until(phones, "C:A A:CI I:AC")

        await say(ann, "innerhelp", dstaddress="102")
        await until(phones, "C:- A:BI B:A I:AB")
        await say(ann, "confjoin", callid=call)
        await until(phones, "C:AB A:BCI B:AC I:ABC")
        await ann.release()
        await until(phones, "C:B B:C I:-")
        await say(bob, "transfer", devicetype=2, mode=2, address="101")
        await until(phones, "C:A A:CI I:AC")
        await say(ann, "transfer", devicetype=2, mode=0, address="102")
        await until(phones, "C:B B:C I:-")
        customer.hang_up()
        await customer.ended()


async def say(client: AgentClient, what: str, **body: object) -> None:
    """A command of voicecall; raises Failed when it is refused."""
    await client.ask("POST", f"/voicecall/{client.agent}/{what}", body=body)
