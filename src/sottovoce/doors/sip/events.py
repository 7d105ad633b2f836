"""What the user agent says to whoever owns it (the door, a phone). Past tense, frozen.

A call is named by its key, a registration by its address of record: an event holds nothing that acts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from sottovoce.domain.directory import VdnId
from sottovoce.domain.legs import ReleaseCause, RemoteMedia
from sottovoce.doors.sip.hops import Hop


class CallKey(NamedTuple):
    """What names a call: its Call-ID and our tag in it (RFC 3261 12; their tag may come later)."""

    call_id: str
    local_tag: str


@dataclass(frozen=True, slots=True)
class Binding:
    """One contact of one phone. `expires_at` is on the core's clock."""

    username: str
    number: str
    vdn: VdnId
    contact: str
    """The contact's URI, as the phone wrote it."""
    hop: Hop
    """Where an INVITE to it goes."""
    source: Hop
    """Where its REGISTER came from."""
    behind_nat: bool
    expires_at: float
    call_id: str
    cseq: int
    instance: str = ""
    """+sip.instance (RFC 5626), or ""."""
    path: tuple[str, ...] = ()
    """The proxies on the way to it, as its REGISTER named them (RFC 3327), the nearest to us first."""

    @property
    def place(self) -> tuple[object, ...]:
        """Where the phone is: a new TCP connection of it changes nothing, another port of its NAT does."""
        return self.contact, self.path, self.source.host, self.source.port if self.behind_nat else 0


@dataclass(frozen=True, slots=True)
class CallOffered:
    """An INVITE was admitted and waits: `UserAgent.offer(call)` is what to place, ring, accept or refuse."""

    call: CallKey


@dataclass(frozen=True, slots=True)
class CallProgressed:
    """The far side of a call that was placed said 180-199. `early` when it sends media already."""

    call: CallKey
    status: int
    early: bool


@dataclass(frozen=True, slots=True)
class MediaAgreed:
    """Offer and answer are complete (or an early answer came): this is the far side now."""

    call: CallKey
    remote: RemoteMedia


@dataclass(frozen=True, slots=True)
class CallAnswered:
    """The call stands; MediaAgreed came before."""

    call: CallKey


@dataclass(frozen=True, slots=True)
class CallHeld:
    """The far side no longer wants to receive (sendonly or inactive, RFC 3264 8.4)."""

    call: CallKey


@dataclass(frozen=True, slots=True)
class CallResumed:
    """The far side receives again."""

    call: CallKey


@dataclass(frozen=True, slots=True)
class KeyPressed:
    """The far side sent a key (0-9 * # A-D) by INFO."""

    call: CallKey
    key: str


@dataclass(frozen=True, slots=True)
class DialogChanged:
    """What a BYE would need changed. `dialog` is plain data for `UserAgent.bye`."""

    call: CallKey
    dialog: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class CallEnded:
    """The last word about a call, said exactly once. `status` is the SIP status, if one ended it."""

    call: CallKey
    cause: ReleaseCause
    status: int | None = None
    by_far_side: bool = False


@dataclass(frozen=True, slots=True)
class RequestRefused:
    """An INVITE or REGISTER of others was answered with that status, neither challenged nor cancelled."""

    method: str
    status: int
    why: str
    source: Hop
    caller: str
    called: str
    call_id: str


@dataclass(frozen=True, slots=True)
class Bound:
    """A phone registered or refreshed a contact with our registrar. `before` is what it replaces."""

    username: str
    binding: Binding
    before: Binding | None = None

    @property
    def moved(self) -> bool:
        """Whether the phone is elsewhere now, or is there only now: more than a refresh."""
        return self.before is None or self.before.place != self.binding.place


@dataclass(frozen=True, slots=True)
class Unbound:
    """A contact was removed, ran out, or had to give way to newer ones (`why`)."""

    username: str
    contact: str
    why: str


@dataclass(frozen=True, slots=True)
class ContactsChanged:
    """What is to be kept of a phone: all its contacts, the newest last."""

    username: str
    vdn: VdnId
    bindings: tuple[Binding, ...]


@dataclass(frozen=True, slots=True)
class Registered:
    """Our REGISTER was accepted for `expires` seconds; it is refreshed by itself."""

    address: str
    expires: int


@dataclass(frozen=True, slots=True)
class RegistrationFailed:
    """Our REGISTER was refused or not answered; it is tried again by itself after a while."""

    address: str
    status: int


@dataclass(frozen=True, slots=True)
class Unregistered:
    """Our binding is removed."""

    address: str


Event = (
    CallOffered
    | CallProgressed
    | MediaAgreed
    | CallAnswered
    | CallHeld
    | CallResumed
    | KeyPressed
    | DialogChanged
    | CallEnded
    | RequestRefused
    | Bound
    | Unbound
    | ContactsChanged
    | Registered
    | RegistrationFailed
    | Unregistered
)
