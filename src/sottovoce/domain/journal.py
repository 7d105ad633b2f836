"""The changes of a floor that must survive: what the journal writes and a restart reads.

A change is either *committed before it takes effect* or *appended, never waited for*
(`docs/decisions`): the floor decides which, storage obeys.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sottovoce.domain.calls import CallDirection
from sottovoce.domain.contacts import RecordingPause, SupervisionSpan
from sottovoce.domain.directory import AgentId, SkillId, VdnId
from sottovoce.domain.legs import LegId
from sottovoce.domain.queueing import Outcome


def kept_guid(guid: str) -> str:
    """What is kept of a Guid: its SHA-256, hexadecimal. It holds too much chance to be guessed."""
    return hashlib.sha256(guid.encode("utf-8", "surrogatepass")).hexdigest()


@dataclass(frozen=True, slots=True)
class SessionSaved:
    """An agent signed in, or the session changed (skills, phone, Guid)."""

    agent: AgentId
    vdn: VdnId
    guid: str
    """What `kept_guid` makes of it: who reads it cannot speak for the agent."""
    phone: str
    signed_in_at: datetime
    skills: tuple[SkillId, ...] = ()
    settings: Mapping[str, str | int | bool] = field(default_factory=dict)
    """Sign-in's flags (autoanswer, autoenteridle, releasephone, listenStatus …) by domain name."""


@dataclass(frozen=True, slots=True)
class SessionEnded:
    """An agent signed out, or was signed out."""

    agent: AgentId
    vdn: VdnId
    at: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class SignedInFrom:
    """An agent signed in from there: an address, of IPv6 its /64."""

    agent: AgentId
    vdn: VdnId
    source: str
    at: datetime
    phone: str = ""
    """That sign-in named; empty: none."""


@dataclass(frozen=True, slots=True)
class PasswordChanged:
    """An agent took another password."""

    agent: AgentId
    vdn: VdnId
    hashed: str = field(repr=False)
    at: datetime


@dataclass(frozen=True, slots=True)
class DialogSaved:
    """What a BYE needs after a crash: Call-ID, tags, CSeq, routes, target, as the door wrote it."""

    leg: LegId
    vdn: VdnId
    dialog: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class DialogEnded:
    """That leg is gone; nothing is owed to it."""

    leg: LegId
    vdn: VdnId


@dataclass(frozen=True, slots=True)
class KeptContact:
    """Where a phone can be rung, as the door wrote it, and until when."""

    until: datetime
    contact: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class PhoneSaved:
    """All places where a phone is registered now, the newest last; none: it is registered no more."""

    username: str
    vdn: VdnId
    contacts: Sequence[KeptContact] = ()


@dataclass(frozen=True, slots=True)
class ContactBegan:
    """A call entered the floor. A restart ends those that have no end."""

    call: str
    vdn: VdnId
    at: datetime
    direction: CallDirection
    caller: str
    called: str
    skill: SkillId | None = None


@dataclass(frozen=True, slots=True)
class WaitBegan:
    """A customer waits in a queue from now on."""

    call: str
    vdn: VdnId
    skill: SkillId
    at: datetime


@dataclass(frozen=True, slots=True)
class WaitEnded:
    """And waits there no more."""

    call: str
    vdn: VdnId
    skill: SkillId
    began_at: datetime
    at: datetime
    outcome: Outcome
    agent: AgentId | None = None
    """Who answered."""


@dataclass(frozen=True, slots=True)
class CallDataSet:
    """A call has other call data from now on; its contacts keep the last."""

    call: str
    vdn: VdnId
    data: str = field(repr=False)
    """Of customers: no log shows it."""


@dataclass(frozen=True, slots=True)
class SegmentBegan:
    """A talk segment of one agent began: what a restart needs if nothing tells its end."""

    call: str
    vdn: VdnId
    agent: AgentId
    began_at: datetime
    recording: str | None = None
    """Where its stereo WAV will be, below the recordings' folder; None when nothing is recorded."""


@dataclass(frozen=True, slots=True)
class RecordingChanged:
    """A running talk segment is recorded from now on, or no longer, or its recording is paused or resumed."""

    call: str
    vdn: VdnId
    agent: AgentId
    began_at: datetime
    """Of the segment."""
    recording: str | None
    """As in `SegmentBegan`."""
    pauses: Sequence[RecordingPause]
    """All until now; the last may last."""


@dataclass(frozen=True, slots=True)
class SegmentEnded:
    """One talk segment of one agent in a contact, with its recording."""

    call: str
    vdn: VdnId
    agent: AgentId
    began_at: datetime
    ended_at: datetime
    recording: str | None = None
    """The stereo WAV's path below the recordings' folder, or None when nothing was recorded."""
    tracks: Mapping[str, str] = field(default_factory=dict)
    """Inspector's work number, or a further party's name in `parties`, to the path of their track."""
    failure: str | None = None
    supervisions: Sequence[SupervisionSpan] = ()
    """Who took part in it as an inspector, and how, by begin."""
    recording_sha256: str | None = None
    """Of the stereo WAV as it was closed, hexadecimal; None when there is none or it could not be read."""
    tracks_sha256: Mapping[str, str] = field(default_factory=dict)
    """The same of the tracks."""
    pauses: Sequence[RecordingPause] = ()
    """What of it is not recorded, by begin."""
    parties: Mapping[str, str] = field(default_factory=dict)
    """Parties outside who were in the talk beside its customer: `party <n>`, in the order in which they came,
    to their number."""


@dataclass(frozen=True, slots=True)
class ContactEnded:
    """A call is over."""

    call: str
    vdn: VdnId
    at: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """Who did what to whom, when: supervisions, forced states, drops, sign-ins."""

    vdn: VdnId
    at: datetime
    actor: AgentId
    action: str
    """For example `supervise.whisper`, `supervise.stop`, `force.busy`, `call.drop`."""
    target: str = ""
    """An agent's work number or a call id."""
    detail: Mapping[str, str | int | bool] = field(default_factory=dict)


Change = (
    SessionSaved
    | SessionEnded
    | SignedInFrom
    | PasswordChanged
    | DialogSaved
    | DialogEnded
    | PhoneSaved
    | ContactBegan
    | WaitBegan
    | WaitEnded
    | CallDataSet
    | SegmentBegan
    | RecordingChanged
    | SegmentEnded
    | ContactEnded
    | AuditEntry
)


@dataclass(frozen=True, slots=True)
class Restored:
    """What a VDN's journal holds at start."""

    sessions: Sequence[SessionSaved] = ()
    dialogs: Mapping[LegId, Mapping[str, object]] = field(default_factory=dict)
    open_contacts: Sequence[str] = ()
    sources: Sequence[SignedInFrom] = ()
    """Where agents signed in from, the longest ago first."""
    waits: Sequence[WaitEnded] = ()
    """Of the last day, the first to end first."""


@dataclass(frozen=True, slots=True)
class Spooled:
    """What of a VDN's journal waits for the database on the local disk."""

    vdn: VdnId
    changes: int
    size: int
    """Bytes."""
    limit: int
    """Bytes; what comes beyond is lost."""
    lost: int
    """Changes lost since the start."""
    failed: bool
    """The disk fails: what waits is in memory alone."""
    keeps: bool
    """Whether calls that begin now can be kept; if not, they are refused."""
