"""Skill queues: oldest call first, to whoever is idle longest and has the skill."""

from __future__ import annotations

from sottovoce.domain.directory import AgentId, SkillId
from sottovoce.live.acd import Free, SkillQueues

S1, S2 = SkillId(1), SkillId(2)


def free(agent, order, *skills):
    return Free(AgentId(agent), frozenset(skills), order)


def test_nobody_and_nothing():
    queues = SkillQueues()
    assert queues.match([free(101, 1, S1)]) is None
    queues.enter("a", S1)
    assert queues.match([]) is None
    assert queues.match([free(101, 1, S2)]) is None


def test_idle_longest_gets_the_oldest():
    queues = SkillQueues()
    queues.enter("a", S1)
    queues.enter("b", S1)
    assert queues.match([free(101, 9, S1), free(102, 3, S1)]) == ("a", 102)


def test_an_older_call_without_anybody_does_not_block_a_younger_one():
    queues = SkillQueues()
    queues.enter("a", S1)
    queues.enter("b", S2)
    assert queues.match([free(101, 1, S2)]) == ("b", 101)


def test_who_comes_back_keeps_the_place():
    queues = SkillQueues()
    order = queues.enter("a", S1)
    queues.enter("b", S1)
    queues.leave("a")
    queues.enter("a", S1, order)
    assert [waiting.call for waiting in queues.waiting(S1)] == ["a", "b"]
    assert queues.waiting(S2) == []


def test_a_full_house():
    queues = SkillQueues(capacity=1)
    assert not queues.full
    queues.enter("a", S1)
    assert queues.full
    queues.leave("a")
    queues.leave("a")
    assert not queues.full
