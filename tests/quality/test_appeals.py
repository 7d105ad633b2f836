"""Appeals and problems in the database: their ways, races, who is kept out, and what stays on record."""

from __future__ import annotations

import asyncio
import random

import pytest
import sqlalchemy as sa
from tests.quality.asking import asked
from tests.quality.disputes import (
    SCENARIO,
    appeal,
    at_once,
    correct,
    disputed_call,
    history_of,
    inspected,
    outcome,
    placed,
    problem,
    state_of,
    step,
    violated,
)
from tests.quality.inspected import versions_of
from tests.quality.standing import (
    ANN,
    BEN,
    CEM,
    DIRECTOR,
    FOREIGN,
    INSPECTOR,
    LEADER,
    NOW,
    ONE,
    PLAIN,
    SECOND,
    TABLE_DIRECTOR,
    TABLE_LEADER,
    THIRD,
    TWO,
    Standing,
)
from tests.storage.works import work_of

from sottovoce.domain.appeals import (
    GRIDS,
    AppealState,
    AppealStep,
    Chosen,
    Kind,
    QualityItem,
    WantedItems,
    corrects,
)
from sottovoce.domain.people import ReviewId, Role, UserId
from sottovoce.domain.scoring import Verdict
from sottovoce.errors import Refused
from sottovoce.quality import appeals
from sottovoce.quality.results import scores_of
from sottovoce.storage import audit
from sottovoce.storage.tables import group_members, users
from sottovoce.storage.tables import quality_items as item_rows


async def told(standing: Standing, item: ReviewId) -> list[str]:
    """The history as lines: number, who, what > state."""
    names = {
        ANN: "Ann",
        INSPECTOR: "Ida",
        SECOND: "Sam",
        DIRECTOR: "Dora",
        LEADER: "Leo",
        TABLE_LEADER: "Lea",
        TABLE_DIRECTOR: "Tom",
        None: "-",
    }
    return [
        f"{trace.number} {names[trace.user]} {trace.step} > {trace.state} {names[trace.handler]}"
        for trace in await history_of(standing, item)
    ]


async def manual_score(standing: Standing, contact: int) -> int | None:
    async with standing.engine.begin() as connection:
        (scores,) = await scores_of(work_of(connection, ONE), contact)
    return None if scores.manual is None else int(scores.manual.score.score)


async def disable(standing: Standing, user: UserId) -> None:
    async with standing.engine.begin() as connection:
        await connection.execute(sa.update(users).where(users.c.user == user).values(disabled_at=NOW))


async def test_an_appeal_that_passes_corrects_and_stays_on_record(standing: Standing) -> None:
    contact, (first, _) = await disputed_call(standing)
    item = await appeal(standing, contact, [first])
    await step(standing, item, TABLE_LEADER, AppealStep.PASS, remark="listen again")
    await step(standing, item, LEADER, AppealStep.ASSIGN, SECOND)
    await correct(standing, item, SECOND, first)
    await step(standing, item, SECOND, AppealStep.PASS)
    assert await manual_score(standing, contact) is None, (
        "a correction is a draft until the appeal is granted"
    )
    for user, verdict in ((SECOND, Verdict.KEPT), (DIRECTOR, Verdict.KEPT), (ANN, Verdict.VIOLATED)):
        about = await asked(appeals.show, standing.office, await standing.caller(user), item)
        assert [one.final for one in about.results] == [verdict]
    await step(standing, item, DIRECTOR, AppealStep.PASS)
    assert await told(standing, item) == [
        "1 Ann open > reviewing Lea",
        "2 Lea pass > handling -",
        "3 Leo assign > handling Sam",
        "4 Sam revise > handling Sam",
        "5 Sam pass > verifying -",
        "6 Dora pass > completed -",
    ]
    done = await state_of(standing, item)
    assert (done.passed, done.handler, done.previous_handler) == (True, None, DIRECTOR)
    assert await manual_score(standing, contact) == 90
    entries = [entry for entry in await audit.read(standing.engine, ONE) if entry.target == item]
    assert [entry.action for entry in entries] == [
        f"quality_item.{what}" for what in ("open", "pass", "assign", "revise", "pass", "pass")
    ]
    assert [entry.detail["number"] for entry in entries] == [1, 2, 3, 4, 5, 6]
    assert (await audit.verify(standing.engine, ONE)).broken == 0


async def granted(standing: Standing, item: ReviewId, result: str) -> None:
    """An appeal from its leader to its granted end, one result corrected."""
    await step(standing, item, TABLE_LEADER, AppealStep.PASS)
    await step(standing, item, LEADER, AppealStep.ASSIGN, SECOND)
    await correct(standing, item, SECOND, result)
    await step(standing, item, SECOND, AppealStep.PASS)
    await step(standing, item, DIRECTOR, AppealStep.PASS)


async def test_after_a_granted_appeal_its_problem_cannot_be_accepted(standing: Standing) -> None:
    """It is completed with the appeal, not upheld; its history and the audit say by what."""
    contact, (first, second) = await disputed_call(standing)
    found, other = await problem(standing, contact, [first]), await problem(standing, contact, [second])
    item = await appeal(standing, contact, [first])
    await granted(standing, item, first)
    settled = await state_of(standing, found)
    assert (settled.state, settled.passed, settled.handler) == (AppealState.COMPLETED, False, None)
    last = (await history_of(standing, found))[-1]
    assert (last.step, last.user, last.remark) == (
        AppealStep.SETTLE,
        DIRECTOR,
        f"decided by the appeal {item}: {first}",
    )
    accepted = step(standing, found, TABLE_LEADER, AppealStep.PASS)
    assert await outcome(accepted) == "wrong_state"
    assert (await state_of(standing, other)).state is AppealState.REVIEWING
    (entry,) = [one for one in await audit.read(standing.engine, ONE) if one.action == "quality_item.settle"]
    assert (entry.target, entry.detail["remark"]) == (found, last.remark)
    caller = await standing.caller(TABLE_LEADER)
    told = (await asked(appeals.history, standing.office, caller, found)).nodes
    assert [(node.opening, node.passed) for node in told] == [(True, None), (False, None)]


async def test_accepting_a_problem_turns_its_appeal_down_and_another_may_follow(standing: Standing) -> None:
    contact, (first, _) = await disputed_call(standing)
    item, found = await appeal(standing, contact, [first]), await problem(standing, contact, [first])
    await step(standing, item, TABLE_LEADER, AppealStep.PASS)
    await step(standing, found, TABLE_LEADER, AppealStep.PASS)
    settled = await state_of(standing, item)
    assert (settled.state, settled.passed) == (AppealState.COMPLETED, False)
    assert await appeal(standing, contact, [first]) != item


async def test_a_problem_about_more_goes_on_about_the_rest(standing: Standing) -> None:
    """What the appeal decided is corrected no more; with the last result decided the problem is over."""
    contact, (first, second) = await disputed_call(standing)
    found = await problem(standing, contact, [first, second])
    await step(standing, found, TABLE_LEADER, AppealStep.BACK)
    await granted(standing, await appeal(standing, contact, [first]), first)
    assert (await state_of(standing, found)).state is AppealState.HANDLING
    assert await outcome(correct(standing, found, LEADER, first)) == "wrong_state"
    turned_down = await appeal(standing, contact, [second])
    await correct(standing, found, LEADER, second)
    down = step(standing, turned_down, TABLE_LEADER, AppealStep.BACK)
    assert await outcome(down) == "wrong_state", "a correction of it stands"
    await correct(standing, found, LEADER, second, kept=False)
    await step(standing, turned_down, TABLE_LEADER, AppealStep.BACK)
    settled = await state_of(standing, found)
    assert (settled.state, settled.passed) == (AppealState.COMPLETED, True)


@pytest.mark.parametrize("accepted", [True, False])
async def test_of_two_problems_about_one_result_the_second_ends_as_the_first(
    standing: Standing, accepted: bool
) -> None:
    """From two tasks: once a violation was found to be none, nobody can accept it any more."""
    contact, (result, more) = await disputed_call(standing)
    first, second = (
        await problem(standing, contact, [result]),
        await problem(standing, contact, [result], by=THIRD),
    )
    wider = await problem(standing, contact, [result, more], by=THIRD)
    if accepted:
        await step(standing, first, TABLE_LEADER, AppealStep.PASS)
    else:
        await step(standing, first, TABLE_LEADER, AppealStep.BACK)
        await step(standing, first, LEADER, AppealStep.ASSIGN, SECOND)
        await correct(standing, first, SECOND, result)
        await step(standing, first, SECOND, AppealStep.BACK)
        await step(standing, first, DIRECTOR, AppealStep.PASS)
    for item in (first, second):
        ended = await state_of(standing, item)
        assert (ended.state, ended.passed) == (AppealState.COMPLETED, accepted)
    assert (await history_of(standing, second))[-1].remark == f"decided by the problem {first}: {result}"
    assert (await state_of(standing, wider)).state is AppealState.REVIEWING
    with pytest.raises(Refused, match="the problem is completed"):
        await step(standing, second, TABLE_LEADER, AppealStep.PASS)


async def test_of_an_appeal_and_its_problem_closed_at_once_one_is_settled(standing: Standing) -> None:
    contact, (first, _) = await disputed_call(standing)
    item, found = await appeal(standing, contact, [first]), await problem(standing, contact, [first])
    told = await asyncio.gather(
        outcome(step(standing, item, TABLE_LEADER, AppealStep.BACK)),
        outcome(step(standing, found, TABLE_LEADER, AppealStep.PASS)),
    )
    assert sorted(told)[0] == "done"
    assert sorted(told)[1] in ("lost_race", "wrong_state")
    both = [await state_of(standing, one) for one in (item, found)]
    assert [(one.state, one.passed) for one in both] == [
        (AppealState.COMPLETED, False),
        (AppealState.COMPLETED, True),
    ]


async def test_verification_sends_back_to_who_handled_it(standing: Standing) -> None:
    contact, (first, _) = await disputed_call(standing)
    item = await appeal(standing, contact, [first])
    await step(standing, item, TABLE_LEADER, AppealStep.PASS)
    await step(standing, item, LEADER, AppealStep.ASSIGN, SECOND)
    await step(standing, item, SECOND, AppealStep.BACK)
    assert (await state_of(standing, item)).passed is False
    await step(standing, item, DIRECTOR, AppealStep.BACK)
    back = await state_of(standing, item)
    assert (back.state, back.handler, back.previous_handler, back.passed) == (
        AppealState.HANDLING,
        SECOND,
        DIRECTOR,
        None,
    )
    await correct(standing, item, SECOND, first)
    await step(standing, item, SECOND, AppealStep.PASS)
    await step(standing, item, LEADER, AppealStep.PASS)
    assert (await state_of(standing, item)).passed is True


async def test_a_handler_who_left_meanwhile_does_not_get_it_back(standing: Standing) -> None:
    item, _ = await placed(standing, Kind.APPEAL, AppealState.HANDLING, SECOND)
    await step(standing, item.item, SECOND, AppealStep.PASS)
    await disable(standing, SECOND)
    await step(standing, item.item, DIRECTOR, AppealStep.BACK)
    assert (await state_of(standing, item.item)).handler is None


@pytest.mark.parametrize(
    ("kind", "against"), [(Kind.APPEAL, AppealStep.BACK), (Kind.PROBLEM, AppealStep.PASS)]
)
async def test_no_conclusion_against_corrections_that_stand(
    standing: Standing, kind: Kind, against: AppealStep
) -> None:
    item, (first, second) = await placed(standing, kind, AppealState.HANDLING, SECOND)
    await correct(standing, item.item, SECOND, first)
    assert await outcome(step(standing, item.item, SECOND, against)) == "wrong_state"
    await correct(standing, item.item, SECOND, second, kept=False)
    await correct(standing, item.item, SECOND, first, kept=False)
    await step(standing, item.item, SECOND, against)
    assert [version.kept for version in await versions_of(standing, first)] == [True, False]
    await step(standing, item.item, DIRECTOR, AppealStep.PASS)
    assert (await state_of(standing, item.item)).passed is (kind is Kind.PROBLEM)
    assert await manual_score(standing, item.contact) is None, "what was corrected back never counts"


async def test_what_was_corrected_before_an_item_is_what_its_corrections_are_measured_by(
    standing: Standing,
) -> None:
    """A result that an earlier item made kept: to violate it and keep it again leaves nothing corrected."""
    earlier, (result, _) = await placed(standing, Kind.APPEAL, AppealState.HANDLING, SECOND)
    await correct(standing, earlier.item, SECOND, result)
    await step(standing, earlier.item, SECOND, AppealStep.PASS)
    await step(standing, earlier.item, DIRECTOR, AppealStep.PASS)
    item = await appeal(standing, earlier.contact, [result])
    await step(standing, item, TABLE_LEADER, AppealStep.PASS)
    await correct(standing, item, LEADER, result, kept=False)
    assert await outcome(step(standing, item, LEADER, AppealStep.BACK)) == "wrong_state"
    await correct(standing, item, LEADER, result)
    assert await outcome(step(standing, item, LEADER, AppealStep.BACK)) == "done"


async def test_a_result_nobody_evaluated_counts_as_kept(standing: Standing) -> None:
    contact = await standing.contact()
    results = await violated(standing, contact, verdict=Verdict.NOT_EVALUATED)
    item = await appeal(standing, contact, results)
    await step(standing, item, TABLE_LEADER, AppealStep.PASS)
    await correct(standing, item, LEADER, results[0])
    assert await outcome(step(standing, item, LEADER, AppealStep.BACK)) == "done"


async def test_who_corrects_what_nobody_handles_takes_it(standing: Standing) -> None:
    item, (first, second) = await placed(standing, Kind.APPEAL, AppealState.HANDLING, None)
    await correct(standing, item.item, LEADER, first)
    assert (await state_of(standing, item.item)).handler == LEADER
    assert await outcome(correct(standing, item.item, DIRECTOR, second)) == "no_right"


async def test_a_correction_is_of_a_result_that_the_item_is_about(standing: Standing) -> None:
    contact, (first, second) = await disputed_call(standing)
    item = await appeal(standing, contact, [first])
    await step(standing, item, TABLE_LEADER, AppealStep.PASS)
    assert await outcome(correct(standing, item, LEADER, second)) == "not_found"
    assert await versions_of(standing, second) == []


async def test_who_gave_the_result_is_kept_out_everywhere(standing: Standing) -> None:
    """The inspector of a finished review, and whoever revised a result in an earlier item."""
    contact, (first, _) = await disputed_call(standing)
    await inspected(standing, contact, SECOND)
    earlier = await appeal(standing, contact, [first])
    assert (await state_of(standing, earlier)).inspector == SECOND
    await step(standing, earlier, TABLE_LEADER, AppealStep.PASS)
    assert await outcome(step(standing, earlier, LEADER, AppealStep.ASSIGN, SECOND)) == "own_result"
    await correct(standing, earlier, LEADER, first)
    await step(standing, earlier, LEADER, AppealStep.PASS)
    await step(standing, earlier, DIRECTOR, AppealStep.PASS)
    item = await appeal(standing, contact, [first])
    await step(standing, item, TABLE_LEADER, AppealStep.PASS)
    assert await outcome(step(standing, item, LEADER, AppealStep.PASS)) == "own_result"
    assert await outcome(correct(standing, item, LEADER, first)) == "own_result"
    assert await outcome(step(standing, item, DIRECTOR, AppealStep.ASSIGN, LEADER)) == "own_result"
    assert await outcome(step(standing, item, DIRECTOR, AppealStep.ASSIGN, THIRD)) == "done"


async def test_who_handled_does_not_verify_even_if_they_only_corrected(standing: Standing) -> None:
    item, (first, _) = await placed(standing, Kind.APPEAL, AppealState.HANDLING, LEADER)
    await correct(standing, item.item, LEADER, first)
    await step(standing, item.item, DIRECTOR, AppealStep.ASSIGN, SECOND)
    await step(standing, item.item, SECOND, AppealStep.PASS)
    assert await outcome(step(standing, item.item, LEADER, AppealStep.PASS)) == "own_result"
    assert await outcome(step(standing, item.item, DIRECTOR, AppealStep.ASSIGN, LEADER)) == "own_result"
    assert await outcome(step(standing, item.item, DIRECTOR, AppealStep.PASS)) == "done"


async def test_the_director_who_judged_for_the_handler_does_not_verify(standing: Standing) -> None:
    item, _ = await placed(standing, Kind.PROBLEM, AppealState.HANDLING, SECOND)
    await step(standing, item.item, DIRECTOR, AppealStep.BACK)
    assert await outcome(step(standing, item.item, DIRECTOR, AppealStep.PASS)) == "own_result"
    assert await outcome(step(standing, item.item, LEADER, AppealStep.PASS)) == "done"


ASSIGNMENTS = [
    (AppealState.REVIEWING, TABLE_DIRECTOR, TABLE_DIRECTOR, "done"),
    (AppealState.REVIEWING, TABLE_DIRECTOR, INSPECTOR, "bad_parameter"),
    (AppealState.REVIEWING, TABLE_DIRECTOR, ANN, "bad_parameter"),
    (AppealState.REVIEWING, TABLE_LEADER, TABLE_DIRECTOR, "no_right"),
    (AppealState.REVIEWING, DIRECTOR, TABLE_DIRECTOR, "no_right"),
    (AppealState.HANDLING, DIRECTOR, THIRD, "done"),
    (AppealState.HANDLING, DIRECTOR, DIRECTOR, "done"),
    (AppealState.HANDLING, DIRECTOR, TABLE_DIRECTOR, "bad_parameter"),
    (AppealState.HANDLING, DIRECTOR, PLAIN, "bad_parameter"),
    (AppealState.HANDLING, DIRECTOR, FOREIGN, "bad_parameter"),
    (AppealState.HANDLING, DIRECTOR, UserId("1"), "bad_parameter"),
    (AppealState.HANDLING, LEADER, INSPECTOR, "done"),
    (AppealState.HANDLING, LEADER, LEADER, "done"),
    (AppealState.HANDLING, LEADER, THIRD, "no_right"),
    (AppealState.HANDLING, LEADER, DIRECTOR, "no_right"),
    (AppealState.HANDLING, TABLE_DIRECTOR, INSPECTOR, "no_right"),
    (AppealState.VERIFYING, DIRECTOR, LEADER, "done"),
    (AppealState.VERIFYING, DIRECTOR, INSPECTOR, "bad_parameter"),
    (AppealState.COMPLETED, DIRECTOR, INSPECTOR, "wrong_state"),
]


async def test_who_can_be_assigned_by_whom(standing: Standing) -> None:
    for state, by, whom, expected in ASSIGNMENTS:
        handler = TABLE_LEADER if state is AppealState.REVIEWING else None
        item, _ = await placed(standing, Kind.APPEAL, state, handler)
        assert await outcome(step(standing, item.item, by, AppealStep.ASSIGN, whom)) == expected, (
            state,
            by,
            whom,
        )
        assert (await state_of(standing, item.item)).handler == (whom if expected == "done" else handler)
    await disable(standing, SECOND)
    item, _ = await placed(standing, Kind.APPEAL, AppealState.HANDLING, None)
    assert await outcome(step(standing, item.item, LEADER, AppealStep.ASSIGN, SECOND)) == "bad_parameter"


async def test_an_appeal_is_against_ones_own_call_to_ones_own_leader(standing: Standing) -> None:
    contact, (first, second) = await disputed_call(standing)
    elsewhere, (other, _) = await disputed_call(standing, 102)
    foreign, _ = await disputed_call(standing, 201, vdn=TWO)
    caller = await standing.caller(ANN)

    async def file(call: int, results: list[str], leader: UserId, scenario: str = SCENARIO) -> None:
        await asked(
            appeals.file_appeal,
            standing.office,
            caller,
            call=str(call),
            chosen=[Chosen(scenario, tuple(results))],
            leader=leader,
            reason="",
        )

    for call in (elsewhere, foreign, 10**12):
        assert await outcome(file(call, [first], TABLE_LEADER)) == "not_found"
    for leader in (LEADER, INSPECTOR, BEN, ANN, PLAIN, FOREIGN, UserId("1")):
        with pytest.raises(Refused, match=r"^handler: "):
            await file(contact, [first], leader)
    for results in ([], [other], [first, "silenceRule"]):
        with pytest.raises(Refused, match=r"^chosen"):
            await file(contact, results, TABLE_LEADER)
    with pytest.raises(Refused, match=r"^chosen"):
        await file(contact, [first], TABLE_LEADER, "groupid_another")
    cem_call, (cems, _) = await disputed_call(standing, 103)
    with pytest.raises(Refused, match=r"^handler: "):
        await appeal(standing, cem_call, [cems], agent=CEM)
    await disable(standing, TABLE_LEADER)
    with pytest.raises(Refused, match=r"^handler: "):
        await file(contact, [first], TABLE_LEADER)
    async with standing.engine.begin() as connection:
        assert (await connection.execute(sa.select(sa.func.count()).select_from(item_rows))).scalar() == 0
    await file(contact, [first, second, first], TABLE_DIRECTOR)


async def test_who_only_has_the_agent_inspected_is_no_leader_to_appeal_to(standing: Standing) -> None:
    contact, results = await disputed_call(standing)
    async with standing.engine.begin() as connection:
        both = [Role.TABLE_LEADER, Role.QUALITY_LEADER]
        await connection.execute(sa.update(users).where(users.c.user == LEADER).values(roles=both))
        of = (group_members.c.user == LEADER) & (group_members.c.name == "Agents")
        await connection.execute(sa.update(group_members).where(of).values(inspects=True))
    with pytest.raises(Refused, match="does not lead agent 101"):
        await appeal(standing, contact, results, leader=LEADER)
    item = await appeal(standing, contact, results)
    with pytest.raises(Refused, match="there is no such appeal"):
        await step(standing, item, LEADER, AppealStep.PASS)


async def test_a_leader_who_gave_the_result_is_not_appealed_to(standing: Standing) -> None:
    contact, (first, _) = await disputed_call(standing)
    async with standing.engine.begin() as connection:
        roles = [Role.TABLE_LEADER.value, Role.INSPECTOR.value]
        await connection.execute(sa.update(users).where(users.c.user == TABLE_LEADER).values(roles=roles))
    await inspected(standing, contact, TABLE_LEADER)
    assert await outcome(appeal(standing, contact, [first])) == "own_result"
    assert await outcome(appeal(standing, contact, [first], leader=TABLE_DIRECTOR)) == "done"


async def test_one_appeal_at_a_time_and_another_afterwards(standing: Standing) -> None:
    contact, results = await disputed_call(standing)
    filed = await asyncio.gather(*(outcome(appeal(standing, contact, results)) for _ in range(6)))
    assert sorted(filed) == ["done"] + ["wrong_state"] * 5
    async with standing.engine.begin() as connection:
        (item,) = (await connection.execute(sa.select(item_rows.c.quality_item))).scalars()
    assert await told(standing, ReviewId(item)) == ["1 Ann open > reviewing Lea"]
    elsewhere, others = await disputed_call(standing)
    assert await outcome(appeal(standing, elsewhere, others)) == "done"
    assert await outcome(problem(standing, contact, results)) == "done"
    await step(standing, ReviewId(item), TABLE_LEADER, AppealStep.BACK)
    assert await outcome(appeal(standing, contact, results)) == "done"


async def test_of_two_who_judge_at_once_one_does(standing: Standing) -> None:
    """The second had this step in mind, not the next: it does not become a verification."""
    for what in (AppealStep.PASS, AppealStep.BACK):
        item, _ = await placed(standing, Kind.APPEAL, AppealState.HANDLING, SECOND)
        both = [step(standing, item.item, user, what) for user in (SECOND, DIRECTOR)]
        assert sorted(await at_once(standing, item.item, *both)) == ["done", "lost_race"]
        assert (await state_of(standing, item.item)).state is AppealState.VERIFYING
        assert [trace.step for trace in await history_of(standing, item.item)] == [AppealStep.OPEN, what]


async def test_judging_what_is_assigned_or_corrected_at_the_same_moment(standing: Standing) -> None:
    for _ in range(3):
        item, (first, _) = await placed(standing, Kind.APPEAL, AppealState.HANDLING, SECOND)
        outcomes = await at_once(
            standing,
            item.item,
            step(standing, item.item, SECOND, AppealStep.BACK),
            step(standing, item.item, LEADER, AppealStep.ASSIGN, INSPECTOR),
            correct(standing, item.item, SECOND, first),
        )
        assert outcomes.count("done") == 1
        assert set(outcomes) == {"done", "lost_race"}
        assert len(await history_of(standing, item.item)) == 2


async def test_two_corrections_at_once_both_count(standing: Standing) -> None:
    item, (first, second) = await placed(standing, Kind.APPEAL, AppealState.HANDLING, SECOND)
    corrections = [correct(standing, item.item, SECOND, result) for result in (first, second, first)]
    assert await at_once(standing, item.item, *corrections) == ["done"] * 3
    assert [version.version for version in await versions_of(standing, first)] == [1, 2]
    assert [trace.number for trace in await history_of(standing, item.item)] == [1, 2, 3, 4]
    for user in (SECOND, DIRECTOR):
        await step(standing, item.item, user, AppealStep.PASS)
    assert await manual_score(standing, item.contact) == 100


async def test_a_problem_is_at_the_agents_leader_or_at_the_directors(standing: Standing) -> None:
    contact, results = await disputed_call(standing)
    item = await state_of(standing, await problem(standing, contact, results))
    assert (item.handler, item.inspector, item.initiator) == (TABLE_LEADER, INSPECTOR, INSPECTOR)
    await disable(standing, TABLE_LEADER)
    for agent in (101, 103):
        contact, results = await disputed_call(standing, agent)
        item = await state_of(standing, await problem(standing, contact, results, agent=agent))
        assert item.handler is None
        assert await outcome(step(standing, item.item, TABLE_DIRECTOR, AppealStep.PASS)) == "done"


async def test_a_disputed_problem_is_not_its_finders_to_judge(standing: Standing) -> None:
    contact, results = await disputed_call(standing)
    item = await problem(standing, contact, results)
    await step(standing, item, TABLE_LEADER, AppealStep.BACK)
    assert await outcome(step(standing, item, LEADER, AppealStep.ASSIGN, INSPECTOR)) == "own_result"
    await step(standing, item, LEADER, AppealStep.ASSIGN, SECOND)
    await correct(standing, item, SECOND, results[0])
    await step(standing, item, SECOND, AppealStep.BACK)
    await step(standing, item, LEADER, AppealStep.PASS)
    assert (await state_of(standing, item)).passed is False
    assert await manual_score(standing, contact) == 90


async def test_what_is_not_ones_own_to_see_is_unknown(standing: Standing) -> None:
    contact, results = await disputed_call(standing)
    item = await appeal(standing, contact, results)
    await step(standing, item, TABLE_LEADER, AppealStep.PASS)
    await step(standing, item, LEADER, AppealStep.ASSIGN, SECOND)
    sees = {ANN, TABLE_LEADER, TABLE_DIRECTOR, SECOND, LEADER, DIRECTOR}
    for user in (ANN, BEN, CEM, TABLE_LEADER, TABLE_DIRECTOR, INSPECTOR, SECOND, THIRD, LEADER, DIRECTOR):
        caller = await standing.caller(user)
        expected = "done" if user in sees else "not_found"
        for show in (appeals.show, appeals.scores, appeals.history):
            assert await outcome(asked(show, standing.office, caller, item)) == expected, user
        found = await asked(appeals.listing, standing.office, caller, WantedItems(), page=1, rows=10)
        assert [listed.item.item for listed in found.items] == ([item] if user in sees else [])
        assert found.total == len(found.items)
    foreign = await standing.caller(FOREIGN, TWO)
    assert await outcome(asked(appeals.show, standing.office, foreign, item)) == "not_found"
    for caller in (await standing.caller(THIRD), foreign):
        judged = asked(appeals.judge, standing.office, caller, item, AppealStep.PASS)
        assert await outcome(judged) == "not_found"
    # Who had it once goes on seeing it.
    await step(standing, item, LEADER, AppealStep.ASSIGN, INSPECTOR)
    assert await outcome(step(standing, item, SECOND, AppealStep.PASS)) == "not_found"
    await step(standing, item, INSPECTOR, AppealStep.PASS)
    assert await outcome(step(standing, item, INSPECTOR, AppealStep.PASS)) == "no_right"


async def test_what_can_be_done_is_what_is_shown(standing: Standing) -> None:
    contact, results = await disputed_call(standing)
    item = await appeal(standing, contact, results)

    async def shown(user: UserId) -> str:
        history = await asked(appeals.history, standing.office, await standing.caller(user), item)
        flags = {"judge": history.can_judge, "assign": history.can_assign, "return": history.can_return}
        return " ".join(name for name, can in flags.items() if can)

    assert [await shown(user) for user in (ANN, TABLE_LEADER, TABLE_DIRECTOR, DIRECTOR)] == [
        "",
        "judge",
        "judge assign",
        "",
    ]
    await step(standing, item, TABLE_LEADER, AppealStep.PASS)
    assert [await shown(user) for user in (LEADER, DIRECTOR)] == ["judge assign", "judge assign"]
    await step(standing, item, LEADER, AppealStep.ASSIGN, SECOND)
    await step(standing, item, SECOND, AppealStep.PASS)
    await step(standing, item, DIRECTOR, AppealStep.BACK)
    await step(standing, item, LEADER, AppealStep.ASSIGN, INSPECTOR)
    # Who judged last was the director: who may take it, but no leader may give it to them.
    assert await shown(DIRECTOR) == "judge assign return"
    assert await shown(LEADER) == "assign"
    assert await shown(SECOND) == ""
    assert await shown(INSPECTOR) == "judge"


async def test_a_random_history_follows_the_grids(standing: Standing) -> None:
    """Eight people at once, whatever they think of: the history replays, and nobody judged their own."""
    chance = random.Random(7)
    made = []
    for kind in Kind:
        for state, handler in ((AppealState.REVIEWING, TABLE_LEADER), (AppealState.HANDLING, None)):
            made.append(await placed(standing, kind, state, handler))
    people = (TABLE_LEADER, TABLE_DIRECTOR, INSPECTOR, SECOND, THIRD, LEADER, DIRECTOR, ANN)
    callers = {user: await standing.caller(user) for user in people}

    async def somebody(user: UserId) -> None:
        for _ in range(15):
            item, results = chance.choice(made)
            match chance.choice(
                [one for one in AppealStep if one not in (AppealStep.OPEN, AppealStep.SETTLE)]
            ):
                case AppealStep.ASSIGN:
                    whom = chance.choice(people)
                    await outcome(asked(appeals.assign, standing.office, callers[user], item.item, whom))
                case AppealStep.REVISE:
                    result, kept = chance.choice(results), chance.random() < 0.5
                    await outcome(
                        asked(
                            appeals.revise,
                            standing.office,
                            callers[user],
                            item.item,
                            result=result,
                            kept=kept,
                            remark="so",
                        )
                    )
                case judgement:
                    await outcome(asked(appeals.judge, standing.office, callers[user], item.item, judgement))

    await asyncio.gather(*(somebody(user) for user in people))
    for item, results in made:
        await _replay(standing, item, results)
    assert (await audit.verify(standing.engine, ONE)).broken == 0


async def _replay(standing: Standing, item: QualityItem, results: list[str]) -> None:
    first, *traces = await history_of(standing, item.item)
    assert [trace.number for trace in (first, *traces)] == list(range(1, len(traces) + 2))
    state, handlers, concluded, passed = item.state, set[UserId](), AppealStep.OPEN, None
    for trace in traces:
        after = GRIDS[item.kind][state, trace.step]
        assert trace.state is after
        if (
            trace.step in (AppealStep.PASS, AppealStep.BACK, AppealStep.REVISE)
            and state is AppealState.HANDLING
        ):
            handlers.add(trace.user)
        if trace.step in (AppealStep.PASS, AppealStep.BACK):
            assert state is not AppealState.VERIFYING or trace.user not in handlers
            if state is AppealState.HANDLING:
                concluded = trace.step
            if after is AppealState.COMPLETED:
                passed = (concluded if state is AppealState.VERIFYING else trace.step) is AppealStep.PASS
        state = trace.state
    now = await state_of(standing, item.item)
    assert now.state is state
    if state is AppealState.COMPLETED:
        assert now.passed is passed
        revised = [versions[-1].kept for one in results if (versions := await versions_of(standing, one))]
        if concluded is AppealStep.OPEN or not corrects(item.kind, concluded):
            assert True not in revised
