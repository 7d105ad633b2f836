"""Registrations over a restart: what the registrar tells is written, what was written it is given back.

Times are written by the wall clock; the registrar's own clock begins anew with the process.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta

import structlog

from sottovoce.clock import Clock
from sottovoce.domain.journal import KeptContact, PhoneSaved
from sottovoce.doors.sip.events import Binding, ContactsChanged
from sottovoce.doors.sip.ports import Directory, Journal
from sottovoce.doors.sip.registrar import Registrar
from sottovoce.errors import Refused
from sottovoce.plain import Unreadable, from_plain, to_plain

log = structlog.get_logger(__name__)


class KeptRegistrations:
    """What stands between a registrar and the journal; without one registrations end with the process."""

    def __init__(
        self, registrar: Registrar, directory: Directory, journal: Journal | None, clock: Clock
    ) -> None:
        self._registrar, self._directory = registrar, directory
        self._journal, self._clock = journal, clock

    def keep(self, changed: ContactsChanged) -> None:
        """Have a phone's contacts written."""
        if self._journal is None:
            return
        now, steady_s = self._clock.now(), self._clock.monotonic()
        contacts = tuple(
            KeptContact(now + timedelta(seconds=binding.expires_at - steady_s), to_plain(binding))
            for binding in changed.bindings
        )
        try:
            self._journal.append(changed.vdn, [PhoneSaved(changed.username, changed.vdn, contacts)])
        except Refused as refused:
            log.warning("registration not kept", account=changed.username, reason=refused.why)

    def remember(self, phones: Iterable[PhoneSaved]) -> None:
        """Give the registrar what has not run out of phones that are still configured."""
        now, steady_s = self._clock.now(), self._clock.monotonic()
        taken = 0
        for phone in phones:
            found = self._directory.account(phone.username)
            if found is None or found[1] != phone.vdn:
                continue
            for kept in phone.contacts:
                left_s = (kept.until - now).total_seconds()
                if left_s <= 0:
                    continue
                try:
                    binding = from_plain(Binding, kept.contact)
                except Unreadable as failure:
                    log.warning("registration not taken up", account=phone.username, reason=str(failure))
                    continue
                self._registrar.restore(
                    replace(binding, number=found[0].number, expires_at=steady_s + left_s)
                )
                taken += 1
        if taken:
            log.info("registrations taken up", contacts=taken)
