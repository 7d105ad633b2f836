"""A request of ours that is answered at last: 401 and 407 are met with credentials (RFC 3261 22)."""

from __future__ import annotations

from collections.abc import Callable

from sottovoce.doors.sip.digest import Challenge, authorize, strongest
from sottovoce.doors.sip.hops import Hop
from sottovoce.doors.sip.matching import Transactions
from sottovoce.doors.sip.message import Request, Response
from sottovoce.doors.sip.ports import Account
from sottovoce.doors.sip.transactions import ClientTransaction

MAX_ROUNDS = 4
"""A proxy and a registrar may both challenge, and each may call a nonce stale once."""


class Exchange:
    """One request, sent again with credentials as often as makes sense.

    `renumber` gives the next CSeq of the dialog or registration; `on_response` hears everything
    but the challenges that were met.
    """

    def __init__(
        self,
        transactions: Transactions,
        request: Request,
        hop: Hop,
        *,
        account: Account | None,
        renumber: Callable[[], int],
        on_response: Callable[[Response], None] = lambda response: None,
    ) -> None:
        self.request = request
        self.hop = hop
        self._transactions = transactions
        self._account = account
        self._renumber = renumber
        self._on_response = on_response
        self.closed = False
        """Set when nobody wants the answer any more: no challenge is met then."""
        self._rounds = 0
        self._tried: set[str] = set()
        self.transaction: ClientTransaction = transactions.request(request, hop, self._answered)

    def _answered(self, response: Response) -> None:
        if response.status in (401, 407) and self._meet(response):
            return
        self._on_response(response)

    def _meet(self, response: Response) -> bool:
        asked, answer = (
            ("WWW-Authenticate", "Authorization")
            if response.status == 401
            else ("Proxy-Authenticate", "Proxy-Authorization")
        )
        challenge = strongest(response.headers.get_all(asked))
        account = self._account
        if self.closed or account is None or challenge is None or self._rounds >= MAX_ROUNDS:
            return False
        if account.realm is not None and account.realm != challenge.realm:
            return False
        if challenge.realm in self._tried and not challenge.stale:
            return False  # the password is wrong; asking again would lock the account
        self._tried.add(challenge.realm)
        self._rounds += 1
        self.request = self._with_credentials(challenge, account, answer)
        self.transaction = self._transactions.request(self.request, self.hop, self._answered)
        return True

    def _with_credentials(self, challenge: Challenge, account: Account, header: str) -> Request:
        old = self.request
        headers = old.headers.copy()
        headers.remove("Via")
        headers.set("CSeq", f"{self._renumber()} {old.method}")
        credentials = authorize(
            challenge,
            method=old.method,
            uri=old.uri,
            user=account.username,
            password=account.password,
            cnonce=self._transactions.entropy.token(),
        )
        headers.set(header, str(credentials))
        return Request(old.method, old.uri, headers, old.body)
