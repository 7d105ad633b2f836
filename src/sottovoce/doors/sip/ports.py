"""What the SIP core and its door need of others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from sottovoce.domain.directory import PhoneAccount, VdnId
from sottovoce.domain.journal import PhoneSaved
from sottovoce.doors.sip.hops import Hop


class Entropy(Protocol):
    """Where tags, branches and back-offs come from."""

    def token(self) -> str:
        """A fresh word of at least 64 random bits, letters and digits only."""
        ...

    def fraction(self) -> float:
        """A number in [0, 1)."""
        ...


class Directory(Protocol):
    """Which phones exist, and which VDN a called number belongs to. Answers from memory, never waits."""

    def account(self, username: str) -> tuple[PhoneAccount, VdnId] | None:
        """The SIP account of that user name, or None."""
        ...

    def route(self, called: str) -> VdnId | None:
        """The VDN that answers `called` when it comes in on a trunk, or None (404)."""
        ...


class Journal(Protocol):
    """What outlives the process."""

    def append(self, vdn: VdnId, changes: Sequence[PhoneSaved]) -> None:
        """Write these soon, in order. Never waits. Raises Refused for a VDN that is another node's."""
        ...


class Addresses(Protocol):
    """Our own address, as the far side of `hop` should see it in Via and Contact."""

    def __call__(self, hop: Hop) -> tuple[str, int]: ...


@dataclass(frozen=True, slots=True)
class Account:
    """Digest credentials that we answer challenges with. `realm` None answers any."""

    username: str
    password: str
    realm: str | None = None

    def __repr__(self) -> str:
        return f"Account({self.username!r})"
