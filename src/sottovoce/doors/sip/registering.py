"""The client's side of registration (RFC 3261 10.2): registers, refreshes in time, tries again, removes."""

from __future__ import annotations

from dataclasses import dataclass

from sottovoce.doors.sip.challenges import Exchange
from sottovoce.doors.sip.core import Core
from sottovoce.doors.sip.events import Registered, RegistrationFailed, Unregistered
from sottovoce.doors.sip.headers import Headers
from sottovoce.doors.sip.hops import Hop
from sottovoce.doors.sip.message import Request, Response
from sottovoce.doors.sip.ports import Account
from sottovoce.doors.sip.timers import Timer
from sottovoce.plain import natural

RETRY = 30.0
"""Seconds until a registration that failed is tried again, twice as long each time."""
RETRY_LIMIT = 600.0
LONGEST = 86_400
"""Seconds that we stay registered at most, whatever a registrar says."""


@dataclass(frozen=True, slots=True)
class RegisterWith:
    """A registrar, and who we are there."""

    address: str
    """The address of record: `sip:user@domain`."""
    hop: Hop
    account: Account
    expires: int = 300


class Registration:
    """One binding of ours, kept alive until `remove`."""

    def __init__(self, core: Core, wanted: RegisterWith) -> None:
        self.wanted = wanted
        self.registered = False
        self._core = core
        self._call_id = f"{core.entropy.token()}@{core.settings.domain}"
        self._tag = core.entropy.token()
        self._seq = 0
        self._expires = wanted.expires
        self._removing = False
        self._running: Exchange | None = None
        self._timer: Timer | None = None
        self._retry = RETRY
        self.refresh()

    def refresh(self) -> None:
        """REGISTER now."""
        if not self._removing:
            self._send(self._expires)

    def remove(self) -> None:
        """REGISTER with expires 0; Unregistered follows."""
        if not self._removing:
            self._removing = True
            self._send(0)

    def _send(self, expires: int) -> None:
        if self._timer is not None:
            self._timer.cancel()
        wanted, core = self.wanted, self._core
        domain = wanted.address.rpartition("@")[2]
        headers = Headers()
        headers.add("Max-Forwards", "70")
        headers.add("From", f"<{wanted.address}>;tag={self._tag}")
        headers.add("To", f"<{wanted.address}>")
        headers.add("Call-ID", self._call_id)
        headers.add("CSeq", f"{self._number()} REGISTER")
        headers.add("Contact", f"{core.contact(wanted.hop, wanted.account.username)};expires={expires}")
        headers.add("Expires", str(expires))
        headers.add("User-Agent", core.product)
        self._running = Exchange(
            core.transactions,
            Request("REGISTER", f"sip:{domain}", headers),
            wanted.hop,
            account=wanted.account,
            renumber=self._number,
            on_response=self._answered,
        )

    def _number(self) -> int:
        self._seq += 1
        return self._seq

    def _answered(self, response: Response) -> None:
        running = self._running
        if response.status < 200 or running is None or response.cseq[0] != self._seq:
            return
        self._running = None
        if self._removing:
            self.registered = False
            self._core.emit(Unregistered(self.wanted.address))
        elif response.status < 300:
            self.registered = True
            self._retry = RETRY
            seconds = self._granted(response)
            self._timer = self._core.timers.after(max(seconds - 15, seconds * 0.5), self.refresh)
            self._core.emit(Registered(self.wanted.address, seconds))
        elif response.status == 423 and self._longer(response):
            self._send(self._expires)
        else:
            self.registered = False
            self._timer = self._core.timers.after(self._retry, self.refresh)
            self._retry = min(self._retry * 2, RETRY_LIMIT)
            self._core.emit(RegistrationFailed(self.wanted.address, response.status))

    def _granted(self, response: Response) -> int:
        """How long the registrar keeps our contact."""
        ours = self._core.contact(self.wanted.hop, self.wanted.account.username).strip("<>")
        for contact in response.headers.get_all("Contact"):
            uri, _, parameters = contact.partition(">")
            if uri.strip().lstrip("<") == ours:
                for parameter in parameters.split(";"):
                    name, _, value = parameter.partition("=")
                    seconds = natural(value.strip(), 40)
                    if name.strip().lower() == "expires" and seconds is not None:
                        return max(1, min(seconds, LONGEST))
        general = natural((response.headers.get("Expires") or "").strip(), 40)
        return self._expires if general is None else max(1, min(general, LONGEST))

    def _longer(self, response: Response) -> bool:
        wanted = natural((response.headers.get("Min-Expires") or "").strip(), 40)
        if wanted is None or not self._expires < wanted <= LONGEST:
            return False
        self._expires = wanted
        return True
