"""A call that is placed: our INVITE, its forks and provisional responses, until the 200 (RFC 3261 13.2)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sottovoce.domain.legs import LegAddress, ReleaseCause
from sottovoce.doors.sip.causes import cause_of
from sottovoce.doors.sip.challenges import Exchange
from sottovoce.doors.sip.core import SDP, Core
from sottovoce.doors.sip.dialog import Dialog, NoDialog
from sottovoce.doors.sip.events import CallKey, CallProgressed, MediaAgreed
from sottovoce.doors.sip.headers import Headers
from sottovoce.doors.sip.hops import Hop
from sottovoce.doors.sip.message import Request, Response
from sottovoce.doors.sip.ports import Account
from sottovoce.doors.sip.sdp import SdpError, UnsupportedMedia
from sottovoce.doors.sip.session import RING_LIMIT, Phase, Session
from sottovoce.doors.sip.transactions import TransactionState
from sottovoce.doors.sip.uri import SipUri
from sottovoce.plain import natural

MAX_FORKS = 16


@dataclass(frozen=True, slots=True)
class OutgoingCall:
    """Whom to call, from where, by which way."""

    to: str
    """The request URI, and To."""
    hop: Hop
    """Where the INVITE is sent: the phone, the trunk or the proxy."""
    local: LegAddress
    """Where our media is received, as the far side should see it."""
    from_uri: str
    from_name: str = ""
    account: Account | None = None
    """Answers 401 and 407."""
    nat: bool = False
    """Whether the far side is behind NAT: media from wherever it proves itself, requests to `hop`."""
    routes: tuple[str, ...] = ()
    """Loose routers on the way, the first at `hop`."""
    lifts: bool = False
    """Whether the phone is asked to lift by itself, at once."""


@dataclass(slots=True)
class _Early:
    """An early dialog: what one fork of the INVITE said so far."""

    dialog: Dialog
    rseq: int = 0
    answer: bytes = b""
    """The SDP that it sent last, and that stands if its 200 has none (RFC 3261 13.2.1)."""
    agreed: bool = False
    """Whether its answer came reliably and so is final."""


class Calling(Session):
    """A call of ours."""

    def __init__(self, core: Core, call: OutgoingCall) -> None:
        key = CallKey(f"{core.entropy.token()}@{core.settings.domain}", core.entropy.token())
        super().__init__(core, key, call.account)
        self.phase = Phase.CALLING
        self.call = call
        self._started_it = True
        self._seq = 1
        self._early: dict[str, _Early] = {}
        self._rang = False
        self._cancelled = self._cancelled_on_wire = False
        self.negotiation.local = call.local
        self.negotiation.signalling_host = call.hop.host
        self.negotiation.nat = call.nat
        self._limit = core.timers.after(RING_LIMIT, lambda: self.hang_up(ReleaseCause.NO_ANSWER))
        self._invite = self._send(self.negotiation.offer())

    def hang_up(self, cause: ReleaseCause = ReleaseCause.NORMAL) -> None:
        """CANCEL the INVITE while it rings, or end the call."""
        if self.phase is not Phase.CALLING:
            super().hang_up(cause)
            return
        self._limit.cancel()
        self._cancel()
        self.end(ReleaseCause.CANCELLED if cause is ReleaseCause.NORMAL else cause)

    def dialog_of(self, request: Request) -> Dialog | None:
        """The dialog that a request belongs to, those of forks that only rang so far included."""
        found = super().dialog_of(request)
        if found is None:
            early = self._early.get(request.from_tag)
            return early.dialog if early is not None else None
        return found

    def on_bye(self) -> None:
        """The far side hung up."""
        if self.phase is Phase.CALLING:
            return  # one early dialog ended; the INVITE's final response tells the rest
        super().on_bye()

    @property
    def rings(self) -> bool:
        """Whether it waits for its answer."""
        return self.phase is Phase.CALLING and not self._cancelled

    def ask_to_talk(self, told: Callable[[bool], None]) -> None:
        """Ask the phone to lift, by NOTIFY with `Event: talk` in each early dialog; `told` is told as soon
        as one takes it, or that none did. Phones do this for whoever rings them, unsubscribed."""
        left = len(self._early)

        def answered(response: Response) -> None:
            nonlocal left
            if 200 <= response.status < 300:
                told(True)
            elif response.status >= 300:
                left -= 1
                if not left:
                    told(False)

        if not self._early:
            told(False)
        for early in self._early.values():
            notify = early.dialog.request("NOTIFY")
            notify.headers.add("Contact", early.dialog.contact)
            notify.headers.add("Event", "talk")
            notify.headers.add("Subscription-State", "active")
            self._ask_in(early.dialog, notify, answered)

    # --- the INVITE

    def _request(self, body: bytes) -> Request:
        call, name = self.call, self.call.from_name.replace('"', "'")
        headers = Headers()
        for route in call.routes:
            headers.add("Route", route)
        headers.add("Max-Forwards", "70")
        display = f'"{name}" ' if name else ""
        headers.add("From", f"{display}<{call.from_uri}>;tag={self.key.local_tag}")
        headers.add("To", f"<{call.to}>")
        headers.add("Call-ID", self.key.call_id)
        headers.add("CSeq", f"{self._seq} INVITE")
        headers.add("Contact", self.core.contact(call.hop, SipUri.parse(call.from_uri).user or ""))
        headers.add("User-Agent", self.core.product)
        request = Request("INVITE", call.to, headers)
        if call.lifts:
            headers.add("Call-Info", f"<sip:{self.core.settings.domain}>;answer-after=0")
            headers.add("Alert-Info", f"<http://{self.core.settings.domain}>;info=alert-autoanswer;delay=0")
        self._describe(request, body, first=True)
        return request

    def _send(self, body: bytes) -> Exchange:
        return Exchange(
            self.core.transactions,
            self._request(body),
            self.call.hop,
            account=self.account,
            renumber=self._renumber,
            on_response=self._on_response,
        )

    def _renumber(self) -> int:
        self._seq += 1
        return self._seq

    def _on_response(self, response: Response) -> None:
        if response.status < 200:
            self._progressed(response)
        elif response.status < 300:
            self._accepted_by(response)
        elif self.phase is Phase.CALLING:
            if response.status == 422 and self.timer.raised(response):
                self._again()
                return
            self._limit.cancel()
            self.end(cause_of(response.status, rang=self._rang), response.status, by_far_side=True)

    def _again(self) -> None:
        """The same INVITE with a longer session interval (RFC 4028 7.4)."""
        self._renumber()
        self._invite = self._send(self._invite.request.body)

    def _progressed(self, response: Response) -> None:
        if self._cancelled or self.phase is not Phase.CALLING:
            self._cancel()
            return
        if response.status == 100:
            return
        early = self._early_dialog(response)
        if early is not None and not self._confirmed(early, response):
            return
        heard = self._early_media(early, response)
        if self.phase is Phase.CALLING:
            self._rang = True
            self.core.emit(CallProgressed(self.key, response.status, heard))

    def _early_dialog(self, response: Response) -> _Early | None:
        tag = response.to_tag
        if not tag:
            return None
        known = self._early.get(tag)
        if known is not None:
            return known
        if len(self._early) >= MAX_FORKS:
            return None
        try:
            dialog = self._dialog(response)
        except NoDialog:
            return None
        self._early[tag] = _Early(dialog)
        return self._early[tag]

    def _confirmed(self, early: _Early, response: Response) -> bool:
        """Send the PRACK of a reliable response; whether the response is to be looked at at all."""
        if "100rel" not in response.headers.tokens("Require"):
            return True
        number = natural((response.headers.get("RSeq") or "").strip(), 10)
        if number is None:
            return True
        if early.rseq and number != early.rseq + 1:
            return False  # a repetition, or one that came too early: it will come again
        early.rseq = number
        prack = early.dialog.request("PRACK")
        prack.headers.add("RAck", f"{number} {response.cseq[0]} INVITE")
        self._ask_in(early.dialog, prack)
        if response.body:
            early.agreed = True
        return True

    def _early_media(self, early: _Early | None, response: Response) -> bool:
        """Take the media that a provisional response describes; whether there is any."""
        if early is None or not response.body or response.content_type != SDP:
            return False
        try:
            remote = self.negotiation.preview(response.body)
        except (SdpError, UnsupportedMedia):
            if early.agreed:
                self.hang_up(ReleaseCause.UNSUPPORTED_MEDIA)
            return False
        early.answer = response.body
        if early.agreed:
            self.negotiation.offer_open = False
        if remote != self.negotiation.remote:
            self.negotiation.remote = remote
            self.core.emit(MediaAgreed(self.key, remote))
        return True

    def _accepted_by(self, response: Response) -> None:
        invite = self._invite.request
        tag = response.to_tag
        if self.dialog is not None and self.dialog.remote_tag == tag:
            self.acknowledge(invite, response, self.dialog)
            return
        early = self._early.get(tag)
        try:
            dialog = self._dialog(response)
        except NoDialog:
            self._limit.cancel()
            self.end(ReleaseCause.FAILED, response.status, by_far_side=True)
            return
        if early is not None:
            dialog.local_seq = max(dialog.local_seq, early.dialog.local_seq)
            dialog.remote_seq = early.dialog.remote_seq
        known = (tag, invite.cseq[0]) in self._acks
        self.acknowledge(invite, response, dialog)
        if self.phase is not Phase.CALLING:
            if not known:
                self._ask_in(dialog, dialog.request("BYE"))  # CANCEL came too late, or another fork was first
            return
        self._limit.cancel()
        self.dialog = dialog
        self.phase = Phase.TALKING
        self.learn(response)
        self.timer.settled(response)
        self.note_dialog()
        self._take_final_answer(early, response)
        self._early = {}
        if not self.ended:
            self.say_answered()

    def _take_final_answer(self, early: _Early | None, response: Response) -> None:
        if early is not None and early.agreed and self.negotiation.remote is not None:
            self.note_media()
        else:
            self.negotiation.remote = None  # what another fork said is no answer of this one
            self._read_answer(response.body or (early.answer if early is not None else b""))

    def _dialog(self, response: Response) -> Dialog:
        dialog = Dialog.of_call(self._invite.request, response, self.call.hop)
        dialog.behind_nat = self.call.nat
        dialog.extra = (("User-Agent", self.core.product),)
        return dialog

    def _ask_in(
        self,
        dialog: Dialog,
        request: Request,
        on_response: Callable[[Response], None] = lambda response: None,
    ) -> None:
        """Send a request in a dialog that is not the call's."""
        Exchange(
            self.core.transactions,
            request,
            dialog.hop(),
            account=self.account,
            renumber=dialog.renumber,
            on_response=on_response,
        )

    def _cancel(self) -> None:
        """CANCEL, now or as soon as a provisional response is here (RFC 3261 9.1), once."""
        transaction = self._invite.transaction
        if transaction.state is TransactionState.PROCEEDING and not self._cancelled_on_wire:
            self._cancelled_on_wire = True
            self.core.transactions.cancel(transaction)
        self._cancelled = self._invite.closed = True
