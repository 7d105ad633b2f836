"""How long what is kept: periods of a tenant, by kind; and what an erasure leaves.

A period counts from the contact's begin. The audit has none: it is kept. Of an erased contact stays what
shows that it was there and was not changed: number, UUID, begin, length, agent, the recording's SHA-256.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from sottovoce.domain.people import UserId

LONGEST_DAYS = 36_500
HEARD = "the recording was erased"
"""Why a contact was never heard."""


class Erasable(StrEnum):
    """What can be erased of a contact; the last one takes the others with it."""

    RECORDING = "recording"
    """The sound: the call's, and inspectors' tracks."""
    TRANSCRIPT = "transcript"
    CONTACT = "contact"
    """All of it: numbers, sound, words, results, revisions, scores, appeals and problems."""

    @property
    def erased(self) -> str:
        """What the audit calls it."""
        return f"{self.value}.erase"


@dataclass(frozen=True, slots=True)
class Periods:
    """Days from a contact's begin for which each kind is kept; None: for ever."""

    recordings: int | None = None
    transcripts: int | None = None
    contacts: int | None = None

    def due(self, now: datetime) -> Mapping[Erasable, datetime]:
        """Of which kinds something is over its time, and before which begin. Contacts first."""
        days = (
            (Erasable.CONTACT, self.contacts),
            (Erasable.RECORDING, self.recordings),
            (Erasable.TRANSCRIPT, self.transcripts),
        )
        return {kind: now - timedelta(days=kept) for kind, kept in days if kept is not None}


@dataclass(frozen=True, slots=True)
class Erasure:
    """The tombstone of something erased."""

    contact: int
    uuid: UUID
    kind: Erasable
    at: datetime
    user: UserId
    """0: the server itself, or a command."""
    why: str


@dataclass(frozen=True, slots=True)
class LegalHold:
    """A contact that nothing erases until it is released."""

    contact: int
    why: str
    at: datetime


def erased_since(erased: Mapping[int, Sequence[Erasure]]) -> Iterator[str]:
    """Which calls are named by what was left of them, a sentence each."""
    for contact, stones in sorted(erased.items()):
        for one in stones:
            what = "" if one.kind is Erasable.CONTACT else f"'s {one.kind.value}"
            yield f"contact {contact}{what} was erased {one.at:%Y-%m-%d %H:%M:%S} UTC, on record: {one.why}"
