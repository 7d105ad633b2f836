"""The user agent: takes every message to the transaction, session or registrar it belongs to.

Pure. Bytes and messages in by `receive`, time by `advance`; what is to be sent and what happened out
by `take`; `deadline` says when `advance` is needed next. A phone needs `invite`, `register` and the
sessions; the door adds a doorman and a registrar.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from sottovoce.doors.sip.admission import Doorman, Open, Refusal
from sottovoce.doors.sip.called import Called
from sottovoce.doors.sip.calling import Calling, OutgoingCall
from sottovoce.doors.sip.challenges import Exchange
from sottovoce.doors.sip.dialog import Dialog, NoDialog
from sottovoce.doors.sip.events import CallOffered, Event
from sottovoce.doors.sip.hops import Hop, Outgoing
from sottovoce.doors.sip.limits import SourceLimits, Verdict
from sottovoce.doors.sip.matching import Transactions
from sottovoce.doors.sip.message import Request, Response, SipParseError, parse
from sottovoce.doors.sip.negotiation import Negotiation
from sottovoce.doors.sip.ports import Account, Addresses, Entropy
from sottovoce.doors.sip.refresh import shortest_interval, too_small
from sottovoce.doors.sip.registering import RegisterWith, Registration
from sottovoce.doors.sip.registrar import Registrar
from sottovoce.doors.sip.sdp import SdpError, UnsupportedMedia
from sottovoce.doors.sip.session import SDP, Session
from sottovoce.doors.sip.settings import UaSettings
from sottovoce.doors.sip.timers import Timers
from sottovoce.doors.sip.transactions import ServerTransaction
from sottovoce.doors.sip.uri import escape_user

REFUSED_METHODS = frozenset(["INFO", "MESSAGE", "SUBSCRIBE", "NOTIFY", "PUBLISH", "REFER"])
KNOWN_METHODS = REFUSED_METHODS | frozenset(
    ["INVITE", "ACK", "CANCEL", "BYE", "OPTIONS", "REGISTER", "UPDATE", "PRACK"]
)
"""Methods of the registry: one not served here is 405; any other is 501."""
OPTION_TAGS = frozenset(["100rel", "timer"])
MAX_BODY = 16384
"""Longest body looked at, in bytes; beyond it 513."""


class UserAgent:
    """One SIP endpoint."""

    def __init__(
        self,
        settings: UaSettings,
        *,
        entropy: Entropy,
        addresses: Addresses,
        doorman: Doorman | None = None,
        limits: SourceLimits | None = None,
        now: float = 0.0,
    ) -> None:
        self.settings = settings
        self.entropy = entropy
        self.timers = Timers(now)
        self.transactions = Transactions(
            self,
            self.timers,
            entropy,
            addresses,
            capacity=settings.max_transactions,
            large_over_tcp=settings.large_requests_over_tcp,
            retry_after=settings.retry_after,
        )
        self.doorman: Doorman = doorman or Open()
        self.registrar: Registrar | None = None
        """Set by whoever serves phones."""
        self.trusted: Callable[[Hop], bool] = lambda source: False
        """Whether a source may ask ten times as much (a trunk)."""
        self._addresses = addresses
        self._limits = limits
        self._events: list[Event] = []
        self._sessions: dict[tuple[str, str], Session] = {}
        self._calls: set[tuple[str, str]] = set()

    # --- in

    def receive(self, data: bytes, source: Hop, now: float) -> None:
        """A UDP datagram."""
        self.advance(now)
        if not data.strip(b"\r\n\0 "):
            return  # a keep-alive
        try:
            message: Request | Response | SipParseError = parse(data)
        except SipParseError as error:
            message = error
        self.receive_message(message, source, now)

    def receive_message(self, message: Request | Response | SipParseError, source: Hop, now: float) -> None:
        """A message that a framer cut from a stream, or what was wrong with it."""
        self.advance(now)
        if isinstance(message, Response):
            self.transactions.receive(message, source)
            return
        request = message.request if isinstance(message, SipParseError) else message
        if request is None or not self._within_limits(request, source, now):
            return
        if isinstance(message, SipParseError):
            self.transactions.refuse(request, source, message.status, message.reason)
        else:
            self.transactions.receive(request, source)

    def send_failed(self, key: str, now: float) -> None:
        """What was sent with that key could not be sent."""
        self.advance(now)
        self.transactions.send_failed(key)

    def advance(self, now: float) -> None:
        """Fire the timers that are due."""
        self.timers.advance(now)

    # --- out

    def take(self) -> tuple[list[Outgoing], list[Event]]:
        """What is to be sent and what happened since the last `take`."""
        out, self.transactions.out = self.transactions.out, []
        events, self._events = self._events, []
        return out, events

    @property
    def deadline(self) -> float | None:
        """When `advance` is needed next, None never."""
        return self.timers.deadline

    def emit(self, event: Event) -> None:
        self._events.append(event)

    # --- do

    def invite(self, call: OutgoingCall) -> Calling:
        """Place a call; CallProgressed, CallAnswered or CallEnded follow."""
        session = Calling(self, call)
        self._add(session)
        return session

    def register(self, wanted: RegisterWith) -> Registration:
        """Register and stay registered."""
        return Registration(self, wanted)

    def bye(self, saved: Mapping[str, object], account: Account | None = None) -> None:
        """Say BYE in a dialog of before a crash, as DialogChanged described it. Raises NoDialog."""
        dialog = Dialog.restored(saved)

        def renumber() -> int:
            dialog.local_seq += 1
            return dialog.local_seq

        Exchange(
            self.transactions,
            dialog.request("BYE"),
            dialog.hop(),
            account=account,
            renumber=renumber,
            on_response=lambda response: None,
        )

    @property
    def sessions(self) -> list[Session]:
        """The calls that have not ended."""
        return [session for session in self._sessions.values() if not session.ended]

    # --- what sessions need

    @property
    def allowed(self) -> str:
        methods = "INVITE, ACK, CANCEL, BYE, OPTIONS, UPDATE, PRACK"
        return methods + (", REGISTER" if self.registrar is not None else "")

    @property
    def supported(self) -> str:
        return "timer, 100rel" if self.settings.reliable else "timer"

    def abilities(self) -> list[tuple[str, str]]:
        """Headers of 2xx to INVITE, UPDATE and OPTIONS."""
        return [("Allow", self.allowed), ("Supported", self.supported), ("Server", self.settings.product)]

    def contact(self, hop: Hop, user: str = "") -> str:
        """Our Contact, as the far side of `hop` reaches us."""
        host, port = self._addresses(hop)
        host = f"[{host}]" if ":" in host else host
        transport = ";transport=tcp" if hop.transport.reliable else ""
        return f"<sip:{user + '@' if user else ''}{host}:{port}{transport}>"

    def ended(self, session: Session) -> None:
        """A session ended; it stays known until `forget`."""
        self._calls.discard((session.call_id, session.local_tag))

    def forget(self, session: Session) -> None:
        self._sessions.pop((session.call_id, session.local_tag), None)

    def refused_body(self, transaction: ServerTransaction) -> bool:
        """Refuse a body that is no SDP, or too long (415, 513)."""
        request = transaction.request
        if not request.body:
            return False
        encoding = (request.headers.get("Content-Encoding") or "identity").lower()
        if len(request.body) > MAX_BODY:
            transaction.answer(513)
        elif request.content_type != SDP:
            transaction.answer(415, extra=[("Accept", SDP)])
        elif encoding != "identity":
            transaction.answer(415, extra=[("Accept-Encoding", "identity")])
        else:
            return False
        return True

    def _add(self, session: Session) -> None:
        key = (session.call_id, session.local_tag)
        self._sessions[key] = session
        if not session.ended:
            self._calls.add(key)

    # --- the transactions' user

    def on_request(self, transaction: ServerTransaction) -> None:
        request = transaction.request
        method = request.method
        if method not in KNOWN_METHODS:
            transaction.answer(501, extra=[("Allow", self.allowed)])
            return
        unknown = sorted(
            (request.headers.tokens("Require") | request.headers.tokens("Proxy-Require")) - OPTION_TAGS
        )
        if unknown:
            transaction.answer(420, extra=[("Unsupported", ", ".join(unknown))])
            return
        tag = request.to.tag if request.to is not None else None
        if tag and method not in ("REGISTER", "OPTIONS"):
            session = self._sessions.get((request.call_id, tag))
            if session is None:
                transaction.answer(481)
            else:
                session.on_request(transaction)
        elif method == "OPTIONS":
            transaction.answer(
                200, extra=[("Accept", SDP), ("Accept-Encoding", "identity"), *self.abilities()]
            )
        elif (request.headers.get("Max-Forwards") or "70").strip() == "0":
            transaction.answer(483)
        elif method == "INVITE":
            self._offered(transaction)
        elif method == "REGISTER" and self.registrar is not None:
            self.registrar.on_register(transaction)
        elif method in ("BYE", "PRACK", "UPDATE"):
            transaction.answer(481)
        else:
            transaction.answer(405, extra=[("Allow", self.allowed)])

    def on_ack(self, request: Request, source: Hop) -> None:
        session = self._sessions.get((request.call_id, (request.to.tag if request.to else None) or ""))
        if session is not None:
            session.on_ack(request)

    def on_cancel(self, transaction: ServerTransaction) -> None:
        session = self._sessions.get((transaction.request.call_id, transaction.tag))
        if isinstance(session, Called) and session.invite is transaction:
            session.on_cancel()
        else:
            transaction.answer(487)

    def _offered(self, transaction: ServerTransaction) -> None:
        """An INVITE that would begin a call."""
        request, source = transaction.request, transaction.source
        retry = [("Retry-After", str(self.settings.retry_after))]
        if len(self._calls) >= self.settings.max_sessions:
            transaction.answer(503, extra=retry)
            return
        admitted = self.doorman.admit(request, source, self.timers.now)
        if isinstance(admitted, Refusal):
            transaction.answer(admitted.status, admitted.reason, extra=admitted.extra)
            return
        if self.refused_body(transaction):
            return
        try:
            if request.body:
                Negotiation.check(request.body)
            contact = self.contact(source, escape_user(admitted.called))
            dialog = Dialog.of_offer(request, transaction.tag, contact, source)
        except SdpError as error:
            transaction.answer(400, f"Bad SDP: {error}")
            return
        except UnsupportedMedia:
            transaction.answer(488)
            return
        except NoDialog:
            transaction.answer(400, "Bad Contact Or Route")
            return
        dialog.behind_nat = admitted.behind_nat
        dialog.extra = (("User-Agent", self.settings.product),)
        minimum = shortest_interval(self.settings)
        if too_small(request, minimum):
            transaction.answer(422, extra=[("Min-SE", str(minimum))])
            return
        transaction.answer(100)
        session = Called(self, transaction, dialog, admitted)
        self._add(session)
        self.emit(CallOffered(session))

    def _within_limits(self, request: Request, source: Hop, now: float) -> bool:
        """Whether a request may go on; what belongs to a call that stands always may."""
        if self._limits is None or request.method == "ACK":
            return True
        tag = request.to.tag if request.to is not None else None
        if tag and (request.call_id, tag) in self._sessions:
            return True
        trusted = self.trusted(source)
        cheap = request.method == "CANCEL" or trusted
        verdict = self._limits.judge(source.host, now, weight=0.1 if cheap else 1.0, blockable=not trusted)
        if verdict is Verdict.REFUSE:
            extra = [("Retry-After", str(self.settings.retry_after))]
            self.transactions.refuse(request, source, 503, extra=extra)
        return verdict is Verdict.ADMIT
