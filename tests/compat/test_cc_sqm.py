"""The compatibility kit: nothing fails here, and it sees what is wrong elsewhere."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from tests.compat.served import PEOPLE, bench, listening, with_calls
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


async def test_nothing_fails_here(
    standing: Standing, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
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
    file = tmp_path / "found.json"
    async with listening(standing.app) as url:
        command = ["compat", "cc-sqm", "--against", url, "--app-key", key, "--scratch-call", scratch]
        code = await asyncio.to_thread(
            main, [*command, *options, "--strict", "--lasting", "--json", str(file)]
        )
    printed = capsys.readouterr().out
    found = json.loads(file.read_text())
    bad = [one for one in found["checks"] if one["verdict"] != CheckVerdict.PASS]
    assert bad == []
    assert code == 0
    assert found["counts"]["pass"] == len(found["checks"]) > 300
    assert "PASS    terminates and answers as the page prints it [2506]" in printed
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


Alter = Callable[[str, int, Any], tuple[int, Any]]


def altered(app: ASGIApp, alter: Alter) -> ASGIApp:
    """That application with other answers: `alter` is given path, status and document."""

    async def other(scope: Scope, receive: Receive, send: Send) -> None:
        head: list[Message] = []

        async def pass_on(message: Message) -> None:
            if message["type"] == "http.response.start":
                head.append(message)
                return
            status, document = alter(scope["path"], head[0]["status"], json.loads(message["body"]))
            body = json.dumps(document).encode()
            await send(
                {
                    "type": "http.response.start",
                    "status": status,
                    "headers": [(b"Content-Type", b"application/json")],
                }
            )
            await send({"type": "http.response.body", "body": body})

        await app(scope, receive, pass_on)

    return other


def worse(path: str, status: int, document: Any) -> tuple[int, Any]:
    """Slips that servers of this family make."""
    name = "/".join(path.rsplit("/", 2)[1:])
    match name:
        case "oauth/tokenByAkSk" if status == 200:
            document["Expires"] = int(document["Expires"])
        case "qualitytask/queryQualityTask" if document.get("data"):
            for row in document["data"]:
                row["id"] = int(float(row["id"]))
        case "qualitytask/deleteQualityTask" if document["resultCode"] == "0409004":
            document = {"resultCode": "0409000", "resultDesc": "Operation successful."}
        case "qualitytask/terminateQualityTask" if document["resultCode"] == "0409000":
            document["resultCode"] = 409000
        case "regularqualitytask/queryQualityTask" if "list" in document:
            document["data"] = document.pop("list")
        case "appraisecall/details" if "paging" in document:
            document["paging"]["total"] = str(document["paging"]["total"])
        case "qualityitem/queryQualityItem" if status == 401:
            status = 200
        case "scenariomanage/queryAllScenario" if status == 400:
            status = 500
    return status, document


async def test_it_sees_what_is_wrong_elsewhere(standing: Standing) -> None:
    await with_calls(standing)
    async with bench(standing, None, around=lambda app: altered(app, worse)) as made:
        await run.check(made)
    failed = {(one.interface, one.check) for one in made.findings.found if one.verdict is CheckVerdict.FAIL}
    assert {
        ("tokenByAkSk", "key and secret give a token; every value is a String"),
        ("tokenByAkSk", "Expires is the lifetime asked for, in seconds"),
        ("qualitytask/deleteQualityTask", "declines an unknown id, as a text and as a number"),
        ("regularqualitytask/queryQualityTask", "answers as documented, the array is called list"),
        ("appraisecall/details", "answers as documented, the count in paging.total"),
        ("qualityitem/queryQualityItem", "answers 401 without a token, and with a wrong one"),
        ("scenariomanage/queryAllScenario", "answers 400 where the body is no JSON object"),
    } <= failed, sorted(failed)
    assert not made.findings.right


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
    assert main(["compat", "cc-sqm", "--against", "127.0.0.1:8043"]) == 2
    assert "--against is a URL" in capsys.readouterr().err
