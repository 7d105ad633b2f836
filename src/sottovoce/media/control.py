"""What a media worker can be asked and what it tells: the vocabulary of its control socket. Pure."""

from __future__ import annotations

import typing
from dataclasses import dataclass

from sottovoce.media.engine import REQUESTS, EngineEvent, Play, StopRecording
from sottovoce.media.ports_pool import PortRange
from sottovoce.processes.protocol import (
    ControlAnswer,
    ControlCall,
    ControlRefusal,
    ProcessKind,
    Request,
    Vocabulary,
)


@dataclass(frozen=True, slots=True)
class Setup:
    """What a worker is told at its start, as JSON on its command line. No field has a default here."""

    host: str
    """The IPv4 address that RTP is received at."""
    legs: int
    ports: PortRange
    timeout_s: float
    """Silence after which a leg that has to send is given up."""
    hold_limit_s: float
    """The same for a leg on hold."""
    name: str
    """In its log lines, which have the server's form and level."""
    log_level: str
    log_format: str
    log_file: str
    """Empty: standard error."""


@dataclass(frozen=True, slots=True)
class TickFigures:
    """How a worker kept its 20 ms beat since it was last asked to begin anew (ms)."""

    legs: int
    ports: int
    ticks: int
    work_p50_ms: float
    work_p99_ms: float
    work_most_ms: float
    late_p99_ms: float
    """How long after its deadline a tick's packets were out, p99."""
    overruns: int
    """Ticks that ended after the next one's deadline."""
    skipped: int
    """Ticks left out after a stall too long to make up for."""
    received: int
    sent: int
    dropped: int
    """Packets that belonged to no leg."""
    cpu_s: float
    """CPU time of the whole process since its start."""
    receive_ms: float
    """Mean per tick: reading sockets."""
    attribute_ms: float
    """Mean per tick: finding each packet's leg."""
    take_in_ms: float
    """Mean per tick: the mixer's parsing and decoding."""
    mix_ms: float
    """Mean per tick: the mixer's tick, recording blocks included."""
    send_ms: float
    """Mean per tick: writing sockets."""
    classes: tuple[int, ...]
    """All ticks since the worker's start, by `beat.TICK_BOUNDS_S`."""
    work_s: float
    """The work of all of them together (s)."""
    heard: int
    """Packets of all legs since the worker's start."""
    lost: int
    """Packets that never came to a leg."""
    late: int
    """Packets that came too late to be heard."""


@dataclass(frozen=True, slots=True)
class ReadTicks(Request[TickFigures]):
    """How the worker keeps its beat; `reset` begins the figures anew."""

    reset: bool = False


Message = ControlCall | ControlAnswer | ControlRefusal | EngineEvent

VOCABULARY = Vocabulary((*REQUESTS, ReadTicks), typing.get_args(EngineEvent))

WORKER = ProcessKind(
    "media worker", "sottovoce.media.process", VOCABULARY, ReadTicks(), long=(StopRecording, Play)
)
