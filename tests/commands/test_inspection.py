"""`sottovoce inspect`: tasks, histories and plans as operators see them; handing over and ending."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta

import pytest
from tests.quality.asking import asked, run_due
from tests.quality.reviewing import CONDITIONS, check_whole, found, history
from tests.quality.standing import DIRECTOR, INSPECTOR, NOW, SECOND, Standing

from sottovoce.cli import main
from sottovoce.domain.plans import Cycle, PlanOrder, Schedule
from sottovoce.domain.reviews import Share, ShareKind, Shares, TaskOrder, TaskState
from sottovoce.quality import plans, tasks

EVEN = Shares(ShareKind.EVEN, (Share(INSPECTOR), Share(SECOND)))


async def told(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    """Exit code, standard output and standard error of a command."""
    code = await asyncio.to_thread(main, list(arguments))
    output = capsys.readouterr()
    assert "Traceback" not in output.err
    return code, output.out, output.err


async def test_the_calls_of_a_disabled_inspector_are_told_shown_and_handed_over(
    standing: Standing, capsys: pytest.CaptureFixture[str]
) -> None:
    for _ in range(4):
        await standing.contact()
    director = await standing.caller(DIRECTOR)
    task = await asked(tasks.create, standing.office, director, TaskOrder("March", CONDITIONS))
    await asked(tasks.appoint, standing.office, director, task, EVEN, now=True)
    code, out, _ = await told(capsys, "user", "disable", INSPECTOR)
    assert (code, "has 2 open calls" in out) == (0, True)
    _, out, _ = await told(capsys, "inspect", "tasks", "--vdn", "1")
    (row,) = [line for line in out.splitlines() if task in line]
    assert row.split()[1:] == ["March", "in_effect", "2026-03-02", "09:00:00", "UTC", "4", "0", "2"]
    _, out, _ = await told(capsys, "inspect", "items", task)
    assert out.count("no longer inspects") == 2
    code, _, err = await told(capsys, "inspect", "hand-over", "--from", SECOND, "--to", INSPECTOR)
    assert (code, "is no inspector" in err) == (1, True)
    code, out, _ = await told(capsys, "inspect", "hand-over", "--from", INSPECTOR, "--to", SECOND)
    assert (code, out) == (0, f"task {task}: 2 handed over\n")
    assert {item.inspector for item in (await found(standing, task))[1]} == {SECOND}
    code, out, _ = await told(capsys, "inspect", "hand-over", "--from", INSPECTOR, "--to", SECOND)
    assert (code, out) == (0, f"user {INSPECTOR} has no open call\n")
    await check_whole(standing.engine)


async def test_a_task_is_ended_with_a_reason_that_its_history_shows(
    standing: Standing, capsys: pytest.CaptureFixture[str]
) -> None:
    await standing.contact()
    director = await standing.caller(DIRECTOR)
    task = await asked(tasks.create, standing.office, director, TaskOrder("March", CONDITIONS))
    code, out, _ = await told(capsys, "inspect", "terminate", task, "--reason", "the wrong week")
    assert (code, out) == (0, f"task {task} terminated\n")
    assert (await found(standing, task))[0].state is TaskState.TERMINATED
    assert await history(standing, task) == ["create", "terminate"]
    _, out, _ = await told(capsys, "inspect", "history", task)
    _, first, second = out.splitlines()
    assert first.split()[4:6] == [DIRECTOR, "create"]
    assert second.split()[4:6] == ["0", "terminate"]
    assert '"reason": "the wrong week"' in second
    _, out, _ = await told(capsys, "inspect", "history", task, "--json")
    assert json.loads(out)[1]["detail"]["reason"] == "the wrong week"
    for command in ("history", "items", "terminate", "runs"):
        code, _, err = await told(capsys, "inspect", command, "1772442000000999999")
        assert (code, err) == (1, "sottovoce: there is no task or plan 1772442000000999999\n")


async def test_a_plan_that_made_nothing_shows_the_reason(
    standing: Standing, capsys: pytest.CaptureFixture[str]
) -> None:
    director = await standing.caller(DIRECTOR)
    daily = Schedule(Cycle.DAILY, NOW + timedelta(hours=1), total=3)
    plan = await asked(plans.add, standing.office, director, PlanOrder("Daily", daily, CONDITIONS, EVEN))
    await asked(plans.begin, standing.office, director, plan)
    _, out, _ = await told(capsys, "inspect", "plans", "--vdn", "1")
    assert "nothing" not in out
    standing.clock.advance(7200)
    await run_due(standing.office)
    for command in (("plans", "--vdn", "1"), ("runs", plan)):
        _, out, _ = await told(capsys, "inspect", *command)
        assert "nothing: nothing_qualifies: no call meets the conditions" in out
    _, out, _ = await told(capsys, "inspect", "history", plan)
    assert [line.split()[5] for line in out.splitlines()[1:]] == ["add", "begin", "run"]
