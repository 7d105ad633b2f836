"""The user agent: takes every message to the transaction, session or registrar it belongs to.

Pure. Bytes and messages in by `receive`, time by `timers.advance`; what is to be sent and what happened
out by `take`; `timers.deadline` says when that is needed next. A phone needs `invite`, `register` and the
sessions; the door adds a doorman and a registrar.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from sottovoce.config import SipSettings
from sottovoce.doors.sip.admission import Doorman, Open, Refusal, called_of, caller_of
from sottovoce.doors.sip.called import Called
from sottovoce.doors.sip.calling import Calling, OutgoingCall
from sottovoce.doors.sip.challenges import Exchange
from sottovoce.doors.sip.core import KNOWN_METHODS, OPTION_TAGS, SDP, Core
from sottovoce.doors.sip.dialog import Dialog, NoDialog
from sottovoce.doors.sip.events import CallKey, CallOffered, Event, RequestRefused
from sottovoce.doors.sip.hops import Hop, Outgoing
from sottovoce.doors.sip.limits import LimitVerdict, SourceLimits
from sottovoce.doors.sip.matching import RETRY_LATER
from sottovoce.doors.sip.message import Request, Response, SipParseError, parse
from sottovoce.doors.sip.negotiation import Negotiation
from sottovoce.doors.sip.ports import Account, Addresses, Entropy
from sottovoce.doors.sip.refresh import too_small
from sottovoce.doors.sip.registering import RegisterWith, Registration
from sottovoce.doors.sip.sdp import SdpError, UnsupportedMedia
from sottovoce.doors.sip.transactions import ServerTransaction
from sottovoce.doors.sip.uri import escape_user

NAME = 64
"""Characters of a foreign name that are told."""


class UserAgent(Core):
    """One SIP endpoint."""

    def __init__(
        self,
        settings: SipSettings,
        *,
        entropy: Entropy,
        addresses: Addresses,
        doorman: Doorman | None = None,
        limits: SourceLimits | None = None,
        now: float = 0.0,
    ) -> None:
        super().__init__(self, settings, entropy=entropy, addresses=addresses, now=now)
        self.doorman: Doorman = doorman or Open()
        self.trusted: Callable[[Hop], bool] = lambda source: False
        """Whether a source may ask ten times as much (a trunk)."""
        self._limits = limits

    # --- in

    def receive(self, data: bytes, source: Hop, now: float) -> None:
        """A UDP datagram."""
        self.timers.advance(now)
        if not data.strip(b"\r\n\0 "):
            return  # a keep-alive
        try:
            message: Request | Response | SipParseError = parse(data)
        except SipParseError as error:
            message = error
        self.receive_message(message, source, now)

    def receive_message(self, message: Request | Response | SipParseError, source: Hop, now: float) -> None:
        """A message that a framer cut from a stream, or what was wrong with it."""
        self.timers.advance(now)
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

    # --- out

    def take(self) -> tuple[list[Outgoing], list[Event]]:
        """What is to be sent and what happened since the last `take`."""
        out, self.transactions.out = self.transactions.out, []
        events, self._events = self._events, []
        return out, events

    # --- do

    def invite(self, call: OutgoingCall) -> Calling:
        """Place a call; CallProgressed, CallAnswered or CallEnded follow."""
        session = Calling(self, call)
        self.add(session)
        return session

    def offer(self, call: CallKey) -> Called:
        """The call that CallOffered named. KeyError when it is long over."""
        session = self._sessions[call]
        assert isinstance(session, Called), f"{call} was not offered"
        return session

    def register(self, wanted: RegisterWith) -> Registration:
        """Register and stay registered."""
        return Registration(self, wanted)

    def bye(self, saved: Mapping[str, object], account: Account | None = None) -> None:
        """Say BYE in a dialog of before a crash, as DialogChanged described it. Raises NoDialog."""
        dialog = Dialog.restored(saved)
        bye = dialog.request("BYE")
        Exchange(self.transactions, bye, dialog.hop(), account=account, renumber=dialog.renumber)

    # --- the transactions' user

    def on_request(self, transaction: ServerTransaction) -> None:
        """Take a new request to its call or to the registrar, or answer it here."""
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
        tag = request.to_tag
        if tag and method not in ("REGISTER", "OPTIONS"):
            session = self._sessions.get(CallKey(request.call_id, tag))
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
            self._admit(transaction)
        elif method == "REGISTER" and self.registrar is not None:
            self.registrar.on_register(transaction)
        elif method in ("BYE", "PRACK", "UPDATE", "INFO"):
            transaction.answer(481)
        else:
            transaction.answer(405, extra=[("Allow", self.allowed)])

    def on_ack(self, request: Request, source: Hop) -> None:
        """Take the ACK of a 2xx to its call."""
        session = self._sessions.get(CallKey(request.call_id, request.to_tag))
        if session is not None:
            session.on_ack(request)

    def on_cancel(self, transaction: ServerTransaction) -> None:
        """The INVITE of `transaction` is cancelled; the CANCEL is answered already."""
        session = self._sessions.get(CallKey(transaction.request.call_id, transaction.tag))
        if isinstance(session, Called) and session.invite is transaction:
            session.on_cancel()
        else:
            transaction.answer(487)

    def on_refused(self, request: Request, source: Hop, status: int, why: str) -> None:
        """Say which calls and registrations were refused; a challenge is no refusal, a CANCEL is theirs."""
        if request.method in ("INVITE", "REGISTER") and status not in (401, 407, 487):
            names = caller_of(request)[:NAME], called_of(request)[:NAME]
            self.emit(RequestRefused(request.method, status, why, source, *names, request.call_id))

    def _admit(self, transaction: ServerTransaction) -> None:
        """Begin a call, if there is room, the doorman lets it in and its offer can be taken."""
        request, source = transaction.request, transaction.source
        if self.standing >= self.settings.max_sessions:
            transaction.answer(503, extra=RETRY_LATER, why="as many calls stand as may")
            return
        admitted = self.doorman.admit(request, source, self.timers.now)
        if isinstance(admitted, Refusal):
            transaction.answer(
                admitted.status,
                admitted.reason,
                extra=admitted.extra,
                why=admitted.why,
                warning=admitted.warning,
            )
            return
        if self.refused_body(transaction):
            return
        try:
            if request.body:
                Negotiation.check(request.body)
            contact = self.contact(source, escape_user(admitted.called))
            dialog = Dialog.of_offer(request, transaction.tag, contact, source)
        except SdpError as error:
            transaction.answer(400, f"Bad SDP: {error}", why=str(error), warning=399)
            return
        except UnsupportedMedia as error:
            transaction.answer(488, why=str(error), warning=error.warning)
            return
        except NoDialog:
            transaction.answer(400, "Bad Contact Or Route", why="Contact or Record-Route", warning=399)
            return
        dialog.behind_nat = admitted.behind_nat
        dialog.extra = (("User-Agent", self.product),)
        if too_small(request, self.min_session_expires):
            transaction.answer(422, extra=[("Min-SE", str(self.min_session_expires))])
            return
        transaction.answer(100)
        session = Called(self, transaction, dialog, admitted)
        self.add(session)
        self.emit(CallOffered(session.key))

    def _within_limits(self, request: Request, source: Hop, now: float) -> bool:
        """Whether a request may go on; what belongs to a call that stands always may."""
        if self._limits is None or request.method == "ACK":
            return True
        if CallKey(request.call_id, request.to_tag) in self._sessions:
            return True
        trusted = self.trusted(source)
        cheap = request.method == "CANCEL" or trusted
        verdict = self._limits.judge(source.host, now, weight=0.1 if cheap else 1.0, blockable=not trusted)
        if verdict is LimitVerdict.REFUSE:
            self.transactions.refuse(request, source, 503, extra=RETRY_LATER, why="too many requests")
        return verdict is LimitVerdict.ADMIT
