"""The walk: every mode of supervision and back, and who must hear whom after each step.

The expectations are written out by hand from the interface's meaning (CEC "API Reference",
cec_07_2400 ff.), not taken from the server's table: the two must agree.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from sottovoce.client.ccgateway import INSERT, LISTEN, WHISPER
from sottovoce.selftest.findings import Hears, Party
from sottovoce.selftest.parties import IDLE, NEXT_CUSTOMER_TONE, PATIENCE_S, TALKING, TONE, Parties

C, A, I = Party.CUSTOMER, Party.AGENT, Party.INSPECTOR  # noqa: E741 - the three letters of the matrix


def hears(*, customer: str = "", agent: str = "", inspector: str = "") -> Hears:
    """A table from letters: `hears(customer="A", agent="CI")`."""
    letters = {"C": C, "A": A, "I": I}
    rows = {C: customer, A: agent, I: inspector}
    return {listener: frozenset(letters[letter] for letter in heard) for listener, heard in rows.items()}


ALONE = hears(customer="A", agent="C")
LISTENED = hears(customer="A", agent="C", inspector="CA")
WHISPERED = hears(customer="A", agent="CI", inspector="CA")
INSERTED = hears(customer="AI", agent="CI", inspector="CA")
HELD_LISTENED = hears(inspector="A")
HELD_SPOKEN = hears(agent="I", inspector="A")
MUTED_WHISPERED = hears(agent="CI", inspector="C")
INTERCEPTED = hears(customer="I", inspector="C")


@dataclass(frozen=True, slots=True)
class Step:
    """One step: what is asked of the server (or done to a phone), and who hears whom then."""

    name: str
    request: str
    do: Callable[[Parties], Awaitable[None]]
    hears: Hears
    whisper: bool = False
    """A whisper begins here: its leakage is measured against the second before."""


async def _customer_calls(parties: Parties) -> None:
    await parties.call_in(TONE[C])


async def _listen(parties: Parties) -> None:
    await parties.inspector.listen(parties.target)
    await parties.connected(I)


async def _whisper(parties: Parties) -> None:
    await parties.inspector.whisper(parties.target)
    await parties.connected(I)


async def _insert(parties: Parties) -> None:
    await parties.inspector.insert(parties.target)
    await parties.connected(I)


async def _to_listen(parties: Parties) -> None:
    await parties.inspector.switch(parties.target, LISTEN)


async def _to_insert(parties: Parties) -> None:
    await parties.inspector.switch(parties.target, INSERT)


async def _to_whisper(parties: Parties) -> None:
    await parties.inspector.switch(parties.target, WHISPER)


async def _toggle(parties: Parties) -> None:
    await parties.inspector.toggle(parties.target)


async def _hold(parties: Parties) -> None:
    await parties.agent.hold()


async def _take_back(parties: Parties) -> None:
    await parties.agent.take_back()


async def _mute(parties: Parties) -> None:
    await parties.agent.mute()


async def _unmute(parties: Parties) -> None:
    await parties.agent.unmute()


async def _stop(parties: Parties) -> None:
    await parties.inspector.stop(parties.target)
    await parties.until(parties.inspector, IDLE)


async def _stop_whisper(parties: Parties) -> None:
    await parties.inspector.stop_whisper(parties.target)
    await parties.until(parties.inspector, IDLE)


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


async def _inspector_is_lost(parties: Parties) -> None:
    parties.agent.forget_events()
    await parties.phones[I].vanish()
    await parties.agent.next_event("AgentOther_BeQcStop", timeout=parties.stage.media_timeout_s + PATIENCE_S)
    await asyncio.sleep(0)


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
    Step("whisper", "POST requestwhisperagent", _whisper, WHISPERED, True),
    Step("inspector lost", "the inspector's phone falls silent", _inspector_is_lost, ALONE),
)
