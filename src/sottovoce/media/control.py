"""The control protocol between the engine's client and a media worker: length-prefixed msgpack. Pure.

A frame is four bytes of length (big endian) and one msgpack array:

- call: ``[id, verb, arguments]``, id from 1; the verb is the name of a request class below
- answer: ``[id, "=", kind, value]`` or ``[id, "!", code, detail]``, in any order
- event: ``[0, name, fields]``

Dataclasses travel as arrays of their fields, sets and mappings sorted, paths and enums as their
text or value. Everything read is checked against the declared types and bounded; anything else
raises `ControlError`, after which the connection is of no more use.
"""

from __future__ import annotations

import types
import typing
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from enum import Enum
from pathlib import Path
from typing import Any

import msgpack

from sottovoce.domain.legs import (
    LegAddress,
    LegFigures,
    LegId,
    Recording,
    RecordingId,
    RecordingResult,
    RemoteMedia,
    Routing,
    Sound,
)
from sottovoce.errors import Code
from sottovoce.media.engine import (
    DigitPressed,
    EchoHeard,
    EngineEvent,
    LegProven,
    LegsLost,
    LegTimedOut,
    RecordingStopped,
)

MOST_BYTES = 1 << 20
"""The largest frame; a routing row takes about 100 bytes."""
MOST_ITEMS = 65_536
MOST_TEXT = 4096
_PREFIX = 4


class ControlError(Exception):
    """Bytes that are not this protocol."""


@dataclass(frozen=True, slots=True)
class OpenLeg:
    """Answered with a LegAddress."""

    leg: LegId


@dataclass(frozen=True, slots=True)
class SetRemote:
    leg: LegId
    remote: RemoteMedia


@dataclass(frozen=True, slots=True)
class CloseLeg:
    """Answered with LegFigures."""

    leg: LegId


@dataclass(frozen=True, slots=True)
class Apply:
    routing: Routing


@dataclass(frozen=True, slots=True)
class Play:
    leg: LegId
    sound: Sound | None


@dataclass(frozen=True, slots=True)
class SendDigits:
    leg: LegId
    digits: str


@dataclass(frozen=True, slots=True)
class StartRecording:
    recording: Recording


@dataclass(frozen=True, slots=True)
class StopRecording:
    """Answered with a RecordingResult when the files are closed."""

    recording: RecordingId


@dataclass(frozen=True, slots=True)
class ReadFigures:
    """Answered with LegFigures."""

    leg: LegId


@dataclass(frozen=True, slots=True)
class ReadTicks:
    """Answered with TickFigures; `reset` begins them anew."""

    reset: bool = False


@dataclass(frozen=True, slots=True)
class Leave:
    """End all legs, close the recordings, answer, and end the process."""


Request = (
    OpenLeg
    | SetRemote
    | CloseLeg
    | Apply
    | Play
    | SendDigits
    | StartRecording
    | StopRecording
    | ReadFigures
    | ReadTicks
    | Leave
)


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


Value = LegAddress | LegFigures | RecordingResult | TickFigures | None


@dataclass(frozen=True, slots=True)
class Call:
    """A request under its id."""

    id: int
    request: Request


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of a call."""

    id: int
    value: Value


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why nothing came of a call."""

    id: int
    code: Code
    detail: str


Message = Call | Answer | Refusal | EngineEvent

_Codec = tuple[Callable[[Any], Any], Callable[[Any], Any]]


def _checked(kind: type, most: int = MOST_TEXT) -> Callable[[Any], Any]:
    def decode(raw: Any) -> Any:
        if type(raw) is not kind or (isinstance(raw, str) and len(raw) > most):
            raise ControlError(f"expected {kind.__name__}")
        return raw

    return decode


def _number(raw: Any) -> float:
    if type(raw) not in (int, float):
        raise ControlError("expected a number")
    return float(raw)


def _items(raw: Any) -> list[Any]:
    if type(raw) is not list or len(raw) > MOST_ITEMS:
        raise ControlError("expected a list")
    return raw


def _codec(hint: Any) -> _Codec:
    """How a declared type becomes msgpack and is read back, checked."""
    if isinstance(hint, typing.NewType):
        return _codec(hint.__supertype__)
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is types.UnionType or origin is typing.Union:
        write, read = _codec(next(a for a in arguments if a is not types.NoneType))
        return (
            lambda value: None if value is None else write(value),
            lambda raw: None if raw is None else read(raw),
        )
    if origin is frozenset:
        write, read = _codec(arguments[0])
        return (
            lambda value: sorted(map(write, value)),
            lambda raw: frozenset(map(read, _items(raw))),
        )
    if origin is not None and issubclass(origin, Mapping):
        write_key, read_key = _codec(arguments[0])
        write, read = _codec(arguments[1])

        def read_pairs(raw: Any) -> dict[Any, Any]:
            pairs = [_items(pair) for pair in _items(raw)]
            if any(len(pair) != 2 for pair in pairs):
                raise ControlError("expected pairs")
            return {read_key(key): read(value) for key, value in pairs}

        return (
            lambda value: sorted([write_key(key), write(item)] for key, item in value.items()),
            read_pairs,
        )
    if is_dataclass(hint):
        return _dataclass_codec(typing.cast(type, hint))
    if issubclass(hint, Path):
        text = _checked(str)
        return str, lambda raw: Path(text(raw))
    if issubclass(hint, Enum):

        def read_enum(raw: Any) -> Any:
            try:
                return hint(raw)
            except ValueError:
                raise ControlError(f"no {hint.__name__}") from None

        return lambda value: value.value, read_enum
    if hint is float:
        return float, _number
    return lambda value: value, _checked(hint)


def _dataclass_codec(kind: type) -> _Codec:
    hints = typing.get_type_hints(kind)
    names = [field.name for field in fields(kind)]
    parts = [_codec(hints[name]) for name in names]

    def write(value: Any) -> list[Any]:
        return [part[0](getattr(value, name)) for name, part in zip(names, parts, strict=True)]

    def read(raw: Any) -> Any:
        if len(_items(raw)) != len(parts):
            raise ControlError(f"expected {len(parts)} fields of {kind.__name__}")
        return kind(*(part[1](item) for part, item in zip(parts, raw, strict=True)))

    return write, read


def _table(union: Any) -> dict[str, _Codec]:
    return {kind.__name__: _codec(kind) for kind in typing.get_args(union) if kind is not types.NoneType}


_REQUESTS = _table(Request)
_VALUES = _table(Value)
_EVENTS = _table(EngineEvent)
assert {DigitPressed, EchoHeard, LegProven, LegsLost, LegTimedOut, RecordingStopped} == set(
    typing.get_args(EngineEvent)
)


def encode(message: Message) -> bytes:
    """One frame. ControlError if it would be larger than a peer reads."""
    match message:
        case Call(id, request):
            name = type(request).__name__
            content: list[Any] = [id, name, _REQUESTS[name][0](request)]
        case Answer(id, None):
            content = [id, "=", "", None]
        case Answer(id, value):
            name = type(value).__name__
            content = [id, "=", name, _VALUES[name][0](value)]
        case Refusal(id, code, detail):
            content = [id, "!", code.value, detail[:MOST_TEXT]]
        case _:
            name = type(message).__name__
            content = [0, name, _EVENTS[name][0](message)]
    body: bytes = msgpack.packb(content)
    if len(body) > MOST_BYTES:
        raise ControlError("too large a message")
    return len(body).to_bytes(_PREFIX, "big") + body


def decode(body: bytes) -> Message:
    """What a frame's body says, or ControlError."""
    try:
        raw = _items(
            msgpack.unpackb(
                body,
                strict_map_key=True,
                max_str_len=MOST_BYTES,
                max_array_len=MOST_ITEMS,
                max_map_len=0,
                max_bin_len=0,
                max_ext_len=0,
            )
        )
    except (ValueError, msgpack.exceptions.UnpackException, RecursionError) as failure:
        raise ControlError(str(failure)) from None
    if len(raw) not in (3, 4) or type(raw[0]) is not int or type(raw[1]) is not str or raw[0] < 0:
        raise ControlError("neither call, answer nor event")
    number, mark = raw[0], raw[1]
    try:
        if len(raw) == 3:
            if number:
                return Call(number, _REQUESTS[mark][1](raw[2]))
            return typing.cast(EngineEvent, _EVENTS[mark][1](raw[2]))
        if mark == "=":
            return Answer(number, None if raw[2] == "" else _VALUES[raw[2]][1](raw[3]))
        if mark == "!":
            return Refusal(number, Code(raw[2]), _checked(str)(raw[3]))
    except (KeyError, ValueError, TypeError):
        raise ControlError("unknown name or value") from None
    raise ControlError("unknown mark")


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
