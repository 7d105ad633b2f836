"""The whole road: from an HTTP request to the ear, and from the customer's mouth to the agent's ear.

`sottovoce serve` runs in a process of its own, with PostgreSQL and a media worker; the phones are here.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial

import numpy as np
from tests.bench.tables import Say, Table
from tests.e2e.served import at_work, serving

from sottovoce.client.ccgateway import AgentClient
from sottovoce.domain.audio import FRAME
from sottovoce.phones.media import PhoneMedia
from sottovoce.phones.phone import Phone
from sottovoce.phones.sources import Source, Tone
from sottovoce.phones.tones import TONES, Samples

AGENT, CUSTOMER, INSPECTOR = TONES[:3]
LISTEN, WHISPER = 0, 2
ROUNDS = 50
BURSTS = 30
_LOOK_S = 0.01
_GIVE_UP_S = 2.0


class Bursts:
    """A tone for half a second in every second; `began` has when each was handed to the socket."""

    def __init__(self, hertz: int) -> None:
        self.began: list[float] = []
        self._tone = Tone(hertz)
        self._frame = 0

    def frame(self) -> Samples:
        place, self._frame = self._frame % 50, self._frame + 1
        if place == 0:
            self.began.append(time.monotonic())
        return self._tone.frame() if place < 25 else np.zeros(FRAME, dtype=np.int16)


@dataclass
class Call:
    """A supervised call: who asks, and what the parties' phones hear."""

    inspector: AgentClient
    agent: Phone
    customer: Phone

    @property
    def agents_ear(self) -> PhoneMedia:
        call = self.agent.talking
        assert call is not None
        return call.media


@asynccontextmanager
async def standing() -> AsyncIterator[Call]:
    """A customer talks to agent 101, nobody supervises; inspector 102 is idle."""
    agent, inspector, customer = (partial(Tone, hertz) for hertz in (AGENT, INSPECTOR, CUSTOMER))
    async with (
        serving() as served,
        at_work(served, agent=agent, inspector=inspector, customer=customer) as floor,
        floor.polling(),
    ):
        await floor.talk()
        yield Call(floor.ian, floor.agent, floor.customer)


async def measure(say: Say) -> list[Table]:
    say("the whole road: starting a server and three phones")
    async with standing() as call:
        alone = await _transit(call, "unsupervised", say)
        await call.inspector.listen(101)
        await call.inspector.next_event("AgentOther_PhoneOffhook")
        supervised = await _transit(call, "supervised", say)
        call.customer.say(lambda: Tone(CUSTOMER))
        on, off = await _delays(call, say)
    return [
        Table(
            "From the HTTP request to the ear",
            ["change", "p50, ms", "p99, ms", "longest, ms"],
            [["whisper begins", *_figures(on)], ["whisper stops", *_figures(off)]],
            [
                f"From the sent request to the first changed packet at the agent's phone, {ROUNDS} times;"
                " a packet is 20 ms. Bar: 40 ms at p99.",
                "A whisper begins only when its audit row is committed (PostgreSQL with fsync); back to"
                " listening waits for nothing.",
            ],
        ),
        Table(
            "Transit, customer to agent",
            ["call", "p50, ms", "p99, ms", "longest, ms"],
            [
                ["unsupervised", *_figures(alone)],
                ["supervised (an inspector listens)", *_figures(supervised)],
            ],
            [
                f"From the frame handed to the customer's socket to its arrival at the agent's, {BURSTS} tone"
                " bursts each: jitter buffer and tick. Bar: no difference.",
            ],
        ),
    ]


async def _transit(call: Call, name: str, say: Say) -> list[float]:
    bursts = Bursts(CUSTOMER)
    source: Source = bursts
    call.customer.say(lambda: source)
    took: list[float] = []
    while len(took) < BURSTS:
        say(f"transit of the {name} call: {len(took)} of {BURSTS}")
        count = len(bursts.began)
        await asyncio.sleep(1.0)
        for began in bursts.began[max(count - 1, 1) : -1]:
            heard = call.agents_ear.ear.changed_at(CUSTOMER, on=True, since=began, among=TONES[:3])
            if heard is not None:
                took.append(heard - began)
    return took


async def _delays(call: Call, say: Say) -> tuple[list[float], list[float]]:
    on: list[float] = []
    off: list[float] = []
    for number in range(ROUNDS):
        say(f"HTTP request to ear: {number} of {ROUNDS}")
        for mode, times in ((WHISPER, on), (LISTEN, off)):
            answer = await call.inspector.switch(101, mode)
            times.append(await _heard(call, on=mode == WHISPER, since=answer.sent_at) - answer.sent_at)
            await asyncio.sleep(0.1 + 0.0137 * (number % 7))
    return on, off


async def _heard(call: Call, *, on: bool, since: float) -> float:
    for _ in range(round(_GIVE_UP_S / _LOOK_S)):
        found = call.agents_ear.ear.changed_at(INSPECTOR, on=on, since=since, among=TONES[:3])
        if found is not None:
            return found
        await asyncio.sleep(_LOOK_S)
    raise RuntimeError("the change was never heard")


def _figures(times: Sequence[float]) -> list[str]:
    return [f"{value * 1000:.1f}" for value in (*np.percentile(times, [50, 99]), max(times))]
