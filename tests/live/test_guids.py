"""Guids, static and dynamic (design, decision 16)."""

from __future__ import annotations

import re

import pytest

from sottovoce.domain.directory import AgentId
from sottovoce.domain.journal import kept_guid
from sottovoce.errors import Code, Refused
from sottovoce.live.guids import Guids, new_guid

A, B = AgentId(101), AgentId(102)


def valid(sessions, agent, guid, now=0.0):
    try:
        sessions.check(agent, guid, now)
    except Refused as refusal:
        return refusal.code is not Code.NOT_SIGNED_IN
    return True


def test_the_shape_of_a_guid():
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\.AgentGateway1", new_guid())
    assert new_guid() != new_guid()


def test_a_guid_is_valid_for_its_agent_only():
    sessions = Guids()
    sessions.open(A, kept_guid("a"), 0)
    sessions.open(B, kept_guid("b"), 0)
    assert valid(sessions, A, "a")
    for guid in ("b", "", "ä", "a "):
        assert not valid(sessions, A, guid)
    sessions.open(A, kept_guid("c"), 0)
    assert not valid(sessions, A, "a")
    sessions.close(A)
    assert not valid(sessions, A, "c")


def test_static_ones_are_never_due():
    sessions = Guids()
    sessions.open(A, kept_guid("a"), 0)
    assert sessions.due(A, 1e6) is None


def test_the_old_one_holds_until_the_new_is_used_and_a_minute_more():
    sessions = Guids(dynamic=True)
    sessions.open(A, kept_guid("a"), 0)
    assert sessions.due(A, 299) is None
    new = sessions.due(A, 300)
    assert new is not None
    assert sessions.due(A, 301) == new
    assert valid(sessions, A, "a", 5000)
    assert sessions.check(A, new, 5000) is True
    assert sessions.check(A, new, 5001) is False
    assert valid(sessions, A, "a", 5060)
    assert not valid(sessions, A, "a", 5061)
    assert valid(sessions, A, new, 9999)


def test_renewal_on_demand_works_for_static_ones_too():
    sessions = Guids()
    sessions.open(A, kept_guid("a"), 0)
    new = sessions.renew(A, 1)
    assert sessions.renew(A, 2) == new
    assert valid(sessions, A, "a", 3)
    assert valid(sessions, A, new, 4)
    with pytest.raises(Refused):
        sessions.renew(B, 0)
