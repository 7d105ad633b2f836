"""Skill queues: oldest call first, to the best agent who is free; nobody is passed for ever."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sottovoce.domain.directory import AgentId, SkillId
from sottovoce.live.acd import Free, SkillQueues

S1, S2, S3 = SkillId(1), SkillId(2), SkillId(3)


def free(agent, order, *skills, **levels):
    return Free(
        AgentId(agent), dict.fromkeys(skills, 1) | {SkillId(int(s[1:])): n for s, n in levels.items()}, order
    )


def match(queues, *agents):
    """All pairs; each call leaves when it is given."""
    given = []
    for call, agent in queues.pairs(agents):
        queues.leave(call)
        given.append((call, agent))
    return given


def waiting(*calls, capacity=1000):
    """Queues in which these calls wait: name, skill, and when they came."""
    queues = SkillQueues(capacity)
    for call, skill, came_s in calls:
        queues.enter(call, skill, came_s)
    return queues


def test_nobody_and_nothing():
    assert match(SkillQueues(), free(101, 1, S1)) == []
    queues = waiting(("a", S1, 0))
    assert match(queues) == []
    assert match(queues, free(101, 1, S2)) == []


def test_idle_longest_gets_the_oldest():
    queues = waiting(("a", S1, 0), ("b", S1, 0))
    assert match(queues, free(101, 9, S1), free(102, 3, S1)) == [("a", 102), ("b", 101)]


def test_the_best_comes_before_who_is_idle_longer():
    queues = waiting(("a", S1, 0), ("b", S1, 1))
    agents = free(101, 1, s1=2), free(102, 9, S1), free(103, 5, s1=9)
    assert match(queues, *agents) == [("a", 102), ("b", 101)]


def test_an_older_call_without_anybody_does_not_block_a_younger_one():
    assert match(waiting(("a", S1, 0), ("b", S2, 1)), free(101, 1, S2)) == [("b", 101)]


def test_a_head_start_passes_those_who_came_meanwhile_and_nobody_else():
    queues = waiting(("old", S1, 0), ("young", S1, 50), ("ahead", S1, 60 - 30))
    assert [one.call for one in queues.waiting(S1)] == ["old", "ahead", "young"]
    assert [queues.position(call) for call in ("old", "ahead", "young")] == [1, 2, 3]


def test_who_comes_back_keeps_the_place():
    queues = SkillQueues()
    place = queues.enter("a", S1, 0)
    queues.enter("b", S1, 0)
    queues.leave("a")
    queues.enter("a", S1, 99, place)
    assert [one.call for one in queues.waiting(S1)] == ["a", "b"]
    assert queues.waiting(S2) == []


def test_overflow_opens_a_call_to_others_who_come_after_its_own():
    queues = waiting(("a", S1, 0), ("b", S2, 1))
    queues.overflow("a", S2)
    queues.overflow("a", S2)
    queues.overflow("gone", S2)
    assert (queues.length(S1), queues.length(S2), queues.position("b")) == (1, 1, 1)
    assert match(queues, free(101, 5, S1), free(102, 1, S2)) == [("a", 101), ("b", 102)]
    queues = waiting(("a", S1, 0), ("b", S2, 1))
    queues.overflow("a", S2)
    assert match(queues, free(102, 1, S2)) == [("a", 102)], "the oldest, whatever its queue"


def test_an_agent_is_named_once_and_only_while_free():
    queues = waiting(("a", S1, 0), ("b", S2, 1), ("c", S1, 2))
    assert match(queues, free(101, 1, S1, S2)) == [("a", 101)]
    agents = free(101, 1, S1, S2), free(102, 2, S1)
    assert list(queues.pairs(agents, lambda agent: agent == 102)) == [("c", 102)]


def test_a_full_house():
    queues = waiting(("a", S1, 0), capacity=1)
    assert queues.full
    queues.leave("a")
    queues.leave("a")
    assert not queues.full
    assert queues.length(S1) == 0
    assert not queues.waits("a")


skills = st.sampled_from([S1, S2, S3])
calls = st.lists(st.tuples(skills, st.integers(0, 100), st.frozensets(skills, max_size=2)), max_size=12)
agents = st.lists(st.dictionaries(skills, st.integers(1, 9), min_size=1), max_size=8)


@given(calls, agents, st.randoms())
def test_whoever_waits_and_can_be_helped_is_helped_in_order(asked, offered, chance):
    queues = SkillQueues()
    reach = {}
    for number, (skill, came_s, also) in enumerate(asked):
        queues.enter(str(number), skill, came_s)
        for other in also:
            queues.overflow(str(number), other)
        reach[str(number)] = {skill, *also}
    people = [Free(AgentId(101 + n), levels, n) for n, levels in enumerate(offered)]
    chance.shuffle(people)
    places = {one.call: one.place for one in queues.waiting()}
    levels = {one.agent: one.levels for one in people}
    left = dict(levels)
    for call, agent in queues.pairs(people):
        served = reach[call] & levels[agent].keys()
        assert served, "nobody is given a call without the skill"
        for other in queues.waiting():
            if any(reach[other.call] & of.keys() for of in left.values()):
                assert places[call] <= places[other.call], "the oldest of those who can be helped"
        own = queues.waiting()[[one.call for one in queues.waiting()].index(call)].skill
        skill = own if own in served and any(own in of for of in left.values()) else None
        if skill is not None:
            rivals = [(of[skill], who) for who, of in left.items() if skill in of]
            assert (levels[agent][skill], agent) == min(rivals), "the best, then who is idle longest"
        queues.leave(call)
        del left[agent]
    for other in queues.waiting():
        assert not any(reach[other.call] & of.keys() for of in left.values()), (
            "nobody is left who could be helped"
        )


@given(st.lists(st.tuples(st.integers(0, 50), st.sampled_from([0, 30])), min_size=1, max_size=30))
def test_no_one_is_passed_for_ever(arrivals):
    """Served one a second, with head starts before them all the time, who came first by place goes first; and
    after as many seconds as a head start has, nobody new can come before."""
    queues = SkillQueues()
    came = {}
    for number, (at, head_start) in enumerate(sorted(arrivals)):
        queues.enter(str(number), S1, at - head_start)
        came[str(number)] = at
    order = [call for call, _ in match(queues, *(free(101 + n, n, S1) for n in range(len(arrivals))))]
    for place, call in enumerate(order):
        assert all(came[earlier] - came[call] <= 30 for earlier in order[:place])
    assert sorted(order, key=int) == [str(n) for n in range(len(arrivals))]
