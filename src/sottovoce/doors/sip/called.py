"""A call that came in: our side of an INVITE until its 200 is acknowledged (RFC 3261 13.3, RFC 3262)."""

from __future__ import annotations

from sottovoce.domain.legs import LegAddress, ReleaseCause
from sottovoce.doors.sip.admission import Admitted
from sottovoce.doors.sip.causes import status_of
from sottovoce.doors.sip.core import Core
from sottovoce.doors.sip.dialog import Dialog
from sottovoce.doors.sip.events import CallKey
from sottovoce.doors.sip.matching import RETRY_LATER
from sottovoce.doors.sip.message import Request
from sottovoce.doors.sip.reliable import Repetition, confirmed_by
from sottovoce.doors.sip.sdp import SdpError, UnsupportedMedia
from sottovoce.doors.sip.session import RING_LIMIT, Phase, Session
from sottovoce.doors.sip.transactions import Extra, ServerTransaction

RELIABLE = "100rel"
WARNED = frozenset([403, 404, 488, 500, 503])
"""Refusals whose reason a caller who was let in is told beside the status (RFC 3261 20.43)."""


class Called(Session):
    """An offered call. First `place`, then `ring` or `early` at will, then `accept`; `refuse` at any time."""

    def __init__(
        self, core: Core, transaction: ServerTransaction, dialog: Dialog, admitted: Admitted
    ) -> None:
        request = transaction.request
        super().__init__(core, CallKey(request.call_id, transaction.tag))
        self.admitted = admitted
        self.caller, self.called = admitted.caller, admitted.called
        self.invite = transaction
        self.dialog = dialog
        self.negotiation.signalling_host = transaction.source.host
        self.negotiation.nat = admitted.behind_nat
        self.learn(request)
        self._prepared = b""
        self._rseq = int(core.entropy.fraction() * 2**30) + 1
        self._unconfirmed: tuple[Repetition, int, bool] | None = None
        """The reliable response that waits for its PRACK: repetition, RSeq, whether it holds SDP."""
        self._accept_wanted = False
        self._early_said = False
        self._limit = core.timers.after(RING_LIMIT, lambda: self._refuse(480, ReleaseCause.NO_ANSWER))
        options = request.headers.tokens("Require")
        self._must_be_reliable = RELIABLE in options
        self._may_be_reliable = self._must_be_reliable or (
            core.reliable and RELIABLE in request.headers.tokens("Supported")
        )

    def place(self, local: LegAddress) -> None:
        """Say where the call's media is received; the answer is made now. 488 if it cannot be."""
        if self.phase is not Phase.OFFERED:
            return
        self.negotiation.local = local
        body = self.invite.request.body
        if not body:
            return
        try:
            self._prepared = self.negotiation.answer(body)
        except SdpError as error:
            self._refuse(400, ReleaseCause.FAILED, why=str(error), warning=399)
        except UnsupportedMedia as error:
            self._refuse(488, ReleaseCause.UNSUPPORTED_MEDIA, why=str(error), warning=error.warning)

    def ring(self) -> None:
        """180 Ringing."""
        if self._may_progress():
            self._progress(180, b"", reliable=self._must_be_reliable)

    def early(self) -> None:
        """183 with media; a 180 where the caller left the offer to us and takes no reliable response."""
        if not self._may_progress():
            return
        if self._prepared:
            self._progress(183, self._prepared, reliable=self._may_be_reliable)
            if not self._early_said:
                self._early_said = True
                self.note_media()
        elif self._may_be_reliable and self.negotiation.local is not None:
            self._progress(183, self.negotiation.offer(), reliable=True)
        else:
            self.ring()

    def accept(self) -> None:
        """200 OK; it waits for the PRACK of a reliable response with a description (RFC 3262 3)."""
        if self.phase is not Phase.OFFERED or self.negotiation.local is None:
            return
        if self._unconfirmed is not None and self._unconfirmed[2]:
            self._accept_wanted = True
            return
        self._settle_provisional()
        self.phase = Phase.ACCEPTED
        agreed = self.negotiation.remote is not None
        if self.invite.request.body:
            body = self.negotiation.last  # who took a reliable answer ignores its repetition
        else:
            body = b"" if agreed else self.negotiation.offer()
        self.accept_invite(self.invite, body)
        self.note_dialog()
        if agreed:
            if not self._early_said:
                self.note_media()
            self.say_answered()

    def refuse(self, status: int) -> None:
        """Refuse the offer with this status (300-699)."""
        self._refuse(status, ReleaseCause.REJECTED)

    def hang_up(self, cause: ReleaseCause = ReleaseCause.NORMAL) -> None:
        """Refuse the offer with the status that `cause` stands for, or end the call."""
        if self.phase is Phase.OFFERED:
            status = status_of(cause)
            retry = RETRY_LATER if status == 503 else ()
            self._refuse(status, cause, retry, why=cause.value, warning=399 if status in WARNED else 0)
        else:
            super().hang_up(cause)

    def on_cancel(self) -> None:
        """The caller gave up before our final response."""
        self._refuse(487, ReleaseCause.CANCELLED, by_far_side=True)

    def on_bye(self) -> None:
        """The caller hung up, perhaps before our final response."""
        if self.phase is Phase.OFFERED:
            self._refuse(487, ReleaseCause.CANCELLED, by_far_side=True)
        else:
            if self._acceptance is not None:
                self._acceptance.confirm()
            super().on_bye()

    def on_prack(self, transaction: ServerTransaction) -> None:
        """The caller has our reliable response (RFC 3262 3); 481 if it names another."""
        named = confirmed_by(transaction.request)
        waiting = self._unconfirmed
        if waiting is None or named != (waiting[1], self.invite.request.cseq[0]):
            transaction.answer(481)
            return
        if self.core.refused_body(transaction):
            return
        body = self._answer_prack(transaction)
        if body is None:
            return
        waiting[0].confirm()
        self._unconfirmed = None
        transaction.answer(200, body=body)
        if self._accept_wanted:
            self._accept_wanted = False
            self.accept()

    def _answer_prack(self, transaction: ServerTransaction) -> bytes | None:
        """The body for the 200 of a PRACK, which may bring an answer or a new offer; None if refused."""
        request: Request = transaction.request
        if self.negotiation.offer_open:
            try:
                self.negotiation.take_answer(request.body)
            except (SdpError, UnsupportedMedia) as error:
                transaction.answer(488)
                self._refuse(488, ReleaseCause.UNSUPPORTED_MEDIA, why=str(error), warning=399)
                return None
            self._early_said = True
            self.note_media()
            return b""
        if not request.body:
            return b""
        body = self._answer_or_offer(transaction)
        if body is not None:
            self.note_media()
        return body

    def _may_progress(self) -> bool:
        return self.phase is Phase.OFFERED and self._unconfirmed is None

    def _progress(self, status: int, body: bytes, *, reliable: bool) -> None:
        assert self.dialog is not None
        extra = [("Contact", self.dialog.contact), ("Allow", self.core.allowed)]
        extra += [("Record-Route", route) for route in self.invite.request.headers.get_all("Record-Route")]
        if reliable:
            self._rseq += 1
            extra += [("Require", RELIABLE), ("RSeq", str(self._rseq))]
        response = self.invite.reply(status, extra=extra, body=body)
        self.invite.respond(response)
        if reliable:
            data = response.encode()
            repetition = Repetition(
                self.core.timers,
                lambda: self.invite.resend(data),
                lambda: self._refuse(504, ReleaseCause.FAILED),
                longest=float("inf"),
            )
            self._unconfirmed = (repetition, self._rseq, bool(body))

    def _refuse(
        self,
        status: int,
        cause: ReleaseCause,
        extra: Extra = (),
        *,
        by_far_side: bool = False,
        why: str = "",
        warning: int = 0,
    ) -> None:
        if self.phase is not Phase.OFFERED:
            return
        self._settle_provisional()
        self.invite.answer(status, extra=extra, why=why, warning=warning)
        self.end(cause, status, by_far_side=by_far_side)

    def _settle_provisional(self) -> None:
        """Nothing of the time before the final response goes on."""
        self._limit.cancel()
        if self._unconfirmed is not None:
            self._unconfirmed[0].confirm()  # its PRACK may still come, and is answered (RFC 3262 3)
