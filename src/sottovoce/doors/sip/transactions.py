"""Client and server transactions: RFC 3261 17 with the corrections of RFC 6026.

A retransmission never reaches the user; a lost message is sent again. A client transaction that fails
answers its user with a response made here: 408 for a time-out, 503 for a transport error (8.1.3.1).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from enum import Enum, auto
from typing import Protocol

from sottovoce.doors.sip.headers import Headers, quote, without_controls
from sottovoce.doors.sip.hops import Hop
from sottovoce.doors.sip.message import Request, Response, reply
from sottovoce.doors.sip.ports import Entropy
from sottovoce.doors.sip.timers import T1, T2, T4, TIMEOUT, Timer, Timers

Extra = Iterable[tuple[str, str]]
"""Headers to add."""
WARNS = "sottovoce"
"""The warn-agent of our Warning headers, a pseudonym (RFC 3261 25.1)."""


class Layer(Protocol):
    """What a transaction asks of the layer it lives in (`matching.Transactions`)."""

    timers: Timers
    entropy: Entropy

    def send(self, data: bytes, hop: Hop, key: str) -> None:
        """Have these bytes sent to `hop`; `key` names the transaction to tell if that fails, "" none."""
        ...

    def put_via(self, request: Request, hop: Hop, branch: str, *, replacing: bool = False) -> None:
        """Write our Via for `hop` on top of a request, or in place of the one that is there."""
        ...

    def passing_tag(self, key: str) -> str:
        """The To tag of refusals that are kept nowhere: the same for the same request (RFC 3261 8.2.7)."""
        ...

    def note_refusal(self, request: Request, source: Hop, status: int, why: str) -> None:
        """A final answer that is no success is being sent; `why` is for our log."""
        ...

    def forget_client(self, transaction: ClientTransaction) -> None:
        """A transaction of ours is over: nothing is taken to it any more."""
        ...

    def forget_server(self, transaction: ServerTransaction) -> None:
        """A transaction of theirs is over: a repetition would be a new request."""
        ...


class TransactionState(Enum):
    """The states of RFC 3261 17 and RFC 6026; each kind of transaction has some of them."""

    TRYING = auto()
    PROCEEDING = auto()
    COMPLETED = auto()
    CONFIRMED = auto()
    ACCEPTED = auto()
    TERMINATED = auto()


class _Transaction:
    """What both kinds hold: a request, its state, and the timers of it."""

    def __init__(self, layer: Layer, request: Request) -> None:
        self.request = request
        self.state = TransactionState.TRYING
        self._layer = layer
        self._interval = T1
        self._resend: Timer | None = None
        self._limit: Timer | None = None

    @property
    def invite(self) -> bool:
        """Whether it is an INVITE, which has timers and an ACK of its own."""
        return self.request.method == "INVITE"

    @property
    def answered(self) -> bool:
        """Whether there was a final response, or none will come."""
        return self.state not in (TransactionState.TRYING, TransactionState.PROCEEDING)

    def _stop(self) -> None:
        for timer in (self._resend, self._limit):
            if timer is not None:
                timer.cancel()
        self._resend = self._limit = None


class ClientTransaction(_Transaction):
    """A request on its way, until its final response."""

    def __init__(
        self,
        layer: Layer,
        request: Request,
        hop: Hop,
        branch: str,
        on_response: Callable[[Response], None],
        fall_back: Hop | None = None,
    ) -> None:
        super().__init__(layer, request)
        self.hop = hop
        self.branch = branch
        self.key = f"{branch}:{request.method}"
        self._on_response: Callable[[Response], None] | None = on_response
        self._fall_back = fall_back
        self._data = request.encode()
        self._ack = b""

    def start(self) -> None:
        """Send the request, again and again until something is heard or 64*T1 are over."""
        self._layer.send(self._data, self.hop, self.key)
        if not self.hop.transport.reliable:
            self._resend = self._layer.timers.after(T1, self._again)  # timers A, E
        self._limit = self._layer.timers.after(TIMEOUT, self._time_out)  # timers B, F

    def give_up_after(self, delay: float) -> None:
        """Fail with 408 if no final response comes within `delay` (after a CANCEL, RFC 3261 9.1)."""
        if not self.answered:
            self._stop()
            self._limit = self._layer.timers.after(delay, self._time_out)

    def on_response(self, response: Response) -> None:
        """A response that belongs to it; a repetition is acknowledged again and told to nobody."""
        final = response.status >= 200
        if not self.answered:
            if not final:
                self._provisional(response)
            elif self.invite and response.status < 300:
                self._stop()
                self.state = TransactionState.ACCEPTED
                self._limit = self._layer.timers.after(TIMEOUT, self._end)  # timer M
                self._tell(response)
            else:
                self._final(response)
        elif self.state is TransactionState.COMPLETED and self.invite and response.status >= 300:
            self._layer.send(self._ack, self.hop, "")
        elif self.state is TransactionState.ACCEPTED and 200 <= response.status < 300:
            self._tell(response)

    def on_send_failed(self) -> None:
        """The transport could not send it: go by the other one if there is one, else fail with 503."""
        if self.answered:
            return
        if self._fall_back is not None:
            self.hop, self._fall_back = self._fall_back, None
            self._layer.put_via(self.request, self.hop, self.branch, replacing=True)
            self._data = self.request.encode()
            self._stop()
            self.start()
        else:
            self._fail(503)

    def _provisional(self, response: Response) -> None:
        self.state = TransactionState.PROCEEDING
        if self.invite:
            self._stop()  # an INVITE that rings is not limited by timer B
        self._tell(response)

    def _final(self, response: Response) -> None:
        self._stop()
        self.state = TransactionState.COMPLETED
        linger = T4  # timer K
        if self.invite:
            self._ack = self._acknowledgement(response).encode()
            self._layer.send(self._ack, self.hop, "")
            linger = TIMEOUT  # timer D
        self._limit = self._layer.timers.after(0.0 if self.hop.transport.reliable else linger, self._end)
        self._tell(response)
        if self.state is TransactionState.COMPLETED:
            self._on_response = None

    def _acknowledgement(self, response: Response) -> Request:
        """The ACK of a non-2xx (RFC 3261 17.1.1.3)."""
        ack = self.follower("ACK")
        if (to := response.headers.get("To")) is not None:
            ack.headers.set("To", to)
        return ack

    def follower(self, method: str) -> Request:
        """The ACK or CANCEL of this INVITE: its URI, number, topmost Via and way (RFC 3261 9.1, 17.1.1.3)."""
        old = self.request
        headers = Headers([("Via", old.headers.get("Via") or "")])
        for name in ("Route", "Max-Forwards", "From", "To", "Call-ID"):
            for value in old.headers.get_all(name):
                headers.add(name, value)
        headers.add("CSeq", f"{old.cseq[0]} {method}")
        return Request(method, old.uri, headers)

    def _again(self) -> None:
        self._layer.send(self._data, self.hop, self.key)
        if self.invite:
            self._interval *= 2
        elif self.state is TransactionState.PROCEEDING:
            self._interval = T2
        else:
            self._interval = min(self._interval * 2, T2)
        self._resend = self._layer.timers.after(self._interval, self._again)

    def _time_out(self) -> None:
        self._fail(408)

    def _fail(self, status: int) -> None:
        """Tell the user by a response that never was on the wire."""
        self._stop()
        self.state = TransactionState.TERMINATED
        self._tell(reply(self.request, status))
        self._end()

    def _tell(self, response: Response) -> None:
        if self._on_response is not None:
            self._on_response(response)

    def _end(self) -> None:
        self._stop()
        self.state = TransactionState.TERMINATED
        self._on_response = None
        self._layer.forget_client(self)


class ServerTransaction(_Transaction):
    """A request that came in, until its final response is surely there."""

    def __init__(self, layer: Layer, request: Request, source: Hop, reply_to: Hop, key: str) -> None:
        super().__init__(layer, request)
        self.source = source
        self.key = key
        self.tag = layer.entropy.token()
        self._reply_to = reply_to
        self._begins = not request.to_tag
        """Whether it belongs to no dialog yet."""
        self._last = b""

    def answer(
        self,
        status: int,
        reason: str = "",
        *,
        extra: Extra = (),
        body: bytes = b"",
        why: str = "",
        warning: int = 0,
    ) -> None:
        """Respond with the transaction's own tag, these headers and, where there is a body, this SDP.

        Of a refusal, `why` is for our log; with a `warning` code the far side is told it too.
        """
        told = (("Warning", f"{warning} {WARNS} {quote(without_controls(why))}"),) if warning else ()
        self.respond(self.reply(status, reason, extra=(*extra, *told), body=body), why)

    def reply(self, status: int, reason: str = "", *, extra: Extra = (), body: bytes = b"") -> Response:
        """A response with the transaction's own tag; a body is SDP."""
        tag = self._layer.passing_tag(self.key) if self._passes(status) else self.tag
        response = reply(self.request, status, reason, to_tag=tag)
        for name, value in extra:
            response.headers.add(name, value)
        if body:
            response.headers.set("Content-Type", "application/sdp")
            response.body = body
        return response

    def respond(self, response: Response, why: str = "") -> None:
        """Send a response; a second final one is ignored.

        A refusal at once is said once: no 1xx stopped the far side from repeating its request until it
        hears it, and a forged address is sent no more than was sent for it.
        """
        if self.answered:
            return
        self._layer.note_refusal(self.request, self.source, response.status, why or response.reason)
        self._last = response.encode()
        self._layer.send(self._last, self._reply_to, "")
        timers, reliable = self._layer.timers, self._reply_to.transport.reliable
        repeated = self._begins and self.state is TransactionState.TRYING
        if self._passes(response.status):
            self._end()
        elif response.status < 200:
            self.state = TransactionState.PROCEEDING
        elif not self.invite:
            self.state = TransactionState.COMPLETED
            self._limit = timers.after(0.0 if reliable else TIMEOUT, self._end)  # timer J
        elif response.status < 300:
            self.state = TransactionState.ACCEPTED
            self._limit = timers.after(TIMEOUT, self._end)  # timer L
        else:
            self.state = TransactionState.COMPLETED
            self._limit = timers.after(TIMEOUT, self._end)  # timer H
            if not reliable and not repeated:
                self._resend = timers.after(T1, self._again)  # timer G

    def _passes(self, status: int) -> bool:
        """Whether such an answer is kept nowhere: a refusal at once of a stranger, who proved nothing.

        One of credentials is kept, so that a repetition is no second wrong password.
        """
        headers = self.request.headers
        proves = headers.get("Authorization") or headers.get("Proxy-Authorization")
        return status >= 300 and self._begins and self.state is TransactionState.TRYING and not proves

    def resend(self, data: bytes) -> None:
        """Send these bytes where responses go: their session repeats 2xx and reliable 1xx."""
        self._layer.send(data, self._reply_to, "")

    def on_retransmission(self) -> None:
        """The same request again: what was said last is said again."""
        if self._last and self.state in (TransactionState.PROCEEDING, TransactionState.COMPLETED):
            self._layer.send(self._last, self._reply_to, "")

    def on_ack(self) -> None:
        """The ACK of a final response above 299."""
        if self.state is TransactionState.COMPLETED and self.invite:
            self._stop()
            self.state = TransactionState.CONFIRMED
            self._limit = self._layer.timers.after(
                0.0 if self._reply_to.transport.reliable else T4,
                self._end,  # timer I
            )

    def _again(self) -> None:
        self._layer.send(self._last, self._reply_to, "")
        self._interval = min(self._interval * 2, T2)
        self._resend = self._layer.timers.after(self._interval, self._again)

    def _end(self) -> None:
        self._stop()
        self.state = TransactionState.TERMINATED
        self._layer.forget_server(self)
