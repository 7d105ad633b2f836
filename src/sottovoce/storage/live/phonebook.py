"""Which phones and called numbers exist, over all VDNs: what the SIP door asks (`doors.sip.ports.Directory`).

Answers from memory; `read` fills it again when the configuration has changed.
"""

from __future__ import annotations

from collections.abc import Iterable

from sottovoce.domain.directory import PhoneAccount, VdnId, VdnProfile


class Phonebook:
    """SIP accounts by user name, and access codes by number."""

    def __init__(self) -> None:
        self._accounts: dict[str, tuple[PhoneAccount, VdnId]] = {}
        self._access_codes: dict[str, VdnId] = {}

    def read(self, profiles: Iterable[VdnProfile]) -> None:
        """Know exactly these VDNs from now on."""
        accounts: dict[str, tuple[PhoneAccount, VdnId]] = {}
        access_codes: dict[str, VdnId] = {}
        for profile in profiles:
            accounts |= {phone.username: (phone, profile.vdn) for phone in profile.phones.values()}
            access_codes |= dict.fromkeys(profile.access_codes, profile.vdn)
        self._accounts, self._access_codes = accounts, access_codes

    def account(self, username: str) -> tuple[PhoneAccount, VdnId] | None:
        """The SIP account of that user name, or None."""
        return self._accounts.get(username)

    def route(self, called: str) -> VdnId | None:
        """The VDN whose access code `called` is; None if nobody's."""
        return self._access_codes.get(called)
