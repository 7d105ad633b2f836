"""What the browser door's process can be asked and what it tells: the vocabulary of its control socket."""

from __future__ import annotations

import typing
from dataclasses import dataclass
from typing import NewType

from sottovoce.domain.legs import LegAddress
from sottovoce.processes.protocol import ProcessKind, Request, Vocabulary

PathId = NewType("PathId", str)
"""A way to one page of a browser: ICE, DTLS, SRTP. It stands while the page is open, call or none."""


@dataclass(frozen=True, slots=True)
class DoorSetup:
    """What the process is told at its start, as JSON on its command line."""

    host: str
    """The IPv4 address that browsers' packets are received at."""
    port: int
    """UDP, one for all; 0 takes a free one."""
    addresses: tuple[str, ...]
    """Where browsers find it: named in each answer."""
    paths: int
    """The most that stand at once, half-open ones included."""
    half_open_s: float
    """How long one may take to be connected."""
    consent_s: float
    """Silence of its checks after which a browser counts as gone (RFC 7675: 30 s)."""
    log_level: str
    log_format: str
    log_file: str
    """Empty: standard error."""


@dataclass(frozen=True, slots=True)
class Answered:
    """Our session description."""

    sdp: str
    dtmf_payload_type: int | None
    """What RFC 4733 events are sent as, if at all."""


@dataclass(frozen=True, slots=True)
class DoorFigures:
    """What passes through the door."""

    port: int
    paths: int
    connected: int
    legs: int
    received: int
    """Packets of audio from browsers that were let through."""
    sent: int
    """Packets of audio to browsers."""
    dropped: int
    """Datagrams that were nobody's, forged or broken."""
    cpu_s: float
    """CPU time of the process since its start."""


@dataclass(frozen=True, slots=True)
class OpenPath(Request[Answered]):
    """Answer a browser's offer. BAD_PARAMETER with what is wrong with it, MEDIA_EXHAUSTED."""

    path: PathId
    sdp: str


@dataclass(frozen=True, slots=True)
class Attach(Request[LegAddress]):
    """Let a leg's audio pass; the answer is where its far side is, RTP and RTCP on one port. NOT_FOUND."""

    path: PathId
    leg: LegAddress
    """Where the mixer receives it."""


@dataclass(frozen=True, slots=True)
class Detach(Request[None]):
    """Let no audio pass any more; the path stands."""

    path: PathId


@dataclass(frozen=True, slots=True)
class ClosePath(Request[None]):
    """End a path, and say so to the browser."""

    path: PathId


@dataclass(frozen=True, slots=True)
class ReadPaths(Request[DoorFigures]):
    """How it is."""


@dataclass(frozen=True, slots=True)
class PathConnected:
    """Audio can pass."""

    path: PathId


@dataclass(frozen=True, slots=True)
class PathLost:
    """A path ended by itself: nobody closed it from here."""

    path: PathId
    why: str


PathEvent = PathConnected | PathLost

VOCABULARY = Vocabulary((OpenPath, Attach, Detach, ClosePath, ReadPaths), typing.get_args(PathEvent))
BROWSERS = ProcessKind("browser door", "sottovoce.doors.browser.process", VOCABULARY, ReadPaths())
