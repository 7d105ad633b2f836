"""States of tasks and items, shares, and who sees what."""

from __future__ import annotations

import itertools
import json
import random
from collections import Counter

import pytest

from sottovoce.domain.directory import AgentId, VdnId
from sottovoce.domain.people import Role, User, UserId
from sottovoce.domain.reviews import (
    ITEMS,
    TASKS,
    ItemAction,
    ItemState,
    Share,
    ShareKind,
    Shares,
    TaskAction,
    TaskSight,
    TaskState,
    deal,
    follow,
    follow_item,
    quotas,
    sight,
)
from sottovoce.domain.rights import RIGHTS, Operation, Scope
from sottovoce.errors import Code, Refused
from sottovoce.plain import from_plain, to_plain

A, B, C = (UserId(f"160022647673248260{n}") for n in (1, 2, 3))


def shares(kind: ShareKind, *counts: int | None) -> Shares:
    return Shares(kind, tuple(Share(UserId(str(10**18 + n)), count) for n, count in enumerate(counts)))


def test_what_is_over_stays_as_it_is() -> None:
    for state, action in itertools.product(
        (TaskState.FINISHED, TaskState.TERMINATED, TaskState.DELETED), TaskAction
    ):
        cell = TASKS[state, action]
        assert isinstance(cell, Code) or (action is TaskAction.SHOW and cell is state)


def test_deleted_is_unknown_whatever_is_asked() -> None:
    for action in TaskAction:
        with pytest.raises(Refused) as refusal:
            follow(TaskState.DELETED, action)
        assert refusal.value.code is Code.NOT_FOUND


def test_nothing_takes_effect_without_inspectors() -> None:
    for state in (TaskState.CREATED, TaskState.IN_EFFECT):
        for action in (TaskAction.TAKE_EFFECT, TaskAction.RESERVE):
            with pytest.raises(Refused) as refusal:
                follow(state, action)
            assert refusal.value.code is Code.WRONG_STATE


def test_who_has_an_item_keeps_it_as_far_as_their_share_goes() -> None:
    shares = Shares(ShareKind.EVEN, (Share(A), Share(B)))
    assert deal(shares, 4, held=[B, B, B, A]) == [B, B, A, A]
    assert deal(shares, 4, held=[C, B, C, None]) == [A, B, B, A]
    assert deal(shares, 2, own=[B, None], held=[B, A]) == [A, B], "nobody inspects a call of their own"


def test_a_state_lost_while_waiting_is_a_lost_race() -> None:
    with pytest.raises(Refused) as refusal:
        follow(TaskState.TERMINATED, TaskAction.COMPLETE, seen=TaskState.IN_EFFECT)
    assert refusal.value.code is Code.LOST_RACE
    with pytest.raises(Refused) as refusal:
        follow(TaskState.TERMINATED, TaskAction.COMPLETE, seen=TaskState.TERMINATED)
    assert refusal.value.code is Code.WRONG_STATE
    with pytest.raises(Refused) as refusal:
        follow_item(ItemState.DONE, ItemAction.COMPLETE, seen=ItemState.IN_PROGRESS)
    assert refusal.value.code is Code.LOST_RACE


def test_ending_a_task_keeps_what_is_done_and_releases_the_rest() -> None:
    for state in ItemState:
        after = follow_item(state, ItemAction.RELEASE)
        assert after is (ItemState.RELEASED if state in (ItemState.WAITING, ItemState.IN_PROGRESS) else state)
    for action in (ItemAction.DEAL, ItemAction.REVISE, ItemAction.COMPLETE):
        for state in (ItemState.DONE, ItemState.RELEASED):
            assert ITEMS[state, action] is Code.WRONG_STATE


def test_given_counts_are_kept_and_the_rest_is_even() -> None:
    assert quotas(shares(ShareKind.COUNTS, 2, 3), 5) == [2, 3]
    assert quotas(shares(ShareKind.COUNTS, 2, None, None), 7) == [2, 3, 2]
    assert quotas(shares(ShareKind.COUNTS, None, None, None), 11) == [4, 4, 3]
    assert quotas(shares(ShareKind.COUNTS, 0, 5), 5) == [0, 5]
    assert quotas(shares(ShareKind.COUNTS, 5, None), 5) == [5, 0]
    assert quotas(shares(ShareKind.EVEN, 0, 0, 7), 4) == [2, 1, 1]


def test_percentages_go_by_the_largest_remainder() -> None:
    assert quotas(shares(ShareKind.PERCENT, 50, 50), 5) == [3, 2]
    assert quotas(shares(ShareKind.PERCENT, 34, 33, 33), 10) == [4, 3, 3]
    assert quotas(shares(ShareKind.PERCENT, 1, 99), 10) == [0, 10]
    assert quotas(shares(ShareKind.PERCENT, 15, 85), 10) == [2, 8]


@pytest.mark.parametrize(
    ("given", "items", "place", "part"),
    [
        (shares(ShareKind.COUNTS), 3, None, "person"),
        (shares(ShareKind.COUNTS, 2, 2), 3, None, "count"),
        (shares(ShareKind.COUNTS, 1, 1), 3, None, "count"),
        (shares(ShareKind.COUNTS, 4, None), 3, None, "count"),
        (shares(ShareKind.COUNTS, 4, -1), 3, 1, "count"),
        (shares(ShareKind.PERCENT, 50, 49), 3, None, "count"),
        (shares(ShareKind.PERCENT, 100, None), 3, 1, "count"),
        (Shares(ShareKind.EVEN, (Share(A), Share(B), Share(A))), 3, 2, "person"),
    ],
)
def test_shares_that_cannot_be_dealt_say_where(
    given: Shares, items: int, place: int | None, part: str
) -> None:
    with pytest.raises(Refused) as refusal:
        deal(given, items)
    assert refusal.value.code is Code.BAD_PARAMETER
    assert refusal.value.field == ("people" if place is None else f"people.{place}.{part}")
    assert refusal.value.code is Code.BAD_PARAMETER


def test_dealt_in_turn_until_quotas_are_used_up() -> None:
    given = Shares(ShareKind.COUNTS, (Share(A, 1), Share(B, 3), Share(C, 2)))
    assert deal(given, 6) == [A, B, C, B, C, B]


def test_nobody_inspects_a_call_of_their_own() -> None:
    given = Shares(ShareKind.COUNTS, (Share(A, 2), Share(B, 2)))
    assert deal(given, 4, [A, None, A, B]) == [B, A, B, A]
    with pytest.raises(Refused):
        deal(given, 4, [A, A, A, None])
    chance = random.Random(7)
    for _ in range(300):
        items = chance.randint(1, 40)
        everybody = shares(ShareKind.EVEN, None, None, None)
        people = [share.person for share in everybody.people]
        whose = [chance.choice([*people, None]) for _ in range(items)]
        parts = quotas(everybody, items)
        if any(whose.count(person) > items - part for person, part in zip(people, parts, strict=True)):
            with pytest.raises(Refused):
                deal(everybody, items, whose)
            continue
        dealt = deal(everybody, items, whose)
        assert all(person != own for person, own in zip(dealt, whose, strict=True))
        assert [Counter(dealt)[person] for person in people] == parts


def test_every_item_has_exactly_the_inspectors_that_the_quotas_say() -> None:
    """Properties over many random shares: all dealt, quotas met, even within one, again the same."""
    chance = random.Random(20261122)
    for _ in range(300):
        people, items = chance.randint(1, 9), chance.randint(0, 200)
        kind = chance.choice(list(ShareKind))
        counts: list[int | None] = [None] * people
        if kind is ShareKind.COUNTS:
            left = items
            for place in range(people):
                if chance.random() < 0.5:
                    counts[place] = chance.randint(0, left)
                    left -= counts[place] or 0
            if None not in counts:
                counts[-1] = (counts[-1] or 0) + left
        if kind is ShareKind.PERCENT:
            cuts = sorted(chance.randint(0, 100) for _ in range(people - 1))
            counts = [high - low for low, high in zip([0, *cuts], [*cuts, 100], strict=True)]
        given = shares(kind, *counts)
        parts, dealt = quotas(given, items), deal(given, items)
        assert len(dealt) == items
        assert sum(parts) == items
        assert [Counter(dealt)[share.person] for share in given.people] == parts
        assert dealt == deal(given, items)
        for share, part in zip(given.people, parts, strict=True):
            if kind is ShareKind.COUNTS and share.count is not None:
                assert part == share.count
            if kind is ShareKind.PERCENT:
                assert abs(part - items * (share.count or 0) / 100) < 1
        blank = [part for part, count in zip(parts, counts, strict=True) if count is None]
        if blank:
            assert max(blank) - min(blank) <= 1
            assert blank == sorted(blank, reverse=True)


def test_shares_survive_json() -> None:
    for given in (shares(ShareKind.COUNTS, 2, None), shares(ShareKind.PERCENT, 40, 60)):
        assert from_plain(Shares, json.loads(json.dumps(to_plain(given)))) == given


def someone(*roles: Role, agent: int | None = None) -> User:
    return User(
        A,
        VdnId(1),
        "Somebody",
        frozenset(roles),
        None if agent is None else AgentId(agent),
        frozenset({B}),
        frozenset({AgentId(102)}),
    )


def test_who_sees_what() -> None:
    def sees(*roles: Role, acting_as: Role | None = None) -> TaskSight:
        return sight(someone(*roles, agent=101), Operation.QUERY_TASK_ITEMS, acting_as)

    me, circle = frozenset({A}), frozenset({A, B})
    assert sees(Role.QUALITY_DIRECTOR) == TaskSight(everything=True)
    assert sees(Role.TABLE_DIRECTOR) == TaskSight(everything=True)
    assert sees(Role.QUALITY_LEADER) == TaskSight(makers=circle, inspectors=circle)
    assert sees(Role.INSPECTOR) == TaskSight(inspectors=me)
    assert sees(Role.TABLE_LEADER) == TaskSight(agents=frozenset({AgentId(102)}))
    assert sees(Role.STAFF) == TaskSight(agents=frozenset({AgentId(101)}))
    both = sees(Role.STAFF, Role.INSPECTOR)
    assert both == TaskSight(inspectors=me, agents=frozenset({AgentId(101)}))
    assert sees(Role.STAFF, Role.INSPECTOR, acting_as=Role.INSPECTOR) == TaskSight(inspectors=me)
    with pytest.raises(Refused) as refusal:
        sees(Role.STAFF, acting_as=Role.INSPECTOR)
    assert refusal.value.code is Code.NO_RIGHT


def test_staff_without_a_work_number_sees_nothing() -> None:
    assert sight(someone(Role.STAFF), Operation.QUERY_TASKS) == TaskSight()


def test_every_scope_but_none_sees_something() -> None:
    for role in Role:
        for operation in (Operation.QUERY_TASKS, Operation.QUERY_TASK_ITEMS):
            assert RIGHTS[role, operation] is not Scope.NO
            assert sight(someone(role, agent=101), operation) != TaskSight()
