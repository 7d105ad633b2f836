"""The worker's process at its control socket: a client that leaves, dies, or talks nonsense."""

from __future__ import annotations

import asyncio
import json
import socket
import sys
import wave
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.media.tone_phones import ABSENT, PEAK, TONES, TonePhone, speak

from sottovoce.domain.legs import (
    LegAddress,
    LegFigures,
    LegId,
    Recording,
    RecordingId,
    Routing,
    Sound,
)
from sottovoce.errors import Code
from sottovoce.media.control import VOCABULARY, Message, ReadTicks, Setup, TickFigures
from sottovoce.media.engine import (
    Apply,
    CloseLeg,
    LegProven,
    OpenLeg,
    Play,
    ReadFigures,
    Request,
    SetRemote,
    StartRecording,
    StopRecording,
)
from sottovoce.media.ports_pool import PortRange
from sottovoce.plain import to_plain
from sottovoce.processes.protocol import ControlAnswer, ControlCall, ControlRefusal, Framer, Leave
from sottovoce.tasks import Tasks

R = RecordingId("r")


class Client:
    """A worker's process and the raw end of its control socket."""

    def __init__(
        self, process: asyncio.subprocess.Process, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.process, self.reader, self.writer = process, reader, writer
        self.framer = Framer(VOCABULARY)
        self.unread: list[Message] = []
        self.last = 0

    async def read(self) -> Message:
        while not self.unread:
            data = await self.reader.read(65536)
            assert data, "the worker closed the socket"
            self.unread += list(self.framer.feed(data))
        return self.unread.pop(0)

    async def answer(self, request: Request) -> ControlAnswer | ControlRefusal:
        self.last += 1
        self.writer.write(VOCABULARY.encode(ControlCall(self.last, request)))
        while True:
            message = await self.read()
            if isinstance(message, ControlAnswer | ControlRefusal):
                assert message.id == self.last
                return message

    async def ask(self, request: Request) -> Any:
        answer = await self.answer(request)
        assert isinstance(answer, ControlAnswer), answer
        return answer.value

    async def phone(self, name: str) -> TonePhone:
        phone = await TonePhone(name).listen()
        address = await self.ask(OpenLeg(phone.leg, ""))
        assert isinstance(address, LegAddress)
        phone.target = address
        await self.ask(SetRemote(phone.leg, phone.remote()))
        return phone


async def start(where: Path | None = None, *, stderr: int | None = None) -> Client:
    """A worker that was handed a socket, or that connects to a path."""
    command = [sys.executable, "-m", "sottovoce.media.process"]
    told = Setup("127.0.0.1", 16, PortRange(), 30.0, 7200.0, "media-3", "info", "json", "")
    setup = json.dumps(to_plain(told))
    if where is None:
        ours, theirs = socket.socketpair()
        with theirs:
            process = await asyncio.create_subprocess_exec(
                *command, str(theirs.fileno()), setup, pass_fds=[theirs.fileno()], stderr=stderr
            )
    else:
        with socket.socket(socket.AF_UNIX) as waiting:
            waiting.bind(str(where))
            waiting.listen()
            process = await asyncio.create_subprocess_exec(*command, str(where), setup)
            ours, _ = await asyncio.to_thread(waiting.accept)
    client = Client(process, *await asyncio.open_connection(sock=ours))
    assert await client.read() == ControlAnswer(0, None)
    return client


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    client = await start()
    yield client
    client.writer.close()
    await client.process.wait()


@pytest.fixture
async def phones() -> AsyncIterator[list[TonePhone]]:
    """Phones put in here speak, and are closed in the end."""
    tasks, phones = Tasks(), list[TonePhone]()
    tasks.spawn(speak(phones), name="phones")
    yield phones
    await tasks.close()
    for phone in phones:
        phone.hang_up()


async def test_without_control_inspectors_fall_silent_at_once_and_all_ends(
    client: Client, phones: list[TonePhone], tmp_path: Path
) -> None:
    for name in ("customer", "agent", "inspector"):
        phones.append(await client.phone(name))
    customer, agent, inspector = phones
    c, a, i = (phone.leg for phone in phones)
    await client.ask(StartRecording(Recording(R, tmp_path / "call.wav", c, a)))
    await client.ask(
        Apply(
            Routing(
                {c: frozenset({a}), a: frozenset({c, i}), i: frozenset({c, a})},
                frozenset({i}),
                R,
                frozenset({c, a, i}),
            )
        )
    )
    await agent.hears("customer", "inspector")
    await inspector.hears("customer", "agent")
    client.writer.close()
    await agent.hears("customer")
    await inspector.hears()
    await customer.hears("agent")
    assert customer.loudest["inspector"] < ABSENT
    assert await client.process.wait() == 0
    assert list(tmp_path.glob("*.part")) == []
    with wave.open(str(tmp_path / "call.wav")) as file:
        frames = file.getnframes()
        assert file.getnchannels() == 2
    with wave.open(str(tmp_path / "call.inspector.wav")) as file:
        assert file.getnframes() == frames > 0


async def test_a_worker_told_to_leave_closes_its_recordings_first(
    client: Client, phones: list[TonePhone], tmp_path: Path
) -> None:
    for name in ("customer", "agent"):
        phones.append(await client.phone(name))
    c, a = (phone.leg for phone in phones)
    await client.ask(StartRecording(Recording(R, tmp_path / "call.wav", c, a)))
    await client.ask(
        Apply(Routing({c: frozenset({a}), a: frozenset({c})}, frozenset(), R, frozenset({c, a})))
    )
    await phones[0].hears("agent")
    assert await client.ask(Leave()) is None
    assert await client.process.wait() == 0
    with wave.open(str(tmp_path / "call.wav")) as file:
        assert file.getnframes() > 0


@pytest.mark.parametrize(
    "nonsense",
    [
        b"\xff" * 64,
        b"GET / HTTP/1.1\r\n\r\n",
        b"\x00\x00\x00\x02\x92\xc0",
        VOCABULARY.encode(LegProven(LegId("a"))),
        VOCABULARY.encode(ControlAnswer(1, None)),
    ],
)
async def test_nonsense_ends_the_worker_orderly(client: Client, nonsense: bytes) -> None:
    client.writer.write(nonsense)
    assert await client.process.wait() == 0


async def test_a_worker_s_lines_have_the_server_s_form() -> None:
    client = await start(stderr=asyncio.subprocess.PIPE)
    client.writer.close()
    _, said = await client.process.communicate()
    line = json.loads(said.splitlines()[0])
    assert (line["event"], line["worker"], line["level"], line["logger"]) == (
        *("media worker lost its control socket", "media-3"),
        *("error", "sottovoce.media.process"),
    )
    assert line["timestamp"].endswith("Z")


async def test_a_worker_connects_to_a_path(tmp_path: Path) -> None:
    client = await start(tmp_path / "control")
    assert isinstance(await client.ask(OpenLeg(LegId("a"), "")), LegAddress)
    client.writer.close()
    assert await client.process.wait() == 0


async def test_what_a_worker_answers_of_legs_it_does_not_have(client: Client) -> None:
    nobody = LegId("nobody")
    for request in (CloseLeg(nobody), ReadFigures(nobody), StopRecording(R)):
        answer = await client.answer(request)
        assert isinstance(answer, ControlRefusal)
        assert answer.code is Code.NOT_FOUND
    assert await client.ask(Play(nobody, Sound("music"))) is None
    assert await client.ask(Play(nobody, Sound("/nowhere.wav"))) is None


async def test_a_recording_that_never_began_has_no_file(client: Client, tmp_path: Path) -> None:
    await client.ask(StartRecording(Recording(R, tmp_path / "call.wav", LegId("a"), LegId("b"))))
    result = await client.ask(StopRecording(R))
    assert getattr(result, "frames", None) == 0
    assert list(tmp_path.iterdir()) == []


async def test_a_file_is_played_and_an_unplayable_one_refused(
    client: Client, phones: list[TonePhone], tmp_path: Path
) -> None:
    samples = (PEAK * np.sin(2 * np.pi * TONES["second"] * np.arange(8000) / 8000)).astype("<i2")
    with wave.open(str(tmp_path / "tone.wav"), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(samples.tobytes())
    phones.append(await client.phone("customer"))
    leg = phones[0].leg
    assert await client.ask(Play(leg, Sound(str(tmp_path / "tone.wav")))) is None
    await phones[0].hears("second")
    assert await client.ask(Play(leg, None)) is None
    await phones[0].hears()
    answer = await client.answer(Play(leg, Sound(str(tmp_path / "nothing.wav"))))
    assert isinstance(answer, ControlRefusal)
    assert answer.code is Code.BAD_PARAMETER


async def test_figures_of_legs_and_ticks(client: Client, phones: list[TonePhone]) -> None:
    phones.append(await client.phone("customer"))
    await phones[0].hears()
    figures = await client.ask(ReadFigures(phones[0].leg))
    assert isinstance(figures, LegFigures)
    assert figures.received > 0
    assert figures.dropped > 0  # the packets before the proof
    ticks = await client.ask(ReadTicks(reset=True))
    assert isinstance(ticks, TickFigures)
    assert (ticks.legs, ticks.ports) == (1, 1)
    assert ticks.ticks >= 8
    assert ticks.work_most_ms >= ticks.work_p99_ms >= ticks.work_p50_ms > 0
    after = await client.ask(ReadTicks())
    assert isinstance(after, TickFigures)
    assert after.ticks < ticks.ticks
