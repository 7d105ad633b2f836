"""Contacts: what can be inspected. One per talk of an agent in a call, one of a call that nobody took.

In a stereo recording the customer is on the left channel and the agent on the right one.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from enum import IntEnum, StrEnum
from typing import NamedTuple
from uuid import UUID

from sottovoce.domain.calls import CallDirection
from sottovoce.domain.directory import AgentId, SkillId, VdnId
from sottovoce.domain.supervision import Mode

_MS = timedelta(milliseconds=1)
INTERRUPTED = "interrupted"
"""The reason of calls, and the failure of recordings, that a crash ended."""


class Origin(StrEnum):
    """Where a contact came from."""

    LIVE = "live"
    IMPORT = "import"


class Interaction(IntEnum):
    """How agent and customer spoke; the values are kept in the database and in certificates."""

    VOICE = 0
    TEXT = 2


class Speaker(StrEnum):
    """A party of a contact."""

    AGENT = "agent"
    CUSTOMER = "customer"


class Ender(StrEnum):
    """Who ended a contact."""

    AGENT = "agent"
    CUSTOMER = "customer"
    SYSTEM = "system"


class Inspection(IntEnum):
    """How far the inspection by machine is; the values are the wire's `status` [2492], but ERASED."""

    ERASED = -1
    """There is nothing left to inspect, and nothing shows it (`domain.retention`)."""
    WAITING = 0
    IN_PROGRESS = 1
    SUCCESS = 2
    TRANSCRIBING = 3
    FAILED = 9
    TRANSCRIPT_EMPTY = 31
    TRANSCRIPTION_FAILED = 32
    UPLOAD_FAILED = 33
    SUBMISSION_FAILED = 34
    TEXT_FAILED = 35
    TUC_FAILED = 36
    CONVERSION_FAILED = 37
    UPDATE_FAILED = 38
    RUN_FAILED = 39
    BAD_RECORDING = 40


SHOWN = frozenset(Inspection) - {Inspection.ERASED}
"""What a contact can be found by."""


class Span(NamedTuple):
    """A piece of a recording, in milliseconds from its begin; the end is no part of it."""

    begin_ms: int
    end_ms: int


@dataclass(frozen=True, slots=True)
class Voice:
    """What the analysis heard on one channel."""

    speech_ratio: float
    """How much of what is recorded is speech: 0 to 1."""
    silence_s: float
    """Seconds without speech, pauses of the recording left out; so are they of the longest."""
    longest_silence_s: float
    speech: tuple[Span, ...] = ()
    """In order, with a pause between any two; of contacts analysed by an earlier version there are none."""

    def silence(self, length_ms: int, unrecorded: Sequence[Span] = ()) -> tuple[Span, ...]:
        """What of the recording is no speech, without what is not recorded."""
        found, end = list[Span](), 0
        for one in sorted((*self.speech, *unrecorded, Span(length_ms, length_ms))):
            begin = min(one.begin_ms, length_ms)
            if end < begin:
                found.append(Span(end, begin))
            end = max(end, one.end_ms)
        return tuple(found)


@dataclass(frozen=True, slots=True)
class Analysis:
    """What a recording's analysis found. Of a mono recording only `mixed` is there."""

    duration_s: float = 0.0
    customer: Voice | None = None
    agent: Voice | None = None
    mixed: Voice | None = None
    """Both parties on one channel."""
    silence_s: float | None = None
    """Seconds in which nobody spoke."""
    failure: str = ""
    """Why there is nothing else."""

    @property
    def overlap(self) -> tuple[Span, ...]:
        """When both parties speak, in order."""
        if self.customer is None or self.agent is None:
            return ()
        found: list[Span] = []
        mine, theirs = deque(self.customer.speech), deque(self.agent.speech)
        while mine and theirs:
            begin, end = max(mine[0].begin_ms, theirs[0].begin_ms), min(mine[0].end_ms, theirs[0].end_ms)
            if begin < end:
                found.append(Span(begin, end))
            (mine if mine[0].end_ms <= theirs[0].end_ms else theirs).popleft()
        return tuple(found)


@dataclass(frozen=True, slots=True)
class SupervisionSpan:
    """An inspector in one mode on a talk, from one moment to another."""

    inspector: AgentId
    mode: Mode
    began_at: datetime
    ended_at: datetime


@dataclass(frozen=True, slots=True)
class RecordingPause:
    """A stretch of a talk that is on no track of its recording: somebody wanted it so, nobody fell silent."""

    by: AgentId
    """Who paused the recording, stopped it, or had not asked for it yet."""
    began_at: datetime
    ended_at: datetime | None = None
    """None: it lasts."""


@dataclass(frozen=True, slots=True)
class Sentence:
    """Something said, as a transcript has it. Times in seconds from the contact's begin."""

    text: str
    side: Speaker | None
    began_s: float
    ended_s: float


@dataclass(frozen=True, slots=True)
class Contact:
    """A talk of an agent with a customer, or a call that no agent took. `contact` is 0 until it is kept."""

    contact: int
    """`call_id` on the wire; counts up over all tenants."""
    uuid: UUID
    """`call_uuid` on the wire."""
    vdn: VdnId
    call: str
    """The live call's id, or the import's own reference."""
    source: Origin
    interaction: Interaction
    began_at: datetime
    ended_at: datetime
    duration_ms: int
    direction: CallDirection
    caller: str
    called: str
    agent: AgentId | None
    """None: no agent took the call."""
    skill: SkillId | None
    ended_by: Ender
    reason: str
    file_name: str
    recording: str | None
    """A WAV, by its path below `Office.recordings`. Stereo has the customer left, the agent right."""
    uploaded_at: datetime
    status: Inspection = Inspection.WAITING
    tracks: Mapping[str, str] = field(default_factory=dict)
    """An inspector's work number, or a name in `parties`, to the path of their track."""
    supervisions: Sequence[SupervisionSpan] = ()
    analysed_at: datetime | None = None
    analysis: Analysis = field(default_factory=Analysis)
    transcript: Sequence[Sentence] | None = None
    machine_score: Decimal | None = None
    """The lowest of its scenarios' machine scores."""
    call_data: str = field(default="", repr=False)
    """What its agents' clients kept with the call."""
    recording_sha256: str | None = None
    """Of the recording's file when it was finished, hexadecimal; None: no recording, or not known yet."""
    tracks_sha256: Mapping[str, str] = field(default_factory=dict)
    """The same of the tracks, as far as known."""

    recording_failure: str | None = None
    """Why the recording is cut, though it looks whole; None: it is not, or nobody knows (an import)."""
    pauses: Sequence[RecordingPause] = ()
    """What of it is not recorded, by begin; all of them are over."""
    parties: Mapping[str, str] = field(default_factory=dict)
    """Who else outside was in the talk, beside its customer: `party <n>` to their number."""

    @property
    def duration_s(self) -> int:
        """Its length in whole seconds, as lists show it. Ranges compare `duration_ms`."""
        return (self.duration_ms + 500) // 1000

    @property
    def length_ms(self) -> int:
        """The recording's length where it was heard, or else the call's."""
        return round(self.analysis.duration_s * 1000) or self.duration_ms

    @property
    def unrecorded(self) -> tuple[Span, ...]:
        """The pauses as pieces of the recording, which begins with the talk."""
        ends = [(pause.began_at, pause.ended_at or self.ended_at) for pause in self.pauses]
        return tuple(Span(*(round((at - self.began_at) / _MS) for at in pair)) for pair in ends)

    @property
    def number(self) -> str:
        """The customer's number."""
        return self.caller if self.direction is CallDirection.INBOUND else self.called


@dataclass(frozen=True, slots=True)
class Search:
    """Which contacts are looked for. Ranges include both ends; None: open."""

    interactions: frozenset[Interaction] = frozenset(Interaction)
    statuses: frozenset[Inspection] = SHOWN
    agents: frozenset[AgentId] | None = None
    """Of these agents alone; None: of all, and those that nobody took."""
    agent_name: str = ""
    """A part of the name of the agent's user, or of the agent's own without one, whatever its case."""
    began_from: datetime | None = None
    began_to: datetime | None = None
    uploaded_from: datetime | None = None
    uploaded_to: datetime | None = None
    duration_from_s: int | None = None
    duration_to_s: int | None = None
    keyword: str = ""
    """Said in the transcript, whatever its case."""


def ended_by(reason: str) -> Ender:
    """Who ended a call, by how the floor's reason begins."""
    for ender in (Ender.AGENT, Ender.CUSTOMER):
        if reason.startswith(f"{ender.value}:"):
            return ender
    return Ender.SYSTEM
