"""The transaction layer: which transaction a message belongs to (RFC 3261 17.1.3, 17.2.3, 8.2.2.2)."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable
from typing import Protocol

from sottovoce.doors.sip.hops import Hop, Outgoing, Transport
from sottovoce.doors.sip.message import Request, Response, reply
from sottovoce.doors.sip.ports import Addresses, Entropy
from sottovoce.doors.sip.timers import TIMEOUT, Timers
from sottovoce.doors.sip.transactions import ClientTransaction, Extra, ServerTransaction, TransactionState
from sottovoce.doors.sip.via import MAGIC, Via

UDP_LIMIT = 1300
"""Bytes above which a request goes by TCP, and by UDP after all if that is refused (RFC 3261 18.1.1)."""
CAPACITY = 20_000
"""Transactions at a time: 2,000 calls with all that lingers of others, and as much again for strangers."""
RETRY_LATER = (("Retry-After", "5"),)
"""Told to those who are refused for overload, in seconds: a flood ebbs, and a caller still waits."""


COPIED = ("Via", "From", "To", "Call-ID", "CSeq")
STAMP = 64
"""Characters by which the stamped Via of a repetition may be shorter."""


def _copied(request: Request) -> int:
    """How much of a request its answer repeats (RFC 3261 8.2.6.2)."""
    headers = request.headers
    return sum(len(value) for name in COPIED for value in headers.get_all(name))


class User(Protocol):
    """Who the layer works for (RFC 3261: the transaction user)."""

    def on_request(self, transaction: ServerTransaction) -> None:
        """A new request that is neither ACK nor CANCEL."""
        ...

    def on_ack(self, request: Request, source: Hop) -> None:
        """An ACK to a 2xx."""
        ...

    def on_cancel(self, transaction: ServerTransaction) -> None:
        """The INVITE of `transaction` is cancelled; the CANCEL is answered already."""
        ...

    def on_refused(self, request: Request, source: Hop, status: int, why: str) -> None:
        """A request was answered with that status, 300 or more."""
        ...


class Transactions:
    """All transactions of a user agent. `out` gathers what is to be sent."""

    def __init__(
        self,
        user: User,
        timers: Timers,
        entropy: Entropy,
        addresses: Addresses,
        *,
        capacity: int = CAPACITY,
    ) -> None:
        self.timers = timers
        self.entropy = entropy
        self.out: list[Outgoing] = []
        self._user = user
        self._addresses = addresses
        self.capacity = capacity
        self.refusals: Counter[tuple[str, int]] = Counter()
        """Final answers of ours that were no success: method (INVITE, REGISTER, other) and status."""
        self._salt = entropy.token()
        self._clients: dict[str, ClientTransaction] = {}
        self._servers: dict[str, ServerTransaction] = {}
        self._seen: dict[tuple[str, str, int, str], str] = {}

    def __len__(self) -> int:
        return len(self._clients) + len(self._servers)

    @property
    def waiting(self) -> int:
        """How many requests of ours have no final response yet."""
        return sum(not transaction.answered for transaction in self._clients.values())

    # --- outwards

    def send(self, data: bytes, hop: Hop, key: str) -> None:
        """Have these bytes sent to `hop`; `key` names the transaction to tell if that fails, "" none."""
        self.out.append(Outgoing(data, hop, key))

    def request(
        self, request: Request, hop: Hop, on_response: Callable[[Response], None]
    ) -> ClientTransaction:
        """Send `request` (Via is added here) and hear its responses, a made-up 408 or 503 included."""
        branch = MAGIC + self.entropy.token()
        fall_back = None
        self.put_via(request, hop, branch)
        if hop.transport is Transport.UDP and len(request.encode()) > UDP_LIMIT:
            hop, fall_back = hop.over(Transport.TCP), hop
            self.put_via(request, hop, branch, replacing=True)
        return self._start(ClientTransaction(self, request, hop, branch, on_response, fall_back))

    def cancel(self, invite: ClientTransaction) -> None:
        """Send the CANCEL of an INVITE that got a provisional response (RFC 3261 9.1)."""
        self._start(
            ClientTransaction(
                self, invite.follower("CANCEL"), invite.hop, invite.branch, lambda response: None
            )
        )
        invite.give_up_after(TIMEOUT)

    def send_ack(self, ack: Request, hop: Hop) -> bytes:
        """Send the ACK of a 2xx, which is no transaction; what comes back can be sent again."""
        self.put_via(ack, hop, MAGIC + self.entropy.token())
        data = ack.encode()
        self.send(data, hop, "")
        return data

    def put_via(self, request: Request, hop: Hop, branch: str, *, replacing: bool = False) -> None:
        """Write our Via for `hop` on top of a request, or in place of the one that is there."""
        host, port = self._addresses(hop)
        if replacing:
            request.headers.remove("Via")
        host = f"[{host}]" if ":" in host else host
        request.headers.prepend("Via", f"SIP/2.0/{hop.transport} {host}:{port};branch={branch};rport")

    # --- inwards

    def receive(self, message: Request | Response, source: Hop) -> None:
        """A message that parsed. Its top Via gets received and rport (RFC 3261 18.2.1, RFC 3581)."""
        if isinstance(message, Response):
            self._receive_response(message)
            return
        via = message.via
        if via is None:
            return
        reply_to = self._stamp(message, via, source)
        key = self._server_key(message, via)
        if message.method == "ACK":
            known = self._servers.get(key)
            if known is None or known.state is TransactionState.ACCEPTED:
                self._user.on_ack(message, source)
            else:
                known.on_ack()
            return
        known = self._servers.get(key)
        if known is not None:
            if _copied(known.request) <= _copied(message) + STAMP:
                known.on_retransmission()  # a short one under its branch draws no long answer
            return
        if message.method == "CANCEL":
            self._cancel(message, source, reply_to, key, via)
            return
        if len(self) >= self.capacity:
            self.refuse(message, source, 503, extra=RETRY_LATER, why="too many transactions")
            return
        transaction = self._begin(message, source, reply_to, key)
        if self._merged(transaction):
            transaction.answer(482)
            return
        self._user.on_request(transaction)

    def refuse(
        self,
        request: Request,
        source: Hop,
        status: int,
        reason: str = "",
        *,
        extra: Extra = (),
        why: str = "",
    ) -> None:
        """Answer without a transaction: nothing is remembered. An ACK is never answered."""
        via = request.via
        if request.method == "ACK" or via is None:
            return
        hop = self._stamp(request, via, source)
        response = reply(request, status, reason, to_tag=self.entropy.token())
        for name, value in extra:
            response.headers.add(name, value)
        self.send(response.encode(), hop, "")
        self.note_refusal(request, source, status, why or response.reason)

    def send_failed(self, key: str) -> None:
        """The bytes of that client transaction could not be sent."""
        transaction = self._clients.get(key)
        if transaction is not None:
            transaction.on_send_failed()

    def passing_tag(self, key: str) -> str:
        """The To tag of refusals that are kept nowhere: the same for the same request (RFC 3261 8.2.7)."""
        return hashlib.sha256(f"{self._salt}{key}".encode("utf-8", "replace")).hexdigest()[:20]

    def note_refusal(self, request: Request, source: Hop, status: int, why: str) -> None:
        """A final answer is being sent: counted and told if it is no success."""
        if status >= 300:
            method = request.method if request.method in ("INVITE", "REGISTER") else "other"
            self.refusals[method, status] += 1
            self._user.on_refused(request, source, status, why)

    def forget_client(self, transaction: ClientTransaction) -> None:
        """A transaction of ours is over: nothing is taken to it any more."""
        self._clients.pop(transaction.key, None)

    def forget_server(self, transaction: ServerTransaction) -> None:
        """A transaction of theirs is over: a repetition would be a new request."""
        self._servers.pop(transaction.key, None)
        merge_key = self._merge_key(transaction.request)
        if self._seen.get(merge_key) == transaction.key:
            del self._seen[merge_key]

    def _start(self, transaction: ClientTransaction) -> ClientTransaction:
        self._clients[transaction.key] = transaction
        transaction.start()
        return transaction

    def _begin(self, request: Request, source: Hop, reply_to: Hop, key: str) -> ServerTransaction:
        transaction = ServerTransaction(self, request, source, reply_to, key)
        self._servers[key] = transaction
        return transaction

    def _receive_response(self, response: Response) -> None:
        vias = response.headers.get_all("Via")
        if len(vias) != 1:
            return  # not ours: an endpoint's response has just the Via that it put (RFC 3261 8.1.3.3)
        via = response.via
        if via is None:
            return
        transaction = self._clients.get(f"{via.branch}:{response.cseq[1]}")
        if transaction is not None:
            transaction.on_response(response)

    def _cancel(self, cancel: Request, source: Hop, reply_to: Hop, key: str, via: Via) -> None:
        transaction = self._begin(cancel, source, reply_to, key)
        invite = self._servers.get(self._server_key(cancel, via, method="INVITE"))
        if invite is None:
            transaction.answer(481)
            return
        transaction.tag = invite.tag
        transaction.answer(200)
        if not invite.answered:
            self._user.on_cancel(invite)

    @staticmethod
    def _stamp(request: Request, via: Via, source: Hop) -> Hop:
        """Write received and rport into the top Via; say where the response goes.

        A sender that asked for rport, or whose Via names another host (NAT), is answered at its source.
        """
        request.headers.set_first("Via", str(via.stamped(source.host, source.port)))
        port = via.port or 5060
        if source.transport.reliable:
            return Hop(source.transport, source.host, port, source.flow)
        honest = via.host.strip("[]") == source.host
        return source if via.wants_rport or not honest else Hop(source.transport, source.host, port)

    @staticmethod
    def _server_key(request: Request, via: Via, method: str = "") -> str:
        """RFC 3261 17.2.3; requests of RFC 2543 (no magic cookie) are told apart by what else they have."""
        method = method or ("INVITE" if request.method == "ACK" else request.method)
        if via.has_magic:
            return f"{via.branch}:{via.sent_by}:{method}"
        tag = request.from_tag
        return f"2543:{request.call_id}:{request.cseq[0]}:{tag}:{request.uri}:{via.sent_by}:{method}"

    @staticmethod
    def _merge_key(request: Request) -> tuple[str, str, int, str]:
        number, method = request.cseq
        return request.call_id, request.from_tag, number, method

    def _merged(self, transaction: ServerTransaction) -> bool:
        """Whether the same request came by another way (RFC 3261 8.2.2.2)."""
        request = transaction.request
        if request.to_tag:
            return False
        key = self._merge_key(request)
        if key in self._seen:
            return True
        self._seen[key] = transaction.key
        return False
