"""CPU per leg and the beat: groups of three with whisper and recording, beside a bare echo."""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
from tests.bench.tables import Say, Table
from tests.kit.media import local_media

from sottovoce.domain.legs import Codec, LegAddress, LegId, Recording, RecordingId, RemoteMedia, Routing
from sottovoce.media.control import TickFigures
from sottovoce.media.engine import Apply, EngineEvent, LegProven, OpenLeg, SetRemote, StartRecording
from sottovoce.media.workers import WorkerEngine
from sottovoce.tasks import Tasks

SIZES = (99, 300, 600, 900)
MEASURE_S = 8.0
SETTLE_S = 1.5
WAVE = 24
"""Legs opened at once: each new one needs a port to itself until it is proven."""
BAR = 1.6


@dataclass(frozen=True)
class Load:
    """The generator process."""

    process: asyncio.subprocess.Process
    addresses: list[tuple[str, int]]

    @classmethod
    async def start(cls, legs: int) -> Load:
        process = await _spawn("load", legs)
        return cls(process, await _line(process))

    async def aim(self, targets: dict[int, tuple[str, int]]) -> tuple[int, int, int]:
        """Have legs send somewhere; packets sent, received, received with sound in them so far."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(targets).encode() + b"\n")
        sent, received, audible = await _line(self.process)
        return sent, received, audible


async def _spawn(module: str, argument: int) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        f"tests.bench.{module}",
        str(argument),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=1 << 20,
    )


async def _line(process: asyncio.subprocess.Process) -> Any:
    assert process.stdout is not None
    return json.loads(await process.stdout.readline())


async def _end(process: asyncio.subprocess.Process) -> None:
    assert process.stdin is not None
    process.stdin.close()
    await process.wait()


async def _cpu_while(pid: int, seconds: float) -> float:
    """Percent of one core that a process took."""
    process = psutil.Process(pid)

    def spent() -> float:
        times = process.cpu_times()
        return float(times.user + times.system)

    loop = asyncio.get_running_loop()
    begun, before = loop.time(), spent()
    await asyncio.sleep(seconds)
    return (spent() - before) / (loop.time() - begun) * 100


@dataclass(frozen=True)
class Result:
    """One size."""

    legs: int
    worker_cpu: float
    echo_cpu: float
    ticks: TickFigures
    lost: float
    audible: float

    @property
    def ratio(self) -> float:
        return self.worker_cpu / self.echo_cpu


async def run(legs: int, say: Say, measure_s: float = MEASURE_S) -> Result:
    """Measure one size: the worker, then the echo."""
    tasks = Tasks()
    engine = WorkerEngine(local_media(workers=1, legs_per_worker=max(128, legs + legs // 8)), tasks)
    load = await Load.start(legs)
    await engine.start()
    try:
        with tempfile.TemporaryDirectory() as folder:
            say(f"{legs} legs: opening")
            ports = await _open_all(engine, load)
            await _route_all(engine, legs, Path(folder))
            say(f"{legs} legs: measuring the worker")
            await asyncio.sleep(SETTLE_S)
            await engine.ticks(reset=True)
            before = await load.aim({})
            worker_cpu = await _cpu_while(engine.pids[0], measure_s)
            after = await load.aim({})
            ticks = (await engine.ticks())["media-0"]
            await engine.close()
    finally:
        await engine.close()
        await tasks.close()
    sent, received, audible = (late - early for late, early in zip(after, before, strict=True))
    say(f"{legs} legs: measuring the bare echo")
    echo_cpu = await _echo(load, ports, measure_s)
    await _end(load.process)
    return Result(legs, worker_cpu, echo_cpu, ticks, 1 - received / sent, audible / max(1, received))


async def _open_all(engine: WorkerEngine, load: Load) -> list[int]:
    """Open the legs in waves, each when the last is proven; the port of each."""
    proven: set[LegId] = set()
    heard = asyncio.Event()

    def hear(event: EngineEvent) -> None:
        if isinstance(event, LegProven):
            proven.add(event.leg)
            heard.set()

    engine.subscribe(hear)
    ports: list[int] = []
    for first in range(0, len(load.addresses), WAVE):
        wave = range(first, min(first + WAVE, len(load.addresses)))
        opened = await asyncio.gather(*(_open(engine, number, load.addresses[number]) for number in wave))
        targets = {number: (to.host, to.port) for number, to in zip(wave, opened, strict=True)}
        ports += [to.port for to in opened]
        await load.aim(targets)
        while len(proven) < len(ports):
            heard.clear()
            await heard.wait()
    return ports


async def _open(engine: WorkerEngine, number: int, remote: tuple[str, int]) -> LegAddress:
    address = await engine.ask(OpenLeg(LegId(str(number)), "bench"))
    await engine.ask(SetRemote(LegId(str(number)), RemoteMedia(*remote, Codec.PCMU)))
    return address


async def _route_all(engine: WorkerEngine, legs: int, folder: Path) -> None:
    """In every group customer and agent talk, the inspector hears both and whispers to the agent."""
    for first in range(0, legs, 3):
        customer, agent, inspector = (LegId(str(first + place)) for place in range(3))
        recording = RecordingId(f"r{first}")
        await engine.ask(StartRecording(Recording(recording, folder / f"{first}.wav", customer, agent)))
        await engine.ask(
            Apply(
                Routing(
                    {
                        customer: frozenset({agent}),
                        agent: frozenset({customer, inspector}),
                        inspector: frozenset({customer, agent}),
                    },
                    frozenset({inspector}),
                    recording,
                    frozenset({customer, agent, inspector}),
                )
            )
        )


async def _echo(load: Load, ports: list[int], measure_s: float) -> float:
    """CPU of the echo with as many ports, each with as many legs, as the worker had."""
    order = list(Counter(ports))
    process = await _spawn("echo", len(order))
    echoing = await _line(process)
    await load.aim({leg: ("127.0.0.1", echoing[order.index(port)]) for leg, port in enumerate(ports)})
    await asyncio.sleep(SETTLE_S)
    cpu = await _cpu_while(process.pid, measure_s)
    await _end(process)
    return cpu


async def measure(say: Say, sizes: tuple[int, ...] = SIZES) -> list[Table]:
    """The tables of CPU and beat, and of where the time goes."""
    results = [await run(legs, say) for legs in sizes]
    return [
        Table(
            "CPU per leg and the beat of one media worker",
            [
                *("legs", "ports", "worker", "a leg", "echo, a leg", "ratio"),
                *("p50", "p99", "longest", "overruns", "lost", "audible"),
            ],
            [
                [
                    *(str(r.legs), str(r.ticks.ports), f"{r.worker_cpu:.1f}", f"{r.worker_cpu / r.legs:.4f}"),
                    *(f"{r.echo_cpu / r.legs:.4f}", f"{r.ratio:.2f}"),
                    *(f"{r.ticks.work_p50_ms:.2f}", f"{r.ticks.work_p99_ms:.2f}"),
                    *(f"{r.ticks.work_most_ms:.1f}", f"{r.ticks.overruns} of {r.ticks.ticks}"),
                    *(f"{r.lost:.2%}", f"{r.audible:.1%}"),
                ]
                for r in results
            ],
            [
                "worker, a leg, echo (the bare one): CPU in % of a core; p50, p99, longest: of a tick, ms.",
                f"Bar: at most {BAR} × the bare echo of the same packets, tick p99 below 20 ms.",
                "Groups of three: customer and agent talk, the inspector hears both and whispers; each group"
                " is recorded in stereo with the inspector's track beside it; PCMU, 20 ms.",
                "The CPU is that of the whole process, recorder threads and control included.",
                f"The legs are opened {WAVE} at a time; that decides over the number of ports.",
                "lost: packets sent to the worker without one coming back; audible: of those that came back,"
                " how many were not silence.",
            ],
        ),
        Table(
            "Where a tick goes (mean, ms)",
            ["legs", "read sockets", "find each packet's leg", "take in", "mix and encode", "write sockets"],
            [
                [
                    str(r.legs),
                    *(f"{part:.2f}" for part in (r.ticks.receive_ms, r.ticks.attribute_ms)),
                    *(f"{part:.2f}" for part in (r.ticks.take_in_ms, r.ticks.mix_ms, r.ticks.send_ms)),
                ]
                for r in results
            ],
            [
                "Where the ratio is missed, the three largest costs are the packets' system calls (the echo"
                " pays nearly all of those too), the fixed price of some hundred numpy calls a tick on caches"
                " gone cold since the last one (most of it with few legs), and the recorder's thread.",
            ],
        ),
    ]
