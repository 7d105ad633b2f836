"""Rights, the VDN's boundary, inspected inspectors."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sottovoce.domain.access import inspected, number_allowed
from sottovoce.domain.directory import AgentId, AgentProfile, Right, VdnId, VdnProfile
from sottovoce.errors import Code, Refused


def profile(number, *rights):
    return AgentProfile(AgentId(number), VdnId(1), str(number), "", rights=frozenset(rights))


AGENT, CHIEF, OTHER = profile(101), profile(300, Right.INSPECT), profile(301, Right.INSPECT)
VDN = VdnProfile(
    VdnId(1), "one", {one.agent: one for one in (AGENT, CHIEF, OTHER)}, outbound_allowed=("00", "5")
)


@pytest.mark.parametrize(
    ("caller", "target", "code"),
    [
        (AGENT, 300, Code.NO_RIGHT),
        (AGENT, 101, Code.NO_RIGHT),
        (CHIEF, 300, Code.TARGET_IS_SELF),
        (CHIEF, 999, Code.TARGET_UNKNOWN),
        (CHIEF, 301, Code.NO_RIGHT),
    ],
)
def test_who_may_not(caller, target, code):
    with pytest.raises(Refused) as refused:
        inspected(VDN, caller, AgentId(target))
    assert refused.value.code is code


def test_who_may():
    assert inspected(VDN, CHIEF, AgentId(101)) is AGENT
    assert inspected(replace(VDN, inspect_inspectors=True), CHIEF, AgentId(301)) is OTHER


def test_numbers_pass_by_prefix_and_none_passes_an_empty_list():
    assert number_allowed(VDN, "0049")
    assert number_allowed(VDN, "5")
    assert not number_allowed(VDN, "049")
    assert not number_allowed(replace(VDN, outbound_allowed=()), "5")


@pytest.mark.parametrize(
    ("allowed", "opened", "shut"),
    [
        (["+49"], ["004930123", "+4930123"], ["0030123", "030123", "49301", "0043"]),
        (["0049"], ["004930123", "+4930123"], ["+43", "030"]),
        (["0"], ["030123", "0171", "0800", "0"], ["00", "0043123", "+43123", "09001", "0900"]),
        (["0", "00"], ["030123", "0043123", "+43123"], ["09001"]),
        (["0", "0900"], ["030123", "09001"], ["0043123"]),
        (["09"], ["0911", "0906"], ["09001"]),
        (["09001"], ["090012"], ["09002", "0911"]),
        (["+"], ["0043123", "+43123"], ["030", "0900"]),
        (["5", "*"], ["555", "*21#"], ["0", "#1"]),
    ],
)
def test_abroad_and_dear_numbers_are_opened_by_their_own_prefix_only(allowed, opened, shut):
    vdn = replace(VDN, outbound_allowed=tuple(allowed))
    assert [number for number in opened if not number_allowed(vdn, number)] == []
    assert [number for number in shut if number_allowed(vdn, number)] == []
