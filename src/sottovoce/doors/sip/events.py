"""What the user agent says to whoever owns it (the door, a phone). Past tense, frozen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sottovoce.domain.legs import ReleaseCause, RemoteMedia

if TYPE_CHECKING:
    from sottovoce.doors.sip.registering import Registration
    from sottovoce.doors.sip.registrar import Binding
    from sottovoce.doors.sip.session import Session


@dataclass(frozen=True, slots=True)
class CallOffered:
    """An INVITE was admitted and waits: `session.place(address)`, then ring, accept or refuse."""

    session: Session


@dataclass(frozen=True, slots=True)
class CallProgressed:
    """The far side of a call that was placed said 180-199. `early` when it sends media already."""

    session: Session
    status: int
    early: bool


@dataclass(frozen=True, slots=True)
class MediaAgreed:
    """Offer and answer are complete (or an early answer came): this is the far side now."""

    session: Session
    remote: RemoteMedia


@dataclass(frozen=True, slots=True)
class CallAnswered:
    """The call stands; MediaAgreed came before."""

    session: Session


@dataclass(frozen=True, slots=True)
class CallHeld:
    """The far side no longer wants to receive (sendonly or inactive, RFC 3264 8.4)."""

    session: Session


@dataclass(frozen=True, slots=True)
class CallResumed:
    """The far side receives again."""

    session: Session


@dataclass(frozen=True, slots=True)
class DialogChanged:
    """What a BYE would need changed. `dialog` is plain data for `UserAgent.bye`."""

    session: Session
    dialog: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class CallEnded:
    """The last word about a session, said exactly once. `status` is the SIP status, if one ended it."""

    session: Session
    cause: ReleaseCause
    status: int | None = None
    by_far_side: bool = False


@dataclass(frozen=True, slots=True)
class Bound:
    """A phone registered or refreshed a contact with our registrar."""

    username: str
    binding: Binding


@dataclass(frozen=True, slots=True)
class Unbound:
    """A contact was removed or ran out."""

    username: str
    contact: str


@dataclass(frozen=True, slots=True)
class Registered:
    """Our REGISTER was accepted for `expires` seconds; it is refreshed by itself."""

    registration: Registration
    expires: int


@dataclass(frozen=True, slots=True)
class RegistrationFailed:
    """Our REGISTER was refused or not answered; it is tried again by itself after a while."""

    registration: Registration
    status: int


@dataclass(frozen=True, slots=True)
class Unregistered:
    """Our binding is removed."""

    registration: Registration


Event = (
    CallOffered
    | CallProgressed
    | MediaAgreed
    | CallAnswered
    | CallHeld
    | CallResumed
    | DialogChanged
    | CallEnded
    | Bound
    | Unbound
    | Registered
    | RegistrationFailed
    | Unregistered
)
