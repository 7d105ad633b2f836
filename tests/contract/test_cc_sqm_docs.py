"""The integrator's document says what the server does: rights, codes, states, and its curl lines run."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from tests.quality.standing import DIRECTOR, INSPECTOR, ONE, Standing

from sottovoce.config import HttpSettings
from sottovoce.contracts import rows
from sottovoce.domain.appeals import GRIDS, AppealStep, Kind
from sottovoce.domain.people import Role
from sottovoce.domain.reviews import TASKS, TaskAction, TaskState
from sottovoce.domain.rights import RIGHTS, Operation
from sottovoce.errors import Code
from sottovoce.http.ccsqm.codes import NEVER_HERE, SPEECH, SUFFIXES
from sottovoce.http.ccsqm.qualityitem import STATES
from sottovoce.http.ccsqm.qualitytask import STATUS
from sottovoce.http.ccsqm.words import ROLES
from sottovoce.http.server import Server
from sottovoce.http.site import FAMILIES
from sottovoce.tasks import Tasks

DOCUMENT = (Path(__file__).parents[2] / "docs" / "cc-sqm.md").read_text()
ROWS = rows("cc-sqm", "cc-isqm")


def table(head: str) -> list[list[str]]:
    """The rows of the table whose head begins with that cell."""
    first = next(line for line in DOCUMENT.splitlines() if line.startswith(f"| {head} |"))
    return [[name, *cells] for name, cells in _below(first)]


def rights_table() -> list[list[str]]:
    """RIGHTS as the document has it: a line for each operation's interfaces."""
    rows = []
    for operation in Operation:
        cells = [RIGHTS[role, operation].value for role in Role]
        for row in ROWS:
            if row.operation == operation:
                part, name = row.path.split("/v1/")[1].split("/")
                rows.append([f"`{part}/` {name}", *cells])
    return rows


def served_list() -> list[str]:
    """What is served, part by part in the ledgers' order."""
    parts: dict[str, list[str]] = {}
    for row in ROWS:
        if row.status == "done" and not row.open:
            family, part = row.path.split("/")[2], row.path.split("/")[-2]
            parts.setdefault(f"{family} `{part}/`", []).append(row.name)
    return [f"- {part}: {', '.join(names)}" for part, names in parts.items()]


def test_the_table_of_rights() -> None:
    assert table("interface") == rights_table()


def test_the_roles_names() -> None:
    for name, role in ROLES.items():
        assert f"`{name}`" in DOCUMENT
        assert f"`{role.value}`" in DOCUMENT


def test_the_list_of_what_is_served() -> None:
    section = DOCUMENT.split("## What is served\n\n")[1].split("\n\n")[0]
    assert section.replace("\n  ", " ").splitlines() == served_list()


def test_the_table_of_failures() -> None:
    rows = table("code")
    assert [(row[0], row[1]) for row in rows] == [
        (SUFFIXES[reason], SPEECH.failures[reason]) for reason in SUFFIXES if reason not in NEVER_HERE
    ]


TASK_ACTIONS = {
    "update: another name": (TaskAction.RENAME,),
    "update: other conditions (a new sample)": (TaskAction.REDRAW,),
    "appoint (`isTakeEffect` 0; 1)": (TaskAction.APPOINT, TaskAction.APPOINT_NOW),
    "takeEffect (`type` 1; 2)": (TaskAction.TAKE_EFFECT, TaskAction.RESERVE),
    "modifyResult, complete": (TaskAction.COMPLETE, TaskAction.FINISH),
    "terminate": (TaskAction.TERMINATE,),
    "delete": (TaskAction.DELETE,),
}
ITEM_STEPS = {
    "appeal: pass": (Kind.APPEAL, AppealStep.PASS),
    "appeal: back": (Kind.APPEAL, AppealStep.BACK),
    "problem: pass": (Kind.PROBLEM, AppealStep.PASS),
    "problem: back": (Kind.PROBLEM, AppealStep.BACK),
    "assign (appealItem, reassginQualityTask)": (Kind.APPEAL, AppealStep.ASSIGN),
    "modifyQualityItemResult": (Kind.APPEAL, AppealStep.REVISE),
}


def test_the_table_of_a_tasks_states() -> None:
    columns = {"0 created": (TaskState.CREATED,), "1 assigned": (TaskState.ASSIGNED,)}
    columns |= {"2 reserved": (TaskState.RESERVED,), "3 in effect": (TaskState.IN_EFFECT,)}
    columns |= {"4 finished, 5 terminated": (TaskState.FINISHED, TaskState.TERMINATED)}
    assert [name[0] for name in columns] == [STATUS[states[0]] for states in columns.values()]
    head = "| | " + " | ".join(columns) + " |"
    assert head in DOCUMENT
    rows = dict(_below(head))
    assert rows.keys() == TASK_ACTIONS.keys()
    for name, actions in TASK_ACTIONS.items():
        for cell, states in zip(rows[name], columns.values(), strict=True):
            for state in states:
                wanted = [_shown(TASKS[state, action]) for action in actions]
                shown = cell.replace(", with the last call ", "; ").split("; ")
                assert shown in (wanted, [*set(wanted)]), (name, state)


def test_the_table_of_an_items_states() -> None:
    states = {number: state for state, number in STATES.items()}
    columns = [states[number] for number in (21, 24, 27, 22)]
    head = "| | " + " | ".join(f"{STATES[state]} {state.value}" for state in columns) + " |"
    rows = dict(_below(head))
    for name, (kind, step) in ITEM_STEPS.items():
        cells = [GRIDS[kind][state, step] for state in columns]
        wanted = [SUFFIXES[cell] if isinstance(cell, Code) else str(STATES[cell]) for cell in cells]
        assert rows.pop(name) == wanted, name
    assert rows == {}
    for step in (AppealStep.ASSIGN, AppealStep.REVISE):
        assert all(GRIDS[Kind.APPEAL][state, step] is GRIDS[Kind.PROBLEM][state, step] for state in columns)


def _below(head: str) -> Iterator[tuple[str, list[str]]]:
    """The rows of the table with that head, by their first cell."""
    lines = DOCUMENT.splitlines()
    for line in lines[lines.index(head) + 2 :]:
        if not line.startswith("|"):
            return
        name, *cells = (cell.strip() for cell in line.strip("|").split("|"))
        yield name, cells


def _shown(found: TaskState | Code) -> str:
    if isinstance(found, Code):
        return SUFFIXES[found]
    return "gone" if found is TaskState.DELETED else STATUS[found]


@pytest.fixture
async def base(quality: Standing) -> AsyncIterator[str]:
    server = Server(quality.app, HttpSettings(port=0), Tasks(), families=FAMILIES)
    await server.start()
    yield f"http://127.0.0.1:{server.port}"
    await server.stop()


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
async def test_the_curl_lines_run(quality: Standing, base: str) -> None:
    await quality.contact()
    await quality.contact(102)
    (script,) = (block for block in re.findall(r"```sh\n(.*?)```", DOCUMENT, re.DOTALL) if "TOKEN=" in block)
    key, secret = quality.keys[ONE]
    people = {"APP_KEY": key, "APP_SECRET": secret, "DIRECTOR": DIRECTOR, "INSPECTOR": INSPECTOR}
    shell = await asyncio.create_subprocess_exec(
        "sh",
        "-c",
        script,
        env={"PATH": os.environ["PATH"], "BASE": base, **people},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await shell.communicate()
    success = '{"resultCode":"0409000","resultDesc":"Operation successful."}'
    assert err.decode() == ""
    assert out.decode().splitlines() == [success] * 3
    listed = {"currentRole": "qualityDirector", "startTimeMillis": 0, "endTimeMillis": 9_999_999_999}
    answer = await quality.call("qualitytask/queryQualityTask", {**listed, "page": 1, "rows": 10})
    (task,) = answer.body["data"]
    assert (task["status"], task["inspectTotalCount"], task["inspectFinishedCount"]) == ("5", 2, 1)
