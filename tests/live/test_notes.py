"""Notes and bulletins: who is told, who is not, and how many there may be."""

from __future__ import annotations

import logging
from dataclasses import replace

import pytest
from tests.live.refusals import refused

from sottovoce.domain import events
from sottovoce.domain.directory import AgentGroup, AgentId, VdnId
from sottovoce.errors import Code
from sottovoce.live.availability import ChooseSkills
from sottovoce.live.notes import Audience, SendBulletin, SendNote
from sottovoce.live.state import TEXTS_AT_ONCE

A, B, C, I = AgentId(101), AgentId(102), AgentId(103), AgentId(300)  # noqa: E741
FOREIGN, UNKNOWN = AgentId(201), AgentId(999)


async def test_a_note_reaches_each_of_its_agents_once(stage):
    await stage.sign_in(101, 102, 103)
    await stage.forget(101, 102, 103)
    await stage.desk.ask(SendNote(A, (B, C, B), "Lunch?"))
    at = stage.clock.now()
    assert await stage.events(102) == [events.NoteReceived(B, A, "Agent 101", "Lunch?", at)]
    assert await stage.events(103) == [events.NoteReceived(C, A, "Agent 101", "Lunch?", at)]
    assert await stage.events(101) == []


@pytest.mark.parametrize(
    ("to", "code"),
    [(C, Code.TARGET_NOT_SIGNED_IN), (UNKNOWN, Code.TARGET_UNKNOWN), (FOREIGN, Code.TARGET_UNKNOWN)],
)
async def test_where_one_cannot_be_told_nobody_is(stage, to, code):
    await stage.sign_in(101, 102, 201)
    await stage.forget(102, 201)
    await refused(code, stage.desk.ask(SendNote(A, (B, to), "x")))
    assert await stage.events(102) == await stage.events(201) == []


async def _with_groups(stage, groups: dict[int, str], of: dict[int, int]):
    profile = stage.store.profiles[VdnId(1)]
    agents = {agent: replace(one, group=of.get(agent, 0)) for agent, one in profile.agents.items()}
    named = tuple(AgentGroup(number, name) for number, name in groups.items())
    stage.store.profiles[VdnId(1)] = replace(profile, agents=agents, agent_groups=named)
    await stage.desk.reload(VdnId(1))


async def test_a_bulletin_reaches_the_group(stage):
    await _with_groups(stage, {1: "day", 2: "night", 3: "1"}, {101: 1, 102: 1, 103: 2})
    await stage.sign_in(101, 102, 103)
    for name, told in (("day", (101, 102)), ("2", (103,))):
        await stage.forget(101, 102, 103)
        await stage.desk.ask(SendBulletin(A, Audience.GROUP, name, "Fire drill"))
        for agent in (101, 102, 103):
            assert await stage.names(agent) == (["BulletinReceived"] if agent in told else [])
    for name, code in (("1", Code.TARGET_NOT_SIGNED_IN), ("dawn", Code.NOT_FOUND), ("", Code.NOT_FOUND)):
        await refused(code, stage.desk.ask(SendBulletin(A, Audience.GROUP, name, "x")))


async def test_a_bulletin_reaches_who_is_signed_in_to_the_queue(stage):
    await stage.sign_in(101, 102, 300)
    await stage.desk.ask(ChooseSkills(B, ()))
    await stage.forget(101, 102, 300)
    for name in ("sales", "1"):
        await stage.desk.ask(SendBulletin(I, Audience.QUEUE, name, "Fire drill"))
        at = stage.clock.now()
        assert await stage.events(101) == [events.BulletinReceived(A, I, "Agent 300", "Fire drill", at)]
        assert await stage.events(102) == await stage.events(300) == []
    await refused(Code.NOT_FOUND, stage.desk.ask(SendBulletin(I, Audience.QUEUE, "day", "x")))


async def test_nobody_pushes_a_colleagues_events_out_of_the_queue(stage):
    await stage.sign_in(101, 102)
    await stage.forget(101, 102)
    for _ in range(TEXTS_AT_ONCE):
        await stage.desk.ask(SendNote(A, (B,), "x"))
    await refused(Code.UNAVAILABLE, stage.desk.ask(SendNote(A, (B,), "x")))
    await refused(Code.UNAVAILABLE, stage.desk.ask(SendBulletin(A, Audience.QUEUE, "sales", "x")))
    assert len(await stage.events(102)) == TEXTS_AT_ONCE
    await stage.desk.ask(SendNote(B, (A,), "x"))
    await stage.later(1)
    await stage.desk.ask(SendNote(A, (B,), "x"))


async def test_texts_are_in_no_log(stage, caplog, capsys):
    caplog.set_level(logging.DEBUG)
    await stage.sign_in(101, 102)
    await stage.desk.ask(SendNote(A, (B,), "between us"))
    await stage.quiet()
    assert "between us" not in caplog.text + "".join(capsys.readouterr())
    assert "between us" not in repr(await stage.events(102))
