"""A supervised call at a server of its own: who hears whom must not change, whatever is thrown at the server.

Customer, agent and a whispering inspector each send a tone of their own. `Standing.unharmed` is asserted
after every group of attacks.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from tests.e2e.served import (
    ACCESS_CODE,
    LOOPBACK,
    OUTSIDE,
    SECRET,
    Served,
    gateway,
    serving,
)

from sottovoce.client.ccgateway import AgentClient
from sottovoce.doors.sip.ports import Account
from sottovoce.phones import tones
from sottovoce.phones.phone import CallState, Phone, PhoneCall
from sottovoce.phones.sources import Tone

CUSTOMER, AGENT, INSPECTOR, INTRUDER = tones.TONES[:4]
"""Hz. The intruder's is what forged packets carry: nobody may ever hear it."""
WHO_HEARS_WHOM = {
    CUSTOMER: [AGENT],
    AGENT: sorted([CUSTOMER, INSPECTOR]),
    INSPECTOR: sorted([CUSTOMER, AGENT]),
}
"""While the inspector whispers."""
PATIENT = """
[agents]
sign_out_after = 3600
supervision_lease = 600
"""
"""Ian and Ina do not poll, and a test may take a busy machine longer than the lease of a supervision."""
PATIENCE_S = 6.0
"""How long a busy machine is given for one second without a lost frame."""


@dataclass
class Standing:
    """The server, its agents (Ann talks, Ian whispers to Ann, Ina is idle), and the phones' calls."""

    served: Served
    ann: AgentClient
    ian: AgentClient
    ina: AgentClient
    phones: dict[int, Phone]
    """By the tone that they send."""
    calls: dict[int, PhoneCall] = field(default_factory=dict)
    call_ids: list[str] = field(default_factory=list)

    async def unharmed(self, tries: int = 3) -> None:
        """Assert that the calls stand, everybody hears whom they heard, and nothing broke inside.

        Whoever is not heard is listened for again: a busy machine may stop a phone for a second.
        """
        await asyncio.sleep(0.2)
        for hz, call in self.calls.items():
            assert call.state is CallState.TALKING, f"the call of {hz} Hz is {call.state}"
            assert self.phones[hz].calls == [call], "a phone got a call from nowhere"
        for last in reversed(range(tries)):
            heard = await asyncio.gather(
                *(call.media.hear(patience_s=PATIENCE_S) for call in self.calls.values()),
            )
            found = {hz: sorted(second.hearing.heard) for hz, second in zip(self.calls, heard, strict=True)}
            if found == WHO_HEARS_WHOM:
                break
            too_much = any(set(found[hz]) - set(WHO_HEARS_WHOM[hz]) for hz in found)
            assert last, f"heard by each: {found}"
            assert not too_much, f"heard by each: {found}"
        assert await self.ann.call_ids() == self.call_ids
        troubles = self.troubles()
        assert not troubles, troubles

    def told(self) -> list[dict[str, Any]]:
        """What the server logged; every line is JSON."""
        return [json.loads(line) for line in self.served.log.read_text().splitlines()]

    def troubles(self) -> list[dict[str, Any]]:
        """Errors and tracebacks in the log."""
        return [
            record
            for record in self.told()
            if "exception" in record
            or record.get("level") in ("error", "critical")
            or "Traceback" in json.dumps(record)
        ]


@asynccontextmanager
async def standing_call() -> AsyncIterator[Standing]:
    """A served installation with the call, gone with the block."""
    async with AsyncExitStack() as stack:
        served = await stack.enter_async_context(serving(PATIENT))
        client = await stack.enter_async_context(gateway(served))
        phones = {hz: Phone(str(hz), partial(Tone, hz)) for hz in (CUSTOMER, AGENT, INSPECTOR)}
        for hz, phone in phones.items():
            await phone.start(OUTSIDE if hz == CUSTOMER else LOOPBACK)
            stack.push_async_callback(phone.stop)
        standing = Standing(served, client.agent(101), client.agent(102), client.agent(103), phones)
        for agent, hz, number in ((standing.ann, AGENT, "8101"), (standing.ian, INSPECTOR, "8102")):
            await phones[hz].register(LOOPBACK, served.sip_port, Account(number, SECRET))
            await agent.sign_in(SECRET, number)
        await standing.ina.sign_in(SECRET, "8103")
        await stack.enter_async_context(standing.ann.polling())
        call = await phones[CUSTOMER].call(ACCESS_CODE, via=served.hop)
        await call.talking()
        await standing.ann.next_event("AgentEvent_Talking")
        await standing.ian.whisper(101)
        await standing.ann.next_event("AgentOther_BeQcStart")
        await phones[INSPECTOR].calls[0].talking()
        standing.calls = {hz: phone.calls[0] for hz, phone in phones.items()}
        standing.call_ids = await standing.ann.call_ids()
        await standing.unharmed(tries=20)
        yield standing
