"""The walk: every mode of supervision and back, and who must hear whom after each step.

The expectations are written out by hand from the interface's meaning (CEC "API Reference",
cec_07_2400 ff.), not taken from the server's table: the two must agree.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from sottovoce.client.ccgateway import INSERT, LISTEN, WHISPER, AgentClient
from sottovoce.selftest.findings import Hears, Party
from sottovoce.selftest.parties import IDLE, NEXT_CUSTOMER_TONE, PATIENCE_S, TALKING, TONE, Parties

C, A, I = Party.CUSTOMER, Party.AGENT, Party.INSPECTOR  # noqa: E741 - the letters of the matrix
B = Party.COLLEAGUE


def hears(*, customer: str = "", agent: str = "", colleague: str = "", inspector: str = "") -> Hears:
    """A table from letters: `hears(customer="A", agent="CI")`."""
    letters = {"C": C, "A": A, "B": B, "I": I}
    rows = {C: customer, A: agent, B: colleague, I: inspector}
    return {listener: frozenset(letters[letter] for letter in heard) for listener, heard in rows.items()}


ALONE = hears(customer="A", agent="C")
LISTENED = hears(customer="A", agent="C", inspector="CA")
WHISPERED = hears(customer="A", agent="CI", inspector="CA")
INSERTED = hears(customer="AI", agent="CI", inspector="CA")
HELD_LISTENED = hears(inspector="A")
HELD_SPOKEN = hears(agent="I", inspector="A")
MUTED_WHISPERED = hears(agent="CI", inspector="C")
INTERCEPTED = hears(customer="I", inspector="C")
# The colleague is consulted while the customer is held; then all three talk; then colleague and customer.
CONSULT = {
    "alone": hears(agent="B", colleague="A"),
    "listen": hears(agent="B", colleague="A", inspector="AB"),
    "whisper": hears(agent="BI", colleague="A", inspector="AB"),
    "insert": hears(agent="BI", colleague="AI", inspector="AB"),
}
JOINED = {
    "listen": hears(customer="AB", agent="CB", colleague="CA", inspector="CAB"),
    "whisper": hears(customer="AB", agent="CBI", colleague="CA", inspector="CAB"),
    "insert": hears(customer="ABI", agent="CBI", colleague="CAI", inspector="CAB"),
    "muted": hears(customer="BI", agent="CBI", colleague="CI", inspector="CB"),
}
LEFT = {
    "alone": hears(customer="B", colleague="C"),
    "listen": hears(customer="B", colleague="C", inspector="CB"),
    "whisper": hears(customer="B", colleague="CI", inspector="CB"),
    "insert": hears(customer="BI", colleague="CI", inspector="CB"),
}


Do = Callable[[Parties], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class Step:
    """One step: what is asked of the server (or done to a phone), and who hears whom then."""

    name: str
    request: str
    do: Do
    hears: Hears
    whisper: bool = False
    """A whisper begins here: its leakage is measured against the second before."""
    colleague: bool = False
    """Whether the colleague takes part."""


async def _customer_calls(parties: Parties) -> None:
    await parties.call_in(TONE[C])


def _target(parties: Parties, whom: Party) -> int:
    return parties.target if whom is A else parties.colleague.agent


def _supervise(ask: Callable[[AgentClient, int], Awaitable[object]], whom: Party = A) -> Do:
    """The inspector goes to the agent, or the colleague, in one of the modes."""

    async def do(parties: Parties) -> None:
        await ask(parties.inspector, _target(parties, whom))
        await parties.connected(I)

    return do


def _leave(ask: Callable[[AgentClient, int], Awaitable[object]], whom: Party = A) -> Do:
    """The inspector ends the supervision."""

    async def do(parties: Parties) -> None:
        await ask(parties.inspector, _target(parties, whom))
        await parties.until(parties.inspector, IDLE)

    return do


def _switch(mode: int, whom: Party = A) -> Do:
    """The inspector changes to a mode."""
    return lambda parties: parties.inspector.switch(_target(parties, whom), mode)


def _handle(ask: Callable[[AgentClient], Awaitable[object]]) -> Do:
    """The agent does something with the call."""
    return lambda parties: ask(parties.agent)


_listen, _insert = _supervise(AgentClient.listen), _supervise(AgentClient.insert)
_whisper = _supervise(AgentClient.whisper)
_stop, _stop_whisper = _leave(AgentClient.stop), _leave(AgentClient.stop_whisper)
_to_listen, _to_insert, _to_whisper = _switch(LISTEN), _switch(INSERT), _switch(WHISPER)
_hold, _take_back = _handle(AgentClient.hold), _handle(AgentClient.take_back)
_listen_there = _supervise(AgentClient.listen, B)
_to_whisper_there, _to_insert_there = _switch(WHISPER, B), _switch(INSERT, B)
_stop_there = _leave(AgentClient.stop, B)
_mute, _unmute = _handle(AgentClient.mute), _handle(AgentClient.unmute)


async def _toggle(parties: Parties) -> None:
    await parties.inspector.toggle(parties.target)


async def _inspector_hangs_up(parties: Parties) -> None:
    parties.agent.forget_events()
    call = parties.phones[I].talking
    if call is None:
        raise ConnectionError("the inspector's phone has no call to hang up")
    call.hang_up()
    await parties.agent.next_event("AgentOther_BeQcStop", timeout=PATIENCE_S)
    await parties.until(parties.inspector, IDLE)


async def _intercept(parties: Parties) -> None:
    await parties.inspector.intercept(parties.target)
    await parties.until(parties.inspector, TALKING)


async def _next_customer(parties: Parties) -> None:
    await parties.inspector.release()
    await parties.until(parties.inspector, IDLE)
    await parties.until(parties.agent, IDLE)
    await parties.inspector.say_busy()
    await parties.call_in(NEXT_CUSTOMER_TONE)
    await parties.inspector.ask("POST", f"/onlineagent/{parties.inspector.agent}/cancelbusy")
    await parties.until(parties.inspector, IDLE)


async def _consult(parties: Parties) -> None:
    await parties.agent.consult(parties.colleague.agent)
    await parties.until(parties.colleague, TALKING)


async def _ask_in(parties: Parties) -> None:
    await parties.agent.consult(parties.colleague.agent, joins=True)
    await parties.until(parties.colleague, TALKING)


async def _join(parties: Parties) -> None:
    await parties.agent.join((await parties.agent.call_ids())[-1])


async def _agent_leaves(parties: Parties) -> None:
    await parties.agent.release()
    await parties.until(parties.agent, IDLE)


async def _colleague_hands_back(parties: Parties) -> None:
    await parties.colleague.transfer(parties.target)
    await parties.until(parties.agent, TALKING)
    await parties.until(parties.colleague, IDLE)


async def _colleague_out(parties: Parties) -> None:
    await parties.agent.disconnect(str(parties.colleague.agent))
    await parties.until(parties.colleague, IDLE)


async def _inspector_is_lost(parties: Parties) -> None:
    parties.agent.forget_events()
    await parties.phones[I].vanish()
    await parties.agent.next_event("AgentOther_BeQcStop", timeout=parties.stage.media_timeout_s + PATIENCE_S)
    await asyncio.sleep(0)


_HELP, _HELP_IN = "POST voicecall innerhelp", "POST voicecall innerhelp, mode 2"
_SWITCH = "POST requestswitchinsertwhisperagent switchtype="
SEVERAL: tuple[Step, ...] = tuple(
    Step(name, request, do, table, whisper, colleague=True)
    for name, request, do, table, whisper in (
        ("a colleague is consulted", _HELP, _consult, CONSULT["alone"], False),
        ("listen to the consult", "PUT addsupervise/{agent}", _listen, CONSULT["listen"], False),
        ("consult: listen -> whisper", f"{_SWITCH}2", _to_whisper, CONSULT["whisper"], False),
        ("consult: whisper -> insert", f"{_SWITCH}1", _to_insert, CONSULT["insert"], False),
        ("joined: insert -> listen by itself", "POST voicecall confjoin", _join, JOINED["listen"], False),
        ("joined: listen -> whisper", f"{_SWITCH}2", _to_whisper, JOINED["whisper"], True),
        ("joined: whisper -> insert", f"{_SWITCH}1", _to_insert, JOINED["insert"], False),
        ("joined: the agent muted", "POST voicecall beginmute", _mute, JOINED["muted"], False),
        ("the inserted one's agent leaves", "DELETE voicecall release", _agent_leaves, LEFT["alone"], False),
        ("leave", "DELETE qualitycontrol/{agent}", _stop, LEFT["alone"], False),
        ("listen to the colleague", "PUT addsupervise/{colleague}", _listen_there, LEFT["listen"], False),
        ("colleague: listen -> whisper", f"{_SWITCH}2", _to_whisper_there, LEFT["whisper"], True),
        ("colleague: whisper -> insert", f"{_SWITCH}1", _to_insert_there, LEFT["insert"], False),
        ("the colleague hands the call back", "POST voicecall transfer", _colleague_hands_back, ALONE, False),
        ("leave", "DELETE qualitycontrol/{colleague}", _stop_there, ALONE, False),
        ("whisper", "POST requestwhisperagent", _whisper, WHISPERED, True),
        ("asked in while whispered at", _HELP_IN, _ask_in, JOINED["whisper"], False),
        ("the colleague is taken out", "POST voicecall disconnect", _colleague_out, WHISPERED, False),
        ("stop whispering", "POST requeststopwhisperagent", _stop_whisper, ALONE, False),
    )
)
"""A consult, a conference, transfers and who leaves, in each mode of supervision. They begin and end with the
agent alone with the customer."""

WALK: tuple[Step, ...] = (
    Step("a customer talks to the agent", "customer dials the access code", _customer_calls, ALONE),
    Step("listen", "PUT addsupervise/{agent}", _listen, LISTENED),
    Step(
        "listen -> whisper", "POST requestswitchinsertwhisperagent switchtype=2", _to_whisper, WHISPERED, True
    ),
    Step("whisper -> listen", "POST requestswitchinsertwhisperagent switchtype=0", _to_listen, LISTENED),
    Step("listen -> insert", "POST requestswitchinsertwhisperagent switchtype=1", _to_insert, INSERTED),
    Step("insert -> listen", "POST switch/{agent}", _toggle, LISTENED),
    Step("hold while listening", "POST voicecall hold", _hold, HELD_LISTENED),
    Step("taken back", "POST voicecall gethold", _take_back, LISTENED),
    Step("listen -> insert", "POST switch/{agent}", _toggle, INSERTED),
    Step("hold while inserting", "POST voicecall hold", _hold, HELD_SPOKEN),
    Step("taken back", "POST voicecall gethold", _take_back, INSERTED),
    Step("insert -> whisper", "POST requestswitchinsertwhisperagent switchtype=2", _to_whisper, WHISPERED),
    Step("hold while whispering", "POST voicecall hold", _hold, HELD_SPOKEN),
    Step("taken back", "POST voicecall gethold", _take_back, WHISPERED),
    Step("agent muted while whispering", "POST voicecall beginmute", _mute, MUTED_WHISPERED),
    Step("agent unmuted", "POST voicecall endmute", _unmute, WHISPERED),
    Step("whisper -> insert", "POST requestswitchinsertwhisperagent switchtype=1", _to_insert, INSERTED),
    Step("leave", "DELETE qualitycontrol/{agent}", _stop, ALONE),
    Step("whisper", "POST requestwhisperagent", _whisper, WHISPERED, True),
    Step("stop whispering", "POST requeststopwhisperagent", _stop_whisper, ALONE),
    Step("insert", "PUT addinsert/{agent}", _insert, INSERTED),
    Step("leave", "DELETE qualitycontrol/{agent}", _stop, ALONE),
    Step("whisper", "POST requestwhisperagent", _whisper, WHISPERED, True),
    Step("inspector hangs up", "BYE from the inspector's phone", _inspector_hangs_up, ALONE),
    Step("listen", "PUT addsupervise/{agent}", _listen, LISTENED),
    Step("intercept", "PUT intercept/{agent}", _intercept, INTERCEPTED),
    Step("the next customer, same leg", "release; another customer dials", _next_customer, ALONE),
    *SEVERAL,
    Step("whisper", "POST requestwhisperagent", _whisper, WHISPERED, True),
    Step("inspector lost", "the inspector's phone falls silent", _inspector_is_lost, ALONE),
)
