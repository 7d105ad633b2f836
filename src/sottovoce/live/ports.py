"""What the floor needs of others: telephone lines, and a store that remembers.

`Lines` is implemented by the SIP door (`doors/sip/door.py`) and by `doors/inprocess.py`;
`Store` by `storage/journal.py` (PostgreSQL) and by `live/memory.py` (nothing survives).
Media is asked through `media.engine`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from sottovoce.domain.directory import VdnId, VdnProfile
from sottovoce.domain.journal import Change, SessionSaved
from sottovoce.domain.legs import LegId, ReleaseCause


class Side(StrEnum):
    """Where a number is looked for."""

    PHONE = "phone"
    """A registered phone of the VDN."""
    TRUNK = "trunk"
    """The outbound trunk or proxy."""


@dataclass(frozen=True, slots=True)
class Destination:
    """Whom to ring."""

    side: Side
    number: str


@dataclass(frozen=True, slots=True)
class LegOffered:
    """An INVITE came in and waits; the leg's media is open. Answered by accept, announce or refuse."""

    leg: LegId
    vdn: VdnId
    caller: str
    called: str
    account: str | None = None
    """The phone's number when a registered phone calls, None from a trunk."""


@dataclass(frozen=True, slots=True)
class LegRinging:
    """The far side of a leg that we ring says that it rings."""

    leg: LegId


@dataclass(frozen=True, slots=True)
class LegAnswered:
    """The leg talks: media flows both ways. For an accepted offer too."""

    leg: LegId


@dataclass(frozen=True, slots=True)
class LegHeld:
    """The far side put us on hold by its own re-INVITE."""

    leg: LegId


@dataclass(frozen=True, slots=True)
class LegResumed:
    """The far side took us back."""

    leg: LegId


@dataclass(frozen=True, slots=True)
class LegGone:
    """The leg ended or could not be had; its media is closed. The last word about a leg, always sent once."""

    leg: LegId
    cause: ReleaseCause


@dataclass(frozen=True, slots=True)
class LegSaved:
    """What a BYE would need now (RFC 3261 12): journaled, and handed back by `recover` after a crash."""

    leg: LegId
    dialog: Mapping[str, object]


LineEvent = LegOffered | LegRinging | LegAnswered | LegHeld | LegResumed | LegGone | LegSaved


class Lines(Protocol):
    """Telephone legs. Nothing here waits: outcomes are events. The door opens and closes the legs' media."""

    def ring(self, leg: LegId, vdn: VdnId, to: Destination, caller: str) -> None:
        """Place a call; LegRinging?, then LegAnswered or LegGone follow."""
        ...

    def announce(self, leg: LegId, *, early_media: bool) -> None:
        """Answer an offer provisionally: 180, or 183 with media."""
        ...

    def accept(self, leg: LegId) -> None:
        """Answer an offer; LegAnswered follows."""
        ...

    def hang_up(self, leg: LegId, cause: ReleaseCause = ReleaseCause.NORMAL) -> None:
        """Refuse an offer, cancel a ringing, or end a talking leg; LegGone follows."""
        ...

    def recover(self, dialogs: Mapping[LegId, Mapping[str, object]]) -> None:
        """After a crash: say BYE to each of these once."""
        ...

    def subscribe(self, listener: Callable[[LineEvent], None]) -> None:
        """Call `listener` in the event loop for every line event."""
        ...


@dataclass(frozen=True, slots=True)
class Restored:
    """What a VDN's journal holds at start."""

    sessions: Sequence[SessionSaved] = ()
    dialogs: Mapping[LegId, Mapping[str, object]] = field(default_factory=dict)
    open_contacts: Sequence[str] = ()


class Store(Protocol):
    """What survives. Every write carries the lease's epoch; a stale owner's is refused with UNAVAILABLE."""

    async def profile(self, vdn: VdnId) -> VdnProfile:
        """The VDN as configured now."""
        ...

    async def restore(self, vdn: VdnId) -> Restored:
        """Sessions, dialogs and contacts that a crash left open."""
        ...

    async def commit(self, vdn: VdnId, changes: Sequence[Change]) -> None:
        """Write all of these in one transaction, or raise Refused(UNAVAILABLE): none is written."""
        ...

    def append(self, vdn: VdnId, changes: Sequence[Change]) -> None:
        """Write these soon, in order (within 100 ms; spooled while the database is away). Never waits."""
        ...
