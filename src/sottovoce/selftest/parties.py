"""Those who take part in a selftest: phones with a tone each; agent, inspector, perhaps a colleague at the
gateway."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import AsyncExitStack, asynccontextmanager

from sottovoce.client.ccgateway import AgentClient, Gateway
from sottovoce.domain.audio import FRAME
from sottovoce.doors.sip.hops import Hop
from sottovoce.doors.sip.ports import Account
from sottovoce.phones import tones
from sottovoce.phones.ear import Ear
from sottovoce.phones.media import Second
from sottovoce.phones.phone import Phone, PhoneCall
from sottovoce.phones.sources import Source, Tone
from sottovoce.phones.tones import Samples
from sottovoce.selftest.findings import Party
from sottovoce.selftest.stage import Stage, StagedAgent

TONE = {
    Party.CUSTOMER: tones.TONES[0],
    Party.AGENT: tones.TONES[1],
    Party.INSPECTOR: tones.TONES[2],
    Party.COLLEAGUE: tones.TONES[4],
}
NEXT_CUSTOMER_TONE = tones.TONES[3]
"""The second customer's, who meets the first one's slot and port."""
SETTLE_S = 0.5
"""From a command's answer to the beginning of the second that is judged: jitter buffers fill meanwhile."""
PATIENCE_S = 15.0
IDLE, TALKING = 4, 7
STEADY_S = 6.0
"""How long a busy machine is given for one second without a lost frame."""


class Echo:
    """A voice whose microphone also hears the loudspeaker, 6 dB softer."""

    def __init__(self, voice: Source, ear: Callable[[], Ear | None]) -> None:
        self._voice = voice
        self._ear = ear
        self._at: int | None = None

    def frame(self) -> Samples:
        """The next 160 samples: the voice, and half of what the ear heard 60 ms ago."""
        said = self._voice.frame()
        ear = self._ear()
        if ear is None:
            return said
        if self._at is None or not 0 <= ear.end - self._at <= 10 * FRAME:
            self._at = max(0, ear.end - 3 * FRAME)
        heard = ear.window(self._at, FRAME)
        self._at += FRAME
        mixed: Samples = (said + heard // 2).astype(said.dtype)
        return mixed


class Parties:
    """The phones and the agents' clients; the steps act on them."""

    def __init__(self, stage: Stage, gateway: Gateway) -> None:
        self.stage = stage
        self.inspector: AgentClient = gateway.agent(stage.inspector.agent)
        self.agent: AgentClient = gateway.agent(stage.agent.agent)
        self.seated = [
            (Party.AGENT, self.agent, stage.agent),
            (Party.INSPECTOR, self.inspector, stage.inspector),
        ]
        """Who signs in, and where."""
        if stage.colleague is not None:
            client = gateway.agent(stage.colleague.agent)
            self.seated.append((Party.COLLEAGUE, client, stage.colleague))
        self.phones: dict[Party, Phone] = {}
        self.customer_tone = TONE[Party.CUSTOMER]
        self.customer_call: PhoneCall | None = None

    @property
    def target(self) -> int:
        """The supervised agent's work number."""
        return self.stage.agent.agent

    @property
    def colleague(self) -> AgentClient:
        """The other agent's client; StopIteration where the stage has none."""
        return next(client for party, client, _ in self.seated if party is Party.COLLEAGUE)

    def tone_of(self, party: Party) -> int:
        """The tone in Hz that a party sends now; a second customer has another one."""
        return self.customer_tone if party is Party.CUSTOMER else TONE[party]

    # -- coming and going

    async def enter(self) -> None:
        """Start and register the phones, sign in the agents; no call comes to the colleague from a queue."""
        await self._start_customer()
        for party, client, staged in self.seated:
            await self._start_phone(party, staged)
            await client.sign_in(
                staged.password,
                staged.phone,
                skills=() if party is Party.COLLEAGUE else None,
                autoanswer=True,
                autoenteridle=True,
                releasephone=party is Party.INSPECTOR,
                status=IDLE,
            )

    async def leave(self) -> None:
        """Sign out, hang up, close."""
        for _, client, _ in reversed(self.seated):
            if client.guid is not None:
                await client.sign_out()
        for phone in self.phones.values():
            await phone.stop()

    async def _start_customer(self) -> None:
        phone = Phone("customer", lambda: Tone(self.customer_tone))
        self.phones[Party.CUSTOMER] = phone
        await phone.start(self.stage.customer_host if self.stage.customer is None else self.stage.phone_host)
        if self.stage.customer is not None:
            await self._register(phone, self.stage.customer)

    async def _start_phone(self, party: Party, staged: StagedAgent) -> None:
        hz = TONE[party]
        phone = self.phones[party] = Phone(party.value, lambda: Tone(hz))
        await phone.start(self.stage.phone_host)
        await self._register(phone, staged.account)

    async def _register(self, phone: Phone, account: Account) -> None:
        stage = self.stage
        await phone.register(
            stage.sip_host, stage.sip_port, account, domain=stage.sip_domain, transport=stage.transport
        )

    # -- the call

    async def call_in(self, hz: int) -> None:
        """A customer with that tone calls, and the agent answers."""
        self.customer_tone = hz
        phone = self.phones[Party.CUSTOMER]
        stage = self.stage
        via = None if stage.customer is not None else Hop(stage.transport, stage.sip_host, stage.sip_port)
        self.customer_call = await phone.call(stage.access_code, via=via, domain=stage.sip_domain)
        await self.customer_call.talking(PATIENCE_S)
        await self.until(self.agent, TALKING)

    async def customer_leaves(self) -> None:
        """The customer hangs up, and agent and inspector become idle."""
        call = self.customer_call
        if call is not None:
            call.hang_up()
            await call.ended()
        await self.until(self.agent, IDLE)

    async def until(self, client: AgentClient, state: int) -> None:
        """Wait until an agent is in that state, asking; TimeoutError if it is not."""
        try:
            async with asyncio.timeout(PATIENCE_S):
                while await client.status() != state:  # noqa: ASYNC110 - another process's state
                    await asyncio.sleep(0.05)
        except TimeoutError:
            raise TimeoutError(f"agent {client.agent} did not come into state {state}") from None

    async def connected(self, party: Party) -> None:
        """Wait until that party's phone talks."""
        phone = self.phones[party]
        call = phone.talking or (phone.calls[-1] if phone.calls else await phone.next_call(PATIENCE_S))
        await call.talking(PATIENCE_S)

    # -- hearing

    async def hear(
        self, *, steady: Collection[Party] = tuple(Party), settle_s: float = SETTLE_S
    ) -> dict[Party, Second]:
        """A second at every phone, an undisturbed one at those of `steady` (music never is)."""
        await asyncio.sleep(settle_s)
        seconds = await asyncio.gather(
            *(
                phone.hear(patience_s=STEADY_S if party in steady else 0.0)
                for party, phone in self.phones.items()
            )
        )
        return dict(zip(self.phones, seconds, strict=True))

    async def hear_at(self, party: Party) -> Second:
        """An undisturbed second at one phone."""
        return await self.phones[party].hear(patience_s=STEADY_S)


@asynccontextmanager
async def taking_part(stage: Stage) -> AsyncIterator[Parties]:
    """All phones registered and both agents signed in and idle; undone when the block ends."""
    async with AsyncExitStack() as stack:
        gateway = Gateway(stage.http_url, verify=stage.verify_tls)
        stack.push_async_callback(gateway.close)
        parties = Parties(stage, gateway)
        stack.push_async_callback(parties.leave)
        await parties.enter()
        for _, client, _ in parties.seated:
            await stack.enter_async_context(client.polling())
            await parties.until(client, IDLE)
        yield parties
