"""`sottovoce contacts import`: what is told of a list, what its rejects hold, and how it is stopped."""

from __future__ import annotations

import asyncio
import csv
import re
import signal
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa
from tests.quality.sounds import silence, write
from tests.quality.standing import Standing

from sottovoce.cli import main
from sottovoce.storage.tables import contacts


async def count(standing: Standing) -> int:
    async with standing.engine.begin() as connection:
        return (await connection.execute(sa.select(sa.func.count()).select_from(contacts))).scalar_one()


async def test_warnings_and_refusals_are_told_counted_and_kept_with_their_rows(
    standing: Standing, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, rejects = tmp_path / "calls", tmp_path / "rejects.csv"
    write(folder / "a.wav", silence(1))
    rows = ["a.wav,1769900000,101", "a.wav,1769900001,", "=b.wav,soon,101"]
    (folder / "calls.csv").write_text("file,began_at,agent\n" + "\n".join(rows) + "\n")

    async def told(*more: str) -> tuple[int, str, list[str]]:
        asked = ["contacts", "import", "--vdn", "1", str(folder), "--rejects", str(rejects), *more]
        code = await asyncio.to_thread(main, asked)
        output = capsys.readouterr()
        return code, output.out.strip(), output.err.splitlines()

    warning = "calls.csv:3: it has no agent: no sample will have it"
    refusal = "calls.csv:4: 'soon' is no time; wanted: 2026-11-22T14:05:00+01:00, or seconds"
    code, out, err = await told("--dry-run")
    assert (code, out) == (1, "2 would be imported, 0 there already, 1 refused, 1 warning")
    assert await count(standing) == 0
    code, out, err = await told("--strict")
    assert (code, out) == (1, "1 imported, 0 there already, 2 refused, 0 warnings")
    assert err == [f"sottovoce: {warning}", f"sottovoce: {refusal}"]
    code, out, err = await told()
    assert (code, out) == (1, "1 imported, 1 there already, 1 refused, 1 warning")
    assert err == [f"sottovoce: warning: {warning}", f"sottovoce: {refusal}"]
    with rejects.open(newline="") as file:
        found = list(csv.DictReader(file))
    assert [(one["outcome"], one["place"], one["row"]) for one in found] == [
        ("refused", "calls.csv:4", "'" + rows[2]),
        ("warning", "calls.csv:3", rows[1]),
    ]


async def test_who_stops_an_import_hears_how_far_it_came(standing: Standing, tmp_path: Path) -> None:
    folder = tmp_path / "calls"
    write(folder / "a.wav", silence(1))
    rows = [f"a.wav,{1769900000 + number},101" for number in range(5000)]
    (folder / "calls.csv").write_text("file,began_at,agent\n" + "\n".join(rows) + "\n")
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "sottovoce", "contacts", "import", "--vdn", "1", str(folder)),
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(120):
        while await count(standing) < 3:  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.05)
        process.send_signal(signal.SIGINT)
        _, err = await process.communicate()
    assert process.returncode == 130
    there = await count(standing)
    told = re.search(r"stopped: (\d+) imported, 0 there already, 0 refused", err.decode())
    assert told is not None, err
    assert 3 <= int(told[1]) <= there <= int(told[1]) + 1 < 5000, "one may be in that nobody was told of"
    assert "the same command again goes on from there" in err.decode()


async def test_an_imported_contact_is_corrected(
    standing: Standing, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path / "calls" / "a.wav", silence(1))
    (tmp_path / "calls" / "calls.csv").write_text("file,began_at,agent\na.wav,1769900000,\n")
    await asyncio.to_thread(main, ["contacts", "import", "--vdn", "1", str(tmp_path / "calls")])
    capsys.readouterr()
    async with standing.engine.begin() as connection:
        contact = (await connection.execute(sa.select(contacts.c.contact))).scalar_one()

    async def told(*more: str) -> tuple[int, str, str]:
        code = await asyncio.to_thread(main, ["contacts", "correct", str(contact), "--vdn", "1", *more])
        output = capsys.readouterr()
        return code, output.out.strip(), output.err.strip()

    done = (0, f"contact {contact} corrected; this is version 1", "")
    assert await told("--agent", "102", "--why", "missing in the list") == done
    refused = (2, "", "sottovoce: VDN 1 has no agent '999'")
    assert await told("--agent", "999", "--why", "x") == refused
    async with standing.engine.begin() as connection:
        assert (await connection.execute(sa.select(contacts.c.agent))).scalar_one() == 102
