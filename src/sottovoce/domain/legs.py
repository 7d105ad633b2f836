"""A leg: one RTP stream each way with one party (a phone, a trunk, a browser).

These are the words that doors, media and live share about legs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, StrEnum
from pathlib import Path
from typing import NewType

LegId = NewType("LegId", str)
RecordingId = NewType("RecordingId", str)
UNFINISHED = ".part"
"""What the recorder adds to a file's name until the file is whole."""


class Codec(Enum):
    """G.711, the only audio the mixer knows: the name in SDP, and the static RTP payload type (RFC 3551 6).

    Offered in this order.
    """

    PCMU = 0
    PCMA = 8


class LegDirection(StrEnum):
    """What the far side may do, as negotiated (RFC 3264 5.1), seen from the far side."""

    SENDRECV = "sendrecv"
    SENDONLY = "sendonly"
    RECVONLY = "recvonly"
    INACTIVE = "inactive"

    @property
    def sends(self) -> bool:
        """Whether the far side is obliged to send."""
        return self in (LegDirection.SENDRECV, LegDirection.SENDONLY)

    @property
    def receives(self) -> bool:
        """Whether the far side may be sent to."""
        return self in (LegDirection.SENDRECV, LegDirection.RECVONLY)


@dataclass(frozen=True, slots=True)
class LegAddress:
    """Where the engine receives a leg's RTP; RTCP is one port higher."""

    host: str
    port: int


@dataclass(frozen=True, slots=True)
class RemoteMedia:
    """The far side of a leg, as its SDP says."""

    host: str
    port: int
    codec: Codec
    ptime_ms: int = 20
    """How much we send in a packet; any 10-60 ms are taken in."""
    dtmf_payload_type: int | None = None
    """RFC 4733's negotiated payload type, if any."""
    direction: LegDirection = LegDirection.SENDRECV
    rtcp_port: int | None = None
    """RFC 3605; None means port + 1."""
    signalling_host: str | None = None
    """The IP that the SIP came from; RTP from there is accepted too."""
    nat: bool = False
    """Whether its network is configured as NAT: RTP is answered where it comes from, and what the SDP names
    is no place that it may come from, unless that is a public address."""
    anywhere: bool = False
    """Whether any source that proves itself is accepted, by a setting."""
    codecs: tuple[Codec, ...] = ()
    """All that its SDP named: it may change between them at will. () means `codec` alone."""

    def may_send(self, payload_type: int) -> bool:
        """Whether audio of this RTP payload type may come from it (RFC 3264 6.1)."""
        return any(payload_type == codec.value for codec in self.codecs or (self.codec,))


@dataclass(frozen=True, slots=True)
class Routing:
    """Who hears whom among the legs of one conversation. Applied whole, idempotent.

    `hears` has a row for every listener it speaks about: exactly the legs heard, nobody else.
    Rows of legs it does not name stay as they are. A row may name legs that are not open: silence.
    """

    hears: Mapping[LegId, frozenset[LegId]]
    inspectors: frozenset[LegId] = frozenset()
    """Legs of inspectors: silenced at once when the worker loses its control socket."""
    recording: RecordingId | None = None
    recorded: frozenset[LegId] = frozenset()
    """Legs whose voice goes onto their track of `recording` now; the others' tracks are silent."""


@dataclass(frozen=True, slots=True)
class Recording:
    """One talk segment: customer and agent on the two channels of one WAV, inspectors on tracks of their own.

    `path` is the stereo WAV. A leg in `Routing.recorded` that is neither customer nor agent gets
    a mono WAV beside it, `<stem>.<leg>.wav`, of the same first frame and length.
    """

    recording: RecordingId
    path: Path
    customer: LegId
    agent: LegId
    silent_frames: int = 0
    """Samples of silence before the first one, of a talk that is recorded from its middle on, which begins at
    once."""


@dataclass(frozen=True, slots=True)
class RecordingResult:
    """A closed recording. `tracks` maps an inspector's leg to its file."""

    recording: RecordingId
    path: Path
    frames: int
    """Samples per channel at 8 kHz, from the tick in which customer and agent first heard each other."""
    tracks: Mapping[LegId, Path] = field(default_factory=dict)
    failure: str | None = None
    """Why it stopped early (a full disk), or None."""


@dataclass(frozen=True, slots=True)
class Sound:
    """What the engine plays into a leg: a WAV (8 kHz mono, 16 bit or G.711) or a built-in name."""

    name: str
    """`music`, `ringback`, `silence`, or a file's path."""
    loop: bool = True
    before: tuple[str, ...] = ()
    """Files that are played once before it, one after the other: announcements."""

    @property
    def names(self) -> tuple[str, ...]:
        """All that is played, in order."""
        return *self.before, self.name


@dataclass(frozen=True, slots=True)
class LegFigures:
    """What a leg's transport went through since it was opened (packets; ms; dBov)."""

    received: int = 0
    sent: int = 0
    lost: int = 0
    concealed: int = 0
    late: int = 0
    dropped: int = 0
    """Hostile, unproven or unparsable packets."""
    jitter_ms: float = 0.0
    buffer_ms: float = 0.0
    round_trip_ms: float | None = None
    remote_lost_fraction: float | None = None
    level_in_dbov: float = -127.0
    level_out_dbov: float = -127.0
    duplicated: int = 0
    reordered: int = 0


class ReleaseCause(StrEnum):
    """Why a leg ended or could not be had."""

    NORMAL = "normal"
    BUSY = "busy"
    NO_ANSWER = "no_answer"
    REJECTED = "rejected"
    CANCELLED = "cancelled"
    UNREACHABLE = "unreachable"
    UNSUPPORTED_MEDIA = "unsupported_media"
    MEDIA_TIMEOUT = "media_timeout"
    SESSION_EXPIRED = "session_expired"
    OVERLOAD = "overload"
    WORKER_LOST = "worker_lost"
    FAILED = "failed"
