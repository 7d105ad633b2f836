"""What the selftest says of a server of its own when one cell is wrong."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from structlog.testing import capture_logs

from sottovoce.demo.trial import selftest_stage
from sottovoce.selftest import run
from sottovoce.selftest.stage import Stage
from sottovoce.selftest.steps import LISTENED, SEVERAL, WALK, WHISPERED, Step

pytestmark = pytest.mark.timeout(400)
PARTS = ("same_bytes", "delays", "path", "echo")


def named(name: str) -> Step:
    return next(step for step in WALK if step.name == name)


@asynccontextmanager
async def without_a_colleague() -> AsyncIterator[Stage]:
    """The selftest's own server, with agent and inspector alone."""
    async with selftest_stage() as stage:
        yield replace(stage, colleague=None)


def test_one_wrong_cell_is_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    """To a walk that takes the agent for deaf to a whisper, the server is wrong, in that and nothing else."""
    whisper = named("whisper")
    assert whisper.hears == WHISPERED
    steps = [WALK[0], whisper, named("stop whispering"), SEVERAL[0], replace(whisper, hears=LISTENED)]
    with capture_logs():
        assert run.main(start=without_a_colleague, as_json=True, steps=steps) == run.WRONG
    told = capsys.readouterr()
    document = json.loads(told.out)
    assert document["right"] is False
    assert document["left_out"] == [SEVERAL[0].name]
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
