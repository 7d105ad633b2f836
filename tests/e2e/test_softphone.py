"""baresip, a softphone, as the inspector's phone: who hears its whisper, and what it hears."""

from __future__ import annotations

import asyncio
import wave
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from tests.doors.sip.peers.baresip import Baresip, baresip
from tests.doors.sip.peers.harness import needs_baresip
from tests.e2e.served import ACCESS_CODE, LOOPBACK, SECRET, gateway, outside, registered, serving

from sottovoce.domain.audio import RATE
from sottovoce.doors.sip.hops import Transport
from sottovoce.phones import tones
from sottovoce.phones.phone import Phone
from sottovoce.phones.sources import Tone
from sottovoce.phones.tones import Samples

CUSTOMER, AGENT, INSPECTOR = tones.TONES[:3]
SETTLE_S, PATIENCE_S = 0.6, 8.0
pytestmark = [pytest.mark.peer, needs_baresip, pytest.mark.timeout(180)]


async def hear(**expected: tuple[Phone, set[int]]) -> None:
    """Assert the exact set of tones at each phone over one undisturbed second, absences included."""
    await asyncio.sleep(SETTLE_S)
    seconds = await asyncio.gather(*(phone.hear(patience_s=PATIENCE_S) for phone, _ in expected.values()))
    heard = {name: set(second.hearing.heard) for name, second in zip(expected, seconds, strict=True)}
    assert heard == {name: tones_of for name, (_, tones_of) in expected.items()}


async def recorded(phone: Baresip) -> Samples:
    """What the softphone heard in its only call, which is over."""
    await phone.says("terminated")
    (path,) = phone.heard()
    with wave.open(str(path)) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (RATE, 1, 2)
        return np.frombuffer(file.readframes(file.getnframes()), dtype="<i2").astype(np.int16)


@pytest.mark.parametrize("transport", list(Transport), ids=lambda transport: transport.name)
async def test_a_softphone_as_the_inspectors_whispers_to_the_agent_alone(
    tmp_path: Path, transport: Transport
) -> None:
    async with (
        serving() as served,
        gateway(served) as client,
        registered(served, "8101") as agent,
        outside() as customer,
        baresip(
            tmp_path,
            "8102",
            served.sip_port,
            transport,
            password=SECRET,
            domain=f"{LOOPBACK}:{served.sip_port}",
            hz=INSPECTOR,
        ) as softphone,
    ):
        agent.say(partial(Tone, AGENT))
        customer.say(partial(Tone, CUSTOMER))
        await softphone.says("200 OK")
        ann, ian = client.agent(101), client.agent(102)
        await ann.sign_in(SECRET, "8101")
        await ian.sign_in(SECRET, "8102")
        async with ann.polling(), ian.polling():
            call = await customer.call(ACCESS_CODE, via=served.hop)
            await call.talking()
            await ann.next_event("AgentEvent_Talking")
            await hear(agent=(agent, {CUSTOMER}), customer=(customer, {AGENT}))

            await ian.whisper(101)
            await ian.next_event("AgentOther_PhoneOffhook")
            await softphone.says("Call established")
            await hear(agent=(agent, {CUSTOMER, INSPECTOR}), customer=(customer, {AGENT}))
            await asyncio.sleep(5.0)  # the softphone listens: whole seconds for its recording

            await ian.stop_whisper(101)
            await hear(agent=(agent, {CUSTOMER}), customer=(customer, {AGENT}))
            assert not any("terminated" in line for line in softphone.said), "it still talks, to nobody"
            softphone.types("b")
            heard = await recorded(softphone)
            await hear(agent=(agent, {CUSTOMER}), customer=(customer, {AGENT}))

    windows = heard[: heard.size // tones.WINDOW * tones.WINDOW].reshape(-1, tones.WINDOW)
    steady = [window for window in windows if tones.residue(window) < tones.STEADY_BELOW_DBOV]
    sets = [set(tones.levels(window).heard) for window in steady]
    assert sets.count({CUSTOMER, AGENT}) >= 2
    assert all(each in ({CUSTOMER, AGENT}, set()) for each in sets)
