"""A real SIP door on loopback, an operator who does what the called number says, and foreign phones.

The called number is a list of steps: `ring-accept-bye` rings, answers, and says BYE.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import shutil
import socket
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.doors.sip import far_sides

from sottovoce.config import NetworkSettings, SipSettings, TrunkSettings
from sottovoce.domain.directory import PhoneAccount, VdnId
from sottovoce.domain.legs import LegId, ReleaseCause
from sottovoce.domain.lines import (
    Destination,
    LegAnswered,
    LegGone,
    LegOffered,
    LineEvent,
    LineKind,
    PhoneSeen,
)
from sottovoce.doors.sip.digest import Algorithm, ha1
from sottovoce.doors.sip.door import SipDoor
from sottovoce.doors.sip.hops import Transport
from sottovoce.media.inprocess import InProcessEngine
from sottovoce.tasks import Tasks

HOST = "127.0.0.1"
SCENARIOS = Path(__file__).parent / "scenarios"
VDN = VdnId(1)
DOMAIN = "sottovoce.test"
PASSWORD = "phone-secret"
LIMIT_S = 20
"""Longest that one peer may take; only a hung one does."""

needs_sipp = pytest.mark.skipif(
    shutil.which("sipp") is None, reason="sipp is missing (Debian package sip-tester)"
)
needs_baresip = pytest.mark.skipif(
    shutil.which("baresip") is None, reason="baresip is missing (Debian package baresip-core)"
)
TRANSPORTS = pytest.mark.parametrize("transport", list(Transport), ids=lambda transport: transport.name)


class PushedClock:
    """The machine's clock, moved on by what a test pushes: minutes of a session timer pass at once."""

    def __init__(self) -> None:
        self.pushed = 0.0

    def monotonic(self) -> float:
        return time.monotonic() + self.pushed

    def now(self) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=self.pushed)


class OneVdn:
    """A directory of one VDN: every number but `nobody` is its own; phones 7001 and 7002."""

    def account(self, username: str) -> tuple[PhoneAccount, VdnId] | None:
        if username not in ("phone7001", "phone7002"):
            return None
        secrets = {each.value: ha1(each, username, DOMAIN, PASSWORD) for each in Algorithm}
        return PhoneAccount(username.removeprefix("phone"), username, secrets), VDN

    def route(self, called: str) -> VdnId | None:
        return None if called == "nobody" else VDN


@dataclass
class Switch:
    """A door and what happened at it."""

    door: SipDoor
    clock: PushedClock
    tasks: Tasks
    events: list[LineEvent] = field(default_factory=list)
    placed: list[LegId] = field(default_factory=list)
    _changed: asyncio.Event = field(default_factory=asyncio.Event)

    def hear(self, event: LineEvent) -> None:
        if isinstance(event, PhoneSeen):
            return
        self.events.append(event)
        self._changed.set()
        if isinstance(event, LegOffered):
            steps = [step for step in event.called.split("-") if step]
            self.tasks.spawn(self._act(event.leg, steps), name=f"operator {event.called}")

    async def until(self, happened: Callable[[], bool]) -> None:
        """Wait until the events are such."""
        async with asyncio.timeout(LIMIT_S):
            while not happened():
                self._changed.clear()
                await self._changed.wait()

    async def all_gone(self) -> None:
        """Wait until every leg that was placed or heard of is over."""
        await self.until(lambda: self.legs == {event.leg for event in self.of(LegGone)})

    def of(self, kind: type[LineEvent]) -> list[LineEvent]:
        return [event for event in self.events if isinstance(event, kind)]

    def kinds(self, *without: str) -> list[str]:
        """The names of the events in order; LegSaved left out."""
        names = [type(event).__name__ for event in self.events]
        return [name for name in names if name not in ("LegSaved", *without)]

    @property
    def legs(self) -> set[LegId]:
        return {event.leg for event in self.events} | set(self.placed)

    @property
    def causes(self) -> list[ReleaseCause]:
        return [event.cause for event in self.events if isinstance(event, LegGone)]

    def port(self, transport: Transport) -> int:
        return self.door.addresses[transport][1]

    def dial(self, number: str = "4711", *, side: LineKind = LineKind.TRUNK, caller: str = "5000") -> LegId:
        """Place a call."""
        leg = LegId(f"out{len(self.placed)}")
        self.placed.append(leg)
        self.door.ring(leg, VDN, Destination(side, number), caller)
        return leg

    def push(self, seconds: float) -> None:
        """Let time pass; a keep-alive wakes the door, as any datagram would.

        Not half a second more than needed: what is sent at its due time would be repeated at once.
        """
        self.clock.pushed += seconds
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as wire:
            wire.sendto(b"\r\n\r\n", (HOST, self.port(Transport.UDP)))

    async def _act(self, leg: LegId, steps: list[str]) -> None:
        for step in steps:
            await asyncio.sleep(0.03)
            match step:
                case "ring":
                    self.door.announce(leg, early_media=False)
                case "early":
                    self.door.announce(leg, early_media=True)
                case "accept":
                    self.door.accept(leg)
                case "talk":
                    await self.until(lambda: LegAnswered(leg) in self.events)
                    await asyncio.sleep(0.1)
                case "wait":
                    await asyncio.sleep(0.5)
                case "bye":
                    self.door.hang_up(leg)
                case "busy":
                    self.door.hang_up(leg, ReleaseCause.BUSY)
                case _ if step.startswith("push"):
                    self.push(float(step.removeprefix("push")))
                case _:
                    return  # somebody else's number: it is left waiting


@asynccontextmanager
async def switch(
    *,
    trunk: TrunkSettings | None = None,
    trusted: bool = True,
    calls: int = 2000,
    **more: object,
) -> AsyncIterator[Switch]:
    """A door that listens on free ports. `trusted`: whoever calls from loopback is the trunk.

    `calls` are taken at a time; with 0 the next is always one too many. `more` of the settings.
    """
    networks = (f"{HOST}/32",) if trusted else ()
    trunk = trunk or far_sides.trunk("trunk", HOST, 9, networks=networks)
    settings = SipSettings(host=HOST, port=0, domain=DOMAIN, trunks=(trunk,))
    settings = settings.model_copy(update={"max_sessions": calls, **more})
    failures: list[tuple[str, BaseException]] = []
    tasks = Tasks(lambda name, error: failures.append((name, error)))
    clock = PushedClock()
    engine = InProcessEngine()
    door = SipDoor(engine, OneVdn(), settings, NetworkSettings(), clock, tasks)
    made = Switch(door, clock, tasks)
    door.subscribe(made.hear)
    await door.start()
    try:
        yield made
    finally:
        await door.stop()
        await tasks.close()
    assert not failures


def free_port(transport: Transport) -> int:
    """A port that nobody uses now, below those that the system hands out; the next seven are left to it."""
    kind = socket.SOCK_STREAM if transport is Transport.TCP else socket.SOCK_DGRAM
    for _ in range(100):
        port = random.randrange(12000, 28000, 8)
        with socket.socket(socket.AF_INET, kind) as wire, contextlib.suppress(OSError):
            wire.bind((HOST, port))
            return port
    raise AssertionError("no free port")


async def listening(port: int, transport: Transport, process: asyncio.subprocess.Process) -> None:
    """Wait until somebody is bound to that port, or the process has ended."""
    table = Path("/proc/net/tcp" if transport is Transport.TCP else "/proc/net/udp")
    entry = f":{port:04X} "
    async with asyncio.timeout(LIMIT_S):
        while process.returncode is None and entry not in table.read_text():  # noqa: ASYNC110 - a socket of another process has no event
            await asyncio.sleep(0.02)


@dataclass
class Sipp:
    """One run of a scenario."""

    folder: Path
    scenario: str
    process: asyncio.subprocess.Process
    port: int

    @property
    def wire(self) -> str:
        """All that it sent and received."""
        return (self.folder / "messages.log").read_text(errors="replace")

    async def seen(self, text: str) -> None:
        """Wait until that has crossed the wire."""
        async with asyncio.timeout(LIMIT_S):
            while text not in self.wire:  # noqa: ASYNC110 - a file of another process has no event
                await asyncio.sleep(0.05)

    async def done(self) -> None:
        """Wait for its end; fail with what it saw unless the scenario went as written."""
        try:
            async with asyncio.timeout(LIMIT_S + 5):
                _, errors = await self.process.communicate()
        except TimeoutError:
            self.process.kill()
            await self.process.wait()
            errors = b"hung"
        if self.process.returncode == 0:
            return
        wire = self.folder / "messages.log"
        seen = wire.read_text(errors="replace")[-4000:] if wire.exists() else ""
        log = self.folder / "errors.log"
        complaint = log.read_text(errors="replace")[-1500:] if log.exists() else ""
        pytest.fail(f"{self.scenario}: {errors.decode(errors='replace')[-600:]}\n{complaint}\n{seen}")


@asynccontextmanager
async def sipp(
    folder: Path,
    scenario: str,
    transport: Transport,
    *,
    to: int | None = None,
    port: int | None = None,
    service: str = "ring-accept",
    keys: dict[str, str] | None = None,
    deaf: bool = False,
    calls: int = 1,
    lost: int = 0,
) -> AsyncIterator[Sipp]:
    """Run a scenario: as a caller of our port `to`, or as an answerer on `port`.

    `deaf`: what comes in a pause is lost. `lost`: of a hundred messages, so many are.
    """
    own = port if port is not None else free_port(transport)
    arguments = ["sipp", f"{HOST}:{to}"] if to is not None else ["sipp"]
    arguments += [
        "-sf",
        str(SCENARIOS / f"{scenario}.xml"),
        "-i",
        HOST,
        "-p",
        str(own),
        "-m",
        str(calls),
        "-s",
        service,
    ]
    arguments += ["-t", "t1" if transport is Transport.TCP else "u1", "-nostdin", "-timeout", f"{LIMIT_S}s"]
    arguments += ["-timeout_error", "-default_behaviors", "abortunexp", "-mp", str(free_port(Transport.UDP))]
    arguments += ["-trace_err", "-error_file", "errors.log", "-trace_msg", "-message_file", "messages.log"]
    if lost:
        arguments += ["-lost", str(lost), "-r", str(calls)]
    if deaf:
        arguments.append("-pause_msg_ign")
    for name, value in (keys or {}).items():
        credential = {"username": "-au", "password": "-ap"}.get(name)
        arguments += [credential, value] if credential else []
        arguments += ["-key", name, value]
    process = await asyncio.create_subprocess_exec(
        *arguments,
        cwd=folder,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        if to is None:
            await listening(own, transport, process)
        yield Sipp(folder, scenario, process, own)
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()


async def call_in(
    folder: Path,
    scenario: str,
    transport: Transport,
    line: Switch,
    service: str = "ring-accept",
    *,
    deaf: bool = False,
    **keys: str,
) -> Sipp:
    """sipp calls the door; returns when the scenario and all legs are over."""
    to = line.port(transport)
    async with sipp(folder, scenario, transport, to=to, service=service, keys=keys, deaf=deaf) as peer:
        await peer.done()
    await line.all_gone()
    return peer
