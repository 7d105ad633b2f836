"""The words of sampling: conditions, what was drawn, and the certificate that lets anybody check it.

`domain.frames` has the frame, all that qualified; `domain.lots` says how a sample is drawn from it.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from sottovoce.domain.contacts import Interaction
from sottovoce.domain.people import ReviewId, UserId

LARGEST_SAMPLE = 10_000
"""The most contacts in one sample [2510]."""
CERTIFICATE_VERSION = 2
LARGEST_PAST = 100
"""The most earlier draws that a certificate names."""


class Quantity(StrEnum):
    """What the number of a sample counts [2499]."""

    CALLS = "calls"
    """Of the whole range."""
    PER_AGENT = "per_agent"
    PERCENT_PER_AGENT = "percent_per_agent"
    """Rounded up."""


class Earlier(StrEnum):
    """Which contacts qualify by whether an earlier task has them (`qualityCondition`).

    One that its task released, terminated or deleted before it was done, counts as never sampled.
    """

    FRESH = "fresh"
    """In no task yet."""
    SAMPLED = "sampled"
    """In one already."""
    ALL = "all"


@dataclass(frozen=True, slots=True)
class Conditions:
    """Which contacts qualify for a sample, and how many of them it takes.

    A range includes both ends; None: open. `agents` are work numbers; empty: all. ValueError where
    no sample could be meant.
    """

    quantity: Quantity
    number: int
    cap: int = LARGEST_SAMPLE
    """The most contacts in the sample, 1 to LARGEST_SAMPLE."""
    earlier: Earlier = Earlier.ALL
    score_from: int | None = None
    """Of the machine's score; a contact without one fails a range."""
    score_to: int | None = None
    duration_from_s: int | float | None = None
    """Seconds, to the millisecond."""
    duration_to_s: int | float | None = None
    agents: tuple[int, ...] = ()
    interaction: Interaction = Interaction.VOICE

    def __post_init__(self) -> None:
        if self.number < 1 or (self.quantity is Quantity.PERCENT_PER_AGENT and self.number > 100):
            raise ValueError(f"{self.number} is no quantity of {self.quantity}")
        if not 1 <= self.cap <= LARGEST_SAMPLE:
            raise ValueError(f"the cap is {self.cap}, not 1 to {LARGEST_SAMPLE}")

    def draws_as(self, other: Conditions, wanted: int) -> bool:
        """Whether `other` cannot draw anything else than these did, which wanted that many contacts.

        They differ in a cap that matters to neither.
        """
        if replace(self, cap=other.cap) != other:
            return False
        if not self.by_agent:
            return min(self.number, self.cap) == min(other.number, other.cap)
        return wanted < self.cap and wanted <= other.cap

    def among(self, agents: Collection[int]) -> Conditions:
        """The same, of calls of none but these agents. ValueError where nobody is left."""
        wanted = tuple(sorted(set(agents) & set(self.agents) if self.agents else agents))
        if not wanted:
            raise ValueError("no agent is left")
        return replace(self, agents=wanted)

    @property
    def by_agent(self) -> bool:
        """Whether every agent's contacts are drawn from for themselves."""
        return self.quantity is not Quantity.CALLS


@dataclass(frozen=True, slots=True)
class Arrivals:
    """Contacts by the number that each got when it became inspectable: `after` < number ≤ `until`.

    Of those up to `begun_after`, if that is given, only the calls that began at `began_from` or later.
    """

    after: int
    until: int
    begun_after: int | None = None
    began_from: datetime | None = None


class PassedOver(NamedTuple):
    """A contact whose turn it was in a draw, but that could not be inspected."""

    contact: int
    stratum: int
    """The agent whose turn it was; 0 where the frame is not split."""
    reason: str


@dataclass(frozen=True, slots=True)
class FrameDigest:
    """What a certificate says of its frame."""

    size: int
    """Contacts."""
    sha256: str
    """Hexadecimal, of `Frame.sha256`."""


@dataclass(frozen=True, slots=True)
class ShuffledCertificate:
    """A certificate of version 1, whose draw `domain.shuffling` repeats. Drawn calls are numbers alone.

    ValueError for another version.
    """

    version: int
    algorithm: str
    vdn: int
    task: ReviewId
    draw: int
    conditions: Conditions
    calls_from: datetime | None
    calls_until: datetime | None
    frame: FrameDigest
    seed: str
    """Hexadecimal."""
    commitment: str
    """SHA-256 of the seed's bytes, hexadecimal; in the audit since `committed_at`."""
    committed_at: datetime
    drawn_at: datetime
    wanted: int
    drawn: tuple[int, ...]
    passed_over: tuple[PassedOver, ...] = ()

    def __post_init__(self) -> None:
        if self.version != 1:
            raise ValueError(f"the certificate's version is {self.version}, not 1")

    @property
    def contacts(self) -> tuple[int, ...]:
        """The contacts that were drawn, in order."""
        return self.drawn


@dataclass(frozen=True, slots=True)
class Chain:
    """A chain of hashes (`domain.lots`), and what is revealed of it."""

    chain: int
    """1, 2, 3 … in each tenant."""
    end: str
    """Hexadecimal; in the audit since `committed_at`."""
    length: int
    committed_at: datetime
    numbered: int
    """The last contact that was on record at that moment."""
    place: int
    """Of the block whose preimage this is; those of earlier blocks are got by hashing."""
    preimage: str
    """Hexadecimal."""


@dataclass(frozen=True, slots=True)
class Block:
    """The contacts `after` < number ≤ `until`, whose lots were decided together."""

    block: int
    """1, 2, 3 … in each tenant."""
    chain: int
    place: int
    """In the chain, from 1."""
    after: int
    until: int
    words: str
    """An outsider's; empty: nobody gave any."""
    closed_at: datetime
    """When its preimage was taken, and no further contact could come into it."""


@dataclass(frozen=True, slots=True)
class DrawnCall:
    """A contact of a sample, and what shows that it is the one that was drawn."""

    contact: int
    call_uuid: str
    began_at: datetime
    agent: int
    recording_sha256: str | None
    """Hexadecimal, of the recording when it was finished; None: not known then, or no recording."""


@dataclass(frozen=True, slots=True)
class EarlierDraw:
    """A draw that the same person had made before, from contacts in the range of this frame's."""

    draw: int
    task: ReviewId
    drawn_at: datetime
    frame: int
    """How many qualified."""
    sample: int
    fate: str
    """What had become of it: the task's state (`domain.reviews.TaskState`), `redrawn`, or `no task`."""


@dataclass(frozen=True, slots=True)
class Certificate:
    """What was drawn, from what, and how: with the frame enough to draw it again.

    Its plain form (`sottovoce.plain`) is what is kept, exported and hashed; whatever changes that form is
    another version. ValueError for another version.
    """

    version: int
    """CERTIFICATE_VERSION."""
    algorithm: str
    vdn: int
    task: ReviewId
    draw: int
    maker: UserId
    """Who had it drawn; of a plan's run, who made the plan."""
    conditions: Conditions
    calls_from: datetime | None
    calls_until: datetime | None
    arrivals: Arrivals | None
    """Of a plan's run: which contacts it took."""
    frame: FrameDigest
    chains: tuple[Chain, ...]
    blocks: tuple[Block, ...]
    """Those that the frame touches, ascending."""
    begun_at: datetime
    drawn_at: datetime
    wanted: int
    """How many it should be: fewer are drawn only where too many were passed over."""
    drawn: tuple[DrawnCall, ...]
    """In order."""
    passed_over: tuple[PassedOver, ...]
    before: tuple[EarlierDraw, ...]
    """The maker's earlier draws from the same range of contacts, the latest first; LARGEST_PAST at most."""
    before_in_all: int
    """How many they were."""

    def __post_init__(self) -> None:
        if self.version != CERTIFICATE_VERSION:
            raise ValueError(f"the certificate's version is {self.version}, not {CERTIFICATE_VERSION}")

    @property
    def contacts(self) -> tuple[int, ...]:
        """The contacts that were drawn, in order."""
        return tuple(call.contact for call in self.drawn)


AnyCertificate = Certificate | ShuffledCertificate
