"""When nothing of a call could be kept: new calls are refused, those that run go on."""

from __future__ import annotations

import pytest

from sottovoce.domain.agents import AgentState
from sottovoce.domain.directory import AgentId, VdnId
from sottovoce.domain.events import TakingCallsChanged
from sottovoce.domain.legs import ReleaseCause
from sottovoce.errors import Code, Refused
from sottovoce.live.handling import CallOut

ONE = VdnId(1)


async def test_new_calls_are_refused_and_those_that_run_go_on(on_call):
    await on_call.sign_in(102)
    await on_call.forget(102, 300)
    on_call.desk.keeping(ONE, False)
    refused = await on_call.call_in("556")
    assert not refused.up
    assert list(on_call.lines.ends.values()) == [ReleaseCause.OVERLOAD]
    with pytest.raises(Refused) as declined:
        await on_call.desk.call_out(CallOut(AgentId(102), "0123"))
    assert declined.value.code is Code.UNAVAILABLE
    assert on_call.hears() == {"555": {"1101"}, "1101": {"555"}}
    assert await on_call.events(300) == [TakingCallsChanged(AgentId(300), False)]
    assert await on_call.events(102) == [], "inspectors are told"

    on_call.desk.keeping(ONE, True)
    await on_call.call_in("556")
    assert on_call.state(102) is AgentState.TALKING
    assert await on_call.events(300) == [TakingCallsChanged(AgentId(300), True)]
