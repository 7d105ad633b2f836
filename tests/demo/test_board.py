"""What the board shows of a scene, in 80 columns and as plain lines."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from rich.console import Console

from sottovoce.client.ccgateway import Gateway, GatewayEvent
from sottovoce.demo.afterwards import Picture
from sottovoce.demo.board import Plain, Scene, board, panel, table
from sottovoce.demo.meters import Heard
from sottovoce.demo.people import DemoAgent, Person
from sottovoce.phones.phone import Phone

NUMBER = "+493012340001"


@pytest.fixture
async def agent() -> DemoAgent:
    """An agent who talks to Mrs Miller and is whispered to."""
    gateway = Gateway("http://127.0.0.1:1")
    made = DemoAgent(Person("Ann", "8101", "agent-1", agent=101), Phone("Ann"), gateway.agent(101))
    made.note(GatewayEvent("AgentEvent_Talking", {"caller": NUMBER, "callid": "1-1"}))
    made.note(GatewayEvent("AgentOther_BeQcStart", {"qcType": 8, "qcAgentId": 301}))
    made.note(GatewayEvent("AgentOther_BeQcStart", {"qcType": 20172, "qcAgentId": 301}))
    await gateway.close()
    return made


def scene(agent: DemoAgent, *heard: Heard) -> Scene:
    return Scene([agent], heard, {NUMBER: "Mrs Miller"}, "inspector")


HEARD = (
    Heard("Ann", "Mrs Miller", -20.0, True),
    Heard("Ann", "inspector", -25.0, True),
    Heard("Mrs Miller", "Ann", -20.0, False),
    Heard("Mrs Miller", "inspector", -127.0, True),
)


async def test_the_table_fits_into_80_columns(agent: DemoAgent) -> None:
    out = io.StringIO()
    Console(file=out, width=80).print(table(scene(agent, *HEARD)))
    text = out.getvalue()
    assert "…" not in text
    for word in ("101 Ann", "whisper by 301", "Mrs Miller", "inspector ········", "nobody"):
        assert word in text


@pytest.mark.parametrize("width", [40, 60, 77, 78, 80, 200])
async def test_nothing_is_cut_however_narrow_the_terminal_is(agent: DemoAgent, width: int) -> None:
    out = io.StringIO()
    Console(file=out, width=width).print(board(replace(scene(agent, *HEARD), afterwards=PICTURE), width))
    text = out.getvalue()
    assert "…" not in text
    for word in ("101 Ann", "whisper by 301", "Mrs Miller", "inspector ········", "nobody", "1 of 6"):
        assert word in text
    assert all(len(line) <= width for line in text.splitlines())


@pytest.mark.parametrize("width", [60, 80])
async def test_of_many_agents_those_who_talk_are_shown_in_24_lines(agent: DemoAgent, width: int) -> None:
    gateway = Gateway("http://127.0.0.1:1")
    others = [
        DemoAgent(Person(f"No{n}", "8102", "agent-1", agent=n), Phone("x"), gateway.agent(n))
        for n in range(102, 121)
    ]
    await gateway.close()
    out = io.StringIO()
    Console(file=out, width=width).print(board(Scene([agent, *others], HEARD, {}, "inspector"), width))
    text = out.getvalue()
    assert "101 Ann" in text
    assert "19 more" in text
    assert len(text.splitlines()) <= 24


async def test_plain_lines_come_when_something_changed(agent: DemoAgent) -> None:
    out = io.StringIO()
    plain = Plain(Console(file=out, width=80))
    plain.show(scene(agent, *HEARD))
    plain.show(scene(agent, *HEARD))
    assert out.getvalue().splitlines() == [
        "agent 101 talking with Mrs Miller; inspector 301 whispers",
        "Ann hears Mrs Miller, inspector",
        "Mrs Miller hears Ann",
    ]
    agent.note(GatewayEvent("AgentOther_BeQcStop", {"qcType": 20172, "qcAgentId": 301}))
    agent.note(GatewayEvent("AgentEvent_Hold", "1-1"))
    plain.show(scene(agent))
    assert "agent 101 on hold with Mrs Miller" in out.getvalue().splitlines()
    agent.note(GatewayEvent("AgentEvent_Customer_Release", {"callid": "1-1", "number": NUMBER}))
    agent.note(GatewayEvent("AgentState_Ready", None))
    plain.show(scene(agent))
    assert "agent 101 idle" in out.getvalue().splitlines()


PICTURE = Picture(12, 3, 6, 1, 1, datetime(2026, 3, 3, 9, 0, tzinfo=UTC))


def test_the_panel_of_afterwards_fits_into_80_columns() -> None:
    for picture, told in ((PICTURE, ("1 of 6", "once", "2026-03-03 09:00:00")), (Picture(), ("after two",))):
        out = io.StringIO()
        Console(file=out, width=80).print(panel(picture))
        text = out.getvalue()
        assert "…" not in text
        assert all(word in text for word in told)


async def test_afterwards_is_a_plain_line_once_there_is_something(agent: DemoAgent) -> None:
    out = io.StringIO()
    plain = Plain(Console(file=out, width=80))
    plain.show(scene(agent))
    assert "afterwards" not in out.getvalue()
    plain.show(replace(scene(agent), afterwards=PICTURE))
    assert out.getvalue().splitlines()[-1] == (
        "afterwards: contacts 12, review tasks 3, inspected 1 of 6, plan ran 1, next run 2026-03-03 09:00:00"
    )
