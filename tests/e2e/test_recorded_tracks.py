"""What is on the recordings of a supervised call: each party on a track of its own, and nobody else on it."""

from __future__ import annotations

import asyncio
import tempfile
import wave
from pathlib import Path

import numpy as np
import pytest

from sottovoce.demo.trial import selftest_stage
from sottovoce.domain.audio import RATE
from sottovoce.phones import tones
from sottovoce.phones.tones import Samples
from sottovoce.selftest.findings import Party
from sottovoce.selftest.parties import TONE, taking_part

pytestmark = pytest.mark.timeout(300)


def tracks(path: Path) -> list[Samples]:
    """The channels of a WAV."""
    with wave.open(str(path)) as file:
        assert file.getframerate() == RATE
        samples = np.frombuffer(file.readframes(file.getnframes()), dtype="<i2").astype(np.int16)
        return list(samples.reshape(-1, file.getnchannels()).T)


def seconds_with(track: Samples, hz: int) -> int:
    """In how many whole seconds a tone is heard."""
    windows = track[: track.size // tones.WINDOW * tones.WINDOW].reshape(-1, tones.WINDOW)
    return sum(hz in tones.levels(window).heard for window in windows)


def others(track: Samples, hz: int) -> set[int]:
    """Tones of others heard in any whole second that is not disturbed."""
    windows = track[: track.size // tones.WINDOW * tones.WINDOW].reshape(-1, tones.WINDOW)
    steady = [window for window in windows if tones.residue(window) < tones.STEADY_BELOW_DBOV]
    return set().union(*(tones.levels(window).heard for window in steady)) - {hz}


async def test_each_party_is_on_its_own_track_and_the_inspector_only_while_whispering() -> None:
    async with selftest_stage() as stage, taking_part(stage) as parties:
        parties.agent.forget_events()
        await parties.call_in(TONE[Party.CUSTOMER])
        begun = await parties.agent.next_event("AgentMediaEvent_Record")
        await asyncio.sleep(1.0)
        await parties.inspector.listen(parties.target)
        await parties.connected(Party.INSPECTOR)
        await asyncio.sleep(2.0)
        await parties.inspector.switch(parties.target, 2)
        await asyncio.sleep(4.0)
        await parties.inspector.switch(parties.target, 0)
        await asyncio.sleep(2.0)
        await parties.customer_leaves()
        await parties.agent.next_event("AgentMediaEvent_StopRecordDone")

        [path] = Path(tempfile.gettempdir()).glob(f"*/data/recordings/{begun.content['fileName']}")
        customer, agent = tracks(path)
        extra = sorted(path.parent.glob(f"{path.stem}.*.wav"))
        assert len(extra) == 1
        (inspector,) = tracks(extra[0])
        assert customer.size == agent.size == inspector.size
        whole = customer.size // tones.WINDOW
        assert seconds_with(customer, TONE[Party.CUSTOMER]) >= whole - 1
        assert seconds_with(agent, TONE[Party.AGENT]) >= whole - 1
        assert 3 <= seconds_with(inspector, TONE[Party.INSPECTOR]) <= 5
        assert others(customer, TONE[Party.CUSTOMER]) == set()
        assert others(agent, TONE[Party.AGENT]) == set()
        assert others(inspector, TONE[Party.INSPECTOR]) == set()
