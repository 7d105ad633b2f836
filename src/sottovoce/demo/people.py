"""The people of the demo: agents, customers and the inspector's phone."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass, field

import structlog

from sottovoce.client.ccgateway import AgentClient, Failed, Gateway, GatewayEvent
from sottovoce.demo.voices import recording
from sottovoce.doors.sip.hops import Hop
from sottovoce.doors.sip.ports import Account
from sottovoce.media import wav
from sottovoce.phones.phone import Phone
from sottovoce.phones.sources import Source, Speech

log = structlog.get_logger(__name__)

SETTLING_S = 1.0
"""Between a call's end and the next dialling, at least."""


@dataclass(frozen=True, slots=True)
class Person:
    """Someone with a phone and a voice. `number` is the phone's."""

    name: str
    number: str
    voice: str
    password: str = ""
    """The SIP account's; customers who come by the trunk have none."""
    agent: int = 0
    """The work number of agents and inspectors."""
    agent_password: str = ""

    def speaking(self, begin_s: float = 0.0) -> Callable[[], Source]:
        """Makes what the microphone carries: `begin_s` of silence, then the recording again and again."""
        samples = wav.read(recording(self.voice))
        return lambda: Speech(samples, pause_s=1.2, begin_s=begin_s)

    def __repr__(self) -> str:
        return f"Person({self.name}, {self.number})"


@dataclass(slots=True)
class DemoAgent:
    """An agent at work: a phone that answers by itself, and a client that polls."""

    person: Person
    phone: Phone
    client: AgentClient
    state: str = "signing in"
    customer: str = ""
    """The caller's number while talking."""
    call: str = ""
    held: bool = False
    supervised: dict[int, str] = field(default_factory=dict)
    """Inspector to mode, as the agent is told."""

    def note(self, event: GatewayEvent) -> None:
        """Keep up with what the gateway tells."""
        content = event.content if isinstance(event.content, dict) else {}
        match event.kind:
            case "AgentState_Ready":
                self.state, self.customer, self.call = "idle", "", ""
            case "AgentState_Busy":
                self.state = "ringing"
            case "AgentState_SetNotReady_Success":
                self.state = "busy"
            case "AgentEvent_Talking":
                self.state, self.held = "talking", False
                self.customer = str(content.get("caller", ""))
                self.call = str(content.get("callid", ""))
            case "AgentEvent_Hold":
                self.held = True
            case "AgentEvent_Call_Release" | "AgentEvent_Customer_Release":
                self.customer, self.held = "", False
            case "AgentOther_BeQcStart":
                self.supervised[int(content["qcAgentId"])] = MODES.get(int(content["qcType"]), "supervised")
            case "AgentOther_BeQcStop":
                self.supervised.pop(int(content["qcAgentId"]), None)


MODES = {8: "listen", 9: "insert", 20172: "whisper", 20173: "whisper"}
"""qcType of AgentOther_BeQcStart."""


async def start_agent(person: Person, gateway: Gateway, sip: Hop) -> DemoAgent:
    """Register the agent's phone and sign the agent in."""
    phone = Phone(person.name, person.speaking(begin_s=0.8), answer_after_s=0.6)
    await phone.start()
    await phone.register(sip.host, sip.port, Account(person.number, person.password))
    client = gateway.agent(person.agent)
    agent = DemoAgent(person, phone, client)
    client.subscribe(agent.note)
    await client.sign_in(person.agent_password, person.number, autoanswer=True, releasephone=True)
    return agent


@dataclass(slots=True)
class Customer:
    """A customer who calls again and again."""

    person: Person
    phone: Phone
    random: random.Random
    talk_s: tuple[float, float] = (45.0, 90.0)
    pause_s: tuple[float, float] = (3.0, 8.0)
    first_s: float | None = None
    """How long the first call is, where not as long as others."""
    calls: int = 0

    @property
    def brief(self) -> bool:
        """Whether the call in progress is the short one."""
        return self.first_s is not None and self.calls <= 1

    async def live(self, sip: Hop, access_code: str, begin_s: float) -> None:
        """Call, talk, hang up, pause; for ever."""
        await asyncio.sleep(begin_s)
        while True:
            call = await self.phone.call(
                access_code, via=None if self.person.password else sip, from_number=self.person.number
            )
            self.calls += 1
            try:
                await call.talking(60.0)
                length = self.first_s if self.brief else self.random.uniform(*self.talk_s)
                await asyncio.wait_for(call.ended(3600.0), length)
            except TimeoutError:
                call.hang_up()
            except ConnectionError as failure:
                log.info("a customer was not served", customer=self.person.name, why=str(failure))
            await asyncio.sleep(SETTLING_S + self.random.uniform(*self.pause_s))


async def start_customer(person: Person, sip: Hop, host: str, seed: int) -> Customer:
    """A customer's phone: at `host`, which is a trunk, or registered where the person has an account."""
    phone = Phone(person.name, person.speaking(begin_s=2.5))
    await phone.start(host)
    if person.password:
        await phone.register(sip.host, sip.port, Account(person.number, person.password))
    return Customer(person, phone, random.Random(seed))


async def start_inspector(person: Person, sip: Hop) -> Phone:
    """The inspector's built-in phone: answers and speaks all the time; who hears it is the server's say."""
    phone = Phone(person.name, person.speaking(), answer_after_s=0.3)
    await phone.start()
    await phone.register(sip.host, sip.port, Account(person.number, person.password, None))
    return phone


async def sign_out(agent: DemoAgent) -> None:
    """The end of an agent's day."""
    if agent.client.guid is not None:
        try:
            await agent.client.sign_out()
        except (Failed, OSError) as failure:
            log.info("sign-out failed", agent=agent.person.agent, why=str(failure))
    await agent.phone.stop()
