"""What a door says about telephone lines, and where a call may be placed.

The events are past tense; those of a leg come in this order: offered or ringing, answered, held, resumed and
pressed any number of times, gone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from sottovoce.domain.directory import VdnId
from sottovoce.domain.legs import LegId, ReleaseCause


class LineKind(StrEnum):
    """Where a number is looked for."""

    PHONE = "phone"
    """A registered phone of the VDN."""
    TRUNK = "trunk"
    """The outbound trunk or proxy."""


@dataclass(frozen=True, slots=True)
class Destination:
    """Whom to ring."""

    side: LineKind
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
class LegPressed:
    """A key (0-9 * # A-D) was pressed and told by signalling; media tells its own by DigitPressed."""

    leg: LegId
    digit: str


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


@dataclass(frozen=True, slots=True)
class PhoneSeen:
    """A phone registered, or did so again: it can be rung. Of no leg, and at any time."""

    vdn: VdnId
    number: str


LineEvent = (
    LegOffered | LegRinging | LegAnswered | LegHeld | LegResumed | LegPressed | LegGone | LegSaved | PhoneSeen
)
