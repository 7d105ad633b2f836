"""A call's life: the whole table."""

from __future__ import annotations

import pytest

from sottovoce.domain.calls import TABLE, CallState, CallTrigger, move
from sottovoce.errors import Code, Refused


def test_no_cell_is_empty():
    assert set(TABLE) == {(state, trigger) for state in CallState for trigger in CallTrigger}


@pytest.mark.parametrize("state", CallState)
@pytest.mark.parametrize("trigger", CallTrigger)
def test_every_cell_leads_somewhere_or_says_why_not(state, trigger):
    cell = TABLE[state, trigger]
    if isinstance(cell, Code):
        with pytest.raises(Refused) as refused:
            move(state, trigger)
        assert refused.value.code is cell
    else:
        assert move(state, trigger) is cell


def test_nothing_follows_the_end():
    assert all(isinstance(TABLE[CallState.ENDED, trigger], Code) for trigger in CallTrigger)


def test_every_call_can_end():
    for state in set(CallState) - {CallState.ENDED}:
        assert move(state, CallTrigger.END) is CallState.ENDED


def test_the_life_of_an_inbound_call():
    state = CallState.ARRIVING
    for trigger in (
        CallTrigger.ENTER,
        CallTrigger.ASSIGN,
        CallTrigger.UNANSWERED,
        CallTrigger.ASSIGN,
        CallTrigger.TALK,
        CallTrigger.HOLD,
        CallTrigger.TAKE_BACK,
        CallTrigger.INTERCEPT,
        CallTrigger.END,
    ):
        state = move(state, trigger)
    assert state is CallState.ENDED
