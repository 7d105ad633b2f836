"""The control protocol between the engine's client and a media worker: length-prefixed msgpack. Pure.

A frame is four bytes of length (big endian) and one msgpack array:

- call: ``[id, verb, arguments]``, id from 1; the verb is the name of a request's class
- answer: ``[id, "=", kind, value]`` or ``[id, "!", code, detail]``, in any order; a worker's first word is
  the answer 0 without a value
- event: ``[0, name, fields]``

Arguments, values and fields travel as `sottovoce.plain` has them. Everything read is checked against
the declared types and bounded; anything else raises `ControlError`, after which the connection is of no
more use. Both ends are of one installation, so nothing here is ever read by another version.
"""

from __future__ import annotations

import typing
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import msgpack

from sottovoce.domain.legs import LegAddress, LegFigures, RecordingResult
from sottovoce.errors import Code
from sottovoce.media.engine import REQUESTS, EngineEvent, Request
from sottovoce.media.ports_pool import PortRange
from sottovoce.plain import from_plain, to_plain

MOST_BYTES = 1 << 20
"""The largest frame; a routing row takes about 100 bytes."""
MOST_ITEMS = 65_536
MOST_TEXT = 4096
"""Bytes."""
_PREFIX = 4
_BOUNDS = {
    "strict_map_key": True,
    "max_str_len": MOST_TEXT,
    "max_array_len": MOST_ITEMS,
    "max_map_len": MOST_ITEMS,
    "max_bin_len": 0,
    "max_ext_len": 0,
}


class ControlError(Exception):
    """Bytes that are not this protocol."""


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


@dataclass(frozen=True, slots=True)
class Leave(Request[None]):
    """End all legs, close the recordings, answer, and end the process."""


RESULTS: Mapping[type[Request[Any]], type] = {
    kind: typing.get_args(kind.__orig_bases__[0])[0]  # type: ignore[attr-defined] # of every generic class
    for kind in (*REQUESTS, ReadTicks, Leave)
}
"""What a worker is asked for, and the type of its answer."""

Value = LegAddress | LegFigures | RecordingResult | TickFigures | None


@dataclass(frozen=True, slots=True)
class ControlCall:
    """A request under its id."""

    id: int
    request: Request[Any]


@dataclass(frozen=True, slots=True)
class ControlAnswer:
    """What became of a call."""

    id: int
    value: Value


@dataclass(frozen=True, slots=True)
class ControlRefusal:
    """Why nothing came of a call."""

    id: int
    code: Code
    detail: str


Message = ControlCall | ControlAnswer | ControlRefusal | EngineEvent


_REQUESTS = {kind.__name__: kind for kind in RESULTS}
_VALUES = {kind.__name__: kind for kind in RESULTS.values()}
_EVENTS = {kind.__name__: kind for kind in typing.get_args(EngineEvent)}


def encode(message: Message) -> bytes:
    """One frame. ControlError if it would be larger than a peer reads."""
    match message:
        case ControlCall(id, request):
            content = [id, type(request).__name__, to_plain(request)]
        case ControlAnswer(id, None):
            content = [id, "=", "", None]
        case ControlAnswer(id, value):
            content = [id, "=", type(value).__name__, to_plain(value)]
        case ControlRefusal(id, code, detail):
            content = [id, "!", code.value, detail[: MOST_TEXT // 4]]
        case _:
            content = [0, type(message).__name__, to_plain(message)]
    body: bytes = msgpack.packb(content)
    if len(body) > MOST_BYTES:
        raise ControlError("too large a message")
    return len(body).to_bytes(_PREFIX, "big") + body


def decode(body: bytes) -> Message:
    """What a frame's body says, or ControlError."""
    try:
        match msgpack.unpackb(body, **_BOUNDS):
            case [bool() | float(), *_]:
                pass
            case [0, str(name), fields]:
                return typing.cast(EngineEvent, from_plain(_EVENTS[name], fields))
            case [int(number), str(name), fields] if number > 0:
                return ControlCall(number, from_plain(_REQUESTS[name], fields))
            case [int(number), "=", "", None] if number >= 0:
                return ControlAnswer(number, None)
            case [int(number), "=", str(name), fields] if number > 0:
                return ControlAnswer(number, from_plain(_VALUES[name], fields))
            case [int(number), "!", code, str(detail)] if number > 0:
                return ControlRefusal(number, Code(code), detail)
    except (ValueError, KeyError, msgpack.exceptions.UnpackException, RecursionError) as failure:
        raise ControlError(f"{type(failure).__name__}: {failure}") from None
    raise ControlError("neither call, answer nor event")


class Framer:
    """Cuts a byte stream into messages; holds one frame and one reading at most."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> Iterator[Message]:
        """Take in bytes; the messages complete now, in order. ControlError ends the stream's use."""
        self._buffer += data
        while len(self._buffer) >= _PREFIX:
            length = int.from_bytes(self._buffer[:_PREFIX], "big")
            if length > MOST_BYTES:
                raise ControlError("too large a message")
            if len(self._buffer) < _PREFIX + length:
                return
            body = bytes(self._buffer[_PREFIX : _PREFIX + length])
            del self._buffer[: _PREFIX + length]
            yield decode(body)
