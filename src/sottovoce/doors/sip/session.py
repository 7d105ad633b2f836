"""A call after its beginning: everything that happens in its dialog (RFC 3261 12.2, 14, 15; RFC 3311, 4028).

`calling.Calling` and `called.Called` are the two beginnings. Whatever races, CallEnded is said exactly
once; what the far side is still owed after it (an ACK, a BYE, a 487) is sent behind the scenes.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum, auto

from sottovoce.domain.legs import ReleaseCause, RemoteMedia
from sottovoce.doors.sip.causes import status_of
from sottovoce.doors.sip.challenges import Exchange
from sottovoce.doors.sip.core import SDP, Core
from sottovoce.doors.sip.dialog import Dialog
from sottovoce.doors.sip.events import (
    CallAnswered,
    CallEnded,
    CallHeld,
    CallKey,
    CallResumed,
    DialogChanged,
    MediaAgreed,
)
from sottovoce.doors.sip.hops import Hop
from sottovoce.doors.sip.keys import on_info
from sottovoce.doors.sip.message import Request, Response
from sottovoce.doors.sip.negotiation import Negotiation
from sottovoce.doors.sip.ports import Account
from sottovoce.doors.sip.refresh import SessionTimer, too_small
from sottovoce.doors.sip.reliable import Repetition
from sottovoce.doors.sip.sdp import SdpError, UnsupportedMedia
from sottovoce.doors.sip.timers import T4, TIMEOUT, Timer
from sottovoce.doors.sip.transactions import ServerTransaction

RING_LIMIT = 300.0
"""Seconds that a call rings at most, either way: no phone and no trunk rings longer."""
MAX_ACKS = 64
"""How many ACKs are kept to be sent again."""
MOVED_ON = frozenset([404, 405, 501, 415, 420, 488, 606])
"""Answers to an UPDATE that only say that a re-INVITE should be tried instead."""


class Phase(Enum):
    """How far a session is."""

    CALLING = auto()
    """Our INVITE waits for its answer."""
    OFFERED = auto()
    """Their INVITE waits for ours."""
    ACCEPTED = auto()
    """Our 200 is out; its ACK is not here yet."""
    TALKING = auto()
    ENDED = auto()


class Session:
    """One call. `caller` and `called` are numbers for people."""

    def __init__(self, core: Core, key: CallKey, account: Account | None = None) -> None:
        self.core = core
        self.key = key
        self.account = account
        self.caller = ""
        self.called = ""
        self.phase = Phase.OFFERED
        self.dialog: Dialog | None = None
        self.negotiation = Negotiation(int(core.entropy.fraction() * 2**40) + 1)
        self.timer = SessionTimer(
            core.timers, core.settings.session_expires, core.min_session_expires, self._refresh, self._expire
        )
        self.held = False
        self._answered = False
        """Whether CallAnswered was said."""
        self._started_it = False
        """Whether the Call-ID is ours (RFC 3261 14.1: who waits longer after 491)."""
        self._peer_allows: frozenset[str] = frozenset()
        self._saved: dict[str, object] = {}
        self._acceptance: Repetition | None = None
        self._accepted = 0
        """The CSeq number of the INVITE that was answered with 200."""
        self._bye_owed: ReleaseCause | None = None
        self._change: Exchange | None = None
        self._change_wanted = False
        self._back_off: Timer | None = None
        self._acks: dict[tuple[str, int], tuple[bytes, Hop]] = {}

    # --- what the owner asks

    @property
    def remote(self) -> RemoteMedia | None:
        """The far side's media as agreed."""
        return self.negotiation.remote

    @property
    def ended(self) -> bool:
        """Whether CallEnded was said."""
        return self.phase is Phase.ENDED

    def hang_up(self, cause: ReleaseCause = ReleaseCause.NORMAL) -> None:
        """End the call, however far it is. CallEnded follows at once, with `cause`."""
        if self.ended:
            return
        if self.phase is Phase.ACCEPTED:
            self._bye_owed = cause  # not before the ACK (RFC 3261 15)
        else:
            self._send_bye(cause)
        self.end(cause)

    def hold(self) -> None:
        """Put the far side on hold by a re-INVITE."""
        self._hold(True)

    def resume(self) -> None:
        """Take it back."""
        self._hold(False)

    def _hold(self, holding: bool) -> None:
        if self.negotiation.holding != holding and not self.ended:
            self.negotiation.holding = holding
            self.reinvite()

    # --- the end

    def end(self, cause: ReleaseCause, status: int | None = None, *, by_far_side: bool = False) -> None:
        """Say CallEnded, once; the session stays known for a while to answer what comes late."""
        if self.ended:
            return
        self.phase = Phase.ENDED
        self.timer.stop()
        if self._back_off is not None:
            self._back_off.cancel()
        self.core.ended(self.key)
        self.core.emit(CallEnded(self.key, cause, status, by_far_side))
        self.core.timers.after(TIMEOUT + T4, self._forget)

    def _forget(self) -> None:
        self._acks.clear()
        self._change = self._acceptance = None
        self.core.forget(self.key)

    def _send_bye(self, cause: ReleaseCause) -> None:
        if self.dialog is None:
            return
        bye = self.dialog.request("BYE")
        if cause is not ReleaseCause.NORMAL:
            bye.headers.add("Reason", f'SIP;cause={status_of(cause)};text="{cause.value}"')
        self.exchange(bye, lambda response: None)

    def _expire(self) -> None:
        """The far side's session timer ran out."""
        self.hang_up(ReleaseCause.SESSION_EXPIRED)

    # --- requests of ours

    def exchange(self, request: Request, on_response: Callable[[Response], None]) -> Exchange:
        """Send a request of this dialog; challenges are met with the session's account."""
        dialog = self.dialog
        assert dialog is not None, "a request needs a dialog"

        def renumber() -> int:
            number = dialog.renumber()
            self.note_dialog()
            return number

        made = Exchange(
            self.core.transactions,
            request,
            dialog.hop(),
            account=self.account,
            renumber=renumber,
            on_response=on_response,
        )
        self.note_dialog()
        return made

    def note_dialog(self) -> None:
        """Say DialogChanged if what a BYE needs is not what was said last."""
        if self.dialog is None or self.phase not in (Phase.ACCEPTED, Phase.TALKING):
            return
        saved = self.dialog.saved()
        if saved != self._saved:
            self._saved = saved
            self.core.emit(DialogChanged(self.key, saved))

    def acknowledge(self, invite: Request, response: Response, dialog: Dialog) -> None:
        """ACK a 2xx; the same bytes again when the 2xx comes again (RFC 3261 13.2.2.4)."""
        key = (dialog.remote_tag, invite.cseq[0])
        known = self._acks.get(key)
        if known is not None:
            self.core.transactions.send(known[0], known[1], "")
            return
        ack = dialog.request("ACK", seq=invite.cseq[0])
        for name in ("Authorization", "Proxy-Authorization"):
            for value in invite.headers.get_all(name):
                ack.headers.add(name, value)
        hop = dialog.hop()
        if len(self._acks) >= MAX_ACKS:
            del self._acks[next(iter(self._acks))]
        self._acks[key] = (self.core.transactions.send_ack(ack, hop), hop)

    def reinvite(self) -> None:
        """Offer what is wanted now, as soon as no other change is under way."""
        if self.phase is not Phase.TALKING or self._change is not None or self._awaiting_ack:
            self._change_wanted = not self.ended
            return
        assert self.dialog is not None
        self._change_wanted = False
        invite = self.dialog.request("INVITE")
        self._describe(invite, self.negotiation.offer())
        self._change = self.exchange(invite, self._reinvite_answered)

    def _reinvite_answered(self, response: Response) -> None:
        change, dialog = self._change, self.dialog
        if dialog is None or response.status < 200:
            return
        if 200 <= response.status < 300:
            if change is None or response.cseq[0] != change.request.cseq[0]:
                key = (dialog.remote_tag, response.cseq[0])
                if key in self._acks:
                    self.core.transactions.send(*self._acks[key], "")
                return
            self._change = None
            dialog.retarget(response)
            self.acknowledge(change.request, response, dialog)
            if self.ended:
                return
            self.timer.settled(response)
            self._read_answer(response.body)
            self.note_dialog()
        else:
            self._change = None
            self.negotiation.withdraw()
            if self.ended:
                return
            self._change_refused(response.status)
        self._next_change()

    def _change_refused(self, status: int) -> None:
        if status == 491:
            self._later()
        elif status in (408, 481):
            self.hang_up(ReleaseCause.SESSION_EXPIRED)  # RFC 4028 10, RFC 5057
        else:
            self.timer.again()

    def _later(self) -> None:
        """After a 491: try again when RFC 3261 14.1 says."""
        fraction = self.core.entropy.fraction()
        delay = 2.1 + fraction * 1.9 if self._started_it else fraction * 2.0
        self._back_off = self.core.timers.after(round(delay, 2), self.reinvite)

    def _next_change(self) -> None:
        if self._change_wanted and not (self._back_off is not None and self._back_off.running):
            self.reinvite()

    def _read_answer(self, body: bytes) -> None:
        """Take the answer to our offer; without one, what was agreed stands. If nothing was, end the call."""
        if not body and self.negotiation.remote is not None:
            self.negotiation.withdraw()
            return
        try:
            self.negotiation.take_answer(body)
        except (SdpError, UnsupportedMedia):
            self.hang_up(ReleaseCause.UNSUPPORTED_MEDIA)
            return
        self.note_media()

    def _refresh(self) -> None:
        """Our session timer is due: UPDATE if the far side knows it, else a re-INVITE."""
        if self.phase is not Phase.TALKING or self.dialog is None:
            return
        if "update" not in self._peer_allows:
            self.reinvite()
            return
        update = self.dialog.request("UPDATE")
        self._describe(update, b"")
        self.exchange(update, self._update_answered)

    def _update_answered(self, response: Response) -> None:
        if response.status < 200 or self.ended:
            return
        if response.status < 300:
            if self.dialog is not None:
                self.dialog.retarget(response)
            self.timer.settled(response)
            self.note_dialog()
        elif response.status in MOVED_ON:
            self._peer_allows -= {"update"}
            self.reinvite()
        elif response.status in (408, 481):
            self.hang_up(ReleaseCause.SESSION_EXPIRED)
        else:
            self._later()

    def _describe(self, request: Request, body: bytes, *, first: bool = False) -> None:
        """The headers that every INVITE and UPDATE carries, and its offer."""
        request.headers.add("Allow", self.core.allowed)
        request.headers.add("Supported", self.core.supported)
        for name, value in self.timer.for_request(first=first):
            request.headers.add(name, value)
        if body:
            request.headers.set("Content-Type", SDP)
            request.body = body

    # --- requests of theirs

    def on_request(self, transaction: ServerTransaction) -> None:
        """A request in this dialog, neither ACK nor CANCEL."""
        request = transaction.request
        transaction.tag = self.key.local_tag
        dialog = self.dialog_of(request)
        if dialog is None or (self.ended and request.method != "BYE"):
            transaction.answer(481)
            return
        if not dialog.takes(request) and request.method != "BYE":
            transaction.answer(500, "CSeq Out Of Order", extra=[("Retry-After", "1")])
            return
        if dialog.flow is None or transaction.source.flow or dialog.behind_nat:
            dialog.flow = transaction.source
        if request.method == "BYE":
            transaction.answer(200)
            self.on_bye()
        elif request.method == "INVITE":
            self._on_reinvite(transaction, dialog)
        elif request.method == "UPDATE":
            self._on_update(transaction, dialog)
        elif request.method == "PRACK":
            self.on_prack(transaction)
        elif request.method == "INFO":
            on_info(self.core, self.key, transaction)
        elif request.method == "OPTIONS":
            transaction.answer(200, extra=self.core.abilities())
        else:
            transaction.answer(405, extra=[("Allow", self.core.allowed)])

    def dialog_of(self, request: Request) -> Dialog | None:
        """The dialog that a request belongs to, by its From tag."""
        dialog = self.dialog
        return dialog if dialog is not None and dialog.remote_tag == request.from_tag else None

    def on_bye(self) -> None:
        """The far side hung up; its BYE is answered already."""
        self._bye_owed = None
        self.end(ReleaseCause.NORMAL, by_far_side=True)

    def on_prack(self, transaction: ServerTransaction) -> None:
        """A PRACK; 481 where no reliable response of ours waits for one."""
        transaction.answer(481)

    def on_ack(self, request: Request) -> None:
        """The ACK of a 2xx of ours; it may bring the answer to our offer."""
        if self._acceptance is None or not self._awaiting_ack or request.cseq[0] != self._accepted:
            return
        self._acceptance.confirm()
        first = self.phase is Phase.ACCEPTED
        if first:
            self.phase = Phase.TALKING
        if self._bye_owed is not None:
            self._send_bye(self._bye_owed)
            self._bye_owed = None
        if self.ended:
            return
        if self.negotiation.offer_open:
            self._read_answer(request.body)
            if first and not self.ended:
                self.say_answered()
        self._next_change()

    def _on_reinvite(self, transaction: ServerTransaction, dialog: Dialog) -> None:
        if self.phase in (Phase.CALLING, Phase.OFFERED):
            transaction.answer(500, extra=[("Retry-After", str(int(self.core.entropy.fraction() * 10)))])
        elif self._change is not None or self.negotiation.offer_open:
            transaction.answer(491)
        elif self._turned_away(transaction):
            return
        else:
            if self._acceptance is not None and self._acceptance.running:
                self._acceptance.confirm()  # who sends the next INVITE has our 200; its ACK was lost
                self.phase = Phase.TALKING
            body = self._answer_or_offer(transaction)
            if body is None:
                return
            dialog.retarget(transaction.request)
            self.accept_invite(transaction, body)
            self.note_dialog()
            if not self.negotiation.offer_open:
                self.note_media()

    def _on_update(self, transaction: ServerTransaction, dialog: Dialog) -> None:
        request = transaction.request
        if self._turned_away(transaction):
            return
        body = b""
        if request.body:
            if self.negotiation.offer_open or self._change is not None:
                transaction.answer(491)
                return
            if self.negotiation.remote is None:
                transaction.answer(500, extra=[("Retry-After", str(int(self.core.entropy.fraction() * 10)))])
                return
            answer = self._answer_or_offer(transaction)
            if answer is None:
                return
            body = answer
        dialog.retarget(request)
        extra = [("Contact", dialog.contact), *self.core.abilities()]
        if self.phase in (Phase.ACCEPTED, Phase.TALKING):
            extra += self.timer.answer(request)
        transaction.answer(200, extra=extra, body=body)
        self.note_dialog()
        if body:
            self.note_media()

    def _turned_away(self, transaction: ServerTransaction) -> bool:
        """Refuse a body or session interval that cannot be taken (415, 422)."""
        if self.core.refused_body(transaction):
            return True
        if too_small(transaction.request, self.timer.minimum):
            transaction.answer(422, extra=[("Min-SE", str(self.timer.minimum))])
            return True
        return False

    def _answer_or_offer(self, transaction: ServerTransaction) -> bytes | None:
        """The body of our 200: the answer, or our offer if there was none. None if it was refused."""
        self.negotiation.signalling_host = transaction.source.host  # a phone may have changed its network
        try:
            if transaction.request.body:
                return self.negotiation.answer(transaction.request.body)
            return self.negotiation.offer()
        except SdpError as error:
            transaction.answer(400, f"Bad SDP: {error}", why=str(error), warning=399)
        except UnsupportedMedia as error:
            transaction.answer(488, why=str(error), warning=error.warning)
        return None

    # --- shared by both

    def accept_invite(self, transaction: ServerTransaction, body: bytes) -> None:
        """Answer an INVITE with 200, again and again until its ACK."""
        assert self.dialog is not None
        request = transaction.request
        extra = [("Contact", self.dialog.contact), *self.core.abilities(), *self.timer.answer(request)]
        if self.dialog.remote_seq is not None:
            extra += [("Record-Route", route) for route in request.headers.get_all("Record-Route")]
        response = transaction.reply(200, extra=extra, body=body)
        transaction.respond(response)
        data = response.encode()
        self._accepted = request.cseq[0]
        self._acceptance = Repetition(
            self.core.timers, lambda: transaction.resend(data), self._acknowledgement_lost
        )

    def _acknowledgement_lost(self) -> None:
        cause = self._bye_owed or ReleaseCause.FAILED
        self._bye_owed = None
        self._send_bye(cause)
        self.end(ReleaseCause.FAILED)

    @property
    def _awaiting_ack(self) -> bool:
        return self._acceptance is not None and self._acceptance.running

    def note_media(self) -> None:
        """Say what was agreed, and whether the far side holds or takes back."""
        remote = self.negotiation.remote
        if remote is None or self.ended:
            return
        self.core.emit(MediaAgreed(self.key, remote))
        self._note_hold()

    def say_answered(self) -> None:
        """Say that the call stands, and then if it does so on hold."""
        self._answered = True
        self.core.emit(CallAnswered(self.key))
        self._note_hold()

    def _note_hold(self) -> None:
        if self._answered and self.negotiation.held != self.held:
            self.held = self.negotiation.held
            self.core.emit(CallHeld(self.key) if self.held else CallResumed(self.key))

    def learn(self, message: Request | Response) -> None:
        """Note what the far side's INVITE or 2xx says about its abilities."""
        self._peer_allows = message.headers.tokens("Allow")
