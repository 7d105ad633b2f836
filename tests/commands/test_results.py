"""`sottovoce contacts results`: what is told, what lands, and that doing it again is harmless."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from tests.quality.inspected import contact_row, scenario, uuid_of
from tests.quality.standing import ONE, Standing

from sottovoce.cli import main
from sottovoce.storage import audit

HEAD = "call_uuid,scenario,kind,rule,name,valid,points,segments\n"


async def told(capsys: pytest.CaptureFixture[str], file: Path, vdn: int = 1) -> tuple[int, str, str]:
    """Exit code, standard output and standard error of an import."""
    code = await asyncio.to_thread(main, ["contacts", "results", str(file), "--vdn", str(vdn)])
    output = capsys.readouterr()
    assert "Traceback" not in output.err
    return code, output.out, output.err


async def test_good_lines_land_bad_ones_are_told_by_number(
    standing: Standing, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    await scenario(standing)
    contacts = [await standing.contact() for _ in range(3)]
    uuids = [await uuid_of(standing, contact) for contact in contacts]
    file = tmp_path / "found.csv"
    rows = [f"{uuid},Sales,dialog,r{number},Greets,0,3,1200-3400" for number in range(400) for uuid in uuids]
    rows[700] = "nothing,Sales,dialog,r,Greets,0,3,"
    rows[3] = "too,few"
    file.write_text(HEAD + "\n".join(rows) + "\n")
    code, out, err = await told(capsys, file)
    assert code == 1
    assert out == "1198 results landed on 3 calls, 0 there already, not fitting: 2 lines\n"
    assert err.splitlines() == [
        "sottovoce: line 5: has 2 fields, the head line has 8",
        "sottovoce: line 702: call_uuid: there is no call nothing",
    ]
    for contact in contacts:
        row = await contact_row(standing, contact)
        assert (row["machine_score"], row["status"]) == (0, 0), "its recording was not heard yet"
    file.write_text(HEAD + "\n".join(row for row in rows if row not in (rows[3], rows[700])) + "\n")
    again = (0, "0 results landed on 0 calls, 1198 there already, not fitting: 0 lines\n", "")
    assert await told(capsys, file) == again
    entries = [entry for entry in await audit.read(standing.engine, ONE) if entry.action == "results.import"]
    assert [entry.target for entry in entries] == ["found.csv"] * 3
    assert sum(int(entry.detail["landed"]) for entry in entries) == 1198


async def test_the_examples_of_the_help_can_be_imported(
    standing: Standing, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await asyncio.to_thread(main, ["contacts", "results", "--help"]) == 0
    told_lines = [line.strip() for line in capsys.readouterr().out.splitlines()]
    assert any(line.startswith("Example: sottovoce contacts results found.csv") for line in told_lines)
    table = tmp_path / "example.csv"
    first = told_lines.index(HEAD.strip())
    table.write_text("\n".join(told_lines[first : first + 2]))
    _, _, err = await told(capsys, table)
    assert err == "sottovoce: line 2: call_uuid: there is no call 822bbf4d-c4f8-473a-9144-199058375be8\n"
    objects = tmp_path / "example.jsonl"
    objects.write_text(next(line for line in told_lines if line.startswith('{"contact":17')))
    assert (await told(capsys, objects))[2] == "sottovoce: line 1: contact: there is no contact 17\n"


async def test_what_can_be_mended_is_told_without_a_traceback(
    standing: Standing, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    missing = tmp_path / "missing.csv"
    assert await told(capsys, missing) == (1, "", f"sottovoce: {missing}: No such file or directory\n")
    file = tmp_path / "wrong.csv"
    file.write_text("call,score\n1,2\n")
    code, _, err = await told(capsys, file)
    assert code == 2
    assert err.startswith(f"sottovoce: {file}: line 1: 'call' is no column; columns are contact, call_uuid")
    file.write_text("")
    assert (await told(capsys, file))[:2] == (
        0,
        "0 results landed on 0 calls, 0 there already, not fitting: 0 lines\n",
    )


async def test_a_tenant_s_file_touches_no_other_tenant(
    standing: Standing, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    await scenario(standing)
    contact = await standing.contact()
    file = tmp_path / "found.jsonl"
    file.write_text(
        f'{{"contact": {contact}, "scenario": "Sales", "kind": 10, "rule": "r", "valid": 0, "points": 3}}\n'
    )
    assert (await told(capsys, file, vdn=2))[0] == 1
    assert (await contact_row(standing, contact))["machine_score"] is None
    assert (await told(capsys, file))[0] == 0
    assert (await contact_row(standing, contact))["machine_score"] == 97
