"""Quality items: appeals of agents, and problems found by inspectors; who may do what, and what follows.

Two grids state x step, one per kind, with no empty cell. No page draws the states [2516-2522]; these are
inferred from the operations. The table side reviews, the quality side handles, and another of the quality
side verifies what was handled.

Who gave the result judges nowhere, and who handled does not verify: OWN_RESULT.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from sottovoce.domain.directory import AgentId
from sottovoce.domain.grids import read_grid, words
from sottovoce.domain.people import GroupSide, ReviewId, Role, User, UserId
from sottovoce.domain.rights import RIGHTS, Operation, Scope, scope
from sottovoce.errors import Code, Refused


class Kind(StrEnum):
    """What a quality item is."""

    PROBLEM = "problem"
    """An inspector found violations; the agent's leader accepts or disputes them."""
    APPEAL = "appeal"
    """An agent says that results are wrong."""


class AppealState(StrEnum):
    """Where a quality item is on its way."""

    REVIEWING = "reviewing"
    """At the agent's own leader."""
    HANDLING = "handling"
    """At the quality side, which corrects results and concludes."""
    VERIFYING = "verifying"
    """At somebody else of the quality side, who lets the conclusion stand or sends it back."""
    COMPLETED = "completed"


class AppealStep(StrEnum):
    """What is done to a quality item; a line of its history each."""

    OPEN = "open"
    """The appeal is filed, the problem found: the first line."""
    PASS = "pass"  # noqa: S105 - a step, not a password
    BACK = "back"
    ASSIGN = "assign"
    """Give it another handler, or its first."""
    REVISE = "revise"
    """Correct one of its results."""
    SETTLE = "settle"
    """Another item about the same results is completed: that decides them here too."""


_APPEALS = """
        reviewing  handling   verifying  completed
open    wrong      wrong      wrong      wrong
pass    handling   verifying  completed  wrong
back    completed  verifying  handling   wrong
assign  reviewing  handling   verifying  wrong
revise  wrong      handling   wrong      wrong
settle  completed  completed  completed  wrong
"""
_PROBLEMS = """
        reviewing  handling   verifying  completed
open    wrong      wrong      wrong      wrong
pass    completed  verifying  completed  wrong
back    handling   verifying  handling   wrong
assign  reviewing  handling   verifying  wrong
revise  wrong      handling   wrong      wrong
settle  completed  completed  completed  wrong
"""
_CELLS: Mapping[str, AppealState | Code] = {**words(AppealState), "wrong": Code.WRONG_STATE}
GRIDS: Mapping[Kind, Mapping[tuple[AppealState, AppealStep], AppealState | Code]] = {
    Kind.APPEAL: read_grid(_APPEALS, AppealState, AppealStep, _CELLS),
    Kind.PROBLEM: read_grid(_PROBLEMS, AppealState, AppealStep, _CELLS),
}
SIDES: Mapping[AppealState, GroupSide] = {
    AppealState.REVIEWING: GroupSide.TABLE,
    AppealState.HANDLING: GroupSide.QUALITY,
    AppealState.VERIFYING: GroupSide.QUALITY,
}
"""Whose turn it is in an open state."""
HANDLERS: Mapping[AppealState, frozenset[Role]] = {
    AppealState.REVIEWING: frozenset({Role.TABLE_DIRECTOR, Role.TABLE_LEADER}),
    AppealState.HANDLING: frozenset({Role.QUALITY_DIRECTOR, Role.QUALITY_LEADER, Role.INSPECTOR}),
    AppealState.VERIFYING: frozenset({Role.QUALITY_DIRECTOR, Role.QUALITY_LEADER}),
}
"""Who can be the handler in an open state."""
POOL: Mapping[AppealState, frozenset[Role]] = {
    AppealState.REVIEWING: frozenset({Role.TABLE_DIRECTOR}),
    AppealState.HANDLING: frozenset({Role.QUALITY_DIRECTOR, Role.QUALITY_LEADER}),
    AppealState.VERIFYING: frozenset({Role.QUALITY_DIRECTOR, Role.QUALITY_LEADER}),
}
"""For whom an item without a handler waits."""
OPERATIONS: Mapping[AppealStep, Operation] = {
    AppealStep.PASS: Operation.JUDGE_QUALITY_ITEM,
    AppealStep.BACK: Operation.JUDGE_QUALITY_ITEM,
    AppealStep.ASSIGN: Operation.REASSIGN_QUALITY_ITEM,
    AppealStep.REVISE: Operation.REVISE_QUALITY_ITEM,
}
"""By which line of the rights' table a step goes."""
_SIDE_OF: Mapping[Role, GroupSide] = {
    role: GroupSide.QUALITY if role in HANDLERS[AppealState.HANDLING] else GroupSide.TABLE for role in Role
}


@dataclass(frozen=True, slots=True)
class QualityItem:
    """An appeal or a problem."""

    item: ReviewId
    kind: Kind
    state: AppealState
    contact: int
    agent: AgentId
    """Whose call it is about."""
    initiator: UserId
    inspector: UserId | None
    """Who gave the result; None: the machine."""
    review_item: ReviewId | None
    """In which item of a review task; None: the machine's result."""
    handler: UserId | None
    """Whose turn it is; None: anybody's of `POOL`, or of a completed one."""
    previous_handler: UserId | None
    """Who judged last."""
    reason: str
    passed: bool | None
    """The conclusion; while verifying, the one to verify."""
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Trace:
    """A line of a quality item's history."""

    number: int
    """1, 2, 3 … without a gap."""
    at: datetime
    user: UserId
    step: AppealStep
    state: AppealState
    """After it."""
    handler: UserId | None
    """After it."""
    remark: str


@dataclass(frozen=True, slots=True)
class Involved:
    """Whose results an item is about."""

    givers: frozenset[UserId] = frozenset()
    """Who inspected the call, or revised one of the results outside this item."""
    handled: frozenset[UserId] = frozenset()
    """Who judged it while it was handled, or revised results in it."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """Results of one scenario against which an agent appeals."""

    scenario: str
    results: tuple[str, ...]


def follow(item: QualityItem, step: AppealStep, seen: AppealState | None = None) -> AppealState:
    """The item's state after `step`; raises Refused with the cell's code.

    `seen` is the state in which the caller found it a moment ago: where that one would have allowed the
    step, the code is LOST_RACE.
    """
    cell = GRIDS[item.kind][item.state, step]
    if isinstance(cell, AppealState):
        return cell
    if seen is not None and isinstance(GRIDS[item.kind][seen, step], AppealState):
        raise Refused(Code.LOST_RACE, f"the {item.kind} has become {item.state} meanwhile")
    raise Refused(cell, f"the {item.kind} is {item.state}: {step} is not possible")


def no_quality_item() -> Refused:
    """The refusal of an item that is unknown, another tenant's, or not the caller's to see."""
    return Refused(Code.NOT_FOUND, "there is no such appeal or problem")


def check(
    item: QualityItem, step: AppealStep, user: User, involved: Involved, acting_as: Role | None = None
) -> None:
    """Whether `user` may do `step` now. Raises Refused(WRONG_STATE), (NO_RIGHT), (OWN_RESULT)."""
    follow(item, step)
    if not _has_the_turn(item, step, user, acting_as):
        raise Refused(Code.NO_RIGHT, f"{step} of this {item.kind} is not this user's")
    if step is not AppealStep.ASSIGN:
        check_impartial(item, user, involved)


def may(
    item: QualityItem, step: AppealStep, user: User, involved: Involved, acting_as: Role | None = None
) -> bool:
    """The same as a question."""
    try:
        check(item, step, user, involved, acting_as)
    except Refused:
        return False
    return True


def check_impartial(item: QualityItem, user: User, involved: Involved) -> None:
    """Raises Refused(OWN_RESULT) where `user` gave what the item is about or verifies what they handled."""
    if user.user in involved.givers:
        raise Refused(Code.OWN_RESULT, f"user {user.user} gave the result")
    if user.agent == item.agent or user.user == item.initiator:
        raise Refused(Code.OWN_RESULT, f"the {item.kind} is user {user.user}'s own")
    if item.state is AppealState.VERIFYING and user.user in involved.handled:
        raise Refused(Code.OWN_RESULT, f"user {user.user} handled the {item.kind}")


def check_handler(item: QualityItem, candidate: User | None, involved: Involved) -> None:
    """Whether somebody can be the handler in the item's state. Refused(BAD_PARAMETER), (OWN_RESULT)."""
    if candidate is None:
        raise _unfit("names no user of this tenant")
    if not candidate.roles & HANDLERS[item.state]:
        raise _unfit(f"user {candidate.user} cannot handle what is {item.state}")
    if item.state is AppealState.REVIEWING and not _reviews(candidate, item.agent):
        raise _unfit(f"user {candidate.user} does not lead agent {item.agent}")
    check_impartial(item, candidate, involved)


def _unfit(why: str) -> Refused:
    return Refused(Code.BAD_PARAMETER, why, field="handler")


def check_assignment(
    item: QualityItem, assigner: User, candidate: UserId, acting_as: Role | None = None
) -> None:
    """Whether `assigner` may choose this handler, a leader none but their own circle. Refused(NO_RIGHT)."""
    reached = {RIGHTS[role, OPERATIONS[AppealStep.ASSIGN]] for role in _on_turn(item, assigner, acting_as)}
    if Scope.ALL not in reached and candidate not in assigner.leads | {assigner.user}:
        raise Refused(Code.NO_RIGHT, f"user {assigner.user} does not lead user {candidate}")


def judged(
    item: QualityItem, step: AppealStep, user: UserId, at: datetime, former: UserId | None
) -> QualityItem:
    """The item after `pass` or `back`, which must have been checked.

    `former` is who handles it again where its verification sends it back; None: anybody of `POOL`.
    """
    after = follow(item, step)
    passes = step is AppealStep.PASS
    conclusion = {
        AppealState.REVIEWING: passes if after is AppealState.COMPLETED else None,
        AppealState.HANDLING: passes,
        AppealState.VERIFYING: item.passed if passes else None,
    }[item.state]
    return replace(
        item,
        state=after,
        passed=conclusion,
        handler=former if item.state is AppealState.VERIFYING and after is AppealState.HANDLING else None,
        previous_handler=user,
        updated_at=at,
    )


def settled(item: QualityItem, passed: bool, at: datetime) -> QualityItem:
    """The item once other completed items have decided all of its results."""
    state = follow(item, AppealStep.SETTLE)
    return replace(item, state=state, passed=passed, handler=None, updated_at=at)


def assigned(item: QualityItem, handler: UserId, at: datetime) -> QualityItem:
    """The item with another handler."""
    return replace(item, handler=handler, updated_at=at)


def corrects(kind: Kind, step: AppealStep) -> bool:
    """Whether a judgement in HANDLING lets results be corrected: an appeal passed, a problem sent back."""
    return (step is AppealStep.PASS) is (kind is Kind.APPEAL)


@dataclass(frozen=True, slots=True)
class AppealSight:
    """Which quality items somebody sees."""

    everything: bool = False
    people: frozenset[UserId] = frozenset()
    """Those that these handle, gave the result of, or did a step of."""
    agents: frozenset[AgentId] = frozenset()
    """Those about calls of these."""
    pool: frozenset[AppealState] = frozenset()
    """Those in these states that have no handler."""


def sight(user: User, operation: Operation, acting_as: Role | None = None) -> AppealSight:
    """What the user sees by `acting_as` alone if given, else by all roles together. Refused(NO_RIGHT)."""
    scope(user, operation, acting_as)
    seen = AppealSight()
    for role in user.roles if acting_as is None else (acting_as,):
        more = _by_role(user, role, RIGHTS[role, operation])
        seen = AppealSight(
            seen.everything or more.everything,
            seen.people | more.people,
            seen.agents | more.agents,
            seen.pool | more.pool,
        )
    return seen


def _by_role(user: User, role: Role, reached: Scope) -> AppealSight:
    if reached is Scope.NO:
        return AppealSight()
    if reached is Scope.ALL:
        return AppealSight(everything=True)
    led = reached is Scope.GROUP
    pool = frozenset(state for state, roles in POOL.items() if role in roles)
    if _SIDE_OF[role] is GroupSide.QUALITY:
        return AppealSight(people=frozenset({user.user}) | (user.leads if led else frozenset()), pool=pool)
    own = frozenset(() if user.agent is None else (user.agent,))
    return AppealSight(people=frozenset({user.user}), agents=user.leads_agents if led else own, pool=pool)


def _has_the_turn(item: QualityItem, step: AppealStep, user: User, acting_as: Role | None) -> bool:
    """Whether the rights of one of their roles on the side whose turn it is reach the item."""
    return any(
        _reaches(RIGHTS[role, OPERATIONS[step]], item, user, role) for role in _on_turn(item, user, acting_as)
    )


def _on_turn(item: QualityItem, user: User, acting_as: Role | None) -> list[Role]:
    """Their roles on the side whose turn it is; `acting_as` alone, if given."""
    roles = user.roles if acting_as is None else user.roles & {acting_as}
    return [role for role in roles if _SIDE_OF[role] is SIDES.get(item.state)]


def _reaches(reached: Scope, item: QualityItem, user: User, role: Role) -> bool:
    waits = item.handler is None and role in POOL[item.state]
    match reached:
        case Scope.ALL:
            return True
        case Scope.GROUP:
            return waits or item.handler in user.leads | {user.user}
        case Scope.OWN:
            return waits or item.handler == user.user
        case Scope.NO:
            return False


def _reviews(user: User, agent: AgentId) -> bool:
    return Role.TABLE_DIRECTOR in user.roles or agent in user.leads_agents


@dataclass(frozen=True, slots=True)
class WantedItems:
    """Which quality items to list; None and empty: no matter."""

    kind: Kind | None = None
    state: AppealState | None = None
    agents: Collection[UserId] = ()
    """About calls of these."""
    inspectors: Collection[UserId] = ()
    """Whose result these gave, or which they handle."""
    created_from: datetime | None = None
    created_until: datetime | None = None
    """Not after."""


@dataclass(frozen=True, slots=True)
class ListedItem:
    """A quality item with what a list shows of its call."""

    item: QualityItem
    uuid: str
    file_name: str


@dataclass(frozen=True, slots=True)
class Reassigned:
    """A change of handlers within a node of the history."""

    at: datetime
    by: UserId
    before: UserId | None
    after: UserId | None


@dataclass(frozen=True, slots=True)
class Node:
    """A stretch of an item's way in one state, from entering it to the judgement that ended it."""

    state: AppealState
    handler: UserId | None
    """Who judged; while it lasts, whose turn it is."""
    at: datetime
    """When it was judged; while it lasts, when it began."""
    remark: str = ""
    passed: bool | None = None
    """None: while it lasts, of the opening, and where another item settled it."""
    opening: bool = False
    """Of the filing or finding itself, which comes first."""
    reassigned: tuple[Reassigned, ...] = ()


def nodes(traces: Sequence[Trace]) -> list[Node]:
    """The history by nodes: the opening, each judgement, and the one under way."""
    found: list[Node] = []
    changes: list[Reassigned] = []
    before: Trace | None = None
    for trace in traces:
        if before is None:
            found.append(Node(trace.state, trace.user, trace.at, trace.remark, opening=True))
        elif trace.step in (AppealStep.PASS, AppealStep.BACK):
            passed = trace.step is AppealStep.PASS
            found.append(
                Node(before.state, trace.user, trace.at, trace.remark, passed, reassigned=tuple(changes))
            )
        elif trace.step is AppealStep.SETTLE and trace.state is AppealState.COMPLETED:
            found.append(Node(before.state, trace.user, trace.at, trace.remark, reassigned=tuple(changes)))
        elif trace.handler != before.handler:
            changes.append(Reassigned(trace.at, trace.user, before.handler, trace.handler))
        if before is None or trace.state is not before.state:
            changes, entered = [], trace.at
        before = trace
    if before is not None and before.state is not AppealState.COMPLETED:
        found.append(Node(before.state, before.handler, entered, reassigned=tuple(changes)))
    return found
