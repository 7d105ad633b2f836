"""Files of rule results: good lines land once, bad ones are told by number, nothing is overwritten."""

from __future__ import annotations

import asyncio
import io
import json
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st
from tests.quality.asking import asked
from tests.quality.inspected import bring, contact_row, scenario, uuid_of
from tests.quality.reviewing import put_task
from tests.quality.standing import DIRECTOR, INSPECTOR, NOW, ONE, TWO, Standing

from sottovoce.domain.reviews import ItemState, TaskState
from sottovoce.domain.rights import Operation
from sottovoce.domain.scenarios import CallRange, ScenarioOrder
from sottovoce.domain.scoring import OwnFinding, Passage, RuleKind, Verdict
from sottovoce.quality import access, inspection, scenarios
from sottovoce.quality.csv_rows import text_of
from sottovoce.quality.result_import import take
from sottovoce.quality.result_rows import LONGEST_LINE, BadLine, BadResultFile, ResultLine, read
from sottovoce.storage.tables import rule_results, scores

GOOD = {"contact": 1, "scenario": "Sales", "kind": 10, "rule": "r1", "valid": 0, "points": 3}


def lines(text: str | bytes) -> list[ResultLine | BadLine]:
    return list(read(text_of(io.BytesIO(text.encode() if isinstance(text, str) else text))))


def row(**changed: Any) -> str:
    return json.dumps({**GOOD, **changed})


def why(**changed: Any) -> str:
    [found] = lines(row(**changed))
    assert isinstance(found, BadLine)
    assert found.line == 1
    return found.why


def test_csv_and_json_lines_say_the_same() -> None:
    table = (
        "\ufeffcall_uuid,contact,scenario,kind,rule,name,valid,points,segments,revise_id,description\r\n"
        'u-1,,Sales,silence,17,"Too, long",false,2.5,0-1200 3400-5600,s1,\r\n'
        "\r\n"
        ",7,Sales,70,m,,-1,10,,,Was kind\r\n"
    )
    objects = "\n".join(
        [
            '{"call_uuid":"u-1","scenario":"Sales","kind":11,"rule":17,"name":"Too, long","valid":false,'
            '"points":2.50,"segments":[[0,1200],[3400,5600]],"revise_id":"s1"}',
            '{"contact":7,"scenario":"Sales","kind":"manual","rule":"m","valid":-1,"points":"10",'
            '"description":"Was kind","name":null}',
        ]
    )
    found = [one for one in lines(table) if isinstance(one, ResultLine)]
    assert [one.line for one in found] == [2, 4]
    assert [one.row for one in found] == [one.row for one in lines(objects) if isinstance(one, ResultLine)]
    first = found[0].row
    assert (first.kind, first.valid, first.points) == (RuleKind.SILENCE, Verdict.VIOLATED, Decimal("2.50"))
    assert first.segments == (Passage(0, 1200), Passage(3400, 5600))


@pytest.mark.parametrize(
    ("said", "verdict"),
    [
        *((said, Verdict.KEPT) for said in (1, "1", True, "true")),
        *((said, Verdict.VIOLATED) for said in (0, "0", False, "false")),
        *((said, Verdict.NOT_EVALUATED) for said in (-1, "-1")),
    ],
)
def test_verdicts_as_numbers_and_as_words(said: object, verdict: Verdict) -> None:
    [found] = lines(row(valid=said))
    assert isinstance(found, ResultLine)
    assert found.row.valid is verdict


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"contact": None}, "needs a contact or a call_uuid"),
        ({"contact": "x"}, "contact: must be a contact's number"),
        ({"contact": 10**18}, "contact: must be a contact's number"),
        ({"contact": True}, "contact: must be a text"),
        ({"scenario": None}, "scenario: is missing"),
        ({"scenario": 3}, "scenario: must be a text"),
        ({"kind": 14}, "kind: must be one of dialog, silence"),
        ({"rule": "x" * 129}, "rule: "),
        ({"name": "a\0b"}, "name: has signs that are no text"),
        ({"name": "\ud800"}, "name: has signs that are no text"),
        ({"valid": 2}, "valid: must be true or 1"),
        ({"valid": ""}, "valid: is missing"),
        ({"valid": 0.5}, "valid: must be true or 1"),
        ({"points": -3}, "points: must not be negative"),
        ({"points": 0.125}, "points: must be a number from"),
        ({"points": True}, "points: must be a number"),
        ({"points": "1e9"}, "points: must be a number from"),
        ({"segments": "5-3"}, "segments: must be stretches such as"),
        ({"segments": "5"}, "segments: must be stretches such as"),
        ({"segments": [[0, 1.5]]}, "segments: must be stretches such as"),
        ({"segments": [[0, 1]] * 1001}, "segments: must be at most 1000"),
        ({"revise_id": "a b"}, "revise_id: must be 1 to 128 signs of ASCII without blanks"),
        ({"revise_id": "ü"}, "revise_id: must be 1 to 128 signs of ASCII without blanks"),
        ({"score": 3}, "score: is no known field"),
    ],
)
def test_a_line_that_makes_no_sense_says_why(changed: dict[str, Any], said: str) -> None:
    assert why(**changed).startswith(said)


def test_a_bad_line_costs_itself_alone() -> None:
    table = (
        b"contact,scenario,kind,rule,valid,points\n"
        b"1,Sales,10,r1,0,3\n"
        b'1,Sales,10,"r2,0,3\n'
        b"1,Sales,10,r3,0\n"
        b"1,Sales,10,r\xff4,0,3\n" + b"1,Sales,10," + b"x" * LONGEST_LINE + b",0,3\n"
        b"1,Sales,10,r6,0,3"
    )
    assert [(one.line, isinstance(one, ResultLine)) for one in lines(table)] == [
        (2, True),
        (3, False),
        (4, False),
        (5, False),
        (6, False),
        (7, True),
    ]
    objects = "\n".join([row(), "{", "[]", "not JSON", '{"points": NaN}', "[" * 100_000, "", row(rule="r2")])
    assert [(one.line, isinstance(one, ResultLine)) for one in lines(objects)] == [
        (1, True),
        *((number, False) for number in range(2, 7)),
        (8, True),
    ]


@pytest.mark.parametrize(
    ("head", "said"),
    [
        ("contact,scenario,kind,rule,valid,points,colour", "'colour' is no column"),
        ("contact,scenario,kind,rule,points", "valid is missing"),
        ("contact,contact,scenario,kind,rule,valid,points", "contact stands twice"),
        ('"contact', "is no CSV"),
        ("\udcff", "is not in UTF-8"),
    ],
)
def test_a_file_whose_head_makes_no_sense_is_refused_whole(head: str, said: str) -> None:
    with pytest.raises(BadResultFile, match=f"line 1: {said}"):
        lines(head.encode("utf-8", "surrogateescape") + b"\n1,Sales,10,r1,0,3\n")


def test_an_empty_file_has_no_lines() -> None:
    assert lines("") == lines("\n\n") == []


@given(st.binary(max_size=200), st.booleans())
def test_no_bytes_break_the_reading(content: bytes, with_head: bool) -> None:
    head = b"contact,scenario,kind,rule,valid,points\n" if with_head else b'{"contact":1}\n'
    for found in lines(head + content):
        assert isinstance(found, ResultLine | BadLine)


async def count(standing: Standing, table: sa.Table) -> int:
    async with standing.engine.begin() as connection:
        return int((await connection.execute(sa.select(sa.func.count()).select_from(table))).scalar_one())


async def test_a_file_imported_again_changes_nothing(standing: Standing) -> None:
    sales = await scenario(standing)
    contact = await standing.contact()
    rows: list[dict[str, Any]] = [
        {"call_uuid": await uuid_of(standing, contact), "name": "Greeting"},
        {"contact": contact, "kind": "silence", "segments": [[1, 2]], "scenario": sales},
        {"contact": contact, "kind": "speed", "points": 0.1, "revise_id": "given"},
    ]
    first = await bring(standing, *rows)
    assert (first.landed, first.unchanged, first.mistakes) == (3, 0, [])
    assert first.contacts == {contact}
    again = await bring(standing, *rows)
    assert (again.landed, again.unchanged, again.mistakes, again.contacts) == (0, 3, [], set())
    assert await count(standing, rule_results) == 3
    assert await count(standing, scores) == 1
    assert (await contact_row(standing, contact))["machine_score"] == Decimal("93.90")


async def test_an_import_that_broke_off_goes_on_where_it_was(standing: Standing) -> None:
    await scenario(standing)
    contact = await standing.contact()
    rows: list[dict[str, Any]] = [{"contact": contact, "rule": f"r{number}"} for number in range(6)]
    await bring(standing, *rows[:2])
    whole = await bring(standing, *rows)
    assert (whole.landed, whole.unchanged) == (4, 2)
    assert (await contact_row(standing, contact))["machine_score"] == 82


async def test_what_is_on_record_is_never_overwritten(standing: Standing) -> None:
    await scenario(standing)
    contact, other = await standing.contact(), await standing.contact()
    await bring(
        standing, {"contact": contact, "points": 3}, {"contact": contact, "rule": "x", "revise_id": "x"}
    )
    again = await bring(
        standing,
        {"contact": contact, "points": 4},
        {"contact": other, "rule": "x", "revise_id": "x"},
        {"contact": contact, "rule": "y", "points": 1},
        {"contact": contact, "rule": "y", "points": 2},
    )
    assert [(one.line, "on record with other values" in one.why) for one in again.mistakes] == [
        (1, True),
        (2, True),
        (4, True),
    ]
    assert again.landed == 1
    assert (await contact_row(standing, contact))["machine_score"] == 93
    assert (await contact_row(standing, other))["machine_score"] is None


async def test_a_finding_that_never_counted_keeps_no_result_out(
    standing: Standing,
) -> None:
    await scenario(standing, speed_rules=("m",))
    contact, other = await standing.contact(), await standing.contact()
    inspector = await standing.caller(INSPECTOR)
    finding = OwnFinding(scenario="Sales", rule="m", kept=False, remark="heard", points=Decimal(5))
    async with standing.engine.begin() as connection:
        made = await put_task(
            connection, TaskState.IN_EFFECT, [contact, other], states=[ItemState.WAITING] * 2
        )
    for item in made.items:
        call = str(item.contact)
        await asked(inspection.enter_finding, standing.office, inspector, item.item, call, finding)
    last = made.items[1]
    await asked(inspection.complete, standing.office, inspector, last.item, str(other))
    manual = {"kind": "manual", "rule": "m", "valid": -1, "points": 5}
    for expected in ((1, 0), (0, 1)):
        taken = await bring(standing, {"contact": contact, **manual}, {"contact": other, **manual})
        assert (taken.landed, taken.unchanged) == expected
        assert [(one.line, one.why) for one in taken.mistakes] == [
            (2, "rule: an inspector has found m on this call: that stays as it is")
        ]


async def test_unknown_calls_and_scenarios_are_told_and_the_others_land(standing: Standing) -> None:
    await scenario(standing)
    contact, other = await standing.contact(), await standing.contact()
    foreign = await standing.contact(agent=201, vdn=TWO)
    taken = await bring(
        standing,
        {"contact": 10**17},
        {"contact": foreign},
        {"call_uuid": "822bbf4d-c4f8-473a-9144-199058375be8"},
        {"call_uuid": "not a uuid"},
        {"contact": contact, "scenario": "Unknown"},
        {"contact": contact, "call_uuid": await uuid_of(standing, other)},
        {"call_uuid": await uuid_of(standing, foreign)},
        {"contact": contact},
    )
    assert [one.line for one in taken.mistakes] == [1, 2, 3, 4, 5, 6, 7]
    assert taken.landed == 1
    assert (await bring(standing, {"contact": foreign}, vdn=TWO)).mistakes[0].why.startswith("scenario: ")


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({"enabled": False}, "scenario: Sales is switched off"),
        ({"interaction": 2}, "scenario: Sales is not for calls of voice"),
        ({"calls": CallRange(calls_from=NOW)}, "scenario: Sales is for calls from 2026-03-02 09:00 UTC on"),
        (
            {"calls": CallRange(calls_until=NOW - timedelta(days=2))},
            "scenario: Sales is for calls until 2026-02-28 09:00 UTC",
        ),
    ],
)
async def test_a_scenario_takes_no_results_of_calls_that_it_is_not_for(
    standing: Standing, settings: dict[str, Any], why: str
) -> None:
    sales = await scenario(standing)
    contact = await standing.contact()
    await bring(standing, {"contact": contact})
    order = ScenarioOrder("Sales", **settings)
    async with standing.office.work(ONE, DIRECTOR) as work:
        reach = access.for_the_server(ONE, Operation.EDIT_SCENARIOS)
        await scenarios.update(work, reach, sales, order)
    await scenario(standing, "Service")
    taken = await bring(
        standing,
        {"contact": contact, "rule": "r2"},
        {"contact": contact, "scenario": "Service"},
        {"contact": contact},
    )
    assert [(one.line, one.why) for one in taken.mistakes] == [(1, why)]
    assert (taken.landed, taken.unchanged) == (1, 1), "what is on record stays"
    assert await count(standing, rule_results) == 2


async def test_a_text_is_scored_by_a_scenario_for_texts(standing: Standing) -> None:
    await scenario(standing, interaction=2, calls=CallRange(NOW, NOW))
    text = await standing.contact(interaction=2, began_at=NOW)
    assert (await bring(standing, {"contact": text})).landed == 1
    assert (await contact_row(standing, text))["machine_score"] == 97


async def test_two_imports_at_once_land_everything_once(standing: Standing) -> None:
    await scenario(standing)
    contacts = [await standing.contact() for _ in range(4)]
    rows: list[dict[str, Any]] = [
        {"contact": contact, "rule": f"r{number}", "points": 1} for number in range(5) for contact in contacts
    ]
    first, second = await asyncio.gather(bring(standing, *rows), bring(standing, *rows[::-1]))
    assert first.mistakes == second.mistakes == []
    assert first.landed + second.landed == len(rows)
    assert first.unchanged + second.unchanged == len(rows)
    for contact in contacts:
        assert (await contact_row(standing, contact))["machine_score"] == 95


async def test_no_lines_are_no_mistake(standing: Standing) -> None:
    taken = await take(standing.office, ONE, [], "empty")
    assert (taken.landed, taken.unchanged, taken.mistakes) == (0, 0, [])
