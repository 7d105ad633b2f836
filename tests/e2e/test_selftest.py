"""The selftest's walk at a whole server, with our phones, and what it says when one cell is wrong."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from structlog.testing import capture_logs

from sottovoce.demo.house import selftest_stage
from sottovoce.selftest import run
from sottovoce.selftest.script import LISTENED, WALK, WHISPERED, Step

pytestmark = pytest.mark.timeout(400)
PARTS = ("same_bytes", "delays", "path", "echo")


def test_selftest_is_green(capsys: pytest.CaptureFixture[str]) -> None:
    with capture_logs():
        assert run.main(start=selftest_stage, as_json=True) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["right"] is True
    assert [step["name"] for step in document["steps"]] == [step.name for step in WALK]
    assert all(len(step["cells"]) == 6 for step in document["steps"])
    assert document["same_bytes"]["differing"] == 0
    assert document["delays"]["missed"] == 0
    assert [document[part] for part in PARTS if not document[part]["right"]] == []


def named(name: str) -> Step:
    return next(step for step in WALK if step.name == name)


def test_one_wrong_cell_is_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    """To a walk that takes the agent for deaf to a whisper, the server is wrong, in that and nothing else."""
    whisper = named("whisper")
    assert whisper.hears == WHISPERED
    steps = [WALK[0], whisper, named("stop whispering"), replace(whisper, hears=LISTENED)]
    with capture_logs():
        assert run.main(start=selftest_stage, as_json=True, steps=steps) == run.WRONG
    told = capsys.readouterr()
    document = json.loads(told.out)
    assert document["right"] is False
    assert document["failure"] is None
    assert [document[part] for part in PARTS if not document[part]["right"]] == []
    assert [leak["right"] for leak in document["leaks"]] == [True, True]
    assert [step["right"] for step in document["steps"]] == [True, True, True, False]
    wrong = [cell for step in document["steps"] for cell in step["cells"] if not cell["right"]]
    assert [(cell["listener"], cell["talker"], cell["verdict"]) for cell in wrong] == [
        ("agent", "inspector", "heard")
    ]
    assert "agent must not hear inspector" in told.err
    assert "Wrong: whisper" in told.err
