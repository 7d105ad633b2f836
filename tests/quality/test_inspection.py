"""Inspectors at work on sampled calls, without the wire."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa
from tests.quality.asking import asked
from tests.quality.disputes import appeal
from tests.quality.inspected import bring
from tests.quality.reviewing import Made, found, history, put_result, put_task
from tests.quality.standing import DIRECTOR, FOREIGN, INSPECTOR, NOW, ONE, SECOND, TWO, Standing
from tests.storage.works import work_of

from sottovoce.domain.directory import VdnId
from sottovoce.domain.people import ReviewId, UserId
from sottovoce.domain.reviews import ItemState, Share, ShareKind, Shares, TaskState
from sottovoce.domain.scoring import OwnFinding, Passage, RuleKind, ScenarioScores, Verdict
from sottovoce.errors import Code, Refused
from sottovoce.quality import contacts as shown_contacts
from sottovoce.quality import inspection, results, tasks
from sottovoce.storage import audit
from sottovoce.storage.database import transaction
from sottovoce.storage.review import contacts
from sottovoce.storage.review import results as stored_results
from sottovoce.storage.review import tasks as stored
from sottovoce.storage.tables import (
    quality_item_hits,
    quality_items,
    review_items,
    revisions,
    rule_results,
    scenarios,
    scores,
)


async def put(standing: Standing, state: TaskState = TaskState.IN_EFFECT, **options: Any) -> Made:
    """A task of two calls, both waiting unless its state says otherwise, each with two results."""
    numbers = [await standing.contact() for _ in range(2)]
    if state is TaskState.IN_EFFECT:
        options.setdefault("states", [ItemState.WAITING, ItemState.WAITING])
    async with transaction(standing.engine) as connection:
        for number in numbers:
            for place in (1, 2):
                await put_result(connection, number, f"silenceRule{number}-{place}")
        return await put_task(connection, state, numbers, **options)


async def revise(
    standing: Standing, made: Made, place: int, *, by: UserId = INSPECTOR, vdn: VdnId = ONE, **changes: Any
) -> None:
    item = made.items[place]
    async with transaction(standing.engine) as connection:
        contact = await contacts.find(work_of(connection, ONE), item.contact)
    assert contact is not None
    wanted = {
        "result": f"silenceRule{item.contact}-1",
        "kept": False,
        "remark": "heard",
        "kind": 11,
        **changes,
    }
    caller = await standing.caller(by, vdn)
    await asked(inspection.revise_result, standing.office, caller, item.item, str(contact.uuid), **wanted)


async def complete(
    standing: Standing, made: Made, place: int, by: UserId = INSPECTOR, vdn: VdnId = ONE
) -> None:
    item = made.items[place]
    caller = await standing.caller(by, vdn)
    await asked(inspection.complete, standing.office, caller, item.item, str(item.contact))


async def rows(standing: Standing, table: sa.Table, *columns: str) -> list[tuple[Any, ...]]:
    async with transaction(standing.engine) as connection:
        found = await connection.execute(sa.select(*(table.c[name] for name in columns)))
        return [tuple(row) for row in found]


async def test_the_first_correction_opens_the_call_and_more_may_follow(standing: Standing) -> None:
    made = await put(standing)
    await revise(standing, made, 0)
    await revise(standing, made, 0, kept=True)
    await revise(standing, made, 0, result=f"silenceRule{made.items[0].contact}-2")
    held, items = await found(standing, made.task)
    assert held.state is TaskState.IN_EFFECT
    assert [item.state for item in items] == [ItemState.IN_PROGRESS, ItemState.WAITING]
    assert (await rows(standing, review_items, "opened_at", "ended_at"))[:2].count((NOW, None)) == 1
    assert len(await rows(standing, revisions, "result")) == 3
    assert {item for (item,) in await rows(standing, revisions, "review_item")} == {made.items[0].item}
    assert await history(standing, made.task) == ["create", "revise", "revise", "revise"]


async def test_completing_settles_the_score_opens_a_problem_and_ends_the_task(standing: Standing) -> None:
    made = await put(standing)
    await revise(standing, made, 0)
    await revise(standing, made, 0, result=f"silenceRule{made.items[0].contact}-2", kept=True)
    await complete(standing, made, 0)
    (problem,) = await rows(standing, quality_items, "kind", "review_item", "contact", "agent", "inspector")
    assert problem == ("problem", made.items[0].item, made.items[0].contact, 101, INSPECTOR)
    assert await rows(standing, quality_item_hits, "result") == [(f"silenceRule{made.items[0].contact}-1",)]
    assert (await found(standing, made.task))[0].state is TaskState.IN_EFFECT
    await complete(standing, made, 1)
    assert len(await rows(standing, quality_items, "kind")) == 1
    manual = {contact for contact, by in await rows(standing, scores, "contact", "by") if by == "manual"}
    assert manual == {item.contact for item in made.items}
    held, items = await found(standing, made.task)
    assert (held.state, held.ended_at) == (TaskState.FINISHED, NOW)
    assert {item.state for item in items} == {ItemState.DONE}
    assert (await history(standing, made.task))[-3:] == ["complete", "complete", "finish"]


async def test_nothing_of_a_finished_or_terminated_task_changes(standing: Standing) -> None:
    for state in (TaskState.FINISHED, TaskState.TERMINATED, TaskState.ASSIGNED, TaskState.RESERVED):
        made = await put(standing, state)
        before = await found(standing, made.task)
        for place in (0, 1):
            for attempt in (revise(standing, made, place), complete(standing, made, place)):
                with pytest.raises(Refused) as refusal:
                    await attempt
                assert refusal.value.code is Code.WRONG_STATE
        assert await found(standing, made.task) == before
    assert await rows(standing, revisions, "result") == []


async def test_a_completed_call_is_not_corrected_any_more(standing: Standing) -> None:
    made = await put(standing)
    await complete(standing, made, 0)
    for attempt in (revise(standing, made, 0), complete(standing, made, 0)):
        with pytest.raises(Refused) as refusal:
            await attempt
        assert refusal.value.code is Code.WRONG_STATE


async def test_a_call_is_its_inspectors_alone(standing: Standing) -> None:
    """A colleague, a director who sees it, and another tenant are all told that it is not there."""
    made = await put(standing)
    for by, vdn in ((SECOND, ONE), (DIRECTOR, ONE), (FOREIGN, TWO)):
        for attempt in (
            revise(standing, made, 0, by=by, vdn=vdn),
            complete(standing, made, 0, by=by, vdn=vdn),
        ):
            with pytest.raises(Refused) as refusal:
                await attempt
            assert refusal.value.code is Code.NOT_FOUND
    inspector = await standing.caller(INSPECTOR)
    other = made.items[1].contact
    for item, call in ((made.items[0].item, str(other)), ("1", str(other)), (made.items[0].item, "")):
        with pytest.raises(Refused) as refusal:
            await asked(inspection.complete, standing.office, inspector, ReviewId(item), call)
        assert refusal.value.code is Code.NOT_FOUND
    assert await history(standing, made.task) == ["create"]


async def test_a_correction_that_is_refused_does_not_open_the_call(standing: Standing) -> None:
    made = await put(standing)
    for changes, code in (
        ({"result": f"silenceRule{made.items[1].contact}-1"}, Code.NOT_FOUND),
        ({"result": "silenceRule0"}, Code.NOT_FOUND),
        ({"kind": 12}, Code.BAD_PARAMETER),
        ({"remark": " "}, Code.BAD_PARAMETER),
    ):
        with pytest.raises(Refused) as refusal:
            await revise(standing, made, 0, **changes)
        assert refusal.value.code is code
    _, items = await found(standing, made.task)
    assert {item.state for item in items} == {ItemState.WAITING}


def finding(**changes: Any) -> OwnFinding:
    usual: dict[str, Any] = {"scenario": "S", "rule": "14161", "kept": False, "remark": "interrupted twice"}
    return OwnFinding(**usual | changes)


async def enter(standing: Standing, made: Made, by: UserId = INSPECTOR, **changes: Any) -> str:
    caller = await standing.caller(by)
    item = made.items[0]
    entered: str = await asked(
        inspection.enter_finding,
        standing.office,
        caller,
        item.item,
        str(item.contact),
        finding(**changes),
    )
    return entered


async def put_bare(standing: Standing) -> Made:
    """A task of two calls; only the second one has a result: of the rule 14161 of S, 3 points."""
    first, second = [await standing.contact() for _ in range(2)]
    async with transaction(standing.engine) as connection:
        await put_result(connection, second, "silenceRule1")
        return await put_task(
            connection, TaskState.IN_EFFECT, [first, second], states=[ItemState.WAITING, ItemState.WAITING]
        )


async def test_a_finding_counts_when_the_call_is_finished_and_opens_a_problem(standing: Standing) -> None:
    made = await put_bare(standing)
    contact = made.items[0].contact
    result = await enter(standing, made, segments=(Passage(1200, 3400), Passage(59_000, 60_000)))
    assert result.startswith("manualRule")
    assert (await found(standing, made.task))[1][0].state is ItemState.IN_PROGRESS
    await complete(standing, made, 0)
    async with transaction(standing.engine) as connection:
        [held] = await results.scores_of(work_of(connection, ONE), contact)
    [one] = held.results
    assert (one.result, one.kind, one.verdict) == (result, RuleKind.MANUAL, Verdict.NOT_EVALUATED)
    assert (one.name, one.points, one.final) == ("A rule", 3, Verdict.VIOLATED), "measured as the other call"
    assert one.segments == (Passage(1200, 3400), Passage(59_000, 60_000))
    assert held.machine is None
    assert held.manual is not None
    assert held.manual.score.score == 97
    assert await rows(standing, quality_item_hits, "result") == [(result,)]
    entries = {entry.action: entry for entry in await audit.read(standing.engine, ONE)}
    assert entries["result.enter"].detail["segments"] == "1200-3400 59000-60000"
    assert entries["result.enter"].actor == int(INSPECTOR)
    assert entries["result.revise"].detail["remark"] == "interrupted twice"


async def test_a_finding_is_corrected_like_any_result_and_never_entered_twice(standing: Standing) -> None:
    made = await put_bare(standing)
    result = await enter(standing, made)
    with pytest.raises(Refused) as refusal:
        await enter(standing, made, kept=True)
    assert (refusal.value.code, result in refusal.value.why) == (Code.WRONG_STATE, True)
    await revise(standing, made, 0, result=result, kind=70, kept=True)
    await complete(standing, made, 0)
    assert await rows(standing, quality_items, "kind") == []


async def test_a_rule_that_gave_no_result_yet_is_measured_by_its_first_finding(standing: Standing) -> None:
    made = await put_bare(standing)
    async with transaction(standing.engine) as connection:
        await connection.execute(sa.update(scenarios).values(speed_rules=["haste"]))
    result = await enter(standing, made, rule="haste", points=Decimal("2.50"), name="Haste", kept=True)
    async with transaction(standing.engine) as connection:
        held = (await stored_results.many(work_of(connection, ONE), [result]))[result]
    assert (held.name, held.points, held.rule) == ("Haste", Decimal("2.50"), "haste")


@pytest.mark.parametrize(
    ("changes", "field", "why"),
    [
        ({"scenario": "T"}, "scenario", "there is no such scenario"),
        ({"rule": "99"}, "rule", "S has no such rule, and no result of one"),
        ({"points": Decimal(5)}, "points", "the rule deducts 3.00"),
        ({"rule": "haste"}, "points", "must be given: no result says yet what the rule deducts"),
        ({"rule": "haste", "points": Decimal(-1)}, "points", "must be from 0 to 1000000"),
        ({"segments": (Passage(0, 1), Passage(3, 2))}, "segments.1", "must begin before it ends"),
        ({"segments": (Passage(0, 60_001),)}, "segments.0", "must begin before it ends"),
        ({"segments": (Passage(-1, 5),)}, "segments.0", "must begin before it ends"),
        ({"segments": (Passage(0, 1),) * 1001}, "segments", "must be at most 1000 stretches"),
        ({"remark": "  "}, "remark", "must have 1 to 1024 characters"),
    ],
)
async def test_a_finding_that_makes_no_sense_names_its_field(
    standing: Standing, changes: dict[str, Any], field: str, why: str
) -> None:
    made = await put_bare(standing)
    async with transaction(standing.engine) as connection:
        await connection.execute(sa.update(scenarios).values(speed_rules=["haste"]))
    with pytest.raises(Refused, match=why) as refusal:
        await enter(standing, made, **changes)
    assert (refusal.value.code, refusal.value.field) == (Code.BAD_PARAMETER, field)
    assert len(await rows(standing, rule_results, "result")) == 1, "nothing of it stays"
    assert await history(standing, made.task) == ["create"]


async def test_findings_are_the_item_s_inspector_s_and_of_a_scenario_that_is_on(standing: Standing) -> None:
    made = await put_bare(standing)
    for by in (SECOND, DIRECTOR):
        with pytest.raises(Refused) as refusal:
            await enter(standing, made, by)
        assert refusal.value.code is Code.NOT_FOUND
    async with transaction(standing.engine) as connection:
        await connection.execute(sa.update(scenarios).values(enabled=False))
    with pytest.raises(Refused, match="S is switched off"):
        await enter(standing, made)


async def shown(standing: Standing, contact: int, by: UserId | None = None) -> list[ScenarioScores]:
    """What a contact was found, as everybody sees it or that inspector in their open item."""
    async with transaction(standing.engine) as connection:
        work = work_of(connection, ONE)
        item = None if by is None else await stored_results.open_item(work, contact, by)
        return await results.scores_of(work, contact, drafts_of=item)


async def seen(
    standing: Standing, contact: int, by: UserId | None = None
) -> tuple[list[Verdict], int | None]:
    """What each result of a contact says to everybody, or to that inspector; and the manual score."""
    (found,) = await shown(standing, contact, by)
    manual = None if found.manual is None else int(found.manual.score.score)
    return [result.final for result in found.results], manual


KEPT, VIOLATED = Verdict.KEPT, Verdict.VIOLATED


async def test_a_correction_is_a_draft_until_its_call_is_completed(standing: Standing) -> None:
    """Nobody but its inspector sees it, no score counts it, no problem opens; completing changes all that."""
    made = await put(standing)
    contact = made.items[0].contact
    await revise(standing, made, 0)
    assert await seen(standing, contact) == await seen(standing, contact, SECOND) == ([KEPT, KEPT], None)
    assert await seen(standing, contact, INSPECTOR) == ([VIOLATED, KEPT], None)
    inspector, director = await standing.caller(INSPECTOR), await standing.caller(DIRECTOR)
    (mine,) = await asked(inspection.show, standing.office, inspector, made.items[0].item)
    assert [result.final for result in mine.results] == [VIOLATED, KEPT]
    with pytest.raises(Refused, match="no such call"):
        await asked(inspection.show, standing.office, director, made.items[0].item)
    async with transaction(standing.engine) as connection:
        uuid = (await contacts.find(work_of(connection, ONE), contact)).uuid  # type: ignore[union-attr]
    for caller, violations in ((inspector, 1), (director, 0)):
        told = await asked(shown_contacts.show, standing.office, caller, uuid)
        assert told.violations == violations
    await complete(standing, made, 0)
    assert await seen(standing, contact) == ([VIOLATED, KEPT], 97)
    held = await rows(standing, revisions, "version", "revise", "draft", "review_item")
    assert held == [(1, 0, 1, made.items[0].item), (2, 0, None, made.items[0].item)]


async def test_of_several_drafts_the_last_counts(standing: Standing) -> None:
    made = await put(standing)
    await revise(standing, made, 0)
    await revise(standing, made, 0, kept=True)
    await complete(standing, made, 0)
    assert await seen(standing, made.items[0].contact) == ([KEPT, KEPT], 100)
    assert await rows(standing, quality_items, "kind") == []
    assert [draft for (draft,) in await rows(standing, revisions, "draft")] == [1, 1, None]


async def test_what_a_terminated_task_releases_never_counts_and_stays_on_record(standing: Standing) -> None:
    made = await put(standing)
    await revise(standing, made, 0)
    await asked(tasks.terminate, standing.office, await standing.caller(DIRECTOR), made.task)
    contact = made.items[0].contact
    assert await seen(standing, contact) == await seen(standing, contact, INSPECTOR) == ([KEPT, KEPT], None)
    assert await rows(standing, scores, "version") == await rows(standing, quality_items, "kind") == []
    assert await rows(standing, revisions, "remark", "draft") == [("heard", 1)]
    async with transaction(standing.engine) as connection:
        steps = await stored.steps(work_of(connection, ONE), made.task)
    (told,) = [step.detail for step in steps if step.action == "revise"]
    assert (told["kept"], told["remark"]) == (False, "heard")


async def test_two_open_items_on_one_call_keep_their_drafts_apart(standing: Standing) -> None:
    """The one completed first counts first, whoever drafted first; the other's draft counts in its turn."""
    number = await standing.contact()
    async with transaction(standing.engine) as connection:
        for place in (1, 2):
            await put_result(connection, number, f"silenceRule{number}-{place}")
        waiting = [ItemState.WAITING]
        first = await put_task(connection, TaskState.IN_EFFECT, [number], states=waiting)
        other = await put_task(
            connection, TaskState.IN_EFFECT, [number], states=waiting, inspectors=(SECOND,)
        )
    await revise(standing, first, 0)
    await revise(standing, other, 0, by=SECOND, kept=True)
    await revise(standing, other, 0, by=SECOND, result=f"silenceRule{number}-2")
    assert await seen(standing, number, INSPECTOR) == ([VIOLATED, KEPT], None)
    assert await seen(standing, number, SECOND) == ([KEPT, VIOLATED], None)
    await complete(standing, other, 0, SECOND)
    assert await seen(standing, number) == ([KEPT, VIOLATED], 97)
    assert await seen(standing, number, INSPECTOR) == ([VIOLATED, VIOLATED], 97)
    await complete(standing, first, 0)
    assert await seen(standing, number) == ([VIOLATED, VIOLATED], 94)
    assert [version for (version,) in await rows(standing, revisions, "version")].count(4) == 1


async def test_two_open_items_of_one_inspector_on_one_call_keep_their_drafts_apart(
    standing: Standing,
) -> None:
    """Also findings: each item has its own, and shows none of the other's."""
    number = await standing.contact()
    async with transaction(standing.engine) as connection:
        await put_result(connection, number, f"silenceRule{number}-1")
        waiting = [ItemState.WAITING]
        one, two = [
            await put_task(connection, TaskState.IN_EFFECT, [number], states=waiting) for _ in range(2)
        ]
        await connection.execute(sa.update(scenarios).values(speed_rules=["haste"]))
    inspector = await standing.caller(INSPECTOR)

    async def drafts(made: Made) -> list[Verdict]:
        (found,) = await asked(inspection.show, standing.office, inspector, made.items[0].item)
        return [result.final for result in found.results]

    await revise(standing, one, 0)
    result = await enter(standing, one, rule="haste", points=Decimal(2))
    assert (await drafts(one), await drafts(two)) == ([VIOLATED, VIOLATED], [KEPT])
    with pytest.raises(Refused, match="no such rule result"):
        await revise(standing, two, 0, result=result, kind=70)
    assert await enter(standing, two, rule="haste", points=Decimal(2), kept=True) == result
    assert (await drafts(one), await drafts(two)) == ([VIOLATED, VIOLATED], [KEPT, KEPT])
    await complete(standing, two, 0)
    assert await seen(standing, number) == ([KEPT, KEPT], 100)
    await complete(standing, one, 0)
    assert await seen(standing, number) == ([VIOLATED, VIOLATED], 95)


async def test_a_hidden_finding_of_another_inspector_is_unknown(standing: Standing) -> None:
    made = await put_bare(standing)
    result = await enter(standing, made)
    async with transaction(standing.engine) as connection:
        other = await put_task(
            connection,
            TaskState.IN_EFFECT,
            [made.items[0].contact],
            inspectors=[SECOND],
            states=[ItemState.WAITING],
        )
    with pytest.raises(Refused, match="no such rule result") as refusal:
        await revise(standing, other, 0, by=SECOND, result=result, kind=70)
    assert refusal.value.code is Code.NOT_FOUND
    await complete(standing, made, 0)
    await revise(standing, other, 0, by=SECOND, result=result, kind=70, kept=True)


async def test_a_finding_whose_rule_was_imported_meanwhile_corrects_what_was_imported(
    standing: Standing,
) -> None:
    """One rule deducts once: the finding's draft counts as a correction of the result that landed."""
    made = await put_bare(standing)
    contact = made.items[0].contact
    await enter(standing, made)
    row = {"contact": contact, "scenario": "S", "kind": "manual", "rule": "14161", "valid": -1}
    assert (await bring(standing, row)).landed == 1
    await complete(standing, made, 0)
    (held,) = await shown(standing, contact)
    assert [(one.entered, one.final) for one in held.results] == [(False, VIOLATED)]
    assert held.manual is not None
    assert held.manual.score.score == 97
    assert await rows(standing, quality_item_hits, "result") == [(held.results[0].result,)]


async def test_a_finding_that_does_not_count_is_nobody_s_but_its_inspector_s(standing: Standing) -> None:
    made = await put_bare(standing)
    contact = made.items[0].contact
    result = await enter(standing, made, segments=(Passage(10, 20),))

    async def seen_by(user: UserId | None) -> list[tuple[str, tuple[Passage, ...]]]:
        found = await shown(standing, contact, user)
        return [(one.result, one.segments) for held in found for one in held.results]

    assert await seen_by(INSPECTOR) == [(result, (Passage(10, 20),))]
    assert await seen_by(None) == await seen_by(SECOND) == []
    with pytest.raises(Refused, match="is no result of this call"):
        await appeal(standing, contact, [result], scenario="groupid_1")
    await revise(standing, made, 0, result=result, kind=70, kept=False, remark="once more")
    assert await seen_by(INSPECTOR) == [(result, (Passage(10, 20),))], "a correction leaves the places"
    await asked(tasks.terminate, standing.office, await standing.caller(DIRECTOR), made.task)
    assert await seen_by(INSPECTOR) == await seen_by(None) == []

    async with transaction(standing.engine) as connection:
        other = await put_task(connection, TaskState.IN_EFFECT, [contact], inspectors=[SECOND])
    assert await enter(standing, other, SECOND, segments=(Passage(30, 40),)) == result, "one rule, one result"
    await complete(standing, other, 0, by=SECOND)
    assert await seen_by(None) == [(result, (Passage(30, 40),))]
    await appeal(standing, contact, [result], scenario="groupid_1")
    async with transaction(standing.engine) as connection:
        [held] = await results.scores_of(work_of(connection, ONE), contact)
    assert held.manual is not None
    assert (held.manual.score.score, held.manual.user) == (97, SECOND)


async def test_a_correction_leaves_the_places_that_its_inspector_sees(standing: Standing) -> None:
    """Of a finding that was handed over too; of what was dropped never."""
    made = await put_bare(standing)
    contact = made.items[0].contact

    async def places(user: UserId | None = None) -> list[tuple[Passage, ...]]:
        return [one.segments for held in await shown(standing, contact, user) for one in held.results]

    async def hand_over(giver: UserId, taker: UserId, *, drafts: bool) -> None:
        shares = Shares(ShareKind.EVEN, (Share(taker),))
        caller = await standing.caller(DIRECTOR)
        await asked(tasks.hand_over, standing.office, caller, made.task, giver, shares, drafts=drafts)

    result = await enter(standing, made, segments=(Passage(10, 20),))
    await hand_over(INSPECTOR, SECOND, drafts=True)
    await revise(standing, made, 0, by=SECOND, result=result, kind=70, remark="heard again")
    assert await places(SECOND) == [(Passage(10, 20),)]

    await hand_over(SECOND, INSPECTOR, drafts=False)
    assert await enter(standing, made, segments=(Passage(30, 40),)) == result
    await complete(standing, made, 0)
    async with transaction(standing.engine) as connection:
        other = await put_task(connection, TaskState.IN_EFFECT, [contact], inspectors=[SECOND])
    await revise(standing, other, 0, by=SECOND, result=result, kind=70, remark="and again")
    assert await places(SECOND) == [(Passage(30, 40),)]
