"""Who hears whom, proved by tones: the floor, scripted phones and the mixer on a manual clock.

Each phone sends a tone of its own. For every mode and back, the exact set of tones on every leg is
asserted over a window of one second, absences included.
"""

from __future__ import annotations

import struct
import wave
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest
from tests.memory import MemoryStore
from tests.scripted_phones import InProcessLines
from tests.vdns import CALLS, INSPECTS, NO_RIGHT, PASSWORDS, vdn

from sottovoce.clock import ManualClock
from sottovoce.config import AgentSettings, MediaSettings, RecordingSettings
from sottovoce.domain.directory import (
    AgentId,
    VdnId,
)
from sottovoce.domain.legs import Codec
from sottovoce.domain.supervision import Mode
from sottovoce.live.availability import ChooseSkills
from sottovoce.live.desk import Desk
from sottovoce.live.handling import Hold, Mute, Release, TakeBack
from sottovoce.live.state import LiveSettings
from sottovoce.live.supervising import ChangeMode, Intercept
from sottovoce.live.views import SignIn
from sottovoce.media import codecs
from sottovoce.media.inprocess import InProcessEngine
from sottovoce.tasks import Tasks

RATE, FRAME, WINDOW = 8000, 160, 8000
VDN, AGENT, INSPECTOR, SECOND = VdnId(1), AgentId(101), AgentId(300), AgentId(301)
COLLEAGUE = AgentId(102)
TONES = {"555": 440, "1101": 730, "1300": 1110, "1301": 1490, "1102": 610, "0777": 1930}
"""Hz; on bin centres of a one-second window, harmonically unrelated."""
PRESENT_DBOV, ABSENT_DBOV = -40.0, -60.0


def tone_level(samples: np.ndarray, hertz: int) -> float:
    """The level in dBov of a tone on a bin centre."""
    spectrum = np.fft.rfft(samples.astype(np.float64) / 32768.0) / len(samples)
    amplitude = 2 * abs(spectrum[hertz * len(samples) // RATE])
    return 10 * np.log10(max(amplitude**2 / 2, 1e-13))


def samples_of(path: Path) -> np.ndarray:
    """A WAV's samples [frames, channels]."""
    with wave.open(str(path)) as file:
        return np.frombuffer(file.readframes(file.getnframes()), "<i2").reshape(-1, file.getnchannels())


class Room:
    """One agent, two inspectors, a customer; everybody hums."""

    def __init__(
        self,
        folder: Path,
        recordings: RecordingSettings | None = None,
        media: MediaSettings | None = None,
    ) -> None:
        (folder / "1/2026/01/01").mkdir(parents=True)
        self.engine = InProcessEngine()
        self.tasks, self.clock = Tasks(), ManualClock()
        self.lines = InProcessLines(self.engine, self.tasks)
        profile = vdn(
            1,
            {AGENT: CALLS, COLLEAGUE: NO_RIGHT, INSPECTOR: INSPECTS, SECOND: INSPECTS},
            queues={1: "sales"},
            codes={"800": (1, False)},
        )
        self.store = MemoryStore([profile])
        self.desk = Desk(
            store=self.store,
            engine=self.engine,
            lines=self.lines,
            passwords=PASSWORDS,
            clock=self.clock,
            tasks=self.tasks,
            settings=LiveSettings(
                folder,
                AgentSettings(ring_timeout=20, wrap_up_limit=0),
                recordings or RecordingSettings(),
                media or MediaSettings(),
            ),
        )
        self.customer = self.lines.phone("555")
        for number in ("1101", "1102", "1300", "1301", "0777"):
            self.lines.phone(number, ready=True)
        self._sent = dict.fromkeys(TONES, 0)

    async def open(self) -> None:
        await self.desk.open([VDN])
        for agent in (AGENT, COLLEAGUE, INSPECTOR, SECOND):
            await self.desk.sessions.sign_in(agent, SignIn("secret", ""))
        await self.desk.ask(ChooseSkills(AGENT, every=True))
        self.lines.call_in(VDN, self.customer, "800")
        await self.quiet()

    async def quiet(self) -> None:
        for _ in range(4):
            await self.lines.settled()
            await self.desk.settled()

    async def hum(self, ticks: int) -> dict[str, list[bytes]]:
        """Everybody sends a tone for so many ticks; what every phone was sent."""
        await self.quiet()
        legs = {phone.number: leg for leg, phone in self.lines.legs.items()}
        got: dict[str, list[bytes]] = {number: [] for number in legs}
        for _ in range(ticks):
            for number, leg in legs.items():
                count = self._sent[number]
                self._sent[number] += 1
                at = np.arange(count * FRAME, (count + 1) * FRAME)
                wave = 6000 * np.sin(2 * np.pi * TONES[number] * at / RATE)
                payload = codecs.encode(wave.astype(np.int16), Codec.PCMU).tobytes()
                header = struct.pack("!BBHII", 0x80, 0, count & 0xFFFF, count * FRAME, int(number))
                self.engine.feed(leg, header + payload)
            self.engine.step()
            for number, leg in legs.items():
                got[number].extend(self.engine.sent(leg))
        return got

    async def heard(self) -> dict[str, set[str]]:
        """Phone to the phones whose tones it hears in a window of one second; ♪ is anything else."""
        await self.hum(30)
        got = await self.hum(WINDOW // FRAME)
        heard: dict[str, set[str]] = {}
        for number, packets in got.items():
            samples = np.concatenate(
                [codecs.decode(np.frombuffer(packet[12:], np.uint8), Codec.PCMU) for packet in packets]
            )
            heard[number] = set()
            rest = float(np.mean((samples / 32768.0) ** 2))
            for other, hertz in TONES.items():
                level = tone_level(samples, hertz)
                assert not ABSENT_DBOV < level < PRESENT_DBOV, (number, other, level)
                if level >= PRESENT_DBOV:
                    heard[number].add(other)
                    rest -= 10 ** (level / 10)
            if rest > 10 ** (PRESENT_DBOV / 10):
                heard[number].add("♪")
        return heard


@pytest.fixture
async def room(tmp_path) -> AsyncIterator[Room]:
    made = Room(tmp_path)
    await made.open()
    yield made
    await made.desk.close()
    await made.tasks.close()


TWO = {"555": {"1101"}, "1101": {"555"}}
LISTENING = TWO | {"1300": {"555", "1101"}}
WHISPERING = LISTENING | {"1101": {"555", "1300"}}
INSERTED = {"555": {"1101", "1300"}, "1101": {"555", "1300"}, "1300": {"555", "1101"}}


async def test_every_mode_and_back(room):
    desk = room.desk
    assert await room.heard() == TWO
    await desk.supervise(INSPECTOR, AGENT, Mode.LISTEN)
    assert await room.heard() == LISTENING
    await desk.ask(ChangeMode(INSPECTOR, None, Mode.WHISPER))
    assert await room.heard() == WHISPERING
    await desk.ask(ChangeMode(INSPECTOR, None, Mode.INSERT))
    assert await room.heard() == INSERTED
    await desk.ask(ChangeMode(INSPECTOR, AGENT, None))
    assert await room.heard() == LISTENING
    await desk.ask(ChangeMode(INSPECTOR, AGENT, None))
    assert await room.heard() == INSERTED
    await desk.stop(INSPECTOR, AGENT)
    assert await room.heard() == TWO


async def test_whisper_hold_and_mute(room):
    desk = room.desk
    await desk.supervise(INSPECTOR, AGENT, Mode.WHISPER)
    assert await room.heard() == WHISPERING
    await desk.ask(Hold(AGENT))
    assert await room.heard() == {"555": {"♪"}, "1101": {"1300"}, "1300": {"1101"}}
    await desk.ask(TakeBack(AGENT))
    assert await room.heard() == WHISPERING
    await desk.ask(Mute(AGENT, True))
    assert await room.heard() == {"555": set(), "1101": {"555", "1300"}, "1300": {"555"}}
    await desk.ask(Mute(AGENT, False))
    await desk.stop(INSPECTOR, AGENT, whisper=True)
    assert await room.heard() == TWO


async def test_no_inspector_hears_another_who_whispers(room):
    await room.desk.supervise(INSPECTOR, AGENT, Mode.WHISPER)
    await room.desk.supervise(SECOND, AGENT, Mode.WHISPER)
    assert await room.heard() == {
        "555": {"1101"},
        "1101": {"555", "1300", "1301"},
        "1300": {"555", "1101"},
        "1301": {"555", "1101"},
    }
    await room.desk.ask(ChangeMode(SECOND, None, Mode.INSERT))
    assert await room.heard() == {
        "555": {"1101", "1301"},
        "1101": {"555", "1300", "1301"},
        "1300": {"555", "1101", "1301"},
        "1301": {"555", "1101"},
    }


async def test_intercept_and_the_next_call(room):
    await room.desk.supervise(INSPECTOR, AGENT, Mode.WHISPER)
    await room.desk.ask(Intercept(INSPECTOR, AGENT))
    assert await room.heard() == {"555": {"1300"}, "1300": {"555"}}
    await room.desk.ask(Release(INSPECTOR))
    await room.quiet()
    room.lines.call_in(VDN, room.customer, "800")
    assert await room.heard() == TWO


async def test_an_inspector_who_is_lost_is_heard_no_more(room):
    await room.desk.supervise(INSPECTOR, AGENT, Mode.INSERT)
    assert await room.heard() == INSERTED
    room.lines.phones["1300"].hang_up()
    assert await room.heard() == TWO


async def test_the_customers_bytes_are_the_same_with_and_without_a_whisper(tmp_path):
    runs: list[bytes] = []
    for whisper in (False, True):
        room = Room(tmp_path / str(whisper))
        await room.open()
        await room.desk.supervise(INSPECTOR, AGENT, Mode.LISTEN)
        sent = (await room.hum(20))["555"]
        if whisper:
            await room.desk.ask(ChangeMode(INSPECTOR, None, Mode.WHISPER))
        sent += (await room.hum(50))["555"]
        if whisper:
            await room.desk.ask(ChangeMode(INSPECTOR, None, Mode.LISTEN))
        sent += (await room.hum(20))["555"]
        runs.append(b"".join(sent))
        await room.desk.close()
        await room.tasks.close()
    assert len(runs[0]) > 80 * FRAME
    assert runs[0] == runs[1]


async def test_the_recordings_tracks(room, tmp_path):
    desk = room.desk
    await room.hum(100)
    await desk.supervise(INSPECTOR, AGENT, Mode.WHISPER)
    await room.hum(100)
    await desk.ask(Hold(AGENT))
    await room.hum(100)
    await desk.ask(TakeBack(AGENT))
    await desk.ask(ChangeMode(INSPECTOR, None, Mode.LISTEN))
    await room.hum(100)
    await desk.ask(Release(AGENT))
    await room.quiet()
    paths = sorted(tmp_path.rglob("*.wav"), key=lambda path: len(path.name))
    assert len(paths) == 2
    stereo, track = (samples_of(path) for path in paths)
    assert stereo.shape[0] == track.shape[0]

    def windows(samples: np.ndarray, hertz: int) -> list[bool]:
        parts = [samples[i * 16000 + 4000 : i * 16000 + 4000 + WINDOW] for i in range(4)]
        return [tone_level(part, hertz) > PRESENT_DBOV for part in parts]

    customer, agent, inspector = stereo[:, 0], stereo[:, 1], track.reshape(-1)
    assert windows(customer, TONES["555"]) == [True, True, False, True]
    assert windows(agent, TONES["1101"]) == [True, True, False, True]
    assert windows(inspector, TONES["1300"]) == [False, True, True, False]
    for samples, foreign in ((customer, "1300"), (agent, "1300"), (customer, "1101"), (agent, "555")):
        assert windows(samples, TONES[foreign]) == [False] * 4
