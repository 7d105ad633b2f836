"""The selftest's walk at a whole server, with our phones, and what it says of a server that lies."""

from __future__ import annotations

import json

import pytest
from structlog.testing import capture_logs

from sottovoce.demo.house import selftest_stage
from sottovoce.phones.tones import Verdict
from sottovoce.selftest import run
from sottovoce.selftest.findings import Cell, Party, StepFound
from sottovoce.selftest.script import WALK

pytestmark = pytest.mark.timeout(400)


def test_selftest_is_green(capsys: pytest.CaptureFixture[str]) -> None:
    with capture_logs():
        assert run.main(start=selftest_stage, as_json=True) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["right"] is True
    assert [step["name"] for step in document["steps"]] == [step.name for step in WALK]
    assert all(len(step["cells"]) == 6 for step in document["steps"])
    assert document["same_bytes"]["differing"] == 0
    assert document["delays"]["missed"] == 0
    assert document["echo"]["warned"] is True


def test_one_wrong_cell_is_an_error() -> None:
    cell = Cell(Party.CUSTOMER, Party.INSPECTOR, False, -40.0, Verdict.UNCLEAR)
    assert not StepFound("whisper", "POST", (cell,)).right
