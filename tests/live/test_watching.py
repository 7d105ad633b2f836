"""Inspectors who are told of agents' states: which, of whom, and for how long."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.live.refusals import refused

from sottovoce.domain import events
from sottovoce.domain.agents import AgentState, Trigger
from sottovoce.domain.directory import AgentId, VdnId
from sottovoce.domain.journal import Restored, SessionSaved
from sottovoce.errors import Code
from sottovoce.live.availability import ChangeState
from sottovoce.live.handling import Answer, Release
from sottovoce.live.presence import SignOutAgent
from sottovoce.live.watching import Unwatch, Watch

A, B, I, J = AgentId(101), AgentId(102), AgentId(300), AgentId(301)  # noqa: E741


async def told(stage, inspector: int = 300) -> list[tuple[int, object]]:
    """Of whom the inspector was told, and what."""
    return [
        (event.subject, event.state if isinstance(event, events.WatchedStateChanged) else event.signed_in)
        for event in await stage.events(inspector)
        if isinstance(event, events.WatchEvent)
    ]


async def test_an_agents_day_as_an_inspector_is_told_it(stage):
    await stage.sign_in(300, 301)
    await stage.desk.ask(Watch(I, (A, B)))
    await stage.sign_in(101, auto_answer=False, auto_idle=False)
    await stage.call_in("555")
    await stage.desk.ask(Answer(A))
    await stage.desk.ask(Release(A))
    for trigger in (Trigger.CANCEL_WORK, Trigger.SAY_BUSY, Trigger.SAY_IDLE):
        await stage.desk.ask(ChangeState(A, trigger))
    await stage.desk.ask(ChangeState(A, Trigger.REST, seconds=60))
    await stage.desk.ask(SignOutAgent(A))
    states = (
        *(AgentState.IDLE, AgentState.PREOCCUPIED, AgentState.ANSWERING, AgentState.TALKING),
        *(AgentState.WRAP_UP, AgentState.IDLE, AgentState.BUSY, AgentState.IDLE, AgentState.REST),
    )
    assert await told(stage) == [(A, True), *((A, state) for state in states), (A, False)]
    assert await told(stage, 301) == []


async def test_who_asked_twice_is_told_once(stage):
    await stage.sign_in(300, listen_status=True)
    await stage.desk.ask(Watch(I, (A,)))
    await stage.desk.ask(Watch(I, (A, A)))
    await stage.sign_in(101)
    assert await told(stage) == [(A, True), (A, AgentState.IDLE)]


async def test_until_it_is_ended(stage):
    await stage.sign_in(101, 102, 300)
    await stage.desk.ask(Watch(I, (A, B)))
    await stage.desk.ask(Unwatch(I, (B, J)))
    assert [one.agent for one in stage.desk.watched(I)] == [A]
    for agent in (A, B):
        await stage.desk.ask(ChangeState(agent, Trigger.SAY_BUSY))
    assert await told(stage) == [(A, AgentState.BUSY)]


@pytest.mark.parametrize(
    ("by", "agents", "code"),
    [
        (A, (B,), Code.NO_RIGHT),
        (I, (A, I), Code.TARGET_IS_SELF),
        (I, (A, AgentId(999)), Code.TARGET_UNKNOWN),
        (I, (A, AgentId(201)), Code.TARGET_UNKNOWN),
    ],
)
async def test_who_may_not_be_watched(stage, by, agents, code):
    await stage.sign_in(101, 300)
    await refused(code, stage.desk.ask(Watch(by, agents)))
    assert stage.desk.watched(I) == ()
    await refused(Code.NO_RIGHT, stage.desk.ask(Unwatch(A, (B,))))


async def test_inspectors_are_watched_too(stage):
    """An inspector cannot be inspected here; their state is in every list anyway."""
    await stage.sign_in(300, 301)
    await stage.desk.ask(Watch(I, (J,)))
    await stage.desk.ask(ChangeState(J, Trigger.SAY_BUSY))
    assert await told(stage) == [(J, AgentState.BUSY)]


async def test_without_the_right_nothing_is_told_any_more(stage):
    await stage.sign_in(101, 300)
    await stage.desk.ask(Watch(I, (A,)))
    profile = stage.store.profiles[VdnId(1)]
    agents = {**profile.agents, I: replace(profile.agents[I], rights=frozenset())}
    stage.store.profiles[VdnId(1)] = replace(profile, agents=agents)
    await stage.desk.reload(VdnId(1))
    await stage.desk.ask(ChangeState(A, Trigger.SAY_BUSY))
    assert await told(stage) == []


async def test_a_restart_goes_on_telling(stage, new_stage):
    await stage.sign_in(101, 300)
    await stage.desk.ask(Watch(I, (A, B)))
    await stage.quiet()
    latest = {change.agent: change for change in stage.store.written if isinstance(change, SessionSaved)}
    again = new_stage()
    again.store.restored[VdnId(1)] = Restored([*latest.values()])
    await again.desk.open([VdnId(1)])
    await again.desk.ask(ChangeState(A, Trigger.SAY_BUSY))
    assert await told(again) == [(A, AgentState.BUSY)]
    await again.desk.close()
    await again.tasks.close()
