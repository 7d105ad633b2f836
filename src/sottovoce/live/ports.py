"""What the floor needs of others: telephone lines, and a store that remembers.

`Lines` is implemented by the SIP door (`doors/sip/door.py`), `Store` by `storage/live/journal.py`
(PostgreSQL), `Passwords` by `storage/live/passwords.py` (argon2id); all three also by tests, which have
scripted phones and a store where nothing survives. Media is asked through `media.engine`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from sottovoce.domain.directory import VdnId, VdnProfile
from sottovoce.domain.journal import Change, Restored
from sottovoce.domain.legs import LegId, ReleaseCause
from sottovoce.domain.lines import Destination, LineEvent


class Lines(Protocol):
    """Telephone legs. Nothing here waits but `ask_to_lift`: outcomes are events. The door opens and
    closes the legs' media."""

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

    async def ask_to_lift(self, leg: LegId) -> bool:
        """Have a phone that rings lift by itself; whether it will. LegAnswered follows then."""
        ...

    def recover(self, dialogs: Mapping[LegId, Mapping[str, object]]) -> None:
        """After a crash: say BYE to each of these once."""
        ...

    def subscribe(self, listener: Callable[[LineEvent], None]) -> None:
        """Call `listener` in the event loop for every line event."""
        ...


class Passwords(Protocol):
    """Checks passwords against what the directory keeps of them."""

    async def hash(self, password: str) -> str:
        """What the directory keeps of a password."""
        ...

    async def verify(self, stored: str | None, password: str) -> bool:
        """Whether `password` is the one; None (no such agent) takes as long and says no."""
        ...


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
