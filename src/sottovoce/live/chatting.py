"""Agents write to each other, beside their calls: asked, answered, handed on, over.

Chats live in memory: a restart ends them, and nothing of what was written is kept.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from sottovoce.domain import events
from sottovoce.domain.chats import ChatAct, ChatState, move
from sottovoce.domain.directory import AgentId
from sottovoce.errors import Code, Refused
from sottovoce.live import notes
from sottovoce.live.chats import Chat
from sottovoce.live.effects import Arm, ChatUnanswered, Disarm
from sottovoce.live.inputs import Command, happens, never_waits
from sottovoce.live.state import FloorState, Seat

MOST_CHATS = 60
"""Of one agent at once (CC-Gateway 106-003)."""
MOST_SIGNS = 6144
"""Of one message, as of CC-Gateway's messages without a chat."""


@dataclass(frozen=True, slots=True)
class StartChat(Command):
    """Ask another agent to chat. BAD_PARAMETER (oneself), TARGET_UNKNOWN, TARGET_NOT_SIGNED_IN;
    MEDIA_EXHAUSTED when either of the two is in too many, UNAVAILABLE when who asks wrote too much lately."""

    target: AgentId


@never_waits(StartChat)
def start(floor: FloorState, asked: StartChat) -> None:
    """The other agent is asked."""
    seat = floor.seat(asked.by)
    other = _wanted(floor, seat, asked.target)
    _check_room(floor, seat)
    notes.sender_of(floor, seat.agent)
    chat = Chat(floor.new_call(), seat.agent, other.agent, asked=other.agent, asked_by=seat.agent)
    floor.chats[chat.chat] = chat
    floor.emit(events.ChatPlaced(seat.agent, chat.chat, other.agent))
    _ring(floor, chat)


@dataclass(frozen=True, slots=True)
class AnswerChat(Command):
    """Take part in the chat that one is asked for. NO_CALL (no such chat, or another is asked)."""

    chat: str


@never_waits(AnswerChat)
def answer(floor: FloorState, asked: AnswerChat) -> None:
    """The two write to each other; whoever handed the chat on is out of it."""
    chat = _asked(floor, asked.by, asked.chat)
    chat.state = move(chat.state, ChatAct.ANSWER)
    floor.do(Disarm(ChatUnanswered(chat.chat)))
    left = chat.asked_by
    chat.take_over()
    if left not in chat.members:
        floor.emit(events.ChatOver(left, chat.chat))
    floor.emit(*(events.ChatOpen(agent, chat.chat, chat.caller, chat.called) for agent in chat.members))


@dataclass(frozen=True, slots=True)
class RejectChat(Command):
    """Do not take part in the chat that one is asked for. NO_CALL."""

    chat: str


@never_waits(RejectChat)
def reject(floor: FloorState, asked: RejectChat) -> None:
    """Whoever asked is told; a chat that was handed on goes on between its two."""
    _unwilling(floor, _asked(floor, asked.by, asked.chat))


@happens(ChatUnanswered)
def unanswered(floor: FloorState, timer: ChatUnanswered) -> None:
    """Silence is a no."""
    chat = floor.chats.get(timer.chat)
    if chat is not None and chat.asked is not None:
        _unwilling(floor, chat)


@dataclass(frozen=True, slots=True)
class Say(Command):
    """Write a message: 1-6144 signs. NO_CALL, WRONG_CALL_STATE before the answer, BAD_PARAMETER; UNAVAILABLE
    (the agent wrote too many lately)."""

    chat: str
    text: str = field(repr=False)


@never_waits(Say)
def say(floor: FloorState, asked: Say) -> None:
    """The other reads it."""
    chat = _member(floor, asked.by, asked.chat)
    if not 0 < len(asked.text) <= MOST_SIGNS:
        raise Refused(Code.BAD_PARAMETER, f"must have 1-{MOST_SIGNS} signs", field="content")
    state = move(chat.state, ChatAct.SAY)
    notes.sender_of(floor, asked.by)
    chat.state = state
    floor.emit(events.ChatSaid(chat.other(asked.by), chat.chat, asked.by, asked.text))


@dataclass(frozen=True, slots=True)
class HandChatOn(Command):
    """Ask a third agent to take one's place. NO_CALL, WRONG_CALL_STATE (before the answer, or while one is
    asked already); BAD_PARAMETER (oneself, or who is in it), TARGET_UNKNOWN, TARGET_NOT_SIGNED_IN,
    MEDIA_EXHAUSTED, UNAVAILABLE."""

    chat: str
    target: AgentId


@never_waits(HandChatOn)
def hand_on(floor: FloorState, asked: HandChatOn) -> None:
    """The third is asked; until the answer all is as before."""
    chat = _member(floor, asked.by, asked.chat)
    other = _wanted(floor, floor.seat(asked.by), asked.target)
    if other.agent in chat.members:
        raise Refused(Code.BAD_PARAMETER, "that agent is in the chat already")
    state = move(chat.state, ChatAct.HAND_ON)
    notes.sender_of(floor, asked.by)
    chat.state = state
    chat.asked, chat.asked_by = other.agent, asked.by
    _ring(floor, chat)


@dataclass(frozen=True, slots=True)
class DropChat(Command):
    """End a chat that one is in, or asked for. NO_CALL."""

    chat: str


@never_waits(DropChat)
def drop(floor: FloorState, asked: DropChat) -> None:
    """It is over for all."""
    _end(floor, _member(floor, asked.by, asked.chat), by=asked.by)


def leave(floor: FloorState, seat: Seat) -> None:
    """The agent signs out: their chats are over."""
    for chat in [chat for chat in floor.chats.values() if seat.agent in (*chat.members, chat.asked)]:
        if seat.agent in chat.members:
            _end(floor, chat, by=seat.agent)
        else:
            _unwilling(floor, chat)


def _unwilling(floor: FloorState, chat: Chat) -> None:
    asked, by = chat.asked, chat.asked_by
    assert asked is not None
    chat.state = move(chat.state, ChatAct.REJECT)
    floor.do(Disarm(ChatUnanswered(chat.chat)))
    chat.asked = None
    floor.emit(events.ChatOver(asked, chat.chat), events.ChatNotAnswered(by, chat.chat))
    if chat.state is ChatState.OVER:
        del floor.chats[chat.chat]


def _end(floor: FloorState, chat: Chat, *, by: AgentId) -> None:
    told = [agent for agent in (*chat.members, chat.asked) if agent is not None]
    chat.state = move(chat.state, ChatAct.DROP)
    del floor.chats[chat.chat]
    floor.do(Disarm(ChatUnanswered(chat.chat)))
    floor.emit(*(events.ChatOver(agent, chat.chat) for agent in told if agent != by))


def _ring(floor: FloorState, chat: Chat) -> None:
    assert chat.asked is not None
    floor.do(Arm(ChatUnanswered(chat.chat), floor.settings.agents.ring_timeout))
    floor.emit(events.ChatRinging(chat.asked, chat.chat, chat.asked_by, chat.asked))


def _asked(floor: FloorState, agent: AgentId, chat: str) -> Chat:
    floor.seat(agent)
    found = floor.chats.get(chat)
    if found is None or found.asked != agent:
        raise Refused(Code.NO_CALL, "no such chat asks for this agent")
    return found


def _member(floor: FloorState, agent: AgentId, chat: str) -> Chat:
    floor.seat(agent)
    found = floor.chats.get(chat)
    if found is None or agent not in found.members:
        raise Refused(Code.NO_CALL, "no such chat of this agent")
    return found


def _wanted(floor: FloorState, seat: Seat, target: AgentId) -> Seat:
    """The seat of another agent who can be asked."""
    if target == seat.agent:
        raise Refused(Code.BAD_PARAMETER, "nobody chats with themselves")
    if target not in floor.profile.agents:
        raise Refused(Code.TARGET_UNKNOWN, f"no agent {target} in this VDN")
    other = floor.seats.get(target)
    if other is None or other.leaving or other.lapsed:
        raise Refused(Code.TARGET_NOT_SIGNED_IN, f"agent {target} is not signed in")
    _check_room(floor, other)
    return other


def _check_room(floor: FloorState, seat: Seat) -> None:
    if sum(seat.agent in (*chat.members, chat.asked) for chat in floor.chats.values()) >= MOST_CHATS:
        raise Refused(Code.MEDIA_EXHAUSTED, f"agent {seat.agent} is in {MOST_CHATS} chats")
