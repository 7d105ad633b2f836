"""What counts as right, and that the report says so."""

from __future__ import annotations

import dataclasses
import io
import json

import pytest
from rich.console import Console

from sottovoce.phones.tones import ToneVerdict
from sottovoce.selftest.findings import (
    Cell,
    Delays,
    EchoFigures,
    Findings,
    Leak,
    Party,
    PathFigures,
    SameBytes,
    StepFound,
)
from sottovoce.selftest.report import ProofReport
from sottovoce.selftest.steps import (
    ALONE,
    CONSULT,
    INSERTED,
    INTERCEPTED,
    JOINED,
    LEFT,
    LISTENED,
    SEVERAL,
    WALK,
    WHISPERED,
)

C, A, I = Party.CUSTOMER, Party.AGENT, Party.INSPECTOR  # noqa: E741 - as in the steps
B = Party.COLLEAGUE
HEARD = Cell(A, I, True, -15.0, ToneVerdict.HEARD)
PATH = PathFigures(0, 0, 3000, 3000, 1000, 0, 0.02)
SILENT = Cell(C, I, False, -99.0, ToneVerdict.SILENT)


def good() -> Findings:
    return Findings(
        steps=[StepFound("whisper", "POST requestwhisperagent", (HEARD, SILENT))],
        leaks=[Leak(-99.0, -98.5, 0.0)],
        same_bytes=SameBytes(400, 0),
        delays=Delays((20.0, 30.0), (25.0,), 0),
        path=PATH,
        echo=EchoFigures(-99.0, -26.0, True),
    )


def told(found: Findings) -> str:
    out = io.StringIO()
    report = ProofReport(Console(file=out, width=120))
    for step in found.steps:
        report.step(step)
    report.end(found)
    return out.getvalue()


def test_all_right() -> None:
    found = good()
    assert found.right
    assert "All 2 cells of 1 steps are right" in told(found)
    document = json.loads(json.dumps(found.as_json()))
    assert document["right"] is True
    assert document["steps"][0]["cells"][0] == {
        "listener": "agent",
        "talker": "inspector",
        "expected": True,
        "level_dbov": -15.0,
        "verdict": "heard",
        "right": True,
    }


@pytest.mark.parametrize(
    "cell",
    [
        Cell(C, I, False, -15.0, ToneVerdict.HEARD),
        Cell(C, I, False, -45.0, ToneVerdict.UNCLEAR),
        Cell(A, I, True, -45.0, ToneVerdict.UNCLEAR),
        Cell(A, I, True, -99.0, ToneVerdict.SILENT),
    ],
)
def test_a_wrong_cell_is_named(cell: Cell) -> None:
    found = good()
    found.steps.append(StepFound("whisper", "POST", (cell,)))
    assert not found.right
    text = told(found)
    assert f"{cell.listener} {'should' if cell.expected else 'must not'} hear {cell.talker}" in text
    assert "Wrong: whisper" in text


@pytest.mark.parametrize(
    "change",
    [
        {"steps": []},
        {"steps": [StepFound("listen", "PUT", failure="900-003")]},
        {"leaks": []},
        {"leaks": [Leak(-99.0, -59.0, 16.0)]},
        {"leaks": [Leak(-75.0, -71.0, 4.0)]},
        {"same_bytes": None},
        {"same_bytes": SameBytes(400, 1)},
        {"same_bytes": SameBytes(0, 0)},
        {"delays": None},
        {"delays": Delays((), (), 1)},
        {"path": None},
        {"path": dataclasses.replace(PATH, to_customer_lost=62)},
        {"path": dataclasses.replace(PATH, to_agent_lost=62)},
        {"path": dataclasses.replace(PATH, to_agent_received=0)},
        {"path": dataclasses.replace(PATH, gaps=21)},
        {"path": dataclasses.replace(PATH, watched=0)},
        {"path": dataclasses.replace(PATH, level_change_db=1.1)},
        {"echo": None},
        {"echo": EchoFigures(-99.0, -26.0, False)},
        {"failure": "the server went away"},
    ],
)
def test_whatever_is_missing_or_wrong_is_not_right(change: dict[str, object]) -> None:
    found = dataclasses.replace(good(), **change)
    assert not found.right
    assert found.as_json()["right"] is False
    assert "are right" not in told(found)


def test_a_busy_machine_is_not_a_wrong_server() -> None:
    busy = PathFigures(60, 60, 3000, 3000, 1000, 20, 1.0)
    found = dataclasses.replace(good(), path=busy)
    assert found.right
    assert "WRONG" not in told(found)


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (dataclasses.replace(PATH, to_customer_lost=1500, to_customer_received=1500), "agent to customer"),
        (dataclasses.replace(PATH, gaps=500), "agent to customer"),
        (dataclasses.replace(PATH, to_agent_lost=1500, to_agent_received=1500), "customer to agent"),
        (dataclasses.replace(PATH, level_change_db=6.0), "level change"),
    ],
)
def test_a_figure_out_of_its_bound_is_marked(path: PathFigures, line: str) -> None:
    found = dataclasses.replace(good(), path=path)
    assert [text for text in told(found).splitlines() if "WRONG" in text and line in text]
    assert found.as_json()["path"]["right"] is False


def test_the_walk_goes_through_every_mode_and_back() -> None:
    tables = [step.hears for step in WALK]
    for table in (ALONE, LISTENED, WHISPERED, INSERTED, INTERCEPTED):
        assert table in tables
    assert WALK[-1].hears == ALONE
    assert all(step.hears == WHISPERED for step in WALK if step.whisper and not step.colleague)
    assert not any(I in step.hears[C] for step in WALK if step.whisper)


def test_the_walk_goes_through_calls_of_several_parties_in_each_mode() -> None:
    tables = [step.hears for step in SEVERAL]
    for of in (CONSULT, JOINED, LEFT):
        assert all(of[mode] in tables for mode in ("listen", "whisper", "insert"))
        assert I not in of["whisper"][C] | of["listen"][C]
    assert SEVERAL[-1].hears == ALONE
    assert not any(step.hears[B] for step in WALK if not step.colleague), "the colleague hears nobody else"


def test_what_was_not_walked_is_said() -> None:
    found = dataclasses.replace(good(), left_out=("a colleague is consulted",))
    assert found.right
    assert "1 steps with several parties not taken: the stage names no colleague" in told(found)
    assert found.as_json()["left_out"] == ("a colleague is consulted",)
