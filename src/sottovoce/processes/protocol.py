"""The control protocol between the server and a process of its own: length-prefixed msgpack. Pure.

A frame is four bytes of length (big endian) and one msgpack array:

- call: ``[id, verb, arguments]``, id from 1; the verb is the name of a request's class
- answer: ``[id, "=", kind, value]`` or ``[id, "!", code, detail]``, in any order; a process's first word is
  the answer 0 without a value
- event: ``[0, name, fields]``

Arguments, values and fields travel as `sottovoce.plain` has them. Everything read is checked against
the declared types and bounded; anything else raises `ControlError`, after which the connection is of no
more use. Both ends are of one installation, so nothing here is ever read by another version.
"""

from __future__ import annotations

import typing
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import msgpack

from sottovoce.errors import Code
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

ResultT = TypeVar("ResultT", covariant=True)


class ControlError(Exception):
    """Bytes that are not this protocol."""


class Request(Generic[ResultT]):
    """What a process can be asked for; the parameter is what it answers with."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Leave(Request[None]):
    """Finish, close the files, answer, and end the process: every kind understands it."""


@dataclass(frozen=True, slots=True)
class ControlCall:
    """A request under its id."""

    id: int
    request: Request[Any]


@dataclass(frozen=True, slots=True)
class ControlAnswer:
    """What became of a call."""

    id: int
    value: Any


@dataclass(frozen=True, slots=True)
class ControlRefusal:
    """Why nothing came of a call."""

    id: int
    code: Code
    detail: str


class Vocabulary:
    """What one kind of process understands, and the bytes of it."""

    def __init__(self, requests: Iterable[type[Request[Any]]], events: Iterable[type]) -> None:
        self.results: Mapping[type[Request[Any]], type] = {
            kind: typing.get_args(kind.__orig_bases__[0])[0]  # type: ignore[attr-defined] # of every generic class
            for kind in (*requests, Leave)
        }
        """What it is asked for, and the type of its answer."""
        self._requests = {kind.__name__: kind for kind in self.results}
        self._values = {kind.__name__: kind for kind in self.results.values()}
        self._events = {kind.__name__: kind for kind in events}

    def encode(self, message: object) -> bytes:
        """One frame of a call, an answer, a refusal or an event. ControlError if a peer would not read it."""
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

    def decode(self, body: bytes) -> Any:
        """What a frame's body says: a call, an answer, a refusal or an event; or ControlError."""
        try:
            match msgpack.unpackb(body, **_BOUNDS):
                case [bool() | float(), *_]:
                    pass
                case [0, str(name), fields]:
                    return from_plain(self._events[name], fields)
                case [int(number), str(name), fields] if number > 0:
                    return ControlCall(number, from_plain(self._requests[name], fields))
                case [int(number), "=", "", None] if number >= 0:
                    return ControlAnswer(number, None)
                case [int(number), "=", str(name), fields] if number > 0:
                    return ControlAnswer(number, from_plain(self._values[name], fields))
                case [int(number), "!", code, str(detail)] if number > 0:
                    return ControlRefusal(number, Code(code), detail)
        except (ValueError, KeyError, msgpack.exceptions.UnpackException, RecursionError) as failure:
            raise ControlError(f"{type(failure).__name__}: {failure}") from None
        raise ControlError("neither call, answer nor event")


@dataclass(frozen=True, slots=True)
class ProcessKind:
    """What all processes of one kind have in common."""

    called: str
    """In the log and in refusals: "media worker"."""
    module: str
    """What is run; it takes the socket's number and its setup as JSON."""
    vocabulary: Vocabulary
    alive: Request[Any]
    """What is asked now and then, to see whether it still answers."""
    long: tuple[type[Request[Any]], ...] = ()
    """Requests that may take as long as closing files does; `Leave` is one in any case."""


class Framer:
    """Cuts a byte stream into messages; holds one frame and one reading at most."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._decode = vocabulary.decode
        self._buffer = bytearray()

    def feed(self, data: bytes) -> Iterator[Any]:
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
            yield self._decode(body)
