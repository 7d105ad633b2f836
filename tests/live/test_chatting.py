"""Agents who write to each other: asked, answered, handed on, over; beside calls and without them."""

from __future__ import annotations

import pytest
from tests.live.refusals import refused

from sottovoce.domain import events
from sottovoce.domain.agents import AgentState
from sottovoce.domain.directory import AgentId
from sottovoce.errors import Code
from sottovoce.live.chatting import (
    MOST_CHATS,
    MOST_SIGNS,
    AnswerChat,
    DropChat,
    HandChatOn,
    RejectChat,
    Say,
    StartChat,
)
from sottovoce.live.presence import SignOutAgent
from sottovoce.live.state import TEXTS_AT_ONCE

A, B, C, FOREIGN = AgentId(101), AgentId(102), AgentId(103), AgentId(201)


@pytest.fixture
async def three(stage):
    await stage.sign_in(A, B, C)
    await stage.forget(A, B, C)
    return stage


async def ask(stage, by=A, target=B) -> str:
    await stage.desk.ask(StartChat(by, target))
    [placed] = await stage.events(by)
    assert isinstance(placed, events.ChatPlaced)
    return placed.chat


async def opened(stage) -> str:
    chat = await ask(stage)
    await stage.desk.ask(AnswerChat(B, chat))
    for agent in (A, B):
        await stage.events(agent)
    return chat


async def test_asked_answered_written_over(three):
    chat = await ask(three)
    assert await three.events(B) == [events.ChatRinging(B, chat, A, B)]
    await refused(Code.WRONG_CALL_STATE, three.desk.ask(Say(A, chat, "there?")))
    await three.desk.ask(AnswerChat(B, chat))
    for agent in (A, B):
        assert await three.events(agent) == [events.ChatOpen(agent, chat, A, B)]
    await three.desk.ask(Say(A, chat, "one"))
    await three.desk.ask(Say(A, chat, "two"))
    await three.desk.ask(Say(B, chat, "\U0001f600 " * 9))
    assert await three.events(B) == [events.ChatSaid(B, chat, A, "one"), events.ChatSaid(B, chat, A, "two")]
    assert await three.events(A) == [events.ChatSaid(A, chat, B, "\U0001f600 " * 9)]
    await three.desk.ask(DropChat(B, chat))
    assert await three.events(A) == [events.ChatOver(A, chat)]
    assert await three.events(B) == []
    for act in (Say(A, chat, "x"), DropChat(A, chat), AnswerChat(B, chat), RejectChat(B, chat)):
        await refused(Code.NO_CALL, three.desk.ask(act))


@pytest.mark.parametrize("how", ["rejects", "is silent", "signs out"])
async def test_who_does_not_come_is_told_of(three, how):
    chat = await ask(three)
    await three.events(B)
    if how == "rejects":
        await three.desk.ask(RejectChat(B, chat))
    elif how == "signs out":
        await three.desk.ask(SignOutAgent(B))
    else:
        await three.later(20)
    assert await three.events(A) == [events.ChatNotAnswered(A, chat)]
    if how != "signs out":
        assert await three.events(B) == [events.ChatOver(B, chat)]
    await refused(Code.NO_CALL, three.desk.ask(DropChat(A, chat)))


async def test_who_asked_and_gives_up_rings_no_more(three):
    chat = await ask(three)
    await three.events(B)
    await three.desk.ask(DropChat(A, chat))
    assert await three.events(B) == [events.ChatOver(B, chat)]
    await refused(Code.NO_CALL, three.desk.ask(AnswerChat(B, chat)))


@pytest.mark.parametrize("by", [A, B])
async def test_handed_on_the_third_takes_the_place_of_who_hands_on(three, by):
    chat = await opened(three)
    stays = B if by == A else A
    await three.desk.ask(HandChatOn(by, chat, C))
    assert await three.events(C) == [events.ChatRinging(C, chat, by, C)]
    await three.desk.ask(Say(stays, chat, "still here"))
    assert await three.events(by) == [events.ChatSaid(by, chat, stays, "still here")]
    await refused(Code.WRONG_CALL_STATE, three.desk.ask(HandChatOn(by, chat, C)))
    await three.desk.ask(AnswerChat(C, chat))
    assert await three.events(by) == [events.ChatOver(by, chat)]
    for agent in (stays, C):
        assert await three.events(agent) == [events.ChatOpen(agent, chat, stays, C)]
    await three.desk.ask(Say(C, chat, "hello"))
    assert await three.events(stays) == [events.ChatSaid(stays, chat, C, "hello")]
    await refused(Code.NO_CALL, three.desk.ask(Say(by, chat, "x")))


async def test_a_third_who_does_not_come_leaves_all_as_it_was(three):
    chat = await opened(three)
    await three.desk.ask(HandChatOn(A, chat, C))
    await three.desk.ask(RejectChat(C, chat))
    assert await three.events(A) == [events.ChatNotAnswered(A, chat)]
    await three.desk.ask(Say(A, chat, "so it is us two"))
    assert await three.events(B) == [events.ChatSaid(B, chat, A, "so it is us two")]


@pytest.mark.parametrize("leaver", [A, B, C])
async def test_a_sign_out_ends_what_the_agent_was_in(three, leaver):
    chat = await opened(three)
    await three.desk.ask(HandChatOn(A, chat, C))
    await three.events(C)
    await three.desk.ask(SignOutAgent(leaver))
    told = {agent: await three.events(agent) for agent in (A, B, C) if agent != leaver}
    if leaver == C:
        assert told == {A: [events.ChatNotAnswered(A, chat)], B: []}
    else:
        assert told == {agent: [events.ChatOver(agent, chat)] for agent in told}


async def test_a_chat_is_beside_a_call(three):
    await three.call_in()
    await three.forget(A)
    chat = await ask(three, A, B)
    await three.desk.ask(AnswerChat(B, chat))
    await three.desk.ask(Say(B, chat, "a word beside"))
    assert three.state(A) is AgentState.TALKING
    assert three.state(B) is AgentState.IDLE


@pytest.mark.parametrize(
    ("target", "code"),
    [
        (A, Code.BAD_PARAMETER),
        (FOREIGN, Code.TARGET_UNKNOWN),
        (999, Code.TARGET_UNKNOWN),
        (300, Code.TARGET_NOT_SIGNED_IN),
    ],
)
async def test_who_cannot_be_asked(three, target, code):
    await refused(code, three.desk.ask(StartChat(A, AgentId(target))))
    chat = await opened(three)
    await refused(code, three.desk.ask(HandChatOn(A, chat, AgentId(target))))
    await refused(Code.BAD_PARAMETER, three.desk.ask(HandChatOn(A, chat, B)))


async def test_chats_and_messages_are_bounded(three):
    chat = await opened(three)
    for text in ("", "x" * (MOST_SIGNS + 1)):
        await refused(Code.BAD_PARAMETER, three.desk.ask(Say(A, chat, text)))
    await three.desk.ask(Say(A, chat, "x" * MOST_SIGNS))
    for number in range(MOST_CHATS - 1):
        await three.desk.ask(StartChat((B, C)[number % 2], A))
    await refused(Code.MEDIA_EXHAUSTED, three.desk.ask(StartChat(A, B)))
    await refused(Code.MEDIA_EXHAUSTED, three.desk.ask(StartChat(B, A)))


async def test_nobody_fills_another_s_queue_of_events(three):
    chat = await opened(three)
    for _ in range(TEXTS_AT_ONCE - 1):  # one was to ask
        await three.desk.ask(Say(A, chat, "x"))
    for more in (Say(A, chat, "x"), HandChatOn(A, chat, C), StartChat(A, C)):
        await refused(Code.UNAVAILABLE, three.desk.ask(more))
    await three.desk.ask(Say(B, chat, "B may"))
    await three.later(1)
    await three.desk.ask(Say(A, chat, "again"))
    await three.desk.ask(DropChat(A, chat))


async def test_a_chat_is_nobody_elses(three):
    chat = await opened(three)
    for act in (Say(C, chat, "x"), DropChat(C, chat), AnswerChat(C, chat), HandChatOn(C, chat, A)):
        await refused(Code.NO_CALL, three.desk.ask(act))
