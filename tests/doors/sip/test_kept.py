"""What a restart takes up of registrations, and what it leaves."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from tests.doors.sip.test_door import Kept
from tests.doors.sip.test_registrar import VDN, Book, Office

from sottovoce.clock import ManualClock
from sottovoce.domain.directory import VdnId
from sottovoce.domain.journal import KeptContact, PhoneSaved
from sottovoce.doors.sip import events
from sottovoce.doors.sip.kept import KeptRegistrations
from sottovoce.errors import Code, Refused


class Elsewhere(Kept):
    def append(self, vdn, changes):
        raise Refused(Code.UNAVAILABLE, "another node's")


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


def kept(office: Office, clock: ManualClock, journal: Kept | None = None) -> KeptRegistrations:
    return KeptRegistrations(office.registrar, Book(), journal, clock)


def registered(clock: ManualClock) -> PhoneSaved:
    """What is written of a phone that registered for 300 s at this moment."""
    office, journal = Office(), Kept()
    office.send("<sip:a@10.0.0.1>;expires=300")
    [changed] = office.server.of(events.ContactsChanged)
    [binding] = changed.bindings
    now = replace(binding, expires_at=clock.monotonic() + 300)
    kept(office, clock, journal).keep(replace(changed, bindings=(now,)))
    return journal.phones["anna"]


def test_times_are_written_by_the_wall_clock(clock: ManualClock) -> None:
    clock.advance(5)
    assert [c.until for c in registered(clock).contacts] == [clock.now() + timedelta(seconds=300)]


def test_what_holds_is_taken_up_for_the_rest_of_its_time(clock: ManualClock) -> None:
    saved, office = registered(clock), Office()
    clock.advance(100)
    kept(office, clock).remember([saved])
    [binding] = office.registrar.of_number(VDN, "501")
    assert binding.contact == "sip:a@10.0.0.1"
    assert binding.expires_at == clock.monotonic() + 200


def test_what_ran_out_meanwhile_is_not_taken_up(clock: ManualClock) -> None:
    saved, office = registered(clock), Office()
    clock.advance(300)
    kept(office, clock).remember([saved])
    assert office.contacts() == []


def test_a_phone_that_is_configured_no_more_or_elsewhere_is_not_taken_up(clock: ManualClock) -> None:
    saved, office = registered(clock), Office()
    kept(office, clock).remember([replace(saved, username="zoe"), replace(saved, vdn=VdnId(8))])
    assert office.contacts() == office.contacts("zoe") == []


def test_what_cannot_be_read_keeps_no_other_from_being_taken_up(clock: ManualClock) -> None:
    saved, office = registered(clock), Office()
    strange = KeptContact(saved.contacts[0].until, {"contact": 7})
    kept(office, clock).remember([replace(saved, contacts=(strange, *saved.contacts))])
    assert office.contacts() == ["sip:a@10.0.0.1"]


def test_a_vdn_of_another_node_and_no_journal_keep_nothing_and_hinder_nothing(clock: ManualClock) -> None:
    office = Office()
    for journal in (Elsewhere(), None):
        kept(office, clock, journal).keep(events.ContactsChanged("anna", VDN, ()))
