"""The inspector's walks without a hand: listen, whisper, listen, leave, whisper, stop whispering; and
afterwards create, appoint, complete, terminate.

For those without ears (or a machine without a sound card): after every request it is said who is
heard by whom in the phones' own audio, and whether that is right.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from rich.console import Console

from sottovoce.client.ccgateway import LISTEN, WHISPER, AgentClient
from sottovoce.client.ccsqm import QualityFailure
from sottovoce.demo.afterwards import CALLS, TERMINATED, Afterwards, walk
from sottovoce.demo.meters import Heard
from sottovoce.demo.people import DemoAgent

LISTEN_FOR_S = 25.0
"""How long at most is waited until all have spoken and everybody is heard by exactly those who should."""
PASSING_S = 1.6
"""After a command: until no meter looks at a second that began before it."""

CALLS_WITHIN_S = 90.0
"""How long at most is waited for calls that are over."""


@dataclass(frozen=True, slots=True)
class Act:
    """One request, and which voices must then be heard: listener to talkers, by role."""

    name: str
    do: Callable[[AgentClient, int], Awaitable[object]]
    hears: Mapping[str, frozenset[str]]


def _table(customer: str, agent: str, inspector: str) -> dict[str, frozenset[str]]:
    return {
        "customer": frozenset(customer.split()),
        "agent": frozenset(agent.split()),
        "inspector": frozenset(inspector.split()),
    }


ALONE = _table("agent", "customer", "")
LISTENED = _table("agent", "customer", "agent customer")
WHISPERED = _table("agent", "customer inspector", "agent customer")

ACTS = (
    Act("listen (addsupervise)", lambda client, target: client.listen(target), LISTENED),
    Act("whisper (switchtype=2)", lambda client, target: client.switch(target, WHISPER), WHISPERED),
    Act("back to listening (switchtype=0)", lambda client, target: client.switch(target, LISTEN), LISTENED),
    Act("leave (DELETE)", lambda client, target: client.stop(target), ALONE),
    Act("whisper (requestwhisperagent)", lambda client, target: client.whisper(target), WHISPERED),
    Act("stop whispering", lambda client, target: client.stop_whisper(target), ALONE),
)


async def prove(
    client: AgentClient,
    agent: DemoAgent,
    listen: Callable[[], Awaitable[list[Heard]]],
    names: Callable[[], Mapping[str, str]],
    forget: Callable[[], None],
    console: Console,
) -> bool:
    """Walk through `ACTS`; whether everybody was heard by exactly those who should.

    `listen` gives the meters of this moment, `names` says which name has which role in the
    supervised call, `forget` makes the meters begin anew.
    """
    right = True
    for act in ACTS:
        await act.do(client, agent.person.agent)
        await asyncio.sleep(PASSING_S)
        forget()
        found = await _settled(act.hears, listen, names)
        ok = found == act.hears
        right = right and ok
        told = "; ".join(
            f"{listener} hears {', '.join(sorted(found.get(listener, frozenset()))) or 'nobody'}"
            for listener in ("customer", "agent", "inspector")
        )
        console.print(
            f"{act.name:34}{told}   {'right' if ok else 'WRONG'}",
            highlight=False,
            markup=False,
            soft_wrap=True,
        )
    return right


async def _settled(
    wanted: Mapping[str, frozenset[str]],
    listen: Callable[[], Awaitable[list[Heard]]],
    names: Callable[[], Mapping[str, str]],
) -> dict[str, frozenset[str]]:
    """What is heard once everybody has spoken and it is as wanted, or when the time is up."""
    found: dict[str, frozenset[str]] = {}
    agreed = 0
    for _ in range(round(LISTEN_FOR_S / 0.5)):
        await asyncio.sleep(0.5)
        heard = await listen()
        found = by_role(heard, names())
        known = all(one.level_dbov is not None for one in heard)
        agreed = agreed + 1 if known and found == dict(wanted) else 0
        if agreed >= 2:
            break
    return found


def by_role(heard: list[Heard], names: Mapping[str, str]) -> dict[str, frozenset[str]]:
    """Listener to talkers heard, among those who have a role."""
    rows: dict[str, set[str]] = {role: set() for role in names.values()}
    for one in heard:
        if one.heard and one.listener in names and one.talker in names:
            rows[names[one.listener]].add(names[one.talker])
    return {role: frozenset(talkers) for role, talkers in rows.items()}


async def prove_afterwards(afterwards: Afterwards, console: Console) -> bool:
    """Walk with a review task over the calls that are over; whether it ended as the seed document prints."""
    try:
        await asyncio.wait_for(afterwards.enough.wait(), CALLS_WITHIN_S)
        answer: object = await walk(afterwards.quality)
    except TimeoutError:
        answer = f"no {CALLS} calls were kept within {CALLS_WITHIN_S:g} s"
    except QualityFailure as failure:
        answer = str(failure)
    right = answer == TERMINATED
    console.print(
        f"{'create, appoint, complete, terminate':40}{answer}   {'right' if right else 'WRONG'}",
        highlight=False,
        markup=False,
        soft_wrap=True,
    )
    return right
