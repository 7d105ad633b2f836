"""Review tasks and their items: states, what may be done in which, who inspects how many, who sees what.

Two tables state x action with no empty cell. The pages draw no states [2506-2514]; these are inferred
from the operations. A finished or terminated task never changes again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sottovoce.domain.contacts import Interaction
from sottovoce.domain.directory import AgentId
from sottovoce.domain.grids import read_grid, words
from sottovoce.domain.people import ReviewId, Role, User, UserId
from sottovoce.domain.rights import RIGHTS, Operation, Scope, scope
from sottovoce.domain.sampling import Arrivals, Conditions
from sottovoce.errors import Code, Refused


class TaskState(StrEnum):
    """Where a task is on its way."""

    CREATED = "created"
    """Sampled; nobody inspects it yet."""
    ASSIGNED = "assigned"
    """Every item has its inspector."""
    RESERVED = "reserved"
    """It takes effect at a time to come."""
    IN_EFFECT = "in_effect"
    """Being inspected."""
    FINISHED = "finished"
    """Every item is done."""
    TERMINATED = "terminated"
    DELETED = "deleted"
    """Not found by anybody; its history and its certificate stay."""


class TaskAction(StrEnum):
    """What is done to a task."""

    RENAME = "rename"
    REDRAW = "redraw"
    """Other conditions, so another sample."""
    APPOINT = "appoint"
    """Deal its items to inspectors; in effect those that are open change hands."""
    APPOINT_NOW = "appoint_now"
    """Appoint, and take effect at once."""
    TAKE_EFFECT = "take_effect"
    RESERVE = "reserve"
    """Take effect later."""
    TERMINATE = "terminate"
    DELETE = "delete"
    REVISE = "revise"
    """Correct a result of one of its items."""
    COMPLETE = "complete"
    """Finish one of its items, not the last."""
    FINISH = "finish"
    """Finish its last item."""
    SHOW = "show"


class ItemState(StrEnum):
    """Where a sampled call is on its way."""

    WAITING = "waiting"
    IN_PROGRESS = "in_progress"
    """Its inspector has revised a result."""
    DONE = "done"
    RELEASED = "released"
    """Its task ended before it was done."""


class ItemAction(StrEnum):
    """What is done to an item."""

    DEAL = "deal"
    """Give it to an inspector, or to another one with what was drafted."""
    DEAL_ANEW = "deal_anew"
    """Give it to another inspector, without the drafts."""
    REVISE = "revise"
    COMPLETE = "complete"
    RELEASE = "release"
    """Its task ends."""


_TASKS = """
             created     assigned    reserved    in_effect   finished  terminated  deleted
rename       created     assigned    wrong       wrong       wrong     wrong       unknown
redraw       created     created     wrong       wrong       wrong     wrong       unknown
appoint      assigned    assigned    reserved    in_effect   wrong     wrong       unknown
appoint_now  in_effect   in_effect   in_effect   in_effect   wrong     wrong       unknown
take_effect  wrong       in_effect   in_effect   wrong       wrong     wrong       unknown
reserve      wrong       reserved    reserved    wrong       wrong     wrong       unknown
terminate    terminated  terminated  terminated  terminated  wrong     wrong       unknown
delete       deleted     deleted     deleted     wrong       wrong     wrong       unknown
revise       wrong       wrong       wrong       in_effect   wrong     wrong       unknown
complete     wrong       wrong       wrong       in_effect   wrong     wrong       unknown
finish       wrong       wrong       wrong       finished    wrong     wrong       unknown
show         created     assigned    reserved    in_effect   finished  terminated  unknown
"""
_ITEMS = """
             waiting      in_progress  done   released
deal         waiting      in_progress  wrong  wrong
deal_anew    waiting      waiting      wrong  wrong
revise       in_progress  in_progress  wrong  wrong
complete     done         done         wrong  wrong
release      released     released     done   released
"""
INSPECTING = frozenset({Role.INSPECTOR, Role.QUALITY_LEADER, Role.QUALITY_DIRECTOR})
"""Who can be appointed."""
_REFUSALS: Mapping[str, Any] = {"wrong": Code.WRONG_STATE, "unknown": Code.NOT_FOUND}

TASKS: Mapping[tuple[TaskState, TaskAction], TaskState | Code] = read_grid(
    _TASKS, TaskState, TaskAction, {**words(TaskState), **_REFUSALS}
)
ITEMS: Mapping[tuple[ItemState, ItemAction], ItemState | Code] = read_grid(
    _ITEMS, ItemState, ItemAction, {**words(ItemState), **_REFUSALS}
)
SHOWN = frozenset(state for state in TaskState if TASKS[state, TaskAction.SHOW] is state)
"""A task in another state is gone for everybody."""
OPEN_ITEMS = frozenset(
    state for state in ItemState if isinstance(ITEMS[state, ItemAction.COMPLETE], ItemState)
)
"""Those that can still be done; the end of their task releases them."""
DEALT_ITEMS = frozenset(state for state in ItemState if ITEMS[state, ItemAction.DEAL] is state)
"""Those that can be given to an inspector, or to another one."""


def follow(state: TaskState, action: TaskAction, seen: TaskState | None = None) -> TaskState:
    """The task's state after `action`; raises Refused with the cell's code.

    `seen` is the state in which the caller found it a moment ago: where that one would have allowed the
    action, the code is LOST_RACE.
    """
    cell = TASKS[state, action]
    if not isinstance(cell, Code):
        return cell
    if seen is not None and isinstance(TASKS[seen, action], TaskState):
        raise Refused(Code.LOST_RACE, f"the task has become {state} meanwhile")
    if cell is Code.NOT_FOUND:
        raise no_task()
    raise Refused(cell, f"the task is {state}: {action} is not possible")


def follow_item(state: ItemState, action: ItemAction, seen: ItemState | None = None) -> ItemState:
    """The item's state after `action`, in the same way."""
    cell = ITEMS[state, action]
    if not isinstance(cell, Code):
        return cell
    if seen is not None and isinstance(ITEMS[seen, action], ItemState):
        raise Refused(Code.LOST_RACE, f"the call has become {state} meanwhile")
    raise Refused(cell, f"the call is {state}: {action} is not possible")


def no_task() -> Refused:
    """The refusal of a task that is unknown, another tenant's, deleted, or not the caller's to see."""
    return Refused(Code.NOT_FOUND, "there is no such task")


def no_item() -> Refused:
    """The same of an item."""
    return Refused(Code.NOT_FOUND, "there is no such call in a task of the caller's")


@dataclass(frozen=True, slots=True)
class TaskOrder:
    """What a task is asked to be."""

    name: str
    """At most 32 characters."""
    conditions: Conditions
    calls_from: datetime | None = None
    calls_until: datetime | None = None
    """The range of calls; None: no bound."""
    arrivals: Arrivals | None = None
    """What a plan's run takes; None: whatever is there."""


@dataclass(frozen=True, slots=True)
class Task:
    """A review task."""

    task: ReviewId
    name: str
    state: TaskState
    interaction: Interaction
    conditions: Conditions
    calls_from: datetime | None
    calls_until: datetime | None
    draw: int
    created_by: UserId
    created_at: datetime
    takes_effect_at: datetime | None = None
    """Reserved, or when it did."""
    ended_at: datetime | None = None
    plan: ReviewId | None = None


@dataclass(frozen=True, slots=True)
class Item:
    """A sampled call in a task."""

    item: ReviewId
    task: ReviewId
    place: int
    """In the order of the draw, from 0."""
    contact: int
    began_at: datetime
    """Of the contact."""
    agent: AgentId | None
    inspector: UserId | None
    """A released item keeps whose it was."""
    state: ItemState
    round: int = 1
    """Of its drafts: corrections made before it is done. Those of an earlier round were dropped."""


@dataclass(frozen=True, slots=True)
class TaskStep:
    """A line of a task's history."""

    number: int
    """1, 2, 3 … without a gap."""
    at: datetime
    user: UserId
    """`people.SERVER`: a plan, a reserved time."""
    action: str
    detail: Mapping[str, Any]


class ShareKind(StrEnum):
    """How items are shared out."""

    COUNTS = "counts"
    """So many each; those without a number share the rest evenly."""
    EVEN = "even"
    PERCENT = "percent"
    """By the largest remainder."""


@dataclass(frozen=True, slots=True)
class Share:
    """What one inspector gets."""

    person: UserId
    count: int | None = None
    """Items, or per cent; None: an even part of what is left."""


def bad_share(why: str, place: int | None = None, part: str = "") -> Refused:
    """Shares that cannot be dealt: BAD_PARAMETER. `place` is the person's in the list, None: all of it."""
    field = "people" if place is None else f"people.{place}.{part}"
    return Refused(Code.BAD_PARAMETER, why, field=field)


@dataclass(frozen=True, slots=True)
class Shares:
    """Who inspects how many of a task's items."""

    kind: ShareKind
    people: tuple[Share, ...]

    def check(self) -> None:
        """Refused(BAD_PARAMETER) where no number of items could be dealt: nobody, twice, bad sums."""
        if not self.people:
            raise bad_share("names nobody")
        named: set[UserId] = set()
        for place, share in enumerate(self.people):
            if share.person in named:
                raise bad_share("stands twice", place, "person")
            named.add(share.person)
            if share.count is not None and share.count < 0:
                raise bad_share("must not be below 0", place, "count")
            if share.count is None and self.kind is ShareKind.PERCENT:
                raise bad_share("is missing", place, "count")
        if self.kind is ShareKind.PERCENT and sum(share.count or 0 for share in self.people) != 100:
            raise bad_share("the counts must add up to 100")


def quotas(shares: Shares, items: int) -> list[int]:
    """How many of `items` each of the people gets, in their order; they add up. Refused(BAD_PARAMETER)."""
    shares.check()
    counts = [share.count for share in shares.people]
    match shares.kind:
        case ShareKind.EVEN:
            return _even(items, len(counts))
        case ShareKind.PERCENT:
            exact = [items * (count or 0) for count in counts]
            parts = [hundredths // 100 for hundredths in exact]
            order = sorted(range(len(exact)), key=lambda place: (-(exact[place] % 100), place))
            for place in order[: items - sum(parts)]:
                parts[place] += 1
            return parts
        case ShareKind.COUNTS:
            given = sum(count for count in counts if count is not None)
            blank = counts.count(None)
            if given > items or (given < items and not blank):
                raise bad_share(f"the counts add up to {given}, there are {items} calls to deal")
            rest = iter(_even(items - given, blank))
            return [next(rest) if count is None else count for count in counts]


def deal(
    shares: Shares,
    items: int,
    own: Sequence[UserId | None] = (),
    held: Sequence[UserId | None] = (),
) -> list[UserId]:
    """The inspector of each item in the order of the draw: in turn, each until their quota is used up.

    `held` says by place who has the item: they keep it while their quota lasts. `own` says by place whose
    call the item is about: nobody inspects a call of their own, they exchange it with the first that another
    would inspect. Deterministic; as many entries as items. Refused(BAD_PARAMETER).
    """
    people = [share.person for share in shares.people]
    left = dict(zip(people, quotas(shares, items), strict=True))
    kept: list[UserId | None] = []
    for holder in held or [None] * items:
        keeps = holder is not None and left.get(holder, 0) > 0
        kept.append(holder if keeps else None)
        if holder is not None and keeps:
            left[holder] -= 1
    turns = _turns(people, left)
    dealt = [next(turns) if holder is None else holder for holder in kept]
    for place, agent in enumerate(own):
        if dealt[place] == agent:
            other = next((at for at in range(items) if agent not in (dealt[at], own[at])), None)
            if other is None:
                raise bad_share(f"user {agent} would have to inspect calls of his own")
            dealt[place], dealt[other] = dealt[other], dealt[place]
    return dealt


def _turns(people: Sequence[UserId], left: dict[UserId, int]) -> Iterator[UserId]:
    """Each of the people in turn while something is left for them."""
    while any(left.values()):
        for person in people:
            if left[person]:
                left[person] -= 1
                yield person


def _even(items: int, people: int) -> list[int]:
    """Even parts; the earlier ones get one more where they do not come out even."""
    return [items // people + (place < items % people) for place in range(people)]


@dataclass(frozen=True, slots=True)
class TaskSight:
    """Which tasks and items somebody sees."""

    everything: bool = False
    makers: frozenset[UserId] = frozenset()
    """All of the tasks that these made."""
    inspectors: frozenset[UserId] = frozenset()
    """The items that these inspect."""
    agents: frozenset[AgentId] = frozenset()
    """The items about calls of these, once done."""


def sight(user: User, operation: Operation, acting_as: Role | None = None) -> TaskSight:
    """What the user sees by `acting_as` alone if given, else by all roles together. Refused(NO_RIGHT)."""
    scope(user, operation, acting_as)
    seen = TaskSight()
    for role in user.roles if acting_as is None else (acting_as,):
        seen = _joined(seen, _by_role(user, role, RIGHTS[role, operation]))
    return seen


def _by_role(user: User, role: Role, reach: Scope) -> TaskSight:
    if reach is Scope.NO:
        return TaskSight()
    if reach is Scope.ALL:
        return TaskSight(everything=True)
    led = reach is Scope.GROUP
    if role in (Role.TABLE_LEADER, Role.STAFF):
        own = frozenset(() if user.agent is None else (user.agent,))
        return TaskSight(agents=user.leads_agents if led else own)
    circle = frozenset({user.user}) | (user.leads if led else frozenset())
    makes = RIGHTS[role, Operation.CREATE_TASK] is not Scope.NO
    return TaskSight(makers=circle if makes else frozenset(), inspectors=circle)


def _joined(one: TaskSight, other: TaskSight) -> TaskSight:
    return TaskSight(
        one.everything or other.everything,
        one.makers | other.makers,
        one.inspectors | other.inspectors,
        one.agents | other.agents,
    )
