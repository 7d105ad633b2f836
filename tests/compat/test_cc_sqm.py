"""The compatibility kit: nothing fails here, and it sees what is wrong elsewhere."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from tests.compat.served import PEOPLE, listening, ticking, with_calls
from tests.quality.standing import DIRECTOR, ONE, Standing

from sottovoce.cli import main
from sottovoce.compat import run
from sottovoce.compat.findings import CheckVerdict


@pytest.fixture(autouse=True)
def _log_as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


PARTS = ["token-calls-tasks", "samples", "plans-appeals-scoring", "requests"]
"""All of them, in four walks that can go beside one another."""


def test_all_parts_are_walked() -> None:
    assert {part for parts in PARTS for part in parts.split("-")} == run.PARTS


@pytest.mark.parametrize("parts", PARTS)
async def test_nothing_fails_here(
    parts: str,
    standing: Standing,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    scratch = await with_calls(standing)
    key, secret = standing.keys[ONE]
    monkeypatch.setenv("CCSQM_APP_SECRET", secret)
    people = {
        "--director": PEOPLE.director,
        "--inspector": PEOPLE.inspector,
        "--leader": PEOPLE.leader,
        "--table-director": PEOPLE.table_director,
        "--table-leader": PEOPLE.table_leader,
        "--agent-user": PEOPLE.agent,
    }
    options = [word for option, user in people.items() if user for word in (option, user)]
    options += [word for part in parts.split("-") for word in ("--only", part)]
    file = tmp_path / "found.json"
    async with listening(ticking(standing.app, standing.clock)) as url:
        command = ["compat", "cc-sqm", "--against", url, "--app-key", key, "--scratch-call", scratch]
        code = await asyncio.to_thread(
            main, [*command, *options, "--strict", "--lasting", "--json", str(file)]
        )
    printed = capsys.readouterr().out
    found = json.loads(file.read_text())
    bad = [one for one in found["checks"] if one["verdict"] != CheckVerdict.PASS]
    assert bad == []
    assert code == 0
    assert found["counts"]["pass"] == len(found["checks"]) > 20
    assert ("PASS    terminates and answers as the page prints it [2506]" in printed) is ("tasks" in parts)
    assert secret not in printed
    assert secret not in file.read_text()
    assert await open_tasks(standing) == []


async def open_tasks(standing: Standing) -> list[str]:
    """Tasks that somebody could still work on."""
    window = {"startTimeMillis": 1, "endTimeMillis": 4_000_000_000_000, "page": 1, "rows": 100}
    answer = await standing.call(
        "qualitytask/queryQualityTask", {"currentRole": "qualityDirector", **window}, DIRECTOR
    )
    return [row["planName"] for row in answer.body["data"] if row["isManipulate"]]


async def test_without_a_token_nothing_is_asked(
    standing: Standing, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CCSQM_APP_SECRET", "wrong")
    async with listening(standing.app) as url:
        command = ["compat", "cc-sqm", "--against", url, "--app-key", "nobody", "--director", DIRECTOR]
        assert await asyncio.to_thread(main, command) == 2
    assert "no token" in capsys.readouterr().out


def test_nobody_answers(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("CCSQM_APP_SECRET", "x")
    command = ["compat", "cc-sqm", "--against", "http://127.0.0.1:1", "--app-key", "x", "--director", "1"]
    assert main(command) == 2
    assert "no answer" in capsys.readouterr().out


def test_it_tells_how(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compat", "cc-sqm"]) == 2
    assert "sottovoce compat cc-sqm --against http" in capsys.readouterr().out
    assert main(["compat", "cc-sqm", "--against", "http://127.0.0.1:1"]) == 2
    assert "--app-key and --director are needed" in capsys.readouterr().err
    key = ["--against", "http://127.0.0.1:1", "--app-key", "x", "--director", "1"]
    assert main(["compat", "cc-sqm", *key, "--only", "tasks", "--only", "chance"]) == 2
    assert "there is no part chance; parts are appeals, calls, plans" in capsys.readouterr().err
    assert main(["compat", "cc-sqm", "--against", "127.0.0.1:8043"]) == 2
    assert "--against is a URL" in capsys.readouterr().err
