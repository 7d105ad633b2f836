"""`sottovoce retention`, `contacts erase`, `hold`, `release`: what they say, and their exit codes."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from tests.quality.standing import NOW, Standing

from sottovoce.cli import main

SEED = """
vdns:
  - vdn: 1
    name: Hotline
    keep: {recordings: 90, contacts: 365}
"""


async def test_periods_by_seed_file_and_what_goes_by_them(
    standing: Standing, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOTTOVOCE_RECORDINGS__FOLDER", str(standing.office.recordings))

    async def told(*words: str) -> tuple[int, str, str]:
        code = await asyncio.to_thread(main, words)
        output = capsys.readouterr()
        return code, output.out, output.err

    seed = standing.office.recordings / "seed.yaml"
    seed.write_text(SEED)
    assert (await told("agents", "import", str(seed)))[0] == 0
    code, out, _ = await told("retention", "show", "--vdn", "1")
    assert code == 0
    assert "90 days" in out
    assert "for ever" in out
    seed.write_text(SEED.replace("    keep: {recordings: 90, contacts: 365}\n", ""))
    assert (await told("agents", "import", str(seed)))[0] == 0
    assert "90 days" in (await told("retention", "show", "--vdn", "1"))[1], "what a file does not name stays"

    old = await standing.contact(began_at=NOW - timedelta(days=2000))
    held = await standing.contact(began_at=NOW - timedelta(days=2000))
    fresh = await standing.contact(began_at=NOW + timedelta(days=2000))
    code, out, _ = await told("contacts", "hold", str(held), "--vdn", "1", "--why", "lawsuit [/x]")
    assert (code, out) == (0, f"contact {held} is held\n")
    code, out, err = await told("retention", "run", "--vdn", "1", "--dry-run")
    assert out.splitlines()[-1].split() == ["1", "1", "0", "1", "1", "0", "0"]
    assert err == "nothing was erased: that is what would go\n"
    code, out, _ = await told("retention", "run", "--vdn", "1")
    assert out.splitlines()[-1].split() == ["1", "0", "0", "1", "1", "0", "1"]
    out = (await told("retention", "show", "--vdn", "1"))[1]
    assert "lawsuit [/x]" in out
    assert "erased" in out
    code, _, err = await told("contacts", "show", str(old), "--vdn", "1")
    assert code == 2
    code, _, err = await told("contacts", "erase", str(held), "--vdn", "1", "--why", "asked for")
    assert (code, err) == (1, f"sottovoce: contact {held} stays: it is held: lawsuit [/x]\n")
    assert (await told("contacts", "release", str(held), "--vdn", "1", "--why", "over"))[0] == 0
    code, out, _ = await told("contacts", "erase", str(held), "--vdn", "1", "--why", "asked for")
    assert code == 0
    assert out.startswith(f"contact {held} is erased, 1 file removed")
    assert (await told("contacts", "erase", str(held), "--vdn", "1", "--why", "again"))[0] == 1
    out = (await told("contacts", "list", "--vdn", "1"))[1]
    assert [line.split()[0] for line in out.splitlines()[1:]] == [str(fresh)]
    assert "asked for" in (await told("audit", "show", "--vdn", "1", "--limit", "1000"))[1]


async def test_a_period_must_be_days(standing: Standing, capsys: pytest.CaptureFixture[str]) -> None:
    seed = standing.office.recordings / "seed.yaml"
    for wrong in ("recordings: 0", "recordings: soon", "audit: 30"):
        seed.write_text(SEED.replace("recordings: 90", wrong))
        assert await asyncio.to_thread(main, ["agents", "import", str(seed)]) == 2
        assert "keep" in capsys.readouterr().err
