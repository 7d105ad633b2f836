"""An agent's states: the whole table, and what is kept for after the call."""

from __future__ import annotations

import pytest

from sottovoce.domain.agents import TABLE, AgentState, Standing, Trigger, TriggerOutcome
from sottovoce.errors import Code, Refused


def test_no_cell_is_empty():
    assert set(TABLE) == {(state, trigger) for state in AgentState for trigger in Trigger}


@pytest.mark.parametrize("state", AgentState)
@pytest.mark.parametrize("trigger", Trigger)
def test_every_cell_leads_somewhere_or_is_refused(state, trigger):
    standing = Standing(state)
    cell = TABLE[state, trigger]
    nothing_pending = cell is TriggerOutcome.FORGET and trigger.value.startswith("cancel")
    if cell is TriggerOutcome.REFUSE or nothing_pending:
        with pytest.raises(Refused) as refused:
            standing.after(trigger)
        assert refused.value.code is Code.WRONG_AGENT_STATE
    else:
        after = standing.after(trigger)
        assert after.pending is None or after.state.engaged


def walk(*triggers, auto_idle=True):
    standing = Standing()
    for trigger in triggers:
        if isinstance(trigger, tuple):
            standing = standing.after(trigger[0], auto_idle=auto_idle, reason=trigger[1])
        else:
            standing = standing.after(trigger, auto_idle=auto_idle)
    return standing


IN_CALL = (Trigger.SIGN_IN, Trigger.SEIZE, Trigger.LIFT, Trigger.TALK)


def test_after_a_call_idle_or_wrap_up_as_set():
    assert walk(*IN_CALL, Trigger.OVER).state is AgentState.IDLE
    assert walk(*IN_CALL, Trigger.OVER, auto_idle=False).state is AgentState.WRAP_UP
    assert walk(*IN_CALL, Trigger.FREED, auto_idle=False).state is AgentState.IDLE


def test_busy_asked_for_during_a_call_comes_after_it():
    during = walk(*IN_CALL, (Trigger.SAY_BUSY, 203))
    assert (during.state, during.pending) == (AgentState.TALKING, AgentState.BUSY)
    after = during.after(Trigger.OVER)
    assert (after.state, after.reason, after.pending) == (AgentState.BUSY, 203, None)


def test_the_last_wish_during_a_call_counts_and_can_be_taken_back():
    assert walk(*IN_CALL, Trigger.SAY_BUSY, Trigger.REST, Trigger.OVER).state is AgentState.REST
    assert walk(*IN_CALL, Trigger.SAY_BUSY, Trigger.CANCEL_BUSY, Trigger.OVER).state is AgentState.IDLE
    with pytest.raises(Refused):
        walk(*IN_CALL, Trigger.REST, Trigger.CANCEL_BUSY)


def test_who_calls_out_while_busy_is_busy_again():
    called = walk(Trigger.SIGN_IN, (Trigger.SAY_BUSY, 201), Trigger.SEIZE, Trigger.TALK, Trigger.OVER)
    assert (called.state, called.reason) == (AgentState.BUSY, 201)


def test_who_lets_it_ring_is_busy_with_that_reason():
    assert walk(Trigger.SIGN_IN, Trigger.SEIZE, (Trigger.SILENT, 2)) == Standing(AgentState.BUSY, 2)
