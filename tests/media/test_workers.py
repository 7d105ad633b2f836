"""The media worker as it runs: processes of its own, real UDP on loopback, tones in and tones out."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import wave
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.full_disk import file_size_limit
from tests.kit.media import local_media
from tests.media.tone_phones import ABSENT, TonePhone, names_heard, speak

from sottovoce.domain.legs import (
    Codec,
    LegAddress,
    LegId,
    Recording,
    RecordingId,
    RemoteMedia,
    Routing,
)
from sottovoce.errors import Code, Refused
from sottovoce.media.engine import (
    Apply,
    CloseLeg,
    DigitPressed,
    EngineEvent,
    LegProven,
    LegsLost,
    LegTimedOut,
    OpenLeg,
    Play,
    ReadFigures,
    RecordingStopped,
    SendDigits,
    SetRemote,
    StartRecording,
    StopRecording,
)
from sottovoce.media.workers import ANSWER_S, WorkerEngine
from sottovoce.tasks import Tasks

R = RecordingId("r")


async def until(true: Callable[[], bool]) -> None:
    """Wait for something that no event tells."""
    while not true():  # noqa: ASYNC110
        await asyncio.sleep(0.02)


def free_port() -> int:
    """A UDP port that was free a moment ago."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as chosen:
        chosen.bind(("127.0.0.1", 0))
        return int(chosen.getsockname()[1])


class Floor:
    """An engine, phones that speak, and what the engine told."""

    def __init__(self, engine: WorkerEngine, tasks: Tasks) -> None:
        self.engine = engine
        self.phones: list[TonePhone] = []
        self.events: list[EngineEvent] = []
        self._told = asyncio.Event()
        engine.subscribe(self._hear)
        tasks.spawn(speak(self.phones), name="phones")

    def _hear(self, event: EngineEvent) -> None:
        self.events.append(event)
        self._told.set()

    async def phone(
        self, name: str, group: str = "vdn", codec: Codec = Codec.PCMU, tone: str | None = None
    ) -> TonePhone:
        phone = await TonePhone(name, tone, codec).listen()
        self.phones.append(phone)
        await phone.connect(self.engine, group)
        return phone

    async def told(self, wanted: Callable[[EngineEvent], bool]) -> EngineEvent:
        """Wait for an event."""
        while True:
            for event in self.events:
                if wanted(event):
                    return event
            self._told.clear()
            await self._told.wait()

    async def route(
        self,
        hears: dict[str, set[str]],
        recorded: set[str] = frozenset(),
        inspectors: set[str] = frozenset({"inspector"}),
    ) -> None:  # type: ignore[assignment]
        await self.engine.ask(
            Apply(
                Routing(
                    {LegId(listener): frozenset(map(LegId, heard)) for listener, heard in hears.items()},
                    frozenset(map(LegId, inspectors)),
                    R if recorded else None,
                    frozenset(map(LegId, recorded)),
                )
            )
        )


@asynccontextmanager
async def floor_of(*, answer_s: float = ANSWER_S, **settings: object) -> AsyncIterator[Floor]:
    tasks = Tasks()
    engine = WorkerEngine(local_media(**{"legs_per_worker": 64} | settings), tasks, answer_s=answer_s)
    await engine.start()
    floor = Floor(engine, tasks)
    try:
        yield floor
    finally:
        await engine.close()
        await tasks.close()
        for phone in floor.phones:
            phone.hang_up()


@pytest.fixture
async def floor() -> AsyncIterator[Floor]:
    async with floor_of() as floor:
        yield floor


TALK = {"customer": {"agent"}, "agent": {"customer"}}
LISTEN = {**TALK, "inspector": {"customer", "agent"}}
WHISPER = {**LISTEN, "agent": {"customer", "inspector"}}


async def test_a_phone_that_sends_the_second_codec_that_it_named_is_heard(floor: Floor) -> None:
    agent = await floor.phone("agent")
    customer = await TonePhone("customer", codec=Codec.PCMA).listen()
    customer.target = await floor.engine.ask(OpenLeg(customer.leg, "vdn"))
    named = replace(customer.remote(), codec=Codec.PCMU, codecs=(Codec.PCMU, Codec.PCMA))
    await floor.engine.ask(SetRemote(customer.leg, named))
    floor.phones.append(customer)
    await floor.route(TALK)
    await agent.hears("customer")


async def test_a_whisper_reaches_the_agent_alone_until_it_stops(floor: Floor) -> None:
    customer, agent, inspector = [await floor.phone(name) for name in ("customer", "agent", "inspector")]
    for _ in range(2):
        await floor.route(LISTEN)
        await customer.hears("agent")
        await agent.hears("customer")
        await inspector.hears("customer", "agent")
        await floor.route(WHISPER)
        await agent.hears("customer", "inspector")
        await inspector.hears("customer", "agent")
        await customer.hears("agent")
    await floor.route(LISTEN)
    await agent.hears("customer")
    assert customer.loudest["inspector"] < ABSENT
    await floor.route({**TALK, "inspector": set()})
    await inspector.hears()
    await customer.hears("agent")


async def test_who_is_routed_to_nobody_hears_silence(floor: Floor) -> None:
    customer, agent = await floor.phone("customer"), await floor.phone("agent", codec=Codec.PCMA)
    await customer.hears()
    await floor.route({"customer": {"agent"}, "agent": set()})
    await customer.hears("agent")
    await agent.hears()
    assert agent.loudest["customer"] < ABSENT


async def test_a_closed_leg_is_heard_by_nobody_and_its_slot_starts_clean(floor: Floor) -> None:
    customer, agent, inspector = [await floor.phone(name) for name in ("customer", "agent", "inspector")]
    await floor.route(WHISPER)
    await agent.hears("customer", "inspector")
    figures = await floor.engine.ask(CloseLeg(inspector.leg))
    assert figures.received > 0
    assert figures.sent > 0
    await agent.hears("customer")
    second = await floor.phone("second")
    await second.hears()
    await agent.hears("customer")
    await customer.hears("agent")
    assert second.loudest["agent"] < ABSENT


async def test_a_leg_that_is_not_open_is_refused_or_passed_over(floor: Floor) -> None:
    nobody = LegId("nobody")
    await floor.route({"nobody": {"customer"}})
    await floor.engine.ask(Play(nobody, None))
    await floor.engine.ask(SendDigits(nobody, "1"))
    assert (await floor.engine.ask(CloseLeg(nobody))).received == 0
    for asked in (
        floor.engine.ask(ReadFigures(nobody)),
        floor.engine.ask(SetRemote(nobody, RemoteMedia("127.0.0.1", 4000, Codec.PCMU))),
        floor.engine.ask(StopRecording(R)),
    ):
        with pytest.raises(Refused) as refused:
            await asked
        assert refused.value.code is Code.NOT_FOUND


async def test_digits_arrive_from_phone_to_phone(floor: Floor) -> None:
    customer, agent = await floor.phone("customer"), await floor.phone("agent")
    await floor.route(TALK)
    await customer.hears("agent")
    for phone in (customer, agent):
        host, port = phone.transport.get_extra_info("sockname")
        await floor.engine.ask(
            SetRemote(phone.leg, RemoteMedia(host, port, Codec.PCMU, dtmf_payload_type=101))
        )
    event = 5
    for part in range(8):
        end, duration = (0x80 if part > 4 else 0), min(part + 1, 6) * 160
        body = bytes([event, end | 10]) + duration.to_bytes(2, "big")
        packet = bytearray(customer.packet()[:12] + body)
        packet[1] = 101
        packet[4:8] = b"\x00\x00\x10\x00"
        assert customer.target is not None
        customer.transport.sendto(bytes(packet), (customer.target.host, customer.target.port))
    assert await floor.told(lambda event: isinstance(event, DigitPressed)) == DigitPressed(customer.leg, "5")


def channels(path: Path) -> np.ndarray:
    with wave.open(str(path)) as file:
        return np.frombuffer(file.readframes(file.getnframes()), "<i2").reshape(-1, file.getnchannels())


def names_on(samples: np.ndarray) -> list[set[str]]:
    """Whose tones are clear in the frames of a track, without repetition."""
    found: list[set[str]] = []
    for start in range(0, len(samples) - 159, 160):
        names = names_heard(samples[start : start + 160])
        if names is not None and (not found or found[-1] != names):
            found.append(names)
    return found


async def test_a_recording_has_customer_agent_and_coach_on_tracks_of_their_own(
    floor: Floor, tmp_path: Path
) -> None:
    customer, agent, inspector = [await floor.phone(name) for name in ("customer", "agent", "inspector")]
    await floor.engine.ask(StartRecording(Recording(R, tmp_path / "call.wav", customer.leg, agent.leg)))
    await floor.route(LISTEN, recorded={"customer", "agent"})
    await inspector.hears("customer", "agent")
    await floor.route(WHISPER, recorded={"customer", "agent", "inspector"})
    await agent.hears("customer", "inspector")
    await floor.route(LISTEN, recorded={"customer", "agent"})
    await agent.hears("customer")
    result = await floor.engine.ask(StopRecording(R))
    both, coach = channels(result.path), channels(result.tracks[inspector.leg])
    assert len(both) == len(coach) == result.frames > 0
    assert result.failure is None
    assert [names for names in names_on(both[:, 0]) if names] == [{"customer"}]
    assert [names for names in names_on(both[:, 1]) if names] == [{"agent"}]
    assert names_on(coach[:, 0]) == [set(), {"inspector"}, set()]
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(
        path.name for path in (result.path, result.tracks[inspector.leg])
    )


async def test_a_full_disk_stops_the_recording_and_not_the_call(tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        with file_size_limit(20_000):  # inherited by the worker
            floor = await stack.enter_async_context(floor_of())
        customer, agent = await floor.phone("customer"), await floor.phone("agent")
        await floor.engine.ask(StartRecording(Recording(R, tmp_path / "call.wav", customer.leg, agent.leg)))
        await floor.route(TALK, recorded={"customer", "agent"})
        stopped = await floor.told(lambda event: isinstance(event, RecordingStopped))
        assert isinstance(stopped, RecordingStopped)
        assert stopped.result.failure == os.strerror(27)
        assert stopped.result.frames == len(channels(tmp_path / "call.wav")) == (20_000 - 44) // 4
        customer.forget()
        await customer.hears("agent")
        await agent.hears("customer")
        assert await floor.engine.ask(StopRecording(R)) == stopped.result


async def test_a_killed_worker_takes_its_own_legs_along_and_nothing_else(tmp_path: Path) -> None:
    async with floor_of(workers=2) as floor:
        customer, agent = await floor.phone("customer", "one"), await floor.phone("agent", "one")
        other = await floor.phone("second", "two")
        friend = await floor.phone("stranger", "two")
        await floor.engine.ask(StartRecording(Recording(R, tmp_path / "call.wav", customer.leg, agent.leg)))
        await floor.route(
            {**TALK, "second": {"stranger"}, "stranger": {"second"}}, recorded={"customer", "agent"}
        )
        await customer.hears("agent")
        await other.hears("stranger")
        assert [ticks.legs for ticks in (await floor.engine.ticks()).values()] == [2, 2]
        await until(lambda: any(part.stat().st_size > 4000 for part in tmp_path.glob("*.part")))
        os.kill(floor.engine.pids[0], signal.SIGKILL)
        lost = await floor.told(lambda event: isinstance(event, LegsLost))
        assert lost == LegsLost(frozenset({customer.leg, agent.leg}))
        with pytest.raises(Refused):
            await floor.engine.ask(ReadFigures(customer.leg))
        other.forget()
        await other.hears("stranger")
        await friend.hears("second")

        stopped = await floor.told(lambda event: isinstance(event, RecordingStopped))
        assert isinstance(stopped, RecordingStopped)
        assert stopped.result.failure
        assert len(channels(tmp_path / "call.wav")) == stopped.result.frames > 0
        assert await floor.engine.ask(StopRecording(R)) == stopped.result

        for phone in (customer, agent):
            floor.phones.remove(phone)
            phone.hang_up()
        await until(lambda: floor.engine.up == 2)
        again = await floor.phone("customer", "one")
        await again.hears()
        assert [ticks.legs for ticks in (await floor.engine.ticks()).values()] == [1, 2]


async def test_without_any_worker_legs_are_refused_until_one_is_back(floor: Floor) -> None:
    await floor.phone("customer")
    os.kill(floor.engine.pids[0], signal.SIGKILL)
    await floor.told(lambda event: isinstance(event, LegsLost))
    with pytest.raises(Refused) as refused:
        await floor.engine.ask(OpenLeg(LegId("agent"), "vdn"))
    assert refused.value.code is Code.UNAVAILABLE
    await until(lambda: floor.engine.up == 1)
    await floor.engine.ask(OpenLeg(LegId("agent"), "vdn"))


async def test_a_worker_that_hangs_counts_as_dead() -> None:
    async with floor_of(answer_s=0.5) as floor:
        await floor.phone("customer")
        os.kill(floor.engine.pids[0], signal.SIGSTOP)
        with pytest.raises(Refused) as refused:
            await floor.engine.ask(Play(LegId("customer"), None))
        assert refused.value.code is Code.UNAVAILABLE
        assert await floor.told(lambda event: isinstance(event, LegsLost))


async def test_exhausted_ports_refuse_a_leg() -> None:
    first = free_port() & ~1
    async with floor_of(first_port=first, last_port=first + 7) as floor:
        opened: list[LegAddress] = []

        async def open_five() -> None:
            for number in range(5):
                opened.append(await floor.engine.ask(OpenLeg(LegId(str(number)), "vdn")))

        with pytest.raises(Refused) as refused:
            await open_five()
        assert refused.value.code is Code.MEDIA_EXHAUSTED
        assert {address.port for address in opened} <= set(range(first, first + 8, 2))


async def test_too_many_legs_are_refused() -> None:
    async with floor_of(legs_per_worker=2) as floor:
        for number in range(2):
            await floor.engine.ask(OpenLeg(LegId(str(number)), "vdn"))
        with pytest.raises(Refused) as refused:
            await floor.engine.ask(OpenLeg(LegId("2"), "vdn"))
        assert refused.value.code is Code.MEDIA_EXHAUSTED


async def test_packets_of_a_foreign_source_are_not_heard(floor: Floor) -> None:
    customer, agent = await floor.phone("customer"), await floor.phone("agent")
    stranger = await TonePhone("stranger").listen("127.0.0.2")
    stranger.target = customer.target
    floor.phones.append(stranger)
    await floor.route(TALK)
    await agent.hears("customer")
    customer.talks = False
    await agent.hears()
    for _ in range(5):
        agent.ears.clear()
        await agent.hears()
    assert agent.loudest["stranger"] < ABSENT
    assert stranger.sources == set()
    assert (await floor.engine.ticks())["media-0"].dropped > 0


async def test_hostile_packets_do_no_harm(floor: Floor) -> None:
    customer, agent = await floor.phone("customer"), await floor.phone("agent")
    await floor.route(TALK)
    await agent.hears("customer")
    assert customer.target is not None
    host, port = customer.target.host, customer.target.port
    good = customer.packet()
    garbage = [
        *(b"", b"\x80", b"\xff" * 11, b"\x00" * 12, b"\x80\x00" + b"\xff" * 10, b"\xff" * 2000),
        good[:12],
        bytes([0x8F]) + good[1:30],  # fifteen CSRCs that are not there
        bytes([0x90]) + good[1:12] + b"\xbe\xde\xff\xff" + good[12:],  # an extension beyond the end
        bytes([0xA0]) + good[1:-1] + b"\xff",  # more padding than packet
        *(bytes([version << 6]) + good[1:] for version in (0, 1, 3)),
        *(good[:1] + bytes([payload_type]) + good[2:] for payload_type in range(1, 256, 7)),
        *(good[:12] + bytes(size) for size in (1, 79, 161, 480, 481, 620)),
    ]
    for packet in garbage:
        for target in (port, port + 1):
            customer.transport.sendto(packet, (host, target))
    agent.forget()
    await agent.hears("customer")
    await customer.hears("agent")


async def test_a_flood_at_one_port_leaves_other_legs_alone(floor: Floor) -> None:
    customer, agent = await floor.phone("customer"), await floor.phone("agent")
    await floor.route(TALK)
    await agent.hears("customer")
    fresh = await floor.engine.ask(OpenLeg(LegId("second"), "vdn"))
    stranger = await TonePhone("stranger").listen()
    for _ in range(3000):
        stranger.transport.sendto(stranger.packet(), (fresh.host, fresh.port))
    agent.forget()
    await agent.hears("customer")
    await customer.hears("agent")
    stranger.hang_up()


async def test_a_phone_that_moves_is_heard_from_its_new_address(floor: Floor) -> None:
    customer, agent = await floor.phone("customer"), await floor.phone("agent")
    await floor.route(TALK)
    await agent.hears("customer")
    moved = await TonePhone("second").listen()
    moved.target = customer.target
    await floor.engine.ask(SetRemote(customer.leg, moved.remote()))
    await moved.hears("agent")
    customer.talks = False
    floor.phones.append(moved)
    await agent.hears("second")


async def test_a_source_is_proven_once(floor: Floor) -> None:
    customer = await floor.phone("customer")
    assert await floor.told(lambda event: isinstance(event, LegProven)) == LegProven(customer.leg)
    await customer.hears()
    assert floor.events == [LegProven(customer.leg)]


async def test_a_leg_that_falls_silent_times_out() -> None:
    async with floor_of(timeout=0.5) as floor:
        customer, agent = await floor.phone("customer"), await floor.phone("agent")
        await floor.route(TALK)
        await agent.hears("customer")
        customer.talks = False
        assert await floor.told(lambda event: isinstance(event, LegTimedOut)) == LegTimedOut(customer.leg)


async def test_an_engine_may_be_closed_while_its_worker_is_down(floor: Floor) -> None:
    for _ in range(3):
        await until(lambda: floor.engine.up == 1)
        os.kill(floor.engine.pids[0], signal.SIGKILL)
        await until(lambda: floor.engine.up == 0)
    await floor.engine.close()
    assert floor.engine.pids == []


async def test_closing_the_engine_closes_its_recordings(tmp_path: Path) -> None:
    async with floor_of() as floor:
        customer, agent = await floor.phone("customer"), await floor.phone("agent")
        await floor.engine.ask(StartRecording(Recording(R, tmp_path / "call.wav", customer.leg, agent.leg)))
        await floor.route(TALK, recorded={"customer", "agent"})
        await customer.hears("agent")
        pids = floor.engine.pids
    assert names_on(channels(tmp_path / "call.wav")[:, 0])[-1] in (set(), {"customer"})
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


async def test_a_recording_of_nobody_is_refused(floor: Floor) -> None:
    with pytest.raises(Refused) as refused:
        await floor.engine.ask(StartRecording(Recording(R, Path("/nowhere/r.wav"), LegId("x"), LegId("y"))))
    assert refused.value.code is Code.NOT_FOUND


async def test_a_leg_opens_once(floor: Floor) -> None:
    await floor.engine.ask(OpenLeg(LegId("a"), "vdn"))
    with pytest.raises(Refused) as refused:
        await floor.engine.ask(OpenLeg(LegId("a"), "vdn"))
    assert refused.value.code is Code.BAD_PARAMETER
