"""`sottovoce contacts show`, `export` and `finding`: scores for people and spreadsheets, and new ones."""

from __future__ import annotations

import asyncio
import csv
import json
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from tests.quality.inspected import bring, scenario, uuid_of
from tests.quality.reviewing import Made, put_task
from tests.quality.standing import ANN, INSPECTOR, NOW, ONE, SECOND, TWO, Standing

from sottovoce.cli import main
from sottovoce.commands.sheets import cell
from sottovoce.domain.contacts import RecordingPause
from sottovoce.domain.directory import AgentId
from sottovoce.domain.reviews import TaskState
from sottovoce.plain import to_plain
from sottovoce.storage import audit
from sottovoce.storage.database import transaction


async def told(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    """Exit code, standard output and standard error of `sottovoce contacts …`."""
    code = await asyncio.to_thread(main, ["contacts", *words])
    output = capsys.readouterr()
    assert "Traceback" not in output.err
    return code, output.out, output.err


async def dealt(standing: Standing, contact: int) -> Made:
    async with transaction(standing.engine) as connection:
        return await put_task(connection, TaskState.IN_EFFECT, [contact])


async def completed(standing: Standing, made: Made) -> None:
    item = made.items[0]
    body = {"isGroup": False, "callId": item.contact, "qualityTaskCallId": item.item}
    assert (await standing.call("qualitytask/completeQualityTask", body, INSPECTOR)).ok


async def test_a_finding_is_entered_and_shown_and_exported(
    standing: Standing, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    await scenario(standing)
    contact, other = await standing.contact(), await standing.contact(102, caller="+49301234567")
    await bring(
        standing,
        {"contact": contact, "rule": "r1", "name": "Greeting", "points": "3.5"},
        {"contact": other, "rule": "r7", "name": "Name", "points": 10, "valid": 1},
    )
    made = await dealt(standing, contact)
    entered = ("finding", str(contact), "--vdn", "1", "--item", made.items[0].item, "--scenario", "Sales")
    what = (
        "--rule",
        "r7",
        "--violated",
        "--remark",
        "gave no name",
        "--at",
        "1200-3400",
        "--at",
        "5000-5000",
    )
    code, out, err = await told(capsys, *entered, *what, "--user", SECOND)
    assert (code, out, err.count("\n")) == (2, "", 1), "it is another inspector's"
    code, out, err = await told(capsys, *entered, *what, "--user", INSPECTOR)
    assert (code, err) == (0, "")
    assert out.startswith("manualRule")
    await completed(standing, made)

    for name in (str(contact), await uuid_of(standing, contact)):
        code, shown, _ = await told(capsys, "show", name, "--vdn", "1")
        assert code == 0
        for words in ("96.50", "86.50", "Greeting", "gave no name", "1200-3400 5000-5000", "Ann"):
            assert words in shown, words
    whole = json.loads((await told(capsys, "show", str(contact), "--vdn", "1", "--json"))[1])
    assert (whole["contact"], whole["agent"], whole["length_ms"]) == (contact, 101, 60_000)
    assert datetime.fromisoformat(whole["began"]) == NOW - timedelta(days=1)
    [score] = whole["scores"]
    assert (score["machine"], score["manual"], score["by"]) == ("96.50", "86.50", INSPECTOR)
    assert [(one["rule"], one["corrected"]) for one in whole["results"]] == [
        ("Greeting", None),
        ("Name", "violated"),
    ]

    file = tmp_path / "scores.csv"
    code, out, _ = await told(capsys, "export", "--vdn", "1", "--out", str(file))
    assert (code, out) == (0, f"2 lines written to {file}\n")
    assert file.read_bytes().startswith(b"\xef\xbb\xbf")
    with file.open(encoding="utf-8-sig", newline="") as content:
        first, second = list(csv.DictReader(content))
    assert (first["contact"], first["agent_name"]) == (str(contact), "Ann")
    assert (first["machine_score"], first["manual_score"]) == ("96.50", "86.50")
    assert (first["inspector"], first["results"], first["violated"], first["corrected"]) == (
        "Ida Inspector",
        "2",
        "2",
        "1",
    )
    assert (second["machine_score"], second["manual_score"], second["inspector"]) == ("100.00", "", "")
    assert second["customer"] == "'+49301234567", "no spreadsheet calculates it"
    actions = [entry.action for entry in await audit.read(standing.engine, ONE)]
    assert "command.finding" in actions


async def test_what_is_exported_can_be_chosen_and_nothing_is_overwritten(
    standing: Standing, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    await scenario(standing)
    first, second = await standing.contact(), await standing.contact(102)
    await bring(standing, {"contact": first}, {"contact": second})

    async def count(*options: str, vdn: str = "1") -> int:
        file = tmp_path / "scores.csv"
        code, _, err = await told(capsys, "export", "--vdn", vdn, "--out", str(file), *options)
        assert (code, err) == (0, "")
        lines = len(file.read_text(encoding="utf-8-sig").splitlines()) - 1
        file.unlink()
        return lines

    assert await count() == 2
    assert await count("--agent", "102") == 1
    assert await count("--from", "2026-03-01", "--to", "2026-03-01") == 2
    assert await count("--from", "2026-03-02") == 0
    assert await count("--to", "2026-02-28") == 0
    assert await count(vdn="2") == 0
    nowhere = tmp_path / "nowhere.csv"
    code, _, err = await told(capsys, "export", "--vdn", "9", "--out", str(nowhere))
    assert (code, err) == (1, "sottovoce: there is no VDN 9\n")
    assert not nowhere.exists()
    there = tmp_path / "there.csv"
    there.write_text("mine")
    code, _, err = await told(capsys, "export", "--vdn", "1", "--out", str(there))
    assert (code, err) == (2, f"sottovoce: {there} is there already\n")
    assert there.read_text() == "mine"


async def test_what_is_wrong_is_told_by_its_name(
    standing: Standing, capsys: pytest.CaptureFixture[str]
) -> None:
    await scenario(standing)
    contact = await standing.contact()
    foreign = await standing.contact(201, vdn=TWO)
    for call in ("17000", "nothing", str(foreign)):
        code, _, err = await told(capsys, "show", call, "--vdn", "1")
        assert (code, err.count("\n"), err.startswith("sottovoce: ")) == (2, 1, True), call
    made = await dealt(standing, contact)
    usual = {
        "--vdn": "1",
        "--item": made.items[0].item,
        "--user": INSPECTOR,
        "--scenario": "Sales",
        "--rule": "r1",
        "--remark": "heard",
    }
    for option, value, why in (
        ("--item", "x", "--item: 'x' is no id: up to 20 digits"),
        ("--at", "5", "--at: '5' must be a stretch such as 1200-3400, in milliseconds"),
        ("--points", "many", "--points: must be a number"),
        ("--scenario", "Unknown", "scenario: there is no such scenario"),
        ("--rule", "r1", "rule: Sales has no such rule, and no result of one"),
        ("--user", ANN, f"user {ANN} has no right to revise_result"),
        ("--user", "17", "VDN 1 has no user 17"),
    ):
        words = [word for pair in {**usual, option: value}.items() for word in pair]
        code, _, err = await told(capsys, "finding", str(contact), "--violated", *words)
        assert (code, err) == (1 if "no right" in why else 2, f"sottovoce: {why}\n"), option


def test_a_cell_is_never_a_formula() -> None:
    for text in ("=1+1", "+49", "-1", "@SUM(A1)", "\t=1", " =1", "\r=1", "＝1"):
        assert cell(text) == f"'{text}"
    for value in ("Ann", "", "a=b", 7, None, -1.5):
        assert cell(value) == value


async def test_what_is_not_recorded_is_shown(standing: Standing, capsys: pytest.CaptureFixture[str]) -> None:
    second = timedelta(seconds=1)
    pause = RecordingPause(AgentId(101), NOW + second, NOW + 3 * second)
    contact = await standing.contact(began_at=NOW, pauses=to_plain((pause,)))
    code, out, _ = await told(capsys, "show", str(contact), "--vdn", "1")
    assert (code, "paused_ms  1000-3000 by 101" in out) == (0, True), out
