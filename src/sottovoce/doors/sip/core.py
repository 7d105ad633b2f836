"""What calls and registrations need of their user agent: time, transactions, chance, a name, a voice.

`ua.UserAgent` is one and adds the way in: which message goes to which call. Calls know the core only.
"""

from __future__ import annotations

from typing import Protocol

from sottovoce.config import SipSettings
from sottovoce.doors.sip.events import CallKey, Event
from sottovoce.doors.sip.hops import Hop
from sottovoce.doors.sip.matching import Transactions, User
from sottovoce.doors.sip.message import Request
from sottovoce.doors.sip.ports import Addresses, Entropy
from sottovoce.doors.sip.refresh import MINIMUM
from sottovoce.doors.sip.registrar import Registrar
from sottovoce.doors.sip.timers import Timers
from sottovoce.doors.sip.transactions import ServerTransaction

SDP = "application/sdp"
OPTION_TAGS = frozenset(["100rel", "timer"])
"""Extensions that a request may require."""
REFUSED_METHODS = frozenset(["MESSAGE", "SUBSCRIBE", "NOTIFY", "PUBLISH", "REFER"])
KNOWN_METHODS = REFUSED_METHODS | frozenset(
    ["INVITE", "ACK", "CANCEL", "BYE", "OPTIONS", "REGISTER", "UPDATE", "PRACK", "INFO"]
)
"""Methods of the registry: one not served here is 405; any other is 501."""
PRODUCT = "Sottovoce"
MAX_BODY = 16384
"""Longest body looked at, in bytes; beyond it 513."""


class Known(Protocol):
    """A call as its user agent knows it (`session.Session`)."""

    @property
    def key(self) -> CallKey:
        """What names the call: Call-ID and our tag."""
        ...

    @property
    def ended(self) -> bool:
        """Whether CallEnded was said."""
        ...

    def on_request(self, transaction: ServerTransaction) -> None:
        """A request in its dialog, neither ACK nor CANCEL."""
        ...

    def on_ack(self, request: Request) -> None:
        """The ACK of a 2xx."""
        ...


class Core:
    """Timers, transactions, the door's settings and the calls by key. `user` hears what comes in."""

    def __init__(
        self, user: User, settings: SipSettings, *, entropy: Entropy, addresses: Addresses, now: float = 0.0
    ) -> None:
        self.settings = settings
        self.entropy = entropy
        self.timers = Timers(now)
        self.transactions = Transactions(user, self.timers, entropy, addresses)
        self.product = PRODUCT
        """The User-Agent and Server header."""
        self.reliable = True
        """Whether 183 with media is sent reliably to those who support it (RFC 3262)."""
        self.min_session_expires = MINIMUM
        """Our Min-SE, in seconds."""
        self.registrar: Registrar | None = None
        """Set by whoever serves phones."""
        self._addresses = addresses
        self._events: list[Event] = []
        self._sessions: dict[CallKey, Known] = {}
        self._standing: set[CallKey] = set()

    def emit(self, event: Event) -> None:
        """Say that something happened."""
        self._events.append(event)

    # --- who we are

    @property
    def allowed(self) -> str:
        """The value of our Allow header."""
        methods = "INVITE, ACK, CANCEL, BYE, OPTIONS, UPDATE, PRACK, INFO"
        return methods + (", REGISTER" if self.registrar is not None else "")

    @property
    def supported(self) -> str:
        """The value of our Supported header."""
        return "timer, 100rel" if self.reliable else "timer"

    def abilities(self) -> list[tuple[str, str]]:
        """Headers of 2xx to INVITE, UPDATE and OPTIONS."""
        return [("Allow", self.allowed), ("Supported", self.supported), ("Server", self.product)]

    def contact(self, hop: Hop, user: str = "") -> str:
        """Our Contact, as the far side of `hop` reaches us."""
        host, port = self._addresses(hop)
        host = f"[{host}]" if ":" in host else host
        transport = ";transport=tcp" if hop.transport.reliable else ""
        return f"<sip:{user + '@' if user else ''}{host}:{port}{transport}>"

    def refused_body(self, transaction: ServerTransaction, *accepted: str) -> bool:
        """Refuse a body that is too long (513), or of no accepted type (415); without any, SDP is."""
        request = transaction.request
        if not request.body:
            return False
        encoding = (request.headers.get("Content-Encoding") or "identity").lower()
        if len(request.body) > MAX_BODY:
            transaction.answer(513)
        elif request.content_type not in (accepted or (SDP,)):
            transaction.answer(415, extra=[("Accept", ", ".join(accepted or (SDP,)))])
        elif encoding != "identity":
            transaction.answer(415, extra=[("Accept-Encoding", "identity")])
        else:
            return False
        return True

    # --- the calls

    def add(self, call: Known) -> None:
        """Know a call, from now until `forget`."""
        self._sessions[call.key] = call
        if not call.ended:
            self._standing.add(call.key)

    @property
    def standing(self) -> int:
        """How many calls have not ended."""
        return len(self._standing)

    def ended(self, key: CallKey) -> None:
        """A call ended; it stays known, to answer what comes late, until `forget`."""
        self._standing.discard(key)

    def forget(self, key: CallKey) -> None:
        """Nothing of that call can come any more."""
        self._sessions.pop(key, None)
