"""Appeals and problems: both grids, whole ways as transcripts, who may do what, and who sees what."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from sottovoce.domain.appeals import (
    GRIDS,
    HANDLERS,
    POOL,
    SIDES,
    AppealSight,
    AppealState,
    AppealStep,
    Involved,
    Kind,
    Node,
    QualityItem,
    Reassigned,
    Trace,
    assigned,
    check,
    check_assignment,
    check_handler,
    corrects,
    follow,
    judged,
    may,
    nodes,
    sight,
)
from sottovoce.domain.directory import AgentId, VdnId
from sottovoce.domain.people import GroupSide, ReviewId, Role, User, UserId
from sottovoce.domain.rights import Operation
from sottovoce.errors import Code, Refused

AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
AGENT = AgentId(101)
JUDGED = (AppealStep.PASS, AppealStep.BACK)
OPEN = [state for state in AppealState if state is not AppealState.COMPLETED]


def person(name: int, *roles: Role, agent: int | None = None, leads: tuple[int, ...] = ()) -> User:
    return User(
        UserId(str(name)),
        VdnId(1),
        f"User {name}",
        frozenset(roles),
        AgentId(agent) if agent is not None else None,
        frozenset(UserId(str(one)) for one in leads),
        frozenset({AGENT}) if 101 in leads else frozenset(),
    )


ANN = person(101, Role.STAFF, agent=101)
LEA = person(5, Role.TABLE_LEADER, leads=(101,))
TOM = person(6, Role.TABLE_DIRECTOR)
IDA = person(11, Role.INSPECTOR)
SAM = person(12, Role.INSPECTOR)
LEO = person(13, Role.QUALITY_LEADER, leads=(11, 12))
DORA = person(14, Role.QUALITY_DIRECTOR)
EVERYBODY = (ANN, LEA, TOM, IDA, SAM, LEO, DORA)


def item(
    kind: Kind = Kind.APPEAL,
    state: AppealState = AppealState.REVIEWING,
    handler: User | None = LEA,
    *,
    passed: bool | None = None,
) -> QualityItem:
    return QualityItem(
        item=ReviewId("16239231508327803347"),
        kind=kind,
        state=state,
        contact=7,
        agent=AGENT,
        initiator=ANN.user if kind is Kind.APPEAL else IDA.user,
        inspector=IDA.user,
        review_item=None,
        handler=handler.user if handler is not None else None,
        previous_handler=None,
        reason="",
        passed=passed,
        created_at=AT,
        updated_at=AT,
    )


def verdict(what: QualityItem, step: AppealStep, user: User, involved: Involved | None = None) -> str:
    try:
        check(what, step, user, involved or Involved())
    except Refused as declined:
        return declined.code.value
    return "may"


def test_what_is_completed_never_changes_and_nothing_is_opened_twice() -> None:
    for kind, grid in GRIDS.items():
        assert len(grid) == len(AppealState) * len(AppealStep)
        for step in AppealStep:
            assert grid[AppealState.COMPLETED, step] is Code.WRONG_STATE, kind
        for state in AppealState:
            assert grid[state, AppealStep.OPEN] is Code.WRONG_STATE, kind


def test_only_what_is_handled_is_corrected_and_an_assignment_leaves_the_state() -> None:
    for grid in GRIDS.values():
        assert [
            state for state in AppealState if isinstance(grid[state, AppealStep.REVISE], AppealState)
        ] == [AppealState.HANDLING]
        assert all(grid[state, AppealStep.ASSIGN] is state for state in OPEN)


def test_both_kinds_differ_in_the_first_judgement_alone() -> None:
    different = {key for key in GRIDS[Kind.APPEAL] if GRIDS[Kind.APPEAL][key] != GRIDS[Kind.PROBLEM][key]}
    assert different == {(AppealState.REVIEWING, AppealStep.PASS), (AppealState.REVIEWING, AppealStep.BACK)}


WALKS = {
    "an appeal that passes": (
        Kind.APPEAL,
        "Lea pass > handling; Leo assign Sam > handling Sam; Sam revise > handling Sam; "
        "Sam pass > verifying, to verify: passed; Dora pass > completed, passed",
    ),
    "an appeal that its leader sends back": (Kind.APPEAL, "Lea back > completed, not passed"),
    "an appeal that its handler sends back": (
        Kind.APPEAL,
        "Lea pass > handling; Dora back > verifying, to verify: not passed; Leo pass > completed, not passed",
    ),
    "an appeal that verification sends back": (
        Kind.APPEAL,
        "Lea pass > handling; Sam back > verifying, to verify: not passed; Dora back > handling Sam; "
        "Sam pass > verifying, to verify: passed; Leo pass > completed, passed",
    ),
    "a problem that is accepted": (Kind.PROBLEM, "Lea pass > completed, passed"),
    "a problem that is disputed with success": (
        Kind.PROBLEM,
        "Lea back > handling; Sam revise > handling; Sam back > verifying, to verify: not passed; "
        "Dora pass > completed, not passed",
    ),
    "a problem that is disputed in vain": (
        Kind.PROBLEM,
        "Tom back > handling; Dora pass > verifying, to verify: passed; Leo assign Dora > verifying Dora; "
        "Leo pass > completed, passed",
    ),
}
NAMES = {"Lea": LEA, "Leo": LEO, "Sam": SAM, "Dora": DORA, "Tom": TOM}


@pytest.mark.parametrize("name", WALKS)
def test_walk(name: str) -> None:
    """Each line: who does what (whom) > the state (its handler), and the conclusion."""
    kind, transcript = WALKS[name]
    now = item(kind)
    told = []
    for line in transcript.split("; "):
        who, step, *whom = line.split(" > ")[0].split()
        user = NAMES[who].user
        if step == "assign":
            now = assigned(now, NAMES[whom[0]].user, AT)
        elif step != "revise":
            former = now.previous_handler if now.state is AppealState.VERIFYING else None
            now = judged(now, AppealStep(step), user, AT, former)
            assert now.previous_handler == user
        else:
            assert follow(now, AppealStep.REVISE) is now.state
        handler = next((f" {name}" for name, one in NAMES.items() if one.user == now.handler), "")
        conclusion = {None: "", True: "passed", False: "not passed"}[now.passed]
        if conclusion and now.state is AppealState.VERIFYING and step != "assign":
            conclusion = f", to verify: {conclusion}"
        elif conclusion and now.state is AppealState.COMPLETED:
            conclusion = f", {conclusion}"
        else:
            conclusion = ""
        told.append(f"{' '.join([who, step, *whom])} > {now.state}{handler}{conclusion}")
    assert "; ".join(told) == transcript


TURNS = """
                    Ann       Lea       Tom       Sam       Leo       Dora
reviewing-  judge   no_right  no_right  may       no_right  no_right  no_right
reviewing-  assign  no_right  no_right  may       no_right  no_right  no_right
reviewingL  judge   no_right  may       may       no_right  no_right  no_right
reviewingL  assign  no_right  no_right  may       no_right  no_right  no_right
handling-   judge   no_right  no_right  no_right  no_right  may       may
handling-   assign  no_right  no_right  no_right  no_right  may       may
handling-   revise  no_right  no_right  no_right  no_right  may       may
handlingS   judge   no_right  no_right  no_right  may       no_right  may
handlingS   assign  no_right  no_right  no_right  no_right  may       may
handlingS   revise  no_right  no_right  no_right  may       no_right  no_right
handlingD   judge   no_right  no_right  no_right  no_right  no_right  may
handlingD   assign  no_right  no_right  no_right  no_right  no_right  may
handlingD   revise  no_right  no_right  no_right  no_right  no_right  may
verifying-  judge   no_right  no_right  no_right  no_right  may       may
verifying-  assign  no_right  no_right  no_right  no_right  may       may
verifyingO  judge   no_right  no_right  no_right  no_right  may       may
verifyingO  assign  no_right  no_right  no_right  no_right  may       may
"""


def test_whose_turn_it_is() -> None:
    """The letter behind the state is its handler's: `-` nobody, L Lea, S Sam, D Dora, O Leo."""
    head, *lines = [line.split() for line in TURNS.strip().splitlines()]
    people = {"Ann": ANN, **NAMES}
    letters = {"-": None, "L": LEA, "S": SAM, "D": DORA, "O": LEO}
    for kind in Kind:
        for where, what, *cells in lines:
            held = item(kind, AppealState(where[:-1]), letters[where[-1]])
            for step in JUDGED if what == "judge" else (AppealStep(what),):
                told = [verdict(held, step, people[name]) for name in head]
                assert told == cells, (kind, where, step)


def test_two_roles_reach_what_either_does_and_one_named_reaches_its_own_alone() -> None:
    both = person(20, Role.TABLE_DIRECTOR, Role.QUALITY_DIRECTOR)
    for state in OPEN:
        held = item(state=state, handler=None)
        for role in both.roles:
            allowed = may(held, AppealStep.PASS, both, Involved(), role)
            assert allowed is (role in HANDLERS[state])
        assert may(held, AppealStep.PASS, both, Involved())
    assert not may(
        item(state=AppealState.HANDLING, handler=None), AppealStep.PASS, both, Involved(), Role.INSPECTOR
    )


def test_a_leader_of_agents_assigns_nothing_on_the_quality_side_by_being_a_director_there() -> None:
    """The reach of a role on one side does not widen that of another on the other."""
    both = person(20, Role.TABLE_DIRECTOR, Role.QUALITY_LEADER, leads=(11,))
    held = item(state=AppealState.HANDLING, handler=None)
    check_assignment(held, both, IDA.user)
    with pytest.raises(Refused) as refusal:
        check_assignment(held, both, SAM.user)
    assert refusal.value.code is Code.NO_RIGHT


def test_who_gave_the_result_judges_and_corrects_nowhere() -> None:
    gave = Involved(givers=frozenset({LEO.user, LEA.user, SAM.user}))
    for kind, (state, handler) in itertools.product(
        Kind,
        (
            (AppealState.REVIEWING, LEA),
            (AppealState.HANDLING, SAM),
            (AppealState.HANDLING, None),
            (AppealState.VERIFYING, None),
        ),
    ):
        held = item(kind, state, handler)
        judge = LEO if handler is None else handler
        assert verdict(held, AppealStep.PASS, judge) == "may"
        for step in JUDGED:
            assert verdict(held, step, judge, gave) == "own_result"
        if state is AppealState.HANDLING:
            assert verdict(held, AppealStep.REVISE, judge, gave) == "own_result"
        with pytest.raises(Refused) as refusal:
            check_handler(held, judge, gave)
        assert refusal.value.code is Code.OWN_RESULT


def test_who_handled_does_not_verify() -> None:
    handled = Involved(handled=frozenset({LEO.user, DORA.user}))
    for user in (LEO, DORA):
        for step in JUDGED:
            assert (
                verdict(item(state=AppealState.VERIFYING, handler=None), step, user, handled) == "own_result"
            )
        assert (
            verdict(item(state=AppealState.HANDLING, handler=None), AppealStep.PASS, user, handled) == "may"
        )
        with pytest.raises(Refused) as refusal:
            check_handler(item(state=AppealState.VERIFYING, handler=None), user, handled)
        assert refusal.value.code is Code.OWN_RESULT


def test_nobody_judges_what_is_about_himself() -> None:
    agent = replace(ANN, roles=frozenset(Role))
    for kind, state in itertools.product(Kind, OPEN):
        assert verdict(item(kind, state, None), AppealStep.PASS, agent) == "own_result"
    finder = replace(IDA, roles=frozenset(Role))
    assert verdict(item(Kind.PROBLEM, AppealState.HANDLING, None), AppealStep.PASS, finder) == "own_result"


def test_who_can_be_the_handler() -> None:
    stranger = person(7, Role.TABLE_LEADER)
    fit = {
        AppealState.REVIEWING: {LEA, TOM},
        AppealState.HANDLING: {IDA, SAM, LEO, DORA},
        AppealState.VERIFYING: {LEO, DORA},
    }
    for state in OPEN:
        held = item(state=state, handler=None)
        for user in (*EVERYBODY, stranger, None):
            if user in fit[state]:
                check_handler(held, user, Involved())
            else:
                with pytest.raises(Refused, match=r"^handler: "):
                    check_handler(held, user, Involved())


def test_a_leader_assigns_themself_and_their_own_a_director_anybody() -> None:
    held = item(state=AppealState.HANDLING, handler=None)
    for user in (IDA, SAM, LEO):
        check_assignment(held, LEO, user.user)
    with pytest.raises(Refused) as refusal:
        check_assignment(held, LEO, DORA.user)
    assert refusal.value.code is Code.NO_RIGHT
    check_assignment(held, DORA, LEO.user)


def test_a_step_after_another_is_a_lost_race_only_if_it_was_possible_before() -> None:
    done = item(state=AppealState.COMPLETED, handler=None)
    for seen, code in ((AppealState.HANDLING, Code.LOST_RACE), (None, Code.WRONG_STATE)):
        with pytest.raises(Refused) as refusal:
            follow(done, AppealStep.PASS, seen)
        assert refusal.value.code is code
    with pytest.raises(Refused) as refusal:
        follow(done, AppealStep.REVISE, AppealState.VERIFYING)
    assert refusal.value.code is Code.WRONG_STATE


def test_corrections_go_with_an_appeal_passed_and_a_problem_sent_back() -> None:
    told = {(kind, step) for kind, step in itertools.product(Kind, JUDGED) if corrects(kind, step)}
    assert told == {(Kind.APPEAL, AppealStep.PASS), (Kind.PROBLEM, AppealStep.BACK)}


def test_every_open_state_has_its_side_its_handlers_and_its_pool() -> None:
    assert set(SIDES) == set(HANDLERS) == set(POOL) == set(OPEN)
    for state in OPEN:
        assert POOL[state] <= HANDLERS[state]
    assert [state for state in OPEN if SIDES[state] is GroupSide.TABLE] == [AppealState.REVIEWING]


def test_what_each_sees() -> None:
    query = Operation.QUERY_QUALITY_ITEMS
    waiting = frozenset({AppealState.HANDLING, AppealState.VERIFYING})
    assert sight(DORA, query) == sight(TOM, query) == AppealSight(everything=True)
    assert sight(LEO, query) == AppealSight(people=frozenset({LEO.user, IDA.user, SAM.user}), pool=waiting)
    assert sight(IDA, query) == AppealSight(people=frozenset({IDA.user}))
    assert sight(LEA, query) == AppealSight(people=frozenset({LEA.user}), agents=frozenset({AGENT}))
    assert sight(ANN, query) == AppealSight(people=frozenset({ANN.user}), agents=frozenset({AGENT}))
    with pytest.raises(Refused):
        sight(person(30), query)
    with pytest.raises(Refused):
        sight(ANN, query, Role.TABLE_DIRECTOR)


def trace(
    number: int, user: User, step: AppealStep, state: AppealState, handler: User | None, remark: str = ""
) -> Trace:
    at = AT + timedelta(minutes=number)
    return Trace(number, at, user.user, step, state, handler.user if handler else None, remark)


def test_the_history_by_nodes() -> None:
    told = nodes(
        [
            trace(1, ANN, AppealStep.OPEN, AppealState.REVIEWING, LEA, "wrong"),
            trace(2, TOM, AppealStep.ASSIGN, AppealState.REVIEWING, TOM),
            trace(3, TOM, AppealStep.PASS, AppealState.HANDLING, None, "look"),
            trace(4, LEO, AppealStep.ASSIGN, AppealState.HANDLING, IDA),
            trace(5, LEO, AppealStep.ASSIGN, AppealState.HANDLING, SAM),
            trace(6, SAM, AppealStep.REVISE, AppealState.HANDLING, SAM, "was kept"),
            trace(7, SAM, AppealStep.PASS, AppealState.VERIFYING, None, "so"),
        ]
    )

    def at(number: int) -> datetime:
        return AT + timedelta(minutes=number)

    assert told == [
        Node(AppealState.REVIEWING, ANN.user, at(1), "wrong", opening=True),
        Node(
            AppealState.REVIEWING,
            TOM.user,
            at(3),
            "look",
            passed=True,
            reassigned=(Reassigned(at(2), TOM.user, LEA.user, TOM.user),),
        ),
        Node(
            AppealState.HANDLING,
            SAM.user,
            at(7),
            "so",
            passed=True,
            reassigned=(
                Reassigned(at(4), LEO.user, None, IDA.user),
                Reassigned(at(5), LEO.user, IDA.user, SAM.user),
            ),
        ),
        Node(AppealState.VERIFYING, None, at(7)),
    ]


def test_a_completed_history_has_no_node_under_way() -> None:
    told = nodes(
        [
            trace(1, ANN, AppealStep.OPEN, AppealState.REVIEWING, LEA),
            trace(2, LEA, AppealStep.BACK, AppealState.COMPLETED, None),
        ]
    )
    assert [(node.opening, node.passed) for node in told] == [(True, None), (False, False)]
    assert nodes([]) == []
