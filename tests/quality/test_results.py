"""Results are versions: revisions follow each other, scores are given anew, nothing is overwritten."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import ProgrammingError
from tests.quality.asking import asked
from tests.quality.inspected import bring, contact_row, costs, scenario, versions_of
from tests.quality.sounds import silence, write
from tests.quality.standing import DIRECTOR, FOREIGN, INSPECTOR, NOW, ONE, SECOND, TWO, Standing
from tests.storage.works import work_of

from sottovoce.domain.contacts import Inspection
from sottovoce.domain.directory import AgentId
from sottovoce.domain.people import SERVER, ReviewId
from sottovoce.domain.reviews import Item, ItemState
from sottovoce.domain.scoring import By, Profile, Revision, RuleKind, ScenarioScores, Verdict
from sottovoce.errors import Code, Refused
from sottovoce.quality import contacts, results, score_profiles
from sottovoce.storage import audit
from sottovoce.storage.tables import scores as kept_scores

ITEM = ReviewId("1600226476732482999")
OTHER = ReviewId("1600226476732483000")
DETAILS = {
    "call_types": [],
    "limit": 10,
    "page": 1,
    "status": [],
    "upload_from": 0,
    "upload_to": 4_000_000_000,
}


async def revise(standing: Standing, result: str, contact: int, **given: Any) -> Revision:
    user, vdn = given.pop("user", INSPECTOR), given.pop("vdn", ONE)
    wanted = {"kept": True, "remark": "heard again", "kind": None, "review_item": ITEM, **given}
    async with standing.office.work(vdn, user) as work:
        return await results.revise(work, result=result, contact=contact, **wanted)


def done(contact: int) -> Item:
    """An item of a task about that contact, which is through."""
    task = ReviewId("1600226476732483001")
    return Item(ITEM, task, 0, contact, NOW, AgentId(101), INSPECTOR, ItemState.DONE)


async def scores(standing: Standing, contact: int) -> dict[str, ScenarioScores]:
    async with standing.engine.begin() as connection:
        found = await results.scores_of(work_of(connection, ONE), contact)
    return {one.scenario.name: one for one in found}


async def declined(code: Code, asked: Any, field: str = "") -> None:
    with pytest.raises(Refused) as refusal:
        await asked
    assert refusal.value.code is code
    assert refusal.value.field == field


async def one_result(standing: Standing, **row: Any) -> tuple[int, str]:
    """A contact with one result in the scenario Sales; both ids."""
    await scenario(standing)
    contact = await standing.contact()
    await bring(standing, {"contact": contact, "revise_id": "dialogRule1", **row})
    return contact, "dialogRule1"


async def test_machine_and_manual_scores_stay_apart_each_with_its_reasons(standing: Standing) -> None:
    await scenario(standing)
    contact = await standing.contact()
    await bring(
        standing,
        {"contact": contact, "rule": "r1", "name": "Greeting", "points": "3.5", "revise_id": "a"},
        {"contact": contact, "rule": "r2", "name": "Farewell", "valid": 1, "points": 10, "revise_id": "b"},
        {"contact": contact, "kind": "silence", "name": "Silence", "points": 4, "revise_id": "c"},
    )
    before = (await scores(standing, contact))["Sales"]
    assert before.machine is not None
    assert before.machine.user == SERVER
    assert before.machine.score.score == Decimal("92.50")
    assert costs(before.machine.score) == {"Greeting": "3.50", "Silence": "4.00"}
    assert before.manual is None

    await revise(standing, "a", contact)
    await revise(standing, "b", contact, kept=False, user=SECOND)
    after = (await scores(standing, contact))["Sales"]
    assert after.machine == before.machine
    assert after.manual is not None
    assert (after.manual.version, after.manual.user) == (2, SECOND)
    assert after.manual.score.score == Decimal("86.00")
    assert costs(after.manual.score) == {"Farewell": "10.00", "Silence": "4.00"}
    found = {one.result: one for one in after.results}
    assert found["a"].verdict is Verdict.VIOLATED
    assert (found["a"].revised, found["b"].revised, found["c"].revised) == (
        Verdict.KEPT,
        Verdict.VIOLATED,
        Verdict.NOT_EVALUATED,
    )
    async with standing.engine.begin() as connection:
        given = await connection.execute(
            sa.select(kept_scores.c.version, kept_scores.c.score)
            .where(kept_scores.c.contact == contact, kept_scores.c.by == By.MANUAL.value)
            .order_by(kept_scores.c.version)
        )
    assert [(one.version, str(one.score)) for one in given] == [(1, "96.00"), (2, "86.00")]


async def test_revisions_are_versions_that_all_stay(standing: Standing) -> None:
    contact, result = await one_result(standing)
    for version, kept in enumerate((True, False, False), start=1):
        made = await revise(standing, result, contact, kept=kept, remark=f"remark {version}")
        assert made.version == version
    held = await versions_of(standing, result)
    assert [(one.version, one.kept, one.remark, one.user, one.review_item) for one in held] == [
        (1, True, "remark 1", INSPECTOR, ITEM),
        (2, False, "remark 2", INSPECTOR, ITEM),
        (3, False, "remark 3", INSPECTOR, ITEM),
    ]
    entries = await audit.read(standing.engine, ONE)
    revised = [entry for entry in entries if entry.action == "result.revise"]
    assert [(entry.detail["version"], entry.detail["kept"]) for entry in revised] == [
        (1, True),
        (2, False),
        (3, False),
    ]


async def test_concurrent_revisions_become_consecutive_versions(standing: Standing) -> None:
    contact, result = await one_result(standing)
    await bring(standing, {"contact": contact, "rule": "r2", "revise_id": "other", "points": 5})
    made = await asyncio.gather(
        *(revise(standing, result, contact, kept=bool(n % 2), remark=f"by {n}") for n in range(8)),
        *(revise(standing, "other", contact, kept=False, remark=f"by {n}") for n in range(4)),
    )
    assert sorted(one.version for one in made[:8]) == list(range(1, 9))
    assert sorted(one.version for one in made[8:]) == list(range(1, 5))
    held = await versions_of(standing, result)
    assert held == sorted(made[:8], key=lambda one: one.version)
    manual = (await scores(standing, contact))["Sales"].manual
    assert manual is not None
    assert manual.version == 12
    assert manual.score.score == (95 if held[-1].kept else 92)


async def test_a_revision_that_fails_with_its_work_leaves_nothing(standing: Standing) -> None:
    contact, result = await one_result(standing)

    async def revised_in_vain() -> None:
        async with standing.office.work(ONE, INSPECTOR) as work:
            await results.revise(work, result=result, kept=True, remark="gone", contact=contact, kind=10)
            raise Refused(Code.WRONG_STATE)

    await declined(Code.WRONG_STATE, revised_in_vain())
    held = (await scores(standing, contact))["Sales"]
    assert held.manual is None
    assert held.results[0].revision is None
    assert not [one for one in await audit.read(standing.engine, ONE) if one.action == "result.revise"]


async def test_what_cannot_be_revised(standing: Standing) -> None:
    contact, result = await one_result(standing)
    neighbour = await standing.contact()
    foreign = await standing.contact(agent=201, vdn=TWO)
    missing = Code.NOT_FOUND
    await declined(missing, revise(standing, "nothing", contact))
    await declined(missing, revise(standing, result, neighbour))
    await declined(missing, revise(standing, result, foreign))
    await declined(missing, revise(standing, result, contact, user=FOREIGN, vdn=TWO))
    await declined(missing, revise(standing, result, 10**17))
    wrong = Code.BAD_PARAMETER
    await declined(wrong, revise(standing, result, contact, kind=11), "rule_kind")
    for remark in ("", "  ", "x" * 1025):
        await declined(wrong, revise(standing, result, contact, remark=remark), "remark")
    assert (await revise(standing, result, contact, kind=10, remark="x" * 1024)).version == 1


@pytest.mark.parametrize("table", ["rule_results", "revisions", "scores"])
async def test_the_database_lets_nobody_overwrite_a_version(standing: Standing, table: str) -> None:
    contact, result = await one_result(standing)
    await revise(standing, result, contact)
    with pytest.raises(ProgrammingError, match="revised by another version"):
        async with standing.engine.begin() as connection:
            await connection.execute(sa.text(f"UPDATE {table} SET vdn = vdn"))


async def test_a_rule_that_people_judge_waits_for_an_inspector(standing: Standing) -> None:
    await scenario(standing)
    contact = await standing.contact()
    await bring(
        standing,
        {"contact": contact, "kind": 70, "rule": "m", "valid": -1, "points": 20, "revise_id": "m"},
    )
    before = (await scores(standing, contact))["Sales"]
    assert before.results[0].final is Verdict.NOT_EVALUATED
    assert before.machine is None
    row = await contact_row(standing, contact)
    assert (row["machine_score"], row["status"]) == (None, Inspection.WAITING)
    await revise(standing, "m", contact, kept=False, kind=RuleKind.MANUAL)
    after = (await scores(standing, contact))["Sales"]
    assert after.machine is None
    assert after.manual is not None
    assert after.manual.score.score == 80


async def test_settling_gives_every_scenario_its_manual_score_once(standing: Standing) -> None:
    await scenario(standing)
    await scenario(standing, "Service")
    contact = await standing.contact()
    await bring(
        standing,
        {"contact": contact, "revise_id": "a"},
        {"contact": contact, "scenario": "Service", "rule": "r9", "points": 7},
    )
    await revise(standing, "a", contact)
    for _ in range(2):
        async with standing.office.work(ONE, INSPECTOR) as work:
            await results.settle(work, done(contact))
    held = await scores(standing, contact)
    sales, service = held["Sales"].manual, held["Service"].manual
    assert sales is not None
    assert service is not None
    assert (sales.version, sales.score.score) == (1, 100)
    assert (service.version, service.score.score, service.user) == (1, 93, INSPECTOR)


async def test_settling_a_call_without_results_gives_nothing(standing: Standing) -> None:
    contact = await standing.contact()
    async with standing.office.work(ONE, INSPECTOR) as work:
        await results.settle(work, done(contact))
        await results.settle(work, done(10**17))
    assert await scores(standing, contact) == {}


async def test_violated_in_tells_what_stands_violated_by_that_item(standing: Standing) -> None:
    await scenario(standing)
    contact = await standing.contact()
    names = ("again", "kept", "now", "taken back", "taken over", "untouched")
    await bring(standing, *({"contact": contact, "rule": name, "revise_id": name} for name in ("x", "y")))
    ids = {name: f"dialogRule{number}" for number, name in enumerate(names)}
    await bring(standing, *({"contact": contact, "rule": n, "revise_id": ids[n]} for n in names))
    await revise(standing, ids["again"], contact, kept=True)
    await revise(standing, ids["again"], contact, kept=False)
    await revise(standing, ids["kept"], contact, kept=True)
    await revise(standing, ids["now"], contact, kept=False)
    await revise(standing, ids["taken back"], contact, kept=False)
    await revise(standing, ids["taken back"], contact, kept=True, review_item=OTHER, user=SECOND)
    await revise(standing, ids["taken over"], contact, kept=False)
    await revise(standing, ids["taken over"], contact, kept=False, review_item=OTHER, user=SECOND)
    await revise(standing, "x", contact, kept=False, review_item=None, quality_item=OTHER, user=SECOND)
    async with standing.office.work(ONE, INSPECTOR) as work:
        assert await results.violated_in(work, ITEM) == [ids["again"], ids["now"]]
        assert await results.violated_in(work, OTHER) == [ids["taken over"]]
    assert [one.user for one in await versions_of(standing, ids["taken back"])] == [INSPECTOR, SECOND]
    assert await versions_of(standing, "y") == []
    async with standing.office.work(TWO, FOREIGN) as work:
        assert await results.violated_in(work, ITEM) == []


async def test_the_contact_keeps_the_lowest_of_its_machine_scores(standing: Standing) -> None:
    await scenario(standing)
    await scenario(standing, "Service")
    contact = await standing.contact(analysed_at=NOW)
    lowest = []
    for service, rule, points in ((False, "r1", 3), (True, "r1", 30), (False, "r2", 10), (False, "r3", 80)):
        name = "Service" if service else "Sales"
        await bring(standing, {"contact": contact, "scenario": name, "rule": rule, "points": points})
        row = await contact_row(standing, contact)
        assert row["status"] == Inspection.SUCCESS
        lowest.append(row["machine_score"])
    assert lowest == [97, 70, 70, 7]


async def test_the_profile_in_use_when_a_score_is_given_decides_it(standing: Standing) -> None:
    await scenario(standing)
    contact, later = await standing.contact(), await standing.contact()
    director = await standing.caller(DIRECTOR)
    ours = Profile(Decimal("-5.50"), Decimal(60), Decimal(50), name="ours")
    profile = await asked(score_profiles.create, standing.office, director, ours)
    await bring(standing, {"contact": contact, "points": 3, "revise_id": "a"})
    await asked(score_profiles.apply, standing.office, director, profile)
    assert (await scores(standing, contact))["Sales"].machine.score.score == 97  # type: ignore[union-attr]
    await bring(standing, {"contact": later, "points": 100})
    machine = (await scores(standing, later))["Sales"].machine
    assert machine is not None
    assert machine.score.score == Decimal("-5.50")
    assert (machine.score.profile.profile, machine.score.profile.name) == (profile, "ours")
    await revise(standing, "a", contact)
    held = (await scores(standing, contact))["Sales"]
    assert held.manual is not None
    assert held.manual.score.score == 50
    assert held.machine is not None
    assert held.machine.score.score == 97


async def test_later_results_of_the_machine_reach_a_manual_score_that_exists(standing: Standing) -> None:
    contact, result = await one_result(standing)
    await revise(standing, result, contact)
    await bring(standing, {"contact": contact, "rule": "late", "points": 5})
    held = (await scores(standing, contact))["Sales"]
    assert held.machine is not None
    assert held.manual is not None
    assert (held.machine.version, held.machine.score.score) == (2, 92)
    assert (held.manual.version, held.manual.score.score, held.manual.user) == (2, 95, SERVER)


async def test_sensitive_words_are_ignored_where_the_scenario_says_so(standing: Standing) -> None:
    await scenario(standing, ignore_sensitive=True)
    contact = await standing.contact()
    await bring(
        standing,
        {"contact": contact, "kind": "sensitive_word", "rule": "damn", "points": 50, "revise_id": "w"},
        {"contact": contact, "points": 1},
    )
    await revise(standing, "w", contact, kept=False)
    held = (await scores(standing, contact))["Sales"]
    assert held.machine is not None
    assert held.manual is not None
    assert (held.machine.score.score, held.manual.score.score) == (99, 99)


@pytest.mark.parametrize("usable", [True, False])
async def test_a_contact_with_results_waits_until_its_recording_was_heard(
    standing: Standing, usable: bool
) -> None:
    """Speech and silence are null until then; results make it inspected even if nothing can be heard."""
    await scenario(standing)
    contact = await standing.contact()
    await bring(standing, {"contact": contact})
    listed = (await standing.call("appraisecall/details", DETAILS)).body["data"][0]["calls"][0]
    assert (listed["status"], listed["left_silence_time"]) == (Inspection.WAITING, None)
    if usable:
        write(standing.office.recordings / "call-1.wav", silence(2))
    found = await contacts.analyse(standing.office, ONE, contact)
    assert found is not None
    assert (found.status, "no WAV" in found.analysis.failure) == (Inspection.SUCCESS, not usable)
    listed = (await standing.call("appraisecall/details", DETAILS)).body["data"][0]["calls"][0]
    assert (listed["status"], listed["left_silence_time"]) == (2, 2 if usable else None)
